"""Signals: preparation, networks side by side, runs through the command line, and what decided."""

import copy
import dataclasses
import json
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

import googlenet
from conftest import SHARED, run_here
from googlenet.arch.variants import find_arch
from googlenet.data.builtin import gunpoint
from googlenet.data.find import to_learn_from
from googlenet.data.protocol import Dataset
from googlenet.data.signals.batches import Changes, signal_batches
from googlenet.data.signals.dataset import SignalSet, network_length
from googlenet.data.signals.find import claims, find_signals
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.data.splits import copies, hold_out
from googlenet.inference.engines.torch import BACKEND
from googlenet.inference.pipeline import Pipeline
from googlenet.inference.predictor import Predictor
from googlenet.nn.googlenet import GoogLeNet, mean_probabilities
from googlenet.training import loop
from googlenet.training.distributed import World, joined
from googlenet.training.learner import finished
from googlenet.training.loop import epochs
from googlenet.training.progress import EpochDone, silent
from googlenet.training.recipe import SIGNALS, find_recipe
from googlenet.training.runs.folder import Run
from googlenet.training.start.fresh import fresh_state
from googlenet.training.task import task_for

UCR = SHARED / "data" / "ucr"
needs_ucr = pytest.mark.skipif(not UCR.exists(), reason="the UCR archive is not beside the repository")


def plain(channels=1, length=4):
    return SignalPreprocessing(channels, length, (0.0,) * channels, (1.0,) * channels, (1.0,) * channels)


def predictor(models, prepared):
    return Predictor(BACKEND.engine_of(Pipeline(models, prepared)), "abc", prepared)


def small(members=1, channels=2, classes=3):
    torch.manual_seed(0)
    arch = dataclasses.replace(find_arch("googlenet_1d").scaled(0.25), members=members)
    return GoogLeNet(arch, classes, channels).eval()


def test_missing_values_are_interpolated_and_the_difference_is_beside_the_signal():
    nan = float("nan")
    x = plain().array([np.array([[1, nan, 3, 5]], np.float32), np.array([[nan, 2, 2, nan]], np.float32)])
    assert x.tolist() == [[[1, 2, 3, 5], [0, 1, 1, 2]], [[2, 2, 2, 2], [0, 0, 0, 0]]]


def test_a_channel_without_values_is_its_mean_and_a_constant_one_is_zero():
    signals = [np.array([[1.0, 3.0], [7.0, 7.0]], np.float32), np.full((2, 2), np.nan, np.float32)]
    prepared = SignalPreprocessing.fitted(signals, 2)
    assert prepared.mean == (2.0, 7.0) and prepared.std == (1.0, 1.0)
    assert prepared.array(signals)[:, :2].tolist() == [[[-1, 1], [0, 0]], [[0, 0], [0, 0]]]


@settings(deadline=None, max_examples=40)
@given(n=st.integers(8, 60), channels=st.integers(1, 3), seed=st.integers(0, 99))
def test_the_training_part_is_standard_after_preparation(n, channels, seed):
    draw = np.random.default_rng(seed)
    signals = [draw.normal(5, 3, (channels, n)).astype(np.float32) for _ in range(9)]
    x = SignalPreprocessing.fitted(signals, n).array(signals)
    assert x.shape == (9, 2 * channels, n)
    for values in x[:, :channels].transpose(1, 0, 2):
        assert abs(float(values.mean())) < 1e-4 and abs(float(values.std()) - 1) < 1e-4
    for values in x[:, channels:].transpose(1, 0, 2):
        assert abs(float(values.std()) - 1) < 1e-3


@settings(deadline=None, max_examples=40)
@given(scale=st.floats(1e-4, 1e4), offset=st.floats(-100, 100), seed=st.integers(0, 99))
def test_a_signal_that_is_standardised_by_itself_has_no_scale_and_no_offset(scale, offset, seed):
    signal = np.random.default_rng(seed).normal(size=(1, 30)).astype(np.float32)
    x = SignalPreprocessing(1, 30, (), (), ()).array([signal, (scale * (signal + offset)).astype(np.float32)])
    np.testing.assert_allclose(x[0, 0], (signal[0] - signal.mean()) / signal.std(), atol=1e-5)
    np.testing.assert_allclose(x[1, 0], x[0, 0], atol=2e-4)


@pytest.mark.parametrize("value", [0.1, 1e6 + 0.3, -7e-30, float("nan")])
def test_a_constant_signal_by_itself_is_zero(value):
    assert not SignalPreprocessing(1, 9, (), (), (1.0,)).array([np.full((1, 9), value, np.float32)]).any()


