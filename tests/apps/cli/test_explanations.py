"""googlenet explain: what it prints and draws, and what it refuses in a sentence."""

import json

import numpy as np
import pytest
from PIL import Image

from conftest import QUICK, run_here
from googlenet.data.find import find_data
from googlenet.explain import Explainer

SIGNALS = "googlenet_1d.gunpoint"


@pytest.fixture(scope="module")
def boot(tmp_path_factory):
    """Something like a boot, as a file."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[16:26, 2:26], pixels[4:16, 14:24] = 160, 120
    path = tmp_path_factory.mktemp("pictures") / "boot.png"
    Image.fromarray(pixels).save(path)
    return path


def rows_of(path, rows):
    """Signals of GunPoint's training part as a table without labels; gives the part."""
    part = find_data("gunpoint").train
    read = [example.content[0] for example in part.subset(rows).examples(Explainer(SIGNALS).pipeline.preprocessing)]
    path.write_text("\n".join(",".join(map(str, values.tolist())) for values in read))
    return part


def rows(found):
    assert found.returncode == 0, found.stderr
    return [json.loads(line) for line in found.stdout.splitlines()]


def test_a_map_is_drawn_and_said(boot, tmp_path):
    found = run_here("explain", "fashion_mnist", boot, "--method", "grad-cam", "--at", "4c.5x5", cwd=tmp_path)
    assert found.returncode == 0 and str(boot) in found.stdout and "boot-grad-cam.png" in found.stdout
    with Image.open(tmp_path / "explanations" / "boot-grad-cam.png") as image:
        assert image.width > 400
    svg = run_here("explain", "fashion_mnist", boot, "--out", "why.svg", cwd=tmp_path)
    assert svg.returncode == 0 and "<svg" in (tmp_path / "why.svg").read_text()


def test_json_is_a_line_an_example_and_draws_nothing(boot, tmp_path):
    row = rows(run_here("explain", "fashion_mnist", boot, "--against", "Sandal", "--json", cwd=tmp_path))[0]
    assert row["against"] == "Sandal" and row["method"] == "cam" and row["at"] is None
    assert np.array(row["values"]).shape == tuple(row["shape"])
    explained = Explainer("fashion_mnist").explain([str(boot)], against="Sandal")
    np.testing.assert_allclose(row["values"], explained[0].values, rtol=1e-4, atol=1e-5)
    assert list(tmp_path.iterdir()) == []


def test_branches_of_every_module_sum_to_the_difference(boot, tmp_path):
    row = rows(run_here("explain", "fashion_mnist", boot, "--method", "branches", "--json", cwd=tmp_path))[0]
    assert row["input"] == str(boot) and row["label"] != row["against"]
    assert list(row["contributions"]["4c"]) == ["1x1", "3x3", "5x5", "pool"] and len(row["contributions"]) == 9
    for shares in row["contributions"].values():
        assert sum(shares.values()) == pytest.approx(row["difference"], rel=0.01)


