"""What the page computes, as graphs of ONNX: an answer with all on the way, and what branches contribute."""
