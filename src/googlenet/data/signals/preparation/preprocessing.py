"""From a signal of any length, with gaps, to what the network reads."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from ....errors import InputError
from ...protocol import Array, Example, Floats, Input, Trace
from ..arrays.single import single
from ..files import EXTENSIONS, examples_of
from ..recordings import stream
from ..recordings.readers.formats import EXTENSIONS as RECORDINGS
from ..recordings.windows import Windows
from ..rows import Signal
from ..tables.schema import Schema
from . import scale
from .check import check_preprocessing, each
from .doubt import doubt_of
from .drawn import canvas_of
from .members import side_by_side

LARGEST = 1e290  # value of which many can be added

if TYPE_CHECKING:
    from torch import Tensor

    from ....nn.canvas import Canvas


@dataclass(frozen=True)
class SignalPreprocessing:
    """How a signal becomes what the network reads; a :class:`~googlenet.data.protocol.Preprocessing`.

    Glitches are missing values, see :mod:`.scale`; missing values are interpolated along time. Each channel is
    standardised by the training part's statistics; where the scales of its signals differ so much that the small ones
    would vanish beside the large, each by its own. Up to here all is computed in float64. A
    signal keeps its time scale: one that is shorter than ``length`` is followed by zeros, the mean, up to it; one
    that is longer is squeezed, with an antialiasing filter. Its first difference, to the same scale, is put beside it
    if the network is to see it.

    ``length`` is a property of the network, not of a batch, so a signal is read alike whatever others are beside it.

    Attributes:
        channels: Of the signal.
        length: Samples that the network reads.
        mean: Of every channel over the training part; empty where each signal is standardised by itself.
        std: Its standard deviation; 1 for a constant channel; empty like ``mean``.
        slope: Standard deviation of the standardised channel's first difference; where it is 0, so is what the network
            reads. Empty where it reads no differences.
        low: Of every channel, below which a value is a glitch; where each signal is standardised by itself, by its own
            measure, see :func:`.scale.ratios`. Empty if nothing is one.
        high: Above which it is one.
        constant: Channels that never varied in the training part: the network reads 0 for them, whatever they hold.
        schema: What the columns of the table meant that the network learned from; ``None`` if it was none.
        windows: How recordings are cut, for a network that learned from some.
        least: The smallest deviation of every channel within a signal that was learned from; empty where not known.
        longest: Samples of the longest signal that was learned from; 0 where that is not known.
        own: Whether the second and third of four members see every channel of a signal to its own scale.
    """

    kind: ClassVar[str] = "signal"
    crops: ClassVar[Collection[int]] = (1,)
    most: ClassVar[int] = 64
    bf16: ClassVar[bool] = False  # a signal's probabilities do not depend on the others of its batch
    of_views: ClassVar[Collection[str]] = ("least", "longest")  # what is said of a signal, and not how it is read
    mirror: ClassVar[bool] = False

    channels: int
    length: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    slope: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    constant: tuple[int, ...] = ()
    schema: Schema | None = None
    windows: Windows | None = None
    own: bool = False
    longest: int = 0
    least: tuple[float, ...] = ()

    @classmethod
    def fitted(cls, signals: Sequence[Signal], length: int, differences: bool = True) -> SignalPreprocessing:
        """From the training part.

        Args:
            signals: Each ``(channels, length)``.
            length: Samples that the network reads.
            differences: Whether it reads first differences too.

        Raises:
            InputError: If a value is so large that a deviation of such has no number.
        """
        largest = max((float(np.abs(values[~np.isnan(values)]).max(initial=0)) for values in signals), default=0.0)
        if largest > LARGEST:
            raise InputError(
                f"The signals hold values of up to {largest:.3g}, and those above {LARGEST:g} are too large to "
                "compute with. Give them in a larger unit."
            )
        channels = [[scale.known(values) for values in channel] for channel in zip(*signals, strict=True)]
        bounds = list(map(scale.limits, channels))
        clean = [scale.inside(channel, *bound) for channel, bound in zip(channels, bounds, strict=True)]
        values = list(map(np.concatenate, clean))
        constant = tuple(at for at, channel in enumerate(values) if scale.is_constant(channel))
        mean: tuple[float, ...] = ()
        std: tuple[float, ...] = ()
        if any(map(scale.scales_differ, clean)):
            bounds = [(-most, most) for most in map(scale.limit_of_ratios, clean)]
        else:
            mean = tuple(float(channel.mean()) if channel.size else 0.0 for channel in values)
            std = tuple(1.0 if at in constant else scale.deviation(channel) for at, channel in enumerate(values))
        low, high = zip(*bounds, strict=True)
        least = tuple(map(scale.least_variation, clean))
        plain = cls(len(channels), length, mean, std, (), low, high, constant, least=least)
        return plain._with_differences(signals) if differences else plain

    def _with_differences(self, signals: Sequence[Signal]) -> SignalPreprocessing:
        slopes = np.concatenate([scale.differences(x) for x in each(self._standard, signals)], axis=1).astype(
            np.float64
        )
        return replace(self, slope=tuple(float(channel.std()) for channel in slopes))

    @property
    def extensions(self) -> Collection[str]:
        """Of tables, or of recordings."""
        return EXTENSIONS if self.windows is None else RECORDINGS

    @property
    def inputs(self) -> int:
        """Channels that the network reads."""
        return self.channels + len(self.slope)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """``(inputs, length)``; of float32."""
        return (self.inputs, self.length)

    def tensors(self) -> Sequence[Input]:
        """A signal of any length."""
        return (Input("signal", "FP32", (self.channels, -1)),)

    def split(self, source: Any) -> Sequence[Any] | None:
        """The signals of an array ``(N, channels, length)`` or, of one channel, ``(N, length)``; else ``None``."""
        if not isinstance(source, np.ndarray):
            return None
        return list(source) if source.ndim == 3 or (source.ndim == 2 and self.channels == 1) else None

    def examples(self, source: Any, name: str) -> Iterator[Example]:
        """The rows of a table, the windows of a recording, or one signal ``(length,)`` or ``(channels, length)``."""
        if isinstance(source, (str, Path)):
            rows = examples_of(source, self.schema) if self.windows is None else stream.examples(source, self.windows)
            try:
                yield from rows
            except InputError as error:
                yield Example(str(source), error=str(error))
            return
        yield single(source, name, self.channels)

    def read(self, content: Signal, crops: int = 1) -> Floats:
        """A signal ``(channels, length)`` as the network reads it, ``(1, inputs, length)``; see :meth:`prepared`.

        Raises:
            InputError: As of :meth:`prepared`, or if there is nothing in it to answer from.
        """
        if np.isnan(content).all():
            raise InputError("every sample is missing")
        prepared = self.prepared(content)[None]
        beyond = self.glitches(content)
        if beyond.sum(axis=1).max() > max(1, scale.FEW * content.shape[1]):
            raise InputError(
                "more than a tenth of its samples lie far beyond all that the network learned from: another unit?"
            )
        lengths = 0 if self.schema is None else self.schema.lengths[0], self.longest
        doubt = doubt_of(content, prepared[0, : self.channels], bool(beyond.any()), self.std, self.least, lengths)
        if doubt:
            warnings.warn(doubt, RuntimeWarning, stacklevel=2)
        return prepared

    def example(self, n: int) -> Tensor:
        """n signals of noise, ``(n, inputs, length)``."""
        import torch

        return torch.randn(n, self.inputs, self.length, generator=torch.Generator().manual_seed(0))

    def views(self, inputs: Tensor, members: int = 1) -> list[Tensor]:
        """What every member sees, side by side: ``(n, members * inputs, length)``; see :mod:`.members`."""
        return [side_by_side(inputs, members, self.channels, self.own)]

    def draw(self, inputs: Array, evidence: Array | None = None) -> Trace:
        """The channels as the network sees them, without their differences."""
        return Trace(inputs[: self.channels], evidence)

    def canvas(self) -> Canvas:
        """Channels in deviations, whose differences follow from them."""
        return canvas_of(self.channels, not self.mean, self.slope, self.constant, self.read)

    def described(self) -> str:
        """In words, for people."""
        each = "by the training part's statistics" if self.mean else "by its own"
        also = ", and by its own for half the members" * self.own + ", with its first difference" * bool(self.slope)
        also += f"; {self.windows.described()}" if self.windows else ""
        return f"{self.channels} channels, {self.length} samples, each channel standardised {each}{also}"

    def array(self, signals: Sequence[Signal]) -> Floats:
        """``(N, inputs, length)``, float32: the channels, then their differences if any.

        Raises:
            InputError: For a signal with another number of channels, without samples, or with infinities.
        """
        inputs = np.zeros((len(signals), self.inputs, self.length), np.float32)
        for row, prepared in enumerate(each(self.prepared, signals)):
            inputs[row] = prepared
        return inputs

    def prepared(self, signal: Signal) -> Floats:
        """One signal, ``(inputs, length)``.

        Raises:
            InputError: As of :meth:`array`, without the signal's number.
        """
        x = self._standard(signal)
        inputs = np.zeros((self.inputs, self.length), np.float32)
        inputs[: self.channels, : x.shape[1]] = x
        if self.slope:
            slope = np.array(self.slope, np.float32)[:, None]
            np.divide(scale.differences(x), slope, out=inputs[self.channels :, : x.shape[1]], where=slope > 0)
        return inputs

    def glitches(self, signal: Signal) -> npt.NDArray[np.bool_]:
        """Which samples ``(channels, length)`` lie beyond the limits."""
        found = np.zeros(signal.shape, bool)
        for at, (low, high) in enumerate(zip(self.low, self.high, strict=True)):
            if at not in self.constant:
                values = signal[at].astype(np.float64)
                found[at] = scale.glitches(values if self.mean else scale.ratios(values), low, high)
        return found

    def _standard(self, signal: Signal) -> Floats:
        """``(channels, n)`` without gaps, to a mean of 0 and a deviation of 1, n at most ``length``."""
        if signal.ndim != 2 or signal.shape[0] != self.channels or signal.shape[1] == 0:
            raise InputError(f"the shape is {signal.shape}, and the network reads ({self.channels}, length)")
        if np.isinf(signal).any():
            raise InputError("a value is infinite")
        with np.errstate(over="ignore"):  # what is too large for the network is infinite
            return self._scaled(np.array(signal, np.float64), self.glitches(signal))

    def _scaled(self, x: npt.NDArray[np.float64], glitches: npt.NDArray[np.bool_]) -> Floats:
        x[list(self.constant)] = 0
        for at, far in enumerate(glitches):
            if far.any():
                x[at] = (
                    scale.without(x[at], far, self.low[at], self.high[at])
                    if self.mean
                    else np.where(far, np.nan, x[at])
                )
        if not self.mean:
            return scale.standard_by_itself(scale.filled(x), self.length)
        centre = scale.held(self.mean, self.std)
        power = np.array([[scale.exponent(std)] for std in self.std])
        centred = np.ldexp(scale.filled(x - centre), -power).astype(np.float32)
        centred[list(self.constant)] = 0
        size = np.ldexp(np.array(self.std)[:, None], -power).astype(np.float32)
        return np.asarray(scale.squeezed(centred, self.length) / size)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; :meth:`from_dict` is its inverse."""
        row = {"kind": self.kind} | asdict(replace(self, schema=None))
        del row["schema"]
        return row if self.schema is None else row | {"schema": self.schema.to_dict()}

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> SignalPreprocessing:
        """Reads what :meth:`to_dict` gave.

        Raises:
            InputError: If it cannot be.
        """
        numbers = {key: tuple(row[key]) for key in ("mean", "std", "slope")}
        found = {key: tuple(row.get(key, ())) for key in ("low", "high", "constant", "least")}
        schema = None if row.get("schema") is None else Schema.from_dict(row["schema"])
        windows = None if row.get("windows") is None else Windows.from_dict(row["windows"])
        preprocessing = cls(
            row["channels"],
            row["length"],
            **numbers,
            **found,
            schema=schema,
            windows=windows,
            own=row.get("own", False),
            longest=row.get("longest", 0),
        )
        check_preprocessing(preprocessing)
        return preprocessing
