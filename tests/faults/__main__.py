"""``python tests/faults``: injects faults into trainings, exports and predictions, and says which were survived.

A fault is survived when the program went on or ended with one sentence, never a traceback; when no file is half there;
when nothing of the user's was changed; and when ``--resume`` ends in the very weights of an undisturbed training, with
at most one epoch done again.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOM = "FAULTS_ROOM"  # the variable that names the folder where all of it happens


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=None, help="of the random moments; the last run's repeats it")
    parser.add_argument("--only", default="", help="a pattern in the names of the faults to inject")
    parser.add_argument("--every", type=int, default=1, help="of each kind, inject the first of so many")
    parser.add_argument("--few", action="store_true", help="a sample for a quick test")
    parser.add_argument("--save", action="store_true", help="write benchmarks/faults.json")
    wanted = parser.parse_args()
    room = os.environ.get(ROOM)
    if room is None:
        os.environ[ROOM] = room = tempfile.mkdtemp(prefix="googlenet-faults-")
        os.environ |= {"OMP_NUM_THREADS": "1", "COLUMNS": "200", "GOOGLENET_HOME": str(Path(room) / "home")}
    owner = os.getpid()
    try:
        sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "benchmarks")]
        from program import call_shim

        call_shim()
        return inject(wanted, Path(room))
    finally:
        if os.getpid() == owner:
            shutil.rmtree(room, ignore_errors=True)


def inject(wanted, room):
    """Injects them all; the exit status: 0 if all were survived."""
    from lab import Lab

    import common
    from conftest import short_variants
    from googlenet.training import loop

    # Every epoch of these trainings is far shorter than the seconds between two checkpoints; each is to be written.
    loop.CHECKPOINT_SECONDS = 0.0
    seed = random.SystemRandom().randrange(10**6) if wanted.seed is None else wanted.seed
    print(f"seed {seed}", flush=True)
    begun = time.monotonic()
    with short_variants():
        lab = Lab(room, random.Random(seed), wanted.only, wanted.every)
        for kind in few(lab) if wanted.few else every(lab):
            kind()
    total = lab.show()
    seconds = time.monotonic() - begun
    print(f"{seconds:.0f} s, seed {seed}")
    if wanted.save:
        kinds = lab.summary()
        common.save(
            "faults", {"seed": seed, "seconds": round(seconds)} | total | {"kinds": kinds} | {"not_tried": lab.skipped}
        )
    return int(total["injected"] != total["survived"])


def every(lab):
    import calls
    import machine
    import outputs
    import surroundings
    import together

    kinds = (
        *(calls.killed_at_each_call, calls.killed_at_random, calls.each_call_fails, calls.data_cannot_be_read),
        *(machine.full_disks, machine.signals, machine.clock_jumps, machine.memory, machine.decoding_fails),
        *(machine.limits, surroundings.data_change, surroundings.nobody_reads),
        *(together.one_folder, together.going_on_together, together.one_of_two_is_killed, together.restarted),
        outputs.outputs,
    )
    return [lambda kind=kind: kind(lab) for kind in kinds]


def few(lab):
    """A fault or two of the kinds that need no rights and little time."""
    import calls
    import machine

    return [lambda: calls.a_few(lab), lambda: machine.signals(lab, 1)]


if __name__ == "__main__":
    sys.exit(main())
