"""The architectures, one row each. Adding one here is all it takes: everything else reads this table.

Channel counts are those of Table 1 of *Going deeper with convolutions* (arXiv 1409.4842).
"""

from __future__ import annotations

from dataclasses import replace

from .arch import Arch, Auxiliary, Branch, MaxPool, ResponseNorm, Stage, inception, naive
from .errors import unknown

# ----------------------------------------------------------------- the published network, Table 1 row by row
STAGE_3 = Stage(
    "3",
    (
        #               1×1  3×3r 3×3  5×5r 5×5  pool
        inception("3a", 64, 96, 128, 16, 32, 32),
        inception("3b", 128, 128, 192, 32, 96, 64),
        MaxPool("pool3"),
    ),
)
STAGE_4 = Stage(
    "4",
    (
        inception("4a", 192, 96, 208, 16, 48, 64),
        inception("4b", 160, 112, 224, 24, 64, 64),
        inception("4c", 128, 128, 256, 24, 64, 64),
        inception("4d", 112, 144, 288, 32, 64, 64),
        inception("4e", 256, 160, 320, 32, 128, 128),
        MaxPool("pool4"),
    ),
)
STAGE_5 = Stage(
    "5",
    (
        inception("5a", 256, 160, 320, 32, 128, 128),
        inception("5b", 384, 192, 384, 48, 128, 128),
    ),
)
STEM = Stage(
    "stem",
    (
        Branch("conv1", 64, kernel=7, stride=2),
        MaxPool("pool1"),
        Branch("conv2", 192, kernel=3, reduce=64),
        MaxPool("pool2"),
    ),
)
STEM_WITH_RESPONSE_NORM = Stage(
    "stem",
    (
        Branch("conv1", 64, kernel=7, stride=2),
        MaxPool("pool1"),
        ResponseNorm("norm1"),
        Branch("conv2", 192, kernel=3, reduce=64),
        ResponseNorm("norm2"),
        MaxPool("pool2"),
    ),
)

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
        Stage(
            "3",
            (
                inception("3a", 64, 96, 128, 16, 32, 32, third_kernel=3),
                inception("3b", 128, 128, 192, 32, 96, 64, third_kernel=3),
                MaxPool("pool3"),
            ),
        ),
        Stage(
            "4",
            (
                inception("4a", 192, 96, 208, 16, 48, 64, third_kernel=3),
                inception("4b", 160, 112, 224, 24, 64, 64, third_kernel=3),
                inception("4c", 128, 128, 256, 24, 64, 64, third_kernel=3),
                inception("4d", 112, 144, 288, 32, 64, 64, third_kernel=3),
                inception("4e", 256, 160, 320, 32, 128, 128, third_kernel=3),
                MaxPool("pool4", kernel=2),
            ),
        ),
        Stage(
            "5",
            (
                inception("5a", 256, 160, 320, 32, 128, 128, third_kernel=3),
                inception("5b", 384, 192, 384, 48, 128, 128, third_kernel=3),
            ),
        ),
    ),
    auxiliary=(Auxiliary("4a", pool=None), Auxiliary("4d", pool=None)),
    dropout=0.2,
)

# ----------------------------------------------------------------- the naive module of figure 2a
GOOGLENET_NAIVE = Arch(
    name="googlenet_naive",
    description="modules without any 1×1 reduction (figure 2a), for comparing cost",
    dims=2,
    input_size=(224, 224),
    stages=(
        STEM,
        Stage("3", (naive("3a", 64, 128, 32), naive("3b", 128, 192, 96), MaxPool("pool3"))),
        Stage(
            "4",
            (
                naive("4a", 192, 208, 48),
                naive("4b", 160, 224, 64),
                naive("4c", 128, 256, 64),
                naive("4d", 112, 288, 64),
                naive("4e", 256, 320, 128),
                MaxPool("pool4"),
            ),
        ),
        Stage("5", (naive("5a", 256, 320, 128), naive("5b", 384, 384, 128))),
    ),
    auxiliary=(Auxiliary("4a"), Auxiliary("4d")),
)

# ----------------------------------------------------------------- small pictures
GOOGLENET_SMALL = Arch(
    name="googlenet_small",
    description="a stem for pictures of 24 to 64 pixels: half the input's size at 3a",
    dims=2,
    input_size=(32, 32),
    stages=(
        Stage(
            "stem",
            (
                Branch("conv1", 64, kernel=3),
                MaxPool("pool1"),
                Branch("conv2", 192, kernel=3, reduce=64),
            ),
        ),
        STAGE_3,
        STAGE_4,
        STAGE_5,
    ),
    auxiliary=(Auxiliary("4a", grid=2, pool=None), Auxiliary("4d", grid=2, pool=None)),
)

# ----------------------------------------------------------------- other dimensions
GOOGLENET_1D = replace(
    GOOGLENET_BN,
    name="googlenet_1d",
    description="the same stack over signals",
    dims=1,
    input_size=(1024,),
)

GOOGLENET_3D = replace(
    GOOGLENET_BN,
    name="googlenet_3d",
    description="the same stack over volumes and clips",
    dims=3,
    input_size=(64, 64, 64),
    auxiliary=(Auxiliary("4a", grid=2, pool=None), Auxiliary("4d", grid=2, pool=None)),
)

VARIANTS: dict[str, Arch] = {
    arch.name: arch
    for arch in (
        GOOGLENET,
        GOOGLENET_BN,
        GOOGLENET_TORCHVISION,
        GOOGLENET_NAIVE,
        GOOGLENET_SMALL,
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
    if name not in VARIANTS:
        raise unknown("architecture", name, VARIANTS)
    return VARIANTS[name]
