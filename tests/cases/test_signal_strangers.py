"""What stands in tables beside samples and was learned from in silence: ids and times in rows without a header, ids
that each owner gives again, second clocks, numbers of channels in place of samples; channels whose names an estimator
knew, and its weights did not; signals that are unlike all that was learned from."""

import csv
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from conftest import run_here
from googlenet import GoogLeNetClassifier, InputError
from googlenet.data.signals.files import examples_of, read_file
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.data.signals.tables.schema import TableColumns
from googlenet.training.recipe import SIGNALS

N, LENGTH = 24, 20
X = np.round(np.random.default_rng(0).normal(size=(N, LENGTH)), 3)
TEXTS = ["slow", "fast"] * (N // 2)
NUMBERS = [0, 1] * (N // 2)


def table(path, rows, head=None):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([*([head] if head else []), *rows])
    return path


def read(path, labelled=True, learned=None, **said):
    return read_file(path, TableColumns(**said), labelled, learned)


IDS = {
    "patients": [100 + at // 2 for at in range(N)],
    "records": [1000 + 7 * at for at in range(N)],
    "times": [1_700_000_000 + 60 * at for at in range(N)],
    "sex": [at % 3 % 2 for at in range(N)],
}


@pytest.mark.parametrize("ids", IDS.values(), ids=list(IDS))
@pytest.mark.parametrize("labels", [TEXTS, NUMBERS], ids=["text", "numbers"])
def test_a_cell_of_ids_is_no_sample(tmp_path, ids, labels):
    for place, label in (("first", 1), ("last", LENGTH + 2), ("last", 1)):
        rows = [[name, *x.tolist()] for name, x in zip(ids, X, strict=True)]
        if place == "first":  # the label, the id, samples; id, samples, label; samples, id, label
            rows = [[label, *row] for label, row in zip(labels, rows, strict=True)]
        else:
            rows = [[*(row if label > 1 else [*row[1:], row[0]]), own] for own, row in zip(labels, rows, strict=True)]
        path = table(tmp_path / "t.csv", rows)
        with pytest.raises(InputError, match="cell (1|2|21) of its rows holds whole numbers"):
            read(path, label=place)
    head = ["record", "label", *(f"v{at}" for at in range(LENGTH))]
    rows = [[name, label, *x] for name, label, x in zip(ids, labels, X, strict=True)]
    assert [s.tolist() for s in read(table(tmp_path / "cure.csv", rows, head)).signals] == [[x.tolist()] for x in X]


@pytest.mark.parametrize("first", [NUMBERS, IDS["records"]], ids=["label", "id"])
def test_a_label_in_place_of_a_sample_is_not_answered(tmp_path, first):
    schema = read(table(tmp_path / "t.csv", [[label, *x] for label, x in zip(TEXTS, X, strict=True)])).schema
    short = table(tmp_path / "new.csv", [[own, *x[1:]] for own, x in zip(first, X, strict=True)])
    with pytest.raises(InputError, match="cell 1 of its rows holds whole numbers"):
        list(examples_of(short, schema))


@pytest.mark.parametrize("values", [np.round(X * 100), np.hstack([np.zeros((N, 1)), X[:, 1:]]), np.round(X)])
def test_whole_numbers_among_others_are_samples(tmp_path, values):
    path = table(tmp_path / "t.csv", [[label, *x] for label, x in zip(TEXTS, values, strict=True)])
    np.testing.assert_array_equal(np.concatenate(read(path).signals), values)


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 0, 1, 2, 3), (2, 1, 3, 0, 4)])
@pytest.mark.parametrize("labels", [TEXTS, NUMBERS], ids=["text", "numbers"])
def test_a_sample_a_row_without_a_header_is_asked_for(tmp_path, order, labels):
    cells = [[at, time / 10, *X[at, 2 * time : 2 * time + 2], labels[at]] for at in range(N) for time in range(10)]
    path = table(tmp_path / "t.csv", [[row[at] for at in order] for row in cells])
    with pytest.raises(InputError, match="looks like one sample.*Add a header"):
        read(path, label="last" if order[-1] == 4 else "first")
    head = ["session", "time", "ax", "ay", "activity"]
    assert len(read(table(tmp_path / "u.csv", cells, head)).signals) == N


