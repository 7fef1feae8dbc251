"""What is said of a command line that cannot be done: which option was meant, what is missing, what comes first; and of
one that was stopped: how to go on."""

from __future__ import annotations

import difflib
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.walk import is_elsewhere, where_instead
from ...errors import InputError

if TYPE_CHECKING:
    from ...training.runs.folder import Run

USAGE = 2  # exit status for a command line that cannot be read
STOPPED, TERMINATED = 130, 143  # exit status after Ctrl-C and after SIGTERM, as in a shell
# What other programs call options of this one; the first that a command has is suggested.
SYNONYMS = {
    "--lr": ("--learning-rate",),
    "--rate": ("--learning-rate",),
    "--batch": ("--batch-size",),
    "--bs": ("--batch-size",),
    "-b": ("--batch-size",),
    "-e": ("--epochs",),
    "-n": ("--epochs", "--top"),
    "--iterations": ("--epochs",),
    "--wd": ("--weight-decay",),
    "--model": ("--arch", "--weights"),
    "--pretrained": ("--weights",),
    "--checkpoint": ("--resume", "--weights"),
    "--continue": ("--resume",),
    "--random-state": ("--seed",),
    "--output": ("--out",),
    "--out": ("--output",),
    "-o": ("--output", "--out"),
    "--output-dir": ("--out",),
    "--name": ("--out",),
    "--save": ("--out", "--output"),
    "--label": ("--target",),
    "--labels": ("--target",),
    "--time": ("--max-seconds",),
    "--amp": ("--precision",),
    "--fp16": ("--precision",),
    "--augment": ("--crop",),
    "--topk": ("--top",),
    "--top-k": ("--top",),
    "-k": ("--top",),
    "--json": ("--format",),
    "--csv": ("--format",),
    "--backend": ("--engine",),
    "--quantize": ("--int8",),
    "--tta": ("--crops",),
}
_CORES = (
    "As many threads read and compute as there are cores to use; OMP_NUM_THREADS=2 before the command limits PyTorch's."
)
_DEVICE = "A GPU is used where PyTorch finds one, else the CPU; CUDA_VISIBLE_DEVICES= before the command hides GPUs."
_SPLIT = "A fifth is held out where DATA has no part for it; folders val/ and test/, or a column split, choose which."
# What the program does by itself where others have an option.
INSTEAD = {
    **dict.fromkeys(("--workers", "--num-workers", "--jobs", "--threads", "-j", "-w"), _CORES),
    **dict.fromkeys(("--device", "--gpu", "--gpus", "--cuda", "--cpu", "-d"), _DEVICE),
    **dict.fromkeys(("--val", "--val-split", "--validation-split", "--split", "--test-size"), _SPLIT),
    **dict.fromkeys(
        ("--size", "--image-size", "--img-size", "--imgsz", "--resize"),
        "Pictures are prepared for the network by themselves; --arch chooses the network.",
    ),
    **dict.fromkeys(("-v", "--verbose", "-q", "--quiet"), "How far it is stands on the terminal; 2>file keeps it."),
}


class Stopped(InputError):
    """A training that somebody ended; the sentence says how to go on."""


def sentence(error: Any) -> str:
    """What to say of an error of the parser's; nothing where it has shown the help.

    Args:
        error: An exception of typer's, asked for what it knows and not for its class, which moves between versions.
    """
    if not hasattr(error, "format_message"):
        return ""
    param, context, said = getattr(error, "param", None), getattr(error, "ctx", None), str(error.format_message())
    if found := re.search(r"'(\S+)' (requires an argument|does not take a value)", said):
        return f"{found[1]} {'needs a value' if found[2].startswith('requires') else 'takes no value'}."
    if context is None:
        return said.removeprefix("Invalid value: ")
    if hasattr(error, "possibilities") and error.option_name:
        return _no_option(error.option_name, context)
    if param is not None and type(error).__name__ == "MissingParameter":
        word, name = _word(param), context.info_name
        return f"{name} also needs {word}: {_usage(context)} ({name} --help says what that may be)."
    if param is not None and error.message:
        if wanted := re.match(r"Input should be (a valid integer|a valid number|greater|less)", error.message):
            return f"{_word(param)} takes {_number(wanted[1] == 'a valid integer', param)}."
        return f"{_word(param)}: {error.message.removeprefix('Value error, ').rstrip('.')}."
    if found := re.search(r"unexpected extra argument\S* \((.*)\)", said, re.DOTALL):
        return f"{found[1]!r} is too much: {_usage(context)}."
    return said.removeprefix("Invalid value: ")


def _number(whole: bool, param: Any) -> str:
    """What a parameter wants that takes a number."""
    least, most = (getattr(param, name, None) for name in ("min", "max"))
    bounds = "" if least is None else f" of {least:,} or more" if most is None else f" from {least:,} to {most:,}"
    return f"a {'whole ' if whole else ''}number{bounds}"


