"""The main jobs from end to end, for the command line and for Python: a name or a path in, a run out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import files
from .data.builtin import BUILTIN
from .data.images import ImageData, Watch, find_images, hold_out
from .errors import InputError, unknown
from .evaluation import metrics, predicted
from .model import GoogLeNet
from .predictor import Predictor, load
from .report import Mistake, write_report
from .runfolder import EVALUATION, EXAMPLES, RUN
from .training.distributed import joined
from .training.loop import Report, preprocessing_for, train
from .training.recipe import PHOTOS, SMALL, Recipe, find_recipe


def find_data(source: str, watch: Watch = lambda items, _: items) -> ImageData:
    """A built-in data set by name, or a folder or CSV of pictures.

    Raises:
        InputError: If it is neither, or has no usable pictures.
    """
    if source in BUILTIN:
        return BUILTIN[source]()
    if not Path(source).exists() and "/" not in source and "." not in source:
        raise unknown("folder or built-in data set", source, BUILTIN)
    return find_images(source, watch)


def choose_recipe(data: ImageData, name: str | None, changes: Mapping[str, str]) -> Recipe:
    """The recipe of that name, or the one for pictures of this size, fitted to their number, then changed."""
    recipe = find_recipe(name) if name else (SMALL if data.size else PHOTOS)
    return recipe.fitted(len(data.train or ())).with_changes(changes)


def training_job(data: ImageData, recipe: Recipe, run: Path, *, resume: bool, report: Report) -> dict[str, Any] | None:
    """Trains, evaluates the final weights once on the held-out part, and writes the report.

    Returns:
        The evaluation, see :func:`googlenet.evaluation.metrics`; ``None`` in processes that do not lead.

    Raises:
        InputError: If the folder already holds a run and ``resume`` is not set.
    """
    if not resume and (run / RUN).exists():
        raise InputError(f"{run} already holds a run. Go on with it (--resume), or name another folder (--out).")
    with joined() as world:
        if data.validation is None and data.test is None:
            data = hold_out(data, 0.2, recipe.seed)
        model = train(data, recipe, run, world, resume, report)
        return finish(data, model, recipe, run) if world.leads else None


def finish(data: ImageData, model: GoogLeNet, recipe: Recipe, run: Path) -> dict[str, Any]:
    """Evaluates a trained network and writes ``evaluation.json``, ``report.html`` and examples."""
    images = data.held_out
    predictor = Predictor([model], data.classes, preprocessing_for(data, recipe))
    probabilities, labels = predicted(predictor, images, data.classes)
    result = metrics(probabilities, labels, data.classes)
    files.write_json(run / EVALUATION, result)
    mistakes = Mistake.most_confident(probabilities, labels, data.classes, images, predictor.preprocessing)
    write_report(run, model, result, mistakes)
    if data.name in BUILTIN:
        _write_examples(images, data.classes, run / EXAMPLES)
    return result


def _write_examples(images: Any, classes: tuple[str, ...], folder: Path) -> None:
    from PIL import Image

    folder.mkdir(exist_ok=True)
    for row in range(8):
        name = classes[int(images.labels[row])].replace("/", "-")
        Image.fromarray(images.pixels[row].squeeze(0).numpy()).save(folder / f"{row}-{name}.png")


def evaluation_job(
    runs: list[str], source: str, crops: int = 1, watch: Watch = lambda items, _: items
) -> dict[str, Any]:
    """Metrics of one run, or of the mean probability of several, on a data set's held-out part."""
    predictor = load(*runs)
    data = find_data(source, watch)
    if data.validation is None and data.test is None and data.train is not None:
        # A plain folder: the part that the run held out if it was trained on it, else every picture.
        record = files.read_json(Path(runs[0]) / RUN) if (Path(runs[0]) / RUN).exists() else {}
        if record.get("data") == data.name:
            data = hold_out(data, 0.2, record["recipe"]["seed"])
    probabilities, labels = predicted(predictor, data.held_out, data.classes, crops)
    return metrics(probabilities, labels, predictor.classes)


def default_run(source: str) -> Path:
    """``runs/NAME``, or ``runs/NAME-2`` and so on if that is taken."""
    name = Path(source).stem or "run"
    folder, number = Path("runs") / name, 1
    while (folder / RUN).exists():
        number += 1
        folder = Path("runs") / f"{name}-{number}"
    return folder
