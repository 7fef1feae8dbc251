"""Engines: what is installed, several threads at once, and what becomes of a fork."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from networks import exported_files, pictures

from conftest import DEADLINE
from googlenet import InputError
from googlenet.data.protocol import Example
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.inference.engines.backend import BACKENDS, BackendRow, exported_for
from googlenet.inference.engines.engine import Chunk, Engine
from googlenet.inference.load import fastest, load, load_pipeline
from googlenet.inference.pipeline import Pipeline

for library in ("onnx", "onnxscript", "onnxruntime", "openvino"):
    pytest.importorskip(library, reason=f"{library} is in the extra `deploy`")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What each engine loads."""
    found = exported_files(tmp_path_factory)
    return found | {"torch": found["run"]}


def opened(files, engine):
    return load(files[engine], engine=engine)


def test_whether_an_engine_is_installed_is_asked_without_importing_it():
    code = (
        "import sys, json\n"
        "from googlenet.inference.engines.backend import BACKENDS\n"
        "found = {name: row.installed for name, row in BACKENDS.items()}\n"
        "packages = {package for row in BACKENDS.values() for package in row.packages}\n"
        "print(json.dumps([found, sorted(packages & set(sys.modules))]))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=DEADLINE)
    assert json.loads(result.stdout) == [dict.fromkeys(BACKENDS, True), []]


def test_an_engine_that_is_not_installed_is_a_sentence(files, monkeypatch):
    missing = BackendRow("openvino", ".xml", ("openvino", "no_such_package"))
    assert not missing.installed
    with pytest.raises(InputError, match=r"no_such_package is not installed: pip install 'googlenet\[deploy\]'\."):
        missing.load()
    monkeypatch.setitem(BACKENDS, "openvino", missing)
    with pytest.raises(InputError, match="no_such_package is not installed"):
        load(files["openvino"])
    if not torch.cuda.is_available():
        assert fastest(load_pipeline(files["torch"])[0]) == "torch"


def test_the_fastest_engine_for_pictures_is_openvino_and_for_signals_pytorch(files):
    if torch.cuda.is_available():
        pytest.skip("a GPU is faster")
    assert fastest(load_pipeline(files["torch"])[0]) == "openvino"
    assert fastest(Pipeline([], SignalPreprocessing(1, 50, (0.0,), (1.0,), (1.0,)))) == "torch"


@pytest.mark.parametrize("engine", [*BACKENDS, None])
def test_every_engine_computes_a_network_in_memory(files, engine):
    expected = load(files["torch"], engine="torch").probabilities(pictures()[:, None])
    found = load(files["torch"], engine=engine)
    np.testing.assert_allclose(found.probabilities(pictures()[:, None]), expected, atol=0.05)
    if engine is None and not torch.cuda.is_available():
        assert "OpenVINO" in found.engine.name


@pytest.mark.parametrize(("name", "form"), [("a.onnx", "onnx"), ("a/b.xml", "openvino"), ("c.pt2", "torch")])
def test_an_exported_file_is_known_by_its_suffix(name, form):
    assert exported_for(name) == form
    assert exported_for(f"{name}.safetensors") is exported_for("runs/digits") is None


FIRST = """
import threading
import googlenet.inference.engines.openvino
import openvino, sys

sys.setswitchinterval(1e-6)
barrier = threading.Barrier(8)

def ask():
    barrier.wait()
    openvino.Type.f32.to_dtype()

threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_the_first_that_openvino_answers_may_be_several_at_once():
    """By themselves, threads that are the first to ask what NumPy calls a type wait for each other without end."""
    subprocess.run([sys.executable, "-c", FIRST], check=True, timeout=DEADLINE)


@pytest.mark.parametrize("engine", BACKENDS)
def test_an_engine_may_be_called_from_several_threads(files, engine):
    compute = opened(files, engine).engine
    batches = [pictures(2 + seed % 3, seed)[:, None] for seed in range(40)]
    alone = [compute(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(compute, batches))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)
    assert np.ptp([found[0] for found in alone], axis=0).max() > 0.05  # an answer of another batch would be seen


@pytest.mark.parametrize("engine", BACKENDS)
def test_a_predictor_may_be_used_from_several_threads(files, engine):
    predictor = opened(files, engine)
    sources = [list(pictures(9, seed)) for seed in range(8)]
    alone = [predictor.probabilities(some) for some in sources]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(predictor.probabilities, sources))
    np.testing.assert_allclose(together, alone, atol=1e-5)


# Loads an engine, uses it, forks, and tells what the child's call came to; a child that hangs is ended by its alarm.
FORKED = """
import os, signal, sys
import numpy as np
from googlenet.errors import InputError
from googlenet.inference.load import load

def child_of(path, engine):
    predictor = load(path, engine=engine)
    inputs = np.load(sys.argv[1])
    here = predictor.engine(inputs)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(100)
        try:
            there = predictor.engine(inputs)
            text = "the same" if np.allclose(there, here, atol=1e-5) else "something else"
        except InputError as error:
            text = str(error)
        os.write(write, text.encode())
        os._exit(0)
    os.close(write)
    _, status = os.waitpid(child, 0)
    return os.read(read, 1000).decode() if status == 0 else f"hung: {status}"

print(child_of(sys.argv[2], "onnx"))
print(child_of(sys.argv[3], "openvino"))
import torch
for threads in (1, 2):
    torch.set_num_threads(threads)
    print(child_of(sys.argv[4], "torch"))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_after_a_fork_an_engine_answers_or_says_why_not(files, tmp_path):
    np.save(tmp_path / "x.npy", pictures(8)[:, None])
    words = [sys.executable, "-c", FORKED, tmp_path / "x.npy", files["onnx"], files["openvino"], files["torch"]]
    result = subprocess.run(words, capture_output=True, text=True, check=False, timeout=DEADLINE)
    assert result.returncode == 0, result.stderr
    onnx, openvino, one_thread, two_threads = result.stdout.splitlines()
    assert onnx == one_thread == "the same"
    for name, said in (("OpenVINO", openvino), ("PyTorch", two_threads)):
        assert said.startswith(f"{name} was loaded before this process was forked, and its threads do not survive")
        assert "multiprocessing.get_context('spawn')" in said


class Sums(Engine):
    name = "sums"

    def __call__(self, inputs):
        return inputs.reshape(len(inputs), -1).sum(1, keepdims=True).astype(np.float32)


def test_engines_keep_the_order_and_the_errors():
    def read(number):
        if number % 3 == 0:
            return Chunk([Example(str(number))], ["no"], np.zeros(0))
        return Chunk([Example(str(number))], [None], np.full((1, 2), number))

    results = list(Sums().map(read, range(50)))
    assert [[example.name for example in chunk.examples] for chunk, _ in results] == [[str(n)] for n in range(50)]
    assert [found.tolist() for _, found in results] == [[] if n % 3 == 0 else [[2.0 * n]] for n in range(50)]


def test_every_row_names_a_module_with_a_backend():
    for name, row in BACKENDS.items():
        found = row.load()
        assert {"engine_of", "write", "read"} <= set(dir(found)), name
