import os

# Tests run side by side: one thread each is faster than two that wait for each other.
os.environ["OMP_NUM_THREADS"] = "1"

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CLI = [str(Path(sys.executable).with_name("googlenet"))]
SHARED = Path(__file__).parents[2] / "shared"
# A training that takes seconds: a narrow network, few steps.
QUICK = ["--width", "0.125", "--epochs", "2", "--batch-size", "32"]


def run_cli(*words, cwd=None, stdin="", env=None, timeout=300, program=CLI):
    return subprocess.run(
        [*program, *map(str, words)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, "COLUMNS": "200", **(env or {})},
        check=False,
    )


def write(folder, name, text):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def same_signals(signals, expected):
    """Whether signals are these, channel by channel, sample by sample."""
    assert len(signals) == len(expected)
    for signal, rows in zip(signals, expected, strict=True):
        assert signal.dtype == np.float32
        np.testing.assert_array_equal(signal, np.atleast_2d(np.array(rows, np.float32)))


@pytest.fixture
def photos():
    folder = SHARED / "data" / "photos"
    if not folder.is_dir():
        pytest.skip("needs the photos beside the checkout, in shared/data/photos")
    return sorted(folder.glob("*.JPEG"))


def picture(colour, size=(40, 30), seed=0):
    """A noisy picture of one colour: enough for a network to tell classes apart."""
    noise = np.random.default_rng(seed).integers(-40, 40, (size[1], size[0], 3))
    return Image.fromarray((np.array(colour) + noise).clip(0, 255).astype(np.uint8))


@pytest.fixture
def two_classes(tmp_path):
    """A folder with 12 red and 12 blue pictures of 40×30."""
    root = tmp_path / "colours"
    for name, colour in (("red", (200, 60, 60)), ("blue", (60, 60, 200))):
        (root / name).mkdir(parents=True)
        for number in range(12):
            picture(colour, seed=number).save(root / name / f"{number:02}.png")
    return root
