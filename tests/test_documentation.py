"""What the documents say can be done: their Python runs, what they point to is there."""

import dataclasses
import doctest
import importlib
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser
from sybil.parsers.rest import DocTestParser

import googlenet
from conftest import picture, run_cli
from documents import DOCUMENTS, MANUALS, REPOSITORY, SOURCE, blocks, named, sentences
from googlenet.training.recipe import Recipe


# ----------------------------------------------------------------------------------------- Python in documents
@pytest.fixture
def two_epochs(monkeypatch):
    """Trainings of two epochs, whatever a recipe says."""
    monkeypatch.setattr(
        Recipe, "fitted", lambda recipe, *sizes: dataclasses.replace(recipe, epochs=2, class_epochs=0.0, min_steps=0)
    )


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder to work in, with what the documents have at hand: pictures and a run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "demo").mkdir(parents=True)
    shipped = SOURCE / "weights" / "shipped" / "googlenet_small.fashion_mnist.safetensors"
    shutil.copy(shipped, tmp_path / "runs" / "demo" / "model.safetensors")
    picture((200, 60, 60)).save(tmp_path / "a.png")
    return tmp_path


def given():
    """Names that a reader has before the block begins."""
    import torch

    draws = np.random.default_rng(0)
    labels = np.arange(12) % 2
    signals = draws.normal(size=(12, 40)).astype(np.float32) + labels[:, None]
    layer = SimpleNamespace(path="conv1/kernel", numpy=lambda: np.ones((7, 7, 3, 64), np.float32))
    return {
        "googlenet": googlenet,
        "torch": torch,
        "signals": signals,
        "labels": labels,
        "others": draws.normal(size=(3, 40)).astype(np.float32),
        "X": signals,
        "y": labels,
        "x": torch.zeros(1, 3, 64, 64),
        "array": draws.integers(0, 255, (28, 28), np.uint8),
        "model": SimpleNamespace(weights=[layer]),  # of Keras
    }


def python_of(path):
    """The examples of a document, in order; they share their names."""
    parser = DocTestParser(doctest.ELLIPSIS) if path.suffix == ".py" else markdown_python
    return list(Sybil([parser]).parse(path).examples())


def markdown_python(document):
    return CodeBlockParser("python", run)(document)


def run(example):
    exec(compile(example.parsed, example.path, "exec"), example.namespace)


DOCTESTS = [path for path in sorted(SOURCE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]
WITH_PYTHON = [path for path in DOCUMENTS if "```python" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", DOCTESTS + WITH_PYTHON, ids=named)
def test_python_runs(path, desk, two_epochs):
    examples = python_of(path)
    assert examples
    examples[0].namespace.update(given())
    for example in examples:
        example.evaluate()


def test_what_identify_says_of_torchvisions_file_is_shown(tmp_path):
    import torch
    import torchvision

    path = REPOSITORY / "docs" / "which-googlenet.md"
    (shown,) = [text for language, text in blocks(path) if language == "text"]
    network = torchvision.models.googlenet(aux_logits=True, init_weights=False)
    torch.save(network.state_dict(), tmp_path / "googlenet.pth")
    said = run_cli("weights", "identify", "googlenet.pth", cwd=tmp_path, env={"COLUMNS": "300"}).stdout
    rows = [[line.split() for line in text.splitlines() if line.split()[:1] != ["sha256"]] for text in (shown, said)]
    assert rows[0] == rows[1]


# ------------------------------------------------------------------------------------------- links and names
@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_links_lead_somewhere(path):
    links = re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))
    inside = [link.split("#")[0] for link in links if not link.startswith(("http:", "https:", "#", "mailto:"))]
    assert [link for link in inside if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", MANUALS, ids=named)
def test_files_that_are_named_exist(path):
    """``nn/blocks.py`` is a file of the package, ``tests/…``, ``docs/…`` and so on one of the repository."""
    spans = [word for span in re.findall(r"`([^`\n]+)`", sentences(path)) for word in span.split()]
    names = {word for word in spans if re.fullmatch(r"[\w./-]+\.(py|pyi|cpp|h|md|toml|yaml|cff)", word)}
    missing = {
        name
        for name in names
        if not any((root / name).exists() for root in (REPOSITORY, SOURCE, REPOSITORY / "src", path.parent))
        and not list(SOURCE.rglob(name) if "/" not in name else ())
    }
    assert missing == set()


def test_the_drawing_names_files_that_exist():
    names = re.findall(r"[\w/]+\.py", (REPOSITORY / "docs" / "architecture.svg").read_text(encoding="utf-8"))
    assert len(names) > 10
    assert [name for name in names if not list(SOURCE.rglob(name))] == []


@pytest.mark.parametrize("path", MANUALS, ids=named)
def test_modules_that_are_named_exist(path):
    """``googlenet.weights.convert`` and the like can be imported, as a module or from one."""
    for name in set(re.findall(r"`(googlenet(?:\.\w+)+)[`(]", path.read_text(encoding="utf-8"))) - {"googlenet.json"}:
        found = googlenet
        for part in name.split(".")[1:]:
            found = getattr(found, part, None) or importlib.import_module(f"{found.__name__}.{part}")
