"""The routes that pages call beside /api/track: steps of a shop's checkout, and answers to surveys.

In: requests of a site's pages. Out: events, and rows of survey answers, validated as all events are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingestion.collector.admission import check_limits, is_from_page
from ingestion.collector.events import Batch, Event, Id, Text, Url, id_text, redact_event
from ingestion.collector.intake import take_events
from ingestion.collector.problems import Problem
from ingestion.collector.request import (
    MAX_USER_AGENT,
    check_content_type,
    client_address,
    cors,
    decompressed,
    network_of,
    preflight,
)
from ingestion.collector.sites import KnownSite
from ingestion.collector.validation import Rejected, row_of, window
from ingestion.collector.webhooks.land_row import answer, body_of, land_row, state_of
from ingestion.collector.webhooks.report import decoded, instant, row
from ingestion.placeholders import real_id

STEPS = {
    "checkout_started": "CHECKOUT_STARTED",
    "payment_info_submitted": "PAYMENT_INFO",
    "checkout_completed": "CHECKOUT_COMPLETED",
}
Handler = Callable[[Request], Awaitable[Response]]


class _Page(msgspec.Struct, rename="camel"):
    public_key: Id | None = None
    anon_id: Id | int | float | None = None
    session_id: Id | int | float | None = None
    user_id: Id | int | float | None = None
    order_id: str | int | float | None = None
    timestamp: Any = None
    consent: bool | None = None


class Step(_Page):
    """A step of a checkout."""

    event: Id = ""
    id: Id | None = None  # of the step; a repetition has the same
    checkout_token: Id | None = None
    value: Any = None
    currency: Id | None = None
    url: Url | None = None


class Answer(_Page):
    """An answer to a survey."""

    question: Text = ""
    answer: Text = ""
    answer_id: Id | None = None


_Shape = TypeVar("_Shape", bound=_Page)


async def checkout_step(request: Request) -> Response:
    """POST /api/events/checkout. The sandbox of a shop's pixel has the origin `null`."""
    given, body, site, is_page = await _read(request, Step, may_be_sandboxed=True)
    if given.event not in STEPS:
        raise Problem(400, "Unknown step", f"event is not one of {', '.join(STEPS)}")
    token = real_id(given.checkout_token)
    step = {
        "type": STEPS[given.event],
        "eventId": real_id(given.id) or (f"{token}:{given.event}" if token else None),
        "timestamp": given.timestamp,
        "url": given.url,
        "value": given.value,
        "currency": given.currency,
        "properties": row(checkoutToken=given.checkout_token),
    }
    agent = request.headers.get("user-agent") if is_page else None
    outcome = await take_events(
        state_of(request),
        site,
        body,
        Batch(given.public_key, [_event(given, step)]),
        address=client_address(request.scope) if is_page else None,
        user_agent=agent and agent[:MAX_USER_AGENT],
    )
    counts = {"received": 1, "accepted": outcome.accepted, "duplicate": outcome.duplicate}
    return JSONResponse(counts | {"rejected": len(outcome.errors), "errors": outcome.errors}, 202)


async def survey_answer(request: Request) -> Response:
    """POST /api/survey"""
    given, body, site, is_page = await _read(request, Answer)
    state, received = state_of(request), datetime.now(UTC)
    if not given.question.strip() or not given.answer.strip():
        raise Problem(400, "Nothing answered", "Send both question and answer")
    address, daily_id = client_address(request.scope) if is_page else None, ""
    network = state.identity.ip_hash(network_of(address), received.timestamp()) if address else None
    await check_limits(state, site, 1, len(body), network)
    event = _event(given, {"type": "ANSWER", "timestamp": given.timestamp, "eventId": real_id(given.answer_id)})
    event.properties = {"question": given.question, "answer": given.answer}
    if address and site.settings.cookieless:
        agent = request.headers.get("user-agent", "")
        daily_id = state.identity.daily_id(site.settings.id, address, agent, received.timestamp())
    try:
        redact_event(event)
        rules = msgspec.structs.replace(site.rules, types={"ANSWER": {}})
        checked = row_of(event, rules, window(rules, received), daily_id=daily_id)
    except Rejected as rejected:
        raise Problem(400, "Not accepted", rejected.detail) from None
    is_known = await land_row(
        state,
        site,
        "survey-answers",
        row(
            occurred_at=instant(checked.occurred_at or received),
            answer_id=event.event_id,
            visitor_id=checked.anon_id,
            customer_id=checked.user_id,
            order_id=checked.order_id,
            **(checked.properties or {}),
        ),
        identity=event.event_id or instant(received),
        content=checked,
    )
    response = answer(accepted=int(not is_known), duplicate=int(is_known))
    response.status_code = 202
    return response


def for_pages(handler: Handler) -> Handler:
    """Return the handler with the headers that let a page of another origin send, and read the answer or problem."""

    async def handle(request: Request) -> Response:
        if request.method == "OPTIONS":
            response = Response(status_code=204)
            allowed = preflight()
        else:
            allowed = []
            try:
                response = await handler(request)
            except Problem as problem:
                response = Response(problem.body(), problem.status)
                allowed = problem.headers()
        allowed += cors()
        response.raw_headers.extend(allowed)
        return response

    return handle


async def _read(
    request: Request, shape: type[_Shape], *, may_be_sandboxed: bool = False
) -> tuple[_Shape, bytes, KnownSite, bool]:
    """Return the decoded body, its bytes, the site, and whether a page sent it, not a server; or raise a Problem."""
    headers = dict(request.scope["headers"])
    check_content_type(headers)
    body = decompressed(await body_of(request), headers)
    given = decoded(body, shape, "see docs/webhooks.md for the members of this request")
    site = state_of(request).sites.site_of(given.public_key)
    if may_be_sandboxed and request.headers.get("origin") == "null":
        return given, body, site, True
    return given, body, site, is_from_page(state_of(request), site, headers)


def _event(given: _Page, members: dict[str, Any]) -> Event:
    order = str(_id_text("orderId", given.order_id) or "").rpartition("/")[2]  # also of gid://shopify/Order/1
    person = {
        "anonId": _id_text("anonId", given.anon_id),
        "sessionId": _id_text("sessionId", given.session_id),
        "userId": _id_text("userId", given.user_id),
        "orderId": order,
        "consent": given.consent,
    }
    try:
        return msgspec.convert(members | person, Event, strict=False)
    except msgspec.ValidationError as error:
        detail = f"{error}: see docs/webhooks.md for the members of this request"
        raise Problem(400, "Wrong type", detail) from None


def _id_text(name: str, value: str | float | None) -> str | None:
    text = id_text(value)
    if text is None and value is not None:
        raise Problem(400, "Not an id", f"{name} is not a whole number that JSON holds exactly. Send it as text")
    return text
