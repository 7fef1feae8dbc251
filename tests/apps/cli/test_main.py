import json
import logging
import os
import re
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from conftest import CLI, DEADLINE, run_cli
from googlenet._version import __version__
from googlenet.apps.cli.main import app, main

HEAVY = {"torch", "torchvision", "numpy", "PIL", "sklearn", "safetensors", "jinja2", "openvino", "onnxruntime"}


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch, capsys, tmp_path):
    """Runs the command line within this process, which is quick, and puts back what it sets for the whole of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    monkeypatch.setattr("googlenet.nn.device.keep_memory", lambda: None)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["googlenet", *map(str, words)])
        capsys.readouterr()
        level = logging.root.manager.disable
        try:
            with warnings.catch_warnings(), pytest.raises(SystemExit) as left:
                main()
        finally:
            logging.disable(level)
        return Answer(left.value.code or 0, *capsys.readouterr())

    return run


def commands(group=None, path=()):
    """The words of every command there is."""
    for name, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


def python(code, **env):
    """What a fresh Python prints on both its ways out."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE,
        env={**os.environ, **env},
    )


def modules_of(*words):
    """What a command has imported when it is done."""
    code = (
        f"import sys; from googlenet.apps.cli.main import main; sys.argv = ['googlenet', *{words!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    print(*sys.modules, file=sys.stderr)"
    )
    return set(python(code).stderr.split())


def test_help_imports_little():
    found = modules_of("--help")
    assert not HEAVY & found
    assert len(found) < 500  # 324 as this is written, most of them Python's own and rich's; torch alone brings 1,500


@pytest.mark.parametrize("words", [("summary",), ("list",), ("recipes",)])
def test_architectures_and_recipes_need_no_pytorch(words):
    assert "torch" not in modules_of(*words)


@pytest.mark.parametrize("program", [CLI, [sys.executable, "-m", "googlenet"]])
def test_version(program):
    assert run_cli("--version", program=program).stdout == f"googlenet {__version__}\n"


def test_there_are_the_commands_that_are_documented():
    assert [" ".join(words) for words in commands()] == [
        *("train", "evaluate", "recipes", "predict", "export", "summary", "list", "convert"),
        *(f"weights {name}" for name in ("list", "show", "fetch", "verify", "path", "identify")),
        *("explain", "features", "dream", "page", "shard", "serve"),
    ]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_has_help_with_an_example(cli, words):
    answer = cli(*words, "--help")
    assert answer.code == 0
    assert f"Example: googlenet {' '.join(words)}" in answer.out


