"""Many rows at once are what they are row by row: the same signals, bad rows and sentences."""

import random

import numpy as np
import pytest

from googlenet import InputError
from googlenet.data.signals.files import read_file
from googlenet.data.signals.sources.text import columns, lines, marks

MISSING = ("", "NaN", "?", " ", "na")
BAD = ("x1", "1_0", "inf", "1.5.2", "1e999", "٣")


def cell(draw: random.Random) -> str:
    kind = draw.random()
    if kind < 0.02:
        return draw.choice(BAD)
    return (
        draw.choice(MISSING)
        if kind < 0.1
        else draw.choice([f"{draw.gauss(0, 1):.4f}", str(draw.randrange(9)), " 2.5", "1e-3"])
    )


def table(seed: int) -> str:
    """A table with a sample or a signal a row, and what people's tables have."""
    draw = random.Random(seed)
    long = seed % 2 == 0
    mark, end = draw.choice(",;\t|"), draw.choice(["\n", "\r\n"])
    plain = draw.random() < 0.3
    rows = [["id", "time", "x", "label"] if long else ["label", *(f"v{at}" for at in range(9))]]
    for at in range(120):
        values = [f"{draw.gauss(0, 1):.3f}" if plain else cell(draw) for _ in range(1 if long else 9)]
        label = "ab"[at // 12 % 2] if long else draw.choice(["a", "b", " b", "walk up"])
        rows.append([f"s{at // 12}", str(at % 12), *values, label] if long else [label, *values])
    text = []
    for row in rows:
        strange = draw.random() if text and not plain else 1
        row = ['"' + row[0] + '"', *row[1:]] if strange < 0.02 else row
        row = [*row, "9"] if 0.02 < strange < 0.03 else [""] * len(row) if 0.03 < strange < 0.04 else row
        row = ['"' + row[0] + end + '"', *row[1:]] if 0.04 < strange < 0.05 else row
        text.append(mark.join(row) + end + (end if 0.05 < strange < 0.07 else ""))
    text[0] = text[0].replace(end, mark + end) if draw.random() < 0.1 else text[0]
    return "".join(text).removesuffix(end if draw.random() < 0.5 else "-") + draw.choice(["", (mark * 3 + end) * 2])


def read(path):
    """All that is known of a table, or why it cannot be read."""
    found = []
    for labelled in (True, False):
        try:
            found.append(read_file(path, labelled=labelled))
        except InputError as error:
            found.append(str(error))
    return found


def same(one, other) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    signals = len(one.signals) == len(other.signals) and all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(one.signals, other.signals, strict=True)
    )
    facts = ("labels", "groups", "names", "layout", "schema", "bad", "ids", "notes")
    return signals and all(getattr(one, fact) == getattr(other, fact) for fact in facts)


@pytest.mark.parametrize("seed", range(60))
def test_blocks_and_rows_read_the_same(tmp_path, monkeypatch, seed):
    path = tmp_path / "a.csv"
    path.write_text(table(seed), newline="")
    monkeypatch.setattr(lines, "_BLOCK", 300)  # letters, so that there are many blocks of few rows
    many = read(path)
    monkeypatch.setattr(columns, "WIDEST", 0)
    alone = read(path)
    assert all(map(same, many, alone)), (many, alone)


def test_most_tables_are_read_in_blocks(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("id,time,x,label\n" + "".join(f"s{at // 10},{at % 10},{at}.5,a\n" for at in range(200)))
    monkeypatch.setattr(columns.Reading, "add", None)
    assert len(read_file(path).signals) == 20


@pytest.mark.parametrize("piece", [1, 3, 64])
def test_a_long_line_in_pieces_has_the_cells_of_the_whole(monkeypatch, piece):
    monkeypatch.setattr(marks, "_PIECE", piece)
    for line in ("", ",", "1", "1,", ",,,", "0.5,12.25,,0.5, a b ,7", ",".join(map(str, range(300))) + ",,"):
        assert marks.split(line + "\n", ",") == line.split(",")