def _word(param: Any) -> str:
    """How a parameter is written: an option as it is typed, an argument in capitals."""
    return str(param.opts[0]) if param.opts[0].startswith("-") else str(param.metavar or param.name).upper()


def _usage(context: Any) -> str:
    """A command and its arguments, as they are typed."""
    path = context.command_path.removeprefix(context.find_root().info_name).split()
    arguments = [_word(param) for param in context.command.params if not param.opts[0].startswith("-")]
    return " ".join(["googlenet", *path, *arguments])


def _no_option(name: str, context: Any) -> str:
    """The sentence for an option that a command does not have."""
    known = [word for param in context.command.get_params(context) for word in (*param.opts, *param.secondary_opts)]
    if name in INSTEAD:
        return f"There is no option {name}. {INSTEAD[name]}"
    meant = [word for word in SYNONYMS.get(name, ()) if word in known]
    near = meant or difflib.get_close_matches(name, [word for word in known if word.startswith("--")], n=1)
    hint = f"Did you mean {near[0]}?" if near else "--help lists those that there are."
    return f"There is no option {name}. {hint}"


# What the libraries below say, each in its own way, when the machine gives no more.
_MEMORY = (
    r"can't allocate|cannot allocate|not enough memory|out of memory|bad_alloc|failed to map|unable to mmap|"
    r"allocate memory|memory exhausted|MemoryError|could not create a primitive"
)
_THREADS = r"can't start new thread|Resource temporarily unavailable|pthread_create|thread creation"
_FILES = r"Too many open files"


def exhausted(error: BaseException) -> str:
    """What to say of a machine, or a limit of a shell's, that gives no more; nothing for another error."""
    seen: BaseException | None = error
    while seen is not None:  # a library may have wrapped it
        said = f"{type(seen).__name__} {str(seen)[:10_000]}"
        if re.search(_FILES, said):
            return "Too many files would be open at once: ulimit -n 256 before the command allows more."
        if isinstance(seen, MemoryError) or re.search(_MEMORY, said, re.IGNORECASE):
            return (
                "The memory is not enough: end other programs, let less be done at once (--batch-size, --width), or "
                "have ulimit -v allow more."
            )
        if re.search(_THREADS, said):
            return (
                "No more threads can be started: OMP_NUM_THREADS=1 before the command wants fewer; ulimit -u and -v "
                "say what is allowed."
            )
        seen = seen.__cause__ or seen.__context__
    return ""


def check_local(words: Sequence[str]) -> None:
    """Raises InputError for an address: what is read and written are files of this machine."""
    for word in words:
        if is_elsewhere(word):
            raise InputError(f"{word} is {where_instead(word)}.")


@contextmanager
def explained(command: str, words: Sequence[str]) -> Iterator[None]:
    """Where something goes wrong within, asks whether runs and what they are used on were swapped.

    Args:
        command: Its name.
        words: Its arguments, in order.

    Raises:
        InputError: That the runs come first, if that was it; else what was raised.
    """
    try:
        yield
    except InputError as error:
        runs = [word for word in words if _is_run(Path(word))]
        others = [word for word in words if word not in runs]
        if runs and others and words[0] in others:
            raise InputError(
                f"{words[0]} is no run; runs come first: {shlex.join(['googlenet', command, *runs, *others[:3]])}"
            ) from error
        raise


def _is_run(path: Path) -> bool:
    """Whether it looks like what a training or an export wrote."""
    if path.suffix in (".safetensors", ".onnx", ".xml"):
        return path.is_file()
    return any((path / name).is_file() for name in ("model.safetensors", "run.json"))


def stopped(run: Run | None, named: bool) -> Stopped:
    """What to say to who stopped a training."""
    if run is None or not run.exists:
        return Stopped("Stopped before the training began.")
    words = _without_minutes([word for word in sys.argv[1:] if word != "--resume"])
    more = ["--resume", *([] if named else ["--out", str(run.path)])]
    place = words.index("--") if "--" in words else len(words)  # behind it nothing is an option
    again = shlex.join(["googlenet", *words[:place], *more, *words[place:]])
    if run.checkpoint.exists() or run.previous.exists():
        return Stopped(f"Stopped. What was learned up to the last checkpoint is saved; go on with: {again}")
    return Stopped(f"Stopped before the first checkpoint: nothing was learned. Begin again with: {again}")


def _without_minutes(words: list[str]) -> list[str]:
    """The words of a command but for ``--minutes N``, which a run has as its limit already."""
    end = words.index("--") if "--" in words else len(words)
    at = next((place for place, word in enumerate(words[:end]) if word.partition("=")[0] == "--minutes"), None)
    if at is None:
        return words
    return words[:at] + words[at + (1 if "=" in words[at] else 2) :]
