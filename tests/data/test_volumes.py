"""Volumes, clips and MedMNIST's files: from an NPZ file to labels, by command line and estimator."""

import json

import numpy as np
import pytest
import torch

from conftest import run_here
from googlenet import GoogLeNetClassifier, InputError, load
from googlenet.data.find import Columns, find_data, to_learn_from
from googlenet.data.volumes.dataset import VolumeSet
from googlenet.data.volumes.preprocessing import VolumePreprocessing
from googlenet.training.recipe import VOLUMES
from googlenet.training.runs.folder import Run
from googlenet.weights.checkpoint import read_header

pytestmark = pytest.mark.usefixtures("short")
QUICK = ["--width", "0.125", "--batch-size", "8", "--ema", "0", "--learning-rate", "0.01"]
SHORT = ["--arch", "short_3d", *QUICK]


def examples(count, *shape, seed=0, classes=2):
    """uint8, brighter by class, with noise; and labels."""
    labels = np.arange(count) % classes
    noise = np.random.default_rng(seed).integers(0, 60, (count, *shape))
    return (noise + 90 * labels.reshape(-1, *[1] * len(shape))).astype(np.uint8), labels


def medmnist(path, *shape, parts=(("train", 16), ("val", 6), ("test", 6))):
    arrays = {}
    for seed, (part, count) in enumerate(parts):
        images, labels = examples(count, *shape, seed=seed)
        arrays |= {f"{part}_images": images, f"{part}_labels": labels[:, None].astype(np.uint8)}
    np.savez(path, **arrays)
    return path


def test_volumes_train_evaluate_and_predict_from_the_command_line(tmp_path):
    volumes, labels = examples(24, 1, 16, 16, 16)
    source, run = tmp_path / "volumes.npz", tmp_path / "run"
    np.savez(source, X=volumes, y=np.array(["ill", "well"])[labels])
    trained = run_here("train", source, "--out", run, *QUICK, "--epochs", "4")
    assert trained.returncode == 0, trained.stderr
    assert "googlenet_3d" in trained.stderr and "recipe volumes" in trained.stderr
    assert "Read as volumes in one array: X (24, 1, 16, 16, 16)." in trained.stderr
    header = read_header(run / "model.safetensors")
    assert (header.arch.name, header.in_channels) == ("googlenet_3d", 1)
    assert header.extra["preprocessing"] == Run(run).record().preprocessing
    assert Run(run).record().classes == ["ill", "well"]
    assert Run(run).record().examples == {"train": 19, "validation": 5}
    assert "data:image/png" in Run(run).report.read_text()  # slices of some

    evaluated = json.loads(run_here("evaluate", run, source, "--json").stdout)
    assert (evaluated["part"], evaluated["count"]) == ("all", 5)
    assert evaluated["confusion"] == [list(row) for row in Run(run).evaluation().confusion]
    crops = run_here("evaluate", run, source, "--crops", "10")
    assert crops.returncode == 1 and "for this one volumes are not: leave --crops out" in crops.stderr

    answer = run_here("predict", run, source, "--format", "jsonl", "--engine", "torch")
    assert answer.returncode == 0, answer.stderr
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [row["input"] for row in rows] == [f"{source}:X:{number}" for number in range(24)]
    expected = load(run, engine="torch").probabilities(volumes)
    assert [row["probability"] for row in rows] == pytest.approx(expected.max(1).tolist(), abs=1e-5)


@pytest.mark.parametrize(
    ("shape", "kind", "channels", "words"),
    [
        ((12, 12, 12), "volume", 1, SHORT),
        ((28, 28), "picture", 1, ["--arch", "short_2d", *QUICK]),
        ((28, 28, 3), "picture", 3, ["--arch", "short_2d", *QUICK]),
    ],
)
def test_medmnists_files_are_read_with_their_parts(tmp_path, shape, kind, channels, words):
    source, run = medmnist(tmp_path / "medmnist.npz", *shape), tmp_path / "run"
    trained = run_here("train", source, "--out", run, *words, "--epochs", "8")
    assert trained.returncode == 0, trained.stderr
    assert f"Read as {kind}s in MedMNIST's layout: train_images {(16, *shape)}" in trained.stderr
    record = Run(run).record()
    assert record.examples == {"train": 16, "validation": 6, "test": 6}
    assert record.classes == ["0", "1"]
    assert (record.preprocessing["kind"], record.preprocessing["channels"]) == (kind, channels)
    evaluated = json.loads(run_here("evaluate", run, source, "--json").stdout)
    assert (evaluated["part"], evaluated["count"], evaluated["top1"]) == ("test", 6, 1.0)

    answer = run_here("predict", run, source, "--format", "jsonl", "--engine", "torch")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    names = [f"{part}_images:{row}" for part, count in (("train", 16), ("val", 6), ("test", 6)) for row in range(count)]
    assert [row["input"] for row in rows] == [f"{source}:{name}" for name in names]
    assert [row["label"] for row in rows] == [str(int(name.split(":")[1]) % 2) for name in names]


