"""Pull from a platform's fake, and compare the rows with the facts that it was given.

In: a served Vendor. Out: SpendRows, and tuples of their figures.
"""

from __future__ import annotations

from datetime import date

from connectors import ads
from connectors.auth.credentials import load
from connectors.http.client import Api
from connectors.platform import SpendRow
from tests.fixtures import example_platform
from tests.support.vendors.base import Vendor

PLATFORMS = {**ads.PLATFORMS, "example": example_platform.PLATFORM}
FIRST, LAST = date(2026, 11, 10), date(2026, 11, 12)


def opened(vendor: Vendor, say=lambda message: None) -> Api:
    platform = PLATFORMS[vendor.name]
    return Api(platform, load(platform), clock=vendor.clock, say=say)


def pulled(vendor: Vendor, first: date = FIRST, last: date = LAST, api: Api | None = None) -> list[SpendRow]:
    """The rows of a pull of the vendor's one account. What two pages repeat is here once, as it is once loaded."""
    with api or opened(vendor) as asked:
        (account,) = asked.platform.accounts(asked)
        return list(dict.fromkeys(asked.platform.spend(asked, account, first, last)))


def finest(vendor: Vendor, first: date = FIRST, last: date = LAST) -> list[tuple]:
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


def told(rows: list[SpendRow]) -> list[tuple]:
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
