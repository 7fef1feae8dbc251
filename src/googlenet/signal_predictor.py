"""Labels signals, as arrays or as rows of tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .data.signal_batches import views
from .data.signal_files import EXTENSIONS, read_signals
from .data.signal_rows import Signal
from .data.signals import SignalPreprocessing, SignalSet
from .errors import InputError
from .explain import class_activation
from .model import GoogLeNet
from .prediction import Prediction, Predictor

BATCH = 64


class SignalPredictor(Predictor):
    """Labels signals with one network, or with the mean probability of several.

    Computes in float32: a signal's probabilities do not depend on the others of its batch.

    Args:
        models: Networks with the same classes.
        classes: Class names in the order of the logits.
        preprocessing: What the networks were trained with.
    """

    extensions = EXTENSIONS

    def __init__(self, models: Sequence[GoogLeNet], classes: Sequence[str], preprocessing: SignalPreprocessing) -> None:
        super().__init__(models, classes)
        self.preprocessing = preprocessing

    def probabilities(self, signals: Sequence[Signal]) -> Tensor:
        """Probabilities ``(n, classes)``, float32, of signals ``(channels, length)`` of any length."""
        parts = [torch.zeros(0, len(self.classes))]
        for start in range(0, len(signals), BATCH):
            inputs = self.preprocessing.tensor(signals[start : start + BATCH])
            parts.append(self.mean_of(partial(self._seen, inputs)))
        return torch.cat(parts)

    def of_set(self, signals: object, crops: int = 1) -> Tensor:
        """Probabilities ``(n, classes)`` of a whole :class:`~googlenet.data.signals.SignalSet`.

        Raises:
            InputError: If it is something else, or ``crops`` is not 1.
        """
        if not isinstance(signals, SignalSet):
            raise InputError("The network reads signals, and these data are not signals.")
        if crops != 1:
            raise InputError("Crops are for pictures; leave --crops out for signals.")
        return self.probabilities(signals.signals)

    def drawn(self, signals: Sequence[Signal], classes: Tensor) -> list[tuple[Any, Any]]:
        """Of each signal: its values as the network sees them ``(channels, length)``, and what each place adds to
        the logit of the class that is asked for."""
        if not signals:
            return []
        inputs = self.preprocessing.tensor(signals)
        evidence = sum(
            class_activation(model, self._seen(inputs, model)[0].to(self.device), classes) for model in self.models
        )
        assert isinstance(evidence, Tensor)
        values = inputs[:, : self.preprocessing.channels].numpy()
        return list(zip(values, evidence.cpu().numpy(), strict=True))

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
        arrays = [np.atleast_2d(np.asarray(signal, dtype=np.float32)) for signal in signals]
        return list(self.best([f"#{row}" for row in range(len(arrays))], self.probabilities(arrays), top))

    def stream(self, tables: Iterable[Any], top: int = 5) -> Iterator[Prediction]:
        """Labels every row of tables, one table after the other; a table that cannot be read is an error row."""
        for path in tables:
            try:
                # The archive's files hold labels even where nobody needs them.
                table = read_signals(path, labelled=Path(path).stem.endswith(("_TRAIN", "_TEST")))
                rows = iter(zip(table.names, table.signals, strict=True))
                while chunk := list(islice(rows, BATCH)):
                    names, signals = [name for name, _ in chunk], [signal for _, signal in chunk]
                    yield from self.best(names, self.probabilities(signals), top)
            except InputError as error:
                yield Prediction(str(path), error=str(error))

    def _seen(self, inputs: Tensor, model: GoogLeNet) -> list[Tensor]:
        """What the members of a network see of prepared signals."""
        return [views(inputs, self.preprocessing.channels, model.arch.members)]
