"""Checkpoints as people have them: in whatever dictionary, prefix and suffix, they are read or get one sentence."""

import argparse
import collections
import json
import pathlib
import pickle
import warnings

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file

import googlenet
from conftest import picture, run_cli, run_here
from googlenet import InputError
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.weights import identify, read_source
from googlenet.weights.catalogue import CATALOGUE, imagenet_classes
from googlenet.weights.foreign.pytorch.torchvision import from_torchvision

CLASSES = 5


def theirs(**options):
    return torchvision.models.googlenet(weights=None, num_classes=CLASSES, init_weights=False, **options)


@pytest.fixture(scope="module")
def state():
    """torchvision's state dict, of views of one small storage: files of it are quickly written and read."""
    with torch.device("meta"):
        shapes = {name: (tensor.shape, tensor.dtype) for name, tensor in theirs().state_dict().items()}
    numbers = torch.rand(3_000_000, generator=torch.Generator().manual_seed(0)) + 0.1
    found = {}
    for row, (name, (shape, kind)) in enumerate(shapes.items()):
        found[name] = torch.tensor(row) if kind == torch.int64 else numbers[row : row + shape.numel()].view(shape)
    return found


def behind(prefix, state):
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def without(part, state):
    return {name: tensor for name, tensor in state.items() if part not in name}


def saved(folder, name, content):
    torch.save(content, folder / name)
    return folder / name


def same(path, state):
    """Whether a file is read as that network."""
    found = read_source(path)
    wanted = from_torchvision(state)
    assert found.header.arch.name == "googlenet_torchvision" and found.header.num_classes == CLASSES
    assert found.tensors.keys() == wanted.keys()
    for name, tensor in wanted.items():
        torch.testing.assert_close(found.tensors[name], tensor, rtol=0, atol=0)
    return " ".join(found.quirks)


# ------------------------------------------------------------------------------------------------- what is read
@pytest.mark.parametrize(
    ("name", "keys", "prefix"),
    [
        ("bare.pth", (), ""),
        ("bare.pt", (), ""),
        ("bare.bin", (), ""),
        ("bare.pth.tar", (), ""),
        ("bare.ckpt", (), ""),
        ("bare.model", (), ""),
        ("no suffix", (), ""),
        ("wrongly called.safetensors", (), ""),
        ("sd.pth", ("state_dict",), ""),
        ("model.pth", ("model",), ""),
        ("msd.pth", ("model_state_dict",), ""),
        ("ema.pth", ("ema",), ""),
        ("modelema.pth", ("model_ema",), ""),
        ("esd.pth.tar", ("ema_state_dict",), ""),
        ("net.pt", ("net",), ""),
        ("deep.bin", ("checkpoint", "model", "state_dict"), ""),
        ("module.pth", (), "module."),
        ("orig.pth", (), "_orig_mod."),
        ("model.ckpt", (), "model."),
        ("sdmodule.pth", ("state_dict",), "module."),
        ("lightning.ckpt", ("state_dict",), "model."),
        ("nested.pth", (), "module._orig_mod."),
        ("nested.ckpt", ("state_dict",), "model.module._orig_mod."),
        ("own.ckpt", ("model_state_dict",), "classifier.backbone."),
    ],
)
def test_wherever_the_weights_lie_they_are_found_and_it_is_said_where(tmp_path, state, name, keys, prefix):
    content = behind(prefix, state)
    for key in reversed(keys):
        content = {"epoch": 3, "optimizer": {"state": {0: {"step": torch.tensor(1)}}}, key: content, "args": ["--lr"]}
    path = saved(tmp_path, name, content)
    said = same(path, state)
    assert (f"under '{'.'.join(keys)}'" in said) == bool(keys)
    assert (f"begin with '{prefix}'" in said) == bool(prefix)
    known = identify(path)
    assert (known.format, known.classes) == ("torchvision", CLASSES)
    assert said in " ".join(known.quirks)


@pytest.mark.parametrize(
    "kind", [collections.OrderedDict, lambda state: {name: torch.nn.Parameter(t) for name, t in state.items()}]
)
def test_whatever_kind_of_dictionary_and_tensors(tmp_path, state, kind):
    same(saved(tmp_path, "weights.pth", kind(without("num_batches", state))), state | zeros(state))


def zeros(state):
    return {name: torch.tensor(0) for name in state if "num_batches" in name}


