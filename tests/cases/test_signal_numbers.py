"""Numbers as devices write them: glitches, units, offsets, channels that say nothing, signals that are long."""

import dataclasses
import json
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import googlenet
from googlenet import GoogLeNetClassifier, InputError
from googlenet.data.builtin import gunpoint
from googlenet.data.kinds import preprocessing_from
from googlenet.data.signals.dataset import SignalSet
from googlenet.data.signals.files import read_file
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.inference.engines.torch import BACKEND
from googlenet.inference.pipeline import Pipeline
from googlenet.inference.predictor import Predictor
from googlenet.nn.googlenet import GoogLeNet
from googlenet.training.recipe import SIGNALS

LENGTH = 50
NAN = float("nan")


def waves(n=60, seed=0):
    """Signals of two classes, which differ in frequency."""
    draw, y = np.random.default_rng(seed), np.arange(n) % 2
    phase = draw.uniform(0, 6, (n, 1))
    return np.sin(np.arange(LENGTH) * (0.15 + 0.3 * y[:, None]) + phase) + 0.3 * draw.normal(size=(n, LENGTH)), y


def as_signals(X):
    return [np.atleast_2d(x) for x in np.asarray(X, np.float64)]


def part_of(X):
    signals = tuple(as_signals(X))
    names = tuple(f"waves.csv:{row}" for row in range(1, len(signals) + 1))
    return SignalSet(torch.arange(len(signals)) % 2, names, signals)


def fitted(X, length=LENGTH):
    return SignalPreprocessing.fitted(as_signals(X), length)


def prepared(X, by=None):
    return (by or fitted(X)).array(as_signals(X))


def network(preprocessing, seed=0):
    """A small network that has learned nothing, on what the preprocessing gives."""
    torch.manual_seed(seed)
    arch = dataclasses.replace(googlenet.arch.variants.find_arch("googlenet_1d").scaled(0.125), members=1)
    model = GoogLeNet(arch, 2, preprocessing.inputs).eval()
    return Predictor(BACKEND.engine_of(Pipeline([model], preprocessing)), "ab", preprocessing)


# ------------------------------------------------------------------------------------------------ glitches
@pytest.mark.parametrize("value", [1e2, -1e2, 1e4, 1e6, -1e9, 1e20, 1e30, 1e100])
def test_one_wrong_sample_is_a_missing_one(value):
    X, _ = waves()
    wrong, gap = X.copy(), X.copy()
    wrong[3, 7], gap[3, 7] = value, NAN
    found, expected = fitted(wrong), fitted(gap)
    assert (found.mean, found.std, found.slope) == (expected.mean, expected.std, expected.slope)
    np.testing.assert_array_equal(prepared(wrong, found), prepared(gap, expected))
    np.testing.assert_allclose(prepared(wrong, found), prepared(X), atol=3)  # one sample is interpolated


@pytest.mark.parametrize(
    "wrong", [{(0, 0): 1e5}, {(0, 49): 1e5, (1, 20): -3e7, (2, 21): 1e3}, {(7, 4): 1e9, (7, 5): -1e9}]
)
def test_wrong_samples_wherever_they_are_change_no_statistics(wrong):
    X, _ = waves()
    glitched, gaps = X.copy(), X.copy()
    for place, value in wrong.items():
        glitched[place], gaps[place] = value, NAN
    assert fitted(glitched).mean == fitted(gaps).mean and fitted(glitched).std == fitted(gaps).std
    np.testing.assert_array_equal(prepared(glitched), prepared(gaps))


@pytest.mark.parametrize(
    ("sentinel", "share"), [(-9999, 0.02), (-999, 0.05), (1e20, 0.02), (32767, 0.08), (-9999, 0.001)]
)
def test_a_number_for_missing_is_missing(sentinel, share):
    X, _ = waves()
    there = np.random.default_rng(1).random(X.shape) < share
    assert there.any()
    found, expected = fitted(np.where(there, sentinel, X)), fitted(np.where(there, NAN, X))
    assert found.std == expected.std
    new, _ = waves(seed=2)
    np.testing.assert_array_equal(
        prepared(np.where(there, sentinel, new), found), prepared(np.where(there, NAN, new), expected)
    )


