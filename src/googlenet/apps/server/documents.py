"""The interface in the words of OpenAPI, and the same as a page that loads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ..._version import __version__

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}


def _object(required: str, **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": required.split()}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _named(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_TENSOR = {"name": TEXT, "datatype": TEXT, "shape": _list({"type": "integer"})}
_PARAMETERS: Schema = {"type": "object"}
_DATA: Schema = {"type": "array", "items": {"anyOf": [{"type": ["array", "number", "string", "boolean", "null"]}]}}
SCHEMAS: Mapping[str, Schema] = {
    "error": _object("error", error=TEXT),
    "live": _object("live", live={"type": "boolean"}),
    "ready": _object("ready live", ready={"type": "boolean"}, live={"type": "boolean"}),
    "model_ready": _object("name ready", name=TEXT, ready={"type": "boolean"}),
    "server": _object("name version extensions", name=TEXT, version=TEXT, extensions=_list(TEXT)),
    "tensor": _object("name datatype shape", **_TENSOR),
    "model": _object(
        "name versions platform inputs outputs",
        name=TEXT,
        versions=_list(TEXT),
        platform=TEXT,
        inputs=_list(_named("tensor")),
        outputs=_list(_named("tensor")),
    ),
    "inference_request": _object(
        "inputs",
        id=TEXT,
        parameters=_PARAMETERS,
        inputs=_list(_object("name datatype shape", **_TENSOR, parameters=_PARAMETERS, data=_DATA)),
        outputs=_list(_object("name", name=TEXT, parameters=_PARAMETERS)),
    ),
    "inference_response": _object(
        "model_name outputs",
        model_name=TEXT,
        model_version=TEXT,
        id=TEXT,
        parameters=_PARAMETERS,
        outputs=_list(_object("name datatype shape", **_TENSOR, parameters=_PARAMETERS, data=_DATA)),
    ),
    "prediction": _object(
        "input",
        input=TEXT,
        label=TEXT,
        probability=NUMBER,
        top=_list(_object("label probability", label=TEXT, probability=NUMBER)),
        error=TEXT,
        taken_for=TEXT,
        warnings=_list(TEXT),
    ),
    "predictions": _object(
        "model version predictions",
        model=TEXT,
        version=TEXT,
        predictions=_list(_named("prediction")),
        error=TEXT,
    ),
}
_ANY_FILE = {"schema": {"type": "string", "format": "binary"}}
_FORM = {"multipart/form-data": {"schema": _object("file", file=_list({"type": "string", "format": "binary"}))}}
_SAID: Mapping[str, str] = {
    "400": "What was sent cannot be used; the sentence says why.",
    "401": "The token is missing.",
    "404": "There is no model of that name, or no such version.",
    "413": "It is larger, or holds more examples, than this service takes at once.",
    "503": "As many examples wait as may, or it is about to end; Retry-After says when to try again.",
}


def _answers(schema: str, media: str = "application/json", *codes: str) -> Schema:
    found = {
        "200": {"description": "The answer.", "content": {media: {"schema": _named(schema)} if schema else _ANY_FILE}}
    }
    for code in codes:
        content = {"application/json": {"schema": _named("error")}}
        found[code] = {"description": _SAID[code], "content": content}
    return found


def _get(said: str, schema: str, *codes: str) -> Schema:
    return {"get": {"summary": said, "responses": _answers(schema, "application/json", *codes, "401")}}


_ALL = ("400", "401", "404", "413", "503")
_INFER = {
    "post": {
        "summary": "Inference: a tensor of examples in, probabilities and labels out.",
        "description": "Tensors may follow the JSON as bytes (Inference-Header-Content-Length). In it BYTES are base64",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _named("inference_request")}},
        },
        "responses": _answers("inference_response", "application/json", *_ALL),
    }
}
_PREDICT = {
    "post": {
        "summary": "Labels of pictures, of the rows of tables of signals, or of numbers.",
        "description": 'A form with files, one file, or JSON: {"inputs": […]}, lists of numbers or files in base64.',
        "parameters": [
            {"name": "top", "in": "query", "schema": {"type": "integer", "minimum": 1, "default": 5}},
            {"name": "name", "in": "query", "schema": TEXT, "description": "Of a file that is sent as it is."},
        ],
        "requestBody": {
            "required": True,
            "content": _FORM
            | {"application/json": {"schema": _object("inputs", inputs={"type": "array", "minItems": 1})}}
            | {"text/csv": {"schema": TEXT}, "application/octet-stream": _ANY_FILE},
        },
        "responses": _answers("predictions", "application/json", *_ALL),
    }
}
_EXPLAIN = {
    "post": {
        "summary": "What decided for a label: a map over the input, or what passes through each branch.",
        "parameters": [
            {
                "name": "method",
                "in": "query",
                "schema": TEXT | {"default": "cam"},
                "description": "As of googlenet explain.",
            },
            {
                "name": "class",
                "in": "query",
                "schema": TEXT,
                "description": "To explain; by default the most probable.",
            },
            {"name": "against", "in": "query", "schema": TEXT, "description": "A class to hold it against."},
            {"name": "at", "in": "query", "schema": TEXT, "description": "A place inside, such as 4a or 4a.5x5."},
            {"name": "format", "in": "query", "schema": {"enum": ["png", "svg", "json"], "default": "png"}},
        ],
        "requestBody": {"required": True, "content": _FORM | {"application/octet-stream": _ANY_FILE}},
        "responses": _answers("", "image/png", *_ALL)
        | {
            "200": {
                "description": "A figure, or numbers.",
                "content": {
                    "image/png": _ANY_FILE,
                    "image/svg+xml": _ANY_FILE,
                    "application/json": {"schema": {"type": "object"}},
                },
            }
        },
    }
}


def openapi(models: Sequence[str]) -> Schema:
    """The document.

    Args:
        models: Names of those that are served.
    """
    one: Schema = TEXT | {"enum": list(models)}
    paths: dict[str, Schema] = {
        "/predict": _of_a_model(_PREDICT, one),
        "/explain": _of_a_model(_EXPLAIN, one),
        "/v2": _get("What the server is.", "server"),
        "/v2/health/live": _get("Whether the process answers.", "live"),
        "/v2/health/ready": _get("Whether all models answer.", "ready"),
    }
    model = {"name": "model", "in": "path", "required": True, "schema": one}
    version = {"name": "version", "in": "path", "required": True, "schema": TEXT | {"example": "1"}}
    for base, given in (("/v2/models/{model}", [model]), ("/v2/models/{model}/versions/{version}", [model, version])):
        for end, what in (
            ("", _get("What a model reads and gives.", "model", "404")),
            ("/ready", _get("Whether a model answers.", "model_ready", "404", "503")),
            ("/infer", _INFER),
        ):
            paths[base + end] = {"parameters": given} | what
    paths["/v2/health/ready"]["get"]["responses"]["503"] = {
        "description": "It is about to end.",
        "content": {"application/json": {"schema": _named("ready")}},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "googlenet",
            "version": __version__,
            "description": "Open Inference Protocol v2 below /v2; for people /predict and /explain.",
        },
        "paths": paths,
        "components": {"schemas": dict(SCHEMAS), "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{}, {"token": []}],
    }


_PAGE = Markup(
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>googlenet: interface</title><style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem "
    "auto;padding:0 1rem;color:#1c2330}}code{{background:#f2f4f7;padding:0 .2em;overflow-wrap:anywhere}}h2{{font-size:"
    "1.1rem;border-top:1px solid #d0d5dd;padding-top:1rem}}dt{{margin-top:.4rem}}</style><h1>googlenet {0}</h1>"
    "<p>{1} <a href=openapi.json>openapi.json</a> says the same for programs.</p>{2}"
)


def _of_a_model(row: Schema, one: Schema) -> Schema:
    """A path for people, whose model may be left out where there is one."""
    query = {"name": "model", "in": "query", "schema": one, "description": "Of several models the name of one."}
    return {"post": row["post"] | {"parameters": [query, *row["post"]["parameters"]]}}


def documents(models: Sequence[str]) -> str:
    """The document as a page.

    Args:
        models: As of :func:`openapi`.
    """
    found = openapi(models)
    parts = []
    for path, methods in found["paths"].items():
        for method in ("get", "post"):
            if method in methods:
                parts.append(_described(method, path, methods[method]))
    return _PAGE.format(found["info"]["version"], found["info"]["description"], Markup("").join(parts))


def _described(method: str, path: str, row: Schema) -> Markup:
    """A method of a path, for people."""
    parts = [
        Markup("<h2><code>{} {}</code></h2><p>{} {}</p><dl>").format(
            method.upper(), path, row["summary"], row.get("description", "")
        )
    ]
    for each in row.get("parameters", ()):
        parts.append(Markup("<dt><code>?{}=</code><dd>{}").format(each["name"], each.get("description", "")))
    for media in row.get("requestBody", {}).get("content", ()):
        parts.append(Markup("<dt>takes <code>{}</code>").format(media))
    for code, answer in row["responses"].items():
        parts.append(Markup("<dt><code>{}</code><dd>{}").format(code, answer["description"]))
    return Markup("").join([*parts, Markup("</dl>")])
