"""The estimator: scikit-learn's own checks, repeatability, files, budgets, and every kind of input."""

import os
import pickle
import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import googlenet
from conftest import run_cli
from googlenet.training.progress import EpochDone, StepDone
from googlenet.training.recipe import SIGNALS, SMALL

pytestmark = pytest.mark.usefixtures("short")
# A number of steps, never of seconds: what is learned is the same on any machine.
CHANGES = {"arch": "short_1d", "width": "0.125", "members": "2", "batch_size": "64"}
QUICK = SIGNALS.with_changes({**CHANGES, "epochs": "1", "class_epochs": "0", "min_steps": "20"})


def blobs(n=24, length=20, channels=2, seed=0):
    draw = np.random.default_rng(seed)
    y = np.arange(n) % 2
    return draw.normal(y[:, None, None], 0.3, (n, channels, length)).astype(np.float32), y


def not_for_small_steps(estimator):
    """As of scikit-learn's own SGDClassifier and MLPClassifier: other batches are other steps."""
    return {"check_sample_weight_equivalence_on_dense_data": "an example twice is not one step of twice the weight"}


@parametrize_with_checks(
    [googlenet.GoogLeNetClassifier(recipe=QUICK, n_members=1, random_state=0)],
    expected_failed_checks=not_for_small_steps,
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def fitted():
    X, y = blobs()
    return googlenet.GoogLeNetClassifier(recipe=QUICK, random_state=3).fit(X, y)


def test_the_same_random_state_gives_the_same_bits(fitted):
    X, y = blobs()
    before = torch.random.get_rng_state()
    again = googlenet.GoogLeNetClassifier(recipe=QUICK, random_state=3).fit(X, y)
    assert torch.equal(torch.random.get_rng_state(), before)  # the caller's random numbers are left alone
    assert np.array_equal(fitted.predict_proba(X), again.predict_proba(X))
    other = googlenet.GoogLeNetClassifier(recipe=QUICK, random_state=4).fit(X, y)
    assert not np.array_equal(fitted.predict_proba(X), other.predict_proba(X))


# Loads and predicts; then two processes, forked while PyTorch is fresh, fit copies.
PROGRAM = """
import sys
import numpy as np
import torch._dynamo  # here, not in every fork
from joblib import parallel_config
from sklearn.model_selection import cross_val_score
import googlenet
from conftest import short_variants

model, x, y, out = sys.argv[1:]
X, y = np.load(x), np.load(y)
loaded = googlenet.GoogLeNetClassifier.load(model)
recipe = loaded.recipe_
with short_variants(), parallel_config("multiprocessing"):
    scores = cross_val_score(googlenet.GoogLeNetClassifier(recipe=recipe, random_state=0), X, y, cv=2, n_jobs=2)
np.savez(out, p=loaded.predict_proba(X), classes=loaded.classes_, scores=scores)
"""


def test_it_predicts_the_same_in_a_new_process_and_is_fitted_in_several(fitted, tmp_path):
    X, y = blobs(seed=1)
    expected = fitted.predict_proba(X)
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X), expected)
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", y)
    fitted.save(tmp_path / "model.safetensors")
    words = [str(tmp_path / name) for name in ("model.safetensors", "x.npy", "y.npy", "out.npz")]
    path = os.pathsep.join(path for path in sys.path if path)
    result = run_cli(*words, program=[sys.executable, "-c", PROGRAM], env={"PYTHONPATH": path})
    assert result.returncode == 0, result.stderr
    with np.load(tmp_path / "out.npz") as out:
        assert np.array_equal(out["p"], expected)
        assert np.array_equal(out["classes"], fitted.classes_) and out["classes"].dtype == fitted.classes_.dtype
        assert out["scores"].mean() > 0.9


