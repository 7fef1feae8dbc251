"""Hooks on the parts of a block, which by itself computes several of them as one operator."""

import pytest
import torch
from torch import nn
from torch.nn.modules import module as every_module

import googlenet
from googlenet.arch.variants import VARIANTS
from googlenet.nn import layers
from googlenet.nn.kernels import norm_relu
from googlenet.nn.kernels.native import library

INCEPTION = googlenet.inception("x", 8, 8, 8, 8, 8, 8).branches


def network(name, **changes):
    torch.manual_seed(0)
    model = googlenet.create_model(name, 5, width=0.125, **changes)
    for key, tensor in model.state_dict().items():
        if "norm" in key and tensor.ndim:
            tensor.uniform_(0.5, 1.5)
    return model.to(memory_format=layers.MEMORY_FORMAT[model.arch.dims])


def example(model, batch=4):
    channels, dims = model.in_channels * model.arch.members, model.arch.dims
    size = min(32, 3 * model.arch.input_size[0] // 4)
    x = torch.randn(batch, channels, *[size] * dims, generator=torch.Generator().manual_seed(1))
    return x.contiguous(memory_format=layers.MEMORY_FORMAT[dims])


def run(module, *inputs, **options):
    """What a module gives, the gradients of a loss (of parameters about 1), and what the statistics became."""
    torch.manual_seed(2)  # of dropout
    given = [x.clone(memory_format=torch.preserve_format).requires_grad_() for x in inputs]
    found = module(*given, **options)
    outputs = [found] if isinstance(found, torch.Tensor) else [found.logits, *found.aux]
    draws = torch.Generator().manual_seed(3)
    sum((y * torch.randn(y.shape, generator=draws)).sum() / y[:, 0].numel() ** 0.5 for y in outputs).backward()
    assert all(torch.equal(x.detach(), before) for x, before in zip(given, inputs, strict=True))
    result = {f"output {i}": y.detach() for i, y in enumerate(outputs)}
    result |= {f"gradient of input {i}": x.grad for i, x in enumerate(given)}
    result |= {f"gradient of {key}": parameter.grad for key, parameter in module.named_parameters()}
    result |= {key: buffer.clone() for key, buffer in module.named_buffers()}
    module.zero_grad()
    return result


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        scale = float(value.abs().max())
        if key.startswith("gradient of input"):
            assert scale > 0
        else:
            scale = max(scale, 1.0)  # where gradients cancel, rounding is what is left
        torch.testing.assert_close(found[key] / scale, value / scale, rtol=1e-5, atol=1e-5, msg=key)


@pytest.fixture
def calls(monkeypatch):
    """The maps that the native operator was called with."""
    seen, operator = [], norm_relu._OPERATOR

    def counting(maps, *rest):
        seen.append(maps)
        return operator(maps, *rest)

    monkeypatch.setattr(norm_relu, "_OPERATOR", counting)
    return seen


@pytest.mark.parametrize("name", list(VARIANTS))
def test_fused_and_unfused_networks_are_the_same_function(name):
    model = network(name).eval()
    x = example(model)
    fused = run(model, x, return_aux=True)
    with model.unfused():
        assert_same(run(model, x, return_aux=True), fused)


@pytest.mark.parametrize("name", list(VARIANTS))
def test_fused_and_unfused_parts_learn_the_same(name, calls):
    """Part by part: through a whole network in training mode float32's rounding grows."""
    model = network(name).eval()
    for key, tensor in model.state_dict().items():
        if "norm.weight" in key:
            tensor.uniform_(0.4, 0.6)
        elif "norm.bias" in key:  # channels that pass and channels that are shut: no sum lies at ReLU's edge
            tensor.copy_(3.0 * (torch.rand(tensor.shape) < 0.5) - 1.5)
    parts = [*model.features.children(), *model.shortcuts.children(), *model.auxiliary.children()]
    shapes = {}
    for part in parts:
        part.register_forward_pre_hook(lambda part, inputs: shapes.update({part: [x.shape for x in inputs]}))
    model(example(model), return_aux=True)
    model.train()
    for part in parts:
        part._forward_pre_hooks.clear()
        inputs = [
            (torch.randn(shape) / 4).contiguous(memory_format=layers.MEMORY_FORMAT[model.arch.dims])
            for shape in shapes[part]
        ]
        start = {key: value.clone() for key, value in part.state_dict().items()}
        calls.clear()
        fused = run(part, *inputs)
        norms = any("norm" in key for key in start)
        assert bool(calls) == (norms and model.arch.dims < 3 and library("norm_relu") is not None)
        part.load_state_dict(start)
        calls.clear()
        with model.unfused():
            assert_same(run(part, *inputs), fused)
        assert not calls


def called_modules(model):
    """Names of all modules that are called, in the order in which a forward pass comes to them."""
    names = [name for name, module in model.named_modules() if not isinstance(module, nn.ModuleDict)]

    def within(place):
        return [name for name in names if name == place or name.startswith(f"{place}.")]

    order = [""]
    for stage in model.arch.stages:
        for layer in stage.layers:
            order += within(f"features.{layer.name}")
        if stage.residual:
            order += within(f"shortcuts.{stage.name}")
    order += ["pool", "dropout", "classifier"]
    for key in model.auxiliary:
        order += within(f"auxiliary.{key}")
    assert sorted(order) == sorted(names)
    return order


@pytest.mark.parametrize("name", list(VARIANTS))
def test_hooks_on_every_module_fire_once_in_depth_order(name):
    model = network(name)
    x, expected = example(model, batch=2), called_modules(model)
    heard = {kind: [] for kind in ("before", "after", "gradient before", "gradient")}
    handles = []
    for key in expected:
        module = model.get_submodule(key)
        for kind, register in (
            ("before", module.register_forward_pre_hook),
            ("after", module.register_forward_hook),
            ("gradient before", module.register_full_backward_pre_hook),
            ("gradient", module.register_full_backward_hook),
        ):
            handles.append(register(lambda *_, key=key, kind=kind: heard[kind].append(key)))
    hooked = run(model, x, return_aux=True)
    assert heard["before"] == expected
    # A module is done when all that lie in it are.
    done = {key: number for number, key in enumerate(heard["after"])}
    inner = [key for key in expected if "." in key and key.rpartition(".")[0] in done]
    assert all(done[key] < done[key.rpartition(".")[0]] for key in inner)
    leaves = [key for key in expected if not list(model.get_submodule(key).children())]
    assert [key for key in heard["after"] if key in leaves] == leaves
    for kind in ("after", "gradient before", "gradient"):
        assert sorted(heard[kind]) == sorted(expected), kind
    for handle in handles:
        handle.remove()
    assert hooked["gradient of input 0"].abs().sum() > 0


PARTS = (
    "",
    ".reduce",
    ".reduce.conv",
    ".reduce.norm",
    ".reduce.relu",
    ".conv",
    ".conv.conv",
    ".conv.norm",
    ".conv.relu",
)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", ["forward", "forward_pre", "full_backward", "full_backward_pre"])
def test_one_hook_is_enough(part, kind, calls):
    block = googlenet.Inception(16, INCEPTION).to(memory_format=torch.channels_last)
    x = torch.randn(4, 16, 6, 6).contiguous(memory_format=torch.channels_last)
    expected = block(x)
    joined = len(calls)
    heard = []
    handle = getattr(block.branches["3x3"].get_submodule(part[1:]), f"register_{kind}_hook")(lambda *_: heard.append(1))
    found = block(x.clone(memory_format=torch.preserve_format).requires_grad_())
    found.sum().backward()
    assert heard == [1]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    # With the hook gone the block is one operator again.
    handle.remove()
    calls.clear()
    assert torch.equal(block(x), expected)
    assert len(calls) == joined and heard == [1]


def test_a_hook_sees_what_the_part_gives_and_may_change_it():
    model = network("googlenet").eval()  # biases, and a ReLU that writes over the convolution's output by itself
    seen = {}
    place = "features.3a.branches.5x5"
    model.get_submodule(f"{place}.conv.conv").register_forward_hook(lambda module, _, y: seen.update(conv=y))
    x = example(model)
    with torch.no_grad():
        whole = model.intermediates(x, ["3a"])["3a"]
    assert seen["conv"].min() < 0
    at = sum(branch.conv.conv.out_channels for branch in list(model.features["3a"].branches.values())[:2])
    assert torch.equal(whole[:, at : at + seen["conv"].shape[1]], seen["conv"].relu())
    model.get_submodule(place).register_forward_hook(lambda module, _, y: y * 0)
    with torch.no_grad():
        without = model.intermediates(x, ["3a"])["3a"]
    assert without[:, at : at + seen["conv"].shape[1]].abs().max() == 0
    assert torch.equal(without[:, :at], whole[:, :at])


def test_hooks_for_all_modules_fire_on_every_part():
    model = network("inceptiontime")
    heard = []
    handle = every_module.register_module_forward_pre_hook(lambda module, _: heard.append(module))
    try:
        model(example(model))
    finally:
        handle.remove()
    assert heard == [model.get_submodule(key) for key in called_modules(model)]


def test_unfused_nests_and_ends_whatever_happens(calls):
    if library("norm_relu") is None:
        pytest.skip("there is no C++ compiler here: the reference is what runs")
    model = network("inceptiontime")
    model.features["1a"].fused = False  # by somebody else
    x = example(model)
    model(x)
    usual = len(calls)

    def count():
        calls.clear()
        model(x)
        return len(calls)

    with pytest.raises(ZeroDivisionError), model.unfused():
        with model.unfused():
            assert count() == 0
        assert count() == 0
        raise ZeroDivisionError
    assert count() == usual > 0
    assert not model.features["1a"].fused


def test_another_activation_or_branch_in_the_place_of_ours_is_used():
    block = googlenet.Inception(16, INCEPTION).eval()
    x = torch.randn(2, 16, 6, 6)
    expected = block(x)
    block.branches["1x1"].conv.relu = nn.SiLU()
    block.branches["pool"] = nn.Conv2d(16, 8, 1)
    found = block(x)
    assert torch.equal(found[:, 8:24], expected[:, 8:24])
    unit = block.branches["1x1"].conv
    torch.testing.assert_close(found[:, :8], nn.functional.silu(unit.norm(unit.conv(x))))
    torch.testing.assert_close(found[:, 24:], block.branches["pool"](x))


def test_a_module_in_the_place_of_a_convolution_keeps_its_input():
    unit = googlenet.Inception(16, INCEPTION, norm_eps=None).branches["1x1"].conv
    unit.conv = nn.Identity()
    x = torch.randn(2, 16, 6, 6)
    before = x.clone()
    assert torch.equal(unit(x), before.relu())
    assert torch.equal(x, before)


@pytest.mark.parametrize("hooked", [False, True])
@pytest.mark.parametrize("way", ["compile", "export", "trace"])
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore:.*torch.jit.*is deprecated")
def test_compiled_exported_and_traced_blocks_are_the_same(way, hooked):
    torch.manual_seed(0)
    block = googlenet.Inception(16, INCEPTION)
    start = {key: value.clone() for key, value in block.state_dict().items()}
    x, heard = torch.randn(2, 16, 6, 6), []
    expected = block(x)
    block.load_state_dict(start)
    if hooked:
        block.branches["3x3"].conv.norm.register_forward_hook(lambda *_: heard.append(1))
    if way == "compile":
        torch.compiler.reset()
        ready = torch.compile(block, backend="eager", fullgraph=True)
    elif way == "export":
        ready = torch.export.export(block, (x,)).module()
    else:
        ready = torch.jit.trace(block, x, check_trace=False)
    block.load_state_dict(start)
    torch.testing.assert_close(ready(x), expected, rtol=1e-5, atol=1e-5)
    assert bool(heard) == hooked
