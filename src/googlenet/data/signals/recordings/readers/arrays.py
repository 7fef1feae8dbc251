"""Arrays of numbers: MATLAB's files, HDF5 (and MATLAB's of version 7.3) and NumPy's ``.npy``."""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .....errors import InputError, count
from .....files import check_unpacked, open_plain
from .....limits import HDF5_DEPTH, HDF5_OBJECTS, INPUT_CHANNELS, unpacked
from ....volumes.npz import mapped
from ...rows import listing
from ..recording import Recording, Samples, checked, library, numbered

Facts = Sequence[Mapping[str, Any]]  # what is said of an array, by what is nearest to it first

RATES = ("fs", "rate", "sampling_rate", "samplingrate", "sample_rate", "samplerate", "srate")
PERHAPS_RATES = ("freq", "frequency")  # of the mains, a stimulus or a filter, it may be
NAMES = ("channel_names", "ch_names", "sig_name", "channels", "labels", "names")
LETTERS = 100  # of the name of a channel
SMALL = 64  # numbers, which are no recording
ELONGATED = 4  # times longer than wide is a recording, at least
_MATLAB_NUMBERS = ("double", "single", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))
_PACKED = 15  # type of an element of a MATLAB file
_HDF5_FILTERS = frozenset((1, 2, 3, 5, 6, 32000))  # deflate, shuffle, fletcher32, nbit, scale-offset, LZF
_CURE = "If you trust it, save it without compression"
_HDF5 = b"\x89HDF\r\n\x1a\n"


def open_mat(path: Path, rate: float | None) -> Recording:
    """A file of MATLAB's; one before version 7.3 is read whole, as it cannot be read in part."""
    with open_plain(path) as file:
        newer = file.read(520)[512:] == _HDF5
    if newer:
        return open_hdf5(path, rate)
    from scipy.io import loadmat, whosmat

    about = whosmat(path)
    shapes = {name: shape for name, shape, kind in about if kind in _MATLAB_NUMBERS}
    check_unpacked(path, 8 * sum(math.prod(shape) for shape in shapes.values()), _CURE)
    _check_packed(path)
    chosen = _chosen(path, {name: shape for name, shape in shapes.items() if math.prod(shape)})
    said = [name for name, shape, _ in about if math.prod(shape) == 1 or name.lower() in NAMES]
    found = loadmat(path, squeeze_me=False, variable_names=[chosen, *said])
    array = found[chosen]
    facts = {key: value for key, value in found.items() if not key.startswith("__")}
    recording = _recording(path, array, [facts], rate, array.shape)
    return replace(recording, remarks=(*_others(path, chosen, shapes), *recording.remarks))


def _others(path: Path, chosen: str, shapes: Mapping[str, tuple[int, ...]]) -> tuple[str, ...]:
    """What is to be said of other arrays that may be a recording too."""
    others = [name for name, shape in shapes.items() if name != chosen and math.prod(shape) > SMALL]
    said = f"{path}: {chosen} is read, the largest array; {listing(others)} left out."
    return (said,) if others else ()


def _check_packed(path: Path) -> None:
    """That the variables of a file of MATLAB's unpack to no more than such files do; of one that is not packed nothing.

    Raises:
        InputError: If they unpack to more.
    """
    most = unpacked(path.stat().st_size)
    with open_plain(path) as file:
        file.seek(126)
        order: Literal["little", "big"] = "little" if file.read(2) == b"IM" else "big"
        whole = 0
        while len(tag := file.read(8)) == 8:
            kind, size = int.from_bytes(tag[:4], order), int.from_bytes(tag[4:], order)
            if kind != _PACKED:
                return
            unpacker, left = zlib.decompressobj(), size
            while left > 0 and (piece := file.read(min(left, 1 << 16))):
                left -= len(piece)
                while piece:
                    whole += len(unpacker.decompress(piece, 1 << 20))
                    piece = unpacker.unconsumed_tail
                    if whole > most:
                        check_unpacked(path, whole, _CURE)


