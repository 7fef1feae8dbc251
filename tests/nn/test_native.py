"""A native library is loaded as it was built, from where nobody else can write; else it is built, or PyTorch runs."""

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from conftest import DEADLINE
from googlenet import InputError, limits
from googlenet.nn.kernels import native

COMPILER = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
pytestmark = pytest.mark.skipif(COMPILER is None, reason="there is no C++ compiler here")
NOBODY = 65534
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs another user"
)
# What a foreign library does as it is loaded: it leaves a file.
FOREIGN = '__attribute__((constructor)) static void ran() { FILE *f = fopen("MARK", "w"); if (f) fclose(f); }'
# Which library is loaded, and what is said.
LOAD = """
from googlenet.nn.kernels import native
native.FLAGS = [flag.replace("-O3", "-O0") for flag in native.FLAGS]
library = native.library("max_pool")
print(library is not None and library.max_pool_forward_fp32 is not None)
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """A build in half a second, in a home of its own."""
    monkeypatch.setenv("GOOGLENET_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(native, "FLAGS", [flag.replace("-O3", "-O0") for flag in native.FLAGS])


@pytest.fixture
def builds(monkeypatch):
    """The commands that the compiler is called with to build."""
    seen, run = [], native._run
    monkeypatch.setattr(native, "_run", lambda words: seen.append(words) or run(words))
    return lambda: [words for words in seen if "-o" in words]


def load():
    return native.library.__wrapped__("max_pool")


def kept(home):
    (found,) = (home / "kernels").glob("max_pool-*.so")
    return found


def foreign(folder, mark):
    """A library that leaves ``mark`` when somebody loads it."""
    source, built = folder / "foreign.cpp", folder / "foreign.so"
    source.write_text("#include <cstdio>\n" + FOREIGN.replace("MARK", str(mark)))
    subprocess.run([COMPILER, "-shared", "-fPIC", source, "-o", built], check=True, timeout=DEADLINE)
    return built


def test_what_was_built_is_loaded_again(tmp_path, builds):
    assert load() is not None and load() is not None
    assert len(builds()) == 1
    folder = tmp_path / "home" / "kernels"
    assert folder.stat().st_mode & 0o777 == 0o700 and [path.suffix for path in folder.iterdir()] == [".so"]


def test_cxx_may_be_a_command(monkeypatch, builds):
    monkeypatch.setenv("CXX", f"env {COMPILER}")
    assert load() is not None
    assert builds()[0][:2] == ["env", COMPILER]


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_library_that_was_cut_short_is_built_again(tmp_path, builds, share):
    """Loading one ended the process with SIGBUS."""
    load()
    built = kept(tmp_path / "home")
    whole = built.read_bytes()
    built.write_bytes(whole[: int(len(whole) * share)])
    assert load() is not None and len(builds()) == 2
    assert load() is not None and len(builds()) == 2
    assert kept(tmp_path / "home").stat().st_size == len(whole)


def test_every_changed_bit_is_noticed(tmp_path, builds):
    load()
    built = kept(tmp_path / "home")
    content = bytearray(built.read_bytes())
    content[len(content) // 2] ^= 1
    built.write_bytes(content)
    assert load() is not None and len(builds()) == 2


def test_a_foreign_library_does_not_run(tmp_path, builds):
    load()
    built = kept(tmp_path / "home")
    shutil.copy(foreign(tmp_path, tmp_path / "ran"), built)
    assert load() is not None and len(builds()) == 2
    assert not (tmp_path / "ran").exists()
    ctypes.CDLL(str(tmp_path / "foreign.so"))
    assert (tmp_path / "ran").exists()  # it would have


def test_a_link_is_not_followed(tmp_path, builds):
    load()
    built = kept(tmp_path / "home")
    built.rename(tmp_path / "elsewhere.so")
    built.symlink_to(tmp_path / "elsewhere.so")
    assert load() is not None and len(builds()) == 2
    assert not kept(tmp_path / "home").is_symlink()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_not_waited_for(tmp_path, builds):
    load()
    built = kept(tmp_path / "home")
    built.unlink()
    os.mkfifo(built)
    assert load() is not None and len(builds()) == 2


def group_may_write(home):
    home.mkdir()
    home.chmod(0o775)


def kernels_may_be_written(home):
    (home / "kernels").mkdir(parents=True)
    (home / "kernels").chmod(0o777)


def kernels_are_a_link(home):
    home.mkdir()
    (home.parent / "elsewhere").mkdir(mode=0o700)
    (home / "kernels").symlink_to(home.parent / "elsewhere")


def kernels_are_a_file(home):
    home.mkdir()
    (home / "kernels").write_text("")


def above_may_be_written(home):
    (home.parent / "open").mkdir()
    (home.parent / "open").chmod(0o777)
    (home.parent / "open" / "home").mkdir()
    home.symlink_to(home.parent / "open" / "home")


def a_circle(home):
    home.symlink_to(home)


@pytest.mark.parametrize(
    "lay",
    [
        group_may_write,
        kernels_may_be_written,
        kernels_are_a_link,
        kernels_are_a_file,
        above_may_be_written,
        a_circle,
    ],
)
def test_where_others_may_write_nothing_is_kept_and_it_runs_all_the_same(tmp_path, monkeypatch, lay):
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(native.tempfile, "tempdir", str(temporary))
    lay(home)
    with pytest.warns(RuntimeWarning, match="compiled at every start: .*GOOGLENET_HOME"):
        assert load() is not None
    assert list(temporary.iterdir()) == [] and list(tmp_path.rglob("*.so")) == []


def test_nothing_is_kept_among_everybodys_temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr(native.tempfile, "tempdir", str(tmp_path))
    with pytest.warns(RuntimeWarning, match="everybody's temporary files"):
        assert load() is not None
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_cannot_be_is_named(monkeypatch):
    monkeypatch.setenv("GOOGLENET_HOME", "~nobody-of-this-name/x")
    with pytest.raises(InputError, match="GOOGLENET_HOME"):
        load()


MEET = """
import pathlib, sys, time
run = native._run
def meet(words):
    if "-o" in words:
        begun = pathlib.Path(sys.argv[1])
        begun.touch()
        while len(list(begun.parent.glob("begun*"))) < 2:
            time.sleep(0.01)
    return run(words)