def test_without_a_command_there_is_help(cli):
    answer = cli()
    assert answer.code == 2 and "Usage" in answer.out and answer.err == ""


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["trian", "digits"], "'train'"),
        (["weights", "lst"], "'list'"),
        (["train", "digit"], "'digits'"),
        (["train", "digits", "--recipe", "smal"], "'small'"),
        (["train", "digits", "--epoch", "3"], "--epochs?"),
        (["train", "digits", "--arch", "googlenet-small"], "'googlenet_small'"),
        (["summary", "googlenet_2d"], "'googlenet_"),
    ],
)
def test_unknown_names_suggest_the_nearest(cli, words, near):
    answer = cli(*words)
    assert answer.code in (1, 2)
    last = answer.err.splitlines()[-1]
    assert last.startswith("googlenet: ") and "Did you mean " + near in last


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "digits", "--resume"], "There is no runs/digits to go on with"),
        (["train", "nowhere/"], "no folder, table or built-in data set"),
        (["evaluate", "nowhere", "digits"], "no run, file or weights 'nowhere'"),
        (["predict", "nowhere", "x.png"], "no run, file or weights 'nowhere'"),
        (["export", "nowhere"], "no run, file or weights 'nowhere'"),
        (["convert", "nowhere", "x.pth"], "no run, file or weights 'nowhere'"),
        (["summary", "--input", "big"], "--input is channels and size"),
        (["summary", "--input", "3x30x30"], "at least 31 samples"),
        (["summary", "googlenet_1d", "--input", "1x64x64"], "1 spatial axes"),
    ],
)
def test_bad_input_is_one_sentence(cli, words, sentence):
    answer = cli(*words)
    assert answer.code == 1
    assert sentence in answer.err
    assert answer.err.startswith("googlenet: ") and answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "digits", "more"], "'more' is too much: googlenet train DATA."),
        (["train", "digits", "--epochs"], "--epochs needs a value."),
        (["train", "digits", "--epochs", "few"], "--epochs: epochs takes a whole number, not 'few'."),
        (["train", "digits", "--epochs", "0"], "--epochs: epochs must be above 0"),
        (["train", "digits", "--optimizer", "adam"], "--optimizer: optimizer is one of sgd, adamw"),
        (["train", "digits", "--seed", "-1"], "--seed: seed must be 0 or more"),
        (["train", "digits", "--batch-size", "1"], "--batch-size: batch_size must be 2 or more"),
        (["evaluate", "digits"], "Name a run and the data"),
        (["predict", "runs/demo"], "predict also needs INPUTS: googlenet predict RUN INPUTS"),
        (["weights", "fetch"], "fetch also needs NAME: googlenet weights fetch NAME"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_one_sentence(cli, words, sentence):
    answer = cli(*words)
    assert answer.code == 2
    assert answer.err.startswith(f"googlenet: {sentence}") and answer.err.count("\n") == 1


def test_a_reader_that_goes_away_is_no_traceback():
    # More than a pipe holds: whenever the reader goes, somebody still writes.
    code = (
        "import sys; from googlenet.arch import variants; from googlenet.apps.cli.main import main\n"
        "variants.VARIANTS = {str(n): variants.VARIANTS['googlenet'] for n in range(5000)}\n"
        "sys.argv = ['googlenet', 'list']; main()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    try:
        assert process.wait(DEADLINE) == 1
        assert process.stderr.read() == b""
    finally:
        process.kill()
        process.stderr.close()


def test_an_error_of_the_program_is_not_hidden(monkeypatch, capsys):
    """A sentence is for what the user can mend; for the rest a traceback says where."""

    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("googlenet.arch.variants.find_arch", broken)
    monkeypatch.setattr("googlenet.apps.cli.main._show_own_warnings", lambda: None)
    monkeypatch.setattr(sys, "argv", ["googlenet", "summary"])
    with pytest.raises(ZeroDivisionError):
        main()


WARN = (
    "import logging, sys, warnings; from googlenet.apps.cli.main import main; sys.argv = ['googlenet', '--version']\n"
    "try:\n    main()\nexcept SystemExit:\n    pass\n"
    "logging.getLogger('theirs').warning('a log of theirs')\n"
    "for module, kind in (('PIL.Image', UserWarning), ('torch.jit', RuntimeWarning), ('googlenet.nn', UserWarning),\n"
    "                     ('googlenet.nn.kernels', RuntimeWarning)):\n"
    "    warnings.warn_explicit(f'{module} {kind.__name__}', kind, 'file.py', 1, module=module)\n"
)


def test_the_command_line_passes_on_its_own_warnings_only():
    assert python(WARN, PYTHONWARNINGS="").stderr == "googlenet: googlenet.nn.kernels RuntimeWarning\n"


def test_a_sentence_is_said_once_though_others_silence_warnings_meanwhile():
    again = (
        "for _ in range(2):\n"
        "    with warnings.catch_warnings():\n        warnings.simplefilter('ignore')\n"
        "    for text in ('googlenet.nn.kernels RuntimeWarning', 'another'):\n"
        "        warnings.warn_explicit(text, RuntimeWarning, 'file.py', 1, module='googlenet')\n"
    )
    expected = "googlenet: googlenet.nn.kernels RuntimeWarning\ngooglenet: another\n"
    assert python(WARN + again, PYTHONWARNINGS="").stderr == expected


def test_who_asks_for_warnings_gets_them():
    found = python(WARN, PYTHONWARNINGS="always").stderr
    assert "file.py:1: UserWarning: PIL.Image UserWarning" in found and "a log of theirs" in found


def test_an_import_changes_nothing_of_the_process():
    code = (
        "import logging, warnings\n"
        "state = lambda: (list(warnings.filters), warnings.formatwarning, logging.root.manager.disable)\n"
        "before = state()\n"
        "import googlenet.apps.cli.main, googlenet.apps.cli.progress\n"
        "assert state() == before"
    )
    python(code)


@pytest.mark.parametrize(
    ("words", "keeps"),
    [
        (("train", "nowhere"), True),
        (("evaluate", "nowhere", "digits"), True),
        (("predict", "nowhere", "x.png"), True),
        (("predict", "nowhere.pt2", "x.png"), True),
        (("predict", "nowhere.onnx", "x.png"), False),  # which is read without PyTorch
        (("summary",), False),
    ],
)
def test_who_computes_with_pytorch_keeps_memory(cli, monkeypatch, words, keeps):
    calls = []
    monkeypatch.setattr("googlenet.nn.device.keep_memory", lambda: calls.append(1))
    cli(*words)
    assert bool(calls) == keeps


def test_a_stopped_training_says_how_to_go_on(cli, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def stopped(data, recipe, run, **_):
        folder = run.path
        if folder.name != "early":
            (folder / "run.json").write_text("{}")
        if folder.name == "a run":
            (folder / "checkpoint.safetensors").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr("googlenet.apps.jobs.train_into", stopped)
    answer = cli("train", "digits", "--epochs", "3", "--out", "a run")
    assert answer.code == 130
    assert answer.err.endswith(
        "up to the last checkpoint is saved; go on with: googlenet train digits --epochs 3 --out 'a run' --resume\n"
    )
    answer = cli("train", "digits", "--epochs", "3")
    assert answer.err.endswith(
        "nothing was learned. Begin again with: googlenet train digits --epochs 3 --resume --out runs/digits\n"
    )
    answer = cli("train", "digits", "--epochs", "3", "--out", "early")
    assert answer.err.endswith("googlenet: Stopped before the training began.\n") and not Path("early").exists()


def test_a_command_that_is_stopped_is_one_word(cli, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("googlenet.arch.variants.find_arch", stopped)
    answer = cli("summary")
    assert (answer.code, answer.err) == (130, "googlenet: Stopped.\n")


def test_summary_json(cli):
    shown = json.loads(cli("summary", "googlenet", "--json").out)
    assert set(shown) >= {"arch", "input", "rows", "params", "params_with_aux", "macs"}
    assert shown["params"] == 6_998_552
    assert shown["params_with_aux"] == 13_378_280
    assert shown["input"] == [3, 224, 224]
    assert shown["macs"] == sum(row["macs"] for row in shown["rows"] if row["type"] != "auxiliary")


def test_summary_marks_where_the_printed_table_is_wrong(cli):
    lines = cli("summary").out.splitlines()
    row = next(line for line in lines if line.startswith("conv1"))
    assert re.search(r"2\.7K\*\s+34M\*$", row)
    assert not next(line for line in lines if line.startswith("3a")).rstrip().endswith("*")


@pytest.mark.parametrize("words", [["googlenet_1d", "--input", "2x500"], ["googlenet_3d"], ["googlenet_naive"]])
def test_summary_of_any_variant(cli, words):
    answer = cli("summary", *words, "--layers")
    assert answer.code == 0
    assert ("3c/9 by 4/" if words[0] == "googlenet_1d" else "5b/3x3/") in answer.out
    assert "printed" not in answer.out


def test_list_and_recipes_show_every_row(cli):
    from googlenet.arch.variants import VARIANTS
    from googlenet.training.recipe import RECIPES, Recipe

    assert [line.split()[0] for line in cli("list").out.splitlines()] == list(VARIANTS)
    rows = [line.split() for line in cli("recipes").out.splitlines()]
    assert [row[0] for row in rows] == list(Recipe.__dataclass_fields__)
    assert rows[0][1:] == list(RECIPES)
