"""The main jobs from end to end, for the command line and for Python: a name or a path in, a run out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from .. import files
from ..data.builtin import BUILTIN
from ..data.images.folders import ImageData, Watch, find_images
from ..data.signals.dataset import SignalData, find_signals, holds_signals
from ..data.splits import fingerprint, hold_out
from ..errors import InputError, unknown
from ..inference.calibration import examples_from
from ..inference.engines.formats import FORMATS
from ..inference.engines.torch import engine_of
from ..inference.evaluate import Floats, metrics, predicted
from ..inference.export import Comparison, export
from ..inference.images import ImagePredictor
from ..inference.load import format_of, load, load_network, predictor_with
from ..inference.pipeline import WholeNetwork
from ..inference.signals import SignalPredictor
from ..nn.googlenet import GoogLeNet, mean_probabilities
from ..training.distributed import joined
from ..training.features import train_on_features
from ..training.loop import Report, train
from ..training.recipe import Recipe, find_recipe
from ..training.runs import EVALUATION, EXAMPLES, RUN
from ..training.task import Task, default_recipe
from ..training.transfer import fitted_to, task_and_start
from ..weights.checkpoint import Weights, network_of
from ..weights.create import read_source
from ..weights.foreign.runtimes import other_side
from ..weights.formats import read as read_weights
from ..weights.formats import write as write_weights
from .report.page import examples_for, write_report

HELD_OUT = 0.2  # of data that are not split


@dataclass(frozen=True)
class Columns:
    """Which columns of a table of signals mean what; ``None`` to find out from their names."""

    target: str | None = None
    group: str | None = None
    channel: str | None = None


def find_data(
    source: str, watch: Watch = lambda items, _: items, columns: Columns = Columns()
) -> ImageData | SignalData:
    """A built-in data set by name, a folder or CSV of pictures, or a table of signals.

    Raises:
        InputError: If it is none of them, or has nothing to learn from.
    """
    if source in BUILTIN:
        return BUILTIN[source]()
    if holds_signals(source):
        return find_signals(source, columns.target, columns.group, columns.channel)
    if not Path(source).exists() and "/" not in source and "." not in source:
        raise unknown("folder, table or built-in data set", source, BUILTIN)
    return find_images(source, watch)


def choose_recipe(data: ImageData | SignalData, name: str | None, changes: Mapping[str, str]) -> Recipe:
    """The recipe of that name, or the one for data of this kind and size, fitted to the weights that it begins with,
    changed, and fitted to the number of examples. Epochs that are asked for are all there are."""
    recipe = find_recipe(name) if name else default_recipe(data)
    if changes.get("weights"):
        recipe = fitted_to(recipe, read_source(changes["weights"]))
    if "epochs" in changes:
        changes = {"class_epochs": "0", "min_steps": "0"} | dict(changes)
    return recipe.with_changes(changes).fitted(len(data.train or ()), len(data.classes))


def training_job(
    data: ImageData | SignalData, recipe: Recipe, run: Path, *, resume: bool, report: Report
) -> dict[str, Any] | None:
    """Trains, evaluates the final weights once on the held-out part, and writes the report.

    Returns:
        The evaluation, see :func:`googlenet.inference.evaluate.metrics`; ``None`` in processes that do not lead.

    Raises:
        InputError: If the folder already holds a run and ``resume`` is not set.
    """
    if not resume and (run / RUN).exists():
        raise InputError(f"{run} already holds a run. Go on with it (--resume), or name another folder (--out).")
    with joined() as world:
        if data.validation is None and data.test is None:
            data = hold_out(data, HELD_OUT, recipe.seed)
        task, start = task_and_start(data, recipe)
        if start is not None and recipe.freeze == "features":
            model = train_on_features(task, start, recipe, run) if world.leads else start
        else:
            model = train(task, recipe, run, world, resume, report, start)
        return finish(task, model, run) if world.leads else None


def finish(task: Task, model: GoogLeNet, run: Path) -> dict[str, Any]:
    """Evaluates a trained network and writes ``evaluation.json``, ``report.html`` and examples."""
    data = task.data
    network = WholeNetwork([model], task.preprocessing)
    predictor = predictor_with(engine_of(network), data.classes, task.preprocessing)
    result, probabilities, labels = _measured(predictor, data)
    files.write_json(run / EVALUATION, result)
    write_report(run, model, result, examples_for(network, data.classes, data.held_out, probabilities, labels))
    if data.name in BUILTIN and isinstance(data, ImageData):
        _write_examples(data.held_out, data.classes, run / EXAMPLES)
    return result


def _write_examples(images: Any, classes: tuple[str, ...], folder: Path) -> None:
    from PIL import Image

    folder.mkdir(exist_ok=True)
    for row in range(8):
        name = classes[int(images.labels[row])].replace("/", "-")
        Image.fromarray(images.pixels[row].squeeze(0).numpy()).save(folder / f"{row}-{name}.png")


def evaluation_job(
    runs: list[str],
    source: str,
    crops: int = 1,
    watch: Watch = lambda items, _: items,
    columns: Columns = Columns(),
) -> dict[str, Any]:
    """Metrics of one run, or of the mean probability of several, on a data set's held-out part.

    Returns:
        See :func:`googlenet.inference.evaluate.metrics`; and ``part``, on what: ``test``, ``validation``, or ``all``
        where the data are not split and no run learned from them.

    Raises:
        InputError: If the data cannot be read, or runs learned from different parts of them.
    """
    data = find_data(source, watch, columns)
    if data.validation is None and data.test is None:
        data = _split_as_in(runs, data)
    # PyTorch, as at the end of training: figures of a run do not depend on what else is installed.
    predictor = load(*runs, engine=None if format_of(runs[0]) else "torch")
    return _measured(predictor, data, crops)[0]


def _measured(
    predictor: ImagePredictor | SignalPredictor, data: ImageData | SignalData, crops: int = 1
) -> tuple[dict[str, Any], Floats, npt.NDArray[np.int64]]:
    """Metrics on the held-out part and which that is, the probabilities, and the labels."""
    part = "test" if data.test is not None else "validation" if data.validation is not None else "all"
    probabilities, labels = predicted(predictor, data.held_out, data.classes, crops)
    return metrics(probabilities, labels, predictor.classes) | {"part": part}, probabilities, labels


def _split_as_in(runs: list[str], data: ImageData | SignalData) -> ImageData | SignalData:
    """The data with the part held out that the runs held out that learned from them; whole if none did."""
    seeds: dict[int, str] = {}
    for run in runs:
        path = (Path(run) if Path(run).is_dir() else Path(run).parent) / RUN
        record = files.read_json(path) if path.exists() else {}
        if record.get("fingerprint") == fingerprint(data):
            seeds.setdefault(record["recipe"]["seed"], run)
    if len(seeds) > 1:
        (seed, run), (other_seed, other) = list(seeds.items())[:2]
        raise InputError(
            f"{run} and {other} held out different parts of {data.name} (seeds {seed} and {other_seed}): no part "
            "is new to both. Evaluate them one by one, or on other data."
        )
    return hold_out(data, HELD_OUT, next(iter(seeds))) if seeds else data


def export_job(runs: list[str], form: str, out: Path | None, int8: str | None) -> tuple[Path, Comparison]:
    """Writes a run, or several as one that averages their probabilities, for other programs.

    Args:
        runs: Run folders or weight files.
        form: A key of :data:`~.deploy.formats.FORMATS`.
        out: The file, or a folder for it; by default beside the weights.
        int8: Pictures or signals to calibrate 8 bits with; ``None`` for float32.

    Raises:
        InputError: If it cannot be written, or does not compute what PyTorch computes.
    """
    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
    network, classes = load_network(*runs)
    suffix = FORMATS[form].suffix
    first = Path(runs[0])
    out = out or (first if first.is_dir() else first.parent)
    if out.is_dir() or not out.suffix:
        out = out / f"model{'-int8' if int8 else ''}{suffix}"
    if out.suffix != suffix:
        raise InputError(f"A file for {form} ends in {suffix}, and {out} does not.")
    notes = {
        "classes": classes,
        "preprocessing": network.preprocessing.to_dict(),
        "arch": [json.loads(model.arch.to_json()) for model in network.networks],
    }
    calibration = None if int8 is None else examples_from(int8, network.preprocessing)
    return out, export(network, notes, form, out, calibration)


def convert_job(source: str, target: Path, bf16: bool) -> list[str]:
    """Writes weights in another format, reads them back, and compares the networks, also with the other side's program
    where one is installed.

    Returns:
        Sentences: what is peculiar, what was written, how far the probabilities differ.

    Raises:
        InputError: If a tensor is missing, left over or of another shape, the format has no names for the network, or
            what was written does not compute the same; a file that was there stays then.
    """
    weights = read_source(source)
    if bf16:
        if target.suffix != ".safetensors":
            raise InputError("--bf16 is for .safetensors; the other formats keep float32.")
        halved = {k: t.bfloat16() if t.is_floating_point() else t for k, t in weights.tensors.items()}
        weights = replace(weights, tensors=halved)
    with files.fresh(target) as new:
        write_weights(weights, new)
        again = read_weights(new)
        differences = _differences(weights, again, new)
        for name, difference in differences.items():
            if not difference <= 1e-4:
                raise InputError(f"{name}, {target} would give other probabilities, by {difference:.2g}; not written.")
    count = sum(tensor.numel() for tensor in again.tensors.values())
    within = "; ".join(f"{name}, probabilities within {difference:.1g}" for name, difference in differences.items())
    said = [*weights.quirks, f"{target}: {len(again.tensors)} tensors, {count:,} numbers; {within}."]
    if weights.header.arch.transform_input and not again.header.arch.transform_input:
        said.append(
            f"{target.suffix} does not say that the input is transformed: tell its reader transform_input=True."
        )
    return said


@torch.inference_mode()
def _differences(weights: Weights, again: Weights, path: Path) -> dict[str, float]:
    """How far the probabilities of weights that were written and read again, and those of whoever else runs the file,
    are from those of the original, each reading the same input in its own way."""
    header = weights.header
    size = (header.extra.get("preprocessing") or {}).get("size", header.arch.input_size[0])
    shape = (2, header.in_channels * header.arch.members, *[size] * header.arch.dims)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    arch = replace(again.header.arch, transform_input=header.arch.transform_input)  # .pth has no place for it
    reread = network_of(replace(again, header=replace(again.header, arch=arch)))
    answers = {"read back": mean_probabilities(reread(_as_read_by(again, weights, x)))}
    answers |= [answer for answer in [other_side(path, header, x)] if answer is not None]
    wanted = mean_probabilities(network_of(weights)(x))
    return {name: float((found - wanted).abs().max()) for name, found in answers.items()}


def _as_read_by(reader: Weights, writer: Weights, x: torch.Tensor) -> torch.Tensor:
    """What one set of weights reads of the pixels that are x to another."""
    rows = [weights.header.extra.get("preprocessing") for weights in (writer, reader)]
    if reader.header.arch.dims != 2 or None in rows:
        return x
    (mean, std), (other_mean, other_std) = (
        [torch.tensor(row[name]).view(-1, 1, 1) for name in ("mean", "std")] for row in rows if row is not None
    )
    return (x * std + mean - other_mean) / other_std


def default_run(source: str) -> Path:
    """``runs/NAME``, or ``runs/NAME-2`` and so on if that is taken."""
    return next(folder for folder in _folders_for(source) if not (folder / RUN).exists())


def latest_run(source: str) -> Path:
    """The last run that :func:`default_run` gave a folder.

    Raises:
        InputError: If there is none.
    """
    runs = list(takewhile(lambda folder: (folder / RUN).exists(), _folders_for(source)))
    if not runs:
        raise InputError(f"There is no {next(_folders_for(source))} to go on with. Name the run: --out FOLDER.")
    return runs[-1]


def _folders_for(source: str) -> Iterator[Path]:
    name = Path(source).stem or "run"
    yield Path("runs") / name
    yield from (Path("runs") / f"{name}-{number}" for number in count(2))
