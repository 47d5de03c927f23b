"""A fake of Reddit's Ads API: reports by three breakdowns, pages by URL, rate limits in a header.

A report covers `starts_at` to 24 hours after `ends_at`, both in UTC, as a check of the real API found. Its days are
those of the requested time zone, so that its first and last day can be parts of a day.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.vendors.base import Fact, Vendor, form

API = "/api/v3"
USER_AGENT = re.compile(r"\w+:[\w.-]+:v?[\w.]+ \(by /u/[\w-]+\)")  # Reddit's form
FIELDS = {
    "SPEND",
    "IMPRESSIONS",
    "CLICKS",
    "VIDEO_STARTED",
    "CONVERSION_PURCHASE_CLICKS",
    "CONVERSION_PURCHASE_VIEWS",
    "CONVERSION_PURCHASE_TOTAL_VALUE",
    "DATE",
    "CAMPAIGN_ID",
    "AD_ID",
    "AD_GROUP_ID",
}


def error(status: int, message: str, headers: dict[str, str] | None = None, **fields: str) -> Response:
    shown = [{"field": name, "message": text} for name, text in fields.items()]
    return JSONResponse({"error": {"code": status, "message": message, "fields": shown}}, status, headers)


@dataclass
class Reddit(Vendor):
    name = "reddit"
    vanishing = "spend"
    credentials = {"client_id": "client-1", "client_secret": "client-secret"}  # noqa: RUF012

    unlisted: frozenset[str] = frozenset()  # ads that are no longer listed
    address: dict[str, Any] = field(default_factory=lambda: {"click_url": "https://shop.example/spring"})  # of ads
    unknown: frozenset[str] = frozenset()  # ads that cannot be requested by id either
    is_as_documented: bool = False  # the hours of a report are in the requested zone, and it ends at `ends_at`
    zeros_are_null: bool = False

    def routes(self) -> list[Route]:
        account = f"{API}/ad_accounts/{self.account_id}"
        return [
            Route(f"{API}/me/businesses", lambda request: self.paged(request, [{"id": "b-1"}, {"id": "b-2"}])),
            Route(f"{API}/businesses/{{business}}/ad_accounts", lambda r: self.paged(r, [self.account()])),
            Route(account, lambda request: JSONResponse({"data": self.account()})),
            Route(f"{account}/reports", self.report, methods=["POST"]),
            Route(f"{account}/{{kind}}", self.listing),
            Route(f"{API}/ads/{{ad}}", self.ad),
            Route("/api/v1/access_token", self.token, methods=["POST"]),
        ]

    def fault_response(self, request: Request) -> Response | None:
        if not USER_AGENT.fullmatch(request.headers["user-agent"]):  # Reddit throttles clients without a name
            return error(429, "Too Many Requests")
        return super().fault_response(request)

    def throttled(self) -> Response:
        seconds = self.rest(42)
        return error(
            429,
            "Too Many Requests",
            {"RateLimit": f'"ads-reporting-burst";r=3;t=900,"ads-reporting";r=0;t={seconds:.0f}'},
        )

    def failed(self) -> Response:
        return Response("upstream connect error", 503, media_type="text/plain")

    def unauthorized(self) -> Response:
        return error(401, "Bad bearer token provided.")

    def revoked(self) -> Response:
        return self.unauthorized()

    def account(self) -> dict[str, Any]:
        return {
            "id": self.account_id,
            "name": self.account_name,
            "currency": self.currency,
            "time_zone_id": self.timezone,
            "admin_approval": "VALID",
        }

    async def report(self, request: Request) -> Response:
        if not await request.body():
            return error(400, "Bad Request", body="request body is required")
        report = (await request.json())["data"]
        breakdowns, unknown = report["breakdowns"], set(report["fields"]) - FIELDS
        if unknown or len(breakdowns) > 3:
            return error(400, "Bad Request", fields=f"'{unknown}' is not one of the fields; 3 breakdowns at most")
        if datetime.fromisoformat(report["starts_at"]) < self.oldest():
            return error(400, "Bad Request", starts_at="must be within the last 24 months")
        for name in ("starts_at", "ends_at"):
            if not report[name].endswith(":00:00Z"):
                return error(400, "Bad Request", **{name: "must be a valid datetime with an hourly granularity"})
        if report["time_zone_id"] != self.timezone:
            return self.paged(request, [])  # other days than those of the tests
        by_ad = "AD_ID" in breakdowns
        facts = (self.between if by_ad else self.totals)(date.min, date.max)
        facts = [part for fact in facts if (part := self.part_of(fact, report["starts_at"], report["ends_at"]))]
        shown = {name.lower() for name in (*report["fields"], *breakdowns)}
        rows = [{name: value for name, value in self.result(fact).items() if name in shown} for fact in facts]
        return self.paged(request, [self.row(row) for row in rows], "metrics")

    def oldest(self) -> datetime:
        """Return the moment 24 months ago. Reddit states the months, and not how it counts them."""
        now = self.clock.now()
        return now.replace(year=now.year - 2)

    def part_of(self, fact: Fact, starts_at: str, ends_at: str) -> Fact | None:
        """Return the share of a day's figures that the hours of a report cover, or None if they cover nothing."""
        zone = ZoneInfo(self.timezone)
        first, last = datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at) + timedelta(hours=24)
        if self.is_as_documented:
            first, last = (datetime.fromisoformat(hour).replace(tzinfo=zone) for hour in (starts_at, ends_at))
        first, last = first.astimezone(UTC), last.astimezone(UTC)
        midnight = datetime(fact.date.year, fact.date.month, fact.date.day, tzinfo=zone)
        begin, end = (day.astimezone(UTC) for day in (midnight, midnight + timedelta(days=1)))
        covered = min(last, end) - max(first, begin)
        if covered <= timedelta(0):
            return None
        share = covered / (end - begin)
        return replace(fact, spend_micros=int(fact.spend_micros * share), impressions=int(fact.impressions * share))

    def result(self, fact: Fact) -> dict[str, Any]:
        row = {
            "date": f"{fact.date}",
            "campaign_id": fact.campaign_id,
            "ad_id": fact.ad_id,
            "spend": fact.spend_micros,
            "impressions": fact.impressions,
            "clicks": fact.clicks,
            "video_started": fact.video_views or None,
            "conversion_purchase_clicks": int(fact.conversions) - 1 if fact.conversions else None,
            "conversion_purchase_views": 1 if fact.conversions else None,
            "conversion_purchase_total_value": fact.value_micros // 10_000,
        }
        return {name: value or None for name, value in row.items()} if self.zeros_are_null else row

    async def listing(self, request: Request) -> Response:
        rows = self.nodes()[request.path_params["kind"]]
        return self.paged(request, [row for row in rows if row["id"] not in self.unlisted | self.unknown])

    async def ad(self, request: Request) -> Response:
        found = [row for row in self.nodes()["ads"] if row["id"] == request.path_params["ad"]]
        if not found or found[0]["id"] in self.unknown:
            return error(404, "Ad not found")
        return JSONResponse({"data": found[0]})

    def nodes(self) -> dict[str, list[dict[str, Any]]]:
        first = {(f.campaign_id, f.adset_id, f.ad_id): f for f in self.facts}.values()
        budget = {"goal_type": "DAILY_SPEND", "goal_value": 50_000_000}
        added = [{"name": "utm_id", "value": "{{CAMPAIGN_ID}}"}]
        rows = {
            "campaigns": {f.campaign_id: {"name": f.campaign, "objective": "CONVERSIONS"} for f in first},
            "ad_groups": {f.adset_id: {"name": f.adset, "campaign_id": f.campaign_id, **budget} for f in first},
            "ads": {
                f.ad_id: {
                    "name": f.ad,
                    "campaign_id": f.campaign_id,
                    "ad_group_id": f.adset_id,
                    **self.address,
                    "click_url_query_parameters": added,
                }
                for f in first
            },
        }
        return {
            kind: [{"id": id_, "effective_status": "ACTIVE", **row} for id_, row in some.items()]
            for kind, some in rows.items()
        }

    def paged(self, request: Request, rows: list[Any], within: str | None = None) -> Response:
        if int(request.query_params.get("page.size", 100)) > 1000:
            return error(400, "Bad Request", **{"page.size": "must be less than or equal to 1000"})
        shown, following = self.page(rows, int(request.query_params.get("page.token", 0)))
        address = f"https://ads-api.reddit.com{request.url.path}?page.token={following}" if following else None
        data = {within: shown, "metrics_updated_at": "2026-11-20T02:16:44Z"} if within else shown
        return JSONResponse({"data": data, "pagination": {"next_url": address, "previous_url": None}})

    async def token(self, request: Request) -> Response:
        basic = "Basic " + b64encode(":".join(self.credentials.values()).encode()).decode()
        good = {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
        if request.headers.get("authorization") != basic or good.items() - (await form(request)).items():
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse(
            {"access_token": self.renew_token(), "token_type": "bearer", "expires_in": 86400, "scope": "adsread"}
        )
