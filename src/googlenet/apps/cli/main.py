"""The entry of the command line: which commands there are, and what becomes of whatever goes wrong."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import warnings
from typing import Annotated

import typer

from ..._version import __version__
from ...errors import InputError, unknown
from . import architectures, predictions, runs, weights

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (runs, predictions, architectures, weights):
    app.add_typer(part.commands)
STOPPED = 130  # what typer makes of Ctrl-C


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"googlenet {__version__}")
        raise typer.Exit


@app.callback()
def googlenet(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """GoogLeNet, the Inception v1 family: train, evaluate and predict on your pictures, signals and volumes."""


def main() -> None:
    """Runs the command line; whatever goes wrong for a reason the user can mend is one sentence."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may hold bytes that are no text
    _show_own_warnings()
    stops = [signal.SIGINT]

    def terminate(number: int, frame: object) -> None:
        stops.append(signal.Signals(number))
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, terminate)  # it ends like Ctrl-C
    try:
        command = typer.main.get_command(app)
        _check_name(getattr(command, "commands", {}))
        code = command.main(standalone_mode=False)
        if code == STOPPED:
            raise KeyboardInterrupt
        sys.exit(code)
    except InputError as error:
        _fail(str(error), 128 + stops[-1] if isinstance(error, runs.Stopped) else 1)
    except (KeyboardInterrupt, typer.Abort):
        _fail("Stopped.", 128 + stops[-1])
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if code is None:
            raise
        sentence = error.format_message() if hasattr(error, "format_message") else ""
        if sentence:  # none where the help was shown instead
            _fail(sentence, code)
        sys.exit(code)
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
    warnings.filterwarnings("default", category=RuntimeWarning, module=r"googlenet\b")
    warnings.formatwarning = lambda message, *_, **__: f"googlenet: {message}\n"


def _check_name(names: dict[str, object]) -> None:
    """Raises the sentence for a command that does not exist."""
    word = sys.argv[1] if len(sys.argv) > 1 else "-"
    if not word.startswith("-") and word not in names:
        raise unknown("command", word, names)


def _fail(sentence: str, code: int) -> None:
    if os.environ.get("RANK", "0") == "0":  # of the processes that torchrun starts one speaks
        print(f"googlenet: {sentence}", file=sys.stderr)
    sys.exit(code)
