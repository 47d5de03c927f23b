"""Amazon Ads: reports (version 3) of sponsored products, brands and display. Days are the profile's.

Source: advertising.amazon.com/API/docs, guides/reporting/v3, reference/concepts/errors, .../rate-limiting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx

from connectors.ads.amazon.exports import HOSTS, account_of, entities, profile_of, profiles, rows_of
from connectors.days import spans
from connectors.http.client import Api
from connectors.http.errors import Refused, TokenExpired, VendorError
from connectors.http.responses import said
from connectors.money import from_units
from connectors.platform import Account, OAuth, Platform, SpendRow, bearer, each_once, optional, required

REPORT_TYPE = "application/vnd.createasyncreportrequest.v3+json"
COMMON = ("date", "campaignId", "campaignName", "campaignBudgetCurrencyCode", "impressions", "clicks", "cost")
AD = ("adGroupId", "adGroupName", "adId")
CLAIMS = {"SPONSORED_PRODUCTS": ("purchases14d", "sales14d")}  # the others count 14 days without saying so
VIDEO = "video5SecondViews"
# Product, report, grouping, level, columns. The ads of display campaigns that promote no product are in no report of
# ads: what each campaign comes to is asked for as well.
REPORTS = (
    ("SPONSORED_PRODUCTS", "spAdvertisedProduct", "advertiser", None, AD),
    ("SPONSORED_PRODUCTS", "spCampaigns", "campaign", "campaign", ()),
    ("SPONSORED_BRANDS", "sbAds", "ads", None, (*AD, VIDEO)),
    ("SPONSORED_BRANDS", "sbCampaigns", "campaign", "campaign", (VIDEO,)),
    ("SPONSORED_DISPLAY", "sdAdvertisedProduct", "advertiser", None, AD),
    ("SPONSORED_DISPLAY", "sdCampaigns", "campaign", "campaign", ()),
)


class Duplicate(VendorError):
    """The same was asked for already, and is being made: its report will do."""

    def __init__(self, why: str, report: str) -> None:
        super().__init__(why)
        self.report = report


def headers(credentials: dict[str, str]) -> dict[str, str]:
    return {**bearer(credentials), "Amazon-Advertising-API-ClientId": credentials["client_id"]}


def check(response: httpx.Response) -> None:
    if response.status_code not in (401, 425):
        return
    body = said(response)
    message = str(body.get("detail") or body.get("details") or "no details")
    if response.status_code == 425 and (found := re.search(r"duplicate of\s*:\s*([\w-]+)", message)):
        raise Duplicate("Amazon is making such a report already: pull again later", found[1])
    if response.status_code == 401:
        if "scope" in message.lower():  # also 401: no matching advertiser, not authorized to access it
            raise Refused(f"{message}: it takes a user who may edit the ads of this profile")
        raise TokenExpired("the access token is not accepted")


def accounts(api: Api) -> Iterator[Account]:
    return each_once(account_of(row) for _, row in profiles(api))


def spend(api: Api, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    host, profile = profile_of(api, account)
    scope = {"Amazon-Advertising-API-Scope": account.account_id}
    for since, until in spans(start, end, days=31):
        # All are asked for before the first is waited for: each can take hours.
        jobs = [(report, _submit(api, host, scope, report, (since, until))) for report in REPORTS]
        for report, job in jobs:
            what = f"the report {report[1]} of {since} to {until}"
            address = f"{host}/reporting/reports/{job}"
            for row in rows_of(api, address, scope, what, every=30, limit=4 * 3600):
                yield _spend_row(row, account, profile, report)


def _submit(api: Api, host: str, scope: dict[str, str], report: tuple, days: tuple[date, date]) -> str:
    product, type_, group, _, more = report
    since, until = days
    question = {
        "name": f"{type_} {since} {until}",
        "startDate": f"{since}",
        "endDate": f"{until}",
        "configuration": {
            "adProduct": product,
            "groupBy": [group],
            "columns": [*COMMON, *more, *CLAIMS.get(product, ("purchases", "sales"))],
            "reportTypeId": type_,
            "timeUnit": "DAILY",
            "format": "GZIP_JSON",
        },
    }
    asked = {**scope, "Content-Type": REPORT_TYPE}
    try:
        answer = api.post(f"{host}/reporting/reports", json=question, headers=asked)
    except Duplicate as duplicate:
        # What Amazon takes for a duplicate may have other columns or days.
        answer = api.get(f"{host}/reporting/reports/{duplicate.report}", headers=scope)
        same = {name: answer.get(name) for name in ("startDate", "endDate")}
        same["configuration"] = {n: optional(answer, f"configuration.{n}") for n in question["configuration"]}
        same["configuration"]["columns"] = sorted(same["configuration"]["columns"] or [])
        question["configuration"]["columns"].sort()
        if same != {name: question[name] for name in same}:
            raise
    return required(answer, "reportId", "Amazon's answer to a report")


def _spend_row(row: dict[str, Any], account: Account, profile: dict[str, Any], report: tuple) -> SpendRow:
    product, type_, _, level, _ = report
    purchases, sales = CLAIMS.get(product, ("purchases", "sales"))

    def told(name: str) -> Any:
        return required(row, name, f"Amazon's report {type_}")

    ad = level is None
    return SpendRow(
        date=date.fromisoformat(told("date")),
        account_id=account.account_id,
        currency=row.get("campaignBudgetCurrencyCode") or required(profile, "currencyCode", "Amazon's profile"),
        spend_micros=from_units(told("cost")),
        level=level,
        campaign_id=str(told("campaignId")),
        campaign=row.get("campaignName"),
        adset_id=str(told("adGroupId")) if ad else None,
        adset=row.get("adGroupName") if ad else None,
        ad_id=str(told("adId")) if ad else None,
        impressions=int(told("impressions")),
        clicks=int(told("clicks")),
        video_views=int(row.get(VIDEO) or 0),
        platform_conversions=Decimal(row.get(purchases) or 0),
        platform_value_micros=from_units(row.get(sales) or 0),
    )


PLATFORM = Platform(
    name="amazon",
    label="Amazon Ads",
    base_url=f"https://{HOSTS[0]}",
    repull_days=42,
    check=check,
    headers=headers,
    accounts=accounts,
    spend=spend,
    entities=entities,
    oauth=OAuth(
        authorize_url="https://www.amazon.com/ap/oa",
        token_url="https://api.amazon.com/auth/o2/token",
        scopes=("advertising::campaign_management",),
        redirect_host="localhost",
    ),
    history_days=60,  # of sponsored brands; display 65, products 95
    hosts=HOSTS,
)
