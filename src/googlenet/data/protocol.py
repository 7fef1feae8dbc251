"""What pictures, signals and volumes are to everything above them: one protocol, asked and never tested for.
A *kind* of data brings a preprocessing, an example set and a loader: a row in :mod:`~googlenet.data.kinds`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from ..nn.canvas import Canvas

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Watch = Callable[[Sequence[Any], str], Any]


def unwatched(items: Sequence[Any], description: str) -> Sequence[Any]:
    """A :data:`Watch` that shows nothing."""
    return items


@dataclass(frozen=True)
class BadFile:
    """A file that was left out, and why."""

    path: str
    reason: str


class Example(NamedTuple):
    """One example, before it is read.

    Attributes:
        name: Where it comes from: a path, a row of a file, or ``#number``.
        content: What :meth:`Preprocessing.read` takes.
        inputs: It, prepared already, ``(*input_shape)``, or ``None``.
        error: Why it cannot be read, if that is known already.
        taken_for: What an object that says nothing of itself was taken for, such as ``"uint8 array (28, 28), grey"``.
    """

    name: str
    content: Any = None
    inputs: Array | None = None
    error: str | None = None
    taken_for: str = ""


@dataclass(frozen=True)
class Picture:
    """Pixels ``(1 or 3, height, width)``, uint8; what each place ``(rows, columns)`` added to an answer, if known."""

    pixels: npt.NDArray[np.uint8]
    evidence: Array | None = None


@dataclass(frozen=True)
class Trace:
    """Lines, ``(channels, length)``; what each stretch ``(places,)`` added to an answer, if that is known."""

    values: Array
    evidence: Array | None = None


Drawing = Picture | Trace


class Input(NamedTuple):
    """A tensor of a program's: its Open Inference Protocol datatype, and one example's shape, -1 for any length."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class Batch(NamedTuple):
    """Inputs ``(n, channels, *spatial)``, float32; labels and rows of the set, ``(n,)`` or ``(n, members)``."""

    inputs: Tensor
    labels: Tensor
    rows: Tensor


class Settings(Protocol):
    """What of a recipe concerns examples; :class:`~googlenet.training.recipe.Recipe` says what each means."""

    @property
    def seed(self) -> int: ...  # noqa: D102
    @property
    def members(self) -> int: ...  # noqa: D102
    @property
    def calibrate(self) -> bool: ...  # noqa: D102
    @property
    def balance(self) -> str: ...  # noqa: D102
    @property
    def cutmix(self) -> float: ...  # noqa: D102
    @property
    def crop(self) -> bool: ...  # noqa: D102
    @property
    def flip(self) -> bool: ...  # noqa: D102
    @property
    def shift(self) -> int: ...  # noqa: D102
    @property
    def cutout(self) -> int: ...  # noqa: D102
    @property
    def colour(self) -> float: ...  # noqa: D102
    @property
    def longest(self) -> int: ...  # noqa: D102
    @property
    def differences(self) -> bool: ...  # noqa: D102
    @property
    def slice(self) -> float: ...  # noqa: D102
    @property
    def warp(self) -> float: ...  # noqa: D102
    @property
    def gain(self) -> float: ...  # noqa: D102


class Preprocessing(Protocol):
    """What stands between an example and the network; persisted with the weights.

    Attributes:
        kind: ``"picture"``, ``"signal"`` or ``"volume"``.
        crops: How many crops of an example may be asked for.
        most: Examples that are best read and computed together, at most.
        bf16: Whether bfloat16 is precise enough to predict in.
        of_views: Fields on which :meth:`read` does not depend: networks that differ in them read the same examples.
    """

    kind: ClassVar[str]
    most: ClassVar[int]
    bf16: ClassVar[bool]
    of_views: ClassVar[Collection[str]]

    @property
    def crops(self) -> Collection[int]: ...  # noqa: D102

    @property
    def extensions(self) -> Collection[str]:
        """Of the files that it reads, lower case, with the dot."""

    @property
    def mirror(self) -> bool:
        """Whether an example and its mirror image, along the last axis, mean the same."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of a prepared example, ``(channels, *spatial)``."""

    def tensors(self) -> Sequence[Input]:
        """What :meth:`examples` takes from a program: one of these, element by element."""

    def split(self, source: Any) -> Sequence[Any] | None:
        """The examples of one array or tensor that holds N of them; ``None`` where it is one source."""

    def examples(self, source: Any, name: str) -> Iterator[Example]:
        """A source's examples, with errors where they cannot be read; ``name`` is for what has none of its own."""

    def read(self, content: Any, crops: int = 1) -> Array:
        """An example prepared, ``(crops, *input_shape)``. Raises InputError with the reason why it cannot be read."""

    def example(self, n: int) -> Tensor:
        """n prepared examples of no meaning, ``(n, *input_shape)``."""

    def views(self, inputs: Tensor, members: int) -> list[Tensor]:
        """What a network of that many members sees of examples ``(n, *input_shape)``; all answers are averaged."""

    def draw(self, inputs: Array, evidence: Array | None = None) -> Drawing:
        """A prepared example ``(*input_shape)`` for people to look at, with what each place added to an answer."""

    def canvas(self) -> Canvas:
        """What can be drawn for a network to read."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON; :func:`~googlenet.data.kinds.preprocessing_from` is its inverse."""

    def described(self) -> str:
        """In words, for people."""


