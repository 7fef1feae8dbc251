"""What a reader of a stranger's file may take, measured in a process of its own."""

import json
import os
import resource
import signal
from pathlib import Path

from googlenet.errors import InputError

MEMORY = 4 << 30  # bytes of addresses that a child may ask for beyond its parent's
SECONDS = 60  # that it may take on a machine that is busy


def outcome(read, *arguments):
    """The sentence of the InputError that a call raises, or "" if it raises none; anything else it raises is shown.

    The call runs in a child process with an end to its memory and its time, and what it takes at most is held to the
    bound of ``limits``: 30 times the size of the files among its arguments and 500 MB.
    """
    size = sum(file.stat().st_size for each in arguments if isinstance(each, Path) for file in _files(each))
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        _run(theirs, read, arguments)
    os.close(theirs)
    with os.fdopen(ours) as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    assert status == 0 and said, f"the child was ended by signal {status & 127}"
    found = json.loads(said)
    assert found["kind"] in ("", InputError.__name__), found
    assert found["grown"] <= 30 * size + 500 * 2**20, f"{found['grown']:,} bytes for a file of {size:,}"
    return found["text"]


def _files(path):
    return [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path] if path.is_file() else []


def _run(pipe, read, arguments):
    """Never returns."""
    try:
        signal.alarm(SECONDS)
        addresses, resident = (int(pages) * os.sysconf("SC_PAGE_SIZE") for pages in _status())
        resource.setrlimit(resource.RLIMIT_AS, (addresses + MEMORY, addresses + MEMORY))
        kind = text = ""
        try:
            read(*arguments)
        except BaseException as error:
            kind, text = type(error).__name__, str(error)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - resident
        os.write(pipe, json.dumps({"kind": kind, "text": text[:2000], "grown": grown}).encode())
    finally:
        os._exit(0)


def _status():
    return Path("/proc/self/statm").read_text().split()[:2]
