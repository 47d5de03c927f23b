"""Pinterest: report jobs of the API v5.

In: reports that omit figures of zero, and rows in which all figures are; spend is therefore required where the same
amount in whole units is present. Out: rows by ad and by account; days are UTC, whatever the account's time zone.
Source: developers.pinterest.com/docs/api/v5 (its OpenAPI description: github.com/pinterest/api-description).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import ijson

from connectors.auth.token_response import parse_token
from connectors.http.client import PlatformClient
from connectors.http.errors import Rejected, Throttled, TokenRevoked, Transient, VendorError
from connectors.http.responses import error_body, excerpt, field_reader, required
from connectors.http.service import OAuth, Secrets
from connectors.micros import parse_micros
from connectors.platform import Account, Entity, History, Platform, SpendRow, account_entity
from connectors.reporting_days import split_range

VERSION = "v5"
BASE = "https://api.pinterest.com"
TOKEN_URL = f"{BASE}/{VERSION}/oauth/token"
PAGE = 250  # rows, the maximum
DAYS_PER_REPORT = 186
FIGURES = (
    "SPEND_IN_MICRO_DOLLAR",  # of the account's currency, despite its name
    "SPEND_IN_DOLLAR",
    "TOTAL_IMPRESSION",
    "TOTAL_CLICKTHROUGH",
    "TOTAL_VIDEO_MRC_VIEWS",
    "TOTAL_CHECKOUT",
    "TOTAL_CHECKOUT_VALUE_IN_MICRO_DOLLAR",
)
IDS_AND_NAMES = ("CAMPAIGN_ID", "CAMPAIGN_NAME", "AD_GROUP_ID", "AD_GROUP_NAME", "AD_ID", "AD_NAME")
# Pinterest's defaults, stated so that a changed default does not restate past days.
ATTRIBUTION_WINDOWS = {"click_window_days": 30, "engagement_window_days": 30, "view_window_days": 1}
FAILED = ("DOES_NOT_EXIST", "EXPIRED", "FAILED", "CANCELLED")  # final statuses of a report without a file
STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED")  # Pinterest lists archived entities only on request


def raise_for_error(response: httpx.Response) -> None:
    """Raise by status and code: limits are 429 or code 8, temporary failures are sometimes 400."""
    if response.status_code < 400:
        return
    error = error_body(response)
    code, message = error.get("code"), str(error.get("message") or excerpt(response))
    if response.status_code == 429 or code == 8:
        seconds = response.headers.get("x-ratelimit-reset", "")
        raise Throttled(f"too many requests: {message}", float(seconds) if seconds.isdigit() else None)
    if response.status_code == 400 and (code == 12 or "retry after" in message.lower()):
        raise Transient(message)
    if response.status_code < 500 and response.status_code != 401:
        raise Rejected(f"{message} (code {code})")


def accounts(client: PlatformClient) -> Iterator[Account]:
    for row in _rows(client, "/ad_accounts", {}):
        yield _account(row)


def _account(row: dict[str, Any]) -> Account:
    return Account(
        account_id=_id(row["id"]), name=row.get("name"), currency=required(row, "currency", "Pinterest's ad account")
    )


def _current_account(client: PlatformClient, account: Account) -> Account:
    return _account(client.get(f"/{VERSION}/ad_accounts/{account.account_id}"))


def spend(client: PlatformClient, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    account = _current_account(client, account)
    for since, until in split_range(start, end, days=DAYS_PER_REPORT):
        for level, columns in (("PIN_PROMOTION", IDS_AND_NAMES), ("ADVERTISER", ())):
            report = {
                "start_date": f"{since}",
                "end_date": f"{until}",
                "granularity": "DAY",
                "level": level,
                "columns": [*columns, *FIGURES],
                "report_format": "JSON",
                **ATTRIBUTION_WINDOWS,
            }
            for row in _report_rows(client, account, report):
                yield _spend_row(row, account, level)


def _report_rows(client: PlatformClient, account: Account, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a report. Its file has a list of rows for each id."""
    path = f"/{VERSION}/ad_accounts/{account.account_id}/reports"
    token = required(client.post(path, json=report), "token", "Pinterest's response to a report request")
    job = client.wait_for_job(
        lambda: client.get(path, {"token": token}),
        f"the report of {report['start_date']} to {report['end_date']}",
        status="report_status",
        done="FINISHED",
        failed=FAILED,
        interval=10,
        timeout=3600,
    )
    with client.download(required(job, "url", "Pinterest's report")) as file:
        is_object = file.read(1) == b"{"
        file.seek(0)
        for _, rows in ijson.kvitems(file, "") if is_object else [("", None)]:
            if not isinstance(rows, list):
                raise VendorError("Pinterest's report has no list of rows for each id. Nothing was stored. Pull again")
            yield from rows


