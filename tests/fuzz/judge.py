"""Whether a reader kept its word on one input: success or one sentence, in bounded time and memory, and nothing else.

``python tests/fuzz/judge.py FILE…`` judges files by their names and prints what is wrong with each.
"""

import os
import sys
import sysconfig
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "src"
SECONDS = 5  # of the processor's, that a small file may take
TIMES, SLACK = 30, 500 << 20  # of the size of the file, and so many bytes more: memory that reading it may take
LETTERS = 2000  # of a sentence
# Files of Python and its packages: what is imported as it is needed.
TRUSTED = tuple(
    {os.path.realpath(path) + os.sep for path in (sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib"))}
    | {os.path.realpath(path) + os.sep for path in sys.path if path.endswith("-packages")}
    | {str(SOURCE) + os.sep, str(HERE) + os.sep}
)
# Where a library may look beside its own files: what the system says of itself, of time zones and of numbers.
SYSTEM = ("/proc/", "/sys/", "/etc/", "/usr/", "/lib/", "/lib64/", "/dev/null", "/dev/urandom")
STARTS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.forkpty",
    "pty.spawn",
)
TALKS = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
CHANGES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.truncate", "os.symlink",
           "os.link", "os.utime", "shutil.rmtree", "shutil.move", "shutil.copyfile")  # fmt: skip
# Who makes functions out of text that no file has a say in.
MAKERS = ("dataclasses.py", "collections/__init__.py", "functools.py", "typing.py", "enum.py", "attr/_make.py")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Refused(Exception):
    """Stops what a reader must never do, so that no input does harm to who looks for such inputs."""


@dataclass(frozen=True)
class Finding:
    """What a reader did that it may not.

    Attributes:
        key: The same for what goes wrong at the same place.
        said: In a line.
        trace: Where.
    """

    key: str
    said: str
    trace: str = ""


class Watch:
    """Hears of everything that Python tells its auditors, and keeps what a reader may not do.

    A hook cannot be taken away again; it listens only while an input is read.
    """

    def __init__(self):
        self.armed = False
        self.heard = []
        self.folder = ""
        self.stays_inside = False  # whether other files than those beside the input may not be looked at

    def __call__(self, event, args):
        if not self.armed:
            return
        self.armed = False  # not of what is done here
        try:
            self.hear(event, args)
        finally:
            self.armed = True

    def hear(self, event, args):
        if event == "open":
            self.opened(*args)
        elif event in (*STARTS, *TALKS, *CHANGES, "exec") and self.importing():
            return  # what a package does as it is imported, no file has a say in
        elif event in STARTS or event in TALKS:
            self.keep(f"{event} {str(args[:2])[:200]}", refuse=True)
        elif event == "pickle.find_class":
            self.keep(f"{event} {args}", refuse=True)
        elif event in CHANGES:
            for path in args[:2]:
                if isinstance(path, (str, bytes, os.PathLike)) and not self.inside(path):
                    self.keep(f"{event} {os.fspath(path)!r}", refuse=True)
        elif event == "exec":
            self.executed(args[0])

    def opened(self, path, mode, flags):
        if not isinstance(path, (str, bytes, os.PathLike)) or self.inside(path):
            return
        real = os.path.realpath(os.fsdecode(path))
        if real.startswith(("/dev/null", "/dev/shm/", "/proc/self/")):
            return
        if (flags or 0) & WRITES or set(mode or "") & set("wax+"):
            if "__pycache__" not in real:
                self.keep(f"writes {real}", refuse=True)
        elif self.stays_inside and not real.startswith((*TRUSTED, *SYSTEM)) and Path(real).exists():
            self.keep(f"reads {real}")

    def executed(self, code):
        name = getattr(code, "co_filename", "")
        if name.startswith(("<frozen ", *TRUSTED)) or os.path.realpath(name).startswith(TRUSTED):
            return
        self.keep(f"runs {name}")

    def importing(self):
        """Whether a module is being imported, or a function made, by whom no file has a say in it."""
        frame = sys._getframe(3)
        while frame is not None:
            name = frame.f_code.co_filename
            if name.startswith("<frozen importlib") or name.endswith(MAKERS):
                return True
            frame = frame.f_back
        return False

    def inside(self, path):
        return os.path.realpath(os.fsdecode(path)).startswith(self.folder)

    def keep(self, said, refuse=False):
        self.heard.append((said, "".join(traceback.format_stack(sys._getframe(3), 12))))
        if refuse:
            raise Refused(said)


WATCH = Watch()


