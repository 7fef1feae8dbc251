"""A terminal shows whole lines, whatever is typed, pressed, named and resized."""

import csv
import re
import shutil
import textwrap

import pytest

pytest.importorskip("pyte", reason="needs a screen in memory")
pytest.importorskip("pty", reason="needs pseudo-terminals")

from terminals import Terminal

from conftest import draw_two_classes

# After the second epoch of the first training it waits, its bar on the screen, until somebody presses Ctrl-C.
HELD = """
import time
from contextlib import contextmanager
import googlenet.apps.cli.progress as progress, googlenet.training.progress as pace
pace.PACE = 0  # every step moves the bar
shown, held = progress.training_progress, []

@contextmanager
def holding(*words, **options):
    with shown(*words, **options) as report:
        def wait(event):
            report(event)
            if hasattr(event, "row") and event.row.epoch == 2 and not held:
                held.append(event)
                while True:  # a single wait for a signal would miss one that came a moment before it
                    time.sleep(0.05)
        yield wait

progress.training_progress = holding
"""
WORDS = "train colours --out run --arch short_2d --width 0.125 --epochs 3 --batch-size 8"
TRAIN = tuple(WORDS.split())
EVALUATE, PREDICT = ("evaluate", "run", "colours"), ("predict", "run", "colours/red", "no.png", "--top", "1")
EPOCH = r"epoch   {}/3  loss \d\.\d{{3}}, held out \d\.\d{{3}}  accuracy \d\.\d{{3}}, held out \d\.\d{{3}}  \d+ s"
STEP = r"(-|\d+):[\d-]{{2}}:[\d-]{{2}}  epoch {}/3  loss \d\.\d{{3}}  accuracy \d\.\d{{3}}  [\d,]+ examples/s"
BAR = rf"[━╸╺]+ +{STEP}"
SAID = "short_2d (width 0.125), recipe small-colour, 3 epochs, 2 classes, 19 to learn from, 5 for validation; run: run"
MEASURED = (
    r"top-1 \d\.\d{4} \(95 %: \d\.\d{4} to \d\.\d{4}\)",
    r"loss \d\.\d{4}   Brier \d\.\d{4}   calibration error \d\.\d{4}",
)
COUNTED = r"examples 5 of 24 \(19 left out, which the run learned from\)"
SCORES = r" +\d\.\d{3} +\d\.\d{3} +\d\.\d{3} +\d( +[\d·])+"
RESULT = r"accuracy \d\.\d{4} on 5 held out; see run/report\.html"
CALIBRATED = r"probabilities calibrated on 5 examples that were held out \(temperature \d\.\d\d\)"


def program(*lines):
    return HELD + "with short_variants():\n" + "".join(f"    googlenet(*{tuple(line)!r})\n" for line in lines)


def alike(lines, patterns):
    """Whether these are the lines on the screen, from the first to the last, each as its pattern says."""
    shown = "\n".join(lines)
    assert len(lines) == len(patterns), shown
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line), f"{line!r} is not {pattern!r}, in\n{shown}"


def cut(text, columns):
    """A text as a terminal breaks it that knows no words."""
    return [re.escape(text[start : start + columns].rstrip()) for start in range(0, len(text), columns)]


def folded(text, columns):
    """A text as it is broken between words."""
    return [re.escape(line) for line in textwrap.wrap(text, columns)]


def typed(words, columns):
    return cut(f"$ googlenet {' '.join(words)}", columns)


def stopped(columns):
    """What is said to who presses Ctrl-C."""
    again = f"googlenet {' '.join(TRAIN)} --resume"
    said = f"googlenet: Stopped. What was learned up to the last checkpoint is saved; go on with: {again}"
    return [*cut(said, columns), r"\[130\]"]


def waits(lines):
    """Whether the second epoch is done and the bar stands below it."""
    return len(lines) > 1 and bool(re.fullmatch(EPOCH.format(2), lines[-2]) and re.match(BAR.format(2), lines[-1]))


