"""The networks of the page, in a browser, against PyTorch: answers, maps, contributions; and files that are none."""

import base64
import gzip
import re

import numpy as np
import onnx
import pytest
import torch

from googlenet.apps.page.examples import gunpoint_signals, shipped_pictures
from googlenet.apps.page.job import SHIPPED
from googlenet.explain.branches.contributions import branch_contributions
from googlenet.inference.load import load_pipeline

NAMES = ("network/network", "network/onnx", "network/runtime", "inputs/pictures", "inputs/signals")
MODULES = "\n".join(f'export * from "./{name}.js";' for name in NAMES)
OPEN = """async () => {
    globalThis.networks = {};
    for (const { id } of JSON.parse(document.getElementById("facts").textContent).networks) {
        networks[id] = await inside.openNetwork(await inside.packedBytes(document.getElementById(`network-${id}`)));
    }
}"""
INPUT = """async (id, example) => {
    const { notes } = networks[id];
    const numbers = (row) => row.map((x) => x ?? NaN);
    if (example.values) return inside.preparedSignal(example.values.map(numbers), notes).input;
    const bytes = Uint8Array.from(atob(example.png), (letter) => letter.charCodeAt(0));
    return (await inside.pictureFrom(new Blob([bytes]), notes)).input;
}"""


@pytest.fixture(scope="module")
def inside(browser):
    browser.open()
    browser.heard()
    browser.do("harness", "modules", MODULES, "inside")
    browser.evaluate(OPEN)
    yield browser
    assert browser.heard() == {"requests": [], "errors": []}


@pytest.fixture(scope="module")
def pipelines():
    return {one.id: load_pipeline(one.name)[0] for one in SHIPPED.values()}


def read(pipeline, example):
    if "png" in example:
        return pipeline.preprocessing.read(base64.b64decode(example["png"]))
    return pipeline.preprocessing.read(np.array(example["values"], float))


def answers(browser, network, examples, names=()):
    """Probabilities and some maps for each example: ``[{"probabilities", name: numbers}]``."""
    text = f"""async ([id, examples, names]) => {{
        const found = [];
        for (const example of examples) {{
            const answer = await networks[id].answer(await ({INPUT})(id, example));
            const maps = names.map((name) => [name, Array.from(answer.map(name).data)]);
            found.push({{ probabilities: Array.from(answer.probabilities), cam: Array.from(answer.cam(1).data),
                ...Object.fromEntries(maps) }});
        }}
        return found;
    }}"""
    return browser.evaluate(text, [network, examples, names])


@torch.no_grad()
@pytest.mark.parametrize(("network", "examples"), [("fashion_mnist", shipped_pictures), ("gunpoint", gunpoint_signals)])
def test_probabilities_are_those_of_pytorch(inside, pipelines, network, examples):
    pipeline, rows = pipelines[network], examples()
    for row, found in zip(rows, answers(inside, network, rows), strict=True):
        wanted = pipeline(torch.from_numpy(read(pipeline, row)))[0]
        np.testing.assert_allclose(found["probabilities"], wanted, atol=1e-4)


def changed(signal):
    """A signal with gaps, one with a glitch, one cut short, one twice as long."""
    gaps, glitch = signal.copy(), signal.copy()
    gaps[0, 20:30] = np.nan
    glitch[0, 40] = 1e4
    return [gaps, glitch, signal[:, :100], np.repeat(signal, 2, 1)]