def test_samples_that_are_wrong_at_random_are_missing_though_most_signals_have_one():
    X, _ = waves()
    there = np.random.default_rng(1).random(X.shape) < 0.02
    noise = 1e6 * np.random.default_rng(2).normal(size=X.shape)
    found, expected = fitted(np.where(there, noise, X)), fitted(np.where(there, NAN, X))
    np.testing.assert_allclose(found.std, expected.std, rtol=1e-3)


def test_what_data_are_about_is_no_glitch():
    draw = np.random.default_rng(0)
    calm = 1e-3 * draw.normal(size=(40, LENGTH))
    bumps = calm.copy()
    for row in range(40):
        bumps[row, row % 40 : row % 40 + 4] += draw.uniform(0.5, 1.5, len(bumps[row, row % 40 : row % 40 + 4]))
    flat = np.where(draw.random((40, LENGTH)) < 0.03, 1.0, 0.0)
    loud = draw.normal(size=(40, LENGTH)) * np.where(np.arange(40) % 2, 1, 300)[:, None]
    stairs = np.cumsum(draw.random((40, LENGTH)) < 0.1, axis=1) * 1e4
    for X in (bumps, flat, loud, stairs, draw.standard_cauchy((40, LENGTH)).clip(-60, 60)):
        preprocessing = fitted(X)
        assert not any(preprocessing.glitches(signal).any() for signal in as_signals(X))
        assert np.isfinite(prepared(X)).all()


def test_a_signal_that_is_much_larger_is_clipped_and_the_others_keep_their_scale():
    X, _ = waves()
    large = np.concatenate([X, 1e4 * X[:1]])
    found = fitted(large)
    assert found.std == fitted(X).std
    x = prepared(large, found)[-1, 0]
    limit = (found.high[0] - found.mean[0]) / found.std[0]
    assert x.max() == pytest.approx(limit) and np.array_equal(np.sign(x.round(3)), np.sign((1e4 * X[0]).round(3)))


def test_a_signal_with_its_own_scale_is_rid_of_glitches_too():
    X, _ = waves()
    X = X * np.where(np.arange(60) % 2, 1, 1e3)[:, None]
    preprocessing = fitted(X)
    assert preprocessing.mean == ()
    gaps, wrong = X.copy(), X.copy()
    gaps[5, 9], wrong[5, 9] = NAN, 1e9
    np.testing.assert_array_equal(prepared(wrong, preprocessing), prepared(gaps, preprocessing))
    np.testing.assert_array_equal(prepared(wrong), prepared(gaps))
    np.testing.assert_allclose(prepared(1e7 * X, preprocessing), prepared(X, preprocessing), atol=1e-4)


