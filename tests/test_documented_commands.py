"""The commands in the documents: well formed, and in the slow suite run from first to last on small data."""

import re
import shlex
import shutil

import numpy as np
import pytest
import typer

import googlenet
from conftest import picture, run_here, write
from documents import MANUALS, REPOSITORY, SOURCE, commands, named, sentences, words_of
from googlenet.apps.cli.main import app

PROGRAMS = ("googlenet", "make", "pip", "python", "torchrun", "git", "curl")
FOREVER = "serve"  # of which tests/apps/server/test_documents.py runs what docs/serve.md says


def mentions(path):
    """``googlenet …`` within a sentence: of a command that exists, with options that exist."""
    return [found.replace("\n", " ") for found in re.findall(r"`((?:googlenet|make) [^`]+)`", sentences(path))]


def context_of(words):
    """The context of the command that the words name, parsed and not run."""
    command = typer.main.get_command(app)
    context, words = command.make_context("googlenet", list(words)), list(words)
    while hasattr(command, "resolve_command"):
        name, command, words = command.resolve_command(context, words)
        context = command.make_context(name, words, parent=context)
    return context


def check_command(words):
    """Raises unless the words are a command that could be run."""
    assert words[0] in PROGRAMS, f"{words[0]} is no program that is known"
    if words[0] == "torchrun":
        words = words[words.index("googlenet") :]
    if words[0] == "googlenet":
        context_of(words[1:])
    elif words[0] == "python":
        assert words[1] == "-m" or (REPOSITORY / words[1]).is_file(), f"there is no {words[1]}"
    elif words[0] == "make":
        assert words[1] in targets(), f"make has no target {words[1]}"


def targets():
    lines = (REPOSITORY / "Makefile").read_text(encoding="utf-8").splitlines()
    return {line.split(":")[0] for line in lines if re.match(r"[a-z][a-z-]*:", line)}


@pytest.mark.parametrize("path", MANUALS, ids=named)
def test_commands_are_well_formed(path):
    for words in commands(path):
        check_command(words)


def test_examples_in_the_help_are_well_formed():
    texts = [path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob("*.py"))]
    examples = [line for text in texts for line in re.findall(r"^ *Example: (googlenet .*)$", text, re.MULTILINE)]
    assert len(examples) > 10
    for line in examples:
        check_command(words_of(line))


@pytest.mark.parametrize(
    "line",
    [
        "googlenet predikt runs/demo x.png",
        "googlenet predict runs/demo",
        "googlenet predict runs/demo x.png --tip 3",
        "googlenet predict runs/demo x.png --top three",
        "googlenet train digits --epoch 3",
        "googlenet train digits --epochs many",
        "googlenet train digits --epochs",
        "googlenet weights fetch",
        "googlenet evaluate",
        "python benchmarks/nothing.py",
        "make tea",
        "rm -rf runs",
    ],
)
def test_a_wrong_command_would_be_noticed(line):
    with pytest.raises(Exception) as refused:
        check_command(line.split())
    assert isinstance(refused.value, (AssertionError, googlenet.InputError)) or refused.value.exit_code == 2


def check_mention(text):
    """Raises unless a command that a sentence names exists, and its options do; arguments may be left out."""
    program, *words = text.split()
    if program == "make":
        assert words[0] in targets()
        return
    command = typer.main.get_command(app)
    for word in words:
        if hasattr(command, "commands"):
            names = word.split("|")
            assert word.startswith("-") or set(names) <= set(command.commands), f"there is no command {word}"
            command = command.commands.get(names[0], command)
        elif word.startswith("--"):
            known = {option for parameter in command.params for option in parameter.opts}
            assert word.replace("--no-", "--").split("=")[0] in known, f"there is no option {word}"


@pytest.mark.parametrize("path", MANUALS, ids=named)
def test_commands_within_sentences_exist(path):
    for text in mentions(path):
        check_mention(text)


@pytest.mark.parametrize(
    "text", ["googlenet predikt", "googlenet weights get", "googlenet train --rates 3", "make tea"]
)
def test_a_wrong_mention_would_be_noticed(text):
    with pytest.raises(AssertionError):
        check_mention(text)


