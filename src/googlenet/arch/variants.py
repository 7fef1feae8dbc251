"""The architectures, one row each. Adding one here is all it takes: everything else reads this table."""

from __future__ import annotations

from dataclasses import replace

from ..errors import InputError, unknown
from .modules import (
    DILATED_BRANCHES,
    FIRST_BRANCHES,
    INCEPTIONTIME_BRANCHES,
    STEM,
    STEM_WITH_RESPONSE_NORM,
    inception,
    published,
    without_reductions,
)
from .spec import Arch, Auxiliary, AveragePool, Branch, InceptionSpec, MaxPool, ResponseNorm, Stage

# ----------------------------------------------------------------- the published network
STAGE_3 = Stage("3", (*published("3"), MaxPool("pool3")))
STAGE_4 = Stage("4", (*published("4"), MaxPool("pool4")))
STAGE_5 = Stage("5", published("5"))
GOOGLENET = Arch(
    name="googlenet",
    description="GoogLeNet as published: response norm, biases, true 5×5 branches",
    dims=2,
    input_size=(224, 224),
    stages=(STEM_WITH_RESPONSE_NORM, STAGE_3, STAGE_4, STAGE_5),
    auxiliary=(Auxiliary("4a"), Auxiliary("4d")),
    norm="none",
)

GOOGLENET_BN = replace(
    GOOGLENET,
    name="googlenet_bn",
    description="the same with batch norm in place of response norm and biases",
    stages=(STEM, STAGE_3, STAGE_4, STAGE_5),
    norm="batch",
)

# ----------------------------------------------------------------- torchvision's network, to the letter
GOOGLENET_TORCHVISION = Arch(
    name="googlenet_torchvision",
    description="torchvision's network: 3×3 where the paper has 5×5, batch norm, 2×2 fourth pool",
    dims=2,
    input_size=(224, 224),
    stages=(
        STEM,
        Stage("3", (*published("3", third_kernel=3), MaxPool("pool3"))),
        Stage("4", (*published("4", third_kernel=3), MaxPool("pool4", kernel=2))),
        Stage("5", published("5", third_kernel=3)),
    ),
    auxiliary=(Auxiliary("4a", pool=None), Auxiliary("4d", pool=None)),
    dropout=0.2,
)

# ----------------------------------------------------------------- TF-slim's inception_v1, to the letter
GOOGLENET_SLIM = Arch(
    name="googlenet_slim",
    description="TF-slim's inception_v1: torchvision's layers with TensorFlow's padding, no auxiliary classifiers",
    dims=2,
    input_size=(224, 224),
    stages=(
        Stage(
            "stem",
            (
                Branch("conv1", 64, kernel=7, stride=2, padding="tensorflow"),
                MaxPool("pool1", padding="tensorflow"),
                Branch("conv2", 192, kernel=3, reduce=64),
                MaxPool("pool2", padding="tensorflow"),
            ),
        ),
        Stage("3", (*published("3", third_kernel=3), MaxPool("pool3", padding="tensorflow"))),
        Stage("4", (*published("4", third_kernel=3), MaxPool("pool4", kernel=2, padding="tensorflow"))),
        Stage("5", published("5", third_kernel=3)),
    ),
    auxiliary=(),
    dropout=0.2,
)

# ----------------------------------------------------------------- TensorFlow's inception5h, to the letter
# Its graph says a radius of 5, 1e-4 for each square and not for their mean, 0.5 and 2.
NORM_OF_5H = ResponseNorm("", size=11, alpha=11e-4, beta=0.5, k=2.0)
INCEPTION5H = replace(
    GOOGLENET,
    name="inception5h",
    description="the InceptionV1 of Lucid and Distill: 204 of 3×3 in 4a, 48 before 5×5 in 5a, TensorFlow's padding",
    stages=(
        Stage(
            "stem",
            (
                Branch("conv1", 64, kernel=7, stride=2, padding="tensorflow"),
                MaxPool("pool1", padding="tensorflow"),
                replace(NORM_OF_5H, name="norm1"),
                Branch("conv2", 192, kernel=3, reduce=64),
                replace(NORM_OF_5H, name="norm2"),
                MaxPool("pool2", padding="tensorflow"),
            ),
        ),
        Stage("3", (*published("3"), MaxPool("pool3", padding="tensorflow"))),
        Stage(
            "4",
            (
                inception("4a", 192, 96, 204, 16, 48, 64),
                *published("4")[1:],
                MaxPool("pool4", padding="tensorflow"),
            ),
        ),
        Stage("5", (inception("5a", 256, 160, 320, 48, 128, 128), *published("5")[1:])),
    ),
)

# ----------------------------------------------------------------- the naive module of figure 2a
GOOGLENET_NAIVE = Arch(
    name="googlenet_naive",
    description="modules without any 1×1 reduction (figure 2a), for comparing cost",
    dims=2,
    input_size=(224, 224),
    stages=(
        STEM,
        Stage("3", (*without_reductions("3"), MaxPool("pool3"))),
        Stage("4", (*without_reductions("4"), MaxPool("pool4"))),
        Stage("5", without_reductions("5")),
    ),
    auxiliary=(Auxiliary("4a"), Auxiliary("4d")),
)

