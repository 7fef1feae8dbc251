"""``docs/security.md`` tells the whole of it: what opens or parses foreign data has a row, with limits as they are."""

import ast
import re

import pytest

from documents import REPOSITORY, SOURCE
from googlenet import limits

DOCUMENT = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")

# What opens a file, asks another program or the network, or makes something of foreign bytes: the end of a called name.
_CALLED = """
    open open_plain check_plain read_bytes read_text is_zipfile ZipFile GzipFile BZ2File LZMAFile TarFile mmap memmap
    fromfile genfromtxt loadtxt numpy.load read_array torch.load safetensors.torch.load safe_open load_file
    load_from_string onnx.load ParseFromString InferenceSession read_model import_model
    MultiPartParser fromstring iterparse XMLParser ElementTree.parse json.load json.loads
    pickle.load pickle.loads Unpickler read_pickle joblib.load yaml.load exec eval
    loadmat whosmat h5py.File factory Image.open load_workbook read_excel read_csv read_table read_parquet ParquetFile
    read_feather read_edf read_bdf soundfile.info SoundFile rdheader rdrecord rdann
    urlopen urlretrieve cat_file FashionMNIST hf_hub_download snapshot_download readNetFromCaffe
    CDLL Popen subprocess.run check_output os.system
"""
OPENERS = frozenset(_CALLED.split())
# Of those, what opens a file by its name and would wait for a pipe, or read a device without end.
PLAIN = re.compile(r"open|(?!(?:gzip|wave|tarfile|archive|parts|opener)\.open$)[\w.?]+\.open")
# What reads nothing of a stranger's, and so has no row.
OWN = {
    "apps.batch.label.JsonLines.__init__": "writes",
    "apps.batch.plan._write_list": "writes",
    "apps.cli.output.files.opened": "writes",
    "apps.cli.output.native.silence": "a library that is loaded already",
    "apps.cli.output.screen.leave": "the system's empty device",
    "apps.cli.output.screen.prepare_streams": "the system's empty device",
    "apps.page.facts.facts": "a file of the package",
    "apps.page.facts._architecture": "JSON that it has just made",
    "apps.page.graphs.file._notes": "JSON that it has just made",
    "apps.page.graphs.file._session": "a graph that it has just made",
    "apps.page.page.page_of": "a file of the package",
    "apps.server.people.front.Front._write": "a page that it has just made",
    "data.builtin.gunpoint": "a file of the package",
    "data.images.sources.shards.writing._Shard.__init__": "writes",
    "data.parallel._quota": "what the kernel says of its control groups",
    "data.signals.recordings.dataset.kept_on_disk": "a temporary file without a name",
    "files._new_file": "writes",
    "files._flush": "a folder, to flush it",
    "files._held": "a folder of its own, to lock it",
    "files.sweep": "what this program left, to lock and remove it; no link is followed",
    "inference.export.notes_of": "JSON that it has just made",
    "inference.hub.save_pretrained": "JSON that it has just made",
    "inference.engines.engine.seal": "files that were just written",
    "inference.engines.openvino.OpenVinoBackend.write": "a graph that it has just made",
    "nn.device.keep_memory": "a library that is loaded already",
    "nn.kernels.native._kept_or_built": "a file that it has just compiled",
    "nn.kernels.native._key": "files of the package",
    "nn.kernels.native._processor": "what the kernel says of the processor",
    "training.runs.lock.Lock.take": "a folder, to lock it",
    "weights.foreign.runtimes._onnx_runtime": "a file that was just written",
    "weights.foreign.runtimes._opencv": "a file that was just written",
    "weights.foreign.runtimes._torchvision": "a file that was just written",
}
# What opens foreign files with the system's own open, and why that does no harm.
OPENED_OTHERWISE = {
    "files.open_plain": "is the way that all others go",
    "nn.kernels.native._loaded": "follows no link and waits for nothing, and looks at what it opened",
    "weights.store._part_file": "writes; follows no link and waits for nothing, and looks at what it opened",
    "weights.store.digest": "of files that were looked at, or are its own",
    "weights.store.archive.extract": "writes a file that was not there",
}


def called(function, imported):
    """The dotted names that a call may mean: several of one that chooses between them."""
    if isinstance(function, ast.Name):
        return {imported.get(function.id, function.id)}
    if isinstance(function, ast.Attribute):
        (base,) = called(function.value, imported) if isinstance(function.value, (ast.Name, ast.Attribute)) else ("?",)
        return {f"{base}.{function.attr}"}
    chosen = (function.body, function.orelse) if isinstance(function, ast.IfExp) else ()
    return {name for each in chosen for name in called(each, imported)}


