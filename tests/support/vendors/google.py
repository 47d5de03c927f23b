"""A fake of the Google Ads API: GAQL, streams of batches, manager accounts, errors with details."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from connectors.ads.google import VERSION
from tests.support.vendors.base import Fact, Vendor, form, summed

QUERY = re.compile(r"SELECT (?P<fields>.+) FROM (?P<resource>\w+)(?: WHERE (?P<where>.+))?")
METRICS = {
    "metrics." + m
    for m in ("cost_micros", "impressions", "clicks", "video_trueview_views", "conversions", "conversions_value")
}
CUSTOMER = ("id", "descriptive_name", "currency_code", "time_zone", "manager", "status")
URLS = ("final_url_suffix", "tracking_url_template")
CAMPAIGN = {f"campaign.{f}" for f in ("id", "name", "status", "advertising_channel_type", *URLS)}
GROUP = {f"ad_group.{f}" for f in ("id", "name", "status", *URLS)}
ANY = {"segments.date", *(f"customer.{name}" for name in (*CUSTOMER, *URLS))}
KNOWN = {
    "customer": ANY | METRICS,
    "customer_client": {f"customer_client.{name}" for name in CUSTOMER},
    "campaign": ANY | METRICS | CAMPAIGN | {"campaign_budget.amount_micros", "campaign_budget.total_amount_micros"},
    "ad_group": ANY | METRICS | CAMPAIGN | GROUP,
    "ad_group_ad": ANY
    | METRICS
    | CAMPAIGN
    | GROUP
    | {"ad_group_ad.status", *(f"ad_group_ad.ad.{f}" for f in ("id", "name", "final_urls", *URLS))},
    "click_view": ANY | CAMPAIGN | GROUP | {"click_view.gclid", "click_view.ad_group_ad"},
}


def error(status: int, name: str, kind: str, code: str, message: str, **details: Any) -> Response:
    failure = {"errorCode": {kind: code}, "message": message, **({"details": details} if details else {})}
    of = f"type.googleapis.com/google.ads.googleads.{VERSION}.errors.GoogleAdsFailure"
    body = {
        "code": status,
        "message": "Request failed.",
        "status": name,
        "details": [{"@type": of, "errors": [failure], "requestId": "r-1"}],
    }
    return JSONResponse([{"error": body}], status)


def shown(values: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """Return the requested fields in REST's format: nested, in camel case, 64-bit integers as text."""
    tree: dict[str, Any] = {}
    for path in (f for f in fields if values.get(f) is not None):
        *nodes, leaf = (re.sub(r"_(\w)", lambda m: m[1].upper(), part) for part in path.split("."))
        branch = tree
        for node in nodes:
            branch = branch.setdefault(node, {})
        value = values[path]
        branch[leaf] = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return tree