def test_a_set_in_medmnists_layout_is_what_its_arrays_hold(tmp_path):
    path = medmnist(tmp_path / "a.npz", 28, 28, 3)
    data, arrays = find_data(str(path)), np.load(path)
    assert torch.equal(data.train.pixels, torch.from_numpy(arrays["train_images"]).permute(0, 3, 1, 2))
    assert data.validation.labels.tolist() == arrays["val_labels"][:, 0].tolist()
    assert data.test.names[5] == f"{path}:test_images:5"
    path = medmnist(tmp_path / "b.npz", 8, 9, 10)
    data, arrays = find_data(str(path)), np.load(path)
    assert np.array_equal(data.test.volumes, arrays["test_images"][:, None])
    assert data.kind == "volume" and data.train.recipe == "volumes"
    path = medmnist(tmp_path / "c.npz", 28, 28, parts=(("train", 8), ("test", 4)))
    assert find_data(str(path)).validation is None and len(find_data(str(path)).test) == 4


def in_two_parts(path, train, test):
    images = np.zeros((4, 8, 8), np.uint8)
    np.savez(path, train_images=images, train_labels=train, test_images=images, test_labels=test)
    return str(path)


@pytest.mark.parametrize(("one", "two"), [("u8", "i8"), ("u1", "i4"), ("f4", "u8"), ("u8", "u1"), ("i2", "f8")])
def test_labels_of_parts_may_be_of_different_types(tmp_path, one, two):
    large = 2**53 + 1 if "f" not in one + two else 2**24
    labels = np.array([0, 10, 2, large if "1" not in one + two and "2" not in one + two else 11])
    data = find_data(in_two_parts(tmp_path / "a.npz", labels.astype(one), labels[::-1].astype(two)))
    assert data.classes == tuple(map(str, sorted(labels.tolist())))
    assert [data.classes[at] for at in data.test.labels] == [str(label) for label in labels[::-1].tolist()]


def test_labels_of_parts_that_are_numbers_and_texts_are_refused(tmp_path):
    path = in_two_parts(tmp_path / "a.npz", np.array([0, 1, 0, 1]), np.array(["0", "1", "0", "1"]))
    with pytest.raises(InputError, match=r"of different kinds \(train_labels int64, test_labels <U1\)"):
        find_data(path)


def test_labels_have_another_name_if_it_is_said(tmp_path):
    volumes, labels = examples(6, 1, 8, 8, 8)
    np.savez(tmp_path / "a.npz", scans=volumes, diagnosis=labels)
    with pytest.raises(InputError, match="has no array y of labels for scans; name another with --target"):
        find_data(str(tmp_path / "a.npz"))
    assert find_data(str(tmp_path / "a.npz"), columns=Columns("diagnosis")).train.labels.tolist() == labels.tolist()


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"X": np.zeros((4, 1, 8, 8, 8))}, "no array y of labels for X"),
        ({"X": np.zeros((4, 1, 8, 8, 8)), "y": [0, 1, 0.5, 1]}, "fractions or missing values"),
        ({"X": np.zeros((4, 1, 8, 8, 8)), "y": [0, 1, np.nan, 1]}, "fractions or missing values"),
        ({"X": np.zeros((4, 1, 8, 8, 8)), "y": [0, 1, 1e300, 1]}, "beyond 64 bits"),
        ({"X": np.zeros((4, 1, 8, 8, 8)), "y": ["a", "", "b", "a"]}, "an empty text"),
        ({"X": np.zeros((2, 1, 8, 8, 8)), "y": np.array([0, 1], "M8[D]")}, "classes are whole numbers or texts"),
        ({"X": np.zeros((0, 1, 8, 8, 8)), "y": np.zeros(0)}, "holds no examples"),
        (
            {
                "train_images": np.zeros((2, 8, 8)),
                "train_labels": [0, 1],
                "test_images": np.zeros((1, 9, 9)),
                "test_labels": [0],
            },
            r"holds examples \(9, 9\), and others are \(8, 8\)",
        ),
        ({"train_images": np.zeros((2, 8, 8, 1)), "train_labels": [0, 1]}, "channels first or last"),
        (
            {
                "train_images": np.zeros((2, 8, 8), np.uint8),
                "train_labels": [0, 1],
                "test_images": np.zeros((2, 8, 8), np.uint16),
                "test_labels": [0, 1],
            },
            "test_images is of uint16, and others are of uint8: each has another white",
        ),
        ({"X": np.zeros((4, 1, 8, 8, 8)), "y": np.arange(3)}, r"y has the shape \(3,\), and X holds 4"),
        ({"X": np.zeros((4, 1, 8, 8, 8)), "Z": np.zeros((4, 1, 8, 8, 8)), "y": np.arange(4)}, "more than one array"),
        ({"X": np.zeros((4, 1, 8, 8, 8), int), "y": np.arange(4)}, "of unsigned integers or floats, not int64"),
        ({"train_images": np.zeros((4, 8, 8, 8), np.uint8)}, "no array train_labels"),
        (
            {"train_images": np.zeros((4, 8, 8, 8), np.uint8), "train_labels": np.arange(8).reshape(4, 2)},
            r"train_labels has the shape \(4, 2\)",
        ),
        ({"train_images": np.zeros((4, 8), np.uint8), "train_labels": np.arange(4)}, r"shape \(4, 8\)"),
    ],
)
def test_files_that_cannot_be_understood_are_sentences(tmp_path, arrays, words):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=words):
        find_data(str(tmp_path / "a.npz"))


