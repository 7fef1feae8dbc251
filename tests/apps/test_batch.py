"""Very many files: every row exactly once, whatever is killed, whoever computes."""

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import googlenet
from conftest import run_cli, run_here
from googlenet.apps.batch import job, label, processes
from googlenet.apps.batch.entries import entries_of
from googlenet.apps.batch.job import Asked, predict_parts
from googlenet.apps.batch.label import Network
from googlenet.apps.batch.plan import read_plan
from googlenet.data.images.stored import Stored
from googlenet.errors import InputError
from googlenet.weights.checkpoint import CHECKPOINT, PREVIOUS, WEIGHTS

RUN = "fashion_mnist"
ENDINGS = (".png", ".jpg")
CLI = [str(Path(sys.executable).with_name("googlenet"))]
SETTING = {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """23 pictures in folders, one of which is broken."""
    root = tmp_path_factory.mktemp("pictures")
    draws = np.random.default_rng(0)
    for at in range(22):
        path = root / f"{'abc'[at % 3]}" / f"{at:02d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(draws.integers(0, 256, (28, 28), np.uint8)).save(path)
    (root / "b" / "broken.png").write_bytes(b"no picture")
    (root / "b" / "notes.txt").write_text("no input")
    return root


def rows_of(folder, plan=None):
    plan = plan or read_plan(folder)
    return [json.loads(line) for part in range(1, plan.parts + 1) for line in plan.path(part).read_text().splitlines()]


def quietly(done, count, plan):
    return done


def asked(folder, *inputs, parts=4, **more):
    return Asked(Network(RUN, engine="torch"), [str(each) for each in inputs], folder, parts, **more)


# ------------------------------------------------------------------------------------------------ inputs
def test_folders_patterns_lists_and_files_are_gone_through(pictures):
    found = list(entries_of([str(pictures)], (), ENDINGS))
    assert len(found) == 23 and sorted(found) == sorted(map(str, pictures.rglob("*.png")))
    some = list(entries_of([str(pictures / "*" / "0*.png")], (), ENDINGS))
    assert some == sorted(map(str, pictures.glob("*/0*.png")))
    assert list(entries_of(["-", "x.png"], ["a.png\n", "\n", "b.png\n"], ENDINGS)) == ["a.png", "b.png", "x.png"]


def test_members_of_tars_are_found_where_they_lie(pictures, tmp_path):
    path = tmp_path / "some.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(pictures, "pictures")
    found = list(entries_of([str(path)], (), ENDINGS))
    assert len(found) == 23 and all(isinstance(each, Stored) for each in found)
    content = path.read_bytes()
    for member in found:
        own = pictures.parent / member.name.replace("pictures", pictures.name, 1)
        assert content[member.start : member.start + member.size] == own.read_bytes()


def test_folders_that_are_passed_over_are_said_in_parts_too(pictures, tmp_path):
    for folder in ("new", "old.bak"):
        shutil.copytree(pictures / "a", tmp_path / "in" / folder)
    result = run_here("predict", RUN, tmp_path / "in", "--out", tmp_path / "out", "--part", "1/1")
    assert result.returncode == 0 and "'old.bak'" in result.stderr


def test_what_lies_behind_an_address_is_listed_and_read(pictures, tmp_path):
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    for path in sorted(pictures.glob("a/*.png")):
        memory.pipe(f"/bucket/{path.name}", path.read_bytes())
    memory.pipe("/bucket/notes.txt", b"no input")
    found = predict_parts(asked(tmp_path / "out", "memory://bucket", parts=1, part=1), (), quietly)
    assert found.rows == len(list(pictures.glob("a/*.png"))) and found.errors == 0
    assert all(row["input"].startswith("memory://") for row in rows_of(tmp_path / "out"))
    with pytest.raises(InputError, match=r"could not be listed|not installed|no such"):
        list(entries_of(["nothing://bucket"], (), ENDINGS))


# ------------------------------------------------------------------------------------------------ parts
def test_parts_together_are_what_predict_says(pictures, tmp_path):
    for part in range(1, 5):
        found = predict_parts(asked(tmp_path / "out", pictures, part=part), (), quietly)
        assert (found.parts, found.of) == (part, 4)
    paths = [str(entry) for entry in entries_of([str(pictures)], (), ENDINGS)]
    wanted = [each.to_dict() for each in googlenet.load(RUN, engine="torch").predict(paths)]
    rows = rows_of(tmp_path / "out")
    assert [row["input"] for row in rows] == [row["input"] for row in wanted]
    assert [row.get("label", row.get("error")) for row in rows] == [
        row.get("label", row.get("error")) for row in wanted
    ]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["rows"], summary["errors"], summary["parts"]) == (23, 1, 4)
    assert sum(summary["labels"].values()) == 22


