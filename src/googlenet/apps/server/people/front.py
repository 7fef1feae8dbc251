"""What a browser is shown: the page with the served run in it, which asks the service; else a form."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, HTMLResponse, Response

from ....errors import InputError
from ..models import Models, Served, has_insides

FACTS = '<script type="application/json" id="facts">'  # in front of which the page is told of a service
ALONE, HERE = "connect-src 'none'", "connect-src 'self'"  # whom it may ask
FORM = Markup(
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>googlenet</title><style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;"
    "padding:0 1rem;color:#1c2330}}form{{border-top:1px solid #d0d5dd;padding:1rem 0}}</style><h1>googlenet serve</h1>"
    "{0}<p>For programs: <a href=docs>docs</a>, <a href=openapi.json>openapi.json</a>, <a href=metrics>metrics</a>.</p>"
    "<p>{1}</p>"
)
MODEL = Markup(
    '<form action="predict?model={0}" method="post" enctype="multipart/form-data"><h2>{0}</h2>'
    '<p>{1}, {2} classes: {3}</p><p><input type=file name=file aria-label="Files for {0}" multiple required> '
    "<button>Label</button></p></form>"
)


class Front:
    """The page, made when it is first asked for and kept until the models change."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="googlenet-")
        self._made: dict[str, asyncio.Future[Path]] = {}

    async def response(self, models: Models) -> Response:
        """The page with the first run that can stand on it; where there is none, a form, and why.

        Args:
            models: That are served.
        """
        key = "-".join(each.loaded.version for each in models)
        made = self._made.get(key)
        if made is None or (made.done() and (made.exception() is not None or not made.result().exists())):
            self._made = {key: asyncio.ensure_future(run_in_threadpool(self._write, models, key))}
        try:  # who asked first may not wait for it, and others do
            path = await asyncio.shield(self._made[key])
        except InputError as error:
            return HTMLResponse(_form(models, str(error)))
        return FileResponse(path, media_type="text/html; charset=utf-8")

    def _write(self, models: Models, key: str) -> Path:
        if find_spec("torch") is None:
            raise InputError("The page that looks inside is made with PyTorch, which is not installed here.")
        from ...page.job import page_job

        path = Path(self._folder.name, f"{key}.html")
        page_job(_shown(models), path)
        told = json.dumps(list(map(_told, models)), ensure_ascii=False).replace("<", "\\u003c")
        page = path.read_text(encoding="utf-8").replace(ALONE, HERE, 1)
        told = f'<script type="application/json" id="service">{told}</script>'
        path.write_text(page.replace(FACTS, told + FACTS, 1), encoding="utf-8")
        return path


def _shown(models: Models) -> str | None:
    """The run whose network the page brings: the first that has its insides and is for pictures or signals."""
    for served in models:
        if has_insides(served.source.run) and served.loaded.predictor.preprocessing.kind in ("picture", "signal"):
            return served.source.run
    return None


def _told(served: Served) -> dict[str, object]:
    return {
        "name": served.source.name,
        "kind": served.loaded.predictor.preprocessing.kind,
        "explains": has_insides(served.source.run),
    }


def _form(models: Iterable[Served], why: str) -> str:
    rows: list[Markup] = []
    for served in models:
        predictor = served.loaded.predictor
        first = ", ".join(predictor.classes[:12]) + (", …" if len(predictor.classes) > 12 else "")
        rows.append(MODEL.format(served.source.name, predictor.preprocessing.kind + "s", len(predictor.classes), first))
    return FORM.format(Markup("").join(rows), why)
