"""A fake of Snapchat's Marketing API: lists by link, stats from local midnight, parts with their own status."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.ads.snapchat import PLATFORM
from tests.support.vendors.base import Fact, Vendor, form

KNOWN = {"spend", "impressions", "swipes", "video_views", "conversion_purchases", "conversion_purchases_value"}


def error(status: int, code: str, message: str, **headers: str) -> Response:
    body = {
        "request_status": "ERROR",
        "request_id": "r1",
        "debug_message": message,
        "display_message": "Sorry",
        "error_code": code,
    }
    return JSONResponse(body, status, headers)


class Snapchat(Vendor):
    name = "snapchat"
    vanishing = "spend"
    clicks_field = "swipes"
    credentials = {"client_id": "app-1", "client_secret": "app-secret"}  # noqa: RUF012
    unlisted_ads: tuple[str, ...] = ()  # ads that no list contains
    rejected: frozenset[str] = frozenset()  # metrics of ads that are not available for the account
    names_rejected = True  # the error names the first of them
    most_metrics = len(KNOWN)  # in one request
    forbidden = False  # the user may not read figures of purchases: another error than E1008

    def routes(self) -> list[Route]:
        account = f"/v1/adaccounts/{self.account_id}"
        return [
            Route("/v1/me/organizations", self.organizations),
            Route("/v1/organizations/org-1/adaccounts", self.adaccounts),
            Route(account, self.adaccounts),
            *(Route(f"{account}/{kind}", self.listing) for kind in ("campaigns", "adsquads", "ads", "creatives")),
            Route(f"{account}/stats", self.stats),
            Route("/login/oauth2/access_token", self.token, methods=["POST"]),
        ]

    def throttled(self) -> Response:
        return error(429, "E1005", "Rate limit", **{"x-rate-limit-reset": f"{int(time.time() + self.rest(90))}"})

    def failed(self) -> Response:
        return error(500, "E2001", "Internal error")

    def failed_in_200(self) -> Response | None:
        part = {"sub_request_status": "ERROR", "sub_request_error_reason": "Timed out"}
        return JSONResponse({"request_status": "PARTIAL", "request_id": "r1", "timeseries_stats": [part]})

    def unauthorized(self) -> Response:
        return error(401, "E3002", "Unauthorized")

    revoked = unauthorized

    async def organizations(self, request: Request) -> Response:
        return self.listed(request, "organization", [{"id": "org-1", "name": "Shop"}])

    async def adaccounts(self, request: Request) -> Response:
        row = {
            "id": self.account_id,
            "name": self.account_name,
            "currency": self.currency,
            "timezone": self.timezone,
            "status": "ACTIVE",
            "organization_id": "org-1",
        }
        return self.listed(request, "adaccount", [row])

    async def listing(self, request: Request) -> Response:
        kind = request.url.path.rpartition("/")[2]
        first = list({(f.campaign_id, f.adset_id, f.ad_id): f for f in self.facts}.values())
        common = {"status": "ACTIVE"}
        rows: dict[str, dict[str, Any]] = {
            "campaigns": {
                f.campaign_id: {
                    "name": f.campaign,
                    "daily_budget_micro": 50_000_000,
                    "objective_v2_properties": {"objective_v2_type": "SALES"},
                }
                for f in first
            },
            "adsquads": {
                f.adset_id: {"name": f.adset, "campaign_id": f.campaign_id, "optimization_goal": "PIXEL_PURCHASE"}
                for f in first
            },
            "ads": {
                f.ad_id: {"name": f.ad, "ad_squad_id": f.adset_id, "creative_id": "c-1", "type": "REMOTE_WEBPAGE"}
                for f in first
                if f.ad_id not in self.unlisted_ads
            },
            "creatives": {
                "c-1": {
                    "name": "Spring",
                    "review_status": "APPROVED",
                    "type": "WEB_VIEW",
                    "web_view_properties": {"url": "https://shop.example/spring?utm_id=7001"},
                }
            },
        }
        if kind != "creatives" and request.query_params.get("read_deleted_entities") != "true":
            rows[kind] = {}  # all of them are deleted
        return self.listed(request, kind[:-1], [{"id": id_, **common, **row} for id_, row in rows[kind].items()])

    def listed(self, request: Request, one: str, rows: list[Any]) -> Response:
        if not 50 <= int(request.query_params.get("limit", 50)) <= 1000:
            return error(400, "E1001", "limit must be between 50 and 1000")
        shown, following = self.page(rows, int(request.query_params.get("cursor", 0)))
        parts = [{"sub_request_status": "SUCCESS", one: row} for row in shown]
        return self.linked(request, {f"{one}s": parts}, following)

    def linked(self, request: Request, body: dict[str, Any], following: int | None) -> Response:
        paging = {}
        if following:
            url = request.url.include_query_params(cursor=following)
            paging = {"next_link": f"{PLATFORM.base_url}{url.path}?{url.query}"}
        return JSONResponse({"request_status": "SUCCESS", "request_id": "r1", "paging": paging, **body})

    async def stats(self, request: Request) -> Response:
        query = dict(request.query_params)
        fields, zone = query["fields"].split(","), ZoneInfo(self.timezone)
        bounds = [datetime.fromisoformat(query[name]).astimezone(zone) for name in ("start_time", "end_time")]
        unsupported = "Unsupported Stats Query: "
        if query["granularity"] != "DAY" or set(fields) - KNOWN:
            return error(400, "E1008", f"{unsupported}unknown fields {sorted(set(fields) - KNOWN)}")
        if any((bound.hour, bound.minute, bound.second) != (0, 0, 0) for bound in bounds):
            return error(
                400,
                "E1008",
                f"{unsupported}Timeseries queries with DAY granularity must have a start time "
                "that is the start of day (00:00:00) for the account's timezone.",
            )
        if (bounds[1] - bounds[0]).days > 32:
            return error(
                400,
                "E1008",
                f"{unsupported}Timeseries queries with DAY granularity cannot query time "
                "intervals of more than 32 days",
            )
        if "breakdown" not in query and fields != ["spend"]:
            return error(400, "E1008", f"{unsupported}Only field 'spend' should be used when querying AdAccount stats.")
        if self.forbidden and any(name.startswith("conversion") for name in fields):
            return error(403, "E3003", "Permission denied")
        if len(fields) > self.most_metrics:
            return error(400, "E1008", f"{unsupported}too many fields")
        if rejected := [name for name in fields if name in self.rejected]:
            named = rejected[0] if self.names_rejected else "a field"
            return error(400, "E1008", f"{unsupported}{named} is not available for this ad account")
        if any(name.startswith("conversion") for name in fields) and "view_attribution_window" not in query:
            return error(400, "E1008", f"{unsupported}attribution windows are required")
        since, until = bounds[0].date(), bounds[1].date() - timedelta(days=1)
        stat = {
            "id": self.account_id,
            "type": "AD_ACCOUNT",
            "granularity": "DAY",
            "start_time": query["start_time"],
            "end_time": query["end_time"],
            "finalized_data_end_time": query["end_time"],
        }
        following = None
        if query.get("breakdown") == "ad":
            facts = self.between(since, until)
            ads = sorted({f.ad_id for f in facts})
            shown, following = self.page(ads, int(query.get("cursor", 0)))
            stat["breakdown_stats"] = {
                "ad": [
                    {
                        "id": ad,
                        "type": "AD",
                        "granularity": "DAY",
                        "timeseries": self.series([f for f in facts if f.ad_id == ad], since, until, query),
                    }
                    for ad in shown
                ]
            }
        else:
            stat["timeseries"] = self.series(self.totals(since, until), since, until, query)
        part = {"sub_request_status": "SUCCESS", "timeseries_stat": stat}
        return self.linked(request, {"timeseries_stats": [part]}, following)

    def series(self, facts: list[Fact], since: date, until: date, query: dict[str, str]) -> list[dict[str, Any]]:
        """Return one point for each day, including days without activity. `omit_empty` also omits figures of zero."""
        fields, omits_zeros = query["fields"].split(","), query.get("omit_empty") == "true"
        by_day, points = {fact.date: fact for fact in facts}, []
        for day in (since + timedelta(days=n) for n in range((until - since).days + 1)):
            fact = by_day.get(day, Fact(day, "", "", "", 0))
            whole = {
                "spend": fact.spend_micros,
                "impressions": fact.impressions,
                "swipes": fact.clicks,
                "video_views": fact.video_views,
                "conversion_purchases": int(fact.conversions),
                "conversion_purchases_value": fact.value_micros,
            }
            start, end = (
                datetime(d.year, d.month, d.day, tzinfo=ZoneInfo(self.timezone)).isoformat(timespec="milliseconds")
                for d in (day, day + timedelta(days=1))
            )
            stats = self.row({name: whole[name] for name in fields})
            if omits_zeros:
                stats = {name: figure for name, figure in stats.items() if figure}
            points.append({"start_time": start, "end_time": end, "stats": stats})
        return points

    async def token(self, request: Request) -> Response:
        given = await form(request)
        known = (given.get("client_id"), given.get("client_secret")) == tuple(self.credentials.values())
        if not known or given.get("refresh_token") != self.refresh_token:
            return JSONResponse({"error": "invalid_grant", "error_description": "The refresh token is invalid"}, 400)
        return JSONResponse(
            {
                "access_token": self.renew_token(),
                "token_type": "Bearer",
                "expires_in": 1800,
                "refresh_token": self.refresh_token,
                "scope": "snapchat-marketing-api",
            }
        )