def peak(reset=False):
    """The most memory that this process had since the last ``reset``, bytes."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0


class Judge:
    """Lays inputs before the readers of a target, in a folder of its own.

    Args:
        target: A row of :mod:`fuzz.targets`.
        folder: Where the files lie; what is beside an input is made here once.
    """

    def __init__(self, target, folder):
        from googlenet.apps.cli.output.screen import shown
        from googlenet.errors import InputError
        from googlenet.nn.kernels.native import library

        for name in ("max_pool", "norm_relu"):  # built here, if at all, and not when an input is read
            library(name)
        if WATCH.folder == "":
            sys.addaudithook(WATCH)
        self.target, self.shown, self.error = target, shown, InputError
        self.folder = Path(folder).resolve()
        for name in ("home", "tmp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.environment = {"GOOGLENET_HOME": str(self.folder / "home"), "GOOGLENET_OFFLINE": "1"}
        self.places, self.said = {}, []
        for number, kind in enumerate(target.kinds):
            place = self.folder / f"{number}"
            place.mkdir(exist_ok=True)
            self.places[kind] = place / kind.name
            if kind.beside is not None:
                kind.beside(place)
        self.warm()
        self.known = set(sys.modules)

    def warm(self):
        """Reads a whole file of each kind, for what is imported when it is needed: that takes time and memory, too."""
        from fuzz.targets import corpus_of, kind_of

        for kind, path in {kind_of(path)[1]: path for path in corpus_of(self.target)}.items():
            self.places[kind].write_bytes(path.read_bytes())
            self.guarded(kind, self.places[kind])

    def __call__(self, kind, content):
        """What is wrong, or ``None``."""
        path = self.places[kind]
        path.write_bytes(content)
        WATCH.heard, WATCH.stays_inside, WATCH.folder = [], kind.stays_inside, str(self.folder) + os.sep
        before, started = peak(reset=True), time.process_time()
        found = self.guarded(kind, path)
        seconds, most = time.process_time() - started, peak()
        if WATCH.heard:
            said, trace = WATCH.heard[0]
            return Finding(f"does {said.split()[0]} {kind.name}", said, trace)
        if found is not None:
            return found
        if seconds > SECONDS:
            return Finding(f"slow {kind.name}", f"{seconds:.1f} s for {len(content):,} bytes")
        if most - before > TIMES * len(content) + SLACK:
            return Finding(f"memory {kind.name}", f"{(most - before) >> 20:,} MB for {len(content):,} bytes")
        return self.strangers()

    def guarded(self, kind, path):
        """:meth:`read` with temporary files and what is kept in the judge's own folder."""
        temporary = mock.patch.object(tempfile, "tempdir", str(self.folder / "tmp"))
        with mock.patch.dict(os.environ, self.environment), temporary:
            return self.read(kind, path)

    def read(self, kind, path):
        """Reads an input; what was said that is no sentence."""
        WATCH.armed = True
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                said = kind.read(path)
            WATCH.armed = False
            return self.sentences(kind, said or ())
        except self.error as error:
            WATCH.armed = False
            return self.sentences(kind, [str(error)])
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            WATCH.armed = False
            return Finding(_place(error), f"{type(error).__name__}: {str(error)[:300]}", _trace(error))
        finally:
            WATCH.armed = False

    def sentences(self, kind, said):
        """Sentences as a terminal shows them: one line, not without end, and nothing that steers it."""
        self.said = [text.replace(str(self.folder), "") for text in said]
        for text in said:
            line = self.shown(text)
            if not text.strip() or len(line) > LETTERS or text.count("\n") > 1 or not line.isprintable():
                return Finding(f"sentence {kind.name}", f"{len(line):,} letters: {line[:300]!r}")
        return None

    def strangers(self):
        """Modules that were imported from elsewhere than from Python's own folders."""
        if len(sys.modules) == len(self.known):
            return None
        new = set(sys.modules) - self.known
        self.known |= new
        for name in new:
            file = getattr(sys.modules.get(name), "__file__", None)
            if file and not os.path.realpath(file).startswith(TRUSTED):
                return Finding(f"imports {name}", f"imports {name} from {file}")
        return None


def _frames(error):
    while error.__context__ is not None and error.__traceback__ is None:
        error = error.__context__
    return traceback.extract_tb(error.__traceback__)


def _place(error):
    """What was raised and by which line of ours it came."""
    frames = [frame for frame in _frames(error) if str(SOURCE) in frame.filename] or _frames(error)
    last = frames[-1]
    return f"{type(error).__name__} {Path(last.filename).name}:{last.lineno}"


def _trace(error):
    return "".join(traceback.format_list(_frames(error)[-8:])) + f"{type(error).__name__}: {str(error)[:500]}"


def main(paths):
    from fuzz.targets import kind_of

    bad = 0
    for path in map(Path, paths):
        target, kind = kind_of(path)
        with tempfile.TemporaryDirectory() as folder:
            found = Judge(target, folder)(kind, path.read_bytes())
        bad += found is not None
        print(f"{path}: {'as it should be' if found is None else f'{found.key}: {found.said}'}")
        if found is not None:
            print(found.trace)
    return bool(bad)


if __name__ == "__main__":
    sys.path[0] = str(HERE.parent)
    sys.exit(main(sys.argv[1:]))
