"""Single numbers that tell the classes apart: scikit-learn's tree is the network's rival, noise its control."""

import numpy as np
import pytest
import torch

from googlenet.apps.report.shortcuts import shortcuts
from googlenet.data.images.dataset import ImageSet
from googlenet.data.signals.dataset import SignalSet

N, LENGTH = 60, 30


def noise(channels=1, seed=0, n=N):
    return np.random.default_rng(seed).normal(size=(n, channels, LENGTH))


def parts(signals, labels, names=None):
    """Learned from and held out: even and odd rows."""
    names = names or [f"table.csv:{row + 2}" for row in range(len(signals))]
    whole = SignalSet(torch.as_tensor(labels), tuple(names), tuple(signals))
    return whole.subset(range(0, len(signals), 2)), whole.subset(range(1, len(signals), 2))


def mixed(n=N):
    """Labels in no order."""
    return np.random.default_rng(1).permutation(np.arange(n) % 2)


def with_mean(x, y):
    x += 5 * y[:, None, None]


def with_first(x, y):
    x[:, 0, 0] = y * 10


def with_last(x, y):
    x[:, 0, -1] = y * 10


def with_one_sample(x, y):
    x[:, 0, 17] = y * 10


def with_deviation(x, y):
    x *= 1 + 4 * y[:, None, None]


def with_gaps(x, y):
    x[y == 1, 0, 4:9] = np.nan


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (with_mean, "the mean"),
        (with_first, "the first sample"),
        (with_last, "the last sample"),
        (with_one_sample, "sample 18"),
        (with_deviation, "the deviation"),
        (with_gaps, "the number of missing samples"),
    ],
)
def test_what_alone_tells_the_classes_is_named(change, name):
    x, y = noise(), mixed()
    change(x, y)
    found = shortcuts(*parts(x, y), accuracy=1.0)
    assert name in [one.name for one in found]
    assert max(one.accuracy for one in found) > 0.95


def test_the_length_and_the_channel_are_named():
    y = mixed()
    signals = [each[:, : 20 + 5 * label] for each, label in zip(noise(), y, strict=True)]
    assert [one.name for one in shortcuts(*parts(signals, y), accuracy=1.0)] == ["the length"]
    x = noise(channels=3)
    x[:, 1] += 5 * y[:, None]
    assert "the mean of channel 2" in [one.name for one in shortcuts(*parts(x, y), accuracy=1.0)]


def test_a_file_that_is_sorted_by_class_is_named_and_two_files_are_not_compared():
    y = np.repeat([0, 1], N // 2)
    assert [one.name for one in shortcuts(*parts(noise(), y), accuracy=0.97)] == ["the position in the file"]
    names = [f"{'ab'[row % 2]}.csv:{row}" for row in range(N)]
    assert shortcuts(*parts(noise(), y, names), accuracy=0.97) == []


def test_the_shape_of_a_signal_is_no_shortcut():
    t, y = np.arange(LENGTH), mixed()
    phases = np.random.default_rng(2).uniform(0, 6, (N, 1))
    waves = np.sin(t * (0.4 + 0.8 * y[:, None]) + phases)[:, None]
    assert shortcuts(*parts(waves, y), accuracy=1.0) == []


@pytest.mark.parametrize("accuracy", [0.5, 0.6])
def test_a_network_that_learned_nothing_has_no_shortcut(accuracy):
    assert shortcuts(*parts(noise(), mixed()), accuracy) == []


def test_pictures_are_not_looked_through():
    pixels = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    part = ImageSet(torch.tensor([0, 1, 0, 1]), tuple("abcd"), pixels=pixels)
    assert shortcuts(part, part, 1.0) == []
