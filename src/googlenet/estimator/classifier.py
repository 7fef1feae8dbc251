"""The network as an estimator of scikit-learn's, for arrays, lists and frames of signals, pictures or volumes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..data.kinds import example_set, number_of
from ..data.protocol import Dataset, ExampleSet
from ..errors import InputError
from ..explain.explanation import Explanations
from ..inference.calibration.found import by_training_part
from ..inference.engines.torch import TorchBackend
from ..inference.evaluate import probabilities_of
from ..inference.predictor import Predictor
from ..nn.device import best_device
from ..nn.googlenet import GoogLeNet
from ..training.distributed import World
from ..training.learner import finished
from ..training.loop import epochs
from ..training.progress import EpochDone, Event, printed
from ..training.recipe import Recipe
from ..training.start.fresh import fresh_state, pretrained_state
from ..training.start.given import fitted_to, task_and_start
from ..training.task import Task, task_for
from ..weights.create import read_source
from .examples import explanations, learning_data, places_of
from .files import LEARNED, load_fitted, save_fitted
from .labels import names_of, read_labels
from .recipes import PREFIX, fields_of, recipe_for, recipe_with

EstimatorInput = npt.ArrayLike | Sequence[Any]
ALONE = RLock()  # PyTorch draws from one stream of random numbers for all threads: one fit at a time has it


class GoogLeNetClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of signals, pictures or volumes.

    Signals are ``(N, L)``, ``(N, C, L)`` or ``(N, L, C)``, or a list of arrays ``(L,)``, ``(C, L)`` or ``(L, C)`` of
    any lengths; NaN is a missing value. Frames have a signal a row, series in their cells, or an index of two levels,
    signal and time; a list of frames has one of time × variables for each signal. Pictures are ``(N, H, W)`` of
    uint8, ``(N, C, H, W)`` or ``(N, H, W, C)`` of uint8 or in [0, 1], or a list of such arrays, of paths or of pictures
    of Pillow's; ``(N, H, W)`` of floats would be signals. Volumes are ``(N, C, D, H, W)``, of unsigned integers or
    floats. Tensors and masked arrays are arrays.

    There is no ``set_output``, which is for transformers.

    Args:
        recipe: A :class:`~googlenet.training.recipe.Recipe`, the name of one, changes by field to the one that fits the
            data, such as ``{"epochs": 10}``, or ``None`` for that one. ``recipe__epochs`` and its like can be set and
            searched; epochs that are asked for are all there are. Its seed is not used.
        weights: What to begin with: a run, a weights file or a name of ``googlenet weights list``, ``ucr`` for signals;
            ``None`` for a fresh network. They decide architecture and members.
        n_members: Networks that train side by side, their probabilities averaged; ``None`` for the recipe's.
        max_seconds: Time that ``fit`` may take; the schedule ends with it. ``None`` for no limit.
        random_state: For fits that are bitwise the same on one machine (without ``max_seconds``), also with other fits
            in threads beside it, which wait for each other.
        verbose: 1 for a line that says what ``X`` was taken for, and a line an epoch.
        callback: Called with :class:`~googlenet.training.progress.StepDone` now and then, and with
            :class:`~googlenet.training.progress.EpochDone` after each epoch.
        axis: Of signals with two axes: ``"channels_first"``, ``"channels_last"``, or ``"auto"`` for this rule. An axis
            of 1 counts one channel; in a list of signals that differ in length the other axis counts channels; an
            axis at least four times as long as the other is time. Where it takes channels to be last it warns, and
            where the rule does not decide ``fit`` raises. What ``fit`` found holds for ``predict``.
        class_weight: What the examples of a class count in the loss: weights by label, or ``"balanced"`` for inverse
            frequencies; ``None`` for 1 each.

    Attributes:
        classes_: Labels, sorted, in the order of the probabilities.
        n_features_in_: Samples of a signal, where ``X`` is an array or a frame of one channel.
        feature_names_in_: Columns of a frame with a signal a row.
        channel_names_: Columns of frames of time × variables, or of those whose cells are series.
        axis_: Where the channels of signals with two axes were.
        history_: A :class:`~googlenet.training.runs.records.EpochRow` an epoch.
        recipe_: The recipe of the fit.

    Example:
        >>> from googlenet.data.builtin import gunpoint
        >>> signals, labels = gunpoint().train.signals, gunpoint().train.labels
        >>> GoogLeNetClassifier(random_state=0).fit(signals, labels).predict_proba(signals).shape
        (50, 2)
    """

    def __init__(
        self,
        recipe: Recipe | str | Mapping[str, Any] | None = None,
        weights: str | Path | None = None,
        n_members: int | None = None,
        max_seconds: float | None = None,
        random_state: Any = None,
        verbose: int = 0,
        callback: Callable[[Event], None] | None = None,
        axis: str = "auto",
        class_weight: Mapping[Any, float] | str | None = None,
    ) -> None:
        self.recipe = recipe
        self.weights = weights
        self.n_members = n_members
        self.max_seconds = max_seconds
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback
        self.axis = axis
        self.class_weight = class_weight

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """What the constructor was given; ``deep`` with the recipe's fields, as far as they are known without data."""
        found: dict[str, Any] = super().get_params(deep=False)
        if deep:
            found |= {PREFIX + name: value for name, value in fields_of(self.recipe).items()}
        return found

    def set_params(self, **params: Any) -> Self:
        """Sets what the constructor takes, and ``recipe__FIELD``, a field of the recipe."""
        fields = {name.removeprefix(PREFIX): value for name, value in params.items() if name.startswith(PREFIX)}
        super().set_params(**{name: value for name, value in params.items() if not name.startswith(PREFIX)})
        if fields:
            self.recipe = recipe_with(self.recipe, fields)
        return self

    def fit(self, X: EstimatorInput, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Learns from examples and their labels.

        Args:
            X: The examples; see the class.
            y: ``(N,)``, of any type that has an order.
            sample_weight: ``(N,)``: what each counts in the loss, where their mean is taken as 1. One of 0 is as if
                it were not there.

        Raises:
            ValueError: For examples or labels that cannot be learned from; :class:`InputError` is one.
        """
        with self._training():
            for name in LEARNED:  # what was learned before is forgotten
                self.__dict__.pop(name, None)
            data, weights, self.classes_ = learning_data(self, X, y, sample_weight, None)
            recipe = self._recipe(data)
            if self.weights is not None:
                recipe = replace(fitted_to(recipe, read_source(self.weights)), weights=str(self.weights))
            if recipe.freeze == "features":
                raise InputError("freeze=features is for googlenet train; here take scikit-learn's LogisticRegression.")
            task, start = task_and_start(data, recipe)
            self._train(replace(task, weights=weights), start)
        return self

    def fine_tune(self, X: EstimatorInput, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Goes on from the fitted network, on other examples, which may have other labels.

        What the network sees is prepared as it was when it was fitted; the peak learning rate is a fifth of the
        recipe's.

        Args:
            X: Examples of the same channels.
            y: ``(N,)``.
            sample_weight: As of :meth:`fit`.
        """
        check_is_fitted(self)
        with self._training():
            model, known = copy.deepcopy(self._pipeline.networks[0]), self.classes_
            data, weights, self.classes_ = learning_data(self, X, y, sample_weight, self._pipeline.preprocessing)
            recipe = self._recipe(data)
            if not np.array_equal(known, self.classes_):
                torch.manual_seed(recipe.seed)
                model.reset_classifier(len(data.classes))
            recipe = replace(recipe, learning_rate=recipe.learning_rate / 5, members=model.arch.members)
            self._train(replace(task_for(data, recipe, self._pipeline.preprocessing), weights=weights), model)
        return self

    def predict_proba(self, X: EstimatorInput) -> npt.NDArray[np.float64]:
        """Probabilities ``(N, classes)``."""
        check_is_fitted(self)
        engine = TorchBackend().engine_of(self._pipeline)
        predictor = Predictor(engine, names_of(self.classes_), self._pipeline.preprocessing)
        probabilities = probabilities_of(predictor, self._unlabelled(X))
        normalised: npt.NDArray[np.float64] = probabilities / probabilities.sum(1, keepdims=True)
        return normalised

    def predict_log_proba(self, X: EstimatorInput) -> npt.NDArray[np.float64]:
        """Logarithms of the probabilities, ``(N, classes)``."""
        with np.errstate(divide="ignore"):
            found: npt.NDArray[np.float64] = np.log(self.predict_proba(X))
        return found

    def predict(self, X: EstimatorInput) -> npt.NDArray[Any]:
        """The most probable labels ``(N,)``."""
        best = self.predict_proba(X).argmax(1)
        labels: npt.NDArray[Any] = self.classes_[best]
        return labels

    def explain(
        self, X: EstimatorInput, y: npt.ArrayLike | None = None, *, method: str = "cam", at: str | None = None
    ) -> Explanations:
        """What in each example speaks for a class, on a map.

        Args:
            X: The examples.
            y: ``(N,)``, the label to explain in each; ``None`` for the predicted ones.
            method: See :func:`~googlenet.explain.maps.attribution.attributions`.
            at: A place inside the network, of methods that look there.

        Returns:
            Explanations, with a ``.figure()``, that are an array too: ``(N, places)`` for signals, ``(N, rows,
            columns)`` for pictures, of ``"cam"`` as fine as the network's last layer. Places are equal shares, from
            the start, of the example as the network reads it: a signal of its length, which a shorter one fills with
            zeros at the end and a longer one is squeezed to.

        Raises:
            ValueError: For examples of another kind, labels that the network does not know, another method.
        """
        check_is_fitted(self)
        labels = places_of(self.predict(X) if y is None else read_labels(y), self.classes_)
        return explanations(self._pipeline, self._unlabelled(X), labels, names_of(self.classes_), method, at)

    def save(self, path: str | Path) -> None:
        """Writes the fitted network and all that the estimator is, but for its callback and a generator of random
        numbers, as safetensors, atomically; ``googlenet predict`` reads it too.

        Raises:
            InputError: For a name that does not end in ``.safetensors``, and labels that cannot be written.
        """
        check_is_fitted(self)
        save_fitted(self, path, self._pipeline)

    @classmethod
    def load(cls, path: str | Path) -> GoogLeNetClassifier:
        """The fitted classifier that :meth:`save` wrote, or one from a run of the command line."""
        parameters, state = load_fitted(path)
        try:
            loaded = cls(**parameters)
        except TypeError as error:
            raise InputError(f"{path} was written by a newer googlenet ({error}).") from error
        loaded.__dict__ |= state
        return loaded

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        return tags

    def _recipe(self, data: Dataset) -> Recipe:
        """The recipe of a fit, fitted to the number of examples, with this estimator's settings."""
        assert data.train is not None
        recipe = recipe_for(self.recipe, data.train.recipe).fitted(len(data.train), len(data.classes))
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        wanted = {"seed": seed, "members": self.n_members, "max_seconds": self.max_seconds}
        return recipe.with_changes({name: str(value) for name, value in wanted.items() if value is not None})

    def _unlabelled(self, X: EstimatorInput) -> ExampleSet:
        """Examples, as the fit read them, with labels that mean nothing."""
        return example_set(X, torch.zeros(number_of(X), dtype=torch.long), self._pipeline.preprocessing, self)

    @contextmanager
    def _training(self) -> Iterator[None]:
        """One training at a time, which leaves the caller's random numbers alone; where it is refused or interrupted,
        what was fitted before stays as it was."""
        before = dict(self.__dict__)
        try:
            with ALONE, torch.random.fork_rng(range(torch.cuda.device_count())):
                yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _train(self, task: Task, start: GoogLeNet | None) -> None:
        world = World(0, 1, best_device())
        self.recipe_ = task.recipe
        if self.verbose:
            print(f"{task.preprocessing.kind}s: {task.preprocessing.described()}", flush=True)
        state = fresh_state(task, world) if start is None else pretrained_state(start, task, world)
        self.history_ = []
        for row in epochs(task, state, world, self._report):
            self.history_.append(row)
            self._report(EpochDone(row, task.recipe.epochs))
        self._pipeline = by_training_part(task, finished(task, state), fresh=start is None)

    def _report(self, event: Event) -> None:
        if self.verbose:
            printed(event)
        if self.callback is not None:
            self.callback(event)
