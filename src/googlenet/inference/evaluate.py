"""How good a network is on labelled examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..data.protocol import ExampleSet
from ..errors import InputError
from ..training.runs.records import ClassScores, Evaluation, GroupScores, ReliabilityBin
from .calibration.temperature import Labels, Probabilities
from .predictor import Predictor

LEAST_GROUPS = 1.1  # of one size, as good as which groups are; with fewer their spread is not known


def predicted(
    predictor: Predictor, part: ExampleSet, classes: Sequence[str], crops: int = 1
) -> tuple[Probabilities, Labels]:
    """Probabilities ``(n, classes)`` and labels ``(n,)``, both in the order of the predictor's classes.

    Args:
        predictor: The network.
        part: Examples and their labels.
        classes: Names of those labels.
        crops: Of each picture.

    Raises:
        InputError: If there are classes that the network does not know, examples of another kind than it reads, or one
            cannot be read.
    """
    number = {name: row for row, name in enumerate(predictor.classes)}
    labels = np.array([number.get(name, -1) for name in classes])[part.labels.numpy()]
    if -1 in labels:
        stranger = classes[int(part.labels[int(np.argmin(labels))])]
        raise InputError(f"The network does not know the class {stranger!r}; it knows {', '.join(predictor.classes)}.")
    return probabilities_of(predictor, part, crops), labels


def probabilities_of(predictor: Predictor, part: ExampleSet, crops: int = 1) -> Probabilities:
    """Probabilities ``(n, classes)`` of a whole set.

    Args:
        predictor: The network.
        part: Examples.
        crops: Of each picture.

    Raises:
        InputError: If the set is of another kind, or an example cannot be read.
    """
    preprocessing = predictor.preprocessing
    if part.kind != preprocessing.kind:
        raise InputError(f"The network reads {preprocessing.kind}s, and these data are not {preprocessing.kind}s.")
    return predictor.gathered(part.examples(preprocessing, crops), crops).astype(np.float64)


def metrics(
    probabilities: Probabilities,
    labels: Labels,
    classes: Sequence[str],
    part: str = "all",
    groups: Sequence[str] = (),
) -> Evaluation:
    """Metrics from probabilities.

    Args:
        probabilities: ``(n, classes)``, rows sum to 1.
        labels: ``(n,)``.
        classes: Names.
        part: Of the data: ``test``, ``validation`` or ``all``.
        groups: Of each example (patient, recording); nothing where each is apart.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    guesses = order[:, 0]
    rows = np.arange(len(labels))
    count = len(classes)
    confusion = np.bincount(labels * count + guesses, minlength=count * count).reshape(count, count)
    right, support, given = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    scores = [
        ClassScores(
            label=name,
            precision=_share(right[i], given[i]),
            recall=_share(right[i], support[i]),
            f1=_share(2 * right[i], given[i] + support[i]),
            count=int(support[i]),
        )
        for i, name in enumerate(classes)
    ]
    confidence, correct = probabilities[rows, guesses], guesses == labels
    truth = np.zeros_like(probabilities)
    truth[rows, labels] = 1
    return Evaluation(
        top1=float(correct.mean()),
        top5=float((order[:, :5] == labels[:, None]).any(1).mean()) if len(classes) >= 5 else None,
        nll=float(-np.log(np.clip(probabilities[rows, labels], 1e-12, 1)).mean()),
        ece=expected_calibration_error(confidence, correct),
        count=len(labels),
        per_class=scores,
        confusion=confusion.tolist(),
        part=part,
        interval=list(interval_of(correct, groups)),
        brier=float(((probabilities - truth) ** 2).sum(1).mean()),
        reliability=reliability(confidence, correct, groups=groups),
    )


def _share(hits: int, count: int) -> float | None:
    """Of nothing there is none."""
    return float(hits / count) if count else None


