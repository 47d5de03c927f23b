"""The simulated world as data: two orgs, their sites and ad accounts, and the traffic sources of their visitors.

In: campaigns.py. Out: ORGS, SITES, DEFINITIONS and ACCOUNTS (entries of tributary.yaml), and TRAFFIC_SOURCES: one for
each ad of a paid campaign, one for each series of sendings, and one for each kind of unpaid visit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ingestion.simulator.campaigns import CAMPAIGNS, CREATES_DEMAND, RATES, SERIES, UNPAID, WASTEFUL

ORGS: list[dict[str, Any]] = [
    {
        "id": "northwind",
        "currency": "USD",
        "timezone": "America/New_York",
        "lookback_days": 30,
        "targets": {"cpa": 50, "roas": 2},
    },
    {
        "id": "nordlicht",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "lookback_days": 30,
        "targets": {"cpa": 50, "roas": 2.2},
    },
]
SITES: list[dict[str, Any]] = [
    {
        "id": "northwind-shop",
        "org": "northwind",
        "public_key": "pk_5e1f0c9a7b3d",
        "domains": ["northwind.example", "www.northwind.example"],
    },
    {
        "id": "northwind-blog",
        "org": "northwind",
        "public_key": "pk_a40d7e62c81b",
        "domains": ["blog.northwind.example"],
    },
    {
        "id": "nordlicht-shop",
        "org": "nordlicht",
        "public_key": "pk_93bc1d55f0e2",
        "domains": ["nordlicht.example", "www.nordlicht.example"],
    },
]
DEFINITIONS: list[dict[str, Any]] = [  # northwind's newsletter reports leads beside purchases
    {"org": "northwind", "name": "purchase", "conversion_types": ["purchase"]},
    {"org": "northwind", "name": "lead", "conversion_types": ["lead"]},
]
# (org, platform, account, billing currency)
ACCOUNTS = {
    "nw-google": ("northwind", "google", "4821139007", "USD"),
    "nw-meta": ("northwind", "meta", "101045520011", "USD"),
    "nw-tiktok": ("northwind", "tiktok", "7011223344", "USD"),
    "nw-microsoft": ("northwind", "microsoft", "B014XYZ", "USD"),
    "nw-everflow": ("northwind", "everflow", "ef-3307", "USD"),
    "nl-google": ("nordlicht", "google", "6610042215", "EUR"),
    "nl-google-uk": ("nordlicht", "google", "6610042299", "GBP"),  # a second currency in one org
    "nl-meta": ("nordlicht", "meta", "202099871233", "EUR"),
    "nl-tiktok": ("nordlicht", "tiktok", "7055667788", "EUR"),
    "nl-microsoft": ("nordlicht", "microsoft", "B220NLT", "USD"),
    "nl-awin": ("nordlicht", "awin", "aw-5120", "EUR"),
}


class TrafficSource(NamedTuple):
    """One ad of a paid campaign, a series of sendings, or one kind of unpaid visit."""

    org: str
    channel: str
    source: str = ""
    medium: str = ""
    referrer: str = ""
    first_weight: float = 0.0  # among the sources of first visits
    later_weight: float = 0.0  # among the sources of later visits
    closing_weight: float = 0.0  # among the sources of visits that place an order
    lift: float = 0.0  # see campaigns.py
    quality: float = 1.0  # scales the intent of people who arrive first through it
    basket: float = 1.0  # scales the order value of people who arrive first through it
    campaign: str = ""
    tagged: str = "name"  # the landing URL has the campaign's "id", its "name", or "both"
    click_id: str = ""
    cpc: float = 0.0  # cost of a click in units of `currency`
    platform: str = ""
    account_id: str = ""
    currency: str = ""
    campaign_id: str = ""
    adset_id: str = ""
    adset: str = ""
    ad_id: str = ""
    ad: str = ""

    @property
    def group(self) -> tuple[str, str, str]:
        """Return the org, channel and campaign: the unit of the ground truth."""
        return self.org, self.channel, self.campaign

    @property
    def role(self) -> str:
        """Return what the source does to demand, as the ground truth names it."""
        if min(self.quality, self.basket) < WASTEFUL:
            return "wastes money"
        return "creates demand" if self.lift >= CREATES_DEMAND else "claims demand that was there"


PLATFORM_LINKS = {
    # platform: source, medium, referrer, click-id parameter
    "google": ("google", "cpc", "https://www.google.com/", "gclid"),
    "meta": ("facebook", "paid_social", "https://l.facebook.com/", "fbclid"),
    "tiktok": ("tiktok", "paid_social", "https://www.tiktok.com/", "ttclid"),
    "microsoft": ("bing", "cpc", "https://www.bing.com/", "msclkid"),
    "everflow": ("everflow", "affiliate", "https://coupons.example/deals", ""),
    "awin": ("awin", "affiliate", "https://sparfuchs.example/gutscheine", ""),
}


def _campaign_sources(row: tuple[Any, ...]) -> Iterator[TrafficSource]:
    """Yield a source for each ad of a campaign, or one for a campaign without ads."""
    account, campaign_id, campaign, channel, adsets, ads, first, later, closing, cpc, lift, tagged, others = row
    org, platform, account_id, currency = ACCOUNTS[account]
    source, medium, referrer, click_id = PLATFORM_LINKS[platform]
    ad_count = max(adsets * ads, 1)
    fields = {
        "source": source,
        "medium": medium,
        "referrer": referrer,
        "basket": RATES[channel].basket,
        **others,
    }
    campaign_source = TrafficSource(
        org=org,
        channel=channel,
        first_weight=first / ad_count,
        later_weight=later / ad_count,
        closing_weight=closing / ad_count,
        lift=lift,
        campaign=campaign,
        tagged=tagged,
        click_id=click_id,
        cpc=cpc,
        platform=platform,
        account_id=account_id,
        currency=currency,
        campaign_id=campaign_id,
        **fields,
    )
    if not adsets:
        yield campaign_source
    for adset in range(1, adsets + 1):
        for ad in range(1, ads + 1):
            yield campaign_source._replace(
                adset_id=f"{campaign_id}{adset:02d}",
                adset=f"Audience {adset}",
                ad_id=f"{campaign_id}{adset:02d}{ad:02d}",
                ad=f"Creative {'ABC'[ad - 1]}",
            )


def _unpaid_sources(org: str) -> Iterator[TrafficSource]:
    own_site = "https://blog.northwind.example/" if org == "northwind" else "https://www.nordlicht.example/"
    for channel, source, medium, referrer, campaign, first, later, closing, lift in UNPAID:
        yield TrafficSource(
            org=org,
            channel=channel,
            source=source,
            medium=medium,
            referrer=own_site if referrer == "own site" else referrer,
            first_weight=first,
            later_weight=later,
            closing_weight=closing,
            lift=lift,
            basket=RATES[channel].basket,
            campaign=campaign,
            click_id="fbclid" if "facebook" in referrer else "",
        )
    for series in SERIES:  # without weights: their visits follow the calendar
        yield TrafficSource(
            org=org,
            channel=series.channel,
            source=series.source,
            medium=series.medium,
            lift=series.lift,
            campaign=series.campaign,
        )


TRAFFIC_SOURCES: list[TrafficSource] = [
    *(source for campaign in CAMPAIGNS for source in _campaign_sources(campaign)),
    *(source for org in ORGS for source in _unpaid_sources(org["id"])),
]
