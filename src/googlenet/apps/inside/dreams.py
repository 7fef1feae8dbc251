"""A dream from end to end: a run and a picture or a signal in, the changed one out, octave by octave."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from ... import files
from ...data.protocol import Drawing, Example, Picture, Trace
from ...errors import InputError, whole
from ...explain.features.dream import OCTAVES, STEPS, Octave, dream, octaves_of
from ...explain.features.objectives import Objective, find_objective, middle_module
from ...inference.load import load_pipeline
from ...inference.pipeline import Pipeline
from ...nn.canvas import Whole
from ...nn.device import best_device
from ...weights.foreign.safetensors import read_tensors, write_tensors
from ..report.charts import Axis, drawing, element, save
from .features import weights_digest

PICTURES, SIGNALS = (".png",), (".svg", ".csv")  # endings of what is written


@dataclass(frozen=True)
class Wanted:
    """How to dream.

    Attributes:
        at: See :func:`~googlenet.explain.features.objectives.find_objective`; ``None`` for the middle module.
        guide: Another example, whose features are sought; ``None`` for the network's own.
        octaves: At most.
        steps: Of each.
        seed: Of chance.
        row: Of a table of signals, from 1.
    """

    at: str | None = None
    guide: str | None = None
    octaves: int = OCTAVES
    steps: int = STEPS
    seed: int = 0
    row: int = 1


@dataclass(frozen=True)
class Dreamt:
    """What was dreamt.

    Attributes:
        of: What there is more of.
        octaves: How many there are.
        before: How many of them had been done, by a call that was stopped.
        path: Of the file.
        rows: How many examples the source holds, of which one was taken.
    """

    of: str
    octaves: int
    before: int
    path: Path
    rows: int


def dream_job(
    run: str,
    source: str,
    out: Path | None,
    wanted: Wanted,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Dreamt:
    """Writes a dream. Beside it stands, until it is done, the last octave, with which a second call goes on.

    Args:
        run: A run folder, a weights file or a name of the catalogue.
        source: A picture, or a table of signals.
        out: ``.png`` for a picture; for a signal ``.svg``, before and after, or ``.csv``, its values after, a row a
            channel; ``None`` for ``dream.png`` or ``dream.svg`` here.
        wanted: How.
        report: Called after every step.

    Raises:
        InputError: If something cannot be read, found or written.
    """
    pipeline, objective = _loaded(run, wanted.at)
    example, rows = _whole(pipeline, source, wanted.row)
    guide = None if wanted.guide is None else _whole(pipeline, wanted.guide, 1)[0].values
    before = pipeline.preprocessing.draw(example.inputs(example.values).numpy())
    out = _checked(out, before, [source, *([wanted.guide] if wanted.guide else [])])
    part = out.with_name(f"{out.name}.octave")
    made_by = _settings(pipeline, example.values, guide, objective.name, wanted)
    count = octaves_of(pipeline, tuple(example.values.shape[1:]), wanted.octaves)
    begun = last = _begun(part, made_by, out)
    for last in dream(
        pipeline,
        example.values,
        objective,
        guide=guide,
        octaves=wanted.octaves,
        steps=wanted.steps,
        seed=wanted.seed,
        begun=begun,
        report=report,
    ):
        tensors = {"values": last.values, "detail": last.detail}
        write_tensors(part, tensors, {"settings": made_by, "number": str(last.number)})
    assert last is not None
    after = pipeline.preprocessing.draw(example.inputs(last.values).numpy())
    _write(out, before, after)
    part.unlink(missing_ok=True)
    return Dreamt(objective.name, count, 0 if begun is None else begun.number, out, rows)


def _loaded(run: str, at: str | None) -> tuple[Pipeline, Objective]:
    """A network of pictures or signals, and what there is to be more of."""
    pipeline, classes = load_pipeline(run)
    if len(pipeline.preprocessing.input_shape) > 3:
        raise InputError(
            f"A dream is of a picture or a signal, and {run} reads volumes. googlenet features draws these."
        )
    pipeline.to(best_device())
    return pipeline, find_objective(pipeline, classes, middle_module(pipeline) if at is None else at)


def _whole(pipeline: Pipeline, source: str, row: int) -> tuple[Whole, int]:
    """One example, in its own size, and how many there are.

    Raises:
        InputError: If it cannot be read, or has no such row.
    """
    preprocessing = pipeline.preprocessing
    row = whole("The row", row)
    found: Example | None = None
    count = 0
    for count, each in enumerate(preprocessing.examples(source, source), 1):
        found = each if count == row else found
    if found is None:
        raise InputError(f"{source} has no row {row:,} (--row): it has {count:,}.")
    if found.error is None:
        try:
            return preprocessing.canvas().whole(found.content), count
        except InputError as error:
            reason = str(error)
    else:
        reason = found.error
    raise InputError(f"{found.name} cannot be read: {reason.rstrip('.')}.")


def _settings(pipeline: Pipeline, values: Tensor, guide: Tensor | None, at: str, wanted: Wanted) -> str:
    """All that a dream depends on."""
    guided = None if guide is None else files.digest(guide.contiguous().numpy().tobytes())
    row: dict[str, Any] = {
        "version": 1,
        "weights": weights_digest(pipeline),
        "example": files.digest(values.contiguous().numpy().tobytes()),
        "guide": guided,
        "at": at,
        "octaves": wanted.octaves,
        "steps": wanted.steps,
        "seed": wanted.seed,
    }
    return json.dumps(row)


def _begun(part: Path, made_by: str, out: Path) -> Octave | None:
    """The last octave of a call that was stopped; of another dream, none.

    Raises:
        InputError: If a file of that name is not an octave, whole and as it was written: it is not to be replaced.
    """
    if not os.path.lexists(part):
        return None
    try:
        tensors, metadata = read_tensors(part)
        if not set(json.loads(metadata["settings"])) == set(json.loads(made_by)):
            raise ValueError("of something else")
        begun = Octave(int(metadata["number"]), tensors.pop("values"), tensors.pop("detail"))
        if tensors or begun.values.shape != begun.detail.shape or part.is_symlink():
            raise ValueError("of something else")
    except (InputError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"{part} is there and is no whole octave of a dream, and {out.name} would need that name until it is done. "
            "Move it away, or name another file (--out)."
        ) from error
    return begun if metadata["settings"] == made_by else None


def _checked(out: Path | None, shown: Drawing, read: Sequence[str]) -> Path:
    """Where to write: a file that ends as it should, and that is not one of those that are read."""
    endings = PICTURES if isinstance(shown, Picture) else SIGNALS
    out = out or Path(f"dream{endings[0]}")
    if out.suffix.lower() not in endings:
        kind = "picture" if isinstance(shown, Picture) else "signal"
        raise InputError(f"The dream of a {kind} is written as {' or '.join(endings)}, and {out} is not (--out).")
    if not out.parent.is_dir():
        raise InputError(f"There is no folder {out.parent} to write {out.name} into.")
    if any(out.exists() and Path(word).exists() and out.samefile(word) for word in read):
        raise InputError(f"{out} is what is read, and would be replaced. Name another file (--out).")
    return out


def _write(out: Path, before: Drawing, after: Drawing) -> None:
    match after:
        case Picture(pixels=pixels):
            shown = pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))
            content = io.BytesIO()
            Image.fromarray(shown).save(content, "PNG")
            files.write_bytes(out, content.getvalue())
        case Trace(values=values) if out.suffix.lower() == ".csv":
            lines = [",".join(f"{value:.6g}" for value in channel) for channel in values.tolist()]
            files.write_bytes(out, ("\n".join(lines) + "\n").encode())
        case Trace(values=values):
            assert isinstance(before, Trace)
            save(out, _before_and_after(before.values, values))


def _before_and_after(before: Any, after: Any) -> Any:
    """Every channel of a signal as it was, grey, and as it is now."""
    left, width, height, gap = 44.0, 560.0, 120.0, 14.0
    top, parts = 30.0, []
    words = [element("tspan", "before", fill="soft"), " ", element("tspan", "after", fill="blue")]
    parts.append(element("text", *words, x=left, y=18, font_weight=600))
    for old, new in zip(before, after, strict=True):
        low, high = float(min(old.min(), new.min())), float(max(old.max(), new.max()))
        y = Axis(low, high, top + height, top)
        for tick in y.ticks() if high > low else []:
            at = y.place(tick)
            parts += [
                element("line", x1=left, x2=left + width, y1=at, y2=at, stroke="line"),
                element("text", f"{tick:.6g}", x=left - 6, y=at + 4, text_anchor="end", fill="soft"),
            ]
        for values, colour in ((old, "grey"), (new, "blue")):
            across = np.linspace(left, left + width, len(values)).tolist()
            points = " ".join(f"{x:.1f},{y.place(v):.1f}" for x, v in zip(across, values.tolist(), strict=True))
            parts.append(element("polyline", points=points, fill="none", stroke=colour, stroke_width=1.6))
        top += height + gap
    below = element("text", "sample, in deviations of what was learned from", x=left, y=top + 6, fill="soft")
    return drawing(left + width + 16, top + 16, [*parts, below], "A signal before and after a dream")
