"""Competing kernels: what they count, against a loop; what is left out, against regressions that never saw it."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch.nn.functional import one_hot

from googlenet.errors import InputError
from googlenet.nn.competing import COMPETING, NOTHING, STRENGTHS, CompetingKernels, dilations_of


def signals(n=40, inputs=2, length=64, seed=0):
    return torch.randn(n, inputs, length, generator=torch.Generator().manual_seed(seed))


def counted(kernels, x):
    """The features of one signal ``(inputs, length)``, sample by sample."""
    x, found = x.double().numpy(), []
    for at, weight in enumerate(kernels.weight.double().numpy()):
        dilation, length = 2**at, x.shape[1]
        padded = np.pad(x, ((0, 0), (4 * dilation, 4 * dilation)))
        taps = np.stack([padded[:, tap * dilation : tap * dilation + length] for tap in range(9)], 1)
        responses = np.einsum("kit,itn->kn", weight, taps).reshape(-1, COMPETING, length)
        won, last = np.zeros(responses.shape[:2]), np.zeros(responses.shape[:2])
        for group, row in enumerate(responses):
            for sample in range(length):
                best, worst = row[:, sample].argmax(), row[:, sample].argmin()
                won[group, best] += row[best, sample]
                last[group, worst] += row[worst, sample] < -NOTHING
        found += [won.ravel(), last.ravel()]
    return np.sqrt(np.concatenate(found).clip(0))


def test_what_wins_and_what_is_last_is_counted_at_every_dilation():
    kernels, x = CompetingKernels.drawn(3, 2, 40, 32, 2, 1), signals(3, 3, 40)
    assert dilations_of(40) == len(kernels.weight) == 3  # a kernel of 9 taps spans 33 samples at dilation 4
    wanted = np.stack([counted(kernels, each) for each in x])
    np.testing.assert_allclose(kernels.features(x).numpy(), wanted, atol=2e-3)


@pytest.mark.parametrize(("length", "count"), [(8, 1), (16, 1), (17, 2), (150, 5), (1024, 7)])
def test_the_widest_kernel_fits_into_the_signal(length, count):
    assert dilations_of(length) == count == max(1, 1 + int(np.log2((length - 1) / 8)))


def test_half_the_groups_read_channels_and_half_differences():
    kernels = CompetingKernels.drawn(24, 12, 100, 64, 2, 0)
    reads = kernels.weight.unflatten(1, (-1, COMPETING)).abs().sum(-1) > 0  # dilations, groups, kernels, inputs
    assert (reads == reads[:, :, :1]).all()  # a group's kernels compete for the same channels
    assert (reads.sum(-1) == 6).all()
    assert not reads[:, 0::2, :, 12:].any() and not reads[:, 1::2, :, :12].any()
    assert kernels.weight.sum(-1).abs().max() < 1e-6  # so a level is nothing
    alone = CompetingKernels.drawn(1, 1, 100, 64, 2, 0)
    assert (alone.weight.abs().sum(-1) > 0).all()


def test_the_rounding_of_a_flat_stretch_is_nobodys_loss():
    kernels = CompetingKernels.drawn(2, 1, 200, 32, 2, 0)
    flat = torch.full((1, 2, 200), 2.7)
    for noise in (0.0, 1e-6):
        seen = flat + noise * signals(1, 2, 200)
        inside = kernels.features(seen)[0, 32:64] ** 2  # the counts at dilation 1: four samples at each end respond
        assert inside.unflatten(0, (-1, COMPETING)).sum(1).max() <= 8


def test_what_is_left_out_is_what_a_regression_without_it_says():
    """Against scikit-learn's, one for each example, or for each group, that is left out."""
    x, labels = signals(), torch.randint(3, (40,), generator=torch.Generator().manual_seed(1))
    units, weights = np.arange(40), torch.rand(40, generator=torch.Generator().manual_seed(2)) + 0.5
    units[5], units[20:24] = 4, 20
    kernels = CompetingKernels.drawn(2, 1, 64, 32, 3, 0)
    found = kernels.fit(x.split(16), labels, weights, units).numpy()
    features = kernels.features(x).double().numpy()
    features /= features.std(0)
    targets = 2.0 * one_hot(labels, 3).numpy() - 1

    def without(strength):
        said = np.empty((40, 3))
        for unit in set(units):
            rows = units != unit
            model = Ridge(alpha=strength).fit(features[rows], targets[rows], sample_weight=weights.numpy()[rows])
            said[~rows] = model.predict(features[~rows])
        return said

    tried = {s: without(s) for s in STRENGTHS * features.shape[1] / 1000}
    best = min(tried, key=lambda s: float((weights.numpy()[:, None] * (tried[s] - targets) ** 2).sum()))
    np.testing.assert_allclose(found, tried[best], atol=1e-6)
    whole = Ridge(alpha=best).fit(features, targets, sample_weight=weights.numpy())
    np.testing.assert_allclose(kernels(x).detach().numpy(), whole.predict(features), atol=1e-5)


@pytest.mark.parametrize("name", ["weight", "classifier.weight", "classifier.bias"])
def test_a_file_with_other_kernels_is_refused(name):
    kernels = CompetingKernels.drawn(2, 1, 64, 32, 3, 0)
    state = kernels.state_dict()
    x = signals(4)
    assert torch.equal(CompetingKernels.read(state, (2, 64), 3, "it")(x), kernels(x))
    for changed in ({**state, name: state[name][:-1]}, {**state, "more": state[name]}, {name: state[name]}):
        with pytest.raises(InputError, match="it is damaged"):
            CompetingKernels.read(changed, (2, 64), 3, "it")
    for shape, classes in (((1, 64), 3), ((2, 640), 3), ((2, 64), 4), ((3, 8, 8), 3)):
        with pytest.raises(InputError, match="it is damaged"):
            CompetingKernels.read(state, shape, classes, "it")
