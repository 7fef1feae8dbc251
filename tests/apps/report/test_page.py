import os
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import torch

from googlenet.apps.report import charts, inside
from googlenet.apps.report.examples import Example, Examples
from googlenet.apps.report.inside import Inside, Share, look_inside
from googlenet.apps.report.page import write_report
from googlenet.arch.cost import cost
from googlenet.arch.variants import find_arch
from googlenet.data.find import find_data
from googlenet.data.images.arrays import example_set
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.errors import InputError
from googlenet.explain import Explainer
from googlenet.inference.pipeline import Pipeline
from googlenet.nn.googlenet import GoogLeNet
from googlenet.training.runs.folder import Run
from googlenet.training.runs.records import ClassScores, EpochRow, Evaluation, ReliabilityBin, RunRecord
from googlenet.weights.create import create_model

EVIL = '<script>alert("1")</script>&amp;'
PREPROCESSING = {"channels": 1, "size": 32, "resize": 32, "mean": [0.5], "std": [0.2], "mirror": False}
RECORD = RunRecord(
    data="photos/",
    fingerprint="0",
    examples={"train": 1200, "test": 10},
    classes=("cat", EVIL),
    preprocessing=PREPROCESSING,
    recipe={"name": "small", "arch": "googlenet_small", "width": 0.125},
)
HISTORY = [EpochRow(1, 1.5, 0.4, 30.0, 0.1, 1.2, 0.5), EpochRow(2, 0.9, 0.7, 40.0, 0.1, 0.8, 0.75)]
EVALUATION = Evaluation(
    top1=0.8,
    top5=None,
    nll=0.5,
    ece=0.1,
    count=10,
    per_class=(ClassScores("cat", 0.75, 0.6, 0.667, 5), ClassScores(EVIL, 0.833, 1.0, 0.909, 5)),
    confusion=((3, 2), (0, 5)),
    part="test",
)
FIGURE = charts.picture(np.zeros((1, 8, 8), np.uint8))
MISTAKES = (Example("/data/cat/<img src=x>.png", "cat", EVIL, 0.875, FIGURE),)
EXAMPLES = Examples(MISTAKES)


@pytest.fixture(scope="module")
def model():
    return GoogLeNet(find_arch("googlenet_small").scaled(0.125), num_classes=2, in_channels=1)


@pytest.fixture
def written(tmp_path, model):
    """Writes a run of those records, and gives its page."""

    def write(record=RECORD, history=HISTORY, evaluation=EVALUATION, examples=EXAMPLES, inside=None):
        run = Run(tmp_path / "run")
        run.begin(record)
        run.write_history(history)
        run.write_evaluation(evaluation)
        write_report(run, model, examples, inside)
        return run.report.read_text(encoding="utf-8")

    return write


