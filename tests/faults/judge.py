"""What it means that a fault was survived."""

import json
import re
from hashlib import blake2b

from PIL import Image
from safetensors import SafetensorError, deserialize

# What Python and the libraries below it print when nobody caught what went wrong.
RAW = re.compile(
    r"Traceback \(most recent call last\)|Exception ignored|terminate called|Fatal Python error|Segmentation fault"
)
TEMPORARY = re.compile(r"\..*\.googlenet|\.googlenet-fresh-.*")  # names of what is being written


def manners(ended, signals=()):
    """What is wrong with how a process ended: it may have ended well, or with one sentence, or by a signal sent to it.

    Args:
        ended: The process.
        signals: Numbers of the signals that were sent.
    """
    if RAW.search(ended.out + ended.err):
        return [f"a traceback: {ended.err.strip()[-600:]}"]
    if ended.code == 0 or -ended.code in signals:
        return []
    if ended.code < 0:
        return [f"ended by signal {-ended.code}: {ended.err.strip()[-300:]}"]
    if ended.err.strip().rpartition("\n")[2].startswith("googlenet: "):
        return []
    return [f"status {ended.code} without a sentence: {ended.err.strip()[-300:]!r}"]


def _tensors(path):
    """Every tensor of a safetensors file: its type, its shape, its bytes."""
    rows = deserialize(path.read_bytes())
    return {name: (row["dtype"], tuple(row["shape"]), bytes(row["data"])) for name, row in rows}


def _json(path):
    json.loads(path.read_text())


def _json_lines(path):
    for line in path.read_text().splitlines(keepends=True):
        assert line.endswith("\n"), "half a line"
        json.loads(line)


def _page(path):
    assert path.read_text().rstrip().endswith("</html>"), "half a page"


def _picture(path):
    with Image.open(path) as picture:
        picture.load()


def _hashes(path):
    first, *rest = path.read_text().splitlines()
    assert first == f"# {len(rest)} examples", "half a list"


WHOLE = {
    ".safetensors": _tensors,
    ".json": _json,
    ".jsonl": _json_lines,
    ".html": _page,
    ".png": _picture,
    ".txt": _hashes,
}


def halves(folder):
    """Files, such as of a run, that are neither whole nor absent; what is being written does not count."""
    found = []
    for path in sorted(folder.rglob("*")):
        inside = any(TEMPORARY.fullmatch(part) for part in path.relative_to(folder).parts)
        if inside or path.is_dir() or path.suffix not in WHOLE:
            continue
        try:
            WHOLE[path.suffix](path)
        except (OSError, ValueError, AssertionError, SyntaxError, SafetensorError) as error:
            found.append(f"{path.relative_to(folder)} is not whole: {error}")
    return found


def leftovers(folder):
    """Files that were being written and are there still."""
    return [f"{path.name} is left" for path in folder.rglob("*") if TEMPORARY.fullmatch(path.name)]


def same_weights(path, other):
    """Whether two files of weights hold the same, bit for bit."""
    return path.exists() and _tensors(path) == _tensors(other)


def digests(folder):
    """What the files below a folder hold, by name."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): blake2b(path.read_bytes()).hexdigest() for path in files}


def lost(before, again, epochs):
    """Epochs that had begun and were done again; the one that was running counts as a whole one.

    Args:
        before: Those that were said to be done before the fault.
        again: Those that were said to be done after it.
        epochs: Of the training.
    """
    begun = min(max(before, default=0) + 1, epochs)
    goes_on_with = min(again, default=epochs + 1)
    return max(0, begun - (goes_on_with - 1))
