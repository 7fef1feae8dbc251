"""Signals of several channels: what the members of a network see, and that one channel is read as it always was."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet import GoogLeNetClassifier
from googlenet.data.signals.batches import Changes, signal_batches
from googlenet.data.signals.dataset import SignalSet, scale_tells
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.training.recipe import SIGNALS

PLAIN = replace(SIGNALS, gain=0.0)
SHORT = replace(SIGNALS, width=0.125, epochs=2, class_epochs=0.0, min_steps=0, batch_size=4)


def signals(channels, n=12, length=40, seed=0):
    """Slow noise, of another strength in every signal and channel."""
    draw = np.random.default_rng(seed)
    walks = draw.normal(size=(n, channels, length)).cumsum(2) * draw.uniform(0.5, 2, (n, channels, 1))
    return SignalSet(torch.arange(n) % 3, tuple(map(str, range(n))), tuple(walks.astype(np.float32)))


def by_hand(signal):
    """Every channel by itself, with numpy."""
    signal = signal.astype(np.float64)
    return (signal - signal.mean(1, keepdims=True)) / signal.std(1, keepdims=True)


def members(preprocessing, given, count=4):
    """``(N, members, inputs, length)``."""
    prepared = torch.from_numpy(preprocessing.array(given))
    return preprocessing.views(prepared, count)[0].unflatten(1, (count, -1)).numpy()


def batches(part, recipe):
    preprocessing = part.fitted(recipe)
    return [batch for epoch in range(3) for batch in part.loader(preprocessing, recipe).training(epoch, 4)]


def test_the_batches_of_one_channel_are_bit_for_bit_those_without_gain():
    part = signals(1)
    assert part.fitted(SIGNALS) == part.fitted(PLAIN) and not part.fitted(SIGNALS).own
    for ours, plain in zip(batches(part, SIGNALS), batches(part, PLAIN), strict=True):
        assert torch.equal(ours.inputs, plain.inputs) and torch.equal(ours.rows, plain.rows)


def test_the_batches_of_one_channel_are_the_prepared_signals_in_the_order_of_seed_and_epoch():
    part = signals(1)
    preprocessing = part.fitted(SIGNALS)
    prepared = torch.from_numpy(preprocessing.array(part.signals))
    for epoch in range(2):
        seed = int(np.random.SeedSequence((SIGNALS.seed, epoch)).generate_state(1, np.uint64)[0]) >> 1
        generator = torch.Generator().manual_seed(seed)
        orders = torch.stack([torch.randperm(12, generator=generator) for _ in range(4)], dim=1)
        batch = next(part.loader(preprocessing, SIGNALS).training(epoch, 4))
        assert torch.equal(batch.rows, orders[:4])
        seen = batch.inputs.unflatten(1, (4, 2))
        assert torch.equal(seen[:, 0], prepared[orders[:4, 0]])  # the third and fourth are stretched
        assert torch.equal(seen[:, 1, 0], prepared[orders[:4, 1], 0]) and not seen[:, 1, 1].any()


def test_a_fit_on_one_channel_is_bit_for_bit_that_without_gain_and_on_two_it_is_not():
    for channels, same in ((1, True), (2, False)):
        part = signals(channels)
        found = [
            GoogLeNetClassifier(recipe=recipe, random_state=0)
            .fit(list(part.signals), part.labels.numpy())
            .predict_proba(list(part.signals))
            for recipe in (SHORT, replace(SHORT, gain=0.0))
        ]
        assert np.array_equal(*found) is same


def test_the_second_and_third_of_four_members_see_each_channel_to_its_own_scale():
    part = signals(3)
    preprocessing = part.fitted(SIGNALS)
    assert preprocessing.own
    prepared, seen = preprocessing.array(part.signals), members(preprocessing, part.signals, count=6)
    own = np.stack([by_hand(signal) for signal in part.signals])
    for member in (0, 3, 4):
        np.testing.assert_array_equal(seen[:, member, :3], prepared[:, :3])
    for member in (1, 2, 5):
        np.testing.assert_allclose(seen[:, member, :3], own, atol=1e-4)
    assert not seen[:, 1::2, 3:].any()
    # A difference has the scale of its channel.
    deviation = prepared[:, :3].std(2, keepdims=True)
    np.testing.assert_allclose(seen[:, 2, 3:], prepared[:, 3:] / deviation, rtol=1e-4, atol=1e-5)


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 99),
    scales=st.lists(st.floats(0.1, 10), min_size=2, max_size=2),
    offsets=st.lists(st.floats(-10, 10), min_size=2, max_size=2),
)
def test_those_members_do_not_see_the_strength_or_the_level_of_a_channel(seed, scales, offsets):
    part = signals(2, seed=seed)
    preprocessing = replace(part.fitted(SIGNALS), own=True)  # chance may say that strength tells
    changed = [np.array(scales)[:, None] * signal + np.array(offsets)[:, None] for signal in part.signals]
    seen, again = members(preprocessing, part.signals), members(preprocessing, [x.astype(np.float32) for x in changed])
    np.testing.assert_allclose(again[:, 1:3], seen[:, 1:3], atol=2e-3)


def test_a_channel_that_hardly_varies_in_a_signal_is_not_blown_up():
    part = signals(2)
    signal = part.signals[0].copy()
    signal[1] = signal[1].mean() + np.random.default_rng(0).normal(0, 1e-5, signal.shape[1])
    seen = members(part.fitted(SIGNALS), [signal])[0]
    assert abs(seen[1:3, 1]).max() < 1e-3 and abs(seen[1, 0]).max() > 1


def test_a_channel_and_its_difference_get_one_random_factor_where_the_common_scale_is_seen():
    part = signals(2, n=200)
    preprocessing = part.fitted(SIGNALS)
    prepared = torch.from_numpy(preprocessing.array(part.signals))
    batch = next(signal_batches(prepared, part.labels, preprocessing, 200, 4, Changes(gain=0.4), 0, 0))
    seen = batch.inputs.unflatten(1, (4, 2, 2))
    original = prepared.unflatten(1, (2, 2))[batch.rows[:, 0]]
    factors = seen[:, 0].norm(dim=3) / original.norm(dim=3)  # (N, signal or difference, channel)
    torch.testing.assert_close(factors[:, 0], factors[:, 1], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(seen[:, 0], original * factors[..., None], rtol=1e-4, atol=1e-4)
    logs = factors[:, 0].log()
    assert abs(float(logs.std()) - 0.4) < 0.05 and abs(float(logs.mean())) < 0.06
    assert abs(float(torch.corrcoef(logs.T)[0, 1])) < 0.2  # each channel has its own
    own = preprocessing.views(prepared, 4)[0].unflatten(1, (4, 2, 2))[batch.rows[:, 1], 1]
    torch.testing.assert_close(seen[:, 1], own, rtol=1e-3, atol=1e-3)  # to its own scale there is none


def test_where_each_signal_is_standardised_by_itself_already_nothing_is_left_to_do():
    part = signals(2, n=20)
    scaled = [signal * (100 if row % 2 else 1) for row, signal in enumerate(part.signals)]
    assert not replace(part, signals=tuple(scaled)).fitted(SIGNALS).own


def shaped(level_tells, n=40):
    """Two classes in two channels: by their level, whatever their shape, or by their shape, whatever their level."""
    draw = np.random.default_rng(1)
    labels, time = np.arange(n) % 2, np.linspace(0, 6, 50)
    wave = np.where(
        ((labels if not level_tells else draw.integers(2, size=n)) == 0)[:, None], np.sin(time), np.cos(time)
    )
    level = 3.0 * labels if level_tells else draw.normal(0, 1, n)
    found = wave[:, None] + level[:, None, None] * [[1.0], [-1.0]] + draw.normal(0, 0.1, (n, 2, 50))
    return SignalSet(torch.from_numpy(labels), tuple(map(str, range(n))), tuple(found.astype(np.float32)))


def test_where_the_level_tells_classes_apart_every_member_sees_it_as_before():
    part = shaped(level_tells=True)
    assert scale_tells(part, part.fitted(PLAIN)) and part.fitted(SIGNALS) == part.fitted(PLAIN)
    for ours, plain in zip(batches(part, SIGNALS), batches(part, PLAIN), strict=True):
        assert torch.equal(ours.inputs, plain.inputs)
    assert shaped(level_tells=False).fitted(SIGNALS).own


@pytest.mark.parametrize("level_tells", [True, False])
def test_whether_the_scale_tells_is_a_sign_test_of_nearest_neighbours(level_tells):
    from scipy.stats import binomtest
    from sklearn.neighbors import KNeighborsClassifier

    part = shaped(level_tells)
    labels, preprocessing = part.labels.numpy(), part.fitted(PLAIN)
    right = []
    for each in (preprocessing.array(part.signals)[:, :2], np.stack([by_hand(signal) for signal in part.signals])):
        rows = each.reshape(len(each), -1)
        guesses = KNeighborsClassifier(1).fit(rows, labels).kneighbors(n_neighbors=1, return_distance=False)[:, 0]
        right.append(labels[guesses] == labels)
    common, own = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    expected = bool(binomtest(common, common + own, alternative="greater").pvalue < 0.05)
    assert scale_tells(part, preprocessing) is expected is level_tells


def test_of_many_signals_some_are_looked_at():
    part = shaped(level_tells=True, n=60)
    preprocessing = part.fitted(PLAIN)
    assert scale_tells(part, preprocessing, most=40) and not scale_tells(part, preprocessing, most=4)  # too few to say


def test_what_was_written_before_is_read_as_it_was():
    preprocessing = signals(2).fitted(SIGNALS)
    row = json.loads(json.dumps(preprocessing.to_dict()))
    assert SignalPreprocessing.from_dict(row) == preprocessing and "its own for half" in preprocessing.described()
    del row["own"]
    old = SignalPreprocessing.from_dict(row)
    assert old == replace(preprocessing, own=False)
    prepared = torch.from_numpy(old.array(signals(2).signals))
    assert torch.equal(old.views(prepared, 4)[0].unflatten(1, (4, 4))[:, 2], prepared)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_fewer_members_see_what_the_first_of_four_see(count):
    part = signals(2)
    preprocessing = part.fitted(SIGNALS)
    few, four = (members(preprocessing, part.signals, each) for each in (count, 4))
    np.testing.assert_array_equal(few, four[:, :count])
