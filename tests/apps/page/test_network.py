"""The networks of the page, in a browser, against PyTorch: answers, maps, contributions; and files that are none."""

import base64
import gzip
import json
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
def in_page(page_file, name):
    packed = re.search(rf'id="network-{name}">([^<]+)<'.encode(), page_file.read_bytes())[1]
    return gzip.decompress(base64.b64decode(packed))


@pytest.fixture(scope="module")
def own_file(page_file):
    """What ``googlenet export googlenet_1d.gunpoint --page`` writes: it lies in the page."""
    return in_page(page_file, "gunpoint")


@pytest.fixture(scope="module")
def picture_file(page_file):
    """The same of ``googlenet_small.fashion_mnist``."""
    return in_page(page_file, "fashion_mnist")


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


def rewritten(content, change):
    """The file with other metadata: ``change(entries, notes)`` changes them in place."""
    model = onnx.load_from_string(content)
    entries = {entry.key: entry.value for entry in model.metadata_props}
    notes = json.loads(entries["googlenet-page"])
    change(entries, notes)
    if entries.get("googlenet-page"):
        entries["googlenet-page"] = json.dumps(notes)
    onnx.helper.set_model_props(model, entries)
    return model.SerializeToString()


def reading(**values):
    return lambda _, notes: notes["preprocessing"].update(values)


def in_notes(**values):
    return lambda _, notes: notes.update(values)


def in_branch(**values):
    return lambda _, notes: notes["modules"][0]["branches"][0].update(values)


def some_slow(*changes):
    """Every fifth in the fast tests, the others in the slow ones: each opens a network."""
    return [each if at % 5 == 0 else pytest.param(each, marks=pytest.mark.slow) for at, each in enumerate(changes)]


MANY = [{"name": str(i), "layers": [{"type": "inception", "name": f"{i} {j}", "branches": []} for j in range(300)]}
        for i in range(300)]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    some_slow(
        reading(length=10**9),
        reading(length=149),
        reading(length=0),
        reading(channels=2),
        reading(channels="1"),
        reading(mean=[]),
        reading(mean=["0"]),
        reading(std=[0.0]),
        reading(std=[1.0, 1.0]),
        reading(slope=[-1.0]),
        reading(slope=[]),
        reading(low=[]),
        reading(constant=[1]),
        reading(longest=-1),
        in_notes(preprocessing={"kind": "signal"}),
        in_notes(input_shape=[2, 1 << 20]),
        in_notes(view_shape=[1 << 20, 1 << 20, 1 << 20]),
        in_notes(view_shape=[1 << 20, 150]),
        in_notes(classes=[1, 2]),
        in_notes(classes=[str(i) for i in range(100_000)]),
        in_notes(classes=["a" * 100_000, "b"]),
        in_notes(switches=[]),
        in_notes(switches=[{"name": str(i), "kind": "branch", "default": 1} for i in range(10_000)]),
        in_notes(edges=[{"name": "x", "modules": ["1a"]}]),
        in_notes(modules=[]),
        in_branch(to=10**9),
        in_branch(name="<img src=x>"),
        in_branch(kernel=10**9),
        lambda _, notes: notes["modules"][0].update(name="__proto__"),
        lambda _, notes: notes["modules"].pop(),
        lambda _, notes: notes["arch"].update(members=notes["arch"]["members"] + 1),
        lambda _, notes: notes["arch"].update(stages=[{"layers": [{"name": "zz"}]}]),
        lambda _, notes: notes["arch"].update(stages=MANY),
        lambda entries, _: entries.pop("googlenet-page-path"),
        lambda entries, _: entries.pop("googlenet-page-neutral"),
        lambda entries, _: entries.update({"googlenet-page-path": "AAAA<b>"}),
        lambda entries, _: entries.update({"googlenet-page-neutral": ""}),
    ),
)
def test_notes_that_are_not_of_the_network_are_a_sentence(inside, own_file, change):
    assert opened(inside, rewritten(own_file, change)) == "model.damaged"


@pytest.mark.parametrize(
    "change",
    some_slow(
        reading(size=10**9, resize=10**9),
        reading(size=20),
        reading(resize=0),
        reading(resize=10**9),
        reading(resize=28.5),
        reading(channels=3),
        reading(mean=[0.1, 0.2]),
        reading(std=[-1.0]),
        in_notes(input_shape=[1, 1024, 1024], view_shape=[1, 1024, 1024]),
    ),
)
def test_notes_of_pictures_that_are_not_of_the_network_are_a_sentence(inside, picture_file, change):
    assert opened(inside, rewritten(picture_file, change)) == "model.damaged"


def test_files_are_opened_whose_notes_were_only_written_anew(inside, own_file, picture_file):
    assert opened(inside, rewritten(own_file, lambda *_: None)) == ["gun", "point"]
    assert len(opened(inside, rewritten(picture_file, reading(resize=32)))) == 10


def test_a_network_without_one_of_its_maps_is_a_sentence(inside, own_file):
    model = onnx.load_from_string(own_file)
    model.graph.output.pop()
    assert opened(inside, model.SerializeToString()) == "model.damaged"


def test_a_network_that_answers_with_no_numbers_is_a_sentence(inside, own_file):
    model = onnx.load_from_string(own_file)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            values = np.full_like(onnx.numpy_helper.to_array(tensor), np.nan)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    assert opened(inside, model.SerializeToString()) == "model.damaged"


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