def test_a_single_class_is_nothing_to_learn_from(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.zeros((4, 1, 8, 8, 8)), y=np.zeros(4))
    found = find_data(str(tmp_path / "a.npz"))
    assert found.classes == ("0",) and len(found.held_out) == 4
    with pytest.raises(InputError, match="a single class, '0'"):
        to_learn_from(found)


def quick(**changes):
    texts = {"arch": "short_3d", "width": "0.125", "min_steps": "12", "epochs": "1", "batch_size": "8", "ema": "0"}
    return VOLUMES.with_changes(texts | {"learning_rate": "0.01"} | changes)


@pytest.fixture(scope="module")
def fitted(short):
    X, y = examples(16, 1, 12, 12, 12)
    return GoogLeNetClassifier(recipe=quick(), random_state=0).fit(X, y)


def test_the_estimator_learns_volumes(fitted):
    X, y = examples(10, 1, 12, 12, 12, seed=1)
    assert fitted.score(X, y) == 1.0
    # The same values as shares of what their type holds.
    expected = fitted.predict_proba(X)
    for same in (X / 255, (X / 255).astype(np.float32), X.astype(np.uint16) * 257):
        np.testing.assert_allclose(fitted.predict_proba(same), expected, atol=1e-5)


def test_the_estimator_learns_clips_of_8_frames():
    X, y = examples(12, 3, 8, 24, 24)
    model = GoogLeNetClassifier(recipe=quick(arch="googlenet_3d", min_steps="3"), random_state=0).fit(X, y)
    assert model._pipeline.networks[0].arch.name == "googlenet_3d"
    assert model.predict_proba(X).shape == (12, 2)
    longer, _ = examples(2, 3, 9, 24, 24)
    with pytest.raises(InputError, match=r"the shape is \(3, 9, 24, 24\), and the network reads \(3, 8, 24, 24\)"):
        model.predict(longer)


def test_values_of_another_range_are_refused(fitted):
    X, y = examples(16, 1, 12, 12, 12)
    for wrong in (X.astype(float), X / 255 - 1, np.full(X.shape, np.nan)):
        with pytest.raises(InputError, match="example 0 cannot be read: (the (floats|values)|a value is missing)"):
            fitted.predict(wrong)
    floats = GoogLeNetClassifier(recipe=quick(min_steps="2"), random_state=0).fit(X * 10.0 - 700, y)
    assert floats.predict(X * 10.0).shape == (16,)
    with pytest.raises(InputError, match="learned from floats; give it those"):
        floats.predict(X)


def test_parts_of_another_range_are_refused(tmp_path):
    path = medmnist(tmp_path / "a.npz", 8, 8, 8)
    arrays = dict(np.load(path))
    np.savez(path, **arrays | {"val_images": arrays["val_images"] * 3.0})
    result = run_here("train", path, "--out", tmp_path / "run", *SHORT, "--epochs", "1")
    assert result.returncode == 1 and "the floats are not from 0 to 1" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_among_others_gets_its_reason(tmp_path, fitted):
    fitted.save(tmp_path / "model.safetensors")
    good, other, none, empty = (tmp_path / f"{name}.npz" for name in ("good", "other", "none", "empty"))
    np.savez(good, X=examples(2, 1, 12, 12, 12)[0], y=[0, 1])
    np.savez(other, X=np.zeros((2, 1, 9, 9, 9), np.uint8))
    none.write_bytes(b"nothing")
    np.savez(empty, y=[1, 2])
    words = ["predict", tmp_path / "model.safetensors", tmp_path, "--engine", "torch", "--format", "jsonl"]
    result = run_here(*words)
    rows = {row["input"].removeprefix(f"{tmp_path}/"): row for row in map(json.loads, result.stdout.splitlines())}
    assert result.returncode == 1
    assert set(rows) == {"empty.npz", "good.npz:X:0", "good.npz:X:1", "none.npz", "other.npz:X:0", "other.npz:X:1"}
    assert "no array of volumes; it has y" in rows["empty.npz"]["error"]
    assert "not an NPZ file" in rows["none.npz"]["error"]
    assert "the shape is (1, 9, 9, 9)" in rows["other.npz:X:1"]["error"]
    assert [rows[f"good.npz:X:{row}"]["label"] for row in (0, 1)] == ["0", "1"]


