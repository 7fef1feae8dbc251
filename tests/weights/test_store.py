"""Fetching weights from a server that misbehaves in every way that servers do."""

import dataclasses
import errno
import gzip
import hashlib
import io
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from filelock import FileLock

from conftest import DEADLINE, run_cli, run_here
from googlenet import InputError, create_model, limits
from googlenet.arch.variants import VARIANTS
from googlenet.weights import create, store
from googlenet.weights.catalogue import CATALOGUE, Record
from googlenet.weights.checkpoint import network_of, weights_of
from googlenet.weights.foreign.pytorch import torchvision

CONTENT = bytes(range(256)) * 8192  # 2 MiB


class Server:
    """Serves one file; ``script`` says what to do with each request: ``"whole"`` when it is used up. A request of
    ``"late"`` is answered when ``gate`` is set."""

    def __init__(self, content=CONTENT):
        self.content, self.script, self.requests = content, [], []
        self.asked, self.gate = threading.Event(), threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append(self.headers.get("Range"))
                outer.asked.set()
                outer.answer(self, outer.script.pop(0) if outer.script else "whole")

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def answer(self, handler, how):
        if isinstance(how, int):
            handler.send_error(how)
            return
        if how == "late":
            assert self.gate.wait(DEADLINE)
        if how == "endless":
            self.endless(handler)
            return
        if how.startswith("to "):
            handler.send_response(302)
            handler.send_header("Location", how.removeprefix("to "))
            handler.end_headers()
            return
        start = 0
        given = handler.headers.get("Range")
        if given and how != "no ranges":
            start = int(given.removeprefix("bytes=").removesuffix("-"))
            if start >= len(self.content):
                handler.send_error(416)
                return
        body = b"wrong" * 1000 if how == "wrong" else self.content[start:]
        length = len(body) + (1000 if how == "promises more" else 0)
        length -= 1000 if how == "promises less" else 0
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(length))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 3] if how == "cut" else body)

    def endless(self, handler):
        """Until nobody listens, and the length is not said."""
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(bytes(1 << 16))
        except OSError:
            self.asked.set()


@pytest.fixture(scope="module")
def running():
    made = Server()
    yield made
    made.close()


@pytest.fixture
def server(running):
    running.content, running.script, running.requests = CONTENT, [], []
    running.asked.clear()
    running.gate.clear()
    return running