def test_signals_are_standardised_by_themselves_where_scales_differ_tenfold():
    draw = np.random.default_rng(0)
    signals = [draw.normal(3, 1, (1, 40)).astype(np.float32) for _ in range(20)]
    assert SignalPreprocessing.fitted(signals, 40).mean != ()
    assert SignalPreprocessing.fitted([*signals, 1000 * signals[0]], 40).mean != ()  # one outlier is none
    assert SignalPreprocessing.fitted([*signals, *np.ones((9, 1, 40), np.float32)], 40).mean != ()  # nor are constants
    mixed = [signal * (100 if row % 2 else 1) for row, signal in enumerate(signals)]
    prepared = SignalPreprocessing.fitted(mixed, 40)
    assert prepared.mean == prepared.std == ()
    assert SignalPreprocessing.from_dict(json.loads(json.dumps(prepared.to_dict()))) == prepared
    np.testing.assert_allclose(prepared.array(mixed), prepared.array(signals), rtol=1e-4, atol=1e-4)


def test_a_short_signal_keeps_its_time_scale_and_zeros_follow():
    prepared = SignalPreprocessing(1, 6, (1.0,), (2.0,), (0.5,))
    x = prepared.array([np.array([[3, 5, 1]], np.float32)])
    assert x.tolist() == [[[1, 2, 0, 0, 0, 0], [0, 2, -4, 0, 0, 0]]]


def test_four_of_five_signals_are_read_at_their_own_length():
    signals = [np.zeros((1, n), np.float32) for n in (500, 100, 200, 300, 400, 600)]
    assert network_length(signals, 1024) == 500
    assert network_length(signals, 128) == 128
    assert network_length(signals[1:2], 1024) == 100
    assert network_length([np.zeros((1, 3), np.float32)], 1024) == 8


