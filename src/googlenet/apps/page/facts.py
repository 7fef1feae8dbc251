"""What the page knows beside its networks: architectures with their costs, quirks of weights, what was measured."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..._version import __version__
from ...arch.cost import cost
from ...arch.serial import to_json
from ...arch.variants import find_arch, list_models
from ...weights.catalogue import CATALOGUE, Record


def facts(built: Path) -> dict[str, Any]:
    """All of it, for JSON.

    Args:
        built: The folder of what was built, with what was measured.
    """
    return {
        "version": __version__,
        "architectures": {name: _architecture(name) for name in list_models()},
        "auxiliary": json.loads((built / "measured.json").read_text(encoding="utf-8")),
        "quirks": [_row(record) for record in CATALOGUE.values()],
    }


def _architecture(name: str) -> dict[str, Any]:
    arch = find_arch(name)
    return {"spec": json.loads(to_json(arch)), "cost": asdict(cost(arch))}


def _row(record: Record) -> dict[str, Any]:
    """Of the known weights, what the page says of them."""
    arch = find_arch(record.arch)
    preprocessing = None if record.preprocessing is None else record.preprocessing.described()
    return {
        "name": record.name,
        "architecture": record.arch,
        "description": arch.description,
        "trained_on": record.trained_on,
        "top1": record.top1,
        "top5": record.top5,
        "input": preprocessing,
        "source": record.source,
        "quirks": list(record.quirks),
    }
