"""Take the events of one request in: validate them, make them durable, count them.

In: a Batch of events, or a receipt that a webhook made. Out: one line in the landing folder, and the metrics, for which
received = accepted + duplicate + rejected + limited holds.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from os import urandom
from typing import Any

import msgspec

from ingestion.collector import metrics
from ingestion.collector.admission import check_limits, check_storage
from ingestion.collector.duplicates import Recent
from ingestion.collector.events import Batch, Event, correct_clock, may_hold_personal_data, redact_event, redact_members
from ingestion.collector.problems import storage_unavailable
from ingestion.collector.rejected import failed_event, too_deep, undecoded
from ingestion.collector.request import network_of
from ingestion.collector.sites import KnownSite
from ingestion.collector.size_limits import check_properties
from ingestion.collector.state import Collector
from ingestion.collector.validation import Rejected, Rules, row_of, window
from ingestion.placeholders import real_id
from ingestion.privacy.redact import redact_user_agent
from ingestion.segments.format import Failed, Receipt, as_line, timestamp
from ingestion.segments.writer import LandingUnavailable

_encode = msgspec.json.Encoder().encode


class Sender(msgspec.Struct, frozen=True):
    """What the collector knows of a request beside its body."""

    org: str
    site: str
    public_key: str
    received_at: datetime  # UTC
    ip_hash: str | None = None
    daily_id: str = ""  # of the visitor of a cookieless site
    user_agent: str | None = None


class Outcome(msgspec.Struct, frozen=True):
    """One request, validated: the line to write, and its counts."""

    line: bytes
    received: int
    accepted: int
    duplicate: int
    errors: list[dict[str, Any]]  # of the rejected events
    keeps_ip: bool  # false where an event came without consent
    contents: set[int]  # hashes of the accepted events


async def take_events(
    state: Collector, site: KnownSite, body: bytes, batch: Batch, *, address: str | None, user_agent: str | None
) -> Outcome:
    """Validate, store and count the events of one request, or raise a Problem (429, 503).

    address and user_agent: of the visitor; None where a server sent the events.
    """
    settings, name = site.settings, site.settings.id
    now = datetime.now(UTC)
    correct_clock(batch, now)
    network = state.identity.ip_hash(network_of(address), now.timestamp()) if address else None
    await check_limits(state, site, len(batch.events), len(body), network)
    ip_hash, daily_id = None, ""
    if address:
        ip_hash = state.identity.ip_hash(address, now.timestamp())
        if settings.cookieless:
            daily_id = state.identity.daily_id(name, address, user_agent or "", now.timestamp())
    sender = Sender(
        org=settings.org,
        site=name,
        public_key=settings.public_key or "",
        received_at=now,
        ip_hash=ip_hash,
        daily_id=daily_id,
        user_agent=user_agent and redact_user_agent(user_agent),
    )
    limited = state.limited.pop(name, 0)
    try:
        outcome = process(body, batch, sender, site.rules, state.recent, limited=limited)
        if state.recent.pending.keys() & outcome.contents:  # another request writes some of these events right now
            await state.recent.written(outcome.contents)
            outcome = process(body, batch, sender, site.rules, state.recent, limited=limited)
        with state.recent.storing(outcome.contents):
            await state.landing.append(outcome.line)
    except BaseException as error:
        if limited:  # no receipt counts them yet
            state.limited[name] = state.limited.get(name, 0) + limited
        if isinstance(error, LandingUnavailable):
            raise storage_unavailable(error) from None
        raise
    rejected = Counter(error["reason"] for error in outcome.errors) if outcome.errors else Counter()
    metrics.count(name, "events", accepted=outcome.accepted, duplicate=outcome.duplicate, rejected=rejected)
    if state.geo and ip_hash and address and outcome.keeps_ip:
        state.geo.note(settings.org, ip_hash, address)
    return outcome


async def store_receipt(state: Collector, receipt: Receipt) -> None:
    """Store a receipt and count it, or raise a Problem (503)."""
    check_storage(state)
    try:
        await state.landing.append(as_line(receipt))
    except LandingUnavailable as error:
        raise storage_unavailable(error) from None
    metrics.count(
        receipt.site or "",
        receipt.kind,
        accepted=len(receipt.rows),
        duplicate=receipt.duplicate,
        limited=receipt.limited,
        rejected=Counter(failed.reason for failed in receipt.failed),
    )


def process(body: bytes, batch: Batch, sender: Sender, rules: Rules, recent: Recent, *, limited: int = 0) -> Outcome:
    """Validate the events of one request: no clock, no file, no network, so that it can be repeated.

    limited: events of the site that were rejected before and that no receipt counts yet.
    """
    is_suspect, allowed = may_hold_personal_data(body), window(rules, sender.received_at)
    young, old = recent.young, recent.old
    contents: set[int] = set()
    rows: list[bytes] = []
    failed: list[Failed] = []
    errors: list[dict[str, Any]] = []
    duplicate, ip_hash, daily_id, seed = 0, sender.ip_hash, sender.daily_id, hash(sender.site)
    for index, event in enumerate(batch.events):
        is_redacted = False
        try:
            if not isinstance(event, Event):
                raise undecoded(event)
            check_properties(event)
            redact_event(event) if is_suspect else redact_members(event)
            is_redacted = True
            if event.consent is False:
                ip_hash = None
            if event.public_key and event.public_key != sender.public_key:
                detail = "the events of one request belong to one site. Send this one in a request of its site"
                raise Rejected("reference", "other_site", detail, "publicKey")
            event_id = real_id(event.event_id)
            new_id = "" if event_id else urandom(16).hex()
            row = _encode(row_of(event, rules, allowed, daily_id=daily_id, new_id=new_id))
        except (Rejected, RecursionError) as error:
            rejected = error if isinstance(error, Rejected) else too_deep()
            failed.append(failed_event(event, rejected, sender.received_at, sender.user_agent, is_redacted=is_redacted))
            errors.append(
                {
                    "index": index,
                    "field": rejected.field,
                    "layer": rejected.layer,
                    "reason": rejected.reason,
                    "detail": rejected.detail,
                }
            )
            continue
        if event_id:
            content = hash(row) ^ seed
            if content in contents or content in young or content in old:
                duplicate += 1
                continue
            contents.add(content)
        rows.append(row)
    if errors and b'"consent"' in body:  # an event may have been rejected before its consent was read
        ip_hash = None
    received = len(batch.events)
    receipt = Receipt(
        kind="events",
        at=timestamp(sender.received_at),
        org=sender.org,
        site=sender.site,
        ip=ip_hash,
        ua=sender.user_agent,
        received=received + limited,
        duplicate=duplicate,
        limited=limited,
        failed=failed,
    )
    return Outcome(
        line=as_line(receipt, rows),
        received=received,
        accepted=len(rows),
        duplicate=duplicate,
        errors=errors,
        keeps_ip=ip_hash is not None,
        contents=contents,
    )
