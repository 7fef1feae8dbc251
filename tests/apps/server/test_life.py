"""From start to end: signals, reloads, slow and hostile clients; a process each."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import googlenet
from conftest import run_here
from googlenet.apps.server.models import Source
from serving import WAIT, running

ROW = {"inputs": [[0.1 * (at % 7) for at in range(150)]]}


@pytest.fixture
def copy(exported, tmp_path):
    """An exported model that may be changed."""
    path = tmp_path / "model.onnx"
    shutil.copy(exported, path)
    return path


class Load:
    """Clients that ask without pause, each on a connection of its own or a new one each time."""

    def __init__(self, service, clients=8, keep=True):
        self.address = urlsplit(service.url)
        self.codes, self.lost, self.versions = [], [], []
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(keep,)) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _ask(self, keep):
        import http.client

        connection = None
        while not self.stopped.is_set():
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=WAIT)
                    connection.connect()
            except OSError:
                return  # it listens no longer: nothing was sent
            try:
                connection.request("POST", "/predict", json.dumps(ROW), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                row = json.loads(answer.read())
                self.codes.append(answer.status)
                self.versions.append(row.get("version"))
                if answer.will_close or not keep:
                    connection.close()
                    connection = None
            except Exception as error:
                self.lost.append(repr(error))
                break
        if connection is not None:
            connection.close()

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(WAIT)


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "new"])
def test_told_to_end_it_loses_no_request(copy, tmp_path, keep):
    with running(tmp_path, copy) as service:
        load = Load(service, keep=keep)
        while len(load.codes) < 50:
            time.sleep(0.01)
        service.send(signal.SIGTERM)
        status, row = 200, {}
        while status == 200:
            status, row = service.json("/v2/health/ready")
        assert (status, row["ready"]) == (503, False)
        assert service.json("/v2/health/live") == (200, {"live": True})
        before = len(load.codes)
        assert service.json("/predict", ROW)[0] == 200  # not ready, and it answers on
        assert service.process.wait(WAIT) == 0
        load.stop()
    assert load.lost == [] and set(load.codes) == {200}
    assert len(load.codes) > before


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_fifty_times_told_to_end_it_loses_no_request(copy, tmp_path):
    for _ in range(50):
        with running(tmp_path, copy) as service:
            load = Load(service)
            while len(load.codes) < 20:
                time.sleep(0.01)
            assert service.end() == 0
            load.stop()
        assert load.lost == [] and set(load.codes) == {200}


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_fifty_new_runs_take_over_without_a_lost_request(copy, tmp_path):
    with running(tmp_path, copy) as service:
        load = Load(service)
        for version in range(2, 52):
            service.send(signal.SIGHUP)
            service.until(lambda said, version=version: f"version {version} answers from now on" in said)
        load.stop()
        assert load.lost == [] and set(load.codes) == {200} and service.end() == 0


def test_a_new_run_takes_over_without_a_lost_request(copy, tmp_path):
    with running(tmp_path, copy) as service:
        load = Load(service)
        for version in ("2", "3"):
            service.send(signal.SIGHUP)
            service.until(lambda said, version=version: f"version {version} answers from now on" in said)
        copy.write_bytes(b"no model")
        service.send(signal.SIGHUP)
        service.until(lambda said: "stays at version 3, as the new one could not be loaded" in said)
        assert service.json("/v2/models/model")[1]["versions"] == ["3"]
        load.stop()
    assert load.lost == [] and set(load.codes) == {200}
    assert {"1", "3"} <= set(load.versions)


@pytest.mark.slow
def test_a_model_of_openvinos_is_loaded_anew_again_and_again(tmp_path):
    pytest.importorskip("openvino")
    with running(tmp_path, "fashion_mnist") as service:
        for version in range(2, 4):
            service.send(signal.SIGHUP)
            service.until(lambda said, version=version: f"version {version} answers from now on" in said)
        assert service.json("/v2/models/fashion_mnist")[1]["versions"] == ["3"]
        assert service.end() == 0


def test_what_was_replaced_is_not_explained_as_what_answers(tmp_path):
    path = tmp_path / "run.safetensors"
    shutil.copy(Path(googlenet.__file__).parent / "weights" / "shipped" / "googlenet_1d.gunpoint.safetensors", path)
    with running(tmp_path, f"mine={path}") as service:
        body = json.dumps(ROW).encode()
        assert service.ask("/predict", body, Content_Type="application/json")[0] == 200
        path.write_bytes(b"another")
        status, _, found = service.ask("/explain?name=x.csv", b"1,2,3", Content_Type="text/csv")
        assert status == 400 and b"was replaced since" in found
        assert service.ask("/predict", body, Content_Type="application/json")[0] == 200


@pytest.mark.slow
def test_processes_end_with_the_one_that_started_them(copy, tmp_path):
    with running(tmp_path, copy, "--workers", "2") as service:
        while service.said().count("Serving model") < 2:
            time.sleep(0.05)
        service.send(signal.SIGKILL)
        service.process.wait(WAIT)
        ends = time.monotonic() + WAIT
        while time.monotonic() < ends:
            try:
                connected(service).close()
            except OSError:
                return
            time.sleep(0.1)
        raise AssertionError("they serve on")


def test_one_that_takes_the_place_of_another_has_its_version(copy, tmp_path):
    with running(tmp_path, copy, "--workers", "2") as service:
        while service.said().count("Serving model") < 2:
            time.sleep(0.05)
        service.send(signal.SIGHUP)
        service.until(lambda said: said.count("version 2 answers from now on") == 2)
        there = children_of(service.process.pid)
        os.kill(there[0], signal.SIGKILL)
        service.until(lambda said: said.count("Serving model") == 3)
        assert {service.json("/v2/models/model")[1]["versions"][0] for _ in range(12)} == {"2"}
        assert {gauge(service, "model_version") for _ in range(12)} == {"2.0"}
        assert service.end() == 0


def test_one_that_takes_the_place_of_another_answers_as_the_others_do(copy, tmp_path):
    """Another network lies there when it starts: all load it. Then none that can be loaded: the others serve on."""
    shipped = Path(googlenet.__file__).parent / "weights" / "shipped"
    copy = tmp_path / "model.safetensors"
    shutil.copy(shipped / "googlenet_small.fashion_mnist.safetensors", copy)
    with running(tmp_path, copy, "--workers", "2") as service:
        while service.said().count("Serving model") < 2:
            time.sleep(0.05)
        shutil.copy(shipped / "googlenet_1d.gunpoint.safetensors", copy)
        os.kill(children_of(service.process.pid)[0], signal.SIGKILL)
        service.until(lambda said: "version 2 answers from now on" in said and said.count("Serving model") == 3)
        assert {service.json("/v2/models/model")[1]["versions"][0] for _ in range(12)} == {"2"}
        whole = copy.read_bytes()
        copy.write_bytes(b"none")
        os.kill(children_of(service.process.pid)[0], signal.SIGKILL)
        service.until(lambda said: "1 of 2 processes serve on (SIGHUP tries again)" in said)
        assert "model stays at version 2" in service.said()
        assert {service.json("/predict", ROW)[0] for _ in range(6)} == {200}
        copy.write_bytes(whole)
        service.send(signal.SIGHUP)
        service.until(lambda said: said.count("Serving model") == 4)
        service.until(lambda said: "version 4 answers from now on" in said)
        assert {service.json("/v2/models/model")[1]["versions"][0] for _ in range(12)} == {"4"}
        assert service.end() == 0


def gauge(service, name):
    """What all processes together say of the model at a time."""
    rows = service.ask("/metrics")[2].decode().splitlines()
    return next(row for row in rows if row.startswith(f"googlenet_{name}{{")).rpartition(" ")[2]


def test_one_that_was_killed_has_nothing_that_waits(copy, tmp_path):
    with running(tmp_path, copy, "--workers", "2") as service:
        while service.said().count("Serving model") < 2:
            time.sleep(0.05)
        load = Load(service, clients=16)
        while gauge(service, "queue_examples") == "0.0":
            time.sleep(0.01)
        for pid in children_of(service.process.pid):
            os.kill(pid, signal.SIGKILL)
        load.stop()
        service.until(lambda said: said.count("Serving model") == 4)
        assert gauge(service, "queue_examples") == "0.0"
        assert service.end() == 0


def children_of(pid):
    words = ["ps", "-o", "pid=,args=", "--ppid", str(pid)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return [int(line.split()[0]) for line in done.stdout.splitlines() if "spawn_main" in line]


def test_more_connections_than_files_are_let_go_quietly(copy, tmp_path):
    words = ["sh", "-c", 'ulimit -n 96; exec "$@"', "sh"]
    with running(tmp_path, copy, before=words) as service:
        raw = [connected(service) for _ in range(150)]
        try:
            ends = time.monotonic() + WAIT
            while True:
                for each in raw[10:]:
                    each.close()
                with suppress(OSError):
                    if service.json("/predict", ROW)[0] == 200:
                        break
                assert time.monotonic() < ends
            assert len(service.said()) < 2000
        finally:
            for each in raw:
                each.close()


def test_several_processes_share_the_work_and_the_counts(copy, tmp_path):
    with running(tmp_path, copy, "--workers", "2") as service:
        ends = time.monotonic() + WAIT
        while service.said().count("Serving model") < 2:
            assert time.monotonic() < ends
            time.sleep(0.05)
        load = Load(service, clients=4, keep=False)
        while len(load.codes) < 100:
            time.sleep(0.01)
        load.stop()
        counts = set()
        for _ in range(6):
            text = service.ask("/metrics")[2].decode()
            counts.add(next(row for row in text.splitlines() if row.startswith("googlenet_examples_total")))
        assert counts == {f'googlenet_examples_total{{model="model"}} {len(load.codes):.1f}'}
        assert service.end() == 0
    assert load.lost == []


def test_more_than_may_wait_is_refused_at_once(copy, tmp_path):
    with running(tmp_path, copy, "--max-queue", "4") as service:
        assert service.json("/predict", {"inputs": ROW["inputs"] * 5})[0] == 413
        many = {"name": "signal", "datatype": "FP32", "shape": [5, 1, 150], "data": ROW["inputs"][0] * 5}
        assert service.json("/v2/models/model/infer", {"inputs": [many]})[0] == 413
        load = Load(service, clients=32)
        while 503 not in load.codes or 200 not in load.codes:
            time.sleep(0.01)
        load.stop()
        assert load.lost == [] and set(load.codes) == {200, 503}
        assert service.json("/predict", ROW)[0] == 200


def test_limits_of_bytes(copy, tmp_path):
    with running(tmp_path, copy, "--max-body", "0.1") as service:
        status, _, body = service.ask("/predict", b"x" * 200_000, Content_Type="text/csv")
        assert status == 413 and b"--max-body" in body
        raw = connected(service)
        raw.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            raw.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 413")
        raw.close()


def connected(service):
    address = urlsplit(service.url)
    raw = socket.create_connection((address.hostname, address.port), WAIT)
    raw.settimeout(WAIT)
    return raw


def test_slow_clients_are_let_go(copy, tmp_path):
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 100\r\n"
    with running(tmp_path, copy, "--timeout", "1") as service:
        slow = {"nothing": b"", "half a head": head[:40], "no body": head + b"\r\n", "half a body": head + b"\r\n1,2"}
        raw = {name: connected(service) for name in slow}
        for name, content in slow.items():
            raw[name].sendall(content)
        assert service.json("/predict", ROW)[0] == 200
        found = {name: raw[name].recv(1000) for name in slow}
        assert found["nothing"] == found["half a head"] == b""
        assert found["no body"].startswith(b"HTTP/1.1 408") and found["half a body"].startswith(b"HTTP/1.1 408")
        for each in raw.values():
            each.close()
        gone = connected(service)
        gone.sendall(head + b"\r\n" + b"1," * 50)
        gone.close()
        assert service.json("/predict", ROW)[0] == 200


def test_a_token_is_asked_for_of_all_but_health(copy, tmp_path):
    token = tmp_path / "token"
    token.write_text("a-secret\n")
    with running(tmp_path, copy, "--token-file", token) as service:
        assert service.json("/v2/health/ready")[0] == 200
        for path in ("/", "/v2", "/metrics", "/docs", "/v2/models/model"):
            assert service.ask(path)[0] == 401
        status, row = service.json("/predict", ROW)
        assert status == 401 and "a-secret" not in str(row)
        assert service.json("/predict", ROW, Authorization="Bearer another")[0] == 401
        assert service.json("/predict", ROW, Authorization="Bearer a-secret")[0] == 200
        assert service.json("/predict", ROW, Authorization="Basic OmEtc2VjcmV0")[0] == 200
        for version, held, known in ((2, "a-new-one", "a-new-one"), (3, "", "a-new-one")):
            token.write_text(held)
            service.send(signal.SIGHUP)
            service.until(lambda said, version=version: f"version {version} answers from now on" in said)
            assert service.json("/predict", ROW, Authorization="Bearer a-secret")[0] == 401
            assert service.json("/predict", ROW, Authorization=f"Bearer {known}")[0] == 200
        service.until(lambda said: "holds no token: one line of letters and digits" in said)


@pytest.mark.slow
def test_pages_elsewhere_may_ask_only_if_told(copy, tmp_path):
    with running(tmp_path, copy) as service:
        assert service.ask("/v2", Origin="https://example.org")[1]["Access-Control-Allow-Origin"] is None
    with running(tmp_path, copy, "--cors", "https://example.org") as service:
        allowed = service.ask("/v2", Origin="https://example.org")[1]["Access-Control-Allow-Origin"]
        assert allowed == "https://example.org"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing/here"], "nothing/here"),
        (["a=fashion_mnist", "a=googlenet_1d.gunpoint"], "would both be called a"),
        (["a b=fashion_mnist"], "cannot stand in an address"),
        (["fashion_mnist", "--port", "70000"], "--port"),
        (["fashion_mnist", "--token-file", "nothing"], "token"),
        (["fashion_mnist", "--host", "999.1.1.1"], "cannot be listened on"),
        (["fashion_mnist", "--cors", "foo"], "--cors is one origin"),
    ],
)
def test_what_cannot_be_served_gets_a_sentence(words, said, tmp_path):
    done = run_here("serve", *words, cwd=tmp_path)
    assert done.returncode != 0 and said in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_port_that_is_taken_gets_a_sentence(copy, tmp_path):
    with running(tmp_path, copy) as service:
        done = run_here("serve", copy, "--port", str(urlsplit(service.url).port))
    assert done.returncode == 1 and "choose another --port" in done.stderr


def test_an_exported_model_is_served_without_pytorch(copy, tmp_path):
    """As of a Python in which there is none."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['torch'] = None")
    with running(tmp_path, copy, env={"PYTHONPATH": str(tmp_path)}) as service:
        assert service.json("/predict", ROW)[0] == 200
        status, _, page = service.ask("/")
        assert status == 200 and b"made with PyTorch" in page and b"predict?model=model" in page
    assert "torch" not in Path(tmp_path / "said").read_text()


def test_a_file_is_called_by_itself_and_by_the_name_that_it_is_given(exported, tmp_path):
    folder = tmp_path / "of two words"
    folder.mkdir()
    shutil.copy(exported, folder / "named.onnx")
    with running(tmp_path, folder / "named.onnx", f"other={folder / 'named.onnx'}") as service:
        assert service.json("/v2/models/named/ready")[0] == service.json("/v2/models/other/ready")[0] == 200


def test_a_run_is_called_by_its_folder(tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "run.json").touch()
    (tmp_path / "demo" / "model.onnx").touch()
    assert Source.of(str(tmp_path / "demo")).name == Source.of(str(tmp_path / "demo" / "model.onnx")).name == "demo"
    assert Source.of("mine=runs/demo") == Source("mine", "runs/demo")
    assert Source.of("fashion_mnist").name == "fashion_mnist"
