"""Reddit: the report of the Ads API v3; days are of the time zone that is asked for, money is micros.

Source: ads-api.reddit.com/docs/v3 (its OpenAPI document), .../docs/v3/guides/quick-start/rate-limiting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from textwrap import shorten
from typing import Any
from urllib.parse import urlencode

import httpx

from connectors.days import spans
from connectors.http.client import Api
from connectors.http.errors import Refused, Throttled
from connectors.http.responses import excerpt, said
from connectors.links import destination
from connectors.money import from_cents, from_micros
from connectors.platform import Account, Entity, OAuth, Platform, SpendRow, each_once, entity_of, optional, required

BASE = "https://ads-api.reddit.com/api/v3"
TOKENS = "https://www.reddit.com/api/v1/access_token"
PAGE = 1000
FIELDS = (
    "SPEND",
    "IMPRESSIONS",
    "CLICKS",
    "VIDEO_STARTED",
    "CONVERSION_PURCHASE_CLICKS",
    "CONVERSION_PURCHASE_VIEWS",
    "CONVERSION_PURCHASE_TOTAL_VALUE",
)
BY_AD, BY_DAY = ("DATE", "CAMPAIGN_ID", "AD_ID"), ("DATE",)  # three breakdowns at most: the ad names its ad group
EXHAUSTED = re.compile(r"\br=0;\s*t=(\d+)")  # in the header RateLimit: nothing remains for so many seconds


class Gone(Refused):
    """There is no such thing, or there no longer is."""


def check(response: httpx.Response) -> None:
    """Errors have a status, and say in `error` what was wrong with which field."""
    status = response.status_code
    if status == 429:
        rests = [int(seconds) for seconds in EXHAUSTED.findall(response.headers.get("ratelimit", ""))]
        raise Throttled("too many requests", max(rests, default=None))
    if status < 400 or status == 401 or status >= 500:
        return
    error = said(response).get("error")
    told = [(one.get("field"), shorten(str(one.get("message")), 200)) for one in optional(error, "fields") or ()]
    wrong = [f"{field}: {message}" for field, message in told]
    why = "; ".join([optional(error, "message") or excerpt(response), *wrong])
    raise (Gone if status == 404 else Refused)(f"{why} ({status})")


def accounts(api: Api) -> Iterator[Account]:
    return each_once(
        _account(row)
        for business in _rows(api, "/me/businesses")
        for row in _rows(api, f"/businesses/{business['id']}/ad_accounts")
    )


def _account(row: dict[str, Any]) -> Account:
    def told(name: str) -> Any:
        return required(row, name, "Reddit's ad account")

    return Account(
        told("id"), row.get("name"), told("currency"), told("time_zone_id"), status=row.get("admin_approval")
    )


def _as_of_now(api: Api, account: Account) -> Account:
    return _account(required(api.get(f"/ad_accounts/{account.account_id}"), "data", "Reddit's ad account"))


def spend(api: Api, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    path, now = f"/ad_accounts/{account.account_id}", _as_of_now(api, account)  # rows bring no currency
    nodes = {  # rows bring no names
        kind: {row["id"]: (row.get("name"), row.get("ad_group_id")) for row in _rows(api, f"{path}/{kind}")}
        for kind in ("campaigns", "ad_groups", "ads")
    }

    def ad(row: dict[str, Any]) -> tuple[str | None, str | None]:
        """Its name and ad group; one that is no longer listed is asked for."""
        id_ = required(row, "ad_id", "Reddit's report")
        if id_ not in nodes["ads"]:
            try:
                found = required(api.get(f"/ads/{id_}"), "data", "Reddit's answer to an ad")
            except Gone:
                found = {}
            nodes["ads"][id_] = found.get("name"), found.get("ad_group_id")
        return nodes["ads"][id_]

    def named(row: dict[str, Any]) -> dict[str, Any]:
        campaign_id, (name, adset_id) = required(row, "campaign_id", "Reddit's report"), ad(row)
        campaign, adset = (
            nodes[kind].get(id_, (None,))[0] for kind, id_ in (("campaigns", campaign_id), ("ad_groups", adset_id))
        )
        return {
            "campaign_id": campaign_id,
            "campaign": campaign,
            "adset_id": adset_id,
            "adset": adset,
            "ad_id": row["ad_id"],
            "ad": name,
        }

    for since, until in spans(start, end, days=31):
        for breakdowns in (BY_AD, BY_DAY):
            question = {
                "starts_at": f"{since}T00:00:00Z",  # of the time zone below, in spite of the Z
                "ends_at": f"{until + timedelta(days=1)}T00:00:00Z",
                "time_zone_id": now.timezone,
                "breakdowns": breakdowns,
                "fields": FIELDS,
            }
            for answer in _answers(api, f"{path}/reports", question):
                for row in required(answer, "data.metrics", "Reddit's report"):
                    yield _spend_row(row, now, named(row) if breakdowns == BY_AD else {})


def _spend_row(row: dict[str, Any], account: Account, names: dict[str, Any]) -> SpendRow:
    def figure(name: str) -> Any:
        """Null means none; a figure that is left out has gone from the API."""
        return 0 if name in row and row[name] is None else required(row, name, "Reddit's report")

    return SpendRow(
        date=date.fromisoformat(required(row, "date", "Reddit's report")),
        account_id=account.account_id,
        currency=account.currency or "",
        spend_micros=from_micros(figure("spend")),
        level=None if names else "account",
        impressions=figure("impressions"),
        clicks=figure("clicks"),
        video_views=row.get("video_started") or 0,
        platform_conversions=Decimal(figure("conversion_purchase_clicks") + figure("conversion_purchase_views")),
        platform_value_micros=from_cents(figure("conversion_purchase_total_value")),
        **names,
    )


def entities(api: Api, account: Account) -> Iterator[Entity]:
    own, now = account.account_id, _as_of_now(api, account)
    yield entity_of(now)
    for level, kind in (("campaign", "campaigns"), ("adset", "ad_groups"), ("ad", "ads")):
        for row in _rows(api, f"/ad_accounts/{own}/{kind}"):
            budget = {row.get("goal_type"): row.get("goal_value")}
            yield Entity(
                own,
                level,
                row["id"],
                row.get("campaign_id"),
                row.get("ad_group_id"),
                name=row.get("name"),
                status=row.get("effective_status") or row.get("configured_status"),
                objective=row.get("objective"),
                destination_url=_destination(row),
                daily_budget_micros=budget.get("DAILY_SPEND"),
                lifetime_budget_micros=budget.get("LIFETIME_SPEND"),
                currency=now.currency,
            )


def _destination(ad: dict[str, Any]) -> str | None:
    """Where a click leads, with the parameters that Reddit adds; its macros, such as {{CAMPAIGN_ID}}, stay."""
    url, more = ad.get("click_url"), ad.get("click_url_query_parameters") or []
    return destination(url, parameters=urlencode([(pair["name"], pair["value"]) for pair in more], safe="{}"))


def _rows(api: Api, path: str) -> Iterator[dict[str, Any]]:
    for answer in _answers(api, path):
        yield from required(answer, "data", f"Reddit's answer to {path}")


def _answers(api: Api, path: str, question: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """All pages. The next one's address is in the answer; a question is asked anew with each."""

    def ask(url: str) -> dict[str, Any]:
        return api.post(url, json={"data": question}) if question else api.get(url)

    return api.pages(f"{path}?page.size={PAGE}", ask, lambda answer, _: optional(answer, "pagination.next_url"))


PLATFORM = Platform(
    name="reddit",
    label="Reddit",
    base_url=BASE,
    repull_days=30,
    check=check,
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
    history_days=730,
)
