"""Weights that the world has trained, as data: where they are, how to know them, what is peculiar to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..data.images.preprocessing import ImagePreprocessing
from ..errors import unknown
from .foreign.preprocessing import BVLC, PLACES205, SLIM, TORCHVISION


@dataclass(frozen=True, eq=False)
class Record:
    """A set of weights.

    Attributes:
        name: ``architecture.tag``.
        url: Where its origin keeps it; ``""`` where it is part of this package.
        file: Its name on disk.
        member: The file inside of an archive ``url``; ``""`` where ``url`` is the file itself.
        digest: ``sha256:`` or ``sha1:`` and the hexadecimal digits, or their beginning, published for what lies at
            ``url``; ``""`` where none is.
        size: Of the same, MiB; ``None`` where it is not known.
        licence: As the origin states it.
        trained_on: The data.
        classes: Gives the names of the classes; ``None`` where the file has them.
        preprocessing: What the network reads; ``None`` where the file says it.
        changes: Fields of the architecture that the file does not tell.
        auxiliary: Whether the auxiliary classifiers in the file were trained; others are left out.
        top1: Published accuracy of one crop.
        top5: The same among five.
        source: Where the accuracy is published.
        quirks: Sentences.
    """

    name: str
    url: str
    file: str
    digest: str
    licence: str
    trained_on: str
    source: str
    member: str = ""
    size: float | None = None
    classes: Callable[[], tuple[str, ...]] | None = None
    preprocessing: ImagePreprocessing | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    auxiliary: bool = True
    top1: float | None = None
    top5: float | None = None
    quirks: tuple[str, ...] = ()

    @property
    def arch(self) -> str:
        """The architecture's name."""
        return self.name.split(".", 1)[0]

    def rows(self) -> list[tuple[str, str]]:
        """What is known, for printing; what is unknown is left out."""
        accuracy = [f"{value:.2%} {what}" for value, what in ((self.top1, "top-1"), (self.top5, "top-5")) if value]
        rows = [
            ("name", self.name),
            ("trained on", self.trained_on),
            ("accuracy", ", ".join(accuracy)),
            ("published in", self.source),
            ("origin", self.url or "part of this package"),
            ("size", "" if self.size is None else f"{self.size:.1f} MiB"),
            ("digest", self.digest),
            ("input", "" if self.preprocessing is None else self.preprocessing.described()),
            ("licence", self.licence),
        ]
        return [row for row in rows if row[1]] + [("note", quirk) for quirk in self.quirks]


def imagenet_classes() -> tuple[str, ...]:
    """The 1,000 names in the order of the challenge of 2012."""
    from torchvision.models import GoogLeNet_Weights

    return tuple(GoogLeNet_Weights.IMAGENET1K_V1.meta["categories"])


def _numbers(count: int) -> Callable[[], tuple[str, ...]]:
    return lambda: tuple(map(str, range(count)))


_TURNED = "Caffe's network reads blue, green, red; the first convolution is turned round when it is read."

