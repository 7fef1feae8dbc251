"""Exported models as the servers of others find them: a folder for each model, its versions, and what describes it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import files
from ..data.protocol import BadFile
from ..errors import InputError, unknown
from ..inference.engines.backend import BACKENDS
from ..inference.export import Comparison
from ..inference.load import load
from ..inference.predictor import Predictor
from .jobs import export_job

BATCH = 64  # examples that a server may compute together
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Layout:
    """How a server finds models.

    Attributes:
        forms: Formats of :data:`~googlenet.inference.engines.backend.BACKENDS` that it serves, the usual one first.
        describe: From a model's name, its format and what it reads to files by name, below the repository.
    """

    forms: Sequence[str]
    describe: Callable[[str, str, Predictor], Mapping[str, str]]


def export_layout(
    runs: Sequence[str], layout: str, form: str | None, out: Path, int8: str | None
) -> tuple[Path, Comparison, tuple[BadFile, ...]]:
    """Writes a run, or several as one, into a model repository.

    Args:
        runs: As of :func:`~googlenet.apps.jobs.export_job`.
        layout: A key of :data:`LAYOUTS`.
        form: A format that the server serves; ``None`` for the usual one.
        out: The model's folder in the repository, which gets its name from it.
        int8: As of :func:`~googlenet.apps.jobs.export_job`.

    Returns:
        The model's file, how it compares with PyTorch, and what could not be read to calibrate with.

    Raises:
        InputError: If the server does not serve that format, the folder holds something, or it cannot be written.
    """
    if layout not in LAYOUTS:
        raise unknown("layout", layout, LAYOUTS)
    forms = LAYOUTS[layout].forms
    form = form or forms[0]
    if form not in forms:
        raise InputError(f"{layout} serves {' and '.join(forms)}, not {form}.")
    if not _NAME.fullmatch(out.name):
        raise InputError(f"{out} names no model: its folder has letters, digits, '.', '_' and '-' (--out models/NAME).")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} holds something already, and stays as it is. Name a new folder (--out).")
    (out / "1").mkdir(parents=True, exist_ok=True)
    try:
        path, found, bad = export_job(runs, form, out / "1" / f"model{BACKENDS[form].suffix}", int8)
        described = LAYOUTS[layout].describe(out.name, form, load(path))
        for name, text in described.items():
            files.write_bytes(out / name, text.encode())
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)
        raise
    return path, found, bad


def _triton(name: str, form: str, predictor: Predictor) -> Mapping[str, str]:
    """``config.pbtxt``, as Triton's model configuration has it."""
    shape = ", ".join(map(str, predictor.preprocessing.input_shape))
    kind = "UINT8" if predictor.preprocessing.kind == "picture" else "FP32"
    backend = {"onnx": "onnxruntime", "openvino": "openvino"}[form]
    text = f"""\
name: "{name}"
backend: "{backend}"
max_batch_size: {BATCH}
input [{{ name: "inputs", data_type: TYPE_{kind}, dims: [{shape}] }}]
output [{{
  name: "probabilities", data_type: TYPE_FP32, dims: [{len(predictor.classes)}], label_filename: "labels.txt"
}}]
dynamic_batching {{ }}
instance_group [{{ kind: KIND_CPU }}]
"""
    return {"config.pbtxt": text, "labels.txt": _labels(predictor)}


def _ovms(name: str, form: str, predictor: Predictor) -> Mapping[str, str]:
    """``config.json``, as OpenVINO Model Server's ``--config_path`` has it, and the names of the classes."""
    model = {"name": name, "base_path": f"/models/{name}", "target_device": "CPU"}
    text = json.dumps({"model_config_list": [{"config": model}]}, indent=2)
    return {"config.json": text + "\n", "labels.txt": _labels(predictor)}


def _labels(predictor: Predictor) -> str:
    """The classes, a line each."""
    return "".join(f"{' '.join(label.split())}\n" for label in predictor.classes)


LAYOUTS: Mapping[str, Layout] = {
    "ovms": Layout(("openvino", "onnx"), _ovms),
    "triton": Layout(("onnx", "openvino"), _triton),
}