def nested(running):
    """Three trials of each of eight people, ten samples each."""
    return [
        [at // 3, at % 3, 10 * at * running + time, X[at, time], TEXTS[at % 3 % 2]]
        for at in range(N)
        for time in range(10)
    ]


@pytest.mark.parametrize("id", ["trial", "subject"])
@pytest.mark.parametrize("head", [["subject", "trial", "time"], ["subject", "trial", "beat"]])
def test_ids_given_again_by_every_owner_are_not_one_signal(tmp_path, id, head):
    path = table(tmp_path / "t.csv", nested(True), [*head, "ax", "activity"])
    other = {"trial": "subject", "subject": "trial"}[id]
    with pytest.raises(InputError, match=f"column '{id}' have several '{other}' each.*Join both"):
        read(path, id=id)
    rows = [[f"{row[0]}/{row[1]}", *row[2:]] for row in nested(False)]
    assert len(read(table(tmp_path / "u.csv", rows, ["id", "time", "ax", "activity"])).signals) == N
    assert len(read(path, id="trial", ignore=("subject",), time=head[2]).signals) == 3


@pytest.mark.parametrize(("name", "every"), [("index", 1), ("level_0", 1), ("obs", 1), ("index", 3), ("row", 2)])
@pytest.mark.parametrize("shuffled", [True, False])
def test_numbers_of_rows_are_no_channel(tmp_path, name, every, shuffled):
    """An index that pandas kept, in whatever order the rows are, whole or of some of the rows of another table."""
    rows = [[at, time, every * (10 * at + time), X[at, time], TEXTS[at]] for at in range(N) for time in range(10)]
    if shuffled:
        np.random.default_rng(0).shuffle(rows)
    found = read(table(tmp_path / "t.csv", rows, ["id", "time", name, "ax", "label"]))
    assert dict(found.schema.ignored)[name] in ("it numbers the rows", "it counts time, too")
    assert [channel.columns for channel in found.schema.channels] == [("ax",)]


@pytest.mark.parametrize("place", ["first", "last"])
def test_counts_with_a_cell_more_and_no_label_are_not_read_shifted(tmp_path, place):
    """Whole numbers, as of a converter: of a number more the values do not tell whether it is the label."""
    counts = np.random.default_rng(3).integers(-900, 900, (N, LENGTH))
    head = [[number, *row] if place == "first" else [*row, number] for number, row in zip(NUMBERS, counts, strict=True)]
    learned = read(table(tmp_path / "b.txt", head)).schema
    assert learned.label == place
    for rows in ([[*row, at] for at, row in enumerate(counts)], [[at, *row] for at, row in enumerate(counts)]):
        with pytest.raises(InputError, match="cannot be told which cell is the label. Remove the labels"):
            read_file(table(tmp_path / "c.txt", rows), labelled=False, learned=learned)
    again = read_file(table(tmp_path / "d.txt", head), labelled=False, learned=learned)
    assert again.labels == tuple(map(str, NUMBERS))
    plain = read_file(table(tmp_path / "e.txt", counts), labelled=False, learned=learned)
    np.testing.assert_array_equal(np.concatenate(plain.signals), counts)


def test_a_single_channel_of_another_name_is_said(tmp_path):
    rows = [[at, time, X[at, time], TEXTS[at]] for at in range(N) for time in range(10)]
    learned = read(table(tmp_path / "t.csv", rows, ["id", "time", "heart_rate", "label"])).schema
    other = table(tmp_path / "u.csv", rows, ["session", "time", "temperature", "label"])
    found = read_file(other, labelled=False, learned=learned)
    assert "temperature is read, and the network learned from heart_rate." in " ".join(found.notes)


def test_what_does_not_name_its_channels_is_said_to_a_network_that_knows_theirs(tmp_path):
    rows = [[at, time, X[at, time], -X[at, time], TEXTS[at]] for at in range(N) for time in range(10)]
    learned = read(table(tmp_path / "t.csv", rows, ["id", "time", "x", "y", "label"])).schema
    np.savez(tmp_path / "a.npz", X=np.stack([-X[:, :10], X[:, :10]], 1), y=TEXTS[:N])
    with pytest.warns(RuntimeWarning, match="does not name its channels, and the network learned from x, y: they are"):
        list(examples_of(tmp_path / "a.npz", learned))


@pytest.mark.parametrize("name", ["timestamp_ns", "unix", "Sensor time"])
def test_a_second_clock_with_jitter_is_no_channel(tmp_path, name):
    random = np.random.default_rng(1)
    clock = [1e9 + 100 * at + time + random.uniform(0, 0.5) for at in range(N) for time in range(10)]
    rows = [[at, time, clock[10 * at + time], X[at, time], TEXTS[at]] for at in range(N) for time in range(10)]
    found = read(table(tmp_path / "t.csv", rows, ["session", "time", name, "ax", "label"]))
    assert (name, "it counts time, too") in found.schema.ignored
    np.testing.assert_array_equal(np.concatenate(found.signals), X[:, :10])


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("t{sample}_ch{channel}", True),
        ("{sample}_sensor{channel}", True),
        ("time{sample}.{channel}", True),
        ("ch{channel}_t{sample}", False),
        ("t{channel}_{sample}", False),
    ],
)
def test_the_last_number_of_a_column_is_that_of_its_sample(tmp_path, name, refused):
    pairs = [(channel, sample) for channel in range(2) for sample in range(LENGTH // 2)]
    head = ["label", *(name.format(channel=channel, sample=sample) for channel, sample in pairs)]
    path = table(tmp_path / "t.csv", [[label, *x] for label, x in zip(TEXTS, X, strict=True)], head)
    if refused:
        with pytest.raises(InputError, match="Rename all so that the last number is that of the sample"):
            read(path)
    else:
        np.testing.assert_array_equal(np.stack(read(path).signals), X.reshape(N, 2, -1))


def test_the_first_of_columns_that_pandas_numbered(tmp_path):
    head = ["label", "x", *(f"x.{at}" for at in range(1, LENGTH))]
    rows = [[label, *x] for label, x in zip(TEXTS, X, strict=True)]
    path = table(tmp_path / "t.csv", rows, head)
    with pytest.raises(InputError, match=r"'x' may be the first sample of x\.1 … x\.19 .*x\.0"):
        read(path)
    np.testing.assert_array_equal(np.concatenate(read(path, ignore=("x",)).signals), X[:, 1:])
    head[1] = "x.0"
    np.testing.assert_array_equal(np.concatenate(read(table(path, rows, head)).signals), X)


# Weights of an estimator


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """Weights fitted to frames of the channels a and b, and a table with b first."""
    folder = tmp_path_factory.mktemp("named")
    index = pd.MultiIndex.from_product([range(N), range(10)])
    frame = pd.DataFrame({"a": X[:, :10].ravel(), "b": X[:, 10:].ravel()}, index=index)
    recipe = replace(SIGNALS, epochs=1, class_epochs=0.0, min_steps=4, members=1)
    model = GoogLeNetClassifier(recipe=recipe, random_state=0).fit(frame, TEXTS)
    model.save(folder / "m.safetensors")
    head = ["name", *(f"{channel}_{at}" for channel in "ba" for at in range(10))]
    rows = [[f"r{at}", *x[10:], *x[:10]] for at, x in enumerate(X)]
    return model, frame, folder / "m.safetensors", table(folder / "new.csv", rows, head)


def test_weights_of_an_estimator_know_their_channels_by_name(named, tmp_path):
    model, frame, weights, new = named
    answer = run_here("predict", weights, new, "--format", "csv", "--top", "1")
    told = [float(row["probability_1"]) for row in csv.DictReader(answer.stdout.splitlines())]
    np.testing.assert_allclose(told, model.predict_proba(frame).max(axis=1), atol=1e-5)
    other = table(tmp_path / "other.csv", [[*x] for x in X], [f"{c}_{at}" for c in "ac" for at in range(10)])
    refused = run_here("predict", weights, other, "--format", "csv")
    assert refused.returncode == 1
    assert "cannot be matched by name" in refused.stdout
    again = GoogLeNetClassifier.load(weights)
    np.testing.assert_array_equal(again.predict_proba(frame[["b", "a"]]), model.predict_proba(frame))


def test_channels_without_names_are_read_as_they_stand_and_that_is_said(named):
    with pytest.warns(RuntimeWarning, match="does not know its channels by name.*as they stand: b, a"):
        list(examples_of(named[-1], None))


def test_signals_of_another_length_than_all_that_were_learned_from_are_said(tmp_path):
    schema = read(table(tmp_path / "t.csv", [[label, *x] for label, x in zip(TEXTS, X, strict=True)])).schema
    reader = replace(SignalPreprocessing.fitted(list(X[:, None]), LENGTH), schema=schema)
    np.save(tmp_path / "short.npy", X[:, :12])
    rows = [[at, time, X[at, time]] for at in range(N) for time in range(10 + at % 2)]
    for path, shown in (
        (tmp_path / "short.npy", "12"),
        (table(tmp_path / "long.csv", rows, ["id", "time", "x"]), "10 to 11"),
    ):
        with pytest.warns(
            RuntimeWarning, match=f"signals of {shown} samples, and the network learned from signals of 20"
        ):
            assert len(list(reader.examples(path, ""))) == N
    np.save(tmp_path / "same.npy", X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(reader.examples(tmp_path / "same.npy", ""))) == N


@pytest.mark.parametrize(("factor", "offset"), [(1, 50), (1, -30), (40, 0)])
def test_signals_of_another_unit_or_level_are_said(factor, offset):
    levels = X + np.linspace(-5, 5, N)[:, None]
    reader = SignalPreprocessing.fitted(list(levels[:, None]), LENGTH)
    with pytest.warns(RuntimeWarning, match="as a whole far from all.*another unit, or level"):
        reader.read(factor * levels[:1] + offset * levels.std())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for signal in levels:
            reader.read(signal[None])
            reader.read(2 * signal[None] + 1)


@pytest.mark.parametrize(
    ("shape", "said"), [((6, 30, 113), True), ((6, 8, 9), True), ((6, 2, 40), False), ((6, 1, 3), False)]
)
def test_arrays_whose_channels_may_be_the_other_axis_are_said(tmp_path, shape, said):
    np.savez(tmp_path / "t.npz", X=np.random.default_rng(0).normal(size=shape), y=[0, 1] * 3)
    found = read(tmp_path / "t.npz")
    assert found.signals[0].shape == shape[1:]
    turned = np.full((shape[0], shape[2], shape[2]), np.nan)
    turned[:, :, : shape[1]] = np.load(tmp_path / "t.npz")["X"].transpose(0, 2, 1)
    np.savez(tmp_path / "turned.npz", X=turned, y=[0, 1] * 3)
    assert read(tmp_path / "turned.npz").signals[0].shape == (shape[2], shape[1])
    assert any(f"signals of {shape[1]} samples in {shape[2]} channels" in note for note in found.notes) == said