# ------------------------------------------------------------------------------------- commands, really run
NETWORK = ("weights fetch",)
SHORT = ("--epochs", "1", "--batch-size", "8")
NARROW = ("--width", "0.125")  # where no weights say how wide the network is


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """All files that the documents name, small: data, runs, and weights of the world's layout with random numbers."""
    import torch
    import torchvision

    from googlenet.weights.checkpoint import weights_of
    from googlenet.weights.formats import write as write_weights

    root = tmp_path_factory.mktemp("workshop")
    _pictures(root)
    _signals(root)
    _volumes(root)
    for name in ("photos", "a", "b"):
        _ran(root, "train", "photos/", "--out", f"runs/{name}", *SHORT, *NARROW)
    _ran(root, "train", "volumes.npz", *SHORT, *NARROW)
    _ran(root, "train", "ecg.csv", "--target", "rhythm", "--group", "patient", *SHORT, *NARROW)
    home = root / "home" / "weights"
    home.mkdir(parents=True)
    published = torchvision.models.googlenet(aux_logits=True, init_weights=False)
    torch.save(published.state_dict(), root / "googlenet.pth")
    shutil.copy(root / "googlenet.pth", home / "googlenet-1378be20.pth")
    write_weights(weights_of(googlenet.create_model("googlenet")), root / "mystery.caffemodel")
    return root


def _pictures(root):
    for name, colour in (("cat", (200, 60, 60)), ("dog", (60, 60, 200))):
        (root / "photos" / name).mkdir(parents=True)
        for number in range(12):
            picture(colour, (96, 80), number).save(root / "photos" / name / f"{number}.jpg")
    shutil.copytree(root / "photos" / "cat", root / "holiday")
    picture((128, 128, 128), (28, 28)).convert("L").save(root / "shoe.png")


def _signals(root):
    draws, heart = np.random.default_rng(0), np.sin(np.arange(40))
    rows = []
    for number in range(40):
        values = heart * (1 + number % 2) + draws.normal(size=40) / 10
        label = ("calm", "fast")[number % 2]
        rows.append(",".join([label, f"p{number // 4}", *(f"{value:.3f}" for value in values)]))
    header = ",".join(["rhythm", "patient", *(f"t{k}" for k in range(40))])
    write(root, "ecg.csv", "\n".join([header, *rows]))
    write(root, "new.csv", "\n".join(",".join(row.split(",")[2:]) for row in [header, *rows[:4]]))
    (root / "archive").mkdir()
    for part in ("TRAIN", "TEST"):
        lines = ["\t".join([str(number % 2), *(f"{v:.3f}" for v in heart * (1 + number % 2))]) for number in range(12)]
        write(root / "archive", f"GunPoint_{part}.tsv", "\n".join(lines))


def _volumes(root):
    labels = np.arange(24) % 2
    draws = np.random.default_rng(0).integers(0, 100, (24, 1, 12, 12, 12))
    np.savez(root / "volumes.npz", X=(draws + 100 * labels[:, None, None, None, None]).astype(np.uint8), y=labels)


def _ran(root, *words):
    done = run_here(*words, cwd=root, env={"GOOGLENET_HOME": str(root / "home")})
    assert done.returncode == 0, f"googlenet {shlex.join(words)}: {done.stderr}"
    return done


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [path for path in MANUALS if any(w[0] == "googlenet" for w in commands(path))], ids=named
)
def test_commands_run(path, workshop, tmp_path):
    root = shutil.copytree(workshop, tmp_path / "desk")
    for words in commands(path):
        if words[0] != "googlenet" or " ".join(words[1:3]) in NETWORK or words[1] == FOREVER:
            continue
        words = ["googlenet.pth" if word == "FILE" else word for word in words[1:]]
        if words[0] == "train":
            words += [
                *SHORT,
                *(() if "--weights" in words else NARROW),
                "--out",
                f"runs/{len(list(root.glob('runs/*')))}",
            ]
        _ran(root, *words)
