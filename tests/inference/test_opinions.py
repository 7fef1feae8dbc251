"""Kernels that answer with a network: fitted to what it learned from, as loud as helps, kept in every file."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from googlenet import GoogLeNetClassifier
from googlenet.data.builtin import digits
from googlenet.data.protocol import Dataset
from googlenet.data.signals.dataset import SignalSet
from googlenet.errors import InputError
from googlenet.inference.calibration.competing import opinion_of
from googlenet.inference.calibration.out_of_fold import by_folds, out_of_fold
from googlenet.inference.calibration.temperature import calibrated, expected, tempered
from googlenet.inference.engines.backend import BACKENDS
from googlenet.inference.engines.engine import Chunk
from googlenet.inference.export import compared, notes_of
from googlenet.inference.hub import save_pretrained
from googlenet.inference.load import load, load_pipeline
from googlenet.inference.pipeline import Pipeline
from googlenet.nn.competing import STRENGTHS, CompetingKernels
from googlenet.training.distributed import World
from googlenet.training.recipe import INCEPTIONTIME, SIGNALS, SMALL
from googlenet.training.recipe.rows import RECORDINGS
from googlenet.training.start.fresh import fresh_state
from googlenet.training.task import task_for
from googlenet.weights import checkpoint
from googlenet.weights.convert import convert
from googlenet.weights.create import read_source

pytestmark = pytest.mark.usefixtures("short")
CHANGES = {"arch": "short_1d", "width": 0.25, "members": 2, "batch_size": 8, "epochs": 4, "competing": 32}
RECIPE = dataclasses.replace(SIGNALS, **CHANGES, class_epochs=0.0, min_steps=0)


def bursts(n, seed=0):
    """Of two kinds, which differ in a motif of nine samples at a random place."""
    draws = np.random.default_rng(seed)
    labels, found = np.arange(n) % 2, []
    motifs = np.sin(np.linspace(0, 2 * np.pi, 9)), np.sin(np.linspace(0, 4 * np.pi, 9))
    for label in labels:
        signal, place = 0.3 * draws.normal(size=48), draws.integers(0, 39)
        signal[place : place + 9] += 3 * motifs[label]
        found.append(signal[None].astype(np.float32))
    return found, labels


def task_of(found, labels, groups=(), recipe=RECIPE):
    names = tuple(f"row {row}" for row in range(len(labels)))
    part = SignalSet(torch.tensor(labels), names, tuple(found), groups=tuple(groups))
    return task_for(Dataset("bursts", ("slow", "fast"), part), recipe)


@pytest.fixture(scope="module")
def fitted(short):
    return GoogLeNetClassifier(CHANGES, random_state=0).fit(*bursts(60))


def test_they_tell_apart_what_they_never_saw():
    task = task_of(*bursts(120))
    opinion = opinion_of(task)
    labels = task.data.train.labels.numpy()
    assert (opinion.left_out.argmax(1) == labels).mean() > 0.9
    new, truth = bursts(200, seed=1)
    with torch.inference_mode():
        said = opinion.kernels(torch.from_numpy(task.preprocessing.array(new))).numpy()
    assert (said.argmax(1) == truth).mean() > 0.9


def test_copies_and_groups_are_left_out_together():
    """Labels by lot, of which each is there twice: whoever leaves one out and keeps its copy would know them all."""
    found, _ = bursts(40)
    lot = np.random.default_rng(5).integers(2, size=40)
    twice, labels = [*found, *found], np.concatenate([lot, lot])
    assert (opinion_of(task_of(twice, labels)).left_out.argmax(1) == labels).mean() < 0.7
    near = [signal + np.float32(1e-4) for signal in twice]
    groups = tuple(map(str, [*range(40), *range(40)]))
    assert (opinion_of(task_of(near, labels, groups)).left_out.argmax(1) == labels).mean() < 0.7


@pytest.mark.parametrize("swapped", [False, True])
def test_two_groups_with_both_classes_are_left_out_whole(swapped):
    """Whatever comes first in each: what is said of one comes from a regression on the other."""
    found, labels = bursts(40)
    if swapped:  # the second group begins with the other class
        found, labels = [*found[:20], *found[21:], found[20]], np.concatenate([labels[:20], labels[21:], labels[20:21]])
    groups = ["a"] * 20 + ["b"] * 20
    task = task_of(found, labels, groups)
    opinion = opinion_of(task)
    features = opinion.kernels.features(torch.from_numpy(task.preprocessing.array(found))).double().numpy()
    spread = features.std(0)
    features /= np.where(spread > 1e-6, spread, 1)
    targets = 2.0 * np.eye(2)[labels] - 1
    halves = np.arange(40) < 20, np.arange(40) >= 20
    tried = []
    for strength in STRENGTHS * features.shape[1] / 1000:
        said = np.empty((40, 2))
        for here, there in (halves, halves[::-1]):
            said[here] = Ridge(alpha=strength).fit(features[there], targets[there]).predict(features[here])
        tried.append(said)
    best = min(tried, key=lambda said: float(((said - targets) ** 2).sum()))
    np.testing.assert_allclose(opinion.left_out, best, atol=1e-4)


def test_classes_of_one_example_are_left_out_one_by_one():
    """All together would leave nothing to learn from; each alone is what a regression without it says."""
    found, _ = bursts(6)
    names = tuple(map(str, range(6)))
    part = SignalSet(torch.arange(6), names, tuple(found))
    task = task_for(Dataset("singles", names, part), RECIPE)
    opinion = opinion_of(task)
    features = opinion.kernels.features(torch.from_numpy(task.preprocessing.array(found))).double().numpy()
    spread = features.std(0)
    features /= np.where(spread > 1e-6, spread, 1)
    targets = 2.0 * np.eye(6) - 1

    def without(strength):
        said = np.empty((6, 6))
        for row in range(6):
            rest = np.arange(6) != row
            said[row] = Ridge(alpha=strength).fit(features[rest], targets[rest]).predict(features[row : row + 1])
        return said

    tried = [without(strength) for strength in STRENGTHS * features.shape[1] / 1000]
    best = min(tried, key=lambda said: float(((said - targets) ** 2).sum()))
    np.testing.assert_allclose(opinion.left_out, best, atol=1e-4)


def test_of_many_examples_some_are_fitted_to(monkeypatch):
    monkeypatch.setattr("googlenet.inference.calibration.competing.MOST", 30)
    found, _ = bursts(50)
    labels = np.array([1] * 3 + [0] * 47)
    known = np.isfinite(opinion_of(task_of(found, labels)).left_out).all(1)
    assert known.sum() == 30 and known[:3].sum() == 2  # two of three, and 28 of 47
    task = task_of(*bursts(50))
    assert len(by_folds(task, opinion_of(task)).scores) == 30  # it is asked of these alone


def test_only_recipes_that_want_them_have_them():
    assert SIGNALS.opines and not RECORDINGS.opines and not INCEPTIONTIME.opines
    with pytest.raises(InputError, match="competing is for signals; leave it out for pictures"):
        fresh_state(task_for(digits(), dataclasses.replace(SMALL, competing=16)), World(0, 1, torch.device("cpu")))
    for changes in ({"competing": 0}, {"max_seconds": 9.0}):
        assert opinion_of(task_of(*bursts(12), recipe=dataclasses.replace(RECIPE, **changes))) is None
    with pytest.raises(InputError, match="a multiple of 16, not 20"):
        SIGNALS.with_changes({"competing": "20"})
    with pytest.raises(InputError, match="at most 4096"):
        SIGNALS.with_changes({"competing": "8192"})


def test_a_pipeline_says_what_its_parts_say(fitted):
    pipeline = fitted._pipeline
    (kernels,) = pipeline.opinions
    x = pipeline.example(5)
    with torch.inference_mode():
        network = Pipeline(pipeline.networks, pipeline.preprocessing)(x).double().numpy()
        odds = network * np.exp(kernels(x).numpy())
        wanted = tempered(odds / odds.sum(1, keepdims=True), pipeline.calibration.temperature)
        np.testing.assert_allclose(pipeline(x).numpy(), wanted, atol=1e-6)
        assert np.abs(wanted - network).max() > 0.01


def test_the_temperature_is_found_on_what_both_left_out():
    task = task_of(*bursts(40))
    opinion = opinion_of(task)
    rows, network, labels = out_of_fold(task)
    odds = network * np.exp(opinion.left_out[rows])
    wanted = calibrated(odds / odds.sum(1, keepdims=True), labels, "", expected(task.recipe)).temperature
    assert by_folds(task, opinion).temperature == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("form", ["openvino", "onnx", "torch"])
def test_every_format_holds_them(fitted, form, tmp_path):
    pipeline = fitted._pipeline
    path = tmp_path / {"openvino": "a.xml", "onnx": "a.onnx", "torch": "a.pt2"}[form]
    engine = BACKENDS[form].load().write(pipeline, notes_of(pipeline, ("0", "1")), path, None)
    assert compared(engine, pipeline, None).largest < 1e-4
    if form != "torch":  # whose programs are for others
        x = fitted._pipeline.preprocessing.array(bursts(6, 2)[0])
        with torch.inference_mode():
            wanted = pipeline(torch.from_numpy(x)).numpy()
        np.testing.assert_allclose(load(path).engine.of(Chunk([], [], x)), wanted, atol=1e-4)


def test_weights_keep_them_and_other_formats_say_that_they_do_not(fitted, tmp_path):
    file, signals = tmp_path / "a.safetensors", bursts(9, seed=3)[0]
    fitted.save(file)
    again = GoogLeNetClassifier.load(file)
    np.testing.assert_array_equal(again.predict_proba(signals), fitted.predict_proba(signals))
    assert not convert(file, tmp_path / "b.safetensors").notes
    assert load_pipeline(tmp_path / "b.safetensors")[0].opinions
    (note,) = [note for note in convert(file, tmp_path / "c.onnx").notes if "kernels" in note]
    assert note == "The competing kernels that answer with the network stay behind: what is written is the network."


def test_of_several_runs_the_mean_is_taken(fitted, tmp_path):
    one, two = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    fitted.save(one)
    pipeline = fitted._pipeline
    Pipeline(pipeline.networks, pipeline.preprocessing).save(two, classes=["0", "1"])  # one without
    both, _ = load_pipeline(one, two)
    x = pipeline.example(4)
    with torch.inference_mode():
        alone = Pipeline(pipeline.networks, pipeline.preprocessing)(x).double().numpy()
        odds = alone * np.exp(pipeline.opinions[0](x).numpy() / 2)
        wanted = tempered(odds / odds.sum(1, keepdims=True), both.calibration.temperature)
        np.testing.assert_allclose(both(x).numpy(), wanted, atol=1e-6)


def test_damaged_ones_are_refused_before_anything_is_written(fitted, tmp_path):
    file, out = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    fitted.save(file)
    weights = read_source(file)
    del weights.competing["classifier.bias"]
    checkpoint.write(weights, file)
    for write in (lambda: convert(file, out), lambda: save_pretrained(file, tmp_path / "hub")):
        with pytest.raises(InputError, match=r"a\.safetensors is damaged: the competing kernels"):
            write()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.safetensors"]


def test_a_small_file_cannot_ask_for_gigabytes():
    """Of a signal of 400,000 samples the responses of 128 kernels are 205 MB, and there are 16 dilations of them."""
    kernels = CompetingKernels.drawn(1, 1, 400_000, 128, 2, 0)
    with pytest.raises(InputError, match=r"kernels are out of proportion\. A layer would"):
        CompetingKernels.read(kernels.state_dict(), (1, 400_000), 2, "file")
    kernels = CompetingKernels.drawn(1, 1, 2048, 256, 2, 0)
    CompetingKernels.read(kernels.state_dict(), (1, 2048), 2, "file")