def test_glitches_are_said_with_their_number_and_the_first_place():
    X, _ = waves()
    X[3, 7], X[9, 1] = 1e9, -1e9
    part = part_of(X)
    recipe = dataclasses.replace(SIGNALS, members=1)
    with pytest.warns(RuntimeWarning, match=r"2 samples in 2 of 60 signals.* waves.csv:4, sample 8, is 1e\+09"):
        part.loader(part.fitted(recipe), recipe)
    clean = part_of(waves()[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clean.loader(clean.fitted(recipe), recipe)
        predictor = network(clean.fitted(recipe))
        predictor.probabilities(as_signals(waves(seed=1)[0]))
    with pytest.warns(RuntimeWarning, match="far beyond all that the network learned from"):
        predictor.probabilities([X[3]])


def test_a_glitch_in_prediction_changes_nothing_but_its_sample():
    X, _ = waves()
    predictor = network(fitted(X))
    gap, wrong = X[0].copy(), X[0].copy()
    gap[20], wrong[20] = NAN, 1e12
    with pytest.warns(RuntimeWarning):
        found = predictor.probabilities([wrong])
    np.testing.assert_array_equal(found, predictor.probabilities([gap]))


# ------------------------------------------------------------------------------------- units and offsets
@pytest.mark.parametrize("unit", [1e-3, 1e-9, 1e-12, 1e-13, 1e-21, 1e-30, 1e-40, 1e-200, 1e12, 1e30, 1e39, 1e200])
def test_units_change_nothing(unit):
    X, _ = waves()
    np.testing.assert_allclose(prepared(X * unit), prepared(X), atol=1e-5)
    mixed = X * np.where(np.arange(60) % 2, 1, 1e3)[:, None]
    assert fitted(mixed * unit).mean == ()
    np.testing.assert_allclose(prepared(mixed * unit), prepared(mixed), atol=1e-5)


@pytest.mark.parametrize("offset", [1e4, -1e8, 1e8, 3e9])
def test_an_offset_changes_nothing(offset):
    X, _ = waves()
    np.testing.assert_allclose(prepared(X + offset), prepared(X), atol=1e-4)
    mixed = X * np.where(np.arange(60) % 2, 1, 1e3)[:, None]
    np.testing.assert_allclose(prepared(mixed + offset), prepared(mixed), atol=1e-4)
    long = fitted(X, 20), fitted(X + offset, 20)
    np.testing.assert_allclose(prepared(X + offset, long[1]), prepared(X, long[0]), atol=1e-4)


@settings(deadline=None, max_examples=60)
@given(
    power=st.lists(st.floats(-20, 20), min_size=3, max_size=3),
    offset=st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3),
    seed=st.integers(0, 9),
    gaps=st.booleans(),
    own=st.booleans(),
    length=st.sampled_from([16, 40, 64]),
)
def test_scaling_and_shifting_channels_changes_no_answer(power, offset, seed, gaps, own, length):
    """Fitted anew on the same data in other units, a network sees the same and says the same."""
    draw = np.random.default_rng(seed)
    X = np.cumsum(draw.normal(size=(20, 3, 40)), axis=2)
    if own:
        X *= np.where(np.arange(20) % 2, 1, 30)[:, None, None]
    if gaps:
        X[draw.random(X.shape) < 0.05] = NAN
    unit = 10.0 ** np.array(power)[:, None]
    moved = unit * (X + np.array(offset)[:, None] * np.nanstd(X))
    before, after = (SignalPreprocessing.fitted(list(each), length) for each in (X, moved))
    assert bool(before.mean) == bool(after.mean) != own
    np.testing.assert_allclose(after.array(list(moved)), before.array(list(X)), atol=1e-4)
    found = network(after).probabilities(list(moved))
    np.testing.assert_allclose(found, network(before).probabilities(list(X)), atol=1e-3)


def test_ordinary_numbers_are_prepared_as_they_always_were():
    """In float32 arithmetic, bit for bit, written out."""
    signals = [signal.astype(np.float32) for signal in gunpoint().train.signals]
    values = np.concatenate([signal[0] for signal in signals]).astype(np.float64)
    found = SignalPreprocessing.fitted(signals, 150, differences=False)
    assert found.mean == (float(values.mean()),) and found.std == (float(values.std()),)
    expected = (np.stack(signals) - np.float32(values.mean())) / np.float32(values.std())
    np.testing.assert_array_equal(found.array(signals), expected)


# -------------------------------------------------------------------------------------- constant channels
@pytest.mark.parametrize("level", [0.0, 0.1, 1e8 + 0.3, -7e-30])
@pytest.mark.parametrize("own", [False, True])
def test_a_channel_that_never_varied_has_no_vote(level, own):
    X, _ = waves()
    X = X * (np.where(np.arange(60) % 2, 1, 1e3)[:, None] if own else 1)
    signals = [np.stack([x, np.full(LENGTH, level)]) for x in X]
    preprocessing = SignalPreprocessing.fitted(signals, LENGTH)
    assert bool(preprocessing.mean) != own and preprocessing.constant == (1,)
    for other in (5.0 * X[1], np.full(LENGTH, 3.0), np.full(LENGTH, NAN)):
        x = preprocessing.prepared(np.stack([X[0], other]))
        np.testing.assert_array_equal(x, preprocessing.prepared(signals[0]))
        assert not x[1].any() and not x[3].any()


def test_a_channel_that_varies_between_signals_alone_has_no_differences():
    levels = np.random.default_rng(0).normal(size=(20, 1, 1)) * np.ones((1, 1, 30))
    preprocessing = SignalPreprocessing.fitted(list(levels), 30)
    assert preprocessing.constant == () and preprocessing.slope == (0.0,)
    assert not preprocessing.prepared(np.random.default_rng(1).normal(size=(1, 30)))[1].any()


@pytest.mark.parametrize("jitter", [1e-12, 1e-25])
def test_small_variation_is_none_only_if_it_is_rounding(jitter):
    noise = np.random.default_rng(0).normal(size=(20, 1, 30))
    assert SignalPreprocessing.fitted(list(jitter * noise), 30).constant == ()
    ulp = np.spacing(1e8) * np.sign(noise)
    assert SignalPreprocessing.fitted(list(1e8 + ulp), 30).constant == (0,)


# ---------------------------------------------------------------------------------------- what is kept
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: x * 1e-3, "vary a hundred times less"),
        (lambda x: np.full_like(x, x.mean()), "do not vary at all"),
        (lambda x: x + 20, "far from all that the network learned from"),
        (lambda x: np.tile(x, 2), r"longer than any that the network learned from \(50 samples\)"),
    ],
)
def test_what_is_unlike_all_that_was_learned_from_is_said(change, said):
    X, _ = waves()
    preprocessing = dataclasses.replace(fitted(X), longest=LENGTH)
    with pytest.warns(RuntimeWarning, match=said):
        preprocessing.read(np.atleast_2d(change(X[0])))
    older = SignalPreprocessing.from_dict(
        {key: value for key, value in preprocessing.to_dict().items() if key != "longest"}
    )
    older.read(np.atleast_2d(np.tile(X[0], 2)))  # how long they were is not known


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: x * 1e-3, "Channel 2 of some signals varies a hundred times less"),
        (lambda x: np.full_like(x, 3.0), "Channel 2 of some signals has no value or does not vary"),
        (np.zeros_like, "Channel 2 of some signals has no value or does not vary"),
        (lambda x: np.full_like(x, np.nan), "Channel 2 of some signals has no value or does not vary"),
    ],
)
def test_a_channel_that_is_unlike_all_that_was_learned_from_is_said(change, said):
    first, second = waves()[0], waves()[0][::-1]
    preprocessing = SignalPreprocessing.fitted([np.stack(pair) for pair in zip(first, second, strict=True)], LENGTH)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        preprocessing.read(np.stack([first[0], second[0]]))
    other = np.stack([first[0], change(second[0])])
    with pytest.warns(RuntimeWarning, match=said):
        preprocessing.read(other)
    quiet = [np.stack(pair) for pair in zip(first, [*second[1:], change(second[0])], strict=True)]  # one was learned
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SignalPreprocessing.fitted(quiet, LENGTH).read(other)


