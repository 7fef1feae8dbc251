"""The state of a training that has not begun."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import unfold

from ...arch.check import check_work
from ...arch.cost import check_size
from ...errors import InputError
from ...nn.googlenet import GoogLeNet
from ...weights.create import create_model
from ..distributed import World
from ..learner import placed
from ..state import State
from ..task import Task

PIXELS = 300_000  # of pictures whose patches say how the first convolution begins, about


def fresh_state(task: Task, world: World) -> State:
    """A training that has not begun: the network as the recipe has it, its running mean, its optimizer."""
    recipe = task.recipe
    torch.manual_seed(recipe.seed)
    model = create_model(
        recipe.arch,
        len(task.data.classes),
        task.channels,
        width=recipe.width,
        auxiliary=recipe.aux_weight > 0,
        dropout=recipe.dropout,
        members=recipe.members,
    )
    model = _placed(model, task, world)
    if recipe.whiten:
        _whiten(model, task)
    return State.beginning(model, recipe)


def pretrained_state(model: GoogLeNet, task: Task, world: World) -> State:
    """A training, not begun, of a network that came with weights.

    Args:
        model: The network; it is trained itself, not a copy.
        task: The data and how to train.
        world: The processes.
    """
    torch.manual_seed(task.recipe.seed)
    return State.beginning(_placed(model, task, world), task.recipe, pretrained=True)


def _placed(model: GoogLeNet, task: Task, world: World) -> GoogLeNet:
    check_size(model.arch, task.size)
    for field in ("growth", "whiten"):
        if getattr(task.recipe, field) and model.arch.dims != 2:
            raise InputError(f"{field} is for pictures; leave it out for {task.preprocessing.kind}s.")
    if task.recipe.competing and model.arch.dims != 1:
        raise InputError(f"competing is for signals; leave it out for {task.preprocessing.kind}s.")
    parameters = sum(parameter.numel() for parameter in model.parameters())
    check_work(model.arch, task.size, task.channels, 4 * parameters)  # or what was learned could not be read again
    return placed(model, world.device)


@torch.no_grad()
def _whiten(model: GoogLeNet, task: Task) -> None:
    """Sets filters of the first convolution to the principal components of the pictures' patches, each with both signs,
    as long as the filters that they take the place of (Jordan 2024, arXiv 2404.00498, section 3.2, where they are
    scaled; here batch norm does)."""
    weight = next(parameter for parameter in model.parameters() if parameter.ndim == 4)
    height, width = task.size
    count = min(task.examples, max(2, PIXELS // (height * width)))
    inputs = next(task.training.training(0, count)).inputs.to(weight.device)
    components = principal(inputs.float(), weight.shape[2])[: len(weight) // 2]
    filters = torch.cat([components, -components]).view(-1, *weight.shape[1:])
    weight[: len(filters)] = filters * weight.flatten(1).norm(dim=1).mean()


def principal(inputs: Tensor, side: int) -> Tensor:
    """The principal components of patches, ``(channels side², channels side²)``, of length 1, the strongest first.

    Args:
        inputs: ``(n, channels, height, width)``.
        side: Of a patch, pixels.
    """
    patches = unfold(inputs, side).transpose(1, 2).flatten(0, 1)
    _, vectors = torch.linalg.eigh(patches.T @ patches)
    found: Tensor = vectors.T.flip(0)
    return found