@pytest.mark.parametrize(("prefix", "name"), [("", "tv.safetensors"), ("module.", "tv.safetensors"), ("", "tv.bin")])
def test_in_safetensors_of_others(tmp_path, state, prefix, name):
    small = without("aux", state)
    save_file({key: tensor.clone() for key, tensor in behind(prefix, small).items()}, tmp_path / name, {"format": "pt"})
    same(tmp_path / name, small)


def test_from_before_pytorch_1_6(tmp_path, state):
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    same(tmp_path / "old.pth", state)


@pytest.mark.parametrize("lost", ["num_batches", "inception3a.branch1.bn.num_batches", "aux1.conv.bn.num_batches"])
def test_counters_of_batches_may_be_missing(tmp_path, state, lost):
    less = without(lost, state)
    said = same(saved(tmp_path, "old.pth", less), zeros(state) | less)
    assert f"{len(state) - len(less)} norms lack num_batches_tracked" in said


def test_auxiliary_classifiers_may_be_missing(tmp_path, state):
    less = without("aux", state)
    path = saved(tmp_path, "noaux.pth", less)
    same(path, less)
    assert not read_source(path).header.auxiliary


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_read_as_float32(tmp_path, state, kind):
    turned = {name: tensor.to(kind) for name, tensor in without("aux", state).items()}
    said = same(
        saved(tmp_path, "half.pth", turned),
        {name: (t.long() if "num_batches" in name else t.float()) for name, t in turned.items()},
    )
    assert f"{str(kind).removeprefix('torch.')} and are read as float32" in said


def test_a_counter_that_is_too_large_for_a_half_is_left_at_0(tmp_path, state):
    less = without("aux", state)
    halves = {name: tensor.half() for name, tensor in less.items()}
    halves["conv1.bn.num_batches_tracked"] = torch.tensor(100_000).half()  # infinite
    found = read_source(saved(tmp_path, "half.pth", halves)).tensors
    assert found["features.conv1.conv.norm.num_batches_tracked"] == 0
    assert found["features.conv2.reduce.norm.num_batches_tracked"] == less["conv2.bn.num_batches_tracked"]


def test_what_lies_beside_the_network_is_left_out_and_named(tmp_path, state):
    content = behind("model.", state) | {"criterion.weight": torch.ones(5), "n_averaged": torch.tensor(3)}
    said = same(saved(tmp_path, "lightning.ckpt", {"state_dict": content}), state)
    assert "criterion.weight, n_averaged" in said


def test_averaged_models_of_pytorch(tmp_path, state):
    network = theirs()
    network.load_state_dict(state)
    mean = torch.optim.swa_utils.AveragedModel(network)
    assert "n_averaged" in same(saved(tmp_path, "swa.pth", {"model": mean.state_dict()}), state)


@pytest.mark.parametrize("name", ["model_ema", "ema", "ema_state_dict", "state_dict_ema"])
def test_of_a_network_and_its_mean_the_mean_is_read_and_it_is_said(tmp_path, state, name):
    other = {key: tensor * 2 for key, tensor in state.items()}
    path = saved(tmp_path, "both.pth", {"model": without("aux", other), name: without("aux", state)})
    assert f"(model, {name}) {name} is read" in same(path, without("aux", state))


def test_it_is_the_network_of_torchvision(tmp_path):
    torch.manual_seed(0)
    network = theirs().eval()
    path = saved(tmp_path, "epoch_3.ckpt", {"state_dict": behind("model.module.", network.state_dict())})
    x = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(googlenet.load_model(path)(x), network(x), rtol=0, atol=1e-5)


# ----------------------------------------------------------------------------------------------- what is refused
def refused(path):
    """The one sentence, the same from whoever reads."""
    with pytest.raises(InputError) as error:
        read_source(path)
    sentence = str(error.value)
    assert path.name in sentence and "\n" not in sentence and "weights_only" not in sentence
    done = run_here("predict", path, "x.png", cwd=path.parent)
    assert done.returncode == 1 and done.stderr == f"googlenet: {sentence}\n"
    return sentence


