"""The scale of signals, relative to themselves: what is rounding, what is a glitch. All in float64."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...protocol import Floats

if TYPE_CHECKING:
    from torch import Tensor

Values = npt.NDArray[np.float64]  # (n,), NaN where a value is missing
Mask = npt.NDArray[np.bool_]

FEW = 0.1  # of a signal's samples, or of the signals, are few
FAR = 50.0  # times what nine of ten samples of nine of ten signals keep within; in 48 UCR sets the most is 18
ANYWHERE = 1000.0  # times it, where more than a few signals have such samples
ROUNDING = 8 * float(np.finfo(np.float64).eps)
MOST = float(np.finfo(np.float64).max)
UNLIMITED = (-MOST, MOST)


def known(values: npt.NDArray[np.floating]) -> Values:
    """Those that are finite, as float64."""
    return np.asarray(values[np.isfinite(values)], np.float64)


def is_constant(values: Values) -> bool:
    """Whether values, of which none is missing, differ by no more than float64 rounds numbers of their size."""
    if not values.size:
        return True
    least, most = float(values.min()), float(values.max())
    return most - least <= ROUNDING * max(abs(least), abs(most))


def exponent(size: float) -> int:
    """The power of two nearest below a positive size: to multiply by one changes no digit of a number."""
    return int(np.frexp(size)[1]) if size else 0


def deviation(values: Values) -> float:
    """The standard deviation, of numbers of any size."""
    power = exponent(float(np.abs(values).max()))
    return float(np.ldexp(np.ldexp(values, -power).std(), power))


def variation(values: Values) -> float:
    """The same, 0 where they are constant, or none."""
    return 0.0 if is_constant(values) else deviation(values)


def least_variation(channel: Sequence[Values]) -> float:
    """Of the signal that varies least.

    Args:
        channel: Of every signal, what is known of it.
    """
    return min(map(variation, channel))


def scales_differ(channel: Sequence[Values]) -> bool:
    """Whether a tenth of the signals vary more than ten times as much as another tenth.

    Args:
        channel: Of every signal, what is known of it.
    """
    deviations = [deviation(values) for values in channel if not is_constant(values)]
    if not deviations:
        return False
    small, large = np.quantile(deviations, (FEW, 1 - FEW))
    return bool(large > 10 * small)


def limits(channel: Sequence[Values]) -> tuple[float, float]:
    """Beyond which a value is a glitch: no sample of these data, but one of a loose contact or a number for "missing".

    They are :data:`FAR` times as far from the median as nine of ten samples of nine of ten signals. Where more than a
    few signals have values beyond, these may be what the data are about: then they are glitches only if all are one
    value, such as -9999, or single samples :data:`ANYWHERE` times as far.

    Args:
        channel: Of every signal, what is known of it.
    """
    channel = [values for values in channel if values.size]
    if not channel:
        return UNLIMITED
    pooled = np.concatenate(channel)
    centre = float(np.median(pooled))
    far_off = [np.abs(values - centre) for values in channel]
    ordinary = _ordinary(far_off, np.abs(pooled - centre))
    within = float(np.quantile([_nine_of_ten(values) for values in ordinary], 1 - FEW))
    if within == 0:
        within = float(np.quantile([values.max() for values in ordinary], 1 - FEW))
    if within == 0:
        return UNLIMITED
    limit = FAR * within
    beyond = [(values, off > limit) for values, off in zip(channel, far_off, strict=True) if off.max() > limit]
    if len(beyond) > max(1, FEW * len(channel)) and not _one_value(beyond):
        limit = ANYWHERE * within
        if not _single(off > limit for off in far_off):
            return UNLIMITED
    return max(centre - limit, -MOST), min(centre + limit, MOST)


def limit_of_ratios(channel: Sequence[Values]) -> float:
    """:func:`limits` where signals have scales of their own: of what :func:`ratios` gives.

    Args:
        channel: Of every signal, what is known of it.
    """
    most = [float(np.abs(ratios(values)).max()) for values in channel if values.size]
    return FAR * float(np.quantile(most, 1 - FEW)) if any(most) else MOST


def ratios(values: Values) -> Values:
    """How far each value is from the median, in what nine of ten of them keep within."""
    present = values[~np.isnan(values)]
    if not present.size:
        return values
    centred = values - np.median(present)
    far_off = np.abs(centred[~np.isnan(centred)])
    unit = _nine_of_ten(far_off) or far_off.max()
    return np.asarray(centred / unit) if unit else centred


def glitches(values: Values, low: float, high: float) -> Mask:
    """Which values lie beyond limits.

    Args:
        values: Of one channel.
        low: The lower limit.
        high: The upper limit.
    """
    return np.asarray((values < low) | (values > high))


def inside(channel: Sequence[Values], low: float, high: float) -> list[Values]:
    """Of every signal, what is no glitch.

    Args:
        channel: Of every signal, what is known of it.
        low: The lower limit.
        high: The upper limit.
    """
    return [values[~glitches(values, low, high)] for values in channel]


def without(values: Values, far: Mask, low: float, high: float) -> Values:
    """Values whose glitches are missing: few of them, or one value again and again. What is beyond the limits for
    longer, as all of a signal that is much larger than any before, is clipped.

    Args:
        values: Of one channel.
        far: Which of them are beyond the limits.
        low: The lower limit.
        high: The upper limit.
    """
    there = int((~np.isnan(values)).sum())
    wrong = int(far.sum())
    if wrong <= FEW * there or (wrong < there and len(np.unique(values[far])) == 1):
        return np.where(far, np.nan, values)
    return np.clip(values, low, high)


def held(mean: Sequence[float], std: Sequence[float]) -> npt.NDArray[np.float64]:
    """``(channels, 1)``: the means, rounded to float32, in which they were subtracted once, where that makes no
    difference: less than a millionth of the deviation."""
    exact = np.array(mean)[:, None]
    with np.errstate(over="ignore"):
        rounded = exact.astype(np.float32).astype(np.float64)
    return np.where(np.abs(rounded - exact) <= 1e-6 * np.array(std)[:, None], rounded, exact)


def squeezed(x: npt.NDArray[np.float32], length: int) -> npt.NDArray[np.float32]:
    """To that length, if it was longer: each sample a triangle-weighted mean, so that nothing is aliased."""
    if x.shape[1] <= length:
        return x
    picture = Image.fromarray(x).resize((length, len(x)), Image.Resampling.BILINEAR)
    return np.asarray(picture)


def standard_by_itself(x: npt.NDArray[np.float64], length: int) -> npt.NDArray[np.float32]:
    """Each channel, squeezed to that length if it is longer, with a mean of 0 and a standard deviation of 1; zeros
    where it is constant, or nothing is left of it."""
    constant = np.array([[is_constant(values)] for values in x])
    centred = x - x.mean(1, keepdims=True)
    power = np.array([[exponent(size)] for size in np.abs(centred).max(1)])
    scaled = squeezed(np.ldexp(centred, -power).astype(np.float32), length).astype(np.float64)
    scaled -= scaled.mean(1, keepdims=True)
    size = np.sqrt(np.square(scaled).mean(1, keepdims=True))
    constant |= size <= 1e-6
    standard: npt.NDArray[np.float32] = np.where(constant, 0, scaled / np.where(constant, 1, size)).astype(np.float32)
    return standard


def filled(signal: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Missing values interpolated between their neighbours, in place; 0 in a channel that has none."""
    time = np.arange(signal.shape[1])
    for values in signal:
        gaps = np.isnan(values)
        if gaps.all():
            values[:] = 0
        elif gaps.any():
            values[gaps] = np.interp(time[gaps], time[~gaps], values[~gaps])
    return signal


