"""The network as an estimator of scikit-learn's, for arrays, lists and frames of signals, pictures or volumes."""

from .classifier import GoogLeNetClassifier

__all__ = ["GoogLeNetClassifier"]
