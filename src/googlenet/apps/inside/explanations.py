"""Explanations from end to end, for the command line: a run and inputs in, records with figures out."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.protocol import Dataset, Example, ExampleSet, Watch, unwatched
from ...data.walk import is_read
from ...errors import InputError, several, unknown
from ...errors import count as counted
from ...explain.branches.ablation import FILLS, Ablation, ablation
from ...explain.branches.scales import Scales, scales
from ...explain.explainer import Explainer, Prepared
from ...explain.explanation import BranchExplanation, Explanation, NearestExplanation, Similar
from ...explain.figures import check_format, saved
from ...explain.maps.attribution import METHODS, find_method
from ...explain.neighbours import features, nearest
from ...inference.predictor import read_example
from ..measure.held_out import HeldOut, as_read, held_out, remarks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BRANCHES, ABLATION, NEAREST = "branches", "ablation", "nearest"
OF_SETS = (BRANCHES, ABLATION)  # what can be measured over a set
MOST = {BRANCHES: 20, ABLATION: 1000}  # examples of a set, unless more are asked for
NEIGHBOURS = 5
Record = Explanation | BranchExplanation | NearestExplanation


@dataclass(frozen=True)
class Wanted:
    """What is to be explained, and how.

    Attributes:
        method: ``branches``, ``ablation``, ``nearest``, or a key of
            :data:`~googlenet.explain.maps.attribution.METHODS`.
        label: The class to explain; ``None`` for the most probable one of each.
        against: The class that it is held against.
        at: A place inside the network.
        seed: Of chance.
        most: Examples of a set; ``None`` for :data:`MOST`.
        fill: Of an ablation; ``None`` for the mean.
    """

    method: str = "cam"
    label: str | None = None
    against: str | None = None
    at: str | None = None
    seed: int = 0
    most: int | None = None
    fill: str | None = None

    def check(self, inputs: Sequence[str], data: str | None) -> None:
        """Raises the sentence for what does not go together, before anything is loaded."""
        if self.method not in (BRANCHES, ABLATION, NEAREST):
            find_method(self.method) if self.method in METHODS else _refuse(self.method)
        if self.method == ABLATION and (inputs or data is None):
            raise InputError("Ablation is measured over a set: googlenet explain RUN --method ablation --data DATA.")
        if self.method == NEAREST and (not inputs or data is None):
            raise InputError(
                "Name inputs, and with --data the set whose training part is searched for what is like them."
            )
        if self.method in METHODS and data is not None:
            raise InputError(
                f"{self.method} explains inputs one by one; --data is for {', '.join((*OF_SETS, NEAREST))}."
            )
        self._check_options(over_a_set=data is not None and self.method != NEAREST)
        if bool(inputs) == (data is not None) and self.method != NEAREST:
            raise InputError("Name what to explain: either inputs or, of branches and ablation, a set with --data.")

    def _check_options(self, over_a_set: bool) -> None:
        """Raises the sentence for an option that would do nothing."""
        if self.fill is not None and (self.method != ABLATION or self.fill not in FILLS):
            raise InputError(f"--fill is {' or '.join(FILLS)}, and for --method ablation.")
        if self.most is not None and not over_a_set:
            raise InputError("--most is for a set (--data) of branches and ablation.")
        if self.at is not None and self.method in (BRANCHES, ABLATION, NEAREST):
            raise InputError(f"{self.method} looks at every module; leave --at out.")
        if self.at == "":
            raise InputError("--at names no place; name one such as 4a or 4a.5x5.")
        if self.method in (ABLATION, NEAREST) and (self.label, self.against) != (None, None):
            raise InputError(f"--class and --against are not for {self.method}.")
        if over_a_set and self.against is not None and self.label is None:
            raise InputError("Over a set --against needs --class too, or examples of that class are held against it.")


def _refuse(method: str) -> None:
    """Raises the sentence for a method that there is not, or that is wrong on these networks."""
    try:
        find_method(method)
    except InputError as error:
        if "There is no" in str(error):
            raise unknown("method", method, (*METHODS, BRANCHES, ABLATION, NEAREST)) from None
        raise


def each_explained(
    explainer: Explainer, sources: Iterable[str], wanted: Wanted, data: str | None = None, watch: Watch = unwatched
) -> Iterator[Record | Example]:
    """Explanations of inputs, in order; what cannot be read is an example with its error.

    Args:
        explainer: Of a run.
        sources: Paths.
        wanted: What to explain.
        data: Of ``nearest``: where to search.
        watch: Wraps what takes long.
    """
    explain = _explaining(explainer, wanted, data, watch)
    for each in explainer.prepare(sources):
        yield each if isinstance(each, Example) else explain(each)


def _explaining(explainer: Explainer, wanted: Wanted, data: str | None, watch: Watch) -> Callable[[Prepared], Record]:
    if wanted.method == NEAREST:
        assert data is not None
        return _search(explainer, data, watch)
    if wanted.method == BRANCHES:
        return lambda example: explainer.explained_by_branch(example, wanted.label, wanted.against)
    return lambda example: explainer.explained(
        example, wanted.method, wanted.label, wanted.against, wanted.at, wanted.seed
    )


def over_set(
    run: str, explainer: Explainer, source: str, wanted: Wanted, watch: Watch = unwatched
) -> tuple[Scales | Ablation, list[str]]:
    """What branches do over a labelled set: its held-out part, or as many of it as are asked for, taken by chance.

    Args:
        run: As the user called it.
        explainer: Of it.
        source: The data.
        wanted: ``branches`` or ``ablation``.
        watch: Wraps what takes long.

    Returns:
        It, and sentences on what was left out.

    Raises:
        InputError: If the data cannot be read, the network knows none of their classes, or learned from all.
    """
    there = held_out({run: explainer.predictor.learned}, explainer.predictor, source, watch)
    if not there.new:
        raise there.nothing_new([run], "Name other data.")
    rows, most = there.new, wanted.most or MOST[wanted.method]
    if len(rows) > most:
        rows = sorted(np.random.default_rng(wanted.seed).choice(rows, most, replace=False).tolist())
    part, classes = there.data.held_out.subset(rows), there.data.classes
    labels = [explainer.classes.index(classes[label]) for label in part.labels.tolist()]
    return _over(explainer, part, labels, wanted, watch), _left_out(there)


def _over(
    explainer: Explainer, part: ExampleSet, labels: Sequence[int], wanted: Wanted, watch: Watch
) -> Scales | Ablation:
    preprocessing = explainer.pipeline.preprocessing
    if wanted.method == ABLATION:
        inputs = np.concatenate([read_example(each, preprocessing) for each in part.examples(preprocessing)])
        return ablation(explainer.pipeline, inputs, labels, "zero" if wanted.fill == "zero" else "mean", watch)
    examples = list(part.examples(preprocessing))
    found = [
        explainer.explained_by_branch(explainer.prepared(each), wanted.label, wanted.against).found
        for each in watch(examples, "examples explained")
    ]
    return scales(found, explainer.classes)


def _left_out(there: HeldOut) -> list[str]:
    """What there is to say of examples that are not measured."""
    said = _said_of(there.data)
    if learned := len(there.known) - len(there.new):
        said.append(f"{learned:,} examples were learned from, by content, and are left out.")
    if there.strangers:
        many = sum(there.strangers.values())
        said.append(
            f"{many:,} examples are of classes that the network does not know ({several(list(there.strangers))})."
        )
    if there.unknown:
        said.append("What the network learned from is not known: these examples may be among it.")
    return said


def _said_of(data: Dataset) -> list[str]:
    said = remarks(data)
    if bad := data.bad:
        said.append(f"{counted(len(bad), 'file')} could not be read, {bad[0].path} first: {bad[0].reason}.")
    return said


def _search(explainer: Explainer, source: str, watch: Watch) -> Callable[[Prepared], NearestExplanation]:
    """What finds in the training part of a set the examples that are most like one."""
    data = as_read(source, explainer.pipeline.preprocessing, explainer.classes, watch)
    for sentence in _said_of(data):
        warnings.warn(sentence, RuntimeWarning, stacklevel=2)
    part = data.train if data.train is not None else data.held_out
    preprocessing = explainer.pipeline.preprocessing
    step = preprocessing.most
    starts = range(0, len(part), step)

    def read(rows: Sequence[int]) -> Any:
        return np.concatenate([read_example(each, preprocessing) for each in part.subset(rows).examples(preprocessing)])

    known = [
        features(explainer.pipeline, read(range(start, min(start + step, len(part)))))
        for start in watch(starts, "batches searched")
    ]

    def find(example: Prepared) -> NearestExplanation:
        found = nearest(features(explainer.pipeline, example.inputs), known, NEIGHBOURS)[0]
        similar = [
            Similar(
                part.names[each.row],
                data.classes[int(part.labels[each.row])],
                each.similarity,
                preprocessing.draw(read([each.row])[0]),
            )
            for each in found
        ]
        best = int(example.probabilities.argmax())
        drawing = preprocessing.draw(example.inputs[0])
        sure = float(example.probabilities[best])
        return NearestExplanation(example.name, explainer.classes[best], sure, drawing, tuple(similar))

    return find


class Figures:
    """Where figures go: one file, or a folder of some.

    Args:
        out: A file that ends in ``.png`` or ``.svg``, or a folder, which is made.
        method: Named in the files of a folder.
        read: What is read, which no figure may replace.

    Raises:
        InputError: For a file of another kind, or one that is read.
    """

    def __init__(self, out: Path, method: str, read: Sequence[str] = ()) -> None:
        self.out, self.method = out, method
        self.read = [Path(each) for each in read]
        self.folder = out.is_dir() or not out.suffix
        self.used: set[str] = set()
        if not self.folder:
            check_format(out)
            self._check_unread(out)
        elif out.exists() and not out.is_dir():
            raise InputError(f"{out} is there and is no folder; a figure ends in .png or .svg (--out).")

    def write(self, name: str, figure: Figure) -> Path:
        """Writes a figure and gives its path.

        Args:
            name: Of what it shows.
            figure: It.

        Raises:
            InputError: If it cannot be written, or is the second for one file.
        """
        path = self.out
        if self.folder:
            self.out.mkdir(parents=True, exist_ok=True)
            stem = re.sub(r"\.\w+$", "", Path(name).name)  # of a row of a table its number stays
            path = self.out / self._free(re.sub(r"[^\w.-]+", "-", stem).strip("-.")[:80] or "example")
        elif self.used:
            raise InputError(f"{self.out} holds one figure; name a folder for those of several examples (--out).")
        self.used.add(path.name)
        self._check_unread(path)
        saved(path, figure)
        return path

    def _check_unread(self, path: Path) -> None:
        """Raises the sentence for a file that is read, or lies in the folder of a run that is."""
        for each in self.read:
            inside = (each / "run.json").exists() and path.parent.exists() and path.parent.samefile(each)
            if inside or is_read(path, str(each)):
                raise InputError(f"{path} would replace what is read; name another place for figures (--out).")

    def _free(self, stem: str) -> str:
        read = {each.resolve() for each in self.read}
        numbers = chain([""], (f"-{number}" for number in count(2)))
        names = (f"{stem}-{self.method}{number}.png" for number in numbers)
        return next(name for name in names if name not in self.used and (self.out / name).resolve() not in read)