def test_it_works_in_a_pipeline_and_a_search():
    X, y = blobs()
    model = googlenet.GoogLeNetClassifier(recipe=QUICK, random_state=0)
    assert make_pipeline(FunctionTransformer(), clone(model)).fit(X, y).score(X, y) > 0.9
    search = GridSearchCV(model, {"n_members": [1, 2]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.9


def test_signals_come_in_many_shapes():
    X, y = blobs(channels=1)
    model = googlenet.GoogLeNetClassifier(recipe=QUICK, random_state=0)
    expected = clone(model).fit(X, y).predict_proba(X)
    for same in (X[:, 0], list(X), list(X[:, 0])):
        assert np.array_equal(clone(model).fit(same, y).predict_proba(same), expected)
    uneven = [x[:, : 10 + row % 7] for row, x in enumerate(X)]
    uneven[3][0, 4] = np.nan
    assert clone(model).fit(uneven, y).score(uneven, y) > 0.9


def test_data_frames_are_read_wide_and_nested():
    pandas = pytest.importorskip("pandas")
    X, y = blobs(channels=2)
    model = googlenet.GoogLeNetClassifier(recipe=QUICK, random_state=0)
    wide = pandas.DataFrame(X[:, 0], columns=[f"t{i}" for i in range(X.shape[2])])
    assert np.array_equal(
        clone(model).fit(wide, y).predict_proba(wide), clone(model).fit(X[:, 0], y).predict_proba(X[:, 0])
    )
    nested = pandas.DataFrame({f"dim_{c}": [pandas.Series(x[c]) for x in X] for c in range(2)})
    assert np.array_equal(clone(model).fit(nested, y).predict_proba(nested), clone(model).fit(X, y).predict_proba(X))


def test_unequal_multivariate_signals_like_japanese_vowels():
    """Nine speakers, twelve channels, 7 to 29 samples."""
    draw = np.random.default_rng(0)
    y = np.repeat(np.arange(9), 6)
    tone = draw.normal(size=(9, 12, 1))
    X = [(tone[label] + 0.4 * draw.normal(size=(12, draw.integers(7, 30)))).astype(np.float32) for label in y]
    model = googlenet.GoogLeNetClassifier(recipe=QUICK.with_changes({"min_steps": "60"}), random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9
    assert model.predict_proba(X[:5]).shape == (5, 9)


@pytest.mark.parametrize("kind", ["uint8", "float", "list"])
def test_pictures_are_classified_too(kind):
    from PIL import Image

    draw = np.random.default_rng(0)
    y = np.arange(24) % 2
    pixels = (draw.uniform(0, 0.4, (24, 1, 24, 24)) + 0.6 * y[:, None, None, None]) * 255
    X = {"uint8": pixels.astype(np.uint8), "float": pixels / 255, "list": None}[kind]
    if kind == "list":
        X = [Image.fromarray(p[0].astype(np.uint8)) for p in pixels]
    changes = {"arch": "short_2d", "width": "0.125", "epochs": "4", "min_steps": "20", "batch_size": "12", "ema": "0"}
    recipe = SMALL.with_changes(changes)
    model = googlenet.GoogLeNetClassifier(recipe=recipe, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


def test_progress_is_reported_and_kept(fitted):
    X, y = blobs()
    events = []
    model = googlenet.GoogLeNetClassifier(recipe=QUICK, callback=events.append).fit(X, y)
    done = [event for event in events if isinstance(event, EpochDone)]
    assert [event.row for event in done] == model.history_
    assert len(done) == 20  # 24 signals are one step an epoch, and 20 steps are asked for
    assert {event.epochs for event in done} == {20}
    assert [event.epoch for event in events if isinstance(event, StepDone)] == list(range(1, 21))
    assert fitted.history_[-1].loss < fitted.history_[0].loss


def test_fine_tuning_goes_on_and_takes_other_classes(fitted):
    X, y = blobs(seed=5)
    model = pickle.loads(pickle.dumps(fitted)).fine_tune(X, np.array(["low", "high"])[y])
    assert model.classes_.tolist() == ["high", "low"]
    assert model.score(X, np.array(["low", "high"])[y]) > 0.9
    # The first epoch starts from what was learned: far below the loss of a network that knows nothing.
    goes_on = pickle.loads(pickle.dumps(fitted)).fine_tune(X, y)
    assert goes_on.history_[0].loss < 0.7 * fitted.history_[0].loss


def test_what_was_fitted_stays_whole_where_another_training_is_interrupted_or_refused(fitted):
    X, _ = blobs()
    model = pickle.loads(pickle.dumps(fitted))
    before = model.predict_proba(X)

    def interrupting(event):
        raise KeyboardInterrupt

    model.callback = interrupting
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[:, :1], np.array(["x", "y", "z"])[np.arange(24) % 3])
    with pytest.raises(KeyboardInterrupt):
        model.fine_tune(X, np.array(["x", "y", "z"])[np.arange(24) % 3])
    with pytest.raises(ValueError, match="one class"):
        model.fit(X, np.ones(24))
    assert model.classes_.tolist() == [0, 1] and model.recipe_ == fitted.recipe_ and model.history_ == fitted.history_
    assert np.array_equal(model.predict_proba(X), before)


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (np.zeros((4, 9)), ["a"] * 4, "one class"),
        (np.zeros((4, 1, 1, 1, 1, 9)), [0, 1, 0, 1], "Signals are"),
        ([np.zeros((2, 9)), np.zeros((3, 9))], [0, 1], "same channels"),
        ([np.array([1, np.inf]), np.zeros(9)], [0, 1], "infinity"),
        (np.full((4, 1, 24, 24), 7.0), [0, 1, 0, 1], "from 0 to 1"),
    ],
)
def test_bad_input_is_a_sentence(X, y, words):
    with pytest.raises(ValueError, match=words):
        googlenet.GoogLeNetClassifier(recipe=QUICK).fit(X, y)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"max_seconds": "soon"}, "max_seconds takes a number, not 'soon'"),
        ({"max_seconds": 0}, "max_seconds must be above 0"),
        ({"n_members": 1.5}, "members takes a whole number, not '1.5'"),
    ],
)
def test_settings_that_are_none_are_a_sentence(settings, words):
    with pytest.raises(googlenet.InputError, match=words):
        googlenet.GoogLeNetClassifier(recipe=QUICK, **settings).fit(*blobs())


