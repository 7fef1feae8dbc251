"""The service under four times the load that it can bear, beside the bare predictor, and beside LitServe.

    python benchmarks/serving.py PHOTOS [--seconds 60] [--litserve PYTHON]

Everything runs on the same cores: server, and 64 clients in a process of their own, each with one connection on which
it asks for labels of a JPEG at its own pace; together they ask four times as often as the bare predictor answers. The
model is GoogLeNet at 224 pixels with random weights, exported as ONNX: the work is that of a real one. PYTHON has
litserve, onnxruntime and this package installed.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from statistics import median

import numpy as np

from common import save

CLIENTS, TIMES, QUEUE = 64, 4, 16
MODEL = "model.onnx"

# ------------------------------------------------------------------------------------------------ the other server
LITSERVE = """
import sys
import litserve
from googlenet.inference.load import load

class Labels(litserve.LitAPI):
    def setup(self, device):
        self.predictor = load(sys.argv[1])
    def decode_request(self, request):
        return request["content"].file.read()
    def predict(self, inputs):
        return self.predictor.predict(inputs, top=1)
    def encode_response(self, output):
        return {"label": output.label}

if __name__ == "__main__":
    api = Labels(max_batch_size=16, batch_timeout=0.0)
    litserve.LitServer(api, accelerator="cpu", timeout=600).run(port=int(sys.argv[2]), generate_client_file=False)
"""


# ------------------------------------------------------------------------------------------------ clients
def pictures(folder):
    """Some JPEGs of a folder."""
    return [path for path in sorted(Path(folder).rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg")][:32]


def request_of(content, path):
    """A form with one file, as bytes of HTTP."""
    body = (
        b'--b\r\nContent-Disposition: form-data; name="content"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
        + content
        + b"\r\n--b--\r\n"
    )
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def ask(streams, request):
    """Status of the answer to a request, on a connection that is kept."""
    reader, writer = streams
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head, re.IGNORECASE)[1])
    await reader.readexactly(length)
    return int(head[9:12])


async def client(port, requests, pace, ends, found, number):
    """Asks at a pace, one request after the other, until the time is over."""
    streams = await asyncio.open_connection("127.0.0.1", port)
    due = time.perf_counter() + pace * number / CLIENTS
    at = number
    while time.perf_counter() < ends:
        await asyncio.sleep(max(0, due - time.perf_counter()))
        began = time.perf_counter()
        due = max(due + pace, began)
        try:
            status = await ask(streams, requests[at % len(requests)])
        except (OSError, asyncio.IncompleteReadError):
            found.append((0, time.perf_counter() - began))
            streams = await asyncio.open_connection("127.0.0.1", port)
            continue
        found.append((status, time.perf_counter() - began))
        at += 1
    streams[1].close()


async def load_of(port, requests, rate, seconds):
    """What came of requests at a rate, by all clients together: status and seconds of each."""
    found = []
    ends = time.perf_counter() + seconds
    await asyncio.gather(*(client(port, requests, CLIENTS / rate, ends, found, at) for at in range(CLIENTS)))
    return found


async def at_once(port, requests, count):
    """The longest of the answers to a burst that fills the queue of a server which had nothing to do; what finds it
    full is refused."""
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    began = time.perf_counter()

    async def one(number):
        status = await ask(streams[number], requests[number % len(requests)])
        return time.perf_counter() - began if status == 200 else 0.0

    return max(await asyncio.gather(*map(one, range(count))))


def clients(words):
    """This script's own process of clients."""
    photos, port, path, what, rate, seconds = words
    requests = [request_of(each.read_bytes(), path) for each in pictures(photos)]
    if what == "at-once":
        print(json.dumps(asyncio.run(at_once(int(port), requests, int(rate)))))
    else:
        print(json.dumps(asyncio.run(load_of(int(port), requests, float(rate), float(seconds)))))


# ------------------------------------------------------------------------------------------------ measuring
def exported(folder):
    """GoogLeNet with random weights, as a run that anyone could have exported."""
    import torch

    from googlenet.data.images.preprocessing import ImagePreprocessing
    from googlenet.inference.export import export, notes_of
    from googlenet.inference.pipeline import Pipeline
    from googlenet.weights.create import create_model

    torch.manual_seed(0)
    pipeline = Pipeline([create_model("googlenet").eval()], ImagePreprocessing())
    classes = tuple(f"class {at}" for at in range(1000))
    export(pipeline, notes_of(pipeline, classes), "onnx", folder / MODEL)
    return folder / MODEL


