"""Snapchat: stats of the Marketing API, requested from local midnight to local midnight.

In: stats that name an ad by its id alone; its ad squad and campaign come from the account's lists. The stats of a whole
account have no figure but spend. Out: rows by ad and by account; days are the ad account's.
Source: developers.snap.com/marketing-api/Ads-API (measurement, ads, creatives).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain, islice
from typing import Any

import httpx

from connectors.http.client import PlatformClient
from connectors.http.errors import Rejected, Throttled, Transient
from connectors.http.responses import error_body, field_reader, optional, required, reset_after
from connectors.http.service import OAuth
from connectors.micros import parse_micros
from connectors.platform import Account, Entity, Platform, SpendRow, account_entity
from connectors.reporting_days import local_date, midnight, split_range

VERSION = "v1"
PAGE = 1000  # rows; 50 to 1000 are allowed
DAYS_PER_REQUEST = 30  # Snapchat rejects more than 31 days, and 31 days over a clock change are an hour longer
METRICS = ("spend", "impressions", "swipes")
CLAIMS = ("conversion_purchases", "conversion_purchases_value")
OPTIONAL = ("video_views", *CLAIMS)  # Snapchat rejects purchases of some accounts, such as those without a pixel
# Snapchat's defaults, stated so that a changed account setting does not restate past days.
ATTRIBUTION_WINDOWS = {
    "swipe_up_attribution_window": "28_DAY",
    "view_attribution_window": "1_DAY",
    "action_report_time": "conversion",
}
WITH_DELETED = {"read_deleted_entities": "true"}
UNSUPPORTED = "E1008"  # `Unsupported Stats Query`: metrics, but also days that Snapchat does not accept


class UnsupportedQuery(Rejected):
    """Snapchat does not accept the metrics or the days of a request for stats."""


def raise_for_error(response: httpx.Response) -> None:
    """Raise by the response's own status and that of each of its parts: a part can fail in a response of HTTP 200."""
    if response.status_code == 429:
        raise Throttled("too many requests", reset_after(response, "x-rate-limit-reset"))
    if response.status_code == 401 or response.status_code >= 500:
        return
    body = error_body(response)
    parts = [part for value in body.values() if isinstance(value, list) for part in value if isinstance(part, dict)]
    for part in parts:
        if str(part.get("sub_request_status", "SUCCESS")).upper() != "SUCCESS":
            raise Transient(f"a part of the response failed: {part.get('sub_request_error_reason', 'no reason given')}")
    if str(body.get("request_status", "SUCCESS")).upper() != "SUCCESS":
        reason = body.get("debug_message") or body.get("display_message") or "no reason given"
        code = body.get("error_code", "no code")
        raise (UnsupportedQuery if code == UNSUPPORTED else Rejected)(f"{reason} ({code})")


def accounts(client: PlatformClient) -> Iterator[Account]:
    for organization in _rows(client, "/me/organizations", "organization"):
        for row in _rows(client, f"/organizations/{organization['id']}/adaccounts", "adaccount"):
            yield _account(row)


def _account(row: dict[str, Any]) -> Account:
    field = field_reader(row, "Snapchat's ad account")
    return Account(
        account_id=field("id"),
        name=row.get("name"),
        currency=field("currency"),
        timezone=field("timezone"),
        status=row.get("status"),
    )


