"""A terminal in memory: what a program writes on it, line by line, and keys that are pressed."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte

from conftest import DEADLINE

TESTS = Path(__file__).parents[1]
# Makes the terminal the session's own, so that Ctrl-C reaches it, also where who runs the tests ignores it, and runs
# googlenet with the networks of the tests.
BEGINNING = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, os.environ["TESTS"])
from conftest import short_variants
del os.environ["COLUMNS"]  # the terminal says how wide it is
from googlenet.apps.cli.main import main

def googlenet(*words):
    print(*("$ googlenet", *words) if all(map(str.isprintable, words)) else "$", flush=True)
    sys.argv = ["googlenet", *words]
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    print(f"[{code}]", flush=True)
"""


class Terminal:
    """A program on a screen of its own.

    Args:
        program: Python, after BEGINNING.
        folder: Where it runs.
        columns: Of the screen.
        env: Variables besides those that there are.
    """

    def __init__(self, program, folder, columns=80, env=None):
        self.screen = pyte.Screen(columns, 100)
        self.stream = pyte.ByteStream(self.screen)
        self.sent = b""
        self.end, side = pty.openpty()
        self._size(columns)
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", BEGINNING + program],
            stdin=side,
            stdout=side,
            stderr=side,
            cwd=folder,
            start_new_session=True,
            env={**kept, "TERM": "xterm-256color", "TESTS": str(TESTS), "PYTHONUTF8": "1", **(env or {})},
        )
        os.close(side)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.end)

    def _size(self, columns):
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", 100, columns, 0, 0))

    def resize(self, columns):
        self._size(columns)
        self.screen.resize(100, columns)
        self.process.send_signal(signal.SIGWINCH)

    def press(self, keys):
        os.write(self.end, keys)

    @property
    def lines(self):
        """What stands on the screen, without empty lines."""
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def until(self, shows):
        """Goes on until the screen is as ``shows`` wants it, or the program ends where that is ``None``."""
        last = time.monotonic() + DEADLINE
        while shows is None or not shows(self.lines):
            assert time.monotonic() < last, "\n".join(self.lines)
            if not select.select([self.end], [], [], 1)[0]:
                continue
            try:
                new = os.read(self.end, 65536)
            except OSError:  # Linux's way of saying that nobody has the other side any more
                new = b""
            if not new:
                assert shows is None, "\n".join(self.lines)
                return self.lines
            self.sent += new
            self.stream.feed(new)
        return self.lines
