"""Faults around a training: data that vanish and change, somebody who stops reading, others in the same folder."""

import os
import shutil
from functools import partial

from judge import halves, manners
from lab import EPOCHS, PICTURES, SIGNALS
from program import close_stream, cold


# ---------------------------------------------------------------------------------------------------- data
def _vanish(path):
    path.unlink()


def _truncate(path):
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def _empty(path):
    path.write_bytes(b"")


def _change(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(reversed(content[len(content) // 2 :]))
    path.write_bytes(content)


def _folder(path):
    path.unlink()
    path.mkdir()


def _pipe(path):
    path.unlink()
    os.mkfifo(path)


HARM = {
    "vanish": _vanish,
    "are cut in half": _truncate,
    "are emptied": _empty,
    "change": _change,
    "become folders": _folder,
    "become pipes": _pipe,
}


def data_change(lab):
    """Data are harmed at a random moment or after an epoch, and brought back before the training is gone on with."""

    def restore(box):
        shutil.rmtree(box / "data")
        shutil.copytree(lab.data, box / "data")

    for words, files in ((SIGNALS, ["signals.csv"]), (PICTURES, ["pictures/red/03.png", "pictures/blue/07.png"])):
        lab.undisturbed(words)
        for what, harm in HARM.items():
            for epoch in (0, 1, EPOCHS):
                moment = lab.random.uniform(0.0, 0.3) * lab.duration[tuple(words)]

                def during(running, epoch=epoch, moment=moment, harm=harm, files=files):
                    if running.after_epoch(epoch) if epoch else running.after(moment):
                        for name in files:
                            harm(running.out.parents[1] / "data" / name)

                when = f"after epoch {epoch}" if epoch else f"{moment:.3f} s after the start"
                name = f"{words[1]} {what} {when}"
                lab.training("data vanish and change", name, words, during=during, after=restore, honest=True)


# ------------------------------------------------------------------------------------------------- readers
def nobody_reads(lab):
    """Whoever reads what a training prints stops reading: before the first line, or after it."""
    for lines in (0, 1, 2):
        if not lab.wanted("nobody reads on", f"after {lines} lines"):
            continue
        read, write = os.pipe()
        if not lines:
            os.close(read)

        def during(running, lines=lines, read=read, write=write):
            os.close(write)
            if lines:
                with os.fdopen(read) as file:
                    for _ in range(lines):
                        file.readline()

        lab.training(
            "nobody reads on", f"after {lines} lines", during=during, box=lab.box(), stdout=write, finishes=True
        )
    for number, stream in ((1, "stdout"), (2, "stderr")):
        name = f"{stream} closed from the start"
        lab.training("nobody reads on", name, prepare=partial(close_stream, number, stream), finishes=True)
    name = "a process of its own, after 1 line"
    if lab.wanted("nobody reads on", name):
        lab.undisturbed(SIGNALS)
        box = lab.box()
        read, write = os.pipe()
        words = ["train", "data/signals.csv", "--epochs", "3", "--width", "0.04", "--members", "1", "--out", "run"]
        running = cold(words, box, stdout=write)
        os.close(write)
        with os.fdopen(read) as file:
            file.readline()
        ended = running.wait()
        problems = manners(ended) + halves(box / "run")
        if not (box / "run" / "report.html").exists():
            problems.append(f"did not go on: status {ended.code}, {ended.err.strip()[-300:]}")
        lab.record("nobody reads on", name, problems, 0, box)