def open_hdf5(path: Path, rate: float | None) -> Recording:
    """The array of an HDF5 file that is a recording, its rate an attribute or an array beside it."""
    h5py = library("h5py", path)
    about: dict[str, dict[str, Any]] = {}  # of each object what it says, by its name
    shapes: dict[str, tuple[int, ...]] = {}
    with h5py.File(path, "r") as file:
        for name, item in _objects(h5py, path, file):
            facts = about.setdefault(name, {})
            for key in set(item.attrs) & _asked(item.attrs):
                if math.prod(item.attrs.get_id(key).shape or (1,)) <= INPUT_CHANNELS:
                    facts[key] = item.attrs[key]
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf" and item.shape is not None:
                _check_stored(path, name, item)
                shapes[name] = item.shape
                if item.size == 1:
                    group, _, key = name.rpartition("/")
                    about.setdefault(group, {}).setdefault(key, item[()])
            elif isinstance(item, h5py.Dataset) and name.rpartition("/")[2].lower() in NAMES:
                group, _, key = name.rpartition("/")
                about.setdefault(group, {}).setdefault(key, _stored_texts(h5py, path, name, item))
    name = _chosen(path, shapes)

    class Stored:
        """The array, opened for each stretch."""

        def __getitem__(self, key: Any) -> Any:
            with h5py.File(path, "r") as opened:
                return opened[name][key]

    found = _recording(path, Stored(), _nearest(about, name, shapes), rate, shapes[name])
    return replace(found, remarks=(*_others(path, name, shapes), *found.remarks))


def _stored_texts(h5py: Any, path: Path, name: str, item: Any) -> list[Any]:
    """The texts of an array; MATLAB keeps each as an array of letters of its own."""
    if item.shape is None or item.size > INPUT_CHANNELS:
        return []
    _check_stored(path, name, item)
    if h5py.check_ref_dtype(item.dtype) is not h5py.Reference:
        return list(np.ravel(item[()])) if h5py.check_string_dtype(item.dtype) else []
    found = []
    for reference in np.ravel(item[()]):
        letters = item.file[reference] if reference else None
        if not isinstance(letters, h5py.Dataset) or letters.dtype.kind != "u" or not 0 < letters.size <= LETTERS:
            return []
        _check_stored(path, name, letters)
        found.append("".join(map(chr, np.ravel(letters[()]))))
    return found


def _nearest(about: Mapping[str, Mapping[str, Any]], name: str, arrays: Collection[str]) -> Facts:
    """What an array says of itself, then what the groups say that it lies in, from within, then other groups; what
    other arrays say is of them."""
    parts = name.split("/")
    above = ["/".join(parts[:depth]) for depth in range(len(parts), -1, -1)]
    return [
        about[place] for place in dict.fromkeys((*above, *about)) if place in about and place not in {*arrays} - {name}
    ]


def _asked(attributes: Any) -> set[str]:
    """Those of some attributes that say a rate, or names of channels."""
    return {key for key in attributes if key.lower() in (*RATES, *PERHAPS_RATES, *NAMES)}


def _objects(h5py: Any, path: Path, file: Any) -> Iterator[tuple[str, Any]]:
    """What is in an HDF5 file, each once, by its name; links into other files are not followed.

    Raises:
        InputError: If there are more, or deeper ones, than such files have.
    """
    yield "", file
    seen, waiting = set(), [("", file, 0)]
    while waiting:
        above, group, depth = waiting.pop()
        for key in group:
            if type(group.get(key, getlink=True)) is not h5py.HardLink:
                continue
            item, name = group[key], f"{above}/{key}" if above else key
            place = h5py.h5o.get_info(item.id).addr
            if place in seen:
                continue
            seen.add(place)
            if depth > HDF5_DEPTH or len(seen) > HDF5_OBJECTS:
                raise InputError(f"{path} holds groups in groups beyond what is read; keep the recording in the first.")
            yield name, item
            if isinstance(item, h5py.Group):
                waiting.append((name, item, depth + 1))


def _check_stored(path: Path, name: str, item: Any) -> None:
    """That an array lies in its own file, packed in HDF5's own ways, in pieces that are no larger than it may be.

    Raises:
        InputError: If it is not so.
    """
    if item.is_virtual or item.external:
        raise InputError(f"{path} keeps {name} in other files, which are not opened; save it as one file.")
    settings = item.id.get_create_plist()
    filters = {settings.get_filter(at)[0] for at in range(settings.get_nfilters())}
    if not filters <= _HDF5_FILTERS:
        raise InputError(f"{path} has {name} packed in a way that takes a program to read; save it with gzip.")
    if item.chunks is not None:
        check_unpacked(path, math.prod(item.chunks) * item.dtype.itemsize, _CURE)
    check_unpacked(path, math.prod(item.shape) * item.dtype.itemsize, _CURE)


def open_npy(path: Path, rate: float | None) -> Recording:
    """An array ``(channels, n)``, ``(n, channels)`` or ``(n,)``, which does not say its rate."""
    array = mapped(path)
    if array is None:
        raise InputError(f"{path} holds Python objects, not numbers; loading them could run any code.")
    _chosen(path, {"the array": array.shape} if array.dtype.kind in "iuf" else {})
    return _recording(path, array, [], rate, array.shape)