@dataclass
class Google(Vendor):
    name = "google"
    vanishing = "costMicros"
    currency_in_report = True
    credentials = {"client_id": "client-1", "client_secret": "client-secret"}  # noqa: RUF012

    manager: str | None = "2002"  # the account is read through it
    without_ads: list[Fact] = field(default_factory=list)  # of Performance Max campaigns, which have no ads
    breaks_off: bool = False  # a stream ends in an error
    others: tuple[str, ...] = ()  # accounts of another ads system, which the login can reach, too
    refusal: str = ""  # the reason for which Google rejects the user, not the token
    public_key: Any = None  # of a service account

    def routes(self) -> list[Route]:
        return [
            Route(f"/{VERSION}/customers:listAccessibleCustomers", self.customers),
            Route(f"/{VERSION}/customers/{{customer}}/googleAds:searchStream", self.search, methods=["POST"]),
            Route("/token", self.token, methods=["POST"]),
            Route("/{anything:path}", lambda request: HTMLResponse("<html>Error 404 (Not Found)!!1", 404)),
        ]

    def throttled(self) -> Response:
        delay = self.rest(30)
        return error(
            429,
            "RESOURCE_EXHAUSTED",
            "quotaError",
            "RESOURCE_TEMPORARILY_EXHAUSTED",
            "Too many requests.",
            quotaErrorDetails={"rateScope": "DEVELOPER", "retryDelay": f"{delay:.0f}s"},
        )

    def failed(self) -> Response:
        return error(500, "INTERNAL", "internalError", "TRANSIENT_ERROR", "A transient internal error has occurred.")

    def unauthorized(self) -> Response:
        body = {"code": 401, "message": "Request had invalid authentication credentials.", "status": "UNAUTHENTICATED"}
        return JSONResponse({"error": body}, 401)

    def revoked(self) -> Response:
        return error(401, "UNAUTHENTICATED", "authenticationError", "OAUTH_TOKEN_REVOKED", "The token was revoked.")

    async def customers(self, request: Request) -> Response:
        ids = [*self.others, self.manager or self.account_id]
        return JSONResponse({"resourceNames": [f"customers/{id_}" for id_ in ids]})

    async def search(self, request: Request) -> Response:
        customer = request.path_params["customer"]
        if self.refusal:
            return error(401, "UNAUTHENTICATED", "authenticationError", self.refusal, "The user is not valid.")
        if customer in self.others:
            reason = "ACCESS_DENIED_FOR_ACCOUNT_TYPE"
            return error(403, "PERMISSION_DENIED", "authorizationError", reason, "The customer isn't in Google Ads.")
        if customer == self.account_id and request.headers.get("login-customer-id") != self.manager:
            return error(
                403,
                "PERMISSION_DENIED",
                "authorizationError",
                "USER_PERMISSION_DENIED",
                "User doesn't have permission to access customer.",
            )
        body = await request.json()
        query = QUERY.fullmatch(body["query"])
        fields = query["fields"].split(", ") if query else []
        unknown = set(fields) - KNOWN.get(query["resource"] if query else "", set())
        if set(body) != {"query"} or not query or unknown:
            return error(400, "INVALID_ARGUMENT", "queryError", "UNRECOGNIZED_FIELD", f"Unrecognized: {unknown}")
        if customer == self.manager and METRICS.intersection(fields):
            return error(400, "INVALID_ARGUMENT", "queryError", "REQUESTED_METRICS_FOR_MANAGER", "Not of a manager.")
        days = [date.fromisoformat(day) for day in re.findall(r"\d{4}-\d\d-\d\d", query["where"] or "")]
        oldest = self.clock.now().date() - timedelta(days=90)
        if query["resource"] == "click_view" and (len(days) != 1 or days[0] < oldest):
            return error(400, "INVALID_ARGUMENT", "queryError", "EXPECTED_FILTERS_ON_CLICK_VIEW", "One recent day.")
        rows = self.rows(query["resource"], customer, days, set(fields) & METRICS)
        return self.stream([self.result(row, fields) for row in rows])

    def result(self, values: dict[str, Any], fields: list[str]) -> dict[str, Any]:
        row = shown(values, fields)
        return {**row, "metrics": self.row(row["metrics"])} if "metrics" in row else row

    def stream(self, rows: list[Any]) -> Response:
        batches: list[dict[str, Any]] = []
        offset: int | None = 0 if rows else None
        while offset is not None:
            some, offset = self.page(rows, offset)
            batches.append({"results": some, "fieldMask": "a,b", "requestId": "r-1"})
        if self.breaks_off:
            batches[1:] = [{"error": {"code": 500, "message": "Internal error encountered.", "status": "INTERNAL"}}]
        return JSONResponse(batches or [{"fieldMask": "a,b", "requestId": "r-1"}])

    def rows(self, resource: str, customer: str, days: list[date], metrics: set[str]) -> list[dict[str, Any]]:
        """Return the rows of a resource as values by field."""
        account = self.customer(customer)
        if resource == "customer_client":
            both = (self.customer(id_) for id_ in (customer, self.account_id))
            return [{k.replace("customer.", "customer_client."): v for k, v in row.items()} for row in both]
        facts = [*self.facts, *self.without_ads]
        if metrics:
            facts = [f for f in facts if days[0] <= f.date <= days[1]]
        keys = {"customer": ("date",), "campaign": ("date", "campaign_id"), "ad_group": ("date", "adset_id")}
        parts = keys.get(resource, ("date", "ad_id"))[0 if metrics else 1 :]
        if resource in ("ad_group", "ad_group_ad"):
            facts = [f for f in facts if f.ad_id]
        if resource == "click_view":
            click = {"click_view.gclid": "click-1", "click_view.ad_group_ad": "customers/1001/adGroupAds/8001~9001"}
            without = {"click_view.gclid": "click-2", "campaign.id": 7003}
            return [*[account | self.named(f) | click for f in facts if f.date == days[0]][:1], account | without]
        groups: dict[tuple, list[Fact]] = {}
        for fact in sorted(facts, key=lambda f: (f.date, f.ad_id)):
            groups.setdefault(tuple(getattr(fact, part) for part in parts), []).append(fact)
        return [account | self.named(some[0]) | self.figures(some, resource) for some in groups.values()]

    def customer(self, id_: str) -> dict[str, Any]:
        values = (int(id_), self.account_name, self.currency, self.timezone, id_ == self.manager, "ENABLED")
        return {f"customer.{name}": value for name, value in zip(CUSTOMER, values, strict=True)}

    def named(self, fact: Fact) -> dict[str, Any]:
        return {
            "campaign.id": int(fact.campaign_id),
            "campaign.name": fact.campaign,
            "campaign.status": "ENABLED",
            "campaign.advertising_channel_type": "SEARCH" if fact.ad_id else "PERFORMANCE_MAX",
            "campaign.final_url_suffix": "utm_id={campaignid}",
            "ad_group.tracking_url_template": "{lpurl}?utm_source=google",
            "campaign_budget.amount_micros": 50_000_000,
            "ad_group.id": int(fact.adset_id or 0),
            "ad_group.name": fact.adset,
            "ad_group.status": "ENABLED",
            "ad_group_ad.ad.id": int(fact.ad_id or 0),
            "ad_group_ad.ad.name": fact.ad,
            "ad_group_ad.status": "ENABLED",
            "ad_group_ad.ad.final_urls": ["https://shop.example/spring"],
        }

    def figures(self, facts: list[Fact], resource: str) -> dict[str, Any]:
        total = summed(facts[0].date, facts)
        return {
            "segments.date": f"{total.date}",
            "metrics.cost_micros": total.spend_micros + (self.total_off_micros if resource == "customer" else 0),
            "metrics.impressions": total.impressions,
            "metrics.clicks": total.clicks,
            "metrics.video_trueview_views": total.video_views,
            "metrics.conversions": float(total.conversions),
            "metrics.conversions_value": total.value_micros / 1_000_000,
        }

    async def token(self, request: Request) -> Response:
        if self.public_key:
            return self.assertion_token(await form(request))
        good = {"grant_type": "refresh_token", "refresh_token": self.refresh_token, **self.credentials}
        if good.items() - (await form(request)).items():
            return JSONResponse({"error": "invalid_grant", "error_description": "Token has been revoked."}, 400)
        return JSONResponse({"access_token": self.renew_token(), "expires_in": 3599, "token_type": "Bearer"})

    def assertion_token(self, given: dict[str, str]) -> Response:
        """Return a token for the signed assertion of the service account (RFC 7523)."""
        refused = JSONResponse({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        if given.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return refused
        header, claims, signature = given["assertion"].split(".")
        decoded = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims)]
        try:
            signed = base64.urlsafe_b64decode(signature + "==")
            self.public_key.verify(signed, f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return refused
        now = int(datetime.now(UTC).timestamp())
        expected = {
            "iss": "puller@shop.iam.gserviceaccount.com",
            "scope": "https://www.googleapis.com/auth/adwords",
            "aud": "https://oauth2.googleapis.com/token",
        }
        is_valid = expected.items() <= decoded[1].items() and now - 60 < decoded[1]["iat"] <= now < decoded[1]["exp"]
        if not is_valid or decoded[1]["exp"] - decoded[1]["iat"] > 3600:
            return refused
        return JSONResponse({"access_token": self.renew_token(), "expires_in": 3599, "token_type": "Bearer"})
