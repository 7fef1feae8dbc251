"""Every command line ends in what was asked for or in a sentence, whatever stands in it and whatever it writes to."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
import typer
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image
from rich.table import Table
from rich.text import Text

from conftest import CLI, DEADLINE, draw_two_classes, run_cli, run_here
from googlenet.apps.cli.main import app
from googlenet.apps.cli.output.screen import Screen, shown
from googlenet.apps.cli.output.spans import write_spans
from googlenet.apps.cli.output.writers import WRITERS
from googlenet.errors import InputError
from googlenet.inference.prediction import Prediction, Wanted
from googlenet.inference.spans import Span

pytestmark = pytest.mark.usefixtures("short")
SHORT = ["--arch", "short_2d", "--width", "0.125", "--epochs", "1", "--batch-size", "8"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Pictures of two classes in ``photos``, and a run in ``run``."""
    from conftest import short_variants

    folder = tmp_path_factory.mktemp("desk")
    draw_two_classes(folder / "photos")
    with short_variants():
        assert run_here("train", *SHORT, "photos", "--out", "run", cwd=folder).returncode == 0
    return folder


def sentence(done, code, *parts):
    """That a command ended with that status and one sentence, in which those parts are."""
    assert done.returncode == code, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("googlenet: ") and "Traceback" not in done.stderr
    assert all(part in last for part in parts), last


# ---------------------------------------------------------------------------------------------- options
@pytest.mark.parametrize(
    "words",
    [
        ["--epochs", "1", "photos", "--out", "a"],
        ["--no-flip", "photos", "--out", "b"],
        ["--out", "c", "--epochs=1", "--seed", "3", "photos"],
        ["--balance", "weights", "--", "photos"],
    ],
)
def test_options_stand_before_data(desk, words):
    seen = []
    with mock.patch("googlenet.apps.jobs.train_into", lambda data, recipe, *_, **__: seen.append((data, recipe))):
        done = run_here("train", *SHORT, *words, cwd=desk)
    ((data, recipe),) = seen
    assert (done.returncode, data.name, recipe.epochs) == (0, "photos", 1)
    assert recipe.flip == ("--no-flip" not in words) and recipe.seed == (3 if "--seed" in words else 0)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["train", "photos", "--epoch", "1"], "Did you mean --epochs?"),
        (["train", "photos", "--batch", "4"], "Did you mean --batch-size?"),
        (["train", "photos", "--lr", "0.1"], "Did you mean --learning-rate?"),
        (["train", "--wd=0.1", "photos"], "Did you mean --weight-decay?"),
        (["train", "photos", "-o", "x"], "Did you mean --out?"),
        (["train", "photos", "--pretrained"], "Did you mean --weights?"),
        (["predict", "run", "photos", "-o", "x"], "Did you mean --output?"),
        (["predict", "run", "photos", "--topk", "1"], "Did you mean --top?"),
        (["predict", "run", "photos", "--json"], "Did you mean --format?"),
        (["train", "photos", "--workers", "4"], "As many threads"),
        (["train", "photos", "--device", "cuda"], "A GPU is used where"),
        (["predict", "run", "photos", "--gpu"], "A GPU is used where"),
        (["train", "photos", "--val-split", "0.2"], "A fifth is held out"),
        (["train", "photos", "--epochs", "-1"], "epochs must be above 0, not -1"),
        (["train", "photos", "--epochs", "1.5"], "epochs takes a whole number, not '1.5'"),
        (["train", "photos", "--dropout", "2"], "dropout must be from 0 to below 1"),
        (["train", "photos", "--epochs"], "--epochs needs a value."),
        (["train", "photos", "--flip=yes"], "--flip takes no value."),
        (["train", "photos", "extra"], "'extra' is too much: googlenet train DATA."),
        (["predict", "run", "photos", "--top", "0"], "--top takes a number of 1 or more."),
        (["predict", "run", "photos", "--top", "1.5"], "--top takes a whole number of 1 or more."),
        (["predict", "run", "photos", "--coverage", "half"], "--coverage takes a number from 0 to 1."),
        (["predict", "run", "photos", "--coverage", "95"], "--coverage takes a number from 0 to 1."),
        (["predict", "run", "photos", "--reject-below", "nan"], "--reject-below takes a number from 0 to 1."),
        (["train", "photos", "--minutes", "0"], "--minutes takes a number of 0.5 or more."),
        (["train", "photos", "--minutes", "five"], "--minutes takes a number of 0.5 or more."),
        (["serve", "run", "--port", "70000"], "--port takes a number from 0 to 65,535."),
        (["predict", "run", "photos", "--format", "xml"], "'xml' is not one of 'table', 'jsonl', 'csv', 'parquet'."),
        (["predict", "run"], "predict also needs INPUTS"),
        (["predict"], "predict also needs RUN"),
        (["evaluate", "run"], "Name a run and the data"),
        (["tarin", "photos"], "Did you mean 'train'?"),
    ],
)
def test_a_command_line_that_cannot_be_read_gets_its_sentence(desk, words, hint):
    sentence(run_here(*words, cwd=desk), 2, hint)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["evaluate", "photos", "run"], "photos is no run; runs come first: googlenet evaluate run photos"),
        (["predict", "photos/red/00.png", "run"], "runs come first: googlenet predict run photos/red/00.png"),
        (["predict", "photos", "run/model.safetensors"], "runs come first: googlenet predict run/model.safetensors"),
        (["predict", "https://example.com/run", "photos"], "an address on the network; download it first"),
        (["train", "http://example.com/photos.zip"], "an address on the network; download it first"),
        (["evaluate", "run", "s3://bucket/photos"], "an address on the network; download it first"),
        (["predict", "photos", "photos/red"], "photos has no model.safetensors: it is not a run"),
        (["predict", "run", "-"], "standard input names no file"),
        (["export", "run", "--out", "/dev/null"], "is there and is no folder"),
        (["predict", "run", "photos", "--output", "photos"], "photos is a folder; name a file"),
        (["predict", "run", "photos", "--output", "photos/red/00.png/x.csv"], "could not be written"),
        (["predict", "run", "photos", "--output", "/dev/full"], "/dev/full could not be written: No space left"),
    ],
)
def test_what_cannot_be_done_gets_its_sentence(desk, words, hint):
    sentence(run_here(*words, cwd=desk), 1, hint)


