"""The page of the shipped networks in a browser, which node drives: see web/tests/harness.mjs."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

WEB = Path(__file__).parents[1] / "web"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


class Browser:
    """A browser with the page open; what is called is a line of JSON to node, and its answer another."""

    def __init__(self, path):
        command = ["node", str(WEB / "tests" / "harness.mjs"), str(path)]
        self.node = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "CHROMIUM": CHROMIUM}
        )

    def do(self, target, method, *arguments):
        """Calls a method of ``page``, ``keyboard``, ``context`` or ``harness``."""
        self.node.stdin.write(json.dumps({"do": [target, method, *arguments]}) + "\n")
        self.node.stdin.flush()
        line = self.node.stdout.readline()
        assert line, "the browser ended"
        row = json.loads(line)
        if "error" in row:
            raise AssertionError(row["error"])
        return row["gives"]

    def open(self, **options):
        """Opens the page anew, with options of playwright's contexts, and waits until its networks stand."""
        self.do("harness", "open", options)

    def evaluate(self, function, argument=None):
        """What a function of JavaScript gives for an argument, within the page."""
        return self.do("harness", "evaluate", function, argument)

    def becomes(self, condition, argument=None):
        """Whether a function of JavaScript holds, now or after a while; the deadline is for what never happens."""
        return self.evaluate(
            """(argument) => new Promise((done) => {
              const [holds, deadline] = [CONDITION, performance.now() + 120000];
              const look = () => {
                if (holds(argument)) done(true);
                else if (performance.now() > deadline) done(false);
                else setTimeout(look, 20);
              };
              look();
            })""".replace("CONDITION", condition),
            argument,
        )

    def heard(self):
        """``{"requests", "errors"}`` since the last call."""
        return self.do("harness", "heard")

    def close(self):
        """Ends node and the browser."""
        self.node.stdin.close()
        self.node.wait(60)
        self.node.stdout.close()


def missing():
    """Why there is no browser to test with; empty if there is one."""
    if shutil.which("node") is None:
        return "there is no node"
    if not (WEB / "node_modules" / "playwright-core").is_dir():
        return "web/node_modules is not there: npm ci in web/"
    return "" if shutil.which(CHROMIUM) else f"there is no {CHROMIUM} (apt-get install chromium, or set CHROMIUM)"


@pytest.fixture(scope="session")
def page_file(tmp_path_factory):
    """The page of the package's networks, written once for all processes of the tests."""
    if reason := missing():
        pytest.skip(reason)
    from googlenet.apps.page.job import page_job

    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    path = folder / "page.html"
    with FileLock(folder / "page.lock"):
        if not path.exists():
            subprocess.run(["node", "build.mjs"], cwd=WEB, check=True)  # of the sources as they are now
            page_job(None, path)
    return path


@pytest.fixture(scope="session")
def browser(page_file):
    """The browser, with no page open."""
    found = Browser(page_file)
    yield found
    found.close()


@pytest.fixture
def page(browser):
    """The browser with the page open, fresh; what it asked for or complained of fails the test."""
    browser.open()
    yield browser
    heard = browser.heard()
    assert heard["errors"] == []
    assert [url for url in heard["requests"] if not url.startswith(("file:", "blob:", "data:"))] == []