# ----------------------------------------------------------------- small pictures
SMALL_STEM = Stage("stem", (Branch("conv1", 64, kernel=3), MaxPool("pool1"), Branch("conv2", 192, kernel=3, reduce=64)))
GOOGLENET_SMALL = Arch(
    name="googlenet_small",
    description="a stem for pictures of 24 to 64 pixels: half the input's size at 3a",
    dims=2,
    input_size=(32, 32),
    stages=(SMALL_STEM, STAGE_3, STAGE_4, STAGE_5),
    auxiliary=(Auxiliary("4a", grid=2, pool=None), Auxiliary("4d", grid=2, pool=None)),
)

# Fewer layers learn more from a pass, and a pass takes less time; docs/tried.md.
FIRST_OF_4, *_, LAST_OF_4 = published("4")
GOOGLENET_SHORT = replace(
    GOOGLENET_SMALL,
    name="googlenet_short",
    description="googlenet_small without 4b, 4c and 4d: two modules in each stage",
    stages=(SMALL_STEM, STAGE_3, Stage("4", (FIRST_OF_4, LAST_OF_4, MaxPool("pool4"))), STAGE_5),
    auxiliary=(Auxiliary("4a", grid=2, pool=None),),
)
GOOGLENET_SHALLOW = replace(
    GOOGLENET_SMALL,
    name="googlenet_shallow",
    description="googlenet_small with two modules alone, 4e and 5b",
    stages=(
        SMALL_STEM,
        Stage("3", (MaxPool("pool3"),)),
        Stage("4", (LAST_OF_4, MaxPool("pool4"))),
        Stage("5", published("5")[-1:]),
    ),
    auxiliary=(Auxiliary("4e", grid=2, pool=None),),
)

# ----------------------------------------------------------------- signals
INCEPTIONTIME = Arch(
    name="inceptiontime",
    description="InceptionTime's network for signals: six modules, kernels 40, 20 and 10",
    dims=1,
    input_size=(1024,),
    stages=(
        Stage(
            "1",
            (
                InceptionSpec("1a", INCEPTIONTIME_BRANCHES, bottleneck=32),
                InceptionSpec("1b", INCEPTIONTIME_BRANCHES, bottleneck=32),
                InceptionSpec("1c", INCEPTIONTIME_BRANCHES, bottleneck=32),
            ),
            residual=True,
        ),
        Stage(
            "2",
            (
                InceptionSpec("2a", INCEPTIONTIME_BRANCHES, bottleneck=32),
                InceptionSpec("2b", INCEPTIONTIME_BRANCHES, bottleneck=32),
                InceptionSpec("2c", INCEPTIONTIME_BRANCHES, bottleneck=32),
            ),
            residual=True,
        ),
    ),
    auxiliary=(),
    dropout=0.0,
)

GOOGLENET_1D = Arch(
    name="googlenet_1d",
    description="ours for signals: dilated branches, at half the length from the second module on, then at a quarter",
    dims=1,
    input_size=(1024,),
    stages=(
        Stage("1", (InceptionSpec("1a", FIRST_BRANCHES),)),
        Stage("half", (AveragePool("pool1"),)),
        Stage(
            "2",
            (
                InceptionSpec("2a", DILATED_BRANCHES, bottleneck=32),
                InceptionSpec("2b", DILATED_BRANCHES, bottleneck=32),
            ),
            residual=True,
        ),
        Stage("quarter", (AveragePool("pool2"),)),
        Stage(
            "3",
            (
                InceptionSpec("3a", DILATED_BRANCHES, bottleneck=32),
                InceptionSpec("3b", DILATED_BRANCHES, bottleneck=32),
                InceptionSpec("3c", DILATED_BRANCHES, bottleneck=32),
            ),
            residual=True,
        ),
    ),
    auxiliary=(),
    dropout=0.0,
)

# ----------------------------------------------------------------- volumes and clips
# Pools that pad where a size is odd, so that clips of a few frames get through; of even sizes they make the same.
GOOGLENET_3D = replace(
    GOOGLENET_BN,
    name="googlenet_3d",
    description="the same stack over volumes and clips",
    dims=3,
    input_size=(64, 64, 64),
    stages=tuple(
        replace(
            stage,
            layers=tuple(
                replace(layer, padding="tensorflow") if isinstance(layer, MaxPool) else layer for layer in stage.layers
            ),
        )
        for stage in GOOGLENET_BN.stages
    ),
    auxiliary=(Auxiliary("4a", grid=2, pool=None), Auxiliary("4d", grid=2, pool=None)),
)

VARIANTS: dict[str, Arch] = {
    arch.name: arch
    for arch in (
        GOOGLENET,
        GOOGLENET_BN,
        GOOGLENET_TORCHVISION,
        GOOGLENET_SLIM,
        INCEPTION5H,
        GOOGLENET_NAIVE,
        GOOGLENET_SMALL,
        GOOGLENET_SHORT,
        GOOGLENET_SHALLOW,
        INCEPTIONTIME,
        GOOGLENET_1D,
        GOOGLENET_3D,
    )
}


def list_models() -> list[str]:
    """Names of every architecture."""
    return list(VARIANTS)


def find_arch(name: str) -> Arch:
    """The architecture of that name.

    Raises:
        InputError: If there is none; the sentence suggests the nearest name.
    """
    if not isinstance(name, str) or name not in VARIANTS:
        if isinstance(name, Arch):
            raise InputError("An architecture is called by its name here; GoogLeNet(arch) makes the network of one.")
        raise unknown("architecture", name, VARIANTS)
    return VARIANTS[name]
