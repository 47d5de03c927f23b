"""Land one row of another system, before its delivery is answered. In: a row. Out: whether it is known, the answer.

The collector knows recent rows by id and content, as it does events; the load knows all rows for ever.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from ingestion.collector.intake import store_receipt
from ingestion.collector.problems import Problem
from ingestion.collector.request import MAX_BODY, Disconnected, read_body
from ingestion.collector.sites import KnownSite
from ingestion.collector.state import Collector
from ingestion.collector.webhooks.report import not_found
from ingestion.privacy.redact import redact_json
from ingestion.segments.format import Receipt, timestamp


def state_of(request: Request) -> Collector:
    """Return the state of the process."""
    state: Collector = request.app.state.collector
    return state


def site_of(request: Request, name: str) -> KnownSite:
    """Return the site of that id, or raise a Problem (404)."""
    site = state_of(request).sites.by_id.get(name)
    if site is None:
        raise not_found(f"tributary.yaml has no site {name}")
    return site


async def body_of(request: Request, most: int = MAX_BODY) -> bytes:
    """Return the body as the client sent it, or raise a Problem (400, 413, 503). most: bytes of a body."""
    try:
        return await read_body(dict(request.scope["headers"]), request.receive, most)
    except Disconnected:
        raise Problem(400, "Cut off", "The connection ended before the body did") from None


def now() -> str:
    return timestamp(datetime.now(UTC))


async def land_row(
    state: Collector,
    site: KnownSite,
    kind: str,
    row: dict[str, Any],
    *,
    identity: str,
    content: object = None,
    delivery: str | None = None,
    ip: str | None = None,
    ua: str | None = None,
) -> bool:
    """Land a row, or count it as a duplicate. Return whether it is one.

    identity: the id that a repetition has too. content: what a repetition has too, by default the row. delivery: the
    sender's id of the delivery, the same in each retry. ip and ua: the hash of the address and the user agent.
    """
    row = redact_json(row)  # also the values that no sender documents, such as a currency that is a name
    marks = {hash((kind, site.settings.id, identity, repr(content or row)))}
    if delivery:
        marks.add(hash(("delivery", site.settings.id, delivery)))
    await state.recent.written(marks)
    is_known = any(map(state.recent.knows, marks))
    receipt = Receipt(
        kind=kind,
        at=now(),
        org=site.settings.org,
        site=site.settings.id,
        ip=ip,
        ua=ua,
        received=1,
        duplicate=int(is_known),
        rows=[] if is_known else [row],
    )
    with state.recent.storing(marks):
        await store_receipt(state, receipt)
    return is_known


def answer(*, accepted: int = 0, duplicate: int = 0, ignored: str | None = None) -> JSONResponse:
    """Return the counts of one delivery, or why it counts nothing."""
    counts = {"received": accepted + duplicate, "accepted": accepted, "duplicate": duplicate, "rejected": 0}
    return JSONResponse({"received": 0, "ignored": ignored} if ignored else counts)