@pytest.mark.parametrize("factor", [100, 1e3, 1e6])
def test_signals_in_a_larger_unit_are_refused(factor):
    X, _ = waves()
    with pytest.raises(InputError, match="more than a tenth of its samples lie far beyond"):
        fitted(X).read(np.atleast_2d(X[0] * factor))


def test_limits_are_kept_with_the_preprocessing_and_files_without_them_are_read():
    signals = [np.stack([x, np.zeros(LENGTH)]) for x in waves()[0]]
    preprocessing = SignalPreprocessing.fitted(signals, LENGTH)
    row = json.loads(json.dumps(preprocessing.to_dict(), allow_nan=False))
    assert preprocessing_from(row) == preprocessing
    for key in ("low", "high", "constant", "least"):
        del row[key]
    old = preprocessing_from(row)
    np.testing.assert_array_equal(old.array(signals), preprocessing.array(signals))
    assert not old.glitches(np.full((2, LENGTH), 1e30)).any()


def test_what_signals_hold_is_known_by_float32_where_that_tells_them_apart():
    ordinary = np.random.default_rng(0).normal(5, 2, (4, 1, 30))
    from googlenet.files import digest

    plain = SignalSet(torch.zeros(4), ("",) * 4, tuple(ordinary))
    assert plain.contents == tuple(digest(x.astype(np.float32).tobytes()) for x in ordinary)
    assert SignalSet(torch.zeros(4), ("",) * 4, tuple(ordinary.astype(np.float32))).contents == plain.contents
    for moved in (ordinary + 1e9, ordinary * 1e-44, ordinary * 1e60):
        found = SignalSet(torch.zeros(4), ("",) * 4, tuple(moved)).contents
        assert found == tuple(digest(x.tobytes()) for x in moved) and len(set(found)) == 4


