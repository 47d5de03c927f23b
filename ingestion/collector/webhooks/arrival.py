"""One row of another system -> its receipt, landed before it is answered. In: a row. Out: the answer.

What was reported in the recent past is known by its id and content, as events are; what was reported before that, by
the load, for ever.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from ingestion.collector.body import Disconnected, read_body
from ingestion.collector.deliver import deliver
from ingestion.collector.problems import Refused
from ingestion.collector.process import timestamp
from ingestion.collector.sites import KnownSite
from ingestion.collector.state import Collector
from ingestion.collector.webhooks.report import missing
from ingestion.segments.format import Receipt


def site_of(request: Request, name: str) -> KnownSite:
    """The site of that id, or Refused (404)."""
    site = state_of(request).sites.by_id.get(name)
    if site is None:
        raise missing(f"there is no site {name} in tributary.yaml")
    return site


def state_of(request: Request) -> Collector:
    return request.app.state.collector


async def body_of(request: Request) -> bytes:
    """The body as it was sent, or Refused (400, 413)."""
    try:
        return await read_body(dict(request.scope["headers"]), request.receive)
    except Disconnected:
        raise Refused(400, "Cut off", "The connection ended before the body did") from None


def now() -> str:
    return timestamp(datetime.now(UTC))


async def arrive(
    state: Collector,
    site: KnownSite,
    kind: str,
    row: dict[str, Any],
    identity: str,
    *,
    told: object = None,
    delivery: str | None = None,
    **sender: str | None,
) -> JSONResponse:
    """Land a row, or count it as a duplicate.

    identity and told: the id that a repetition has too, and what it says too, if that is not the row. delivery: the
    sender's own id of what it sent, the same when it tries again. sender: ip, ua.
    """
    marks = {hash((kind, site.settings.id, identity, repr(told or row)))}
    if delivery:
        marks.add(hash(("delivery", site.settings.id, delivery)))
    is_known = not marks.isdisjoint(state.recent.young) or not marks.isdisjoint(state.recent.old)
    receipt = Receipt(
        kind=kind,
        at=now(),
        org=site.settings.org,
        site=site.settings.id,
        received=1,
        duplicate=int(is_known),
        rows=[] if is_known else [row],
        **sender,
    )
    await deliver(state, receipt)
    state.recent.remember(marks)
    return answer(accepted=int(not is_known), duplicate=int(is_known))


def answer(*, accepted: int = 0, duplicate: int = 0, ignored: str | None = None) -> JSONResponse:
    counts = {"received": 1, "accepted": accepted, "duplicate": duplicate, "rejected": 0}
    return JSONResponse({"received": 0, "ignored": ignored} if ignored else counts)
