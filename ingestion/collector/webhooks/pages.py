"""What pages send beside events: the steps of a shop's checkout, and answers to surveys.

In: requests of pages of a site. Out: events, and rows of survey answers, through the same validation as all events.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingestion.collector.body import check_content_type, decompressed
from ingestion.collector.deliver import check_limit, take_events
from ingestion.collector.messages import Event, Id, Opened, Text, Url
from ingestion.collector.problems import Refused
from ingestion.collector.scrub import scrub
from ingestion.collector.sites import KnownSite, check_sender
from ingestion.collector.track import client_address, cors, preflight, text_of
from ingestion.collector.validate import Rejected, row_of, window
from ingestion.collector.webhooks.arrival import arrive, body_of, state_of
from ingestion.collector.webhooks.report import decoded, instant, row

STEPS = {
    "checkout_started": "CHECKOUT_STARTED",
    "payment_info_submitted": "PAYMENT_INFO",
    "checkout_completed": "CHECKOUT_COMPLETED",
}


class _Page(msgspec.Struct, rename="camel"):
    public_key: Id | None = None
    anon_id: Id | None = None
    session_id: Id | None = None
    user_id: Id | None = None
    order_id: str | int | None = None
    timestamp: Any = None
    consent: bool | None = None


class Step(_Page):
    event: Id = ""
    id: Id | None = None  # of the step; a repetition has the same
    checkout_token: Id | None = None
    value: Any = None
    currency: Id | None = None
    url: Url | None = None


class Answer(_Page):
    question: Text = ""
    answer: Text = ""
    answer_id: Id | None = None


async def checkout_step(request: Request) -> Response:
    """POST /api/events/checkout. A pixel's sandbox has no origin of its own (`null`)."""
    given, body, site, is_page = await _given(request, Step, may_be_sandboxed=True)
    if given.event not in STEPS:
        raise Refused(400, "Unknown step", f"event is none of {', '.join(STEPS)}")
    step = {
        "type": STEPS[given.event],
        "eventId": given.id or (f"{given.checkout_token}:{given.event}" if given.checkout_token else None),
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
        Opened(given.public_key, [_event(given, step)]),
        address=client_address(request.scope) if is_page else None,
        user_agent=agent and agent[:1024],
    )
    counts = {"received": 1, "accepted": outcome.accepted, "duplicate": outcome.duplicate}
    return JSONResponse(counts | {"rejected": len(outcome.errors), "errors": outcome.errors}, 202)


async def survey_answer(request: Request) -> Response:
    """POST /api/survey"""
    given, _, site, is_page = await _given(request, Answer)
    state, received = state_of(request), datetime.now(UTC)
    if not given.question.strip() or not given.answer.strip():
        raise Refused(400, "Nothing answered", "question and answer are both needed")
    await check_limit(state, site, 1)
    event = _event(given, {"type": "ANSWER", "timestamp": given.timestamp, "eventId": given.answer_id})
    event.properties = {"question": given.question, "answer": given.answer}
    address, daily_id = client_address(request.scope) if is_page else None, None
    if address and site.settings.cookieless:
        agent = request.headers.get("user-agent", "")
        daily_id = state.identity.daily_id(site.settings.id, address, agent, received.timestamp())
    try:
        scrub(event)
        rules = site.rules._replace(types={"ANSWER": {}})
        checked = row_of(event, rules, window(rules, received), daily_id, None)
    except Rejected as rejected:
        raise Refused(400, "Not accepted", rejected.detail) from None
    response = await arrive(
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
        event.event_id or instant(received),
        told=checked,
    )
    response.status_code = 202
    return response


def for_pages(handler: Any) -> Any:
    """The handler with what lets a page of another origin send to it and read the answer, a refusal too."""

    async def handle(request: Request) -> Response:
        origin, headers = request.headers.get("origin"), dict(request.scope["headers"])
        if request.method == "OPTIONS":
            response = Response(status_code=204)
            allowed = preflight()
        else:
            allowed = []
            try:
                response = await handler(request)
            except Refused as refused:
                response = Response(refused.body(), refused.status)
                allowed = refused.headers()
        allowed += cors(state_of(request), origin, text_of(headers, b"host"))
        if origin == "null":
            allowed.append((b"access-control-allow-origin", b"null"))
        response.raw_headers.extend(allowed)
        return response

    return handle


async def _given(
    request: Request, shape: type[_Page], *, may_be_sandboxed: bool = False
) -> tuple[Any, bytes, KnownSite, bool]:
    """What was sent, its bytes, the site, and whether a page sent it, not a server; or Refused."""
    headers = dict(request.scope["headers"])
    check_content_type(headers)
    body = decompressed(await body_of(request), headers)
    given = decoded(body, shape, "see docs/webhooks.md for what is sent here")
    site = state_of(request).sites.site_of(given.public_key)
    origin = request.headers.get("origin")
    if may_be_sandboxed and origin == "null":
        return given, body, site, True
    is_page = check_sender(site, origin, request.headers.get("authorization"), request.headers.get("host"))
    return given, body, site, is_page


def _event(given: _Page, members: dict[str, Any]) -> Event:
    order = str(given.order_id or "").rpartition("/")[2]  # of gid://shopify/Order/1 too
    person = {
        "anonId": given.anon_id,
        "sessionId": given.session_id,
        "userId": given.user_id,
        "orderId": order,
        "consent": given.consent,
    }
    try:
        return msgspec.convert(members | person, Event, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(400, "Wrong type", f"{error}: see docs/webhooks.md for what is sent here") from None
