"""Neighbours, against scikit-learn's, and features, against hooks."""

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors

from explain.networks import inputs_of, pipeline_of
from googlenet.explain.logits import view_of
from googlenet.explain.neighbours import features, nearest


def test_they_are_scikit_learns():
    draws = np.random.default_rng(0)
    known, asked = (draws.normal(size=(count, 9)).astype(np.float32) for count in (50, 4))
    judge = NearestNeighbors(n_neighbors=5, metric="cosine").fit(known)
    distances, rows = judge.kneighbors(asked)
    found = nearest(asked, iter(np.split(known, [7, 30])), 5)
    assert [[each.row for each in group] for group in found] == rows.tolist()
    np.testing.assert_allclose([[1 - each.similarity for each in group] for group in found], distances, atol=1e-6)


def test_equal_ones_come_in_order_and_few_are_all():
    known = np.ones((3, 2), np.float32)
    assert [each.row for each in nearest(known[:1], [known], 5)[0]] == [0, 1, 2]


def test_features_are_what_the_classifier_reads():
    for name, members in (("googlenet_small", 1), ("googlenet_1d", 2)):
        pipeline = pipeline_of(name, 0.125, members)
        inputs, model = inputs_of(pipeline), pipeline.networks[0]
        read = []
        handle = model.classifier.register_forward_hook(lambda module, given, output, read=read: read.append(given[0]))
        with torch.no_grad():
            model(view_of(pipeline.preprocessing, inputs, model))
        handle.remove()
        np.testing.assert_allclose(features(pipeline, inputs), read[0].numpy(), rtol=1e-5, atol=1e-6)