def test_members_of_a_tar_are_labelled_as_the_files(pictures, tmp_path):
    with tarfile.open(tmp_path / "some.tar", "w") as archive:
        archive.add(pictures / "a", "a")
    predict_parts(asked(tmp_path / "out", tmp_path / "some.tar", parts=1, part=1), (), quietly)
    predict_parts(asked(tmp_path / "own", pictures / "a", parts=1, part=1), (), quietly)
    by_name = [{Path(row["input"]).name: row["label"] for row in rows_of(tmp_path / name)} for name in ("out", "own")]
    assert by_name[0] == by_name[1] and len(by_name[0]) == 8


def test_parquet_holds_what_json_does(pictures, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    predict_parts(asked(tmp_path / "p", pictures, parts=1, part=1, form="parquet"), (), quietly)
    predict_parts(asked(tmp_path / "j", pictures, parts=1, part=1), (), quietly)
    rows = parquet.read_table(tmp_path / "p" / "part-00001.parquet").to_pylist()
    for row, other in zip(rows, rows_of(tmp_path / "j"), strict=True):
        assert (row["input"], row["error"], row["label"]) == (other["input"], other.get("error"), other.get("label"))
        if row["error"] is None:
            assert row["labels"] == [each["label"] for each in other["top"]]
            np.testing.assert_allclose(row["probabilities"], [each["probability"] for each in other["top"]], rtol=1e-6)


def test_what_is_there_is_not_computed_again(pictures, tmp_path, monkeypatch):
    folder = tmp_path / "out"
    predict_parts(asked(folder, pictures, part=2), (), quietly)
    before = read_plan(folder).path(2).stat()
    seen = []

    def fake(network, plan, parts, workers):
        seen.extend(parts)
        return iter(())

    monkeypatch.setattr(processes, "computed", fake)
    predict_parts(asked(folder, pictures), (), quietly)
    assert seen == [1, 3, 4]
    assert read_plan(folder).path(2).stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inputs": ["elsewhere"]}, "of other inputs"),
        ({"network": Network("googlenet_1d.gunpoint")}, "by another network"),
        ({"top": 3}, "with another --top"),
        ({"form": "parquet"}, "in jsonl"),
        ({"parts": 5}, "cut into 4 parts"),
    ],
)
def test_another_prediction_does_not_go_on_with_it(pictures, tmp_path, change, said):
    first = asked(tmp_path / "out", pictures, part=1)
    predict_parts(first, (), quietly)
    from dataclasses import replace

    with pytest.raises(InputError, match=said):
        predict_parts(replace(first, **change), (), quietly)


def test_a_folder_of_something_else_is_left_alone(pictures, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=r"mine\.txt, which is of no prediction"):
        predict_parts(asked(tmp_path, pictures, part=1), (), quietly)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_more_parts_than_inputs_are_as_many_as_there_are(pictures, tmp_path):
    found = predict_parts(asked(tmp_path / "out", pictures / "a" / "00.png", parts=100, part=1), (), quietly)
    assert (found.parts, found.of, found.rows) == (1, 1, 1)
    assert predict_parts(asked(tmp_path / "out", pictures / "a" / "00.png", parts=100, part=7), (), quietly).rows == 0
    with pytest.raises(InputError, match="nothing to label"):
        predict_parts(
            asked(tmp_path / "none", pictures / "a", parts=2, part=1).__class__(
                Network(RUN, engine="torch"), ["-"], tmp_path / "none", 2, part=1
            ),
            (),
            quietly,
        )


def test_a_damaged_plan_gets_a_sentence(pictures, tmp_path):
    folder = tmp_path / "out"
    predict_parts(asked(folder, pictures, part=1), (), quietly)
    row = json.loads((folder / "plan.json").read_text())
    for change in ({"starts": [0, 5]}, {"form": "exe"}, {"version": 9}, {"rows": "x"}, {"more": 1}):
        (folder / "plan.json").write_text(json.dumps(row | change))
        with pytest.raises(InputError, match=r"plan\.json is damaged"):
            predict_parts(asked(folder, pictures, part=2), (), quietly)


