"""Networks with random weights and what stands before them, for tests of explanations."""

import dataclasses

import numpy as np
import torch

from googlenet.arch.cost import minimum_size
from googlenet.arch.variants import find_arch
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.data.volumes.preprocessing import VolumePreprocessing
from googlenet.inference.pipeline import Pipeline
from googlenet.nn.googlenet import GoogLeNet

CLASSES = 4


def pipeline_of(name, width=0.25, members=1, size=None, seed=0):
    """A narrow network whose batch norms and biases are not what they begin with, as after training."""
    torch.manual_seed(seed)
    arch = dataclasses.replace(find_arch(name).scaled(width), members=members)
    size = size or {1: 64, 2: max(32, minimum_size(arch)), 3: max(8, minimum_size(arch))}[arch.dims]
    preprocessing = {
        1: lambda: SignalPreprocessing(2, size, (0.0, 0.0), (1.0, 1.0), (0.5, 0.5)),
        2: lambda: ImagePreprocessing(3, size, size),
        3: lambda: VolumePreprocessing(1, (size,) * 3, False, (0.0,), (1.0,)),
    }[arch.dims]()
    model = GoogLeNet(arch, CLASSES, preprocessing.input_shape[0]).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim == 1:
                weight += 0.1 * torch.randn_like(weight)
        for module in model.modules():
            if hasattr(module, "running_mean"):
                module.running_mean.normal_(0, 0.1)
        model.classifier.weight *= 4
    return Pipeline([model], preprocessing)


def inputs_of(pipeline, count=2, seed=0):
    draws = np.random.default_rng(seed)
    values = pipeline.preprocessing.example(count).numpy()
    if values.dtype == np.uint8:
        return draws.integers(0, 255, values.shape, np.uint8)
    return (values + draws.normal(size=values.shape)).astype(np.float32)
