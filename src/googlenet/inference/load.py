"""From runs, weight files and exported models to predictors. Exported models need no PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.images.pictures import Preprocessing
from ..data.signals.preprocessing import SignalPreprocessing
from ..errors import InputError, unknown
from .engines.engine import Engine
from .engines.formats import FORMATS
from .images import ImagePredictor
from .signals import SignalPredictor

if TYPE_CHECKING:
    from .pipeline import WholeNetwork

AnyPreprocessing = Preprocessing | SignalPreprocessing


def load(*sources: str | Path, engine: str | None = None) -> ImagePredictor | SignalPredictor:
    """A predictor from runs, weights or one exported model.

    Args:
        *sources: Run folders, weight files or names of ``googlenet weights list``, whose probabilities are averaged; or
            a file of ``googlenet export``.
        engine: ``openvino``, ``onnx`` or ``torch`` to compute with; by default the fastest that is installed, see
            :func:`fastest`. An exported model brings its own.

    Raises:
        InputError: If one is missing, has no classes, or they do not have the same classes and input.
    """
    if engine is not None and engine not in FORMATS:
        raise unknown("engine", engine, FORMATS)
    form = format_of(sources[0])
    if form is not None:
        if len(sources) > 1:
            raise InputError("Exported models are used one at a time; export several runs together instead.")
        if engine not in (None, form):
            raise InputError(f"{sources[0]} is for the engine {form!r}, not {engine!r}.")
        found, notes = FORMATS[form].load().read(Path(sources[0]))
        return predictor_with(found, notes["classes"], preprocessing_of(notes["preprocessing"]))
    network, classes = load_network(*sources)
    name = engine or fastest(network)
    return predictor_with(FORMATS[name].load().engine_of(network), classes, network.preprocessing)


def format_of(source: str | Path) -> str | None:
    """The format of an exported model, by its suffix; ``None`` for a run or weights."""
    return next((name for name, form in FORMATS.items() if form.suffix == Path(source).suffix), None)


def load_network(*runs: str | Path) -> tuple[WholeNetwork, tuple[str, ...]]:
    """The networks of run folders or weight files, together, and their classes.

    Raises:
        InputError: As of :func:`load`.
    """
    from ..weights.checkpoint import network_of
    from ..weights.create import read_source
    from .pipeline import WholeNetwork

    models, kinds = [], []
    for run in runs:
        weights = read_source(run)
        header = weights.header
        if "classes" not in header.extra or "preprocessing" not in header.extra:
            raise InputError(
                f"{run} does not say which classes it tells apart, or what it reads, as runs do; begin a training with "
                f"it: googlenet train DATA --weights {run}"
            )
        models.append(network_of(weights))
        kinds.append((tuple(header.extra["classes"]), header.extra["preprocessing"]))
    for run, kind in zip(runs, kinds, strict=True):
        if kind[0] != kinds[0][0]:
            raise InputError(f"{run} has other classes than {runs[0]}.")
        for name, value in kinds[0][1].items():
            if kind[1].get(name) != value:
                raise InputError(
                    f"{run} reads its inputs with another {name} ({kind[1].get(name)}) than {runs[0]} ({value}); only "
                    "networks that read the same are averaged."
                )
    return WholeNetwork(models, preprocessing_of(kinds[0][1])), kinds[0][0]


def fastest(network: WholeNetwork) -> str:
    """The engine that is fastest for networks in memory: PyTorch on a GPU and for signals, which are small; for
    pictures on a CPU OpenVINO where it is installed. (ONNX Runtime computes in float32, no faster than PyTorch in
    bfloat16, and its graph takes seconds to make.)"""
    from ..nn.device import best_device

    wants_openvino = network.reads_pictures and best_device().type == "cpu"
    return "openvino" if wants_openvino and FORMATS["openvino"].installed else "torch"


def predictor_with(
    engine: Engine, classes: Sequence[str], preprocessing: AnyPreprocessing
) -> ImagePredictor | SignalPredictor:
    """The predictor for what the engine reads."""
    if isinstance(preprocessing, SignalPreprocessing):
        return SignalPredictor(engine, classes, preprocessing)
    return ImagePredictor(engine, classes, preprocessing)


def preprocessing_of(row: dict[str, Any]) -> AnyPreprocessing:
    """What a preprocessing's ``to_dict`` wrote."""
    return SignalPreprocessing.from_dict(row) if row.get("kind") == "signal" else Preprocessing.from_dict(row)