def by_group(probabilities: Probabilities, labels: Labels, groups: Sequence[str], classes: int) -> list[GroupScores]:
    """Scores of each group, in the order of their names.

    Args:
        probabilities: ``(n, classes)``.
        labels: ``(n,)``.
        groups: Of each example.
        classes: How many there are.
    """
    guesses = probabilities.argmax(1)
    names = np.array(groups, dtype=object)
    found = []
    for name in sorted(set(groups)):
        own = names == name
        confusion = np.bincount(labels[own] * classes + guesses[own], minlength=classes * classes)
        right = float((labels[own] == guesses[own]).mean())
        found.append(GroupScores(name, int(own.sum()), right, confusion.reshape(classes, classes).tolist()))
    return found


def expected_calibration_error(confidence: Probabilities, correct: npt.NDArray[np.bool_], bins: int = 15) -> float:
    """Mean gap between confidence and accuracy, over bins of equal width (Guo et al. 2017, equation 3).

    Args:
        confidence: ``(n,)``, of the most probable class.
        correct: ``(n,)``, whether it was the right one.
        bins: From 0 to 1.
    """
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    return float(np.abs(np.bincount(which, confidence - correct, bins)).sum()) / max(1, len(confidence))


def reliability(
    confidence: Probabilities, correct: npt.NDArray[np.bool_], bins: int = 15, groups: Sequence[str] = ()
) -> list[ReliabilityBin]:
    """Accuracy beside confidence, in bins of equal width; those without examples are left out.

    Args:
        confidence: ``(n,)``, of the most probable class.
        correct: ``(n,)``, whether it was the right one.
        bins: From 0 to 1.
        groups: Of each example; nothing where each is apart.
    """
    which, names = np.minimum((confidence * bins).astype(int), bins - 1), np.array(groups, dtype=object)
    found = []
    for each in np.unique(which):
        own = which == each
        interval = interval_of(correct[own], names[own] if len(names) else ())
        found.append(
            ReliabilityBin(float(confidence[own].mean()), float(correct[own].mean()), int(own.sum()), interval)
        )
    return found


def interval_of(correct: npt.NDArray[np.bool_], groups: Sequence[str] = (), level: float = 0.95) -> tuple[float, float]:
    """Between what the true share of right answers lies (Wilson 1927). Examples of groups, which are alike, count as
    many as would vary as the groups do (Korn and Graubard 1998), and where groups do not vary at all because all or
    none are right, as many as there are groups. Groups count by how much of the examples they have (Kish 1965): one,
    or one beside next to nothing, says nothing of others.

    Args:
        correct: ``(n,)``, 1 or more.
        groups: Of each; nothing where each is apart.
        level: How often such an interval holds it.
    """
    quantile, share, n = 0.5 + level / 2, float(correct.mean()), len(correct)
    if not len(groups):
        return wilson_interval(share, n, quantile)
    place = np.unique(np.array(groups, dtype=object), return_inverse=True)[1]
    sizes, alone = np.bincount(place), share * (1 - share)
    count, effective = len(sizes), n**2 / float((sizes**2.0).sum())
    if effective < LEAST_GROUPS:
        return 0.0, 1.0
    if not alone:
        return wilson_interval(share, effective, quantile)
    apart = np.bincount(place, correct) - share * sizes
    variance = count / (count - 1) * float((apart**2).sum()) / n**2
    return wilson_interval(share, min(alone / variance, n) if variance else n, quantile, effective - 1)


def wilson_interval(share: float, count: float, quantile: float = 0.975, free: float = np.inf) -> tuple[float, float]:
    """Between what the true share lies, of which that one was seen (Wilson 1927).

    Args:
        share: From 0 to 1.
        count: Of how many, above 0.
        quantile: Of Student's distribution, on each side.
        free: Its degrees of freedom; of the normal one by default.
    """
    from scipy.stats import t

    z = float(t.ppf(quantile, free)) ** 2 / count
    middle, reach = share + z / 2, float(np.sqrt(z * (share * (1 - share) + z / 4)))
    return max(0.0, (middle - reach) / (1 + z)), min(1.0, (middle + reach) / (1 + z))
