"""Samples that come in lines of text: their dialects, and times that are held to the network's rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from googlenet.data.signals.recordings.stream import blocks_of
from googlenet.data.signals.recordings.windows import Windows
from googlenet.errors import InputError


def came(moments, hop, window=8, rate=10.0, names="time,x", cell="{},1.5", first=()):
    """How many samples of a pipe with such times are taken, and what is said."""
    said = []
    windows = Windows(rate, ("x",), window, hop)
    blocks = blocks_of([*first, names, *map(cell.format, moments)], windows, said.append)
    return sum(block.shape[1] for block in blocks), said


@given(
    st.sampled_from([1, 4, 8, 20]),
    st.integers(60, 200),
    st.randoms(use_true_random=False),
    st.sampled_from([("time", 1.0), ("t_ms", 1000.0), ("timestamp", 1e9)]),
    st.floats(-1e6, 1e6),
)
def test_times_that_jitter_are_those_of_the_rate_and_a_gap_anywhere_is_none(hop, count, draws, named, begins):
    name, unit = named
    at = [
        round(unit * (begins + (row + draws.uniform(-0.2, 0.2)) / 10)) / unit
        if unit > 1
        else begins + (row + draws.uniform(-0.2, 0.2)) / 10
        for row in range(count)
    ]
    written = [f"{moment * unit:.6f}" for moment in at]
    taken, said = came(written, hop, names=f"{name},x")
    assert taken == count and len(said) == 1 and "understood as 10 Hz" in said[0]
    gap = draws.randrange(1, count)
    for jump in (3.0, -2.0):
        torn = [f"{(moment + jump * (row >= gap)) * unit:.6f}" for row, moment in enumerate(at)]
        with pytest.raises(InputError, match=r"a gap, or they jump|says .* Hz"):
            came(torn, hop, names=f"{name},x")


@pytest.mark.parametrize("share", [0.97, 1.03, 0.5, 2, 7])
@pytest.mark.parametrize("hop", [4, 8, 20])
def test_another_rate_is_noticed_however_little_a_window_shows_of_it(share, hop):
    moments = [at / 10 / share for at in range(400)]
    with pytest.raises(InputError, match=f"says {10 * share:.4g} Hz|there is a gap"):
        came(moments, hop)


def test_lines_of_a_pipe_in_other_dialects_and_what_they_lack():
    moments = [at / 10 for at in range(40)]
    assert came(moments, 8, names="\ufefftime,x")[1] != []  # the mark before UTF-8
    dates = [f"2026-01-31 12:00:{moment:04.1f}" for moment in moments]
    assert came(dates, 8, names="time\tx", cell="{}\t1.5")[0] == 40
    assert came(moments, 8, cell="{};NA", names="time;x")[0] == 40
    for cell, said in (
        ("{},1_0", "holds '1_0'"),
        ("{}", "Row 2 of standard input has 1 numbers"),
        ("{},a", "holds 'a'"),
    ):
        with pytest.raises(InputError, match=said):
            came(moments, 8, cell=cell)
    with pytest.raises(InputError, match="Row 2 of standard input is not a row of numbers"):
        came(moments, 8, cell="{}," + "1" * 140_000)
    assert came([], 8) == (0, []) and came(moments[:1], 8) == (1, [])


def test_columns_that_are_not_read_are_said():
    moments = [at / 10 for at in range(40)]
    taken, said = came(moments, 8, names="note,time,x,y", cell="well,{},1.5,2")
    assert taken == 40 and said[0] == "standard input: note, y left out." and "'time' rises by 0.1 a row" in said[1]
    assert came(moments, 8, names="x,time", cell="1.5,{}")[1] == said[1:]


@pytest.mark.parametrize(("name", "unit"), [("time", 1), ("t_ms", 1e3), ("timestamp", 1e6), ("timestamp", 1e9)])
@pytest.mark.parametrize("gap", [1, 4, 7])
def test_a_gap_in_the_first_window_is_one_whatever_the_unit(name, unit, gap):
    moments = [f"{(at / 10 + 3 * (at >= gap)) * unit:.1f}" for at in range(40)]
    with pytest.raises(InputError, match="where a step is .*: there is a gap, or they jump"):
        came(moments, 8, names=f"{name},x")
