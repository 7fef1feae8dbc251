"""A library leaves its process as it found it: no import and no call sets what holds for the whole process."""

import subprocess
import sys

import pytest

from conftest import DEADLINE, draw_two_classes

# First whatever others import and set; then all of this package, threads that read odd pictures, a fit, predictions.
PROGRAM = """
import faulthandler, importlib, locale, logging, os, pkgutil, signal, socket, sys, threading, warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import PIL.Image, PIL.ImageFile
import torch, torch._dynamo, torch.export, torchvision
import sklearn.linear_model, sklearn.model_selection, sklearn.preprocessing, sklearn.datasets
import filelock, jinja2, lazy_loader, rich, rich.progress, safetensors.torch, typer
for name in ("onnx", "onnxscript", "onnxruntime", "pandas", "pyarrow.parquet", "huggingface_hub"):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        pass
try:
    sys.modules["openvino_telemetry"] = None  # as this package does, so that what OpenVINO sets is not laid on it
    import openvino
except ModuleNotFoundError:
    pass

def state():
    loggers = [logging.root, *(logging.root.manager.loggerDict[name] for name in sorted(before_loggers))]
    return {
        "warnings.filters": list(warnings.filters),
        "warnings.showwarning": (warnings.showwarning, warnings.formatwarning),
        "os.environ": dict(os.environ),
        "logging": (logging.root.manager.disable, [(each.level, list(each.handlers)) for each in loggers]),
        "truncated pictures": PIL.ImageFile.LOAD_TRUNCATED_IMAGES,
        "largest picture": PIL.Image.MAX_IMAGE_PIXELS,
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "torch": (
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_float32_matmul_precision(),
            torch.backends.cudnn.benchmark,
            torch.backends.mkldnn.enabled,
        ),
        "numpy": (np.geterr(), np.get_printoptions()),
        "locale": locale.setlocale(locale.LC_ALL),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "hooks": (sys.excepthook, sys.displayhook, threading.excepthook, faulthandler.is_enabled()),
        "folder": os.getcwd(),
        "umask": os.umask(os.umask(0o022)),
        "recursion": sys.getrecursionlimit(),
        "timeout": socket.getdefaulttimeout(),
        "streams": (sys.stdout, sys.stderr, sys.stdin, sys.stdout.errors),
        "start method": torch.multiprocessing.get_start_method(allow_none=True),
    }

before_loggers = [name for name, each in logging.root.manager.loggerDict.items() if isinstance(each, logging.Logger)]
os.umask(0o022)
before = state()

def check(when):
    after = state()
    changed = [name for name in before if before[name] != after[name]]
    assert not changed, (when, [(name, before[name], after[name]) for name in changed])

import googlenet
for module in pkgutil.walk_packages(googlenet.__path__, "googlenet."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
check("every module is imported")

from googlenet.data.images.sources.folders import find_images
from googlenet.data.parallel import ahead
from googlenet.data.images.decode import open_picture

def read(path):
    try:
        open_picture(path)
        return 1
    except googlenet.InputError:
        return 0

folder = Path(sys.argv[1])
paths = sorted(map(str, folder.rglob("*.*")))
with ThreadPoolExecutor(8) as pool:
    read_of = list(pool.map(read, paths * 4))
assert 0 < sum(read_of) < len(read_of)
assert sum(ahead(read, paths)) == sum(read_of) / 4
find_images(folder)
check("odd pictures are read in threads")

from conftest import short_variants
from googlenet.training.recipe import SIGNALS
changes = {"arch": "short_1d", "width": "0.125", "min_steps": "3", "epochs": "1", "class_epochs": "0"}
X, y = np.random.default_rng(0).normal(size=(12, 20)), [0, 1] * 6
with short_variants():
    model = googlenet.GoogLeNetClassifier(recipe=SIGNALS.with_changes(changes), random_state=0).fit(X, y)
check("a fit")
model.predict(X)
model.save(folder / "model.safetensors")
predictor = googlenet.load(folder / "model.safetensors")
assert len(predictor.predict(X)) == 12
assert predictor.predict(["nowhere.csv"])[0].error
pictures = googlenet.load("googlenet_small.fashion_mnist", engine="torch")
assert len(pictures.predict(paths)) == len(paths)
check("predictions")

from googlenet.nn.device import keep_memory
assert keep_memory.cache_info().misses == 0  # it is what calls mallopt
"""


@pytest.fixture
def odd(tmp_path):
    """Pictures that Pillow warns of, or that cannot be read, among others."""
    from PIL import Image

    root = draw_two_classes(tmp_path / "colours")
    whole = root / "red" / "large.jpg"
    Image.effect_noise((400, 300), 90).save(whole)
    (root / "red" / "cut.jpg").write_bytes(whole.read_bytes()[:5000])
    (root / "blue" / "empty.png").write_bytes(b"")
    (root / "blue" / "text.png").write_text("no picture")
    Image.new("1", (10_500, 10_500)).save(root / "red" / "bomb.png")  # Pillow warns of it
    clear = Image.new("P", (20, 20))
    clear.putpalette([0, 0, 0] * 256)
    clear.save(root / "blue" / "clear.png", transparency=bytes(range(256)))  # Pillow warns as it is converted
    tagged = whole.read_bytes()
    (root / "blue" / "odd-tag.jpg").write_bytes(
        tagged[:2] + b"\xff\xe1\x00\x1aExif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\xff\xff" + tagged[2:]
    )
    return root


def test_nothing_is_set_for_the_whole_process(odd):
    path = next(path for path in sys.path if path.endswith("tests"))
    program = f"import sys; sys.path.insert(0, {path!r})\n{PROGRAM}"
    done = subprocess.run(
        [sys.executable, "-c", program, odd], capture_output=True, text=True, check=False, timeout=DEADLINE
    )
    assert done.returncode == 0, done.stderr


def test_each_odd_picture_is_odd(odd):
    """That what is above tests something: Pillow warns of these files when nobody stops it."""
    code = (
        "import sys, warnings\nfrom PIL import Image\nwarnings.simplefilter('error')\n"
        "image = Image.open(sys.argv[1])\nimage.convert('RGB').getexif()\n"
    )
    for name in ("red/bomb.png", "blue/clear.png"):
        done = subprocess.run([sys.executable, "-c", code, odd / name], capture_output=True, text=True, check=False)
        assert "Warning" in done.stderr, name


HEAVY = ("torch._dynamo", "sympy", "sklearn", "scipy", "pandas")  # seconds before the first answer
LOADS = """
import sys
from dataclasses import replace
from googlenet import create_model
from googlenet.apps import jobs
from googlenet.inference.load import load
from googlenet.weights.checkpoint import network_of, weights_of
load("googlenet_small.fashion_mnist", engine="torch")
model = create_model("googlenet_1d", width=0.1)
network_of(weights_of(type(model)(replace(model.arch, members=2), 2, 1)))
print(*[name for name in sys.argv[1].split() if name in sys.modules])
"""


def test_a_network_is_loaded_without_what_takes_seconds_to_load():
    done = subprocess.run([sys.executable, "-c", LOADS, " ".join(HEAVY)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
