"""Microsoft Advertising: reports of the REST API.

In: report jobs with zipped CSV files. Out: rows by ad, by campaign and by account; days are the ad account's.
Source: learn.microsoft.com/advertising/reporting-service, .../customer-management-service, .../guides/reports,
.../guides/handle-service-errors-exceptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx

from connectors.ads.microsoft.entities import CUSTOMERS, VERSION, account_of, current_account, entities
from connectors.ads.microsoft.time_zones import has_zone, report_spelling
from connectors.ads.microsoft.zipped_csv import wait_for_job, zipped_csv
from connectors.http.client import PlatformClient
from connectors.http.errors import Rejected, Throttled, TokenExpired, Transient
from connectors.http.responses import error_body, field_reader, optional, required
from connectors.http.service import OAuth, Secrets, bearer
from connectors.micros import units_to_micros
from connectors.platform import Account, History, Platform, SpendRow, TotalLevel
from connectors.reporting_days import split_range

PAGE = 1000  # rows
UNAVAILABLE = ("--", "")  # the values of a figure or a text that Microsoft does not have
MEASURES = ("CurrencyCode", "Spend", "Impressions", "Clicks", "VideoViews", "ConversionsQualified", "Revenue")
CAMPAIGN = ("CampaignId", "CampaignName")
AD = (*CAMPAIGN, "AdGroupId", "AdGroupName", "AdId", "AdTitle")
# Performance Max campaigns have no ads: the totals of campaigns and of the account have their spend.
REPORTS: tuple[tuple[str, TotalLevel | None, tuple[str, ...]], ...] = (
    ("Ad", None, AD),
    ("Campaign", "campaign", CAMPAIGN),
    ("Account", "account", ()),
)
WAITS = {117: 60.0, 207: 60.0, 4204: 900.0}  # seconds: too many calls a minute, reports or bulk files at once


def headers(credentials: Secrets) -> dict[str, str]:
    return {**bearer(credentials), "DeveloperToken": credentials["developer_token"]}


def raise_for_error(response: httpx.Response) -> None:
    """Raise by the first error code of the lists of errors."""
    if response.status_code < 400:
        return
    body = error_body(response)
    for error in (error for name in ("Errors", "OperationErrors", "BatchErrors") for error in body.get(name) or []):
        code, message = error.get("Code"), str(error.get("Message", "no message"))
        if code == 109:
            raise TokenExpired("the access token has expired")
        if code == 105:  # of either token: the response does not state which
            raise TokenExpired(f"the access token or the developer token was rejected: {message}")
        if code in WAITS:
            raise Throttled(message, WAITS[code])
        if code == 0:
            raise Transient(message)
        raise Rejected(f"{message} (code {code})")


def accounts(client: PlatformClient) -> Iterator[Account]:
    user = required(
        client.post(f"{CUSTOMERS}/{VERSION}/User/Query", json={"UserId": None}), "User.Id", "Microsoft's user"
    )

    def fetch(index: int) -> Any:
        predicates = [{"Field": "UserId", "Operator": "Equals", "Value": str(user)}]
        request = {"Predicates": predicates, "PageInfo": {"Index": index, "Size": PAGE}}
        return client.post(f"{CUSTOMERS}/{VERSION}/Accounts/Search", json=request).get("Accounts") or []

    for rows in client.pages(0, fetch, lambda rows, index: index + 1 if len(rows) == PAGE else None):
        for row in rows:
            yield account_of(row)


def spend(client: PlatformClient, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    row, about_account = current_account(client, account)
    zone, checked = str(required(row, "TimeZone", "Microsoft's account")), set()
    for since, until in split_range(start, end, days=31):
        for report, level, ids_and_names in REPORTS:
            request = {
                "Type": f"{report}PerformanceReportRequest",
                "ReportName": f"{report} by day",
                "Format": "Csv",
                "FormatVersion": "2.0",  # without thousands separators
                "ExcludeReportHeader": False,  # it states the time zone
                "ExcludeReportFooter": True,
                "ReturnOnlyCompleteData": False,
                "Aggregation": "Daily",
                "Columns": ["TimePeriod", *ids_and_names, *MEASURES],
                "Scope": {"AccountIds": [account.account_id]},
                "Time": {
                    "CustomDateRangeStart": _day(since),
                    "CustomDateRangeEnd": _day(until),
                    "ReportTimeZone": report_spelling(zone),
                },
            }
            body = {"ReportRequest": request}
            response = client.post(f"/{VERSION}/GenerateReport/Submit", json=body, headers=about_account)
            job = required(response, "ReportRequestId", "Microsoft's response to a report request")
            done = wait_for_job(
                client,
                f"/{VERSION}/GenerateReport/Poll",
                {"ReportRequestId": job},
                about_account,
                f"the {report.lower()} report of {since} to {until}",
                status="ReportRequestStatus.Status",
                done="Success",
            )
            # A report without rows has no file. The URL is valid for five minutes.
            if url := optional(done, "ReportRequestStatus.ReportDownloadUrl"):
                with zipped_csv(client, url) as (header, read):
                    reported = header.get("Time Zone", "none")
                    if reported not in checked and not has_zone(reported, zone):
                        client.log(f"Microsoft Advertising: the days are of {reported}, not of the account ({zone})")
                    checked.add(reported)
                    for line in read():
                        yield _spend_row(line, account, report, level)


def _day(day: date) -> dict[str, int]:
    return {"Day": day.day, "Month": day.month, "Year": day.year}


def _spend_row(row: dict[str, str], account: Account, report: str, level: TotalLevel | None) -> SpendRow:
    where = f"Microsoft's {report.lower()} report"
    field = field_reader(row, where)
    metrics = {name: value.replace(",", "") for name, value in row.items() if value and value not in UNAVAILABLE}
    is_ad, title = level is None, row.get("AdTitle")

    def delivered(name: str) -> int:
        """Return 0 for an unavailable figure. An absent figure is an error: the API changed."""
        return 0 if field(name) in UNAVAILABLE else int(metrics[name])

    return SpendRow(
        date=date.fromisoformat(field("TimePeriod")),
        account_id=account.account_id,
        currency=field("CurrencyCode"),
        spend_micros=units_to_micros(required(metrics, "Spend", where)),
        level=level,
        campaign_id=field("CampaignId") if report != "Account" else None,
        campaign=field("CampaignName") if report != "Account" else None,
        adset_id=field("AdGroupId") if is_ad else None,
        adset=field("AdGroupName") if is_ad else None,
        ad_id=field("AdId") if is_ad else None,
        ad=title if is_ad and title not in UNAVAILABLE else None,
        impressions=delivered("Impressions"),
        clicks=delivered("Clicks"),
        video_views=int(metrics.get("VideoViews") or 0),
        platform_conversions=Decimal(metrics.get("ConversionsQualified") or 0),
        platform_value_micros=units_to_micros(metrics.get("Revenue") or 0),
    )


PLATFORM = Platform(
    name="microsoft",
    label="Microsoft Advertising",
    base_url="https://reporting.api.bingads.microsoft.com/Reporting",
    secrets=("client_id", "client_secret", "developer_token"),
    repull_days=30,
    raise_for_error=raise_for_error,
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
    history=History(months=36),
    hosts=("clientcenter.api.bingads.microsoft.com", "bulk.api.bingads.microsoft.com"),
)
