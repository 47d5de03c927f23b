"""Events and receipts -> the landing folder and the metrics. In: what a sender brought. Out: it is durable.

`take_events` is the way of events, whoever sent them; `deliver` that of any other receipt, such as a webhook's.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from time import monotonic

from ingestion.collector import metrics
from ingestion.collector.messages import Opened
from ingestion.collector.problems import Refused, unavailable
from ingestion.collector.process import Outcome, Sender, process
from ingestion.collector.scrub import without_mail
from ingestion.collector.sites import KnownSite
from ingestion.collector.state import Collector
from ingestion.segments.format import Receipt, as_line
from ingestion.segments.writer import LandingUnavailable


async def deliver(state: Collector, receipt: Receipt) -> None:
    """Land the receipt and count it; Refused (503) where it cannot be made durable."""
    try:
        await state.landing.append(as_line(receipt))
    except LandingUnavailable as error:
        raise unavailable(error) from None
    metrics.count(
        receipt.site or "",
        receipt.kind,
        accepted=len(receipt.rows),
        duplicate=receipt.duplicate,
        limited=receipt.limited,
        rejected=Counter(failed.reason for failed in receipt.failed),
    )


async def check_limit(state: Collector, site: KnownSite, events: int) -> None:
    """Take the events out of the site's bucket; Refused (429) where they are too many."""
    name, per_minute = site.settings.id, site.settings.events_per_minute
    if state.redis:
        wait = await state.redis.take(name, per_minute, events, monotonic())
    else:
        wait = state.buckets.take(name, per_minute, events, monotonic())
    if wait:
        state.limited[name] = state.limited.get(name, 0) + events
        metrics.count(name, "events", limited=events, rejected=Counter())
        detail = f"The site sends more than {per_minute} events a minute: send these again after the time given"
        raise Refused(429, "Too many events", detail, retry_after=wait)


async def take_events(
    state: Collector, site: KnownSite, body: bytes, opened: Opened, *, address: str | None, user_agent: str | None
) -> Outcome:
    """Validate, land, remember and count the events of one request; Refused (429, 503).

    address and user_agent: of the visitor; None where a server sent the events.
    """
    settings, name = site.settings, site.settings.id
    await check_limit(state, site, len(opened.events))
    now = datetime.now(UTC)
    ip_hash, daily_id = None, ""
    if address:
        ip_hash = state.identity.ip_hash(address, now.timestamp())
        if settings.cookieless:
            daily_id = state.identity.daily_id(name, address, user_agent or "", now.timestamp())
    if user_agent:
        user_agent = without_mail(user_agent)
    sender = Sender(settings.org, name, settings.public_key or "", now, ip_hash, daily_id, user_agent)
    limited = state.limited.pop(name, 0)
    try:
        outcome = process(body, opened, sender, site.rules, state.recent, limited=limited)
        await state.landing.append(outcome.line)
    except BaseException as error:
        if limited:  # they are in no receipt yet, whatever went wrong
            state.limited[name] = state.limited.get(name, 0) + limited
        if isinstance(error, LandingUnavailable):
            raise unavailable(error) from None
        raise
    state.recent.remember(outcome.contents)
    rejected = Counter(error["reason"] for error in outcome.errors) if outcome.errors else Counter()
    metrics.count(name, "events", accepted=outcome.accepted, duplicate=outcome.duplicate, rejected=rejected)
    if state.geo and ip_hash and address and outcome.keeps_ip:
        state.geo.note(settings.org, ip_hash, address)
    return outcome
