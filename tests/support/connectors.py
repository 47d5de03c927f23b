"""Pull from a platform's fake, and compare the rows with its facts.

In: a served Vendor. Out: SpendRows, and tuples of their figures.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from connectors import ads
from connectors.auth.credentials import load
from connectors.http.client import PlatformClient
from connectors.platform import Account, Platform, SpendRow
from tests.fixtures import example_platform
from tests.support.vendors.base import Vendor

PLATFORMS = {**ads.PLATFORMS, "example": example_platform.PLATFORM}
FIRST, LAST = date(2026, 11, 10), date(2026, 11, 12)


def platform_of(vendor: Vendor) -> Platform:
    return PLATFORMS[vendor.name]


def open_client(vendor: Vendor, log: Callable[[str], None] = lambda message: None) -> PlatformClient:
    platform = platform_of(vendor)
    return PlatformClient(platform, load(platform), clock=vendor.clock, log=log)


def read_account(vendor: Vendor, client: PlatformClient) -> Account:
    """Return the vendor's one account."""
    (account,) = platform_of(vendor).accounts(client)
    return account


def pull(
    vendor: Vendor, first: date = FIRST, last: date = LAST, client: PlatformClient | None = None
) -> list[SpendRow]:
    """Return the rows of the vendor's one account. A row that two pages repeat comes once, as loading stores it."""
    with client or open_client(vendor) as opened:
        account = read_account(vendor, opened)
        return list(dict.fromkeys(platform_of(vendor).spend(opened, account, first, last)))


def expected_figures(vendor: Vendor, first: date = FIRST, last: date = LAST) -> list[tuple]:
    """Return the figures of the vendor's facts, one tuple for each ad and day."""
    return sorted(
        (
            f.date,
            vendor.account_id,
            vendor.currency,
            f.campaign_id,
            f.adset_id,
            f.ad_id,
            f.spend_micros,
            f.impressions,
            f.clicks,
            f.conversions,
            f.value_micros,
        )
        for f in vendor.between(first, last)
    )


def figures(rows: list[SpendRow]) -> list[tuple]:
    """Return the figures of the finest rows, as `expected_figures` does."""
    return sorted(
        (
            r.date,
            r.account_id,
            r.currency,
            r.campaign_id,
            r.adset_id,
            r.ad_id,
            r.spend_micros,
            r.impressions,
            r.clicks,
            r.platform_conversions,
            r.platform_value_micros,
        )
        for r in rows
        if r.level is None
    )
