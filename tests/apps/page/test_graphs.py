"""The page's graphs, run by ONNX Runtime, against the networks they were made of, computed by PyTorch in other ways."""

import base64
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from googlenet import create_model, list_models
from googlenet.apps.page.graphs.builder import Constants
from googlenet.apps.page.graphs.convert import graph_of
from googlenet.apps.page.graphs.file import NEUTRAL, NOTES, PATH, model_of
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.errors import InputError
from googlenet.explain.maps.activation import class_activation
from googlenet.inference.calibration.temperature import Calibration
from googlenet.inference.pipeline import Pipeline

SIGNALS = {"googlenet_1d": {"members": 4}, "inceptiontime": {"members": 2}}
VARIANTS = [name for name in list_models() if name != "googlenet_3d"]
QUICK = {"googlenet_1d"}  # of those: members and an odd length; pictures are seen in test_network.py
CLASSES = ("a", "b", "c")


def pipeline_of(name):
    """A narrow network of a variant that has seen something: its norms have statistics of their own."""
    torch.manual_seed(0)
    if name in SIGNALS:
        preprocessing = SignalPreprocessing(2, 37, (1.0, 0.0), (2.0, 1.0), (0.5, 0.5), own=True)
        model = create_model(name, 3, 4, width=0.25, auxiliary=False, **SIGNALS[name])
    else:
        size = 28 if name == "googlenet_small" else 64
        preprocessing = ImagePreprocessing(3, size, size, mirror=True)
        model = create_model(name, 3, width=0.125, auxiliary=False)
    for module in model.modules():
        if hasattr(module, "running_mean"):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
    return Pipeline([model], preprocessing, Calibration(0.7, smoothing=0.1))


class File:
    """A file for the page, opened as the page opens it."""

    def __init__(self, pipeline):
        self.model = onnx.load_from_string(model_of(pipeline, CLASSES))
        self.metadata = {entry.key: entry.value for entry in self.model.metadata_props}
        self.notes = json.loads(self.metadata[NOTES])
        self.sessions = {}

    def run(self, key, **inputs):
        if key not in self.sessions:
            weights = onnx.ModelProto(graph=onnx.GraphProto(initializer=self.model.graph.initializer))
            lean = base64.b64decode(self.metadata[key]) if key != NOTES else b""
            content = lean + weights.SerializeToString() if lean else self.model.SerializeToString()
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            self.sessions[key] = onnxruntime.InferenceSession(content, options)
        session = self.sessions[key]
        found = session.run(None, {name: np.asarray(value) for name, value in inputs.items()})
        return dict(zip((output.name for output in session.get_outputs()), found, strict=True))

    def switches(self, **changes):
        rows = self.notes["switches"]
        return np.array([changes.get(row["name"], row["default"]) for row in rows], np.float32)


@pytest.fixture(
    scope="module", params=[pytest.param(n, marks=[] if n in QUICK else pytest.mark.slow) for n in VARIANTS]
)
def case(request):
    pipeline = pipeline_of(request.param)
    return pipeline, File(pipeline)


def view_of(pipeline, x):
    return pipeline.preprocessing.views(x, pipeline.networks[0].arch.members)[0]


@torch.no_grad()
def test_an_answer_holds_what_the_network_gives_on_the_way(case):
    pipeline, file = case
    (model,) = pipeline.networks
    x = pipeline.example(3)[2:]
    found = file.run(NOTES, input=x, switches=file.switches())
    np.testing.assert_allclose(found["probabilities"], pipeline(x), atol=1e-5)
    view = view_of(pipeline, x)
    layers = [layer.name for layer in model.arch.layers()]
    for name, values in model.intermediates(view, layers).items():
        np.testing.assert_allclose(found[name], values, atol=1e-4 * max(1, float(values.abs().max())), err_msg=name)
    for k in range(len(CLASSES)):
        np.testing.assert_allclose(found["cam"][:, k], class_activation(model, view, torch.tensor([k])), atol=1e-4)


