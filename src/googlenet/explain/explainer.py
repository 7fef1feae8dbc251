"""From what a user has, a run and examples, to explanations of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..data.protocol import Array, Example, Floats
from ..errors import InputError, unknown
from ..inference.engines.backend import BACKENDS, exported_for
from ..inference.load import load_pipeline
from ..inference.pipeline import Pipeline
from ..inference.predictor import Predictor, read_example
from .branches.contributions import branch_contributions
from .explanation import BranchExplanation, Explanation, Explanations
from .maps.attribution import attributions, find_method
from .places import last_place


@dataclass(frozen=True, eq=False)
class Prepared:
    """An example that can be explained.

    Attributes:
        name: Its path, row or number.
        inputs: As the network reads it, ``(1, *input_shape)``.
        probabilities: ``(classes,)``.
    """

    name: str
    inputs: Array
    probabilities: Floats


class Explainer:
    """Explains what a run says of examples; computes with PyTorch.

    Args:
        *runs: Run folders, weight files or names of the catalogue, whose probabilities are averaged.

    Raises:
        InputError: For exported models, whose insides are gone, and as of :func:`googlenet.load`.

    Example:
        >>> Explainer("fashion_mnist").classes[:2]
        ('T-shirt/top', 'Trouser')
    """

    def __init__(self, *runs: str | Path) -> None:
        for run in runs:
            if exported_for(run) is not None:
                raise InputError(f"{run} is an exported model, and its insides are gone; name the run it is of.")
        self._take(*load_pipeline(*runs))

    @classmethod
    def of(cls, pipeline: Pipeline, classes: Sequence[str]) -> Explainer:
        """One of networks in memory.

        Args:
            pipeline: The networks.
            classes: Their names, in the order of the probabilities.
        """
        explainer = cls.__new__(cls)
        explainer._take(pipeline, classes)
        return explainer

    def _take(self, pipeline: Pipeline, classes: Sequence[str]) -> None:
        self.pipeline, self.classes = pipeline, tuple(classes)
        engine, preprocessing = BACKENDS["torch"].load().engine_of(pipeline), pipeline.preprocessing
        self.predictor = Predictor(engine, classes, preprocessing, pipeline.calibration, pipeline.learned)

    def prepare(self, sources: Any) -> Iterator[Prepared | Example]:
        """Examples that can be explained, in order; what cannot be read is an example with the error.

        Args:
            sources: As of :meth:`googlenet.inference.predictor.Predictor.predict`.
        """
        for example in self.predictor.examples(sources):
            try:
                yield self.prepared(example)
            except InputError as error:
                yield example._replace(content=None, inputs=None, error=str(error))

    @torch.inference_mode()
    def prepared(self, example: Example) -> Prepared:
        """An example, read and answered. Raises InputError if it cannot be read."""
        inputs = read_example(example, self.pipeline.preprocessing)
        device = next(self.pipeline.parameters()).device
        found = self.pipeline(torch.from_numpy(inputs).to(device))[0].float().cpu().numpy()
        return Prepared(example.name, inputs, found)

    def explain(
        self,
        sources: Any,
        method: str = "cam",
        *,
        label: str | None = None,
        against: str | None = None,
        at: str | None = None,
        seed: int = 0,
    ) -> Explanations:
        """Maps of what decided.

        Args:
            sources: As of :meth:`googlenet.inference.predictor.Predictor.predict`.
            method: See :func:`~googlenet.explain.maps.attribution.attributions`.
            label: The class to explain; the most probable one of each by default.
            against: A class to hold it against.
            at: A place, of methods that look inside.
            seed: Of chance.

        Raises:
            InputError: At the first that cannot be read, and as of
                :func:`~googlenet.explain.maps.attribution.attributions`.
        """
        return Explanations(
            tuple(self.explained(each, method, label, against, at, seed) for each in self._all(sources))
        )

    def branches(
        self, sources: Any, *, label: str | None = None, against: str | None = None
    ) -> list[BranchExplanation]:
        """What passes through each branch, see :mod:`googlenet.explain.branches.contributions`.

        Args:
            sources: As of :meth:`explain`.
            label: The class to explain; the most probable one of each by default.
            against: The class that it is held against; the most probable other one by default.

        Raises:
            InputError: At the first that cannot be read; if several runs are averaged.
        """
        return [self.explained_by_branch(each, label, against) for each in self._all(sources)]

    def explained(
        self,
        example: Prepared,
        method: str = "cam",
        label: str | None = None,
        against: str | None = None,
        at: str | None = None,
        seed: int = 0,
    ) -> Explanation:
        """:meth:`explain` of one example.

        Args:
            example: Prepared.
            method: A key of :data:`~googlenet.explain.maps.attribution.METHODS`.
            label: The class to explain; the most probable one by default.
            against: A class to hold it against.
            at: A place, of methods that look inside.
            seed: Of chance.
        """
        found = find_method(method)
        row, other = self._classes(example, label, against)
        held = None if other is None else [other]
        values = attributions(self.pipeline, example.inputs, [row], method, against=held, at=at, seed=seed)[0]
        place = (at or last_place(self.pipeline.networks[0].arch)) if found.inside else None
        named = None if other is None else self.classes[other]
        drawing = self.pipeline.preprocessing.draw(example.inputs[0], values)
        sure = float(example.probabilities[row])
        return Explanation(example.name, self.classes[row], sure, named, method, place, values, drawing)

    def explained_by_branch(
        self, example: Prepared, label: str | None = None, against: str | None = None
    ) -> BranchExplanation:
        """:meth:`branches` of one example.

        Args:
            example: Prepared.
            label: The class to explain; the most probable one by default.
            against: The class that it is held against; the most probable other one by default.
        """
        if len(self.classes) < 2:
            raise InputError("The network knows one class, and there is none to hold it against.")
        row, other = self._classes(example, label, against)
        if other is None:
            order = np.argsort(-example.probabilities, kind="stable").tolist()
            other = next(each for each in order if each != row)
        found = branch_contributions(self.pipeline, example.inputs, [row], [other])[0]
        sure = float(example.probabilities[row])
        return BranchExplanation(example.name, self.classes[row], sure, self.classes[other], found)

    def _classes(self, example: Prepared, label: str | None, against: str | None) -> tuple[int, int | None]:
        """The class to explain, and the one that it is held against, by number."""
        row = int(example.probabilities.argmax()) if label is None else self.class_of(label)
        other = None if against is None else self.class_of(against)
        if other == row:
            raise InputError(f"{self.classes[row]!r} cannot be held against itself; name another class (--against).")
        return row, other

    def class_of(self, name: str) -> int:
        """The number of a class. Raises InputError for a name that the network does not know."""
        if name not in self.classes:
            raise unknown("class", name, self.classes)
        return self.classes.index(name)

    def _all(self, sources: Any) -> Iterator[Prepared]:
        for each in self.prepare(sources):
            if isinstance(each, Example):
                raise InputError(f"{each.name} cannot be read: {str(each.error).rstrip('.')}.")
            yield each