def _spend_row(row: dict[str, Any], account: Account, level: str) -> SpendRow:
    field = field_reader(row, f"Pinterest's {level} report")
    names: dict[str, Any] = {}
    if level == "PIN_PROMOTION":
        names = {
            "campaign_id": _id(field("CAMPAIGN_ID")),
            "campaign": row.get("CAMPAIGN_NAME"),
            "adset_id": _id(field("AD_GROUP_ID")),
            "adset": row.get("AD_GROUP_NAME"),
            "ad_id": _id(field("AD_ID")),
            "ad": row.get("AD_NAME"),
        }
    return SpendRow(
        date=date.fromisoformat(field("DATE")),
        account_id=account.account_id,
        currency=account.currency or "",
        # SPEND_IN_DOLLAR may be rounded to zero.
        spend_micros=parse_micros(
            row.get("SPEND_IN_MICRO_DOLLAR") or (field("SPEND_IN_MICRO_DOLLAR") if row.get("SPEND_IN_DOLLAR") else 0)
        ),
        level=None if names else "account",
        impressions=int(row.get("TOTAL_IMPRESSION") or 0),
        clicks=int(row.get("TOTAL_CLICKTHROUGH") or 0),
        video_views=int(row.get("TOTAL_VIDEO_MRC_VIEWS") or 0),
        platform_conversions=Decimal(row.get("TOTAL_CHECKOUT") or 0),
        platform_value_micros=parse_micros(row.get("TOTAL_CHECKOUT_VALUE_IN_MICRO_DOLLAR") or 0),
        **names,
    )


def _id(value: Any) -> str:
    """Return an id as text. Ids are digits, which reports write as numbers."""
    return str(int(value))


def entities(client: PlatformClient, account: Account) -> Iterator[Entity]:
    account = _current_account(client, account)
    where, id_ = f"/ad_accounts/{account.account_id}", account.account_id
    yield account_entity(account)
    params = {"entity_statuses": STATUSES}  # a parameter for each
    for row in _rows(client, f"{where}/campaigns", params):
        yield Entity(
            account_id=id_,
            level="campaign",
            entity_id=_id(row["id"]),
            name=row.get("name"),
            status=row.get("status"),
            objective=row.get("objective_type"),
            daily_budget_micros=row.get("daily_spend_cap"),
            lifetime_budget_micros=row.get("lifetime_spend_cap"),
            currency=account.currency,
        )
    for row in _rows(client, f"{where}/ad_groups", params):
        budget, type_ = row.get("budget_in_micro_currency"), row.get("budget_type")
        yield Entity(
            account_id=id_,
            level="adset",
            entity_id=_id(row["id"]),
            campaign_id=_id(row["campaign_id"]),
            name=row.get("name"),
            status=row.get("status"),
            daily_budget_micros=budget if type_ == "DAILY" else None,
            lifetime_budget_micros=budget if type_ == "LIFETIME" else None,
            currency=account.currency,
        )
    for row in _rows(client, f"{where}/ads", params):
        yield Entity(
            account_id=id_,
            level="ad",
            entity_id=_id(row["id"]),
            campaign_id=_id(row["campaign_id"]),
            adset_id=_id(row["ad_group_id"]),
            creative_id=row.get("pin_id"),
            name=row.get("name"),
            status=row.get("status"),
            destination_url=row.get("destination_url"),
        )


def _rows(client: PlatformClient, path: str, params: dict[str, Any]) -> Iterator[Any]:
    params = {"page_size": PAGE, **params}
    return client.rows(f"/{VERSION}{path}", "items", cursor="bookmark", next_cursor="bookmark", params=params)


def exchange(http: httpx.Client, client_id: str, secret: str, code: str, redirect: str) -> dict[str, Any]:
    """Exchange the code for an access token and a refresh token that each renewal replaces."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "continuous_refresh": "true"}
    response = http.post(TOKEN_URL, data=form, auth=(client_id, secret))
    if response.status_code in (400, 401, 403):
        raise Rejected(f"Pinterest gave no token: {excerpt(response)}. Check the client id and secret")
    return parse_token(response.raise_for_status())


def refresh(http: httpx.Client, credentials: Secrets) -> dict[str, Any]:
    """Return a new access token and a new refresh token. Pinterest's errors are not those of OAuth."""
    app = credentials["client_id"], credentials["client_secret"]
    form = {"grant_type": "refresh_token", "refresh_token": credentials["refresh_token"]}
    response = http.post(TOKEN_URL, data=form, auth=app)
    if response.status_code in (400, 401, 403):
        raise TokenRevoked(f"the refresh token or the app's secret was rejected: {excerpt(response)}")
    return parse_token(response.raise_for_status())


PLATFORM = Platform(
    name="pinterest",
    label="Pinterest",
    base_url=BASE,
    repull_days=30,
    history=History(days=914),
    raise_for_error=raise_for_error,
    accounts=accounts,
    spend=spend,
    entities=entities,
    oauth=OAuth(
        authorize_url="https://www.pinterest.com/oauth/",
        token_url=TOKEN_URL,
        scopes=("ads:read",),
        scope_separator=",",
        exchange=exchange,
        refresh=refresh,
    ),
)