def test_pictures_and_volumes_are_not_taken_for_each_other(tmp_path, fitted):
    fitted.save(tmp_path / "model.safetensors")
    flat, deep = medmnist(tmp_path / "flat.npz", 28, 28), medmnist(tmp_path / "deep.npz", 12, 12, 12)
    result = run_here("evaluate", tmp_path / "model.safetensors", flat)
    assert result.returncode == 1 and "reads volumes, and these data are not volumes" in result.stderr
    result = run_here("predict", tmp_path / "model.safetensors", flat, "--engine", "torch")
    assert result.returncode == 1 and result.stdout.count("error: ") == len(result.stdout.splitlines()) > 0
    words = ["--weights", tmp_path / "model.safetensors", "--out", tmp_path / "run"]
    result = run_here("train", flat, *words)
    assert result.returncode == 1 and "reads volumes, and these data are pictures" in result.stderr
    result = run_here("train", deep, *words[2:], "--weights", "googlenet_small.fashion_mnist")
    assert result.returncode == 1 and "reads pictures, and these data are volumes" in result.stderr


def test_training_moves_volumes_every_way_and_mirrors_them():
    volumes = np.random.default_rng(0).integers(0, 256, (400, 1, 5, 6, 7), np.uint8)
    part = VolumeSet(torch.zeros(400, dtype=torch.long), tuple(map(str, range(400))), volumes)
    recipe = VOLUMES.with_changes({"shift": "1", "flip": "yes"})
    want = VolumePreprocessing(1, (5, 6, 7), True, (0.5,), (0.25,))
    (batch,) = part.loader(want, recipe).training(0, 400)
    padded = np.pad((volumes[batch.rows, 0] / 255 - 0.5) / 0.25, ((0, 0), (1, 1), (1, 1), (1, 1)))
    places = [(d, h, w) for d in range(3) for h in range(3) for w in range(3)]
    moves = []
    for row, moved in enumerate(batch.inputs[:, 0].numpy()):
        for mirrored in (False, True):
            source = padded[row, :, :, ::-1] if mirrored else padded[row]
            fits = [
                (place, mirrored)
                for place in places
                if np.allclose(
                    source[tuple(slice(p, p + n) for p, n in zip(place, (5, 6, 7), strict=True))], moved, atol=1e-5
                )
            ]
            moves += fits
    assert len(moves) == 400
    assert {place for place, _ in moves} == set(places)
    assert 150 < sum(mirrored for _, mirrored in moves) < 250
    still = part.loader(want, VOLUMES.with_changes({"shift": "0"})).training(0, 100)
    for batch in still:
        np.testing.assert_allclose(batch.inputs, (volumes[batch.rows] / 255 - 0.5) / 0.25, atol=1e-5)
    parts = [next(part.loader(want, recipe).training(3, 8, rank, world)) for rank, world in ((0, 1), (0, 2), (1, 2))]
    assert torch.equal(parts[0].inputs[0::2], parts[1].inputs) and torch.equal(parts[0].inputs[1::2], parts[2].inputs)


def test_volumes_are_of_the_integers_that_were_learned_from():
    volumes = np.random.default_rng(0).integers(0, 256, (6, 1, 4, 5, 6)).astype(np.uint8)
    known = VolumePreprocessing.fitted(volumes, False)
    assert known.bits == 8 and VolumePreprocessing.from_dict(known.to_dict()) == known
    with pytest.raises(InputError, match="uint16 and none is beyond what uint8 holds, of which .* give them as uint8"):
        known.read(volumes[0].astype(np.uint16))
    np.testing.assert_array_equal(known.read(volumes[0] * np.uint16(257)), known.read(volumes[0]))
    np.testing.assert_allclose(known.read(volumes[0] / np.float32(255)), known.read(volumes[0]), atol=1e-6)
    before = {key: value for key, value in known.to_dict().items() if key != "bits"}
    assert VolumePreprocessing.from_dict(before).read(volumes[0].astype(np.uint16)).shape == (1, 1, 4, 5, 6)
    with pytest.raises(InputError, match="8, 16, 32 or 64 bits, not 7"):
        VolumePreprocessing.from_dict(known.to_dict() | {"bits": 7})
