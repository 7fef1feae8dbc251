"""ONNX graphs as files of weights."""
