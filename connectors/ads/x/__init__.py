"""X (Twitter): jobs of the Ads API's analytics, signed with OAuth 1.0a, in the account's days.

Which ads to ask for is told by `active_entities`; a job takes twenty of one placement. Ads without a post (promoted
accounts, media before videos) are in their line items' totals only, and an account's spend is that of its funding
instruments. Source: docs.x.com/x-ads-api (analytics, campaign-management, creatives).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx

from connectors.ads.x.lists import PAGE, VERSION, accounts, as_of_now, entities, listed, names, pieces
from connectors.auth.oauth import Signature
from connectors.days import midnight, spans, today
from connectors.http.client import Api
from connectors.http.errors import Refused, Throttled, TokenRevoked, VendorError
from connectors.http.responses import excerpt, reset_after, said
from connectors.platform import Account, OAuth, Platform, SpendRow, optional, required

SPAN = 86  # days a job: 90, less those in which what happened on the last one becomes known
KNOWN_AFTER = 2  # days
IDS = 20  # a job, at most
AT_ONCE = 10 * IDS  # jobs under way: one for each 20 and placement; the account may have 100
# Metric group -> our name: theirs. Amounts are micros of the campaign's currency.
METRICS = {
    "BILLING": {"spend_micros": "billed_charge_local_micro"},
    "ENGAGEMENT": {"impressions": "impressions", "clicks": "clicks"},
    "VIDEO": {"video_views": "video_total_views"},
    "WEB_CONVERSION": {"conversions": "conversion_purchases.metric", "value": "conversion_purchases.sale_amount"},
}
PROMISED = METRICS["BILLING"].keys() | METRICS["ENGAGEMENT"].keys()


def check(response: httpx.Response) -> None:
    """Tokens do not end by themselves: one that is refused was taken back."""
    if response.status_code < 400:
        return
    first = next(iter(said(response).get("errors") or ()), None)
    why = f"{optional(first, 'message') or excerpt(response)} ({optional(first, 'code') or response.status_code})"
    if response.status_code == 401:
        raise TokenRevoked(f"the access token, or the signature made with it, is not accepted: {why}")
    if response.status_code == 429:
        account = reset_after(response, "x-account-rate-limit-reset")
        raise Throttled(f"too many requests: {why}", account or reset_after(response, "x-rate-limit-reset"))
    if response.status_code < 500:
        raise Refused(why)


def spend(api: Api, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    where, id_ = f"/accounts/{account.account_id}", account.account_id
    account = as_of_now(api, account)
    lines, ads = names(api, where)
    payers = {row["id"]: row["currency"] for row in listed(api, f"{where}/funding_instruments", with_deleted="true")}
    for span in spans(start, end, days=SPAN):
        for entity, known, level in (("PROMOTED_TWEET", ads, None), ("LINE_ITEM", lines, "adset")):
            for entity_id, day, figures in _stats(api, account, entity, tuple(METRICS), span):
                if entity_id in known:  # what no list knows is in the totals above it, and shows as unmatched
                    yield SpendRow(
                        day,
                        id_,
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
        for payer, day, figures in _stats(api, account, "FUNDING_INSTRUMENT", ("BILLING",), span):
            totals[day, required(payers, payer, "X's list of funding instruments")] += figures["spend_micros"]
        for (day, currency), total in sorted(totals.items()):
            yield SpendRow(day, id_, currency, total, "account")


def _stats(
    api: Api, account: Account, entity: str, groups: Sequence[str], span: tuple[date, date]
) -> Iterator[tuple[str, date, Counter[str]]]:
    """The figures of every day of whatever was active, all placements together; days without any are left out."""
    since, until = span
    days = (until - since).days + 1
    path = f"/{VERSION}/stats/jobs/accounts/{account.account_id}"
    active = _active(api, account, entity, span)

    def start(placement: str, ids: Sequence[str]) -> str:
        question = {
            "entity": entity,
            "entity_ids": ",".join(ids),
            "placement": placement,
            "granularity": "DAY",
            "metric_groups": ",".join(groups),
            **_bounds(since, until, account),
        }
        job = required(api.post(path, params=question), "data", "X's answer to a job")
        return str(job.get("id_str") or required(job, "id", "X's job"))

    for batch in pieces(sorted(active), AT_ONCE):
        jobs = [
            start(placement, ids)
            for placement in sorted({placement for id_ in batch for placement in active[id_]})
            for ids in pieces([id_ for id_ in batch if placement in active[id_]], IDS)
        ]
        files = api.poll(
            lambda jobs=jobs: _finished(api, path, jobs), f"the figures of {since} to {until}", every=10, limit=3600
        )
        sums: defaultdict[tuple[str, date], Counter[str]] = defaultdict(Counter)
        for file in files:
            for item in api.items(file, "data.item"):
                for part in item["id_data"]:
                    for name, series in _series(part["metrics"], groups, days):
                        for number, figure in enumerate(series):
                            sums[item["id"], since + timedelta(days=number)][name] += int(figure or 0)
        for (id_, day), figures in sorted(sums.items()):
            if any(figures.values()):
                yield id_, day, figures


def _active(api: Api, account: Account, entity: str, span: tuple[date, date]) -> dict[str, set[str]]:
    """Id -> placements of all whose figures changed in the days, or soon after: it says when, not for which day."""
    since, until = span
    last = min(until + timedelta(days=KNOWN_AFTER), today(api.clock.now(), account.timezone))
    question = {"entity": entity, **_bounds(since, max(since, last), account)}
    answer = api.get(f"/{VERSION}/stats/accounts/{account.account_id}/active_entities", question)
    active: defaultdict[str, set[str]] = defaultdict(set)
    for row in required(answer, "data", "X's active entities"):
        active[row["entity_id"]] |= {*(row.get("placements") or ["ALL_ON_TWITTER"])}
    return active


def _finished(api: Api, path: str, jobs: Sequence[str]) -> list[str] | None:
    """The addresses of the jobs' files, once all are there."""
    answer = api.get(path, {"job_ids": ",".join(jobs), "count": PAGE}) if jobs else {"data": []}
    states = {str(job.get("id_str") or job["id"]): job for job in required(answer, "data", "X's jobs")}
    ended = sorted({job["status"] for job in states.values() if job["status"] in ("FAILED", "CANCELLED")})
    if ended:
        raise VendorError(f"X: a job ended as {ended[0]}: pull again")
    if any(states.get(job, {}).get("status") != "SUCCESS" for job in jobs):
        return None
    return [required(states[job], "url", "X's job") for job in jobs]


def _series(metrics: dict[str, Any], groups: Sequence[str], days: int) -> Iterator[tuple[str, Sequence[Any]]]:
    """Our name of a metric and its figure on each day; null is: nothing happened."""
    for name, path in ((name, path) for group in groups for name, path in METRICS[group].items()):
        series: Any = metrics
        for part in path.split("."):
            if name in PROMISED and part not in series:
                required(metrics, path, "X's analytics")
            series = series.get(part) if isinstance(series, dict) else None
        if series is not None and len(series) != days:
            raise VendorError(f"X: {path} has {len(series)} figures for {days} days: pull again")
        yield name, series or ()


def _bounds(since: date, until: date, account: Account) -> dict[str, str]:
    """From midnight to midnight of the account's days, which are whole hours there; the end is not included."""
    ends = {"start_time": since, "end_time": until + timedelta(days=1)}
    return {name: midnight(day, account.timezone).isoformat() for name, day in ends.items()}


PLATFORM = Platform(
    name="x",
    label="X",
    base_url="https://ads-api.x.com",
    repull_days=7,
    check=check,
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
