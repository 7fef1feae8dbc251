"""From runs, weight files and exported models to predictors. Exported models need no PyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..data.kinds import preprocessing_from
from ..errors import InputError, check_path, unknown, whole
from .calibration.temperature import UNKNOWN, Calibration, joint
from .engines.backend import BACKENDS, exported_for
from .engines.engine import class_names
from .predictor import Predictor

if TYPE_CHECKING:
    from ..data.protocol import Preprocessing
    from .pipeline import Pipeline


OF_ONE_PART = (  # the end of a sentence
    ": of signals, those that learned from the same ones. Give the data a validation part (a column split), so that a "
    "seed does not choose what is held out"
)
MANY = 2000  # examples after which the time is won back that OpenVINO takes to make its model


def load(
    *sources: str | Path,
    engine: str | None = None,
    examples: int = MANY,
    max_pixels: int | None = None,
    missing: Sequence[str] = (),
) -> Predictor:
    """A predictor from runs, weights or one exported model.

    Args:
        *sources: Run folders, weight files or names of ``googlenet weights list``, whose probabilities are averaged; or
            a file of ``googlenet export``.
        engine: ``openvino``, ``onnx`` or ``torch`` to compute with; by default the one that is done first, see
            :func:`fastest`. An exported model brings its own.
        examples: How many it is for, about.
        max_pixels: That the file of a picture may have; ``None`` for
            :data:`~googlenet.limits.MAX_PIXELS`.
        missing: Words that say in a table of signals that a value is missing, beside those of the table it learned
            from.

    Raises:
        InputError: If there is no source, one is missing or does not say what it reads, or they do not have the same
            classes and input.

    Warns:
        RuntimeWarning: Of what a weights file does not say and was guessed: how it reads pictures, names of classes.
    """
    if not sources:
        raise InputError("Name what to load: a run, a weights file, a name of the catalogue, or an exported model.")
    for source in sources:
        check_path("What is loaded (one argument each)", source)
    examples = whole("examples", examples, 0)
    max_pixels = None if max_pixels is None else whole("max_pixels", max_pixels)
    if isinstance(missing, str):
        raise InputError(f"missing is a sequence of words, such as ['ERR', '-'], not {missing!r}.")
    if engine is not None and engine not in BACKENDS:
        raise unknown("engine", engine, BACKENDS)
    exported = exported_for(sources[0])
    if exported is not None:
        if len(sources) > 1:
            raise InputError("Exported models are used one at a time; export several runs together instead.")
        if engine not in (None, exported):
            raise InputError(f"{sources[0]} is for the engine {exported!r}, not {engine!r}.")
        found, notes = BACKENDS[exported].load().read(Path(sources[0]))
        kept = notes.classes, preprocessing_from(notes.preprocessing), Calibration(**notes.calibration), notes.learned
    else:
        pipeline, classes = load_pipeline(*sources)
        found = BACKENDS[engine or fastest(pipeline, examples)].load().engine_of(pipeline)
        kept = classes, pipeline.preprocessing, pipeline.calibration, pipeline.learned
    return Predictor(found, kept[0], _reading(kept[1], max_pixels, missing), *kept[2:])


def _reading(preprocessing: Preprocessing, max_pixels: int | None, missing: Sequence[str]) -> Preprocessing:
    """It, with another limit on what it reads, and further words for what is missing."""
    changed: Any = preprocessing
    if max_pixels is not None:
        if not hasattr(changed, "max_pixels"):
            raise InputError(f"A number of pixels is for pictures; leave --max-pixels out for {preprocessing.kind}s.")
        changed = replace(changed, max_pixels=max_pixels)
    if missing:
        schema, windows = (getattr(changed, name, None) for name in ("schema", "windows"))
        if windows is not None:
            changed = replace(changed, windows=replace(windows, missing=(*windows.missing, *missing)))
        elif schema is not None:
            changed = replace(changed, schema=schema.with_missing(missing))
        else:
            raise InputError("Words for what is missing are for tables of signals; leave --missing out.")
    return cast("Preprocessing", changed)


def load_pipeline(*runs: str | Path) -> tuple[Pipeline, tuple[str, ...]]:
    """The networks of run folders or weight files, together, and their classes.

    Raises:
        InputError: As of :func:`load`.
    """
    from ..training.runs.origin import digest_said
    from ..weights.checkpoint import network_of
    from ..weights.create import kernels_of, read_source
    from .pipeline import Pipeline

    models, kinds, calibrations, opinions, learned = [], [], [], [], []
    for run in runs:
        weights = read_source(run)
        extra = weights.header.extra
        if "preprocessing" not in extra:
            raise InputError(
                f"{run} does not say what it reads, as runs do; write a file that does (googlenet convert {run} "
                f"NEW.safetensors, with --mean and --std), or begin a training with it: googlenet train DATA --weights "
                f"{run}"
            )
        for guess in weights.guesses:
            warnings.warn(guess, RuntimeWarning, stacklevel=1)
        names = class_names(extra["classes"], run) if "classes" in extra else _numbered(weights.header.num_classes, run)
        if len(names) != weights.header.num_classes:
            raise InputError(f"{run} is damaged: it names {len(names)} classes of {weights.header.num_classes}.")
        models.append(network_of(weights))
        learned.append(digest_said(extra))
        calibrations.append(_calibration_of(extra.get("calibration", {}), run))
        kinds.append((names, preprocessing_from(extra["preprocessing"])))
        if (opinion := kernels_of(weights, run)) is not None:
            opinions.append(opinion)
    _check_alike(runs, kinds)
    classes, preprocessing = kinds[0]
    readings = [each for _, each in kinds]
    return Pipeline(models, preprocessing, joint(calibrations), opinions, learned, readings), classes


def _check_alike(runs: Sequence[str | Path], kinds: Sequence[tuple[tuple[str, ...], Preprocessing]]) -> None:
    """That networks have the same classes and read the same examples; they may normalise them each in its way.

    Args:
        runs: Of them, for the sentence.
        kinds: Classes, and how each reads.
    """
    classes, preprocessing = kinds[0]
    for run, (other_classes, other) in zip(runs, kinds, strict=True):
        if other_classes != classes:
            raise InputError(f"{run} has other classes than {runs[0]}.")
        if other.kind != preprocessing.kind:
            raise InputError(f"{run} reads {other.kind}s, and {runs[0]} reads {preprocessing.kind}s.")
        rows = other.to_dict()
        for name, value in preprocessing.to_dict().items():
            if rows.get(name, value) != value and name not in preprocessing.of_views:  # files of before say not all
                shown = "" if isinstance(value, dict) else f" ({rows[name]})"
                first = "" if isinstance(value, dict) else f" ({value})"
                raise InputError(
                    f"{run} reads its inputs with another {name}{shown} than {runs[0]}{first}; only networks that read "
                    f"the same are averaged{OF_ONE_PART if other.kind == 'signal' else ''}."
                )


def _calibration_of(said: Any, run: str | Path) -> Calibration:
    """What weights say of it, and the sentence for a training that was stopped between its last epoch and its end."""
    if said is None:
        warnings.warn(
            f"{run} is not finished: its probabilities are not calibrated, nor is it measured. Go on with its training "
            "(--resume).",
            RuntimeWarning,
            stacklevel=2,
        )
        return UNKNOWN
    return Calibration.from_dict(said, run)


def _numbered(count: int, run: str | Path) -> tuple[str, ...]:
    """Names for classes that have none, and the sentence that says so."""
    warnings.warn(
        f"{run} does not name its {count} classes; they are numbered in its order, from 0 to {count - 1}.",
        RuntimeWarning,
        stacklevel=1,
    )
    return tuple(map(str, range(count)))


def fastest(pipeline: Pipeline, examples: int = MANY) -> str:
    """The engine that is done first with that many examples, for networks in memory.

    PyTorch on a GPU, for signals, which are small, and for few examples; for what may be computed in bfloat16 on a CPU
    OpenVINO where it is installed, whose model takes seconds to make. (ONNX Runtime computes in float32, no faster than
    PyTorch in bfloat16, and its graph takes seconds to make, too.)
    """
    from ..nn.device import best_device

    wants_openvino = examples >= MANY and pipeline.preprocessing.bf16 and best_device().type == "cpu"
    return "openvino" if wants_openvino and BACKENDS["openvino"].installed else "torch"
