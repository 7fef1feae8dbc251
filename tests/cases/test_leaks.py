"""A table whose classes one number tells apart: training says so, on the terminal, in the record and in the report."""

import json

import numpy as np

from conftest import run_here

FAST = ("--epochs", "6", "--members", "1", "--no-differences", "--width", "0.25")


def table(path, offset):
    """Noise of 20 samples; the second class is higher by the offset."""
    rng, y = np.random.default_rng(0), np.arange(80) % 2
    rows = rng.normal(size=(80, 20)) + offset * y[:, None]
    lines = [",".join(["ab"[label], *(f"{value:.3f}" for value in row)]) for label, row in zip(y, rows, strict=True)]
    path.write_text("\n".join([",".join(["label", *(f"v{at}" for at in range(20))]), *lines]) + "\n")
    return path


def test_training_names_the_number_that_tells_the_classes_apart(tmp_path):
    done = run_here("train", table(tmp_path / "t.csv", 6), *FAST, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    said = "Be careful: a single number tells these classes apart nearly as well as the network: the mean (1.0000)"
    assert said in " ".join(done.stderr.split())
    assert said in (tmp_path / "run" / "report.html").read_text()
    found = json.loads((tmp_path / "run" / "evaluation.json").read_text())["shortcuts"]
    assert {"name": "the mean", "accuracy": 1.0} in found


def test_noise_is_not_doubted(tmp_path):
    done = run_here("train", table(tmp_path / "t.csv", 0), *FAST, "--out", tmp_path / "run")
    assert done.returncode == 0 and "Be careful" not in done.stderr
    assert 'class="doubt"' not in (tmp_path / "run" / "report.html").read_text()
