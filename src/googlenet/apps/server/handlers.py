"""What answers each address: the protocol's, and people's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from threading import Event

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from ...data.protocol import Example
from ...errors import InputError
from .batching import doubts
from .documents import documents, openapi
from .models import Loaded, Served
from .people.files import examples_of as examples_of_files
from .people.files import examples_of_json, rows
from .protocol.inference import examples_of, model_metadata, reply, server_metadata
from .protocol.tensors import HEADER_LENGTH, read_request
from .service import Service, admit, answers_to, body_of, check_query, media_type, sent_in, top_of

INLINE = 1 << 16  # bytes of a body that is parsed without another thread


# ------------------------------------------------------------------------------------------------ the protocol
async def live(service: Service, request: Request) -> Response:
    """Whether the process answers."""
    return JSONResponse({"live": True})


async def ready(service: Service, request: Request) -> Response:
    """Whether all models answer; the specification's example of it has ``live`` in this place, which is there too."""
    here = not service.draining
    return JSONResponse({"ready": here, "live": True}, 200 if here else 503)


async def server(service: Service, request: Request) -> Response:
    """What the server is."""
    return JSONResponse(server_metadata())


def _asked(service: Service, request: Request) -> tuple[Served, Loaded]:
    """The model in the address."""
    model = request.path_params.get("model", request.query_params.get("model"))
    return service.models.find(model, request.path_params.get("version"))


async def model_ready(service: Service, request: Request) -> Response:
    """Whether a model answers."""
    served, _ = _asked(service, request)
    here = not service.draining
    return JSONResponse({"name": served.source.name, "ready": here}, 200 if here else 503)


async def model(service: Service, request: Request) -> Response:
    """What a model reads and gives."""
    served, loaded = _asked(service, request)
    return JSONResponse(model_metadata(served.source.name, loaded))


async def infer(service: Service, request: Request) -> Response:
    """Inference as the protocol has it."""
    served, loaded = _asked(service, request)
    admit(served)
    body = await body_of(service, request)
    length = request.headers.get(HEADER_LENGTH)
    asked = read_request(body, length) if len(body) < INLINE else await run_in_threadpool(read_request, body, length)
    served.batcher.check(asked.most)
    examples = examples_of(asked, loaded.predictor.preprocessing)
    answers = await answers_to(service, request, served, loaded, examples)
    sent = reply(served.source.name, loaded, asked, answers)
    if not sent.tensors:
        return Response(sent.body, media_type="application/json")
    headers = {HEADER_LENGTH: str(len(sent.head))}
    return Response(sent.body, media_type="application/octet-stream", headers=headers)


# ------------------------------------------------------------------------------------------------ people
async def predict(service: Service, request: Request) -> Response:
    """Labels of files, of rows of tables, or of numbers in JSON."""
    check_query(request, "model", "top", "name")
    served, loaded = _asked(service, request)
    top = top_of(request)
    admit(served)
    preprocessing, most = loaded.predictor.preprocessing, served.batcher.most
    if media_type(request) == "application/json":
        reading = partial(examples_of_json, await body_of(service, request), preprocessing, most)
    else:
        reading = partial(examples_of_files, await sent_in(service, request), preprocessing, most)
    examples, doubted = await _read(service, reading)
    served.batcher.check(len(examples))
    answers = await answers_to(service, request, served, loaded, examples)
    found = rows(answers, loaded.predictor.classes, top, doubted)
    body = {"model": served.source.name, "version": loaded.version, "predictions": found}
    if all("error" in row for row in found):
        first = found[0]
        return JSONResponse(body | {"error": f"{first['input']} cannot be read: {first['error']}"}, 400)
    return JSONResponse(body)


async def _read(service: Service, reading: Callable[[], list[Example]]) -> tuple[list[Example], list[str]]:
    """:func:`_with_doubts` in a thread, of which there are as many as cores: one counts until it is done, also where
    nobody waits for it any longer."""
    place, loop = object(), asyncio.get_running_loop()
    begun, held = Event(), True

    def release() -> None:
        nonlocal held
        if held:
            held = False
            service.reading.release_on_behalf_of(place)

    def work() -> tuple[list[Example], list[str]]:
        begun.set()
        try:
            return _with_doubts(reading)
        finally:
            loop.call_soon_threadsafe(release)

    await service.reading.acquire_on_behalf_of(place)
    try:
        return await run_sync(work, limiter=CapacityLimiter(1), abandon_on_cancel=True)
    finally:
        if not begun.is_set():
            release()


def _with_doubts(reading: Callable[[], list[Example]]) -> tuple[list[Example], list[str]]:
    """Examples, and what there is to doubt of how all of them were read."""
    with doubts() as heard:
        return reading(), heard


async def explain(service: Service, request: Request) -> Response:
    """What decided for a label: a figure, or numbers."""
    check_query(request, "model", "method", "class", "against", "at", "format", "name")
    served, _ = _asked(service, request)
    sent = await sent_in(service, request)
    if len(sent) != 1:
        raise InputError(f"One file is explained at a time, and {len(sent)} came.")
    content, media = await service.explanations.of(served, sent[0], request.query_params)
    return Response(content, media_type=media)


async def front(service: Service, request: Request) -> Response:
    """The page."""
    return await service.front.response(service.models)


async def metrics(service: Service, request: Request) -> Response:
    """For Prometheus."""
    text, media = service.metrics.text()
    return Response(text, media_type=media)


async def api(service: Service, request: Request) -> Response:
    """This interface, in the words of OpenAPI."""
    return JSONResponse(openapi(service.models.names))


async def docs(service: Service, request: Request) -> Response:
    """The same for people."""
    return HTMLResponse(documents(service.models.names))
