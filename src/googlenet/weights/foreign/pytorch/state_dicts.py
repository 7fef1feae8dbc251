"""State dicts as people keep them: in files of ``torch.save`` or safetensors, in dictionaries, behind prefixes.

Nothing in a file is executed: PyTorch reads it with ``weights_only=True``, and what needs more is refused.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ....errors import InputError
from ....files import open_plain
from ....limits import DICTIONARIES, DICTIONARIES_IN_ALL, OPERATIONS, TENSOR_NAME
from ...checkpoint import is_safetensors
from ..safetensors import read_tensors

_ZIP, _PICKLES = b"PK", tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
_SHARE = (
    0.6  # of a network's names: more than an optimizer's moments have, fewer than a file without counters of batches
)
_AVERAGED = re.compile(r"(^|[._'])(ema|swa|averaged?)([._'\d]|$)", re.IGNORECASE)
_HOW = "Where the network is at hand, save its weights alone: torch.save(model.state_dict(), 'weights.pth')."
_COUNTER, _VARIANCE = "num_batches_tracked", "running_var"


@dataclass(frozen=True)
class StateDict:
    """A network's tensors, and how they were found.

    Attributes:
        tensors: By the names that the network itself has for them.
        notes: Sentences on what was taken away, added and converted.
    """

    tensors: Mapping[str, Tensor]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Place:
    """Where a network's tensors lie: the dictionaries down to them, and what their names begin with."""

    keys: tuple[str, ...]
    prefix: str
    tensors: Mapping[str, Tensor]

    def __str__(self) -> str:
        return ".".join((*self.keys, self.prefix.rstrip("."))).strip(".") or "the outermost dictionary"


def is_pickled(path: Path) -> bool:
    """Whether it is a file of ``torch.save``, of today or, a bare pickle, of before PyTorch 1.6, whatever its name."""
    if not path.is_file():
        return False
    with open_plain(path) as file:
        start = file.read(2)
    if start != _ZIP:
        return start in _PICKLES
    return not zipfile.is_zipfile(path) or bool(_members(path, "data.pkl"))  # one that is cut off may be one


def state_dict_of(path: Path, names: Collection[str], whose: str) -> StateDict:
    """The tensors of a network in a file, found by most of their names.

    Args:
        path: Of ``torch.save`` or safetensors.
        names: That the network has for its tensors.
        whose: Network it is, for the sentence.

    Raises:
        InputError: If there are none, several, or reading them would run code.
    """
    dictionaries = list(_dictionaries(saved(path)))
    places = [place for keys, tensors in dictionaries for place in _places(keys, tensors, frozenset(names))]
    if not places:
        others = [name for _, tensors in dictionaries for name in tensors]
        raise InputError(
            f"{path} holds no state dict of {whose}"
            + (f": {', '.join(others[:3])} and the rest of its {len(others)} tensors are another's." if others else ".")
        )
    place, notes = _chosen(places, path)
    found = {name.removeprefix(place.prefix): t for name, t in place.tensors.items() if name.startswith(place.prefix)}
    rest = [name for name in place.tensors if not name.startswith(place.prefix)]
    if place.keys:
        notes.append(f"The weights lie under '{'.'.join(place.keys)}' in the file.")
    if place.prefix:
        notes.append(f"Their names begin with '{place.prefix}', which is taken away.")
    if rest:
        notes.append(f"Left out, since it is not among them: {', '.join(rest[:3])}{' …' if len(rest) > 3 else ''}.")
    return _made_whole(found, notes, path)


def tensors_of(path: Path) -> Mapping[str, Tensor]:
    """The dictionary with the most tensors in a file of any network; an empty one if there is none to be had."""
    try:
        found = [tensors for _, tensors in _dictionaries(saved(path))]
    except InputError:
        return {}
    return max(found, key=len, default={})


def saved(path: Path) -> Any:
    """What was given to ``torch.save``, or the tensors of a safetensors file.

    Raises:
        InputError: If reading it would run code, or it is damaged.
    """
    if is_safetensors(path):
        return read_tensors(path)[0]
    if zipfile.is_zipfile(path) and _members(path, "constants.pkl"):
        raise InputError(f"{path} is a program of TorchScript, and programs in files are not run. {_HOW}")
    content = Content(b"")
    try:
        content = _content(path)
        return torch.load(content, map_location="cpu", weights_only=True)
    except PermissionError as error:
        raise InputError(f"{path} could not be read: {error.strerror}.") from error
    except Exception as error:  # of bytes that only look like a pickle PyTorch raises whatever comes
        needs = _code_in(content, error)
        if not needs:
            raise InputError(
                f"{path} is not a file of plain tensors: it is damaged, cut off, or something else. Copy or save it "
                "again with torch.save(model.state_dict(), 'weights.pth')."
            ) from error
        raise InputError(
            f"{path} is not a file of plain tensors: it holds {', '.join(needs[:3])}, for which code in it would have "
            f"to be run, and that is not done. {_HOW}"
        ) from error


# ----------------------------------------------------------------- what is in a file
class Content(io.BytesIO):
    """What a file holds, of which so many pieces can be read: a pickle is read operation by operation.

    In memory, PyTorch does not take it for an archive of tar, as it may a file.
    """

    left = OPERATIONS

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        self.left -= 1
        if self.left < 0:
            raise ValueError(f"it has more than {OPERATIONS:,} operations")
        return super().read(size)


