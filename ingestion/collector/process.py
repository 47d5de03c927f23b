"""The events of one request -> the one line that is landed for it. Pure: no clock, no file, no network.

In: Opened (ingestion/collector/messages.py), the site's rules and what the request tells of its sender. Out: Outcome:
the line, and the tallies, for which received = accepted + duplicate + rejected holds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from ingestion.collector.duplicates import Recent
from ingestion.collector.messages import Opened, Unreadable
from ingestion.collector.refused import failed_event, schema_problem, too_deep
from ingestion.collector.scrub import may_be_personal, scrub
from ingestion.collector.validate import Rejected, Rules, new_event_id, row_of, window
from ingestion.segments.format import Failed, Receipt, as_line

_encode = msgspec.json.Encoder().encode


class Sender(NamedTuple):
    """What is known of a request beside its body."""

    org: str
    site: str
    public_key: str
    received_at: datetime  # UTC
    ip_hash: str | None = None
    daily_id: str = ""  # of the visitor of a cookieless site
    user_agent: str | None = None


class Outcome(NamedTuple):
    line: bytes
    received: int
    accepted: int
    duplicate: int
    errors: list[dict[str, Any]]  # of the rejected events
    keeps_ip: bool  # false where an event came without consent
    contents: set[int]  # hashes of the events, to be remembered once the line is durable


def process(body: bytes, opened: Opened, sender: Sender, rules: Rules, recent: Recent, *, limited: int = 0) -> Outcome:
    """limited: events of the site that were refused before and are not yet in any receipt."""
    is_personal, allowed = may_be_personal(body), window(rules, sender.received_at)
    young, old = recent.young, recent.old
    contents: set[int] = set()
    rows: list[bytes] = []
    failed: list[Failed] = []
    errors: list[dict[str, Any]] = []
    duplicate, ip_hash, daily_id, seed = 0, sender.ip_hash, sender.daily_id, hash(sender.site)
    for index, event in enumerate(opened.events):
        try:
            if event.__class__ is Unreadable:
                raise schema_problem(event)
            if is_personal:
                scrub(event)
            if event.consent is False:
                ip_hash = None
            if event.public_key and event.public_key != sender.public_key:
                detail = "the events of one request belong to one site: send this one by itself"
                raise Rejected("reference", "other_site", detail, "publicKey")
            own_id = event.event_id
            row = _encode(row_of(event, rules, allowed, daily_id, "" if own_id else new_event_id()))
        except (Rejected, RecursionError) as error:
            rejected = error if isinstance(error, Rejected) else too_deep()
            failed.append(failed_event(event, rejected, sender.received_at, sender.user_agent))
            errors.append(
                {
                    "index": index,
                    "field": rejected.field,
                    "layer": rejected.layer,
                    "reason": rejected.reason,
                    "detail": rejected.detail,
                }
            )
            if b'"consent"' in body:  # it may have been refused before its consent was read
                ip_hash = None
            continue
        if own_id:
            content = hash(row) ^ seed
            if content in contents or content in young or content in old:
                duplicate += 1
                continue
            contents.add(content)
        rows.append(row)
    received = len(opened.events)
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
    return Outcome(as_line(receipt, rows), received, len(rows), duplicate, errors, ip_hash is not None, contents)


def timestamp(moment: datetime) -> str:
    """A moment in UTC as receipts have it."""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
