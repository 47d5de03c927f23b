"""A fake of TikTok's Business API: errors with HTTP 200, pages by number, thirty days a request."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.vendors.base import Fact, Vendor

API = "/open_api/v1.3"
METRICS = {"spend", "impressions", "clicks", "video_play_actions", "complete_payment", "total_complete_payment_rate"}
NAMES = {"campaign_id", "campaign_name", "adgroup_id", "adgroup_name", "ad_name"}
LEVELS = {"AUCTION_AD": ("ad_id", METRICS | NAMES), "AUCTION_ADVERTISER": ("advertiser_id", METRICS)}


def respond(code: int, message: str, data: Any = None) -> Response:
    return JSONResponse({"code": code, "message": message, "request_id": "r-1", "data": data or {}})


@dataclass
class TikTok(Vendor):
    name = "tiktok"
    vanishing = "spend"
    credentials = {"client_id": "app-1", "client_secret": "app-secret"}  # noqa: RUF012
    can_renew = False  # a token is valid until it is revoked

    deleted: frozenset[str] = frozenset()  # ads that only a filter includes
    reserved: dict[str, str] = field(default_factory=dict)  # ad -> buying type, which only a filter includes
    buying_filter: str = "buying_types"  # its name
    unavailable: tuple[str, ...] = ()  # metrics whose value is `-`
    truncated: bool = False  # more than 20,000 ads

    def routes(self) -> list[Route]:
        return [
            Route(f"{API}/oauth2/access_token/", self.token, methods=["POST"]),
            Route(f"{API}/oauth2/advertiser/get/", self.advertisers),
            Route(f"{API}/advertiser/info/", self.info),
            Route(f"{API}/report/integrated/get/", self.report),
            Route(f"{API}/{{node:str}}/get/", self.listing),
        ]

    def is_authorized(self, request: Request) -> bool:
        return request.headers.get("access-token") == self.access_token

    def throttled(self) -> Response:
        self.rest(1)
        return respond(40100, "App reaches the QPS limit.")

    def failed(self) -> Response:
        return respond(50000, "System error.")

    def failed_in_200(self) -> Response:
        return respond(50002, "Error encountered while processing the request, try again later.")

    def unauthorized(self) -> Response:
        return respond(40105, "Access token is incorrect or has been revoked.")

    def revoked(self) -> Response:
        return self.unauthorized()

    async def token(self, request: Request) -> Response:
        body = await request.json()
        if body != {"app_id": "app-1", "secret": "app-secret", "auth_code": "code-1"}:
            return respond(40110, "Auth_code is invalid.")
        return respond(0, "OK", {"access_token": self.access_token, "scope": [4], "advertiser_ids": [self.account_id]})

    async def advertisers(self, request: Request) -> Response:
        app = (request.query_params.get("app_id"), request.query_params.get("secret"))
        if app != tuple(self.credentials.values()):
            return respond(40002, "app_id: Invalid app_id or secret.")
        return respond(0, "OK", {"list": [{"advertiser_id": self.account_id, "advertiser_name": self.account_name}]})

    async def info(self, request: Request) -> Response:
        whole = {
            "advertiser_id": self.account_id,
            "name": self.account_name,
            "currency": self.currency,
            "timezone": "Etc/GMT+8",
            "display_timezone": self.timezone,
            "status": "STATUS_ENABLE",
        }
        fields = json.loads(request.query_params["fields"])
        if json.loads(request.query_params["advertiser_ids"]) != [self.account_id] or set(fields) - set(whole):
            return respond(40001, "No permission to operate advertiser.")
        return respond(0, "OK", {"list": [{name: whole[name] for name in fields}]})

    async def report(self, request: Request) -> Response:
        query = request.query_params
        dimensions, metrics = json.loads(query["dimensions"]), json.loads(query["metrics"])
        start, end = date.fromisoformat(query["start_date"]), date.fromisoformat(query["end_date"])
        key, known = LEVELS[query["data_level"]]
        if dimensions != [key, "stat_time_day"] or set(metrics) - known or query["report_type"] != "BASIC":
            return respond(40002, f"Invalid metric fields: {sorted(set(metrics) - known)}")
        if (end - start).days >= 30:
            return respond(40002, "max time span is 30 days when use stat_time_day")
        if key == "advertiser_id":
            facts = self.totals(start, end)
        else:
            filters = {f["field_name"]: f["filter_value"] for f in json.loads(query.get("filtering", "[]"))}
            hidden = set() if filters.get("ad_status") == '["STATUS_ALL"]' else self.deleted
            if set(filters) - {"ad_status", self.buying_filter}:
                return respond(40002, f"filtering: unexpected {sorted(filters)}")
            bought = json.loads(filters.get(self.buying_filter, '["AUCTION"]'))
            if "RESERVATION_TOP_VIEW" in bought and len(bought) > 1:
                return respond(40002, "RESERVATION_TOP_VIEW cannot be used with other buying types")
            facts = [
                f
                for f in self.between(start, end)
                if f.ad_id not in hidden and self.reserved.get(f.ad_id, "AUCTION") in bought
            ]
        response = self.paged(request, [self.result(fact, key, metrics) for fact in facts])
        if self.truncated and key == "ad_id":
            response.headers["X-Tt-Ads-Throttle"] = "Number of ad ids is equal or more than 20k"
        return response

    def result(self, fact: Fact, key: str, metrics: list[str]) -> dict[str, Any]:
        whole = {
            "spend": f"{fact.spend_micros / 1_000_000:.2f}",
            "impressions": f"{fact.impressions}",
            "clicks": f"{fact.clicks}",
            "video_play_actions": f"{fact.video_views}",
            "complete_payment": f"{fact.conversions}",
            "total_complete_payment_rate": f"{fact.value_micros / 1_000_000:.2f}",
            "campaign_id": fact.campaign_id,
            "campaign_name": fact.campaign,
            "adgroup_id": fact.adset_id,
            "adgroup_name": fact.adset,
            "ad_name": fact.ad,
        }
        whole |= dict.fromkeys(self.unavailable, "-")
        dimensions = {key: fact.ad_id or self.account_id, "stat_time_day": f"{fact.date} 00:00:00"}
        return {"dimensions": dimensions, "metrics": self.row({name: whole[name] for name in metrics})}

    async def listing(self, request: Request) -> Response:
        node = request.path_params["node"]
        if json.loads(request.query_params["filtering"]) != {"primary_status": "STATUS_ALL"}:
            return respond(40002, "filtering: unexpected")
        first = {(f.campaign_id, f.adset_id, f.ad_id): f for f in self.facts}.values()
        status = {"operation_status": "ENABLE", "secondary_status": "STATUS_DELIVERY_OK"}
        rows = {
            "campaign": {
                f.campaign_id: {
                    "campaign_name": f.campaign,
                    "objective_type": "WEB_CONVERSIONS",
                    "budget": 50.0,
                    "budget_mode": "BUDGET_MODE_DAY",
                }
                for f in first
            },
            "adgroup": {
                f.adset_id: {
                    "adgroup_name": f.adset,
                    "campaign_id": f.campaign_id,
                    "budget": 0.0,
                    "budget_mode": "BUDGET_MODE_INFINITE",
                }
                for f in first
            },
            "ad": {
                f.ad_id: {
                    "ad_name": f.ad,
                    "campaign_id": f.campaign_id,
                    "adgroup_id": f.adset_id,
                    "landing_page_url": "https://shop.example/spring?utm_id=__CAMPAIGN_ID__",
                }
                for f in first
            },
        }[node]
        return self.paged(request, [{f"{node}_id": id_, **row, **status} for id_, row in rows.items()])

    def paged(self, request: Request, rows: list[Any]) -> Response:
        page, size = int(request.query_params["page"]), int(request.query_params["page_size"])
        if not 1 <= size <= 1000:
            return respond(40002, "page_size: must be between 1 and 1000")
        shown, _ = self.page(rows, (page - 1) * self.page_size)
        pages = -(-len(rows) // self.page_size)
        info = {"page": page, "page_size": self.page_size, "total_number": len(rows), "total_page": pages}
        return respond(0, "OK", {"list": shown, "page_info": info})
