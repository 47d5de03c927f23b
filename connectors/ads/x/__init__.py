"""X (Twitter): analytics jobs of the Ads API, signed with OAuth 1.0a.

In: `active_entities`, which lists the ads to request; a job takes twenty ads of one placement. Out: rows by promoted
post, by line item (ads without a post, such as promoted accounts, are in its total only) and by account, with the
spend of its funding instruments; days are the ad account's, by its current offset from UTC.
Source: docs.x.com/x-ads-api (analytics, campaign-management, creatives, fundamentals/timezones).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from connectors.ads.x.entities import PAGE, VERSION, accounts, batches, current_account, entities, ids_and_names, rows
from connectors.auth.oauth import Signature
from connectors.http.client import PlatformClient
from connectors.http.errors import Rejected, Throttled, TokenRevoked, VendorError
from connectors.http.responses import error_body, excerpt, optional, required, reset_after
from connectors.http.service import OAuth
from connectors.platform import Account, Platform, SpendRow, TotalLevel
from connectors.reporting_days import local_date, midnight, split_range

DAYS_PER_JOB = 86  # X allows 90, and active_entities needs SETTLING_DAYS after the last day
SETTLING_DAYS = 2  # until X lists an entity as active on a day
IDS_PER_JOB = 20  # at most
IDS_AT_ONCE = 10 * IDS_PER_JOB  # of jobs under way: an account may have 100, one for each 20 ids and placement
# Metric group -> our name -> X's name. Amounts are micros of the campaign's currency. order_quantity is not read: X
# states it in micros, too, whereas `metric` is a count.
METRICS = {
    "BILLING": {"spend_micros": "billed_charge_local_micro"},
    "ENGAGEMENT": {"impressions": "impressions", "clicks": "clicks"},
    "VIDEO": {"video_views": "video_total_views"},
    "WEB_CONVERSION": {"conversions": "conversion_purchases.metric", "value": "conversion_purchases.sale_amount"},
}
REQUIRED = METRICS["BILLING"].keys() | METRICS["ENGAGEMENT"].keys()


class InvalidTimeWindow(Rejected):
    """X expects other bounds of the days."""


def raise_for_error(response: httpx.Response) -> None:
    """Raise by status and code. Tokens do not expire: a rejected one was revoked."""
    if response.status_code < 400:
        return
    error = next(iter(error_body(response).get("errors") or ()), None)
    reason = f"{optional(error, 'message') or excerpt(response)} ({optional(error, 'code') or response.status_code})"
    if response.status_code == 401:
        raise TokenRevoked(f"the access token, or the signature made with it, was rejected: {reason}")
    if response.status_code == 429:
        seconds = reset_after(response, "x-account-rate-limit-reset") or reset_after(response, "x-rate-limit-reset")
        raise Throttled(f"too many requests: {reason}", seconds)
    if response.status_code < 500:
        raise (InvalidTimeWindow if optional(error, "code") == "INVALID_TIME_WINDOW" else Rejected)(reason)


def spend(client: PlatformClient, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    account = current_account(client, account)
    line_items, posts = ids_and_names(client, account)
    instruments = rows(client, f"/accounts/{account.account_id}/funding_instruments", with_deleted="true")
    currencies = {row["id"]: row["currency"] for row in instruments}
    entities: tuple[tuple[str, dict[str, dict[str, Any]], TotalLevel | None], ...] = (
        ("PROMOTED_TWEET", posts, None),
        ("LINE_ITEM", line_items, "adset"),
    )
    for span in split_range(start, end, days=DAYS_PER_JOB):
        for entity, known, level in entities:
            for entity_id, day, figures in _stats(client, account, entity, tuple(METRICS), span):
                if entity_id in known:  # the spend of other entities is in the account's total, as (unmatched)
                    yield SpendRow(
                        date=day,
                        account_id=account.account_id,
                        spend_micros=figures["spend_micros"],
                        level=level,
                        impressions=figures["impressions"],
                        clicks=figures["clicks"],
                        video_views=figures["video_views"],
                        platform_conversions=Decimal(figures["conversions"]),
                        platform_value_micros=figures["value"],
                        **known[entity_id],
                    )
        totals: Counter[tuple[date, str]] = Counter()
        for instrument, day, figures in _stats(client, account, "FUNDING_INSTRUMENT", ("BILLING",), span):
            currency = required(currencies, instrument, "X's list of funding instruments")
            totals[day, currency] += figures["spend_micros"]
        for (day, currency), total in sorted(totals.items()):
            yield SpendRow(
                date=day, account_id=account.account_id, currency=currency, spend_micros=total, level="account"
            )


def _stats(
    client: PlatformClient, account: Account, entity: str, groups: Sequence[str], span: tuple[date, date]
) -> Iterator[tuple[str, date, Counter[str]]]:
    """Yield (id, day, figures) of each active entity, summed over placements; days without activity are absent."""
    since, until = span
    path = f"/{VERSION}/stats/jobs/accounts/{account.account_id}"
    active = _active_entities(client, account, entity, span)

    def start_job(placement: str, ids: Sequence[str]) -> str:
        params = {
            "entity": entity,
            "entity_ids": ",".join(ids),
            "placement": placement,
            "granularity": "DAY",
            "metric_groups": ",".join(groups),
        }
        response = _for_days(since, until, account, client, lambda days: client.post(path, params={**params, **days}))
        job = required(response, "data", "X's response to a job request")
        return str(job.get("id_str") or required(job, "id", "X's job"))

    for batch in batches(sorted(active), IDS_AT_ONCE):
        jobs = [
            start_job(placement, ids)
            for placement in sorted({placement for id_ in batch for placement in active[id_]})
            for ids in batches([id_ for id_ in batch if placement in active[id_]], IDS_PER_JOB)
        ]
        urls = client.poll(
            partial(_file_urls, client, path, jobs),
            f"the figures of {since} to {until}",
            interval=10,
            timeout=3600,
        )
        sums: defaultdict[tuple[str, date], Counter[str]] = defaultdict(Counter)
        for url in urls:
            for item in client.items(url, "data.item"):
                for part in item["id_data"]:
                    for name, series in _series(part["metrics"], groups, (until - since).days + 1):
                        for number, figure in enumerate(series):
                            sums[item["id"], since + timedelta(days=number)][name] += int(figure or 0)
        for (id_, day), figures in sorted(sums.items()):
            if any(figures.values()):
                yield id_, day, figures


def _active_entities(
    client: PlatformClient, account: Account, entity: str, span: tuple[date, date]
) -> dict[str, set[str]]:
    """Return the placements of each entity that has changed figures in the days or soon after, by its id.

    X states when figures changed, not the day to which they belong.
    """
    since, until = span
    last = min(until + timedelta(days=SETTLING_DAYS), local_date(client.clock.now(), account.timezone))
    path = f"/{VERSION}/stats/accounts/{account.account_id}/active_entities"
    response = _for_days(
        since, max(since, last), account, client, lambda days: client.get(path, {"entity": entity, **days})
    )
    active: defaultdict[str, set[str]] = defaultdict(set)
    for row in required(response, "data", "X's active entities"):
        active[row["entity_id"]] |= {*(row.get("placements") or ["ALL_ON_TWITTER"])}
    return active


def _file_urls(client: PlatformClient, path: str, jobs: Sequence[str]) -> list[str] | None:
    """Return the URLs of the jobs' files, or None while a job is running."""
    response = client.get(path, {"job_ids": ",".join(jobs), "count": PAGE}) if jobs else {"data": []}
    states = {str(job.get("id_str") or job["id"]): job for job in required(response, "data", "X's jobs")}
    failed = sorted({job["status"] for job in states.values() if job["status"] in ("FAILED", "CANCELLED")})
    if failed:
        raise VendorError(f"X: a job ended with status {failed[0]}. Pull again")
    if any(states.get(job, {}).get("status") != "SUCCESS" for job in jobs):
        return None
    return [required(states[job], "url", "X's job") for job in jobs]


