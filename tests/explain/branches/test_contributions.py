"""What passes through branches, against the network's own logits and captum's conductance."""

import numpy as np
import pytest
import torch
from captum.attr import LayerConductance

from explain.networks import inputs_of, pipeline_of
from googlenet.arch.variants import find_arch, list_models
from googlenet.data.find import find_data
from googlenet.errors import InputError
from googlenet.explain.branches.contributions import SHORTCUT, Contributions, branch_contributions
from googlenet.explain.branches.neutral import neutral
from googlenet.explain.branches.scales import scales
from googlenet.explain.explainer import Explainer
from googlenet.explain.logits import plain, view_of
from googlenet.explain.places import branch_places, module_at
from googlenet.inference.pipeline import Pipeline
from googlenet.inference.predictor import read_example

QUICK = {"googlenet", "inceptiontime", "googlenet_1d", "googlenet_3d"}
CASES = [
    *(pytest.param(name, 1, marks=[] if name in QUICK else pytest.mark.slow) for name in list_models()),
    ("googlenet_1d", 3),
]


def difference(model, view, label, against):
    logits = model(view)
    logits = logits if logits.ndim == 2 else logits.mean(1)
    return logits[:, label] - logits[:, against]


@pytest.mark.parametrize(("name", "members"), CASES)
def test_each_modules_branches_sum_to_the_difference(name, members):
    pipeline = pipeline_of(name, 0.125, members)
    inputs, model = inputs_of(pipeline, 1, seed=1), pipeline.networks[0]
    found = branch_contributions(pipeline, inputs, [1], [3])[0]
    view = view_of(pipeline.preprocessing, inputs, model)
    whole = float(difference(model, view, 1, 3).detach())
    start = neutral(lambda x: difference(model, x, 1, 3), torch.zeros_like(view), 1e-4 * abs(whole))
    # Random networks may have no neutral input near the mean: then it is the change from the nearest to it.
    change = whole - float(difference(model, start, 1, 3).detach())
    assert found.difference == pytest.approx(change, rel=1e-3)
    assert list(found.shares) == list(find_arch(name).module_names()) and found.closes
    for shares in found.shares.values():
        assert sum(shares.values()) == pytest.approx(change, rel=0.01)


@pytest.mark.parametrize("name", ["fashion_mnist", "googlenet_1d.gunpoint"])
def test_of_trained_networks_they_sum_to_the_logits_own_difference(name):
    explainer = Explainer(name)
    preprocessing, model = explainer.pipeline.preprocessing, explainer.pipeline.networks[0]
    if preprocessing.kind == "signal":
        part = find_data("gunpoint").held_out.subset([3])
        inputs = np.concatenate([read_example(each, preprocessing) for each in part.examples(preprocessing)])
    else:  # something like a boot
        inputs = np.zeros((1, *preprocessing.input_shape), np.uint8)
        inputs[..., 16:26, 2:26] = 160
        inputs[..., 4:16, 14:24] = 120
    with torch.no_grad():
        logits = model(view_of(preprocessing, inputs, model)).view(-1, len(explainer.classes)).mean(0)
    label, against = logits.argsort(descending=True)[:2].tolist()
    found = branch_contributions(explainer.pipeline, inputs, [label], [against])[0]
    whole = float(logits[label] - logits[against])
    assert found.difference == pytest.approx(whole, rel=1e-3) and found.closes
    for shares in found.shares.values():
        assert sum(shares.values()) == pytest.approx(whole, rel=0.01)


def test_the_neutral_input_is_a_zero():
    """Of a function with a known zero set, in a hollow from which Newton's steps do not get out."""
    for function, start in (
        (lambda x: x.sum(1) - 3, torch.zeros(1, 4)),
        (lambda x: (x[:, 0] - 1) ** 2 - 0.5 * x[:, 1].clamp(min=0) + 0.2, torch.tensor([[1.0, 0.1]])),
    ):
        point = neutral(function, start, 1e-6)
        assert abs(float(function(point))) <= 1e-5
    straight = neutral(lambda x: x.sum(1) - 3, torch.zeros(1, 4), 1e-6)
    torch.testing.assert_close(straight, torch.full((1, 4), 0.75))  # the nearest


def test_they_are_captums_conductance_cut_by_branch():
    pipeline = pipeline_of("googlenet_bn", 0.125)
    inputs = inputs_of(pipeline, 1)
    model = pipeline.networks[0]
    found = branch_contributions(pipeline, inputs, [2], [0])[0]
    with plain(pipeline):
        view = view_of(pipeline.preprocessing, inputs, model)
        whole = float(difference(model, view, 2, 0))
        start = neutral(lambda x: difference(model, x, 2, 0), torch.zeros_like(view), 1e-4 * abs(whole))
        for module in ("3a", "5b"):
            for place in branch_places(model.arch)[module]:
                method = LayerConductance(lambda x: difference(model, x, 2, 0), module_at(model, place))
                theirs = float(method.attribute(view, start, n_steps=100, method="riemann_trapezoid").detach().sum())
                assert found.shares[module][place.branch] == pytest.approx(theirs, abs=0.1)


def test_a_shortcut_passes_what_a_residual_stages_branches_do_not():
    """Of inputs that the branches turn into nothing all passes through the shortcut."""
    pipeline = pipeline_of("googlenet_1d")
    model = pipeline.networks[0]
    with torch.no_grad():
        for path in model.features["3a"].branches.values():
            path.conv.norm.weight.zero_()
            path.conv.norm.bias.zero_()
    found = branch_contributions(pipeline, inputs_of(pipeline, 1), [1], [0])[0]
    shares = dict(found.shares["3a"])
    assert shares.pop(SHORTCUT) == pytest.approx(found.difference, rel=0.01)
    assert set(shares.values()) == {0.0}
    assert SHORTCUT not in found.shares["1a"]  # no residual stage


def test_nothing_is_left_behind():
    pipeline = pipeline_of("googlenet_1d", 0.125)
    before = [weight.requires_grad for weight in pipeline.parameters()]
    branch_contributions(pipeline, inputs_of(pipeline, 1), [1], [0])
    assert [weight.requires_grad for weight in pipeline.parameters()] == before
    assert all(not module._forward_hooks for module in pipeline.modules())


def test_several_networks_have_no_branches_in_common():
    pipeline = pipeline_of("googlenet_small", 0.125)
    both = Pipeline([pipeline.networks[0]] * 2, pipeline.preprocessing)
    with pytest.raises(InputError, match="one run"):
        branch_contributions(both, inputs_of(pipeline, 1), [0], [1])


def test_shares_over_a_set_do_not_cancel_between_the_classes():
    """One class against another: of examples of either the difference has another sign."""
    found = [
        Contributions(0, 1, sign * 10.0, {"4a": {"1x1": sign * 6.0, "pool": sign * 4.0}}, 9, 0.0) for sign in (1, -0.99)
    ]
    table = scales(found, ["a", "b"]).modules["4a"]
    assert table == {"1x1": pytest.approx(60), "pool": pytest.approx(40)}