def spend(client: PlatformClient, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    account = _current_account(client, account)
    ids_and_names = _ids_and_names(client, account)
    for since, until in split_range(start, end, days=DAYS_PER_REQUEST):
        bounds = {
            "granularity": "DAY",
            "start_time": _midnight(since, account),
            "end_time": _midnight(until + timedelta(days=1), account),
        }
        active_days: set[date] = set()
        metrics, stats = _stats_of_ads(client, account, bounds, f"{since} to {until}")
        for stat in stats:
            for ad in required(stat, "breakdown_stats.ad", "Snapchat's stats"):
                for point in required(ad, "timeseries", "Snapchat's stats of an ad"):
                    figures = _figures(point, metrics)
                    if not any(figures.values()):
                        continue
                    active_days.add(_day(point, account))
                    if ad["id"] in ids_and_names:  # the spend of other ads is in the account's total, as (unmatched)
                        yield SpendRow(
                            date=_day(point, account),
                            account_id=account.account_id,
                            currency=account.currency or "",
                            **figures,
                            **ids_and_names[ad["id"]],
                        )
        for stat in _stats(client, account, {**bounds, "fields": "spend", "omit_empty": "false"}):
            for point in required(stat, "timeseries", "Snapchat's stats of the account"):
                total = parse_micros(required(point, "stats.spend", "Snapchat's stats of the account"))
                if total or _day(point, account) in active_days:
                    yield SpendRow(
                        date=_day(point, account),
                        account_id=account.account_id,
                        currency=account.currency or "",
                        spend_micros=total,
                        level="account",
                    )


def _stats_of_ads(
    client: PlatformClient, account: Account, bounds: dict[str, str], days: str
) -> tuple[tuple[str, ...], Iterator[Any]]:
    """Return the accepted metrics and the stats of ads. Request the stats again without metrics that Snapchat rejects.

    Raise Rejected if Snapchat rejects METRICS. days: for the log.
    """

    def request(*optional_metrics: str) -> Iterator[Any]:
        """Return the stats of METRICS and others, once Snapchat has accepted them by a first response."""
        windows = ATTRIBUTION_WINDOWS if set(CLAIMS).intersection(optional_metrics) else {}
        by_ad = {**bounds, **windows, "breakdown": "ad", "omit_empty": "true"}
        stats = _stats(client, account, {**by_ad, "fields": ",".join((*METRICS, *optional_metrics))})
        return chain([*islice(stats, 1)], stats)

    def is_accepted(metric: str) -> bool:
        try:
            request(metric)
        except UnsupportedQuery:
            return False
        return True

    accepted: tuple[str, ...] = OPTIONAL
    reasons: list[str] = []
    while True:
        try:
            stats = request(*accepted)
            break
        except UnsupportedQuery as error:
            if not accepted:
                raise
            named = _named_metrics(str(error))
            rejected = named.intersection(accepted) if named.isdisjoint(METRICS) else set()
            # Without a name, request each metric alone. If each is accepted alone, give them all up.
            rejected = rejected or {metric for metric in accepted if not is_accepted(metric)} or {*accepted}
            accepted = tuple(metric for metric in accepted if metric not in rejected)
            reasons.append(f"Snapchat: {', '.join(sorted(rejected))} of {days} are missing. {error}")
    for reason in reasons:
        client.log(reason)
    return (*METRICS, *accepted), stats


def _named_metrics(message: str) -> set[str]:
    return {*re.findall(r"\w+", message)}.intersection((*METRICS, *OPTIONAL))


def _current_account(client: PlatformClient, account: Account) -> Account:
    """Return the account with its current currency and time zone."""
    response = client.get(f"/{VERSION}/adaccounts/{account.account_id}")
    (part,) = required(response, "adaccounts", "Snapchat's response to an ad account")
    return _account(required(part, "adaccount", "Snapchat's response to an ad account"))


def _ids_and_names(client: PlatformClient, account: Account) -> dict[str, dict[str, Any]]:
    """Return the ids and names of an ad, its ad squad and its campaign, by the ad's id."""
    where = f"/adaccounts/{account.account_id}"
    campaigns = {row["id"]: row.get("name") for row in _rows(client, f"{where}/campaigns", "campaign", WITH_DELETED)}
    squads = {
        row["id"]: {
            "campaign_id": row["campaign_id"],
            "campaign": campaigns.get(row["campaign_id"]),
            "adset_id": row["id"],
            "adset": row.get("name"),
        }
        for row in _rows(client, f"{where}/adsquads", "adsquad", WITH_DELETED)
    }
    return {
        row["id"]: {**squads[row["ad_squad_id"]], "ad_id": row["id"], "ad": row.get("name")}
        for row in _rows(client, f"{where}/ads", "ad", WITH_DELETED)
        if row["ad_squad_id"] in squads
    }


def _figures(point: dict[str, Any], metrics: Collection[str]) -> dict[str, Any]:
    """Return the figures of a day; None for one that is not among the accepted metrics.

    Snapchat omits figures of zero; the account's total checks that none is missing.
    """
    stats = required(point, "stats", "Snapchat's stats of an ad")
    figures: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "spend_micros": ("spend", parse_micros),
        "impressions": ("impressions", int),
        "clicks": ("swipes", int),
        "video_views": ("video_views", int),
        "platform_conversions": ("conversion_purchases", Decimal),
        "platform_value_micros": ("conversion_purchases_value", parse_micros),
    }
    return {
        name: read(stats.get(metric) or 0) if metric in metrics else None for name, (metric, read) in figures.items()
    }