@pytest.mark.parametrize("words", [["empty"], ["no*.png"], ["photos/red/../none"], ["https://example.com/cat.jpg"]])
def test_where_there_is_no_picture_a_row_says_so(desk, words):
    (desk / "empty").mkdir(exist_ok=True)
    done = run_here("predict", "run", *words, cwd=desk)
    assert done.returncode == 1 and f"{words[0]}  error: " in done.stdout


# ------------------------------------------------------------------------------------------- predictions
def test_an_output_is_whole_or_not_there(desk):
    assert run_here("predict", "run", "photos", "--format", "csv", "--output", "all.csv", cwd=desk).returncode == 0
    head, *rows = csv.reader((desk / "all.csv").read_text(encoding="utf-8").splitlines())
    assert head == ["input", "error", "label_1", "probability_1", "label_2", "probability_2"]  # two classes
    assert len(rows) == 24 and {len(row) for row in rows} == {6}
    before = (desk / "all.csv").read_bytes()
    with mock.patch("googlenet.inference.predictor.Predictor.stream", side_effect=InputError("stopped half way")):
        sentence(run_here("predict", "run", "photos", "--output", "all.csv", cwd=desk), 1, "stopped half way")
    assert (desk / "all.csv").read_bytes() == before and not list(desk.glob(".googlenet-fresh*"))


def test_one_picture_does_not_wait_for_openvino(desk):
    pytest.importorskip("openvino")
    done = run_here("predict", "run", "photos/red/00.png", cwd=desk)
    assert "engine: PyTorch" in done.stderr
    with mock.patch("googlenet.inference.load.MANY", 24):
        assert "engine: OpenVINO" in run_here("predict", "run", "photos", cwd=desk).stderr


