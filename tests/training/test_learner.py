"""One step: the mixing of examples, the loss over processes, and a compiled step beside a plain one."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from googlenet import create_model
from googlenet.data.builtin import digits
from googlenet.data.images.dataset import ImageSet
from googlenet.data.protocol import Batch, Dataset
from googlenet.data.signals.dataset import SignalSet
from googlenet.data.volumes.dataset import VolumeSet
from googlenet.errors import InputError
from googlenet.nn.googlenet import mean_probabilities
from googlenet.training.distributed import World
from googlenet.training.learner import Learner, _shown, averaged, finished, grown, mixed
from googlenet.training.loop import epochs
from googlenet.training.progress import silent
from googlenet.training.recipe import SIGNALS, SMALL, VOLUMES
from googlenet.training.start.fresh import fresh_state
from googlenet.training.task import task_for


def test_weighted_losses_of_processes_average_to_that_of_the_whole_batch():
    torch.manual_seed(0)
    logits, labels = torch.randn(8, 1, 3), torch.tensor([0, 1, 2, 1, 2, 1, 0, 1])
    weights = torch.tensor([1.0, 2.0, 5.0])
    sums = [weights[labels[rank::2]].sum() for rank in (0, 1)]
    assert sums[0] != sums[1]
    processes = SimpleNamespace(device=torch.device("cpu"), wrap=lambda model: model, mean=lambda _: sum(sums) / 2)
    learner = Learner(SimpleNamespace(model=None), SMALL, processes, weights)
    halves = [learner._loss(logits[rank::2], labels[rank::2, None], 1.0) for rank in (0, 1)]
    smoothing = SMALL.label_smoothing
    whole = torch.nn.functional.cross_entropy(logits[:, 0], labels, weight=weights, label_smoothing=smoothing)
    torch.testing.assert_close(sum(halves) / 2, whole)


def test_mixup_and_cutmix_targets_are_the_shares_of_the_pictures():
    torch.manual_seed(0)
    inputs = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 1, 8, 8).contiguous()
    labels = torch.arange(4)
    for field in ("mixup", "cutmix"):
        recipe = SMALL.with_changes({field: "1.0"})
        changed = 0
        for _ in range(20):
            pictures, targets = mixed(inputs, labels, 4, recipe)
            # A picture's mean is the mean of its classes, weighted by their shares.
            torch.testing.assert_close(pictures.mean((1, 2, 3)), targets @ torch.arange(4.0), rtol=1e-4, atol=1e-4)
            changed += not torch.equal(pictures, inputs)
        assert changed > 10
        assert torch.equal(inputs[:, 0, 0, 0], torch.arange(4.0))  # what was given is as it was


def test_pictures_grow_when_their_share_of_the_training_is_over():
    """By the sizes that the network sees: of 24 pixels 18 in the first half of the steps."""
    recipe = dataclasses.replace(SMALL, width=0.125, epochs=2, min_steps=0, batch_size=64, growth=0.5)
    task = task_for(digits(), recipe)
    world = World(0, 1, torch.device("cpu"))
    state, sizes = fresh_state(task, world), []
    state.model.register_forward_pre_hook(lambda module, inputs: sizes.append(tuple(inputs[0].shape[2:])))
    list(epochs(task, state, world, silent))
    half = len(sizes) // 2
    assert sizes == [(18, 18)] * half + [(24, 24)] * (len(sizes) - half) and half == state.step // 2


def test_a_picture_that_grows_is_the_same_picture():
    model = create_model("googlenet_small", 2, 1, width=0.125)
    ramp = torch.linspace(0, 1, 32).expand(1, 1, 32, 32).contiguous()
    small = grown(ramp, model, 0.5, 0.2)
    assert small.shape == (1, 1, 24, 24)
    torch.testing.assert_close(small[0, 0, 0, 1:-1], torch.linspace(0, 1, 24)[1:-1], atol=0.01, rtol=0)
    assert grown(ramp, model, 0.5, 0.5) is ramp and grown(ramp, model, 0.0, 0.0) is ramp
    assert grown(ramp[..., :9, :9], model, 0.5, 0.0).shape[2:] == (8, 8)  # the least that it reads


def test_signals_do_not_grow():
    recipe = dataclasses.replace(SIGNALS, growth=0.5, width=0.25, members=2)
    signals = tuple(torch.randn(1, 32).numpy() for _ in range(8))
    part = SignalSet(torch.arange(8) % 2, tuple(map(str, range(8))), signals)
    task = task_for(Dataset("noise", ("a", "b"), part), recipe)
    with pytest.raises(InputError, match="growth is for pictures; leave it out for signals"):
        fresh_state(task, World(0, 1, torch.device("cpu")))


def kinds():
    """48 examples of two classes of each kind of data, and a recipe of eight steps."""
    draws, labels, names = np.random.default_rng(0), torch.arange(48) % 2, tuple(map(str, range(48)))
    bright = 60 * labels.numpy().reshape(-1, 1, 1, 1)
    pictures = (draws.integers(0, 190, (48, 3, 24, 24)) + bright).astype(np.uint8)
    volumes = (draws.integers(0, 190, (48, 1, 32, 32, 32)) + bright[..., None]).astype(np.uint8)
    signals = tuple((draws.normal(size=(48, 1, 60)) + bright[:, 0]).astype(np.float32))
    short = {"width": 0.25, "epochs": 4, "min_steps": 0, "class_epochs": 0.0, "batch_size": 24, "precision": "fp32"}
    return {
        "pictures": (ImageSet(labels, names, torch.from_numpy(pictures)), SMALL, short | {"growth": 0.6}),
        "signals": (SignalSet(labels, names, signals), SIGNALS, short | {"members": 2}),
        "volumes": (VolumeSet(labels, names, volumes), VOLUMES, short),
    }


@pytest.mark.parametrize("kind", ["pictures", "signals", "volumes"])
def test_what_is_kept_has_the_statistics_of_the_training_part(kind):
    """All examples together, so that normalising them by themselves is what batch norm does in training; there the
    network of so few steps says something else by the statistics of its steps. The last epoch's accuracy is of what is
    kept."""
    part, recipe, changes = kinds()[kind]
    task = task_for(Dataset(kind, ("a", "b"), part, part), dataclasses.replace(recipe, **changes, dropout=0.0))
    world = World(0, 1, torch.device("cpu"))
    state = fresh_state(task, world)
    *_, last = epochs(task, state, world, silent)
    kept, before = finished(task, state), averaged(state)
    (batch,) = task.training.plain(48)
    with torch.inference_mode():
        says, said = kept(batch.inputs), before.eval()(batch.inputs)
        by_themselves = before.train()(batch.inputs)
    away = [float((each - by_themselves).std() / by_themselves.std()) for each in (says, said)]
    assert away[0] < 0.2 < 0.5 < away[1]  # a deviation is of n in one, of n - 1 in the other
    right = mean_probabilities(says).argmax(1) == batch.labels
    assert last.validation_accuracy == pytest.approx(float(right.float().mean()))


def test_so_many_are_shown_that_it_takes_little_time_and_none_is_alone():
    for examples, learned, shown in (
        (50, 400, 50),
        (65, 400, 64),
        (1000, 100, 64),
        (1000, 3000, 300),
        (9000, 10**6, 4096),
    ):
        rows = _shown(examples, learned)
        assert len(rows) == len(set(rows.tolist())) == shown and rows.max() < examples


@pytest.mark.slow
def test_compiled_training_takes_the_same_steps():
    """From the same weights, without dropout, in float64: rounding would turn a ReLU here and there."""
    changes = {
        "width": 0.125,
        "precision": "fp32",
        "dropout": 0.0,
        "optimizer": "sgd",
        "momentum": 0.0,
        "clip": 0.0,
        "ema": 0.0,
    }
    after = []
    world = World(0, 1, torch.device("cpu"))
    for compiled in (False, True):
        recipe = dataclasses.replace(SMALL, arch="googlenet_small", compile=compiled, **changes)
        state = fresh_state(task_for(digits(), recipe), world)
        state.model.double()
        learner = Learner(state, recipe, world, None)
        inputs = torch.randn(16, 1, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        for _ in range(3):
            learner.step(Batch(inputs, torch.arange(16) % 10, torch.arange(16)), 0.01, "a step")
        after.append(state.model.state_dict())
    for key, value in after[0].items():
        torch.testing.assert_close(after[1][key], value, rtol=1e-5, atol=1e-7)