def test_masked_labels_and_frames_whose_times_fall_are_refused():
    y = np.ma.array([0, 1] * 6, mask=[0] * 11 + [1])
    with pytest.raises(googlenet.InputError, match="label is masked"):
        googlenet.GoogLeNetClassifier().fit(np.zeros((12, 32)), y)
    pandas = pytest.importorskip("pandas")
    frames = [pandas.DataFrame({"x": np.arange(8.0)}, index=np.arange(8) * 0.1)[::-1] for _ in range(4)]
    with pytest.raises(googlenet.InputError, match="index of frame 0 does not rise"):
        googlenet.GoogLeNetClassifier().fit(frames, [0, 1, 0, 1])


@pytest.mark.parametrize("kind", ["numbers", "dates", "text"])
def test_series_whose_index_falls_are_refused_wherever_they_stand(kind):
    pandas = pytest.importorskip("pandas")
    index = {
        "numbers": np.arange(8) * 0.5,
        "dates": pandas.date_range("2024-01-01", periods=8, freq="s"),
        "text": [f"2024-01-01 10:00:{at:02}" for at in range(8)],
    }[kind]
    series = [pandas.Series(np.arange(8.0), index=index) for _ in range(4)]
    fallen = [*series[:-1], series[-1][::-1]]
    for X in (fallen, pandas.DataFrame({"x": fallen}), [each.to_frame("x") for each in fallen]):
        with pytest.raises(googlenet.InputError, match="index of .* 3.* does not rise"):
            googlenet.GoogLeNetClassifier().fit(X, [0, 1, 0, 1])
