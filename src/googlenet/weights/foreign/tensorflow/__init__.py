"""TensorFlow's checkpoints: TF-slim's inception_v1, read without TensorFlow."""
