import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    top_k_accuracy_score,
)

from googlenet.inference.evaluate import expected_calibration_error, metrics


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
    guesses = probabilities.argmax(1)
    assert result.confusion == confusion_matrix(labels, guesses, labels=every).tolist()
    expected = precision_recall_fscore_support(labels, guesses, labels=every, zero_division=0.0)
    for name, column in zip(("precision", "recall", "f1", "count"), expected, strict=True):
        assert [getattr(row, name) for row in result.per_class] == pytest.approx(column)


def test_a_class_never_guessed_or_never_seen_scores_zero():
    result = metrics(np.array([[0.9, 0.1, 0.0]]), np.array([0]), tuple("abc"))
    assert [row.f1 for row in result.per_class] == [1.0, 0.0, 0.0]
    assert result.confusion == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_top5_needs_five_classes():
    assert metrics(np.full((3, 4), 0.25), np.zeros(3, int), tuple("abcd")).top5 is None


def test_calibration_error_by_hand():
    # Two bins: confidence 0.95 and right half of the time, confidence 0.55 and always right.
    confidence = np.array([0.95, 0.95, 0.55, 0.55])
    correct = np.array([True, False, True, True])
    assert expected_calibration_error(confidence, correct) == pytest.approx((0.45 * 2 + 0.45 * 2) / 4)
