"""The service as programs and people use it: its answers are the predictor's."""

import base64
import io
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import googlenet
from googlenet.data.find import find_data

PICTURES, SIGNALS, EXPORTED = "fashion_mnist", "signals", "gunpoint"


@pytest.fixture(scope="module")
def pictures():
    """Content of PNG files, and the pixels that are in them."""
    values = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    files = []
    for each in values:
        file = io.BytesIO()
        Image.fromarray(each).save(file, "PNG")
        files.append(file.getvalue())
    return files, values


@pytest.fixture(scope="module")
def signals():
    part = find_data("gunpoint").held_out
    return np.stack([example.content for example in part.subset(range(4)).examples(None)]).astype(np.float32)


def form(*files):
    """Body and content type of a form."""
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode() + content + b"\r\n"
        for name, content in files
    ]
    return b"".join(parts) + b"--b--\r\n", "multipart/form-data; boundary=b"


# ------------------------------------------------------------------------------------------------ the protocol
def test_a_client_of_tritons_gets_what_the_predictor_says(service, pictures, signals):
    triton = pytest.importorskip("tritonclient.http")
    client = triton.InferenceServerClient(service.url.removeprefix("http://"))
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(PICTURES)
    assert client.get_server_metadata()["name"] == "googlenet"
    known = client.get_model_metadata(PICTURES)
    assert known["name"] == PICTURES and known["versions"] == ["1"]
    assert [row["datatype"] for row in known["inputs"]] == ["BYTES", "UINT8"]
    files, pixels = pictures
    encoded = triton.InferInput("image", [3], "BYTES")
    encoded.set_data_from_numpy(np.array(files, object), binary_data=True)
    found = client.infer(PICTURES, [encoded], request_id="an id")
    assert found.get_response()["id"] == "an id"
    probabilities = found.as_numpy("probabilities")
    wanted = googlenet.load(PICTURES)
    np.testing.assert_allclose(probabilities, wanted.probabilities(files), atol=0.02)  # perhaps of another batch
    assert [label.decode() for label in found.as_numpy("labels")] == [
        wanted.classes[at] for at in probabilities.argmax(1)
    ]
    plain = triton.InferInput("pixels", [3, 28, 28, 1], "UINT8")
    for binary in (True, False):
        plain.set_data_from_numpy(pixels[..., None], binary_data=binary)
        asked = [triton.InferRequestedOutput("probabilities", binary_data=binary)]
        same = client.infer(PICTURES, [plain], outputs=asked).as_numpy("probabilities")
        np.testing.assert_array_equal(same, probabilities)
    best = [triton.InferRequestedOutput("probabilities", class_count=2)]
    told = client.infer(PICTURES, [plain], outputs=best).as_numpy("probabilities")
    assert told.shape == (3, 2)
    assert told[0, 0].decode().split(":")[2] == wanted.classes[probabilities[0].argmax()]
    for model in (SIGNALS, EXPORTED):
        given = triton.InferInput("signal", list(signals.shape), "FP32")
        given.set_data_from_numpy(signals)
        found = client.infer(model, [given]).as_numpy("probabilities")
        np.testing.assert_allclose(found, googlenet.load("googlenet_1d.gunpoint").probabilities(signals), atol=1e-4)


