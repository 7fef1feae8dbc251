"""Feature visualisation and dreams from end to end: a run and a name in, a folder or a file out, which goes on where it
was stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ... import files
from ...data.protocol import Array, ExampleSet, Trace, Watch, unwatched
from ...errors import InputError, short
from ...explain.features.objectives import Objective, find_objectives, middle_module
from ...explain.features.painting import Statistics, stated
from ...explain.features.survey import SHOWN, Best, Survey, best_of, survey
from ...explain.features.visualise import STEPS, Report, Visualisation, checked_variety, chunks_of, quiet, visualise
from ...explain.figures import check_installed, saved
from ...inference.load import load_pipeline
from ...inference.pipeline import Pipeline
from ...nn.device import best_device
from ...weights.foreign.safetensors import read_tensors, write_tensors
from ..measure.held_out import as_read

SETTINGS, SURVEY, LINES, PARTS, SHEET = "settings.json", "survey.json", "features.jsonl", "parts", "sheet"
NUMBERS = ("mean", "covariance", "low", "high")  # of the data
OTHERS = {  # how a sentence calls the settings that a folder was begun with
    "weights": "other weights",
    "what": "something else",
    "steps": "another number of --steps",
    "seed": "another --seed",
    "variety": "another --variety",
    "data": "other --data",
}


@dataclass(frozen=True)
class Asked:
    """What is to be drawn.

    Attributes:
        what: See :mod:`~googlenet.explain.features.objectives`; ``None`` for every channel of the middle module.
        data: Whose training part the examples are from; ``None`` for none.
        steps: Of the ascent.
        seed: Of chance.
        variety: Different inputs for each.
    """

    what: str | None = None
    data: str | None = None
    steps: int = STEPS
    seed: int = 0
    variety: int = 1


@dataclass(frozen=True)
class Features:
    """What was drawn into a folder.

    Attributes:
        found: All of it.
        best: The examples that excite each the most; empty without data.
        examples: How many were looked through.
        before: How many objectives had been drawn before, by a call that was stopped.
        sheets: The contact sheets.
    """

    found: Visualisation
    best: tuple[Best, ...]
    examples: int
    before: int
    sheets: tuple[Path, ...]

    @property
    def exceeding(self) -> int:
        """How many objectives what was drawn excites more than every example does."""
        return sum(
            bool(activation.max() > best.activations[0])
            for activation, best in zip(self.found.activations, self.best, strict=bool(self.best))
        )

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row of JSON for each objective."""
        bests = self.best or [None] * len(self.found.objectives)
        for objective, activation, best in zip(self.found.objectives, self.found.activations, bests, strict=True):
            row: dict[str, Any] = {"channel": objective.name, "activation": float(activation.max())}
            if best is not None:
                most = best.activations[0]
                row |= {"best": most, "ratio": float(activation.max()) / most if most > 0 else None}
                each = zip(best.names, best.activations, strict=True)
                row["examples"] = [{"name": name, "activation": value} for name, value in each]
            yield row


def features_job(run: str, folder: Path, asked: Asked, watch: Watch = unwatched, report: Report = quiet) -> Features:
    """Draws what a network looks for into a folder, or goes on where an earlier call was stopped.

    Args:
        run: A run folder, a weights file or a name of the catalogue.
        folder: Is made if it is not there.
        asked: What.
        watch: Wraps what takes long while the data are looked through.
        report: Called after every step of the ascent.

    Raises:
        InputError: If the folder holds something else, or was begun with other settings, or anything cannot be read.
    """
    check_installed()
    checked_variety(asked.variety)
    pipeline, classes = load_pipeline(run)
    pipeline.to(best_device())
    what = middle_module(pipeline) if asked.what is None else asked.what
    objectives = find_objectives(pipeline, classes, what)
    part = None if asked.data is None else _training_part(asked.data, pipeline, classes, watch)
    settings = asdict(asked) | {"version": 1, "weights": weights_digest(pipeline), "what": what}
    settings["data"] = None if part is None else files.digest("\n".join(part.contents).encode())
    _begin(folder, settings)
    seen = None if part is None else _surveyed(folder, pipeline, part, objectives, watch)
    known = stated(pipeline.preprocessing.canvas()) if seen is None else seen.statistics
    found, before = _drawn(folder, pipeline, objectives, known, asked, report)
    best = () if seen is None or part is None else tuple(best_of(part, seen, pipeline))
    result = Features(found, best, 0 if seen is None else seen.examples, before, ())
    lines = "".join(map(files.json_line, result.rows()))
    files.write_bytes(folder / LINES, lines.encode(errors="backslashreplace"))
    return replace(result, sheets=tuple(_sheets(folder, result, short(f"{Path(run).name}, {what}"))))


def weights_digest(pipeline: Pipeline) -> str:
    """16 digits that say whether networks, and how they read, are the same."""
    parts = [json.dumps(pipeline.preprocessing.to_dict(), sort_keys=True).encode()]
    for name, values in sorted(pipeline.state_dict().items()):
        parts += [name.encode(), values.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()]
    return files.digest(b"".join(parts))


def _training_part(source: str, pipeline: Pipeline, classes: Sequence[str], watch: Watch) -> ExampleSet:
    """Of data that are read as the run reads them; all of data without one."""
    data = as_read(source, pipeline.preprocessing, classes, watch)
    return data.held_out if data.train is None else data.train


