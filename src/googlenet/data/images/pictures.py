"""One picture: from a file of any common format to 8-bit pixels of the size the network wants."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from ...errors import InputError

Pixels = npt.NDArray[np.uint8]
Picture = str | Path | Image.Image | np.ndarray[Any, Any]

EXTENSIONS = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"})
# Above this many pixels a picture is taken for a decompression bomb.
MAX_PIXELS = 100_000_000
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """What stands between a picture and the network.

    Attributes:
        channels: 1 (grey) or 3 (RGB).
        size: Side of the square that the network sees, pixels.
        resize: Length that the shorter side is resized to before the square is cut out.
        mean: Per channel, of pixels scaled to [0, 1].
        std: Per channel, of pixels scaled to [0, 1].
        mirror: Whether a picture and its mirror image mean the same; evaluation then averages both.
    """

    channels: int = 3
    size: int = 224
    resize: int = 256
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    mirror: bool = False

    def to_dict(self) -> dict[str, Any]:
        """For JSON; :meth:`from_dict` is its inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Preprocessing:
        """Reads what :meth:`to_dict` wrote."""
        return cls(**row | {"mean": tuple(row["mean"]), "std": tuple(row["std"])})

    def described(self) -> str:
        """In words, for people."""
        mean, std = (" ".join(f"{value:.3g}" for value in values) for values in (self.mean, self.std))
        colours = "RGB" if self.channels == 3 else "grey"
        return (
            f"{self.size}×{self.size} {colours}, cut from a shorter side of {self.resize}; of pixels in [0, 1], "
            f"minus {mean}, over {std}"
        )


def open_picture(path: str | Path, channels: int = 3, at_least: int | None = None) -> Image.Image:
    """Decodes a picture: first frame, upright by its EXIF orientation, 8 bits, grey or RGB.

    Transparent pixels are laid on white. 16-bit pictures keep their high byte.

    Args:
        path: JPEG, PNG, WebP, GIF, BMP, TIFF and what else Pillow reads.
        channels: 1 for grey, 3 for RGB.
        at_least: A JPEG may be decoded at a fraction of its size, its sides still this long or longer.

    Raises:
        InputError: With the reason, if it cannot be read whole.
    """
    with _explained(path), Image.open(path) as file:
        if file.width * file.height > MAX_PIXELS:
            raise InputError(
                f"decompression bomb: {file.width}×{file.height} pixels, more than {MAX_PIXELS // 1_000_000} million"
            )
        if at_least:
            file.draft("RGB" if channels == 3 else "L", (at_least, at_least))
        return _upright(file, channels)


