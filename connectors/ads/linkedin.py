"""LinkedIn: adAnalytics of the versioned Marketing API.

In: campaign groups, campaigns and creatives, which are campaigns, ad sets and ads in Tributary. Out: rows by creative
and by account; days are UTC.
Source: learn.microsoft.com/linkedin/marketing/integrations/ads-reporting, .../ads/account-structure,
.../linkedin/shared/api-guide/concepts/error-handling, .../linkedin/marketing/versioning. The texts of its limits:
github.com/airbytehq/airbyte, source-linkedin-ads/BEHAVIOR.md; github.com/PostHog/posthog, pull request 59608.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx

from connectors.http.client import PlatformClient
from connectors.http.errors import Rejected, ResponseTooLarge, Throttled, TokenExpired, TokenRevoked
from connectors.http.responses import error_body, excerpt, field_reader, figure, optional, required
from connectors.http.service import OAuth, Secrets, bearer
from connectors.micros import units_to_micros
from connectors.platform import Account, Entity, Platform, SpendRow, account_entity
from connectors.reporting_days import split_range

VERSION = "202607"  # LinkedIn serves a version for about a year
DATA_LIMIT = re.compile("data request limit|45 million metric values", re.IGNORECASE)  # of five minutes
DATA_LIMIT_SECONDS = 330.0
DAILY_LIMIT = re.compile(r"\bday limit\b", re.IGNORECASE)  # of calls: APPLICATION_AND_MEMBER DAY limit
MAX_ROWS = 15_000  # of a report, which has no pages: LinkedIn silently omits the rest
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
GROUP_STATUSES = STATUSES.replace("COMPLETED,", "")  # a status that groups do not have
EXPIRED, REVOKED = {65600, 65602}, {65601}


def headers(credentials: Secrets) -> dict[str, str]:
    return {
        **bearer(credentials),
        "LinkedIn-Version": VERSION,
        "X-Restli-Protocol-Version": "2.0.0",
    }


def raise_for_error(response: httpx.Response) -> None:
    status = response.status_code
    if status < 400:
        return
    error = error_body(response)
    code, message = error.get("serviceErrorCode"), str(error.get("message") or excerpt(response))
    if code in REVOKED or error.get("code") == "REVOKED_ACCESS_TOKEN":
        raise TokenRevoked(f"the access was revoked: {message}")
    if status == 401 or code in EXPIRED:
        raise TokenExpired(f"the access token was rejected: {message}")
    if status == 429:  # only the message states which limit is exceeded
        if DAILY_LIMIT.search(message):
            raise Rejected(f"{message} This limit of a day ends at midnight UTC. Pull again after that")
        wait = DATA_LIMIT_SECONDS if DATA_LIMIT.search(message) else None
        raise Throttled(f"too many calls or too much data ({message})", wait)
    if status == 426:
        raise Rejected(f"version {VERSION} of its API is no longer served. Install a newer version of Tributary")
    if status == 403:
        raise Rejected(
            f"{message}. Give the user a role on the ad account, and the app the scopes r_ads and r_ads_reporting"
        )


def accounts(client: PlatformClient) -> Iterator[Account]:
    for row in _rows(client, "/adAccounts?q=search", 100):
        yield _account(row)


def _account(row: dict[str, Any]) -> Account:
    return Account(
        account_id=str(required(row, "id", "LinkedIn's account")),
        name=row.get("name"),
        currency=row.get("currency"),
        status=row.get("status"),
    )


def spend(client: PlatformClient, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    # The report of an account without access is empty. Requesting the account itself raises the error.
    currency = required(client.get(f"/adAccounts/{account.account_id}"), "currency", "LinkedIn's account")
    names = {
        f"urn:li:{kind}:{row['id']}": row.get("name")
        for kind, rows in (
            ("sponsoredCampaignGroup", _groups(client, account)),
            ("sponsoredCampaign", _campaigns(client, account)),
        )
        for row in rows
    }
    for since, until in split_range(start, end, days=31):
        for query in ("q=statistics&pivots=List(CAMPAIGN_GROUP,CAMPAIGN,CREATIVE)", "q=analytics&pivot=ACCOUNT"):
            for row in _report_rows(client, account, query, since, until):
                yield _spend_row(row, account, currency, names)


def _report_rows(client: PlatformClient, account: Account, query: str, since: date, until: date) -> Iterator[Any]:
    """Yield the rows of the days. Split the days when a response may be cut off at its maximum."""
    bounds = ",".join(
        f"{name}:(year:{day.year},month:{day.month},day:{day.day})" for name, day in (("start", since), ("end", until))
    )
    report = (
        f"{query}&timeGranularity=DAILY&dateRange=({bounds})"
        f"&accounts=List({quote(f'urn:li:sponsoredAccount:{account.account_id}', safe='')})&fields={','.join(FIELDS)}"
    )
    rows = required(client.get(f"/adAnalytics?{report}"), "elements", "LinkedIn's report")
    if len(rows) < MAX_ROWS:
        yield from rows
        return
    if since == until:
        raise ResponseTooLarge(
            f"LinkedIn: {since} has {MAX_ROWS:,} ads or more, which exceeds one response. Nothing was stored"
        )
    middle = since + (until - since) // 2
    for first, last in split_range(since, until, days=(middle - since).days + 1):
        yield from _report_rows(client, account, query, first, last)


def _spend_row(row: dict[str, Any], account: Account, currency: str, names: dict[str, str | None]) -> SpendRow:
    field = field_reader(row, "LinkedIn's report")
    day = field("dateRange.start")
    # urn:li:sponsoredCampaign:123, in any order
    urns = {urn.split(":")[2]: urn for urn in field("pivotValues")}
    ids = {kind: urn.rpartition(":")[2] for kind, urn in urns.items()}
    is_total = "sponsoredAccount" in ids

    def id_of(kind: str) -> str | None:
        return None if is_total else str(required(ids, kind, "LinkedIn's report (pivotValues)"))

    return SpendRow(
        date=date(day["year"], day["month"], day["day"]),
        account_id=account.account_id,
        currency=currency,
        spend_micros=units_to_micros(field("costInLocalCurrency")),
        level="account" if is_total else None,
        campaign_id=id_of("sponsoredCampaignGroup"),
        campaign=names.get(urns.get("sponsoredCampaignGroup", "")),
        adset_id=id_of("sponsoredCampaign"),
        adset=names.get(urns.get("sponsoredCampaign", "")),
        ad_id=id_of("sponsoredCreative"),
        impressions=int(figure(row, "impressions", "LinkedIn's report")),
        clicks=int(figure(row, "clicks", "LinkedIn's report")),
        video_views=int(row.get("videoViews") or 0),
        platform_conversions=Decimal(row.get("externalWebsiteConversions") or 0),
        platform_value_micros=units_to_micros(row.get("conversionValueInLocalCurrency") or 0),
    )


def entities(client: PlatformClient, account: Account) -> Iterator[Entity]:
    account = _account(client.get(f"/adAccounts/{account.account_id}"))
    yield account_entity(account)
    for row in _groups(client, account):
        yield Entity(
            account_id=account.account_id,
            level="campaign",
            entity_id=row["id"],
            name=row.get("name"),
            status=row.get("status"),
            objective=row.get("objectiveType"),
            daily_budget_micros=_budget(row, "dailyBudget"),
            lifetime_budget_micros=_budget(row, "totalBudget"),
            currency=account.currency,
        )
    group_of: dict[str, str] = {}
    for row in _campaigns(client, account):
        group_of[row["id"]] = group = required(row, "campaignGroup", "LinkedIn's campaign").rpartition(":")[2]
        yield Entity(
            account_id=account.account_id,
            level="adset",
            entity_id=row["id"],
            campaign_id=group,
            name=row.get("name"),
            status=row.get("status"),
            objective=row.get("objectiveType"),
            daily_budget_micros=_budget(row, "dailyBudget"),
            lifetime_budget_micros=_budget(row, "totalBudget"),
            currency=account.currency,
        )
    path = f"/adAccounts/{account.account_id}/creatives?q=criteria"
    for row in _rows(client, path, 100, {"X-RestLi-Method": "FINDER"}):
        adset = required(row, "campaign", "LinkedIn's creative").rpartition(":")[2]
        parts = [part for part in (row.get("content") or {}).values() if isinstance(part, dict)]
        yield Entity(
            account_id=account.account_id,
            level="ad",
            entity_id=row["id"],
            campaign_id=group_of.get(adset),
            adset_id=adset,
            name=row.get("name"),
            status=row.get("intendedStatus"),
            currency=account.currency,
            destination_url=next((part["landingPage"] for part in parts if part.get("landingPage")), None),
        )


def _budget(row: dict[str, Any], member: str) -> int | None:
    return units_to_micros(row[member]["amount"]) if row.get(member) else None


def _groups(client: PlatformClient, account: Account) -> Iterator[Any]:
    search = f"q=search&search=(status:(values:List({GROUP_STATUSES})))"
    return _rows(client, f"/adAccounts/{account.account_id}/adCampaignGroups?{search}", 500)


def _campaigns(client: PlatformClient, account: Account) -> Iterator[Any]:
    search = f"q=search&search=(status:(values:List({STATUSES})))"
    return _rows(client, f"/adAccounts/{account.account_id}/adCampaigns?{search}", 500)


def _rows(client: PlatformClient, path: str, size: int, headers: dict[str, str] | None = None) -> Iterator[Any]:
    """Yield the rows of all pages, each with its id as a number in text.

    path: includes the query, because LinkedIn rejects escaped brackets.
    """
    where = f"LinkedIn's response to {path.partition('?')[0]}"

    def fetch(token: str) -> Any:
        page = f"&pageToken={quote(token, safe='')}" if token else ""
        return client.get(f"{path}&pageSize={size}{page}", headers=headers)

    for response in client.pages("", fetch, lambda response, _: optional(response, "metadata.nextPageToken") or None):
        for row in required(response, "elements", where):
            yield {**row, "id": str(required(row, "id", where)).rpartition(":")[2]}


PLATFORM = Platform(
    name="linkedin",
    label="LinkedIn",
    base_url="https://api.linkedin.com/rest",
    repull_days=30,
    raise_for_error=raise_for_error,
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
