"""Google Ads: GAQL over REST, as a stream; days are the ad account's, money is micros.

Performance max has campaigns without ads: the campaigns' totals, and the account's, are stated beside the ads.
Source: developers.google.com/google-ads/api/docs/reporting/streaming, .../rest/auth, .../reference/rpc/v26.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from connectors.ads.google.errors import NotEnabled, check
from connectors.days import spans, today
from connectors.http.client import Api
from connectors.http.errors import VendorError
from connectors.links import destination
from connectors.money import from_micros, from_units
from connectors.platform import (
    Account,
    Click,
    Entity,
    OAuth,
    Platform,
    SpendRow,
    bearer,
    each_once,
    entity_of,
    required,
)

VERSION = "v26"
METRICS = ("cost_micros", "impressions", "clicks", "video_trueview_views", "conversions", "conversions_value")
CAMPAIGN = ("campaign.id", "campaign.name")
AD = (*CAMPAIGN, "ad_group.id", "ad_group.name", "ad_group_ad.ad.id", "ad_group_ad.ad.name")
REPORTS: tuple[tuple[Literal["campaign", "account"] | None, str, tuple[str, ...]], ...] = (
    (None, "ad_group_ad", AD),
    ("campaign", "campaign", CAMPAIGN),
    ("account", "customer", ()),
)
CUSTOMER = tuple(
    f"customer.{name}" for name in ("id", "descriptive_name", "currency_code", "time_zone", "manager", "status")
)
CLIENT = tuple(field.replace("customer.", "customer_client.") for field in CUSTOMER)
NODES: tuple[tuple[Literal["campaign", "adset", "ad"], str, tuple[str, ...]], ...] = (
    (
        "campaign",
        "campaign",
        (
            *CAMPAIGN,
            "campaign.status",
            "campaign.advertising_channel_type",
            "campaign_budget.amount_micros",
            "campaign_budget.total_amount_micros",
        ),
    ),
    ("adset", "ad_group", ("campaign.id", "ad_group.id", "ad_group.name", "ad_group.status")),
    (
        "ad",
        "ad_group_ad",
        (
            "campaign.id",
            "ad_group.id",
            "ad_group_ad.ad.id",
            "ad_group_ad.ad.name",
            "ad_group_ad.status",
            "ad_group_ad.ad.final_urls",
            *(
                f"{node}.{name}"
                for node in ("ad_group_ad.ad", "ad_group", "campaign", "customer")
                for name in ("final_url_suffix", "tracking_url_template")
            ),
        ),
    ),
)
CLICK_DAYS = 90  # so far back it tells of single clicks


def headers(credentials: dict[str, str]) -> dict[str, str]:
    """Developer tokens ended on 2026-09-09: one is still let through, and a proxy may ask for it."""
    token = credentials.get("developer_token")
    return bearer(credentials) | ({"developer-token": token} if token else {})


def accounts(api: Api) -> Iterator[Account]:
    """What can be read directly, and what lies beneath the managers among it."""
    return each_once(_reachable(api))


def _reachable(api: Api) -> Iterator[Account]:
    for name in api.get(f"/{VERSION}/customers:listAccessibleCustomers").get("resourceNames", []):
        root = Account(name.removeprefix("customers/"))
        try:
            (customer,) = (row["customer"] for row in _rows(api, root, "customer", CUSTOMER))
        except NotEnabled:
            continue
        found, manager = [customer], None
        if customer.get("manager"):
            manager = root.account_id
            through, where = Account(manager, manager=manager), "customer_client.status = 'ENABLED'"
            found = [row["customerClient"] for row in _rows(api, through, "customer_client", CLIENT, where)]
        for client in found:
            if not client.get("manager"):
                yield _account(client, client["id"], manager)


def _account(customer: dict[str, Any], account_id: str, manager: str | None) -> Account:
    def told(name: str) -> str:
        return required(customer, name, "Google's customer")

    return Account(
        account_id,
        customer.get("descriptiveName"),
        told("currencyCode"),
        told("timeZone"),
        manager=manager,
        status=customer.get("status"),
    )


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
    newest = today(api.clock.now(), account.timezone)
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
    (customer,) = (row["customer"] for row in _rows(api, account, "customer", CUSTOMER))
    now = _account(customer, account.account_id, account.manager)
    yield entity_of(now)
    for level, resource, fields in NODES:
        for row in _rows(api, account, resource, fields):
            campaign, group, shown = row["campaign"], row.get("adGroup", {}), row.get("adGroupAd", {})
            node = {"campaign": campaign, "adset": group, "ad": {**shown, **shown.get("ad", {})}}[level]
            budget = row.get("campaignBudget", {})
            daily, total = (int(budget.get(name, 0)) or None for name in ("amountMicros", "totalAmountMicros"))
            yield Entity(
                account.account_id,
                level,
                node["id"],
                campaign_id=None if level == "campaign" else campaign["id"],
                adset_id=group["id"] if level == "ad" else None,
                name=node.get("name"),
                status=node.get("status"),
                objective=campaign.get("advertisingChannelType"),
                destination_url=_destination(node, group, campaign, row.get("customer", {})) if level == "ad" else None,
                daily_budget_micros=None if total else daily,
                lifetime_budget_micros=total,
                currency=now.currency,
            )


def _destination(*nodes: dict[str, Any]) -> str | None:
    """Where a click on an ad leads: with what its tracking template and suffix add, else those of what it is in."""
    suffix, template = (
        next((node[name] for node in nodes if node.get(name)), "") for name in ("finalUrlSuffix", "trackingUrlTemplate")
    )
    return destination(next(iter(nodes[0].get("finalUrls", [])), None), template=template, parameters=suffix)


def _rows(
    api: Api, account: Account, resource: str, fields: tuple[str, ...], where: str = ""
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
    repull_days=30,
    more_secrets=("developer_token",),
    headers=headers,
    check=check,
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
