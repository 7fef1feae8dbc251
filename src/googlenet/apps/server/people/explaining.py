"""Explanations for people: a map of what decided, drawn or in numbers, one at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from ....errors import InputError, unknown
from ..batching import Full, doubts
from ..models import Served, has_insides
from .files import Sent, files, without_places

if TYPE_CHECKING:
    from ....explain.explainer import Explainer

WAITING = 4  # requests that may wait for the one that is explained
MEDIA: Mapping[str, str] = {"png": "image/png", "svg": "image/svg+xml", "json": "application/json"}


class Explanations:
    """What explains the models of a service; loaded when first asked, and one request at a time."""

    def __init__(self) -> None:
        self._explainers: dict[tuple[str, str], Explainer] = {}
        self._turn = asyncio.Lock()
        self._asked = 0

    async def of(self, served: Served, sent: Sent, asked: Mapping[str, str]) -> tuple[bytes, str]:
        """An explanation of the one example of a file.

        Args:
            served: The model.
            sent: The file.
            asked: ``method``, ``class``, ``against``, ``at`` as of ``googlenet explain``, and ``format``.

        Returns:
            It, and its content type.

        Raises:
            InputError: If there is none, as for exported models.
            Full: If too many wait already.
        """
        form = asked.get("format", "png")
        if form not in MEDIA:
            raise unknown("format", form, MEDIA)
        if not has_insides(served.source.run):
            raise InputError(
                f"{served.source.name} is an exported model, and its insides are gone; serve the run to have it "
                "explained."
            )
        served.check_unchanged()
        if self._asked > WAITING:
            raise Full
        self._asked += 1
        try:
            async with self._turn:
                return await run_in_threadpool(self._made, served, sent, dict(asked), form), MEDIA[form]
        finally:
            self._asked -= 1

    def _made(self, served: Served, sent: Sent, asked: Mapping[str, str], form: str) -> bytes:
        from ....data.protocol import Example
        from ....explain.figures import check_installed, drawn
        from ...inside.explanations import ABLATION, NEAREST, Wanted, each_explained

        wanted = Wanted(asked.get("method", "cam"), asked.get("class"), asked.get("against"), asked.get("at"))
        if wanted.method in (ABLATION, NEAREST):
            raise InputError(f"{wanted.method} looks at a whole set: googlenet explain does that.")
        wanted.check([sent.name], None)
        with files([sent]) as paths, doubts() as heard:
            records = [*each_explained(self._explainer(served), [str(paths[0])], wanted)]
            if len(records) != 1:
                raise InputError(f"{sent.name} holds {len(records)} examples, and one is explained at a time.")
            (record,) = records
            if isinstance(record, Example):
                raise InputError(f"{sent.name} cannot be read: {str(record.error).replace(str(paths[0]), sent.name)}")
        record = replace(record, input=sent.name)
        if form == "json":
            row = record.to_dict() | ({"warnings": without_places(heard)} if heard else {})
            return json.dumps(row, ensure_ascii=False).encode()
        check_installed()
        return drawn(record.figure(), form)

    def _explainer(self, served: Served) -> Explainer:
        """Of the model in its version; those of versions before are dropped."""
        from ....explain.explainer import Explainer

        key = served.source.name, served.loaded.version
        if key not in self._explainers:
            found = Explainer(served.source.run)
            self._explainers = {each: kept for each, kept in self._explainers.items() if each[0] != key[0]} | {
                key: found
            }
        return self._explainers[key]
