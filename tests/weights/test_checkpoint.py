"""Weight files of every kind: read, written, and told apart."""

import pytest
import torch

from googlenet import InputError, create_model, list_models
from googlenet.arch.variants import find_arch
from googlenet.weights.foreign.parameters import units


@pytest.mark.parametrize("auxiliary", [True, False])
@pytest.mark.parametrize("name", [name for name in list_models() if "1d" not in name and "time" not in name])
def test_units_name_every_tensor_of_the_network(name, auxiliary):
    with torch.device("meta"):
        model = create_model(name, 7, 3, width=0.5, auxiliary=auxiliary)
    named = {}
    for unit in units(model.arch, 7, 3, auxiliary):
        named |= unit.tensors()
    assert named == {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}


def test_networks_of_signals_have_no_foreign_names():
    with pytest.raises(InputError, match="only safetensors"):
        list(units(find_arch("googlenet_1d")))
