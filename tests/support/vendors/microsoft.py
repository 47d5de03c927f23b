"""A fake of Microsoft Advertising's REST API: report and bulk jobs, zipped CSV, error codes."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.ads.microsoft import VERSION
from connectors.ads.microsoft.time_zones import IANA_NAMES, REPORT_SPELLINGS
from tests.support.vendors.base import Fact, Vendor, summed
from tests.support.vendors.base import form as form_of

CUSTOMER = "501"
COLUMNS = {
    "Account": {
        "TimePeriod",
        "CurrencyCode",
        "Spend",
        "Impressions",
        "Clicks",
        "VideoViews",
        "ConversionsQualified",
        "Revenue",
    },
}
COLUMNS["Campaign"] = COLUMNS["Account"] | {"CampaignId", "CampaignName"}
COLUMNS["Ad"] = COLUMNS["Campaign"] | {"AdGroupId", "AdGroupName", "AdId", "AdTitle"}


def fault(status: int, code: int, name: str, message: str, kind: str = "AdApiFaultDetail") -> Response:
    errors = {"AdApiFaultDetail": "Errors", "ApiFaultDetail": "OperationErrors"}[kind]
    error = {"Code": code, "Detail": None, "ErrorCode": name, "Message": message}
    return JSONResponse({errors: [error], "TrackingId": "65602e3d", "Type": kind}, status)


class Microsoft(Vendor):
    name = "microsoft"
    vanishing = "Spend"
    clicks_field = "Clicks"
    currency_in_report = True
    credentials = {"client_id": "app-1", "client_secret": "app-secret", "developer_token": "dev-token"}  # noqa: RUF012

    without_ads: tuple[Fact, ...] = ()  # of Performance Max campaigns
    reported_zone: str | None = None  # the zone in the header of reports, instead of the account's

    def routes(self) -> list[Route]:
        self.jobs: list[dict[str, Any]] = []
        customers, bulk = f"/CustomerManagement/{VERSION}", f"/Bulk/{VERSION}"
        paths = {
            f"{customers}/User/Query": self.user,
            f"{customers}/Accounts/Search": self.search,
            f"{customers}/Account/Query": self.account,
            f"/Reporting/{VERSION}/GenerateReport/Submit": self.submit,
            f"/Reporting/{VERSION}/GenerateReport/Poll": self.poll,
            f"{bulk}/Campaigns/DownloadByAccountIds": self.bulk,
            f"{bulk}/BulkDownloadStatus/Query": self.bulk_state,
            "/common/oauth2/v2.0/token": self.token,
        }
        return [
            *(Route(path, endpoint, methods=["POST"]) for path, endpoint in paths.items()),
            Route("/download/{job}", self.file),
        ]

    def is_authorized(self, request: Request) -> bool:
        mine = request.headers.get("developertoken") == self.credentials["developer_token"]
        return mine and super().is_authorized(request)

    def throttled(self) -> Response:
        self.rest(60)
        return fault(429, 117, "CallRateExceeded", "You have exceeded the number of calls that you are allowed.")

    def failed(self) -> Response:
        return fault(500, 0, "InternalError", "An internal error has occurred.", "ApiFaultDetail")

    def unauthorized(self) -> Response:
        return fault(401, 109, "AuthenticationTokenExpired", "Authentication token expired.")

    def revoked(self) -> Response:
        return fault(401, 105, "InvalidCredentials", "Authentication failed.")

    async def user(self, request: Request) -> Response:
        return JSONResponse({"User": {"Id": "9", "UserName": "someone"}, "CustomerRoles": []})

    def shown_account(self) -> dict[str, Any]:
        zone = next(name for name, iana in IANA_NAMES.items() if iana == self.timezone)
        return {
            "Id": self.account_id,
            "Name": self.account_name,
            "Number": "F12345",
            "CurrencyCode": self.currency,
            "TimeZone": zone,
            "ParentCustomerId": CUSTOMER,
            "AccountLifeCycleStatus": "Active",
        }

    async def search(self, request: Request) -> Response:
        question = await request.json()
        (predicate,) = question["Predicates"]
        if predicate != {"Field": "UserId", "Operator": "Equals", "Value": "9"}:
            return fault(400, 1008, "InvalidPredicate", "The predicate is not valid.", "ApiFaultDetail")
        if not 0 < question["PageInfo"]["Size"] <= 1000:
            return fault(400, 1007, "InvalidPaging", "The page size is not valid.", "ApiFaultDetail")
        return JSONResponse({"Accounts": [] if question["PageInfo"]["Index"] else [self.shown_account()]})

    async def account(self, request: Request) -> Response:
        if (await request.json())["AccountId"] != self.account_id:
            return fault(403, 106, "UserIsNotAuthorized", "The user is not authorized to perform this action.")
        return JSONResponse({"Account": self.shown_account()})

    def misplaced(self, request: Request) -> Response | None:
        about = (request.headers.get("customeraccountid"), request.headers.get("customerid"))
        if about != (self.account_id, CUSTOMER):
            return fault(403, 106, "UserIsNotAuthorized", "The user is not authorized to perform this action.")
        return None

    async def submit(self, request: Request) -> Response:
        question = (await request.json()).get("ReportRequest")
        if not question:
            return fault(400, 100, "NullRequest", "The request message is null.", "ApiFaultDetail")
        kind = question["Type"].removesuffix("PerformanceReportRequest")
        time, zone = question["Time"], self.shown_account()["TimeZone"]
        wrong = (
            set(question["Columns"]) - COLUMNS.get(kind, set())
            or question["Scope"]["AccountIds"] != [self.account_id]
            or time.get("ReportTimeZone") != REPORT_SPELLINGS.get(zone, zone)
            or question["Aggregation"] != "Daily"
        )
        if wrong:
            return fault(400, 2015, "InvalidReportRequest", f"Not valid: {wrong}.", "ApiFaultDetail")
        since, until = (
            date(day["Year"], day["Month"], day["Day"])
            for day in (time["CustomDateRangeStart"], time["CustomDateRangeEnd"])
        )
        if kind == "Ad":
            facts = self.between(since, until)
        elif kind == "Campaign":
            some = [f for f in [*self.facts, *self.without_ads] if since <= f.date <= until]
            keys = dict.fromkeys((f.date, f.campaign_id) for f in some)
            facts = [
                replace(summed(day, [f for f in some if (f.date, f.campaign_id) == (day, id_)]), campaign_id=id_)
                for day, id_ in keys
            ]
        else:
            facts = self.totals(since, until)
            more = {f.date: sum(w.spend_micros for w in self.without_ads if w.date == f.date) for f in facts}
            facts = [replace(f, spend_micros=f.spend_micros + more[f.date]) for f in facts]
        rows = [self.line(fact, question["Columns"]) for fact in facts]
        rows = rows[:1] * self.repeats + rows
        header = None if question["ExcludeReportHeader"] else self.header(zone, since, until)
        self.jobs.append({"polls": 0, "rows": rows, "header": header})
        return self.misplaced(request) or JSONResponse({"ReportRequestId": f"{len(self.jobs) - 1}"})

    def header(self, zone: str, since: date, until: date) -> list[str]:
        """Return the header of a report. Its cities are spelled as in the account, with blanks and commas."""
        offset = datetime(2026, 1, 1, tzinfo=ZoneInfo(self.timezone)).isoformat()[-6:]
        cities = ", ".join(re.findall(r"[A-Z]+[a-z]*", zone))
        return [
            "Report Name: by day",
            f"Report Time: {since:%-m/%-d/%Y},{until:%-m/%-d/%Y}",
            f"Time Zone: {self.reported_zone or f'(GMT{offset}) {cities}'}",
            "Last Completed Available Day: 11/20/2026 12:00:00 AM (GMT)",
            "Report Aggregation: Daily",
            "Report Filter: ",
            "Potential Incomplete Data: false",
        ]

    def line(self, fact: Fact, columns: list[str]) -> dict[str, Any]:
        whole = {
            "TimePeriod": f"{fact.date}",
            "CurrencyCode": self.currency,
            "CampaignId": fact.campaign_id,
            "CampaignName": fact.campaign,
            "AdGroupId": fact.adset_id,
            "AdGroupName": fact.adset,
            "AdId": fact.ad_id,
            "AdTitle": fact.ad,
            "Spend": f"{Decimal(fact.spend_micros).scaleb(-6):,.2f}",
            "Impressions": f"{fact.impressions:,}",
            "Clicks": f"{fact.clicks:,}",
            "VideoViews": f"{fact.video_views:,}" if fact.video_views else "--",
            "ConversionsQualified": f"{fact.conversions:,.2f}" if fact.conversions else "--",
            "Revenue": f"{Decimal(fact.value_micros).scaleb(-6):,.2f}" if fact.value_micros else "--",
        }
        return self.row({column: whole[column] for column in columns})

    async def poll(self, request: Request) -> Response:
        job = (await request.json())["ReportRequestId"]
        self.jobs[int(job)]["polls"] += 1
        if self.jobs[int(job)]["polls"] <= self.polls:
            state = {"Status": "Pending", "ReportDownloadUrl": None}
        else:  # a report without rows has no file
            url = f"{self.url}/download/{job}" if self.jobs[int(job)]["rows"] else None
            state = {"Status": "Success", "ReportDownloadUrl": url}
        return self.misplaced(request) or JSONResponse({"ReportRequestStatus": state})

    async def file(self, request: Request) -> Response:
        if "authorization" in request.headers:  # the URL is signed: a second signature is an error
            return Response("<Error><Code>InvalidAuthenticationInfo</Code></Error>", 400, media_type="application/xml")
        job = self.jobs[int(request.path_params["job"])]
        rows = job["rows"]
        text, packed = io.StringIO(), io.BytesIO()
        if header := job.get("header"):
            csv.writer(text, quoting=csv.QUOTE_ALL).writerows([[line] for line in header])
            text.write("\r\n")
        writer = csv.DictWriter(text, list(rows[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("report.csv", text.getvalue().encode("utf-8-sig"))
        return Response(packed.getvalue(), media_type="application/zip")

    async def bulk(self, request: Request) -> Response:
        question = await request.json()
        if not question["DownloadEntities"] or question["FormatVersion"] != "6.0":
            return fault(400, 4203, "BulkServiceInvalidFormatVersion", "Not valid.", "ApiFaultDetail")
        columns = ("Type", "Status", "Id", "Parent Id", "Campaign", "Ad Group", "Budget", "Budget Type",
                   "Campaign Type", "Title", "Final Url", "Final Url Suffix", "Tracking Template", "Name")  # fmt: skip
        rows: dict[tuple[str, str], dict[str, Any]] = {("Format Version", ""): {"Name": "6.0"}}
        for f in self.facts:  # ads come first: the documentation allows it
            rows["Responsive Search Ad", f.ad_id] = {
                "Parent Id": f.adset_id,
                "Campaign": f.campaign,
                "Ad Group": f.adset,
                "Title": f.ad,
                "Final Url": "https://shop.example/spring; https://shop.example/other",
            }
        for f in self.facts:
            rows["Ad Group", f.adset_id] = {
                "Parent Id": f.campaign_id,
                "Campaign": f.campaign,
                "Ad Group": f.adset,
                "Final Url Suffix": "utm_id={CampaignId}",
            }
            rows["Campaign", f.campaign_id] = {
                "Parent Id": self.account_id,
                "Campaign": f.campaign,
                "Budget": "50.00",
                "Budget Type": "DailyBudgetStandard",
                "Campaign Type": "Search",
                "Tracking Template": "{lpurl}?utm_source=bing",
                "Final Url Suffix": "unused=1",
            }
        lines = [
            {**dict.fromkeys(columns, ""), "Type": type_, "Id": id_, "Status": "Active", **row}
            for (type_, id_), row in rows.items()
        ]
        self.jobs.append({"polls": 0, "rows": lines})
        return self.misplaced(request) or JSONResponse({"DownloadRequestId": f"{len(self.jobs) - 1}"})

    async def bulk_state(self, request: Request) -> Response:
        job = (await request.json())["RequestId"]
        self.jobs[int(job)]["polls"] += 1
        done = self.jobs[int(job)]["polls"] > self.polls
        return JSONResponse(
            {
                "RequestStatus": "Completed" if done else "InProgress",
                "PercentComplete": 100 if done else 50,
                "ResultFileUrl": f"{self.url}/download/{job}" if done else None,
                "Errors": [],
            }
        )

    async def token(self, request: Request) -> Response:
        form = await form_of(request)
        if form.get("client_secret") != self.credentials["client_secret"]:
            return JSONResponse({"error": "invalid_client", "error_description": "AADSTS7000215"}, 401)
        if form.get("refresh_token") != self.refresh_token:
            return JSONResponse({"error": "invalid_grant", "error_description": "The grant is expired."}, 400)
        self.refresh_token = f"refresh-{int(self.refresh_token.rpartition('-')[2]) + 1}"
        return JSONResponse(
            {
                "access_token": self.renew_token(),
                "refresh_token": self.refresh_token,
                "token_type": "Bearer",
                "expires_in": 3600,
            }
        )