# ------------------------------------------------------------------------------------------------ killed
def test_the_command_computes_all_with_processes(pictures, tmp_path):
    words = ["predict", RUN, pictures, "--out", tmp_path / "out", "--parts", "3", "--engine", "torch", "--workers", "2"]
    done = run_cli(*words)
    assert done.returncode == 1 and "23 rows in 3 parts, 1 errors" in done.stderr
    assert len(rows_of(tmp_path / "out")) == 23
    again = run_cli(*words)
    assert again.returncode == 1 and "3 of 3 parts are there" in again.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--parts", "3"], "name it with --out DIR"),
        (["--out", "o"], "--parts N"),
        (["--out", "o", "--part", "0/3"], "K/N"),
        (["--out", "o", "--part", "4/3"], "K/N"),
        (["--out", "o", "--parts", "2", "--format", "csv"], "not in csv"),
        (["--out", "o", "--parts", "2", "--output", "x"], "leave it out beside --out"),
        (["--out", "o", "--part", "1/2", "--workers", "2"], "beside --part"),
        (["--out", "o", "--parts", "2", "--on", "moon"], "processes, ray or ray://"),
        (["--format", "parquet"], "name it with --out DIR"),
    ],
)
def test_options_that_do_not_go_together_get_a_sentence(pictures, tmp_path, words, said):
    done = run_here("predict", RUN, pictures / "a", *words, cwd=tmp_path)
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr


def undisturbed(tmp_path, pictures, parts):
    folder = tmp_path / "undisturbed"
    for part in range(1, parts + 1):
        predict_parts(asked(folder, pictures, parts=parts, part=part), (), quietly)
    return rows_of(folder)


def children(process):
    done = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False
    )
    return [int(line.split()[0]) for line in done.stdout.splitlines() if "spawn_main" in line]


def started(tmp_path, pictures, parts, on="processes", workers=2):
    words = ["predict", RUN, str(pictures), "--out", str(tmp_path / "out"), "--parts", str(parts), "--engine", "torch"]
    words += ["--on", on] if on == "ray" else ["--workers", str(workers)]
    return subprocess.Popen([*CLI, *words], env=SETTING, stderr=subprocess.PIPE, text=True)


