"""How a recording is cut into windows: what a user asks for, and what is kept with the weights."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ....errors import InputError, short
from ....limits import INPUT, INPUT_CHANNELS

SHORTEST = 8  # samples of a window, which a network reads at least
_SPAN = re.compile(r"(\d+\.?\d*|\.\d+)\s*(ms|s|sec|min|samples?|)")
_SECONDS = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "min": 60.0}


@dataclass(frozen=True)
class Windows:
    """How recordings become what a network reads; persisted with its preprocessing.

    Attributes:
        rate: Samples a second, to which every recording is brought.
        channels: Names, in the order of the network's.
        window: Samples of a window; 0 where a recording is one signal as a whole.
        hop: Samples from the beginning of one window to that of the next.
        centred: Whether the windows it learned from lay around marked moments, such as heart beats.
        units: Of the channels; empty where their files say none.
    """

    rate: float
    channels: tuple[str, ...]
    window: int = 0
    hop: int = 0
    centred: bool = False
    units: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sizes = (self.window, self.hop)
        if not all(type(size) is int and 0 <= size <= INPUT for size in sizes):
            raise ValueError(f"windows of {sizes} samples")
        if not all(isinstance(text, str) for text in (*self.channels, *self.units)) or type(self.centred) is not bool:
            raise ValueError(f"windows of channels {short(repr(self.channels))}")
        if not (self.rate > 0 and math.isfinite(self.rate)) or not 0 < len(self.channels) <= INPUT_CHANNELS:
            raise ValueError(f"windows of {len(self.channels)} channels at {self.rate} Hz")

    def to_dict(self) -> dict[str, Any]:
        """For JSON; :meth:`from_dict` is its inverse."""
        return asdict(self) | {"channels": list(self.channels), "units": list(self.units)}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Windows:
        """Reads what :meth:`to_dict` gave."""
        return cls(**{**row, "channels": tuple(row["channels"]), "units": tuple(row.get("units", ()))})

    def starts(self, length: int) -> range:
        """The first samples of the windows of a recording of that many."""
        return range(0, length - self.window + 1, max(1, self.hop))

    def described(self) -> str:
        """In words, for people."""
        at = f"at {self.rate:g} Hz, channels {', '.join(self.channels)}"
        if not self.window:
            return f"whole recordings {at}"
        hop = "around each mark" if self.centred else f"every {_said(self.hop, self.rate)}"
        return f"windows of {_said(self.window, self.rate)} {hop}, {at}"


@dataclass(frozen=True)
class Cut:
    """What a user asks of recordings.

    Attributes:
        annotations: A table of ``file,start,end,label``, or another file with marks; ``None`` for those that the
            recordings bring.
        window: Such as ``2s``, ``500ms`` or ``512samples``; ``None`` for whole recordings.
        hop: The same; ``None`` for the window's length.
        rate: Samples a second to bring all to; ``None`` for the lowest there is.
        like: Of a network that is there already.
    """

    annotations: str | None = None
    window: str | None = None
    hop: str | None = None
    rate: float | None = None
    like: Windows | None = None

    @property
    def asked(self) -> bool:
        """Whether the user speaks of recordings at all."""
        return any(value is not None for value in (self.annotations, self.window, self.hop, self.rate, self.like))

    def sizes(self, rate: float) -> tuple[int, int]:
        """Samples of a window and of a hop at that rate; 0 and 0 for whole recordings.

        Raises:
            InputError: For what is no length, or too short.
        """
        if self.like is not None:
            return self.like.window, self.like.hop
        if self.window is None:
            if self.hop is not None:
                raise InputError(
                    f"--hop {self.hop} is from window to window: say how long one is, such as --window 2s."
                )
            return 0, 0
        window = samples_of(self.window, "--window", rate)
        hop = window if self.hop is None else samples_of(self.hop, "--hop", rate)
        if window < SHORTEST:
            raise InputError(
                f"--window {self.window} is {window} samples at {rate:g} Hz, and a network reads {SHORTEST} or more. "
                "Seconds are written 2s."
            )
        if hop < 1:
            raise InputError(f"--hop {self.hop} is less than a sample at {rate:g} Hz.")
        return window, hop


def samples_of(text: str, option: str, rate: float) -> int:
    """A length of time as samples: ``2s``, ``500ms``, ``1min``, ``512samples`` or ``512``.

    Args:
        text: What a user wrote.
        option: For the sentence.
        rate: Samples a second.

    Raises:
        InputError: For anything else.
    """
    match = _SPAN.fullmatch(text.strip().lower())
    if match is None:
        raise InputError(f"{option} is a length such as 2s, 500ms or 512samples, not {text!r}.")
    number, unit = float(match[1]), match[2]
    if unit in _SECONDS:
        return round(number * _SECONDS[unit] * rate)
    if not number.is_integer():
        raise InputError(f"{option} {text} is no whole number of samples; a length of time has a unit: {text}s.")
    return int(number)


def _said(samples: int, rate: float) -> str:
    return f"{samples:,} samples ({samples / rate:.4g} s)"
