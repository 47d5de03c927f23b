"""Snapchat: stats of the Marketing API, asked for the account's days from local midnight to local midnight.

Stats name an ad by its id only: its ad squad and campaign come from the account's lists. A whole account's stats are
its spend and nothing else. Source: developers.snap.com/marketing-api/Ads-API (measurement, ads, creatives).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from connectors.days import midnight, spans, today
from connectors.http.client import Api
from connectors.http.errors import Refused, Throttled, Transient
from connectors.http.responses import reset_after, said
from connectors.money import from_micros
from connectors.platform import Account, Entity, OAuth, Platform, SpendRow, entity_of, optional, required

VERSION = "v1"
PAGE = 1000  # 50 to 1000
SPAN = 30  # days a request: more than 31 are refused, and over the clocks' change 31 can be an hour more
FIELDS = ("spend", "impressions", "swipes", "video_views", "conversion_purchases", "conversion_purchases_value")
# Snapchat's defaults, said aloud, so that a changed setting of the account does not rewrite its past.
WINDOWS = {
    "swipe_up_attribution_window": "28_DAY",
    "view_attribution_window": "1_DAY",
    "action_report_time": "conversion",
}
DELETED_TOO = {"read_deleted_entities": "true"}


def check(response: httpx.Response) -> None:
    """An answer has a status of its own, and so has each of its parts: one of them can fail in an answer of 200."""
    if response.status_code == 429:
        raise Throttled("too many requests", reset_after(response, "x-rate-limit-reset"))
    if response.status_code == 401 or response.status_code >= 500:
        return
    answer = said(response)
    parts = [part for value in answer.values() if isinstance(value, list) for part in value if isinstance(part, dict)]
    for part in parts:
        if str(part.get("sub_request_status", "SUCCESS")).upper() != "SUCCESS":
            raise Transient(f"a part of the answer failed: {part.get('sub_request_error_reason', 'it says not why')}")
    if str(answer.get("request_status", "SUCCESS")).upper() != "SUCCESS":
        why = answer.get("debug_message") or answer.get("display_message") or "it says not why"
        raise Refused(f"{why} ({answer.get('error_code', 'no code')})")


def accounts(api: Api) -> Iterator[Account]:
    for organization in _listed(api, "/me/organizations", "organization"):
        for row in _listed(api, f"/organizations/{organization['id']}/adaccounts", "adaccount"):
            yield _account(row)


def _account(row: dict[str, Any]) -> Account:
    def told(name: str) -> str:
        return required(row, name, "Snapchat's ad account")

    return Account(told("id"), row.get("name"), told("currency"), told("timezone"), status=row.get("status"))


def spend(api: Api, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    account = _as_of_now(api, account)
    parents = _parents(api, account)
    for since, until in spans(start, end, days=SPAN):
        bounds = {
            "granularity": "DAY",
            "start_time": _midnight(since, account),
            "end_time": _midnight(until + timedelta(days=1), account),
        }
        active: set[date] = set()
        question = {**bounds, **WINDOWS, "fields": ",".join(FIELDS), "breakdown": "ad", "omit_empty": "true"}
        for stat in _stats(api, account, question):
            for shown in required(stat, "breakdown_stats.ad", "Snapchat's stats"):
                for point in required(shown, "timeseries", "Snapchat's stats of an ad"):
                    figures = _figures(point)
                    if not any(figures.values()):
                        continue
                    active.add(_day(point, account))
                    if shown["id"] in parents:  # what no list knows is in the account's total, and shows as unmatched
                        names = parents[shown["id"]]
                        yield SpendRow(_day(point, account), account.account_id, account.currency, **figures, **names)
        for stat in _stats(api, account, {**bounds, "fields": "spend"}):
            for point in required(stat, "timeseries", "Snapchat's stats of the account"):
                total = from_micros(required(point, "stats.spend", "Snapchat's stats of the account"))
                if total or _day(point, account) in active:
                    yield SpendRow(_day(point, account), account.account_id, account.currency, total, "account")


def _as_of_now(api: Api, account: Account) -> Account:
    """The account with the currency and the zone that it has today."""
    answer = api.get(f"/{VERSION}/adaccounts/{account.account_id}")
    (part,) = required(answer, "adaccounts", "Snapchat's answer to an ad account")
    return _account(required(part, "adaccount", "Snapchat's answer to an ad account"))


def _parents(api: Api, account: Account) -> dict[str, dict[str, Any]]:
    """What an ad and what is above it are called, by the ad's id."""
    where = f"/adaccounts/{account.account_id}"
    campaigns = {row["id"]: row.get("name") for row in _listed(api, f"{where}/campaigns", "campaign", DELETED_TOO)}
    squads = {
        row["id"]: {
            "campaign_id": row["campaign_id"],
            "campaign": campaigns.get(row["campaign_id"]),
            "adset_id": row["id"],
            "adset": row.get("name"),
        }
        for row in _listed(api, f"{where}/adsquads", "adsquad", DELETED_TOO)
    }
    return {
        row["id"]: {**squads[row["ad_squad_id"]], "ad_id": row["id"], "ad": row.get("name")}
        for row in _listed(api, f"{where}/ads", "ad", DELETED_TOO)
        if row["ad_squad_id"] in squads
    }


