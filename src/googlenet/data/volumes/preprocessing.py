"""How a volume becomes what the network reads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...errors import InputError
from ...limits import INPUT, INPUT_CHANNELS
from ..protocol import Array, Example, Floats, Input, Picture
from .npz import check_examples, read_npz

if TYPE_CHECKING:
    from torch import Tensor

    from ...nn.canvas import Canvas


SLICES = 5  # of a volume that is drawn


@dataclass(frozen=True)
class VolumePreprocessing:
    """How a volume becomes what the network reads; a :class:`~googlenet.data.protocol.Preprocessing`.

    Attributes:
        channels: Of a volume.
        size: ``(depth, height, width)``, voxels.
        shares: Whether values are shares of their type's range: unsigned integers are divided by its largest value,
            and floats must be in [0, 1]. Otherwise they are floats of any range, taken as they are.
        mean: Per channel, of such values over the training part.
        std: Per channel; 1 for a constant one.
        mirror: Whether a volume and its mirror image along the width mean the same.
        bits: Of the unsigned integers that were learned from; 0 for floats, and where that is not known.
    """

    kind: ClassVar[str] = "volume"
    extensions: ClassVar[Collection[str]] = (".npz",)
    crops: ClassVar[Collection[int]] = (1,)
    most: ClassVar[int] = 64
    bf16: ClassVar[bool] = False
    of_views: ClassVar[Collection[str]] = ()

    channels: int
    size: tuple[int, int, int]
    shares: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]
    mirror: bool = False
    bits: int = 0

    @classmethod
    def fitted(cls, volumes: Array, mirror: bool) -> VolumePreprocessing:
        """From the training part ``(N, C, D, H, W)``."""
        shares = volumes.dtype.kind == "u"
        sample = volumes[:: max(1, len(volumes) // 1000)]

        def averaged(of: Callable[[Array], Array]) -> Array:
            """Per channel, of one volume after the other: memory stays that of one."""
            found: Array = np.mean(
                [of(_in_range(each, shares).astype(np.float64)).mean((1, 2, 3)) for each in sample], 0
            )
            return found

        mean = averaged(lambda values: values)
        std = np.sqrt(averaged(lambda values: (values - mean[:, None, None, None]) ** 2))
        scales = tuple(float(value) if value > 1e-12 else 1.0 for value in std)
        bits = 8 * volumes.dtype.itemsize if shares else 0
        return cls(volumes.shape[1], volumes.shape[2:], shares, tuple(map(float, mean)), scales, mirror, bits)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """``(channels, depth, height, width)``; of float32."""
        return (self.channels, *self.size)

    def tensors(self) -> Sequence[Input]:
        """A volume; where its values are shares of a range, also its voxels."""
        floats = Input("volume", "FP32", self.input_shape)
        return (floats, Input("voxels", "UINT8", self.input_shape)) if self.shares else (floats,)

    def split(self, source: Any) -> Sequence[Any] | None:
        """The volumes of an array ``(N, C, D, H, W)`` or, of one channel, ``(N, D, H, W)``; else ``None``."""
        if not isinstance(source, np.ndarray) or source.shape == self.input_shape:
            return None
        return list(source) if source.ndim == 5 or (source.ndim == 4 and self.channels == 1) else None

    def examples(self, source: Any, name: str) -> Iterator[Example]:
        """Every volume of a file, or one array ``(C, D, H, W)`` or, of one channel, ``(D, H, W)``."""
        if not isinstance(source, (str, Path)):
            values = np.asarray(source)
            yield Example(name, values, taken_for=f"{values.dtype} array {values.shape}: a volume")
            return
        try:
            arrays = read_npz(Path(source))
            found = {key: values for key, values in arrays.items() if values.ndim in (4, 5)}
            if not found:
                raise InputError(f"it holds no array of volumes; it has {', '.join(arrays) or 'none'}.")
            for values in found.values():
                check_examples(Path(source), values)
        except InputError as error:
            yield Example(str(source), error=str(error))
            return
        for key, values in found.items():
            volumes = self.split(values)
            for row, volume in enumerate([values] if volumes is None else volumes):
                yield Example(f"{source}:{key}:{row}", volume)

    def read(self, content: Array, crops: int = 1) -> Floats:
        """A volume as the network reads it, ``(1, channels, depth, height, width)``.

        Raises:
            InputError: If its shape is another, or its values are of another kind than those that were learned from.
        """
        values = content[None] if content.ndim == 3 else content
        if values.shape != self.input_shape:
            raise InputError(f"the shape is {content.shape}, and the network reads {self.input_shape}")
        if self.bits and values.dtype.kind == "u" and 0 < values.max() < 2**self.bits < 2 ** (8 * values.itemsize):
            raise InputError(
                f"the values are {values.dtype} and none is beyond what uint{self.bits} holds, of which the network "
                f"learned: they would be nearly black; give them as uint{self.bits}"
            )
        mean, std = (np.array(numbers, np.float32).reshape(-1, 1, 1, 1) for numbers in (self.mean, self.std))
        prepared = _in_range(values, self.shares)
        prepared -= mean
        prepared /= std
        return prepared[None]

    def example(self, n: int) -> Tensor:
        """n volumes of noise, ``(n, channels, depth, height, width)``."""
        import torch

        return torch.randn(n, *self.input_shape, generator=torch.Generator().manual_seed(0))

    def views(self, inputs: Tensor, members: int = 1) -> list[Tensor]:
        """Volumes as they are, and mirrored where that means the same."""
        return [inputs, inputs.flip(4)] if self.mirror else [inputs]

    def canvas(self) -> Canvas:
        """Voxels in deviations; of shares within what those can be."""
        import torch

        from ...nn.canvas import Canvas, Whole

        mean, std = torch.tensor(self.mean), torch.tensor(self.std)
        endless = torch.full_like(mean, torch.inf)
        low, high = ((0 - mean) / std, (1 - mean) / std) if self.shares else (-endless, endless)
        none, one = torch.zeros_like(mean), torch.ones_like(mean)

        def whole(content: Array) -> Whole:
            return Whole(torch.from_numpy(self.read(content)[0]), lambda changed: changed)

        return Canvas(none, one, low, high, lambda values: values, lambda read: read, whole)

    def draw(self, inputs: Array, evidence: Array | None = None) -> Picture:
        """Slices along the depth, side by side, of the first channel or of three as red, green and blue."""
        depths = np.linspace(0, self.size[0] - 1, min(SLICES, self.size[0])).round().astype(int)
        shown = inputs[: 3 if self.channels >= 3 else 1, depths]
        low, high = float(shown.min()), float(shown.max())
        pixels = np.rint(255 * (shown - low) / (high - low or 1.0)).astype(np.uint8)
        if evidence is not None:
            near = np.minimum(depths * len(evidence) // self.size[0], len(evidence) - 1)
            evidence = np.concatenate(list(evidence[near]), axis=1)
        return Picture(np.concatenate(list(pixels.transpose(1, 0, 2, 3)), axis=2), evidence)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; :meth:`from_dict` is its inverse."""
        return {"kind": self.kind} | asdict(self)

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> VolumePreprocessing:
        """Reads what :meth:`to_dict` wrote.

        Raises:
            InputError: If it cannot be.
        """
        lists = {key: tuple(row[key]) for key in ("size", "mean", "std")}
        found = cls(**{key: value for key, value in row.items() if key != "kind"} | lists)
        found._check()
        return found

    def _check(self) -> None:
        counts = (self.channels, *self.size)
        if len(self.size) != 3 or not all(type(count) is int and 0 < count <= INPUT for count in counts):
            raise InputError(f"volumes have channels, depth, height and width from 1, not {counts}")
        if prod(counts) > INPUT or self.channels > INPUT_CHANNELS:
            raise InputError(f"{self.described()} are more than a network reads")
        if type(self.bits) is not int or self.bits not in (0, 8, 16, 32, 64):
            raise InputError(f"unsigned integers are of 8, 16, 32 or 64 bits, not {self.bits!r}")
        if type(self.shares) is not bool or type(self.mirror) is not bool:
            raise InputError(f"shares and mirror are yes or no, not {self.shares!r}, {self.mirror!r}")
        if not len(self.mean) == len(self.std) == self.channels or not np.isfinite([*self.mean, *self.std]).all():
            raise InputError(f"each of {self.channels} channels has a mean and a deviation")
        if min(self.std) <= 0:
            raise InputError(f"deviations are above 0, not {min(self.std)}")

    def described(self) -> str:
        """In words, for people."""
        size = "×".join(map(str, self.size))
        values = "shares of their type's range" if self.shares else "floats as they are"
        return f"{self.channels} × {size} voxels; values are {values}, standardised per channel"


def _in_range(values: Array, shares: bool) -> Floats:
    """float32; unsigned integers as shares of their type's range.

    Raises:
        InputError: If the values are of the other kind than those that were learned from, or are no numbers.
    """
    if values.size > INPUT:
        raise InputError(f"a volume of {values.size:,} numbers is more than a network reads, {INPUT:,}")
    if values.dtype.kind == "u":
        if not shares:
            raise InputError(f"the values are {values.dtype}, and the network has learned from floats; give it those")
        found: Floats = values.astype(np.float32)
        found /= np.float32(np.iinfo(values.dtype).max)
        return found
    if values.dtype.kind != "f":
        raise InputError(f"the values are {values.dtype}; a volume is of unsigned integers or of floats")
    if not (np.abs(values) <= np.finfo(np.float32).max).all():
        raise InputError("a value is missing, infinite or beyond 3e38")
    if shares and (values.min(initial=0) < 0 or values.max(initial=0) > 1):
        raise InputError("the floats are not from 0 to 1, as shares of what unsigned integers can hold")
    return values.astype(np.float32)
