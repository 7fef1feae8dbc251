"""What a file says of its network and training, field by field of another type or size, is a sentence or is read."""

import json
import warnings

import numpy as np
import pytest

from googlenet import InputError
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.kinds import preprocessing_from
from googlenet.data.signals.files import read_file
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.data.signals.recordings.windows import Windows
from googlenet.errors import parsed
from googlenet.training.runs.reading import read_lines
from googlenet.training.runs.records import EpochRow
from googlenet.training.state import _progress_of

# As JSON writes them; the first are of more digits than a number has room for.
STRANGE = ("1" + "0" * 400, "9223372036854775808", "Infinity", "-Infinity", "NaN", "1e400", "-1", "0", "null", "true")
STRANGE += ('""', '"x"', "[]", "{}", "[[]]", "[1]", '["a"]', "[null]", '[{"a": 1}]', "0.5", '"\\u0000"', '"\\ud800"')
TABLE = "label,v0,v1,v2,v3,v4,v5,v6,v7\n" + "".join(
    f"{'ab'[row % 2]},{','.join(f'{(row * 7 + at * 3) % 11}.5' for at in range(8))}\n" for row in range(12)
)


def preprocessing(kind, folder):
    if kind == "picture":
        return ImagePreprocessing(3, 32, 36, (0.5,) * 3, (0.2,) * 3).to_dict()
    (folder / "t.csv").write_text(TABLE)
    table = read_file(folder / "t.csv")
    row = SignalPreprocessing.fitted(table.signals, 8).to_dict() | {"schema": table.schema.to_dict()}
    if kind == "windows":
        row["windows"] = Windows(100.0, ("a",), 16, 8, units=("mV",)).to_dict()
    return row


def places(row, path=()):
    """Every field of a JSON object, however deep."""
    for key, value in row.items() if isinstance(row, dict) else enumerate(row):
        yield (*path, key)
        if isinstance(value, (dict, list, tuple)):
            yield from places(value, (*path, key))


def changed(row, path, text):
    """The object as text with another value in one place."""
    copy = json.loads(json.dumps(row))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = "@here@"
    return json.dumps(copy).replace('"@here@"', text)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", ["picture", "signal", "windows"])
def test_a_strange_field_of_a_preprocessing_is_a_sentence_or_is_read(kind, tmp_path):
    row, read = preprocessing(kind, tmp_path), 0
    (tmp_path / "new.csv").write_text(TABLE)
    for path in list(places(json.loads(json.dumps(row)))):
        for text in STRANGE:
            try:
                found = preprocessing_from(parsed(changed(row, path, text)))
            except ValueError:  # an InputError, or JSON that is refused as a whole
                continue
            found.described()
            found.to_dict()
            if kind == "signal":
                try:
                    for example in found.examples(str(tmp_path / "new.csv"), "new"):
                        if example.error is None:
                            found.read(example.content)
                except InputError:
                    continue
            read += 1
    assert (
        json.dumps(preprocessing_from(row).to_dict()) == json.dumps(row) and read
    )  # some of them are as good as what was there


@pytest.mark.parametrize("key", ["epoch", "step", "history"])
@pytest.mark.parametrize("text", [*STRANGE, "100000000", "-5", '[{"epoch": 1, "loss": 1e400, "accuracy": "x"}]'])
def test_a_strange_field_of_a_checkpoint_is_refused(key, text):
    rows = [EpochRow(1, 0.5, 0.5).to_dict(), EpochRow(2, 0.4, 0.6, validation_accuracy=0.5).to_dict()]
    good = {"epoch": "2", "step": "8", "history": json.dumps(rows)}
    assert _progress_of(good)[:2] == (2, 8)
    if key == "step" and text in ("0", "100000000"):
        return
    with pytest.raises((ValueError, TypeError, OverflowError)):
        _progress_of(good | {key: text})


@pytest.mark.parametrize("field", ["loss", "accuracy", "seconds", "validation_loss", "validation_accuracy"])
@pytest.mark.parametrize("text", ["1" + "0" * 400, '"x"', "[]", "{}"])
def test_a_strange_field_of_an_epoch_is_a_sentence(field, text, tmp_path):
    row = changed(EpochRow(1, 0.5, 0.5).to_dict() | {field: 0.5}, (field,), text)
    (tmp_path / "metrics.jsonl").write_text(f"{row}\n")
    with pytest.raises(InputError, match=r"metrics\.jsonl could not be read"):
        read_lines(tmp_path / "metrics.jsonl", lambda each: EpochRow(**each))


@pytest.mark.parametrize("line", ['{"epoch": Infinity, "seconds": 1}', '{"epoch": 1, "seconds": 1' + "0" * 400 + "}"])
def test_seconds_that_are_no_number_count_as_no_time(line, tmp_path):
    (tmp_path / "times.jsonl").write_text(f"{line}\n")
    with pytest.raises(InputError, match=r"times\.jsonl could not be read"):
        read_lines(tmp_path / "times.jsonl", lambda row: (int(row["epoch"]), float(row["seconds"])))


def test_values_that_have_no_square_are_refused_before_training():
    signals = [np.array([[1e308, -1e308] * 8]), np.array([[1e-308, 4e-324] * 8])]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match="too large to compute with"):
            SignalPreprocessing.fitted(signals, 8)
