import json
import re
import resource
import subprocess
import sys

import pytest

from conftest import CLI, run_cli
from googlenet.apps.cli.main import _field_options

COMMANDS = ["train", "evaluate", "predict", "export", "summary", "list", "recipes"]


def test_help_is_quick():
    assert min(_processor_seconds([*CLI, "--help"]) for _ in range(3)) < 0.3


def _processor_seconds(command):
    """Of the child: unlike the time on the wall, not stretched by tests that run beside this one."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_and_summary_do_not_import_torch():
    code = "import sys, googlenet.apps.cli.main; googlenet.cost('googlenet'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_fields_of_a_recipe_are_options():
    words = ["--no-flip", "--compile", "--epochs", "3", "--crop=no", "--learning-rate=0.1"]
    assert _field_options(words) == {
        "flip": "no",
        "compile": "yes",
        "epochs": "3",
        "crop": "no",
        "learning_rate": "0.1",
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command):
    result = run_cli(command, "--help")
    assert result.returncode == 0
    assert "Example" in result.stdout


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["trian", "digits"], "'train'"),
        (["train", "digit"], "'digits'"),
        (["train", "digits", "--recipe", "smal"], "'small'"),
        (["train", "digits", "--epoch", "3"], "'epochs'"),
        (["train", "digits", "--arch", "googlenet-small"], "'googlenet_small'"),
        (["summary", "googlenet_2d"], "'googlenet_"),
    ],
)
def test_unknown_names_suggest_the_nearest(words, near, tmp_path):
    result = run_cli(*words, cwd=tmp_path)
    assert result.returncode == 1
    assert "Did you mean " + near in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "digits", "--epochs", "few"], "epochs takes a whole number, not 'few'"),
        (["train", "digits", "--epochs", "0"], "epochs must be above 0"),
        (["train", "digits", "--optimizer", "adam"], "optimizer is one of sgd, adamw"),
        (["train", "digits", "--seed", "-1"], "seed must be 0 or more"),
        (["train", "digits", "--batch-size", "1"], "batch_size must be 2 or more"),
        (["train", "nowhere/"], "no folder, table or built-in data set"),
        (["evaluate", "nowhere", "digits"], "no run, file or weights 'nowhere'"),
        (["evaluate", "digits"], "Name a run and the data"),
        (["predict", "nowhere", "x.png"], "no run, file or weights 'nowhere'"),
        (["summary", "--input", "big"], "--input is channels and size"),
        (["summary", "--input", "3x30x30"], "at least 31 samples"),
        (["summary", "googlenet_1d", "--input", "1x64x64"], "1 spatial axes"),
    ],
)
def test_bad_input_is_one_sentence(words, sentence, tmp_path):
    result = run_cli(*words, cwd=tmp_path)
    assert result.returncode == 1
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


def test_summary_json():
    shown = json.loads(run_cli("summary", "googlenet", "--json").stdout)
    assert set(shown) >= {"arch", "input", "rows", "params", "params_with_aux", "macs"}
    assert shown["params"] == 6_998_552
    assert shown["params_with_aux"] == 13_378_280
    assert shown["input"] == [3, 224, 224]
    assert shown["macs"] == sum(row["macs"] for row in shown["rows"] if row["type"] != "auxiliary")


def test_summary_marks_where_the_printed_table_is_wrong():
    lines = run_cli("summary").stdout.splitlines()
    row = next(line for line in lines if line.startswith("conv1"))
    assert re.search(r"2\.7K\*\s+34M\*$", row)
    assert not next(line for line in lines if line.startswith("3a")).rstrip().endswith("*")


@pytest.mark.parametrize("words", [["googlenet_1d", "--input", "2x500"], ["googlenet_3d"], ["googlenet_naive"]])
def test_summary_of_any_variant(words):
    result = run_cli("summary", *words, "--layers")
    assert result.returncode == 0
    assert ("3c/9 by 4/" if words[0] == "googlenet_1d" else "5b/3x3/") in result.stdout
