"""The page as a service serves it, in a browser: it asks the service, and nobody else."""

import io

import numpy as np
import pytest
from PIL import Image

import googlenet
from browser import Browser, missing

STATUS = "document.querySelector('.service .status')"


@pytest.fixture(scope="module")
def front(service):
    if reason := missing():
        pytest.skip(reason)
    browser = Browser(service.url + "/")
    browser.open()
    yield browser
    browser.close()


def test_a_picture_is_answered_by_the_service_as_well(front, service, tmp_path):
    path = tmp_path / "one.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (28, 28), np.uint8)).save(path)
    assert "also sent to the service" in front.evaluate("() => document.querySelector('#own .prose').innerText")
    models = front.evaluate("() => [...document.querySelectorAll('#service-model option')].map((one) => one.value)")
    assert models == ["fashion_mnist", "signals", "gunpoint"]
    front.do("page", "setInputFiles", "#file", str(path))
    assert front.becomes(f"() => {STATUS}.innerText.includes('one.png')")
    label = front.evaluate("() => document.querySelector('.service .answers .label').innerText")
    assert label == googlenet.load("fashion_mnist", engine="torch").predict(str(path))[0].label
    front.do("page", "click", ".service button")
    assert front.becomes("() => document.querySelector('.service .map').naturalWidth > 500")
    front.do("page", "selectOption", "#service-model", "gunpoint")
    assert front.becomes(f"() => {STATUS}.classList.contains('wrong')")
    assert front.evaluate("() => document.querySelector('.service button').disabled")
    heard = front.heard()
    hosts = {url.split("/")[2] for url in heard["requests"] if url.startswith("http")}
    assert hosts == {service.url.split("/")[2]}
    assert [said for said in heard["errors"] if "400" not in said] == []


def test_words_from_a_file_are_no_markup(front, tmp_path):
    path = tmp_path / "<img src=x onerror=alert(1)>.png"
    content = io.BytesIO()
    Image.new("L", (28, 28), 90).save(content, "PNG")
    path.write_bytes(content.getvalue())
    front.do("page", "selectOption", "#service-model", "fashion_mnist")
    front.do("page", "setInputFiles", "#file", str(path))
    assert front.becomes(f"() => {STATUS}.innerText.includes('onerror')")
    assert front.evaluate(f"() => {STATUS}.querySelector('img')") is None
