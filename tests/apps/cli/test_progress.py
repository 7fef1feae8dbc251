import io
import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from googlenet.apps.cli import progress
from googlenet.apps.cli.output.screen import Screen
from googlenet.training.progress import EpochDone, StepDone
from googlenet.training.runs.records import EpochRow

ROW = EpochRow(epoch=2, loss=1.25, accuracy=0.5, seconds=3.0, learning_rate=0.1)
VALIDATED = replace(ROW, validation_loss=1.0, validation_accuracy=0.75)
STEP = StepDone(epoch=2, epochs=3, step=4, steps=10, loss=1.2345, accuracy=0.5, examples_per_second=1234.5)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """One terminal for both ways out."""
    sent = Terminal()
    for name in ("console", "errors"):
        monkeypatch.setattr(progress, name, Screen(file=sent, force_terminal=True, width=200))
    return sent


def test_on_a_pipe_an_epoch_is_a_line_of_json(capsys):
    with progress.training_progress() as report:
        report(STEP)
        report(EpochDone(ROW, 3))
        report(EpochDone(VALIDATED, 3))
    found = capsys.readouterr()
    first, second = map(json.loads, found.out.splitlines())
    assert first == {"epoch": 2, "epochs": 3, "loss": 1.25, "accuracy": 0.5, "seconds": 3.0, "learning_rate": 0.1}
    assert second == first | {"validation_loss": 1.0, "validation_accuracy": 0.75}
    assert found.err == ""


def test_on_a_terminal_an_epoch_is_a_line_and_steps_move_a_bar(terminal, monkeypatch):
    monkeypatch.setattr(sys, "stdout", terminal)
    with progress.training_progress() as report:
        report(STEP)
        report(EpochDone(ROW, 3))
        report(EpochDone(VALIDATED, 3))
    sent = terminal.getvalue()
    assert "epoch 2/3  loss 1.234  accuracy 0.500  1,234 examples/s" in sent
    assert "\x1b[2Kepoch   2/3  loss 1.250  accuracy 0.500  3 s\n" in sent  # in the place of the bar, not behind it
    assert "epoch   2/3  loss 1.250, held out 1.000  accuracy 0.500, held out 0.750  3 s\n" in sent


def test_lines_of_json_go_into_their_file_while_a_bar_moves_on_the_terminal(terminal, capsys):
    with progress.training_progress() as report:
        report(STEP)
        report(EpochDone(ROW, 3))
    assert json.loads(capsys.readouterr().out)["epoch"] == 2
    assert "epoch 2/3" in terminal.getvalue() and "{" not in terminal.getvalue()


def test_who_does_not_lead_says_nothing(capsys):
    with progress.training_progress(shown=False) as report:
        report(STEP)
        report(EpochDone(ROW, 3))
    assert capsys.readouterr() == ("", "")


def test_tensorboard_gets_the_numbers_of_every_epoch(tmp_path, capsys):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with progress.training_progress(tensorboard=tmp_path) as report:
        report(STEP)
        report(EpochDone(ROW, 3))
        report(EpochDone(replace(VALIDATED, epoch=3), 3))
    log = EventAccumulator(str(tmp_path / "tensorboard"))
    log.Reload()
    assert [(event.step, event.value) for event in log.Scalars("loss")] == [(2, 1.25), (3, 1.25)]
    assert [(event.step, event.value) for event in log.Scalars("validation_accuracy")] == [(3, 0.75)]
    assert "epoch" not in log.Tags()["scalars"]


def test_tensorboard_keeps_what_it_got_of_a_training_that_stops(tmp_path, monkeypatch):
    closed = []
    monkeypatch.setattr(progress, "_tensorboard", lambda run: SimpleNamespace(close=lambda: closed.append(run)))
    with pytest.raises(KeyboardInterrupt), progress.training_progress(tensorboard=tmp_path):
        raise KeyboardInterrupt
    assert closed == [tmp_path]


def test_watched_items_come_one_by_one(terminal):
    assert list(progress.watch(["a", "b"], "checking")) == ["a", "b"]
    assert "checking  2 of 2" in terminal.getvalue()


def test_a_download_shows_its_bytes(terminal):
    with progress.download_progress("weights") as update:
        update(1000, 2000)
        update(2000, 2000)
    assert "weights  2.0 kB of 2.0 kB" in terminal.getvalue()


def test_on_a_pipe_nothing_moves(capsys):
    with progress.download_progress("weights") as update:
        update(1, None)
    assert list(progress.watch([1, 2], "checking")) == [1, 2]
    assert capsys.readouterr() == ("", "")
