"""Members that leave examples out: they never learn from them, and what is kept is what they say of these."""

import dataclasses

import numpy as np
import pytest
import torch

from googlenet import GoogLeNetClassifier
from googlenet.data.protocol import Dataset
from googlenet.data.signals.dataset import SignalSet
from googlenet.inference.calibration import out_of_fold as folding
from googlenet.inference.calibration import temperature
from googlenet.inference.calibration.out_of_fold import FOLDS, by_folds, out_of_fold
from googlenet.inference.calibration.temperature import UNKNOWN
from googlenet.training.distributed import World
from googlenet.training.learner import finished, norms_of
from googlenet.training.recipe import SIGNALS
from googlenet.training.start.fresh import fresh_state
from googlenet.training.task import task_for

pytestmark = pytest.mark.usefixtures("short")
RECIPE = dataclasses.replace(
    SIGNALS, arch="short_1d", width=0.25, members=2, batch_size=8, epochs=6, class_epochs=0.0, min_steps=0, competing=0
)


def waves(n, noise=0.1, seed=0):
    """Slow and fast ones."""
    draws = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    time = np.linspace(0, 1, 48)
    signals = [
        (np.sin(2 * np.pi * (2 + 5 * label) * time + draws.uniform(0, 6)) + noise * draws.normal(size=48))[None]
        for label in labels
    ]
    return [signal.astype(np.float32) for signal in signals], labels


def task_of(signals, labels, recipe=RECIPE):
    names = tuple(f"row {row}" for row in range(len(labels)))
    part = SignalSet(torch.tensor(labels), names, tuple(signals))
    return task_for(Dataset("waves", ("slow", "fast"), part), recipe)


def test_no_member_learns_from_what_it_leaves_out(monkeypatch):
    task, seen = task_of(*waves(22)), set()
    plain = folding.epochs

    def watched(smaller, *more):
        loader = smaller.training
        for epoch in range(5):
            for batch in loader.training(epoch, 8):
                assert batch.rows.shape[1] == FOLDS
                seen.update((row, member) for rows in batch.rows.tolist() for member, row in enumerate(rows))
        watched.folds = smaller.folds.tolist()
        return plain(smaller, *more)

    monkeypatch.setattr(folding, "epochs", watched)
    rows, _, labels = out_of_fold(task)
    assert rows.tolist() == list(range(22)) and labels.tolist() == task.data.train.labels.tolist()
    everything = {(row, member) for row in range(22) for member in range(FOLDS)}
    assert everything - seen == {(row, member) for row, member in enumerate(watched.folds)}


def test_no_norm_knows_what_its_member_leaves_out():
    """Its statistics are the same, whatever that is."""
    signals, labels = waves(22)
    task = task_of(signals, labels, dataclasses.replace(RECIPE, members=FOLDS))
    folds = torch.arange(22) % FOLDS
    other = [3 * signal if fold == 0 else signal for signal, fold in zip(signals, folds.tolist(), strict=True)]
    found = []
    for part in (signals, other):
        train = dataclasses.replace(task.data.train, signals=tuple(part))
        now = dataclasses.replace(task, data=dataclasses.replace(task.data, train=train), folds=folds)
        norm = norms_of(finished(now, fresh_state(now, World(0, 1, torch.device("cpu")))))[0]
        found.append(norm.running_mean.unflatten(0, (FOLDS, -1)))
    assert torch.equal(found[0][0], found[1][0])
    assert not any(torch.equal(found[0][member], found[1][member]) for member in range(1, FOLDS))


def test_what_was_left_out_is_judged_as_examples_that_nobody_knows(monkeypatch):
    """Labels drawn by lot can be learned by heart, and never be told of an example that was left out."""
    monkeypatch.setattr(temperature, "DOUBT", 0)
    signals, _ = waves(64, noise=1.0)
    lot = np.random.default_rng(3).integers(2, size=64)
    found = by_folds(task_of(signals, lot, dataclasses.replace(RECIPE, epochs=20)))
    assert len(found.scores) == 64 and found.temperature > 1
    signals, labels = waves(64)
    told = by_folds(task_of(signals, labels, dataclasses.replace(RECIPE, epochs=20)))
    assert len(told.scores) == 64 and told.temperature < 1 and np.median(told.scores) > 0.9 > np.median(found.scores)


@pytest.mark.parametrize(
    "changes", [{"calibrate": False}, {"members": 1}, {"max_seconds": 5.0}, {"weights": "some.safetensors"}]
)
def test_nothing_more_is_trained_where_that_is_not_wanted(changes):
    task = task_of(*waves(12))
    assert by_folds(dataclasses.replace(task, recipe=dataclasses.replace(RECIPE, **changes))) == UNKNOWN


@pytest.mark.parametrize(("competing", "temperature"), [(0, 0.6), (16, 0.8)])
def test_of_classes_of_one_example_networks_of_other_data_say_what_is_expected(competing, temperature):
    signals, labels = waves(2)
    found = by_folds(task_of(signals, labels, dataclasses.replace(RECIPE, competing=competing)))
    assert (found.temperature, list(found.scores)) == (temperature, [])
    assert found.source == "networks of other data, as no class has two examples that are apart"


def test_an_estimator_is_calibrated_labels_alike_and_keeps_it(tmp_path):
    signals, labels = waves(40, noise=0.5)
    recipe = {name: getattr(RECIPE, name) for name in ("arch", "width", "members", "batch_size", "epochs", "competing")}
    sure = GoogLeNetClassifier(recipe, random_state=0).fit(signals, labels)
    plain = GoogLeNetClassifier(recipe | {"calibrate": False}, random_state=0).fit(signals, labels)
    ours, theirs = (model.predict_proba(signals) for model in (sure, plain))
    assert (ours.argmax(1) == theirs.argmax(1)).all() and np.abs(ours - theirs).max() > 0.01
    temperature = sure._pipeline.calibration.temperature
    powers = theirs ** (1 / temperature)
    np.testing.assert_allclose(ours, powers / powers.sum(1, keepdims=True), atol=1e-5)
    sure.save(tmp_path / "a.safetensors")
    again = GoogLeNetClassifier.load(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(again.predict_proba(signals), ours)
