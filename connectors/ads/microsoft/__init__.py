"""Microsoft Advertising: reports of the REST API. They are jobs that end in a zipped CSV.

Source: learn.microsoft.com/advertising/reporting-service, .../customer-management-service, .../guides/reports,
.../guides/handle-service-errors-exceptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx

from connectors.ads.microsoft.files import CUSTOMERS, VERSION, about_account, account_of, entities, finished, table
from connectors.ads.microsoft.time_zones import IN_REPORTS
from connectors.days import spans
from connectors.http.client import Api
from connectors.http.errors import Refused, Throttled, TokenExpired, Transient
from connectors.http.responses import said
from connectors.money import from_units
from connectors.platform import Account, OAuth, Platform, SpendRow, bearer, optional, required

PAGE = 1000
MEASURES = ("CurrencyCode", "Spend", "Impressions", "Clicks", "VideoViews", "ConversionsQualified", "Revenue")
CAMPAIGN = ("CampaignId", "CampaignName")
AD = (*CAMPAIGN, "AdGroupId", "AdGroupName", "AdId", "AdTitle")
# Performance max campaigns have no ads: their totals, and the account's, are asked for as well.
REPORTS = (("Ad", None, AD), ("Campaign", "campaign", CAMPAIGN), ("Account", "account", ()))
RESTS = {117: 60.0, 207: 60.0, 4204: 900.0}  # seconds: calls a minute, reports at once, bulk files at once


def headers(credentials: dict[str, str]) -> dict[str, str]:
    return {**bearer(credentials), "DeveloperToken": credentials["developer_token"]}


def check(response: httpx.Response) -> None:
    """Errors are lists of codes, of several kinds."""
    if response.status_code < 400:
        return
    body = said(response)
    for error in (e for kind in ("Errors", "OperationErrors", "BatchErrors") for e in body.get(kind) or []):
        code, message = error.get("Code"), str(error.get("Message", "no message"))
        if code == 109:
            raise TokenExpired("the access token ran out")
        if code == 105:  # of the access token or of the developer token: it does not say
            raise TokenExpired(f"the access token or the developer token is not accepted: {message}")
        if code in RESTS:
            raise Throttled(message, RESTS[code])
        if code == 0:
            raise Transient(message)
        raise Refused(f"{message} (code {code})")


def accounts(api: Api) -> Iterator[Account]:
    user = required(api.post(f"{CUSTOMERS}/{VERSION}/User/Query", json={"UserId": None}), "User.Id", "Microsoft's user")

    def ask(index: int) -> list[dict[str, Any]]:
        predicates = [{"Field": "UserId", "Operator": "Equals", "Value": str(user)}]
        question = {"Predicates": predicates, "PageInfo": {"Index": index, "Size": PAGE}}
        return api.post(f"{CUSTOMERS}/{VERSION}/Accounts/Search", json=question).get("Accounts") or []

    for answer in api.pages(0, ask, lambda answer, index: index + 1 if len(answer) == PAGE else None):
        for row in answer:
            yield account_of(row)


def spend(api: Api, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    row, about = about_account(api, account)
    zone = str(required(row, "TimeZone", "Microsoft's account"))
    for since, until in spans(start, end, days=31):
        for report, level, named in REPORTS:
            question = {
                "Type": f"{report}PerformanceReportRequest",
                "ReportName": f"{report} by day",
                "Format": "Csv",
                "FormatVersion": "2.0",  # without separators of thousands
                "ExcludeReportHeader": True,
                "ExcludeReportFooter": True,
                "ReturnOnlyCompleteData": False,
                "Aggregation": "Daily",
                "Columns": ["TimePeriod", *named, *MEASURES],
                "Scope": {"AccountIds": [account.account_id]},
                "Time": {
                    "CustomDateRangeStart": _day(since),
                    "CustomDateRangeEnd": _day(until),
                    "ReportTimeZone": IN_REPORTS.get(zone, zone),
                },
            }
            answer = api.post(f"/{VERSION}/GenerateReport/Submit", json={"ReportRequest": question}, headers=about)
            job = required(answer, "ReportRequestId", "Microsoft's answer to a report")
            done = finished(
                api,
                f"/{VERSION}/GenerateReport/Poll",
                {"ReportRequestId": job},
                about,
                f"the {report.lower()} report of {since} to {until}",
                status="ReportRequestStatus.Status",
                done="Success",
            )
            # Without rows there is no file. Its address holds for five minutes.
            if url := optional(done, "ReportRequestStatus.ReportDownloadUrl"):
                with table(api, url) as read:
                    for line in read():
                        yield _spend_row(line, account, report, level)


def _day(day: date) -> dict[str, int]:
    return {"Day": day.day, "Month": day.month, "Year": day.year}


def _spend_row(row: dict[str, str], account: Account, report: str, level: Any) -> SpendRow:
    def told(name: str) -> str:
        return required(row, name, f"Microsoft's {report.lower()} report")

    ad = level is None
    return SpendRow(
        date=date.fromisoformat(told("TimePeriod")),
        account_id=account.account_id,
        currency=told("CurrencyCode"),
        spend_micros=from_units(told("Spend")),
        level=level,
        campaign_id=told("CampaignId") if report != "Account" else None,
        campaign=told("CampaignName") if report != "Account" else None,
        adset_id=told("AdGroupId") if ad else None,
        adset=told("AdGroupName") if ad else None,
        ad_id=told("AdId") if ad else None,
        ad=(row.get("AdTitle") or None) if ad else None,
        impressions=int(told("Impressions")),
        clicks=int(told("Clicks")),
        video_views=int(row.get("VideoViews") or 0),
        platform_conversions=Decimal(row.get("ConversionsQualified") or 0),
        platform_value_micros=from_units(row.get("Revenue") or 0),
    )


PLATFORM = Platform(
    name="microsoft",
    label="Microsoft Advertising",
    base_url="https://reporting.api.bingads.microsoft.com/Reporting",
    secrets=("client_id", "client_secret", "developer_token"),
    repull_days=30,
    check=check,
    headers=headers,
    accounts=accounts,
    spend=spend,
    entities=entities,
    oauth=OAuth(
        authorize_url="https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        token_url="https://login.microsoftonline.com/common/oauth2/v2.0/token",
        scopes=("https://ads.microsoft.com/msads.manage", "offline_access"),
        redirect_host="localhost",
    ),
    history_days=1095,
    hosts=("clientcenter.api.bingads.microsoft.com", "bulk.api.bingads.microsoft.com"),
)
