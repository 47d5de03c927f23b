"""TikTok: the synchronous integrated report of the Business API.

In: responses with an error code in the body, even with HTTP 200; money is decimal text. Out: rows by ad and by account;
days are the ad account's.
Source: business-api.tiktok.com/portal/docs (v1.3): /report/integrated/get/, /oauth2/advertiser/get/, return codes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx

from connectors.auth.token_response import parse_token
from connectors.http.client import PlatformClient
from connectors.http.errors import Rejected, Throttled, TokenRevoked, Transient, VendorError
from connectors.http.responses import error_body, field_reader, figure, parse_json, required
from connectors.http.service import OAuth, Secrets
from connectors.micros import units_to_micros
from connectors.platform import Account, Entity, EntityLevel, Platform, SpendRow, account_entity
from connectors.reporting_days import split_range

VERSION = "v1.3"
BASE = f"https://business-api.tiktok.com/open_api/{VERSION}"
TOKENS = f"{BASE}/oauth2/access_token/"
PAGE = 1000  # rows
IDS_AND_NAMES = {
    "campaign_id": "campaign_id",
    "campaign": "campaign_name",
    "adset_id": "adgroup_id",
    "adset": "adgroup_name",
    "ad": "ad_name",
}
# total_complete_payment_rate is the value of the purchases on the website, despite its name.
METRICS = ("spend", "impressions", "clicks", "video_play_actions", "complete_payment", "total_complete_payment_rate")
# Without this filter, the report lacks deleted ads and their spend.
WITH_DELETED = [{"field_name": "ad_status", "filter_type": "IN", "filter_value": '["STATUS_ALL"]'}]
ACCOUNT_FIELDS = ("advertiser_id", "name", "currency", "timezone", "display_timezone", "status")
BY_ACCOUNT = {"level": "AUCTION_ADVERTISER", "key": "advertiser_id", "metrics": METRICS}
UNAVAILABLE = "-"  # the value of a metric that TikTok cannot report for the row
TRUNCATED = "x-tt-ads-throttle"  # a header, if the account has more than 20,000 ads
OK, PARTIAL = 0, 20001
THROTTLED = {40016, 40100, 40132, 40133}
SYSTEM = range(50000, 60000)  # temporary failures
REVOKED = {40102, 40104, 40105}  # expired, missing, incorrect or revoked
DAILY = {"BUDGET_MODE_DAY", "BUDGET_MODE_DYNAMIC_DAILY_BUDGET"}


def headers(credentials: Secrets) -> dict[str, str]:
    return {"Access-Token": credentials.get("access_token", "")}


def raise_for_error(response: httpx.Response) -> None:
    body = error_body(response)
    code, message = body.get("code", OK), body.get("message")
    if code == OK:
        return
    if code in REVOKED:
        raise TokenRevoked(f"the access token was rejected: {message} (code {code})")
    if code in THROTTLED:
        raise Throttled(f"too many requests: {message} (code {code})")
    if code in SYSTEM:
        raise Transient(f"{message} (code {code})")
    if code == PARTIAL:
        raise Rejected(f"the response is incomplete: {message}. Pull again")
    raise Rejected(f"{message} (code {code})")


def accounts(client: PlatformClient) -> Iterator[Account]:
    app = {"app_id": client.credentials.values["client_id"], "secret": client.credentials.values["client_secret"]}
    response = client.get("/oauth2/advertiser/get/", app)
    ids = [row["advertiser_id"] for row in required(response, "data.list", "TikTok's list of accounts")]
    for first in range(0, len(ids), 100):
        yield from _accounts(client, ids[first : first + 100])


def _accounts(client: PlatformClient, ids: list[str]) -> Iterator[Account]:
    params = {"advertiser_ids": json.dumps(ids), "fields": json.dumps(ACCOUNT_FIELDS)}
    response = client.get("/advertiser/info/", params)
    for row in required(response, "data.list", "TikTok's list of accounts"):
        currency = required(row, "currency", "TikTok's list of accounts")
        zone = row.get("display_timezone") or row.get("timezone")
        yield Account(
            account_id=row["advertiser_id"],
            name=row.get("name"),
            currency=currency,
            timezone=zone,
            status=row.get("status"),
        )


def spend(client: PlatformClient, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    (account,) = _accounts(client, [account.account_id])  # rows have no currency
    for since, until in split_range(start, end, days=30):
        residual, listed = 0, set()
        for row in _report_rows(client, account, since, until, BY_ACCOUNT):
            residual += row.spend_micros
            yield row
        for row in _report_rows(client, account, since, until, _by_ad()):
            residual -= row.spend_micros
            listed.add(row.ad_id)
            yield row
        if residual:
            yield from (row for row in _reserved_ads(client, account, since, until) if row.ad_id not in listed)


def _by_ad(*filters: dict[str, str]) -> dict[str, Any]:
    """Return the report of ads, also of deleted ones."""
    metrics = [*IDS_AND_NAMES.values(), *METRICS]
    return {"level": "AUCTION_AD", "key": "ad_id", "metrics": metrics, "filtering": [*WITH_DELETED, *filters]}


def _reserved_ads(client: PlatformClient, account: Account, since: date, until: date) -> Iterator[SpendRow]:
    """Yield the rows of reserved ads, which the report of ads has only by a filter; none if TikTok rejects the filter.

    TikTok's documents and clients spell the filter in two ways. RESERVATION_TOP_VIEW stands alone in a filter.
    """
    for buying_type in ("RESERVATION_RF", "RESERVATION_TOP_VIEW"):
        for name in ("buying_types", "buying_type"):
            reserved = {"field_name": name, "filter_type": "IN", "filter_value": json.dumps([buying_type])}
            try:
                yield from _report_rows(client, account, since, until, _by_ad(reserved))
                break
            except Rejected as error:
                client.log(f"TikTok: rejected the filter {name} {buying_type} of {since} to {until}: {error}")


def _report_rows(
    client: PlatformClient, account: Account, since: date, until: date, report: dict[str, Any]
) -> Iterator[SpendRow]:
    params = {
        "advertiser_id": account.account_id,
        "report_type": "BASIC",
        "service_type": "AUCTION",
        "data_level": report["level"],
        "dimensions": json.dumps([report["key"], "stat_time_day"]),
        "metrics": json.dumps(report["metrics"]),
        "start_date": f"{since}",
        "end_date": f"{until}",
        **({"filtering": json.dumps(report["filtering"])} if "filtering" in report else {}),
    }
    for row in _rows(client, "/report/integrated/get/", params):
        yield _spend_row(row, account, report["key"])


def _spend_row(row: dict[str, Any], account: Account, key: str) -> SpendRow:
    where = f"TikTok's {'ad' if key == 'ad_id' else 'account'} report"
    field = field_reader(row, where)
    metrics = {name: value for name, value in field("metrics").items() if value != UNAVAILABLE}
    metric = field_reader(metrics, f"{where} (metrics)")
    names = {name: str(field(f"metrics.{member}")) for name, member in IDS_AND_NAMES.items()} if key == "ad_id" else {}
    if names:  # some ids are numbers
        names["ad_id"] = str(field("dimensions.ad_id"))

    def delivered(name: str) -> Any:
        """Return 0 for an unavailable figure. An absent figure is an error: the API changed."""
        value = figure(row, f"metrics.{name}", where)
        return 0 if value == UNAVAILABLE else value

    return SpendRow(
        date=date.fromisoformat(field("dimensions.stat_time_day")[:10]),
        account_id=account.account_id,
        currency=account.currency or "",
        spend_micros=units_to_micros(metric("spend")),
        level=None if names else "account",
        impressions=int(delivered("impressions")),
        clicks=int(delivered("clicks")),
        video_views=int(metrics.get("video_play_actions") or 0),
        platform_conversions=Decimal(metrics.get("complete_payment") or 0),
        platform_value_micros=units_to_micros(metrics.get("total_complete_payment_rate") or 0),
        **names,
    )


def entities(client: PlatformClient, account: Account) -> Iterator[Entity]:
    (account,) = _accounts(client, [account.account_id])
    yield account_entity(account)
    params = {"advertiser_id": account.account_id, "filtering": json.dumps({"primary_status": "STATUS_ALL"})}
    nodes: tuple[tuple[EntityLevel, str], ...] = (("campaign", "campaign"), ("adset", "adgroup"), ("ad", "ad"))
    for level, node in nodes:
        for row in _rows(client, f"/{node}/get/", params):
            budget, mode = units_to_micros(row.get("budget") or 0) or None, row.get("budget_mode")
            yield Entity(
                account_id=account.account_id,
                level=level,
                entity_id=row[f"{node}_id"],
                campaign_id=row["campaign_id"] if level != "campaign" else None,
                adset_id=row["adgroup_id"] if level == "ad" else None,
                name=row.get(f"{node}_name"),
                status=row.get("secondary_status") or row.get("operation_status"),
                objective=row.get("objective_type"),
                destination_url=row.get("landing_page_url") or None,
                daily_budget_micros=budget if mode in DAILY else None,
                lifetime_budget_micros=budget if mode == "BUDGET_MODE_TOTAL" else None,
                currency=account.currency,
            )


def _rows(client: PlatformClient, path: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of all pages. Raise VendorError if rows moved between pages meanwhile: one could be missing."""
    where = f"TikTok's response to {path}"

    def fetch(page: int) -> Any:
        def read(response: httpx.Response) -> Any:
            if page == 1 and (warning := response.headers.get(TRUNCATED)):
                client.log(f"TikTok: the list of ads is incomplete, the rest is (unmatched). TikTok states: {warning}")
            return required(parse_json(response), "data", where)

        return client.send("GET", path, read, params={**params, "page": page, "page_size": PAGE})

    def next_page(data: Any, page: int) -> int | None:
        return page + 1 if page < required(data, "page_info.total_page", where) else None

    received, promised = 0, set()
    for data in client.pages(1, fetch, next_page):
        rows = required(data, "list", where)
        received += len(rows)
        promised.add(required(data, "page_info.total_number", where))
        yield from rows
    if len(promised) > 1 or received < max(promised):
        raise VendorError(f"{where} had {received} of {max(promised)} rows, or the rows changed meanwhile. Pull again")


def exchange(http: httpx.Client, app_id: str, secret: str, code: str, redirect: str) -> dict[str, str]:
    """Exchange the code for a token that is valid until it is revoked."""
    response = http.post(TOKENS, json={"app_id": app_id, "secret": secret, "auth_code": code})
    raise_for_error(response)
    token: dict[str, str] = parse_token(response.raise_for_status())["data"]
    return token


PLATFORM = Platform(
    name="tiktok",
    label="TikTok",
    base_url=BASE,
    repull_days=28,
    raise_for_error=raise_for_error,
    headers=headers,
    accounts=accounts,
    spend=spend,
    entities=entities,
    oauth=OAuth(
        authorize_url="https://business-api.tiktok.com/portal/auth",
        token_url=TOKENS,
        client_id_parameter="app_id",
        code_parameter="auth_code",
        exchange=exchange,
    ),
)