def test_a_squeezed_line_is_a_line():
    line = np.arange(50, dtype=np.float32)[None] / 49
    for length in (10, 25):
        x = plain(length=length).array([line])[0, 0]
        inner = x[length // 10 : -length // 10]
        np.testing.assert_allclose(np.diff(inner), 1 / length * 50 / 49, atol=1e-3)


@pytest.mark.parametrize(
    ("signal", "words"),
    [
        (np.zeros((3, 9)), r"\(3, 9\)"),
        (np.zeros((1, 0)), r"\(1, 0\)"),
        (np.array([[1, np.inf]]), "infinite"),
    ],
)
def test_signals_that_cannot_be_read_are_sentences(signal, words):
    with pytest.raises(googlenet.InputError, match=f"Signal 1: .*{words}"):
        plain().array([signal.astype(np.float32)])
    labels = predictor([small()], plain())
    many = [np.zeros((1, 4), np.float32)] * 70 + [signal.astype(np.float32)]
    with pytest.raises(googlenet.InputError, match=f"#70 .*{words}"):
        labels.probabilities(many)
    *good, bad = labels.predict(many)
    assert re.search(words, bad.error) and all(row.error is None for row in good)


def test_members_are_networks_of_their_own():
    """Grouped convolutions, norms and the joined order of channels against one network after the other."""
    joint = small(members=3)
    x = torch.randn(5, 3 * 2, 40)
    singles = []
    for member in range(3):
        single = small()
        state = single.state_dict()
        for key, value in joint.state_dict().items():
            if key == "classifier.weight":
                state[key] = value[member].T
            elif key == "classifier.bias":
                state[key] = value[member, 0]
            elif value.ndim:
                state[key] = value.chunk(3)[member]
        single.load_state_dict(state)
        singles.append(single)
    for mode in (False, True):
        logits = joint.train(mode)(x)
        assert logits.shape == (5, 3, 3)
        for member, single in enumerate(singles):
            alone = single.train(mode)(x[:, 2 * member : 2 * member + 2])
            torch.testing.assert_close(logits[:, member], alone, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(mean_probabilities(logits), logits.softmax(2).mean(1))


def test_inceptiontime_has_the_published_parameters():
    # Fawaz et al. 2020 and its code: kernels 40, 20, 10 on a bottleneck of 32, a pool branch, residuals.
    first = (40 + 20 + 10) * 32 + 32 + 2 * 128
    later = 128 * 32 + (40 + 20 + 10) * 32 * 32 + 128 * 32 + 2 * 128
    residuals = (128 + 2 * 128) + (128 * 128 + 2 * 128)
    assert googlenet.cost("inceptiontime", in_channels=1, num_classes=2).params == (
        first + 5 * later + residuals + 2 * 129
    )


def test_even_members_see_the_difference():
    x = torch.arange(4.0).view(1, 4, 1).expand(2, 4, 9)  # two channels, then their differences
    (seen,) = plain(channels=2, length=9).views(x, 3)
    seen = seen.view(2, 3, 4, 9)
    assert seen[0, :, :, 0].tolist() == [[0, 1, 2, 3], [0, 1, 0, 0], [0, 1, 2, 3]]
    (alone,) = dataclasses.replace(plain(channels=2, length=9), slope=()).views(x[:, :2], 3)
    assert alone.view(2, 3, 2, 9)[0, :, :, 0].tolist() == [[0, 1]] * 3


def test_the_published_recipe_sees_no_difference_and_the_whole_signal():
    recipe = find_recipe("inceptiontime")
    signals = [np.sin(np.arange(300, dtype=np.float32) * f)[None] for f in (0.1, 0.2, 0.3, 0.4)]
    part = SignalSet(torch.tensor([0, 0, 1, 1]), ("1", "2", "3", "4"), tuple(signals))
    task = task_for(Dataset("waves", ("a", "b"), part), recipe)
    assert task.channels == 1 and task.size == (300,)
    batch = next(task.training.training(0, 4))
    whole = torch.from_numpy(np.concatenate(signals))
    expected = (whole - whole.mean()) / whole.std(correction=0)
    for member in range(5):
        torch.testing.assert_close(batch.inputs[:, member], expected[batch.rows[:, member]], atol=1e-5, rtol=1e-5)


def test_every_member_has_its_own_order_and_an_epoch_holds_every_signal():
    inputs = torch.arange(12.0).view(12, 1, 1).expand(12, 2, 8)
    batches = list(signal_batches(inputs, torch.arange(12), plain(), 4, 3, Changes(), 0, 0))
    assert len(batches) == 3
    rows = torch.cat([batch.rows for batch in batches])
    for member in range(3):
        assert sorted(rows[:, member].tolist()) == list(range(12))
    assert (rows[:, 0] != rows[:, 1]).any()
    for batch in batches:
        assert torch.equal(batch.inputs[:, ::2, 0], batch.rows.float())
        assert torch.equal(batch.labels, batch.rows)
    # Two processes share a batch.
    shares = [
        next(signal_batches(inputs, torch.arange(12), plain(), 4, 3, Changes(), 0, 0, rank, 2)) for rank in (0, 1)
    ]
    assert torch.equal(torch.stack([s.rows for s in shares], 1).flatten(0, 1), batches[0].rows)


def test_stretching_keeps_values_between_their_neighbours():
    ramp = torch.linspace(0, 1, 100).expand(6, 2, 100)
    batch = next(signal_batches(ramp, torch.zeros(6).long(), plain(), 6, 4, Changes(0.8, 0.02), 0, 0))
    x = batch.inputs.view(6, 4, 2, 100)
    assert torch.equal(x[:, :1], ramp[:, None])
    changed = x[:, 2, 0]
    assert (changed >= 0).all() and (changed <= 1).all() and (changed.diff(dim=1) >= -1e-6).all()
    assert ((changed[:, -1] - changed[:, 0]) >= 0.75).all() and (changed - ramp[:, 0]).abs().max() > 0.01


def test_a_signal_has_the_same_probabilities_alone_and_among_others():
    draw = np.random.default_rng(0)
    signals = [draw.normal(size=(1, n)).astype(np.float32) for n in (8, 33, 500, 64, 1000, 90)]
    four = predictor([small(members=4)], SignalPreprocessing.fitted(signals, 64))
    together = four.probabilities(signals)
    # As an archive pads it: NaN up to the longest; the reader cuts that off.
    for row, signal in enumerate(signals):
        np.testing.assert_allclose(four.probabilities([signal])[0], together[row], rtol=0, atol=1e-4)


def test_networks_with_other_numbers_of_members_are_averaged():
    signals = [np.random.default_rng(row).normal(size=(1, 40)).astype(np.float32) for row in range(3)]
    prepared = SignalPreprocessing.fitted(signals, 40)
    one, two = small(), small(members=2)
    apart = [predictor([model], prepared).probabilities(signals) for model in (one, two)]
    together = predictor([one, two], prepared).probabilities(signals)
    np.testing.assert_allclose(together, sum(apart) / 2, rtol=1e-4, atol=1e-6)


def test_groups_stay_together():
    labels = torch.arange(40) % 2
    groups = tuple(f"patient {row // 4}" for row in range(40))
    signals = tuple(np.full((1, 8), row, np.float32) for row in range(40))
    data = Dataset("hearts", ("a", "b"), SignalSet(labels, groups, signals, groups))
    split = hold_out(data, 0.2, 0)
    assert not set(split.train.groups) & set(split.validation.groups)
    assert len(split.train) + len(split.validation) == 40
    assert set(split.validation.labels.tolist()) == {0, 1}


def write_pair(folder, rows=12, test_label=None):
    draw = np.random.default_rng(0)
    for part in ("TRAIN", "TEST"):
        lines = [
            "\t".join([str(row % 2), *(f"{value:.5f}" for value in draw.normal(row % 2, 0.3, 20))])
            for row in range(rows)
        ]
        if part == "TEST" and test_label:
            lines.append("\t".join([test_label] + ["1"] * 20))
        (folder / f"Toy_{part}.tsv").write_text("\n".join(lines) + "\n")
    return folder / "Toy"


def test_data_problems_are_sentences(tmp_path):
    stranger = find_signals(str(write_pair(tmp_path, test_label="7")))
    assert (len(stranger.test), stranger.classes) == (12, ("0", "1"))
    assert "1 signal of the test part is left out: the training part has nothing of the class '7'." in stranger.notes
    single = tmp_path / "One_TRAIN.tsv"
    single.write_text("1\t1\t2\n1\t2\t3\n")
    with pytest.raises(googlenet.InputError, match="a single class"):
        to_learn_from(find_signals(str(single)))
    (tmp_path / "Toy_TEST.tsv").write_text((tmp_path / "Toy_TRAIN.tsv").read_text())
    assert "12 signals are in more than one part (by content)" in " ".join(copies(find_signals(str(tmp_path / "Toy"))))
    assert claims(str(tmp_path / "Toy")) and not claims(str(tmp_path / "Tot"))


def test_the_file_that_is_named_is_the_one_a_network_is_measured_on(tmp_path):
    pair = write_pair(tmp_path)
    (tmp_path / "Toy_TEST.tsv").write_text("0\t" + "\t".join(["1"] * 20) + "\n")
    for name, measured in (("Toy", 1), ("Toy_TRAIN.tsv", 12), ("Toy_TEST.tsv", 1)):
        data = find_signals(str(pair.with_name(name)), known=("0", "1"))
        assert len(data.held_out) == measured, name
    assert len(find_signals(str(pair.with_name("Toy_TRAIN.tsv"))).test) == 1  # who learns has the other part, too


def test_the_embedded_signals_are_the_archives():
    data = gunpoint()
    assert (len(data.train), len(data.test)) == (50, 150)
    if UCR.exists():
        archive = find_signals(str(UCR / "GunPoint"))
        for part in ("train", "test"):
            ours, theirs = getattr(data, part), getattr(archive, part)
            assert torch.equal(ours.labels, theirs.labels)
            np.testing.assert_array_equal(np.stack(ours.signals), np.stack(theirs.signals).astype(np.float32))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signals")
    source = write_pair(folder)
    result = run_here("train", source, "--out", folder / "run", "--epochs", "20", "--width", "0.25", "--members", "2")
    assert result.returncode == 0, result.stderr
    return folder, result


def test_a_run_on_signals(run):
    folder, result = run
    assert "20 samples" in result.stderr
    assert json.loads((folder / "run" / "evaluation.json").read_text())["top1"] == 1.0
    page = (folder / "run" / "report.html").read_text()
    assert "What decided" in page and "<svg" in page and "http" not in page.replace("http-equiv", "")
    record = json.loads((folder / "run" / "run.json").read_text())
    assert record["examples"] == {"train": 12, "test": 12} and record["recipe"]["members"] == 2


def flat(rows):
    """Every probability of rows of JSON."""
    return [label["probability"] for row in rows for label in row["top"]]


def test_evaluate_and_predict_from_a_run_on_signals(run, tmp_path):
    folder, _ = run
    shown = json.loads(run_here("evaluate", folder / "run", folder / "Toy", "--json").stdout)
    held = json.loads((folder / "run" / "evaluation.json").read_text())
    rounded = ("nll", "ece", "brier")
    assert {name: shown[name] for name in rounded} == pytest.approx({name: held[name] for name in rounded}, abs=1e-6)
    assert all(shown[name] == value for name, value in held.items() if name not in (*rounded, "reliability", "notes"))
    rows = [line.split("\t") for line in (folder / "Toy_TEST.tsv").read_text().splitlines()]
    table = tmp_path / "new.csv"
    table.write_text("\n".join(",".join(row[1:]) for row in rows) + "\n")
    broken = tmp_path / "broken.csv"
    broken.write_text("1,2,3\n4,five,6\n")
    result = run_here("predict", folder / "run", table, broken, folder / "Toy_TEST.tsv", "--format", "jsonl")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.returncode == 1 and len(answers) == 26
    assert [answer["label"] for answer in answers[:12]] == [row[0] for row in rows]
    assert "3 samples" in answers[12]["error"] and "five" in answers[13]["error"]
    assert flat(answers[14:]) == pytest.approx(flat(answers[:12]), abs=1e-6)

    lower = tmp_path / "toy_test.tsv"
    lower.write_text((folder / "Toy_TEST.tsv").read_text())
    result = run_here("predict", folder / "run", lower, "--format", "jsonl")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert flat(rows) == pytest.approx(flat(answers[14:]), abs=1e-6)  # other batches, other rounding


def test_pictures_and_signals_are_not_taken_for_each_other(run):
    folder, _ = run
    result = run_here("evaluate", folder / "run", "digits")
    assert result.returncode == 1 and "googlenet: " in result.stderr and "Traceback" not in result.stderr


def test_a_resumed_run_on_signals_ends_in_the_same_weights(tmp_path, monkeypatch):
    data = dataclasses.replace(gunpoint(), test=None)
    recipe = SIGNALS.with_changes({"epochs": "4", "width": "0.25", "members": "2"})

    class Stop(Exception):
        pass

    def stop_after_two(event):
        if isinstance(event, EpochDone) and event.row.epoch == 2:
            raise Stop

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    with joined() as world:
        task = task_for(data, recipe)
        loop.train(task, Run(tmp_path / "whole"), world, False, silent)
        with pytest.raises(Stop):
            loop.train(task, Run(tmp_path / "parts"), world, False, stop_after_two)
        seen = []
        loop.train(task, Run(tmp_path / "parts"), world, True, seen.append)
    assert [event.row.epoch for event in seen if isinstance(event, EpochDone)] == [3, 4]
    a, b = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "parts"))
    assert a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@needs_ucr
