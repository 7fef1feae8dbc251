import base64
import io
import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from googlenet.apps.report import charts
from googlenet.data.protocol import Picture, Trace

EVIL = '<script>alert("1")</script> & co'
SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg):
    """What a program that reads XML makes of it; raises if it is not well formed."""
    return ElementTree.fromstring(svg)


def texts(tree):
    return ["".join(node.itertext()) for node in tree.iter() if node.tag.endswith("text")]


def places(tree):
    return [tuple(map(float, pair.split(","))) for pair in tree.find(".//polyline").get("points").split()]


def pixels_of(image):
    data = parsed(image).get("src").removeprefix("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


@pytest.mark.parametrize(
    "svg",
    [
        charts.curves(EVIL, EVIL, {EVIL: [(1, 0.5), (2, 0.7)]}),
        charts.bars(EVIL, EVIL, {EVIL: {"median": 2.0, "least": 1.0, "most": 3.0}}),
    ],
)
def test_names_are_never_markup(svg):
    tree = parsed(svg)
    assert not [node for node in tree.iter() if node.tag == "script"]
    assert sum(EVIL in text for text in texts(tree)) == 3
    assert tree.get("aria-label") == EVIL


def test_a_curve_goes_where_its_values_are():
    line = [(1, 0.0), (2, 1.0), (3, 1.0), (5, 0.5)]
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = places(parsed(charts.curves("Loss", "epoch", {"training": line})))
    assert x3 - x2 == pytest.approx(x2 - x1, abs=0.2) and x4 - x3 == pytest.approx(2 * (x2 - x1), abs=0.2)
    assert y2 == y3 < y4 < y1  # up is less in SVG
    assert y4 == pytest.approx((y1 + y2) / 2, abs=0.2)


def test_equal_ratios_are_equally_far_apart_on_logarithmic_axes():
    tree = parsed(charts.curves("Cost", "size", {"time": [(1, 1.0), (10, 10.0), (1000, 1000.0)]}, logarithmic=True))
    (x1, y1), (x2, y2), (x3, y3) = places(tree)
    assert x3 - x2 == pytest.approx(2 * (x2 - x1), abs=0.2)
    assert y2 - y3 == pytest.approx(2 * (y1 - y2), abs=0.2)
    assert {"1", "10", "100", "1000"} <= set(texts(tree))


@pytest.mark.parametrize(
    ("low", "high", "logarithmic", "ticks"),
    [
        (0.2, 0.81, False, [0.2, 0.4, 0.6, 0.8]),
        (-1, 1, False, [-1, -0.5, 0, 0.5, 1]),
        (0, 52_000, False, [0, 20_000, 40_000]),
        (0.1, 1000, True, [0.1, 1, 10, 100, 1000]),
    ],
)
def test_ticks_are_round(low, high, logarithmic, ticks):
    assert charts.Axis(low, high, 0, 1, logarithmic).ticks() == pytest.approx(ticks)


@pytest.mark.parametrize("line", [[], [(1, 0.5)], [(1, 0.0), (2, 0.0)], [(1, math.nan), (2, math.inf)]])
def test_curves_with_little_to_show_are_drawn(line):
    svg = charts.curves("Loss", "epoch", {"training": line})
    parsed(svg)
    assert "nan" not in svg and "inf" not in svg.replace("infinity", "")


def test_what_is_not_finite_is_left_out():
    tree = parsed(charts.curves("Loss", "epoch", {"training": [(1, 1.0), (2, math.nan), (3, 0.5)]}))
    assert len(places(tree)) == 2


def test_bars_are_as_long_as_their_medians():
    rows = {name: {"median": m, "least": m, "most": m} for name, m in (("ours", 40.0), ("theirs", 10.0))}
    svg = charts.bars("Speed", "images a second", rows)
    first, second = [node for node in parsed(svg).iter("rect") if node.get("rx")]
    assert float(first.get("width")) == 4 * float(second.get("width"))
    assert first.get("fill") == "var(--blue)" and second.get("fill") == "var(--grey)"


def test_a_saved_chart_needs_no_page(tmp_path):
    path = tmp_path / "chart.svg"
    charts.save(path, charts.curves("Loss", "epoch", {"training": [(1, 0.5), (2, 0.7)]}))
    text = path.read_text(encoding="utf-8")
    assert parsed(text).tag == f"{SVG}svg"
    assert "var(" not in text and charts.LIGHT["blue"] in text


def test_both_styles_have_every_colour():
    assert charts.LIGHT.keys() == charts.DARK.keys()
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in (*charts.LIGHT.values(), *charts.DARK.values()))


@pytest.mark.parametrize("shape", [(1, 20, 30), (3, 20, 30)])
def test_a_picture_is_its_pixels(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    image = charts.drawn(Picture(pixels))
    expected = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    np.testing.assert_array_equal(pixels_of(image), expected)
    assert parsed(image).get("class") == "picture"


def test_a_wide_picture_is_shown_wide():
    image = charts.picture(np.zeros((1, 40, 200), np.uint8))
    assert parsed(image).get("class") == "strip" and pixels_of(image).shape == (40, 200)


def test_large_pictures_are_made_small():
    assert pixels_of(charts.picture(np.zeros((3, 600, 500), np.uint8))).shape == (224, 187, 3)


def test_a_signal_is_drawn_on_what_decided():
    values = np.array([[0.0, 1.0, 0.0, -1.0], [0.5, 0.5, 0.5, 0.5]])
    tree = parsed(charts.drawn(Trace(values, np.array([0.0, 4.0, -3.0, 2.0]))))
    grounds = list(tree.iter("rect"))
    assert [float(node.get("x")) for node in grounds] == [65, 195]  # the second and the fourth quarter of 260
    assert [node.get("opacity") for node in grounds] == ["0.45", "0.23"]
    lines = list(tree.iter("polyline"))
    assert len(lines) == 2
    assert [y for _, y in places(tree)] == [48, 4, 48, 92]


def test_a_signal_without_evidence_has_no_ground():
    assert not list(parsed(charts.drawn(Trace(np.zeros((1, 9))))).iter("rect"))


def test_a_long_signal_keeps_its_peaks():
    values = np.zeros((1, 100_001))
    values[0, 77_777], values[0, 3] = 5, -5
    ys = [y for _, y in places(parsed(charts.signal(values)))]
    assert len(ys) <= charts.POINTS and min(ys) == 4 and max(ys) == 92
