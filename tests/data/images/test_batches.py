"""Batches of pictures: what training changes at random, by how much, and that nothing else decides it."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.stats import kstest

from googlenet.data import parallel
from googlenet.data.images.crops import random_square
from googlenet.data.images.dataset import ImageSet, epoch_order
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.training.recipe import SMALL, find_recipe

PLAIN = ImagePreprocessing(1, 24, 24, (0.5,), (0.25,))
STILL = dataclasses.replace(SMALL, crop=False, flip=False, shift=0, cutout=0, colour=0.0)
UNLIKELY = 0.001  # how seldom fair draws look as unfair as a test allows; the seeds are fixed


def images(count=20, size=24, channels=1, low=0, high=256):
    shape = (count, channels, size, size)
    pixels = torch.from_numpy(np.random.default_rng(0).integers(low, high, shape, np.uint8))
    return ImageSet(torch.arange(count) % 3, tuple(map(str, range(count))), pixels, channels)


def batches(pictures, *where, want=PLAIN, epoch=2, batch_size=8, **changes):
    return list(pictures.loader(want, dataclasses.replace(STILL, **changes)).training(epoch, batch_size, *where))


def pixels_of(batch):
    """Grey pixels of 8 bits, from what PLAIN made of them."""
    return ((batch.inputs * 0.25 + 0.5) * 255).round().to(torch.uint8)


@settings(deadline=None, max_examples=25)
@given(st.booleans(), st.integers(0, 4), st.integers(0, 9), st.sampled_from([0.0, 0.3]))
def test_processes_together_see_what_one_sees(flip, shift, cutout, colour):
    changes = {"flip": flip, "shift": shift, "cutout": cutout, "colour": colour, "seed": 1}
    parts = [batches(images(), rank, world, **changes) for rank, world in ((0, 1), (0, 2), (1, 2))]
    for whole, even, odd in zip(*parts, strict=True):
        assert torch.equal(whole.inputs[0::2], even.inputs)
        assert torch.equal(whole.inputs[1::2], odd.inputs)
        assert torch.equal(whole.rows[1::2], odd.rows)


def test_without_augmentation_pictures_are_only_normalised():
    found = batches(images(), batch_size=4)
    assert len(found) == 5
    for batch in found:
        torch.testing.assert_close(batch.inputs, (images().pixels[batch.rows] / 255 - 0.5) / 0.25)
        assert torch.equal(batch.labels, images().labels[batch.rows])
    assert sorted(torch.cat([batch.rows for batch in found]).tolist()) == list(range(20))


def test_small_pictures_have_recipes_of_their_own_grey_and_in_colour():
    assert images().recipe == "small" and images(channels=3).recipe == "small-colour"
    assert images(size=65).recipe == "photos" and find_recipe(images(channels=3).recipe).batch_size == 128


def test_shift_moves_every_way_and_mirrors_what_comes_in():
    (batch,) = batches(images(800), batch_size=800, shift=3)
    seen = pixels_of(batch).numpy()[:, 0]
    before = np.pad(images(800).pixels[batch.rows].numpy()[:, 0], ((0, 0), (3, 3), (3, 3)), "reflect")
    moves = []
    for picture, padded in zip(seen, before, strict=True):
        fits = [(3 - y, 3 - x) for y in range(7) for x in range(7) if (padded[y : y + 24, x : x + 24] == picture).all()]
        assert len(fits) == 1
        moves += fits
    assert set(moves) == {(down, right) for down in range(-3, 4) for right in range(-3, 4)}


def test_cutout_blanks_one_square_of_each_picture():
    (batch,) = batches(images(300, low=1, high=120), batch_size=300, cutout=5)
    blank = (batch.inputs == 0).numpy()[:, 0]
    plain = (images(300, low=1, high=120).pixels[batch.rows] / 255 - 0.5) / 0.25
    centres = []
    for one, picture, old in zip(blank, batch.inputs, plain, strict=True):
        rows, columns = np.flatnonzero(one.any(1)), np.flatnonzero(one.any(0))
        assert one.sum() == len(rows) * len(columns) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        for places in (rows, columns):
            assert len(places) == 5 or (len(places) >= 3 and {0, 23} & set(places.tolist()))  # cut off by a border
        torch.testing.assert_close(picture[0][~one], old[0][~one])
        centres.append((rows.mean(), columns.mean()))
    for axis in np.transpose(centres):
        assert axis.min() < 3 and axis.max() > 20


def test_flip_mirrors_every_other_picture_where_that_means_the_same():
    (batch,) = batches(images(400), batch_size=400, flip=True)
    first = batch.rows
    plain, seen = images(400).pixels[first], pixels_of(batch)
    mirrored = (seen == plain.flip(3)).flatten(1).all(1)
    assert ((seen == plain).flatten(1).all(1) ^ mirrored).all()
    assert 160 < int(mirrored.sum()) < 240
    (batch,) = batches(images(400), batch_size=400, flip=True, epoch=3)
    again = (pixels_of(batch) == images(400).pixels[batch.rows].flip(3)).flatten(1).all(1)
    assert torch.equal(again[batch.rows.argsort()], ~mirrored[first.argsort()])  # the other half, in the next epoch
    letters = dataclasses.replace(images(400), mirror=False)
    (batch,) = batches(letters, batch_size=400, flip=True)
    assert torch.equal(pixels_of(batch), letters.pixels[batch.rows])


def test_colour_changes_brightness_contrast_and_saturation_evenly():
    """The three factors of each picture, found from its mean, from its grey and from what is left of its colours."""
    pictures = images(600, size=6, channels=3, low=90, high=130)
    want = ImagePreprocessing(3, 6, 6, (0.5, 0.4, 0.3), (0.25, 0.2, 0.3))
    (batch,) = batches(pictures, want=want, batch_size=600, colour=0.3)
    before = pictures.pixels[batch.rows].double() / 255
    after = batch.inputs.double() * torch.tensor(want.std).view(3, 1, 1) + torch.tensor(want.mean).view(3, 1, 1)
    assert (after > 0).all() and (after < 1).all()  # nothing was clamped, so all can be told

    def parts(x):
        """Mean, spread of the grey picture, spread of the colours around it."""
        grey = x.mean(1, keepdim=True)
        return x.mean((1, 2, 3)), grey.std((1, 2, 3)), (x - grey).std((1, 2, 3))

    mean, grey, colours = (new / old for new, old in zip(parts(after), parts(before), strict=True))
    factors = torch.stack([mean, grey / mean, colours / grey])  # brightness, contrast, saturation
    for factor in factors:
        assert 0.7 - 1e-4 <= factor.min() < 0.71 and 1.29 < factor.max() <= 1.3 + 1e-4
        assert kstest(factor.numpy(), "uniform", (0.7, 0.6)).pvalue > UNLIKELY
    assert (torch.corrcoef(factors) - torch.eye(3)).abs().max() < 0.15
    (plain,) = batches(pictures, want=want, batch_size=600)
    torch.testing.assert_close(
        plain.inputs.double(), (before - _column(want.mean)) / _column(want.std), atol=1e-5, rtol=0
    )


def _column(values):
    return torch.tensor(values, dtype=torch.float64).view(3, 1, 1)


def slope(width=240, height=180):
    """A picture that says where its pixels are: red is the column, green the row."""
    rows, columns = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([columns, rows, 0 * rows], 2).astype(np.uint8))


def patch_of(pixels):
    """``left, top, width, height`` of the patch of :func:`slope` that ``(size, size, 3)`` pixels show.

    From the middle of each axis, where the filter of the resizing sees no border.
    """
    pixels = np.asarray(pixels, dtype=float)
    size = len(pixels)
    inner = slice(size // 8, size - size // 8)
    place = np.arange(size)[inner] + 0.5
    lines = [np.polyfit(place, pixels[inner, inner, channel].mean(channel), 1) for channel in (0, 1)]
    (wide, left), (high, top) = lines
    return left + 0.5, top + 0.5, wide * size, high * size


def test_random_patches_are_the_papers():
    """Section 6: 8 % to 100 % of the area, the aspect between 3:4 and 4:3."""
    draws = np.random.default_rng(0)
    image = slope(200, 200)
    patches = np.array([patch_of(random_square(image, 48, draws)) for _ in range(700)])
    left, top, width, height = patches.T
    area, aspect = width * height / 200**2, width / height
    assert 0.075 < area.min() < 0.1 and 0.9 < area.max() <= 1.02
    assert 0.73 < aspect.min() < 0.77 and 1.3 < aspect.max() < 1.37
    every = area < 0.75  # of these, each aspect fits into a square picture
    assert kstest(area[every], "uniform", (0.08, 0.67)).pvalue > UNLIKELY
    assert kstest(np.log(aspect[every]), "uniform", (np.log(3 / 4), 2 * np.log(4 / 3))).pvalue > UNLIKELY
    for first, length in ((left, width), (top, height)):
        assert (first > -1).all() and (first + length < 201).all()
        room = 200 - length > 20
        assert kstest(first[room] / (200 - length[room]), "uniform").pvalue > UNLIKELY


def test_training_crops_files_anew_in_every_epoch_and_evaluation_takes_the_centre(tmp_path):
    paths = []
    for number in range(4):
        paths.append(str(tmp_path / f"{number}.png"))
        slope().save(paths[-1])
    want = ImagePreprocessing(3, 32, 36, (0.0,) * 3, (1 / 255,) * 3)
    files = ImageSet(torch.zeros(4, dtype=torch.long), tuple(paths))

    def patches(epoch, **changes):
        (batch,) = batches(files, want=want, epoch=epoch, batch_size=4, **changes)
        order = batch.rows.argsort()
        return [patch_of(pixels) for pixels in batch.inputs[order].permute(0, 2, 3, 1)]

    cropped = np.array(patches(0, crop=True) + patches(1, crop=True))
    assert len(np.unique(cropped.round(), axis=0)) == 8
    assert np.array_equal(patches(0, crop=True), cropped[:4])
    (plain,) = files.loader(want, STILL).plain()
    centre = [patch_of(pixels) for pixels in plain.inputs.permute(0, 2, 3, 1)]
    for found in (patches(0), centre):  # 32/36 of the shorter side, from the middle
        np.testing.assert_allclose(found, [(40, 10, 160, 160)] * 4, atol=1)


def test_balanced_order_evens_out_classes():
    labels = torch.tensor([0] * 900 + [1] * 100)
    drawn = labels[epoch_order(labels, 0, 0, balanced=True)]
    assert 0.4 < drawn.float().mean() < 0.6


@pytest.mark.parametrize("cores", [1, 4, 64])
def test_ahead_keeps_order_and_holds_few_items(monkeypatch, cores):
    monkeypatch.setattr(parallel, "available_cores", lambda: cores)
    taken = []
    source = (taken.append(i) or i for i in range(1000))
    results = parallel.ahead(lambda i: i * 2, source)
    assert [next(results) for _ in range(5)] == [0, 2, 4, 6, 8]
    assert 5 + cores <= len(taken) <= 5 + cores + 1
    results.close()


def test_statistics_are_of_all_classes_however_pictures_lie():
    """Class after class, as folders are read: a black one before a white one."""
    pixels = torch.zeros(25_000, 1, 2, 2, dtype=torch.uint8)
    pixels[12_500:] = 255
    part = ImageSet(torch.zeros(25_000, dtype=torch.long), ("",) * 25_000, pixels)
    fitted = part.fitted(SMALL)
    assert fitted.mean[0] == pytest.approx(0.5, abs=1e-3) and fitted.std[0] == pytest.approx(0.5, abs=1e-3)
