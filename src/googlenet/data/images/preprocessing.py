"""What stands between a picture and the network."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...arch.spec import IMAGENET_MEAN, IMAGENET_STD
from ...errors import InputError
from ...limits import MAX_PIXELS, PICTURE, SIDE
from ..protocol import Array, Example, Input, Picture
from ..volumes.npz import check_examples, read_npz
from .crops import CROPS, crops_of, longest_scale
from .decode import Source, decoded, taken_for, to_pixels
from .names import extensions
from .values import CHANNELS_FIRST, CHANNELS_LAST, Pixels, split_array

if TYPE_CHECKING:
    from torch import Tensor

    from ...nn.canvas import Canvas

WHOLE = 4_000_000  # pixels of a picture that is changed in its own size
GREY = (0.299, 0.587, 0.114)  # shares of red, green and blue in what is grey (ITU-R 601)


@dataclass(frozen=True)
class ImagePreprocessing:
    """How a picture becomes what the network reads; a :class:`~googlenet.data.protocol.Preprocessing`.

    Attributes:
        channels: 1 (grey) or 3 (RGB).
        size: Side of the square that the network sees, pixels.
        resize: Length that the shorter side is resized to before the square is cut out.
        mean: Per channel, of pixels scaled to [0, 1].
        std: Per channel, of pixels scaled to [0, 1].
        mirror: Whether a picture and its mirror image mean the same; evaluation then averages both.
        max_pixels: That a file may have, see :func:`~googlenet.data.images.decode.open_picture`. It says what whoever
            reads can bear, not what the network wants, and is not kept with it.
    """

    kind: ClassVar[str] = "picture"
    most: ClassVar[int] = 256
    bf16: ClassVar[bool] = True
    of_views: ClassVar[Collection[str]] = ("mean", "std")

    channels: int = 3
    size: int = 224
    resize: int = 256
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    mirror: bool = False
    max_pixels: int = MAX_PIXELS

    @property
    def crops(self) -> Collection[int]:
        """Several, of what is larger than the network sees."""
        return CROPS if self.resize > self.size else (1,)

    @property
    def extensions(self) -> Collection[str]:
        """Of pictures, also of those that cannot be read, which get their reason."""
        return extensions()

    @property
    def input_shape(self) -> tuple[int, ...]:
        """``(channels, size, size)``; of uint8."""
        return (self.channels, self.size, self.size)

    def tensors(self) -> Sequence[Input]:
        """The content of a file, or pixels ``(height, width, channels)``."""
        return Input("image", "BYTES", ()), Input("pixels", "UINT8", (-1, -1, -1))

    def split(self, source: Any) -> Sequence[Any] | None:
        """The pictures of an array ``(N, …)``; ``None`` for anything else."""
        return split_array(source, self.channels) if isinstance(source, np.ndarray) else None

    def examples(self, source: Source, name: str) -> Iterator[Example]:
        """The one picture of a source; of an NPZ file all that it holds."""
        if isinstance(source, (str, Path)) and str(source).lower().endswith(".npz"):
            yield from _of_npz(Path(source))
        elif isinstance(source, (str, Path)):
            yield Example(str(source), source)
        else:
            yield Example(name, source, taken_for=taken_for(source))

    def read(self, content: Source, crops: int = 1) -> Pixels:
        """What the network is to see of a picture, ``(crops, channels, size, size)``, uint8.

        Args:
            content: See :func:`~googlenet.data.images.decode.open_picture`.
            crops: See :func:`~googlenet.data.images.crops.crops_of`.

        Raises:
            InputError: If it cannot be read.
        """
        at_least = 2 * longest_scale(self.size, self.resize, crops)
        with decoded(content, self.channels, at_least, self.max_pixels) as image:
            views = crops_of(image, self.size, self.resize, crops)
            return np.stack([to_pixels(view, self.channels) for view in views])

    def example(self, n: int) -> Tensor:
        """n smooth random pictures, ``(n, channels, size, size)``, uint8."""
        import torch

        draws = torch.Generator().manual_seed(0)
        coarse = torch.rand(n, self.channels, 7, 7, generator=draws)
        smooth = torch.nn.functional.interpolate(coarse, (self.size, self.size), mode="bicubic")
        return (255 * smooth.clamp(0, 1)).to(torch.uint8)

    def views(self, inputs: Tensor, members: int = 1) -> list[Tensor]:
        """Pictures normalised, and mirrored where that means the same."""
        seen = normalised(inputs, self)
        return [seen, seen.flip(3)] if self.mirror else [seen]

    def draw(self, inputs: Array, evidence: Array | None = None) -> Picture:
        """The picture as the network sees it."""
        return Picture(inputs, evidence)

    def canvas(self) -> Canvas:
        """Shares of white; a picture in its own size keeps the colours that a network does not read."""
        import torch

        from ...nn.canvas import Canvas, Whole

        def whole(content: Source) -> Whole:
            with decoded(content, 3, None, self.max_pixels) as image:
                if image.width * image.height > WHOLE:
                    raise InputError(
                        f"it has {image.width:,}×{image.height:,} pixels, and a picture that is changed in its own "
                        f"size may have {WHOLE:,}; make it smaller first"
                    )
                pixels = torch.from_numpy(to_pixels(image, self.channels if image.mode == "L" else 3)) / 255
            seen = (pixels * torch.tensor(GREY)[:, None, None]).sum(0, keepdim=True)
            values = pixels if len(pixels) == self.channels else seen
            return Whole(values, lambda changed: (255 * (pixels + changed - values)).round().clamp(0, 255).byte())

        mean, std = torch.tensor(self.mean), torch.tensor(self.std)
        none, all_of_it = torch.zeros(self.channels), torch.ones(self.channels)
        return Canvas(mean, std, none, all_of_it, lambda values: 255 * values, lambda read: read / 255, whole)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; :meth:`from_dict` is its inverse."""
        row = {"kind": self.kind} | asdict(self)
        del row["max_pixels"]
        return row

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> ImagePreprocessing:
        """Reads what :meth:`to_dict` wrote, also before it said its kind.

        Raises:
            InputError: If it cannot be.
        """
        numbers = {key: tuple(map(float, row[key])) for key in ("mean", "std")}
        found = cls(**{key: value for key, value in row.items() if key != "kind"} | numbers)
        found._check()
        return found

    def _check(self) -> None:
        sides, numbers = (self.size, self.resize), [*self.mean, *self.std]
        if self.channels not in (1, 3) or type(self.mirror) is not bool:
            raise InputError(
                f"pictures have 1 or 3 channels, and mirror is yes or no, not {self.channels}, {self.mirror}"
            )
        if not all(type(side) is int and 0 < side <= SIDE for side in sides):
            raise InputError(f"sides are whole numbers from 1 to {SIDE}, not {sides}")
        if not len(self.mean) == len(self.std) == self.channels or not np.isfinite(numbers).all() or min(self.std) <= 0:
            raise InputError(f"each of {self.channels} channels has a mean and a deviation above 0, not {numbers}")

    def described(self) -> str:
        """In words, for people."""
        mean, std = (" ".join(f"{value:.3g}" for value in values) for values in (self.mean, self.std))
        colours = "RGB" if self.channels == 3 else "grey"
        return (
            f"{self.size}×{self.size} {colours}, cut from a shorter side of {self.resize}; of pixels in [0, 1], "
            f"minus {mean}, over {std}"
        )


