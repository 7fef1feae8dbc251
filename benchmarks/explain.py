"""Explanations of the two networks of the package: do they close, can they be believed, what do they say?

    python benchmarks/explain.py                 # the figures, and the pictures of docs/explain.md
    python benchmarks/explain.py --examples 20   # of fewer examples

Contributions of branches over the held-out parts, accuracy lost without parts, rank correlation of maps with those of
networks whose weights are random from the top down (Adebayo et al. 2018), deletion and insertion (Petsiuk et al. 2018),
and by how much DeepLift misses the change of the logit that it is to explain.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from typing import Any

import numpy as np
import torch

from common import HERE, save, spread
from googlenet.apps.inside.explanations import Wanted, over_set
from googlenet.data.find import find_data
from googlenet.explain import Explainer, attributions, scales
from googlenet.explain.explainer import Prepared
from googlenet.explain.figures import saved
from googlenet.explain.logits import Logits, plain, view_of
from googlenet.explain.maps.attribution import METHODS
from googlenet.explain.maps.sanity import after_randomising, faithfulness
from googlenet.inference.pipeline import Pipeline

DOCS = HERE.parent / "docs"
NETWORKS = {"fashion_mnist": "fashion-mnist", "gunpoint": "gunpoint"}
WEIGHTS = {"fashion_mnist": "fashion_mnist", "gunpoint": "googlenet_1d.gunpoint"}
CHANGES = 0.2  # a map whose rank correlation stays above hardly depends on what was learned
BELIEVED, SCORED = 4, 12  # examples


def examples_of(explainer: Explainer, source: str, count: int) -> list[Prepared]:
    """Held-out examples, taken by chance."""
    part = find_data(source).held_out
    rows = sorted(np.random.default_rng(0).choice(len(part), min(count, len(part)), replace=False).tolist())
    return [explainer.prepared(each) for each in part.subset(rows).examples(explainer.pipeline.preprocessing)]


def contributions(explainer: Explainer, examples: list[Prepared], name: str) -> dict[str, Any]:
    """Whether they close, what they take, and what they say."""
    seconds, found = [], []
    for example in examples:
        started = time.perf_counter()
        found.append(explainer.explained_by_branch(example).found)
        seconds.append(time.perf_counter() - started)
    told = scales(found, explainer.classes)
    saved(DOCS / f"explain-scales-{name}.png", told.figure())
    return {
        "error, share of the difference": spread([each.error / abs(each.difference) for each in found]),
        "closed within 1 %": sum(each.closes for each in found) / len(found),
        "points": spread([float(each.points) for each in found]),
        "seconds": spread(seconds),
        "shares": told.to_dict(),
    }


def beliefs(explainer: Explainer, examples: list[Prepared]) -> dict[str, dict[str, Any]]:
    """By method: what is left of its maps when weights are random, and how soon hiding what it shows ends an answer."""
    inputs = np.concatenate([each.inputs for each in examples])
    labels = [int(each.probabilities.argmax()) for each in examples]
    found = {}
    for method in METHODS:

        def maps(pipeline: Pipeline, method: str = method) -> Any:
            return attributions(pipeline, inputs[:BELIEVED], labels[:BELIEVED], method)

        correlations = after_randomising(explainer.pipeline, maps)
        scores = [
            score(explainer, each, attributions(explainer.pipeline, each.inputs, [label], method)[0], label)
            for each, label in zip(examples, labels, strict=True)
        ]
        found[method] = {
            "correlation by lowest random layer": {key: round(value, 3) for key, value in correlations.items()},
            "changes": list(correlations.values())[-1] < CHANGES,
            "deletion": round(statistics.mean(each.deletion for each in scores), 3),
            "insertion": round(statistics.mean(each.insertion for each in scores), 3),
        }
    draws = np.random.default_rng(0)
    chance = [
        score(explainer, each, draws.random(each.inputs.shape[2:]).astype(np.float32), label)
        for each, label in zip(examples, labels, strict=True)
    ]
    found["an order by chance"] = {
        "deletion": round(statistics.mean(each.deletion for each in chance), 3),
        "insertion": round(statistics.mean(each.insertion for each in chance), 3),
    }
    return found


def score(explainer: Explainer, example: Prepared, order: Any, label: int) -> Any:
    """Deletion and insertion of a map of one example."""
    model = explainer.pipeline.networks[0]
    network = Logits(model)
    view = view_of(explainer.pipeline.preprocessing, example.inputs, model)
    return faithfulness(lambda x: network(x).softmax(1)[:, label], view, order)


def deeplift(explainer: Explainer, examples: list[Prepared]) -> dict[str, Any]:
    """What DeepLift's attributions sum to, and what they are to sum to: the change of the logit from the mean input."""
    from captum.attr import DeepLift

    model, rows = explainer.pipeline.networks[0], []
    with plain(explainer.pipeline), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for example in examples[:BELIEVED]:
            view = view_of(explainer.pipeline.preprocessing, example.inputs, model)
            label = int(example.probabilities.argmax())
            try:
                given = DeepLift(Logits(model)).attribute(view, torch.zeros_like(view), target=label)
            except Exception as error:
                return {"fails": str(error).splitlines()[0]}
            with torch.no_grad():
                change = Logits(model)(view)[0, label] - Logits(model)(torch.zeros_like(view))[0, label]
            rows.append({"sum": round(float(given.sum()), 3), "change of the logit": round(float(change), 3)})
    return {"examples": rows}


def pictures(explainer: Explainer, example: Prepared, name: str) -> None:
    """The figures of one example for docs/explain.md."""
    for method in ("cam", "integrated-gradients"):
        saved(DOCS / f"explain-{name}-{method}.png", explainer.explained(example, method).figure())
    saved(DOCS / f"explain-{name}-branches.png", explainer.explained_by_branch(example).figure())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=100, help="whose contributions are summed, of each network")
    asked = parser.parse_args()
    result: dict[str, Any] = {"examples": asked.examples, "believed": BELIEVED, "scored": SCORED, "networks": {}}
    for name, source in NETWORKS.items():
        explainer = Explainer(WEIGHTS[name])
        examples = examples_of(explainer, source, asked.examples)
        pictures(explainer, examples[0], name)
        lost = over_set(WEIGHTS[name], explainer, source, Wanted("ablation", most=5 * asked.examples))[0]
        saved(DOCS / f"explain-{name}-ablation.png", lost.figure())
        result["networks"][name] = {
            "contributions": contributions(explainer, examples, name),
            "ablation": lost.to_dict(),
            "methods": beliefs(explainer, examples[:SCORED]),
            "deeplift": deeplift(explainer, examples),
        }
    save("explain", result)


if __name__ == "__main__":
    main()
