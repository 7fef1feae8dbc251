"""What docs/serve.md says, done: its client, its words for curl, and that its examples are whole."""

import json
import re
import shutil
import subprocess

import pytest

from documents import REPOSITORY, blocks, words_of
from googlenet.apps.server.people.files import SUFFIXES
from serving import SETTING

DOCUMENT = REPOSITORY / "docs" / "serve.md"
SERVED = {"demo": "fashion_mnist", "ecg": "signals"}  # by the document, and by the test's service


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """What the document's commands are given."""
    import base64

    from googlenet.apps.page.examples import shipped_pictures

    for name, row in zip(("shoe.png", "bag.jpg"), shipped_pictures(), strict=False):
        (tmp_path / name).write_bytes(base64.b64decode(row["png"]))
    (tmp_path / "new.csv").write_text("\n".join(",".join(str((at * row) % 7) for at in range(150)) for row in (1, 2)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def adapted(text, service):
    for name, own in SERVED.items():
        text = text.replace(f"model={name}", f"model={own}").replace(f'"{name}"', f'"{own}"')
    return text.replace("127.0.0.1:8000", service.url.removeprefix("http://"))


def curls():
    return [line for _, text in blocks(DOCUMENT) for line in text.splitlines() if line.startswith("curl ")]


def test_there_are_words_for_curl():
    assert len(curls()) == 4


@pytest.mark.parametrize("line", curls())
def test_curl_gets_an_answer(line, service, desk):
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    words = words_of(adapted(line, service).replace("0.1, 0.2, null, 0.4", ", ".join(["0.1", "0.2", "null"] * 50)))
    done = subprocess.run([*words, "-sS", "--max-time", "300"], capture_output=True, check=False, env=SETTING)
    assert done.returncode == 0, done.stderr
    if "/explain" in line:
        assert done.stdout.startswith(b"\x89PNG"), done.stdout[:300]
    else:
        answer = json.loads(done.stdout)
        assert answer["predictions"][0]["label"]


def test_the_client_of_the_document_gets_an_answer(service, desk):
    pytest.importorskip("tritonclient.http")
    (code,) = [text for language, text in blocks(DOCUMENT) if language == "text" and "tritonclient" in text]
    *lines, last = adapted(code, service).strip().splitlines()
    names = {}
    exec("\n".join([*lines, f"found = {last}"]), names)
    assert names["found"].shape == (1, 10)


def test_the_image_brings_what_the_service_imports():
    """The packages of the Dockerfile are those of pyproject.toml with their floors, without what trains."""
    text = (REPOSITORY / "examples" / "Dockerfile").read_text()
    project = (REPOSITORY / "pyproject.toml").read_text()
    packages = re.findall(r'"([\w-]+>=[\d.]+)"', text)
    assert len(packages) > 8
    assert [package for package in packages if f'"{package}"' not in project] == []
    assert "torch" not in text.replace("PyTorch", "") and re.search(r"^USER \d+$", text, re.MULTILINE)


def test_kserves_probes_and_arguments_are_the_services():
    yaml = (REPOSITORY / "examples" / "kserve.yaml").read_text()
    for path in re.findall(r"path: (\S+),", yaml):
        assert path in ("/v2/health/ready", "/v2/health/live")
    assert "kind: InferenceService" in yaml and "containerPort: 8000" in yaml


def test_files_without_a_name_are_told_by_their_type():
    assert SUFFIXES["text/csv"] == ".csv"
