"""How inputs are drawn, against NumPy's transforms and the numbers that were given."""

import numpy as np
import pytest
import torch

from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.explain.features import painting
from googlenet.explain.features.painting import Painter, Statistics, bounded, coloured, measured, stated, synthesised

COVARIANCE = torch.tensor([[0.09, 0.06, 0.01], [0.06, 0.08, -0.02], [0.01, -0.02, 0.04]])
MEAN = torch.tensor([0.5, 0.4, 0.6])
COLOURS = Statistics(MEAN, COVARIANCE, torch.zeros(3), torch.ones(3), "made up")


def waves_of(n, channels, spatial, seed=0):
    shape = (n, channels, *spatial[:-1], spatial[-1] // 2 + 1, 2)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) / 2**0.5


@pytest.mark.parametrize("spatial", [(24,), (25,), (12, 16), (9, 7), (6, 5, 8)])
def test_values_are_the_waves_that_numpy_adds_up(spatial):
    """Each by one over its frequency; what is slower than the size is as the size."""
    waves = waves_of(2, 3, spatial)
    axes = [np.fft.fftfreq(side) for side in spatial[:-1]] + [np.fft.rfftfreq(spatial[-1])]
    grid = np.meshgrid(*axes, indexing="ij")
    share = 1 / np.maximum(np.sqrt(sum(axis**2 for axis in grid)), 1 / max(spatial))
    spectrum = (waves[..., 0].numpy() + 1j * waves[..., 1].numpy()) * share
    expected = np.fft.irfftn(spectrum, s=spatial, axes=tuple(range(2, 2 + len(spatial))), norm="ortho")
    found = synthesised(waves, spatial).numpy()
    ratio = found / expected
    np.testing.assert_allclose(ratio, ratio.flat[0], rtol=1e-2)
    np.testing.assert_allclose(found, expected * np.median(ratio), atol=1e-4)


@pytest.mark.parametrize("spatial", [(64,), (32, 32), (12, 12, 12)])
def test_waves_of_chance_have_a_deviation_of_about_one(spatial):
    found = synthesised(waves_of(300, 1, spatial), spatial)
    assert found.std().item() == pytest.approx(1, abs=0.08)


def test_the_spectrum_falls_as_one_over_the_frequency():
    found = synthesised(waves_of(400, 1, (64,)), (64,)).numpy()[:, 0]
    power = (np.abs(np.fft.rfft(found)) ** 2).mean(0)[1:-1]
    frequency = np.fft.rfftfreq(64)[1:-1]
    slope = np.polyfit(np.log(frequency), np.log(power), 1)[0]
    assert slope == pytest.approx(-2, abs=0.1)


def test_what_is_coloured_has_the_covariance_that_was_given():
    plain = torch.randn(200, 3, 40, 40, generator=torch.Generator().manual_seed(1))
    flat = coloured(plain, COLOURS).movedim(1, 0).flatten(1).numpy()
    np.testing.assert_allclose(flat.mean(1), MEAN, atol=2e-3)
    np.testing.assert_allclose(np.cov(flat), COVARIANCE, atol=1e-3)


def test_the_covariance_of_what_was_measured_is_numpys():
    values = torch.rand(50, 3, 8, 9, generator=torch.Generator().manual_seed(2))
    values[:, 1] = 0.5 * values[:, 1] + 0.5 * values[:, 0]
    canvas = ImagePreprocessing(3, 8, 8).canvas()
    found = measured(canvas, values.split(7))
    flat = values.movedim(1, 0).flatten(1).numpy()
    np.testing.assert_allclose(found.mean, flat.mean(1), rtol=1e-5)
    np.testing.assert_allclose(found.covariance, np.cov(flat, bias=True), rtol=1e-4, atol=1e-7)
    assert found.low.tolist() == [0, 0, 0] and found.high.tolist() == [1, 1, 1]  # of any picture, not of these
    assert "50 training examples" in found.source


def test_a_signal_stays_where_the_training_data_were():
    preprocessing = SignalPreprocessing(1, 20, (5.0,), (2.0,), ())
    values = torch.linspace(-1.5, 3, 40).view(2, 1, 20)
    found = measured(preprocessing.canvas(), [values])
    assert (found.low.item(), found.high.item()) == (-1.5, 3)
    drawn = Painter(found, (20,))(50 * waves_of(4, 1, (20,)))
    assert -1.5 <= drawn.min() < -1.4 and 2.9 < drawn.max() <= 3
    assert stated(preprocessing.canvas()).high.item() == painting.BY_DEFAULT


def test_a_channel_without_variation_is_as_the_preprocessing_says():
    values = torch.randn(30, 2, 20, generator=torch.Generator().manual_seed(3))
    values[:, 1] = 0
    found = measured(SignalPreprocessing(2, 20, (0.0, 0.0), (1.0, 1.0), ()).canvas(), [values])
    assert found.covariance[0, 1] == found.covariance[1, 0] == 0 and found.covariance[1, 1] == 1
    assert found.low[1] < 0 < found.high[1]


def test_values_near_the_mean_are_left_alone_and_all_are_within_bounds():
    mean = MEAN[None, :, None]
    torch.testing.assert_close(bounded(mean, COLOURS), mean)
    small = mean + 1e-3
    torch.testing.assert_close(bounded(small, COLOURS) - mean, small - mean, rtol=0.02, atol=0)
    far = bounded(mean + torch.linspace(-9, 9, 50), COLOURS)
    assert far.min() >= 0 and far.max() <= 1 and (far.diff() >= 0).all()


@pytest.mark.parametrize("spatial", [(40,), (20, 24), (8, 9, 10)])
def test_unsteady_values_are_moved_alike_and_no_further_than_said(spatial):
    values = torch.rand(1, 2, *spatial, generator=torch.Generator().manual_seed(4)).expand(3, -1, *spatial)
    moved = painting.unsteady(values, torch.Generator().manual_seed(5))
    assert moved.shape == values.shape
    assert torch.equal(moved[0], moved[2]) and not torch.equal(moved, values)
    again = painting.unsteady(values, torch.Generator().manual_seed(5))
    assert torch.equal(moved, again)
    assert moved.min() >= values.min() - 1e-5 and moved.max() <= values.max() + 1e-5


def test_what_does_not_move_stays(monkeypatch):
    """With nothing to shift, scale and turn by, the sampling grid gives every value back."""
    for name in ("SHIFT", "SCALE", "TURN"):
        monkeypatch.setattr(painting, name, 0.0)
    for shape in ((2, 1, 30), (2, 3, 12, 17), (1, 1, 5, 6, 7)):
        values = torch.rand(shape, generator=torch.Generator().manual_seed(6))
        torch.testing.assert_close(painting.unsteady(values, torch.Generator()), values, rtol=1e-4, atol=1e-4)
