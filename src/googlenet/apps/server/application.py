"""The application: addresses, who may ask, and what is said where there is no answer."""

from __future__ import annotations

import asyncio
import base64
import hmac
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...errors import InputError
from . import handlers
from .batching import Full, TooMany
from .models import Unknown
from .service import Gone, Service

AGAIN = {"Retry-After": "1"}
Handler = Callable[[Service, Request], Awaitable[Response]]
OPEN = ("/v2/health/live", "/v2/health/ready")  # without a token: for what watches over the service


def application(service: Service) -> Starlette:
    """The ASGI application.

    Args:
        service: What it serves.
    """
    middleware = []
    if service.origin:
        middleware = [
            Middleware(CORSMiddleware, allow_origins=[service.origin], allow_methods=["*"], allow_headers=["*"])
        ]
    return Starlette(
        routes=[_route(service, *row) for row in ROUTES],
        middleware=middleware,
        exception_handlers={HTTPException: _refused},
    )


def _route(service: Service, path: str, method: str, handler: Handler) -> Route:
    name = path.replace("/versions/{version}", "")

    async def answer(request: Request) -> Response:
        began = time.monotonic()
        response = await _guarded(service, request, handler, began)
        model = str(request.path_params.get("model") or request.query_params.get("model") or "")
        known = model if model in service.models else ""
        service.metrics.requests.labels(name, known, str(response.status_code)).inc()
        service.metrics.seconds.labels(name, known).observe(time.monotonic() - began)
        if service.draining:
            response.headers["Connection"] = "close"
        return response

    return Route(path, answer, methods=[method])


async def _guarded(service: Service, request: Request, handler: Handler, began: float) -> Response:
    """The answer of a handler, or what is to be said in its place."""
    if service.token and request.url.path not in OPEN and not _knows(service.token, request):
        return error(
            401,
            "The request brings no token, or another: send it as Authorization: Bearer TOKEN.",
            {"WWW-Authenticate": 'Basic realm="googlenet", charset="UTF-8"'},
        )
    try:
        async with asyncio.timeout(service.timeout):
            return await handler(service, request)
    except Unknown as unknown:
        return error(404, str(unknown))
    except TooMany as many:
        return error(413, str(many))
    except InputError as wrong:
        return error(400, str(wrong))
    except HTTPException as refused:
        return error(refused.status_code, refused.detail, refused.headers)
    except Full:
        return error(503, "As many examples wait as may; try again in a moment.", AGAIN)
    except TimeoutError:
        if request.method == "POST" and not getattr(request.state, "whole", False):
            return error(
                408, f"The request did not come whole within {service.timeout:g} seconds.", {"Connection": "close"}
            )
        return error(503, f"The answer was not there within {service.timeout:g} seconds; try again later.", AGAIN)
    except Gone:
        return Response(status_code=499)  # which nobody sees
    except Exception:  # a fault of the program's own, which is to be seen where it runs
        traceback.print_exc()
        return error(500, "The service failed at this request; what it says where it runs tells more.")


def _knows(token: str, request: Request) -> bool:
    """Whether a request brings the token: as a bearer's, or, from a browser that asked for it, as a password."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[2]
        except ValueError:
            return False
    elif kind.lower() != "bearer":
        return False
    sent = given.strip().encode("latin-1", "replace") if kind.lower() == "bearer" else given.encode()
    return hmac.compare_digest(sent, token.encode())


def error(code: int, said: str, headers: Any = None) -> JSONResponse:
    """What went wrong, as the protocol has it.

    Args:
        code: Of HTTP.
        said: The sentence.
        headers: Further ones.
    """
    return JSONResponse({"error": said}, code, headers)


async def _refused(request: Request, refused: Exception) -> Response:
    """Of addresses that there are not, and methods that they do not have."""
    assert isinstance(refused, HTTPException)
    said = {
        404: f"There is nothing at {request.url.path[:200]}; /docs says what there is.",
        405: f"There is no {request.method} at {request.url.path[:200]}; /docs says what there is.",
    }
    return error(refused.status_code, said.get(refused.status_code, refused.detail), refused.headers)


_V2, _MODEL = "/v2", "/v2/models/{model}"
_VERSION = f"{_MODEL}/versions/{{version}}"
ROUTES: Sequence[tuple[str, str, Handler]] = (
    ("/", "GET", handlers.front),
    ("/predict", "POST", handlers.predict),
    ("/explain", "POST", handlers.explain),
    ("/metrics", "GET", handlers.metrics),
    ("/openapi.json", "GET", handlers.api),
    ("/docs", "GET", handlers.docs),
    (_V2, "GET", handlers.server),
    (f"{_V2}/", "GET", handlers.server),
    (f"{_V2}/health/live", "GET", handlers.live),
    (f"{_V2}/health/ready", "GET", handlers.ready),
    *(
        (f"{path}{end}", method, handler)
        for path in (_MODEL, _VERSION)
        for end, method, handler in (
            ("", "GET", handlers.model),
            ("/ready", "GET", handlers.model_ready),
            ("/infer", "POST", handlers.infer),
        )
    ),
)