def test_answers_have_the_fields_of_the_protocol(service, signals):
    """As its specification names them (open_inference_rest.yaml, components/schemas)."""
    assert service.json("/v2")[1].keys() >= {"name", "version", "extensions"}
    assert service.json("/v2/") == service.json("/v2")
    assert service.json("/v2/health/live") == (200, {"live": True})
    assert service.json("/v2/health/ready") == (200, {"ready": True, "live": True})
    for path in (f"/v2/models/{SIGNALS}", f"/v2/models/{SIGNALS}/versions/1"):
        status, row = service.json(path)
        assert status == 200 and row.keys() >= {"name", "platform"}
        for tensor in (*row["inputs"], *row["outputs"]):
            assert tensor.keys() == {"name", "datatype", "shape"}
        assert service.json(f"{path}/ready") == (200, {"name": SIGNALS, "ready": True})
        given = {"name": "signal", "datatype": "FP32", "shape": [4, 1, 150], "data": signals.tolist()}
        status, row = service.json(f"{path}/infer", {"id": "7", "inputs": [given], "outputs": [{"name": "labels"}]})
        assert status == 200 and row["id"] == "7" and row["model_name"] == SIGNALS and row["model_version"] == "1"
        (output,) = row["outputs"]
        assert output["name"] == "labels" and output["datatype"] == "BYTES" and output["shape"] == [4]
        assert len(output["data"]) == 4


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        ({"name": "signals"}, "has one input, 'signal', and this one has signals"),
        ({"datatype": "FP64"}, "is of FP32, not of FP64"),
        ({"shape": [150], "data": [0.0] * 150}, r"has the shape [-1, 1, -1]"),
        ({"shape": [1, 2, 75]}, r"has the shape [-1, 1, -1]"),
        ({"shape": [1, 1, 0], "data": []}, "whole numbers from 1"),
        ({"data": [None] * 150}, "every sample is missing"),
        ({"data": [1e30] * 150}, "cannot be read"),
    ],
)
def test_what_the_model_does_not_read_gets_a_sentence(service, tensor, said):
    row = {"name": "signal", "datatype": "FP32", "shape": [1, 1, 150], "data": [0.0] * 75 + [1.0] * 75} | tensor
    status, answer = service.json(f"/v2/models/{SIGNALS}/infer", {"inputs": [row]})
    assert status == 400 and said in answer["error"], answer


def test_a_doubt_goes_with_the_answer(service):
    row = {"name": "signal", "datatype": "FP32", "shape": [1, 1, 150], "data": [0.5] * 150}
    status, answer = service.json(f"/v2/models/{SIGNALS}/infer", {"inputs": [row]})
    assert status == 200 and "do not vary" in answer["parameters"]["warning"]
    status, answer = service.json(f"/predict?model={SIGNALS}", {"inputs": [[0.5] * 150]})
    assert "do not vary" in answer["predictions"][0]["warnings"][0]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/v2/models/nothing", 404, "There is no model 'nothing'"),
        (f"/v2/models/{SIGNALS}/versions/2", 404, "served in version 1"),
        ("/elsewhere", 404, "nothing at /elsewhere"),
        ("/predict", 405, "no GET at /predict"),
    ],
)
def test_addresses_that_there_are_not(service, path, status, said):
    found, row = service.json(path)
    assert found == status and said in row["error"]


# ------------------------------------------------------------------------------------------------ people
def test_files_of_a_form_are_labelled_in_order_under_their_names(service, pictures):
    files, _ = pictures
    body, kind = form(("one.png", files[0]), ("broken.png", files[1][:60]), ("../../three.png", files[2]))
    status, _, found = service.ask(f"/predict?model={PICTURES}&top=2", body, Content_Type=kind)
    rows = json.loads(found)["predictions"]
    assert status == 200 and [row["input"] for row in rows] == ["one.png", "broken.png", "../../three.png"]
    assert "error" in rows[1] and "googlenet-" not in rows[1]["error"] and "/temporary/" not in rows[1]["error"]
    wanted = googlenet.load(PICTURES).predict([files[0], files[2]], top=2)
    for row, prediction in zip((rows[0], rows[2]), wanted, strict=True):
        assert len(row["top"]) == 2 and row["label"] == prediction.label
    body, kind = form(("broken.png", b"nothing"))
    status, _, found = service.ask(f"/predict?model={PICTURES}", body, Content_Type=kind)
    assert status == 400 and "broken.png cannot be read" in json.loads(found)["error"]


def test_a_table_is_read_as_googlenet_predict_reads_it(service, signals, tmp_path):
    path = tmp_path / "table.csv"
    names = ",".join(f"v{at}" for at in range(150))
    path.write_text(names + "\n" + "\n".join(",".join(map(repr, row[0].tolist())) for row in signals))
    wanted = googlenet.load("googlenet_1d.gunpoint").predict(str(path))
    for body, kind, query in (
        (path.read_bytes(), "text/csv", "&name=table.csv"),
        (*form(("table.csv", path.read_bytes())), ""),
    ):
        status, _, found = service.ask(f"/predict?model={SIGNALS}{query}", body, Content_Type=kind)
        rows = json.loads(found)["predictions"]
        assert status == 200 and [row["label"] for row in rows] == [each.label for each in wanted]
        assert [row["input"] for row in rows] == [each.input.replace(str(path), "table.csv") for each in wanted]


