"""A fake of X's Ads API: signed requests, active entities, jobs of twenty ids and one placement, figures as series."""

from __future__ import annotations

import gzip
import json
import time
from datetime import date, datetime, timedelta, timezone, tzinfo
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from authlib.oauth1.rfc5849.signature import verify_hmac_sha1
from authlib.oauth1.rfc5849.wrapper import OAuth1Request
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.ads.x import PLATFORM
from tests.support.vendors.base import Fact, Vendor, summed

LEVELS = {"PROMOTED_TWEET": "ad_id", "LINE_ITEM": "adset_id", "FUNDING_INSTRUMENT": ""}
GROUPS = {"BILLING", "ENGAGEMENT", "VIDEO", "WEB_CONVERSION"}


def error(status: int, code: str, message: str, **headers: str) -> Response:
    return JSONResponse({"errors": [{"code": code, "message": message}], "request": {"params": {}}}, status, headers)


class X(Vendor):
    name = "x"
    vanishing = "billed_charge_local_micro"
    credentials = {  # noqa: RUF012
        "client_id": "app-1",
        "client_secret": "app-secret",
        "access_token_secret": "token-secret",
    }
    can_renew = False  # tokens do not expire
    network_share = 0  # percent of all figures that the publisher network served
    ending = "SUCCESS"  # the final status of jobs
    own_offsets = False  # days begin at their own midnight, not at one of today's offset
    points_off = 0  # the number of missing figures

    def routes(self) -> list[Route]:
        self.jobs: list[dict[str, Any]] = []
        account = f"/12/accounts/{self.account_id}"
        kinds = ("funding_instruments", "campaigns", "line_items", "promoted_tweets", "cards", "tweets")
        return [
            Route("/12/accounts", self.accounts),
            Route(account, self.account),
            *(Route(f"{account}/{kind}", self.listing) for kind in kinds),
            Route(f"/12/stats/accounts/{self.account_id}/active_entities", self.active),
            Route(f"/12/stats/jobs/accounts/{self.account_id}", self.start, methods=["POST"]),
            Route(f"/12/stats/jobs/accounts/{self.account_id}", self.states),
            Route("/download/{job:int}.json.gz", self.download),
        ]

    def is_authorized(self, request: Request) -> bool:
        """Return whether the signature is valid for the platform's own address, not for the proxy's."""
        url = f"{PLATFORM.base_url}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
        try:
            signed = OAuth1Request(request.method, url, headers={"Authorization": request.headers["authorization"]})
        except KeyError:
            return False
        secret, token_secret = self.credentials["client_secret"], self.credentials["access_token_secret"]
        signed.client = SimpleNamespace(get_client_secret=lambda: secret)
        signed.credential = SimpleNamespace(get_oauth_token_secret=lambda: token_secret)
        known = (signed.client_id, signed.token) == (self.credentials["client_id"], self.access_token)
        return known and verify_hmac_sha1(signed)

    def throttled(self) -> Response:
        reset = {"x-rate-limit-reset": "1", "x-account-rate-limit-reset": f"{int(time.time() + self.rest(300))}"}
        return error(429, "TOO_MANY_REQUESTS", "Too many requests", **reset)

    def failed(self) -> Response:
        return error(503, "SERVICE_UNAVAILABLE", "Service unavailable", **{"retry-after": "20"})

    def unauthorized(self) -> Response:
        return error(401, "UNAUTHORIZED_ACCESS", "This request is not properly authenticated")

    revoked = unauthorized

    def shown_account(self) -> dict[str, Any]:
        return {
            "id": self.account_id,
            "name": self.account_name,
            "timezone": self.timezone,
            "timezone_switch_at": None,
            "approval_status": "ACCEPTED",
            "deleted": False,
        }

    async def accounts(self, request: Request) -> Response:
        return self.listed(request, [self.shown_account()])

    async def account(self, request: Request) -> Response:
        return JSONResponse({"data": self.shown_account(), "request": {"params": {}}})

    async def listing(self, request: Request) -> Response:
        kind = request.url.path.rpartition("/")[2]
        first = list({(f.campaign_id, f.adset_id, f.ad_id): f for f in self.facts}.values())
        card = {
            "card_uri": "card://5",
            "components": [
                {"type": "MEDIA"},
                {
                    "type": "DETAILS",
                    "destination": {"type": "WEBSITE", "url": "https://shop.example/spring?utm_id=7001"},
                },
            ],
        }
        rows: dict[str, dict[str, Any]] = {
            "funding_instruments": {"f1": {"currency": self.currency}},
            "campaigns": {
                f.campaign_id: {
                    "name": f.campaign,
                    "currency": self.currency,
                    "funding_instrument_id": "f1",
                    "daily_budget_amount_local_micro": 50_000_000,
                }
                for f in first
            },
            "line_items": {
                f.adset_id: {
                    "name": f.adset,
                    "campaign_id": f.campaign_id,
                    "currency": self.currency,
                    "objective": "WEBSITE_CONVERSIONS",
                }
                for f in first
            },
            "promoted_tweets": {f.ad_id: {"line_item_id": f.adset_id, "tweet_id": f"t{f.ad_id}"} for f in first},
            "cards": {"5": card},
            "tweets": {
                f"t{f.ad_id}": {
                    "tweet_id": f"t{f.ad_id}",
                    "name": f.ad,
                    "card_uri": "card://5",
                    "entities": {"urls": []},
                }
                for f in first
            },
        }[kind]
        if kind == "tweets":
            wanted = request.query_params["tweet_ids"].split(",")
            if len(wanted) > 200 or request.query_params["tweet_type"] != "PUBLISHED":
                return error(400, "INVALID_PARAMETER", "tweet_ids: up to 200 IDs may be provided")
            rows = {id_: row for id_, row in rows.items() if id_ in wanted}
        if kind in ("campaigns", "line_items", "promoted_tweets") and "with_deleted" not in request.query_params:
            rows = {}
        return self.listed(request, [{"id": id_, "entity_status": "ACTIVE", **row} for id_, row in rows.items()])

    def listed(self, request: Request, rows: list[Any]) -> Response:
        most = 200 if request.url.path.endswith("/cards") else 1000
        if not 1 <= int(request.query_params.get("count", 200)) <= most:
            return error(400, "INVALID_PARAMETER", f"count must be between 1 and {most}")
        shown, following = self.page(rows, int(request.query_params.get("cursor", 0)))
        return JSONResponse({"data": shown, "next_cursor": f"{following}" if following else None})

    def requested_days(self, request: Request, most: int) -> tuple[date, date] | Response:
        """Return the days from start_time to end_time, or an error if they are not midnights or span too long.

        A midnight is one at the account's offset of today (docs.x.com, Timezones), unless `own_offsets` is set.
        """
        zone: tzinfo = ZoneInfo(self.timezone)
        if not self.own_offsets:
            zone = timezone(self.clock.now().astimezone(zone).utcoffset() or timedelta())
        bounds = [datetime.fromisoformat(request.query_params[n]) for n in ("start_time", "end_time")]
        local = [bound.astimezone(zone) for bound in bounds]
        if any(bound.minute or bound.second for bound in bounds) or any(bound.hour for bound in local):
            return error(
                400,
                "INVALID_TIME_WINDOW",
                "Expect time to be midnight in the account's local timezone for day granularity",
            )
        if (bounds[1] - bounds[0]).total_seconds() > most * 86_400 + 3600:
            return error(400, "INVALID_TIME_WINDOW", f"Time range must be less than {most} days")
        return local[0].date(), local[1].date() - timedelta(days=1)

    async def active(self, request: Request) -> Response:
        days, level = self.requested_days(request, 90), LEVELS[request.query_params["entity"]]
        if isinstance(days, Response):
            return days
        placements = ["ALL_ON_TWITTER", *(["PUBLISHER_NETWORK"] if self.network_share else [])]
        ids = sorted({getattr(f, level) if level else "f1" for f in self.between(*days)})
        return JSONResponse({"data": [{"entity_id": id_, "placements": placements} for id_ in ids]})

    async def start(self, request: Request) -> Response:
        days, query = self.requested_days(request, 90), dict(request.query_params)
        if isinstance(days, Response):
            return days
        ids, groups = query["entity_ids"].split(","), set(query["metric_groups"].split(","))
        if len(ids) > 20 or groups - GROUPS or (query["entity"] == "FUNDING_INSTRUMENT" and groups != {"BILLING"}):
            return error(400, "INVALID_PARAMETER", "entity_ids, metric_groups: too many, or not of this entity")
        share = self.network_share if query["placement"] == "PUBLISHER_NETWORK" else 100 - self.network_share
        level = LEVELS[query["entity"]]
        facts = self.between(*days) if level else self.totals(*days)
        data = [
            {
                "id": id_,
                "id_data": [
                    {
                        "segment": None,
                        "metrics": self.row(
                            self.metrics(
                                [f for f in facts if not level or getattr(f, level) == id_], days, groups, share
                            )
                        ),
                    }
                ],
            }
            for id_ in ids
        ]
        self.jobs.append({"data": data, "polls": 0})
        return JSONResponse({"data": self.shown_job(len(self.jobs))})

    def metrics(self, facts: list[Fact], days: tuple[date, date], groups: set[str], share: int) -> dict[str, Any]:
        """Return one figure for each day, or None if all are zero."""
        count = (days[1] - days[0]).days + 1 - self.points_off
        by_day = [summed(days[0], [f for f in facts if f.date == days[0] + timedelta(days=n)]) for n in range(count)]

        def series(name: str) -> list[int] | None:
            whole = [int(getattr(fact, name)) for fact in by_day]
            served = [n * self.network_share // 100 for n in whole]
            shown = served if share == self.network_share else [n - s for n, s in zip(whole, served, strict=True)]
            return shown if any(shown) else None

        shown: dict[str, Any] = {"billed_charge_local_micro": series("spend_micros"), "billed_engagements": None}
        if groups != {"BILLING"}:
            shown |= {
                "impressions": series("impressions"),
                "clicks": series("clicks"),
                "likes": None,
                "video_total_views": series("video_views"),
                "conversion_purchases": {
                    "metric": series("conversions"),
                    "post_view": None,
                    "order_quantity": [5_000_000] * count,  # micros: five
                    "sale_amount": series("value_micros"),
                },
            }
        return shown

    def shown_job(self, number: int) -> dict[str, Any]:
        job = self.jobs[number - 1]
        done = job["polls"] > self.polls
        url = f"{self.url}/download/{number}.json.gz" if done and self.ending == "SUCCESS" else None
        return {"id": number, "id_str": f"{number}", "status": self.ending if done else "PROCESSING", "url": url}

    async def states(self, request: Request) -> Response:
        numbers = [int(number) for number in request.query_params["job_ids"].split(",")]
        for number in numbers:
            self.jobs[number - 1]["polls"] += 1
        return JSONResponse({"data": [self.shown_job(number) for number in numbers], "next_cursor": None})

    async def download(self, request: Request) -> Response:
        data = self.jobs[request.path_params["job"] - 1]["data"]
        return Response(
            gzip.compress(json.dumps({"data_type": "stats", "data": data}).encode()),
            media_type="application/octet-stream",
        )