PREDICTIONS = [Prediction("a\u202eb\n.png", (("é😀", 0.75), ("猫[/b]\x1b", 0.25)))]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8", "latin-1"])
def test_json_lines_are_json_in_every_encoding(encoding):
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
    WRITERS["jsonl"](PREDICTIONS, out, Wanted(2))
    out.flush()
    assert json.loads(out.buffer.getvalue().decode(encoding)) == PREDICTIONS[0].to_dict()


NAME = st.text(st.sampled_from("=+-@\t\r\n\"' ,;1.e\ufeff＝x") | st.characters(codec="utf-8"), max_size=6)


@settings(max_examples=300)
@given(name=NAME, label=NAME, reason=NAME)
@example(name="=cmd|'calc'!A1.png", label='=HYPERLINK("http://x")', reason="-2+3")
@example(name=" \"'=1", label="-1", reason="+")
@example(name="\t=1", label="1e5", reason="@x")
def test_no_cell_of_csv_is_computed_by_a_spreadsheet(name, label, reason):
    """A number is none that is computed; every name can be had back, but what steers a terminal is a code."""
    out, spans = io.StringIO(newline=""), io.StringIO(newline="")
    WRITERS["csv"]([Prediction(name, ((label, 0.5),)), Prediction(name, (), reason)], out, Wanted(1))
    write_spans([Span(name, 0.0, 1.0, label, 0.5)], spans, "csv")
    read = [list(csv.reader(io.StringIO(text.getvalue(), newline="")))[1:] for text in (out, spans)]
    (first, second), (span,) = read
    for cell, text in zip(
        (first[0], first[2], second[1], span[2], span[4]), (name, label, reason, label, name), strict=True
    ):
        try:
            float(cell)
        except ValueError:
            assert cell.strip("\"' \n\ufeff")[:1] not in tuple("=+-@\t\r＝") or cell[0] == "'", cell
        shown = "".join(
            letter if letter in "\t\n\r" or unicodedata.category(letter) != "Cc" else f"\\x{ord(letter):02x}"
            for letter in text
        )
        assert cell in (shown, "'" + shown)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize("form", WRITERS)
def test_no_control_reaches_a_terminal(form):
    out = Terminal()
    WRITERS[form](PREDICTIONS, out, Wanted(2))
    write_spans([Span(PREDICTIONS[0].input, 0.0, 1.0, "\x9b猫\x7f", 0.5)], out, form)
    assert all(letter.isprintable() for line in out.getvalue().split("\n") for letter in line)
    assert out.getvalue().count("b\\n.png") == 2


def test_no_control_reaches_a_screen_whoever_forgot_to_take_it_out():
    out = io.StringIO()
    screen = Screen(file=out, force_terminal=True, no_color=True, width=100)
    table = Table("a\x1b[2J", title="\x9b2J")
    table.add_row("\x1b]0;owned\x07", "\u202ecod")
    for thing in ("\x1b[31mred\n\x07", Text("\x85\x1bc"), table):
        screen.print(thing)
    found = re.sub(r"\x1b\[\d*m", "", out.getvalue())  # rich's own
    assert all(letter.isprintable() for line in found.split("\n") for letter in line), found
    assert r"\x1b[31mred" in found and r"\x85\x1bc" in found and r"a\x1b[2J" in found


def test_a_table_fits_its_terminal(monkeypatch):
    monkeypatch.setattr("googlenet.apps.cli.output.writers.console", Screen(width=40))
    out, labels = Terminal(), tuple((f"a rather long name {k}", 0.2) for k in range(5))
    WRITERS["table"]([Prediction("photo.png", labels)], out, Wanted(5))
    assert all(len(line) <= 40 for line in out.getvalue().splitlines())
    assert out.getvalue().split() == " ".join(["photo.png", *(f"{name} 0.200" for name, _ in labels)]).split()


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a\x1b[2Jb\x07", r"a\x1b[2Jb\x07"),
        ("two\nlines\t\r", r"two\nlines\t\r"),
        ("\u202ecod.exe", r"\u202ecod.exe"),
        ("\udce9", r"\udce9"),
        ("👩\u200d🔬 é 猫", "👩\u200d🔬 é 猫"),
    ],
)
def test_what_controls_a_terminal_is_shown_as_its_code(text, safe):
    assert shown(text) == safe


