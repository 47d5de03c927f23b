"""A fake of Amazon Ads: profiles, report and export jobs, gzipped JSON on another host, duplicates (HTTP 425)."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.ads.amazon import REPORT_TYPE
from tests.support.vendors.base import Fact, Vendor
from tests.support.vendors.base import form as form_of

PRODUCT_OF = {"7001": "SPONSORED_PRODUCTS", "7002": "SPONSORED_BRANDS"}
KEPT_DAYS = {"SPONSORED_PRODUCTS": 95, "SPONSORED_BRANDS": 60, "SPONSORED_DISPLAY": 65}
BASE = {"date", "campaignId", "campaignName", "campaignBudgetCurrencyCode", "impressions", "clicks", "cost"}
AD = BASE | {"adGroupId", "adGroupName", "adId"}
COLUMNS = {
    "spAdvertisedProduct": AD | {"purchases14d", "sales14d"},
    "spCampaigns": BASE | {"purchases14d", "sales14d"},
    "sbAds": AD | {"purchases", "sales", "video5SecondViews"},
    "sbCampaigns": BASE | {"purchases", "sales", "video5SecondViews"},
    "sdAdvertisedProduct": AD | {"purchases", "sales"},
    "sdCampaigns": BASE | {"purchases", "sales"},
}
GROUPS = {"spAdvertisedProduct": "advertiser", "sdAdvertisedProduct": "advertiser", "sbAds": "ads"}


def fault(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"code": f"{status}", "detail": detail}, status, headers)


def amount(micros: int) -> Decimal:
    return Decimal(micros) / 1_000_000


class Amazon(Vendor):
    name = "amazon"
    vanishing = "cost"
    has_account_totals = False
    currency_in_report = True
    credentials = {"client_id": "amzn1.app-1", "client_secret": "app-secret"}  # noqa: RUF012
    limits_history = False  # as the real one does; other tests request days of long ago
    rejects_states = False  # exports accept no filter by state
    archived: tuple[str, ...] = ()  # entities that exports have only on request
    export_error: dict[str, str] | None = None  # of exports, which then fail
    loses_response = False  # the response to a report request was lost: the next request is a duplicate
    duplicate_differs = False  # and the report that it duplicates has other columns

    def routes(self) -> list[Route]:
        self.jobs: list[dict[str, Any]] = []
        # Only sponsored brands report video views.
        self.facts = [f if f.campaign_id == "7002" else replace(f, video_views=0) for f in self.facts]
        return [
            Route("/v2/profiles", self.profiles),
            Route("/reporting/reports", self.submit, methods=["POST"]),
            Route("/reporting/reports/{job}", self.state),
            *(Route(f"/{what}/export", self.export, methods=["POST"]) for what in ("campaigns", "adGroups", "ads")),
            Route("/exports/{job}", self.state),
            Route("/download/{job}", self.file),
            Route("/auth/o2/token", self.token, methods=["POST"]),
        ]

    def fault_response(self, request: Request) -> Response | None:
        if not self.is_data(request):
            return None
        if request.headers.get("amazon-advertising-api-clientid") != self.credentials["client_id"]:
            return fault(401, "Missing or wrong client id")
        if request.url.path != "/v2/profiles":
            if request.headers.get("amazon-advertising-api-scope") != self.account_id:
                return fault(401, "Not authorized to access scope")
            if request.method == "POST" and "vnd." not in request.headers.get("content-type", ""):
                return fault(415, "Cannot consume content type")
        return super().fault_response(request)

    def throttled(self) -> Response:
        return fault(429, "Too Many Requests", {"retry-after": f"{self.rest(45):.0f}"})

    def failed(self) -> Response:
        return fault(502, "Internal Error")

    def unauthorized(self) -> Response:
        return JSONResponse({"code": "UNAUTHORIZED", "details": "Unauthorized", "requestId": "R1"}, 401)

    revoked = unauthorized  # the renewal states it

    async def profiles(self, request: Request) -> Response:
        info = {"marketplaceStringId": "A1PA6795UKMFR9", "id": "ENTITY1", "type": "seller", "name": self.account_name}
        common = {"countryCode": "DE", "currencyCode": self.currency, "timezone": self.timezone}
        agency = {"id": "ENTITY2", "type": "agency", "name": "An agency"}
        return JSONResponse(
            [
                {"profileId": 1, **common, "accountInfo": agency},
                {"profileId": int(self.account_id), **common, "accountInfo": info},
            ]
        )

    async def submit(self, request: Request) -> Response:
        question = await request.json()
        configuration = question["configuration"]
        type_, product = configuration["reportTypeId"], configuration["adProduct"]
        since, until = date.fromisoformat(question["startDate"]), date.fromisoformat(question["endDate"])
        if request.headers["content-type"] != REPORT_TYPE:
            return fault(415, "Cannot consume content type")
        if (until - since).days > 30:
            return fault(400, f"startDate to endDate range ({(until - since).days + 1} days) must be <= 31 days")
        if self.limits_history and since < self.clock.now().date() - timedelta(days=KEPT_DAYS[product]):
            return fault(400, f"configuration startDate must be within {KEPT_DAYS[product]} days")
        if wrong := set(configuration["columns"]) - COLUMNS[type_]:
            return fault(400, f"configuration columns includes invalid values: ({', '.join(sorted(wrong))})")
        if configuration["groupBy"] != [GROUPS.get(type_, "campaign")] or configuration["timeUnit"] != "DAILY":
            return fault(400, "configuration groupBy is not supported")
        facts = [f for f in self.between(since, until) if PRODUCT_OF[f.campaign_id] == product]
        rows = [self.line(fact, configuration["columns"]) for fact in self.of_campaigns(facts, type_)]
        rows = rows[:1] * self.repeats + rows
        job = {**question, "reportId": f"r-{len(self.jobs)}", "polls": 0, "rows": rows}
        self.jobs.append(job)
        if self.loses_response:
            self.loses_response = False
            if self.duplicate_differs:
                job["configuration"] = {**configuration, "columns": ["date", "cost"], "timeUnit": "SUMMARY"}
            return fault(425, f"The Request is a duplicate of : {job['reportId']}")
        return JSONResponse(self.shown(job))

    def of_campaigns(self, facts: list[Fact], type_: str) -> list[Fact]:
        if type_ in GROUPS:
            return facts
        days: dict[tuple[date, str], list[Fact]] = {}
        for fact in facts:
            days.setdefault((fact.date, fact.campaign_id), []).append(fact)
        return [
            Fact(
                day,
                id_,
                "",
                "",
                sum(f.spend_micros for f in some),
                sum(f.impressions for f in some),
                sum(f.clicks for f in some),
            )
            for (day, id_), some in days.items()
        ]

    def line(self, fact: Fact, columns: list[str]) -> dict[str, Any]:
        whole = {
            "date": f"{fact.date}",
            "campaignId": int(fact.campaign_id),
            "campaignName": fact.campaign,
            "adGroupId": int(fact.adset_id or 0),
            "adGroupName": fact.adset,
            "adId": int(fact.ad_id or 0),
            "campaignBudgetCurrencyCode": self.currency,
            "impressions": fact.impressions,
            "clicks": fact.clicks,
            "cost": amount(fact.spend_micros),
            "purchases": int(fact.conversions),
            "purchases14d": int(fact.conversions),
            "sales": amount(fact.value_micros),
            "sales14d": amount(fact.value_micros),
            "video5SecondViews": fact.video_views,
        }
        return self.row({column: whole[column] for column in columns})

    def shown(self, job: dict[str, Any]) -> dict[str, Any]:
        done = job["polls"] > self.polls
        status = "COMPLETED" if done else "PROCESSING" if job["polls"] else "PENDING"
        number = self.jobs.index(job)
        more = {"status": status, "failureReason": None, "url": f"{self.url}/download/{number}" if done else None}
        return {name: value for name, value in job.items() if name not in ("rows", "polls")} | more

    async def state(self, request: Request) -> Response:
        job = next(j for j in self.jobs if request.path_params["job"] in (j.get("reportId"), j.get("exportId")))
        job["polls"] += 1
        if self.export_error and "exportId" in job:
            return JSONResponse({"exportId": job["exportId"], "status": "FAILED", "error": self.export_error})
        return JSONResponse(self.shown(job))

    async def export(self, request: Request) -> Response:
        what = request.url.path.split("/")[1]
        if request.headers["content-type"] != f"application/vnd.{what.lower()}export.v1+json":
            return fault(415, "Cannot consume content type")
        question = await request.json()
        if self.rejects_states and "stateFilter" in question:
            return fault(400, "Unknown member stateFilter")
        states = question.get("stateFilter", ["ENABLED", "PAUSED"])
        money = {"currencyCode": self.currency, "amount": Decimal("50.0")}
        budget = {"recurrenceTimePeriod": "DAILY", "budgetValue": {"monetaryBudget": money}}
        page = {"landingPageType": "STORE", "landingPageUrl": "https://shop.example/spring"}
        rows: dict[str, dict[str, Any]] = {}
        for f in self.facts:
            common = {"adProduct": PRODUCT_OF[f.campaign_id]}
            id_, row = {
                "campaigns": (f.campaign_id, {"campaignId": f.campaign_id, "name": f.campaign, "budgetCaps": budget}),
                "adGroups": (f.adset_id, {"adGroupId": f.adset_id, "campaignId": f.campaign_id, "name": f.adset}),
                "ads": (
                    f.ad_id,
                    {
                        "adId": f.ad_id,
                        "adGroupId": f.adset_id,
                        "adType": "PRODUCT_AD",
                        "creative": {"headline": f.ad, "landingPage": page},
                    },
                ),
            }[what]
            state = "ARCHIVED" if id_ in self.archived else "ENABLED"
            if state in states:
                rows[id_] = {**common, "state": state, **row}
        self.jobs.append({"exportId": f"e-{len(self.jobs)}", "polls": 0, "rows": list(rows.values())})
        return JSONResponse({"exportId": self.jobs[-1]["exportId"], "status": "IN_PROGRESS"}, 202)

    async def file(self, request: Request) -> Response:
        if "authorization" in request.headers:  # the URL is signed: a second signature is an error
            return Response("<Error><Code>InvalidArgument</Code></Error>", 400, media_type="application/xml")
        text = json.dumps(self.jobs[int(request.path_params["job"])]["rows"], default=lambda number: f"#{number}#")
        return Response(gzip.compress(text.replace('"#', "").replace('#"', "").encode()))  # amounts are plain numbers

    async def token(self, request: Request) -> Response:
        form = await form_of(request)
        if form.get("client_secret") != self.credentials["client_secret"]:
            return JSONResponse({"error": "invalid_client", "error_description": "Client authentication failed"}, 401)
        if form.get("refresh_token") != self.refresh_token:
            return JSONResponse({"error": "invalid_grant", "error_description": "Invalid grant"}, 400)
        return JSONResponse(
            {
                "access_token": self.renew_token(),
                "refresh_token": self.refresh_token,
                "token_type": "bearer",
                "expires_in": 3600,
            }
        )
