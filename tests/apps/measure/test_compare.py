"""Two networks on the same examples."""

import json
import shutil
from dataclasses import replace
from itertools import product
from math import comb

import numpy as np
import pytest
import torch
from PIL import Image

from conftest import QUICK, picture, run_here
from googlenet.apps.measure.compare import difference
from googlenet.data.builtin import digits
from googlenet.inference.load import load_pipeline
from googlenet.inference.pipeline import Pipeline
from googlenet.training.runs.folder import Run


def right(text):
    return np.array([letter == "1" for letter in text])


def test_mcnemars_test_by_hand():
    # Of nine that one alone has right, the first has eight: 2 (C(9,0) + C(9,1)) / 2^9.
    found = difference(("a", right("1" * 7 + "0" + "11")), ("b", right("0" * 7 + "1" + "10")))
    assert (found.both, found.only_first, found.only_second, found.count) == (1, 8, 1, 10)
    assert found.p == pytest.approx(2 * (comb(9, 0) + comb(9, 1)) / 2**9) and found.shown
    same = difference(("a", right("1010")), ("b", right("1010")))
    assert same.p == 1 and not same.shown
    assert [(name, share) for name, share, _ in same.rows()] == [("a", 0.5), ("b", 0.5)]
    # The least p that five examples can have is 2 / 2^5, and that of six 2 / 2^6.
    none, least = difference(("a", right("1" * 5)), ("b", right("0" * 5))), 2 / 2**5
    assert none.p == pytest.approx(least) and least > 0.05 and none.too_few
    some = difference(("a", right("1" * 6)), ("b", right("0" * 6)))
    assert some.shown and not some.too_few


def test_groups_change_sides_as_a_whole():
    """Against all sides that four groups can take, one by one."""
    draws = np.random.default_rng(0)
    first, second, groups = draws.random(40) < 0.8, draws.random(40) < 0.5, draws.integers(4, size=40).astype(str)
    leads = np.array([(first & ~second)[groups == g].sum() - (second & ~first)[groups == g].sum() for g in "0123"])
    sums = [abs(int((leads * sides).sum())) for sides in product((1, -1), repeat=4)]
    found = difference(("a", first), ("b", second), groups)
    assert found.p == pytest.approx(np.mean([total >= abs(leads.sum()) for total in sums]))
    assert found.apart == 4 and found.too_few and not difference(("a", first), ("b", second)).too_few


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_one_example_are_examples(seed):
    draws = np.random.default_rng(seed)
    first, second = (draws.random(60) < share for share in (0.8, 0.6))
    alone = difference(("a", first), ("b", second), [str(row) for row in range(60)])
    assert alone.p == pytest.approx(difference(("a", first), ("b", second)).p)


def test_copies_change_sides_together(runs, tmp_path):
    """Pictures that lie in a folder thirty times show no more than once."""
    once, often = tmp_path / "once", tmp_path / "often"
    for number, (pixels, label) in enumerate(zip(digits().test.pixels[:40, 0], digits().test.labels[:40], strict=True)):
        for folder, times in ((once, 1), (often, 30)):
            (folder / str(int(label))).mkdir(parents=True, exist_ok=True)
            for time in range(times):
                Image.fromarray(pixels.numpy()).save(folder / str(int(label)) / f"{number}-{time}.png")
    words = [["evaluate", runs / "one", data, "--against", runs / "weak"] for data in (once, often)]
    found, more = (json.loads(run_here(*each, "--json").stdout) for each in words)
    assert (more["count"], more["apart"], more["groups"]) == (1200, 40, 0) and found["apart"] == found["count"] == 40
    assert more["only_first"] == 30 * found["only_first"] > 0 and more["p"] == pytest.approx(found["p"])
    wide = [[row["interval"][1] - row["interval"][0] for row in each["accuracies"]] for each in (found, more)]
    assert wide[1] == pytest.approx(wide[0], rel=0.3)
    assert "(copies together, 40 differ, exact)" in run_here(*words[1]).stdout


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for name, seed in (("one", "0"), ("two", "1")):
        done = run_here("train", "digits", "--out", folder / name, *QUICK, "--batch-size", "256", "--seed", seed)
        assert done.returncode == 0, done.stderr
    done = run_here("train", "digits", "--out", folder / "weak", *QUICK, "--batch-size", "1000")
    assert done.returncode == 0, done.stderr
    return folder


def test_two_runs_are_compared_on_the_same_examples(runs):
    done = run_here("evaluate", runs / "one", "digits", "--against", runs / "two", "--json")
    found = json.loads(done.stdout)
    accuracies = [json.loads((runs / name / "evaluation.json").read_text())["top1"] for name in ("one", "two")]
    assert found["count"] == 450 and found["unknown"] == []
    assert found["both"] + found["only_first"] == round(450 * accuracies[0])
    assert found["both"] + found["only_second"] == round(450 * accuracies[1])
    shown = run_here("evaluate", runs / "one", "digits", "--against", runs / "two").stdout
    assert f"{accuracies[0]:.4f}  (95 %:" in shown and "(McNemar, exact): " in shown
    itself = run_here("evaluate", runs / "one", "digits", "--against", runs / "one").stdout
    assert "p = 1 (McNemar, exact): no difference is shown." in itself and itself.count("(95 %:") == 2


