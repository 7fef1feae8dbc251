"""What `minutes.py` sets our recipes beside, in plain PyTorch: two networks for small pictures, each with its training.

Both are written here from what was published: airbench94's network and schedule (Jordan 2024, arXiv 2404.00498,
sections 2 and 3; whitening, lookahead, alternating flip), and a ResNet-18 for small pictures, torchvision's with a
first convolution of 3 × 3 and no first pool, by SGD with momentum.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

Answer = Callable[[Tensor], Tensor]  # (n, channels, side, side) of bytes to (n, classes), a mean over mirror images


class Norm(nn.BatchNorm2d):
    """Batch norm whose scale stays 1."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-12, momentum=0.4)
        self.weight.requires_grad_(False)


class Group(nn.Sequential):
    """Two convolutions, with a pool behind the first."""

    def __init__(self, given: int, channels: int) -> None:
        convs = (
            nn.Conv2d(given, channels, 3, padding=1, bias=False),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        )
        for conv in convs:  # as far as there are channels, each passes one on
            nn.init.dirac_(conv.weight[: conv.in_channels])
        super().__init__(convs[0], nn.MaxPool2d(2), Norm(channels), nn.GELU(), convs[1], Norm(channels), nn.GELU())


class Airbench(nn.Module):
    """The network of airbench94."""

    def __init__(self, pictures: Tensor, classes: int) -> None:
        super().__init__()
        size = 4 * pictures.shape[1]
        self.whiten = nn.Conv2d(pictures.shape[1], 2 * size, 2)
        patches = pictures.unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, size).float()
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = (vectors.T / torch.sqrt(values + 5e-4)[:, None]).reshape(size, -1, 2, 2)
        self.whiten.weight.data = torch.cat([filters, -filters])
        self.whiten.weight.requires_grad_(False)
        nn.init.zeros_(self.whiten.bias)
        groups = (Group(2 * size, 64), Group(64, 256), Group(256, 256))
        self.body = nn.Sequential(nn.GELU(), *groups, nn.MaxPool2d(3))
        self.head = nn.Linear(256, classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.head(self.body(self.whiten(x)).flatten(1)) / 9


class Normalised:
    """Pixels of a training part as numbers of mean 0 and deviation 1, channel by channel; and others alike."""

    def __init__(self, pixels: Tensor) -> None:
        self.mean, self.deviation = (
            each[:, None, None] for each in ((pixels / 255).mean((0, 2, 3)), (pixels / 255).std((0, 2, 3)))
        )

    def __call__(self, pixels: Tensor) -> Tensor:
        return (pixels.float() / 255 - self.mean) / self.deviation


def batches(x: Tensor, y: Tensor, size: int, seconds: float) -> Iterator[tuple[float, Tensor, Tensor]]:
    """Batches until the core's seconds are over, each with the share of them that is: shifted by up to two pixels, each
    picture mirrored in every other epoch."""
    started, mirrored, side = time.process_time(), torch.randint(2, (len(x),)), x.shape[-1]
    for epoch in count():
        flipped = (mirrored + epoch) % 2 == 1
        seen = torch.where(flipped[:, None, None, None], x.flip(3), x)
        padded = functional.pad(seen, (2,) * 4, "reflect")
        for rows in torch.randperm(len(x)).split(size)[: len(x) // size]:
            places = zip(rows.tolist(), *torch.randint(5, (2, len(rows))).tolist(), strict=True)
            moved = torch.stack([padded[row, :, a : a + side, b : b + side] for row, a, b in places])
            share = (time.process_time() - started) / seconds
            if share >= 1:
                return
            yield share, moved.contiguous(memory_format=torch.channels_last), y[rows]


def airbench(pixels: Tensor, labels: Tensor, changes: dict[str, str], seconds: float) -> tuple[Answer, float]:
    """Its schedule, by the share of the time that is over.

    Args:
        pixels: ``(n, channels, side, side)`` of bytes, of 28 or 32 pixels a side.
        labels: ``(n,)``.
        changes: ``batch`` and ``epochs``, where others than published.
        seconds: Of one core.

    Returns:
        What answers, and the epochs that there was time for.
    """
    size, normalised = int(changes.get("batch", 1024)), Normalised(pixels)
    x, started = normalised(pixels), time.process_time()
    model = Airbench(x[:5000], int(labels.max()) + 1).to(memory_format=torch.channels_last)
    biases = [p for name, p in model.named_parameters() if p.requires_grad and "bias" in name]
    others = [p for name, p in model.named_parameters() if p.requires_grad and "bias" not in name]
    momentum, decay = 0.85, 0.0153
    kilostep = 1024 * (1 + 1 / (1 - momentum))
    rate, less = 11.5 / kilostep, decay * size / kilostep
    groups = [
        {"params": biases, "lr": 64 * rate, "weight_decay": less / (64 * rate)},
        {"params": others, "lr": rate, "weight_decay": less / rate},
    ]
    optimizer = torch.optim.SGD(groups, momentum=momentum, nesterov=True)
    peaks = [group["lr"] for group in optimizer.param_groups]
    slow = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    expected, step = float(changes.get("epochs", 9.9)), 0
    model.train()
    for progress, inputs, targets in batches(x, labels, size, seconds - (time.process_time() - started)):
        share = np.interp(progress, [0, 0.23, 1], [0.2, 1, 0.07])
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = peak * share
        model.whiten.bias.requires_grad_(progress * expected < 3)
        with torch.autocast("cpu", torch.bfloat16):
            output = model(inputs)
        loss = functional.cross_entropy(output.float(), targets, label_smoothing=0.2, reduction="none").sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        step += 1
        if step % 5 == 0:
            alpha = 0.95**5 * progress**3
            with torch.no_grad():
                for name, tensor in model.state_dict().items():
                    if tensor.is_floating_point():
                        slow[name].lerp_(tensor, 1 - alpha)
                        tensor.copy_(slow[name])
    model.load_state_dict(slow)
    return mirrored(model, normalised), step * size / len(x)


def resnet18(pixels: Tensor, labels: Tensor, changes: dict[str, str], seconds: float) -> tuple[Answer, float]:
    """By SGD along a cosine; arguments and answer as of ``airbench``."""
    from torchvision.models import resnet18 as published

    size, normalised = int(changes.get("batch", 128)), Normalised(pixels)
    x = normalised(pixels)
    model = published(num_classes=int(labels.max()) + 1)
    model.conv1, model.maxpool = nn.Conv2d(x.shape[1], 64, 3, padding=1, bias=False), nn.Identity()
    model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    step = 0
    model.train()
    for progress, inputs, targets in batches(x, labels, size, seconds):
        optimizer.param_groups[0]["lr"] = 0.1 * min(progress / 0.15, 0.5 + 0.5 * np.cos(np.pi * progress))
        with torch.autocast("cpu", torch.bfloat16):
            loss = functional.cross_entropy(model(inputs).float(), targets, label_smoothing=0.1)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        step += 1
    return mirrored(model, normalised), step * size / len(x)


def mirrored(model: nn.Module, normalised: Normalised) -> Answer:
    """Its logits, mean of pictures as they are and mirrored."""
    model.eval()

    def answer(pixels: Tensor) -> Tensor:
        views = [normalised(part).contiguous(memory_format=torch.channels_last) for part in pixels.split(500)]
        with torch.autocast("cpu", torch.bfloat16):  # as it was trained
            return torch.cat([(model(view).float() + model(view.flip(3)).float()) / 2 for view in views])

    return answer
