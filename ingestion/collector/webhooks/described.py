"""The paths of webhooks, pixels and pages for the service's own description. In: nothing. Out: OpenAPI path items."""

from __future__ import annotations

from typing import Any

import msgspec

from ingestion.collector.webhooks.pages import STEPS, Answer, Step

_VENDOR = {"type": "object", "description": "As the vendor documents it"}
_COUNTS = {
    "type": "object",
    "properties": {
        **{name: {"type": "integer", "minimum": 0} for name in ("received", "accepted", "duplicate", "rejected")},
        "ignored": {"type": "string", "description": "Why what was sent counts nothing"},
    },
}
_STEP = {"enum": list(STEPS)}
_TEXT = {"type": "string", "maxLength": 1024, "pattern": r"\S"}
_GIF = {"image/gif": {"schema": {"type": "string", "format": "binary"}}}


def paths(problem: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """problem: a response by status."""
    postback = {
        "summary": "A transaction of an affiliate network; the secret is a parameter or X-Postback-Token",
        "parameters": [_in_path("network")],
        "responses": _answers(problem, "200", "400", "401", "404", "413", "503"),
    }
    return {
        "/webhooks/shopify/{site}": {"post": _signed("Shopify", "X-Shopify-Hmac-Sha256", problem)},
        "/webhooks/stripe/{site}": {"post": _signed("Stripe", "Stripe-Signature", problem)},
        "/postbacks/{network}": {"get": postback, "post": postback | _body(_VENDOR)},
        "/pixel/{network}.gif": {
            "get": {
                "summary": "An impression on an affiliate's page",
                "parameters": [_in_path("network")],
                "responses": _answers(problem, "400", "404", "429", "503")
                | {"200": {"description": "A pixel", "content": _GIF}},
            }
        },
        "/api/events/checkout": {"post": _of_page("A step of a checkout", Step, {"event": _STEP}, problem)},
        "/api/survey": {
            "post": _of_page("An answer to a survey", Answer, {"question": _TEXT, "answer": _TEXT}, problem)
        },
    }


def _signed(vendor: str, header: str, problem: dict[str, dict[str, Any]]) -> dict[str, Any]:
    signature = {"name": header, "in": "header", "required": True, "schema": {"type": "string"}}
    return {
        "summary": f"What {vendor} reports of a site's orders",
        "parameters": [_in_path("site"), signature],
        **_body(_VENDOR),
        "responses": _answers(problem, "200", "400", "401", "404", "413", "503"),
    }


def _of_page(summary: str, shape: type, needed: dict[str, Any], problem: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """needed: the members that must be there, beyond what their types say."""
    _, schemas = msgspec.json.schema_components([shape])
    schema = schemas[shape.__name__]
    members = schema["properties"] | needed | {"publicKey": {"type": "string"}}
    origin = {"name": "Origin", "in": "header", "required": False, "schema": {"type": "string"}}
    return {
        "summary": summary,
        "parameters": [origin],
        "security": [{}, {"serverKey": []}],
        **_body(schema | {"properties": members, "required": ["publicKey", *needed]}),
        "responses": _answers(problem, "202", "400", "401", "403", "413", "415", "429", "503"),
    }


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _answers(problem: dict[str, dict[str, Any]], *statuses: str) -> dict[str, Any]:
    fine = {"description": "Durable, or nothing that counts", "content": {"application/json": {"schema": _COUNTS}}}
    return {status: problem.get(status, fine) for status in statuses}