class Trap:
    """What runs code when a pickle is read."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path(self.path),)


def test_whole_models_and_programs_are_refused_with_the_way_out(tmp_path):
    network = torchvision.models.googlenet(weights=None, aux_logits=False, init_weights=False, num_classes=2).eval()
    torch.save(network, tmp_path / "whole.pth")
    torch.save({"model": network, "epoch": 1}, tmp_path / "wrapped.pt")
    torch.save(network, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    for name in ("whole.pth", "wrapped.pt", "old.pth"):
        sentence = refused(tmp_path / name)
        assert "it holds torchvision.models.googlenet." in sentence
        assert "torch.save(model.state_dict(), 'weights.pth')" in sentence
    torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)).save(str(tmp_path / "script.pt"))
    assert "TorchScript" in refused(tmp_path / "script.pt")


@pytest.mark.parametrize("content", ["namespace", "numpy", "path"])
def test_what_lies_beside_the_weights_may_need_code(tmp_path, state, content):
    other = {"namespace": argparse.Namespace(lr=1), "numpy": np.float64(0.9), "path": pathlib.PurePosixPath("x")}[
        content
    ]
    sentence = refused(saved(tmp_path, "with.ckpt", {"state_dict": state, "other": other}))
    assert {"namespace": "argparse.Namespace", "numpy": "numpy", "path": "pathlib"}[content] in sentence
    assert "torch.save(model.state_dict()" in sentence


@pytest.mark.parametrize("new", [True, False])
def test_no_code_of_a_file_runs(tmp_path, state, new):
    torch.save(
        {"state_dict": state, "x": Trap(tmp_path / "ran")}, tmp_path / "trap.pth", _use_new_zipfile_serialization=new
    )
    assert "getattr" in refused(tmp_path / "trap.pth")
    with pytest.raises(InputError):
        identify(tmp_path / "trap.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_pickle_that_torch_save_did_not_write(tmp_path, protocol):
    (tmp_path / "plain.pth").write_bytes(pickle.dumps({"fc.bias": np.zeros(3)}, protocol))
    assert "not a file of plain tensors" in refused(tmp_path / "plain.pth")


@pytest.mark.parametrize("kept", [10, 1000, -1000])
def test_a_file_that_is_cut_off(tmp_path, state, kept):
    content = saved(tmp_path, "whole.pth", without("aux", state)).read_bytes()
    (tmp_path / "cut.pth").write_bytes(content[:kept])
    assert "cut off" in refused(tmp_path / "cut.pth")


@pytest.mark.parametrize("head", ["fc.0", "fc.1", "head", "fc.out"])
def test_another_classifier_is_named(tmp_path, state, head):
    other = {name.replace("fc.", f"{head}.") if name.startswith("fc.") else name: t for name, t in state.items()}
    sentence = refused(saved(tmp_path, "customfc.pth", other))
    assert f"it lacks fc.weight, fc.bias; it has besides {head}.weight, {head}.bias" in sentence
    assert "one linear layer" in sentence and "another shape" not in sentence


def test_none_at_all_is_named(tmp_path, state):
    less = {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}
    assert "lacks fc.weight, fc.bias." in refused(saved(tmp_path, "nofc.pth", less))


@pytest.mark.parametrize(
    "name", ["inception3a.branch1.conv.weight", "conv1.conv.weight", "inception5b.branch4.1.bn.bias"]
)
def test_missing_keys_and_shapes_are_named(tmp_path, state, name):
    less = without("aux", state)
    assert f"lacks {name}" in refused(saved(tmp_path, "less.pth", without(name, less)))
    assert f"shape: {name}" in refused(saved(tmp_path, "other.pth", less | {name: torch.zeros(3, 3)}))


@pytest.mark.parametrize("network", ["resnet18", "alexnet"])
def test_another_network_is_named(tmp_path, network):
    other = getattr(torchvision.models, network)(weights=None).state_dict()
    few = {name: tensor.flatten()[:1] for name, tensor in other.items()}
    assert next(iter(few)) in refused(saved(tmp_path, "other.pth", few))
    assert identify(tmp_path / "other.pth").tensors == len(few)


def test_two_networks_are_asked_about(tmp_path, state):
    small = without("aux", state)
    content = {"teacher": small, "student": {name: tensor * 2 for name, tensor in small.items()}}
    assert "(teacher, student)" in refused(saved(tmp_path, "two.pth", content))
    content = {"model": small, "ema": small, "model_ema": small}
    assert "(model, ema, model_ema)" in refused(saved(tmp_path, "means.pth", content))
    content = behind("net_a.", small) | behind("net_b.", small)
    assert "(net_a, net_b)" in refused(saved(tmp_path, "two.ckpt", content))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none(tmp_path, state, value):
    wrong = without("aux", state) | {"conv3.bn.bias": torch.full((192,), value)}
    assert "conv3.bn.bias" in refused(saved(tmp_path, "gone.pth", wrong))


def test_whole_numbers_are_no_weights(tmp_path, state):
    wrong = without("aux", state) | {"fc.weight": torch.zeros(CLASSES, 1024, dtype=torch.int8)}
    assert "int8 in fc.weight" in refused(saved(tmp_path, "int8.pth", wrong))


# ------------------------------------------------------------------------- how its pictures are read, and its classes
@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """torchvision's network with probabilities that depend on the picture, its file, and a picture without resizing."""
    torch.manual_seed(0)
    network = theirs(aux_logits=False).eval()
    with torch.no_grad():
        for norm in (module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)):
            norm.momentum = None  # the mean over what is seen: the scales that a trained network has
        network.train()(torch.randn(8, 3, 224, 224))
        network.eval().fc.weight.mul_(2)
    folder = tmp_path_factory.mktemp("tuned")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 300, 3)).astype(np.uint8)).save(folder / "x.png")
    return network, saved(folder, "tuned.pth", network.state_dict()), folder / "x.png"


