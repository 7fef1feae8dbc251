"""The program that faults are injected into. It is forked from a process that has imported all of it already, so that a
fault costs a short training and not a start; what a start does differently is tried with processes of their own."""

import atexit
import contextlib
import ctypes
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

DEADLINE = 240  # seconds: who takes longer hangs
HANGS = -1000  # the exit status of who had to be ended for it
COUNT, KILL, KILL_HALFWAY, FAIL_ONCE, FAIL_ON = range(5)  # what a call comes to, as in shim.c
CHANGES, READS = 1, 2  # which calls
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Strike:
    """What the shim does: the call of that number that touches files below a folder is the one that is struck."""

    how: int = COUNT
    at: int = 0
    error: int = 0
    below: str = "run"
    groups: int = CHANGES
    journal: str = ""

    def arm(self):
        """In the process that it is for; paths are in its current folder."""
        below, journal = (os.fsencode(Path(part).absolute()) if part else b"" for part in (self.below, self.journal))
        ctypes.CDLL(None).fault_arm(below, journal, self.groups, self.how, self.error, ctypes.c_long(self.at))


@dataclass
class Ended:
    """How a process ended.

    Attributes:
        code: Its exit status; of one that a signal ended, the signal's number below zero.
        out: What it printed.
        err: What it said.
    """

    code: int
    out: str
    err: str

    @property
    def epochs(self):
        """The epochs that it said were done."""
        return epochs_in(self.out)


def epochs_in(text):
    found = []
    for line in text.splitlines():
        with contextlib.suppress(ValueError, TypeError, KeyError):  # the last line of who was killed may be half of one
            found.append(json.loads(line)["epoch"])
    return found


class Running:
    """A process that runs.

    Args:
        pid: Of it.
        out: The file that it prints to.
        err: The file that it complains to.
    """

    def __init__(self, pid, out, err):
        self.pid, self.out, self.err, self.status, self.started = pid, out, err, None, time.monotonic()

    def alive(self):
        if self.status is None:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if found else None
        return self.status is None

    def send(self, number):
        if self.alive():
            os.kill(self.pid, number)

    def after_epoch(self, number):
        """Waits until it has said that this epoch is done, or ended; whether it runs on."""
        while self.alive() and number not in epochs_in(self.out.read_text()):
            self._not_forever()
            time.sleep(0.002)
        return self.alive()

    def after(self, seconds):
        """Waits that long, or until it ended; whether it runs on."""
        until = self.started + seconds
        while self.alive() and time.monotonic() < until:
            time.sleep(0.002)
        return self.alive()

    def wait(self):
        while self.alive():
            self._not_forever()
            time.sleep(0.004)
        code = os.waitstatus_to_exitcode(self.status) if self.status != HANGS else HANGS
        return Ended(code, *(path.read_text(errors="replace") if path else "" for path in (self.out, self.err)))

    def _not_forever(self):
        if time.monotonic() - self.started > DEADLINE:
            os.killpg(self.pid, signal.SIGKILL)  # with those that it started
            os.waitpid(self.pid, 0)
            self.status = HANGS


def start(words, box, prepare=None, env=None, stdout=None, name="said"):
    """Runs ``googlenet WORDS`` in a folder, in a fork of this process.

    Args:
        words: Of the command line.
        box: The folder.
        prepare: Called in the new process first: arms what is to go wrong.
        env: Variables besides.
        stdout: A descriptor to print to; by default a file.
        name: Of the two files that keep what it says, in the folder's ``.said``.
    """
    folder = box / ".said"
    folder.mkdir(exist_ok=True)
    out, err = folder / f"{name}.out", folder / f"{name}.err"
    out.touch(), err.touch()
    sys.stdout.flush(), sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Running(pid, out, err)
    code = 70
    try:
        _become(words, box, env or {}, stdout, out, err)
        code = _run(prepare)
    finally:
        os._exit(code)


def _become(words, box, env, stdout, out, err):
    """Makes a fork a process like one that a shell starts."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(box)
    os.environ.update(env)
    files = [os.open(os.devnull, os.O_RDONLY), stdout, os.open(err, os.O_WRONLY | os.O_APPEND)]
    files[1] = os.open(out, os.O_WRONLY | os.O_APPEND) if stdout is None else stdout
    for number, descriptor in enumerate(files):
        os.dup2(descriptor, number)
    for entry in list(Path("/proc/self/fd").iterdir()):
        if (descriptor := int(entry.name)) > 2:
            with contextlib.suppress(OSError):  # the one that listed them
                os.close(descriptor)
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.argv = ["googlenet", *map(str, words)]


def close_stream(number, name):
    """Leaves this process without one of its streams, as ``>&-`` in a shell does."""
    os.close(number)
    setattr(sys, name, None)


def _run(prepare):
    """Runs the program to its end and ends as Python does; the exit status."""
    from googlenet.__main__ import main

    code = 0
    try:
        if prepare is not None:
            prepare()
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except Exception as error:
            os.write(2, f"Exception ignored as Python ends: {error!r}\n".encode())
            code = 120
    return code


def warm_up(words, box):
    """Imports into this process what a command imports, so that its forks need not."""

    def tell():
        atexit.register(lambda: Path(".said", "modules").write_text("\n".join(sys.modules)))

    ended = start(words, box, tell, name="warm").wait()
    assert ended.code == 0, ended
    for name in (box / ".said" / "modules").read_text().splitlines():
        with contextlib.suppress(Exception):  # some are made as others run
            importlib.import_module(name)


def cold(words, box, name="cold", program=(sys.executable, "-m", "googlenet"), env=None, stdout=None):
    """Runs it in a process of its own, without the shim."""
    folder = box / ".said"
    folder.mkdir(exist_ok=True)
    out, err = folder / f"{name}.out", folder / f"{name}.err"
    clean = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"} | (env or {})
    with out.open("w") as first, err.open("w") as second:
        process = subprocess.Popen(
            [*program, *map(str, words)],
            cwd=box,
            env=clean,
            stdin=subprocess.DEVNULL,
            stdout=stdout if stdout is not None else first,
            stderr=second,
            start_new_session=True,
        )
    process.returncode = 0  # whoever waits for it is Running
    return Running(process.pid, out, err)


def call_shim():
    """Starts this program anew with the shim before libc, unless it is there."""
    if hasattr(ctypes.CDLL(None), "fault_arm"):
        return
    library = Path(os.environ["FAULTS_ROOM"]) / "shim.so"
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-O1", "-Wall", "-shared", "-fPIC", "-o", library, HERE / "shim.c", "-ldl"], check=True)
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | {"LD_PRELOAD": str(library)})
