"""WFDB's annotations are those that its own library reads, and one that hangs that library is read, too."""

import random

import numpy as np
import pytest

from googlenet import InputError
from googlenet.data.signals.recordings.readers.notes import read_notes

wfdb = pytest.importorskip("wfdb")
SYMBOLS = "NLRaVFJASEj/Q~|sT*Dp=B^t+u?![]en@xf()r"
STEPS = (0, 1, 3, 200, 1023, 1024, 5000, 10**6)


@pytest.mark.parametrize("seed", range(20))
def test_annotations_are_those_of_the_library(tmp_path, seed):
    draws = random.Random(seed)
    count = draws.randrange(1, 40)
    places = np.cumsum([draws.choice(STEPS) for _ in range(count)])
    texts = [draws.choice(("", "(AFIB", "(N\0", "x", "abc")) for _ in places]
    own = draws.choice((None, [(44, "Y", "a thing"), (1, "k", "another one")]))
    symbols = [draws.choice(SYMBOLS[1:]) for _ in places]
    written = {"aux_note": texts, "write_dir": str(tmp_path), "fs": draws.choice((None, 100, 250.5))}
    wfdb.wrann("x", "atr", places, symbols, custom_labels=own, **written)
    wanted = wfdb.rdann(str(tmp_path / "x"), "atr")
    rate, notes = read_notes(tmp_path / "x.atr")
    assert rate == wanted.fs
    assert notes == list(zip(wanted.sample, wanted.symbol, wanted.aux_note, strict=True))


def test_a_file_cut_short_anywhere_is_read_or_a_sentence(tmp_path):
    wfdb.wrann("x", "atr", np.array([5, 5000]), ["+", "N"], aux_note=["(AFIB", ""], write_dir=str(tmp_path), fs=100)
    whole = (tmp_path / "x.atr").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "x.atr").write_bytes(whole[:length])
        try:
            assert len(read_notes(tmp_path / "x.atr")[1]) <= 2
        except InputError as error:
            assert "x.atr is damaged" in str(error)


def test_more_than_recordings_have_is_a_sentence(tmp_path):
    (tmp_path / "x.atr").write_bytes(b"\1\4" * 2**21)
    with pytest.raises(InputError, match="larger than such files are"):
        read_notes(tmp_path / "x.atr")
