"""``googlenet serve`` for tests: a process, and what asks it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

CLI = [str(Path(sys.executable).with_name("googlenet"))]
SETTING = {**os.environ, "COLUMNS": "200"}
WAIT = 120  # seconds, for what hangs


class Service:
    """``googlenet serve`` in a process of its own."""

    def __init__(self, words, log, env, before):
        self.log = log
        with log.open("wb") as said:
            command = [*before, *CLI, "serve", *map(str, words), "--port", "0"]
            self.process = subprocess.Popen(command, stderr=said, env=SETTING | env)
        self.url = self.until(lambda said: re.search(r"at (http://\S+)", said))[1]

    def said(self):
        return self.log.read_text()

    def until(self, found):
        """Waits until what was said has something in it."""
        ends = time.monotonic() + WAIT
        while time.monotonic() < ends:
            if match := found(self.said()):
                return match
            if self.process.poll() is not None and not found(self.said()):
                raise AssertionError(f"it ended with {self.process.returncode}: {self.said()}")
            time.sleep(0.02)
        raise AssertionError(f"it hangs: {self.said()}")

    def send(self, number):
        os.kill(self.process.pid, number)

    def end(self, number=signal.SIGTERM):
        """Its exit status."""
        if self.process.poll() is None:
            self.send(number)
        return self.process.wait(WAIT)

    def ask(self, path, body=None, **headers):
        """Status, headers and body of an answer, whatever it is."""
        request = urllib.request.Request(self.url + path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=WAIT) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def json(self, path, row=None, **headers):
        """Status and parsed body."""
        body = None if row is None else json.dumps(row).encode()
        status, _, found = self.ask(path, body, **({"Content_Type": "application/json"} if body else {}) | headers)
        return status, json.loads(found)


@contextmanager
def running(tmp_path, *words, env=None, before=()):
    service = Service(words, tmp_path / "said", env or {}, before)
    try:
        yield service
    finally:
        service.process.kill()
        service.process.wait()


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """The package's network for GunPoint as ONNX, in a folder of its own."""
    from googlenet.apps.jobs import export_job

    folder = tmp_path_factory.mktemp("exported")
    return export_job(["googlenet_1d.gunpoint"], "onnx", folder / "gunpoint.onnx", None)[0]


@pytest.fixture(scope="session")
def service(tmp_path_factory, exported):
    """One with a network for pictures, and one for signals, as weights and exported."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "temporary").mkdir()
    words = ["fashion_mnist", "signals=googlenet_1d.gunpoint", exported]
    with running(folder, *words, env={"TMPDIR": str(folder / "temporary")}) as it:
        yield it
