"""The Hub's layout, in a folder and with a Hub that is a folder."""

import json
import shutil

import pytest
import torch

from googlenet import InputError, load
from googlenet.inference import hub
from googlenet.weights.create import read_source

NAME = "googlenet_small.fashion_mnist"
huggingface_hub = pytest.importorskip("huggingface_hub")


def test_a_folder_holds_weights_configuration_and_card(tmp_path):
    folder = hub.save_pretrained(NAME, tmp_path / "model")
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    config = json.loads((folder / "config.json").read_text())
    assert (config["architecture"], config["num_classes"], config["classes"][9]) == (
        "googlenet_small",
        10,
        "Ankle boot",
    )
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: googlenet\n")
    assert "10 classes: T-shirt/top, Trouser" in card
    assert "accuracy: 94.80% top-1" in card
    assert "make bench-fashion-mnist" in card
    model, old = hub.from_pretrained(folder), read_source(NAME)
    assert torch.equal(model.classifier.weight, old.tensors["classifier.weight"].float())
    assert load(folder, engine="torch").classes[9] == "Ankle boot"


def test_a_run_says_in_its_card_what_it_measured(tmp_path):
    run = tmp_path / "run"
    hub.save_pretrained(NAME, run)
    record = {"data": "shoes", "examples": {"train": 1234}, "recipe": {"name": "small"}}
    (run / "run.json").write_text(json.dumps(record))
    (run / "evaluation.json").write_text(json.dumps({"top1": 0.98765, "count": 500}))
    card = (hub.save_pretrained(run, tmp_path / "model") / "README.md").read_text()
    assert "trained on shoes, 1,234 examples, recipe small" in card
    assert "accuracy 0.9877 on 500 examples" in card


def test_what_is_pushed_comes_back(tmp_path, monkeypatch):
    def upload(repo_id, folder_path, commit_message):
        shutil.copytree(folder_path, tmp_path / repo_id)

    monkeypatch.setattr(huggingface_hub, "create_repo", lambda name, private, exist_ok: f"https://hub/{name}")
    monkeypatch.setattr(huggingface_hub, "upload_folder", upload)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda name, file: str(tmp_path / name / file))
    assert hub.push_to_hub(NAME, "me/shoes") == "https://hub/me/shoes"
    assert hub.from_pretrained("me/shoes").num_classes == 10


def test_a_hub_out_of_reach_is_a_sentence(monkeypatch):
    def unreachable(name, file):
        raise OSError("no route")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", unreachable)
    with pytest.raises(InputError, match="me/none is no folder, and the Hub does not give it: no route"):
        hub.from_pretrained("me/none")
