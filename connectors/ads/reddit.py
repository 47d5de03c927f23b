"""Reddit: the report of the Ads API v3.

In: reports by day of the requested time zone, in micros, without names or currency. Out: rows by ad and by account;
days are the ad account's.
Source: ads-api.reddit.com/docs/v3 (its OpenAPI document), .../docs/v3/guides/quick-start/rate-limiting; a client that
checked the hours of a report: github.com/kLOsk/adloop, src/adloop/reddit/read.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from textwrap import shorten
from typing import Any
from urllib.parse import urlencode

import httpx

from connectors.destination_url import destination_url
from connectors.http.client import PlatformClient
from connectors.http.errors import Rejected, Throttled
from connectors.http.responses import error_body, excerpt, field_reader, figure, optional, required
from connectors.http.service import OAuth, Secrets
from connectors.micros import cents_to_micros, parse_micros
from connectors.platform import (
    Account,
    Entity,
    EntityLevel,
    History,
    Platform,
    SpendRow,
    account_entity,
    unique_accounts,
)
from connectors.reporting_days import midnight, split_range

BASE = "https://ads-api.reddit.com/api/v3"
TOKENS = "https://www.reddit.com/api/v1/access_token"
PAGE = 1000  # rows
DAYS_PER_REPORT = 29  # 31 at most with the hours that _report_hours and Reddit add
FIELDS = (
    "SPEND",
    "IMPRESSIONS",
    "CLICKS",
    "VIDEO_STARTED",
    "CONVERSION_PURCHASE_CLICKS",
    "CONVERSION_PURCHASE_VIEWS",
    "CONVERSION_PURCHASE_TOTAL_VALUE",
)
BY_AD, BY_DAY = ("DATE", "CAMPAIGN_ID", "AD_ID"), ("DATE",)  # three breakdowns at most: the ad group comes from the ad
EXHAUSTED = re.compile(r"\br=0;\s*t=(\d+)")  # in the header RateLimit: no request remains for so many seconds


class NotFound(Rejected):
    """The entity does not exist, or no longer."""


def raise_for_error(response: httpx.Response) -> None:
    """Raise by the HTTP status. The member `error` states the wrong fields."""
    status = response.status_code
    if status == 429:
        rests = [int(seconds) for seconds in EXHAUSTED.findall(response.headers.get("ratelimit", ""))]
        raise Throttled("too many requests", max(rests, default=None))
    if status < 400 or status == 401 or status >= 500:
        return
    error = error_body(response).get("error")
    fields = [f"{f.get('field')}: {shorten(str(f.get('message')), 200)}" for f in optional(error, "fields") or ()]
    reason = "; ".join([optional(error, "message") or excerpt(response), *fields])
    raise (NotFound if status == 404 else Rejected)(f"{reason} ({status})")


def accounts(client: PlatformClient) -> Iterator[Account]:
    return unique_accounts(
        _account(row)
        for business in _rows(client, "/me/businesses")
        for row in _rows(client, f"/businesses/{business['id']}/ad_accounts")
    )


def _account(row: dict[str, Any]) -> Account:
    field = field_reader(row, "Reddit's ad account")
    return Account(
        account_id=field("id"),
        name=row.get("name"),
        currency=field("currency"),
        timezone=field("time_zone_id"),
        status=row.get("admin_approval"),
    )


def _current_account(client: PlatformClient, account: Account) -> Account:
    return _account(required(client.get(f"/ad_accounts/{account.account_id}"), "data", "Reddit's ad account"))


def spend(client: PlatformClient, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    path, account = f"/ad_accounts/{account.account_id}", _current_account(client, account)  # rows have no currency
    listed = {  # rows have no names
        kind: {row["id"]: (row.get("name"), row.get("ad_group_id")) for row in _rows(client, f"{path}/{kind}")}
        for kind in ("campaigns", "ad_groups", "ads")
    }

    def ad_name_and_group(row: dict[str, Any]) -> tuple[str | None, str | None]:
        """Return the ad's name and ad group. Request an ad that is no longer listed by its id."""
        id_ = required(row, "ad_id", "Reddit's report")
        if id_ not in listed["ads"]:
            try:
                found = required(client.get(f"/ads/{id_}"), "data", "Reddit's response to an ad")
            except NotFound:
                found = {}
            listed["ads"][id_] = found.get("name"), found.get("ad_group_id")
        return listed["ads"][id_]

    def ids_and_names(row: dict[str, Any]) -> dict[str, Any]:
        campaign_id, (name, adset_id) = required(row, "campaign_id", "Reddit's report"), ad_name_and_group(row)
        campaign, adset = (
            listed[kind].get(id_, (None,))[0] for kind, id_ in (("campaigns", campaign_id), ("ad_groups", adset_id))
        )
        return {
            "campaign_id": campaign_id,
            "campaign": campaign,
            "adset_id": adset_id,
            "adset": adset,
            "ad_id": row["ad_id"],
            "ad": name,
        }

    without_spend = 0
    for since, until in split_range(start, end, days=DAYS_PER_REPORT):
        for breakdowns in (BY_AD, BY_DAY):
            report = {
                **_report_hours(since, until, account.timezone),
                "time_zone_id": account.timezone,
                "breakdowns": breakdowns,
                "fields": FIELDS,
            }
            for page in _pages(client, f"{path}/reports", report):
                for row in required(page, "data.metrics", "Reddit's report"):
                    if not since <= _day(row) <= until:  # the report has parts of other days, too
                        continue
                    if _is_delivered_without_spend(row):
                        without_spend += 1
                        # A total of 0 would deny the spend of the ads. Without a total, the sum of the ads counts.
                        if breakdowns == BY_DAY:
                            continue
                    yield _spend_row(row, account, ids_and_names(row) if breakdowns == BY_AD else {})
    if without_spend:
        client.log(
            f"Reddit: spend is null in {without_spend} of the rows with impressions or clicks. It counts as 0 for an "
            "ad, and the total of a day without an amount is ignored"
        )


