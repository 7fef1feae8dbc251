"""What a training on ImageNet would cost, reckoned from what was measured on two cores.

    python benchmarks/scale.py

Measured: pictures a second in training (``training.json``) and in loading (``input_pipeline.json``), on two cores each.
From the data set's description: 1,281,167 pictures of 138 GB. Reckoned: all else. Gradients go around in a ring: every
process sends and receives twice their size a step. Of GPUs nothing is measured; what they do is assumed, see
:data:`GPU`.
"""

import argparse
import json

from common import HERE, save
from googlenet.arch.cost import cost

PICTURES, BYTES, EPOCHS = 1_281_167, 138e9, 90
BATCH, GIGABIT = 32, 1e9 / 8  # of each machine; bytes a second between them
# An A100: 312 TFLOP/s in bf16 by its data sheet, of which a network of many small layers is assumed to reach 15 %; 16
# cores beside each, servers of 8, 100 Gbit/s between servers.
GPU = {
    "flops": 312e12,
    "share of them": 0.15,
    "cores": 16,
    "batch": 256,
    "a server": 8,
    "bytes a second": 100 * GIGABIT,
}


def of_machines(count, rate, gradients):
    """Machines of two such cores, joined by 1 Gbit/s."""
    step, exchanged = BATCH / rate, 2 * gradients * (count - 1) / count
    steps = PICTURES * EPOCHS / (BATCH * count)
    return {
        "days, exchange hidden": round(steps * max(step, exchanged / GIGABIT) / 86400, 1),  # the slower one counts
        "days, exchange not hidden": round(steps * (step + exchanged / GIGABIT) / 86400, 1),
        "MB of gradients sent a step": round(exchanged / 1e6, 1),
        "MB of pictures read a second and machine": round(rate * BYTES / PICTURES / 1e6, 2),
        "bottleneck": "computing" if step >= exchanged / GIGABIT else "network",
    }


def of_gpus(count, loading, macs, gradients):
    """GPUs as :data:`GPU` has them; what is slowest counts."""
    ways = {
        "computing": GPU["flops"] * GPU["share of them"] / (3 * 2 * macs),  # forward, and back to inputs and to weights
        "decoding": loading / 2 * GPU["cores"],
    }
    if count > GPU["a server"]:
        ways["network"] = GPU["batch"] * GPU["bytes a second"] / (2 * gradients)
    slowest = min(ways, key=ways.get)
    rate = ways[slowest]
    return {
        "hours": round(PICTURES * EPOCHS / (rate * count) / 3600, 2),
        "pictures a second and GPU, at most": {way: round(most) for way, most in ways.items()},
        "bottleneck": slowest,
        "MB of pictures read a second": round(rate * count * BYTES / PICTURES / 1e6),
        "cores a GPU that would decode as fast as it computes": round(ways["computing"] / (loading / 2)),
    }


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    measured = json.loads((HERE / "training.json").read_text())
    loaded = json.loads((HERE / "input_pipeline.json").read_text())
    rate = measured["images_per_second"]["ours bf16 channels_last"]["median"]
    loading = loaded["photos"]["loader_images_per_second"]["median"]
    found = cost("googlenet")
    gradients = 4 * found.params_with_aux
    result = {
        "measured": {
            "pictures a second, learned from": rate,
            "pictures a second, loaded": loading,
            "on": measured["machine"]["processor"],
            "cores": 2,
        },
        "reckoned, by machines with 1 Gbit/s between them": {
            str(count): of_machines(count, rate, gradients) for count in (1, 10)
        },
        "assumed of a GPU": GPU,
        "reckoned, by GPUs": {
            str(count): of_gpus(count, loading, found.macs_with_aux, gradients) for count in (1, 8, 64)
        },
    }
    print(json.dumps(result, indent=1))
    save("scale", result)


if __name__ == "__main__":
    main()