@pytest.fixture
def nobody():
    """The address of a port at which nobody listens, and which nobody else can have meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in ("GOOGLENET_MIRROR", "GOOGLENET_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GOOGLENET_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(store, "PAUSE", 0.0)
    return tmp_path / "home"


def record(server, content=CONTENT, **changes):
    digest = f"sha256:{hashlib.sha256(content).hexdigest()[:8]}"
    plain = Record("googlenet.test", f"{server.url}/file.bin", "file.bin", digest, "none", "nothing", "nowhere")
    return dataclasses.replace(plain, **changes)


def test_fetched_once_and_whole(server):
    seen = []
    path = store.fetch(record(server), lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert store.fetch(record(server)) == path
    assert len(server.requests) == 1
    assert "as sha256" in store.verify(record(server))
    assert [file.name for file in path.parent.iterdir() if not file.name.startswith(".")] == ["file.bin"]


def test_a_cut_connection_goes_on_where_it_stopped(server, monkeypatch):
    pauses = []
    monkeypatch.setattr(store, "PAUSE", 1.0)
    monkeypatch.setattr(store.time, "sleep", pauses.append)
    server.script = ["cut", 503, "cut"]
    assert store.fetch(record(server)).read_bytes() == CONTENT
    assert pauses == [1, 2, 4]
    first = len(CONTENT) // 3
    second = first + (len(CONTENT) - first) // 3
    assert server.requests == [None, f"bytes={first}-", f"bytes={first}-", f"bytes={second}-"]


def test_another_process_goes_on_too(server):
    server.script = ["cut"] * store.ATTEMPTS
    with pytest.raises(InputError, match="ended after"):
        store.fetch(record(server))
    asked = len(server.requests)
    assert store.fetch(record(server)).read_bytes() == CONTENT
    assert server.requests[asked].startswith("bytes=")


def test_a_server_without_ranges_begins_again(server):
    server.script = ["cut", "no ranges"]
    assert store.fetch(record(server)).read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(server, home):
    (home / "weights").mkdir(parents=True)
    (home / "weights" / "file.bin.part").write_bytes(CONTENT + b"more")
    assert store.fetch(record(server)).read_bytes() == CONTENT


def test_a_length_that_is_a_lie_is_not_believed(server):
    server.script = ["promises more"] * store.ATTEMPTS
    with pytest.raises(InputError, match="ended after"):
        store.fetch(record(server))
    assert not store.path_of(record(server)).exists()


def test_a_length_that_is_too_short_is_found_by_the_hash(server):
    server.script = ["promises less"]
    with pytest.raises(InputError, match="should begin with"):
        store.fetch(record(server))
    assert store.fetch(record(server)).read_bytes() == CONTENT


def test_a_mirror_with_another_file_does_not_hide_the_origin(server, tmp_path, monkeypatch):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "file.bin").write_bytes(b"another")
    monkeypatch.setenv("GOOGLENET_MIRROR", str(tmp_path / "mirror"))
    assert store.fetch(record(server)).read_bytes() == CONTENT
    assert server.requests == [None]


def test_a_mirror_without_the_file_costs_no_time(server, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(store.time, "sleep", pauses.append)
    monkeypatch.setenv("GOOGLENET_MIRROR", f"{tmp_path / 'nowhere'} what://ever")
    assert store.fetch(record(server)).read_bytes() == CONTENT
    assert pauses == []


def test_without_a_hash_no_two_places_make_one_file(server, monkeypatch):
    other = Server(bytes(len(CONTENT)))
    monkeypatch.setenv("GOOGLENET_MIRROR", other.url)
    monkeypatch.setattr(store, "ATTEMPTS", 1)
    other.script = ["cut"]
    assert store.fetch(record(server, digest="")).read_bytes() == CONTENT
    other.close()


def test_a_missing_part_of_the_package_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "shipped")
    with pytest.raises(InputError, match="install googlenet again"):
        store.fetch(Record("googlenet.test", "", "absent.safetensors", "", "", "", ""))
    assert not (tmp_path / "shipped").exists()


def test_a_network_that_goes_away_is_not_the_disk(server, monkeypatch):
    real = store.http.client.HTTPResponse.read
    left = [OSError(errno.EHOSTUNREACH, "No route to host")]
    monkeypatch.setattr(
        store.http.client.HTTPResponse, "read", lambda *a: (_ for _ in ()).throw(left.pop()) if left else real(*a)
    )
    assert store.fetch(record(server)).read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_another_file_is_refused_and_nothing_stays(server, home):
    server.script = ["wrong"]
    with pytest.raises(InputError, match="sha256 is [0-9a-f]{64} and should begin with"):
        store.fetch(record(server))
    assert [file.name for file in (home / "weights").iterdir() if not file.name.startswith(".")] == []
    assert store.fetch(record(server)).read_bytes() == CONTENT


def test_what_is_not_there_is_asked_for_once(server):
    server.script = [404]
    with pytest.raises(InputError, match="404|Not Found") as caught:
        store.fetch(record(server))
    assert len(server.requests) == 1
    assert str(store.path_of(record(server))) in str(caught.value)


def test_without_a_network_the_sentence_says_where_to_put_the_file(server, nobody, monkeypatch):
    absent = record(server, url=f"{nobody}/file.bin")
    with pytest.raises(InputError, match=f"Get {nobody}/file.bin another way and put it at .*file.bin"):
        store.fetch(absent)
    monkeypatch.setenv("GOOGLENET_OFFLINE", "1")
    with pytest.raises(InputError, match="GOOGLENET_OFFLINE is set"):
        store.fetch(record(server))
    assert server.requests == []


def test_mirrors_come_first_and_the_origin_last(server, nobody, tmp_path, monkeypatch):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "file.bin").write_bytes(CONTENT)
    monkeypatch.setenv("GOOGLENET_MIRROR", f"{server.url}/none, {(tmp_path / 'mirror').as_uri()}")
    server.script = [404]
    assert store.fetch(record(server, url=f"{nobody}/file.bin")).read_bytes() == CONTENT
    assert len(server.requests) == 1
    monkeypatch.setenv("GOOGLENET_OFFLINE", "1")
    assert store.fetch(record(server, file="other.bin")).read_bytes() == CONTENT


def test_a_full_disk_is_a_sentence_and_the_rest_comes_later(server, monkeypatch):
    real = os.fsync

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="disk of .* is full.*GOOGLENET_HOME"):
        store.fetch(record(server))
    assert not store.path_of(record(server)).exists()
    monkeypatch.setattr(os, "fsync", real)
    assert store.fetch(record(server)).read_bytes() == CONTENT


def archive(name, content):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


@pytest.mark.parametrize("size", [None, len(CONTENT) / 2**20])
def test_a_body_without_end_stops_at_the_known_size(server, home, monkeypatch, size):
    """Nothing of the disk is filled, and another place is tried."""
    monkeypatch.setattr(limits, "FETCHED", 3 << 20)
    other = Server()
    other.script = ["endless"]
    monkeypatch.setenv("GOOGLENET_MIRROR", other.url)
    seen = []
    path = store.fetch(record(server, size=size), lambda done, total: seen.append(done))
    assert path.read_bytes() == CONTENT and len(other.requests) == 1
    assert max(seen) <= (3 << 20 if size is None else len(CONTENT) + 2000)
    other.close()


def test_a_file_longer_than_the_published_one_is_not_asked_for_again(server, home):
    with pytest.raises(InputError, match="longer than the file that was published, 2,072 bytes"):
        store.fetch(record(server, size=1 / 1024))
    assert len(server.requests) == 1
    assert [file.name for file in (home / "weights").iterdir() if not file.name.startswith(".")] == []


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "what:ever"])
def test_a_redirection_leads_to_the_web_alone(server, place):
    server.script = [f"to {place}"]
    with pytest.raises(InputError, match="redirects to .*not followed|Redirection to .* is not allowed"):
        store.fetch(record(server))
    server.script = ["to /elsewhere"]
    assert store.fetch(record(server)).read_bytes() == CONTENT


@pytest.mark.parametrize("place", ["ftp://127.0.0.1/x", "data:text/plain,x", "what://ever"])
def test_a_mirror_is_a_folder_or_on_the_web(server, monkeypatch, place):
    monkeypatch.setenv("GOOGLENET_MIRROR", place)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("a connection"))
    with pytest.raises(InputError, match="unknown url type"):
        store.fetch(record(server, url="what://origin/file.bin"))


def test_a_part_that_is_a_link_or_a_pipe_is_not_written_to(server, home, tmp_path):
    (home / "weights").mkdir(parents=True)
    (tmp_path / "victim").write_text("precious")
    part = home / "weights" / "file.bin.part"
    for lay in (lambda: part.symlink_to(tmp_path / "victim"), lambda: os.mkfifo(part)):
        lay()
        with pytest.raises(InputError, match="could not be written"):
            store.fetch(record(server))
        part.unlink()
    assert (tmp_path / "victim").read_text() == "precious"


def test_what_was_changed_after_it_was_fetched_is_noticed_and_what_was_put_there_is_not(server, monkeypatch):
    """Without a published hash too."""
    wanted = record(server, digest="")
    path = store.fetch(wanted)
    assert store.checked(wanted) == path and "as it was fetched" in store.verify(wanted)
    path.write_bytes(CONTENT[:-1] + b"x")
    for look in (store.checked, store.verify):
        with pytest.raises(InputError, match="not the file that was fetched.*fetch googlenet.test"):
            look(wanted)
    path.unlink()
    assert store.checked(record(server, file="other.bin")) == path.with_name("other.bin")
    store.fetch(wanted)
    assert store.checked(wanted) == path


def packed(*entries):
    """A packed archive of entries and their contents."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        for entry, content in entries:
            tar.addfile(entry, io.BytesIO(content))
    return held.getvalue()


