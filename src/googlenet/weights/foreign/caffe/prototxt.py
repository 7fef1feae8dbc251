"""BVLC's names of GoogLeNet's layers, and its deploy network as Caffe's text, generated from an architecture."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

from ....arch.spec import Arch, Branch, InceptionSpec, Layer, MaxPool, ResponseNorm, entry_for
from ..preprocessing import BVLC

Text = Generator[str, None, str]
"""Yields layers; returns the name of the last one's output."""

LAST_SIDE = 7  # of the maps behind the last module, for pictures of the usual size
_STEM = {"conv1": "7x7_s2", "conv2": "3x3"}


def convolution_name(layer: str, branch: str, part: str) -> str:
    """BVLC's name of a convolution, such as ``inception_3a/3x3_reduce``.

    Args:
        layer: Of the architecture, such as ``3a``.
        branch: Of its module, such as ``3x3``; ``""`` in the stem.
        part: ``reduce`` or ``conv``.
    """
    kernel = {"": _STEM.get(layer, ""), "pool": "pool_proj"}.get(branch, branch)
    place = f"inception_{layer}" if branch else layer
    return f"{place}/{kernel}{'_reduce' if part == 'reduce' else ''}"


def deploy_prototxt(arch: Arch, num_classes: int, note: str, side: int = BVLC.size) -> str:
    """The network for inference: pictures ``(1, 3, side, side)`` in ``data`` to probabilities in ``prob``.

    It has the 142 layers of ``models/bvlc_googlenet/deploy.prototxt`` under their names behind the input, and
    leaves out the auxiliary classifiers as that does. Pools round up, and response norm has a constant of 1:
    Caffe's defaults.

    Args:
        arch: ``googlenet`` at any width.
        num_classes: Width of the classifier.
        note: A line for people, put in front as a comment.
        side: Of a picture; the last pool is over all that is left of it.
    """
    return f'# {note}\nname: "GoogleNet"\n' + "".join(_network(arch, num_classes, side))


def _network(arch: Arch, num_classes: int, side: int) -> Text:
    top = "data"
    yield _layer(top, "Input", [], top, f"input_param {{ shape {{ dim: 1 dim: 3 dim: {side} dim: {side} }} }}")
    for layer in arch.layers():
        top = yield from entry_for(layer, LAYERS, "the writer of Caffe's networks")(layer, top)
    extent = f"kernel_size: {LAST_SIDE} stride: 1" if side == BVLC.size else "global_pooling: true"
    top = yield from _pool("pool5/7x7_s1", top, f"AVE {extent}")
    yield _layer("pool5/drop_7x7_s1", "Dropout", [top], top, f"dropout_param {{ dropout_ratio: {arch.dropout:g} }}")
    linear = f"inner_product_param {{ num_output: {num_classes} }}"
    yield _layer("loss3/classifier", "InnerProduct", [top], "loss3/classifier", linear)
    yield _layer("prob", "Softmax", ["loss3/classifier"], "prob")
    return "prob"


# ----------------------------------------------------------------- by kind of layer
def _of_stem(layer: Branch, bottom: str) -> Text:
    return (yield from _path(layer.name, "", layer, bottom))


def _of_max_pool(layer: MaxPool, bottom: str) -> Text:
    return (yield from _pool(f"{layer.name}/3x3_s2", bottom, f"MAX kernel_size: {layer.kernel} stride: 2"))


def _of_response_norm(layer: ResponseNorm, bottom: str) -> Text:
    name = f"{bottom.split('/')[0]}/{layer.name}"
    values = f"local_size: {layer.size} alpha: {layer.alpha:g} beta: {layer.beta:g}"
    yield _layer(name, "LRN", [bottom], name, f"lrn_param {{ {values} }}")
    return name


def _of_module(spec: InceptionSpec, bottom: str) -> Text:
    place = f"inception_{spec.name}"
    tops = []
    for branch in spec.branches:
        top = bottom
        if branch.pool:
            values = f"MAX kernel_size: {branch.pool} stride: 1 pad: {branch.pool // 2}"
            top = yield from _pool(f"{place}/pool", bottom, values)
        tops.append((yield from _path(spec.name, branch.name, branch, top)))
    yield _layer(f"{place}/output", "Concat", tops, f"{place}/output")
    return f"{place}/output"


LAYERS: dict[type[Layer], Callable[[Any, str], Text]] = {
    Branch: _of_stem,
    InceptionSpec: _of_module,
    MaxPool: _of_max_pool,
    ResponseNorm: _of_response_norm,
}
"""Kind of layer to the function that writes it behind the output of that name. Others are refused."""


def _path(layer: str, name: str, branch: Branch, bottom: str) -> Text:
    for part, channels, kernel, stride in (
        ("reduce", branch.reduce, 1, 1),
        ("conv", branch.channels, branch.kernel, branch.stride),
    ):
        if channels is not None:
            top = convolution_name(layer, name, part)
            values = f"num_output: {channels} pad: {kernel // 2} kernel_size: {kernel} stride: {stride}"
            yield _layer(top, "Convolution", [bottom], top, f"convolution_param {{ {values} }}")
            yield _layer("/relu_".join(top.removesuffix("_s2").split("/")), "ReLU", [top], top)
            bottom = top
    return bottom


def _pool(name: str, bottom: str, values: str) -> Text:
    yield _layer(name, "Pooling", [bottom], name, f"pooling_param {{ pool: {values} }}")
    return name


def _layer(name: str, kind: str, bottoms: Sequence[str], top: str, *parameters: str) -> str:
    lines = (
        f'name: "{name}"',
        f'type: "{kind}"',
        *(f'bottom: "{bottom}"' for bottom in bottoms),
        f'top: "{top}"',
        *parameters,
    )
    return "layer {\n" + "".join(f"  {line}\n" for line in lines) + "}\n"