def actors(process):
    """Ray's processes that label."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if path.read_bytes().startswith(b"ray::_Labels"):
                found.append(int(path.parent.name))
    return found


# Where parts are computed, and what of it can be killed there.
PLACES = {"processes": children, "ray": actors}


def killed(tmp_path, pictures, parts, most, seed=0, on="processes"):
    """Kills a driver once, then workers of the next one at random moments; the rows, and how many were killed."""
    draws, hits = random.Random(seed), 0
    process = started(tmp_path, pictures, parts, on)
    time.sleep(draws.uniform(0, 4))
    process.kill()
    process.communicate()
    process = started(tmp_path, pictures, parts, on)
    while process.poll() is None and hits < most:
        time.sleep(draws.uniform(0, 2))
        if there := PLACES[on](process):
            with suppress(ProcessLookupError):
                os.kill(draws.choice(there), signal.SIGKILL)
                hits += 1
    said = process.communicate()[1]
    if "5 times; the memory may not be enough" in said:  # one part has been struck so often
        said = started(tmp_path, pictures, parts, on).communicate()[1]
    assert process.returncode == 1 and "rows in" in said, said
    return rows_of(tmp_path / "out"), hits


@pytest.mark.slow
def test_whatever_is_killed_every_row_comes_once(pictures, tmp_path):
    assert killed(tmp_path, pictures, 6, 2)[0] == undisturbed(tmp_path, pictures, 6)


@pytest.mark.slow
@pytest.mark.timeout(7000)
@pytest.mark.parametrize("on", PLACES)
def test_ten_drivers_and_a_hundred_workers_are_killed(tmp_path, pictures, on):
    if on == "ray":
        pytest.importorskip("ray")
    rounds = total = 0
    while rounds < 10 or total < 100:
        folder = tmp_path / str(rounds)
        folder.mkdir()
        rows, hits = killed(folder, pictures, 12, 12, rounds, on)
        assert rows == undisturbed(folder, pictures, 12)
        rounds, total = rounds + 1, total + hits
    print(f"{rounds} drivers, {total} workers")


@pytest.mark.slow
def test_ray_computes_the_same(pictures, tmp_path):
    pytest.importorskip("ray")
    predict_parts(asked(tmp_path / "out", pictures, on="ray"), (), quietly)
    assert rows_of(tmp_path / "out") == undisturbed(tmp_path, pictures, 4)


def test_the_bridge_to_ray_is_short():
    assert len(Path(job.__file__).with_name("on_ray.py").read_text().splitlines()) <= 100


# ------------------------------------------------------------------------------------------------ jobs of their own
def test_the_words_of_the_examples_are_a_command():
    from documents import REPOSITORY
    from test_documented_commands import context_of

    for name in ("slurm.sh", "kubernetes-job.yaml"):
        text = (REPOSITORY / "examples" / name).read_text()
        (line,) = [line for line in text.splitlines() if line.strip().startswith(("googlenet ", "- googlenet "))]
        words = line.strip().removeprefix("- ").split('"')[0].split()[1:]
        context = context_of([*words, "3/100"])
        assert context.params["part"] == "3/100" and context.params["out"] is not None


@pytest.mark.slow
def test_jobs_that_begin_at_once_agree_on_a_plan(pictures, tmp_path):
    words = [*CLI, "predict", RUN, str(pictures), "--out", str(tmp_path / "out"), "--engine", "torch", "--part"]
    jobs = [subprocess.Popen([*words, f"{part}/4"], env=SETTING, stderr=subprocess.PIPE) for part in range(1, 5)]
    for each in jobs:
        each.communicate(timeout=300)
    assert rows_of(tmp_path / "out") == undisturbed(tmp_path, pictures, 4)
    assert (tmp_path / "out" / "summary.json").exists()


# ------------------------------------------------------------------------------------------------ what once went wrong
def tar_bytes(pictures):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for path in sorted((pictures / "a").glob("*.png")):
            archive.add(path, path.name)
    return file.getvalue()


def changed_head(content, start, **fields):
    """A tar in which the head at a byte says something else, with its checksum."""
    head = bytearray(content[start : start + 512])
    for name, value in fields.items():
        at, width = {"size": (124, 12)}[name]
        head[at : at + width] = value
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return content[:start] + bytes(head) + content[start + 512 :]


def second_head(content):
    size = int(content[124:135], 8)
    return 512 + -(-size // 512) * 512


@pytest.mark.parametrize(
    "damage",
    [
        lambda tar: tar[: second_head(tar) + 100],
        lambda tar: tar[: second_head(tar)],
        lambda tar: tar[: second_head(tar)] + b"\xff" * 50 + tar[second_head(tar) + 50 :],
        lambda tar: changed_head(tar, 0, size=b"\xff" * 12),
        lambda tar: changed_head(tar, 0, size=b"\xff" * 10 + b"\xfe\x00"),
        lambda tar: changed_head(tar, second_head(tar), size=b"77777777777\0"),
    ],
    ids=["cut in a head", "cut between", "a head", "size -1", "size -512", "size beyond"],
)
def test_a_tar_that_is_not_whole_loses_nothing_silently(pictures, tmp_path, damage):
    path = tmp_path / "x.tar"
    path.write_bytes(damage(tar_bytes(pictures)))
    with pytest.raises(InputError, match="no whole tar"):
        list(entries_of([str(path)], (), ENDINGS))


def test_a_nested_column_of_paths_gets_a_sentence(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    write_table(pyarrow.table({"path": pyarrow.array([["f0.png"]])}), tmp_path / "list.parquet")
    with pytest.raises(InputError, match="is nested"):
        list(entries_of([str(tmp_path / "list.parquet")], (), ENDINGS))
    rows = pyarrow.table({"deep": pyarrow.array([{"a": 1, "b": 2}]), "path": ["one.png"]})
    write_table(rows, tmp_path / "deep.parquet")
    assert list(entries_of([str(tmp_path / "deep.parquet")], (), ENDINGS)) == [str(tmp_path / "one.png")]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "part-00002.jsonl").write_text("torn"),
        lambda folder: (folder / "part-00002.jsonl").unlink(),
        lambda folder: (folder / "counts" / "00002.json").unlink(),
        lambda folder: (folder / "counts" / "00002.json").write_text("{}"),
        lambda folder: shutil.rmtree(folder / "counts"),
    ],
    ids=["torn", "gone", "no counts", "bad counts", "no folder of counts"],
)
def test_what_is_spoilt_is_computed_again(pictures, tmp_path, spoil):
    whole = undisturbed(tmp_path, pictures, 3)
    folder = tmp_path / "undisturbed"
    spoil(folder)
    for part in range(1, 4):
        predict_parts(asked(folder, pictures, parts=3, part=part), (), quietly)
    assert rows_of(folder) == whole
    assert json.loads((folder / "summary.json").read_text())["rows"] == 23


def test_another_list_on_standard_input_is_told_apart(pictures, tmp_path):
    lines = [f"{path}\n" for path in sorted(pictures.glob("a/*.png"))]
    first = asked(tmp_path / "out", "-", parts=2, part=1)
    predict_parts(first, iter(lines), quietly)
    predict_parts(first, iter(lines), quietly)
    with pytest.raises(InputError, match="another list on standard input"):
        predict_parts(first, iter(lines[:-1]), quietly)


def test_relative_inputs_are_gone_on_with_from_where_they_were_meant(pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(pictures)
    predict_parts(asked(tmp_path / "out", "a", parts=2, part=1), (), quietly)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="Go on from there"):
        predict_parts(asked(tmp_path / "out", "a", parts=2, part=2), (), quietly)


def test_going_on_says_that_nothing_new_is_looked_for(pictures, tmp_path):
    said = []
    predict_parts(asked(tmp_path / "out", pictures / "a", parts=2, part=1), (), quietly, said.append)
    assert said == []
    predict_parts(asked(tmp_path / "out", pictures / "a", parts=2, part=2), (), quietly, said.append)
    assert "what came since is not among them" in said[0]


def test_a_process_ends_with_its_driver(pictures, tmp_path):
    many = tmp_path / "many.csv"
    many.write_text("path\n" + f"{pictures / 'a' / '00.png'}\n" * 300_000)
    process = started(tmp_path, many, 2, workers=1)
    ends = time.monotonic() + 120
    try:
        while not (there := children(process)) and time.monotonic() < ends:
            time.sleep(0.05)
        while not any(name.name.startswith(".googlenet-fresh") for name in (tmp_path / "out").iterdir()):
            assert time.monotonic() < ends
            time.sleep(0.05)
    finally:
        process.kill()
        process.communicate()
    while Path(f"/proc/{there[0]}").exists() and "Z" not in Path(f"/proc/{there[0]}/stat").read_text().split()[2]:
        assert time.monotonic() < ends, "it computes on"
        time.sleep(0.05)


def test_nothing_is_said_where_all_went_well(pictures, tmp_path):
    done = run_cli("predict", RUN, pictures / "a", "--out", tmp_path / "out", "--parts", "2", "--engine", "torch")
    assert done.returncode == 0 and len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.parametrize("word", ["pictures.tar", "list.csv", "s3://bucket/pictures"])
def test_what_is_gone_through_in_parts_alone_is_said_to_be(tmp_path, word):
    (tmp_path / "pictures.tar").write_bytes(b"")
    (tmp_path / "list.csv").write_text("path\na.png\n")
    done = run_here("predict", RUN, word, cwd=tmp_path)
    assert done.returncode == 1
    assert f"{word} is taken for one picture; --out FOLDER labels those in a tar" in done.stderr
    assert "taken for" not in run_here("predict", "googlenet_1d.gunpoint", "list.csv", cwd=tmp_path).stderr


def test_what_tells_networks_apart_is_what_is_read_of_a_run(tmp_path):
    """Of one that is not finished its checkpoint, which the training changes."""
    assert (label.WEIGHTS, label.CHECKPOINT, label.PREVIOUS) == (WEIGHTS, CHECKPOINT, PREVIOUS)
    digests = []
    for name, content in ((PREVIOUS, b"1"), (CHECKPOINT, b"2"), (CHECKPOINT, b"3"), (WEIGHTS, b"4"), (PREVIOUS, b"5")):
        (tmp_path / name).write_bytes(content)
        digests.append(Network(str(tmp_path)).digest)
    assert len(set(digests)) == 4 and digests[3] == digests[4]