# ------------------------------------------------------------------------------ encodings and places to write to
LISTINGS = """
import sys
from googlenet.apps.cli.main import main
for words in ("list", "summary", "weights list", "recipes", "--help", "train --help", "nothing\udce9猫"):
    sys.argv = ["googlenet", *words.split()]
    try:
        main()
    except SystemExit as end:
        print(end.code)
from googlenet.apps.cli import display
from googlenet.data.protocol import BadFile
display.show_bad_files([BadFile("\udce9猫.png", "é")])
"""


@pytest.mark.parametrize(("encoding", "cross"), [("ascii", "x"), ("cp1252", "×"), ("utf-8", "×")])
def test_every_listing_is_printed_in_any_encoding(encoding, cross):
    done = subprocess.run(
        [sys.executable, "-c", LISTINGS.replace("\udce9", "\\udce9")],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )
    out, err = done.stdout.decode(encoding), done.stderr.decode(encoding)
    assert done.returncode == 0 and "Traceback" not in err, err
    assert f"7{cross}7 row" in out and f"224{cross}224" in out
    assert "猫" in err if encoding == "utf-8" else "\\u732b" in err
    assert "\\udce9" in err  # is no text in any encoding


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a disk that is always full")  # noqa: PTH110
@pytest.mark.parametrize("words", [["list"], ["summary"], ["--help"]])
def test_a_full_disk_behind_standard_output_is_a_sentence(words):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*CLI, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "No space left on device" in done.stderr


@pytest.mark.parametrize(("mode", "path"), [("w", "/dev/full"), ("r", "/dev/null")])
def test_what_is_said_beside_stops_no_work_where_it_cannot_be_written(desk, mode, path):
    Image.effect_noise((64, 64), 90).save(desk / "noise.png")
    with Path(path).open(mode) as beside:
        done = subprocess.run(
            [*CLI, "predict", "run", "noise.png"], stdout=subprocess.PIPE, stderr=beside, cwd=desk, check=False
        )
        wrong = subprocess.run([*CLI, "summary", "nosuch"], stdout=subprocess.PIPE, stderr=beside, check=False)
    assert done.returncode == 0 and done.stdout.startswith(b"noise.png")
    assert wrong.returncode == 1