def test_signals_are_explained_like_pictures(tmp_path):
    rows_of(tmp_path / "two.csv", [3, 4])
    found = run_here("explain", SIGNALS, "two.csv", "--out", "why", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert len(list((tmp_path / "why").glob("*.png"))) == 2  # not one over the other
    one = rows(run_here("explain", SIGNALS, "two.csv", "--method", "branches", "--json", cwd=tmp_path))[0]
    assert "shortcut" in one["contributions"]["2a"]


def test_over_a_set(tmp_path):
    words = ("explain", SIGNALS, "--data", "gunpoint", "--json")
    found = rows(run_here(*words, "--method", "branches", "--most", 4, cwd=tmp_path))[0]
    assert found["count"] == 4
    for shares in found["modules"].values():
        assert sum(shares.values()) == pytest.approx(100)
    for shares in found["classes"].values():  # the first module's long kernels are those of one module alone
        assert set(shares) == {"39", "19", "9", "pool", "9 by 4", "9 by 2", "shortcut"} and shares["39"] < 100
    lost = rows(run_here(*words, "--method", "ablation", "--most", 12, "--fill", "zero", cwd=tmp_path))[0]
    assert lost["count"] == 12 and lost["lost"]["2a"] == pytest.approx(lost["accuracy"] - lost["without"]["2a"])


def test_what_is_most_like_it_is_itself(tmp_path):
    part = rows_of(tmp_path / "one.csv", [7])
    found = run_here(
        *("explain", SIGNALS, "one.csv", "--method", "nearest", "--data", "gunpoint", "--json", "--out", "like.png"),
        cwd=tmp_path,
    )
    row = rows(found)[0]
    assert row["nearest"][0]["input"] == part.names[7] and row["nearest"][0]["similarity"] == pytest.approx(1, abs=1e-5)
    assert (tmp_path / "like.png").stat().st_size > 1000


def test_a_file_that_cannot_be_read_is_said_and_the_rest_explained(boot, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    found = run_here("explain", "fashion_mnist", "broken.png", boot, "--json", cwd=tmp_path)
    first, second = map(json.loads, found.stdout.splitlines())
    assert found.returncode == 1 and "error" in first and second["label"]


def test_what_is_read_is_never_replaced(boot, tmp_path):
    before = boot.read_bytes()
    found = run_here("explain", "fashion_mnist", boot, "--out", boot, cwd=tmp_path)
    assert found.returncode == 1 and "would replace what is read" in found.stderr and boot.read_bytes() == before
    for name in ("boot-cam.png", "boot.png"):  # a figure of the second would have the first's name
        (tmp_path / name).write_bytes(before)
    found = run_here("explain", "fashion_mnist", "boot-cam.png", "boot.png", "--out", ".", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "boot-cam.png").read_bytes() == before and (tmp_path / "boot-cam-2.png").exists()


def test_a_dollar_in_a_name_is_a_dollar(boot, tmp_path):
    name = r"d $x$ $\frac{$.png"
    (tmp_path / name).write_bytes(boot.read_bytes())
    found = run_here("explain", "fashion_mnist", name, "--out", "why.svg", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert r"$\frac{$" in (tmp_path / "why.svg").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x.png", "--fill", "zero"], "for --method ablation"),
        (["x.png", "--most", "3"], "--most is for a set"),
        (["x.png", "--method", "branches", "--at", "4c"], "leave --at out"),
        (["x.png", "--method", "grad-cam", "--at", ""], "names no place"),
        (["--method", "ablation", "--data", "digits", "--class", "1"], "not for ablation"),
        (["--method", "branches", "--data", "digits", "--against", "Bag"], "needs --class too"),
        (["x.png", "--method", "branches", "--data", "digits"], "either inputs or"),
        (["x.png", "--method", "deeplift"], "deeplift is not offered: its rules"),
        (["x.png", "--method", "guided-backprop"], "hardly depends on the weights"),
        (["x.png", "--method", "camm"], "Did you mean 'cam'"),
        (["x.png", "--at", "4c"], "--at is for grad-cam, conductance"),
        (["x.png", "--method", "grad-cam", "--at", "9z"], "There is no layer '9z'"),
        (["x.png", "--class", "Sandals"], "Did you mean 'Sandal'"),
        (["x.png", "--class", "Sandal", "--against", "Sandal"], "against itself"),
        (["x.png", "--out", "x.pdf"], "ends in .png or .svg"),
        ([], "Name what to explain"),
        (["--method", "ablation"], "measured over a set"),
        (["x.png", "--method", "nearest"], "Name inputs, and with --data"),
        (["x.png", "--data", "digits"], "--data is for branches, ablation, nearest"),
        (["--method", "ablation", "--data", "gunpoint", "--fill", "noise"], "--fill is mean or zero"),
    ],
)
def test_what_does_not_go_together_is_a_sentence(words, said, boot, tmp_path):
    words = [str(boot) if word == "x.png" else word for word in words]
    found = run_here("explain", "fashion_mnist", *words, cwd=tmp_path)
    assert found.returncode != 0 and said in found.stderr and "Traceback" not in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1 and list(tmp_path.iterdir()) == []


def test_an_exported_model_has_no_insides(boot, tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"x")
    found = run_here("explain", "model.onnx", boot, cwd=tmp_path)
    assert found.returncode == 1 and "its insides are gone" in found.stderr


def test_what_was_learned_from_is_no_measure(tmp_path):
    """A set of which the run learned a part, and that has a class which it does not know."""
    draws = np.random.default_rng(0)
    values = draws.normal(size=(24, 40)) + np.repeat([[0.0], [1.5]], 12, 0)
    lines = [
        ",".join([label, *(f"{v:.4f}" for v in row)]) for label, row in zip("a" * 12 + "b" * 12, values, strict=True)
    ]
    head = ",".join(["label", *map(str, range(40))])
    (tmp_path / "old.csv").write_text("\n".join([head, *lines]))
    assert run_here("train", "old.csv", *QUICK, "--out", "run", cwd=tmp_path).returncode == 0
    learned = json.loads((tmp_path / "run" / "run.json").read_text())["examples"]["train"]
    more = [",".join(["c", *(f"{v:.4f}" for v in draws.normal(size=40))]) for _ in range(3)]
    (tmp_path / "new.csv").write_text("\n".join([head, *lines, *more]))
    found = run_here("explain", "run", "--method", "ablation", "--data", "new.csv", "--json", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["count"] == 24 - learned
    assert f"{learned} examples were learned from" in found.stderr
    assert "3 examples are of classes that the network does not know (c)" in found.stderr
