"""POST /api/track, as a plain ASGI handler: the one path that has to be fast. In: a request. Out: its answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from ingestion.collector import metrics
from ingestion.collector.body import Disconnected, check_content_type, decompressed, read_body
from ingestion.collector.deliver import take_events
from ingestion.collector.messages import opened
from ingestion.collector.problems import Headers, Refused
from ingestion.collector.process import Outcome
from ingestion.collector.sites import check_sender, is_own_page
from ingestion.collector.state import Collector

PATH = "/api/track"
_log = logging.getLogger("tributary.collector")
_MAX_USER_AGENT = 1024
_JSON = (b"content-type", b"application/json")
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def track(state: Collector, scope: dict[str, Any], receive: Any, send: Send) -> None:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    origin = text_of(headers, b"origin")
    try:
        if scope["method"] == "POST":
            outcome = await _accept(state, scope, headers, origin, receive)
            status, extra, body = 202, [_JSON], _answer(outcome)
        elif scope["method"] == "OPTIONS":
            status, extra, body = 204, preflight(), b""
        else:
            raise Refused(405, "Method not allowed", "Send events with POST")
    except Refused as refused:
        metrics.REFUSED.labels(str(refused.status)).inc()
        status, extra, body = refused.status, refused.headers(), refused.body()
        if status == 405:
            extra.append((b"allow", b"POST, OPTIONS"))
    except Disconnected:
        return
    except Exception:
        _log.exception("a request failed")
        refused = Refused(500, "Internal error", "The collector failed on this request: its log says where")
        status, extra, body = 500, refused.headers(), refused.body()
    extra += cors(state, origin, text_of(headers, b"host"))
    if status != 204:
        extra.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": extra})
    await send({"type": "http.response.body", "body": body})


async def _accept(
    state: Collector, scope: dict[str, Any], headers: dict[bytes, bytes], origin: str | None, receive: Any
) -> Outcome:
    check_content_type(headers)
    body = decompressed(await read_body(headers, receive), headers)
    request = opened(body)
    site = state.sites.site_of(request.public_key)
    is_page = check_sender(site, origin, text_of(headers, b"authorization"), text_of(headers, b"host"))
    # A server that reports events has an address and a user agent, but they are not the visitor's.
    address = client_address(scope) if is_page else None
    agent = text_of(headers, b"user-agent") if is_page else None
    return await take_events(state, site, body, request, address=address, user_agent=agent and agent[:_MAX_USER_AGENT])


def client_address(scope: dict[str, Any]) -> str | None:
    """The visitor's address; an IPv4 address also where the socket speaks IPv6."""
    client = scope.get("client")
    return client[0].removeprefix("::ffff:") if client else None


def text_of(headers: dict[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")


def preflight() -> Headers:
    return [
        (b"access-control-allow-methods", b"POST, OPTIONS"),
        (b"access-control-allow-headers", b"content-type, content-encoding"),
        (b"access-control-max-age", b"86400"),
    ]


def cors(state: Collector, origin: str | None, host: str | None) -> Headers:
    """What lets a page read the answer: any page of any site, so that a refusal can be read too."""
    if origin is None:
        return []
    headers = [(b"vary", b"Origin")]
    if state.sites.is_known_origin(origin.lower()) or is_own_page(origin, host):
        headers.append((b"access-control-allow-origin", origin.encode("latin-1")))
        headers.append((b"access-control-expose-headers", b"Retry-After"))
    return headers


def _answer(outcome: Outcome) -> bytes:
    rejected = len(outcome.errors)
    errors = msgspec.json.encode(outcome.errors) if rejected else b"[]"
    return b'{"received":%d,"accepted":%d,"duplicate":%d,"rejected":%d,"errors":%b}' % (
        outcome.received,
        outcome.accepted,
        outcome.duplicate,
        rejected,
        errors,
    )