def normalised(pixels: Tensor, preprocessing: ImagePreprocessing) -> Tensor:
    """8-bit pixels to float32 with the mean subtracted and divided by the deviation, channels last."""
    import torch

    mean = 255 * torch.tensor(preprocessing.mean, device=pixels.device).view(1, -1, 1, 1)
    std = 255 * torch.tensor(preprocessing.std, device=pixels.device).view(1, -1, 1, 1)
    return (pixels.to(torch.float32, memory_format=torch.channels_last) - mean).div_(std)


def _of_npz(path: Path) -> Iterator[Example]:
    """The pictures of arrays ``(N, height, width)`` or ``(N, height, width, channels)``, as MedMNIST has them."""
    try:
        found = {key: values for key, values in read_npz(path).items() if values.ndim in (3, 4)}
        if not found:
            raise InputError(f"{path} holds no array of pictures.")
        for values in found.values():
            check_examples(path, values, each=PICTURE)
    except InputError as error:
        yield Example(str(path), error=str(error))
        return
    for key, values in found.items():
        if values.ndim == 3 and (values.shape[2] in CHANNELS_LAST or values.shape[0] in CHANNELS_FIRST):
            yield Example(
                f"{path}:{key}", error=f"{values.shape} may be one picture or many; write (N, height, width, channels)"
            )
            continue
        yield from (Example(f"{path}:{key}:{row}", picture) for row, picture in enumerate(values))