def _report_hours(since: date, until: date, timezone: str | None) -> dict[str, str]:
    """Return the first and last hour of a report that has all of the days, however Reddit reads the hours.

    Its documentation reads them in the requested time zone. Its API reads them in UTC, and adds the 24 hours after
    `ends_at`. The hours thus cover the days in the zone and in UTC, and do not rely on the 24 hours.
    """
    after = until + timedelta(days=1)
    first = min(midnight(since, timezone), midnight(since, "UTC")).astimezone(UTC)
    last = max(midnight(after, timezone), midnight(after, "UTC")).astimezone(UTC) + timedelta(minutes=59)
    return {"starts_at": f"{first:%Y-%m-%dT%H}:00:00Z", "ends_at": f"{last:%Y-%m-%dT%H}:00:00Z"}  # only whole hours


def _day(row: dict[str, Any]) -> date:
    return date.fromisoformat(required(row, "date", "Reddit's report"))


def _is_delivered_without_spend(row: dict[str, Any]) -> bool:
    return "spend" in row and row["spend"] is None and bool(row.get("impressions") or row.get("clicks"))


def _spend_row(row: dict[str, Any], account: Account, names: dict[str, Any]) -> SpendRow:
    """Return a row. Reddit's schema makes each figure an integer or null, and null is 0.

    Null beside impressions is normal: an ad that pays by the click and received none costs nothing. If null ever hides
    the amount of an ad, the account's total has it, and the difference is (unmatched). An absent spend is an error: the
    API changed.
    """

    def count(name: str) -> int:
        """Return 0 for a figure that is null or absent."""
        return row.get(name) or 0

    return SpendRow(
        date=_day(row),
        account_id=account.account_id,
        currency=account.currency or "",
        spend_micros=parse_micros(figure(row, "spend", "Reddit's report")),
        level=None if names else "account",
        impressions=count("impressions"),
        clicks=count("clicks"),
        video_views=count("video_started"),
        platform_conversions=Decimal(count("conversion_purchase_clicks") + count("conversion_purchase_views")),
        platform_value_micros=cents_to_micros(count("conversion_purchase_total_value")),
        **names,
    )


def entities(client: PlatformClient, account: Account) -> Iterator[Entity]:
    account = _current_account(client, account)
    yield account_entity(account)
    lists: tuple[tuple[EntityLevel, str], ...] = (("campaign", "campaigns"), ("adset", "ad_groups"), ("ad", "ads"))
    for level, kind in lists:
        for row in _rows(client, f"/ad_accounts/{account.account_id}/{kind}"):
            budget = {row.get("goal_type"): row.get("goal_value")}
            yield Entity(
                account_id=account.account_id,
                level=level,
                entity_id=row["id"],
                campaign_id=row.get("campaign_id"),
                adset_id=row.get("ad_group_id"),
                name=row.get("name"),
                status=row.get("effective_status") or row.get("configured_status"),
                objective=row.get("objective"),
                destination_url=_destination_url(row),
                daily_budget_micros=budget.get("DAILY_SPEND"),
                lifetime_budget_micros=budget.get("LIFETIME_SPEND"),
                currency=account.currency,
            )


def _destination_url(ad: dict[str, Any]) -> str | None:
    """Return the address to which a click leads, with the parameters and macros ({{CAMPAIGN_ID}}) that Reddit adds.

    An ad for a catalog has its address in `shopping_creative`.
    """
    pairs = [(pair["name"], pair["value"]) for pair in ad.get("click_url_query_parameters") or []]
    addresses = (optional(ad, name) for name in ("click_url", "destination.url", "shopping_creative.destination_url"))
    return destination_url(next(filter(None, addresses), None), parameters=urlencode(pairs, safe="{}"))


def user_agent(credentials: Secrets) -> str:
    """Return a name in the form that Reddit asks for: platform, app, version and the user who owns the app."""
    app, owner = credentials.get("client_id") or "tributary", credentials.get("username") or "unknown"
    return f"python:{app}:v1 (by /u/{owner})"


def _rows(client: PlatformClient, path: str) -> Iterator[Any]:
    for page in _pages(client, path):
        yield from required(page, "data", f"Reddit's response to {path}")


def _pages(client: PlatformClient, path: str, report: dict[str, Any] | None = None) -> Iterator[Any]:
    """Yield all pages. Each states the URL of the next; the request for a report goes with every one."""

    def fetch(url: str) -> Any:
        return client.post(url, json={"data": report}) if report else client.get(url)

    return client.pages(
        f"{path}?page.size={PAGE}", fetch, lambda response, _: optional(response, "pagination.next_url")
    )


PLATFORM = Platform(
    name="reddit",
    label="Reddit",
    base_url=BASE,
    repull_days=30,
    optional_secrets=("username",),
    user_agent=user_agent,
    raise_for_error=raise_for_error,
    accounts=accounts,
    spend=spend,
    entities=entities,
    oauth=OAuth(
        authorize_url="https://www.reddit.com/api/v1/authorize",
        token_url=TOKENS,
        scopes=("adsread",),
        parameters={"duration": "permanent"},  # else there is no refresh token
        client_auth="client_secret_basic",
        redirect_host="localhost",
    ),
    history=History(months=24, margin_days=2),  # _report_hours begin up to 15 hours before a day, in some zones
)
