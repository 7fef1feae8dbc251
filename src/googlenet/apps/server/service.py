"""What is served, and a request within limits: of bytes, of seconds, of examples that wait."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from anyio import CapacityLimiter
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from ...data.parallel import available_cores
from ...data.protocol import Example
from ...errors import InputError, unknown
from ...limits import FORM_FILES
from .batching import Answer, Full
from .metrics import Metrics
from .models import Loaded, Models, Served
from .people.explaining import Explanations
from .people.files import SUFFIXES, Sent
from .people.front import Front


class Gone(Exception):
    """Nobody waits for the answer any longer."""


@dataclass
class Service:
    """What the application serves, and how much it bears.

    Attributes:
        models: By name.
        metrics: Of it.
        max_body: Bytes of a request.
        timeout: Seconds that a request may take.
        token: That requests must bring; empty if none is wanted.
        origin: Of pages elsewhere that may ask; empty if none may.
        draining: Whether it is about to end: it answers, and says that it is not ready.
    """

    models: Models
    metrics: Metrics
    max_body: int
    timeout: float
    token: str = ""
    origin: str = ""
    draining: bool = False
    explanations: Explanations = field(default_factory=Explanations)
    front: Front = field(default_factory=Front)
    reading: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(available_cores()))  # of files


# Ways to pack a body, and what unpacks it.
UNPACK: Mapping[str, Callable[[], Any]] = {
    "identity": lambda: None,
    "gzip": lambda: zlib.decompressobj(31),
    "deflate": lambda: zlib.decompressobj(15),
}


def admit(served: Served) -> None:
    """Raises Full before a body is read for which there would be no room."""
    if served.batcher.waiting >= served.batcher.most:
        raise Full


async def _parts(service: Service, request: Request) -> AsyncGenerator[bytes, None]:
    """A body, part by part, unpacked, that is not too large."""
    said, packed = request.headers.get("content-length", ""), request.headers.get("content-encoding", "identity")
    if packed not in UNPACK:
        raise HTTPException(415, f"The body is packed as {packed[:40]!r}; send it as gzip, as deflate, or as it is.")
    if said.isdigit() and int(said) > service.max_body:
        raise _too_large(service)
    unpack, size = UNPACK[packed](), 0
    async for part in request.stream():
        try:
            found = part if unpack is None else unpack.decompress(part, service.max_body + 1 - size)
        except zlib.error as error:
            raise InputError(f"The body is no {packed}: {error}.") from error
        size += len(found)
        if size > service.max_body:
            raise _too_large(service)
        yield found
    if unpack is not None and (not unpack.eof or unpack.unused_data):
        where = "goes on behind" if unpack.eof else "ends within"
        raise InputError(f"The body {where} its {packed}; send it whole, packed in one piece.")
    request.state.whole = True


def _too_large(service: Service) -> HTTPException:
    said = f"The request is larger than {service.max_body:,} bytes; send less at once (--max-body allows more)."
    return HTTPException(413, said)


async def body_of(service: Service, request: Request) -> bytes:
    """A body that is not too large. Raises the answer for one that is."""
    return b"".join([part async for part in _parts(service, request)])


def media_type(request: Request) -> str:
    """Of a body, lower case, without what it says further."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def sent_in(service: Service, request: Request) -> list[Sent]:
    """The files of a form, or the body as one."""
    if media_type(request) != "multipart/form-data":
        name = request.query_params.get("name") or "input" + SUFFIXES.get(media_type(request), "")
        body = await body_of(service, request)
        if not body:
            raise InputError("The body is empty; send a file, or a form with files.")
        return [Sent.of(name, body)]
    parser = MultiPartParser(request.headers, _parts(service, request), max_files=FORM_FILES, max_fields=FORM_FILES)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError, LookupError) as error:
        raise InputError(f"The form cannot be read: {error}.") from error
    found = [
        Sent.of(part.filename or "input", await part.read())
        for _, part in form.multi_items()
        if isinstance(part, UploadFile)
    ]
    await form.close()
    if not found:
        raise InputError("The form holds no file.")
    return found


def check_query(request: Request, *known: str) -> None:
    """Raises InputError for what is asked for by a name that means nothing here.

    Args:
        request: It.
        *known: Names that mean something.
    """
    for name in request.query_params:
        if name not in known:
            raise unknown("parameter", name, known)


def top_of(request: Request) -> int:
    """How many labels are asked for. Raises InputError for what is no number of them."""
    text = request.query_params.get("top", "5")
    if not text.isascii() or not text.isdigit() or not int(text[:9]) >= 1 or len(text) > 9:
        raise InputError(f"top is a whole number from 1, not {text[:40]!r}.")
    return int(text)


async def answers_to(
    service: Service, request: Request, served: Served, loaded: Loaded, examples: Sequence[Example]
) -> list[Answer]:
    """What a model says of examples, for as long as somebody waits for it.

    Args:
        service: That was asked.
        request: It.
        served: The model.
        loaded: The version of it that answers.
        examples: Of the request.

    Raises:
        Full: If there is no room for them now.
        InputError: If there is none, or there are more than may ever wait.
        Gone: If nobody waits any longer.
    """
    if not examples:
        raise InputError("There is no example in the request.")
    answers = await _unless_gone(request, served.batcher.submit(loaded.predictor, examples))
    service.metrics.examples.labels(served.source.name).inc(len(answers))
    return answers


async def _unless_gone(request: Request, future: Future[list[Answer]]) -> list[Answer]:
    """What a future brings; it is cancelled where the client has gone, or the time is over."""
    answer = asyncio.wrap_future(future)
    gone = asyncio.ensure_future(_disconnected(request))
    waiting: set[asyncio.Future[Any]] = {answer, gone}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise Gone
        return answer.result()
    finally:
        gone.cancel()
        if not answer.done():
            answer.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
