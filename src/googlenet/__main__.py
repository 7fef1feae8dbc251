"""``python -m googlenet``, and the command ``googlenet``."""

import sys
from collections.abc import Callable


def main() -> None:
    """:func:`.apps.cli.main.main`, which takes a moment to import: who stops it meanwhile gets a sentence too."""
    try:
        _imported()()
    except KeyboardInterrupt:
        print("googlenet: Stopped.", file=sys.stderr)
        sys.exit(130)


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
