"""Amazon Ads: profiles, and exports of what was set up. An account is a profile: an advertiser in one marketplace,
on the host of its region.

Source: advertising.amazon.com/API/docs, guides/exports, guides/account-management/authorization.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.http.client import Api
from connectors.http.errors import VendorError
from connectors.money import from_units
from connectors.platform import Account, Entity, entity_of, optional, required

HOSTS = ("advertising-api.amazon.com", "advertising-api-eu.amazon.com", "advertising-api-fe.amazon.com")
FAILED = ("FAILED", "FAILURE", "CANCELLED")
PRODUCTS = ("SPONSORED_PRODUCTS", "SPONSORED_BRANDS", "SPONSORED_DISPLAY")


def profiles(api: Api) -> Iterator[tuple[str, dict[str, Any]]]:
    """The address of a region, and a profile there."""
    for host in HOSTS:
        for row in api.get(f"https://{host}/v2/profiles"):
            yield f"https://{host}", row


def account_of(profile: dict[str, Any]) -> Account:
    name = " ".join(filter(None, (optional(profile, "accountInfo.name"), profile.get("countryCode"))))
    id_ = str(required(profile, "profileId", "Amazon's profile"))
    return Account(id_, name or None, profile.get("currencyCode"), profile.get("timezone"))


def profile_of(api: Api, account: Account) -> tuple[str, dict[str, Any]]:
    """The address of the profile's region, and the profile as it is now."""
    for host, row in profiles(api):
        if account_of(row).account_id == account.account_id:
            return host, row
    raise VendorError(f"Amazon no longer lists the profile {account.account_id}: who connected may no longer edit it")


def rows_of(
    api: Api, address: str, scope: dict[str, str], what: str, *, every: float, limit: float
) -> Iterator[dict[str, Any]]:
    """The rows of a report or an export, once it is done."""
    job = api.job(
        lambda: api.get(address, headers=scope),
        what,
        status="status",
        done="COMPLETED",
        failed=FAILED,
        reason="failureReason",
        every=every,
        limit=limit,
    )
    return api.items(required(job, "url", "Amazon's job"), "item")


def entities(api: Api, account: Account) -> Iterator[Entity]:
    host, profile = profile_of(api, account)
    yield entity_of(account_of(profile))
    for row in _exported(api, host, account, "campaigns", "campaignId"):
        budget = optional(row, "budgetCaps.budgetValue.monetaryBudget.amount")
        micros = from_units(budget) if budget is not None else None
        daily = optional(row, "budgetCaps.recurrenceTimePeriod") == "DAILY"
        yield Entity(
            account.account_id,
            "campaign",
            row["campaignId"],
            name=row.get("name"),
            status=row.get("state"),
            objective=row.get("adProduct"),
            currency=profile.get("currencyCode"),
            daily_budget_micros=micros if daily else None,
            lifetime_budget_micros=None if daily else micros,
        )
    campaign_of: dict[str, str] = {}
    for row in _exported(api, host, account, "adGroups", "adGroupId", "campaignId"):
        campaign_of[row["adGroupId"]] = campaign = row["campaignId"]
        yield Entity(
            account.account_id,
            "adset",
            row["adGroupId"],
            campaign_id=campaign,
            name=row.get("name"),
            status=row.get("state"),
            objective=row.get("adProduct"),
        )
    for row in _exported(api, host, account, "ads", "adId", "adGroupId"):
        creative, adset = row.get("creative") or {}, row["adGroupId"]
        products = [product.get("productId") for product in creative.get("products") or []]
        yield Entity(
            account.account_id,
            "ad",
            row["adId"],
            campaign_id=campaign_of.get(adset),
            adset_id=adset,
            name=creative.get("headline") or next(iter(products), None),
            status=row.get("state"),
            destination_url=optional(creative, "landingPage.landingPageUrl"),
        )


def _exported(api: Api, host: str, account: Account, what: str, *ids: str) -> Iterator[dict[str, Any]]:
    """The rows of an export, each with those ids."""
    kind = f"application/vnd.{what.lower()}export.v1+json"
    asked = {"Amazon-Advertising-API-Scope": account.account_id, "Content-Type": kind, "Accept": kind}
    answer = api.post(f"{host}/{what}/export", json={"adProductFilter": PRODUCTS}, headers=asked)
    job = required(answer, "exportId", "Amazon's answer to an export")
    for row in rows_of(api, f"{host}/exports/{job}", asked, f"the list of {what}", every=10, limit=3600):
        yield {**row, **{name: str(required(row, name, f"Amazon's export of {what}")) for name in ids}}
