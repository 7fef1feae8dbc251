"""The kinds of data, a row each: how one is recognised in a file and in memory, and what reads it.

``images/``, ``signals/`` and ``volumes/`` hold what the rows name. Everything above asks the preprocessing and the
example set that come out (:mod:`~googlenet.data.protocol`) and never which kind they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, reason, short, unknown
from .images.preprocessing import ImagePreprocessing
from .protocol import ExampleSet, Preprocessing, Watch
from .signals.preparation.preprocessing import SignalPreprocessing
from .volumes.preprocessing import VolumePreprocessing

if TYPE_CHECKING:
    from torch import Tensor

    from .protocol import Dataset


@dataclass(frozen=True)
class Kind:
    """A kind of data.

    Attributes:
        preprocessing: Its class.
        files: Module of this package with ``claims(source)`` and ``find(source, watch, columns)``, imported at need.
        arrays: The same with ``holds(X)`` and ``example_set(X, labels, like, estimator)``.
    """

    preprocessing: type[Any]
    files: str
    arrays: str

    def claims(self, source: str) -> bool:
        """Whether a file or folder is, by its look, of this kind."""
        return bool(_module(self.files).claims(source))

    def find(self, source: str, watch: Watch, columns: Any) -> Dataset:
        """Finds, checks and labels the examples of a source.

        Args:
            source: A path that it claims.
            watch: Wraps the list of files while they are checked.
            columns: See :class:`~googlenet.data.find.Columns`.

        Raises:
            InputError: If there is nothing to learn from.
        """
        found: Dataset = _module(self.files).find(source, watch, columns)
        return found

    def holds(self, X: Any) -> bool:
        """Whether what a user holds in memory is, by its look, of this kind."""
        return bool(_module(self.arrays).holds(X))

    def example_set(self, X: Any, labels: Tensor, like: Preprocessing | None, estimator: Any) -> ExampleSet:
        """Examples from arrays and lists.

        Args:
            X: The examples.
            labels: ``(N,)``.
            like: What a network that is there already reads; ``None`` for a fresh one.
            estimator: Of scikit-learn's kind, which may keep what it saw of the features.

        Raises:
            ValueError: If they cannot be understood; :class:`~googlenet.errors.InputError` is one.
        """
        found: ExampleSet = _module(self.arrays).example_set(X, labels, like, estimator)
        return found


# In the order in which they are asked: the last one takes what is left.
KINDS: dict[str, Kind] = {
    "volume": Kind(VolumePreprocessing, "volumes.files", "volumes.dataset"),
    "signal": Kind(SignalPreprocessing, "signals.find", "signals.arrays.examples"),
    "picture": Kind(ImagePreprocessing, "images.sources.folders", "images.arrays"),
}
ARRAYS = ("volume", "picture", "signal")  # of what is in memory signals take what is left


def preprocessing_from(row: Any) -> Preprocessing:
    """What a preprocessing's ``to_dict`` wrote; pictures were the only kind that did not say so.

    Raises:
        InputError: For a kind that is not known.
    """
    if not isinstance(row, Mapping):
        raise InputError(f"What a network reads is described by {type(row).__name__}, not by a table of names.")
    name = row.get("kind", "picture")
    if not isinstance(name, str) or name not in KINDS:
        raise unknown("kind of data", str(name), KINDS)
    try:
        found: Preprocessing = KINDS[name].preprocessing.from_dict(dict(row))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        said = str(error) if isinstance(error, InputError) else repr(error)
        raise InputError(f"What a network reads is not described as googlenet does it ({short(said)}).") from error
    return found


def unmasked(values: Any) -> Any:
    """A masked array with NaN, a missing value, where it is masked; all else as it is."""
    if not isinstance(values, np.ma.MaskedArray):
        return values
    return np.ma.filled(values.astype(np.float64), np.nan) if np.ma.is_masked(values) else values.data


def as_array(source: Any) -> Any:
    """A tensor of PyTorch's as an array; all else as it is (an opened file has a ``detach`` too)."""
    if hasattr(source, "detach") and hasattr(source, "cpu"):
        try:
            source = source.detach().cpu()
            return (source.float() if "bfloat16" in str(source.dtype) else source).numpy()
        except Exception as error:  # sparse, quantized, without data: PyTorch has a kind for each
            raise InputError(f"a tensor that is no array of numbers ({reason(error)})") from error
    return unmasked(source)


def as_list(given: Any) -> Any:
    """A row of paths, pictures or arrays (an array of objects, a series) as a list; an array or tensor as an array."""
    given = as_array(given)
    kind = getattr(getattr(given, "dtype", None), "kind", "")
    if kind not in ("O", "U") or given.ndim != 1 or not len(given):
        return given
    row = list(given)
    return given if isinstance(row[0], (int, float, complex, type(None))) else row


def example_set(X: Any, labels: Tensor, like: Preprocessing | None, estimator: Any) -> ExampleSet:
    """What a user holds in memory as examples of the kind that it looks like; see :meth:`Kind.example_set`.

    Args:
        X: The examples.
        labels: ``(N,)``.
        like: What a network that is there already reads.
        estimator: Of scikit-learn's kind.
    """
    X = as_list(X)
    if isinstance(X, (list, tuple)):
        X = [as_array(x) for x in X]
    names = ("signal",) if _has_time(X, getattr(estimator, "axis", "auto")) else ARRAYS
    kind = next(KINDS[name] for name in names if KINDS[name].holds(X))
    return kind.example_set(X, labels, like, estimator)


def number_of(X: Any) -> int:
    """How many examples there are; a frame with an index of several levels has one for each value of the first."""
    from sklearn.utils.validation import _num_samples

    index = getattr(X, "index", None)
    if getattr(index, "nlevels", 1) > 1:
        return len(X.index.get_level_values(0).unique())
    return int(_num_samples(X))


def _has_time(X: Any, axis: str) -> bool:
    """Whether the axis of time was stated for examples of two axes, which then are no grey pictures."""
    if axis == "auto":
        return False
    if isinstance(X, list):
        return all(getattr(x, "ndim", 0) == 2 for x in X)
    return getattr(X, "ndim", 0) == 3


def _module(name: str) -> Any:
    return import_module(f".{name}", __package__)
