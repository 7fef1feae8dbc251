import pytest
import torch

import googlenet
from googlenet.fuse import MergedInception, merge_reductions
from googlenet.variants import VARIANTS, find_arch


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", list(VARIANTS))
def test_merged_reductions_are_the_same_function(name, training):
    generator = torch.Generator().manual_seed(0)
    model = googlenet.create_model(name, 7, width=0.25, auxiliary=False, dropout=0.0)
    for key, tensor in model.state_dict().items():
        if "norm" in key and tensor.ndim:
            tensor.uniform_(0.5, 1.5, generator=generator)
    model.train(training)
    merged = merge_reductions(model)
    x = torch.randn(4, 3, *[min(64, n) for n in find_arch(name).input_size], generator=generator)
    expected = model.double()(x.double())
    torch.testing.assert_close(merged.double()(x.double()), expected, rtol=1e-9, atol=1e-9)
    count = sum(isinstance(layer, MergedInception) for layer in merged.features.values())
    # Naive modules have a single 1×1, those for signals read a bottleneck: nothing to merge.
    assert count == (0 if name in ("googlenet_naive", "inceptiontime", "googlenet_1d") else 9)
