"""A fake of Example Ads, the invented platform of docs/add-a-platform.md: report and lists by cursor, error codes."""

from __future__ import annotations

from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.vendors.base import Fact, Vendor, form


def error(status: int, code: str, message: str, **more: Any) -> Response:
    return JSONResponse({"error": {"code": code, "message": message, **more}}, status)


class Example(Vendor):
    name = "example"
    vanishing = "cost"
    credentials = {"client_id": "app-1", "client_secret": "app-secret"}  # noqa: RUF012

    def routes(self) -> list[Route]:
        account = f"/v1/accounts/{self.account_id}"
        return [
            Route("/v1/accounts", lambda request: self.paged(request, [self.account()])),
            Route(account, lambda request: JSONResponse(self.account())),
            Route(f"{account}/report", self.report),
            Route(f"{account}/{{kind}}", self.listing),
            Route("/oauth/token", self.token, methods=["POST"]),
        ]

    def throttled(self) -> Response:
        return error(429, "too_many_requests", "Slow down.", retry_in=self.rest(45))

    def failed(self) -> Response:
        return error(503, "unavailable", "We are restarting.")

    def failed_in_200(self) -> Response:
        return error(200, "unavailable", "The report is being rebuilt.")

    def unauthorized(self) -> Response:
        return error(401, "token_expired", "The access token has expired.")

    def revoked(self) -> Response:
        return error(401, "access_removed", "The user has removed this app.")

    def account(self) -> dict[str, Any]:
        return {
            "id": self.account_id,
            "name": self.account_name,
            "currency": self.currency,
            "time_zone": self.timezone,
            "state": "ACTIVE",
        }

    async def report(self, request: Request) -> Response:
        query = request.query_params
        since, until = date.fromisoformat(query["from"]), date.fromisoformat(query["to"])
        if (until - since).days >= 90 or query["level"] not in ("ad", "account"):
            return error(400, "invalid", "from, to: 90 days at most; level: ad or account.")
        if query["level"] == "ad":
            rows = [
                {
                    **self.figures(f),
                    "campaign_id": f.campaign_id,
                    "campaign_name": f.campaign,
                    "group_id": f.adset_id,
                    "group_name": f.adset,
                    "ad_id": f.ad_id,
                    "ad_name": f.ad,
                }
                for f in self.between(since, until)
            ]
        else:
            rows = [self.figures(total) for total in self.totals(since, until)]
        return self.paged(request, [self.row(row) for row in rows])

    def figures(self, fact: Fact) -> dict[str, Any]:
        return {
            "day": f"{fact.date}",
            "cost": f"{fact.spend_micros / 1_000_000:.2f}",
            "clicks": fact.clicks,
            "impressions": fact.impressions,
            "video_views": fact.video_views,
            "purchases": int(fact.conversions),
            "purchase_value": f"{fact.value_micros / 1_000_000:.2f}",
        }

    async def listing(self, request: Request) -> Response:
        ad = {"url": "https://shop.example/spring", "url_parameters": "utm_id={campaign}"}
        rows: dict[str, dict[str, Any]] = {}
        for f in self.facts:
            id_, row = {
                "campaigns": (f.campaign_id, {"name": f.campaign, "objective": "SALES", "daily_budget": "50.00"}),
                "groups": (f.adset_id, {"name": f.adset, "campaign_id": f.campaign_id}),
                "ads": (f.ad_id, {"name": f.ad, "campaign_id": f.campaign_id, "group_id": f.adset_id, **ad}),
            }[request.path_params["kind"]]
            rows[id_] = {"id": id_, "state": "ACTIVE", **row}
        return self.paged(request, list(rows.values()))

    def paged(self, request: Request, rows: list[Any]) -> Response:
        if not 1 <= int(request.query_params.get("limit", 50)) <= 500:
            return error(400, "invalid", "limit: 1 to 500.")
        shown, following = self.page(rows, int(request.query_params.get("cursor", 0)))
        return JSONResponse({"data": shown, "next_cursor": f"{following}" if following else None})

    async def token(self, request: Request) -> Response:
        given = await form(request)
        expected = {**self.credentials, "grant_type": "refresh_token", "refresh_token": self.refresh_token}
        if expected.items() - given.items():
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": self.renew_token(), "token_type": "bearer", "expires_in": 3600})
