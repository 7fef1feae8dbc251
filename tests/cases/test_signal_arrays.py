"""What users' arrays, lists and frames of signals mean, and were not taken for; what an estimator keeps in a file."""

import threading
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import googlenet
from googlenet.data.kinds import example_set, number_of
from googlenet.errors import InputError
from googlenet.training.recipe import SIGNALS

pytestmark = pytest.mark.usefixtures("short")
CHANGES = {"arch": "short_1d", "width": "0.125", "members": "1", "batch_size": "64"}
QUICK = SIGNALS.with_changes({**CHANGES, "epochs": "4", "class_epochs": "0", "min_steps": "4"})
DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(12, 2, 30))  # (N, C, L)
Y = np.arange(12) % 2


def model(**settings):
    return googlenet.GoogLeNetClassifier(recipe=QUICK, random_state=0, **settings)


@pytest.fixture(scope="module")
def two():
    """Fitted on two channels, which stand first."""
    return model().fit(X, Y)


@pytest.fixture(scope="module")
def one():
    return model().fit(X[:, 0], Y)


def read(given, axis="auto"):
    """Signals as a fresh estimator reads them."""
    estimator = model(axis=axis)
    return example_set(given, torch.zeros(number_of(given), dtype=torch.long), None, estimator).signals


def same(signals, expected):
    assert len(signals) == len(expected)
    for signal, wanted in zip(signals, expected, strict=True):
        assert signal.dtype == np.float64
        np.testing.assert_array_equal(signal, wanted)


# ------------------------------------------------------------------------------------------ axes, case 04
@pytest.mark.parametrize("given", [X[:, :1].swapaxes(1, 2), X.swapaxes(1, 2), list(X.swapaxes(1, 2))])
def test_channels_last_are_seen_and_said(given):
    with pytest.warns(RuntimeWarning, match="channels_last"):
        signals = read(given)
    same(signals, [signal.T for signal in given])
    same(read(given, "channels_last"), [signal.T for signal in given])


@pytest.mark.parametrize("given", [X, X[:, :1], X[:, 0], list(X), list(X[:, 0])])
def test_the_usual_shapes_are_read_in_silence(given):
    same(read(given), [np.atleast_2d(signal) for signal in given])


def test_signals_of_unequal_length_show_their_channels():
    first = [x[:, : 5 + row] for row, x in enumerate(X)]
    same(read(first), first)
    with pytest.warns(RuntimeWarning, match="channels_last"):
        same(read([x.T for x in first]), first)


@pytest.mark.parametrize("shape", [(4, 9, 9), (4, 12, 29), (4, 29, 12)])
def test_an_axis_that_cannot_be_known_is_asked_for(shape):
    given = DRAW.normal(size=shape)
    with pytest.raises(ValueError, match="axis='channels_first' or axis='channels_last'"):
        read(given)
    same(read(given, "channels_first"), given)
    same(read(given, "channels_last"), given.swapaxes(1, 2))
    same(read((given * 100).astype(np.uint8), "channels_last"), (given * 100).astype(np.uint8).swapaxes(1, 2))


def test_another_axis_is_refused():
    with pytest.raises(ValueError, match="channels_first"):
        model(axis="channels_frist").fit(X, Y)


def test_what_the_fit_took_holds_for_predict(two):
    for strange in (X.swapaxes(1, 2), list(X.swapaxes(1, 2)), X[:, [0, 1, 1]], X[0], X[:, 0]):
        with pytest.raises(ValueError, match=r"learned from|one channel"):
            two.predict(strange)
    last = model(axis="channels_last").fit(X.swapaxes(1, 2), Y)
    assert np.array_equal(last.predict_proba(X.swapaxes(1, 2)), two.predict_proba(X))
    with pytest.raises(ValueError, match="learned from"):
        last.predict(X)
    assert (two.axis_, last.axis_) == ("channels_first", "channels_last")


# ------------------------------------------------------------------------------------------ inputs, cases 06 and 18
UNEVEN = [x[0, : 10 + row] for row, x in enumerate(X)]


def objects(rows):
    found = np.empty(len(rows), object)
    found[:] = rows
    return found


