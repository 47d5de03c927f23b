"""Amazon Ads: the profiles of all regions, and exports of campaigns, ad groups and ads.

In: an account, which is a profile: an advertiser in one marketplace, on the host of its region. Out: entities.
Source: advertising.amazon.com/API/docs, guides/exports, guides/account-management/authorization.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.http.client import PlatformClient
from connectors.http.errors import Rejected, VendorError
from connectors.http.responses import optional, required
from connectors.micros import units_to_micros
from connectors.platform import Account, Entity, account_entity

HOSTS = ("advertising-api.amazon.com", "advertising-api-eu.amazon.com", "advertising-api-fe.amazon.com")
FAILED = ("FAILED", "FAILURE", "CANCELLED")
PRODUCTS = ("SPONSORED_PRODUCTS", "SPONSORED_BRANDS", "SPONSORED_DISPLAY")
STATES = ("ENABLED", "PAUSED", "ARCHIVED")  # exports have archived entities only on request
AGENCY = "agency"  # the type of a profile that has no ads of its own


def profiles(client: PlatformClient) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the profiles of advertisers in all regions, each with the address of its region."""
    for host in HOSTS:
        for row in client.get(f"https://{host}/v2/profiles"):
            if optional(row, "accountInfo.type") != AGENCY:
                yield f"https://{host}", row


def account_of(profile: dict[str, Any]) -> Account:
    name = " ".join(filter(None, (optional(profile, "accountInfo.name"), profile.get("countryCode"))))
    return Account(
        account_id=str(required(profile, "profileId", "Amazon's profile")),
        name=name or None,
        currency=profile.get("currencyCode"),
        timezone=profile.get("timezone"),
    )


def current_profile(client: PlatformClient, account: Account) -> tuple[str, dict[str, Any]]:
    """Return the address of the account's region, and its profile."""
    for host, row in profiles(client):
        if account_of(row).account_id == account.account_id:
            return host, row
    raise VendorError(
        f"Amazon no longer lists the profile {account.account_id}. Give the connected user permission to edit its ads"
    )


def wait_for_rows(
    client: PlatformClient, url: str, scope: dict[str, str], what: str, *, interval: float, timeout: float
) -> Iterator[Any]:
    """Wait for a report or an export and return its rows."""
    job = client.wait_for_job(
        lambda: client.get(url, headers=scope),
        what,
        status="status",
        done="COMPLETED",
        failed=FAILED,
        reason=("failureReason", "error.errorCode", "error.message"),  # of a report; of an export
        interval=interval,
        timeout=timeout,
    )
    return client.items(required(job, "url", "Amazon's job"), "item")


def entities(client: PlatformClient, account: Account) -> Iterator[Entity]:
    host, profile = current_profile(client, account)
    yield account_entity(account_of(profile))
    for row in _export(client, host, account, "campaigns", "campaignId"):
        budget = optional(row, "budgetCaps.budgetValue.monetaryBudget.amount")
        micros = units_to_micros(budget) if budget is not None else None
        daily = optional(row, "budgetCaps.recurrenceTimePeriod") == "DAILY"
        yield Entity(
            account_id=account.account_id,
            level="campaign",
            entity_id=row["campaignId"],
            name=row.get("name"),
            status=row.get("state"),
            objective=row.get("adProduct"),
            currency=profile.get("currencyCode"),
            daily_budget_micros=micros if daily else None,
            lifetime_budget_micros=None if daily else micros,
        )
    campaign_of: dict[str, str] = {}
    for row in _export(client, host, account, "adGroups", "adGroupId", "campaignId"):
        campaign_of[row["adGroupId"]] = campaign = row["campaignId"]
        yield Entity(
            account_id=account.account_id,
            level="adset",
            entity_id=row["adGroupId"],
            campaign_id=campaign,
            name=row.get("name"),
            status=row.get("state"),
            objective=row.get("adProduct"),
        )
    for row in _export(client, host, account, "ads", "adId", "adGroupId"):
        creative, adset = row.get("creative") or {}, row["adGroupId"]
        products = [product.get("productId") for product in creative.get("products") or []]
        yield Entity(
            account_id=account.account_id,
            level="ad",
            entity_id=row["adId"],
            campaign_id=campaign_of.get(adset),
            adset_id=adset,
            name=creative.get("headline") or next(iter(products), None),
            status=row.get("state"),
            destination_url=optional(creative, "landingPage.landingPageUrl"),
        )


def _export(client: PlatformClient, host: str, account: Account, what: str, *ids: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of an export. ids: required members, which become text."""
    kind = f"application/vnd.{what.lower()}export.v1+json"
    headers = {"Amazon-Advertising-API-Scope": account.account_id, "Content-Type": kind, "Accept": kind}
    request = {"adProductFilter": PRODUCTS}
    try:
        response = client.post(f"{host}/{what}/export", json={**request, "stateFilter": STATES}, headers=headers)
    except Rejected as error:
        response = client.post(f"{host}/{what}/export", json=request, headers=headers)
        client.log(f"Amazon Ads: the list of {what} lacks archived ones. {error}")
    job = required(response, "exportId", "Amazon's response to an export")
    url = f"{host}/exports/{job}"
    for row in wait_for_rows(client, url, headers, f"the list of {what}", interval=10, timeout=3600):
        yield {**row, **{name: str(required(row, name, f"Amazon's export of {what}")) for name in ids}}
