"""Other people's programs that run the files we write, where they are installed: the other side of a conversion."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ...data.images.preprocessing import ImagePreprocessing
from ...errors import InputError, reason
from ..checkpoint import Header
from .preprocessing import BVLC

Answer = tuple[str, Tensor]


def other_side(path: Path, header: Header, x: Tensor) -> Answer | None:
    """Who runs the file, and the probabilities ``(N, classes)`` that come out; ``None`` if nobody here can.

    Args:
        path: What was written.
        header: Of the weights in it.
        x: ``(N, channels, *spatial)``, normalised as the network reads it.

    Raises:
        InputError: If the other side does not take the file.
    """
    runners = {".onnx": _onnx_runtime, ".caffemodel": _opencv, ".pth": _torchvision}
    runner = runners.get(path.suffix)
    if runner is None:
        return None
    try:
        return runner(path, header, x)
    except ImportError:
        return None
    except Exception as error:  # each has its own
        raise InputError(f"{runner.__name__[1:]} refuses the file, which is not kept: {reason(error)}") from error


def _onnx_runtime(path: Path, header: Header, x: Tensor) -> Answer:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    logits = session.run(["logits"], {"input": x.numpy()})[0]
    probabilities = torch.from_numpy(logits).softmax(-1)
    return "ONNX Runtime", probabilities if probabilities.ndim == 2 else probabilities.mean(1)


def _opencv(path: Path, header: Header, x: Tensor) -> Answer:
    import cv2

    row = header.extra.get("preprocessing")
    scale = ImagePreprocessing.from_dict(row) if row else BVLC
    pixels = x * 255 * torch.tensor(scale.std).view(1, 3, 1, 1)  # less their mean
    network = cv2.dnn.readNetFromCaffe(str(path.with_suffix(".prototxt")), str(path))
    found = []
    for picture in pixels.flip(1):  # blue, green, red
        network.setInput(picture[None].numpy())
        found.append(torch.from_numpy(network.forward("prob").reshape(1, -1).copy()))
    return "OpenCV", torch.cat(found)


def _torchvision(path: Path, header: Header, x: Tensor) -> Answer:
    from torchvision.models import googlenet

    model = googlenet(
        weights=None,
        num_classes=header.num_classes,
        transform_input=header.arch.transform_input,
        aux_logits=header.auxiliary,
        init_weights=False,
    )
    model.load_state_dict(torch.load(path, weights_only=True))
    return "torchvision", model.eval()(x).softmax(1)