@pytest.fixture
def colours(tmp_path):
    draw_two_classes(tmp_path / "colours")
    return tmp_path


@pytest.mark.parametrize("columns", [80, pytest.param(120, marks=pytest.mark.slow)])
def test_a_session_from_training_to_labels(colours, columns):
    resume = (*TRAIN, "--resume")
    first = [*typed(TRAIN, columns), *folded(SAID, columns), EPOCH.format(1), EPOCH.format(2)]
    with Terminal(program(TRAIN, resume, EVALUATE, PREDICT), colours, columns) as terminal:
        alike(terminal.until(waits), [*first, BAR.format(2)])
        terminal.press(b"\x03")
        lines = terminal.until(None)
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    train, again, evaluate, predict = (lines[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True))
    alike(train, [*first, *stopped(columns)])
    epochs = [line for line in again if line.startswith("epoch ")]  # from the last checkpoint, whenever that was
    alike(epochs, [EPOCH.format(number) for number in (1, 2, 3)][-len(epochs) :])
    rest = [line for line in again if line not in epochs]
    alike(rest, [*typed(resume, columns), *folded(SAID, columns), RESULT, CALIBRATED, r"\[0\]"])
    head = "class  precision  recall     f1  count  blue  red"
    alike(evaluate, [*typed(EVALUATE, columns), *MEASURED, COUNTED, head, f"blue {SCORES}", f"red  {SCORES}", r"\[0\]"])
    labelled = [rf"colours/red/{number:02}\.png  (blue|red) \d\.\d{{3}}" for number in range(12)]
    said = [r"engine: PyTorch on .*", *labelled, r"no\.png  error: no such file", r"\[1\]"]
    alike(predict, [*typed(PREDICT, columns), *said])


@pytest.mark.slow
def test_a_terminal_that_is_made_narrower_keeps_whole_lines(colours):
    with Terminal(program(TRAIN), colours, columns=120) as terminal:
        terminal.until(waits)
        terminal.resize(80)
        terminal.press(b"\x03")
        lines = terminal.until(None)
    kept = [*typed(TRAIN, 120), re.escape(SAID), EPOCH.format(1), EPOCH.format(2)]
    alike(lines, [*(pattern if pattern.startswith("epoch") else ".*" for pattern in kept), *stopped(80)])


@pytest.mark.slow
def test_no_colour_where_none_is_wanted(colours):
    with Terminal(program(TRAIN), colours, env={"NO_COLOR": "1"}) as terminal:
        alike(terminal.until(waits)[-2:], [EPOCH.format(2), BAR.format(2)])
        assert not re.search(rb"\x1b\[[\d;]*3\d[\d;]*m", terminal.sent)


@pytest.mark.slow
def test_a_terminal_that_cannot_move_gets_lines(colours):
    with Terminal(program(TRAIN), colours, env={"TERM": "dumb"}) as terminal:
        lines = terminal.until(lambda lines: bool(lines) and re.fullmatch(EPOCH.format(2), lines[-1]))
        alike(lines, [*typed(TRAIN, 80), *folded(SAID, 80), EPOCH.format(1), EPOCH.format(2)])
        assert b"\x1b" not in terminal.sent


# Two classes, of which one would end markup and one would ring, colour and smile; a file that would wipe the screen.
CLASSES, FILE = ("[/bold]", "[red]\x07\x1b[31mred:smile:"), "x[/b]\x1b[2J\u202e.png"


