"""Amazon Ads: reports (version 3) of sponsored products, brands and display.

In: report jobs with files of gzipped JSON. Out: rows by ad and by campaign; days are the profile's.
Source: advertising.amazon.com/API/docs, guides/reporting/v3, reference/concepts/errors, .../rate-limiting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import httpx

from connectors.ads.amazon.entities import HOSTS, account_of, current_profile, entities, profiles, wait_for_rows
from connectors.http.client import PlatformClient
from connectors.http.errors import Rejected, TokenExpired, VendorError
from connectors.http.responses import error_body, field_reader, figure, optional, required
from connectors.http.service import OAuth, Secrets, bearer
from connectors.micros import units_to_micros
from connectors.platform import Account, History, Platform, SpendRow, TotalLevel, unique_accounts
from connectors.reporting_days import split_range

REPORT_TYPE = "application/vnd.createasyncreportrequest.v3+json"
COMMON = ("date", "campaignId", "campaignName", "campaignBudgetCurrencyCode", "impressions", "clicks", "cost")
AD = ("adGroupId", "adGroupName", "adId")
CLAIMS = {"SPONSORED_PRODUCTS": ("purchases14d", "sales14d")}  # the other products count 14 days, too
VIDEO = "video5SecondViews"


class Report(NamedTuple):
    product: str
    type: str
    group_by: str
    level: TotalLevel | None
    columns: tuple[str, ...]  # beside COMMON and the claims

    @property
    def claims(self) -> tuple[str, str]:
        """The columns of purchases and of their value."""
        return CLAIMS.get(self.product, ("purchases", "sales"))


# No report of ads has the ads of display campaigns that promote no product: the campaigns' totals have their spend.
REPORTS = (
    Report("SPONSORED_PRODUCTS", "spAdvertisedProduct", "advertiser", None, AD),
    Report("SPONSORED_PRODUCTS", "spCampaigns", "campaign", "campaign", ()),
    Report("SPONSORED_BRANDS", "sbAds", "ads", None, (*AD, VIDEO)),
    Report("SPONSORED_BRANDS", "sbCampaigns", "campaign", "campaign", (VIDEO,)),
    Report("SPONSORED_DISPLAY", "sdAdvertisedProduct", "advertiser", None, AD),
    Report("SPONSORED_DISPLAY", "sdCampaigns", "campaign", "campaign", ()),
)


class DuplicateReport(VendorError):
    """Amazon is already making a report for the same request."""

    def __init__(self, reason: str, report_id: str) -> None:
        super().__init__(reason)
        self.report_id = report_id


def headers(credentials: Secrets) -> dict[str, str]:
    return {**bearer(credentials), "Amazon-Advertising-API-ClientId": credentials["client_id"]}


def raise_for_error(response: httpx.Response) -> None:
    if response.status_code not in (401, 425):
        return
    body = error_body(response)
    message = str(body.get("detail") or body.get("details") or "no details")
    if response.status_code == 425 and (found := re.search(r"duplicate of\s*:\s*([\w-]+)", message)):
        raise DuplicateReport("Amazon is already making such a report. Pull again later", found[1])
    if response.status_code == 401:
        if "scope" in message.lower():  # Amazon responds 401 for missing access, too
            raise Rejected(f"{message}. Connect a user who may edit the ads of this profile")
        raise TokenExpired("the access token was rejected")


def accounts(client: PlatformClient) -> Iterator[Account]:
    return unique_accounts(account_of(row) for _, row in profiles(client))


def spend(client: PlatformClient, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    host, profile = current_profile(client, account)
    url, scope = f"{host}/reporting/reports", {"Amazon-Advertising-API-Scope": account.account_id}
    for since, until in split_range(start, end, days=31):
        # Request all reports before waiting for the first: each can take hours.
        jobs = [_request_report(client, url, scope, _report_request(report, since, until)) for report in REPORTS]
        for report, job in zip(REPORTS, jobs, strict=True):
            what = f"the report {report.type} of {since} to {until}"
            for row in wait_for_rows(client, f"{url}/{job}", scope, what, interval=30, timeout=4 * 3600):
                yield _spend_row(row, account, profile, report)


def _report_request(report: Report, since: date, until: date) -> dict[str, Any]:
    return {
        "name": f"{report.type} {since} {until}",
        "startDate": f"{since}",
        "endDate": f"{until}",
        "configuration": {
            "adProduct": report.product,
            "groupBy": [report.group_by],
            "columns": [*COMMON, *report.columns, *report.claims],
            "reportTypeId": report.type,
            "timeUnit": "DAILY",
            "format": "GZIP_JSON",
        },
    }


def _request_report(client: PlatformClient, url: str, scope: dict[str, str], request: dict[str, Any]) -> str:
    """Start a report job and return its id. Return the id of an equal report that Amazon is already making."""
    try:
        response = client.post(url, json=request, headers={**scope, "Content-Type": REPORT_TYPE})
    except DuplicateReport as duplicate:
        response = client.get(f"{url}/{duplicate.report_id}", headers=scope)
        if _definition(response) != _definition(request):  # Amazon also reports other days or columns as duplicates
            raise
    return str(required(response, "reportId", "Amazon's response to a report request"))


def _definition(report: dict[str, Any]) -> tuple[Any, ...]:
    """Return the days and the configuration of a report in a form that can be compared."""
    names = ("adProduct", "groupBy", "reportTypeId", "timeUnit", "format")
    columns = sorted(optional(report, "configuration.columns") or [])
    days = report.get("startDate"), report.get("endDate")
    return (*days, columns, *(optional(report, f"configuration.{name}") for name in names))


def _spend_row(row: dict[str, Any], account: Account, profile: dict[str, Any], report: Report) -> SpendRow:
    purchases, sales = report.claims
    where = f"Amazon's report {report.type}"
    field = field_reader(row, where)
    is_ad = report.level is None
    return SpendRow(
        date=date.fromisoformat(field("date")),
        account_id=account.account_id,
        currency=row.get("campaignBudgetCurrencyCode") or required(profile, "currencyCode", "Amazon's profile"),
        spend_micros=units_to_micros(field("cost")),
        level=report.level,
        campaign_id=str(field("campaignId")),
        campaign=row.get("campaignName"),
        adset_id=str(field("adGroupId")) if is_ad else None,
        adset=row.get("adGroupName") if is_ad else None,
        ad_id=str(field("adId")) if is_ad else None,
        impressions=int(figure(row, "impressions", where)),
        clicks=int(figure(row, "clicks", where)),
        video_views=int(row.get(VIDEO) or 0),
        platform_conversions=Decimal(row.get(purchases) or 0),
        platform_value_micros=units_to_micros(row.get(sales) or 0),
    )


PLATFORM = Platform(
    name="amazon",
    label="Amazon Ads",
    base_url=f"https://{HOSTS[0]}",
    repull_days=42,
    raise_for_error=raise_for_error,
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
    history=History(days=60),  # of sponsored brands; display 65, products 95
    hosts=HOSTS,
)
