"""``python -m googlenet``."""

from .apps.cli.main import main

main()