def _recording(path: Path, array: Any, facts: Facts, given: float | None, shape: tuple[int, ...]) -> Recording:
    """Of an array whose longer side is time."""
    flat = len(shape) == 1
    length, channels = max(shape), 1 if flat else min(shape)
    along = not flat and shape[0] == length

    def read(start: int, stop: int) -> Samples:
        part = array[start:stop] if flat or along else array[:, start:stop]
        values = np.asarray(part, np.float64)
        return checked(values[None] if flat else values.T if along else values, path, start, stop)

    rate, said = _rate(path, facts, given)
    names, unfit = _names(path, facts, channels)
    return Recording(path, names, rate, length, read, remarks=(*said, *unfit))


def _chosen(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """The array that is the recording: the largest that is much longer than wide.

    Raises:
        InputError: If there is none, or two.
    """
    long = {key: shape for key, shape in shapes.items() if 1 <= len(shape) <= 2 and max(shape) > 1}
    if not long:
        raise InputError(f"{path} holds no array of numbers (channels × samples) to take for a recording.")
    sizes = {key: int(np.prod(shape)) for key, shape in long.items()}
    best = max(sizes, key=lambda key: sizes[key])
    rivals = [key for key, size in sizes.items() if size == sizes[best] and key != best]
    if rivals:
        raise InputError(
            f"{path} holds {best} and {rivals[0]}, which are as large; keep the recording alone in a file."
        )
    _check_shape(path, best, long)
    return best


def _check_shape(path: Path, name: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raises InputError for an array whose sides cannot be told, or that has a label for each row."""
    if len(shapes[name]) == 1 or min(shapes[name]) == 1:
        return
    longer, shorter = max(shapes[name]), min(shapes[name])
    said = f"{path} holds {name} of {'×'.join(map(str, shapes[name]))}"
    cure = "Save signals with a label each as an NPZ (numpy.savez with X and y)."
    if longer < ELONGATED * shorter:
        raise InputError(f"{said}: which side is time cannot be told. {cure}")
    beside = [key for key, other in shapes.items() if key != name and max(other) == shorter]
    if beside:
        raise InputError(f"{said} and {beside[0]} of {shorter}: a signal a row with its label is no recording. {cure}")


def _rate(path: Path, facts: Facts, given: float | None) -> tuple[float, tuple[str, ...]]:
    """Samples a second, and what is to be said where the file does not plainly say it."""
    if sure := _said_rate(path, facts, RATES):
        return sure[1], ()
    perhaps = _said_rate(path, facts, PERHAPS_RATES)
    if given is not None:
        return given, (f"{path} does not say its sampling rate; taken for {given:g} Hz.",)
    if perhaps:
        return perhaps[1], (
            f"{path}: {perhaps[0]} {perhaps[1]:g} is taken for the sampling rate; if it is not: --rate.",
        )
    raise InputError(f"{path} does not say its sampling rate; name it, such as --rate 250.")


def _said_rate(path: Path, facts: Facts, words: Sequence[str]) -> tuple[str, float] | None:
    """The nearest rate that is called so, and how; InputError if two that are as near differ."""
    for said in facts:
        one = {key: np.ravel(value)[0] for key, value in said.items() if key.lower() in words and np.size(value) == 1}
        rates = {key: float(value) for key, value in one.items() if np.asarray(value).dtype.kind in "iuf" and value > 0}
        if len(set(rates.values())) > 1:
            shown = " and ".join(f"{key} {rate:g}" for key, rate in rates.items())
            raise InputError(f"{path} says {shown}, and a recording has one rate. Keep the samples a second.")
        if rates:
            return next(iter(rates.items()))
    return None


def _names(path: Path, facts: Facts, channels: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of the channels, and what is to be said of names that do not fit them."""
    called = [(key, _texts(said[key])) for said in facts for word in NAMES for key in said if key.lower() == word]
    found = [(key, texts) for key, texts in called if texts]
    fitting = next((texts for _, texts in found if len(texts) == len(set(texts)) == channels), None)
    if fitting is not None or not found:
        return fitting or numbered(channels), ()
    many = f"{found[0][0]} holds {listing(found[0][1])}, no name for each of {count(channels, 'channel')}"
    return numbered(channels), (f"{path}: {many}: they are numbered.",)


def _texts(value: Any) -> tuple[str, ...]:
    """Those that a value is; none where it holds something else, such as how many there are."""
    items = [np.ravel(item)[0] if np.size(item) else "" for item in np.asarray(value, dtype=object).ravel().tolist()]
    if not all(isinstance(item, (str, bytes)) for item in items):
        return ()
    return tuple((item.decode(errors="replace") if isinstance(item, bytes) else item).strip() for item in items)
