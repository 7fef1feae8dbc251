"""What a recipe says: every hyper-parameter of a training."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args, get_type_hints

from ... import limits
from ...data.parallel import steps_of
from ...errors import InputError, short, unknown


@dataclass(frozen=True)
class Recipe:
    """How to train. Every field can be overridden from the command line.

    Attributes:
        name: Row in :data:`~googlenet.training.recipe.rows.RECIPES`.
        arch: Architecture, see ``googlenet list``.
        width: Multiplies every channel count.
        epochs: Passes over the training part.
        class_epochs: Passes more for each class, where a recipe is fitted to data.
        min_steps: A training part so small that ``epochs`` are fewer steps than this gets more epochs.
        batch_size: Pictures a step, over all processes.
        optimizer: ``sgd`` is with Nesterov momentum; ``muon`` makes the steps of convolutions orthogonal, the rest is
            AdamW's.
        learning_rate: At its peak.
        schedule: ``cosine`` to zero; ``step`` is the paper's: 4 % less every 8 epochs (section 6); ``plateau``
            is InceptionTime's: half after 50 epochs without a lower loss, down to a tenth of the peak.
        warmup: Share of the steps over which the learning rate climbs.
        momentum: Of SGD and Muon.
        weight_decay: On the weights of convolutions and linear layers only.
        label_smoothing: Share of the target that is spread over all classes.
        clip: Largest norm of the gradient; 0 for no limit.
        ema: Decay of the running mean of the weights, which is what is kept; 0 for the last weights.
        aux_weight: Weight of each auxiliary loss (paper, section 5: 0.3); 0 builds none.
        dropout: Before the classifier.
        mixup: Parameter of mixup's Beta distribution (Zhang et al. 2018); 0 for none.
        cutmix: The same for CutMix (Yun et al. 2019).
        crop: Random area and aspect (paper, section 6); for pictures read from files.
        flip: Mirror each picture in every other epoch, where a mirror image keeps its meaning.
        shift: Largest shift, pixels.
        cutout: Side of a blanked square, pixels.
        whiten: Whether the first convolution of a fresh network begins with the principal components of pictures'
            patches.
        growth: Share of the training, from its start, in which pictures enter at three quarters of their size; more of
            them are seen in the same time.
        longest: Samples at which a signal enters the network at most; longer ones are squeezed.
        differences: Whether every other member sees a signal's first difference beside it.
        slice: Smallest share of a signal that is cut out and stretched to the whole length; 1 for none.
        warp: Largest local shift of a signal's time, as a share of its length.
        gain: Of signals of several channels whose strength does not tell classes apart, half the members see each
            channel to its own scale, the others times a random factor: the deviation of its logarithm. 0 for neither.
        members: Networks that train side by side as one, each with its own order of the data; their
            probabilities are averaged. For signals.
        competing: Random kernels that answer with the network (Dempster et al. 2023), a multiple of 16; 0 for none.
            Their classifier is fitted in seconds, when the network has learned. For signals.
        calibrate: Whether probabilities are calibrated on examples that were not learned from: those that are held out
            anyway; else some that are held out for it; for members, by smaller ones that each leave some out.
        colour: Largest relative change of brightness, contrast and saturation.
        balance: For classes of unequal size: ``weights`` in the loss, or a ``sampler``.
        max_seconds: Time that training may take, where it has a limit; the schedule ends with it.
        weights: What to begin with: a run, a weights file, or a name of the catalogue; empty for a fresh network.
        body_rate: Learning rate of the layers that came with weights, as a share of that of the fresh classifier.
        freeze: What of given weights stays as it is: ``norms``, the batch-norm statistics, for small sets;
            ``features``, everything but the classifier, which is then fitted to features that are computed once.
        compile: Train through ``torch.compile``, for GPUs; the native CPU operators stand aside then.
        precision: ``auto`` is bfloat16 where the processor computes in it, else float32.
        seed: Of everything random.
    """

    name: str
    arch: str = "googlenet_bn"
    width: float = 1.0
    epochs: int = 90
    class_epochs: float = 0.0
    min_steps: int = 0
    batch_size: int = 64
    optimizer: Literal["sgd", "adamw", "muon"] = "adamw"
    learning_rate: float = 2e-3
    schedule: Literal["cosine", "step", "plateau"] = "cosine"
    warmup: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    clip: float = 5.0
    ema: float = 0.998
    aux_weight: float = 0.3
    dropout: float = 0.4
    mixup: float = 0.0
    cutmix: float = 0.0
    crop: bool = True
    flip: bool = True
    shift: int = 0
    cutout: int = 0
    whiten: bool = False
    growth: float = 0.0
    colour: float = 0.0
    longest: int = 1024
    differences: bool = True
    slice: float = 1.0
    warp: float = 0.0
    gain: float = 0.0
    members: int = 1
    competing: int = 0
    calibrate: bool = True
    balance: Literal["none", "weights", "sampler"] = "none"
    max_seconds: float = 0.0
    weights: str = ""
    body_rate: float = 1.0
    freeze: Literal["none", "norms", "features"] = "none"
    compile: bool = False
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(Recipe).items():
            choices = get_args(kind)
            if choices and getattr(self, name) not in choices:
                raise InputError(f"{name} is one of {', '.join(choices)}, not {getattr(self, name)!r}.")
            if kind is float and not math.isfinite(getattr(self, name)):
                raise InputError(f"{name} is a number, not {getattr(self, name)}.")
        _check_most(self)
        _check_start(self)
        if self.slice > 1:
            raise InputError(f"slice is a share of a signal, 1 at most, not {self.slice}.")
        positive = ("width", "epochs", "batch_size", "learning_rate", "members", "longest", "slice")
        shares = ("warmup", "momentum", "label_smoothing", "ema", "dropout", "growth")
        for name in positive:
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be above 0, not {getattr(self, name)}.")
        if self.batch_size == 1:
            raise InputError("batch_size must be 2 or more, for batch norm, not 1.")
        for name in shares:
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} must be from 0 to below 1, not {getattr(self, name)}.")
        for name in (
            "weight_decay",
            "class_epochs",
            "body_rate",
            "clip",
            "min_steps",
            "max_seconds",
            "aux_weight",
            "mixup",
            "cutmix",
            "shift",
            "cutout",
            "colour",
            "warp",
            "gain",
            "seed",
            "competing",
        ):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} must be 0 or more, not {getattr(self, name)}.")

    def with_changes(self, changes: Mapping[str, str]) -> Recipe:
        """The recipe with fields replaced by values written as text, as on a command line.

        Raises:
            InputError: For an unknown field or a value that does not fit it.
        """
        kinds = {field.name: type(getattr(self, field.name)) for field in dataclasses.fields(self)}
        values: dict[str, Any] = {}
        for name, text in changes.items():
            if name not in kinds or name == "name":
                raise unknown("recipe field", name, [key for key in kinds if key != "name"])
            try:
                values[name] = _parse(kinds[name], text)
            except ValueError as error:
                raise InputError(f"{name} takes {_KIND_NAMES[kinds[name]]}, not {short(repr(text))}.") from error
        if values.get("max_seconds", 1) <= 0:
            raise InputError("max_seconds must be above 0; without it there is no limit.")
        return dataclasses.replace(self, **values)

    def fitted(self, examples: int, classes: int) -> Recipe:
        """The recipe for a training part of that size: its ``epochs`` are all there will be."""
        steps = steps_of(examples, self.batch_size)
        epochs = max(self.epochs + round(self.class_epochs * classes), -(-self.min_steps // steps))
        return dataclasses.replace(self, epochs=epochs, class_epochs=0.0)

    @property
    def opines(self) -> bool:
        """Whether competing kernels answer with the network; a limit of time leaves none for them."""
        return self.competing > 0 and not self.max_seconds and self.freeze != "features"

    @property
    def leaves_out(self) -> bool:
        """Whether smaller members that leave examples out say how sure the network may be, where none is held out."""
        return self.calibrate and self.members > 1 and not self.weights and not self.max_seconds

    def to_dict(self) -> dict[str, Any]:
        """For JSON; ``Recipe(**row)`` is its inverse."""
        return asdict(self)

    def changed_from(self, row: Mapping[str, Any]) -> list[str]:
        """Fields that differ from what :meth:`to_dict` gave; how long to train is not asked."""
        return [key for key, value in self.to_dict().items() if key not in LENGTH and row.get(key, value) != value]


LENGTH = frozenset({"epochs", "class_epochs", "min_steps", "max_seconds"})  # what a resumed training may change
BEGINS = 0.75  # of their size, of pictures that grow
SWITCHES = frozenset(name for name, kind in get_type_hints(Recipe).items() if kind is bool)
_KIND_NAMES = {int: "a whole number", float: "a number", bool: "yes or no", str: "a word"}


def _check_start(recipe: Recipe) -> None:
    """Raises InputError for what goes only with given weights, or only without."""
    if recipe.freeze != "none" and not recipe.weights:
        raise InputError(f"freeze={recipe.freeze} is for given weights: add --weights NAME.")
    if recipe.whiten and recipe.weights:
        raise InputError("whiten is for fresh networks: leave it out, or --weights.")


def _check_most(recipe: Recipe) -> None:
    """Raises InputError for a number that no machine, or no code, could do anything with."""
    whole = [name for name, kind in get_type_hints(Recipe).items() if kind is int]
    own = {"width": limits.WIDEST, "members": limits.MEMBERS, "competing": limits.KERNELS}
    for name, most in {**dict.fromkeys(whole, limits.WHOLE), **own}.items():
        if getattr(recipe, name) > most:
            raise InputError(f"{name} must be at most {most}, not {short(repr(getattr(recipe, name)))}.")
    if recipe.competing % 16:
        raise InputError(f"competing must be a multiple of 16, not {recipe.competing}.")


def _parse(kind: type, text: str) -> Any:
    if kind is bool:
        if text.lower() in ("yes", "true", "1", "on"):
            return True
        if text.lower() in ("no", "false", "0", "off"):
            return False
        raise ValueError(text)
    return kind(text)
