"""Where trainings are disturbed: a folder for each fault, what an undisturbed training comes to, the books."""

import json
import re
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL

import numpy as np
import program
from judge import digests, halves, leftovers, lost, manners, same_weights
from PIL import Image
from program import Strike, start

EPOCHS = 3
OTHER_BITS = "other weights than those of an undisturbed training"
OTHER_KERNELS = "PyTorch's own runs, more slowly"
TRAIN = ["--epochs", str(EPOCHS), "--width", "0.1", "--members", "1", "--out", "run"]
SIGNALS = ["train", "data/signals.csv", "--arch", "short_1d", *TRAIN]
PICTURES = ["train", "data/pictures", "--arch", "short_2d", "--batch-size", "8", *TRAIN]


def draw_signals(path):
    """A table of 24 signals of two classes."""
    generator = np.random.default_rng(0)
    rows = ["label," + ",".join(f"t{moment}" for moment in range(64))]
    for row in range(24):
        signal = np.sin(np.arange(64) * (1 + row % 2) / 5) + generator.normal(0, 0.5, 64)
        rows.append("ab"[row % 2] + "," + ",".join(f"{value:.4f}" for value in signal))
    path.write_text("\n".join(rows) + "\n")


def draw_pictures(folder):
    """A folder of 24 pictures of two classes."""
    generator = np.random.default_rng(0)
    for name, colour in (("red", (200, 60, 60)), ("blue", (60, 60, 200))):
        (folder / name).mkdir(parents=True)
        for number in range(12):
            pixels = np.array(colour) + generator.integers(-40, 40, (24, 32, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{number:02}.png")


@dataclass
class Row:
    """A fault and what became of it."""

    kind: str
    name: str
    problems: list
    lost: int = 0


@dataclass
class Lab:
    """Where faults are injected, one after the other.

    Attributes:
        room: An empty folder.
        random: What draws moments.
        only: A pattern in the names of the faults to inject.
        every: Of each kind, inject the first of so many.
        rows: What became of each.
        skipped: Kinds that this machine does not let happen, and why.
    """

    room: Path
    random: object
    only: str = ""
    every: int = 1
    rows: list = field(default_factory=list)
    skipped: dict = field(default_factory=dict)
    seen: dict = field(default_factory=lambda: defaultdict(int))
    boxes: int = 0

    def __post_init__(self):
        self.data = self.room / "data"
        self.data.mkdir()
        draw_signals(self.data / "signals.csv")
        draw_pictures(self.data / "pictures")
        self.reference, self.duration, self.calls = {}, {}, {}

    def box(self):
        """A fresh folder with a copy of the data in it."""
        self.boxes += 1
        box = self.room / f"box{self.boxes}"
        shutil.copytree(self.data, box / "data")
        return box

    def undisturbed(self, words):
        """Runs a command once in peace, and again with the shim counting; what it left, how long it took, its calls on
        files."""
        key = tuple(words)
        if key not in self.reference:
            program.warm_up(words, self.box())
            box = self.box()
            begun = time.monotonic()
            ended = start(words, box, Strike(journal=".said/calls").arm).wait()
            self.duration[key] = time.monotonic() - begun
            assert ended.code == 0 and not manners(ended), ended
            assert words[0] != "train" or ended.epochs == list(range(1, EPOCHS + 1)), ended
            self.calls[key] = (box / ".said" / "calls").read_text().splitlines()
            self.reference[key] = box
        return self.reference[key]

    def record(self, kind, name, problems, lost=0, box=None):
        """Enters a fault into the books, and says what was not survived."""
        row = Row(kind, name, problems, lost)
        self.rows.append(row)
        if problems or lost > 1:
            print(f"NOT SURVIVED {kind}: {name}, {lost} epochs lost", *problems[:3], sep="\n    ", flush=True)
        if box is not None:
            shutil.rmtree(box, ignore_errors=True)

    def wanted(self, kind, name):
        """Whether a fault is to be injected; it is asked once for each."""
        if not re.search(self.only, f"{kind}: {name}"):
            return False
        self.seen[kind] += 1
        return self.seen[kind] % self.every == 1 % self.every

    def training(
        self,
        kind: str,
        name: str,
        words: list = SIGNALS,
        *,
        prepare: Callable | None = None,
        during: Callable | None = None,
        then: Callable | None = None,
        after: Callable | None = None,
        box: Path | None = None,
        finishes: bool = False,
        honest: bool = False,
        **options,
    ) -> None:
        """Disturbs a training, lets the user go on with it, and judges.

        Args:
            kind: Of the fault.
            name: Of the fault.
            words: Of the command line.
            prepare: Called in the process that trains, before it begins.
            during: Called with the process as it runs; gives the signals that it sent.
            then: As ``during``, for the same training as it is gone on with.
            after: Called with the folder when the process has ended: takes away what was in the way.
            box: The folder, of a fault that is known to be wanted; a fresh one by default.
            finishes: Whether the disturbed training must reach its end.
            honest: Whether it may have learned from what the data were for a while, if it says so afterwards.
            **options: For the process.
        """
        if box is None and not self.wanted(kind, name):
            return
        self.undisturbed(words)
        box = box or self.box()
        running = start(words, box, prepare, **options)
        sent = (during(running) if during else None) or ((SIGKILL,) if prepare else ())
        ended = running.wait()
        problems = manners(ended, sent) + halves(box / "run")
        if then is not None:
            running = start([*words, "--resume"], box, name="then")
            second = then(running) and running.wait()
            problems += manners(second, sent) + halves(box / "run")
            ended.out += second.out
        if finishes and not (box / "run" / "report.html").exists():
            problems.append(f"did not go on to its end: status {ended.code}")
        if after is not None:
            after(box)
        if honest and ended.code == 0 and self.says_that_data_differed(words, box):
            self.record(kind, name, problems, 0, box)
            return
        more, epochs = self.gone_on(words, box)
        if OTHER_KERNELS in ended.err:  # it said so: PyTorch's own round otherwise
            more = [problem for problem in more if problem != OTHER_BITS]
        gone = 0 if ended.code == 0 else lost(ended.epochs, epochs, EPOCHS)
        self.record(kind, name, problems + more, gone, box)

    def gone_on(self, words, box):
        """Goes on with a training as its user would; what is wrong with the end, and which epochs were done.

        Where nothing was begun yet, the program says so, and the training begins anew.
        """
        ended = start([*words, "--resume"], box, name="again").wait()
        if ended.code and "There is no run in run to go on with" in ended.err:
            ended = start(words, box, name="anew").wait()
        problems = manners(ended)
        if ended.code:
            problems.append(f"does not go on: {ended.err.strip()[-400:]}")
        problems += self.differences(words, box)
        return problems, ended.epochs

    def says_that_data_differed(self, words, box):
        """Whether a run says, of its own accord, that it learned from other data than there were in peace; if so, it is
        not gone on with from those."""
        ran, peace = (json.loads((run / "run" / "run.json").read_text()) for run in (box, self.undisturbed(words)))
        again = start([*words, "--resume"], box, name="again").wait()
        refused = again.code == 1 and "learned from other examples" in again.err and not manners(again)
        return refused and ran["fingerprint"] != peace["fingerprint"]

    def differences(self, words, box):
        """What a training that was gone on with left otherwise than one in peace."""
        problems = halves(box / "run") + leftovers(box / "run")
        if not (box / "run" / "model.safetensors").exists():
            return [*problems, "there is no model"]
        if not same_weights(box / "run" / "model.safetensors", self.undisturbed(words) / "run" / "model.safetensors"):
            problems.append(OTHER_BITS)
        if digests(box / "data") != digests(self.data):
            problems.append("the user's data were changed")
        missing = {path.name for path in (self.undisturbed(words) / "run").iterdir() if path.name[0] != "."}
        missing -= {path.name for path in (box / "run").glob("*")}
        return problems + [f"{name} is missing" for name in sorted(missing)]

    # ----------------------------------------------------------------- the books
    def summary(self):
        """By kind: how many were injected and survived, and what was lost at most."""
        found = {}
        for row in self.rows:
            line = found.setdefault(row.kind, {"injected": 0, "survived": 0, "most_lost": 0})
            line["injected"] += 1
            line["survived"] += not row.problems and row.lost <= 1
            line["most_lost"] = max(line["most_lost"], row.lost)
        return found

    def show(self, out=sys.stdout):
        found = self.summary()
        for kind, row in found.items():
            print(f"{kind:<44} {row['injected']:>4} injected {row['survived']:>4} survived", file=out)
        for kind, why in self.skipped.items():
            print(f"{kind:<44} not tried: {why}", file=out)
        total = {key: sum(row[key] for row in found.values()) for key in ("injected", "survived")}
        most = max((row["most_lost"] for row in found.values()), default=0)
        print(
            f"{total['injected']} faults injected, {total['survived']} survived; lost at most: {most} epoch", file=out
        )
        return {"injected": total["injected"], "survived": total["survived"], "most_epochs_lost": most}
