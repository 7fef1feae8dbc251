"""What the networks that others trained read: each one's numbers, written once."""

from __future__ import annotations

from ...data.images.preprocessing import ImagePreprocessing

_BY_255 = (1 / 255,) * 3  # Caffe's networks read pixels from 0 to 255

TORCHVISION = ImagePreprocessing()
# What BVLC subtracts; red, green, blue.
BVLC = ImagePreprocessing(3, 224, 256, (123 / 255, 117 / 255, 104 / 255), _BY_255)
# What the readme of Places205's VGG gives as the mean of the same data, as red, green, blue.
PLACES205 = ImagePreprocessing(3, 224, 256, (116.060394287 / 255, 113.741088867 / 255, 105.487823486 / 255), _BY_255)
# Its preprocess_for_eval takes the central 87.5 %, squashed to a square where we cut one, to (x - 0.5) * 2.
SLIM = ImagePreprocessing(3, 224, 256, (0.5,) * 3, (0.5,) * 3)
# Lucid's image_value_range is (-117, 255 - 117); TensorFlow's label_image subtracts 117 as well. Red, green, blue.
INCEPTION5H = ImagePreprocessing(3, 224, 256, (117 / 255,) * 3, _BY_255)
