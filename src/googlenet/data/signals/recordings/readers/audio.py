"""WAV and FLAC. Plain WAV needs nothing else; the others are read by ``soundfile``."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from ..recording import Recording, Samples, checked, library, numbered

_WIDTHS = {1: "u1", 2: "<i2", 3: "u1", 4: "<i4"}  # bytes of a number


def open_wav(path: Path) -> Recording:
    """A WAV file; of other numbers than integers by :func:`open_audio`."""
    try:
        with wave.open(str(path), "rb") as file:
            channels, rate, length = file.getnchannels(), file.getframerate(), file.getnframes()
    except (wave.Error, EOFError):
        return open_audio(path)

    def read(start: int, stop: int) -> Samples:
        with wave.open(str(path), "rb") as file:
            width = file.getsampwidth()
            file.setpos(min(start, length))
            raw = file.readframes(stop - start)
        whole = len(raw) // (width * channels) * width * channels
        values = _integers(np.frombuffer(raw[:whole], _WIDTHS[width]), width) / 2.0 ** (8 * width - 1)
        return checked(values.reshape(-1, channels).T, path, start, stop)

    return Recording(path, numbered(channels), float(rate), length, read)


def _integers(raw: np.ndarray[tuple[int], np.dtype[np.integer]], width: int) -> Samples:
    """Numbers of that many bytes; those of one byte lie above 128, those of three are put together."""
    if width == 1:
        return raw.astype(np.float64) - 128
    if width != 3:
        return raw.astype(np.float64)
    bytes_of = raw.reshape(-1, 3).astype(np.int32)
    return ((bytes_of[:, 0] << 8 | bytes_of[:, 1] << 16 | bytes_of[:, 2] << 24) >> 8).astype(np.float64)


def open_audio(path: Path) -> Recording:
    """Whatever ``soundfile`` reads."""
    soundfile = library("soundfile", path)
    about = soundfile.info(str(path))

    def read(start: int, stop: int) -> Samples:
        with soundfile.SoundFile(str(path)) as file:
            file.seek(start)
            return checked(file.read(stop - start, dtype="float64", always_2d=True).T, path, start, stop)

    return Recording(path, numbered(about.channels), float(about.samplerate), int(about.frames), read)
