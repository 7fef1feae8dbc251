"""The network as an estimator of scikit-learn's, for arrays and lists of signals or pictures."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _num_samples, check_is_fitted, column_or_1d

from .data.kinds import example_set
from .data.protocol import Dataset, ExampleSet, Preprocessing
from .errors import InputError
from .inference.engines.torch import TorchBackend
from .inference.evaluate import probabilities_of
from .inference.load import load_pipeline
from .inference.pipeline import Pipeline
from .inference.predictor import Predictor
from .nn.device import best_device
from .nn.googlenet import GoogLeNet
from .training.distributed import World
from .training.loop import epochs, finished, fresh_state, pretrained_state
from .training.progress import EpochDone, Event, printed
from .training.recipe import SIGNALS, Recipe, find_recipe
from .training.task import Task, task_for
from .training.transfer import fitted_to, task_and_start
from .weights.checkpoint import read_header
from .weights.create import read_source, save_weights

EstimatorInput = npt.ArrayLike | Sequence[Any]


class GoogLeNetClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of signals, pictures or volumes.

    Signals are ``(N, L)``, ``(N, C, L)``, a data frame, or a list of arrays ``(L,)`` or ``(C, L)`` of any lengths;
    NaN is a missing value. Pictures are ``(N, H, W)`` of uint8, ``(N, C, H, W)`` or ``(N, H, W, C)`` of uint8 or
    in [0, 1], or a list of such arrays, of paths or of pictures of Pillow's; ``(N, H, W)`` of floats would be signals.
    Volumes are ``(N, C, D, H, W)``, of unsigned integers or floats. Tensors are arrays.

    Args:
        recipe: A :class:`~googlenet.training.recipe.Recipe`, the name of one, or ``None`` for the one that fits
            the data. Its seed is not used.
        weights: What to begin with: a run, a weights file or a name of ``googlenet weights list``, ``ucr`` for signals;
            ``None`` for a fresh network. They decide architecture and members.
        n_members: Networks that train side by side, their probabilities averaged; ``None`` for the recipe's.
        max_seconds: Time that ``fit`` may take; the schedule ends with it. ``None`` for no limit.
        random_state: For fits that are bitwise the same on one machine (without ``max_seconds``).
        verbose: 1 for a line that says what ``X`` was taken for, and a line an epoch.
        callback: Called with :class:`~googlenet.training.progress.StepDone` now and then, and with
            :class:`~googlenet.training.progress.EpochDone` after each epoch.

    Attributes:
        classes_: Labels, sorted, in the order of the probabilities.
        n_features_in_: Samples of a signal, where ``X`` is two-dimensional.
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
        recipe: Recipe | str | None = None,
        weights: str | Path | None = None,
        n_members: int | None = None,
        max_seconds: float | None = None,
        random_state: Any = None,
        verbose: int = 0,
        callback: Callable[[Event], None] | None = None,
    ) -> None:
        self.recipe = recipe
        self.weights = weights
        self.n_members = n_members
        self.max_seconds = max_seconds
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    def fit(self, X: EstimatorInput, y: npt.ArrayLike) -> Self:
        """Learns from examples and their labels ``(N,)``.

        Raises:
            ValueError: For examples or labels that cannot be learned from; :class:`InputError` is one.
        """
        with self._all_or_nothing():
            data = self._data(X, y, None)
            recipe = self._recipe(data)
            if self.weights is not None:
                recipe = replace(fitted_to(recipe, read_source(self.weights)), weights=str(self.weights))
            if recipe.freeze == "features":
                raise InputError("freeze=features is for googlenet train; here take scikit-learn's LogisticRegression.")
            self._train(*task_and_start(data, recipe))
        return self

    def fine_tune(self, X: EstimatorInput, y: npt.ArrayLike) -> Self:
        """Goes on from the fitted network, on other examples, which may have other labels.

        What the network sees is prepared as it was when it was fitted; the peak learning rate is a fifth of the
        recipe's.
        """
        check_is_fitted(self)
        with self._all_or_nothing():
            model, known = copy.deepcopy(self._model), self.classes_
            data = self._data(X, y, self._preprocessing)
            recipe = self._recipe(data)
            if not np.array_equal(known, self.classes_):
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(recipe.seed)
                    model.reset_classifier(len(data.classes))
            recipe = replace(recipe, learning_rate=recipe.learning_rate / 5, members=model.arch.members)
            self._train(task_for(data, recipe, self._preprocessing), model)
        return self

    def predict_proba(self, X: EstimatorInput) -> npt.NDArray[np.float64]:
        """Probabilities ``(N, classes)``."""
        check_is_fitted(self)
        part = example_set(X, torch.zeros(_num_samples(X), dtype=torch.long), self._preprocessing, self)
        engine = TorchBackend().engine_of(Pipeline([self._model], self._preprocessing))
        predictor = Predictor(engine, tuple(map(str, self.classes_)), self._preprocessing)
        probabilities = probabilities_of(predictor, part)
        normalised: npt.NDArray[np.float64] = probabilities / probabilities.sum(1, keepdims=True)
        return normalised

    def predict(self, X: EstimatorInput) -> npt.NDArray[Any]:
        """The most probable labels ``(N,)``."""
        best = self.predict_proba(X).argmax(1)
        labels: npt.NDArray[Any] = self.classes_[best]
        return labels

    def save(self, path: str | Path) -> None:
        """Writes the fitted network as safetensors, atomically; ``googlenet predict`` reads it too."""
        check_is_fitted(self)
        save_weights(
            self._model,
            path,
            classes=tuple(map(str, self.classes_.tolist())),
            preprocessing=self._preprocessing.to_dict(),
            labels=self.classes_.tolist(),
            recipe=self.recipe_.to_dict(),
        )

    @classmethod
    def load(cls, path: str | Path) -> GoogLeNetClassifier:
        """The fitted classifier that :meth:`save` wrote, or one from a run of the command line."""
        pipeline, classes = load_pipeline(path)
        extra: Mapping[str, Any] = read_header(path).extra if Path(path).is_file() else {}
        loaded = cls(recipe=Recipe(**extra["recipe"]) if "recipe" in extra else None)
        loaded._model, loaded._preprocessing = pipeline.networks[0], pipeline.preprocessing
        loaded.classes_ = np.array(extra.get("labels", classes))
        loaded.history_ = []
        loaded.recipe_ = loaded._recipe_or(SIGNALS)
        return loaded

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        return tags

    def _recipe_or(self, default: Recipe) -> Recipe:
        if isinstance(self.recipe, Recipe):
            return self.recipe
        return default if self.recipe is None else find_recipe(self.recipe)

    def _recipe(self, data: Dataset) -> Recipe:
        """The recipe of a fit, fitted to the number of examples, with this estimator's settings."""
        assert data.train is not None
        recipe = self._recipe_or(find_recipe(data.train.recipe)).fitted(len(data.train), len(data.classes))
        changes: dict[str, Any] = {"seed": int(check_random_state(self.random_state).randint(2**31 - 1))}
        if self.n_members is not None:
            changes["members"] = self.n_members
        if self.max_seconds is not None:
            changes["max_seconds"] = self.max_seconds
        return replace(recipe, **changes)

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """What was fitted before stays as it was where a training is refused or interrupted."""
        before = dict(self.__dict__)
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _data(self, X: EstimatorInput, y: npt.ArrayLike, like: Preprocessing | None) -> Dataset:
        """The training part, and ``classes_``."""
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None: labels are needed to learn from.")
        given: npt.NDArray[Any] = check_array(column_or_1d(y, warn=True), ensure_2d=False, dtype=None, input_name="y")
        check_classification_targets(given)
        if _num_samples(X) != len(given):
            raise ValueError(
                f"There are {_num_samples(X)} examples and {len(given)} labels: inconsistent numbers of samples."
            )
        classes, labels = np.unique(given, return_inverse=True)
        part: ExampleSet = example_set(X, torch.from_numpy(labels).long(), like, self)
        if len(classes) < 2:
            raise InputError(f"There is one class, {classes.tolist()[0]!r}; a classifier needs two classes or more.")
        self.classes_ = classes
        return Dataset("the data", tuple(map(str, classes.tolist())), part)

    def _train(self, task: Task, start: GoogLeNet | None) -> None:
        world = World(0, 1, best_device())
        self.recipe_ = task.recipe
        if self.verbose:
            print(f"{task.preprocessing.kind}s: {task.preprocessing.described()}", flush=True)
        with torch.random.fork_rng(devices=[]):
            state = fresh_state(task, world) if start is None else pretrained_state(start, task, world)
            self.history_ = []
            for row in epochs(task, state, world, self._report):
                self.history_.append(row)
                self._report(EpochDone(row, task.recipe.epochs))
            self._model, self._preprocessing = finished(task, state, world), task.preprocessing

    def _report(self, event: Event) -> None:
        if self.verbose:
            printed(event)
        if self.callback is not None:
            self.callback(event)
