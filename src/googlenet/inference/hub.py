"""Runs in the layout of the Hugging Face Hub: weights, a configuration and a card, in a folder or a repository."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from types import ModuleType

from .. import files
from ..arch.serial import to_json
from ..errors import InputError, reason
from ..nn.googlenet import GoogLeNet
from ..training.runs.folder import Run
from ..weights import checkpoint
from ..weights.catalogue import named
from ..weights.checkpoint import WEIGHTS, network_of
from ..weights.create import kernels_of, read_source

CONFIG, CARD = "config.json", "README.md"


def save_pretrained(source: str | Path, folder: str | Path) -> Path:
    """Writes ``model.safetensors``, ``config.json`` and a card, ``README.md``, of a run or of weights.

    Args:
        source: A run, a weights file or a name of the catalogue; what a run measured goes into the card.
        folder: Made if it is not there.

    Raises:
        InputError: If the source cannot be read or the folder not be written.
    """
    weights, folder = read_source(source), Path(folder)
    kernels_of(weights, source)  # which go with the network, or are refused
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} could not be made: {error.strerror}.") from error
    checkpoint.write(weights, folder / WEIGHTS)
    header = weights.header
    config = {
        "library_name": "googlenet",
        "architecture": header.arch.name,
        "num_classes": header.num_classes,
        "in_channels": header.in_channels,
        "auxiliary": header.auxiliary,
        "arch": json.loads(to_json(header.arch)),
    }
    files.write_json(folder / CONFIG, config | dict(header.extra))
    files.write_bytes(folder / CARD, card(source, weights).encode())
    return folder


def from_pretrained(name: str | Path) -> GoogLeNet:
    """The network of a folder that :func:`save_pretrained` wrote, or of a repository ``owner/name`` of the Hub, in
    evaluation mode.

    Raises:
        InputError: If there is no such folder or repository, or the Hub cannot be reached.
    """
    if Path(name).is_dir():
        return network_of(read_source(name))
    hub = _hub()
    try:
        path = hub.hf_hub_download(str(name), WEIGHTS)
    except Exception as error:  # the Hub's own, and those of the library that it sends with
        raise InputError(f"{name} is no folder, and the Hub does not give it: {reason(error)}") from error
    return network_of(checkpoint.read(Path(path)))


def push_to_hub(source: str | Path, repository: str, private: bool = False) -> str:
    """Uploads a run in that layout; the token is the one of ``hf auth login``.

    Args:
        source: As of :func:`save_pretrained`.
        repository: ``owner/name``; made if it is not there.
        private: Whether a new one is.

    Returns:
        Its address.

    Raises:
        InputError: If it cannot be written.
    """
    hub = _hub()
    with tempfile.TemporaryDirectory() as folder:
        save_pretrained(source, folder)
        try:
            address = hub.create_repo(repository, private=private, exist_ok=True)
            hub.upload_folder(repo_id=repository, folder_path=folder, commit_message="Weights from googlenet")
        except Exception as error:  # as above
            raise InputError(f"{repository} could not be written: {reason(error)}") from error
    return str(address)


def card(source: str | Path, weights: checkpoint.Weights) -> str:
    """A model card in Markdown: what the network is, what it was trained on, what was measured, how to use it."""
    arch = weights.header.arch
    return "\n".join(
        [
            "---",
            "library_name: googlenet",
            f"pipeline_tag: {'image-classification' if arch.dims == 2 else 'other'}",
            f"tags: [googlenet, inception, {arch.name}]",
            "---",
            f"# {arch.name}",
            "",
            f"{arch.description[0].upper()}{arch.description[1:]}.",
            "",
            *(f"- {fact}" for fact in _facts(source, weights)),
            "",
            "```python",
            "from googlenet.inference.hub import from_pretrained",
            "",
            "model = from_pretrained(…)",
            "```",
            "",
        ]
    )


def _facts(source: str | Path, weights: checkpoint.Weights) -> list[str]:
    """What the file, the run that it lies in, or the catalogue knows of weights."""
    header, run = weights.header, Run(Path(source))
    classes = header.extra.get("classes", ())
    names = ", ".join([*classes[:20], *(["…"] if len(classes) > 20 else [])])
    facts = [
        f"{header.num_classes} classes" + (f": {names}" if names else ""),
        f"channels of the input: {header.in_channels * header.arch.members}",
    ]
    if run.exists:
        record, result = run.record(), run.evaluation()
        count = record.examples.get("train", 0)
        facts.append(f"trained on {record.data}, {count:,} examples, recipe {record.recipe['name']}")
        if result is not None:
            facts.append(f"accuracy {result.top1:.4f} on {result.measured}")
    known = None if Path(source).exists() else named(str(source))
    if known is not None:
        facts += [f"{what}: {value}" for what, value in known.rows() if what not in ("name", "note")]
    return [*facts, *weights.quirks, *weights.guesses]


def _hub() -> ModuleType:
    """The Hub's library, which reports no use to anyone."""
    try:
        import huggingface_hub.constants
    except ModuleNotFoundError:
        raise InputError("huggingface_hub is not installed: pip install 'googlenet[hub]'.") from None
    huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = True
    module: ModuleType = huggingface_hub
    return module