CATALOGUE: dict[str, Record] = {
    record.name: record
    for record in (
        Record(
            name="googlenet_torchvision.imagenet1k",
            url="https://download.pytorch.org/models/googlenet-1378be20.pth",
            file="googlenet-1378be20.pth",
            digest="sha256:1378be20",
            size=49.731,
            licence="BSD-3-Clause",
            trained_on="ImageNet-1k",
            classes=imagenet_classes,
            preprocessing=TORCHVISION,
            changes={"transform_input": True},
            auxiliary=False,
            top1=0.69778,
            top5=0.8953,
            source="https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.googlenet.html",
            quirks=(
                "The third branch has 3×3 where the paper has 5×5 (pytorch/vision issue 906).",
                "The network itself turns ImageNet's normalisation into [-1, 1] (transform_input, issue 4136).",
                "The auxiliary classifiers in the file were never trained (pull request 828); they are left out.",
                "Until November 2024 torchvision returned their logits in the wrong order (issue 8736).",
            ),
        ),
        Record(
            name="googlenet.bvlc",
            url="http://dl.caffe.berkeleyvision.org/bvlc_googlenet.caffemodel",
            file="bvlc_googlenet.caffemodel",
            digest="sha1:405fc5acd08a3bb12de8ee5e23a96bec22f08204",
            size=53_533_754 / 2**20,
            licence="unrestricted use",
            trained_on="ImageNet-1k",
            classes=imagenet_classes,
            preprocessing=BVLC,
            top1=0.687,
            top5=0.889,
            source="https://github.com/BVLC/caffe/blob/master/models/bvlc_googlenet/readme.md",
            quirks=(_TURNED, "Trained without the paper's changes of scale, aspect and light."),
        ),
        Record(
            name="googlenet.places205",
            url="http://places.csail.mit.edu/model/googlenet_places205.tar.gz",
            file="googlenet_places205.caffemodel",
            member="googlenet_places205/googlelet_places205_train_iter_2400000.caffemodel",
            digest="",
            licence="CC BY",
            trained_on="Places205",
            classes=_numbers(205),
            preprocessing=PLACES205,
            source="http://places.csail.mit.edu/downloadCNN.html",
            quirks=(_TURNED, "The file has no names of classes; they are numbers in its order."),
        ),
        Record(
            name="googlenet_slim.imagenet1k_2016",
            url="http://download.tensorflow.org/models/inception_v1_2016_08_28.tar.gz",
            file="inception_v1_2016_08_28.ckpt",
            member="inception_v1.ckpt",
            # As Intel's Open Model Zoo has them, models/public/googlenet-v1-tf/model.yml.
            digest="sha256:7a620c430fcaba8f8f716241f5148c4c47c035cce4e49ef02cfbe6cd1adf96a6",
            size=24_642_554 / 2**20,
            licence="Apache-2.0",
            trained_on="ImageNet-1k",
            classes=imagenet_classes,
            preprocessing=SLIM,
            top1=0.698,
            top5=0.896,
            source="https://github.com/tensorflow/models/tree/master/research/slim",
            quirks=(
                "The third branch has 3×3 where the paper has 5×5, and TensorFlow's padding starts one sample later.",
                "Of its 1,001 classes the first, the background, is left out.",
                "TF-slim squashes the central 87.5 % of a picture to a square, where we cut a square out.",
            ),
        ),
        Record(
            name="googlenet_small.fashion_mnist",
            url="",
            file="googlenet_small.fashion_mnist.safetensors",
            digest="",
            licence="Apache-2.0",
            trained_on="Fashion-MNIST, 60,000 pictures",
            top1=0.9480,
            source="benchmarks/fashion_mnist_nine_modules.json; again with "
            "googlenet train fashion-mnist --arch googlenet_small",
            quirks=("At half width, 28×28 pixels, grey, as white on black; kept in bfloat16.",),
        ),
        Record(
            name="googlenet_1d.ucr",
            url="",
            file="googlenet_1d.ucr.safetensors",
            digest="",
            licence="Apache-2.0",
            trained_on="the training parts of 48 sets of the UCR archive",
            source="benchmarks/ucr_pretraining.json; again with make bench-ucr-pretraining",
            quirks=(
                "To begin a training of signals of one channel with; its classifier tells 48 sets' classes apart.",
                "Four networks side by side, every other of which sees first differences too; kept in bfloat16.",
            ),
        ),
        Record(
            name="googlenet_1d.gunpoint",
            url="",
            file="googlenet_1d.gunpoint.safetensors",
            digest="",
            licence="Apache-2.0",
            trained_on="GunPoint, 50 signals",
            top1=1.0,
            source="benchmarks/page.json; again with googlenet train gunpoint",
            quirks=(
                "On 150 signals held out, of two classes: the next one may be the first that is wrong.",
                "Four networks side by side, every other of which sees first differences too; kept in bfloat16.",
            ),
        ),
    )
}


def named(name: str) -> Record | None:
    """The record of that name, or the only one with that tag."""
    found = [record for record in CATALOGUE.values() if name in (record.name, record.name.split(".", 1)[1])]
    return found[0] if len(found) == 1 else None


def find_record(name: str) -> Record:
    """The record of that name or tag.

    Raises:
        InputError: If there is none; the sentence suggests the nearest name.
    """
    record = named(name)
    if record is None:
        raise unknown("weights", name, CATALOGUE)
    return record
