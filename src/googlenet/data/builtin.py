"""Data sets that come by name: digits from scikit-learn, Fashion-MNIST from Debian or torchvision, GunPoint."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ..errors import InputError
from ..files import home, offline
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
    pixels = _idx(folder / f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
    labels = _idx(folder / f"{part}-labels-idx1-ubyte.gz", 8)
    return ImageSet(
        torch.from_numpy(labels).long(),
        tuple(f"fashion-mnist/{part}/{row}" for row in range(len(labels))),
        torch.from_numpy(pixels),
        channels=1,
    )


def _idx(path: Path, header: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    try:
        with gzip.open(path) as file:
            return np.frombuffer(file.read(), np.uint8, offset=header).copy()
    except (OSError, EOFError) as error:
        raise InputError(f"{path} could not be read ({error}).") from error


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
