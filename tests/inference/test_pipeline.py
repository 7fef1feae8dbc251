import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import googlenet
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.signals.preprocessing import SignalPreprocessing
from googlenet.inference.pipeline import Pipeline

MIRRORED = ImagePreprocessing(1, 32, 32, (0.4,), (0.3,), mirror=True)
SIGNALS = SignalPreprocessing(2, 40, (0.5, 1.0), (1.0, 2.0), (0.7, 0.9))


@pytest.mark.parametrize(("name", "preprocessing"), [("googlenet_small", MIRRORED), ("googlenet_1d", SIGNALS)])
def test_everything_happens_on_the_device_of_the_inputs(name, preprocessing):
    """On a GPU that is made of shapes alone, and refuses tensors of another device as a real one does."""
    channels = 1 if preprocessing is MIRRORED else preprocessing.inputs
    size = (32, 32) if preprocessing is MIRRORED else (40,)
    kind = torch.uint8 if preprocessing is MIRRORED else torch.float32
    with FakeTensorMode():
        with torch.device("cuda"):
            network = Pipeline([googlenet.create_model(name, 3, channels, width=0.25)], preprocessing)
        found = network(torch.empty(5, channels, *size, dtype=kind, device="cuda"))
    assert found.shape == (5, 3) and found.device.type == "cuda"
