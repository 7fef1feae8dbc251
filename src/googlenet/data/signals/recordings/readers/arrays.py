"""Arrays of numbers: MATLAB's files, HDF5 (and MATLAB's of version 7.3) and NumPy's ``.npy``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .....errors import InputError
from ..recording import Recording, Samples, checked, library, numbered

RATES = ("fs", "rate", "sampling_rate", "samplingrate", "sample_rate", "samplerate", "srate", "freq", "frequency")
NAMES = ("channels", "labels", "channel_names", "ch_names", "sig_name", "names")
ELONGATED = 4  # times longer than wide is a recording, at least
_HDF5 = b"\x89HDF\r\n\x1a\n"


def open_mat(path: Path, rate: float | None) -> Recording:
    """A file of MATLAB's; one before version 7.3 is read whole, as it cannot be read in part."""
    with path.open("rb") as file:
        newer = file.read(520)[512:] == _HDF5
    if newer:
        return open_hdf5(path, rate)
    from scipy.io import loadmat

    found = {key: value for key, value in loadmat(path, squeeze_me=False).items() if not key.startswith("__")}
    array = found[_chosen(path, {key: getattr(value, "shape", ()) for key, value in found.items() if _numeric(value)})]
    names = next((_texts(found[key]) for key in found if key.lower() in NAMES), ())
    return _recording(path, array, _rate(path, found, rate), names, array.shape)


def open_hdf5(path: Path, rate: float | None) -> Recording:
    """The array of an HDF5 file that is a recording, its rate an attribute or an array beside it."""
    h5py = library("h5py", path)
    facts: dict[str, Any] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    with h5py.File(path, "r") as file:

        def visit(name: str, item: Any) -> None:
            facts.update(item.attrs)
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf":
                shapes[name] = item.shape
                if item.size == 1:
                    facts[name.rpartition("/")[2]] = item[()]

        facts.update(file.attrs)
        file.visititems(visit)
    name = _chosen(path, shapes)
    names = next((_texts(facts[key]) for key in facts if key.lower() in NAMES), ())

    class Stored:
        """The array, opened for each stretch."""

        def __getitem__(self, key: Any) -> Any:
            with h5py.File(path, "r") as opened:
                return opened[name][key]

    return _recording(path, Stored(), _rate(path, facts, rate), names, shapes[name])


def open_npy(path: Path, rate: float | None) -> Recording:
    """An array ``(channels, n)``, ``(n, channels)`` or ``(n,)``, which does not say its rate."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    _chosen(path, {"the array": array.shape} if array.dtype.kind in "iuf" else {})
    return _recording(path, array, _rate(path, {}, rate), (), array.shape)


def _recording(
    path: Path, array: Any, rate: tuple[float, tuple[str, ...]], names: Sequence[str], shape: tuple[int, ...]
) -> Recording:
    """Of an array whose longer side is time."""
    flat = len(shape) == 1
    length, channels = max(shape), 1 if flat else min(shape)
    along = not flat and shape[0] == length

    def read(start: int, stop: int) -> Samples:
        part = array[start:stop] if flat or along else array[:, start:stop]
        values = np.asarray(part, np.float64)
        return checked(values[None] if flat else values.T if along else values, path, start, stop)

    fitting = tuple(names) if len(set(names)) == channels else numbered(channels)
    return Recording(path, fitting, rate[0], length, read, remarks=rate[1])


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


def _numeric(value: Any) -> bool:
    return getattr(getattr(value, "dtype", None), "kind", "") in "iuf" and np.size(value) > 0


def _rate(path: Path, facts: Mapping[str, Any], given: float | None) -> tuple[float, tuple[str, ...]]:
    """Samples a second, and what is to be said where the file does not say it."""
    for key, value in facts.items():
        if key.lower() in RATES and np.size(value) == 1:
            found = float(np.asarray(value).ravel()[0])
            if found > 0:
                return found, ()
    if given is None:
        raise InputError(f"{path} does not say its sampling rate; name it, such as --rate 250.")
    return given, (f"{path} does not say its sampling rate; taken for {given:g} Hz.",)


def _texts(value: Any) -> tuple[str, ...]:
    items = np.asarray(value, dtype=object).ravel().tolist()
    return tuple(
        str(np.ravel(item)[0] if np.ndim(item) else item.decode() if isinstance(item, bytes) else item).strip()
        for item in items
    )
