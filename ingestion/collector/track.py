"""POST /api/track as a plain ASGI handler, the one route that has to be fast. In: a request. Out: its answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from ingestion.collector import metrics
from ingestion.collector.admission import is_from_page
from ingestion.collector.events import decode_request
from ingestion.collector.intake import Outcome, take_events
from ingestion.collector.problems import Problem, internal_error
from ingestion.collector.request import (
    MAX_USER_AGENT,
    Disconnected,
    Receive,
    check_content_type,
    client_address,
    cors,
    decompressed,
    preflight,
    read_body,
    text_of,
)
from ingestion.collector.size_limits import check_texts, check_values
from ingestion.collector.state import Collector

PATH = "/api/track"
_log = logging.getLogger("tributary.collector")
_JSON = (b"content-type", b"application/json")
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def track(state: Collector, scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Store the events of a request and answer it."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    try:
        if scope["method"] == "POST":
            outcome = await _accept(state, scope, headers, receive)
            status, extra, body = 202, [_JSON], _answer(outcome)
        elif scope["method"] == "OPTIONS":
            status, extra, body = 204, preflight(), b""
        else:
            raise Problem(405, "Method not allowed", "Send events with POST")
    except Disconnected:
        return
    except Exception as error:
        if isinstance(error, Problem):
            problem = error
            metrics.REFUSED.labels(str(problem.status)).inc()
        else:
            _log.exception("a request failed")
            problem = internal_error()
        status, extra, body = problem.status, problem.headers(), problem.body()
        if status == 405:
            extra.append((b"allow", b"POST, OPTIONS"))
    extra += cors()
    if status != 204:
        extra.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": extra})
    await send({"type": "http.response.body", "body": body})


async def _accept(state: Collector, scope: dict[str, Any], headers: dict[bytes, bytes], receive: Receive) -> Outcome:
    check_content_type(headers)
    body = decompressed(await read_body(headers, receive), headers)
    check_values(body)
    request = decode_request(body, state.settings.collector.max_event_kb << 10)
    check_texts(body, request)
    site = state.sites.site_of(request.public_key)
    is_page = is_from_page(state, site, headers)
    # A server that reports events has an address and a user agent, but they are not the visitor's.
    address = client_address(scope) if is_page else None
    agent = text_of(headers, b"user-agent") if is_page else None
    return await take_events(state, site, body, request, address=address, user_agent=agent and agent[:MAX_USER_AGENT])


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
