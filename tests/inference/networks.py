"""Networks with weights as training leaves them, and their exported files."""

import numpy as np
import torch

import googlenet
from conftest import short_variants
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.inference import export as exporting
from googlenet.inference.calibration.temperature import Calibration
from googlenet.inference.engines.backend import BACKENDS
from googlenet.inference.export import notes_of
from googlenet.inference.load import load_pipeline
from googlenet.weights.create import save_weights

CLASSES = ("cat", "dog", "emu")
SEEN = Calibration(1.25, "some others", tuple(sorted(1 - 0.02 * k for k in range(40))), smoothing=0.15)
GREY = ImagePreprocessing(1, 32, 32, (0.4,), (0.3,))


def random_norms(model, preprocessing, seed=0):
    """Statistics and scales as a trained network has them: without, folding would have nothing to do; and a classifier
    whose answers differ between inputs, and are never sure."""
    generator = torch.Generator().manual_seed(seed)
    for key, tensor in model.state_dict().items():
        if "norm" in key and tensor.ndim:
            tensor.uniform_(0.5, 1.5, generator=generator)
    model.eval()
    with torch.inference_mode():
        logits = model(preprocessing.views(preprocessing.example(32), model.arch.members)[0])
        mean, scale = logits.mean(0), 1 / logits.std(0)
        if model.arch.members == 1:
            model.classifier.weight.mul_(scale[:, None])
            model.classifier.bias.sub_(mean).mul_(scale)
        else:
            model.classifier.weight.mul_(scale[:, None])
            model.classifier.bias.sub_(mean[:, None]).mul_(scale[:, None])
    return model


def weights(folder, name="short_2d", preprocessing=GREY, seed=0, **changes):
    """A file of weights of three classes."""
    torch.manual_seed(seed)
    with short_variants():
        model = googlenet.create_model(name, 3, preprocessing.input_shape[0], width=0.25, **changes)
    path = folder / f"{name}-{seed}.safetensors"
    said = {"classes": CLASSES, "preprocessing": preprocessing.to_dict(), "calibration": SEEN.to_dict()}
    save_weights(random_norms(model, preprocessing, seed), path, **said)
    return path


def exported(folder, run, form, out=None):
    """The file of a format, which was compared with PyTorch."""
    pipeline, classes = load_pipeline(run)
    path = out or folder / f"model{BACKENDS[form].suffix}"
    found = exporting.export(pipeline, notes_of(pipeline, classes), form, path)
    assert found.count == 32 and found.agreement == 1 and found.largest < 1e-5
    return path


_files = {}


def exported_files(tmp_path_factory):
    """Weights (``run``) and the model exported in every format, made once for all tests of a process."""
    if not _files:
        folder = tmp_path_factory.mktemp("exported")
        run = weights(folder)
        _files.update({"run": run} | {form: exported(folder, run, form) for form in BACKENDS})
        assert not list(folder.glob(".*"))
    return _files


def pictures(n=21, seed=0):
    """Patches of some brightness, with noise."""
    draws = np.random.default_rng(seed)
    patches = np.kron(draws.integers(30, 226, (n, 4, 4)), np.ones((1, 8, 8), int))
    return (patches + draws.integers(-30, 31, (n, 32, 32))).clip(0, 255).astype(np.uint8)
