"""Describe the service as an OpenAPI 3.1 document. In: the structs that decode requests. Out: the document."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from ingestion.collector.events import MAX_EVENTS, Event
from ingestion.collector.request import MAX_BODY, MAX_WEBHOOK_BODY
from ingestion.collector.webhooks.pages import STEPS, Answer, Step

_PROBLEMS = {
    "400": "The body is not JSON, or not an event or a batch of events",
    "401": "No site has this public key, or the secret or signature is wrong",
    "403": "The sender is neither a page of the site nor a server that has its key",
    "404": "tributary.yaml has no such site, webhook or network",
    "405": "The path does not support this method",
    "413": f"The body is larger than {MAX_BODY >> 20} MiB, compressed or not, or has too many values or addresses",
    "415": "The content type or encoding is not one of those listed",
    "429": "The site or this address sends more than it may in a minute; retry after Retry-After seconds",
    "503": "The collector cannot store anything now, or is too busy; retry after Retry-After seconds",
}
_SERVER_KEY = {"type": "http", "scheme": "bearer", "description": "Server key of a site, from the environment"}
_ADMIN_KEY = {"type": "http", "scheme": "bearer", "description": "TRIBUTARY_ADMIN_KEY of the collector's environment"}
_METRICS_KEY = {"type": "http", "scheme": "bearer", "description": "TRIBUTARY_METRICS_KEY of the environment"}
_TRACK = f"""\
Send one event, or up to {MAX_EVENTS} under `events`. The collector answers once they are durable. It rejects an event
that breaks a rule, names it in `errors`, and accepts the others. Send a browser's events with their Origin, and a
server's with its key. The collector also accepts `text/plain`, and Content-Encoding `gzip` or `zstd`. An event sent
again with the same `eventId` counts once."""
_COUNT = {"type": "integer", "minimum": 0}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


_SCHEMAS = {
    "SingleEvent": {"allOf": [_ref("Event"), {"type": "object", "required": ["publicKey"]}]},
    "Batch": {
        "type": "object",
        "required": ["publicKey", "events"],
        "properties": {
            "publicKey": {"type": "string"},
            "sentAt": {"type": "integer", "description": "Milliseconds since 1970 by the sender's clock"},
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
_ORIGIN = {"name": "Origin", "in": "header", "required": False, "schema": {"type": "string"}}
_VENDOR = {"type": "object", "description": "The payload that the vendor documents"}
_WEBHOOK_COUNTS = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("received", "accepted", "duplicate", "rejected"), _COUNT),
        "ignored": {"type": "string", "description": "Why the delivery counts nothing"},
    },
}


@cache
def document() -> dict[str, Any]:
    """Return the document."""
    (_, schemas) = msgspec.json.schema_components([Event], ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tributary collector", "version": "1", "description": "Receives events and stores them."},
        "paths": {
            "/api/track": {"post": _track()},
            "/healthz": {"get": _get("Whether the process runs", {"type": "object"})},
            "/readyz": {"get": _get("Whether events can be stored now", {"type": "object"}, problems=["503"])},
            "/metrics": {"get": _metrics()},
            "/openapi.json": {"get": _get("This document", {"type": "object"})},
            "/admin/stats": {"get": _admin(_get("Counts of this process", {"type": "object"}))},
            "/admin/flush": {
                "post": _admin(_get("Close the segments, so that they can be loaded", {"type": "object"}, ["503"]))
            },
            **_webhook_paths(),
        },
        "components": {
            "schemas": {**_with_amounts(schemas), **_SCHEMAS},
            "responses": {status: _problem(text) for status, text in _PROBLEMS.items()},
            "securitySchemes": {"serverKey": _SERVER_KEY, "adminKey": _ADMIN_KEY, "metricsKey": _METRICS_KEY},
        },
    }


def _track() -> dict[str, Any]:
    return {
        "summary": "Send events",
        "description": _TRACK,
        "parameters": [_ORIGIN],
        "security": [{}, {"serverKey": []}],
        **_body({"anyOf": [_ref("Batch"), _ref("SingleEvent")]}),
        "responses": {
            "202": {
                "description": "Durable: received = accepted + duplicate + rejected",
                "content": {"application/json": {"schema": _ref("Answer")}},
            },
            **_problems(*(status for status in _PROBLEMS if status != "404")),
        },
    }


def _webhook_paths() -> dict[str, Any]:
    postback = {
        "summary": "A transaction of an affiliate network; the secret is a parameter or X-Postback-Token",
        "parameters": [_in_path("network")],
        "responses": _counts("200") | _problems("400", "401", "404", "413", "503"),
    }
    pixel = {"description": "A pixel", "content": {"image/gif": {"schema": {"type": "string", "format": "binary"}}}}
    text = {"type": "string", "maxLength": 1024, "pattern": r"\S"}
    return {
        "/webhooks/shopify/{site}": {"post": _signed("Shopify", "X-Shopify-Hmac-Sha256")},
        "/webhooks/stripe/{site}": {"post": _signed("Stripe", "Stripe-Signature")},
        "/postbacks/{network}": {"get": postback, "post": postback | _body(_VENDOR)},
        "/pixel/{network}.gif": {
            "get": {
                "summary": "An impression on an affiliate's page",
                "parameters": [_in_path("network")],
                "responses": _problems("400", "404", "429", "503") | {"200": pixel},
            }
        },
        "/api/events/checkout": {"post": _of_page("A step of a checkout", Step, {"event": {"enum": list(STEPS)}})},
        "/api/survey": {"post": _of_page("An answer to a survey", Answer, {"question": text, "answer": text})},
    }


def _signed(vendor: str, header: str) -> dict[str, Any]:
    signature = {"name": header, "in": "header", "required": True, "schema": {"type": "string"}}
    return {
        "summary": f"A webhook of {vendor} about a site's orders",
        "parameters": [_in_path("site"), signature],
        **_body(_VENDOR),
        "responses": _counts("200")
        | _problems("400", "401", "404", "503")
        | {"413": _problem(f"The body is larger than {MAX_WEBHOOK_BODY >> 20} MiB")},
    }


def _of_page(summary: str, shape: type, needed: dict[str, Any]) -> dict[str, Any]:
    """Return the operation of a page. needed: the required members, with what their types do not express."""
    _, schemas = msgspec.json.schema_components([shape])
    schema = schemas[shape.__name__]
    members = schema["properties"] | needed | {"publicKey": {"type": "string"}}
    return {
        "summary": summary,
        "parameters": [_ORIGIN],
        "security": [{}, {"serverKey": []}],
        **_body(schema | {"properties": members, "required": ["publicKey", *needed]}),
        "responses": _counts("202") | _problems("400", "401", "403", "413", "415", "429", "503"),
    }


def _get(
    summary: str, schema: dict[str, Any], problems: list[str] | None = None, media: str = "application/json"
) -> dict[str, Any]:
    success = {"description": summary, "content": {media: {"schema": schema}}}
    return {"summary": summary, "responses": {"200": success, **_problems(*problems or [])}}


def _admin(operation: dict[str, Any]) -> dict[str, Any]:
    denied = {
        "401": _problem("The admin key is wrong"),
        "404": _problem("The collector has no admin key, and so no admin interface"),
    }
    return operation | {"security": [{"adminKey": []}], "responses": operation["responses"] | denied}


def _metrics() -> dict[str, Any]:
    denied = {"401": _problem("The request comes from another machine and has no key")}
    operation = _get("Metrics for Prometheus", {"type": "string"}, media="text/plain")
    return operation | {"security": [{}, {"metricsKey": []}], "responses": operation["responses"] | denied}


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _counts(status: str) -> dict[str, Any]:
    content = {"application/json": {"schema": _WEBHOOK_COUNTS}}
    return {status: {"description": "Durable, or nothing that counts", "content": content}}


def _problems(*statuses: str) -> dict[str, Any]:
    return {status: {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _problem(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/problem+json": {"schema": _ref("Problem")}}}


def _with_amounts(schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas with the amounts that the decoder takes beyond its types: numbers, too."""
    event = schemas["Event"]
    amount = {"anyOf": [{"type": "number"}, {"type": "string", "format": "decimal"}, {"type": "null"}]}
    return schemas | {"Event": event | {"properties": event["properties"] | {"value": amount}, "required": ["type"]}}
