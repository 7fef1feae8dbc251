"""Metrics of runs on data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from ...data.find import Columns
from ...data.protocol import Dataset, Watch, unwatched
from ...data.splits import alike
from ...inference.calibration.temperature import Calibration, Labels, Probabilities
from ...inference.engines.backend import exported_for
from ...inference.evaluate import by_group, metrics, predicted
from ...inference.load import load
from ...training.runs.records import Evaluation
from ..report.shortcuts import shortcuts
from .held_out import held_out, remarks, said_by


def evaluation_job(
    runs: Sequence[str],
    source: str,
    crops: int = 1,
    watch: Watch = unwatched,
    columns: Columns | None = None,
    everything: bool = False,
) -> Evaluation:
    """Metrics of one run, or of the mean probability of several, on a data set's held-out part; examples that a run
    learned from, by what they hold, are left out.

    Args:
        runs: Run folders, weight files, or one exported model.
        source: The data.
        crops: Of each picture.
        watch: Wraps the list of files while they are checked.
        columns: Of a table.
        everything: Whether those that a run learned from are measured too.

    Raises:
        InputError: If the data cannot be read, or the runs learned from all of them, or know none of their
            classes.
    """
    columns = columns or Columns()
    # PyTorch, as at the end of training: figures of a run do not depend on what else is installed.
    engine = None if exported_for(runs[0]) else "torch"
    predictor = load(*runs, engine=engine, max_pixels=columns.max_pixels)
    there = held_out(said_by(runs, predictor), predictor, source, watch, columns)
    if not there.new and not everything:
        raise there.nothing_new(runs, "Name other data, or measure on these all the same with --all.")
    learned = len(there.known) - len(there.new)
    rows = there.known if everything else there.new
    data = there.data
    answers = predicted(predictor, data.held_out.subset(rows), data.classes, crops)
    return replace(
        scores(predictor.calibration, *answers, predictor.classes, data, rows),
        unknown=list(there.unknown),
        learned=learned if everything else 0,
        left_out=0 if everything else learned,
        strangers=dict(there.strangers),
        notes=remarks(data),
    )


def scores(
    calibration: Calibration,
    probabilities: Probabilities,
    labels: Labels,
    classes: Sequence[str],
    data: Dataset,
    rows: Sequence[int],
) -> Evaluation:
    """Metrics on those rows of the held-out part, and shortcuts to them from what else there is.

    Args:
        calibration: Of the network.
        probabilities: ``(n, classes)``, of the rows.
        labels: ``(n,)``, of the rows.
        classes: That the network knows.
        data: With the held-out part.
        rows: Of that.
    """
    part = data.held_out.subset(rows)
    found = metrics(probabilities, labels, classes, data.held_out_name, alike(part))
    others = set(range(len(data.held_out))).difference(rows)
    rest = data.held_out.subset(sorted(others)) if data.train is data.held_out else data.train
    short = [] if rest is None or not len(rest) else shortcuts(rest, part, found.top1)
    bad = [asdict(file) for file in data.bad]
    groups = by_group(probabilities, labels, part.groups, len(classes)) if part.groups else []
    learned = () if data.train is None or data.train is data.held_out else data.train.groups
    return replace(
        found,
        left_out=len(others),
        bad_files=bad,
        shortcuts=short,
        by_group=groups,
        seen_groups=len(set(part.groups).intersection(learned)),
        temperature=calibration.temperature,
        calibrated_on=calibration.source,
        smoothing=calibration.smoothing,
    )
