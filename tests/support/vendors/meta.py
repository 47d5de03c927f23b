"""A fake of Meta's Graph API: report jobs, cursors, error codes, usage headers."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.ads.meta import VERSION
from tests.support.vendors.base import Fact, Vendor, form

KNOWN = {
    "date_start", "account_currency", "spend", "impressions", "clicks", "actions", "action_values",
    "campaign_id", "campaign_name", "adset_id", "adset_name", "ad_id", "ad_name",
}  # fmt: skip


# Statuses that an edge accepts as a filter. It rejects others, and DELETED on each (subcode 1815001).
STATUSES = {
    "campaigns": {"ACTIVE", "PAUSED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES"},
    "adsets": {"ACTIVE", "PAUSED", "ARCHIVED", "CAMPAIGN_PAUSED", "IN_PROCESS", "WITH_ISSUES"},
    "ads": {
        *("ACTIVE", "PAUSED", "ARCHIVED", "CAMPAIGN_PAUSED", "ADSET_PAUSED", "IN_PROCESS", "WITH_ISSUES"),
        *("DISAPPROVED", "PENDING_BILLING_INFO", "PENDING_REVIEW", "PREAPPROVED"),
    },
}


def error(code: int, message: str, status: int = 400, **more: Any) -> Response:
    headers = more.pop("headers", {})
    body = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1", **more}
    return JSONResponse({"error": body}, status, headers)


class Meta(Vendor):
    name = "meta"
    vanishing = "spend"
    currency_in_report = True
    credentials = {"client_id": "app-1", "client_secret": "app-secret"}  # noqa: RUF012
    can_renew = False  # an expired token cannot be exchanged
    most_rows: int | None = None  # larger pages are rejected
    page_error: tuple[int, str] = (1, "Please reduce the amount of data you're asking for, then retry your request")
    most_days: int = 366  # longer reports are rejected
    deleted: frozenset[str] = frozenset()  # ads that only a filter includes
    archived: frozenset[str] = frozenset()  # objects that lists include only on request
    rejects_deleted = False
    failures: tuple[str | dict[str, Any], ...] = ()  # the messages of the next jobs, which fail, or all that they state
    failure_subcode: int | None = None
    late: int = 0  # requests for a new job that find none

    def routes(self) -> list[Route]:
        self.jobs: list[dict[str, Any]] = []
        account = f"/{VERSION}/act_{self.account_id}"
        return [
            Route(f"/{VERSION}/me/adaccounts", self.accounts),
            Route(account, lambda request: JSONResponse(self.shown_account())),
            Route(f"{account}/insights", self.start, methods=["POST"]),
            *(Route(f"{account}/{edge}", self.listing) for edge in ("campaigns", "adsets", "ads")),
            Route(f"/{VERSION}/oauth/access_token", self.token, methods=["POST"]),
            Route(f"/{VERSION}/{{job}}", self.state),
            Route(f"/{VERSION}/{{job}}/insights", self.result),
        ]

    def throttled(self) -> Response:
        minutes = self.rest(180) / 60
        usage = {
            self.account_id: [
                {
                    "type": "ads_insights",
                    "call_count": 100,
                    "total_cputime": 25,
                    "total_time": 25,
                    "estimated_time_to_regain_access": minutes,
                }
            ]
        }
        return error(
            80000,
            "There have been too many calls from this ad-account.",
            error_subcode=2446079,
            headers={"x-business-use-case-usage": json.dumps(usage)},
        )

    def failed(self) -> Response:
        return error(2, "An unexpected error has occurred. Please retry your request later.", 500, is_transient=True)

    def unauthorized(self) -> Response:
        return error(190, "Error validating access token: Session has expired.", 401, error_subcode=463)

    def revoked(self) -> Response:
        return error(
            190, "Error validating access token: The user has not authorized application app-1.", 401, error_subcode=458
        )

    def shown_account(self) -> dict[str, Any]:
        return {
            "account_id": self.account_id,
            "id": f"act_{self.account_id}",
            "name": self.account_name,
            "currency": self.currency,
            "timezone_name": self.timezone,
            "account_status": 1,
        }

    async def accounts(self, request: Request) -> Response:
        return self.paged(request, [self.shown_account()])

    async def start(self, request: Request) -> Response:
        question = await form(request)
        unknown = set(question["fields"].split(",")) - KNOWN
        if unknown or question["level"] not in ("ad", "account") or question.get("time_increment") != "1":
            return error(100, f"(#100) {sorted(unknown)} are not valid for fields param.")
        range_ = json.loads(question["time_range"])
        since, until = date.fromisoformat(range_["since"]), date.fromisoformat(range_["until"])
        today = self.clock.now().astimezone(ZoneInfo(self.timezone)).date()
        if (since.year, since.month, since.day) < (today.year - 3, today.month - 1, today.day):
            return error(3018, "The start date of the time range cannot be beyond 37 months from the current date")
        if (until - since).days >= self.most_days:
            return error(100, "Please reduce date range", error_subcode=1504018)
        filters = json.loads(question.get("filtering", "[]"))
        if filters and self.rejects_deleted:
            return error(100, "(#100) Filtering field ad.effective_status is invalid.")
        if question["level"] == "ad":
            wants_deleted = bool(filters) and "DELETED" in filters[0]["value"]
            facts = [f for f in self.between(since, until) if (f.ad_id in self.deleted) == wants_deleted]
        else:
            facts = self.totals(since, until)
        rows = [self.insight(fact, question["fields"].split(",")) for fact in facts]
        failure, self.failures = (self.failures[0] if self.failures else None), self.failures[1:]
        self.jobs.append({"rows": rows, "polls": 0, "failure": failure})
        return JSONResponse({"report_run_id": f"6{len(self.jobs):09d}"})

    def insight(self, fact: Fact, fields: list[str]) -> dict[str, Any]:
        whole = {
            "account_currency": self.currency,
            **{f"{level}_id": getattr(fact, f"{level}_id") for level in ("campaign", "adset", "ad")},
            **{f"{level}_name": getattr(fact, level) for level in ("campaign", "adset", "ad")},
            "date_start": f"{fact.date}",
            "spend": f"{fact.spend_micros / 1_000_000:.2f}",
            "impressions": f"{fact.impressions}",
            "clicks": f"{fact.clicks}",
            "actions": [
                {"action_type": "video_view", "value": f"{fact.video_views}"},
                {"action_type": "purchase", "value": "999"},
                {"action_type": "omni_purchase", "value": f"{fact.conversions}"},
            ],
            "action_values": [{"action_type": "omni_purchase", "value": f"{fact.value_micros / 1_000_000:.2f}"}],
        }
        # Meta omits figures of zero.
        return self.row({name: whole[name] for name in fields if whole[name]} | {"date_stop": f"{fact.date}"})

    async def state(self, request: Request) -> Response:
        job = self.jobs[int(request.path_params["job"][1:]) - 1]
        self.late -= 1
        if self.late >= 0:
            return error(100, "Unsupported get request. Object does not exist", error_subcode=33)
        job["polls"] += 1
        percent, status = min(100, 50 * job["polls"]), "Job Running"  # 100 % with Job Running occurs
        reason = {}
        if job["polls"] > self.polls:
            status = "Job Failed" if job["failure"] is not None else "Job Completed"
            reason = job["failure"] or {}
            if isinstance(reason, str):
                reason = {"error_message": reason, "error_subcode": self.failure_subcode}
        shown = {"id": request.path_params["job"], "async_status": status, "async_percent_completion": percent}
        return JSONResponse(shown | reason)

    async def result(self, request: Request) -> Response:
        job = self.jobs[int(request.path_params["job"][1:]) - 1]
        if job["polls"] <= self.polls:
            return error(2601, "Loading Async Report Run results failed: not ready.", error_subcode=1995001)
        return self.paged(request, job["rows"])

    async def listing(self, request: Request) -> Response:
        edge = request.url.path.rpartition("/")[2]
        first = {(f.campaign_id, f.adset_id, f.ad_id): f for f in self.facts}.values()
        creative = {
            "id": "5001",
            "name": "Spring",
            "url_tags": "utm_source=facebook&utm_id={{campaign.id}}",
            "object_story_spec": {"link_data": {"link": "https://shop.example/spring"}},
        }
        rows = {
            "campaigns": {
                f.campaign_id: {"name": f.campaign, "objective": "OUTCOME_SALES", "daily_budget": "5000"} for f in first
            },
            "adsets": {f.adset_id: {"name": f.adset, "campaign_id": f.campaign_id, "daily_budget": "0"} for f in first},
            "ads": {
                f.ad_id: {"name": f.ad, "campaign_id": f.campaign_id, "adset_id": f.adset_id, "creative": creative}
                for f in first
            },
        }[edge]
        wanted = set(json.loads(request.query_params.get("effective_status", "[]")))
        if "DELETED" in wanted:
            return error(100, "Invalid parameter", error_subcode=1815001, error_user_title="Cannot Request for Deleted")
        if wanted - STATUSES[edge]:
            return error(100, f"Invalid parameter: {sorted(wanted - STATUSES[edge])}")
        shown = [
            {"id": id_, "effective_status": "ARCHIVED" if id_ in self.archived else "ACTIVE", **row}
            for id_, row in rows.items()
            if id_ not in self.deleted
        ]
        chosen = wanted or STATUSES[edge] - {"ARCHIVED"}
        return self.paged(request, [row for row in shown if row["effective_status"] in chosen])

    def paged(self, request: Request, rows: list[Any]) -> Response:
        limit = int(request.query_params["limit"])
        if self.most_rows and limit > self.most_rows:
            return error(*self.page_error, 500)
        shown, following = self.page(rows, int(request.query_params.get("after", 0)))
        paging: dict[str, Any] = {"cursors": {"before": "x", "after": f"{following or len(rows)}"}}
        if following:
            paging["next"] = f"{self.url}{request.url.path}?after={following}"
        return JSONResponse({"data": shown, "paging": paging})

    async def token(self, request: Request) -> Response:
        given = await form(request)
        if given.get("client_secret") != self.credentials["client_secret"]:
            return error(1, "Error validating client secret.")
        if given.get("fb_exchange_token") not in (self.access_token, "short-0") and given.get("code") != "code-1":
            return error(190, "Error validating access token.", 401)
        token = "short-0" if given.get("code") else self.renew_token()
        return JSONResponse({"access_token": token, "token_type": "bearer", "expires_in": 5_184_000})