@pytest.mark.parametrize("name", ["PLAID", "PickupGestureWiimoteZ", "DodgerLoopDay"])
def test_the_archives_uneven_sets_are_read_and_prepared(name):
    data = find_signals(str(UCR / name))
    lengths = {signal.shape[1] for signal in data.train.signals}
    assert len(lengths) > 1 or any(np.isnan(signal).any() for signal in data.train.signals)
    prepared = SignalPreprocessing.fitted(data.train.signals, 64)
    assert np.isfinite(prepared.array(data.test.signals)).all()


def test_copies_of_a_network_with_members_are_alike():
    model = small(members=2)
    x = torch.randn(2, 4, 30)
    assert torch.equal(copy.deepcopy(model)(x), model(x))
    model.reset_classifier(5)
    assert model(x).shape == (2, 2, 5)


def test_kept_batch_norm_statistics_are_those_of_the_whole_training_part():
    data, recipe = gunpoint(), dataclasses.replace(SIGNALS, width=0.25, epochs=2, members=2, precision="fp32")
    world = World(0, 1, torch.device("cpu"))
    task = task_for(data, recipe)
    state = fresh_state(task, world)
    list(epochs(task, state, world, silent))
    model = finished(task, state)
    assert not model.training
    path = model.features["2a"].branches["9 by 4"].conv
    with torch.no_grad():
        model.train()  # statistics of earlier layers are then those of this batch: 50 signals, one batch
        caught = []
        handle = path.conv.register_forward_hook(lambda module, given, output: caught.append(output))
        model(task.preprocessing.views(torch.from_numpy(task.preprocessing.array(data.train.signals)), 2)[0])
        handle.remove()
    maps = caught[0].transpose(0, 1).flatten(1)
    exact = finished(task, state).features["2a"].branches["9 by 4"].conv.norm
    torch.testing.assert_close(exact.running_mean, maps.mean(1), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(exact.running_var, maps.var(1), rtol=1e-4, atol=1e-5)
    assert exact.momentum == 0.1


def test_the_published_recipe_trains_and_evaluates_by_name(tmp_path):
    words = ("--recipe", "inceptiontime", "--epochs", "2", "--width", "0.25", "--out", tmp_path / "run")
    result = run_here("train", "gunpoint", *words)
    assert result.returncode == 0, result.stderr
    header = googlenet.weights.checkpoint.read_header(tmp_path / "run" / "model.safetensors")
    assert header.arch.name == "inceptiontime" and header.arch.members == 5 and header.in_channels == 1
    shown = json.loads(run_here("evaluate", tmp_path / "run", "gunpoint", "--json").stdout)
    assert 0 <= shown["top1"] <= 1
