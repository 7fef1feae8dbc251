"""Labels signals, as arrays or as rows of tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.parallel import groups
from ..data.signals.files import EXTENSIONS, is_part, read_signals
from ..data.signals.preprocessing import SignalPreprocessing
from ..data.signals.rows import Signal
from ..errors import InputError
from .engines.engine import Chunk, Engine, Floats
from .predictor import Prediction, Predictor

BATCH = 64  # signals that are prepared and computed together


class SignalPredictor(Predictor):
    """Labels signals.

    Args:
        engine: From ``(n, inputs, length)`` float32 to probabilities. It computes in float32: a signal's
            probabilities do not depend on the others of its batch.
        classes: Class names in the order of the probabilities.
        preprocessing: What the network was trained with.
    """

    extensions = EXTENSIONS

    def __init__(self, engine: Engine, classes: Sequence[str], preprocessing: SignalPreprocessing) -> None:
        super().__init__(engine, classes)
        self.preprocessing = preprocessing

    def probabilities(self, signals: Iterable[Signal]) -> Floats:
        """Probabilities ``(n, classes)`` of signals ``(channels, length)`` of any length.

        Raises:
            InputError: See :meth:`~googlenet.data.signals.preprocessing.SignalPreprocessing.array`.
        """
        parts = [np.zeros((0, len(self.classes)), np.float32)]
        for chunk, found in self._results((f"Signal {number}", x) for number, x in enumerate(signals, start=1)):
            for name, error in zip(chunk.names, chunk.errors, strict=True):
                if error is not None:
                    raise InputError(f"{name} {error}")
            parts.append(found)
        return np.concatenate(parts)

    def predict(self, signals: Iterable[npt.ArrayLike] | str | Path, top: int = 5) -> list[Prediction]:
        """Labels signals.

        Args:
            signals: A table's path, or arrays ``(length,)`` or ``(channels, length)``.
            top: How many labels to give for each.

        Returns:
            One prediction for each signal, in order.
        """
        if isinstance(signals, (str, Path)):
            return list(self.stream([str(signals)], top))
        arrays = (np.atleast_2d(np.asarray(signal, dtype=np.float32)) for signal in signals)
        return list(self.labelled(self._results((f"#{row}", array) for row, array in enumerate(arrays)), top))

    def stream(self, tables: Iterable[Any], top: int = 5) -> Iterator[Prediction]:
        """Labels every row of tables, one table after the other; a table that cannot be read is one error row."""
        for path in tables:
            try:
                # The archive's files hold labels even where nobody needs them.
                table = read_signals(path, labelled=is_part(path))
                yield from self.labelled(self._results(zip(table.names, table.signals, strict=True)), top)
            except InputError as error:
                yield Prediction(str(path), error=str(error))

    def _results(self, named: Iterable[tuple[str, Signal]]) -> Iterator[tuple[Chunk, Floats]]:
        def prepared(group: Sequence[tuple[str, Signal]]) -> Chunk:
            rows: list[Floats] = []
            errors: list[str | None] = []
            for _, signal in group:
                errors.append(None)
                try:
                    rows.append(self.preprocessing.prepared(signal))
                except InputError as error:
                    errors[-1] = str(error)
            return Chunk([name for name, _ in group], errors, np.array(rows, np.float32))

        return self.engine.map(prepared, groups(named, BATCH))
