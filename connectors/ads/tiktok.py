"""TikTok: the synchronous integrated report; days are the ad account's, money is decimal text.

Errors come with HTTP 200 and a code in the body.
Source: business-api.tiktok.com/portal/docs (v1.3): /report/integrated/get/, /oauth2/advertiser/get/, return codes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx

from connectors.days import spans
from connectors.http.client import Api
from connectors.http.errors import Refused, Throttled, TokenRevoked, Transient, VendorError
from connectors.http.responses import said
from connectors.money import from_units
from connectors.platform import Account, Entity, OAuth, Platform, SpendRow, entity_of, required

VERSION = "v1.3"
BASE = f"https://business-api.tiktok.com/open_api/{VERSION}"
TOKENS = f"{BASE}/oauth2/access_token/"
PAGE = 1000
NAMED = {
    "campaign_id": "campaign_id",
    "campaign": "campaign_name",
    "adset_id": "adgroup_id",
    "adset": "adgroup_name",
    "ad": "ad_name",
}
# total_complete_payment_rate is the value of the purchases on the website, whatever its name says.
METRICS = ("spend", "impressions", "clicks", "video_play_actions", "complete_payment", "total_complete_payment_rate")
# Without it, ads that were deleted are left out, and what they cost.
DELETED_TOO = [{"field_name": "ad_status", "filter_type": "IN", "filter_value": '["STATUS_ALL"]'}]
ACCOUNT = ("advertiser_id", "name", "currency", "timezone", "display_timezone", "status")
OK, PARTIAL, THROTTLED, SYSTEM = 0, 20001, 40100, 50000
REVOKED = {40102, 40104, 40105}  # expired, missing, incorrect or taken back
DAILY = {"BUDGET_MODE_DAY", "BUDGET_MODE_DYNAMIC_DAILY_BUDGET"}


def headers(credentials: dict[str, str]) -> dict[str, str]:
    return {"Access-Token": credentials.get("access_token", "")}


def check(response: httpx.Response) -> None:
    body = said(response)
    code, message = body.get("code", OK), body.get("message")
    if code == OK:
        return
    if code in REVOKED:
        raise TokenRevoked(f"the access token is not accepted: {message} (code {code})")
    if code == THROTTLED:
        raise Throttled(f"too many requests: {message} (code {code})")
    if code >= SYSTEM:
        raise Transient(f"{message} (code {code})")
    if code == PARTIAL:
        raise Refused(f"the answer is there in part only: {message}. Pull again")
    raise Refused(f"{message} (code {code})")


def accounts(api: Api) -> Iterator[Account]:
    app = {"app_id": api.credentials.values["client_id"], "secret": api.credentials.values["client_secret"]}
    answer = api.get("/oauth2/advertiser/get/", app)
    ids = [row["advertiser_id"] for row in required(answer, "data.list", "TikTok's list of accounts")]
    for first in range(0, len(ids), 100):
        yield from _accounts(api, ids[first : first + 100])


def _accounts(api: Api, ids: list[str]) -> Iterator[Account]:
    question = {"advertiser_ids": json.dumps(ids), "fields": json.dumps(ACCOUNT)}
    answer = api.get("/advertiser/info/", question)
    for row in required(answer, "data.list", "TikTok's list of accounts"):
        currency = required(row, "currency", "TikTok's list of accounts")
        zone = row.get("display_timezone") or row.get("timezone")
        yield Account(row["advertiser_id"], row.get("name"), currency, zone, status=row.get("status"))


def spend(api: Api, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    (now,) = _accounts(api, [account.account_id])  # rows bring no currency
    for since, until in spans(start, end, days=30):
        for level, key, more in (
            ("AUCTION_AD", "ad_id", {"metrics": [*NAMED.values(), *METRICS], "filtering": DELETED_TOO}),
            ("AUCTION_ADVERTISER", "advertiser_id", {"metrics": METRICS}),
        ):
            question = {
                "advertiser_id": account.account_id,
                "report_type": "BASIC",
                "service_type": "AUCTION",
                "data_level": level,
                "dimensions": json.dumps([key, "stat_time_day"]),
                **{name: json.dumps(value) for name, value in more.items()},
                "start_date": f"{since}",
                "end_date": f"{until}",
            }
            for row in _rows(api, "/report/integrated/get/", question):
                yield _spend_row(row, now, key)


def _spend_row(row: dict[str, Any], account: Account, key: str) -> SpendRow:
    def told(name: str) -> Any:
        return required(row, name, f"TikTok's {'ad' if key == 'ad_id' else 'account'} report")

    metrics = told("metrics")
    names = {name: told(f"metrics.{member}") for name, member in NAMED.items()} if key == "ad_id" else {}
    if names:
        names["ad_id"] = told("dimensions.ad_id")
    return SpendRow(
        date=date.fromisoformat(told("dimensions.stat_time_day")[:10]),
        account_id=account.account_id,
        currency=account.currency or "",
        spend_micros=from_units(told("metrics.spend")),
        level=None if names else "account",
        impressions=int(told("metrics.impressions")),
        clicks=int(told("metrics.clicks")),
        video_views=int(metrics.get("video_play_actions") or 0),
        platform_conversions=Decimal(metrics.get("complete_payment") or 0),
        platform_value_micros=from_units(metrics.get("total_complete_payment_rate") or 0),
        **names,
    )


def entities(api: Api, account: Account) -> Iterator[Entity]:
    (now,) = _accounts(api, [account.account_id])
    yield entity_of(now)
    question = {"advertiser_id": account.account_id, "filtering": json.dumps({"primary_status": "STATUS_ALL"})}
    for level, node in (("campaign", "campaign"), ("adset", "adgroup"), ("ad", "ad")):
        for row in _rows(api, f"/{node}/get/", question):
            budget, mode = from_units(row.get("budget") or 0) or None, row.get("budget_mode")
            yield Entity(
                account.account_id,
                level,
                row[f"{node}_id"],
                campaign_id=row["campaign_id"] if level != "campaign" else None,
                adset_id=row["adgroup_id"] if level == "ad" else None,
                name=row.get(f"{node}_name"),
                status=row.get("secondary_status") or row.get("operation_status"),
                objective=row.get("objective_type"),
                destination_url=row.get("landing_page_url") or None,
                daily_budget_micros=budget if mode in DAILY else None,
                lifetime_budget_micros=budget if mode == "BUDGET_MODE_TOTAL" else None,
                currency=now.currency,
            )


def _rows(api: Api, path: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of all pages; VendorError where they moved between pages while they were read: one could be missing."""
    where = f"TikTok's answer to {path}"

    def ask(page: int) -> dict[str, Any]:
        return required(api.get(path, {**params, "page": page, "page_size": PAGE}), "data", where)

    def following(data: dict[str, Any], page: int) -> int | None:
        return page + 1 if page < required(data, "page_info.total_page", where) else None

    number, promised = 0, set()
    for data in api.pages(1, ask, following):
        rows = required(data, "list", where)
        number += len(rows)
        promised.add(required(data, "page_info.total_number", where))
        yield from rows
    if len(promised) > 1 or number < max(promised):
        raise VendorError(
            f"{where} had {number} of {max(promised)} rows, or they changed while they were read: pull again"
        )


def exchange(client: httpx.Client, app_id: str, secret: str, code: str, redirect: str) -> dict[str, str]:
    """The code becomes a token that holds until it is taken back."""
    response = client.post(TOKENS, json={"app_id": app_id, "secret": secret, "auth_code": code})
    check(response)
    return response.raise_for_status().json()["data"]


PLATFORM = Platform(
    name="tiktok",
    label="TikTok",
    base_url=BASE,
    repull_days=28,
    check=check,
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