def _series(metrics: dict[str, Any], groups: Sequence[str], days: int) -> Iterator[tuple[str, Sequence[Any]]]:
    """Yield our name of each metric and its figures, one a day. A null series means no activity."""
    for name, path in ((name, path) for group in groups for name, path in METRICS[group].items()):
        series: Any = metrics
        for part in path.split("."):
            if name in REQUIRED and part not in series:
                required(metrics, path, "X's analytics")
            series = series.get(part) if isinstance(series, dict) else None
        if series is not None and len(series) != days:
            raise VendorError(f"X: {path} has {len(series)} figures for {days} days. Pull again")
        yield name, series or ()


def _for_days(
    since: date, until: date, account: Account, client: PlatformClient, send: Callable[[dict[str, str]], Any]
) -> Any:
    """Return `send(bounds)`. The bounds are midnights of the account, the end excluded, in whole hours.

    X documents midnights at the account's current offset from UTC, also for days before a clock change. If it rejects
    those, send each day's own midnight.
    """
    days = {"start_time": since, "end_time": until + timedelta(days=1)}
    today = client.clock.now().astimezone(ZoneInfo(account.timezone or "UTC")).utcoffset() or timedelta()
    current = {name: datetime.combine(day, time(), timezone(today)).isoformat() for name, day in days.items()}
    try:
        return send(current)
    except InvalidTimeWindow:
        own = {name: midnight(day, account.timezone).isoformat() for name, day in days.items()}
        if own == current:
            raise
        client.log(f"X: rejected {since} to {until} at today's offset from UTC; asking at each day's own offset")
        return send(own)


PLATFORM = Platform(
    name="x",
    label="X",
    base_url="https://ads-api.x.com",
    repull_days=7,
    raise_for_error=raise_for_error,
    headers=lambda credentials: {},
    auth=Signature.of,
    accounts=accounts,
    spend=spend,
    entities=entities,
    oauth=OAuth(
        authorize_url="https://api.x.com/oauth/authorize",
        token_url="https://api.x.com/oauth/access_token",
        request_token_url="https://api.x.com/oauth/request_token",
    ),
)