def _content(path: Path) -> Content:
    """A file of today with its parts laid one behind the other, as its directory lists them and nothing else; one of
    before PyTorch 1.6 as it is.

    Raises:
        ValueError: If it is packed, or larger unpacked than it is.
    """
    size = path.stat().st_size
    if not zipfile.is_zipfile(path):
        with open_plain(path) as file:
            return Content(file.read())
    whole = Content()
    with open_plain(path) as file, zipfile.ZipFile(file) as archive, zipfile.ZipFile(whole, "w") as copy:
        parts = archive.infolist()
        if sum(part.file_size for part in parts) > size or any(part.compress_type for part in parts):
            raise ValueError("its parts are packed, which PyTorch's are not")
        for part in parts:
            if part.filename.endswith(".pkl") and part.file_size > OPERATIONS:
                raise ValueError(f"{part.filename} is larger than that of any network")
            copy.writestr(zipfile.ZipInfo(part.filename), archive.read(part))
    whole.seek(0)
    return whole


def _members(path: Path, name: str) -> list[str]:
    with suppress(zipfile.BadZipFile, NotImplementedError), zipfile.ZipFile(path) as archive:
        return [member for member in archive.namelist() if member.rpartition("/")[2] == name]
    return []


def _code_in(content: Content, error: Exception) -> list[str]:
    """Names of the classes and functions that a pickle wants and PyTorch does not trust, its own last; nothing is run.

    Args:
        content: Of the file.
        error: That PyTorch raised; of a file from before PyTorch 1.6 it alone tells a name, the first.
    """
    try:
        content.seek(0)
        found = torch.serialization.get_unsafe_globals_in_checkpoint(content)
    except Exception:  # from before PyTorch 1.6, or damaged
        found = re.findall(r"Unsupported global: GLOBAL ([\w.]+)", str(error))
    return sorted(found, key=lambda name: (name.startswith("torch."), name))


def _dictionaries(
    found: Any, keys: tuple[str, ...] = (), seen: list[Any] | None = None
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Tensor]]]:
    """Every dictionary of tensors by name, the outermost first, and the keys that lead to it; of more than a file of
    weights has, the first."""
    seen = [] if seen is None else seen
    if not isinstance(found, dict):
        return
    seen.append(found)
    named = {name: value for name, value in found.items() if isinstance(name, str) and len(name) <= TENSOR_NAME}
    tensors = {name: value for name, value in named.items() if _is_plain(value)}
    if tensors:
        yield keys, tensors
    for name, value in named.items():
        if len(keys) < DICTIONARIES and len(seen) < DICTIONARIES_IN_ALL and isinstance(value, dict):
            yield from _dictionaries(value, (*keys, name), seen)


def _is_plain(value: Any) -> bool:
    """Whether it is a tensor of numbers that all lie in the file."""
    return (
        isinstance(value, Tensor)
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
        and value.numel() * value.element_size() <= value.untyped_storage().nbytes()
    )


def _places(keys: tuple[str, ...], tensors: Mapping[str, Tensor], names: frozenset[str]) -> Iterator[_Place]:
    """The prefixes behind which a dictionary has most of a network's names."""
    counts: Counter[str] = Counter()
    for name in tensors:
        parts = name.split(".")
        ends = (".".join(parts[start:]) for start in range(len(parts)))
        end = next((end for end in ends if end in names), None)
        if end is not None:
            counts[name.removesuffix(end)] += 1
    for prefix, count in counts.items():
        if count > _SHARE * len(names):
            yield _Place(keys, prefix, tensors)


def _chosen(places: list[_Place], path: Path) -> tuple[_Place, list[str]]:
    """The only network, or the only one that is a mean over its training, and a sentence if there was a choice.

    Raises:
        InputError: If neither is.
    """
    if len(places) == 1:
        return places[0], []
    averaged = [place for place in places if _AVERAGED.search(str(place))]
    listed = ", ".join(map(str, places))
    if len(averaged) != 1:
        raise InputError(
            f"{path} holds several networks ({listed}). Save the one that you mean with torch.save, on its own."
        )
    return averaged[0], [f"Of the networks in the file ({listed}) {averaged[0]} is read, the mean over the training."]


def _check_own(found: Mapping[str, Tensor], path: Path) -> None:
    """That the tensors of a file do not share their numbers: together they could be of any size."""
    if sum(map(Tensor.numel, found.values())) > path.stat().st_size:
        raise InputError(f"{path} holds more numbers than it has bytes: its tensors share them. Save it again.")


def _made_whole(found: Mapping[str, Tensor], notes: list[str], path: Path) -> StateDict:
    """The tensors in float32, with the counters of batches that old files lack, and the notes.

    Raises:
        InputError: If one is not of finite floating-point numbers.
    """
    _check_own(found, path)
    kinds = {t.dtype for name, t in found.items() if not name.endswith(_COUNTER)}
    whole = {}
    for name, tensor in found.items():
        if name.endswith(_COUNTER):
            whole[name] = tensor.detach().double().nan_to_num(0, 0, 0).long()  # a half's largest is soon passed
            continue
        if not tensor.is_floating_point():
            raise InputError(f"{path} holds {tensor.dtype} in {name}; weights are floating-point numbers.")
        whole[name] = tensor.detach().float()
        if not whole[name].isfinite().all():
            raise InputError(f"{path} holds numbers that are not finite ({name}): the training that wrote it failed.")
    if kinds - {torch.float32}:
        types = " and ".join(sorted(str(kind).removeprefix("torch.") for kind in kinds))
        notes.append(f"Its numbers are {types} and are read as float32.")
    norms = [name.removesuffix(_VARIANCE) for name in found if name.endswith(_VARIANCE)]
    missing = [f"{norm}{_COUNTER}" for norm in norms if f"{norm}{_COUNTER}" not in found]
    if missing:
        whole |= {name: torch.tensor(0) for name in missing}
        notes.append(
            f"{len(missing)} norms lack {_COUNTER}, as in old files; it is 0 here, and no answer depends on it."
        )
    return StateDict(whole, tuple(notes))
