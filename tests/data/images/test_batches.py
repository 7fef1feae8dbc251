import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet.data.images.augmentation import Augmentation
from googlenet.data.images.dataset import ImageSet, epoch_order
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.parallel import ahead

PLAIN = ImagePreprocessing(1, 24, 24, (0.5,), (0.25,))


def images(count=20):
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, 1, 24, 24), np.uint8))
    return ImageSet(torch.arange(count) % 3, tuple(map(str, range(count))), pixels)


@settings(deadline=None, max_examples=25)
@given(st.booleans(), st.integers(0, 4), st.integers(0, 9), st.sampled_from([0.0, 0.3]))
def test_processes_together_see_what_one_sees(flip, shift, cutout, colour):
    augmentation = Augmentation(flip=flip, shift=shift, cutout=cutout, colour=colour)
    order = epoch_order(images().labels, 1, 2, balanced=False)

    def batches(rank, world):
        return list(training_batches(images(), PLAIN, augmentation, order, 8, 1, 2, rank, world))

    for whole, even, odd in zip(batches(0, 1), batches(0, 2), batches(1, 2), strict=True):
        assert torch.equal(whole.inputs[0::2], even.inputs)
        assert torch.equal(whole.inputs[1::2], odd.inputs)
        assert torch.equal(whole.rows[1::2], odd.rows)


def test_without_augmentation_pictures_are_only_normalised():
    order = torch.arange(20)
    batch = next(training_batches(images(), PLAIN, Augmentation(), order, 4, 0, 0))
    torch.testing.assert_close(batch.inputs, (images().pixels[:4] / 255 - 0.5) / 0.25)


def test_shift_moves_and_fills_with_black():
    x = images(4)
    white = ImageSet(x.labels, x.names, torch.full_like(x.pixels, 255))
    batch = next(training_batches(white, PLAIN, Augmentation(shift=3), torch.arange(4), 4, 0, 0))
    values = batch.inputs * 0.25 + 0.5
    assert set(values.round(decimals=3).unique().tolist()) <= {0.0, 1.0}
    assert values.mean() > 0.7


def test_balanced_order_evens_out_classes():
    labels = torch.tensor([0] * 900 + [1] * 100)
    drawn = labels[epoch_order(labels, 0, 0, balanced=True)]
    assert 0.4 < drawn.float().mean() < 0.6


def test_ahead_keeps_order_and_holds_few_items():
    taken = []
    source = (taken.append(i) or i for i in range(1000))
    results = ahead(lambda i: i * 2, source)
    assert [next(results) for _ in range(5)] == [0, 2, 4, 6, 8]
    assert len(taken) < 20
