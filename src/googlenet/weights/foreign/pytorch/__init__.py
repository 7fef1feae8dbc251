"""State dicts of PyTorch's."""
