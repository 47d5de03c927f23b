"""Amazon Ads: profiles, and exports of what was set up. An account is a profile: an advertiser in one marketplace,
on the host of its region.

Source: advertising.amazon.com/API/docs, guides/exports, guides/account-management/authorization.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.errors import VendorError
from connectors.http import Api
from connectors.money import from_units
from connectors.platform import Account, Entity, required

HOSTS = ("advertising-api.amazon.com", "advertising-api-eu.amazon.com", "advertising-api-fe.amazon.com")
PRODUCTS = ("SPONSORED_PRODUCTS", "SPONSORED_BRANDS", "SPONSORED_DISPLAY")


def profile_of(api: Api, account: Account) -> tuple[str, dict[str, Any]]:
    """The address of the profile's region, and the profile as it is now."""
    for host in HOSTS:
        for row in api.get(f"https://{host}/v2/profiles"):
            if str(required(row, "profileId", "Amazon's profile")) == account.account_id:
                return f"https://{host}", row
    raise VendorError(f"Amazon no longer lists the profile {account.account_id}: who connected may no longer edit it")


def ready(api: Api, path: str, scope: dict[str, str]) -> str | None:
    """Where a report or an export lies, once it is done."""
    answer = api.get(path, headers=scope)
    status = required(answer, "status", "Amazon's job")
    if status in ("FAILED", "FAILURE", "CANCELLED"):
        raise VendorError(f"Amazon: the report failed ({answer.get('failureReason') or 'no reason given'}): pull again")
    return required(answer, "url", "Amazon's job") if status == "COMPLETED" else None


def entities(api: Api, account: Account) -> Iterator[Entity]:
    host, profile = profile_of(api, account)
    yield Entity(account.account_id, "account", account.account_id, name=(profile.get("accountInfo") or {}).get("name"),
                 currency=profile.get("currencyCode"))  # fmt: skip
    for row in _exported(api, host, account, "campaigns", "campaignId"):
        caps = row.get("budgetCaps") or {}
        budget = ((caps.get("budgetValue") or {}).get("monetaryBudget") or {}).get("amount")
        micros = from_units(budget) if budget is not None else None
        daily = caps.get("recurrenceTimePeriod") == "DAILY"
        yield Entity(
            account.account_id, "campaign", row["campaignId"], name=row.get("name"), status=row.get("state"),
            objective=row.get("adProduct"), currency=profile.get("currencyCode"),
            daily_budget_micros=micros if daily else None, lifetime_budget_micros=None if daily else micros,
        )  # fmt: skip
    campaign_of: dict[str, str] = {}
    for row in _exported(api, host, account, "adGroups", "adGroupId", "campaignId"):
        campaign_of[row["adGroupId"]] = campaign = row["campaignId"]
        yield Entity(account.account_id, "adset", row["adGroupId"], campaign_id=campaign, name=row.get("name"),
                     status=row.get("state"), objective=row.get("adProduct"))  # fmt: skip
    for row in _exported(api, host, account, "ads", "adId", "adGroupId"):
        creative, adset = row.get("creative") or {}, row["adGroupId"]
        products = [product.get("productId") for product in creative.get("products") or []]
        yield Entity(
            account.account_id, "ad", row["adId"], campaign_id=campaign_of.get(adset), adset_id=adset,
            name=creative.get("headline") or next(iter(products), None), status=row.get("state"),
            destination_url=(creative.get("landingPage") or {}).get("landingPageUrl"),
        )  # fmt: skip


def _exported(api: Api, host: str, account: Account, what: str, *ids: str) -> Iterator[dict[str, Any]]:
    """The rows of an export, each with those ids."""
    kind = f"application/vnd.{what.lower()}export.v1+json"
    asked = {"Amazon-Advertising-API-Scope": account.account_id, "Content-Type": kind, "Accept": kind}
    answer = api.post(f"{host}/{what}/export", json={"adProductFilter": PRODUCTS}, headers=asked)
    job = required(answer, "exportId", "Amazon's answer to an export")
    url = api.poll(lambda: ready(api, f"{host}/exports/{job}", asked), f"the list of {what}", every=10, limit=3600)
    for row in api.items(url, "item"):
        yield {**row, **{name: str(required(row, name, f"Amazon's export of {what}")) for name in ids}}