@pytest.mark.parametrize(
    "given",
    [
        objects(UNEVEN),
        objects([row[None] for row in UNEVEN]),
        tuple(UNEVEN),
        [row.tolist() for row in UNEVEN],
        [[row.tolist()] for row in UNEVEN],
        pd.Series(UNEVEN),
        [pd.Series(row) for row in UNEVEN],
        [torch.tensor(row) for row in UNEVEN],
        [pd.DataFrame({"a": row}) for row in UNEVEN],
        pd.DataFrame({"a": [pd.Series(row) for row in UNEVEN]}),
        pd.DataFrame({"a": [row.tolist() for row in UNEVEN]}),
    ],
)
def test_signals_of_unequal_length_in_any_list(given):
    same(read(given), [row[None] for row in UNEVEN])


def timed(X):
    index = pd.MultiIndex.from_product([range(len(X)), range(X.shape[2])], names=["instance", "time"])
    return pd.DataFrame({name: X[:, channel].ravel() for channel, name in enumerate("ab")}, index=index)


@pytest.mark.parametrize(
    "given",
    [
        timed(X),
        [pd.DataFrame(x.T, columns=["a", "b"]) for x in X],
        pd.DataFrame({name: [pd.Series(x[channel]) for x in X] for channel, name in enumerate("ab")}),
    ],
)
def test_frames_of_channels_are_read_and_matched_by_name(given, two):
    fitted = model().fit(given, Y)
    assert fitted.channel_names_ == ["a", "b"]
    expected = two.predict_proba(X)
    assert np.array_equal(fitted.predict_proba(given), expected)
    turned = [x[["b", "a"]] for x in given] if isinstance(given, list) else given[["b", "a"]]
    assert np.array_equal(fitted.predict_proba(turned), expected)
    renamed = (
        [x.rename(columns={"a": "c"}) for x in given] if isinstance(given, list) else given.rename(columns={"a": "c"})
    )
    with pytest.raises(ValueError, match="c, b"):
        fitted.predict(renamed)


def test_missing_values_of_every_kind_are_nan():
    expected = X[:, 0].copy()
    expected[2, 3] = np.nan
    wide = pd.DataFrame(X[:, 0])
    for given in (
        np.ma.masked_array(X[:, 0], np.isnan(expected)),
        wide.where(~np.isnan(expected)),
        wide.convert_dtypes().mask(np.isnan(expected)),
    ):
        same(read(given), expected[:, None])


def test_numbers_beyond_float32_stay():
    same(read(X[:, 0] * 1e300), X[:, :1] * 1e300)
    same(read([X[0] * 1e-40, X[1] * 1e39]), [X[0] * 1e-40, X[1] * 1e39])


WIDE = pd.DataFrame(X[:, 0], columns=[f"f{i}" for i in range(30)])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (WIDE.assign(id="p"), "'id' holds text"),
        (WIDE.assign(when=pd.Timestamp("2020-01-01")), "'when' holds dates"),
        (WIDE.assign(label=Y), "label is no sample"),
        (pd.DataFrame(X[:, 0]).assign(age=1.0), "age is no sample"),
        (pd.concat([WIDE, WIDE.rename(columns=lambda name: name.replace("f", "g"))], axis=1), "2 runs of 30"),
        (pd.concat([WIDE, WIDE], axis=1), "two columns 'f0'"),
        (timed(X).iloc[::-1], "do not rise"),
        (pd.concat({"g": timed(X)}), "3 levels"),
        (pd.DataFrame({"a": [pd.Series(x[0]) for x in X], "id": "p"}), "id are no series"),
        ([pd.DataFrame({"time": np.arange(30), "a": x[0]}) for x in X], "'time' is the time"),
        (X[0, 0], "one signal"),
        (list(X[0, 0]), "one signal"),
        (X[:, 0] * 1j, "omplex"),
        (X[:, 0].astype("M8[s]"), "dates"),
        ([X[0], ["a", "b"]], "text"),
        ([X[0, 0], np.zeros(0)], "Signals in a list"),
        ([X[0], X[1] * np.inf], "infinity, in signal 1"),
    ],
)
def test_what_is_no_set_of_signals_is_a_sentence(given, words):
    with pytest.raises(ValueError, match=words):
        read(given)


