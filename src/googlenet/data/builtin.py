"""Data sets that come by name: digits from scikit-learn, Fashion-MNIST from Debian or torchvision, GunPoint."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ..errors import InputError
from ..files import home, offline, open_plain
from ..limits import FASHION_MNIST
from .images.dataset import ImageSet, enlarged
from .protocol import Dataset
from .signals.dataset import SignalSet

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


def digits() -> Dataset:
    """1,797 scanned digits of 8×8 pixels (UCI), enlarged threefold; every fourth for testing, stratified."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    small = torch.from_numpy((pixels.reshape(-1, 1, 8, 8) * (255 / 16)).astype(np.float32))
    size = enlarged(8)
    large = torch.nn.functional.interpolate(small, size=(size, size), mode="bicubic")
    images = ImageSet(
        torch.from_numpy(labels).long(),
        tuple(f"digits/{row}" for row in range(len(labels))),
        large.round().clamp(0, 255).to(torch.uint8),
        channels=1,
        mirror=False,
    )
    train, test = train_test_split(np.arange(len(labels)), test_size=0.25, stratify=labels, random_state=0)
    return Dataset(
        "digits",
        tuple(map(str, range(10))),
        images.subset(sorted(train.tolist())),
        None,
        images.subset(sorted(test.tolist())),
    )


def fashion_mnist() -> Dataset:
    """Fashion-MNIST: 60,000 and 10,000 pictures of clothes, 28×28 (Xiao et al. 2017).

    Read from ``GOOGLENET_FASHION_MNIST`` (a folder with the four ``.gz`` files) or Debian's package
    ``dataset-fashion-mnist``; else torchvision downloads it.

    Raises:
        InputError: If it is neither there nor to be downloaded.
    """
    folder = Path(os.environ.get("GOOGLENET_FASHION_MNIST", DEBIAN))
    if not folder.is_dir():
        folder = _download()
    return Dataset(
        "fashion-mnist",
        CLOTHES,
        _idx_set(folder, "train"),
        None,
        _idx_set(folder, "t10k"),
    )


def _idx_set(folder: Path, part: str) -> ImageSet:
    pixels = _idx(folder / f"{part}-images-idx3-ubyte.gz", 16)
    labels = _idx(folder / f"{part}-labels-idx1-ubyte.gz", 8)
    if not len(labels) or len(pixels) != 28 * 28 * len(labels) or labels.max() >= len(CLOTHES):
        raise InputError(
            f"{folder} holds no Fashion-MNIST: {part} has {len(labels):,} labels and {len(pixels):,} pixels, and there "
            "are 28 × 28 for each label from 0 to 9. Fetch the files again."
        )
    return ImageSet(
        torch.from_numpy(labels).long(),
        tuple(f"fashion-mnist/{part}/{row}" for row in range(len(labels))),
        torch.from_numpy(pixels.reshape(-1, 1, 28, 28)),
        channels=1,
    )


def _idx(path: Path, header: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The bytes behind the header of a packed file, of which there are no more than the set has."""
    try:
        with open_plain(path) as packed, gzip.open(packed) as file:
            content = file.read(FASHION_MNIST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} could not be read ({error}).") from error
    if not header < len(content) <= FASHION_MNIST:
        raise InputError(f"{path} is no file of Fashion-MNIST, or it is damaged. Fetch it again.")
    return np.frombuffer(content, np.uint8, offset=header).copy()


def _download() -> Path:
    from torchvision.datasets import FashionMNIST

    root = home()
    try:
        FashionMNIST(root, download=not offline())
    except (OSError, RuntimeError) as error:
        raise InputError(
            "Fashion-MNIST is not here and could not be downloaded "
            f"({error}). On Debian: apt-get install dataset-fashion-mnist; elsewhere put its four .gz files "
            "into a folder and name it in GOOGLENET_FASHION_MNIST."
        ) from error
    return root / "FashionMNIST" / "raw"


def gunpoint() -> Dataset:
    """GunPoint: 50 and 150 tracks of a hand that draws a gun or points, 150 samples (UCR archive, Dau et al. 2019)."""
    with np.load(Path(__file__).parent / "signals" / "sources" / "gunpoint.npz") as file:
        signals, labels = file["signals"], file["labels"]
    sets = {}
    for part, rows in (("train", range(50)), ("test", range(50, 200))):
        sets[part] = SignalSet(
            torch.from_numpy(labels[rows.start : rows.stop]).long(),
            tuple(f"gunpoint/{part}/{row - rows.start}" for row in rows),
            tuple(signals[rows.start : rows.stop, None]),
        )
    return Dataset("gunpoint", ("gun", "point"), sets["train"], None, sets["test"])


BUILTIN: dict[str, Callable[[], Dataset]] = {
    "digits": digits,
    "fashion-mnist": fashion_mnist,
    "gunpoint": gunpoint,
}
