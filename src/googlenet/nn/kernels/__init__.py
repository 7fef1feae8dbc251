"""Native CPU operators, each beside the PyTorch reference that it is tested equal to."""