@pytest.mark.parametrize("names", [["age", "height", "weight"], ["f2", "f1", "f3"]])
def test_columns_that_are_guessed_to_be_samples_are_named(names):
    given = pd.DataFrame(X[:, 0, :3], columns=names)
    with pytest.warns(RuntimeWarning, match="samples"):
        same(read(given), X[:, :1, :3])


def test_labels_in_another_order_than_their_examples_are_said():
    with pytest.warns(RuntimeWarning, match="same index in another order"):
        model().fit(WIDE, pd.Series(Y).sample(frac=1, random_state=0))


def test_a_fit_forgets_the_fit_before():
    found = model().fit(WIDE, Y)
    assert found.n_features_in_ == 30 and list(found.feature_names_in_) == list(WIDE.columns)
    found.fit(list(X[:, 0, :20]), Y)
    assert not hasattr(found, "n_features_in_") and not hasattr(found, "feature_names_in_")
    assert len(found.predict(X[:, 0, :20])) == 12
    found.fit(X, Y)
    assert found.axis_ == "channels_first"
    found.fit(list(X[:, 0]), Y)
    assert not hasattr(found, "axis_")


def test_one_channel_is_the_same_in_two_and_three_axes(one):
    expected = one.predict_proba(X[:, 0])
    other = model().fit(X[:, :1], Y)
    for fitted in (one, other):
        assert fitted.n_features_in_ == 30
        for given in (X[:, 0], X[:, :1], X[:, :1].swapaxes(1, 2), list(X[:, 0]), [x[:1] for x in X]):
            assert np.array_equal(fitted.predict_proba(given), expected)
        with pytest.raises(ValueError, match="30 features"):
            fitted.predict(X[:, 0, :20])
        with pytest.warns(RuntimeWarning, match=r"shorter than any that the network learned from \(30 samples\)"):
            assert len(fitted.predict(list(X[:, 0, :20]))) == 12


# ------------------------------------------------------------------------------------------ files, case 20
NAMES = ("m", "m.pt", "m.pth", "m.bin", "m.pkl", "m.onnx", "m.caffemodel", "m.v2", "model.safetensors.bak", "m.npz")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_says_another_format_is_refused_before_it_is_written(one, name, tmp_path):
    with pytest.raises(InputError, match=r"does not end in \.safetensors"):
        one.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "classes",
    [np.array([0, 1], kind) for kind in ("i1", "u1", ">i2", "u4", "i8", "u8", "f2", "f4", "f8", "?")]
    + [
        np.array(["a", "é"]),
        np.array([b"a", b"b"]),
        np.array(["a", "b"], object),
        np.array(["2020-01-01", "2021-01-01"], "M8[D]"),
        np.array(["2020-01-01", "2021-01-01"], "M8[ns]"),
        np.array([1, 5], "m8[h]"),
    ],
    ids=lambda classes: str(classes.dtype),
)
def test_labels_of_every_type_come_back(classes, tmp_path):
    fitted = model().fit(X, classes[Y])
    assert fitted.classes_.dtype == classes.dtype
    fitted.save(tmp_path / "m.safetensors")
    found = googlenet.GoogLeNetClassifier.load(tmp_path / "m.safetensors")
    assert np.array_equal(found.classes_, fitted.classes_) and found.classes_.dtype == fitted.classes_.dtype
    assert np.array_equal(found.predict(X), fitted.predict(X))


@pytest.mark.parametrize(
    "labels", [objects(["a", None] * 6), objects(["a", 1] * 6), np.array(["2020", "NaT"] * 6, "M8[D]"), Y + 0.5]
)
def test_labels_that_are_none_are_refused(labels):
    with pytest.raises((ValueError, TypeError)):
        model().fit(X, labels)