def test_json_of_numbers_and_of_files(service, pictures, signals):
    status, row = service.json(f"/predict?model={EXPORTED}", {"inputs": signals.tolist()})
    wanted = googlenet.load("googlenet_1d.gunpoint").predict(signals)
    assert status == 200 and [each["label"] for each in row["predictions"]] == [each.label for each in wanted]
    files, pixels = pictures
    told = [base64.b64encode(files[0]).decode(), pixels[0].tolist()]
    _, row = service.json(f"/predict?model={PICTURES}", {"inputs": told})
    first, second = row["predictions"]
    assert first["label"] == second["label"]
    np.testing.assert_allclose(first["probability"], second["probability"], rtol=1e-6)


@pytest.mark.parametrize(
    ("query", "row", "said"),
    [
        ("", {"inputs": [[1, 2]]}, "Several models are served"),
        (f"?model={SIGNALS}", {"inputs": []}, "no example"),
        (f"?model={SIGNALS}", {"inputs": 1}, "lists of numbers"),
        (f"?model={SIGNALS}", {"inputs": ["AAAA"]}, "send lists of numbers"),
        (f"?model={SIGNALS}", {"inputs": [[[1, 2], [3]]]}, "different lengths"),
        (f"?model={SIGNALS}", {"inputs": [[True, False]]}, "no number"),
        (f"?model={PICTURES}", {"inputs": [[[300]]]}, "no pixels"),
        (f"?model={PICTURES}", {"inputs": [[[1, 0]]]}, "white or nearly black"),
        (f"?model={PICTURES}", {"inputs": ["%%"]}, "no base64"),
        (f"?model={SIGNALS}&top=0", {"inputs": [[1, 2]]}, "top is a whole number"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence(service, query, row, said):
    status, answer = service.json(f"/predict{query}", row)
    assert status in (400, 404) and said in answer["error"]


def test_what_cannot_be_read_of_many_spoils_no_other(service, signals):
    given = [signals[0].tolist(), "AAAA", [[1, 2], [3]], [True], signals[1].tolist()]
    status, answer = service.json(f"/predict?model={SIGNALS}", {"inputs": given})
    assert status == 200 and ["error" in row for row in answer["predictions"]] == [False, True, True, True, False]


def test_an_explanation_is_a_figure_or_numbers(service, pictures):
    body, kind = form(("one.png", pictures[0][0]))
    status, headers, found = service.ask(f"/explain?model={PICTURES}", body, Content_Type=kind)
    assert status == 200 and headers["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(found)).width > 500
    status, _, found = service.ask(f"/explain?model={PICTURES}&format=json&class=Bag", body, Content_Type=kind)
    row = json.loads(found)
    assert status == 200 and row["input"] == "one.png" and row["label"] == "Bag"
    assert np.array(row["values"]).shape == tuple(row["shape"])
    for query, said in (
        (f"model={EXPORTED}", "insides are gone"),
        (f"model={PICTURES}&method=ablation", "whole set"),
        (f"model={PICTURES}&method=deeplift", "not offered"),
        (f"model={PICTURES}&class=nothing", "nothing"),
        (f"model={PICTURES}&format=gif", "no format"),
    ):
        status, _, found = service.ask(f"/explain?{query}", body, Content_Type=kind)
        assert status == 400 and said in json.loads(found)["error"]


def test_the_interface_is_described_and_its_page_loads_nothing(service):
    status, row = service.json("/openapi.json")
    assert status == 200 and row["openapi"].startswith("3.1")
    _, _, page = service.ask("/docs")
    for path in row["paths"]:
        assert path.encode() in page
    assert b"http://" not in page and b"https://" not in page and b"src=" not in page


def test_prometheus_is_told_what_was_asked(service):
    def count():
        text = service.ask("/metrics")[2].decode()
        line = f'googlenet_requests_total{{code="400",model="{EXPORTED}",route="/predict"}} '
        return next((float(row.removeprefix(line)) for row in text.splitlines() if row.startswith(line)), 0)

    before = count()
    service.json(f"/predict?model={EXPORTED}", {"inputs": 1})
    assert count() == before + 1
    text = service.ask("/metrics")[2].decode()
    for name in ("request_seconds_bucket", "queue_seconds_count", "queue_examples", "examples_total", "model_version"):
        assert f"googlenet_{name}{{" in text


def test_many_at_once_get_each_their_own_answer(service, signals):
    wanted = googlenet.load("googlenet_1d.gunpoint").probabilities(signals)
    wrong = []

    def ask(row):
        for _ in range(10):
            given = {"name": "signal", "datatype": "FP32", "shape": [1, 1, 150], "data": signals[row].ravel().tolist()}
            _, answer = service.json(f"/v2/models/{SIGNALS}/infer", {"inputs": [given]})
            if not np.allclose(answer["outputs"][0]["data"], wanted[row], atol=1e-4):
                wrong.append(answer)

    threads = [threading.Thread(target=ask, args=(at % 4,)) for at in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def schemathesis(service, examples, phases="coverage,fuzzing,stateful"):
    """What schemathesis finds, which asks by the interface's own document."""
    command = [Path(sys.executable).with_name("schemathesis"), "run", f"{service.url}/openapi.json"]
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    words = [
        "--checks",
        checks,
        "--phases",
        phases,
        "--max-examples",
        str(examples),
        "--seed",
        "1",
        "--request-timeout",
        "60",
    ]
    with tempfile.TemporaryDirectory() as folder:  # where it keeps what it remembers
        where = {"capture_output": True, "text": True, "check": False, "timeout": 3000, "cwd": folder}
        return subprocess.run([*command, *words], **where)


def test_one_process_of_the_tests_asks_the_service(service, request):
    """A pytest that pytest-xdist does not know says nothing, and starts a service in each."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("the tests run in one process, or are not dealt out by group")
    assert request.node.nodeid.endswith("@service")


def test_no_request_that_the_document_allows_fails(service):
    pytest.importorskip("schemathesis")
    done = schemathesis(service, 10, "fuzzing")
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_no_request_of_thousands_fails_or_is_kept_in_memory(service):
    pytest.importorskip("schemathesis")

    def resident():
        text = Path(f"/proc/{service.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS"))

    assert schemathesis(service, 50).returncode == 0  # what is loaded at the first request is there now
    before = resident()
    done = schemathesis(service, 200)  # of each of 11 operations, and as many in sequences
    assert done.returncode == 0, done.stdout[-3000:]
    assert resident() < 1.1 * before


@given(st.binary(max_size=300), st.integers(-2, 400) | st.none(), st.sampled_from(["infer", ""]))
@settings(max_examples=60)
def test_no_body_of_bytes_fails(service, content, length, end):
    headers = {} if length is None else {"Inference_Header_Content_Length": str(length)}
    status, _, body = service.ask(
        f"/v2/models/{SIGNALS}/infer" if end else f"/predict?model={SIGNALS}", content, **headers
    )
    assert status in (400, 413) and json.loads(body)["error"]


# ------------------------------------------------------------------------------------------------ what once went wrong
def jpeg(size=(900, 700)):
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (size[1] // 20, size[0] // 20, 3), np.uint8)
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(file, "JPEG")
    return file.getvalue()


def test_a_large_jpeg_and_its_pixels_get_the_same_answer(service):
    content = jpeg()
    pixels = np.asarray(Image.open(io.BytesIO(content)))
    answers = []
    for tensor in (
        {"name": "image", "datatype": "BYTES", "shape": [1], "data": [base64.b64encode(content).decode()]},
        {"name": "pixels", "datatype": "UINT8", "shape": [1, *pixels.shape], "data": pixels.tolist()},
    ):
        row = {"inputs": [tensor], "outputs": [{"name": "probabilities"}]}
        answers.append(service.json(f"/v2/models/{PICTURES}/infer", row))
    assert answers[0][0] == 200 and answers[0] == answers[1]


@pytest.mark.parametrize("shape", [[0, 1 << 63], [0, 10**18, 10**18], [0], [1 << 62, 1 << 62]])
def test_shapes_that_nobody_can_make_get_a_sentence(service, shape):
    tensor = {"name": "signal", "datatype": "FP32", "shape": shape, "data": []}
    status, row = service.json(f"/v2/models/{SIGNALS}/infer", {"inputs": [tensor]})
    assert status == 400 and "shape" in row["error"]


def resident(service):
    text = Path(f"/proc/{service.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM"))


def test_texts_in_json_make_no_memory(service):
    before = resident(service)
    status, row = service.json(f"/predict?model={SIGNALS}", {"inputs": [["x" * 1_000_000, *[""] * 700_000]]})
    assert status == 400 and "no number" in row["error"]
    assert resident(service) < before + 400_000


def test_a_table_of_very_many_lines_gets_a_sentence(service):
    status, _, body = service.ask(f"/predict?model={SIGNALS}", b"1\n" * 3_000_000, Content_Type="text/csv")
    assert status == 400 and b"googlenet predict" in body


@pytest.mark.parametrize("name", ["漢" * 200 + ".csv", "a" * 5000, "..", "a/../../b.csv", "a\\b.csv", "a\x00b.csv"])
@pytest.mark.parametrize("model", [PICTURES, SIGNALS])
def test_names_of_any_kind_are_given_back_and_written_nowhere(service, model, name):
    body, kind = form((name, b"nothing"))
    status, _, found = service.ask(f"/predict?model={model}", body, Content_Type=kind)
    assert status == 400 and json.loads(found)["error"]
    assert "/temporary/" not in json.loads(found)["error"]


@pytest.mark.parametrize("charset", ["unicode_escape", "utf-7", "undefined", "nothing"])
def test_alphabets_of_forms_break_nothing(service, charset):
    body, kind = form(("a\\ud800+2AA-.csv", b"nothing"))
    for path in (f"/predict?model={SIGNALS}", f"/explain?model={SIGNALS}&format=json"):
        status, _, found = service.ask(path, body, Content_Type=f"{kind}; charset={charset}")
        assert status == 400 and json.loads(found)["error"]


@pytest.mark.parametrize("packed", ["gzip", "deflate"])
def test_packed_bodies_are_unpacked_within_the_limit(service, signals, packed):
    import gzip
    import zlib

    pack = {"gzip": gzip.compress, "deflate": zlib.compress}[packed]
    row = json.dumps({"inputs": signals.tolist()}).encode()
    heads = {"Content_Type": "application/json", "Content_Encoding": packed}
    status, _, body = service.ask(f"/predict?model={SIGNALS}", pack(row), **heads)
    assert status == 200 and len(json.loads(body)["predictions"]) == 4
    assert service.ask(f"/predict?model={SIGNALS}", pack(b" " * (33 << 20)), **heads)[0] == 413
    assert service.ask(f"/predict?model={SIGNALS}", b"nothing", **heads)[0] == 400
    for wrong, said in ((pack(row)[:-9], "ends within"), (pack(row) + pack(row), "goes on behind")):
        status, _, body = service.ask(f"/predict?model={SIGNALS}", wrong, **heads)
        assert status == 400 and said in json.loads(body)["error"]
    rows = "".join(",".join(map(str, signal.ravel().tolist())) + "\n" for signal in signals).encode()
    table = {"Content_Type": "text/csv", "Content_Encoding": packed}
    assert service.ask(f"/predict?model={SIGNALS}&name=a.csv", pack(rows)[:-9], **table)[0] == 400
    assert service.ask(f"/predict?model={SIGNALS}", row, **heads | {"Content_Encoding": "br"})[0] == 415


def test_parameters_that_mean_nothing_get_a_sentence(service, pictures):
    body, kind = form(("one.png", pictures[0][0]))
    for path, said in (("/predict?model=x&tpo=2", "Did you mean 'top'"), ("/explain?clas=Bag", "Did you mean 'class'")):
        status, _, found = service.ask(path, body, Content_Type=kind)
        assert status == 400 and said in json.loads(found)["error"]


def test_what_was_guessed_of_a_table_is_in_the_answer(service, signals):
    rows = "\n".join(",".join([str(1 + at % 2), *map(repr, row[0].tolist())]) for at, row in enumerate(signals))
    status, _, found = service.ask(f"/predict?model={SIGNALS}&name=mine.csv", rows.encode(), Content_Type="text/csv")
    (said,) = json.loads(found)["predictions"][0]["warnings"][:1]
    assert status == 200 and "first cell of each row is taken for its label" in said and "/temporary/" not in said
    assert "/temporary/" not in service.said()


def test_the_page_is_made_again_where_it_was_cleaned_away(service):
    import shutil

    assert service.ask("/")[0] == 200
    pages = list((service.log.parent / "temporary").rglob("*.html"))
    assert len(pages) == 1
    shutil.rmtree(pages[0].parent)
    pages[0].parent.mkdir()
    assert service.ask("/")[0] == 200
