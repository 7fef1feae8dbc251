"""Labels of users: read, weighed, named, and written as JSON and back."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_array, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, column_or_1d

from ..errors import InputError

Labels = npt.NDArray[Any]
Weights = npt.NDArray[np.float64]
PLAIN = (str, int, float, bool)


def read_labels(y: Any) -> Labels:
    """Labels ``(N,)`` of any type that has an order.

    Raises:
        ValueError: For numbers that are no classes, missing labels, and labels of several types.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None: labels are needed to learn from.")
    if np.ma.is_masked(y):
        raise InputError("A label is masked: leave its example out.")
    plain = np.asarray(y) if hasattr(y, "dtype") and getattr(y.dtype, "kind", "") in tuple("SMm") else y
    given: Labels = check_array(column_or_1d(plain, warn=True), ensure_2d=False, dtype=None, input_name="y")
    if given.dtype.kind in "Mm" and np.isnat(given).any():
        raise InputError("A label is missing (NaT): leave its example out.")
    if given.dtype.kind == "O":
        kinds = sorted({type(label).__name__ for label in given})
        if len(kinds) > 1:
            raise InputError(
                f"The labels are of several types ({', '.join(kinds)}): give all as text, or all as numbers."
            )
    if given.dtype.kind not in "SMmT":  # which scikit-learn does not look at
        check_classification_targets(given)
    return given


def check_order(X: Any, y: Any) -> None:
    """Labels are taken in their order, whatever index they have.

    Warns:
        RuntimeWarning: Where examples and labels have the same index in another order.
    """
    if not (hasattr(X, "iloc") and hasattr(y, "iloc")):
        return
    one, other = (given.index if given.index.nlevels == 1 else given.index.unique(level=0) for given in (X, y))
    if len(one) == len(other) and not one.equals(other) and set(one) == set(other):
        warnings.warn(
            "X and y have the same index in another order, and are taken in the order in which they stand; "
            "y.loc[X.index] is in that of X.",
            RuntimeWarning,
            stacklevel=2,
        )


def weights_of_examples(labels: Labels, sample_weight: Any, class_weight: Any) -> Weights | None:
    """What each example counts in the loss: its own weight times that of its class.

    Args:
        labels: ``(N,)``.
        sample_weight: ``(N,)``, 0 or more.
        class_weight: ``"balanced"``, or weights by label.

    Returns:
        ``(N,)``; ``None`` where all count alike.

    Raises:
        ValueError: For weights that are negative, all 0, of another number, or of classes that there are not.
    """
    if sample_weight is None and class_weight is None:
        return None
    weights: Weights = _check_sample_weight(sample_weight, labels, dtype=np.float64, ensure_non_negative=True)
    if class_weight is not None:
        classes, places = np.unique(labels[weights > 0], return_inverse=True)
        strangers = (
            [label for label in class_weight if label not in classes] if isinstance(class_weight, Mapping) else []
        )
        if strangers:
            raise InputError(f"class_weight names the class {strangers[0]!r}, which no example has.")
        each = compute_class_weight(class_weight, classes=classes, y=labels[weights > 0])
        if not (np.isfinite(each).all() and (each >= 0).all()):
            raise InputError(f"Weights of classes are numbers from 0, not {each.tolist()}.")
        weights = weights.copy()
        weights[weights > 0] *= each[places]
    return None if (weights == weights[0]).all() and weights[0] > 0 else weights


def names_of(classes: Labels) -> tuple[str, ...]:
    """Labels as text, for people and for the command line."""
    return tuple(label.decode(errors="replace") if isinstance(label, bytes) else str(label) for label in classes)


def classes_to_dict(classes: Labels) -> dict[str, Any]:
    """Labels as JSON; :func:`classes_from_dict` gives equal ones of the same type.

    Raises:
        InputError: For types that JSON cannot keep.
    """
    kind = classes.dtype.kind
    if kind in "Mm":
        values: list[Any] = classes.astype(np.int64).tolist()
    elif kind == "S":
        values = [label.decode("latin-1") for label in classes.tolist()]
    else:
        values = classes.tolist()
    if kind == "f":
        values = [float(value) for value in values]
    if not all(isinstance(value, PLAIN) for value in values):
        raise InputError(
            f"Labels of type {type(values[0]).__name__} cannot be written to a file; give text or numbers."
        )
    found = {"dtype": "T" if kind == "T" else classes.dtype.str, "values": values}
    if not np.array_equal(classes_from_dict(found), classes):
        raise InputError(f"Labels of type {classes.dtype} cannot be written to a file; give text or numbers.")
    return found


def classes_from_dict(row: Mapping[str, Any]) -> Labels:
    """Reads what :func:`classes_to_dict` gave.

    Raises:
        InputError: If it is something else.
    """
    try:
        dtype = np.dtypes.StringDType() if row["dtype"] == "T" else np.dtype(row["dtype"])
        values: Sequence[Any] = row["values"]
        if not all(isinstance(value, PLAIN) for value in values):
            raise TypeError("labels of no plain type")
        if dtype.kind in "Mm":
            return np.array(values, np.int64).astype(dtype)
        if dtype.kind == "S":
            return np.array([value.encode("latin-1") for value in values], dtype)
        return np.array(values, dtype)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"The labels of the file are not described as googlenet does it ({error!r}).") from error