def test_libtiff_keeps_its_thoughts_to_itself(desk):
    from PIL import features

    if not features.check("libtiff"):
        pytest.skip("needs Pillow with libtiff")
    whole, noise = io.BytesIO(), np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(whole, "TIFF", compression="tiff_deflate")  # of other noise some damage goes unseen
    content = bytearray(whole.getvalue())
    content[len(content) // 2 : len(content) // 2 + 40] = b"\xff" * 40
    (desk / "damaged.tif").write_bytes(content)
    done = run_cli("predict", "run", "damaged.tif", cwd=desk)
    assert done.returncode == 1 and "damaged.tif  error: " in done.stdout
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["engine"]


# ----------------------------------------------------------------------------------------- any command line
def parameters(group=None, path=()):
    """The words of every command, with its options."""
    for name, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from parameters(command, (*path, name))
        else:
            yield (
                (*path, name),
                sorted(word for param in command.params for word in (*param.opts, *param.secondary_opts)),
            )


COMMANDS = dict(parameters())
PATHS = "photos photos/red photos/red/00.png run run/model.safetensors run/run.json digits gunpoint"
NAMES = (
    ". .. / ~ - -- * [ **/*.png nowhere no/where.csv /dev/null x.onnx x.pt2 x.safetensors [/bold] [red] 猫 run\\ %s {}"
)
VALUES = "0 1 -1 1.5 nan inf -inf 1e400 1e308 1e-308 1_0 ٣ 3x8x8 0x0x0 yes no torch table jsonl"
LARGE = [str(2**31), str(2**32), str(2**63), str(2**64), "-" + str(2**63), "9" * 30, "9" * 5000]
STRANGE = "a**.png **a ~nosuchuser ~nosuchuser/x [!] {a,b} [[]]"
WORDS = "-x --lr --workers=3 -Vx --= --- http://x googlenet.bvlc imagenet1k"
ODD = [
    "",
    " ",
    "a\nb",
    "\x1b[2J",
    "\u202e",
    "\udce9",
    "a" * 300,
    "x\0y",
    *LARGE,
    *" ".join([PATHS, NAMES, VALUES, STRANGE, WORDS]).split(),
]


@st.composite
def command_lines(draw):
    words, options = draw(st.sampled_from(sorted(COMMANDS.items())))
    argument = st.sampled_from(ODD) | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)
    pieces = argument.map(lambda word: [word])
    if options := [word for word in options if word.startswith("--")]:
        option = st.sampled_from(options)
        pieces |= option.map(lambda word: [word]) | st.tuples(option, argument).map(list)
        pieces |= st.tuples(option, argument).map(lambda pair: ["=".join(pair)])
    return [*words, *(word for piece in draw(st.lists(pieces, max_size=5)) for word in piece)]


@pytest.fixture(scope="module")
def light():
    """What is heavy left out: training, tracing, and what goes out to the network or into another's folder."""
    compared = SimpleNamespace(agreement=1.0, count=2, largest=0.0)
    with (
        mock.patch("googlenet.apps.jobs.train_into", return_value=None),
        mock.patch("googlenet.apps.jobs.export", return_value=compared),
        mock.patch("googlenet.weights.convert.convert", side_effect=InputError("left out")),
        mock.patch.dict(os.environ, {"GOOGLENET_OFFLINE": "1"}),
    ):
        yield


def check_ends_well(words, desk, stdin=""):
    """That a command line does not end in a traceback: that would be raised here."""
    if any(word.startswith("--tensorboard") for word in words):
        return
    done = run_here(*words, cwd=desk, stdin=stdin)
    assert done.returncode in (0, 1, 2), words
    said = done.stderr.splitlines()
    reason = bool(said) and said[-1].startswith("googlenet: ")
    assert done.returncode == 0 or reason or "error: " in done.stdout or '"error": ' in done.stdout, (
        words,
        done.stderr,
    )
    assert "\x1b" not in done.stderr, words


ODDITIES = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


@settings(ODDITIES, max_examples=60, derandomize=True)
@given(words=command_lines())
@example(words=["summary", "--width", "nan"])
@example(words=["summary", "--width", "1e400"])
@example(words=["summary", "--input", "9" * 5000 + "x8"])
@example(words=["train", "photos", "--max-seconds", "nan"])
@example(words=["train", "photos", "--epochs", "9" * 5000])
@example(words=["train", "photos", "--seed", str(2**32)])
@example(words=["train", "photos", "--seed", str(2**64)])
@example(words=["train", "photos", "--seed=-1"])
@example(words=["train", "gunpoint", "--width", "1e308"])
@example(words=["train", "gunpoint", "--width", "1e-308"])
@example(words=["train", "photos", "--max-pixels", "9" * 30])
@example(words=["train", "photos", "--max-pixels", "9" * 5000])
@example(words=["train", "photos", "--batch-size", "9" * 30])
@example(words=["train", "photos", "--members", "9" * 30])
@example(words=["train", "gunpoint", "--longest", "9" * 30])
@example(words=["train", "x\0y"])
@example(words=["train", "photos", "--out", "x\0y"])
@example(words=["train", "photos", "--weights", "x\0y"])
@example(words=["predict", "run", "x\0y", "\udce9", "~nosuchuser", "a**.png"])
@example(words=["predict", "x\0y", "photos"])
@example(words=["predict", "run", "photos", "--output", "x\0y"])
@example(words=["evaluate", "run", "x\0y"])
@example(words=["export", "run", "--out", "x\0y"])
@example(words=["export", "run", "--int8", "x\0y"])
@example(words=["weights", "identify", "x\0y"])
@example(words=["train", "~nosuchuser", "--out", "~nosuchuser/x"])
@example(words=["summary", "--classes", "9" * 5000])
@example(words=["summary", "--classes", "9" * 30])
@example(words=["summary", "--input", "9" * 30 + "x8x8"])
@example(words=["summary", "--width", "1e-308"])
@example(words=["convert", "run", "x.safetensors", "--size", "9" * 30])
@example(words=["convert", "run", "x.safetensors", "--mean", "nan,inf,1e400"])
@example(words=["predict", "run", "a" * 300])
@example(words=["predict", "a" * 300, "photos"])
@example(words=["train", "a" * 300])
@example(words=["evaluate", "run", "\x1b[2J"])
@example(words=["predict", "run", "[/bold]\n.png", "--top", "9" * 30])
def test_no_command_line_ends_in_a_traceback(words, desk, light):
    check_ends_well(words, desk)


