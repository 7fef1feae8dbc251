"""The entry of the command line: which commands there are, and what becomes of whatever goes wrong."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Annotated, NoReturn

import typer

from ..._version import __version__
from ...errors import InputError, unknown
from .commands import architectures, data, explanations, features, page, predictions, runs, serving, weights
from .output.native import silence
from .output.screen import beside, leave, prepare_streams, shown
from .usage import STOPPED, TERMINATED, USAGE, Stopped, check_local, exhausted, sentence

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (runs, predictions, architectures, weights, explanations, features, page, data, serving):
    app.add_typer(part.commands)
READS = (
    "train",
    "evaluate",
    "predict",
    "export",
    "explain",
    "features",
    "dream",
    "page",
    "serve",
    "shard",
)  # commands that read pictures


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"googlenet {__version__}")
        raise typer.Exit


@app.callback()
def googlenet(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """GoogLeNet, the Inception v1 family: train, evaluate and predict on your pictures, signals and volumes."""


def main() -> None:
    """Runs the command line; whatever goes wrong for a reason the user can mend is one sentence."""
    # A thread that waits for another sleeps: beside other programs, ones that spin take the time of what they wait for.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    prepare_streams()
    _show_own_warnings()
    codes = [STOPPED]
    try:
        with _terminable(codes):
            code = _run()
        sys.stdout.flush()
        if code == STOPPED:
            raise KeyboardInterrupt
        sys.exit(code)
    except InputError as error:
        _fail(str(error), codes[-1] if isinstance(error, Stopped) else 1, error.everywhere)
    except (KeyboardInterrupt, typer.Abort):
        _fail("Stopped.", codes[-1])
    except BrokenPipeError:
        leave(sys.stdout)
        sys.exit(1)
    except OSError as error:  # a full disk, a device that went away
        if said := exhausted(error):
            _fail(said, 1)
        if error.filename is None:
            leave(sys.stdout)
        _fail(f"{error.filename or 'Standard input or output'} could not be read or written: {error.strerror}.", 1)
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if code is None:
            if not (said := exhausted(error)):
                raise
            _fail(said, 1)
        said = sentence(error)
        if said:  # nothing where the help was shown instead
            _fail(said, code)
        sys.exit(code)


def _run() -> int | None:
    """The exit status of what the words name."""
    command = typer.main.get_command(app)
    _check_name(getattr(command, "commands", {}))
    words = sys.argv[1:]
    if words[:1] in (["train"], ["evaluate"]):  # whose data may be shards at an address; what options name is here
        words = [word for before, word in pairwise(words) if before.startswith("-")]
    if words[:1] not in (["predict"], ["explain"], ["serve"]):  # which say it of each input
        check_local(words)
    if sys.argv[1:2] and sys.argv[1] in READS and not sys.warnoptions:
        silence()
    code: int | None = command.main(standalone_mode=False)
    return code


@contextmanager
def _terminable(codes: list[int]) -> Iterator[None]:
    """Has SIGTERM end like Ctrl-C: a bar leaves the terminal, a file that is half written the disk, a training says how
    to go on. The exit status is added to ``codes``."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(*_: object) -> None:
        codes.append(TERMINATED)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _show_own_warnings() -> None:
    """Silences, for this process, what other packages say of themselves; a warning of this one is a sentence.

    Whoever asks Python for warnings (``-W``, ``PYTHONWARNINGS``) gets them all.
    """
    if sys.warnoptions:
        return
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    warnings.filterwarnings("always", category=RuntimeWarning, module=r"googlenet\b")
    said = set[str]()

    def once(message: Warning | str, *_: object, **__: object) -> str:
        """The sentence, where it is new: Python forgets what it said whenever somebody silences it for a while."""
        sentence = f"googlenet: {shown(str(message))}\n"
        new = sentence not in said
        said.add(sentence)
        return sentence if new else ""

    warnings.formatwarning = once


def _check_name(names: dict[str, object]) -> None:
    """Ends with the sentence for a command that does not exist."""
    word = sys.argv[1] if len(sys.argv) > 1 else "-"
    if not word.startswith("-") and word not in names:
        _fail(str(unknown("command", word, names)), USAGE)


def _fail(said: str, code: int, everywhere: bool = True) -> NoReturn:
    if not everywhere or os.environ.get("LOCAL_RANK", "0") == "0":  # of the processes of a machine one speaks for all
        beside(f"googlenet: {said}")
    sys.exit(code)
