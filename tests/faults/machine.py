"""Faults of the machine: signals, clocks that jump, memory, limits and disks that are used up."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time

from lab import EPOCHS, PICTURES, SIGNALS

YEAR = 365 * 24 * 3600.0


# ------------------------------------------------------------------------------------------------- signals
def signals(lab, count=6):
    """Each of the signals that end a program, once and twice in a row, at random moments."""
    lab.undisturbed(SIGNALS)
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        number = getattr(signal, name)
        for turn in range(count):
            moment = lab.random.uniform(0.02, 1.0) * lab.duration[tuple(SIGNALS)]
            twice = turn % 2 == 1
            apart = lab.random.choice((0.0, 0.001, 0.01, 0.05))

            def during(running, number=number, moment=moment, twice=twice, apart=apart):
                if running.after(moment):
                    running.send(number)
                if twice:
                    time.sleep(apart)
                    running.send(number)
                return (number,) if number == signal.SIGHUP else ()  # nobody is there who could read a sentence

            more = f", and again {apart} s later" if twice else ""
            lab.training("signals", f"{name} {moment:.3f} s after its start{more}", during=during)


# -------------------------------------------------------------------------------------------------- clocks
def clock_jumps(lab):
    """Every clock that Python has jumps, at a random look at it."""
    for seconds, what in (
        (YEAR, "a year on"),
        (-YEAR, "a year back"),
        (3600.0, "an hour on"),
        (-3600.0, "an hour back"),
    ):
        for words in (SIGNALS, [*SIGNALS, "--max-seconds", "100000000"]):
            look = lab.random.randrange(2, 40)
            name = f"{what} at look {look}{', with --max-seconds' if words is not SIGNALS else ''}"
            lab.training("the clock jumps", name, words, prepare=lambda s=seconds, n=look: _jump(s, n))


def _jump(seconds, look):
    """Has this process's clocks jump when they are looked at for that time; waiting for others is left as it is."""
    looks = [0]
    names = ("time", "monotonic", "perf_counter")
    old = {name: getattr(time, name) for name in names}

    def jumping(name):
        def now():
            looks[0] += 1
            return old[name]() + (seconds if looks[0] >= look else 0.0)

        return now

    new = {name: jumping(name) for name in names}
    for module in [time, *(module for name, module in list(sys.modules.items()) if name.startswith("googlenet"))]:
        for name, value in list(vars(module).items()):
            for kind in names:
                if value is old[kind]:
                    setattr(module, name, new[kind])


# -------------------------------------------------------------------------------------------------- memory
def memory(lab):
    """What a process may hold ends a little above what it holds: from its start, and from a random moment on."""
    for words in (SIGNALS, PICTURES):
        for megabytes in (1, 2, 4, 8, 16, 24):
            lab.training(
                "memory is used up",
                f"{words[1]}: {megabytes} MB from its start",
                words,
                prepare=lambda size=megabytes: _hold_to(os.getpid(), size),
            )
        lab.undisturbed(words)
        for _ in range(4):
            moment = lab.random.uniform(0.05, 0.9) * lab.duration[tuple(words)]

            def during(running, moment=moment):
                if running.after(moment):
                    _hold_to(running.pid, 1)
                return (signal.SIGSEGV,)  # as the system ends who needs more stack, then

            lab.training("memory is used up", f"{words[1]}: at {moment:.3f} s", words, during=during)


def _hold_to(pid, megabytes):
    try:
        with open(f"/proc/{pid}/statm") as file:  # noqa: PTH123
            pages = int(file.read().split()[0])
        size = pages * resource.getpagesize() + megabytes * 2**20
        resource.prlimit(pid, resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))
    except (OSError, ValueError, IndexError):  # it ended just now
        return


def decoding_fails(lab, calls=(1, 2, 13, 24, 25, 40, 60)):
    """Memory is used up in a worker, as it decodes a picture."""
    for number in calls:

        def prepare(number=number):
            from PIL import ImageFile

            load, done = ImageFile.ImageFile.load, [0]

            def limited(self):
                done[0] += 1
                if done[0] == number:
                    raise MemoryError
                return load(self)

            ImageFile.ImageFile.load = limited

        lab.training("memory is used up in a worker", f"as picture {number} is decoded", PICTURES, prepare=prepare)


# -------------------------------------------------------------------------------------------------- limits
def limits(lab):
    """Low limits from the start on: of files that are open, and of how large they may be."""
    for kind, name, values in (
        (resource.RLIMIT_NOFILE, "open files", (3, 4, 5, 6, 8, 10)),
        (resource.RLIMIT_FSIZE, "bytes of a file", (1_500, 10_000, 60_000, 150_000)),
        (resource.RLIMIT_NPROC, "processes", (0,)),
        (resource.RLIMIT_STACK, "bytes of stack", (256 * 1024,)),
    ):
        for value in values:
            lab.training("low limits", f"{value} {name}", prepare=lambda k=kind, v=value: _limit(k, v))


def _limit(kind, value):
    resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))


# --------------------------------------------------------------------------------------------------- disks
def full_disks(lab, sizes=(4, 8, 16, 40, 80, 160, 240, 280, 320, 360, 400, 440)):
    """A disk of a few kilobytes, which somebody makes room on later; and one that becomes read-only."""
    trial = lab.room / "trial"
    trial.mkdir()
    if (why := _mount(trial, 64)) is not None:
        lab.skipped["the disk is full"] = why
        return
    _unmount(trial)
    for size in sizes:
        _on_a_disk(lab, "the disk is full", f"of {size} kB", size, None)
    for epoch in range(1, EPOCHS + 1):

        def during(running):
            if running.after_epoch(epoch):  # noqa: B023
                _remount(_disk_of(running), "ro")

        _on_a_disk(lab, "the disk becomes read-only", f"after epoch {epoch}", 65536, during)


def _on_a_disk(lab, kind, name, size, during):
    if not lab.wanted(kind, name):
        return
    box = lab.box()
    disk = box / "run"
    disk.mkdir()
    _mount(disk, size)
    try:
        lab.training(kind, name, during=during, after=lambda _: _remount(disk, "rw,size=64m"), box=box)
    finally:
        _unmount(disk)
        shutil.rmtree(box, ignore_errors=True)


def _disk_of(running):
    return running.out.parents[1] / "run"


def _mount(folder, kilobytes):
    """Makes a folder a disk of its own; why not, where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "faults", folder]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    return None if done.returncode == 0 else done.stderr.strip() or "not allowed"


def _remount(folder, options):
    for _ in range(100):  # a file that is being written forbids it
        command = ["mount", "-o", f"remount,{options}", folder]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.005)


def _unmount(folder):
    subprocess.run(["umount", "--lazy", folder], capture_output=True, check=False)
