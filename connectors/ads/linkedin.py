"""LinkedIn: adAnalytics of the versioned Marketing API. Its campaign groups are campaigns here, its campaigns ad sets,
its creatives ads; its days are UTC's.

Source: learn.microsoft.com/linkedin/marketing/integrations/ads-reporting, .../ads/account-structure,
.../linkedin/shared/api-guide/concepts/error-handling, .../linkedin/marketing/versioning.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx

from connectors.days import spans
from connectors.http.client import Api
from connectors.http.errors import Refused, Throttled, TokenExpired, TokenRevoked, TooMuch
from connectors.http.responses import excerpt, said
from connectors.money import from_units
from connectors.platform import Account, Entity, OAuth, Platform, SpendRow, bearer, entity_of, optional, required

VERSION = "202607"  # a version is served for about a year
MOST = 15_000  # elements of an answer, which has no pages: what is beyond is left out without a word
FIELDS = (
    "dateRange",
    "pivotValues",
    "costInLocalCurrency",
    "impressions",
    "clicks",
    "videoViews",
    "externalWebsiteConversions",
    "conversionValueInLocalCurrency",
)
STATUSES = "ACTIVE,PAUSED,ARCHIVED,COMPLETED,CANCELED,DRAFT,PENDING_DELETION,REMOVED"
GROUP_STATUSES = STATUSES.replace("COMPLETED,", "")  # which groups do not have
EXPIRED, REVOKED = {65600, 65602}, {65601}
BUDGETS = {"daily_budget_micros": "dailyBudget", "lifetime_budget_micros": "totalBudget"}


def headers(credentials: dict[str, str]) -> dict[str, str]:
    return {
        **bearer(credentials),
        "LinkedIn-Version": VERSION,
        "X-Restli-Protocol-Version": "2.0.0",
    }


def check(response: httpx.Response) -> None:
    status = response.status_code
    if status < 400:
        return
    error = said(response)
    code, message = error.get("serviceErrorCode"), str(error.get("message") or excerpt(response))
    if code in REVOKED or error.get("code") == "REVOKED_ACCESS_TOKEN":
        raise TokenRevoked(f"the access was taken back: {message}")
    if status == 401 or code in EXPIRED:
        raise TokenExpired(f"the access token is not accepted: {message}")
    if status == 429:  # nothing says how long; the limits of a day end at midnight UTC
        raise Throttled(f"too many calls ({message}); limits of a day end at midnight UTC")
    if status == 426:
        raise Refused(f"version {VERSION} of its API is no longer served: look for a newer version of Tributary")
    if status == 403:
        raise Refused(f"{message}: it takes a role on the ad account, and the scopes r_ads and r_ads_reporting")


def accounts(api: Api) -> Iterator[Account]:
    for row in _listed(api, "/adAccounts?q=search", 100):
        yield _account(row)


def _account(row: dict[str, Any]) -> Account:
    id_ = str(required(row, "id", "LinkedIn's account"))
    return Account(id_, row.get("name"), row.get("currency"), status=row.get("status"))


def spend(api: Api, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    # An account that may not be read has an empty report: its own address says so.
    currency = required(api.get(f"/adAccounts/{account.account_id}"), "currency", "LinkedIn's account")
    names = {
        f"urn:li:{kind}:{row['id']}": row.get("name")
        for kind, rows in (
            ("sponsoredCampaignGroup", _groups(api, account)),
            ("sponsoredCampaign", _sets(api, account)),
        )
        for row in rows
    }
    for since, until in spans(start, end, days=31):
        for finder in ("q=statistics&pivots=List(CAMPAIGN_GROUP,CAMPAIGN,CREATIVE)", "q=analytics&pivot=ACCOUNT"):
            for row in _figures(api, account, finder, since, until):
                yield _spend_row(row, account, currency, names)


def _figures(api: Api, account: Account, finder: str, since: date, until: date) -> Iterator[dict[str, Any]]:
    """The elements of the days; of fewer days at once where they are too many for one answer."""
    bounds = ",".join(
        f"{name}:(year:{day.year},month:{day.month},day:{day.day})" for name, day in (("start", since), ("end", until))
    )
    query = (
        f"{finder}&timeGranularity=DAILY&dateRange=({bounds})"
        f"&accounts=List({quote(f'urn:li:sponsoredAccount:{account.account_id}', safe='')})&fields={','.join(FIELDS)}"
    )
    rows = required(api.get(f"/adAnalytics?{query}"), "elements", "LinkedIn's report")
    if len(rows) < MOST:
        yield from rows
        return
    if since == until:
        raise TooMuch(f"LinkedIn: {since} has {MOST:,} ads or more, the most that one answer holds: nothing was stored")
    middle = since + (until - since) // 2
    for first, last in spans(since, until, days=(middle - since).days + 1):
        yield from _figures(api, account, finder, first, last)


def _spend_row(row: dict[str, Any], account: Account, currency: str, names: dict[str, str | None]) -> SpendRow:
    def told(name: str) -> Any:
        return required(row, name, "LinkedIn's report")

    day = told("dateRange.start")
    # Whatever their order: urn:li:sponsoredCampaign:123
    urns = {urn.split(":")[2]: urn for urn in told("pivotValues")}
    ids = {kind: urn.rpartition(":")[2] for kind, urn in urns.items()}
    is_total = "sponsoredAccount" in ids

    def of(kind: str) -> str | None:
        return None if is_total else required(ids, kind, "LinkedIn's report (pivotValues)")

    return SpendRow(
        date=date(day["year"], day["month"], day["day"]),
        account_id=account.account_id,
        currency=currency,
        spend_micros=from_units(told("costInLocalCurrency")),
        level="account" if is_total else None,
        campaign_id=of("sponsoredCampaignGroup"),
        campaign=names.get(urns.get("sponsoredCampaignGroup", "")),
        adset_id=of("sponsoredCampaign"),
        adset=names.get(urns.get("sponsoredCampaign", "")),
        ad_id=of("sponsoredCreative"),
        impressions=int(told("impressions")),
        clicks=int(told("clicks")),
        video_views=int(row.get("videoViews") or 0),
        platform_conversions=Decimal(row.get("externalWebsiteConversions") or 0),
        platform_value_micros=from_units(row.get("conversionValueInLocalCurrency") or 0),
    )


def entities(api: Api, account: Account) -> Iterator[Entity]:
    now = _account(api.get(f"/adAccounts/{account.account_id}"))
    currency = now.currency
    yield entity_of(now)
    for row in _groups(api, account):
        yield Entity(
            account.account_id,
            "campaign",
            row["id"],
            name=row.get("name"),
            status=row.get("status"),
            objective=row.get("objectiveType"),
            currency=currency,
            **_budgets(row),
        )
    group_of: dict[str, str] = {}
    for row in _sets(api, account):
        group_of[row["id"]] = group = required(row, "campaignGroup", "LinkedIn's campaign").rpartition(":")[2]
        yield Entity(
            account.account_id,
            "adset",
            row["id"],
            campaign_id=group,
            name=row.get("name"),
            status=row.get("status"),
            objective=row.get("objectiveType"),
            currency=currency,
            **_budgets(row),
        )
    path = f"/adAccounts/{account.account_id}/creatives?q=criteria"
    for row in _listed(api, path, 100, {"X-RestLi-Method": "FINDER"}):
        adset = required(row, "campaign", "LinkedIn's creative").rpartition(":")[2]
        parts = [part for part in (row.get("content") or {}).values() if isinstance(part, dict)]
        yield Entity(
            account.account_id,
            "ad",
            row["id"],
            campaign_id=group_of.get(adset),
            adset_id=adset,
            name=row.get("name"),
            status=row.get("intendedStatus"),
            currency=currency,
            destination_url=next((part["landingPage"] for part in parts if part.get("landingPage")), None),
        )


def _budgets(row: dict[str, Any]) -> dict[str, int]:
    return {name: from_units(row[member]["amount"]) for name, member in BUDGETS.items() if row.get(member)}


def _groups(api: Api, account: Account) -> Iterator[dict[str, Any]]:
    search = f"q=search&search=(status:(values:List({GROUP_STATUSES})))"
    return _listed(api, f"/adAccounts/{account.account_id}/adCampaignGroups?{search}", 500)


def _sets(api: Api, account: Account) -> Iterator[dict[str, Any]]:
    search = f"q=search&search=(status:(values:List({STATUSES})))"
    return _listed(api, f"/adAccounts/{account.account_id}/adCampaigns?{search}", 500)


def _listed(api: Api, path: str, size: int, more: dict[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """The elements of all pages, their ids as numbers in text. The query is part of the path: its brackets must not
    be escaped."""
    where = f"LinkedIn's answer to {path.partition('?')[0]}"

    def ask(token: str) -> dict[str, Any]:
        page = f"&pageToken={quote(token, safe='')}" if token else ""
        return api.get(f"{path}&pageSize={size}{page}", headers=more)

    for answer in api.pages("", ask, lambda answer, _: optional(answer, "metadata.nextPageToken") or None):
        for row in required(answer, "elements", where):
            yield {**row, "id": str(required(row, "id", where)).rpartition(":")[2]}


PLATFORM = Platform(
    name="linkedin",
    label="LinkedIn",
    base_url="https://api.linkedin.com/rest",
    repull_days=30,
    check=check,
    headers=headers,
    accounts=accounts,
    spend=spend,
    entities=entities,
    oauth=OAuth(
        authorize_url="https://www.linkedin.com/oauth/v2/authorization",
        token_url="https://www.linkedin.com/oauth/v2/accessToken",
        scopes=("r_ads", "r_ads_reporting"),
        redirect_host="localhost",
    ),
)
