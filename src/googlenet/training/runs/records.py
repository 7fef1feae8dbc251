"""What a run folder says, file by file, as dataclasses with a version."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Of the records; a file without one is of version 1. In 2 a fingerprint is of what examples hold, not of their names
# alone, and an evaluation says what was left out.
VERSION = 2


@dataclass(frozen=True)
class EpochRow:
    """What an epoch came to.

    Attributes:
        epoch: Its number, from 1.
        loss: Mean training loss, nats.
        accuracy: Share of the training examples that were right, as they were changed at random.
        seconds: That it took.
        learning_rate: At its last step.
        validation_loss: Of the averaged weights on the validation part, if there is one.
        validation_accuracy: The same.
    """

    epoch: int
    loss: float
    accuracy: float
    seconds: float = 0.0
    learning_rate: float = 0.0
    validation_loss: float | None = None
    validation_accuracy: float | None = None

    def __post_init__(self) -> None:
        _check_types(self, int=("epoch",), float=("loss", "accuracy", "seconds", "learning_rate"))
        validation = [name for name in ("validation_loss", "validation_accuracy") if getattr(self, name) is not None]
        _check_types(self, float=validation)

    def to_dict(self) -> dict[str, Any]:
        """For JSON, without what is not known."""
        return {key: value for key, value in dataclasses.asdict(self).items() if value is not None}

    def without_time(self) -> dict[str, Any]:
        """:meth:`to_dict`, but for what no two trainings share."""
        return {key: value for key, value in self.to_dict().items() if key != "seconds"}


@dataclass(frozen=True)
class RunRecord:
    """What ``run.json`` says: everything that made the run, and what prediction needs.

    Attributes:
        data: What the user called the data.
        fingerprint: Which examples there were, see :func:`~googlenet.data.splits.fingerprint` (in version 1
            :func:`~googlenet.data.splits.fingerprint_by_names`); empty in the oldest runs, which do not say.
        examples: Part (``train``, ``validation``, ``test``) to its number of examples.
        classes: Class names.
        preprocessing: Of the network, as its ``to_dict`` gives it.
        recipe: As its ``to_dict`` gives it.
        bad_files: ``{"path", "reason"}`` of each file that was left out.
        googlenet: Version of this package.
        torch: Version of PyTorch.
        version: Of this record.
    """

    data: str
    fingerprint: str
    examples: Mapping[str, int]
    classes: Sequence[str]
    preprocessing: Mapping[str, Any]
    recipe: Mapping[str, Any]
    bad_files: Sequence[Mapping[str, str]] = ()
    googlenet: str = ""
    torch: str = ""
    version: int = VERSION

    def __post_init__(self) -> None:
        _check_types(self, dict=("examples", "preprocessing", "recipe"), list=("classes",), str=("data", "fingerprint"))


@dataclass(frozen=True)
class ClassScores:
    """How well one class is recognised.

    Attributes:
        label: Its name.
        precision: Share of the examples said to be of it that are; ``None`` where none was.
        recall: Share of its examples that were said to be of it; ``None`` where there are none.
        f1: The harmonic mean of both, 0 where none is right; ``None`` where there is neither.
        count: Its examples.
    """

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    count: int


@dataclass(frozen=True)
class GroupScores:
    """How well the examples of one group are recognised: a recording, a patient.

    Attributes:
        name: Of the group.
        count: Its examples.
        top1: Share of them that are right.
        confusion: Counts; rows are true classes, columns predicted ones.
    """

    name: str
    count: int
    top1: float
    confusion: Sequence[Sequence[int]]


@dataclass(frozen=True)
class ReliabilityBin:
    """Examples whose most probable class got about as much probability.

    Attributes:
        confidence: The mean of it.
        accuracy: Share of them that are of that class.
        count: Examples.
        interval: Between what the share may lie, at 95 %; empty in older records.
    """

    confidence: float
    accuracy: float
    count: int
    interval: Sequence[float] = ()


@dataclass(frozen=True)
class Shortcut:
    """One number of an example that tells its class nearly as well as the network.

    Attributes:
        name: Such as ``"the mean of channel 2"``.
        accuracy: Of a decision tree that sees it alone, on the same examples.
    """

    name: str
    accuracy: float


@dataclass(frozen=True)
class Evaluation:
    """How good a network is on labelled examples.

    Attributes:
        top1: Share of examples whose label is the most probable.
        top5: The same among the five most probable; ``None`` below 5 classes.
        nll: Mean negative log likelihood, nats.
        ece: Expected calibration error over 15 bins of equal width (Guo et al. 2017).
        count: Examples.
        per_class: Scores in the order of the classes.
        confusion: Counts; rows are true classes, columns predicted ones.
        part: On what: ``test``, ``validation``, or ``all`` where the data are not split.
        left_out: Examples of it that were not measured, because the network learned from them.
        learned: Examples that were measured although it learned from them.
        unknown: Weights that do not say what they learned from: it may be among what was measured.
        bad_files: ``{"path", "reason"}`` of each file that could not be read.
        shortcuts: Single numbers that tell the classes nearly as well; looked for at the end of a training.
        strangers: Classes that the network does not know, to their numbers of examples, which were not measured.
        notes: What the reader of the data said of them.
        by_group: Of each group (recording, patient) that examples are of; empty where they are of none.
        seen_groups: How many of these groups it learned from, too.
        interval: Of the true share right, at 95 %: what other examples of the kind may give, of other groups where
            they are of some. Empty in older records, as the next two.
        brier: Mean squared distance of the probabilities from the truth, from 0 to 2 (Brier 1950).
        reliability: From unsure to sure: a diagram of ``accuracy`` over ``confidence`` is on its diagonal where
            probabilities mean what they say.
        temperature: At which the probabilities are, see :mod:`~googlenet.inference.calibration.temperature`.
        calibrated_on: What that was found on; empty where on nothing.
        smoothing: Of labels, that is undone in them.
        version: Of this record.
    """

    top1: float
    top5: float | None
    nll: float
    ece: float
    count: int
    per_class: Sequence[ClassScores]
    confusion: Sequence[Sequence[int]]
    part: str = "all"
    left_out: int = 0
    learned: int = 0
    unknown: Sequence[str] = field(default_factory=list)
    bad_files: Sequence[Mapping[str, str]] = field(default_factory=list)
    shortcuts: Sequence[Shortcut] = field(default_factory=list)
    strangers: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = field(default_factory=list)
    by_group: Sequence[GroupScores] = field(default_factory=list)
    seen_groups: int = 0
    interval: Sequence[float] = field(default_factory=list)
    brier: float | None = None
    reliability: Sequence[ReliabilityBin] = field(default_factory=list)
    temperature: float = 1.0
    calibrated_on: str = ""
    smoothing: float = 0.0
    version: int = VERSION

    def __post_init__(self) -> None:
        _check_types(self, float=("top1", "nll", "ece"), int=("count",), list=("per_class", "confusion"), str=("part",))

    @property
    def measured(self) -> str:
        """How many examples a training was measured on, and of what kind they are."""
        if self.learned:
            return f"{self.count:,} that it learned from: none is new to it"
        if self.left_out:
            return (
                f"{self.count:,} held out, of {self.count + self.left_out:,}: the others were learned from, by content"
            )
        return f"{self.count:,} held out"

    @property
    def other_groups(self) -> int:
        """By how many groups it says something of others; 0 where there are none, or some were learned from."""
        groups = len(self.by_group)
        return 0 if self.seen_groups and groups > 1 else groups

    @property
    def doubt(self) -> str:
        """A sentence on the best shortcuts; empty where none was found."""
        if not self.shortcuts:
            return ""
        most = ", ".join(f"{one.name} ({one.accuracy:.4f})" for one in self.shortcuts[:3])
        return (
            f"Be careful: a single number tells these classes apart nearly as well as the network: {most}. It may have "
            "learned that and nothing else. If a device, a patient or an order in the file is behind it, the accuracy "
            "says nothing of new data."
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON; :meth:`from_dict` is its inverse."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Evaluation:
        """Reads what :meth:`to_dict` wrote."""
        scores = [ClassScores(**each) for each in row["per_class"]]
        found = [Shortcut(**each) for each in row.get("shortcuts", ())]
        groups = [GroupScores(**each) for each in row.get("by_group", ())]
        bins = [ReliabilityBin(**each) for each in row.get("reliability", ())]
        return cls(**{**row, "per_class": scores, "shortcuts": found, "by_group": groups, "reliability": bins})


_TYPES: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "list": (list, tuple),
    "dict": (dict,),
}


def _check_types(record: object, **fields: Sequence[str]) -> None:
    """Raises TypeError, which readers make a sentence of, unless fields are of the types that they are named under."""
    for kind, names in fields.items():
        for name in names:
            value = getattr(record, name)
            if not isinstance(value, _TYPES[kind]):
                raise TypeError(f"{name} is {value!r}")
