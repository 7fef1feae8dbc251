"""What a training on ImageNet would cost on machines like the one that was measured: reckoned from the result files.

    python benchmarks/scale.py

Measured: pictures a second in training, of ``training.json``. From the data set's description: 1,281,167 pictures of
138 GB. Reckoned: all else. Gradients go around in a ring: every process sends and receives twice their size a step.
"""

import argparse
import json

from common import HERE, save
from googlenet.arch.cost import cost

PICTURES, BYTES, EPOCHS = 1_281_167, 138e9, 90
BATCH = 32  # of each machine
GIGABIT = 1e9 / 8


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    measured = json.loads((HERE / "training.json").read_text())
    rate = measured["images_per_second"]["ours bf16 channels_last"]["median"]
    gradients = 4 * cost("googlenet").params_with_aux
    rows = {}
    for machines in (1, 10):
        step = BATCH / rate
        exchanged = 2 * gradients * (machines - 1) / machines
        at_most = max(step, exchanged / GIGABIT)  # they overlap: the slower one counts
        whole = step + exchanged / GIGABIT
        steps = PICTURES * EPOCHS / (BATCH * machines)
        rows[str(machines)] = {
            "days, exchange hidden": round(steps * at_most / 86400, 1),
            "days, exchange not hidden": round(steps * whole / 86400, 1),
            "MB of gradients sent a step": round(exchanged / 1e6, 1),
            "MB of pictures read a second and machine": round(rate * BYTES / PICTURES / 1e6, 2),
            "bottleneck": "computing" if step >= exchanged / GIGABIT else "network",
        }
    result = {
        "measured": {"pictures a second": rate, "on": measured["machine"]["processor"], "cores": 2},
        "reckoned, by machines with 1 Gbit/s between them": rows,
    }
    print(json.dumps(result, indent=1))
    save("scale", result)


if __name__ == "__main__":
    main()
