"""The Hub's layout, in a folder and with a Hub that is a folder."""

import json
import os
import shutil

import pytest
import torch

from googlenet import InputError, load
from googlenet.inference import hub
from googlenet.training.recipe import RECIPES
from googlenet.training.runs.folder import Run
from googlenet.training.runs.records import Evaluation, RunRecord
from googlenet.weights.create import read_source

NAME = "googlenet_small.fashion_mnist"
huggingface_hub = pytest.importorskip("huggingface_hub")
pytest.importorskip("huggingface_hub.constants")  # a module of its own, which is not there before it is imported


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
    assert "googlenet train fashion-mnist --arch googlenet_small" in card
    assert card.endswith("model = from_pretrained(…)\n```\n")
    model, old = hub.from_pretrained(folder), read_source(NAME)
    assert torch.equal(model.classifier.weight, old.tensors["classifier.weight"].float())
    assert load(folder, engine="torch").classes[9] == "Ankle boot"


def test_a_card_names_twenty_classes_at_most():
    weights = read_source(NAME)
    for count, line in ((20, "- 10 classes: 0, 1, "), (21, "- 10 classes: 0, 1, "), (0, "- 10 classes")):
        weights.header.extra["classes"] = [str(number) for number in range(count)]
        found = next(row for row in hub.card("elsewhere", weights).splitlines() if row.startswith("- 10 classes"))
        assert found.startswith(line)
        assert found.endswith({20: ", 18, 19", 21: ", 18, 19, …", 0: "10 classes"}[count])


def test_a_run_says_in_its_card_what_it_measured(tmp_path):
    path = tmp_path / "run"
    hub.save_pretrained(NAME, path)
    examples = {"train": 1234, "test": 500}
    record = RunRecord("shoes", "abc", examples, ["a"], {}, RECIPES["small"].to_dict())
    Run(path).begin(record)
    card = (hub.save_pretrained(path, tmp_path / "early") / "README.md").read_text()
    assert "trained on shoes, 1,234 examples, recipe small" in card
    assert "held out" not in card
    Run(path).write_evaluation(Evaluation(0.98765, 0.999, 0.1, 0.01, 500, [], [], "test"))
    card = (hub.save_pretrained(path, tmp_path / "model") / "README.md").read_text()
    assert "trained on shoes, 1,234 examples, recipe small" in card
    assert "accuracy 0.9877 on 500 held out" in card


def test_what_is_pushed_comes_back(tmp_path, monkeypatch):
    def upload(repo_id, folder_path, commit_message):
        shutil.copytree(folder_path, tmp_path / repo_id)

    monkeypatch.setattr(huggingface_hub, "create_repo", lambda name, private, exist_ok: f"https://hub/{name}")
    monkeypatch.setattr(huggingface_hub, "upload_folder", upload)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda name, file: str(tmp_path / name / file))
    assert hub.push_to_hub(NAME, "me/shoes") == "https://hub/me/shoes"
    assert hub.from_pretrained("me/shoes").num_classes == 10


def test_the_hub_is_told_nothing_and_the_process_stays_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_TELEMETRY", False)
    monkeypatch.delenv("HF_HUB_DISABLE_TELEMETRY", raising=False)
    before, headers = dict(os.environ), []

    def download(name, file):
        headers.append(huggingface_hub.utils.build_hf_headers(library_name="googlenet", token=False)["user-agent"])
        raise OSError("no route")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    with pytest.raises(InputError):
        hub.from_pretrained("me/none")
    assert dict(os.environ) == before
    assert huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY
    assert "torch/" not in headers[0]  # what the library else reports of the machine


@pytest.mark.parametrize(("error", "said"), [(OSError("no route"), "no route"), (TimeoutError(), r"TimeoutError\(\)")])
def test_a_hub_out_of_reach_is_a_sentence(monkeypatch, error, said):
    def unreachable(name, file):
        raise error

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", unreachable)
    with pytest.raises(InputError, match=f"me/none is no folder, and the Hub does not give it: {said}"):
        hub.from_pretrained("me/none")