@torch.no_grad()
def test_a_branch_that_is_switched_off_gives_nothing(case):
    pipeline, file = case
    module = file.notes["modules"][-2]
    off = module["branches"][0]
    x = pipeline.example(1)
    found = file.run(NOTES, input=x, switches=file.switches(**{f"{module['name']}.{off['name']}": 0}))
    plain = file.run(NOTES, input=x, switches=file.switches())
    members = file.notes["arch"]["members"]
    maps = np.stack(np.split(found[module["name"]], members, 1))
    before = np.stack(np.split(plain[module["name"]], members, 1))
    assert not maps[:, :, off["from"] : off["to"]].any()
    assert before[:, :, off["from"] : off["to"]].any()
    np.testing.assert_array_equal(maps[:, :, off["to"] :], before[:, :, off["to"] :])
    assert np.abs(found["probabilities"] - plain["probabilities"]).max() > 1e-7


@torch.no_grad()
def test_a_smaller_kernel_is_one_with_zeros_around(case):
    pipeline, file = case
    (model,) = pipeline.networks
    row = max((row for row in file.notes["switches"] if row["kind"] == "kernel"), key=lambda row: row["default"])
    name, branch, _ = row["name"].split(".")
    conv = model.features[name].branches[branch].conv.conv
    x, kept = pipeline.example(1), conv.weight.clone()
    found = file.run(NOTES, input=x, switches=file.switches(**{row["name"]: row["default"] - 2}))
    for axis in range(2, conv.weight.ndim):
        conv.weight.index_fill_(axis, torch.tensor([0, conv.weight.shape[axis] - 1]), 0)
    np.testing.assert_allclose(found[name], model.intermediates(view_of(pipeline, x), name)[name], atol=1e-4)
    conv.weight.copy_(kept)
    assert np.abs(found[name] - model.intermediates(view_of(pipeline, x), name)[name].numpy()).max() > 1e-4


@torch.no_grad()
def test_of_a_reduction_the_channels_stay_that_weigh_most(case):
    pipeline, file = case
    (model,) = pipeline.networks
    row = next((row for row in file.notes["switches"] if row["kind"] == "reduce"), None)
    if row is None:
        pytest.skip("it has no reductions")
    name, branch, _ = row["name"].split(".")
    path = model.features[name].branches[branch]
    x = pipeline.example(1)
    found = file.run(NOTES, input=x, switches=file.switches(**{row["name"]: 3}))[row["name"]]
    made = path.reduce.conv.weight.flatten(1).norm(dim=1)
    if path.reduce.has_norm:
        made = made * path.reduce.norm.weight * (path.reduce.norm.running_var + path.reduce.norm.eps).rsqrt()
    weighs = made * path.conv.conv.weight.transpose(0, 1).flatten(1).norm(dim=1)
    if path.conv.has_norm:
        scale = path.conv.norm.weight * (path.conv.norm.running_var + path.conv.norm.eps).rsqrt()
        read = path.conv.conv.weight * scale.view(-1, *[1] * (path.conv.conv.weight.ndim - 1))
        weighs = made * read.transpose(0, 1).flatten(1).norm(dim=1)
    others = weighs.argsort(descending=True)[3:]
    assert not found[:, others.numpy()].any()
    plain = file.run(NOTES, input=x, switches=file.switches())[row["name"]]
    first = weighs.argsort(descending=True)[:3].numpy()
    np.testing.assert_allclose(found[:, first], plain[:, first], atol=1e-6)


def by_hand(pipeline, x, start, places, direction):
    """Shares of every branch by autograd: the modules' outputs are leaves, one after another."""
    (model,) = pipeline.networks
    members = model.arch.members
    view = view_of(pipeline, x)
    points = start + torch.tensor(places).view(-1, *[1] * (view.ndim - 1)) * (view - start)
    kept = {}

    def keep(name):
        return lambda module, inputs, output: kept.update({name: output})

    hooked = {name: model.features[name] for name in model.arch.module_names()}
    hooked |= {f"shortcut {name}": shortcut.norm for name, shortcut in model.shortcuts.items()}
    handles = [module.register_forward_hook(keep(name)) for name, module in hooked.items()]
    logits = model(points.requires_grad_(True))
    logits = logits if logits.ndim == 2 else logits.mean(1)
    values = logits @ direction
    slopes = dict(zip(kept, torch.autograd.grad(values.sum(), list(kept.values()), retain_graph=True), strict=True))
    for handle in handles:
        handle.remove()
    shares = {
        name: ((slopes[name][1:] + slopes[name][:-1]) / 2 * (each[1:] - each[:-1])).flatten(2).sum(2).detach()
        for name, each in kept.items()
    }
    return {name: each.unflatten(1, (members, -1)).sum(1) for name, each in shares.items()}, values.detach()


