"""Faults of a training's own files: killed at each call that touches them, and each call failing."""

import errno
from signal import SIGKILL

from lab import PICTURES, SIGNALS
from program import FAIL_ON, FAIL_ONCE, KILL, KILL_HALFWAY, READS, Strike

# What a system says of a call that fails, by what the call does.
ERRORS = {
    "open": ("ENOSPC", "EMFILE", "EROFS", "EDQUOT", "EIO", "ENFILE", "EACCES"),
    "write": ("ENOSPC", "EIO", "EDQUOT", "EFBIG"),
    "fsync": ("EIO", "ENOSPC", "EDQUOT"),
    "rename": ("EIO", "ENOSPC", "EROFS", "EDQUOT"),
    "mkdir": ("ENOSPC", "EROFS", "EDQUOT", "EMLINK"),
    "unlink": ("EIO", "EROFS"),
    "rmdir": ("EIO", "EROFS"),
}


def plain(call):
    """``write /checkpoint.safetensors`` of a call on a temporary file."""
    what, _, path = call.partition(" ")
    name = path.rpartition("/")[2]
    parts = name.split(".")
    return f"{what} {'.'.join(parts[1:-2]) + ' (temporary)' if name.endswith('.googlenet') else name or 'the folder'}"


def calls_of(lab, words):
    """The number and the kind of every call, from 1."""
    lab.undisturbed(words)
    return list(enumerate(map(plain, lab.calls[tuple(words)]), start=1))


def killed_at_each_call(lab):
    """Before each call, and after half of each write: of pictures at a few, for it is the reading that differs."""
    for words, step in ((SIGNALS, 1), (PICTURES, 7)):
        for number, call in calls_of(lab, words)[::step]:
            name = f"before call {number}, {call}"
            lab.training("killed at a call on a file", name, words, prepare=Strike(KILL, number).arm)
            if call.startswith("write"):
                name = f"after half of call {number}, {call}"
                lab.training("killed at a call on a file", name, words, prepare=Strike(KILL_HALFWAY, number).arm)


def each_call_fails(lab):
    """Once, or from then on, with what a system may say of such a call in turn; each write also on a full disk."""
    for turn, (number, call) in enumerate(calls_of(lab, SIGNALS)):
        errors = ERRORS.get(call.split()[0], ("EIO",))
        code = errors[turn % len(errors)]
        strike = Strike((FAIL_ONCE, FAIL_ON)[turn % 2], number, getattr(errno, code))
        more = " and all after it" if strike.how == FAIL_ON else ""
        lab.training("a call on a file fails", f"{code} of call {number}, {call}{more}", prepare=strike.arm)
        if call.startswith("write") and code != "ENOSPC":
            strike = Strike(FAIL_ON, number, errno.ENOSPC)
            lab.training("a call on a file fails", f"ENOSPC from call {number} on, {call}", prepare=strike.arm)


def data_cannot_be_read(lab):
    """Each of a few calls that read the data fails."""
    for words, numbers in ((SIGNALS, (1, 2, 3, 4)), (PICTURES, (1, 5, 20, 30, 60, 90))):
        for number in numbers:
            for code in ("EIO", "EMFILE", "ESTALE"):
                strike = Strike(FAIL_ON, number, getattr(errno, code), "data", READS)
                lab.training(
                    "data cannot be read", f"{words[1]}: {code} from call {number} on", words, prepare=strike.arm
                )


def killed_at_random(lab, count=30):
    """At moments drawn over the length of a training; every other one again as it is gone on with."""
    lab.undisturbed(SIGNALS)

    def killer(moment):
        def during(running):
            if running.after(moment):
                running.send(SIGKILL)
            return (SIGKILL,)

        return during

    for number in range(1, count + 1):
        first, second = (lab.random.uniform(0, 1.05) * lab.duration[tuple(SIGNALS)] for _ in range(2))
        name = f"{number}, {first:.3f} s after its start"
        if number % 2:
            lab.training("killed at a random moment", name, during=killer(first))
        else:
            name += f" and {second / 2:.3f} s after it was gone on with"
            lab.training("killed at a random moment", name, during=killer(first), then=killer(second / 2))


def a_few(lab, numbers=(16, 21, 42)):
    """One fault of each of the ways above, for a test that is quick."""
    calls = dict(calls_of(lab, SIGNALS))
    hows = (Strike(KILL, numbers[0]), Strike(KILL_HALFWAY, numbers[1]), Strike(FAIL_ON, numbers[2], errno.ENOSPC))
    for strike in hows:
        lab.training("a call on a file", f"{strike.at}, {calls[strike.at]}", prepare=strike.arm)