def by_hand(network, path, mean, std, size=224):
    """The middle of the picture, normalised, through torchvision's network."""
    pixels = torch.from_numpy(np.asarray(Image.open(path)).astype(np.float32) / 255).permute(2, 0, 1)
    top, left = (pixels.shape[1] - size) // 2, (pixels.shape[2] - size) // 2
    cut = pixels[:, top : top + size, left : left + size]
    x = (cut - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    with torch.no_grad():
        return network(x[None]).softmax(1).numpy()


IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def test_it_predicts_with_imagenets_mean_and_says_so(tuned):
    network, path, image = tuned
    with pytest.warns(RuntimeWarning) as said:
        predictor = googlenet.load(path, engine="torch")
    found = predictor.probabilities(image)
    np.testing.assert_allclose(found, by_hand(network, image, *IMAGENET), atol=0.01)
    assert np.abs(found - by_hand(network, image, (0.5,) * 3, (0.5,) * 3)).max() > 0.03  # so that it can fail
    sentences = [str(each.message) for each in said]
    assert "does not say how it reads pictures" in sentences[0] and "transform_input" in sentences[0]
    assert "does not name its 5 classes" in sentences[1]
    done = run_cli("predict", path, image, "--engine", "torch", "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    assert all(f"googlenet: {sentence}" in done.stderr.splitlines() for sentence in sentences)
    assert json.loads(done.stdout)["label"] == str(found[0].argmax())


@pytest.mark.parametrize(
    ("words", "mean", "std", "transform"),
    [
        ((), *IMAGENET, False),
        (("--mean", "0.5,0.5,0.5", "--std", "0.25 0.25 0.25"), (0.5,) * 3, (0.25,) * 3, False),
        (("--transform-input",), *IMAGENET, True),
        (("--mean", "0.1,0.2,0.3"), (0.1, 0.2, 0.3), IMAGENET[1], False),
    ],
)
def test_convert_writes_how_it_reads_pictures(tuned, tmp_path, monkeypatch, words, mean, std, transform):
    monkeypatch.setattr(ImagePreprocessing, "bf16", False)  # as the hand computes
    network, path, image = tuned
    done = run_here("convert", path, tmp_path / "told.safetensors", *words)
    assert done.returncode == 0, done.stderr
    assert ("does not say how it reads" in done.stdout) == (not words)
    if words:
        assert f"minus {' '.join(f'{value:.3g}' for value in mean)}" in done.stdout
    with pytest.warns(RuntimeWarning, match="does not name") as said:
        found = googlenet.load(tmp_path / "told.safetensors", engine="torch").probabilities(image)
    assert len(said) == 1
    network.transform_input = transform
    wanted = by_hand(network, image, mean, std)
    network.transform_input = False
    np.testing.assert_allclose(found, wanted, atol=0.01)


def test_nothing_is_said_of_what_the_format_does_not_hold(tuned, tmp_path):
    done = run_here("convert", tuned[1], tmp_path / "again.pth")
    assert done.returncode == 0 and "how it reads" not in done.stdout


def test_convert_writes_the_size(tuned, tmp_path):
    path = tuned[1]
    done = run_here("convert", path, tmp_path / "small.safetensors", "--size", "112")
    assert done.returncode == 0 and "112×112 RGB, cut from a shorter side of 128" in done.stdout
    row = read_source(tmp_path / "small.safetensors").header.extra["preprocessing"]
    assert (row["size"], row["resize"]) == (112, 128)


@pytest.mark.parametrize(
    ("target", "words", "sentence"),
    [
        ("x.safetensors", ("--mean", "123,117,104"), "divided by 255"),
        ("x.safetensors", ("--mean", "0.5"), "each of 3 channels"),
        ("x.safetensors", ("--std", "0.5,0.5,0"), "each of 3 channels"),
        ("x.safetensors", ("--std", "nan,1,1"), "each of 3 channels"),
        ("x.safetensors", ("--mean", "grey"), "numbers with commas"),
        ("x.safetensors", ("--size", "8"), "8"),
        ("x.pth", ("--size", "128"), "write .safetensors"),
    ],
)
def test_what_cannot_be_told(tuned, tmp_path, target, words, sentence):
    done = run_here("convert", tuned[1], tmp_path / target, *words)
    assert done.returncode == 1 and sentence in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / target).exists()


def test_our_own_weights_can_be_told_too(tmp_path, short):
    path = tmp_path / "grey.safetensors"
    googlenet.save_weights(googlenet.create_model("short_2d", 2, 1, width=0.125), path)
    with pytest.raises(InputError, match="--mean and --std"):
        googlenet.load(path)
    assert "both --mean" in run_here("convert", path, tmp_path / "told.safetensors", "--size", "32").stderr
    done = run_here("convert", path, tmp_path / "told.safetensors", "--mean", "0.5", "--std", "0.5")
    assert done.returncode == 0, done.stderr
    with pytest.warns(RuntimeWarning, match="numbered"):
        assert googlenet.load(tmp_path / "told.safetensors").preprocessing.input_shape == (1, 32, 32)


@pytest.fixture(scope="module")
def photos_of_two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name, colour in (("blue", (60, 60, 200)), ("red", (200, 60, 60))):
        (folder / name).mkdir()
        for number in range(4):
            picture(colour, (60, 50), number).save(folder / name / f"{number}.png")
    return folder


@pytest.mark.parametrize("name", ["module.ckpt", "told.safetensors"])
def test_it_is_a_start_for_training(tuned, tmp_path, photos_of_two, name):
    network, path, _ = tuned
    if name == "told.safetensors":
        assert run_here("convert", path, tmp_path / name).returncode == 0
    else:
        saved(tmp_path, name, behind("module.", network.state_dict()))
    with warnings.catch_warnings(record=True) as said:
        words = ("--weights", tmp_path / name, "--freeze", "features", "--out", tmp_path / "run")
        done = run_here("train", photos_of_two, *words)
    assert done.returncode == 0, done.stderr
    sentences = [str(each.message) for each in said]
    assert len(sentences) == (name != "told.safetensors")  # none of classes: they are the data's
    assert all("does not say how it reads pictures" in sentence for sentence in sentences)
    learned = read_source(tmp_path / "run")
    assert tuple(learned.header.extra["classes"]) == ("blue", "red")
    assert tuple(learned.header.extra["preprocessing"]["mean"]) == IMAGENET[0]
    torch.testing.assert_close(learned.tensors["features.conv1.conv.conv.weight"], network.conv1.conv.weight.detach())


def test_a_grey_network_is_read_and_asks_how_it_reads(tmp_path, state):
    grey = without("aux", state) | {"conv1.conv.weight": state["conv1.conv.weight"][:, :1]}
    path = saved(tmp_path, "grey.pth", grey)
    assert googlenet.load_model(path).in_channels == 1
    with pytest.raises(InputError, match="does not say what it reads"):
        googlenet.load(path)


def test_the_published_file_is_known_by_its_digest(tmp_path, state, monkeypatch):
    full = {
        name: torch.zeros(1000, *tensor.shape[1:]) if "fc2" in name or name[:2] == "fc" else tensor
        for name, tensor in state.items()
    }
    path = saved(tmp_path, "renamed by me.pth", full)
    record = CATALOGUE["googlenet_torchvision.imagenet1k"]
    object_digest = identify(path).sha256
    monkeypatch.setitem(
        CATALOGUE, record.name, type(record)(**{**vars(record), "digest": f"sha256:{object_digest[:8]}"})
    )
    found = read_source(path)
    assert found.header.arch.transform_input and not found.header.auxiliary and found.guesses == ()
    assert found.header.extra["classes"] == imagenet_classes()