def imports_in(tree):
    """Names of a file to what they are in the modules of others; what is ours keeps its name."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            base = f"{node.module}." if not node.level else "ours."
            found |= {alias.asname or alias.name: f"{base}{alias.name}" for alias in node.names}
    return found


def functions_in(tree):
    """Every function that is in no other, and what stands in none, by name: ``f``, ``Class.f``, or ``""``."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{name}" if name else node.name, each) for name, each in functions_in(node))
        else:
            yield (node.name if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else ""), node


def opens(name):
    if name.startswith("ours."):
        return name.rpartition(".")[2] in ("open_plain", "check_plain", "read_bytes", "parsed")
    parts = name.split(".")
    if parts[-1] in ("exec", "eval"):
        return len(parts) == 1  # a network has a method eval
    return any(".".join(parts[at:]) in OPENERS for at in range(len(parts)))


def calls_of(text, module):
    """``(function, what it calls)`` of every call that opens or parses."""
    tree = ast.parse(text)
    imported = imports_in(tree)
    for function, node in functions_in(tree):
        for call in (each for each in ast.walk(node) if isinstance(each, ast.Call)):
            for name in called(call.func, imported):
                if opens(name):
                    yield f"{module}.{function}".rstrip("."), name


def module_of(path):
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.fixture(scope="module")
def found():
    files = sorted(SOURCE.rglob("*.py"))
    return [pair for path in files for pair in calls_of(path.read_text(encoding="utf-8"), module_of(path))]


def rows():
    """The functions in the first cells of the tables."""
    cells = [line.split("|")[1] for line in DOCUMENT.splitlines() if line.startswith("|")]
    return {name for cell in cells for name in re.findall(r"`([\w.]+\.\w+)`", cell)}


def test_whatever_opens_foreign_data_has_a_row(found):
    assert sorted({function for function, _ in found} - set(OWN) - rows()) == []


def test_every_row_and_every_exception_is_of_something_that_opens(found):
    functions = {function for function, _ in found}
    assert sorted((rows() | set(OWN)) - functions) == []
    assert sorted(rows() & set(OWN)) == []


def test_files_are_opened_only_if_they_are_plain(found):
    otherwise = {function for function, name in found if PLAIN.fullmatch(name)}
    assert sorted(otherwise - set(OWN) - set(OPENED_OTHERWISE)) == []
    assert sorted(set(OPENED_OTHERWISE) - otherwise) == []


def test_limits_are_as_they_are_said_to_be():
    said = re.findall(r"`([A-Z][A-Z_\d]+)` \(([\d,]+)( MB)?\)", DOCUMENT)
    wrong = [
        (name, number, unit)
        for name, number, unit in said
        if getattr(limits, name, None) != int(number.replace(",", "")) * (limits.MB if unit else 1)
    ]
    assert wrong == []
    assert {name for name in vars(limits) if name.isupper()} - {"MB"} - {name for name, *_ in said} == set()


def test_every_limit_is_one_of_something():
    texts = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    names = {name for name in vars(limits) if name.isupper()}
    assert {name for name in names if len(re.findall(rf"\b{name}\b", texts)) < 2} == set()


def test_functions_that_are_named_exist():
    known = set()
    for path in SOURCE.rglob("*.py"):
        known |= {f"{module_of(path)}.{name}" for name, _ in functions_in(ast.parse(path.read_text(encoding="utf-8")))}
    rooms = {path.stem for path in SOURCE.iterdir()}
    named = {name for name in re.findall(r"`([a-z]\w*(?:\.\w+)+)`", DOCUMENT) if name.split(".")[0] in rooms}
    files = {name for name in named if name.endswith(".py")}
    assert sorted(named - files - known) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(p):\n    return open(p)", "open"),
        ("def f(p):\n    def g():\n        return p.open()\n    return g", "p.open"),
        ("import numpy as np\ndef f(p):\n    return np.load(p)", "numpy.load"),
        ("from torch import load\ndef f(p):\n    return load(p)", "torch.load"),
        ("def f(p):\n    import tarfile as t\n    return t.open(p)", "tarfile.open"),
        ("def f(p):\n    return library('pandas').read_parquet(p)", "?.read_parquet"),
        ("from ..files import open_plain\ndef f(p):\n    return open_plain(p)", "ours.open_plain"),
    ],
)
def test_every_way_to_open_is_seen(text, expected):
    assert list(calls_of(text, "m")) == [("m.f", expected)]


@pytest.mark.parametrize("text", ["from .load import load\ndef f(p):\n    load(p)", "def f(p):\n    p.load()"])
def test_what_opens_nothing(text):
    assert list(calls_of(text, "m")) == []