def entry(name, size=0, **fields):
    made = tarfile.TarInfo(name)
    made.size = size
    for key, value in fields.items():
        setattr(made, key, value)
    return made


LINKED = {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}
SPARSE = {"pax_headers": {"GNU.sparse.size": str(1 << 50), "GNU.sparse.map": "0,0"}}


@pytest.mark.parametrize(
    "content",
    [
        packed((entry("weights.bin", **LINKED), b"")),
        packed((entry("weights.bin", type=tarfile.LNKTYPE, linkname="weights.bin"), b"")),
        packed((entry("weights.bin", type=tarfile.DIRTYPE), b"")),
        packed((entry("weights.bin", type=tarfile.CHRTYPE), b"")),
        packed((entry("weights.bin", **SPARSE), b"")),
        packed((entry("other.bin", 3 << 20), bytes(3 << 20)), (entry("weights.bin", 1), b"x")),
        packed((entry("weights.bin", 3 << 20), bytes(3 << 20))),
        gzip.compress(b"no archive"),
        gzip.compress(bytes(3 << 20)),
        b"",
    ],
    ids=["link", "hard link", "folder", "device", "sparse", "behind a bomb", "bomb", "text", "zeros", "empty"],
)
def test_an_archive_gives_a_plain_file_of_its_size_or_nothing(server, home, monkeypatch, content):
    monkeypatch.setattr(limits, "unpacked", lambda size: 1 << 20)
    server.content = content
    with pytest.raises(InputError, match="no archive that holds weights.bin, or it is damaged"):
        store.fetch(record(server, digest="", url=f"{server.url}/all.tar.gz", member="weights.bin"))
    assert [file.name for file in (home / "weights").iterdir() if not file.name.startswith(".")] == []


