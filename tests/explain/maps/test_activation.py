"""Class activation maps, against what they are shares of."""

import dataclasses

import pytest
import torch

from googlenet import InputError
from googlenet.arch.variants import find_arch
from googlenet.explain.maps.activation import check_sizes, class_activation
from googlenet.nn.googlenet import GoogLeNet


def small(members=1, channels=2, classes=3):
    torch.manual_seed(0)
    arch = dataclasses.replace(find_arch("googlenet_1d").scaled(0.25), members=members)
    return GoogLeNet(arch, classes, channels).eval()


def test_a_class_activation_map_adds_up_to_the_logit():
    for members in (1, 3):
        model = small(members=members)
        x = torch.randn(4, 2 * members, 40)
        classes = torch.tensor([0, 1, 2, 1])
        logits = model(x).view(4, members, 3) - model.classifier.bias.view(-1, 3)
        relative = (logits - logits.mean(2, keepdim=True)).mean(1)
        maps = class_activation(model, x, classes)
        assert maps.shape == (4, 10)
        torch.testing.assert_close(maps.mean(1), relative[torch.arange(4), classes], rtol=1e-4, atol=1e-5)


def test_maps_of_unlike_sizes_have_no_sum():
    check_sizes([torch.zeros(2, 3, 3), torch.zeros(2, 3, 3)])
    with pytest.raises(InputError, match="of 1 × 1 and 3 × 3 places: explain the networks one by one"):
        check_sizes([torch.zeros(2, 3, 3), torch.zeros(2, 1, 1)])