def test_shares_are_those_of_autograd(case):
    pipeline, file = case
    x = pipeline.example(2)[1:]
    view = view_of(pipeline, x)
    start = 0.3 * torch.randn(view.shape, generator=torch.Generator().manual_seed(1))
    places = np.array([0, 0.2, 0.5, 0.6, 1], np.float32)
    direction = torch.tensor([1.0, 0.0, -1.0])
    found = file.run(PATH, input=x, start=start, places=places, direction=direction)
    wanted, values = by_hand(pipeline, x, start, places.tolist(), direction)
    np.testing.assert_allclose(found["values"], values, atol=1e-4)
    stages = {layer["name"]: stage["name"] for stage in file.notes["arch"]["stages"] for layer in stage["layers"]}
    ranges = {m["name"]: {b["name"]: slice(b["from"], b["to"]) for b in m["branches"]} for m in file.notes["modules"]}
    for column, edge in enumerate(file.notes["edges"]):
        if edge["name"] == "shortcut":
            share = wanted[f"shortcut {stages[edge['modules'][0]]}"].sum(1)
        else:
            share = wanted[edge["modules"][0]][:, ranges[edge["modules"][0]][edge["name"]]].sum(1)
        np.testing.assert_allclose(found["shares"][:, column], share, atol=1e-4, err_msg=str(edge))


def test_the_slope_is_that_of_autograd(case):
    pipeline, file = case
    (model,) = pipeline.networks
    point = view_of(pipeline, pipeline.example(1)).contiguous()
    direction = torch.tensor([-1.0, 1.0, 0.0])
    found = file.run(NEUTRAL, point=point, direction=direction)
    leaf = point.clone().requires_grad_(True)
    logits = model(leaf)
    value = (logits if logits.ndim == 2 else logits.mean(1)) @ direction
    (slope,) = torch.autograd.grad(value.sum(), leaf)
    np.testing.assert_allclose(found["value"], value.detach(), atol=1e-4)
    np.testing.assert_allclose(found["slope"], slope, atol=1e-4 * float(slope.abs().max()) + 1e-6)


def test_weights_lie_in_a_file_once(case):
    pipeline, file = case
    numbers = sum(weight.numel() for weight in pipeline.networks[0].parameters())
    assert file.model.ByteSize() < 4 * numbers * 1.1 + 1_000_000


def test_a_graph_that_computes_something_else_is_not_kept(monkeypatch):
    from googlenet.apps.page.graphs import operators

    monkeypatch.setitem(operators.TABLE, torch.ops.aten.relu.default, lambda g, node, x: g.add("Abs", x))
    with pytest.raises(InputError, match="differs from PyTorch's by .* nothing was written"):
        model_of(pipeline_of("googlenet_1d"), CLASSES)


def test_what_the_page_cannot_show_is_a_sentence():
    volumes = create_model("googlenet_3d", 3, 1, width=0.125, auxiliary=False)
    signals = pipeline_of("googlenet_1d")
    with pytest.raises(InputError, match="volumes"):
        model_of(Pipeline([volumes], signals.preprocessing), CLASSES)
    with pytest.raises(InputError, match="one run"):
        model_of(Pipeline(signals.networks * 2, signals.preprocessing), CLASSES)


def test_pools_that_leave_a_rest_have_their_gradient():
    """An average pool of an odd length, and windows that overlap: by hand."""

    def slope(x):
        def value(y):
            pooled = torch.nn.functional.avg_pool2d(y, (1, 2))
            return (torch.nn.functional.max_pool2d(pooled, (1, 3), (1, 2), (0, 1), ceil_mode=True) ** 2).sum()

        return torch.func.vjp(value, x)[1](torch.ones(()))

    x = torch.randn(1, 2, 1, 13, generator=torch.Generator().manual_seed(0))
    constants = Constants()
    graph = graph_of(slope, {"x": x}, ["slope"], constants)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    (found,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x.numpy()})
    leaf = x.clone().requires_grad_(True)
    pooled = torch.nn.functional.avg_pool2d(leaf, (1, 2))
    (torch.nn.functional.max_pool2d(pooled, (1, 3), (1, 2), (0, 1), ceil_mode=True) ** 2).sum().backward()
    np.testing.assert_allclose(found, leaf.grad, atol=1e-6)