def test_one_file_comes_out_of_an_archive(server):
    server.content = archive("folder/weights.bin", CONTENT)
    wanted = record(server, server.content, url=f"{server.url}/all.tar.gz", member="folder/weights.bin")
    assert store.fetch(wanted).read_bytes() == CONTENT
    server.content = archive("folder/other.bin", CONTENT)
    absent = record(server, server.content, url=wanted.url, member=wanted.member, file="absent.bin")
    with pytest.raises(InputError, match="no archive that holds folder/weights.bin"):
        store.fetch(absent)


def test_a_mirror_without_the_archive_does_not_hide_the_origin(server, tmp_path, monkeypatch):
    server.content = archive("weights.bin", CONTENT)
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "all.tar.gz").write_bytes(b"<html>not found</html>")
    monkeypatch.setenv("GOOGLENET_MIRROR", str(tmp_path / "mirror"))
    wanted = record(server, digest="", url=f"{server.url}/all.tar.gz", member="weights.bin")
    assert store.fetch(wanted).read_bytes() == CONTENT


def test_a_home_that_is_empty_or_begins_with_a_tilde(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GOOGLENET_HOME", "~/kept")
    assert store.folder() == tmp_path / "kept" / "weights"
    monkeypatch.setenv("GOOGLENET_HOME", "")
    assert store.folder() == tmp_path / ".cache" / "googlenet" / "weights"


def test_a_damaged_archive_is_noticed_and_a_full_disk_leaves_no_half(server, home, monkeypatch):
    noise = os.urandom(300_000)
    damaged = bytearray(archive("weights.bin", noise))
    damaged[100_000:100_100] = bytes(100)
    server.content = bytes(damaged)
    wanted = record(server, digest="", url=f"{server.url}/all.tar.gz", member="weights.bin")
    with pytest.raises(InputError, match="damaged"):
        store.fetch(wanted)
    assert [file.name for file in (home / "weights").iterdir() if not file.name.startswith(".")] == []
    server.content = archive("weights.bin", noise)

    def full(source, file):
        file.write(source.read(1000))
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(shutil, "copyfileobj", full)
        with pytest.raises(InputError, match="disk of .* is full"):
            store.fetch(wanted)
    assert [f.name for f in (home / "weights").iterdir() if not f.name.startswith(".")] == ["all.tar.gz.part"]
    assert store.fetch(wanted).read_bytes() == noise


# A process that fetches and says when it comes to the lock.
FETCH = """
from googlenet.weights import store
from googlenet.weights.catalogue import Record

class Lock(store.FileLock):
    def acquire(self, *args, **options):
        print("at the lock", flush=True)
        return super().acquire(*args, **options)

store.FileLock = Lock
store.fetch(Record("googlenet.test", "{url}/file.bin", "file.bin", "", "", "", ""))
"""


def fetching(server):
    code = FETCH.replace("{url}", server.url)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def ended(process):
    try:
        return process.wait(DEADLINE)
    finally:
        process.kill()
        process.stdout.close()


def test_of_two_processes_one_downloads(server, home):
    """The server answers when both are at the lock."""
    server.script = ["late"]
    both = [fetching(server), fetching(server)]
    said = [process.stdout.readline() for process in both]
    server.gate.set()
    assert [ended(process) for process in both] == [0, 0]
    assert said == ["at the lock\n"] * 2
    assert len(server.requests) == 1
    assert (home / "weights" / "file.bin").read_bytes() == CONTENT


def test_who_waited_takes_what_is_there(server, home):
    (home / "weights").mkdir(parents=True)
    with FileLock(home / "weights" / ".file.bin.lock"):
        waiting = fetching(server)
        said = waiting.stdout.readline()
        (home / "weights" / "file.bin").write_bytes(b"fetched by another")
    assert (ended(waiting), said) == (0, "at the lock\n")
    assert server.requests == []


def test_a_lock_goes_with_the_process_that_holds_it(server, home):
    """A process that is killed in the middle of its download keeps nobody waiting."""
    server.script = ["late"]
    first = fetching(server)
    assert first.stdout.readline() == "at the lock\n"
    assert server.asked.wait(DEADLINE)
    first.kill()
    assert ended(first) != 0
    server.gate.set()
    assert store.fetch(record(server)).read_bytes() == CONTENT


# ----------------------------------------------------------------- the catalogue
@pytest.mark.parametrize("name", CATALOGUE)
def test_every_record_is_whole(name):
    found = CATALOGUE[name]
    assert found.name == name
    assert found.arch in VARIANTS
    assert found.url.startswith(("http://", "https://")) or store.path_of(found).exists()
    algorithm, _, digits = found.digest.partition(":")
    assert algorithm in ("", "sha256", "sha1")
    assert not digits or (len(digits) >= 8 and int(digits, 16) >= 0)
    assert set(found.changes) <= {field.name for field in dataclasses.fields(VARIANTS[found.arch])}
    if found.preprocessing is not None:
        assert (found.preprocessing.size,) * 2 == VARIANTS[found.arch].input_size


def test_the_record_says_what_torchvisions_file_does_not(home):
    model = create_model("googlenet_torchvision").eval()
    with pytest.raises(InputError, match="googlenet weights fetch googlenet_torchvision.imagenet1k"):
        create.read_source("googlenet_torchvision.imagenet1k")
    (home / "weights").mkdir(parents=True)
    torchvision.write(weights_of(model), home / "weights" / "googlenet-1378be20.pth")
    weights = create.read_source("imagenet1k")
    assert weights.header.arch.transform_input
    assert not weights.header.auxiliary
    assert weights.header.extra["classes"][:2] == ("tench", "goldfish")
    assert not [name for name in weights.tensors if name.startswith("auxiliary")]
    x = torch.randn(1, 3, 64, 64)
    turned = x * torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1) / 0.5
    turned = turned + (torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1) - 0.5) / 0.5
    torch.testing.assert_close(network_of(weights)(x), model(turned), rtol=1e-4, atol=1e-4)


