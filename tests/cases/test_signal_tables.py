"""Tables of signals that once were read as something else than their owners meant: what each column is, is found, said,
kept with the network, and found again in the next table."""

import csv
import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import run_here, same_signals, write
from googlenet import InputError
from googlenet.data.find import Columns
from googlenet.data.signals.files import examples_of, read_file
from googlenet.data.signals.find import find_signals
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.data.signals.tables.schema import Schema, TableColumns

RANDOM = np.random.default_rng(0)
N, LENGTH = 20, 12
X = np.round(RANDOM.normal(size=(N, LENGTH)), 3)
Y = np.array(["slow", "fast"])[np.arange(N) % 2]
SAMPLES = [f"v{at}" for at in range(LENGTH)]


def table(folder, name, columns, mark=","):
    """A table of columns by name, each a list of cells."""
    with (folder / name).open("w", newline="") as file:
        writer = csv.writer(file, delimiter=mark)
        writer.writerows([list(columns), *zip(*columns.values(), strict=True)])
    return folder / name


def samples(values=X, names=SAMPLES):
    return dict(zip(names, values.T.tolist(), strict=True))


def long_columns(values, **more):
    """A row a sample of ``(n, channels, length)``: the columns ``c0``, ``c1``, ... and more, by signal and time."""
    n, channels, length = values.shape
    pairs = [(signal, time) for signal in range(n) for time in range(length)]
    found = {name: [cell(signal, time) for signal, time in pairs] for name, cell in more.items()}
    return found | {f"axis {chr(97 + c)}": values.transpose(1, 0, 2)[c].ravel().tolist() for c in range(channels)}


def read(path, labelled=True, learned=None, **said):
    return read_file(path, TableColumns(**said), labelled, learned)


