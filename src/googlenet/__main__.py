"""``python -m googlenet``, and the command ``googlenet``."""

import signal
import sys
import threading
from collections.abc import Callable


def main() -> None:
    """:func:`.apps.cli.main.main`, which takes a moment to import: who stops it meanwhile gets a sentence too."""
    try:
        _imported()()
    except KeyboardInterrupt:
        print("googlenet: Stopped.", file=sys.stderr)
        sys.exit(130)
    finally:
        _finish_undisturbed()


def _finish_undisturbed() -> None:
    """Has this process, all but over, not hear that it shall stop: Python would show where it was, as a fault."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


def _imported() -> Callable[[], None]:
    """The command line; where a shell's limits (ulimit) let nothing be imported, a sentence."""
    try:
        from .apps.cli.main import main as run
    except ModuleNotFoundError:
        raise
    except (MemoryError, OSError, ImportError) as error:
        print(f"googlenet: It could not start: {error or 'the memory is not enough'}.", file=sys.stderr)
        sys.exit(1)
    return run


if __name__ == "__main__":
    main()
