import os

# Tests run side by side: one thread each is faster than two that wait for each other.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["COLUMNS"] = "200"

import contextlib
import io
import json
import logging
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from browser import browser, page, page_file  # noqa: F401  (fixtures)
from serving import exported, service  # noqa: F401

# The same examples every time: a test fails for what was changed, and not by chance. To look for new ones:
# pytest --hypothesis-profile search
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("same")

CLI = [str(Path(sys.executable).with_name("googlenet"))]
SHARED = Path(__file__).parents[2] / "shared"
# A training that takes seconds: a narrow network, few steps.
QUICK = ["--width", "0.125", "--epochs", "2", "--batch-size", "32"]
# Seconds that a test waits for a process at most: a sign that something hangs, never that a machine is slow. It is
# below pytest's own limit, so that no process is left behind.
DEADLINE = 500


def pytest_itemcollected(item):
    """Tests in a browser, those of a service, and those of a file that share what it prepares are run by one process,
    which prepares it once."""
    if not isinstance(item, pytest.Function):
        return
    fixtures = item._fixtureinfo.name2fixturedefs
    if "page_file" in fixtures:
        group = "browser"
    elif "service" in fixtures:
        group = "service"
    elif any(found[-1].scope == "module" for found in fixtures.values()):
        group = item.location[0]
    else:
        return
    item.add_marker(pytest.mark.xdist_group(group))


def run_cli(*words, cwd=None, stdin="", env=None, timeout=DEADLINE, program=CLI):
    if "GOOGLENET_MUTATION" in os.environ:
        pytest.skip("benchmarks/mutation.py changes this process alone")
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


def run_here(*words, cwd=None, stdin="", env=None):
    """:func:`run_cli` in this process, which has PyTorch already: where it is not the point that a process ends."""
    from googlenet.apps.cli.main import main

    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    shown, disabled = warnings.formatwarning, logging.root.manager.disable
    with (
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
        contextlib.chdir(cwd or "."),
        mock.patch.object(sys, "argv", ["googlenet", *map(str, words)]),
        mock.patch.object(sys, "stdin", io.StringIO(stdin)),
        mock.patch.dict(os.environ, env or {}),
        warnings.catch_warnings(),
    ):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        finally:  # a command line may set what holds for its process; this one goes on
            warnings.formatwarning = shown
            logging.disable(disabled)
            for stream in streams:
                stream.flush()
    texts = [stream.buffer.getvalue().decode() for stream in streams]
    return subprocess.CompletedProcess(sys.argv, code, *texts)


def write(folder, name, text):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def complaint(path, **options):
    """What is said of a table: as a whole, or of the rows that are left out."""
    from googlenet import InputError
    from googlenet.data.signals.files import read_signals

    try:
        return " ".join(bad.reason for bad in read_signals(path, **options).bad.values())
    except InputError as error:
        return str(error)


def same_signals(signals, expected):
    """Whether signals are these, channel by channel, sample by sample."""
    assert len(signals) == len(expected)
    for signal, rows in zip(signals, expected, strict=True):
        assert signal.dtype == np.float64
        np.testing.assert_array_equal(signal, np.atleast_2d(np.array(rows, np.float64)))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


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


def draw_two_classes(root, count=12):
    """A folder with that many red and blue pictures each, of 40×30."""
    for name, colour in (("red", (200, 60, 60)), ("blue", (60, 60, 200))):
        (root / name).mkdir(parents=True)
        for number in range(count):
            picture(colour, seed=number).save(root / name / f"{number:02}.png")
    return root


@pytest.fixture
def two_classes(tmp_path):
    """:func:`draw_two_classes`, for a test of its own."""
    return draw_two_classes(tmp_path / "colours")


@contextlib.contextmanager
def short_variants():
    """The architectures ``short_2d``, ``short_1d`` and ``short_3d``, for as long as this is open: the first layers of
    googlenet_small, googlenet_1d and googlenet_3d. Whatever trains or traces one takes a fraction of the time."""
    from googlenet.arch.modules import published
    from googlenet.arch.spec import Auxiliary, MaxPool, Stage
    from googlenet.arch.variants import GOOGLENET_1D, GOOGLENET_3D, GOOGLENET_SMALL, VARIANTS

    third = Stage("3", (published("3")[0], MaxPool("pool3")))
    second = replace(GOOGLENET_1D.stages[2], layers=GOOGLENET_1D.stages[2].layers[:1])
    rows = (
        replace(GOOGLENET_SMALL, name="short_2d", stages=(GOOGLENET_SMALL.stages[0], third)),
        replace(GOOGLENET_1D, name="short_1d", stages=(*GOOGLENET_1D.stages[:2], second)),
        replace(GOOGLENET_3D, name="short_3d", stages=(GOOGLENET_3D.stages[0], Stage("3", third.layers[:1]))),
    )
    heads = (Auxiliary("3a", grid=2, pool=None),)
    with pytest.MonkeyPatch.context() as patch:
        for row in rows:
            patch.setitem(VARIANTS, row.name, replace(row, auxiliary=heads if row.dims > 1 else ()))
        yield


@pytest.fixture(scope="module")
def short():
    """:func:`short_variants` while the tests of a module run."""
    with short_variants():
        yield


def without_digest(run):
    """Has the weights of a run not say of which list they learned, as before they did."""
    from googlenet.weights.checkpoint import read_tensors, write_tensors

    path = run / "model.safetensors"
    tensors, metadata = read_tensors(path)
    extra = json.loads(metadata["extra"])
    extra.pop("learned")
    write_tensors(path, tensors, metadata | {"extra": json.dumps(extra)})
