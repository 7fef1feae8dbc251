"""What of a user's data a run can be measured on: examples of classes that it knows and did not learn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from ...data.find import Columns, find_data
from ...data.protocol import Dataset, ExampleSet, Preprocessing, Watch
from ...data.splits import HELD_OUT, fingerprint_by_names, hold_out
from ...errors import InputError
from ...inference.predictor import Predictor
from ...training.runs.origin import learned_by, run_of
from ...training.runs.reading import Learned


@dataclass(frozen=True)
class HeldOut:
    """Data, and which rows of its held-out part there are to measure on.

    Attributes:
        data: It.
        known: Rows of classes that the network knows.
        new: Those of them that no run learned from.
        strangers: How many examples there are of each class that the network does not know.
        unknown: Runs of which nobody knows all that they learned from.
    """

    data: Dataset
    known: Sequence[int]
    new: Sequence[int]
    strangers: Mapping[str, int]
    unknown: Sequence[str]

    def nothing_new(self, runs: Sequence[str], instead: str) -> InputError:
        """The sentence for data from which the runs learned every example.

        Args:
            runs: As the user called them.
            instead: What to do about it.
        """
        many = len(self.known)
        them = "the only example" if many == 1 else f"all {many:,} examples"
        return InputError(
            f"{', '.join(runs)} learned from {them} of {self.data.name}: none is left to measure on. {instead}"
        )


def as_read(
    source: str, preprocessing: Preprocessing, classes: Sequence[str], watch: Watch, columns: Columns | None = None
) -> Dataset:
    """Finds data as a network reads them: its columns, and recordings cut as for its training.

    Args:
        source: The data.
        preprocessing: Of the network.
        classes: That it knows.
        watch: Wraps the list of files while they are checked.
        columns: Of a table.

    Raises:
        InputError: If they cannot be read.
    """
    columns = columns or Columns()
    cut = replace(columns.cut, like=getattr(preprocessing, "windows", None))
    return find_data(source, watch, replace(columns, cut=cut, like=preprocessing, known=tuple(classes)))


def remarks(data: Dataset) -> list[str]:
    """What there is to say of data, but for how they were read."""
    return [note for note in data.notes if not note.startswith("Read as")]


def said_by(runs: Sequence[str], predictor: Predictor) -> dict[str, Sequence[str]]:
    """What the networks of each run say of what they learned from.

    Args:
        runs: Whose probabilities are averaged, or one exported model of several.
        predictor: Of them.
    """
    each = [predictor.learned] if len(runs) == 1 else [(said,) for said in predictor.learned]
    return dict(zip(runs, each, strict=True))


def held_out(
    runs: Mapping[str, Sequence[str]],
    predictor: Predictor,
    source: str,
    watch: Watch,
    columns: Columns | None = None,
) -> HeldOut:
    """Finds data, and what of them there is to measure on.

    Args:
        runs: As the user called them, and what each says of what it learned from, :func:`said_by`.
        predictor: That reads the data: of one of them, or of them all.
        source: The data.
        watch: Wraps the list of files while they are checked.
        columns: Of a table.

    Raises:
        InputError: If the data cannot be read, or the network knows none of their classes.
    """
    data = as_read(source, predictor.preprocessing, predictor.classes, watch, columns)
    names = [data.classes[label] for label in data.held_out.labels.tolist()]
    known = [row for row, name in enumerate(names) if name in predictor.classes]
    strangers = Counter(name for name in names if name not in predictor.classes)
    if not known:
        raise InputError(
            f"The network knows none of the classes of {data.name} ({', '.join(map(repr, strangers))}); it knows "
            f"{', '.join(map(repr, predictor.classes))}."
        )
    learned = {run: _learned_by(run, said, data) for run, said in runs.items()}
    seen = frozenset[str]().union(*(each.contents for each in learned.values()))
    new = [known[row] for row in new_rows(data.held_out.subset(known), seen)]
    return HeldOut(data, known, new, dict(strangers), [run for run, each in learned.items() if not each.whole])


def new_rows(part: ExampleSet, learned: Collection[str]) -> list[int]:
    """The rows that a network did not learn from.

    Args:
        part: Some examples.
        learned: What it learned from, by content.
    """
    if not learned:
        return list(range(len(part)))
    return [row for row, content in enumerate(part.contents) if content not in learned]


def _learned_by(source: str, said: Sequence[str], data: Dataset) -> Learned:
    """What of the data the run of that name or path learned from, by content, as far as known."""
    run, learned = run_of(source), learned_by(source, said)
    if run is None or run.says_what_it_learned:
        return learned
    if run.record().fingerprint == fingerprint_by_names(data):  # a run of before, which knew them by their names
        split = data.validation is not None or data.test is not None
        train = (data if split else hold_out(data, HELD_OUT, run.recipe().seed)).train
        return Learned(frozenset(() if train is None else train.contents))
    return learned
