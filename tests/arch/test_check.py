"""An architecture that a file describes is looked at before it is built: nothing of it can exhaust or crash."""

import dataclasses
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from googlenet import InputError, list_models
from googlenet.arch import check
from googlenet.arch.cost import cost, minimum_size
from googlenet.arch.serial import from_json, to_json
from googlenet.arch.spec import LAYER_TYPES, Arch, AveragePool, MaxPool, Stage
from googlenet.arch.variants import GOOGLENET, GOOGLENET_1D, find_arch
from googlenet.limits import INPUT


@pytest.mark.parametrize("name", list_models())
@pytest.mark.parametrize("width", [0.05, 1, 2])
def test_every_variant_can_be_built(name, width):
    arch = find_arch(name).scaled(width)
    assert from_json(to_json(arch)) == arch
    check.check_work(arch, arch.input_size, 3, 4 * cost(arch).params)


def test_every_field_of_every_layer_has_a_range():
    kinds = {*LAYER_TYPES.values(), Arch, Stage}
    assert {field.type for kind in kinds for field in dataclasses.fields(kind)} <= set(check.KINDS)


def places(row, path=()):
    """Every place in a JSON value that holds no list or object."""
    if isinstance(row, dict):
        return [found for key, value in row.items() for found in places(value, (*path, key))]
    if isinstance(row, list):
        return [found for at, value in enumerate(row) for found in places(value, (*path, at))]
    return [path]


ARCHS = [GOOGLENET, GOOGLENET_1D, find_arch("inceptiontime")]
ROWS = [json.loads(to_json(arch)) for arch in ARCHS]
EVIL = st.sampled_from(
    [0, -1, 2**31, 10**12, 10**400, 1.5, float("nan"), float("inf"), True, None, "", "a.b", "x" * 10_000, [], {}, [3]]
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, len(ROWS) - 1), st.data())
def test_a_changed_value_is_an_architecture_or_a_sentence(which, data):
    row = json.loads(json.dumps(ROWS[which]))
    path = data.draw(st.sampled_from(places(row)))
    inside = row
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = data.draw(EVIL)
    try:
        arch = from_json(json.dumps(row))
        minimum_size(arch)
        check.check_work(arch, arch.input_size, 3, 10**6)
    except InputError as error:
        assert len(str(error)) < 1000


def with_layers(*layers):
    return dataclasses.replace(GOOGLENET, stages=(Stage("s", layers),), auxiliary=())


@pytest.mark.parametrize(
    ("arch", "sentence"),
    [
        (with_layers(*(AveragePool(f"a{at}", 64) for at in range(100))), "more than can be read"),
        (with_layers(*(MaxPool(f"p{at}", 60, 1, 30) for at in range(400))), "multiply-adds"),
    ],
    ids=["pools that want 64^100 samples", "pools that take hours"],
)
def test_what_no_machine_can_compute_is_refused(arch, sentence):
    check.check_arch(arch)
    with pytest.raises(InputError, match=sentence):
        check.check_work(arch, arch.input_size, 3, 1000)


def test_a_map_is_in_proportion_to_the_weights():
    arch, params = find_arch("googlenet_small"), 4 * cost("googlenet_small").params
    check.check_work(GOOGLENET, (2048, 2048), 3, 4 * cost("googlenet").params)
    with pytest.raises(InputError, match="bytes for one input"):
        check.check_work(arch, (2048, 2048), 3, params // 100)


def test_the_smallest_size_is_what_counting_up_finds():
    for name in list_models():
        arch, size = find_arch(name), 1
        while not all(n > 0 for n in sizes(arch, size)):
            size += 1
        assert minimum_size(arch) == size
    assert minimum_size(GOOGLENET) < INPUT


def sizes(arch, n):
    from googlenet.arch.cost_rows import size_after

    for layer in arch.layers():
        n = size_after(layer, n) if n > 0 else 0
        yield n
