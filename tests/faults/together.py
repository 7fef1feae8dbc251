"""Several processes: two trainings that want one folder, and the processes of one training, one of which is killed."""

import os
import shutil
import signal
import socket
import sys
from pathlib import Path

from judge import halves, leftovers, lost, manners, same_weights
from lab import EPOCHS, SIGNALS
from program import cold, epochs_in, start

# The program, with a checkpoint an epoch.
EACH_EPOCH = """
from googlenet.__main__ import main
from googlenet.training import loop
loop.CHECKPOINT_SECONDS = 0.0
main()
"""
PAIR = [*SIGNALS, "--batch-size", "8"]


# -------------------------------------------------------------------------------------------- two trainings
def one_folder(lab, count=3):
    """A second training comes to the folder of a first: at once, or when an epoch is done, as a new one or to go on.

    One of them trains, the others say a sentence, and nothing of the first is changed.
    """
    lab.undisturbed(SIGNALS)
    again = [*SIGNALS, "--resume"]
    cases = [("both at once", 0, SIGNALS)] * count
    cases += [("after epoch 1", 1, SIGNALS), ("to go on, after epoch 1", 1, again), ("to go on, at once", 0, again)]
    for what, epoch, words in cases:
        if not lab.wanted("two trainings in one folder", what):
            continue
        box = lab.box()
        first = start(SIGNALS, box, name="first")
        if epoch:
            first.after_epoch(epoch)
        second = start(words, box, name="second")
        ended = [first.wait(), second.wait()]
        problems = [problem for each in ended for problem in manners(each)]
        trained = [each for each in ended if each.code == 0]
        if len(trained) != 1 and not (epoch == 0 and words is again):  # which may go on with what has ended by then
            problems.append(f"{len(trained)} of two trained: {[each.err[-200:] for each in ended]}")
        problems += lab.differences(SIGNALS, box)
        lab.record("two trainings in one folder", what, problems, 0, box)


def going_on_together(lab, count=2):
    """A training is killed, and two go on with it at once."""
    for turn in range(count):
        name = f"both go on, {turn + 1}"
        if not lab.wanted("two trainings in one folder", name):
            continue
        box = lab.box()
        killed = start(SIGNALS, box)
        killed.after_epoch(1 + turn)
        killed.send(signal.SIGKILL)
        killed = killed.wait()
        pair = [start([*SIGNALS, "--resume"], box, name=name) for name in ("first", "second")]
        ended = [each.wait() for each in pair]
        problems = [problem for each in ended for problem in manners(each)]
        if not any(each.code == 0 for each in ended):
            problems.append("neither went on")
        again = [epoch for each in ended for epoch in each.epochs]
        if len(again) != len(set(again)):
            problems.append("both trained")
        problems += lab.differences(SIGNALS, box)
        lab.record("two trainings in one folder", name, problems, lost(killed.epochs, again, EPOCHS), box)


# --------------------------------------------------------------------------------- processes of one training
def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def _pair(words, box, name):
    """Two processes as torchrun starts them."""
    world = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": _free_port()}
    return [start(words, box, env=world | {"RANK": r, "LOCAL_RANK": r}, name=f"{name}{r}") for r in "01"]


def one_of_two_is_killed(lab):
    """One of the two processes of a training is killed or told to end; the other does not wait for it, and both go on
    later. (For one that never came PyTorch waits by itself, until torchrun ends it.)"""
    kind, whole = "one of two processes is killed", None
    for rank, epoch, number in ((1, 1, 9), (0, 1, 9), (1, 2, 9), (0, 2, 15), (1, 1, 15)):
        name = f"process {rank} after epoch {epoch}, signal {number}"
        if not lab.wanted(kind, name):
            continue
        if whole is None:
            lab.undisturbed(SIGNALS)
            whole = lab.box()
            peace = [each.wait() for each in _pair(PAIR, whole, "peace")]
            assert [each.code for each in peace] == [0, 0], peace
        box = lab.box()
        pair = _pair(PAIR, box, "first")
        pair[0].after_epoch(epoch)
        pair[rank].send(number)
        ended = [each.wait() for each in pair]
        problems = manners(ended[rank], (number,)) if number == 9 else []
        problems += _spoken(ended, rank if number == 9 else None) + halves(box / "run")
        again = [each.wait() for each in _pair([*PAIR, "--resume"], box, "again")]
        if again[0].code and "There is no run in run to go on with" in again[0].err:
            again = [each.wait() for each in _pair(PAIR, box, "anew")]
        if [each.code for each in again] != [0, 0]:
            problems.append(f"does not go on: {[each.err[-300:] for each in again]}")
        problems += leftovers(box / "run")
        if not same_weights(box / "run" / "model.safetensors", whole / "run" / "model.safetensors"):
            problems.append("other weights than those of an undisturbed pair")
        lab.record(kind, name, problems, lost(ended[0].epochs, again[0].epochs, EPOCHS), box)


def _spoken(ended, killed):
    """What is wrong with what a pair says: the one that leads speaks, the other is silent, and neither shows more."""
    problems = []
    for rank, each in enumerate(ended):
        if rank == killed:
            continue
        found = manners(each)
        if rank == 1 and each.code and not each.err.strip():
            found = []
        problems += [f"process {rank}: {problem}" for problem in found]
    return problems


def restarted(lab):
    """torchrun starts both again when one was killed, with the same words; they go on from the checkpoint."""
    kind, name = "one of two processes is killed", "torchrun --max-restarts 1"
    torchrun = Path(sys.executable).with_name("torchrun")
    if not lab.wanted(kind, name):
        return
    if not torchrun.exists():
        lab.skipped[name] = "torchrun is not installed"
        return
    lab.undisturbed(SIGNALS)
    words = ["--epochs", "8", "--width", "0.1", "--members", "1", "--batch-size", "8", "--out", "run"]
    found = []
    for disturbed in (False, True):
        box = lab.box()
        (box / "program.py").write_text(EACH_EPOCH)
        program = [torchrun, "--nproc-per-node", "2", "--max-restarts", "1", "--master-port", _free_port()]
        running = cold(["program.py", "train", "data/signals.csv", *words], box, program=program)
        if disturbed and running.after_epoch(2):
            os.kill(_workers(running.pid)[1], signal.SIGKILL)
        found.append((box, running.wait()))
    (whole, peace), (box, ended) = found
    problems = [] if ended.code == 0 == peace.code else [f"status {ended.code}: {ended.err[-600:]}"]
    problems += [] if peace.code else _same(box, whole)
    epochs = epochs_in(ended.out)
    lab.record(kind, name, problems, 1 + len(epochs) - len(set(epochs)))
    shutil.rmtree(box), shutil.rmtree(whole)


def _same(box, whole):
    problems = halves(box / "run") + leftovers(box / "run")
    if not same_weights(box / "run" / "model.safetensors", whole / "run" / "model.safetensors"):
        problems.append("other weights than those of an undisturbed pair")
    return problems


def _workers(parent):
    """The processes that torchrun started, by rank."""
    ranks = {}
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                rows = (folder / "environ").read_bytes().split(b"\0")
                ranks |= {int(row[5:]): int(folder.name) for row in rows if row.startswith(b"RANK=")}
        except OSError:  # it has ended
            continue
    return ranks
