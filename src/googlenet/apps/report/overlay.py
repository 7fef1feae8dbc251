"""A picture under what decided: grey, with the places that spoke for the answer in colour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...data.protocol import Picture

COLOUR, STRENGTH = (240, 130, 40), 0.75  # of the place that added the most


def overlaid(drawing: Picture) -> npt.NDArray[np.uint8]:
    """The pixels ``(3, height, width)`` in grey under the evidence; places that spoke against the answer have none.

    Args:
        drawing: With its evidence.
    """
    assert drawing.evidence is not None
    height, width = drawing.pixels.shape[1:]
    strength = np.clip(np.asarray(drawing.evidence, np.float32), 0, None)
    strength /= max(float(strength.max()), 1e-12)
    fine = np.asarray(Image.fromarray(strength).resize((width, height), Image.Resampling.BILINEAR))
    share = STRENGTH * np.clip(fine, 0, 1)[None]
    grey = drawing.pixels.mean(0, keepdims=True)
    colour = np.array(COLOUR, np.float32)[:, None, None]
    mixed: npt.NDArray[np.uint8] = np.rint(grey * (1 - share) + colour * share).astype(np.uint8)
    return mixed
