"""Probabilities that mean what they say: whether the smoothing of labels is undone, a temperature, and how sure a
network is of right labels, all from examples that it did not learn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean, geometric_mean
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import InputError, is_number, short
from ...limits import FAINTEST, HOTTEST, SCORES
from ...training.recipe import Recipe

Probabilities = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Calibration:
    """What was found out on examples that a network did not learn from.

    Attributes:
        temperature: By whose power its probability is taken, see :func:`~googlenet.nn.googlenet.tempered`.
        source: What was it found on, for people; empty where on nothing.
        scores: Probabilities of the right labels of these, :data:`~googlenet.limits.SCORES` drawn of them at most.
        smoothing: Of labels, that is undone before, see :func:`~googlenet.nn.googlenet.unsmoothed`.
    """

    temperature: float = 1.0
    source: str = ""
    scores: Sequence[float] = ()
    smoothing: float = 0.0

    def applied(self, probabilities: Probabilities) -> Probabilities:
        """Probabilities as sure as they are right, in the same order.

        Args:
            probabilities: ``(n, classes)``, as the network and what answers with it say.
        """
        return tempered(unsmoothed(probabilities, self.smoothing), self.temperature)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; :meth:`from_dict` is its inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, row: Any, path: object) -> Calibration:
        """Reads what :meth:`to_dict` wrote; ``path`` is for the sentence.

        Raises:
            InputError: If it is something else.
        """
        damaged = f"{path} is damaged: what it says of its calibration is none"
        try:
            found = cls(**row)
            scores, numbers = list(found.scores), (found.temperature, found.smoothing, *found.scores)
        except TypeError as error:
            raise InputError(f"{damaged} ({short(repr(row))}).") from error
        if not all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in numbers):
            raise InputError(f"{damaged}: it holds what is no number.")
        if not 1 / HOTTEST <= found.temperature <= HOTTEST:
            raise InputError(f"{damaged}: the temperature is {short(repr(found.temperature))}.")
        if found.smoothing and not 1 / FAINTEST <= found.smoothing < 1:
            raise InputError(f"{damaged}: the smoothing is {short(repr(found.smoothing))}.")
        if not isinstance(found.source, str):
            raise InputError(f"{damaged}: what it was found on is {short(repr(found.source))}.")
        if len(scores) > SCORES or not all(0 <= score <= 1 for score in scores):
            raise InputError(f"{damaged}: there are too many probabilities, or one is none.")
        return cls(float(found.temperature), found.source, tuple(map(float, scores)), float(found.smoothing))

    def least(self, coverage: float, network: str) -> float:
        """What probability a label needs to be among those that hold the right one that often, over examples like these
        (split conformal prediction; the sets of Sadinle et al. 2019, with the most probable label always in them).

        Args:
            coverage: How often at least, between 0 and 1.
            network: For the sentence.

        Raises:
            InputError: If too few examples were seen to say.
        """
        if not is_number(coverage) or not 0 < coverage < 1:
            said = short(repr(coverage))
            raise InputError(f"The coverage is a share of examples above 0 and below 1, such as 0.95, not {said}.")
        coverage = float(coverage)
        rank = min(math.floor((len(self.scores) + 1) * (1 - coverage) + 1e-9), len(self.scores))
        if not self.scores:
            raise InputError(
                f"A coverage needs examples that the network did not learn from, and of {network} none are known. "
                "Train it with a part held out and with calibrate (networks of signals without a limit of time, too), "
                "and to its end (--resume); of several runs ask each."
            )
        if rank < 1:
            wanted = math.ceil(1 / (1 - coverage) - 1e-9) - 1
            raise InputError(
                f"A coverage of {coverage!r} needs {wanted} examples or more that the network did not learn from (of "
                f"a group, and of copies, one counts), and {network} has seen {len(self.scores)} of such. Ask for "
                "less, or train it with more to hold out."
            )
        return float(np.sort(self.scores)[rank - 1]) * (1 - ROUNDING)


UNKNOWN = Calibration()  # of a network that says nothing of it
SMOOTHED = 0.6  # temperature of networks that learned from smoothed labels; benchmarks/calibration.json
BESIDE = 0.8  # the same where competing kernels answer with them, which are surer; the same file
DOUBT = 80  # examples that say as much as what is expected; benchmarks/calibration.json
ROUNDING = 1e-4  # by how much less is as probable: engines round, and what is alike is to be alike
CLEARLY = 2.0  # nats by which undone smoothing must make the labels likelier, all together; the same file


class Prior(NamedTuple):
    """What is known of a network before any example is seen.

    Attributes:
        temperature: That it would have.
        smoothing: Of the labels that it learned from.
    """

    temperature: float = 1.0
    smoothing: float = 0.0


NOTHING = Prior()


def expected(recipe: Recipe) -> Prior:
    """Of a network of which nothing else is known: smoothed labels leave it less sure than it is right.

    Args:
        recipe: It was trained by.
    """
    if recipe.label_smoothing < 1 / FAINTEST or recipe.freeze == "features":
        return Prior()
    return Prior(BESIDE if recipe.opines else SMOOTHED, recipe.label_smoothing)


def fitted_temperature(probabilities: Probabilities, labels: Labels, prior: float = 1.0) -> float:
    """The temperature with which the labels are the most likely (Guo et al. 2017, section 4.2), as far as there are
    enough of them: of n examples its logarithm counts n times, and that of the expected one :data:`DOUBT` times.

    That a label is right counts ``(n + 1) / (n + 2)`` times, and the rest speaks for the others (Platt 1999, section
    2.2): where all are right, they are so as far as n examples can tell.

    Args:
        probabilities: ``(n, classes)``, of examples that were not learned from.
        labels: ``(n,)``.
        prior: What it would be without any example.
    """
    from scipy.optimize import minimize_scalar  # here, as it takes a while to load

    n, classes = probabilities.shape
    logs = np.log(np.clip(probabilities.astype(np.float64), 1e-12, 1))
    share = (n + 1) / (n + 2)
    rest = (1 - share) / max(1, classes - 1)

    def loss(power: float) -> float:
        scaled = logs * math.exp(-power)
        scaled -= np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        right = scaled[np.arange(n), labels]
        return float(-(share * right + rest * (scaled.sum(1) - right)).mean())

    limit = math.log(HOTTEST)
    found = minimize_scalar(loss, bounds=(-limit, limit), method="bounded").x if n else 0.0
    return math.exp((n * found + DOUBT * math.log(prior)) / (n + DOUBT))


def tempered(probabilities: Probabilities, temperature: float) -> Probabilities:
    """:func:`googlenet.nn.googlenet.tempered` of an array.

    Args:
        probabilities: ``(n, classes)``.
        temperature: By whose power.
    """
    import torch  # here, as those that predict without it need this not

    from ...nn.googlenet import tempered as of_tensor

    found: Probabilities = of_tensor(torch.from_numpy(np.array(probabilities, order="C")), temperature).numpy()
    return found


def unsmoothed(probabilities: Probabilities, smoothing: float) -> Probabilities:
    """:func:`googlenet.nn.googlenet.unsmoothed` of an array.

    Args:
        probabilities: ``(n, classes)``.
        smoothing: Of the labels that were learned from.
    """
    import torch  # here, as those that predict without it need this not

    from ...nn.googlenet import unsmoothed as of_tensor

    found: Probabilities = of_tensor(torch.from_numpy(np.array(probabilities, order="C")), smoothing).numpy()
    return found


def _fitted(probabilities: Probabilities, labels: Labels, prior: Prior) -> Calibration:
    """What makes the labels likely: a temperature, of probabilities as they are, or of those whose smoothing is undone
    where that makes them clearly likelier."""
    plain = Calibration(fitted_temperature(probabilities, labels, prior.temperature))
    if not prior.smoothing:
        return plain
    temperature = fitted_temperature(unsmoothed(probabilities, prior.smoothing), labels)
    undone = Calibration(temperature, smoothing=prior.smoothing)

    def likelihood(found: Calibration) -> float:
        right = found.applied(probabilities)[np.arange(len(labels)), labels]
        return float(np.log(right.clip(1e-12)).sum())

    return undone if likelihood(undone) - likelihood(plain) > CLEARLY else plain


def calibrated(
    probabilities: Probabilities, labels: Labels, source: str, prior: Prior = NOTHING, groups: Sequence[str] = ()
) -> Calibration:
    """What there is to find out on some examples. How sure the network is of a right label is kept of one example of
    each group, for those of a group are alike, and the next ones may be of another (Dunn et al. 2022, section 3.2).

    Args:
        probabilities: ``(n, classes)``, of examples that were not learned from, as they are.
        labels: ``(n,)``.
        source: What they are, for people.
        prior: What is known without them, see :func:`expected`.
        groups: Of each (patient, recording), or what copies hold; nothing where each is apart.
    """
    found, draws = _fitted(probabilities, labels, prior), np.random.default_rng(0)
    scores = found.applied(probabilities)[np.arange(len(labels)), labels]
    if len(groups):
        order = draws.permutation(len(groups))
        scores = scores[order[np.unique(np.array(groups, dtype=object)[order], return_index=True)[1]]]
    if len(scores) > SCORES:
        scores = draws.choice(scores, SCORES, replace=False)
    return replace(found, source=source, scores=tuple(np.sort(scores).astype(np.float32).tolist()))


def crossed(
    probabilities: Probabilities, labels: Labels, prior: Prior = NOTHING, groups: Sequence[str] = ()
) -> Probabilities:
    """Probabilities of each half of some examples by what the other half says: what is measured on them is not fitted
    to them.

    Args:
        probabilities: ``(n, classes)``, as they are.
        labels: ``(n,)``.
        prior: As of :func:`calibrated`.
        groups: The same; they stay whole.
    """
    units = np.unique(np.array(groups, dtype=object), return_inverse=True)[1] if len(groups) else np.arange(len(labels))
    half = (np.random.default_rng(0).permutation(units.max(initial=-1) + 1) % 2 == 0)[units]
    found = np.empty_like(probabilities)
    for here in (half, ~half):
        found[here] = _fitted(probabilities[~here], labels[~here], prior).applied(probabilities[here])
    return found


def joint(calibrations: Sequence[Calibration]) -> Calibration:
    """Of networks whose probabilities are averaged: the geometric mean of their temperatures, the mean smoothing
    that is undone, and what was seen of the only one."""
    if len(calibrations) == 1:
        return calibrations[0]
    temperature, smoothing = (
        geometric_mean(each.temperature for each in calibrations),
        fmean(each.smoothing for each in calibrations),
    )
    return Calibration(temperature, smoothing=smoothing if smoothing >= 1 / FAINTEST else 0.0)
