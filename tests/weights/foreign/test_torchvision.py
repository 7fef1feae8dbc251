"""Against torchvision's own network, randomised in every tensor."""

import pytest
import torch
import torchvision

import googlenet
from googlenet import InputError
from googlenet.weights import formats
from googlenet.weights.foreign.pytorch.torchvision import from_torchvision, to_torchvision


@pytest.fixture(scope="module")
def theirs():
    generator = torch.Generator().manual_seed(0)
    net = torchvision.models.googlenet(weights=None, aux_logits=True, init_weights=False)
    for key, tensor in net.state_dict().items():
        if key.endswith("running_var"):
            tensor.uniform_(0.5, 2, generator=generator)
        elif key.endswith(("running_mean", "bias")):
            tensor.normal_(0, 0.3, generator=generator)
        elif key.endswith("bn.weight"):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif key.endswith("weight"):
            tensor.normal_(0, tensor[0].numel() ** -0.5, generator=generator)
    return net


@pytest.fixture(scope="module")
def ours(theirs):
    net = googlenet.create_model("googlenet_torchvision")
    net.load_state_dict(from_torchvision(theirs.state_dict()), strict=True)
    return net


@pytest.mark.parametrize(("training", "size"), [(False, 224), (False, 160), (True, 160)])
def test_logits_and_auxiliaries_agree(theirs, ours, training, size):
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    state = {key: tensor.clone() for key, tensor in theirs.state_dict().items()}
    theirs.train(training)
    ours.train(training)
    with torch.no_grad():
        mine = []
        torch.manual_seed(2)
        if training:  # same dropout masks are not to be had: the order of the layers differs
            for module in [*theirs.modules(), *ours.modules()]:
                if isinstance(module, torch.nn.Dropout):
                    module.eval()
            wanted = theirs(x)
            wanted = [wanted.logits, wanted.aux_logits1, wanted.aux_logits2]
        else:
            # In evaluation mode torchvision hides its auxiliary outputs: run its heads by hand.
            outputs = {}
            hooks = [
                getattr(theirs, f"inception{module}").register_forward_hook(
                    lambda _, __, output, module=module: outputs.__setitem__(module, output)
                )
                for module in ("4a", "4d")
            ]
            logits = theirs(x)
            for hook in hooks:
                hook.remove()
            wanted = [logits, theirs.aux1(outputs["4a"]), theirs.aux2(outputs["4d"])]
        output = ours(x, return_aux=True)
        mine = [output.logits, *output.aux]
    theirs.load_state_dict(state)
    ours.load_state_dict(from_torchvision(state))
    for a, b in zip(mine, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


def test_saved_back_torchvision_loads_it_strictly(theirs, ours):
    fresh = torchvision.models.googlenet(weights=None, aux_logits=True, init_weights=False)
    fresh.load_state_dict(to_torchvision(ours.state_dict()), strict=True)
    for key, tensor in theirs.state_dict().items():
        assert torch.equal(tensor, fresh.state_dict()[key]), key


def test_without_auxiliaries():
    theirs = torchvision.models.googlenet(weights=None, aux_logits=False, init_weights=False)
    ours = googlenet.create_model("googlenet_torchvision", auxiliary=False)
    ours.load_state_dict(from_torchvision(theirs.state_dict()), strict=True)


def test_transform_input_is_theirs(theirs):
    x = torch.randn(2, 3, 64, 64)
    theirs.eval()
    ours = googlenet.create_model("googlenet_torchvision", transform_input=True).eval()
    ours.load_state_dict(from_torchvision(theirs.state_dict()))
    theirs.transform_input = True
    wanted = theirs(x)
    theirs.transform_input = False
    torch.testing.assert_close(ours(x), wanted, rtol=0, atol=1e-5)


def test_foreign_keys_are_refused(theirs):
    state = dict(theirs.state_dict())
    state["surprise"] = state.pop("fc.bias")
    with pytest.raises(googlenet.InputError, match=r"fc\.bias.*surprise"):
        from_torchvision(state)
    with pytest.raises(googlenet.InputError, match="of another shape"):
        to_torchvision(googlenet.create_model("googlenet_bn", 3).state_dict())


@pytest.mark.parametrize(
    "content",
    [{"fc.bias": torch.zeros(3), 7: torch.zeros(1)}, {"fc.bias": torch.tensor(1.0)}, {"fc.bias": [1.0, 2.0]}, [1, 2]],
)
def test_files_of_other_things_are_sentences(tmp_path, content):
    torch.save(content, tmp_path / "strange.pth")
    with pytest.raises(InputError, match="holds no state dict"):
        formats.read(tmp_path / "strange.pth")


def test_a_file_that_may_not_be_read_is_a_sentence(tmp_path, monkeypatch):
    path = tmp_path / "secret.pth"
    path.write_bytes(b"PK")

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refused)
    with pytest.raises(InputError, match=r"secret.pth could not be read: Permission denied"):
        formats.read(path)