def _begin(folder: Path, settings: Mapping[str, Any]) -> None:
    """Makes the folder, or asserts that it was begun with the same settings."""
    place = folder / SETTINGS
    if place.exists():
        before = _settings(place)
        others = [words for name, words in OTHERS.items() if before.get(name) != settings[name]]
        if others or before.get("version") != settings["version"]:
            raise InputError(
                f"{folder} was begun with {' and '.join(others) or 'another googlenet'}. Give the same to go on, or "
                "name another folder (--out)."
            )
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there and holds no features. Name a new folder (--out).")
    try:
        (folder / PARTS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} could not be made: {error.strerror}. Name another folder (--out).") from error
    if not place.exists():
        files.write_json(place, settings)


def _settings(place: Path) -> dict[str, Any]:
    try:
        return files.read_json(place)
    except InputError as error:
        raise InputError(f"{error} Remove {place.parent}, or name another folder (--out).") from error


def _surveyed(
    folder: Path, pipeline: Pipeline, part: ExampleSet, objectives: Sequence[Objective], watch: Watch
) -> Survey:
    """What was found in the data, now or by a call before."""
    place = folder / SURVEY
    if place.exists():
        return _read_survey(place, len(objectives), len(part), len(pipeline.preprocessing.canvas().mean))
    found = survey(pipeline, part, objectives, watch=watch)
    known = found.statistics
    numbers = {name: getattr(known, name).tolist() for name in NUMBERS}
    best = {"rows": found.rows.tolist(), "activations": found.activations.tolist()}
    files.write_json(place, {"examples": found.examples, "source": known.source} | numbers | best)
    return found


def _read_survey(place: Path, objectives: int, examples: int, channels: int) -> Survey:
    try:
        row = files.read_json(place)
        mean, covariance, low, high = (torch.tensor(row[name], dtype=torch.float32) for name in NUMBERS)
        known = Statistics(mean, covariance, low, high, str(row["source"]))
        rows, activations = np.array(row["rows"], np.int64), np.array(row["activations"], np.float32)
        shaped = rows.shape == activations.shape == (objectives, min(SHOWN, examples))
        shaped = shaped and mean.shape == low.shape == high.shape == (channels,)
        if not shaped or covariance.shape != (channels, channels) or row["examples"] != examples:
            raise ValueError("of something else")
        if not ((rows >= 0) & (rows < examples)).all() or not (low < high).all():
            raise ValueError("of something else")
        if not all(np.isfinite(each).all() for each in (activations, mean, covariance, low, high)):
            raise ValueError("numbers that are none")
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, InputError) as error:
        raise InputError(
            f"{place} is damaged ({str(error).rstrip('.')}). Remove it, and the data are looked through again."
        ) from error
    return Survey(rows, activations, known, examples)


def _drawn(
    folder: Path, pipeline: Pipeline, objectives: Sequence[Objective], known: Statistics, asked: Asked, report: Report
) -> tuple[Visualisation, int]:
    """All objectives, and how many of them had been drawn before; a part is kept as soon as it is done."""
    inputs, activations = [], []
    before = done = 0
    total = asked.steps * len(objectives)
    for number, chunk in enumerate(chunks_of(pipeline, objectives, asked.variety)):
        place = folder / PARTS / f"{number:04}.safetensors"
        if place.exists():
            part = _read_part(place, (len(chunk), asked.variety), pipeline.example(1))
            before += len(chunk)
        else:
            found = visualise(
                pipeline,
                chunk,
                statistics=known,
                steps=asked.steps,
                seed=asked.seed,
                variety=asked.variety,
                report=_shifted(report, done, total),
            )
            part = found.inputs, found.activations
            tensors = {"inputs": torch.from_numpy(part[0]), "activations": torch.from_numpy(part[1])}
            write_tensors(place, tensors, {"of": chunk[0].name})
        done += asked.steps * len(chunk)
        inputs.append(part[0])
        activations.append(part[1])
    whole = np.concatenate(inputs), np.concatenate(activations)
    return Visualisation(tuple(objectives), *whole, known.source, pipeline.preprocessing), before


def _shifted(report: Report, done: int, total: int) -> Callable[[int, int], None]:
    return lambda more, _: report(done + more, total)


def _read_part(place: Path, shape: tuple[int, ...], example: torch.Tensor) -> tuple[Array, Array]:
    """What was drawn by a call before: inputs of such a shape, each like an example ``(1, *input_shape)``."""
    reason = "of something else, or its numbers are none"
    try:
        tensors = read_tensors(place)[0]
        inputs, activations = tensors.get("inputs"), tensors.get("activations")
    except InputError:
        inputs, activations, reason = None, None, "damaged"
    if (
        inputs is None
        or activations is None
        or inputs.shape != (*shape, *example.shape[1:])
        or activations.shape != shape
        or (inputs.dtype, activations.dtype) != (example.dtype, torch.float32)
        or not (inputs.isfinite().all() and activations.isfinite().all())
    ):
        raise InputError(f"{place} is {reason}. Remove it, and it is drawn again; or name another folder (--out).")
    return inputs.numpy(), activations.numpy()


def _sheets(folder: Path, result: Features, title: str) -> Iterator[Path]:
    """The contact sheet: as PNG, and of lines as SVG too."""
    figure = result.found.figure(result.best, title)
    lines = isinstance(result.found.preprocessing.draw(result.found.inputs[0, 0]), Trace)
    for suffix in (".png", ".svg") if lines else (".png",):
        path = (folder / SHEET).with_suffix(suffix)
        saved(path, figure)
        yield path
