"""Google Ads: GAQL queries over REST, streamed; money is micros.

In: streams of result batches. Out: rows by ad, by campaign and by account, because Performance Max campaigns have no
ads; days are the ad account's.
Source: developers.google.com/google-ads/api/docs/reporting/streaming, .../rest/auth, .../reference/rpc/v26.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from connectors.ads.google.errors import AccountNotEnabled, raise_for_error
from connectors.destination_url import destination_url
from connectors.http.client import PlatformClient
from connectors.http.errors import VendorError
from connectors.http.responses import field_reader, figure, required
from connectors.http.service import OAuth, Secrets, bearer
from connectors.micros import parse_micros, units_to_micros
from connectors.platform import Account, Click, Entity, Platform, SpendRow, TotalLevel, account_entity, unique_accounts
from connectors.reporting_days import local_date, split_range

VERSION = "v26"
METRICS = tuple(
    f"metrics.{name}"
    for name in ("cost_micros", "impressions", "clicks", "video_trueview_views", "conversions", "conversions_value")
)
CAMPAIGN = ("campaign.id", "campaign.name")
AD = (*CAMPAIGN, "ad_group.id", "ad_group.name", "ad_group_ad.ad.id", "ad_group_ad.ad.name")
REPORTS: tuple[tuple[TotalLevel | None, str, tuple[str, ...]], ...] = (
    (None, "ad_group_ad", AD),
    ("campaign", "campaign", CAMPAIGN),
    ("account", "customer", ()),
)
CUSTOMER = tuple(
    f"customer.{name}" for name in ("id", "descriptive_name", "currency_code", "time_zone", "manager", "status")
)
CUSTOMER_CLIENT = tuple(field.replace("customer.", "customer_client.") for field in CUSTOMER)
LISTS: tuple[tuple[Literal["campaign", "adset", "ad"], str, tuple[str, ...]], ...] = (
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
CLICK_DAYS = 90  # Google keeps single clicks for so many days


def headers(credentials: Secrets) -> dict[str, str]:
    """Return the headers. Google ended developer tokens on 2026-09-09 but accepts them, and a proxy may require one."""
    token = credentials.get("developer_token")
    return bearer(credentials) | ({"developer-token": token} if token else {})


def accounts(client: PlatformClient) -> Iterator[Account]:
    """Yield the accounts that the login can read directly, and those that its manager accounts manage."""
    return unique_accounts(_readable_accounts(client))


def _readable_accounts(client: PlatformClient) -> Iterator[Account]:
    for name in client.get(f"/{VERSION}/customers:listAccessibleCustomers").get("resourceNames", []):
        root = Account(account_id=name.removeprefix("customers/"))
        try:
            (customer,) = (row["customer"] for row in _rows(client, root, "customer", CUSTOMER))
        except AccountNotEnabled:
            continue
        customers, manager = [customer], None
        if customer.get("manager"):
            manager = root.account_id
            through, where = Account(account_id=manager, manager=manager), "customer_client.status = 'ENABLED'"
            rows = _rows(client, through, "customer_client", CUSTOMER_CLIENT, where)
            customers = [row["customerClient"] for row in rows]
        for customer in customers:
            if not customer.get("manager"):
                yield _account(customer, customer["id"], manager)


def _account(customer: dict[str, Any], account_id: str, manager: str | None) -> Account:
    field = field_reader(customer, "Google's customer")
    return Account(
        account_id=account_id,
        name=customer.get("descriptiveName"),
        currency=field("currencyCode"),
        timezone=field("timeZone"),
        manager=manager,
        status=customer.get("status"),
    )


def spend(client: PlatformClient, account: Account, start: date, end: date) -> Iterator[SpendRow]:
    for level, resource, ids_and_names in REPORTS:
        fields = ("segments.date", "customer.currency_code", *ids_and_names, *METRICS)
        for row in _rows(client, account, resource, fields, f"segments.date BETWEEN '{start}' AND '{end}'"):
            yield _spend_row(row, account, level)


def _spend_row(row: dict[str, Any], account: Account, level: TotalLevel | None) -> SpendRow:
    where = f"Google's {level or 'ad'} report"
    field = field_reader(row, where)
    names: dict[str, Any] = {}
    if level != "account":
        names |= {"campaign_id": field("campaign.id"), "campaign": row["campaign"].get("name")}
    if level is None:
        names |= {"adset_id": field("adGroup.id"), "adset": row["adGroup"].get("name")}
        names |= {"ad_id": field("adGroupAd.ad.id"), "ad": row["adGroupAd"]["ad"].get("name")}
    metrics = field("metrics")
    return SpendRow(
        date=date.fromisoformat(field("segments.date")),
        account_id=account.account_id,
        currency=field("customer.currencyCode"),
        spend_micros=parse_micros(field("metrics.costMicros")),
        level=level,
        impressions=int(figure(row, "metrics.impressions", where)),
        clicks=int(figure(row, "metrics.clicks", where)),
        video_views=int(metrics.get("videoTrueviewViews") or 0),
        platform_conversions=Decimal(metrics.get("conversions") or 0),
        platform_value_micros=units_to_micros(metrics.get("conversionsValue") or 0),
        **names,
    )


def clicks(client: PlatformClient, account: Account, start: date, end: date) -> Iterator[Click]:
    """Yield the ad of each click. A request covers one day, of the last 90."""
    newest = local_date(client.clock.now(), account.timezone)
    fields = ("click_view.gclid", "click_view.ad_group_ad", "campaign.id", "ad_group.id")
    for day, _ in split_range(max(start, newest - timedelta(days=CLICK_DAYS)), min(end, newest), days=1):
        for row in _rows(client, account, "click_view", fields, f"segments.date = '{day}'"):
            view = required(row, "clickView", "Google's click view")
            if "gclid" in view:
                ad_id = view.get("adGroupAd", "").rpartition("~")[2] or None  # customers/1/adGroupAds/2~3
                campaign_id = required(row, "campaign.id", "Google's click view")
                yield Click(
                    account_id=account.account_id,
                    click_id=view["gclid"],
                    date=day,
                    campaign_id=campaign_id,
                    adset_id=row.get("adGroup", {}).get("id"),
                    ad_id=ad_id,
                )


def entities(client: PlatformClient, account: Account) -> Iterator[Entity]:
    (customer,) = (row["customer"] for row in _rows(client, account, "customer", CUSTOMER))
    account = _account(customer, account.account_id, account.manager)
    yield account_entity(account)
    for level, resource, fields in LISTS:
        for row in _rows(client, account, resource, fields):
            campaign, group, group_ad = row["campaign"], row.get("adGroup", {}), row.get("adGroupAd", {})
            ad = {**group_ad, **group_ad.get("ad", {})}
            entity = {"campaign": campaign, "adset": group, "ad": ad}[level]
            budget = row.get("campaignBudget", {})
            daily, total = (int(budget.get(name, 0)) or None for name in ("amountMicros", "totalAmountMicros"))
            yield Entity(
                account_id=account.account_id,
                level=level,
                entity_id=entity["id"],
                campaign_id=None if level == "campaign" else campaign["id"],
                adset_id=group["id"] if level == "ad" else None,
                name=entity.get("name"),
                status=entity.get("status"),
                objective=campaign.get("advertisingChannelType"),
                destination_url=_destination_url(ad, group, campaign, row.get("customer", {})),
                daily_budget_micros=None if total else daily,
                lifetime_budget_micros=total,
                currency=account.currency,
            )


def _destination_url(*nodes: dict[str, Any]) -> str | None:
    """Return the address to which a click leads. nodes: the ad, then its ad group, campaign and account.

    The nearest node with a tracking template, and the nearest with a URL suffix, decide.
    """
    suffix, template = (
        next((node[name] for node in nodes if node.get(name)), "") for name in ("finalUrlSuffix", "trackingUrlTemplate")
    )
    return destination_url(next(iter(nodes[0].get("finalUrls", [])), None), template=template, parameters=suffix)


def _rows(
    client: PlatformClient, account: Account, resource: str, fields: tuple[str, ...], where: str = ""
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a query. The stream is an array of batches, and the last can be an error."""
    query = f"SELECT {', '.join(fields)} FROM {resource}{f' WHERE {where}' if where else ''}"
    path = f"/{VERSION}/customers/{account.account_id.replace('-', '')}/googleAds:searchStream"
    through = {"login-customer-id": account.manager.replace("-", "")} if account.manager else {}
    for batch in client.items(
        path, "item", method="POST", json={"query": query}, headers=through, with_credentials=True
    ):
        if "error" in batch:
            raise VendorError(f"Google Ads broke off its response: {batch['error'].get('message')}. Pull again")
        yield from batch.get("results", [])


PLATFORM = Platform(
    name="google",
    label="Google Ads",
    base_url="https://googleads.googleapis.com",
    repull_days=30,
    optional_secrets=("developer_token", "service_account"),
    headers=headers,
    raise_for_error=raise_for_error,
    accounts=accounts,
    spend=spend,
    entities=entities,
    clicks=clicks,
    oauth=OAuth(
        authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
        token_url="https://oauth2.googleapis.com/token",
        scopes=("https://www.googleapis.com/auth/adwords",),
        parameters={"access_type": "offline", "prompt": "consent"},  # without these, Google gives no refresh token
        pkce=True,
    ),
)