def test_a_fresh_user_fetches_and_predicts(server, home, tmp_path, photos, monkeypatch):
    """A mirror with another file, then one that fails twice, then labels for the photos."""
    name = "googlenet_torchvision.imagenet1k"
    torchvision.write(weights_of(create_model("googlenet_torchvision")), tmp_path / "weights.pth")
    server.content = (tmp_path / "weights.pth").read_bytes()
    env = {"GOOGLENET_HOME": str(home), "GOOGLENET_MIRROR": server.url}

    refused = run_cli("weights", "fetch", name, env=env)
    assert refused.returncode == 1  # these are not the published bytes
    assert "longer than the file that was published" in refused.stderr
    assert not (home / "weights" / "googlenet-1378be20.pth").exists()

    digest = f"sha256:{hashlib.sha256(server.content).hexdigest()}"
    monkeypatch.setitem(
        CATALOGUE, name, dataclasses.replace(CATALOGUE[name], digest=digest, size=len(server.content) / 2**20)
    )
    server.script = ["cut", 503]
    fetched = run_here("weights", "fetch", name, env=env)
    assert fetched.returncode == 0, fetched.stderr
    assert fetched.stdout.strip() == str(home / "weights" / "googlenet-1378be20.pth")
    assert server.requests[-1].startswith("bytes=")

    labels = run_here("predict", "imagenet1k", *photos[:2], "--engine", "torch", "--format", "csv", env=env)
    assert labels.returncode == 0, labels.stderr
    assert all(photo.name in labels.stdout for photo in photos[:2])


def test_a_name_of_nothing_is_a_sentence():
    with pytest.raises(InputError, match="Did you mean 'googlenet.bvlc'"):
        create.read_source("googlenet.bvcl")
    with pytest.raises(InputError, match="no weights file"):
        create.read_source("nowhere/model.safetensors")
