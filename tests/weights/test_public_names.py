"""What ``googlenet.weights`` offers, and that asking for it costs nothing before it is used."""

import subprocess
import sys

import googlenet.weights
from conftest import DEADLINE

NAMES = [
    "collapse",
    "from_torchvision",
    "identify",
    "inflate",
    "network_of",
    "read_source",
    "to_torchvision",
]


def test_these_names_are_public():
    assert dir(googlenet.weights) == googlenet.weights.__all__ == NAMES
    assert all(callable(getattr(googlenet.weights, name)) for name in NAMES)


def test_they_are_functions_whatever_was_imported_before():
    """No public name is a module's too, which an import would put in its place."""
    code = (
        "import sys, pkgutil, googlenet.weights\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules\n"
        "modules = {module.name for module in pkgutil.iter_modules(googlenet.weights.__path__)}\n"
        "assert not modules & set(dir(googlenet.weights)), modules\n"
        "import googlenet.weights.identity, googlenet.weights.inflation\n"
        "assert callable(googlenet.weights.identify) and callable(googlenet.weights.inflate)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert ended.returncode == 0, ended.stderr