def _midnight(day: date, account: Account) -> str:
    return midnight(day, account.timezone).isoformat(timespec="milliseconds")


def _day(point: dict[str, Any], account: Account) -> date:
    return local_date(datetime.fromisoformat(required(point, "start_time", "Snapchat's stats")), account.timezone)


def entities(client: PlatformClient, account: Account) -> Iterator[Entity]:
    account = _current_account(client, account)
    where, id_ = f"/adaccounts/{account.account_id}", account.account_id
    yield account_entity(account)
    for row in _rows(client, f"{where}/campaigns", "campaign", WITH_DELETED):
        objective = optional(row, "objective_v2_properties.objective_v2_type") or row.get("objective")
        yield Entity(
            account_id=id_,
            level="campaign",
            entity_id=row["id"],
            name=row.get("name"),
            status=row.get("status"),
            objective=objective,
            daily_budget_micros=row.get("daily_budget_micro"),
            lifetime_budget_micros=row.get("lifetime_spend_cap_micro"),
            currency=account.currency,
        )
    parents: dict[str, str] = {}
    for row in _rows(client, f"{where}/adsquads", "adsquad", WITH_DELETED):
        parents[row["id"]] = row["campaign_id"]
        yield Entity(
            account_id=id_,
            level="adset",
            entity_id=row["id"],
            campaign_id=row["campaign_id"],
            name=row.get("name"),
            status=row.get("status"),
            objective=row.get("optimization_goal"),
            daily_budget_micros=row.get("daily_budget_micro"),
            lifetime_budget_micros=row.get("lifetime_budget_micro"),
            currency=account.currency,
        )
    destinations: dict[str, str | None] = {}
    for row in _rows(client, f"{where}/creatives", "creative"):
        destinations[row["id"]] = _destination_url(row)
        yield Entity(
            account_id=id_,
            level="creative",
            entity_id=row["id"],
            name=row.get("name"),
            status=row.get("review_status"),
            destination_url=destinations[row["id"]],
        )
    for row in _rows(client, f"{where}/ads", "ad", WITH_DELETED):
        yield Entity(
            account_id=id_,
            level="ad",
            entity_id=row["id"],
            campaign_id=parents.get(row["ad_squad_id"]),
            adset_id=row["ad_squad_id"],
            creative_id=row.get("creative_id"),
            name=row.get("name"),
            status=row.get("status"),
            destination_url=destinations.get(row.get("creative_id", "")),
        )


def _destination_url(creative: dict[str, Any]) -> str | None:
    """Return the address to which a swipe leads: a page, or an address inside an app."""
    app = creative.get("deep_link_properties") or {}
    page = optional(creative, "web_view_properties.url")
    return page or app.get("web_view_fallback_url") or app.get("deep_link_uri")


def _stats(client: PlatformClient, account: Account, params: dict[str, Any]) -> Iterator[Any]:
    for page in _pages(client, f"/adaccounts/{account.account_id}/stats", params):
        for part in required(page, "timeseries_stats", "Snapchat's stats"):
            yield required(part, "timeseries_stat", "Snapchat's stats")


def _rows(client: PlatformClient, path: str, member: str, params: dict[str, Any] | None = None) -> Iterator[Any]:
    """Yield the rows of all pages of a list. member: the name of a row; the list has its plural."""
    for page in _pages(client, path, {"limit": PAGE, **(params or {})}):
        for part in required(page, f"{member}s", f"Snapchat's response to {path}"):
            yield required(part, member, f"Snapchat's response to {path}")


def _pages(client: PlatformClient, path: str, params: dict[str, Any]) -> Iterator[Any]:
    first = f"{client.service.base_url}/{VERSION}{path}?{httpx.QueryParams(params)}"
    return client.pages(first, client.get, lambda response, _: optional(response, "paging.next_link"))


PLATFORM = Platform(
    name="snapchat",
    label="Snapchat",
    base_url="https://adsapi.snapchat.com",
    repull_days=7,
    raise_for_error=raise_for_error,
    accounts=accounts,
    spend=spend,
    entities=entities,
    oauth=OAuth(
        authorize_url="https://accounts.snapchat.com/login/oauth2/authorize",
        token_url="https://accounts.snapchat.com/login/oauth2/access_token",
        scopes=("snapchat-marketing-api",),
    ),
)
