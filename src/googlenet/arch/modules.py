"""What variants are made of: stems, Inception modules from rows of the paper's Table 1, branches for signals.

The paper is *Going deeper with convolutions*, arXiv 1409.4842.
"""

from __future__ import annotations

from .spec import Branch, InceptionSpec, MaxPool, ResponseNorm, Stage

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
# The published InceptionTime network (Fawaz et al. 2020, section 3.1 and its code).
INCEPTIONTIME_BRANCHES = (
    Branch("40", 32, kernel=40),
    Branch("20", 32, kernel=20),
    Branch("10", 32, kernel=10),
    Branch("pool", 32, pool=3),
)
# Long kernels where there is one channel to read, short dilated ones where there are many.
FIRST_BRANCHES = (
    Branch("39", 32, kernel=39),
    Branch("19", 32, kernel=19),
    Branch("9", 32, kernel=9),
    Branch("pool", 32, pool=3),
)
DILATED_BRANCHES = (
    Branch("9 by 4", 32, kernel=9, dilation=4),
    Branch("9 by 2", 32, kernel=9, dilation=2),
    Branch("9", 32, kernel=9),
    Branch("pool", 32, pool=3),
)

# Name to "#1×1", "#3×3 reduce", "#3×3", "#5×5 reduce", "#5×5" and "pool proj".
MODULES: dict[str, tuple[int, int, int, int, int, int]] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def published(stage: str, third_kernel: int = 5) -> tuple[InceptionSpec, ...]:
    """The modules of a stage (``"3"``, ``"4"`` or ``"5"``); the kernel as of :func:`inception`."""
    return tuple(inception(name, *row, third_kernel=third_kernel) for name, row in MODULES.items() if name[0] == stage)


def without_reductions(stage: str) -> tuple[InceptionSpec, ...]:
    """The naive modules of a stage, with the widths of the published ones."""
    return tuple(naive(name, n1, n3, n5) for name, (n1, _, n3, _, n5, _) in MODULES.items() if name[0] == stage)


def inception(
    name: str, n1: int, r3: int, n3: int, r5: int, n5: int, proj: int, *, third_kernel: int = 5
) -> InceptionSpec:
    """An Inception module from a row of the paper's Table 1.

    Args:
        name: ``"3a"`` to ``"5b"`` in the paper.
        n1: "#1×1".
        r3: "#3×3 reduce".
        n3: "#3×3".
        r5: "#5×5 reduce".
        n5: "#5×5".
        proj: "pool proj".
        third_kernel: Kernel of the branch that the paper gives 5×5; torchvision and slim have 3.
    """
    return InceptionSpec(
        name,
        (
            Branch("1x1", n1),
            Branch("3x3", n3, kernel=3, reduce=r3),
            Branch("5x5", n5, kernel=third_kernel, reduce=r5),
            Branch("pool", proj, pool=3),
        ),
    )


def naive(name: str, n1: int, n3: int, n5: int) -> InceptionSpec:
    """The naive Inception module: no reduction and no projection (paper, figure 2a).

    Args:
        name: Of the module.
        n1: Channels of the 1×1 convolution.
        n3: Channels of the 3×3 convolution.
        n5: Channels of the 5×5 convolution.
    """
    return InceptionSpec(
        name,
        (
            Branch("1x1", n1),
            Branch("3x3", n3, kernel=3),
            Branch("5x5", n5, kernel=5),
            Branch("pool", None, pool=3),
        ),
    )
