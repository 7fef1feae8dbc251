"""``python -m googlenet``, and the command ``googlenet``."""

import sys


def main() -> None:
    """:func:`.apps.cli.main.main`, which takes a moment to import: who stops it meanwhile gets a sentence too."""
    try:
        from .apps.cli.main import main as run

        run()
    except KeyboardInterrupt:
        print("googlenet: Stopped.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
