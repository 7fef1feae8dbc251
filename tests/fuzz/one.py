"""Fuzzes one target under atheris, in a process of its own: ``python one.py TARGET FOLDER -max_total_time=60``.

What a reader raises is kept, and the search goes on. What ends the process (a crash, a hang, memory beyond all bounds)
is libFuzzer's to keep; ``run.py`` starts another.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

import json
import random
import re
import tempfile
import time
import zlib

import atheris

from fuzz.judge import Judge, peak
from fuzz.mutate import changed
from fuzz.targets import TARGETS, from_input

MARKS = 1024  # sentences that are told from each other, about


class Fuzzer:
    """Counts, judges and keeps.

    Args:
        target: Of :mod:`fuzz.targets`.
        folder: Where findings and counts are written.
        judge: Of the target.
    """

    def __init__(self, target, folder, judge):
        self.target, self.folder, self.judge = target, folder, judge
        self.smallest = {}
        self.counts = {"executions": 0, "peak_mb": 0}
        self.marks = [atheris.instrument_func(_mark()) for _ in range(MARKS)]
        self.written = time.monotonic()

    def one_input(self, content):
        """What libFuzzer calls."""
        kind, inside = from_input(self.target, content)
        found = self.judge(kind, inside)
        self.mark(kind.name)
        for said in self.judge.said:
            self.mark(kind.name + re.sub("'.*'|\".*\"|[^a-z ]", "", said)[:100])
        self.counts["executions"] += 1
        if found is not None:
            self.keep(kind, inside, found)
        if time.monotonic() > self.written + 1:
            self.count()

    def mark(self, what):
        """Has libFuzzer take what a reader said for a place in the code that was reached.

        It would not see one where other languages read, and would keep one kind of file where all go the same way.
        """
        self.marks[zlib.crc32(what.encode(errors="replace")) % MARKS](True)

    def count(self):
        """Writes the counts, for who reads them when this process has ended, however it does."""
        self.written = time.monotonic()
        self.counts["peak_mb"] = max(self.counts["peak_mb"], peak() >> 20)
        (self.folder / "counts.json").write_text(json.dumps(self.counts))

    def keep(self, kind, content, found):
        """Writes a finding: of those at one place the smallest."""
        if len(content) >= self.smallest.get(found.key, 1 << 62):
            return
        self.smallest[found.key] = len(content)
        name = "".join(letter if letter.isalnum() else "-" for letter in found.key)[:80]
        (self.folder / f"{name}{kind.ending}").write_bytes(content)
        (self.folder / f"{name}{kind.ending}.txt").write_text(f"{found.key}\n{found.said}\n\n{found.trace}")

    def mutated(self, content, most, seed):
        """libFuzzer's custom mutator: the first byte says which kind of file the others are."""
        draws = random.Random(seed)
        kind, inside = from_input(self.target, content)

        def flat(part):
            return bytes(atheris.Mutate(bytes(part), min(most, len(part) + 64)))

        new = changed(kind, bytes(inside), draws, flat)
        return (bytes([self.target.kinds.index(kind)]) + new)[:most]


def _mark():
    def mark(here):
        if here:
            return 1
        return 0

    return mark


def main(name, folder, options):
    """Does not return: libFuzzer ends the process."""
    target = TARGETS[name]
    with atheris.instrument_imports(include=["googlenet", *target.packages], enable_loader_override=False):
        import googlenet.apps.cli.output.screen
        import googlenet.data.find
        import googlenet.inference.load
        import googlenet.training.runs.folder
        import googlenet.weights.identity  # noqa: F401

        work = tempfile.mkdtemp(dir=folder)
        fuzzer = Fuzzer(target, Path(folder), Judge(target, work))
        warm(fuzzer)
    atheris.Setup([sys.argv[0], *options], fuzzer.one_input, custom_mutator=fuzzer.mutated)
    fuzzer.count()
    atheris.Fuzz()


def warm(fuzzer):
    """Reads the corpus once, for what is imported when it is needed, and is to be followed as well."""
    from fuzz.targets import as_input, corpus_of

    for path in corpus_of(fuzzer.target):
        fuzzer.one_input(as_input(fuzzer.target, path))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
