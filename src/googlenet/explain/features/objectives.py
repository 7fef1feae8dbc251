"""What is to be excited, by name: a channel, a neuron, a direction, a whole place, a class.

=================  =============================================================================================
``4c``             every channel of a place, one by one (:mod:`~googlenet.explain.places` names places)
``4c.5x5:3``       a channel of it, from 0: the mean over all positions
``4c:0-7,12``      several, each once
``4c:3@2,5``       a neuron: that channel at one position; ``4c:3@middle``, in the middle
``4c:whole``       all channels together: the mean square, which DeepDream raises
``class:Sneaker``  a class: its logit; ``class`` for every class
=================  =============================================================================================
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...errors import InputError, quoted, short, unknown
from ...inference.pipeline import Pipeline
from ..logits import only_network
from ..places import Place, find_place, outputs_at

CLASS, WHOLE, MIDDLE = "class", "whole", "middle"


@dataclass(frozen=True)
class Objective:
    """What is to be excited, and how much it is: a number for each example.

    Attributes:
        name: As it is written, see this module.
        place: Where; ``None`` for the logits.
        channel: Of the place, or the class; ``None`` for all of them.
        position: Of a neuron, ``(*spatial)``; ``None`` for the mean over all positions.
        direction: A combination of channels, ``(channels,)``, of length 1, in place of one.
    """

    name: str
    place: Place | None
    channel: int | None = None
    position: tuple[int, ...] | None = None
    direction: tuple[float, ...] | None = None

    def of(self, outputs: Tensor) -> Tensor:
        """How much outputs ``(n, channels, *spatial)`` of the place excite it, ``(n,)``; of logits ``(n, classes)``."""
        if self.direction is not None:
            chosen = torch.einsum("nc...,c->n...", outputs, outputs.new_tensor(self.direction))
        elif self.channel is not None:
            chosen = outputs[:, self.channel]
        else:
            chosen = outputs.square()
        if self.position is not None:
            index: tuple[int | slice, ...] = (slice(None), *self.position)
            return chosen[index]
        return chosen.flatten(1).mean(1) if chosen.ndim > 1 else chosen


def direction(place: Place, vector: Sequence[float], name: str) -> Objective:
    """A combination of the channels of a place, as such that tell two classes apart.

    Args:
        place: Where.
        vector: Of each channel; only what they are to each other counts.
        name: For people.

    Raises:
        InputError: If it is zero or no numbers.
    """
    length = math.sqrt(sum(value * value for value in map(float, vector)))
    if not 0 < length < math.inf:
        raise InputError(f"A direction is a number for each channel, not all of them zero; {name} is none.")
    return Objective(name, place, direction=tuple(float(value) / length for value in vector))


def find_objectives(pipeline: Pipeline, classes: Sequence[str], text: str) -> list[Objective]:
    """What a text names, in its order.

    Args:
        pipeline: Of one network.
        classes: Their names.
        text: See this module.

    Raises:
        InputError: If there is no such thing; the sentence says what there is.
    """
    where, colon, what = text.partition(":")
    if not where.strip():
        raise InputError(
            f"{quoted(text)} names nothing that is to be excited: name a layer or a module, or {CLASS}:NAME."
        )
    if where == CLASS:
        return _classes(classes, what, bool(colon))
    place = find_place(only_network(pipeline).arch, where)
    channels, *spatial = shape_at(pipeline, place)
    if not colon:
        return [Objective(f"{place}:{channel}", place, channel) for channel in range(channels)]
    if what == WHOLE:
        return [Objective(f"{place}:{WHOLE}", place)]
    numbers, at, there = what.partition("@")
    position = _position(place, there, spatial) if at else None
    behind = "" if position is None else f"@{','.join(map(str, position))}"
    return [
        Objective(f"{place}:{channel}{behind}", place, channel, position)
        for channel in dict.fromkeys(_channels(place, numbers, channels))
    ]


def find_objective(pipeline: Pipeline, classes: Sequence[str], text: str) -> Objective:
    """The one thing that a text names; a place alone is all its channels together.

    Args:
        pipeline: Of one network.
        classes: Their names.
        text: See this module.

    Raises:
        InputError: If there is no such thing, or there are several.
    """
    whole = text if ":" in text or text == CLASS else f"{text}:{WHOLE}"
    found = find_objectives(pipeline, classes, whole)
    if len(found) > 1:
        raise InputError(f"{short(text)} is {len(found):,} things; name one of them, such as {found[0].name}.")
    return found[0]


def middle_module(pipeline: Pipeline) -> str:
    """The name of the Inception module in the middle of a network: 4c of GoogLeNet's nine.

    Raises:
        InputError: If it has none.
    """
    names = only_network(pipeline).arch.module_names()
    if not names:
        raise InputError("The network has no Inception module; name what to look at, such as one of its layers.")
    return names[len(names) // 2]


def shape_at(pipeline: Pipeline, place: Place) -> tuple[int, ...]:
    """``(channels, *spatial)`` of what comes out at a place for an example as the preprocessing makes them."""
    model = only_network(pipeline)
    device = next(model.parameters()).device
    view = pipeline.preprocessing.views(pipeline.example(1), model.arch.members)[0].to(device)
    with outputs_at(model, [place]) as found, torch.inference_mode():
        model(view)
    return tuple(found[place].shape[1:])


def _classes(classes: Sequence[str], name: str, named: bool) -> list[Objective]:
    if named and name not in classes:
        raise unknown("class", name, classes)
    return [
        Objective(f"{CLASS}:{label}", None, number)
        for number, label in enumerate(classes)
        if label == name or not named
    ]


def _channels(place: Place, text: str, count: int) -> Iterator[int]:
    """``0-7,12`` as numbers of channels of which there are ``count``."""
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,9})(?:-(\d{1,9}))?\s*", part)
        if found is None:
            raise InputError(
                f"{quoted(part)} is no channel of {place}: name numbers, as in {place}:0-7,12, or all of them together "
                f"as {place}:{WHOLE}."
            )
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first or last >= count:
            raise InputError(f"{place} has {count:,} channels, from 0 to {count - 1}, and no {part.strip()}.")
        yield from range(first, last + 1)


def _position(place: Place, text: str, spatial: Sequence[int]) -> tuple[int, ...]:
    """``2,5`` as a position in a map of that size."""
    if text == MIDDLE:
        return tuple(side // 2 for side in spatial)
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"\d{1,9}", part) for part in parts) or len(parts) != len(spatial):
        words = ",".join(str(side // 2) for side in spatial)
        raise InputError(f"{quoted(text)} is no position in {place}: write {words}, say, or {MIDDLE}.")
    if any(int(part) >= side for part, side in zip(parts, spatial, strict=True)):
        last = ",".join(str(side - 1) for side in spatial)
        raise InputError(f"{place} has positions up to {last}, and no {text}.")
    return tuple(map(int, parts))