def _figures(point: dict[str, Any]) -> dict[str, Any]:
    def told(name: str) -> Any:
        return required(point, f"stats.{name}", "Snapchat's stats of an ad")

    stats = point.get("stats") or {}
    return {
        "spend_micros": from_micros(told("spend")),
        "impressions": int(told("impressions")),
        "clicks": int(told("swipes")),
        "video_views": int(stats.get("video_views") or 0),
        "platform_conversions": Decimal(stats.get("conversion_purchases") or 0),
        "platform_value_micros": from_micros(stats.get("conversion_purchases_value") or 0),
    }


def _midnight(day: date, account: Account) -> str:
    return midnight(day, account.timezone).isoformat(timespec="milliseconds")


def _day(point: dict[str, Any], account: Account) -> date:
    return today(datetime.fromisoformat(required(point, "start_time", "Snapchat's stats")), account.timezone)


def entities(api: Api, account: Account) -> Iterator[Entity]:
    account = _as_of_now(api, account)
    where, id_ = f"/adaccounts/{account.account_id}", account.account_id
    yield entity_of(account)
    for row in _listed(api, f"{where}/campaigns", "campaign", DELETED_TOO):
        objective = optional(row, "objective_v2_properties.objective_v2_type") or row.get("objective")
        yield Entity(
            id_,
            "campaign",
            row["id"],
            name=row.get("name"),
            status=row.get("status"),
            objective=objective,
            daily_budget_micros=row.get("daily_budget_micro"),
            lifetime_budget_micros=row.get("lifetime_spend_cap_micro"),
            currency=account.currency,
        )
    parents: dict[str, str] = {}
    for row in _listed(api, f"{where}/adsquads", "adsquad", DELETED_TOO):
        parents[row["id"]] = row["campaign_id"]
        yield Entity(
            id_,
            "adset",
            row["id"],
            campaign_id=row["campaign_id"],
            name=row.get("name"),
            status=row.get("status"),
            objective=row.get("optimization_goal"),
            daily_budget_micros=row.get("daily_budget_micro"),
            lifetime_budget_micros=row.get("lifetime_budget_micro"),
            currency=account.currency,
        )
    destinations: dict[str, str | None] = {}
    for row in _listed(api, f"{where}/creatives", "creative"):
        destinations[row["id"]] = _destination(row)
        yield Entity(
            id_,
            "creative",
            row["id"],
            name=row.get("name"),
            status=row.get("review_status"),
            destination_url=destinations[row["id"]],
        )
    for row in _listed(api, f"{where}/ads", "ad", DELETED_TOO):
        yield Entity(
            id_,
            "ad",
            row["id"],
            campaign_id=parents.get(row["ad_squad_id"]),
            adset_id=row["ad_squad_id"],
            creative_id=row.get("creative_id"),
            name=row.get("name"),
            status=row.get("status"),
            destination_url=destinations.get(row.get("creative_id", "")),
        )


def _destination(creative: dict[str, Any]) -> str | None:
    """Where a swipe leads: a page, or an app's own address."""
    app = creative.get("deep_link_properties") or {}
    page = optional(creative, "web_view_properties.url")
    return page or app.get("web_view_fallback_url") or app.get("deep_link_uri")


def _stats(api: Api, account: Account, question: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for answer in _pages(api, f"/adaccounts/{account.account_id}/stats", question):
        for part in required(answer, "timeseries_stats", "Snapchat's stats"):
            yield required(part, "timeseries_stat", "Snapchat's stats")


def _listed(api: Api, path: str, one: str, params: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """The things of all pages of a list; `one` is what a thing is called: the list is in the plural."""
    for answer in _pages(api, path, {"limit": PAGE, **(params or {})}):
        for part in required(answer, f"{one}s", f"Snapchat's answer to {path}"):
            yield required(part, one, f"Snapchat's answer to {path}")


def _pages(api: Api, path: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    first = f"{api.platform.base_url}/{VERSION}{path}?{httpx.QueryParams(params)}"
    return api.pages(first, api.get, lambda answer, _: optional(answer, "paging.next_link"))


PLATFORM = Platform(
    name="snapchat",
    label="Snapchat",
    base_url="https://adsapi.snapchat.com",
    repull_days=7,
    check=check,
    accounts=accounts,
    spend=spend,
    entities=entities,
    oauth=OAuth(
        authorize_url="https://accounts.snapchat.com/login/oauth2/authorize",
        token_url="https://accounts.snapchat.com/login/oauth2/access_token",
        scopes=("snapchat-marketing-api",),
    ),
)
