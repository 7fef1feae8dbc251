"""The files of a run folder, by name."""

WEIGHTS = "model.safetensors"  # the final weights, with classes and preprocessing in the metadata
CHECKPOINT = "checkpoint.safetensors"  # all that --resume needs
RUN = "run.json"  # data, recipe, preprocessing, versions
METRICS = "metrics.jsonl"  # a row an epoch
EVALUATION = "evaluation.json"  # the final weights on the held-out part
REPORT = "report.html"
EXAMPLES = "examples"  # a few held-out pictures of a built-in set, to predict on
