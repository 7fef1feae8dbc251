"""What every benchmark records beside its figures: the machine, the versions, the command."""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).parent
SHARED = HERE.parents[1] / "shared"  # data and published figures, where they are beside the checkout


def machine() -> dict[str, Any]:
    """Processor, cores, instruction sets that matter, and versions."""
    has = torch.cpu.get_capabilities()
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "bf16": [name for name in ("avx512_bf16", "amx_bf16") if has.get(name)],
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "date": datetime.date.today().isoformat(),
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
    }


def save(name: str, result: dict[str, Any]) -> None:
    """Writes ``benchmarks/NAME.json``: the machine, then the result."""
    path = HERE / f"{name}.json"
    path.write_text(json.dumps({"machine": machine()} | result, indent=1) + "\n")
    print(f"wrote {path.name}")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    return f"{facts.get('model name')}, family {facts.get('cpu family')} model {facts.get('model')}"