native._run = meet
"""


def test_two_build_at_once(tmp_path):
    """Each waits for the other to have begun: both find nothing, build, and put their file in the same place."""
    code = LOAD.replace("library =", MEET + "library =", 1)
    both = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path / f"begun{n}"], stdout=subprocess.PIPE, text=True)
        for n in range(2)
    ]
    assert [process.communicate(timeout=DEADLINE)[0] for process in both] == ["True\n"] * 2
    assert [path.name for path in (tmp_path / "home" / "kernels").iterdir()] == [kept(tmp_path / "home").name]


# ------------------------------------------------------------------------------------------------- the compiler
@pytest.mark.parametrize(
    ("cxx", "said"),
    [
        ("'", "no command"),
        (" ", "no command"),
        ("no-such-compiler -x", "No such file"),
        ("/", "Permission denied"),
        ("false", "exit status 1"),
        ("sh -c 'echo broken >&2; exit 3'", "broken"),
        ("true", "fresh.so"),  # which writes nothing
    ],
)
def test_a_compiler_that_is_none_is_a_warning(monkeypatch, cxx, said):
    monkeypatch.setenv("CXX", cxx)
    with pytest.warns(RuntimeWarning, match=f"max_pool could not be built .*{said}.*PyTorch's own runs"):
        assert load() is None


def alive(group):
    """The processes of a group that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, of = path.read_text().rpartition(")")[2].split()[:3]
            found += [path.parent.name] if int(of) == group and state not in "ZX" else []
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_compiler_that_hangs_is_left(monkeypatch, tmp_path):
    monkeypatch.setattr(limits, "COMPILING", 0.5)
    monkeypatch.setenv("CXX", f"sh -c 'echo $$ > {tmp_path}/number; sleep 600; true'")
    with pytest.warns(RuntimeWarning, match="sh was not done in 0.5 s"):
        assert load() is None
    group, last = int((tmp_path / "number").read_text()), time.monotonic() + DEADLINE
    while alive(group):  # nor does what it started go on, once its end has come to it
        assert time.monotonic() < last
        time.sleep(0.01)


def test_switched_off_nothing_is_asked(monkeypatch):
    monkeypatch.setenv("GOOGLENET_KERNELS", "off")
    monkeypatch.setenv("CXX", "'")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load() is None


# --------------------------------------------------------------------------------------------- as another user
def as_nobody(home, folder, **env):
    """What a user without rights loads."""
    words = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", sys.executable, "-c", LOAD]
    return subprocess.run(
        words,
        env={**os.environ, "GOOGLENET_HOME": str(home), "TMPDIR": str(folder), "HOME": "/nonexistent", **env},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


@pytest.fixture
def everybodys():
    """A folder as /tmp is, which others can reach."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="googlenet-test-") as name:
        Path(name).chmod(0o1777)
        yield Path(name)


@as_root
def test_another_user_loads_nothing_of_ours(everybodys, tmp_path):
    home = everybodys / "deep" / "home"
    home.mkdir(parents=True)
    os.chown(home.parent, NOBODY, NOBODY)
    os.chown(home, NOBODY, NOBODY)
    done = as_nobody(home, everybodys)
    assert done.stdout == "True\n" and "compiled" not in done.stderr, done.stderr
    built = kept(home)
    mark = everybodys / "ran"
    digest = native.hashlib.sha256(foreign(tmp_path, mark).read_bytes()).hexdigest()
    planted = built.with_name(f"{built.stem.rpartition('-')[0]}-{digest}.so")
    shutil.copy(tmp_path / "foreign.so", planted)  # whose name has its hash, but which is root's
    done = as_nobody(home, everybodys)
    assert done.stdout == "True\n" and not mark.exists(), done.stderr
    os.chown(home / "kernels", 0, 0)
    (home / "kernels").chmod(0o777)
    done = as_nobody(home, everybodys)
    assert done.stdout == "True\n" and "others may write into" in done.stderr and not mark.exists()


@as_root
def test_a_user_without_a_home_keeps_nothing(everybodys):
    done = as_nobody(everybodys / "home", everybodys)
    assert done.stdout == "True\n" and "everybody's temporary files" in done.stderr, done.stderr
    assert list(everybodys.iterdir()) == []
    env = {key: value for key, value in os.environ.items() if key not in ("HOME", "GOOGLENET_HOME")}
    words = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", sys.executable, "-c", LOAD]
    done = subprocess.run(
        words, env={**env, "TMPDIR": str(everybodys)}, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.stdout == "True\n" and "compiled at every start" in done.stderr, done.stderr
    assert list(everybodys.rglob("*.so")) == []
