import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    top_k_accuracy_score,
)

from googlenet.inference.evaluate import expected_calibration_error, interval_of, metrics, reliability, wilson_interval


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(6, 9))
def test_metrics_are_scikit_learns(seed, classes):
    draws = np.random.default_rng(seed)
    probabilities = draws.dirichlet(np.ones(classes), 60)
    labels = draws.integers(0, classes, 60)
    names = tuple(map(str, range(classes)))
    result = metrics(probabilities, labels, names)
    every = np.arange(classes)
    assert result.top1 == pytest.approx(accuracy_score(labels, probabilities.argmax(1)))
    assert result.top5 == pytest.approx(top_k_accuracy_score(labels, probabilities, k=5, labels=every))
    assert result.nll == pytest.approx(log_loss(labels, probabilities, labels=every))
    assert result.brier == pytest.approx(brier_score_loss(labels, probabilities, labels=every, scale_by_half=False))
    guesses = probabilities.argmax(1)
    assert result.confusion == confusion_matrix(labels, guesses, labels=every).tolist()
    expected = precision_recall_fscore_support(labels, guesses, labels=every, zero_division=np.nan)
    for name, column in zip(("precision", "recall", "f1", "count"), expected, strict=True):
        shares = [getattr(row, name) for row in result.per_class]
        assert [math.nan if share is None else share for share in shares] == pytest.approx(column, nan_ok=True)


def test_what_is_a_share_of_nothing_is_none():
    result = metrics(np.array([[0.9, 0.1, 0.0]]), np.array([0]), tuple("abc"))
    assert [(row.precision, row.recall, row.f1) for row in result.per_class] == [(1, 1, 1), (None,) * 3, (None,) * 3]
    missed = metrics(np.array([[0.9, 0.1]]), np.array([1]), tuple("ab")).per_class
    assert [(row.precision, row.recall, row.f1) for row in missed] == [(0, None, 0), (None, 0, 0)]
    assert result.confusion == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_top5_needs_five_classes():
    assert metrics(np.full((3, 4), 0.25), np.zeros(3, int), tuple("abcd")).top5 is None


def test_calibration_error_by_hand():
    # Two bins: confidence 0.95 and right half of the time, confidence 0.55 and always right.
    confidence = np.array([0.95, 0.95, 0.55, 0.55])
    correct = np.array([True, False, True, True])
    assert expected_calibration_error(confidence, correct) == pytest.approx((0.45 * 2 + 0.45 * 2) / 4)


def test_reliability_is_scikit_learns_curve():
    draws = np.random.default_rng(0)
    confidence = draws.uniform(0, 1, 500)
    correct = draws.uniform(0, 1, 500) < confidence**2
    right, sure = calibration_curve(correct, confidence, n_bins=15)
    found = reliability(confidence, correct)
    assert [each.accuracy for each in found] == pytest.approx(right)
    assert [each.confidence for each in found] == pytest.approx(sure)
    assert sum(each.count for each in found) == 500


def test_wilsons_interval_by_hand():
    # 8 of 10: centre (8 + z²/2) / (10 + z²), half a width z √(8 · 2 / 10 + z²/4) / (10 + z²), z = 1.959964
    assert wilson_interval(0.8, 10) == pytest.approx((0.490162, 0.943318), abs=1e-6)
    assert wilson_interval(0, 1)[0] == 0 and wilson_interval(1, 5)[1] == pytest.approx(1)


@pytest.mark.parametrize(("right", "count"), [(8, 10), (0, 3), (450, 450), (1, 1)])
def test_an_interval_is_scipys(right, count):
    theirs = binomtest(right, count).proportion_ci(0.95, "wilson")
    assert interval_of(np.arange(count) < right) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize(
    ("sizes", "least"),
    [([200] * 5, 0.88), ([50] * 20, 0.9), ([300] * 2 + [10] * 5, 0.88), ([500] + [10] * 20, 0.9), ([1000, 1, 1], 1)],
)
def test_groups_that_vary_widen_an_interval(sizes, least):
    """Of patients, each with a share of their own, it holds the share of all there are; of examples apart not."""
    draws, held = np.random.default_rng(0), []
    groups = np.repeat(np.arange(len(sizes)).astype(str), sizes)
    for _ in range(200):
        shares = draws.beta(4, 1, len(sizes))  # of mean 0.8
        correct = draws.random(sum(sizes)) < np.repeat(shares, sizes)
        intervals = interval_of(correct), interval_of(correct, groups)
        held.append([low <= 0.8 <= high for low, high in intervals])
    apart, together = np.mean(held, axis=0)
    assert apart < 0.75 and together >= least


def test_groups_by_hand():
    right = np.array([True] * 6 + [False] * 2)
    assert interval_of(right, ["one"] * 8) == (0, 1) == interval_of(np.arange(1001) > 30, ["one"] * 1000 + ["two"])
    # Two of all right, two of half: 3/4, apart by 1/2, 1/2, -1/2, -1/2 of 2; variance 4/3 · 4 · 1/4 / 64 = 1/48.
    paired = np.array([True, True, True, True, True, False, True, False])
    assert interval_of(paired, list("aabbccdd")) == pytest.approx(
        wilson_interval(0.75, min(8, 0.75 * 0.25 * 48), 0.975, 3)
    )
    assert interval_of(np.ones(40, bool), list("abcd") * 10) == pytest.approx(wilson_interval(1, 4))
    alike = np.array([True, False] * 4)
    assert interval_of(alike, list("aabbccdd")) == pytest.approx(wilson_interval(0.5, 8, 0.975, 3))


def test_the_interval_of_a_bin_is_of_its_groups():
    confidence, correct = np.repeat([0.3, 0.9], 20), np.arange(40) % 4 > 0
    groups = [f"patient {row % 5}" for row in range(40)]
    for found, own in zip(reliability(confidence, correct, groups=groups), (slice(20), slice(20, 40)), strict=True):
        assert found.interval == interval_of(correct[own], groups[own])
    assert reliability(confidence, correct)[0].interval == interval_of(correct[:20])
