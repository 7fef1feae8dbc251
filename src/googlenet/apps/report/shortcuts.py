"""Shortcuts (Geirhos et al. 2020, arXiv 2004.07780): one number of an example tells its class as well as a network.

A network that is no better than its shortcut may have learned an identifier, a device or an offset, and not the shape
of a signal.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ...data.protocol import ExampleSet
from ...training.runs.records import Shortcut

Numbers = npt.NDArray[np.float64]
CLOSE = 0.02  # of the network's accuracy, and as near as one example
SURE = 2.0  # standard errors above the commonest class, or there is nothing that could be a shortcut
FEW_PLACES = 8  # samples that are tried, those that tell the classes of the training part best
MOST = 5000  # examples of either part that are looked at


def shortcuts(train: ExampleSet, held_out: ExampleSet, accuracy: float) -> list[Shortcut]:
    """Single numbers from which a decision tree, which learns from the training part, says the held-out classes nearly
    as well as the network; the best first.

    Args:
        train: What the network learned from.
        held_out: What it was evaluated on.
        accuracy: Of the network there, from 0 to 1.
    """
    from sklearn.tree import DecisionTreeClassifier  # here, as scikit-learn takes a second to load

    train, held_out = (_some(part) for part in (train, held_out))
    labels, wanted = train.labels.numpy(), held_out.labels.numpy()
    if not len(wanted) or not _better_than_guessing(accuracy, wanted):
        return []
    enough = accuracy - max(CLOSE, 1 / len(wanted))
    found = []
    for name, (known, new) in _candidates(train, held_out).items():
        leaves = 4 * len(np.unique(labels))
        tree = DecisionTreeClassifier(max_leaf_nodes=leaves, min_samples_leaf=2, random_state=0)
        reached = float((tree.fit(known[:, None], labels).predict(new[:, None]) == wanted).mean())
        if reached >= enough and _better_than_guessing(reached, wanted):
            found.append(Shortcut(name, reached))
    return sorted(found, key=lambda one: -one.accuracy)


def _some(part: ExampleSet) -> ExampleSet:
    step = -(-len(part) // MOST)
    return part if step < 2 else part.subset(range(0, len(part), step))


def _better_than_guessing(accuracy: float, labels: npt.NDArray[np.int64]) -> bool:
    """Whether that is clearly more than what is right who always says the commonest class."""
    commonest = np.bincount(labels).max() / len(labels)
    return bool(accuracy > commonest + SURE * np.sqrt(commonest * (1 - commonest) / len(labels)))


def _candidates(train: ExampleSet, held_out: ExampleSet) -> Mapping[str, tuple[Numbers, Numbers]]:
    """Numbers of both parts by name: what sums an example up, its place in the file, and a few of its samples."""
    known, new = train.summaries(), held_out.summaries()
    pairs = {name: (known[name], new[name]) for name in known if name in new}
    places = _places(train, held_out)
    if places is not None:
        pairs["the position in the file"] = places
    samples = [name for name in pairs if name.startswith("sample ")]
    if len(samples) > FEW_PLACES:
        from sklearn.feature_selection import f_classif

        table = np.stack([pairs[name][0] for name in samples], axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            scores = np.nan_to_num(f_classif(np.nan_to_num(table), train.labels.numpy())[0], nan=-1.0, posinf=np.inf)
        best = {samples[at] for at in np.argsort(-scores, kind="stable")[:FEW_PLACES]}
        pairs = {name: pair for name, pair in pairs.items() if name in best or name not in samples}
    return pairs


def _places(train: ExampleSet, held_out: ExampleSet) -> tuple[Numbers, Numbers] | None:
    """Rows of the file that both parts are of, ``None`` where they are of several."""
    files, rows = zip(*(name.rpartition(":")[::2] for name in (*train.names, *held_out.names)), strict=True)
    if len(set(files)) > 1 or not all(row.isdecimal() for row in rows):
        return None
    places = np.array(rows, np.float64)
    return places[: len(train)], places[len(train) :]
