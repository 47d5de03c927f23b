"""A fake of Pinterest's API v5: report jobs with files that omit zeros, lists by bookmark."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.vendors.base import Fact, Vendor, form

KNOWN = {
    "SPEND_IN_MICRO_DOLLAR", "SPEND_IN_DOLLAR", "TOTAL_IMPRESSION", "TOTAL_CLICKTHROUGH", "TOTAL_VIDEO_MRC_VIEWS",
    "TOTAL_CHECKOUT", "TOTAL_CHECKOUT_VALUE_IN_MICRO_DOLLAR", "CAMPAIGN_ID", "CAMPAIGN_NAME", "AD_GROUP_ID",
    "AD_GROUP_NAME", "AD_ID", "AD_NAME",
}  # fmt: skip


def error(status: int, code: int, message: str, **headers: str) -> Response:
    return JSONResponse({"code": code, "message": message}, status, headers)


class Pinterest(Vendor):
    name = "pinterest"
    vanishing = "SPEND_IN_MICRO_DOLLAR"
    clicks_field = "TOTAL_CLICKTHROUGH"
    credentials = {"client_id": "app-1", "client_secret": "app-secret"}  # noqa: RUF012
    ending = "FINISHED"  # of report jobs
    file: Any = None  # instead of a report's file

    def routes(self) -> list[Route]:
        self.jobs: list[dict[str, Any]] = []
        account = f"/v5/ad_accounts/{self.account_id}"
        return [
            Route("/v5/ad_accounts", self.accounts),
            Route(account, self.account),
            Route(f"{account}/reports", self.start, methods=["POST"]),
            Route(f"{account}/reports", self.state),
            *(Route(f"{account}/{kind}", self.listing) for kind in ("campaigns", "ad_groups", "ads")),
            Route("/download/{job:int}", self.download),
            Route("/v5/oauth/token", self.token, methods=["POST"]),
        ]

    def throttled(self) -> Response:
        message = "You have exceeded your rate limit. Try again later."
        return error(429, 8, message, **{"x-ratelimit-reset": f"{self.rest(45):.0f}"})

    def failed(self) -> Response:
        return error(400, 12, "Something went wrong on our end. Retry after a while.")

    def unauthorized(self) -> Response:
        return error(401, 2, "Authentication failed.")

    revoked = unauthorized

    def shown_account(self) -> dict[str, Any]:
        return {
            "id": self.account_id,
            "name": self.account_name,
            "currency": self.currency,
            "country": "DE",
            "owner": {"username": "shop"},
            "permissions": ["ANALYST"],
        }

    async def accounts(self, request: Request) -> Response:
        return self.listed(request, [self.shown_account()])

    async def account(self, request: Request) -> Response:
        return JSONResponse(self.shown_account())

    async def start(self, request: Request) -> Response:
        question = await request.json()
        since, until = (date.fromisoformat(question[name]) for name in ("start_date", "end_date"))
        if (until - since).days + 1 > 186 or question["granularity"] != "DAY":
            return error(400, 1, "Invalid ad account ads analytics parameters: the range is too long.")
        if set(question["columns"]) - KNOWN or request.query_params:
            return error(400, 1, f"Invalid columns {sorted(set(question['columns']) - KNOWN)}.")
        rows: dict[str, list[dict[str, Any]]] = {}
        of_ads = question["level"] == "PIN_PROMOTION"
        for fact in self.between(since, until) if of_ads else self.totals(since, until):
            row = self.reported(fact, question["columns"])
            rows.setdefault(fact.ad_id or self.account_id, []).append(row)
        self.jobs.append({"rows": rows, "polls": 0})
        return JSONResponse({"report_status": "IN_PROGRESS", "token": f"job-{len(self.jobs)}", "message": None})

    def reported(self, fact: Fact, columns: list[str]) -> dict[str, Any]:
        whole = {
            "SPEND_IN_MICRO_DOLLAR": fact.spend_micros,
            "SPEND_IN_DOLLAR": round(fact.spend_micros / 1_000_000, 2),
            "TOTAL_IMPRESSION": fact.impressions,
            "TOTAL_CLICKTHROUGH": fact.clicks,
            "TOTAL_VIDEO_MRC_VIEWS": fact.video_views,
            "TOTAL_CHECKOUT": float(fact.conversions),
            "TOTAL_CHECKOUT_VALUE_IN_MICRO_DOLLAR": fact.value_micros,
            "CAMPAIGN_ID": int(fact.campaign_id or 0),
            "CAMPAIGN_NAME": fact.campaign,
            "AD_GROUP_ID": int(fact.adset_id or 0),
            "AD_GROUP_NAME": fact.adset,
            "AD_ID": fact.ad_id,
            "AD_NAME": fact.ad,
        }
        return self.row({"DATE": f"{fact.date}", **{name: whole[name] for name in columns if whole[name]}})

    async def state(self, request: Request) -> Response:
        number = int(request.query_params["token"].removeprefix("job-"))
        job = self.jobs[number - 1]
        job["polls"] += 1
        if job["polls"] <= self.polls:
            return JSONResponse({"report_status": "IN_PROGRESS", "url": None, "size": None})
        url = f"{self.url}/download/{number}?signature=x" if self.ending == "FINISHED" else None
        return JSONResponse({"report_status": self.ending, "url": url, "size": 1})

    async def download(self, request: Request) -> Response:
        if "authorization" in request.headers:
            return Response("only one auth mechanism allowed", 400)  # the file store accepts nothing but the signature
        return JSONResponse(self.file or self.jobs[request.path_params["job"] - 1]["rows"])

    async def listing(self, request: Request) -> Response:
        kind = request.url.path.rpartition("/")[2]
        first = list({(f.campaign_id, f.adset_id, f.ad_id): f for f in self.facts}.values())
        url = "https://shop.example/spring?utm_id=7001"
        rows: dict[str, dict[str, Any]] = {
            "campaigns": {
                f.campaign_id: {"name": f.campaign, "objective_type": "WEB_CONVERSION", "lifetime_spend_cap": None}
                for f in first
            },
            "ad_groups": {
                f.adset_id: {
                    "name": f.adset,
                    "campaign_id": f.campaign_id,
                    "budget_type": "DAILY",
                    "budget_in_micro_currency": 50_000_000,
                }
                for f in first
            },
            "ads": {
                f.ad_id: {
                    "name": f.ad,
                    "campaign_id": f.campaign_id,
                    "ad_group_id": f.adset_id,
                    "pin_id": "p-1",
                    "destination_url": url,
                }
                for f in first
            },
        }[kind]
        wanted = request.query_params.getlist("entity_statuses") or ["ACTIVE", "PAUSED"]
        if unknown := set(wanted) - {"ACTIVE", "PAUSED", "ARCHIVED", "DRAFT", "DELETED_DRAFT"}:
            return error(400, 1, f"{sorted(unknown)} is not one of the entity statuses.")
        shown = [{"id": id_, "status": "ARCHIVED", **row} for id_, row in rows.items() if "ARCHIVED" in wanted]
        return self.listed(request, shown)

    def listed(self, request: Request, rows: list[Any]) -> Response:
        if not 1 <= int(request.query_params.get("page_size", 25)) <= 250:
            return error(400, 1, "page_size must be between 1 and 250.")
        shown, following = self.page(rows, int(request.query_params.get("bookmark", 0)))
        return JSONResponse({"items": shown, "bookmark": f"{following}" if following else None})

    async def token(self, request: Request) -> Response:
        pair = base64.b64encode(":".join(self.credentials.values()).encode()).decode()
        if request.headers.get("authorization") != f"Basic {pair}":
            return error(401, 2, "Authentication failed.")
        given = await form(request)
        if given.get("grant_type") == "authorization_code":
            if given.get("code") != "code-1" or given.get("continuous_refresh") != "true":
                return error(400, 283, "The authorization grant is invalid")
        elif given.get("refresh_token") != self.refresh_token:
            return error(401, 283, "The authorization grant is invalid")
        self.refresh_token = f"refresh-{int(self.refresh_token.rpartition('-')[2]) + 1}"  # the former one is invalid
        return JSONResponse(
            {
                "response_type": given["grant_type"],
                "access_token": self.renew_token(),
                "refresh_token": self.refresh_token,
                "token_type": "bearer",
                "expires_in": 2_592_000,
                "refresh_token_expires_in": 5_184_000,
                "scope": "ads:read",
            }
        )
