"""The OpenAPI document of the API. In: questions. Out: a document for tools and people."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from serving.answers import ARROW, CSV, JSON, PARQUET
from serving.parameters import PARAMETERS, Parameter
from serving.questions import Column, Question

# Paths beside /api/<question>: the question that answers them, and the parameter in the path.
PATHS = {
    "/api/models/compare": ("model_comparison", None),
    "/api/conversions/{id}/explain": ("conversion_explanation", "conversion_id"),
    "/api/waste/{id}": ("waste", "waste_id"),
}
_TYPES: dict[str, dict[str, Any]] = {
    "money": {"type": "integer", "description": "Micros of the org's currency."},
    "count": {"type": "number"},
    "percent": {"type": "number"},
    "ratio": {"type": "number"},
    "number": {"type": "number"},
    "days": {"type": "number"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "description": "UTC."},
    "list": {"type": "array", "items": {"type": "string"}},
}
_OPTIONS: list[dict[str, Any]] = [
    {"name": "org", "description": "The org. Needed if the key sees several.", "schema": {"type": "string"}},
    {"name": "dateRange", "description": "from and to, such as 2026-01-01,2026-01-31.", "schema": {"type": "string"}},
    {"name": "sort", "description": "Columns, separated by commas; a minus descends.", "schema": {"type": "string"}},
    {
        "name": "limit",
        "description": "Rows of a page: at most 10,000 of JSON, by default 100; a file has all rows by default.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 1_000_000},
    },
    {
        "name": "cursor",
        "description": "next_cursor of the last page. It ends with its version: 410.",
        "schema": {"type": "string"},
    },
    {
        "name": "format",
        "description": "Replaces the header Accept.",
        "schema": {"type": "string", "enum": ["json", "csv", "parquet", "arrow"]},
    },
]


def document(questions: Mapping[str, Question]) -> dict[str, Any]:
    """Return the OpenAPI document."""
    paths = {f"/api/{name}": {"get": operation(question, None, name)} for name, question in questions.items()}
    for path, (name, parameter) in PATHS.items():
        if name in questions:
            paths[path] = {"get": operation(questions[name], parameter, path.strip("/").replace("/", "_"))}
    for path, summary in (("/api/meta", "Orgs, parameters and questions"), ("/api/status", "The published versions")):
        response = {"description": summary, "content": {JSON: {"schema": {"type": "object"}}}}
        paths[path] = {"get": {"summary": summary, "operationId": path[5:], "responses": responses(response)}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tributary",
            "version": version("tributary"),
            "description": "Published marts by question. Money is in micros of the org's currency, times are UTC.",
        },
        "security": [{"key": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "tributary keys create"}},
            "schemas": {
                "Problem": {
                    "type": "object",
                    "required": ["title", "status", "detail"],
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "detail": {"type": "string"},
                    },
                }
            },
        },
    }


def operation(question: Question, path_parameter: str | None, identity: str) -> dict[str, Any]:
    """Return the operation of a question. path_parameter: the parameter that the path has as {id}."""
    names = [name for name in question.parameters if name != path_parameter]
    parameters = [{"in": "query", "required": False, **describe(PARAMETERS[name])} for name in names]
    parameters += [{"in": "query", "required": False, **option} for option in _OPTIONS]
    if path_parameter:
        title = PARAMETERS[path_parameter].description
        parameters.insert(
            0, {"in": "path", "name": "id", "required": True, "description": title, "schema": {"type": "string"}}
        )
    answer = {
        "description": question.title,
        "headers": {
            "Tributary-Version": {"schema": {"type": "integer"}, "description": "The published version."},
            "ETag": {"schema": {"type": "string"}, "description": "Send it as If-None-Match."},
        },
        "content": {
            JSON: {"schema": rows_schema(question)},
            **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in (CSV, PARQUET, ARROW)},
        },
    }
    return {
        "summary": question.title,
        "description": question.description,
        "operationId": identity,
        "parameters": parameters,
        "responses": responses(answer),
    }


def describe(parameter: Parameter) -> dict[str, Any]:
    """Return a parameter of the query string."""
    schema: dict[str, Any] = {"type": "string"}
    if parameter.kind == "date":
        schema["format"] = "date"
    elif parameter.kind == "integer":
        schema = {"type": "integer", "minimum": 1}
    elif parameter.kind == "money":
        schema = {"type": "number", "minimum": 0}
    elif isinstance(parameter.choices, tuple) and parameter.choices:
        schema["enum"] = list(parameter.choices)
    aliases = f" Also as {', '.join(parameter.aliases)}." if parameter.aliases else ""
    return {"name": parameter.name, "description": parameter.description + aliases, "schema": schema}


def rows_schema(question: Question) -> dict[str, Any]:
    """Return the schema of a question's JSON."""
    columns = {name: column_schema(column) for name, column in question.columns.items()}
    return {
        "type": "object",
        "required": ["question", "org", "version", "currency", "rows", "next_cursor"],
        "properties": {
            "question": {"type": "string"},
            "org": {"type": "string"},
            "version": {"type": "integer"},
            "currency": {"type": "string"},
            "filters": {"type": "object"},
            "columns": {"type": "array", "items": {"type": "object"}},
            "rows": {"type": "array", "items": {"type": "object", "properties": columns}},
            "next_cursor": {"type": ["string", "null"]},
        },
    }


def column_schema(column: Column) -> dict[str, Any]:
    """Return the schema of a column. Its value can be null."""
    schema = dict(_TYPES.get(column.unit, {}))
    if "type" in schema:
        schema["type"] = [schema["type"], "null"]
    described = " ".join(text for text in (column.title, column.description, schema.get("description", "")) if text)
    return {**schema, "description": described}


def responses(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the responses of an operation."""
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    described = {
        "304": {"description": "If-None-Match names the current answer."},
        "400": {"description": "A parameter is wrong. detail says what to do.", "content": problem},
        "401": {"description": "The key is missing, unknown or revoked.", "content": problem},
        "403": {"description": "The key lacks the scope.", "content": problem},
        "404": {"description": "There is no such org or row.", "content": problem},
        "406": {"description": "The API has no such media type.", "content": problem},
        "410": {"description": "The cursor's version was replaced.", "content": problem},
        "503": {"description": "Nothing is published yet.", "content": problem},
    }
    return {"200": answer, **described}