class Loader(Protocol):
    """A set of examples as batches for a network."""

    def training(self, epoch: int, batch_size: int, rank: int = 0, world: int = 1, first: int = 0) -> Iterator[Batch]:
        """Batches of an epoch, changed at random: every example once. Chance is of seed, epoch and example alone.

        Args:
            batch_size: Examples a step, over all processes, at most.
            rank: This process.
            world: Number of processes; each gets every ``world``-th example of a batch.
            first: Batches that were learned from already, and are left out.
        """

    def plain(self, batch_size: int | None = None, rows: Tensor | None = None) -> Iterator[Batch]:
        """Examples unchanged: all once, in order, or those of ``rows``. Members see others for those they leave out."""

    def leaving_out(self, folds: Tensor) -> Loader:
        """The same, where no member learns from examples that have its number in ``folds`` ``(N,)``."""


class ExampleSet(Protocol):
    """Examples of one kind, which their preprocessing has too, and their labels."""

    kind: ClassVar[str]

    @property
    def labels(self) -> Tensor:
        """``(N,)``, int64."""

    @property
    def names(self) -> tuple[str, ...]:
        """Where each example comes from."""

    @property
    def contents(self) -> tuple[str, ...]:
        """A hash of what each holds: equal ones are one example, whatever their names."""

    @property
    def groups(self) -> tuple[str, ...]:
        """What must stay on one side of a split, such as the patient of each; empty if nothing must."""

    @property
    def recipe(self) -> str:
        """Name of the recipe for examples of this kind and size."""

    def summaries(self) -> Mapping[str, Array]:
        """Numbers of every example, ``(N,)``, by name, in which a shortcut may lie; its parts as ``sample …``."""

    def __len__(self) -> int: ...

    def subset(self, rows: Sequence[int]) -> ExampleSet:
        """Those rows, in that order."""

    def fitted(self, settings: Settings) -> Preprocessing:
        """The preprocessing of a network that learns from these."""

    def adapted(self, given: Preprocessing | None, settings: Settings) -> Preprocessing:
        """How a network that came with weights, and reads what ``given`` says, is to read these. Raises InputError if
        it reads another kind, or does not say what it reads."""

    def loader(self, preprocessing: Preprocessing, settings: Settings) -> Loader:
        """Batches of these. Raises InputError if the preprocessing or the settings are not for this kind."""

    def examples(self, preprocessing: Preprocessing, crops: int = 1) -> Iterator[Example]:
        """Every example in order, to be read by a network's preprocessing."""


@dataclass(frozen=True)
class Dataset:
    """A data set, ready for training or evaluation.

    Attributes:
        name: What the user called it.
        classes: Class names; a label is a position here.
        train: Examples to learn from.
        validation: Held out, looked at after every epoch.
        test: Held out, looked at once, at the end.
        notes: What its reader wants to say.
        bad: Files that were left out.
        columns: Of the table that it comes from: each with what it was taken for.
    """

    name: str
    classes: tuple[str, ...]
    train: ExampleSet | None
    validation: ExampleSet | None = None
    test: ExampleSet | None = None
    notes: tuple[str, ...] = ()
    bad: tuple[BadFile, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()

    @property
    def parts(self) -> dict[str, ExampleSet]:
        """Those that are there, by name: ``train``, ``validation``, ``test``."""
        return {name: part for name in ("train", "validation", "test") if (part := getattr(self, name)) is not None}

    @property
    def kind(self) -> str:
        """Of its examples: ``"picture"``, ``"signal"`` or ``"volume"``."""
        return next(iter(self.parts.values())).kind

    @property
    def held_out(self) -> ExampleSet:
        """What to evaluate on: the test part, else the validation part, else everything; InputError if it is empty."""
        if not self.parts:
            raise InputError(f"{self.name} has no example to evaluate on.")
        return list(self.parts.values())[-1]

    @property
    def held_out_name(self) -> str:
        """Which part :attr:`held_out` is: ``test``, ``validation`` or ``all``."""
        return "test" if self.test is not None else "validation" if self.validation is not None else "all"
