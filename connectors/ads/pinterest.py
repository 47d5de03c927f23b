"""Pinterest: report jobs of the API v5. Its days are UTC, whatever the account's zone.

A report leaves out figures that are zero, and rows where all are: so spend must be there where its twin in whole units
is. Source: developers.pinterest.com/docs/api/v5 (its OpenAPI description: github.com/pinterest/api-description).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import ijson

from connectors.days import spans
from connectors.http.client import Api
from connectors.http.errors import Refused, Throttled, TokenRevoked, Transient
from connectors.http.responses import excerpt, said
from connectors.money import from_micros
from connectors.platform import Account, Entity, OAuth, Platform, SpendRow, entity_of, required

VERSION = "v5"
BASE = "https://api.pinterest.com"
TOKEN_URL = f"{BASE}/{VERSION}/oauth/token"
PAGE = 250  # the most
SPAN = 186  # days a report
FIGURES = (
    "SPEND_IN_MICRO_DOLLAR",  # of the account's currency, despite its name
    "SPEND_IN_DOLLAR",
    "TOTAL_IMPRESSION",
    "TOTAL_CLICKTHROUGH",
    "TOTAL_VIDEO_MRC_VIEWS",
    "TOTAL_CHECKOUT",
    "TOTAL_CHECKOUT_VALUE_IN_MICRO_DOLLAR",
)
NAMED = ("CAMPAIGN_ID", "CAMPAIGN_NAME", "AD_GROUP_ID", "AD_GROUP_NAME", "AD_ID", "AD_NAME")
# Pinterest's defaults, said aloud, so that they stay what they were.
WINDOWS = {"click_window_days": 30, "engagement_window_days": 30, "view_window_days": 1}
FAILED = ("DOES_NOT_EXIST", "EXPIRED", "FAILED", "CANCELLED")  # what becomes of a report's job
STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED")  # unless asked for, archived ones are not listed


def check(response: httpx.Response) -> None:
    """Limits come as 429 or as code 8, failures of the moment sometimes as 400."""
    if response.status_code < 400:
        return
    answer = said(response)
    code, message = answer.get("code"), str(answer.get("message") or excerpt(response))
    if response.status_code == 429 or code == 8:
        seconds = response.headers.get("x-ratelimit-reset", "")
        raise Throttled(f"too many requests: {message}", float(seconds) if seconds.isdigit() else None)
    if response.status_code == 400 and (code == 12 or "retry after" in message.lower()):
        raise Transient(message)
    if response.status_code < 500 and response.status_code != 401:
        raise Refused(f"{message} (code {code})")


def accounts(api: Api) -> Iterator[Account]:
    for row in _listed(api, "/ad_accounts", {}):
        yield _account(row)


def _account(row: dict[str, Any]) -> Account:
    return Account(_id(row["id"]), row.get("name"), required(row, "currency", "Pinterest's ad account"))


def _as_of_now(api: Api, account: Account) -> Account:
    return _account(api.get(f"/{VERSION}/ad_accounts/{account.account_id}"))


def spend(api: Api, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    account = _as_of_now(api, account)
    for since, until in spans(start, end, days=SPAN):
        for level, names in (("PIN_PROMOTION", NAMED), ("ADVERTISER", ())):
            question = {
                "start_date": f"{since}",
                "end_date": f"{until}",
                "granularity": "DAY",
                "level": level,
                "columns": [*names, *FIGURES],
                "report_format": "JSON",
                **WINDOWS,
            }
            for row in _report(api, account, question):
                yield _spend_row(row, account, level)


def _report(api: Api, account: Account, question: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a report: a list for each id that it has."""
    path = f"/{VERSION}/ad_accounts/{account.account_id}/reports"
    token = required(api.post(path, json=question), "token", "Pinterest's answer to a report")
    report = api.job(
        lambda: api.get(path, {"token": token}),
        f"the report of {question['start_date']} to {question['end_date']}",
        status="report_status",
        done="FINISHED",
        failed=FAILED,
        every=10,
        limit=3600,
    )
    with api.download(required(report, "url", "Pinterest's report")) as file:
        for _, rows in ijson.kvitems(file, ""):
            yield from rows