@torch.no_grad()
@pytest.mark.filterwarnings("ignore:Some s:RuntimeWarning")
def test_signals_with_faults_are_answered_alike(inside, pipelines):
    pipeline = pipelines["gunpoint"]
    signals = changed(np.array(gunpoint_signals()[7]["values"]))
    rows = [{"values": [[None if np.isnan(x) else x for x in signal[0].tolist()]]} for signal in signals]
    for signal, found in zip(signals, answers(inside, "gunpoint", rows), strict=True):
        wanted = pipeline(torch.from_numpy(pipeline.preprocessing.read(signal)))[0]
        np.testing.assert_allclose(found["probabilities"], wanted, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize(
    ("network", "examples", "names"),
    [
        ("fashion_mnist", shipped_pictures, ["conv1", "3a", "4c", "5b"]),
        ("gunpoint", gunpoint_signals, ["1a", "2b", "3c"]),
    ],
)
def test_maps_are_those_of_the_network(inside, pipelines, network, examples, names):
    pipeline, row = pipelines[network], examples()[3]
    (model,) = pipeline.networks
    (found,) = answers(inside, network, [row], names)
    view = pipeline.preprocessing.views(torch.from_numpy(read(pipeline, row)), model.arch.members)[0]
    for name, values in model.intermediates(view, names).items():
        first = values[0, : values.shape[1] // model.arch.members].flatten()  # of members the page shows the first
        np.testing.assert_allclose(found[name], first, atol=1e-4, err_msg=name)


def test_contributions_are_those_of_the_package(inside, pipelines):
    pipeline, row = pipelines["gunpoint"], gunpoint_signals()[0]
    text = f"""async (example) => {{
        const input = await ({INPUT})("gunpoint", example);
        const shares = [];
        const found = await networks.gunpoint.contributions(input, 0, 1, (share) => shares.push(share));
        return {{ ...found, shares }};
    }}"""
    found = inside.evaluate(text, row)
    (wanted,) = branch_contributions(pipeline, read(pipeline, row), [0], [1])
    assert found["difference"] == pytest.approx(wanted.difference, abs=2e-3)
    assert found["closes"] and found["shares"][-1] == 1
    for module, shares in found["contributions"].items():
        assert sum(shares.values()) == pytest.approx(found["difference"], rel=0.01)
        assert shares == pytest.approx(dict(wanted.shares[module]), abs=0.05 * abs(wanted.difference))


# ---------------------------------------------------------------- files that are none of ours
@pytest.fixture(scope="module")
def own_file(page_file):
    """What ``googlenet export googlenet_1d.gunpoint --page`` writes: it lies in the page."""
    packed = re.search(rb'id="network-gunpoint">([^<]+)<', page_file.read_bytes())[1]
    return gzip.decompress(base64.b64decode(packed))


def opened(browser, content):
    """The classes of a network in those bytes, or the key of a sentence."""
    text = """async (content) => {
        const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
        try {
            return (await inside.openNetwork(bytes)).classes;
        } catch (error) {
            if (error.name !== "SentenceError") throw error;
            return error.key;
        }
    }"""
    return browser.evaluate(text, base64.b64encode(content).decode())


def test_a_file_of_export_is_opened(inside, own_file):
    assert opened(inside, own_file) == ["gun", "point"]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda whole: b"", "model.empty"),
        (lambda whole: whole[: len(whole) // 2], "model.none"),
        (lambda whole: whole[:-100], "model.none"),
        (lambda whole: b"label,1,2,3\n" * 100, "model.none"),
        (lambda whole: b"\xff" * 1000, "model.none"),
        (lambda whole: whole.replace(b"googlenet-page", b"googlenet-cage"), "model.foreign"),
        (lambda whole: whole.replace(b'"version": 1', b'"version": 9'), "model.version"),
        (lambda whole: whole.replace(b'"kind": "signal"', b'"kind": "volume"'), "model.damaged"),
        (lambda whole: whole.replace(b'"input_shape": [2, 150]', b'"input_shape": [2, 999]'), "model.damaged"),
    ],
)
def test_any_other_file_is_a_sentence(inside, own_file, change, key):
    broken = change(own_file)
    assert broken != own_file
    assert opened(inside, broken) == key


def test_a_huge_file_is_not_looked_at(inside):
    text = """() => {
        try {
            inside.readModel({ length: inside.LARGEST + 1 });
        } catch (error) {
            return error.key;
        }
    }"""
    assert inside.evaluate(text) == "model.large"


def test_a_file_for_programs_is_told_apart(inside):
    graph = onnx.helper.make_graph([], "main", [], [])
    plain = onnx.helper.make_model(graph)
    onnx.helper.set_model_props(plain, {"googlenet": "{}"})  # as googlenet export without --page marks it
    assert opened(inside, plain.SerializeToString()) == "model.plain"


@torch.no_grad()
def test_the_page_answers_after_all_that(inside, pipelines, own_file):
    opened(inside, own_file[:5000])
    row = gunpoint_signals()[9]
    (found,) = answers(inside, "gunpoint", [row])
    wanted = pipelines["gunpoint"](torch.from_numpy(read(pipelines["gunpoint"], row)))[0]
    np.testing.assert_allclose(found["probabilities"], wanted, atol=1e-4)