class Parsed(HTMLParser):
    """Elements, and what is to be read."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())


def test_the_page_says_what_the_run_holds(written):
    page = Parsed(written())
    for words in (
        "photos/: 80.0%",
        "googlenet_small at width 0.125, recipe small; 2 classes; 1,200 train, 10 test.",
        "80.00%accuracy",
        "0.500loss, nats",
        "0.100calibration error",
        "10held out",
        "2epochs",
        "Confusion matrix",
        "0.750 0.600".replace(" ", ""),
        "Most confident mistakes 1 of 2.",
        "said " + EVIL,
        "(88%)",
        "an input of 32×32.",
        "parameters",
    ):
        assert words in page.text, words
    assert page.tags.count("table") == 2
    assert page.tags.count("img") == 1
    assert "Files left out" not in page.text and "What decided" not in page.text


def test_names_are_never_markup(written):
    bad = ({"path": f"/data/{EVIL}", "reason": EVIL},)
    page = Parsed(written(replace(RECORD, data=EVIL, bad_files=bad), examples=Examples(MISTAKES, MISTAKES)))
    assert "script" not in page.tags
    assert page.text.count(EVIL) == 2 + 2 + 2 + 2  # title, head; matrix; two captions; a file and its reason
    assert page.tags.count("img") == page.text.count("<img src=x>.png") == 2


def test_the_page_needs_no_network_and_no_script(written):
    page = written()
    assert "http" not in page and "url(" not in page and "@import" not in page and "<script" not in page
    sources = [value for name, value in Parsed(page).attributes if name in ("src", "href")]
    assert sources and all(value.startswith("data:image/png;base64,") for value in sources)


def test_the_page_is_light_or_dark_as_its_reader_likes(written):
    style = re.search("<style>(.*)</style>", written(), re.DOTALL)[1]
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    for name, colour in charts.LIGHT.items():
        assert f"--{name}: {colour};" in light
        assert f"--{name}: {charts.DARK[name]};" in dark
    used = set(re.findall(r"var\(--(\w+)\)", written())) - {"strength"}
    assert used and used <= charts.LIGHT.keys()


def test_curves_are_drawn_of_what_was_measured(written):
    both = Parsed(written())
    assert both.tags.count("svg") == 2 and both.tags.count("polyline") == 4
    alone = [replace(row, validation_loss=None, validation_accuracy=None) for row in HISTORY]
    assert Parsed(written(history=alone)).tags.count("polyline") == 2
    assert "Learning curves" not in written(history=[])


def test_right_answers_show_what_decided(written):
    figure = charts.signal(np.zeros((1, 9)), np.ones(3))
    right = (Example("table.csv:3", "cat", "cat", 1.0, figure),)
    page = Parsed(written(examples=Examples((), right)))
    assert "What decided" in page.text and "table.csv:3" in page.text
    assert "Mistakes None on the part held out." in page.text


@pytest.mark.parametrize(
    ("smoothing", "part", "words"),
    [
        (0.0, "test", "(95 %). Its temperature, 0.81, was found on 40 examples that were held out"),
        (0.05, "test", "The smoothing of labels, 0.05, is undone. Its temperature, 0.81, was found on 40 examples"),
        (0.05, "validation", "held out, these: each half of them is shown at that of the other half."),
    ],
)
def test_what_calibrates_is_said_beside_the_reliability(written, smoothing, part, words):
    bins = [ReliabilityBin(0.9, 0.8, 10)]
    found = {"temperature": 0.81, "calibrated_on": "40 examples that were held out", "smoothing": smoothing}
    page = Parsed(written(evaluation=replace(EVALUATION, part=part, reliability=bins, **found)))
    assert words in page.text and "Its temperature" not in Parsed(written()).text


def test_a_confusion_matrix_that_is_too_wide_is_left_out(written):
    scores = tuple(ClassScores(f"class {n}", 1, 1, 1, 1) for n in range(41))
    confusion = np.eye(41, dtype=int).tolist()
    assert "Confusion matrix" not in written(evaluation=replace(EVALUATION, per_class=scores, confusion=confusion))


def test_rare_and_common_answers_have_their_colours(written):
    cells = re.findall(r'<td class="(\w+)" style="--strength: ([\d.]+)">(\d+)</td>', written())
    assert cells == [("right", "0.48", "3"), ("wrong", "0.72", "2"), ("right", "0.72", "5")]


def test_files_left_out_are_listed_to_a_limit(written):
    bad = tuple({"path": f"/data/{n}.png", "reason": "truncated"} for n in range(103))
    page = Parsed(written(replace(RECORD, bad_files=bad)))
    assert "Files left out: 103" in page.text and "and 3 more" in page.text
    assert page.text.count("truncated") == 100


def test_names_that_are_no_text_do_not_stop_the_page(written):
    name = os.fsdecode(b"caf\xe9.png")
    page = written(
        replace(RECORD, bad_files=({"path": name, "reason": "empty"},)),
        examples=Examples((replace(MISTAKES[0], name=name),)),
    )
    assert page.count("caf\\udce9.png") == 2


def test_the_page_does_not_say_how_long_it_took(written):
    pages = [written(history=[EpochRow(1, 1.0, 0.5, seconds)]) for seconds in (3.4, 9000.0)]
    assert pages[0] == pages[1] and "1epoch" in Parsed(pages[0]).text


def test_a_run_that_is_not_finished_has_no_page(tmp_path, model):
    run = Run(tmp_path)
    run.begin(RECORD)
    with pytest.raises(InputError, match="not finished"):
        write_report(run, model, Examples())
    assert not run.report.exists()


def test_what_passes_through_the_branches_is_a_table(written):
    shares = [Share(130.4, 1.0), Share(-30.4, 0.23), Share(None, 0.0)]
    page = written(inside=Inside(3, False, ["1x1", "3x3", "shortcut"], {"4c": shares}))
    text = Parsed(page).text
    assert "Look inside" in text and "the mean of the 3 surest right answers" in text
    assert re.findall(r'<td class="(\w+)" style="--strength: ([\d.]+)">(130|&minus;30)</td>', page) == [
        ("right", "0.60", "130"),
        ("wrong", "0.14", "&minus;30"),
    ]
    assert "Look inside" not in written()


def test_branches_are_weighed_for_the_surest_mistakes_else_for_right_answers():
    explainer = Explainer("googlenet_1d.gunpoint")
    part = find_data("gunpoint").held_out.subset(range(4))
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4], [0.2, 0.8]])
    found = look_inside(explainer.pipeline, part, probabilities, np.array([1, 1, 1, 1]))
    assert (found.count, found.mistakes) == (2, True)
    for shares in found.modules.values():
        assert sum(share.percent or 0 for share in shares) == pytest.approx(100)
    right = look_inside(explainer.pipeline, part, probabilities, np.array([0, 1, 0, 1]))
    assert (right.count, right.mistakes) == (4, False)


def test_a_network_that_learned_nothing_is_not_weighed_for_long(monkeypatch):
    """Of such a one hardly any sum closes, however many points of a path are computed."""
    preprocessing = ImagePreprocessing(1, 28, 28, (0.5,), (0.25,))
    torch.manual_seed(0)
    model = create_model("googlenet_small", num_classes=2, in_channels=1).eval()
    each = cost("googlenet_small", (28, 28), in_channels=1).macs
    monkeypatch.setattr(inside, "WORK", 2 * inside.POINTS * each)
    seen = []
    model.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
    rows = np.random.default_rng(0).integers(0, 256, (4, 28, 28), np.uint8)
    part = example_set(rows, torch.tensor([0, 1, 0, 1]), preprocessing)
    found = look_inside(Pipeline([model], preprocessing), part, np.full((4, 2), 0.5), np.array([0, 1, 0, 1]))
    assert found is None or found.count <= 2
    assert 0 < sum(seen) < 2 * 4 * inside.POINTS
    monkeypatch.setattr(inside, "WORK", each)
    assert look_inside(Pipeline([model], preprocessing), part, np.full((4, 2), 0.5), np.array([0, 1, 0, 1])) is None
