"""``python -m googlenet``, and the command ``googlenet``."""

import signal
import sys
import threading


def main() -> None:
    """:func:`.apps.cli.main.main`, which takes a moment to import: who stops it meanwhile gets a sentence too."""
    try:
        from .apps.cli.main import main as run

        run()
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


if __name__ == "__main__":
    main()
