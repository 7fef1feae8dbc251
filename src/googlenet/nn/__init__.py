"""Tensors: layers, blocks, the network, and rewrites that keep its function."""
