"""A picture under what decided."""

import numpy as np

from googlenet.apps.report.charts import drawn
from googlenet.apps.report.overlay import COLOUR, STRENGTH, overlaid
from googlenet.data.protocol import Picture


def test_what_spoke_for_an_answer_has_the_colour_and_what_spoke_against_it_none():
    pixels = np.full((3, 40, 40), 100, np.uint8)
    evidence = np.zeros((4, 4))
    evidence[0, 0], evidence[3, 3] = 2, -2
    found = overlaid(Picture(pixels, evidence))
    expected = [round(100 * (1 - STRENGTH) + STRENGTH * value) for value in COLOUR]
    assert found[:, 0, 0].tolist() == expected
    assert found[:, 39, 39].tolist() == found[:, 20, 20].tolist() == [100] * 3


def test_it_stands_beside_the_picture():
    pixels = np.zeros((1, 8, 8), np.uint8)
    assert drawn(Picture(pixels)).count("<img") == 1
    assert drawn(Picture(pixels, np.ones((2, 2)))).count("<img") == 2
    assert np.array_equal(overlaid(Picture(pixels, -np.ones((2, 2)))), np.zeros((3, 8, 8)))  # nothing spoke for it
