"""Temperatures against scikit-learn's, and sets of labels against how often they hold the right one."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from googlenet.errors import InputError
from googlenet.inference.calibration import temperature
from googlenet.inference.calibration.temperature import (
    Calibration,
    Prior,
    calibrated,
    crossed,
    expected,
    fitted_temperature,
    joint,
    tempered,
)
from googlenet.inference.evaluate import expected_calibration_error
from googlenet.limits import SCORES
from googlenet.nn.googlenet import tempered as torch_tempered
from googlenet.training.recipe import PAPER, SIGNALS, SMALL


def drawn(n, classes=4, sure=2.0, seed=0):
    """Labels drawn from probabilities, and what a network would say of them that is too sure or not sure enough."""
    draws = np.random.default_rng(seed)
    logits = draws.normal(size=(n, classes)) * 2
    true = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = np.array([draws.choice(classes, p=row) for row in true])
    return tempered(true, 1 / sure), labels


@pytest.fixture
def undoubted(monkeypatch):
    """Only what the examples say."""
    monkeypatch.setattr(temperature, "DOUBT", 0)


@pytest.mark.parametrize("sure", [0.3, 1.0, 2.0, 5.0])
def test_a_temperature_takes_off_what_was_put_on(sure):
    said, labels = drawn(20_000, sure=sure)
    assert fitted_temperature(said, labels) == pytest.approx(sure, rel=0.05)


def test_a_temperature_is_that_of_scikit_learn(undoubted):
    draws = np.random.default_rng(1)
    labels = draws.integers(3, size=3000)
    x = draws.normal(size=(3000, 2)) + 1.2 * np.eye(3)[labels][:, :2]
    model = LogisticRegression(C=1e-3).fit(x[:100], labels[:100])
    theirs = CalibratedClassifierCV(FrozenEstimator(model), method="temperature").fit(x, labels)
    said = model.predict_proba(x)
    np.testing.assert_allclose(tempered(said, fitted_temperature(said, labels)), theirs.predict_proba(x), atol=2e-3)


def test_where_all_are_right_they_are_as_sure_as_their_number_allows(undoubted):
    """Of n that are right, one that is not speaks for n + 1 (Laplace's rule of succession)."""
    for n in (10, 100, 1000):
        said = np.tile([0.9, 0.06, 0.04], (n, 1))
        found = calibrated(said, np.zeros(n, int), "them")
        assert found.scores[0] == pytest.approx((n + 1) / (n + 2), abs=0.3 / n)


@pytest.mark.parametrize("prior", [0.6, 1.0, 3.0])
def test_few_examples_say_less_than_what_is_expected(prior):
    """Of 20 the logarithm counts 20 times, and that of what is expected 80 times."""
    said, labels = drawn(20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(temperature, "DOUBT", 0)
        alone = fitted_temperature(said, labels, prior)
    assert fitted_temperature(said, labels, prior) == pytest.approx(alone**0.2 * prior**0.8)
    assert fitted_temperature(said[:0], labels[:0], prior) == pytest.approx(prior)


def test_no_example_is_measured_at_a_temperature_that_was_fitted_to_it():
    """Another label of one example changes what the other half says, and nothing of its own half."""
    said, labels = drawn(40)
    plain, others = crossed(said, labels), labels.copy()
    others[7] = (labels[7] + 1) % 4
    changed = (crossed(said, others) != plain).any(1)
    assert not changed[7] and changed.sum() == 20
    assert (plain.argsort(1) == said.argsort(1)).all()


def test_smoothed_labels_leave_a_network_less_sure_than_it_is_right():
    assert expected(replace(SIGNALS, competing=0)) == (0.6, 0.1)
    assert expected(SMALL) == (0.6, 0.05)
    assert expected(SIGNALS) == (0.8, 0.1)  # kernels that answer with it are surer
    assert expected(PAPER) == expected(replace(SMALL, freeze="features", weights="x")) == (1, 0)


def smoothed(n, share, seed=0):
    """Labels drawn from probabilities that are mostly clear, and what a network says of them that learned from smoothed
    labels; and those probabilities."""
    draws = np.random.default_rng(seed)
    true = draws.dirichlet([0.05] * 6, n)
    labels = np.array([draws.choice(6, p=row) for row in true])
    return (1 - share) * true + share / 6, labels, true


def test_smoothing_is_undone_where_it_makes_labels_likelier():
    said, labels, true = smoothed(3000, 0.1)
    found = calibrated(said, labels, "them", Prior(0.6, 0.1))
    assert found.smoothing == 0.1 and 0.7 < found.temperature < 1
    assert 3 * np.abs(found.applied(said) - true).mean() < np.abs(said - true).mean()
    alone = calibrated(said, labels, "them", Prior(0.6))
    assert alone.smoothing == 0
    both = alone.applied(said), crossed(said, labels, Prior(0.6, 0.1))
    errors = [expected_calibration_error(p.max(1), p.argmax(1) == labels) for p in both]
    assert errors[1] < 0.02 < errors[0]


def test_smoothing_is_not_undone_where_it_does_not_make_labels_likelier():
    _, labels, true = smoothed(3000, 0.2)  # a network that means what it says
    assert calibrated(true, labels, "them", Prior(0.6, 0.2)).smoothing == 0
    said, labels, _ = smoothed(10, 0.2)  # and few examples cannot tell
    found = calibrated(said, labels, "them", Prior(0.6, 0.2))
    assert found == calibrated(said, labels, "them", Prior(0.6))
    assert calibrated(said[:0], labels[:0], "none", Prior(0.6, 0.2)).temperature == pytest.approx(0.6)


def test_the_order_of_labels_stays():
    said, _ = drawn(500)
    for value in (0.05, 0.5, 3.0, 20.0):
        assert (tempered(said, value).argsort(1) == said.argsort(1)).all()


@pytest.mark.parametrize("coverage", [0.6, 0.8, 0.9, 0.95])
def test_sets_hold_the_right_label_as_often_as_was_asked(coverage):
    """Over 200 draws of 300 examples to see, each tried on 1,000 others: within a point of what was asked for."""
    held = []
    for seed in range(200):
        said, labels = drawn(1300, classes=6, sure=3.0, seed=seed)
        found = calibrated(said[:300], labels[:300], "them")
        least = found.least(coverage, "it")
        p = tempered(said[300:], found.temperature)
        held.append((p[np.arange(1000), labels[300:]] >= least).mean())
    assert coverage - 0.01 <= np.mean(held) <= coverage + 0.01


def test_what_is_needed_by_hand():
    found = Calibration(1.0, "them", [k / 20 for k in range(1, 20)])
    assert found.least(0.95, "it") == pytest.approx(0.05, rel=2e-4)  # 20 * 0.05: the least of all
    assert found.least(0.5, "it") == pytest.approx(0.5, rel=2e-4)
    with pytest.raises(InputError, match="A coverage of 0.96 needs 24 examples or more .* and it has seen 19 of such"):
        found.least(0.96, "it")
    with pytest.raises(InputError, match="did not learn from, and of .* none are known"):
        Calibration().least(0.95, "it")
    for none in (0, 1, -0.5, 95, float("nan")):
        with pytest.raises(InputError, match="a share of examples above 0 and below 1"):
            found.least(none, "it")


@pytest.mark.parametrize("coverage", [1e-300, 1e-12, 1e-9, 0.01])
def test_however_little_is_asked_for_there_is_an_answer(coverage):
    assert 0.9 < Calibration(1.0, "them", [k / 20 for k in range(1, 20)]).least(coverage, "it") < 0.95


def test_what_rounds_otherwise_is_as_probable():
    """An engine computes in float32 what was measured in float64: the very examples that were seen stay in."""
    said, labels = drawn(200)
    found = calibrated(said, labels, "them")
    p = torch_tempered(torch.from_numpy(said).float(), found.temperature).numpy()[np.arange(200), labels]
    for coverage in (0.5, 0.8, 0.9, 0.99):
        assert (p >= found.least(coverage, "it")).mean() >= coverage


def test_an_array_is_tempered_as_a_tensor_is():
    logits = np.array([[0.0, -60.0], [0.0, -800.0], [1.0, 1.0]])
    said = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    for value in (0.2, 1.0, 3.0):
        expected = torch_tempered(torch.from_numpy(said), value).numpy()
        np.testing.assert_array_equal(tempered(said, value), expected)
    assert tempered(said, 3.0)[0, 1] == pytest.approx(np.exp(-20), rel=1e-6)


def test_of_a_group_one_example_says_how_sure_a_right_label_is():
    """Of ten patients each with forty examples: sets for another patient hold the right label as often as was asked."""
    held = []
    for seed in range(300):
        draws = np.random.default_rng(seed)
        skill = np.repeat(draws.normal(0.5, 2.0, 20), 40)  # the last ten are others
        p = 1 / (1 + np.exp(-skill - draws.normal(size=800)))
        said, labels = np.stack([1 - p, p], 1), np.ones(800, int)
        groups = np.repeat(np.arange(20), 40).astype(str)
        found = calibrated(said[:400], labels[:400], "them", groups=groups[:400])
        assert len(found.scores) == 10
        held.append((found.applied(said[400:])[:, 1] >= found.least(0.8, "it")).mean())
    assert np.mean(held) > 0.79
    with pytest.raises(InputError, match="needs 19 examples or more .* has seen 10 of such"):
        found.least(0.95, "it")


def test_groups_are_measured_by_what_others_say():
    said, labels = drawn(400)
    groups, changed = np.repeat(np.arange(20), 20).astype(str), labels.copy()
    changed[:20] = (labels[:20] + 1) % 4
    moved = (crossed(said, labels, groups=groups) != crossed(said, changed, groups=groups)).any(1)
    assert not moved[:20].any() and moved.any() and len(set(moved.reshape(20, 20).sum(1))) == 2


def test_smoothing_that_nobody_can_see_is_none():
    faint = replace(SMALL, label_smoothing=1e-7)
    assert expected(faint) == Prior()
    both = joint([Calibration(1.0, smoothing=1e-6), Calibration()])
    assert both.smoothing == 0 and Calibration.from_dict(both.to_dict(), "it") == both


def test_of_many_examples_some_are_kept():
    said, labels = drawn(5 * SCORES)
    found = calibrated(said, labels, "them")
    assert len(found.scores) == SCORES
    assert found == calibrated(said, labels, "them") == Calibration.from_dict(found.to_dict(), "it")
    assert joint([found]) == found and joint([found, found]).scores == ()
