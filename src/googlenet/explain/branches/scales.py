"""Which scale decides for which class: the contributions of branches over a set of examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError, count
from .contributions import Contributions

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Scales:
    """Means over examples of what passes through each branch, in percent of the logits' difference.

    Attributes:
        count: Examples.
        modules: By module, by branch, over all examples; each module's sum to 100.
        classes: By class, by branch, the mean over the modules that have it.
        examples: Of each class.
    """

    count: int
    modules: Mapping[str, Mapping[str, float]]
    classes: Mapping[str, Mapping[str, float]]
    examples: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        tables = {name: {key: dict(row) for key, row in getattr(self, name).items()} for name in ("modules", "classes")}
        return {"count": self.count, **tables, "examples": dict(self.examples)}

    def figure(self) -> Figure:
        """Two heat maps: module by branch, and class by branch."""
        from ..figures import heat_maps

        title = f"What passes through each branch: the mean of {count(self.count, 'example')}"
        tables = {"by module, all classes": self.modules, "by class, mean over the modules that have it": self.classes}
        return heat_maps(title, tables, "% of the difference of two classes' logits; each module's row sums to 100")


def scales(found: Sequence[Contributions], classes: Sequence[str]) -> Scales:
    """The mean of contributions, weighed by the difference that they are shares of.

    Args:
        found: Of one network, example by example: its answer against the runner-up, or one class against another.
        classes: Names of the classes.

    Raises:
        InputError: If there is no example.
    """
    if not found:
        raise InputError("There is no example whose branches could be weighed.")
    names = [classes[each.label] for each in found]
    by_class = {name: [each for each, own in zip(found, names, strict=True) if own == name] for name in classes}
    by_class = {name: group for name, group in by_class.items() if group}
    return Scales(
        len(found),
        _modules(found),
        {name: _over_modules(_modules(group)) for name, group in by_class.items()},
        {name: len(group) for name, group in by_class.items()},
    )


def _modules(found: Sequence[Contributions]) -> dict[str, dict[str, float]]:
    """By module, by branch, in percent: sums of shares over the sum of their modules, each difference taken to be above
    0, whichever class is ahead."""
    signs = [-1.0 if each.difference < 0 else 1.0 for each in found]
    tables: dict[str, dict[str, float]] = {}
    for module, branches in found[0].shares.items():
        sums = {
            name: float(sum(sign * each.shares[module][name] for sign, each in zip(signs, found, strict=True)))
            for name in branches
        }
        whole = sum(sums.values()) or 1.0
        tables[module] = {name: 100 * value / whole for name, value in sums.items()}
    return tables


def _over_modules(modules: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """By branch, the mean over the modules that have it."""
    names = list(dict.fromkeys(name for row in modules.values() for name in row))
    return {name: float(np.mean([row[name] for row in modules.values() if name in row])) for name in names}
