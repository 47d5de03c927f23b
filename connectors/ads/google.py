"""Google Ads: GAQL over REST, as a stream; days are the ad account's, money is micros.

Performance max has campaigns without ads: the campaigns' totals, and the account's, are stated beside the ads.
Source: developers.google.com/google-ads/api/docs/reporting/streaming, .../rest/auth, .../reference/rpc/v26.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

import httpx
import msgspec

from connectors.days import spans, today
from connectors.errors import Throttled, TokenRevoked, Transient, VendorError
from connectors.http import Api
from connectors.money import from_micros, from_units
from connectors.platform import Account, Click, Entity, OAuth, Platform, SpendRow, required

VERSION = "v26"
METRICS = ("cost_micros", "impressions", "clicks", "video_trueview_views", "conversions", "conversions_value")
CAMPAIGN = ("campaign.id", "campaign.name")
AD = (*CAMPAIGN, "ad_group.id", "ad_group.name", "ad_group_ad.ad.id", "ad_group_ad.ad.name")
REPORTS: tuple[tuple[Literal["campaign", "account"] | None, str, tuple[str, ...]], ...] = (
    (None, "ad_group_ad", AD),
    ("campaign", "campaign", CAMPAIGN),
    ("account", "customer", ()),
)
CUSTOMER = ("id", "descriptive_name", "currency_code", "time_zone", "manager", "status")
CLICK_DAYS = 90  # so far back it tells of single clicks
TRANSIENT = {"TRANSIENT_ERROR", "INTERNAL_ERROR", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE"}
REVOKED = {"OAUTH_TOKEN_REVOKED", "OAUTH_TOKEN_DISABLED", "GOOGLE_ACCOUNT_DELETED"}
NOT_ENABLED = "CUSTOMER_NOT_ENABLED"
REMEDIES = {
    "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION": "Ask for Explorer or Basic access for the Google Cloud project that "
    "owns the OAuth client: https://console.cloud.google.com/google/ads-apis/overview",
    "USER_PERMISSION_DENIED": "If the account is read through a manager account, name that as `manager` in "
    "tributary.yaml (tributary connect google does)",
    NOT_ENABLED: "The account is closed or not yet open: take it out of tributary.yaml",
    "UNSUPPORTED_VERSION": "Look for a newer version of Tributary",
}


def headers(credentials: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {credentials.get('access_token', '')}"}


class NotEnabled(VendorError):
    """A closed account: it cannot be read."""


def check(response: httpx.Response) -> None:
    """An error names its reason in `details`; a stream wraps it in an array."""
    try:
        body = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        if response.status_code == 404:  # a retired version is a page of HTML
            raise VendorError(f"Google Ads: the API {VERSION} is gone. Look for a newer version of Tributary") from None
        return
    first = body[0] if isinstance(body, list) and body else body
    error = first.get("error") if isinstance(first, dict) else None
    if not isinstance(error, dict):
        return
    failures = [failure for detail in error.get("details", []) for failure in detail.get("errors", [])]
    reasons = [(kind, code) for failure in failures for kind, code in failure.get("errorCode", {}).items()]
    codes = [code for _, code in reasons] or [error.get("status", "UNKNOWN")]
    said = failures[0].get("message") if failures else error.get("message")
    text = f"{said} ({', '.join(codes)})"
    if "RESOURCE_EXHAUSTED" in codes or any(k == "quotaError" and c != "ACCESS_PROHIBITED" for k, c in reasons):
        raise Throttled(f"too many requests ({', '.join(codes)})", _retry_delay(failures))
    if TRANSIENT.intersection(codes):
        raise Transient(text)
    if REVOKED.intersection(codes):
        raise TokenRevoked(f"the access was taken back: {text}")
    if response.status_code == 401:
        return
    kind = NotEnabled if NOT_ENABLED in codes else VendorError
    remedy = next((f". {REMEDIES[code]}" for code in codes if code in REMEDIES), "")
    raise kind(f"Google Ads refused {response.request.url.path}: {text}{remedy}")


def _retry_delay(failures: list[dict[str, Any]]) -> float | None:
    details = [failure.get("details", {}).get("quotaErrorDetails", {}) for failure in failures]
    return max((float(d["retryDelay"].rstrip("s")) for d in details if "retryDelay" in d), default=None)


def accounts(api: Api) -> Iterator[Account]:
    """What can be read directly, and what lies beneath the managers among it."""
    seen: set[str] = set()
    for name in api.get(f"/{VERSION}/customers:listAccessibleCustomers").get("resourceNames", []):
        root = Account(name.removeprefix("customers/"))
        try:
            (customer,) = (row["customer"] for row in _rows(api, root, "customer", [f"customer.{f}" for f in CUSTOMER]))
        except NotEnabled:
            continue
        found, manager = [customer], None
        if customer.get("manager"):
            fields, manager = [f"customer_client.{field}" for field in CUSTOMER], root.account_id
            through = Account(root.account_id, manager=manager)
            where = "customer_client.status = 'ENABLED'"
            found = [row["customerClient"] for row in _rows(api, through, "customer_client", fields, where)]
        for client in found:
            if not client.get("manager") and client["id"] not in seen:
                seen.add(client["id"])
                yield Account(
                    client["id"], client.get("descriptiveName"), client["currencyCode"], client["timeZone"],
                    manager=manager, status=client.get("status"),
                )  # fmt: skip


def spend(api: Api, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    for level, resource, named in REPORTS:
        fields = ("segments.date", "customer.currency_code", *named, *(f"metrics.{metric}" for metric in METRICS))
        for row in _rows(api, account, resource, fields, f"segments.date BETWEEN '{start}' AND '{end}'"):
            yield _spend_row(row, account, level)


def _spend_row(row: dict[str, Any], account: Account, level: Literal["campaign", "account"] | None) -> SpendRow:
    def told(name: str) -> Any:
        return required(row, name, f"Google's {level or 'ad'} report")

    names: dict[str, Any] = {}
    if level != "account":
        names |= {"campaign_id": told("campaign.id"), "campaign": row["campaign"].get("name")}
    if level is None:
        names |= {"adset_id": told("adGroup.id"), "adset": row["adGroup"].get("name")}
        names |= {"ad_id": told("adGroupAd.ad.id"), "ad": row["adGroupAd"]["ad"].get("name")}
    metrics = told("metrics")
    return SpendRow(
        date=date.fromisoformat(told("segments.date")),
        account_id=account.account_id,
        currency=told("customer.currencyCode"),
        spend_micros=from_micros(told("metrics.costMicros")),
        level=level,
        impressions=int(told("metrics.impressions")),
        clicks=int(told("metrics.clicks")),
        video_views=int(metrics.get("videoTrueviewViews", 0)),
        platform_conversions=Decimal(metrics.get("conversions", 0)),
        platform_value_micros=from_units(metrics.get("conversionsValue", 0)),
        **names,
    )


def clicks(api: Api, account: Account, start: date, end: date) -> Iterator[Click]:
    """The ads of single clicks: one day a request, and only of the last 90 days."""
    newest = today(api.clock.now(), account.timezone or "UTC")
    fields = ("click_view.gclid", "click_view.ad_group_ad", "campaign.id", "ad_group.id")
    for day, _ in spans(max(start, newest - timedelta(days=CLICK_DAYS)), min(end, newest), days=1):
        for row in _rows(api, account, "click_view", fields, f"segments.date = '{day}'"):
            view = required(row, "clickView", "Google's click view")
            if "gclid" in view:
                ad_id = view.get("adGroupAd", "").rpartition("~")[2] or None  # customers/1/adGroupAds/2~3
                campaign_id = required(row, "campaign.id", "Google's click view")
                yield Click(
                    account.account_id, view["gclid"], day, campaign_id, row.get("adGroup", {}).get("id"), ad_id
                )


def entities(api: Api, account: Account) -> Iterator[Entity]:
    def listed(resource: str, *fields: str) -> Iterator[dict[str, Any]]:
        return _rows(api, account, resource, fields)

    (customer,) = (row["customer"] for row in listed("customer", *(f"customer.{field}" for field in CUSTOMER)))
    own, currency = account.account_id, customer["currencyCode"]
    yield Entity(
        own, "account", own, name=customer.get("descriptiveName"), status=customer.get("status"), currency=currency
    )
    for row in listed("campaign", *CAMPAIGN, "campaign.status", "campaign.advertising_channel_type",
                      "campaign_budget.amount_micros", "campaign_budget.total_amount_micros"):  # fmt: skip
        campaign, budget = row["campaign"], row.get("campaignBudget", {})
        daily, total = (int(budget.get(name, 0)) or None for name in ("amountMicros", "totalAmountMicros"))
        yield Entity(
            own, "campaign", campaign["id"], name=campaign.get("name"), status=campaign.get("status"),
            objective=campaign.get("advertisingChannelType"), daily_budget_micros=None if total else daily,
            lifetime_budget_micros=total, currency=currency,
        )  # fmt: skip
    for row in listed("ad_group", "campaign.id", "ad_group.id", "ad_group.name", "ad_group.status"):
        group = row["adGroup"]
        yield Entity(own, "adset", group["id"], row["campaign"]["id"], name=group.get("name"),
                     status=group.get("status"))  # fmt: skip
    suffixes = [f"{node}.final_url_suffix" for node in ("ad_group_ad.ad", "ad_group", "campaign", "customer")]
    for row in listed("ad_group_ad", "campaign.id", "ad_group.id", "ad_group_ad.ad.id", "ad_group_ad.ad.name",
                      "ad_group_ad.status", "ad_group_ad.ad.final_urls", *suffixes):  # fmt: skip
        shown, ad = row["adGroupAd"], row["adGroupAd"]["ad"]
        yield Entity(
            own, "ad", ad["id"], row["campaign"]["id"], row["adGroup"]["id"],
            name=ad.get("name"), status=shown.get("status"), destination_url=_destination(row),
        )  # fmt: skip


def _destination(row: dict[str, Any]) -> str | None:
    """Where a click leads, with the suffix of the ad, else of its ad group, campaign or account."""
    ad = row["adGroupAd"]["ad"]
    url = next(iter(ad.get("finalUrls", [])), None)
    nodes = (ad, row["adGroup"], row["campaign"], row.get("customer", {}))
    suffix = next((node["finalUrlSuffix"] for node in nodes if node.get("finalUrlSuffix")), None)
    return f"{url}{'&' if '?' in url else '?'}{suffix}" if url and suffix else url


def _rows(
    api: Api, account: Account, resource: str, fields: tuple[str, ...] | list[str], where: str = ""
) -> Iterator[dict[str, Any]]:
    """The rows of a query. The stream is an array of batches; an error may be its last."""
    query = f"SELECT {', '.join(fields)} FROM {resource}{f' WHERE {where}' if where else ''}"
    path = f"/{VERSION}/customers/{account.account_id.replace('-', '')}/googleAds:searchStream"
    through = {"login-customer-id": account.manager.replace("-", "")} if account.manager else {}
    for batch in api.items(path, "item", method="POST", json={"query": query}, headers=through, authorised=True):
        if "error" in batch:
            raise VendorError(f"Google Ads broke off its answer: {batch['error'].get('message')}. Pull again")
        yield from batch.get("results", [])


PLATFORM = Platform(
    name="google",
    label="Google Ads",
    base_url="https://googleads.googleapis.com",
    secrets=("client_id", "client_secret"),
    repull_days=30,
    check=check,
    headers=headers,
    accounts=accounts,
    spend=spend,
    entities=entities,
    clicks=clicks,
    oauth=OAuth(
        authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
        token_url="https://oauth2.googleapis.com/token",
        scopes=("https://www.googleapis.com/auth/adwords",),
        parameters={"access_type": "offline", "prompt": "consent"},  # else there is no refresh token
        pkce=True,
    ),
)