def bare(model, photos, seconds):
    """Pictures a second of the predictor alone."""
    from googlenet.inference.load import load

    predictor = load(model)
    contents = [each.read_bytes() for each in pictures(photos)]
    predictor.predict(contents)
    ends, count, began = time.perf_counter() + seconds, 0, time.perf_counter()

    def source():
        while time.perf_counter() < ends:
            yield from contents

    for _ in predictor.stream(source(), predictor.wanted(1)):
        count += 1
    return count / (time.perf_counter() - began)


def resident(pid):
    """MB of a process and those below it."""
    pids = [pid, *map(int, subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split())]
    total = 0
    for each in pids:
        try:
            text = Path(f"/proc/{each}/status").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS"))
    return total / 1024


def under_load(process, port, path, photos, rate, seconds):
    """What came of the load, and how much memory the server had on the way."""
    own = [sys.executable, __file__, "--clients", str(photos), str(port), path]
    subprocess.run([*own, "load", str(rate), "5"], check=True, capture_output=True)  # what grows at first has grown
    memory, over = [], threading.Event()

    def watch():
        while not over.wait(seconds / 20):
            memory.append(resident(process.pid))

    thread = threading.Thread(target=watch)
    thread.start()
    done = subprocess.run([*own, "load", str(rate), str(seconds)], check=True, capture_output=True, text=True)
    over.set()
    thread.join()
    rows = json.loads(done.stdout)
    times = [took for status, took in rows if status == 200]
    return {
        "requests a second": len(rows) / seconds,
        "answers a second": len(times) / seconds,
        "by status": {str(code): count for code, count in Counter(status for status, _ in rows).items()},
        "seconds of an answer": {"median": median(times), "p99": float(np.quantile(times, 0.99)), "most": max(times)},
        "MB": {
            "first quarter": median(memory[: len(memory) // 4]),
            "last quarter": median(memory[-len(memory) // 4 :]),
        },
    }


def ours(model, photos, rate, seconds):
    """googlenet serve."""
    program = Path(sys.executable).with_name("googlenet")
    words = [program, "serve", f"model={model}", "--port", "0", "--max-queue", str(QUEUE), "--timeout", "60"]
    began = time.perf_counter()
    process = subprocess.Popen(list(map(str, words)), stderr=subprocess.PIPE, text=True)
    line = process.stderr.readline()
    ready = time.perf_counter() - began
    port = int(re.search(r":(\d+) ", line)[1])
    try:
        own = [sys.executable, __file__, "--clients", str(photos), str(port), "/predict", "at-once", str(CLIENTS), "0"]
        full = [json.loads(subprocess.run(own, check=True, capture_output=True, text=True).stdout) for _ in range(6)][
            1:
        ]
        found = under_load(process, port, "/predict", photos, TIMES * rate, seconds)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    return {"seconds to ready": ready, "seconds of a full queue": median(full)} | found


def litserve(python, model, photos, rate, seconds, folder):
    """LitServe, with the same predictor, in batches of up to 16."""
    script, port = folder / "with_litserve.py", 8765
    script.write_text(LITSERVE)
    log = (folder / "litserve.log").open("w")
    process = subprocess.Popen(
        [python, str(script), str(model), str(port)], stdout=log, stderr=log, start_new_session=True
    )
    try:
        wait_for(port)
        found = under_load(process, port, "/predict", photos, TIMES * rate, seconds)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
    return found


def wait_for(port):
    """Until a server answers."""
    import urllib.error
    import urllib.request

    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (OSError, urllib.error.URLError):
            time.sleep(0.3)
    raise SystemExit("LitServe does not answer.")


def main():
    if sys.argv[1:2] == ["--clients"]:
        clients(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--litserve", metavar="PYTHON")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = exported(folder)
        before = bare(model, asked.photos, asked.seconds / 3)
        found = {"googlenet serve": ours(model, asked.photos, before, asked.seconds)}
        after = bare(model, asked.photos, asked.seconds / 3)
        if asked.litserve:
            found["litserve"] = litserve(asked.litserve, model, asked.photos, before, asked.seconds, folder)
    rate = (before + after) / 2
    mine = found["googlenet serve"]
    mine["answers / bare predictor"] = mine["answers a second"] / rate
    mine["p99 / full queue"] = mine["seconds of an answer"]["p99"] / mine["seconds of a full queue"]
    if "litserve" in found:
        found["litserve"]["answers / bare predictor"] = found["litserve"]["answers a second"] / rate
    result = {"clients": CLIENTS, "queue": QUEUE, "bare predictor, pictures a second": [before, after]} | found
    print(json.dumps(result, indent=1))
    save("serving", result)


if __name__ == "__main__":
    main()
