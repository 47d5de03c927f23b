"""The service's own description. In: the structs that decode requests. Out: an OpenAPI 3.1 document."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from ingestion.collector.body import MAX_BODY
from ingestion.collector.messages import MAX_EVENTS, Event
from ingestion.collector.webhooks.described import paths as webhook_paths

_PROBLEMS = {
    "400": "The body is not JSON, or not an event or a batch of them",
    "401": "No site has this public key",
    "403": "The sender is neither a page of the site nor a server that has its key",
    "404": "tributary.yaml has no such site, webhook or network",
    "405": "Not a method of this path",
    "413": f"More than {MAX_BODY >> 20} MiB, packed or unpacked",
    "415": "Another content type or encoding than those listed",
    "429": "More events than the site may send in a minute; Retry-After says when to try again",
    "503": "Nothing can be stored now; Retry-After says when to try again",
}
_SERVER_KEY = {"type": "http", "scheme": "bearer", "description": "Server key of a site, from the environment"}
_ADMIN_KEY = {"type": "http", "scheme": "bearer", "description": "TRIBUTARY_ADMIN_KEY of the collector's environment"}
_TRACK = f"""\
One event, or up to {MAX_EVENTS} under `events`. The answer comes once they are durable. An event that breaks a rule is
refused by itself, named in `errors`, and does not affect the others. Send a browser's events with their Origin; a
server's with its key. `text/plain` is accepted too, and Content-Encoding `gzip` or `zstd`. An event sent again with the
same `eventId` counts once."""


@cache
def document() -> dict[str, Any]:
    (_, schemas) = msgspec.json.schema_components([Event], ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tributary collector", "version": "1", "description": "Events in, durably."},
        "paths": {
            "/api/track": {"post": _track()},
            "/healthz": {"get": _get("Whether the process runs", {"type": "object"})},
            "/readyz": {"get": _get("Whether events can be stored now", {"type": "object"}, problems=["503"])},
            "/metrics": {"get": _get("Metrics for Prometheus", {"type": "string"}, media="text/plain")},
            "/openapi.json": {"get": _get("This document", {"type": "object"})},
            "/admin/stats": {"get": _admin(_get("Counts of this process", {"type": "object"}))},
            "/admin/flush": {
                "post": _admin(_get("Close the segments, so that they can be loaded", {"type": "object"}, ["503"]))
            },
            **webhook_paths({status: {"$ref": f"#/components/responses/{status}"} for status in _PROBLEMS}),
        },
        "components": {
            "schemas": {**_corrected(schemas), **_OTHER_SCHEMAS},
            "responses": {status: _problem(text) for status, text in _PROBLEMS.items()},
            "securitySchemes": {"serverKey": _SERVER_KEY, "adminKey": _ADMIN_KEY},
        },
    }


def _track() -> dict[str, Any]:
    origin = {"name": "Origin", "in": "header", "required": False, "schema": {"type": "string"}}
    return {
        "summary": "Send events",
        "description": _TRACK,
        "parameters": [origin],
        "security": [{}, {"serverKey": []}],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"anyOf": [_ref("Batch"), _ref("SingleEvent")]}}},
        },
        "responses": {
            "202": {
                "description": "Durable: received = accepted + duplicate + rejected",
                "content": {"application/json": {"schema": _ref("Answer")}},
            },
            **{status: {"$ref": f"#/components/responses/{status}"} for status in _PROBLEMS if status != "404"},
        },
    }


def _get(
    summary: str, schema: dict[str, Any], problems: list[str] | None = None, media: str = "application/json"
) -> dict[str, Any]:
    answers = {status: {"$ref": f"#/components/responses/{status}"} for status in (problems or [])}
    fine = {"description": summary, "content": {media: {"schema": schema}}}
    return {"summary": summary, "responses": {"200": fine, **answers}}


def _admin(operation: dict[str, Any]) -> dict[str, Any]:
    denied = {
        "401": _problem("Not the admin key"),
        "404": _problem("The collector has no admin key: there is no admin interface"),
    }
    return operation | {"security": [{"adminKey": []}], "responses": operation["responses"] | denied}


def _problem(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/problem+json": {"schema": _ref("Problem")}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _corrected(schemas: dict[str, Any]) -> dict[str, Any]:
    """What the decoder takes beyond what its types say: amounts as numbers too."""
    event = schemas["Event"]
    amount = {"anyOf": [{"type": "number"}, {"type": "string", "format": "decimal"}, {"type": "null"}]}
    return schemas | {"Event": event | {"properties": event["properties"] | {"value": amount}, "required": ["type"]}}


_COUNT = {"type": "integer", "minimum": 0}
_OTHER_SCHEMAS = {
    "SingleEvent": {"allOf": [_ref("Event"), {"type": "object", "required": ["publicKey"]}]},
    "Batch": {
        "type": "object",
        "required": ["publicKey", "events"],
        "properties": {
            "publicKey": {"type": "string"},
            "events": {"type": "array", "items": _ref("Event"), "minItems": 1, "maxItems": MAX_EVENTS},
        },
    },
    "Answer": {
        "type": "object",
        "required": ["received", "accepted", "duplicate", "rejected", "errors"],
        "properties": {
            **dict.fromkeys(("received", "accepted", "duplicate", "rejected"), _COUNT),
            "errors": {"type": "array", "items": _ref("EventError")},
        },
    },
    "EventError": {
        "type": "object",
        "required": ["index", "field", "layer", "reason", "detail"],
        "properties": {
            "index": _COUNT,
            "field": {"type": ["string", "null"]},
            "layer": {"enum": ["schema", "business", "reference", "properties"]},
            "reason": {"type": "string"},
            "detail": {"type": "string"},
        },
    },
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
    },
}
