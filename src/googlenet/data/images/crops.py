"""Squares cut out of pictures: the centre, a random one, and the crops that an evaluation averages over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from ...errors import InputError
from ...limits import SCALED

CROPS = (1, 10, 144)
SCALES = (256, 288, 320, 352)  # shorter sides that 144 crops of 224 are cut from


def centre_square(image: Image.Image, size: int, resize: int) -> Image.Image:
    """The central square: shorter side to ``resize``, then ``size`` × ``size`` cut out of the middle.

    Args:
        image: The picture.
        size: Side of the square, pixels.
        resize: Length of the shorter side, pixels.
    """
    side = min(image.size) * size / resize
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return _resample(image, size, (left, top, left + side, top + side))


def random_square(image: Image.Image, size: int, draws: np.random.Generator) -> Image.Image:
    """A patch of 8 % to 100 % of the area, aspect 3:4 to 4:3, as the paper trains with (section 6).

    Args:
        image: The picture.
        size: Side of the square that the patch is resized to, pixels.
        draws: Decides place, area and aspect.
    """
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
    for scale in SCALES:
        scaled = _shorter_side(image, round(scale * size / 224))
        for square in _three_squares(scaled):
            views += [*_five(square, size), square.resize((size, size), Image.Resampling.BILINEAR)]
    return _mirrored(views)


def longest_scale(size: int, resize: int, crops: int) -> int:
    """The longest shorter side that :func:`crops_of` cuts from.

    Args:
        size: Side of a crop.
        resize: Shorter side for 1 and 10 crops.
        crops: How many.
    """
    return max(resize, size) if crops < 144 else round(SCALES[-1] * size / 224)


def check_crops(crops: int) -> None:
    """Raises the sentence for a number of crops that :func:`crops_of` does not know."""
    if crops not in CROPS:
        raise InputError(f"The number of crops is 1, 10 or 144, not {crops}.")


def _resample(image: Image.Image, size: int, box: Sequence[float]) -> Image.Image:
    left, top, right, bottom = box
    exact = (max(0.0, left), max(0.0, top), min(image.width, right), min(image.height, bottom))
    if image.width == image.height == size == exact[2] - exact[0] == exact[3] - exact[1]:
        return image
    return image.resize((size, size), Image.Resampling.BILINEAR, box=exact, reducing_gap=2.0)


def _shorter_side(image: Image.Image, length: int) -> Image.Image:
    ratio = length / min(image.size)
    size = (max(length, round(image.width * ratio)), max(length, round(image.height * ratio)))
    if size[0] * size[1] > SCALED:
        raise InputError(
            f"a picture of {image.width:,}×{image.height:,} pixels is too long and thin for several crops: it would "
            f"become {size[0]:,}×{size[1]:,}; one crop can be taken (--crops 1)"
        )
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
