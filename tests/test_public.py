"""What is public is what the reference page lists."""

import importlib
import re
from pathlib import Path

import googlenet
import googlenet.explain
import googlenet.weights

REFERENCE = Path(__file__).parents[1] / "docs" / "reference.md"


def listed():
    """Module to the names that the reference page lists."""
    found = {}
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"## `([\w.]+)`", line):
            found[heading[1]] = names = []
        elif row := re.match(r"\| `(\w+)` \|", line):
            names.append(row[1])
    return found


def test_every_name_of_the_reference_is_there_and_explained():
    for module, names in listed().items():
        for name in names:
            value = getattr(importlib.import_module(module), name)
            assert name == "RECIPES" or value.__doc__, name


def test_packages_name_what_the_reference_lists_and_nothing_else():
    for package in (googlenet, googlenet.explain, googlenet.weights):
        assert sorted(package.__all__) == sorted(listed()[package.__name__])
        assert set(package.__all__) <= set(dir(package))
