import pytest
import torch

import googlenet
from googlenet.arch.variants import VARIANTS, find_arch
from googlenet.nn.blocks import ConvUnit
from googlenet.nn.rewrites import PackedUnit, can_pack, fold_norms, pack_units


@pytest.mark.parametrize("name", list(VARIANTS))
def test_folded_norms_are_the_same_function(name):
    generator = torch.Generator().manual_seed(0)
    model = googlenet.create_model(name, 7, width=0.125).eval()
    for key, tensor in model.state_dict().items():
        if "norm" in key and tensor.ndim:
            tensor.uniform_(0.5, 1.5, generator=generator)
    folded = fold_norms(model.double())
    x = torch.randn(2, 3, *[min(32, n) for n in find_arch(name).input_size], generator=generator)
    torch.testing.assert_close(folded(x.double()), model(x.double()), rtol=1e-9, atol=1e-9)
    assert not any("norm" in key or "auxiliary" in key for key in folded.state_dict())
    assert any("norm" in key for key in model.state_dict()) == (find_arch(name).norm == "batch")


@pytest.mark.parametrize("name", [name for name, arch in VARIANTS.items() if arch.dims == 2])
def test_packed_units_are_the_same_function_to_the_precision_of_bfloat16(name):
    if not can_pack(torch.device("cpu")):
        pytest.skip("this is no x86 processor that computes in bfloat16")
    generator = torch.Generator().manual_seed(0)
    model = fold_norms(googlenet.create_model(name, 7, width=0.25).eval())
    packed = pack_units(model)
    assert any(isinstance(module, PackedUnit) for module in packed.modules())
    assert not any(isinstance(module, ConvUnit) for module in packed.modules())
    channels, size = 3, [min(64, n) for n in find_arch(name).input_size]
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for n in (1, 2, 3, 4, 5, 6):  # more shapes than there are layouts
            x = torch.randn(n, channels, *size, generator=generator)
            with torch.autocast("cpu", enabled=False):
                exact = model(x)
            found, usual = packed(x).float(), model(x).float()
            # No further from float32 than PyTorch's own bfloat16, up to chance.
            assert (found - exact).abs().max() < 2 * (usual - exact).abs().max() + 1e-3 * exact.abs().max()