def test_names_neither_mark_up_nor_control_a_terminal(colours):
    shutil.copytree(colours / "colours" / "red", colours / "x[")
    (colours / FILE).write_bytes(b"")
    with (colours / "names.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label"])
        for number in range(12):
            rows.writerows([[f"x[/{number:02}.png", CLASSES[1]], [f"colours/blue/{number:02}.png", CLASSES[0]]])
        rows.writerow([FILE, CLASSES[0]])
    words = WORDS.replace("colours", "names.csv").replace("--epochs 3", "--epochs 1").split()
    lines = [words, ("evaluate", "run", "names.csv"), ("predict", "run", "x[", FILE, "--top", "1")]
    with Terminal(program(*lines), colours, 140) as terminal:
        lines = terminal.until(None)
    whole = "\n".join(lines)
    assert [line for line in lines if re.fullmatch(r"\[\d\]", line)] == ["[0]", "[0]", "[1]"], whole
    assert r"x[/b]\x1b[2J\u202e.png  empty file" in whole
    assert re.search(r"^\[/bold\] +([01]\.\d{3}|·) ", whole, re.MULTILINE), whole
    assert re.search(r"^\[red\]\\x07\\x1b\[31mred:smile: +([01]\.\d{3}|·) ", whole, re.MULTILINE), whole
    assert whole.count(r"x[/b]\x1b[2J\u202e.png  error: empty file") == 2, whole  # named, and in its folder
    assert not any(odd in terminal.sent for odd in (b"\x07", b"\x1b[2J", b"\x1b[31mred", "\u202e".encode()))


EVIL = "\x1b]0;owned\x07\x9b2J\u202e"


def test_nothing_that_is_read_controls_a_terminal(colours):
    """Names of files, folders, classes, tensors, columns and architectures, by every command that says them."""
    for name in (f"{EVIL}.png", f"{EVIL}.csv", f"{EVIL}.onnx"):
        (colours / name).write_text(f"label,a,{EVIL}\n1,{EVIL},2\n")
    make = f"""
import torch, googlenet as g
from dataclasses import replace
from safetensors.torch import load_file, save_file
evil = {EVIL!r}
with short_variants():
    model = g.create_model("short_2d", 2, width=0.125, auxiliary=False)
    g.save_weights(model, "classes.safetensors", classes=[evil + "a", evil + "b"])
    named = g.GoogLeNet(replace(model.arch, name=evil), 2)
    g.save_weights(named, "arch.safetensors")
tensors = load_file("classes.safetensors")
save_file({{evil + key: value for key, value in tensors.items()}}, "tensors.safetensors")
"""
    lines = [
        *(("weights", "identify", f"{name}.safetensors") for name in ("arch", "classes", "tensors")),
        *(("convert", f"{name}.safetensors", f"{EVIL}x.safetensors") for name in ("arch", "classes", "tensors")),
        *(
            ("predict", "classes.safetensors", "colours/red/00.png", f"{EVIL}.png", "--format", form)
            for form in ("table", "csv", "jsonl")
        ),
        *(("predict", f"{EVIL}.{end}", "colours") for end in ("csv", "onnx", "none")),
        *(("train", f"{EVIL}{end}") for end in ("", ".csv")),
        ("train", "colours", "--weights", f"{EVIL}.csv"),
        ("evaluate", "classes.safetensors", "colours", "--json"),
        ("evaluate", f"{EVIL}", f"{EVIL}.csv"),
        ("weights", "path", "googlenet.bvlc"),
        ("weights", "verify", "googlenet.bvlc"),
        ("weights", "fetch", f"googlenet.bvlc{EVIL}"),
        (EVIL,),
        ("list", f"--{EVIL}"),
        ("summary", EVIL),
        ("summary", "--input", EVIL),
    ]
    env = {"GOOGLENET_HOME": str(colours / EVIL), "GOOGLENET_KERNELS": "off", "NO_COLOR": "1", "TERM": "dumb"}
    with Terminal(make + program(*lines), colours, 140, env) as terminal:
        shown = terminal.until(None)
    whole = "\n".join(shown)
    assert len([line for line in shown if re.fullmatch(r"\[\d\]", line)]) > 5 and "Traceback" not in whole, whole
    sent = terminal.sent.decode("utf-8")
    assert all(letter.isprintable() for line in re.split(r"\r?\n", sent) for letter in line), whole
    assert sent.count(r"\x1b]0;owned\x07") > 10  # they are said
