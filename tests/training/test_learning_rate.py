"""The learning rate as training goes on."""

import pytest

from googlenet.training.optimizers import learning_rate
from googlenet.training.recipe import SMALL, find_recipe


def test_learning_rate_climbs_then_falls():
    rates = [learning_rate(SMALL, step / 1600, []) for step in range(1600)]
    top = rates.index(max(rates))
    assert top == pytest.approx(SMALL.warmup * len(rates), abs=2)
    assert max(rates) == pytest.approx(SMALL.learning_rate, rel=1e-3)
    assert rates[-1] < 1e-3 * max(rates)
    paper = find_recipe("paper")
    # 4 % less every 8 epochs (paper, section 6).
    assert learning_rate(paper, 0.5, [1.0] * 8) == pytest.approx(0.96 * learning_rate(paper, 0.5, [1.0] * 7))


def test_learning_rate_halves_on_a_plateau():
    recipe = find_recipe("inceptiontime")
    falling = [1 / (epoch + 1) for epoch in range(20)]

    def rate(flat: int) -> float:
        return learning_rate(recipe, 0.5, falling + [falling[-1]] * flat)

    # Fawaz et al. 2020, section 4.2, and Keras' rule: 50 epochs without a gain, not below 1e-4.
    assert [rate(flat) for flat in (0, 49, 50, 99, 100, 150)] == [1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4, 1.25e-4]
    assert rate(200) == rate(900) == 1e-4
    # A gain starts the count anew, one of less than 1e-4 does not.
    flat = falling + [falling[-1]] * 30
    assert learning_rate(recipe, 0.5, [*flat, 0.01, *[0.01] * 30]) == 1e-3
    assert learning_rate(recipe, 0.5, [*flat, falling[-1] - 5e-5, *[1.0] * 19]) == 5e-4
