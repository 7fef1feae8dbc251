"""Maps of what in an input decided, by method: a table of functions from a network, inputs and classes to maps.

Class activation maps are ours and exact; the others are captum's (extra ``explain``), on the network with every part
called as a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn

from ...data.protocol import Array, Floats
from ...errors import InputError, unknown
from ...inference.pipeline import Pipeline
from ...nn.googlenet import GoogLeNet
from ..logits import Logits, plain, view_of
from ..places import Place, find_place, last_place, module_at
from .activation import check_sizes, class_activation

STEPS = 64  # of a path of inputs, on which gradients are summed
SAMPLES, NOISE = 32, 0.15  # noisy copies of an input, and the deviation of their noise, of the range of its values
WINDOW = 6  # shares of an axis: a window that is hidden is as long as one of them, and moves on by half of it
BATCH = 32  # inputs that are computed at once


@dataclass(frozen=True)
class Question:
    """What is to be explained.

    Attributes:
        network: From what it sees to logits ``(N, classes)``.
        view: What it sees ``(N, members * channels, *spatial)``; 0 is the mean of the training part.
        labels: ``(N,)``, the classes that are explained.
        against: ``(N,)``, the classes that they are held against; ``None`` for the logits alone.
        place: Of methods that look inside.
        seed: Of chance.
    """

    network: Logits
    view: Tensor
    labels: Tensor
    against: Tensor | None
    place: Place | None
    seed: int = 0

    @property
    def layer(self) -> nn.Module:
        """What is called at the place."""
        assert self.place is not None
        return module_at(self.network.model, self.place)

    def value(self, view: Tensor, labels: Tensor, against: Tensor | None = None) -> Tensor:
        """The logit ``(N,)`` of each label, less that of the class that it is held against.

        Args:
            view: What the network sees ``(N, …)``.
            labels: ``(N,)``.
            against: ``(N,)``, or ``None`` for the logit alone.
        """
        logits = self.network(view)
        found: Tensor = logits.gather(1, labels[:, None])[:, 0]
        return found if against is None else found - logits.gather(1, against[:, None])[:, 0]

    @property
    def more(self) -> tuple[Tensor, ...]:
        """What :meth:`value` takes beside the view, as captum wants it."""
        return (self.labels,) if self.against is None else (self.labels, self.against)


@dataclass(frozen=True)
class Method:
    """A way to explain.

    Attributes:
        compute: From a question to a map ``(N, *spatial')``.
        what: What its values are, for people.
        inside: Whether it looks at a place inside of the network.
        source: Where it was published.
    """

    compute: Callable[[Question], Tensor]
    what: str
    source: str
    inside: bool = False


def attributions(
    pipeline: Pipeline,
    inputs: Array,
    labels: Sequence[int],
    method: str = "cam",
    *,
    against: Sequence[int] | None = None,
    at: str | None = None,
    seed: int = 0,
) -> Floats:
    """Maps of what decided; of several networks the mean.

    Args:
        pipeline: The networks.
        inputs: Prepared examples ``(N, *input_shape)``.
        labels: ``N`` classes by number: what is explained.
        method: A key of :data:`METHODS`.
        against: ``N`` classes that they are held against: then the difference of both logits is explained.
        at: A place, see :func:`~googlenet.explain.places.find_place`; the last module by default. For methods that
            look inside.
        seed: Of the noise of ``smoothgrad``.

    Returns:
        ``(N, *spatial')``, float32: of the input's size, or of that of the map at the place. More than 0 speaks for
        the label.

    Raises:
        InputError: For an unknown method, one that is wrong on these networks (with the reason), one that needs captum
            where it is not installed, a place that there is not, or one for a method that looks at none.
    """
    found = find_method(method)
    if at is not None and not found.inside:
        inside = ", ".join(name for name, each in METHODS.items() if each.inside)
        raise InputError(f"{method} has its own place; --at is for {inside}.")
    each = [_of_network(pipeline, model, inputs, found, labels, against, at, seed) for model in pipeline.networks]
    check_sizes(each)
    mean: Floats = np.mean(each, axis=0, dtype=np.float32)
    return mean


def find_method(name: str) -> Method:
    """The method of that name.

    Raises:
        InputError: If there is none, or it is wrong on these networks.
    """
    if name in REFUSED:
        raise InputError(f"{name} is not offered: {REFUSED[name]} Ask for one of {', '.join(METHODS)}.")
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    return METHODS[name]


def _of_network(
    pipeline: Pipeline,
    model: GoogLeNet,
    inputs: Array,
    method: Method,
    labels: Sequence[int],
    against: Sequence[int] | None,
    at: str | None,
    seed: int,
) -> Floats:
    place = None
    if method.inside:
        place = find_place(model.arch, at or last_place(model.arch))
    with plain(pipeline):
        view = view_of(pipeline.reading_of(model), inputs, model)

        def numbers(classes: Sequence[int]) -> Tensor:
            return torch.as_tensor(np.asarray(classes, np.int64), device=view.device)

        held = None if against is None else numbers(against)
        maps = method.compute(Question(Logits(model), view, numbers(labels), held, place, seed))
    found: Floats = maps.detach().float().cpu().numpy()
    return found


def captum() -> ModuleType:
    """captum's ``attr``.

    Raises:
        InputError: If it is not installed.
    """
    try:
        from captum import attr
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed: pip install 'googlenet[explain]'.") from None
    found: ModuleType = attr
    return found


# ----------------------------------------------------------------- the methods
def _class_activation(question: Question) -> Tensor:
    with torch.no_grad():
        model = question.network.model
        found = class_activation(model, question.view, question.labels)
        return found if question.against is None else found - class_activation(model, question.view, question.against)


def _grad_cam(question: Question) -> Tensor:
    method = captum().LayerGradCam(question.value, question.layer)
    found: Tensor = method.attribute(question.view, additional_forward_args=question.more)
    return found.sum(1)


def _integrated_gradients(question: Question) -> Tensor:
    method = captum().IntegratedGradients(question.value)
    found: Tensor = method.attribute(
        question.view, n_steps=STEPS, internal_batch_size=BATCH, additional_forward_args=question.more
    )
    return found.sum(1)


def _smooth_grad(question: Question) -> Tensor:
    attr = captum()
    method = attr.NoiseTunnel(attr.Saliency(question.value))
    span = float((question.view.amax() - question.view.amin()).clamp(min=1e-6))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(question.seed)
        found: Tensor = method.attribute(
            question.view,
            nt_type="smoothgrad",
            nt_samples=SAMPLES,
            nt_samples_batch_size=max(1, BATCH // len(question.view)),
            stdevs=NOISE * span,
            abs=False,
            additional_forward_args=question.more,
        )
    return found.sum(1)


def _occlusion(question: Question) -> Tensor:
    channels, *sizes = question.view.shape[1:]
    window = tuple(max(1, size // WINDOW) for size in sizes)
    steps = tuple(max(1, length // 2) for length in window)
    method = captum().Occlusion(question.value)
    with torch.no_grad():
        found: Tensor = method.attribute(
            question.view,
            sliding_window_shapes=(channels, *window),
            strides=(channels, *steps),
            perturbations_per_eval=max(1, BATCH // len(question.view)),
            additional_forward_args=question.more,
        )
    return found[:, 0]  # the same for every channel, which are hidden together


def _conductance(question: Question) -> Tensor:
    method = captum().LayerConductance(question.value, question.layer)
    found: Tensor = method.attribute(
        question.view, n_steps=STEPS, internal_batch_size=BATCH, additional_forward_args=question.more
    )
    return found.sum(1)


METHODS: Mapping[str, Method] = {
    "cam": Method(
        _class_activation,
        "what each place adds to the logit, against the mean logit of all classes; the mean over places is their sum",
        "Zhou et al. 2016, section 2",
    ),
    "grad-cam": Method(
        _grad_cam,
        "channels at a place, weighed by their mean gradient",
        "Selvaraju et al. 2017, equations 1 and 2",
        True,
    ),
    "integrated-gradients": Method(
        _integrated_gradients,
        "gradient times change on the way from the mean input; all places sum to the change of the logit",
        "Sundararajan et al. 2017, section 3",
    ),
    "smoothgrad": Method(_smooth_grad, "mean gradient of noisy copies", "Smilkov et al. 2017, section 3"),
    "occlusion": Method(
        _occlusion, "what the logit loses when a window is hidden by the mean", "Zeiler and Fergus 2014, section 4.2"
    ),
    "conductance": Method(
        _conductance, "integrated gradients that pass a place", "Dhamdhere et al. 2019, section 2", True
    ),
}
_DEEPLIFT = (
    "its rules do not hold for overlapping max-pools and response norms, so that what it gives need not sum to the "
    "change of the logit (benchmarks/explain.json: off by up to 15 %)."
)
_GUIDED = (
    "what it shows hardly depends on the weights above the first layers, nor on the class asked for (Adebayo et "
    "al. 2018)."
)
REFUSED: Mapping[str, str] = {
    "deeplift": _DEEPLIFT,
    "deeplift-shap": _DEEPLIFT,
    "lrp": "there is no agreed rule for batch norms, overlapping max-pools and concatenations, which they are made of.",
    "guided-backprop": _GUIDED,
    "guided-grad-cam": _GUIDED,
    "deconvolution": _GUIDED,
}
