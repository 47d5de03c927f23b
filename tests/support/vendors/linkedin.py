"""A fake of LinkedIn's Marketing API: Rest.li queries, page tokens, reports without pages."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.ads.linkedin import FIELDS, VERSION
from tests.support.vendors.base import Fact, Vendor
from tests.support.vendors.base import form as form_of

URNS = {
    "CAMPAIGN_GROUP": ("sponsoredCampaignGroup", "campaign_id"),
    "CAMPAIGN": ("sponsoredCampaign", "adset_id"),
    "CREATIVE": ("sponsoredCreative", "ad_id"),
}


def fault(status: int, message: str, service: int | None = None, code: str | None = None) -> Response:
    body = {"status": status, "message": message, "serviceErrorCode": service, "code": code}
    return JSONResponse({name: value for name, value in body.items() if value is not None}, status)


class LinkedIn(Vendor):
    name = "linkedin"
    vanishing = "costInLocalCurrency"
    credentials = {"client_id": "app-1", "client_secret": "app-secret"}  # noqa: RUF012
    max_rows = 15_000  # of a report: the rest is silently omitted
    has_data_limit = False  # the next report exceeds the data that five minutes allow
    has_daily_limit = False  # the calls of this day are used up
    may_read = True  # without access, reports are empty

    def routes(self) -> list[Route]:
        account = f"/rest/adAccounts/{self.account_id}"
        return [
            Route("/rest/adAccounts", self.accounts),
            Route(account, self.account),
            *(Route(f"{account}/{edge}", self.listing) for edge in ("adCampaignGroups", "adCampaigns", "creatives")),
            Route("/rest/adAnalytics", self.report),
            Route("/oauth/v2/accessToken", self.token, methods=["POST"]),
        ]

    def is_data(self, request: Request) -> bool:
        return request.url.path.startswith("/rest/")

    def fault_response(self, request: Request) -> Response | None:
        if self.is_data(request):
            if request.headers.get("linkedin-version") != VERSION:
                return fault(426, "Requested version is not active", code="NONEXISTENT_VERSION")
            if request.headers.get("x-restli-protocol-version") != "2.0.0" or "%28" in request.url.query:
                return fault(400, "Invalid query parameters passed to request", 0, "ILLEGAL_ARGUMENT")
            if len(request.url.query) > 4096:
                return fault(414, "Request URI Too Long")
        return super().fault_response(request)

    def throttled(self) -> Response:
        self.rest(0.9)  # the response does not state how long
        return fault(
            429, "Resource level throttle limit for calls to this resource is reached.", 101, "TOO_MANY_REQUESTS"
        )

    def failed(self) -> Response:
        return fault(500, "Internal Server Error")

    def unauthorized(self) -> Response:
        return fault(401, "The token used in the request has expired", 65602, "EXPIRED_ACCESS_TOKEN")

    def revoked(self) -> Response:
        return fault(401, "The token used in the request has been revoked by the user", 65601, "REVOKED_ACCESS_TOKEN")

    def shown_account(self) -> dict[str, Any]:
        return {
            "id": int(self.account_id),
            "name": self.account_name,
            "currency": self.currency,
            "status": "ACTIVE",
            "type": "BUSINESS",
            "servingStatuses": ["RUNNABLE"],
        }

    async def accounts(self, request: Request) -> Response:
        return self.paged(request, [self.shown_account()])

    async def account(self, request: Request) -> Response:
        return JSONResponse(self.shown_account())

    async def listing(self, request: Request) -> Response:
        edge = request.url.path.rpartition("/")[2]
        rows: dict[str, dict[str, Any]] = {}
        for f in self.facts:
            id_, row = {
                "adCampaignGroups": (f.campaign_id, {"name": f.campaign, "status": "ACTIVE"}),
                "adCampaigns": (
                    f.adset_id,
                    {
                        "name": f.adset,
                        "status": "ACTIVE",
                        "objectiveType": "WEBSITE_CONVERSION",
                        "campaignGroup": f"urn:li:sponsoredCampaignGroup:{f.campaign_id}",
                        "dailyBudget": {"amount": "50", "currencyCode": self.currency},
                    },
                ),
                "creatives": (
                    f"urn:li:sponsoredCreative:{f.ad_id}",
                    {
                        "name": f.ad,
                        "intendedStatus": "ACTIVE",
                        "campaign": f"urn:li:sponsoredCampaign:{f.adset_id}",
                        "content": {"textAd": {"headline": "Spring", "landingPage": "https://shop.example/spring?a=1"}},
                    },
                ),
            }[edge]
            rows[id_] = {"id": id_ if edge == "creatives" else int(id_), **row}
        if edge == "creatives" and request.headers.get("x-restli-method") != "FINDER":
            return fault(400, "Invalid query parameters passed to request", 0, "ILLEGAL_ARGUMENT")
        if edge != "creatives" and "search=(status:(values:List(ACTIVE," not in request.url.query:
            return fault(400, "Invalid query parameters passed to request", 0, "ILLEGAL_ARGUMENT")
        return self.paged(request, list(rows.values()))

    def paged(self, request: Request, rows: list[Any]) -> Response:
        size = int(request.query_params["pageSize"])
        if not 0 < size <= (100 if request.url.path.endswith("creatives") else 1000):
            return fault(400, "Invalid pageSize", 0, "ILLEGAL_ARGUMENT")
        token = request.query_params.get("pageToken", "token/0=")
        shown, following = self.page(rows, int(token[6:-1]))
        metadata = {"nextPageToken": f"token/{following}="} if following else {}
        return JSONResponse({"elements": shown, "metadata": metadata})

    async def report(self, request: Request) -> Response:
        if self.has_data_limit:
            self.has_data_limit = False
            self.rest(300)
            return fault(
                429,
                "The data request limit has been exceeded. More than 45 million metric values were requested in a "
                "5-minute window.",
                101,
                "TOO_MANY_REQUESTS",
            )
        if self.has_daily_limit:
            return fault(
                429,
                "Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls to this resource is reached.",
                101,
                "TOO_MANY_REQUESTS",
            )
        query = unquote(request.url.query)
        fields = request.query_params["fields"].split(",")
        bounds = re.search(
            r"dateRange=\(start:\(year:(\d+),month:(\d+),day:(\d+)\),end:\(year:(\d+),month:(\d+),day:(\d+)\)\)", query
        )
        right = f"accounts=List(urn:li:sponsoredAccount:{self.account_id})" in query and "=DAILY&" in query
        if not bounds or not right or len(fields) > 20 or set(fields) - set(FIELDS):
            return fault(400, "Invalid query parameters passed to request", 0, "ILLEGAL_ARGUMENT")
        numbers = [int(number) for number in bounds.groups()]
        since, until = date(*numbers[:3]), date(*numbers[3:])
        if request.query_params["q"] == "statistics":
            pivots = re.search(r"pivots=List\(([A-Z_,]+)\)", query)[1].split(",")
            rows = [
                self.element(f, [f"urn:li:{URNS[p][0]}:{getattr(f, URNS[p][1])}" for p in pivots], fields)
                for f in self.between(since, until)
            ]
        else:
            urn = f"urn:li:sponsoredAccount:{self.account_id}"
            rows = [self.element(f, [urn], fields) for f in self.totals(since, until)]
        rows = rows[:1] * self.repeats + rows
        shown = rows[: self.max_rows] if self.may_read else []
        return JSONResponse({"elements": shown, "paging": {"count": 10, "start": 0, "links": []}})

    def element(self, fact: Fact, urns: list[str], fields: list[str]) -> dict[str, Any]:
        day = {"year": fact.date.year, "month": fact.date.month, "day": fact.date.day}
        whole = {
            "dateRange": {"start": day, "end": day},
            "pivotValues": urns,
            "costInLocalCurrency": f"{Decimal(fact.spend_micros).scaleb(-6):.6f}0000001",
            "impressions": fact.impressions,
            "clicks": fact.clicks,
            "videoViews": fact.video_views,
            "externalWebsiteConversions": int(fact.conversions),
            "conversionValueInLocalCurrency": f"{fact.value_micros // 1_000_000}.{fact.value_micros % 1_000_000:06d}",
        }
        return self.row({name: whole[name] for name in fields})

    async def token(self, request: Request) -> Response:
        form = await form_of(request)
        if form.get("client_secret") != self.credentials["client_secret"]:
            return JSONResponse({"error": "invalid_client", "error_description": "Client authentication failed"}, 401)
        if form.get("refresh_token") != self.refresh_token:
            return JSONResponse({"error": "invalid_grant", "error_description": "The token is revoked or expired"}, 400)
        return JSONResponse(
            {
                "access_token": self.renew_token(),
                "expires_in": 5_184_000,
                "refresh_token": self.refresh_token,
                "refresh_token_expires_in": 31_536_000,
            }
        )