def _spend_row(row: dict[str, Any], account: Account, level: str) -> SpendRow:
    def told(name: str) -> Any:
        return required(row, name, f"Pinterest's {level} report")

    names: dict[str, Any] = {}
    if level == "PIN_PROMOTION":
        names = {
            "campaign_id": _id(told("CAMPAIGN_ID")),
            "campaign": row.get("CAMPAIGN_NAME"),
            "adset_id": _id(told("AD_GROUP_ID")),
            "adset": row.get("AD_GROUP_NAME"),
            "ad_id": _id(told("AD_ID")),
            "ad": row.get("AD_NAME"),
        }
    return SpendRow(
        date=date.fromisoformat(told("DATE")),
        account_id=account.account_id,
        currency=account.currency or "",
        # Its twin may be rounded to nothing.
        spend_micros=from_micros(
            row.get("SPEND_IN_MICRO_DOLLAR") or (told("SPEND_IN_MICRO_DOLLAR") if row.get("SPEND_IN_DOLLAR") else 0)
        ),
        level=None if names else "account",
        impressions=int(row.get("TOTAL_IMPRESSION") or 0),
        clicks=int(row.get("TOTAL_CLICKTHROUGH") or 0),
        video_views=int(row.get("TOTAL_VIDEO_MRC_VIEWS") or 0),
        platform_conversions=Decimal(row.get("TOTAL_CHECKOUT") or 0),
        platform_value_micros=from_micros(row.get("TOTAL_CHECKOUT_VALUE_IN_MICRO_DOLLAR") or 0),
        **names,
    )


def _id(value: Any) -> str:
    """Ids are digits; reports write them as numbers."""
    return str(int(value))


def entities(api: Api, account: Account) -> Iterator[Entity]:
    account = _as_of_now(api, account)
    where, id_ = f"/ad_accounts/{account.account_id}", account.account_id
    yield entity_of(account)
    shown = {"entity_statuses": ",".join(STATUSES)}
    for row in _listed(api, f"{where}/campaigns", shown):
        yield Entity(
            id_,
            "campaign",
            _id(row["id"]),
            name=row.get("name"),
            status=row.get("status"),
            objective=row.get("objective_type"),
            daily_budget_micros=row.get("daily_spend_cap"),
            lifetime_budget_micros=row.get("lifetime_spend_cap"),
            currency=account.currency,
        )
    for row in _listed(api, f"{where}/ad_groups", shown):
        budget, type_ = row.get("budget_in_micro_currency"), row.get("budget_type")
        yield Entity(
            id_,
            "adset",
            _id(row["id"]),
            campaign_id=_id(row["campaign_id"]),
            name=row.get("name"),
            status=row.get("status"),
            daily_budget_micros=budget if type_ == "DAILY" else None,
            lifetime_budget_micros=budget if type_ == "LIFETIME" else None,
            currency=account.currency,
        )
    for row in _listed(api, f"{where}/ads", shown):
        yield Entity(
            id_,
            "ad",
            _id(row["id"]),
            campaign_id=_id(row["campaign_id"]),
            adset_id=_id(row["ad_group_id"]),
            creative_id=row.get("pin_id"),
            name=row.get("name"),
            status=row.get("status"),
            destination_url=row.get("destination_url"),
        )


def _listed(api: Api, path: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    question = {"page_size": PAGE, **params}
    return api.rows(f"/{VERSION}{path}", "items", cursor="bookmark", following="bookmark", params=question)


def refresh(client: httpx.Client, credentials: dict[str, str]) -> dict[str, Any]:
    """A new access token, and a new refresh token with it; its refusals are not OAuth's but Pinterest's own."""
    app = credentials["client_id"], credentials["client_secret"]
    form = {"grant_type": "refresh_token", "refresh_token": credentials["refresh_token"]}
    response = client.post(TOKEN_URL, data=form, auth=app)
    if response.status_code in (400, 401, 403):
        raise TokenRevoked(f"the refresh token, or the app's secret, is not accepted: {excerpt(response)}")
    return response.raise_for_status().json()


PLATFORM = Platform(
    name="pinterest",
    label="Pinterest",
    base_url=BASE,
    repull_days=30,
    history_days=914,
    check=check,
    accounts=accounts,
    spend=spend,
    entities=entities,
    oauth=OAuth(
        authorize_url="https://www.pinterest.com/oauth/",
        token_url=TOKEN_URL,
        scopes=("ads:read",),
        scope_separator=",",
        client_auth="client_secret_basic",
        refresh=refresh,
    ),
)