def predicted(path, schema):
    """What a network of that schema gets of a table: names, signals, errors; and what is said."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = list(examples_of(path, schema))
    return found, " ".join(str(warning.message) for warning in caught)


# Beside a numbered run nothing is a sample (16)

BESIDE = {
    "subject_id": range(N),
    "recording": range(1000, 1000 + N),
    "ID": range(N),
    "Unnamed: 0": range(N),
    "patient": [at // 4 for at in range(N)],
    "timestamp": [1.7e9 + 60 * at for at in range(N)],
    "sample_rate": [500 if y == "slow" else 250 for y in Y],
    "record_id": range(N),
    "row": range(N),
    "age": [20 + at % 7 for at in range(N)],
    "Lead 1": range(N),
    "": range(N),
    "v": range(N),
}


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.parametrize("last", [False, True])
def test_a_column_beside_the_run_is_no_sample_and_is_named(tmp_path, name, last):
    beside = {name: BESIDE[name]}
    path = table(tmp_path, "t.csv", samples() | {"label": Y} | beside if last else beside | {"label": Y} | samples())
    found = read(path)
    same_signals(found.signals, X)
    assert repr(name) in found.layout
    assert name in dict(found.schema.rows()) or (not name and "(no name)" in dict(found.schema.rows()))


def test_patients_and_times_beside_signals_are_no_long_table(tmp_path):
    for rising in ("timestamp", "beat"):
        columns = {"patient": [at // 4 for at in range(N)], rising: range(N), "label": Y}
        same_signals(read(table(tmp_path, "t.csv", columns | samples())).signals, X)


# What is a run


@pytest.mark.parametrize(
    "names",
    [
        [f"s{at + 1:03}" for at in range(LENGTH)],
        [f"{at}" for at in range(LENGTH)],
        [f"{at * 0.004:.3f}" for at in range(LENGTH)],
        [f"t_{at * 5}" for at in range(LENGTH)],
        [f"x{at + 1:0{1 + at % 3}}" for at in range(LENGTH)],
        [f"{8 + at // 4:02}:{15 * (at % 4):02}" for at in range(LENGTH)],
        [f"2026-0{1 + at // 6}-{26 + at % 6}" if at < 6 else f"2026-02-0{at - 5}" for at in range(LENGTH)],
        [f"[{at}] mV" for at in range(LENGTH)],
    ],
)
def test_numbered_names_of_many_kinds_are_one_run_in_their_order(tmp_path, names):
    order = RANDOM.permutation(LENGTH)
    shuffled = {names[at]: X[:, at].tolist() for at in order}
    same_signals(read(table(tmp_path, "t.csv", {"label": Y} | shuffled)).signals, X)


@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize("form", ["{}_{}", "{}{}", "{1}_{0}", "{}[{}]"])
def test_runs_of_equal_length_are_channels(tmp_path, interleaved, form):
    pairs = [(c, t) for t in range(6) for c in (0, 1)] if interleaved else [(c, t) for c in (0, 1) for t in range(6)]
    columns = {form.format(("ax", "gy")[c], t): X[:, 6 * c + t].tolist() for c, t in pairs}
    found = read(table(tmp_path, "t.csv", {"label": Y} | columns))
    same_signals(found.signals, X.reshape(N, 2, 6))
    assert found.schema.names == ("ax", "gy")


def test_a_gap_is_said_and_unequal_runs_are_refused(tmp_path):
    names = [f"v{at}" for at in range(LENGTH + 1) if at != 4]
    assert "lack 1, v4 first" in " ".join(read(table(tmp_path, "t.csv", {"label": Y} | samples(names=names))).notes)
    names = [f"a{at}" for at in range(7)] + [f"b{at}" for at in range(5)]
    with pytest.raises(InputError, match="not equally many.*--ignore"):
        read(table(tmp_path, "t.csv", {"label": Y} | samples(names=names)))


def test_columns_without_a_run_are_asked_for(tmp_path):
    columns = {"age": range(N), "height": range(N), "weight": range(N), "label": Y}
    path = table(tmp_path, "t.csv", columns)
    with pytest.raises(InputError, match="age, height, weight are no run of numbered ones.*--ignore"):
        read(path)
    same_signals(read(path, ignore=("age",)).signals, [[at, at] for at in range(N)])
    with pytest.raises(InputError, match="--ignore: There is no column 'agee'. Did you mean 'age'"):
        read(path, ignore=("agee",))


def test_thirty_thousand_columns(tmp_path):
    wide = np.round(RANDOM.normal(size=(2, 30_000)), 3)
    names = [f"v{at}" for at in range(30_000)]
    found = read(table(tmp_path, "t.csv", {"label": ["a", "b"]} | samples(wide, names)))
    same_signals(found.signals, wide)
    text = json.dumps(found.schema.to_dict())
    assert len(text) < 1000
    assert Schema.from_dict(json.loads(text)) == found.schema


# Labels (21, 25, 26)


def test_labels_of_tables_stay_text(tmp_path):
    labels = [("01", "1", "1E1", "10", "007", "True", "NA", "1.0")[at % 8] for at in range(N)]
    found = read(table(tmp_path, "t.csv", {"label": labels} | samples()))
    assert found.labels == tuple(labels)
    assert len(find_signals(str(tmp_path / "t.csv")).classes) == 8
    rows = write(tmp_path, "t.tsv", "1.0000e+00\t0.5\t1.5\n2.0000e+00\t0.5\t2.5\n")
    assert read(rows).labels == ("1", "2")


@pytest.mark.parametrize(
    "labels",
    [RANDOM.random(N).round(4), range(N), [f"rec{at}" for at in range(N)], [0.5 + at // 2 for at in range(N + 2)][:N]],
)
def test_labels_that_are_no_classes(tmp_path, labels):
    n = len(labels)
    doubled = np.concatenate([X, X + 1])[:n]
    path = table(tmp_path, "t.csv", {"label": labels} | samples(doubled))
    np.savez(tmp_path / "t.npz", X=doubled, y=np.array(labels))
    for source in (path, tmp_path / "t.npz"):
        if len(set(labels)) == n:
            with pytest.raises(InputError, match="are all different.*a number to predict, or an id"):
                find_signals(str(source))


def test_measurements_are_no_classes_and_one_signal_a_class_to_learn_from_is_fine_with_a_test_part(tmp_path):
    labels = [1.5 + at % 15 for at in range(N)]
    with pytest.raises(InputError, match="15 different numbers.*a number to predict"):
        find_signals(str(table(tmp_path, "t.csv", {"label": labels} | samples())))
    table(tmp_path, "F_TRAIN.csv", {"label": range(N)} | samples())
    table(tmp_path, "F_TEST.csv", {"label": [at // 2 for at in range(N)]} | samples(X + 1))
    assert len(find_signals(str(tmp_path / "F")).classes) == N


def test_the_only_text_is_the_label_but_for_names_of_patients(tmp_path):
    path = table(tmp_path, "t.csv", {"rhythm": Y, "subject": [f"S{at // 4}" for at in range(N)]} | samples())
    assert read(path).schema.target == "rhythm"
    path = table(tmp_path, "t.csv", {"subject": [f"S{at // 4}" for at in range(N)], "outcome": [0, 1] * 10} | samples())
    with pytest.raises(InputError, match="--target"):
        read(path)
    path = table(tmp_path, "t.csv", {"rhythm": Y, "site": Y[::-1]} | samples())
    with pytest.raises(InputError, match="columns rhythm, site hold text.*--target"):
        read(path)


def test_a_test_part_with_other_classes_and_another_order_of_columns(tmp_path):
    table(tmp_path, "A_TRAIN.csv", {"label": Y} | samples())
    strange = ["odd" if at < 3 else y for at, y in enumerate(Y)]
    table(tmp_path, "A_TEST.csv", dict(reversed((samples(X + 1) | {"label": strange, "age": range(N)}).items())))
    data = find_signals(str(tmp_path / "A"))
    assert (data.classes, len(data.test)) == (("fast", "slow"), N - 3)
    same_signals(data.test.signals, X[3:] + 1)
    notes = " ".join(data.notes)
    assert "3 signals of the test part are left out" in notes
    assert "'odd'" in notes
    assert "age" in notes


# Rows without a header (13)


@pytest.mark.parametrize("kind", ["csv", "tsv"])
@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize("rounded", [1, 3])
def test_where_the_label_stands_is_seen_by_the_values(tmp_path, kind, place, rounded):
    unit = np.round((X - X.min()) / np.ptp(X), rounded)
    y = np.sort(np.arange(N) % 3)[:, None].astype(float)  # sorted by class, as the file of Kaggle is
    path = tmp_path / f"mitbih_train.{kind}"
    np.savetxt(path, np.hstack([y, unit] if place == "first" else [unit, y]), delimiter="," if kind == "csv" else "\t")
    found = read(path)
    same_signals(found.signals, unit)
    assert found.labels == tuple(str(int(label)) for label in y[:, 0])
    assert found.schema.label == place


def test_where_it_cannot_be_seen_it_is_asked_for(tmp_path):
    whole = RANDOM.integers(0, 4, (N, 8))
    np.savetxt(tmp_path / "t.csv", whole, delimiter=",", fmt="%d")
    with pytest.raises(InputError, match="--label-first or --label-last"):
        read(tmp_path / "t.csv")
    same_signals(read(tmp_path / "t.csv", label="last").signals, whole[:, :-1].astype(float))
    assert read(tmp_path / "t.csv", label="first").labels == tuple(map(str, whole[:, 0]))
    np.savetxt(tmp_path / "u.csv", X, delimiter=",")
    with pytest.raises(InputError, match="neither the first nor the last.*--label-first"):
        read(tmp_path / "u.csv")
    with pytest.raises(InputError, match="--label-first and --label-last say"):
        read(tmp_path / "u.csv", target="60")
    text = write(tmp_path, "v.csv", "a,1.5,2.5,x\nb,1.5,2.5,y\n" * 3)
    with pytest.raises(InputError, match="both the first and the last"):
        read(text, header=False)


def test_rows_are_read_as_the_network_learned_them(tmp_path):
    y = np.arange(N)[:, None] % 2
    np.savetxt(tmp_path / "learn.csv", np.hstack([X, y]), delimiter=",")
    schema = read(tmp_path / "learn.csv").schema
    np.savetxt(tmp_path / "bare.csv", X, delimiter=",")
    np.savetxt(tmp_path / "short.csv", X[:, :-2], delimiter=",")
    np.savetxt(tmp_path / "turned.csv", np.hstack([y, X]), delimiter=",")
    header = table(tmp_path, "named.csv", {"class": Y, "age": range(N)} | samples())
    for path in (tmp_path / "learn.csv", tmp_path / "bare.csv", header):
        same_signals([example.content for example in predicted(path, schema)[0]], X)
    errors = {example.error for example in predicted(tmp_path / "short.csv", schema)[0]}
    assert len(errors) == N
    assert all("has 10 samples, and the network learned from signals of 12" in error for error in errors)
    with pytest.raises(InputError, match="cannot be told which cell is the label"):
        predicted(tmp_path / "turned.csv", schema)


# Long tables (33)


@pytest.mark.parametrize(
    ("identity", "time", "target"),
    [
        ("session", "time", "activity"),
        ("subject", "seconds", "what"),
        ("trial", "frame", "label"),
        ("k", "ms", "class"),
    ],
)
def test_a_long_table_is_known_by_its_shape(tmp_path, identity, time, target):
    values = np.round(RANDOM.normal(size=(6, 3, 15)), 3)
    roles = {
        identity: lambda signal, _: signal,
        time: lambda _, at: at / 50,
        target: lambda signal, _: "ab"[signal % 2],
    }
    extra = {"age": lambda signal, _: 20 + signal % 3, "tick": lambda _, at: 20 * at + 7}
    found = read(table(tmp_path, "t.csv", long_columns(values, **roles, **extra)))
    same_signals(found.signals, values)
    assert found.labels == tuple("ababab")
    assert found.ids == tuple("012345")
    assert (found.schema.id, found.schema.time, found.schema.target) == (identity, time, target)
    assert {name for name, _ in found.schema.ignored} == {"age", "tick"}


def test_long_tables_that_are_not_clear_are_asked_for(tmp_path):
    values = np.round(RANDOM.normal(size=(6, 3, 16)), 3)
    label = {"activity": lambda signal, at: "ab"[at // 8]}
    session, time = {"session": lambda signal, _: signal}, {"time": lambda signal, at: 16 * signal + at}
    with pytest.raises(InputError, match="has 'a' and 'b' in column 'activity'.*--window"):
        read(table(tmp_path, "t.csv", long_columns(values, **session, **time, **label)))
    with pytest.raises(InputError, match="--id; a recording whose 'activity' changes is cut with --window"):
        read(table(tmp_path, "t.csv", long_columns(values, **time, **label)))
    pairs = {"subject": lambda s, _: s // 2, "trial": lambda s, _: s % 2, "frame": lambda _, at: at}
    with pytest.raises(InputError, match="taken at 'frame', but no column says which signal.*--id"):
        read(table(tmp_path, "t.csv", long_columns(values, **pairs, activity=lambda s, _: "ab"[s % 2])))
    path = table(tmp_path, "t.csv", long_columns(values, **session, activity=lambda s, _: "ab"[s % 2]))
    found = read(path, id="session")
    same_signals(found.signals, values)
    assert "order of t.csv is kept" in " ".join(found.notes)


def test_numbered_channels_of_a_long_table_or_samples_of_a_wide_one(tmp_path):
    values = np.round(RANDOM.normal(size=(6, 9, 40)), 3)
    columns = long_columns(values, session=lambda s, _: s, frame=lambda _, at: at, activity=lambda s, _: "ab"[s % 2])
    columns = {f"ch{ord(name[-1]) - 97}" if name.startswith("axis") else name: c for name, c in columns.items()}
    path = table(tmp_path, "t.csv", columns)
    with pytest.raises(InputError, match="If a row is a signal, say --ignore frame; if it is a sample, --id session"):
        read(path)
    same_signals(read(path, id="session", time="frame").signals, values)
    assert len(read(path, ignore=("frame", "session")).signals) == 240
    del columns["frame"]
    with pytest.raises(InputError, match="--group session .or --ignore session.; if it is a sample, say --id session"):
        read(table(tmp_path, "t.csv", columns))


# A network reads by its schema (01, 02, 03, 26, 37)


def test_roles_are_recognised_and_samples_found_by_name(tmp_path):
    columns = {"patient": [at // 2 for at in range(N)], "rhythm": Y} | samples()
    schema = read(table(tmp_path, "learn.csv", columns), target="rhythm", group="patient").schema
    schema = SignalPreprocessing.from_dict(
        json.loads(json.dumps(SignalPreprocessing(1, LENGTH, (), (), (), schema=schema).to_dict()))
    ).schema
    for name, given_columns, note in (
        ("same", columns, ""),
        ("unlabelled", {name: cells for name, cells in columns.items() if name != "rhythm"}, ""),
        ("bare", samples(), ""),
        ("turned", dict(reversed(columns.items())), ""),
        ("more", {"age": range(N)} | columns, "left out, for the network learned from none such: age"),
    ):
        found, said = predicted(table(tmp_path, f"{name}.csv", given_columns), schema)
        same_signals([example.content for example in found], X)
        assert (note in said) if note else not said
    np.savetxt(tmp_path / "values.csv", X, delimiter=",")
    same_signals([example.content for example in predicted(tmp_path / "values.csv", schema)[0]], X)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (SAMPLES[:-1], "has no column v11: 1 sample of 12"),
        ([*SAMPLES, "v12"], "has 1 sample more, v12 first"),
        ([f"v{at + 1}" for at in range(LENGTH)], "has no column v0"),
        ([f"w{at}" for at in range(LENGTH)], "has none of the columns v0 … v11"),
    ],
)
def test_missing_and_surplus_samples_are_refused_by_name(tmp_path, names, message):
    schema = read(table(tmp_path, "learn.csv", {"label": Y} | samples())).schema
    values = np.hstack([X, X])[:, : len(names)]
    with pytest.raises(InputError, match=message):
        predicted(table(tmp_path, "t.csv", samples(values, names)), schema)


def test_signals_of_many_lengths_may_be_longer_or_shorter(tmp_path):
    padded = X.copy()
    padded[::2, -3:] = np.nan
    schema = read(table(tmp_path, "learn.csv", {"label": Y} | samples(padded))).schema
    for width in (8, 12, 15):
        names = [f"v{at}" for at in range(width)]
        values = np.hstack([X, X])[:, :width]
        found, _ = predicted(table(tmp_path, "t.csv", samples(values, names)), schema)
        same_signals([example.content for example in found], values)


def test_channels_are_matched_by_name(tmp_path):
    both = [f"{c}_{t}" for c in "ab" for t in range(6)]
    schema = read(table(tmp_path, "learn.csv", {"label": Y} | samples(names=both))).schema
    turned = {name: samples(names=both)[name] for name in sorted(both, reverse=True)}
    wide = [example.content for example in predicted(table(tmp_path, "t.csv", turned), schema)[0]]
    same_signals(wide, X.reshape(N, 2, 6))
    with pytest.raises(InputError, match="has no column b_0, .*6 samples of channel 'b'"):
        predicted(table(tmp_path, "one.csv", {n: c for n, c in turned.items() if n[0] == "a"}), schema)
    np.savetxt(tmp_path / "values.csv", X, delimiter=",")
    with pytest.raises(InputError, match="no header that names its columns, and the network reads 2 channels"):
        predicted(tmp_path / "values.csv", schema)


def test_a_column_of_channels_is_matched_by_its_values(tmp_path):
    def write_long(name, order, label=True):
        cells = [
            (signal, time, "ab"[c], X[signal, 6 * c + time], Y[signal])
            for signal in range(N)
            for time in range(6)
            for c in order
        ]
        names = ["id", "time", "sensor", "value", "label"][: 4 + label]
        return table(tmp_path, name, dict(zip(names, zip(*cells, strict=True), strict=False)))

    schema = read(write_long("learn.csv", (0, 1)), channel="sensor").schema
    for order, label in (((0, 1), True), ((1, 0), True), ((0, 1), False)):
        found, said = predicted(write_long("t.csv", order, label), schema)
        same_signals([example.content for example in found], X.reshape(N, 2, 6))
        assert [example.name.rpartition(":")[2] for example in found] == [str(at) for at in range(N)]
        assert not said
    with pytest.raises(InputError, match="has no channel b in column 'sensor'"):
        predicted(write_long("t.csv", (0,)), schema)


def test_a_cell_that_is_no_number_is_the_error_of_its_row(tmp_path):
    schema = read(table(tmp_path, "learn.csv", {"label": Y} | samples())).schema
    path = table(tmp_path, "t.csv", {"name": [f"rec{at}" for at in range(N)]} | samples())
    lines = path.read_text().splitlines()
    lines[3] = lines[3].replace(f"{X[2, 5]}", "ERR", 1)
    lines[5] = "rec4" + "," * LENGTH
    lines[7] = "rec6,1,2"
    write(tmp_path, "bad.csv", "\n".join(lines))
    found, _ = predicted(tmp_path / "bad.csv", schema)
    assert [example.name for example in found] == [f"{tmp_path / 'bad.csv'}:rec{at}" for at in range(N)]
    wrong = {at: example.error for at, example in enumerate(found) if example.error}
    assert set(wrong) == {2, 4, 6}
    assert "column 'v5' holds 'ERR'" in wrong[2]
    assert "every sample is missing" in wrong[4]
    assert "3 cells" in wrong[6]
    same_signals([e.content for e in found if not e.error], np.delete(X, [2, 4, 6], 0))
    known, _ = predicted(tmp_path / "bad.csv", replace(schema, missing=("ERR",)))
    assert known[2].error is None
    assert np.isnan(known[2].content[0, 5])


def test_rows_that_cannot_be_read_are_left_out_of_a_training_and_counted(tmp_path):
    columns = {"label": [*Y[:-1], ""]} | samples()
    path = table(tmp_path, "t.csv", columns)
    path.write_text(path.read_text().replace(f"{X[2, 5]}", "ERR", 1) + "," * LENGTH + "\n")
    data = find_signals(str(path))
    assert len(data.train) == N - 2
    assert [bad.path.rpartition(":")[2] for bad in data.bad] == ["4", str(N + 1)]
    assert len(find_signals(str(path), TableColumns(missing=("ERR",))).train) == N - 1


def test_copies_in_one_table_are_counted(tmp_path):
    data = find_signals(str(table(tmp_path, "t.csv", {"label": [*Y] * 3} | samples(np.tile(X, (3, 1))))))
    assert f"40 signals of 60 repeat another (by content): {N} differ" in " ".join(data.notes)


# From the command line


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A run on a table with patients and two channels, and its table."""
    folder = tmp_path_factory.mktemp("learned")
    time = np.arange(10)
    y = np.arange(48) % 2
    a = np.sin(time * (0.4 + 0.9 * y[:, None])) + RANDOM.normal(0, 0.1, (48, 10))
    values = np.round(np.hstack([a, RANDOM.normal(size=(48, 10))]), 3)
    names = [f"{c}_{t}" for c in "ab" for t in range(10)]
    columns = {"patient": np.arange(48) // 2, "rhythm": np.array(["slow", "fast"])[y]} | samples(values, names)
    table(folder, "ecg.csv", columns)
    quick = ["--epochs", "3", "--members", "1", "--no-differences", "--width", "0.25", "--batch-size", "8"]
    ended = run_here("train", "ecg.csv", "--target", "rhythm", "--group", "patient", "--out", "run", *quick, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return folder, columns, ended.stderr


def answers(folder, path, *more):
    ended = run_here("predict", "run", path, "--format", "jsonl", *more, cwd=folder)
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_what_is_taken_for_what_is_said_before_training_and_kept(learned):
    folder, _, said = learned
    for words in ("rhythm", "the label", "patient", "the group", "a_0 … a_9 (10 columns)", "channel 'b'"):
        assert words in said
    schema = json.loads((folder / "run" / "run.json").read_text())["preprocessing"]["schema"]
    assert (schema["target"], schema["group"], schema["version"]) == ("rhythm", "patient", 1)


def test_prediction_does_not_depend_on_how_the_table_is_laid_out(learned):
    folder, columns, _ = learned
    right = answers(folder, "ecg.csv")
    table(folder, "turned.csv", dict(reversed(columns.items())), mark=";")
    table(folder, "more.csv", {"age": np.arange(48)} | {n: c for n, c in columns.items() if n != "rhythm"})
    for name in ("turned.csv", "more.csv"):
        found = answers(folder, name)
        assert [row["probability"] for row in found] == [row["probability"] for row in right]
    measured = run_here("evaluate", "run", "ecg.csv", "--all", "--json", cwd=folder)
    truth = np.array(columns["rhythm"])
    guesses = np.array([row["label"] for row in right])
    assert json.loads(measured.stdout)["top1"] == pytest.approx((guesses == truth).mean())


def test_words_for_what_is_missing_may_be_given_to_predict(learned):
    folder, columns, _ = learned
    table(folder, "gap.csv", columns | {"a_4": ["", *columns["a_4"][1:]]})
    table(folder, "word.csv", columns | {"a_4": ["-", *columns["a_4"][1:]]})
    right = answers(folder, "gap.csv")
    assert "give --missing" in answers(folder, "word.csv")[0]["error"]
    found = answers(folder, "word.csv", "--missing", "ERR,-")
    assert [row["probability"] for row in found] == [row["probability"] for row in right]


def test_evaluating_one_class_and_classes_that_are_not_known(learned):
    folder, columns, _ = learned
    changed = {n: (np.array(c) + 0.01 if n[1:2] == "_" else c) for n, c in columns.items()}
    one = np.flatnonzero(np.array(columns["rhythm"]) == "slow")
    table(folder, "one.csv", {name: np.array(cells)[one] for name, cells in changed.items()})
    ended = run_here("evaluate", "run", "one.csv", "--json", cwd=folder)
    assert json.loads(ended.stdout)["count"] == 24
    strange = changed | {"rhythm": ["odd", *columns["rhythm"][1:]]}
    table(folder, "odd.csv", strange)
    ended = run_here("evaluate", "run", "odd.csv", "--json", cwd=folder)
    found = json.loads(ended.stdout)
    assert found["count"] == 47 and found["strangers"] == {"odd": 1}
    assert "1 are of classes that the network does not know: odd 1" in run_here(
        "evaluate", "run", "odd.csv", cwd=folder
    ).stdout.replace("\n", " ")


# Any table of the same signals gives the same signals


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_random_tables_give_the_same_signals(tmp_path, data):
    draw = data.draw
    channels, length = draw(st.integers(1, 3)), draw(st.integers(4, 9))
    values = np.round(np.random.default_rng(draw(st.integers(0, 99))).normal(size=(6, channels, length)), 3)
    if draw(st.booleans()):
        values = np.round(values * 10)  # whole numbers
    labels = ["a", "b", "a", "b", "b", "a"]
    if draw(st.booleans()):
        start, form = draw(st.integers(0, 1)), draw(st.sampled_from(["{}_{}", "{}{}", "{}.{:03}", "{} [{}]"]))
        columns = {form.format("pqr"[c], t + start): values[:, c, t] for c in range(channels) for t in range(length)}
        columns |= {"label": labels}
        if draw(st.booleans()):
            columns |= {"patient": [1, 1, 2, 2, 3, 3]}
    else:
        columns = long_columns(values, session=lambda s, _: s, time=lambda _, at: at * 20, label=lambda s, _: labels[s])
    names = draw(st.permutations(list(columns)))
    mark = draw(st.sampled_from(",;\t"))
    found = read(table(tmp_path, "t.csv", {name: columns[name] for name in names}, mark))
    order = np.argsort(found.schema.names)
    same_signals([signal[order] for signal in found.signals], values)
    assert found.labels == tuple(labels)
    again, _ = predicted(table(tmp_path, "u.csv", columns), found.schema)
    same_signals([example.content[order] for example in again], values)


def test_columns_are_one_record():
    assert Columns("a", ignore=("b",)).named() == {"--target": "a"}
