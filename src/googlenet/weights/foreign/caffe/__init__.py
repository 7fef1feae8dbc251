"""Caffe's files: BVLC's GoogLeNet, ImageNet's and Places205's."""
