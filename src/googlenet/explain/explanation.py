"""Explanations as records: of one example, and of many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..data.protocol import Drawing, Floats
from .branches.contributions import Contributions
from .maps.attribution import find_method

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Explanation:
    """What of an example decided, on a map.

    Attributes:
        input: Its name.
        label: The class that is explained.
        probability: That the network gives it.
        against: The class that it is held against; ``None`` where its logit alone is explained.
        method: A key of :data:`~googlenet.explain.attribution.METHODS`.
        at: The place inside of the network that the method looks at; ``None`` for methods that look at none.
        values: ``(*spatial')``, float32: more than 0 speaks for the label.
        drawing: The example as the network sees it, with the map.
    """

    input: str
    label: str
    probability: float
    against: str | None
    method: str
    at: str | None
    values: Floats
    drawing: Drawing

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        named = {name: getattr(self, name) for name in ("input", "label", "probability", "against", "method", "at")}
        return named | {"shape": list(self.values.shape), "values": self.values.tolist()}

    def figure(self) -> Figure:
        """The example beside its map."""
        from .figures import map_figure

        found = find_method(self.method)
        place = f" at {self.at}" if self.at else ""
        what = found.what if self.against is None else f"{found.what} (of both logits the difference)"
        return map_figure(self.drawing, f"{_asked(self)}\n{self.method}{place}: {_short(self.input)}", what)


@dataclass(frozen=True)
class BranchExplanation:
    """How much of the difference between two classes' logits passes through each branch, for one example.

    Attributes:
        input: Its name.
        label: The class that is explained.
        probability: That the network gives it.
        against: The class that it is held against.
        found: The contributions.
    """

    input: str
    label: str
    probability: float
    against: str
    found: Contributions

    def to_dict(self) -> dict[str, Any]:
        """For JSON: ``input, label, probability, against, difference, contributions, points, error``; the contributions
        of each module sum to the difference."""
        named = {name: getattr(self, name) for name in ("input", "label", "probability", "against")}
        shares = {module: dict(each) for module, each in self.found.shares.items()}
        measured = {"points": self.found.points, "error": self.found.error}
        return named | {"difference": self.found.difference, "contributions": shares} | measured

    def figure(self) -> Figure:
        """A heat map, module by branch."""
        from .figures import heat_map

        what = f"of the logits' difference, {self.found.difference:.2f}; each row sums to it"
        return heat_map(f"{_asked(self)}\nbranches: {_short(self.input)}", self.found.shares, what)


@dataclass(frozen=True, eq=False)
class Similar:
    """An example of a set that is like another.

    Attributes:
        input: Its name.
        label: What it is.
        similarity: The cosine of the features that the classifier reads of both, at most 1.
        drawing: As the network sees it.
    """

    input: str
    label: str
    similarity: float
    drawing: Drawing


@dataclass(frozen=True, eq=False)
class NearestExplanation:
    """The examples of a training part that the network sees as most like one.

    Attributes:
        input: Its name.
        label: What the network says it is.
        probability: With what probability.
        drawing: As the network sees it.
        nearest: The most similar first.
    """

    input: str
    label: str
    probability: float
    drawing: Drawing
    nearest: tuple[Similar, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        rows = [{"input": one.input, "label": one.label, "similarity": one.similarity} for one in self.nearest]
        return {"input": self.input, "label": self.label, "probability": self.probability, "nearest": rows}

    def figure(self) -> Figure:
        """The example, then those that are like it."""
        from .figures import gallery

        words = [
            (one.drawing, f"{one.label}, similarity {one.similarity:.3f}\n{_short(one.input)}") for one in self.nearest
        ]
        own = (self.drawing, f"asked about: said {self.label} ({self.probability:.0%})\n{_short(self.input)}")
        return gallery("Most like it in the training part, by what the classifier reads", [own, *words])


def _asked(of: Explanation | BranchExplanation) -> str:
    against = f" against {_short(of.against)}" if of.against is not None else ""
    return f"{_short(of.label)}, said with {of.probability:.0%}{against}"


def _short(name: str, most: int = 34) -> str:
    """What a figure has room for: the end of a path."""
    line = name.replace("\n", "\\n")
    return line if len(line) <= most else f"…{line[1 - most :]}"


@dataclass(frozen=True, eq=False)
class Explanations(NDArrayOperatorsMixin):
    """Maps of many examples; for NumPy an array of them.

    Attributes:
        each: Them, in order.
    """

    each: tuple[Explanation, ...]

    @property
    def values(self) -> Floats:
        """``(N, *spatial')``: all maps."""
        return np.stack([one.values for one in self.each])

    @property
    def shape(self) -> tuple[int, ...]:
        """Of :attr:`values`."""
        return self.values.shape

    @property
    def ndim(self) -> int:
        """Of :attr:`values`."""
        return len(self.shape)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self.values, dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        arrays = [np.asarray(each) if isinstance(each, Explanations) else each for each in inputs]
        return getattr(ufunc, method)(*arrays, **options)

    def __len__(self) -> int:
        return len(self.each)

    def __iter__(self) -> Iterator[Explanation]:
        return iter(self.each)

    def __getitem__(self, row: int) -> Explanation:
        return self.each[row]

    def figure(self, row: int = 0) -> Figure:
        """One example beside its map.

        Args:
            row: Which.
        """
        return self.each[row].figure()