@pytest.mark.slow
@settings(ODDITIES, max_examples=2000)
@given(words=command_lines(), stdin=st.sampled_from(["", "photos/red/00.png\n", "\x1b\n\0\n"]))
def test_no_command_line_of_many_ends_in_a_traceback(words, stdin, desk, light):
    check_ends_well(words, desk, stdin)


@pytest.mark.slow
# --------------------------------------------------------------------------------------- what a shell allows
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_training_goes_on_when_nobody_reads_what_it_says(tmp_path, stream):
    """As behind ``| head -1``: here the reader is gone before the first word."""
    words = ("train", "gunpoint", "--epochs", "3", "--members", "1", "--width", "0.1", "--out", "run")
    read, write = os.pipe()
    os.close(read)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: write}
    done = subprocess.run([*CLI, *words], cwd=tmp_path, **streams, timeout=DEADLINE, check=False)
    os.close(write)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])["epoch"] == 3
    assert (tmp_path / "run" / "report.html").exists()


def check_limited(desk, name, most, *words):
    """That a command under a limit of a shell's ends well, or with a sentence."""
    resource = pytest.importorskip("resource", reason="needs limits of a shell's")
    done = subprocess.run(
        [*CLI, *words],
        cwd=desk,
        preexec_fn=lambda: resource.setrlimit(getattr(resource, name), (most, most)),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert "Traceback" not in done.stderr and done.returncode in (0, 1)
    assert done.returncode == 0 or done.stderr.splitlines()[-1].startswith("googlenet: ")


@pytest.mark.parametrize("bytes_", [200 << 20, 1 << 30, 2_500_000 << 10])
def test_too_little_memory_is_a_sentence(desk, bytes_):
    words = ["train", "gunpoint", "--epochs", "1", "--members", "4", "--out", f"memory{bytes_}"]
    check_limited(desk, "RLIMIT_AS", bytes_, *words)


@pytest.mark.slow
@pytest.mark.parametrize("files", [8, 32])
def test_few_open_files_are_enough_or_a_sentence(desk, files):
    check_limited(desk, "RLIMIT_NOFILE", files, "predict", "--engine", "torch", "run", "photos")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "The memory is not enough"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:113] DefaultCPUAllocator: can't allocate memory"), "The memory"),
        (RuntimeError("can't start new thread"), "No more threads"),
        (OSError(24, "Too many open files", "x"), "Too many files"),
        (ImportError("libtorch.so: failed to map segment from shared object"), "The memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 20 GiB"), "The memory"),
    ],
)
def test_what_the_machine_does_not_give_is_a_sentence(desk, error, said):
    with mock.patch("googlenet.inference.predictor.Predictor.stream", side_effect=error):
        sentence(run_here("predict", "run", "photos", cwd=desk), 1, said)