# ------------------------------------------------------------------------------------------- long signals
def test_a_long_signal_is_said_to_be_squeezed():
    draw = np.random.default_rng(0)
    part = SignalSet(torch.arange(4) % 2, ("a", "b", "c", "d"), tuple(draw.normal(size=(4, 1, 5000))))
    with pytest.warns(RuntimeWarning, match=r"up to 5,000 samples are squeezed to 1,024, 4.88 to one.*fewer than 10 "):
        assert part.fitted(SIGNALS).length == 1024
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (
            dataclasses.replace(part, signals=tuple(x[:, :1024] for x in part.signals)).fitted(SIGNALS).length == 1024
        )


def test_a_few_long_signals_among_short_ones_are_said_to_be_squeezed():
    draw = np.random.default_rng(0)
    signals = [draw.normal(size=(1, 100)) for _ in range(8)]
    part = SignalSet(torch.arange(10) % 2, tuple("abcdefghij"), (*signals, *[draw.normal(size=(1, 900))] * 2))
    with pytest.warns(RuntimeWarning, match="up to 900 samples are squeezed to 100, 9 to one"):
        assert part.fitted(SIGNALS).length == 100
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataclasses.replace(part, signals=(*signals, *[draw.normal(size=(1, 300))] * 2)).fitted(SIGNALS)


# --------------------------------------------------------------------------------------- whole trainings
def quick(X, y, steps=60):
    recipe = dataclasses.replace(
        SIGNALS, epochs=1, class_epochs=0.0, min_steps=steps, members=1, width=0.25, differences=False
    )
    return GoogLeNetClassifier(recipe=recipe, random_state=0).fit(X, y)


def test_scores_are_those_of_clean_data_in_the_usual_unit():
    (X, y), (new, truth) = waves(), waves(seed=1)
    assert quick(X, y).score(new, truth) >= 0.95
    wrong = X.copy()
    wrong[3, 7] = 1e9
    with pytest.warns(RuntimeWarning, match="example 3, sample 8, is 1e"):
        assert quick(wrong, y).score(new, truth) >= 0.95
    assert quick(1e-40 * X, y).score(1e-40 * new, truth) >= 0.95
    assert quick(X + 1e8, y).score(new + 1e8, truth) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["one sample of 1e9", "in units of 1e-20"])
@pytest.mark.filterwarnings("ignore:Glitches")
def test_gunpoint_by_the_default_recipe(kind):
    data = gunpoint()
    X, new = (np.stack(part.signals).astype(np.float64) for part in (data.train, data.test))
    if kind == "one sample of 1e9":
        X[10, 0, 70] = 1e9
    else:
        X, new = X * 1e-20, new * 1e-20
    model = GoogLeNetClassifier(random_state=0).fit(X, data.train.labels.numpy())
    assert model.score(new, data.test.labels.numpy()) >= 0.98


# -------------------------------------------------------------------------------------------- busy machines
@pytest.mark.parametrize("chosen", [None, "ACTIVE"])
def test_the_command_line_waits_without_spinning_unless_told_otherwise(monkeypatch, chosen):
    from googlenet.apps.cli import main as cli

    monkeypatch.setenv("OMP_WAIT_POLICY", chosen or "x")
    if chosen is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    seen = []
    monkeypatch.setattr(cli, "_run", lambda: seen.append(cli.os.environ["OMP_WAIT_POLICY"]))
    with pytest.raises(SystemExit), warnings.catch_warnings():
        monkeypatch.setattr(cli, "_show_own_warnings", lambda: None)
        cli.main()
    assert seen == [chosen or "PASSIVE"]


def test_numbers_in_parentheses_may_be_below_zero_and_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"{name},{at},({at + 0.25}),{name}" for name in "ab" for at in range(12)]
    path.write_text("\n".join(["id,time,x,label", *rows]) + "\n")
    with pytest.raises(InputError):
        read_file(path)
    path.write_text("\n".join(["x,label", *(f'"({at}.5, {at}.25, 3)",{"ab"[at % 2]}' for at in range(12))]) + "\n")
    assert read_file(path).signals[2].tolist() == [[2.5, 2.25, 3]]