def _nine_of_ten(sizes: Values) -> float:
    place = int(np.ceil((1 - FEW) * (len(sizes) - 1)))
    if len(sizes) > 2:
        place = min(place, len(sizes) - 2)  # the largest may be the glitch
    return float(np.partition(sizes, place)[place])


def _ordinary(far_off: Sequence[Values], pooled: Values) -> Sequence[Values]:
    """Without the farthest value, where it is there again and again but seldom: it may stand for "missing"."""
    farthest = pooled.max()
    if not 1 < int((pooled == farthest).sum()) <= FEW * len(pooled):
        return far_off
    rest = [values[values < farthest] for values in far_off]
    return [values for values in rest if values.size]


def _one_value(beyond: Sequence[tuple[Values, Mask]]) -> bool:
    return len(np.unique(np.concatenate([values[far] for values, far in beyond]))) == 1


def _single(masks: Iterable[Mask]) -> bool:
    """Whether, but for a few, what is marked has no neighbour that is marked."""
    marked = pairs = 0
    for mask in masks:
        marked += int(mask.sum())
        pairs += int((mask[1:] & mask[:-1]).sum())
    return pairs <= FEW * marked


def differences(x: Floats) -> Floats:
    """Along time, as long as ``x``: the first is 0."""
    return np.diff(x, axis=1, prepend=x[:, :1])


def to_own_scale(inputs: Tensor, channels: int) -> list[Tensor]:
    """Each channel of ``(N, inputs, length)`` to a mean of 0 and a deviation of 1, and behind them the differences to
    the same scale, if there are any; one that varies a thousand times less than in the training part is only
    centred."""
    centred = inputs[:, :channels] - inputs[:, :channels].mean(2, keepdim=True)
    deviation = centred.square().mean(2, keepdim=True).sqrt()
    deviation = deviation.where(deviation > 1e-3, deviation.new_ones(()))
    differences = [inputs[:, channels:] / deviation] if inputs.shape[1] > channels else []
    return [centred / deviation, *differences]
