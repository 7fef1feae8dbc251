"""How often what is said of strange data is said of ordinary data: the 48 sets of the UCR archive.

    python benchmarks/false_alarms.py

Glitches that are found in the training parts; signals of the test parts that a network of the training part would
refuse or doubt (no label is looked at); and shortcuts, where the network is taken to have the mean accuracy of
``ucr.json``.
"""

from __future__ import annotations

import json
import os
import warnings
from collections import Counter, defaultdict
from statistics import mean

os.environ["OMP_NUM_THREADS"] = "1"

from common import HERE, SHARED, save
from googlenet.apps.report.shortcuts import shortcuts
from googlenet.data.protocol import Dataset
from googlenet.data.signals.find import find_signals
from googlenet.errors import InputError
from googlenet.training.recipe import SIGNALS


def said_of(data: Dataset) -> dict[str, int]:
    """Glitches in the training part, and how many signals of the test part are refused and doubted."""
    found: Counter[str] = Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        preprocessing = data.train.fitted(SIGNALS)
    found["glitches"] = sum(int(preprocessing.glitches(signal).sum()) for signal in data.train.signals)
    for signal in data.test.signals:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                preprocessing.read(signal)
            except InputError:
                found["refused"] += 1
        found["doubted"] += len(said)
    return dict(found)


def main() -> None:
    accuracies = defaultdict(list)
    for row in json.loads((HERE / "ucr.json").read_text())["rows"]:
        accuracies[row["set"]].append(row["accuracy"])
    sets = {}
    for name, reached in sorted(accuracies.items()):
        data = find_signals(str(SHARED / "data" / "ucr" / name))
        named = [one.name for one in shortcuts(data.train, data.test, mean(reached))]
        sets[name] = {"train": len(data.train), "test": len(data.test), **said_of(data), "shortcuts": named}
        print(name, sets[name], flush=True)
    totals = {key: sum(row.get(key, 0) for row in sets.values()) for key in ("test", "glitches", "refused", "doubted")}
    totals["sets with shortcuts"] = [name for name, row in sets.items() if row["shortcuts"]]
    print(totals)
    save("false_alarms", {"sets": sets, "totals": totals})


if __name__ == "__main__":
    main()