def test_two_runs_are_averaged_that_held_other_pictures_out(runs):
    mean = [Run(runs / name).record().preprocessing["mean"] for name in ("one", "two")]
    assert mean[0] != mean[1]
    found = json.loads(run_here("evaluate", runs / "one", runs / "two", "digits", "--json").stdout)
    test = digits().test
    alone = [load_pipeline(runs / name)[0] for name in ("one", "two")]
    with torch.inference_mode():  # a mean is calibrated as a whole, which changes no label
        p = sum(Pipeline(each.networks, each.preprocessing)(test.pixels) for each in alone)
    right = int((p.argmax(1) == test.labels).sum())
    assert found["count"] == 450 and abs(450 * found["top1"] - right) < 4  # evaluate computes in bfloat16


def test_what_a_comparison_leaves_out_is_said(runs, tmp_path):
    """Of a folder each run learned from its own part of, and classes that they do not know."""
    for name in ("0", "1", "other"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(20):
            picture((9 * number, 60, 200 if name == "0" else 20), (28, 28), number).save(
                tmp_path / "data" / name / f"{number}.png"
            )
    known = shutil.copytree(tmp_path / "data", tmp_path / "known")
    shutil.rmtree(known / "other")
    for seed in ("0", "1"):
        words = ["train", known, "--out", tmp_path / seed, *QUICK, "--seed", seed]
        assert run_here(*words).returncode == 0
    words = ["evaluate", tmp_path / "0", tmp_path / "data", "--against", tmp_path / "1"]
    found, shown = json.loads(run_here(*words, "--json").stdout), run_here(*words).stdout
    assert found["count"] + found["left_out"] == 40 and found["strangers"] == {"other": 20}
    assert 0 < found["left_out"] < 40
    assert f"Of {found['count']} examples (of 40: {found['left_out']} left out, which one or the other" in shown
    assert "20 are of classes that they do not know: other 20; left out." in shown
    assert ("; so few examples could show none." in shown) == (found["count"] < 6)
    assert [row["top1"] for row in found["accuracies"]] == [
        (found["both"] + found[which]) / found["count"] for which in ("only_first", "only_second")
    ]


def test_runs_that_do_not_read_the_same_examples_are_not_compared(runs, monkeypatch):
    from googlenet.apps.measure import compare

    read, found = compare.held_out, []

    def fewer(*words):
        there = read(*words)
        found.append(there)
        return there if len(found) == 1 else replace(there, new=there.new[1:])

    monkeypatch.setattr(compare, "held_out", fewer)
    done = run_here("evaluate", runs / "one", "digits", "--against", runs / "two")
    assert done.returncode == 1 and "do not read the same examples and labels of digits" in done.stderr


def test_networks_that_answer_other_questions_are_not_compared(tmp_path):
    """Of one table whose columns are both yes or no."""
    draws = np.random.default_rng(0)
    rows = [
        f"{'ny'[row % 2]},{'ny'[row // 2 % 2]},{','.join(map(str, draws.normal(row % 2, 1, 20)))}" for row in range(40)
    ]
    samples = ",".join(f"t{at}" for at in range(20))
    (tmp_path / "table.csv").write_text("\n".join([f"smoker,male,{samples}", *rows]) + "\n")
    for target, other in (("smoker", "male"), ("male", "smoker")):
        words = ["train", tmp_path / "table.csv", "--target", target, "--ignore", other, "--out", tmp_path / target]
        done = run_here(*words, "--epochs", "1", "--width", "0.1", "--no-calibrate", "--competing", "0")
        assert done.returncode == 0, done.stderr
    shutil.copy(tmp_path / "table.csv", tmp_path / "new.csv")
    done = run_here("evaluate", tmp_path / "smoker", tmp_path / "new.csv", "--against", tmp_path / "male")
    assert done.returncode == 1 and "do not read the same examples and labels" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["one", "digits", "--against", "googlenet_1d.gunpoint"], "know different classes"),
        (["one", "digits", "--against", "nothing"], "There is no run, file or weights 'nothing'"),
        (["one", "two", "digits", "--against", "one"], "--against compares two runs as they are"),
        (["one", "digits", "--against", "two", "--all"], "--against compares two runs as they are"),
        (["one", "gunpoint", "--against", "two"], "gunpoint"),
    ],
)
def test_what_cannot_be_compared_gets_a_sentence(runs, words, said):
    done = run_here("evaluate", *[runs / word if word in ("one", "two") else word for word in words])
    assert done.returncode in (1, 2) and said in done.stderr and "Traceback" not in done.stderr