@contextmanager
def _explained(path: str | Path) -> Iterator[None]:
    """Whatever Pillow says of a picture, as the reason why it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(_reason(path, error)) from error


def _from_array(values: npt.NDArray[Any]) -> Image.Image:
    if values.dtype != np.uint8 or values.ndim not in (2, 3) or (values.ndim == 3 and not 1 <= values.shape[2] <= 4):
        raise InputError(
            f"an array of {values.dtype} with the shape {values.shape}; a picture is (height, width) or "
            "(height, width, channels) of uint8"
        )
    return Image.fromarray(values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values)


def _upright(image: Image.Image, channels: int) -> Image.Image:
    """Decoded, turned upright, in 8 bits, grey or RGB."""
    image.load()
    image = ImageOps.exif_transpose(image)
    mode = "RGB" if channels == 3 else "L"
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float64)
        if values.max(initial=0) > 255:
            values = values / 257
        image = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8), "L")
    elif "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(mode)


def _reason(path: str | Path, error: Exception) -> str:
    """Why a file is no picture, in a few words."""
    path = Path(path)
    match error:
        case FileNotFoundError():
            return "no such file"
        case PermissionError():
            return "no permission to read it"
        case IsADirectoryError():
            return f"a folder, not a picture; in folders, {', '.join(sorted(EXTENSIONS))} are looked for"
        case Image.DecompressionBombError():
            return "decompression bomb: far more pixels than a picture has"
        case UnidentifiedImageError():
            return "empty file" if path.stat().st_size == 0 else "not a picture in a format that can be read"
        case _ if "truncated" in str(error) or "Truncated" in str(error) or isinstance(error, EOFError):
            return "truncated: the file ends in the middle of the picture"
        case _:
            return f"damaged: {error}"


def to_pixels(image: Image.Image) -> Pixels:
    """``(channels, height, width)``, 8 bits."""
    values = np.asarray(image)
    return values[None] if values.ndim == 2 else np.ascontiguousarray(values.transpose(2, 0, 1))


def centre_square(image: Image.Image, size: int, resize: int) -> Image.Image:
    """The central square: shorter side to ``resize``, then ``size`` × ``size`` cut out of the middle."""
    side = min(image.size) * size / resize
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return _resample(image, size, (left, top, left + side, top + side))


def random_square(image: Image.Image, size: int, draws: np.random.Generator) -> Image.Image:
    """A patch of 8 % to 100 % of the area, aspect 3:4 to 4:3, as the paper trains with (section 6)."""
    area = image.width * image.height
    for _ in range(10):
        patch = area * draws.uniform(0.08, 1.0)
        aspect = np.exp(draws.uniform(np.log(3 / 4), np.log(4 / 3)))
        width, height = np.sqrt(patch * aspect), np.sqrt(patch / aspect)
        if width <= image.width and height <= image.height:
            left, top = draws.uniform(0, image.width - width), draws.uniform(0, image.height - height)
            return _resample(image, size, (left, top, left + width, top + height))
    return centre_square(image, size, size)


def crops_of(image: Image.Image, size: int, resize: int, crops: int) -> list[Image.Image]:
    """The crops that an evaluation averages over.

    Args:
        image: The picture.
        size: Side of a crop.
        resize: Shorter side for 1 and 10 crops; the first of the four scales for 144.
        crops: 1, the centre; 10, corners and centre, each mirrored; 144, the paper's section 7: four
            scales (256, 288, 320 and 352 for crops of 224), three squares of each, of a square its
            corners, its centre and itself resized, each mirrored.

    Raises:
        InputError: For another number of crops.
    """
    check_crops(crops)
    if crops == 1:
        return [centre_square(image, size, resize)]
    if crops == 10:
        scaled = _shorter_side(image, max(resize, size))
        return _mirrored(_five(scaled, size))
    views = []
    for scale in (256, 288, 320, 352):
        scaled = _shorter_side(image, round(scale * size / 224))
        for square in _three_squares(scaled):
            views += [*_five(square, size), square.resize((size, size), Image.Resampling.BILINEAR)]
    return _mirrored(views)


def check_crops(crops: int) -> None:
    """Raises the sentence for a number of crops that :func:`crops_of` does not know."""
    if crops not in (1, 10, 144):
        raise InputError(f"The number of crops is 1, 10 or 144, not {crops}.")


def views_of(picture: Picture, preprocessing: Preprocessing, crops: int = 1) -> Pixels:
    """What a network is to see of a picture, ``(crops, channels, size, size)``.

    Args:
        picture: A path, a PIL image, or an array ``(height, width)`` or ``(height, width, channels)`` of uint8.
        preprocessing: What the network was trained with.
        crops: See :func:`crops_of`.

    Raises:
        InputError: If it cannot be read.
    """
    channels, size, resize = preprocessing.channels, preprocessing.size, preprocessing.resize
    if isinstance(picture, np.ndarray):
        picture = _from_array(picture)
    if isinstance(picture, Image.Image):
        with _explained(""):
            image = _upright(picture, channels)
    else:
        image = open_picture(picture, channels, at_least=2 * resize if crops == 1 else None)
    return np.stack([to_pixels(view) for view in crops_of(image, size, resize, crops)])


def _resample(image: Image.Image, size: int, box: Sequence[float]) -> Image.Image:
    left, top, right, bottom = box
    exact = (max(0.0, left), max(0.0, top), min(image.width, right), min(image.height, bottom))
    if image.width == image.height == size == exact[2] - exact[0] == exact[3] - exact[1]:
        return image
    return image.resize((size, size), Image.Resampling.BILINEAR, box=exact, reducing_gap=2.0)


def _shorter_side(image: Image.Image, length: int) -> Image.Image:
    ratio = length / min(image.size)
    size = (max(length, round(image.width * ratio)), max(length, round(image.height * ratio)))
    return image.resize(size, Image.Resampling.BILINEAR)


def _three_squares(image: Image.Image) -> list[Image.Image]:
    side = min(image.size)
    along_width, along_height = image.width - side, image.height - side
    return [
        image.crop((x, y, x + side, y + side))
        for x, y in ((along_width * part // 2, along_height * part // 2) for part in (0, 1, 2))
    ]


def _five(image: Image.Image, size: int) -> list[Image.Image]:
    right, bottom = image.width - size, image.height - size
    corners = [(0, 0), (right, 0), (0, bottom), (right, bottom), (right // 2, bottom // 2)]
    return [image.crop((x, y, x + size, y + size)) for x, y in corners]


def _mirrored(images: list[Image.Image]) -> list[Image.Image]:
    return images + [ImageOps.mirror(image) for image in images]


ImageFile.LOAD_TRUNCATED_IMAGES = False