def test_all_that_an_estimator_is_comes_back(tmp_path):
    fitted = model(axis="channels_first", class_weight={0: 2, 1: 1}).set_params(n_members=np.int64(1), verbose=0)
    fitted.fit([pd.DataFrame(x.T, columns=["a", "b"]) for x in X], Y).save(tmp_path / "m.safetensors")
    found = googlenet.GoogLeNetClassifier.load(tmp_path / "m.safetensors")
    assert found.get_params() == fitted.get_params()
    assert found.channel_names_ == ["a", "b"] and found.recipe_ == fitted.recipe_
    assert np.array_equal(clone(found).fit(X, Y).predict_proba(X), clone(fitted).fit(X, Y).predict_proba(X))
    model().fit(WIDE, Y).save(tmp_path / "w.safetensors")
    found = googlenet.GoogLeNetClassifier.load(tmp_path / "w.safetensors")
    assert found.n_features_in_ == 30 and list(found.feature_names_in_) == list(WIDE.columns)
    with pytest.raises(ValueError, match="feature names"):
        found.predict(WIDE[WIDE.columns[::-1]])


# ------------------------------------------------------------------------------------------ scikit-learn's habits
def test_equal_weights_change_nothing_and_none_is_not_there(two):
    expected = two.predict_proba(X)
    for settings, weights in (({}, np.full(12, 3.0)), ({"class_weight": "balanced"}, None)):
        assert np.array_equal(model(**settings).fit(X, Y, weights).predict_proba(X), expected)
    weights = np.ones(12)
    weights[[2, 5]] = 0
    kept = weights > 0
    assert np.array_equal(model().fit(X, Y, weights).predict_proba(X), model().fit(X[kept], Y[kept]).predict_proba(X))
    three = np.arange(12) % 3
    assert model().fit(X, three, (three < 2) * 1.0).classes_.tolist() == [0, 1]


def test_weights_of_a_class_are_those_of_its_examples(two):
    by_class = model(class_weight={0: 3.0, 1: 1.0}).fit(X, Y).predict_proba(X)
    by_example = model().fit(X, Y, np.where(Y == 0, 3.0, 1.0)).predict_proba(X)
    assert np.array_equal(by_class, by_example)
    assert by_class[:, 0].mean() > two.predict_proba(X)[:, 0].mean()
    for wrong in ({0: -1.0}, {7: 1.0}, "even"):
        with pytest.raises(ValueError, match=r"."):
            model(class_weight=wrong).fit(X, Y)


def test_fields_of_the_recipe_can_be_searched():
    search = GridSearchCV(model(), {"recipe__epochs": [1, 2]}, cv=2).fit(X, Y)
    assert len(search.best_estimator_.history_) == search.best_params_["recipe__epochs"]
    plain = googlenet.GoogLeNetClassifier(recipe={"epochs": 2, **CHANGES}, random_state=0)
    assert len(plain.set_params(recipe__learning_rate=np.float64(0.001)).fit(X, Y).history_) == 2
    assert plain.recipe_.learning_rate == 0.001 and plain.get_params()["recipe__epochs"] == 2
    with pytest.raises(ValueError, match="epochs"):
        plain.set_params(recipe__epoch=3)


def test_logarithms_and_evidence(two):
    np.testing.assert_allclose(np.exp(two.predict_log_proba(X)), two.predict_proba(X))
    found = two.explain(X)
    assert found.ndim == 2 and len(found) == 12
    assert np.array_equal(found, two.explain(X, two.predict(X)))
    # Less the mean over classes: what speaks for one of two speaks against the other.
    np.testing.assert_allclose(two.explain(X, np.zeros(12, int)), -two.explain(X, np.ones(12, int)), atol=1e-5)
    with pytest.raises(ValueError, match="does not know the label 7"):
        two.explain(X, np.full(12, 7))


def test_fits_in_threads_give_the_bits_of_fits_alone():
    recipe = QUICK.with_changes({"dropout": "0.3", "mixup": "0.2", "epochs": "6"})
    models = [googlenet.GoogLeNetClassifier(recipe=recipe, random_state=seed) for seed in (1, 2)]
    alone = [clone(each).fit(X, Y).predict_proba(X) for each in models]
    threads = [threading.Thread(target=each.fit, args=(X, Y)) for each in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    for each, expected in zip(models, alone, strict=True):
        assert np.array_equal(each.predict_proba(X), expected)


def test_nothing_is_said_of_a_plain_fit():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model().fit(X, Y).predict(X)
