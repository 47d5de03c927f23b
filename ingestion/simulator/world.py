"""The simulated world as data: two orgs, their sites and ad accounts, and the traffic sources of their visitors.

In: nothing. Out: ORGS, SITES and ACCOUNTS (entries of tributary.yaml), LIFT (the ground truth) and TRAFFIC_SOURCES: one
for each ad of a paid campaign, and one for each kind of unpaid visit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

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

# The ground truth: a new touch of the channel adds so much to the probability that a visitor of average intent converts
# at a visit. BASELINE is the probability without any marketing.
BASELINE = 0.010
LIFT = {
    "Direct": 0.0,
    "Organic Search": 0.007,
    "Paid Search": 0.025,
    "Paid Shopping": 0.025,
    "Paid Social": 0.020,
    "Organic Social": 0.005,
    "Email": 0.018,
    "SMS": 0.012,
    "Mobile Push": 0.006,
    "Affiliates": 0.008,
    "Referral": 0.009,
    "Display": 0.005,
    "Paid Video": 0.008,
    "Organic Video": 0.005,
}
CHANNELS = list(LIFT)


class TrafficSource(NamedTuple):
    """One ad of a paid campaign, or one kind of unpaid visit."""

    org: str
    channel: str
    source: str = ""
    medium: str = ""
    referrer: str = ""
    first_weight: float = 0.0  # among the sources of first visits
    return_weight: float = 0.0  # among the sources of later visits
    quality: float = 1.0  # scales the intent of its visitors
    basket: float = 1.0  # scales the order value of its visitors
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


PLATFORM_LINKS = {
    # platform: source, medium, referrer, click-id parameter
    "google": ("google", "cpc", "https://www.google.com/", "gclid"),
    "meta": ("facebook", "paid_social", "https://l.facebook.com/", "fbclid"),
    "tiktok": ("tiktok", "paid_social", "https://www.tiktok.com/", "ttclid"),
    "microsoft": ("bing", "cpc", "https://www.bing.com/", "msclkid"),
    "everflow": ("everflow", "affiliate", "https://coupons.example/deals", ""),
    "awin": ("awin", "affiliate", "https://sparfuchs.example/gutscheine", ""),
}
DISPLAY = {"medium": "display", "referrer": "https://news.example/today"}
INEFFECTIVE_DISPLAY = {**DISPLAY, "quality": 0}
VIDEO = {"source": "youtube", "medium": "paid_video", "referrer": "https://www.youtube.com/"}

# account, campaign id, name, channel, ad sets, ads of each ad set, first weight, return weight, cpc, tagged, other
# fields. Without ad sets, the platform reports the campaign only.
CAMPAIGNS: list[tuple[Any, ...]] = [
    ("nw-google", "21001", "Brand - Search", "Paid Search", 1, 2, 4, 6, 0.75, "both", {}),
    ("nw-google", "21002", "Running Shoes | Search | US", "Paid Search", 2, 2, 9, 2, 1.69, "both", {}),
    ("nw-google", "21003", "Trail & Hiking \u2013 Sale 50%", "Paid Search", 2, 2, 6, 1, 1.42, "name", {}),
    ("nw-google", "21004", "Competitors | Broad", "Paid Search", 1, 2, 2, 0, 3.51, "both", {"quality": 0.12}),
    ("nw-google", "21005", "Performance Max Catalogue", "Paid Search", 0, 0, 5, 1, 1.22, "id", {}),
    ("nw-google", "21006", "Display Retargeting", "Display", 1, 2, 0, 4, 0.81, "both", DISPLAY),
    ("nw-google", "21007", "Display Prospecting - Apps", "Display", 1, 2, 2, 0, 2.16, "id", INEFFECTIVE_DISPLAY),
    ("nw-google", "21008", "YouTube Reach", "Paid Video", 1, 2, 3, 1, 0.61, "both", VIDEO),
    ("nw-google", "21009", "Shopping - Boots", "Paid Shopping", 1, 2, 3, 1, 1.10, "both", {}),
    ("nw-meta", "23851001", "Prospecting_Lookalike_1%", "Paid Social", 3, 2, 9, 1, 1.48, "id", {}),
    ("nw-meta", "23851002", "Retargeting Café & Friends", "Paid Social", 1, 2, 0, 6, 1.14, "name", {}),
    ("nw-meta", "23851003", "Advantage+ Sales", "Paid Social", 1, 3, 6, 1, 1.35, "both", {}),
    ("nw-meta", "23851004", "Interest Stack Broad", "Paid Social", 2, 2, 9, 0, 1.60, "id", {"basket": 0.12}),
    ("nw-meta", "23851005", "New Market Test", "Paid Social", 1, 1, 0.08, 0, 1.22, "id", {"quality": 0}),
    ("nw-tiktok", "1788001", "Spark Ads UGC", "Paid Social", 2, 2, 4, 1, 0.95, "both", {}),
    ("nw-tiktok", "1788002", "Hashtag Challenge", "Paid Social", 1, 2, 2, 0, 1.62, "id", {"quality": 0}),
    ("nw-microsoft", "30771", "Bing Brand", "Paid Search", 1, 1, 2, 2, 0.68, "both", {}),
    ("nw-microsoft", "30772", "Bing Generic", "Paid Search", 0, 0, 2, 0, 1.28, "name", {}),
    ("nw-everflow", "204", "Partner 204 - Coupons", "Affiliates", 0, 0, 3, 4, 1.08, "both", {}),
    ("nl-google", "51001", "Marke - Suche", "Paid Search", 1, 2, 4, 6, 0.72, "both", {}),
    ("nl-google", "51002", "Wanderschuhe \u2013 Größe 38", "Paid Search", 2, 2, 8, 2, 1.44, "name", {}),
    ("nl-google", "51003", "Display Remarketing", "Display", 1, 2, 0, 4, 0.72, "both", DISPLAY),
    ("nl-google", "51004", "YouTube Sommer", "Paid Video", 1, 1, 3, 1, 0.58, "both", VIDEO),
    ("nl-google-uk", "52001", "UK Search Hiking", "Paid Search", 1, 2, 5, 1, 1.36, "both", {}),
    ("nl-google-uk", "52002", "UK Performance Max", "Paid Search", 0, 0, 3, 1, 4.03, "id", {"quality": 0.15}),
    ("nl-meta", "24870001", "Zielgruppe Outdoor", "Paid Social", 2, 2, 8, 1, 1.36, "id", {}),
    ("nl-meta", "24870002", "Warenkorb Retargeting", "Paid Social", 1, 2, 0, 6, 1.01, "name", {}),
    ("nl-meta", "24870003", "Reichweite Q3", "Paid Social", 1, 2, 3, 0, 2.02, "both", {"quality": 0}),
    ("nl-tiktok", "1799001", "Berge im Feed", "Paid Social", 1, 2, 4, 1, 0.94, "both", {}),
    ("nl-microsoft", "40881", "Bing DE Generisch", "Paid Search", 1, 1, 5, 1, 1.35, "both", {"basket": 0.15}),
    ("nl-awin", "5120", "Publisher 5120", "Affiliates", 0, 0, 3, 3, 1.07, "both", {}),
]  # fmt: skip

# channel, source, medium, referrer, campaign, first weight, return weight; the same for each org.
UNPAID: list[tuple[Any, ...]] = [
    ("Direct", "", "", "", "", 11, 30),
    ("Direct", "", "", "own site", "", 1, 4),  # the org's other pages are not a referral
    ("Organic Search", "", "", "https://www.google.com/", "", 20, 16),
    ("Organic Search", "", "", "https://www.bing.com/", "", 3, 2),
    ("Organic Search", "", "", "https://duckduckgo.com/", "", 2, 1),
    ("Organic Social", "", "", "https://l.instagram.com/", "", 3, 2),
    ("Organic Social", "", "", "https://www.reddit.com/", "", 2, 1),
    ("Organic Social", "", "", "https://t.co/Zx81", "", 1, 1),
    ("Organic Social", "", "", "https://m.facebook.com/", "", 2, 1),  # has an fbclid, although nobody paid
    ("Organic Video", "", "", "https://www.youtube.com/", "", 2, 1),
    ("Referral", "", "", "https://trailnotes.example/best-boots", "", 4, 2),
    ("Referral", "", "", "https://www.gearforum.example/t/4410", "", 2, 1),
    ("Email", "newsletter", "email", "", "Weekly Digest", 1, 12),
    ("Email", "crm", "email", "", "abandoned_cart", 0, 5),
    ("SMS", "crm", "sms", "", "flash-sale", 0, 3),
    ("Mobile Push", "app", "push", "", "back in stock", 0, 2),
]


def _campaign_sources(row: tuple[Any, ...]) -> Iterator[TrafficSource]:
    """Yield a source for each ad of a campaign, or one for a campaign without ads."""
    account, campaign_id, campaign, channel, adsets, ads, first_weight, return_weight, cpc, tagged, others = row
    org, platform, account_id, currency = ACCOUNTS[account]
    source, medium, referrer, click_id = PLATFORM_LINKS[platform]
    ad_count = max(adsets * ads, 1)
    campaign_source = TrafficSource(
        org=org,
        channel=channel,
        source=source,
        medium=medium,
        referrer=referrer,
        first_weight=first_weight / ad_count,
        return_weight=return_weight / ad_count,
        campaign=campaign,
        tagged=tagged,
        click_id=click_id,
        cpc=cpc,
        platform=platform,
        account_id=account_id,
        currency=currency,
        campaign_id=campaign_id,
    )._replace(**others)
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
    for channel, source, medium, referrer, campaign, first_weight, return_weight in UNPAID:
        yield TrafficSource(
            org=org,
            channel=channel,
            source=source,
            medium=medium,
            referrer=own_site if referrer == "own site" else referrer,
            first_weight=first_weight,
            return_weight=return_weight,
            campaign=campaign,
            click_id="fbclid" if "facebook" in referrer else "",
        )


TRAFFIC_SOURCES: list[TrafficSource] = [
    *(source for campaign in CAMPAIGNS for source in _campaign_sources(campaign)),
    *(source for org in ORGS for source in _unpaid_sources(org["id"])),
]


def query_strings(source: TrafficSource) -> list[str]:
    """Return the source's query string without its click id, in the six notations that occur in practice.

    QUERY_SHARES has their shares: clean; mixed case; `+` for spaces, and no id beside a name; repeated and empty
    parameters with an invalid escape; `&amp;` and a bare `%`; auto-tagging only, which is empty.
    """
    if not source.medium:
        return [""] * len(QUERY_SHARES)
    by_name = {"utm_campaign": source.campaign} if source.tagged != "id" else {}
    by_id = {"utm_id": source.campaign_id} if source.campaign_id and source.tagged != "name" else {}
    ad = {"utm_term": source.adset_id, "utm_content": source.ad_id} if source.ad_id else {}
    base = {"utm_source": source.source, "utm_medium": source.medium}

    def joined(parameters: dict[str, str], escape: Callable[[str], str] = quote, separator: str = "&") -> str:
        return separator.join(f"{name}={escape(value)}" for name, value in parameters.items())

    clean = joined({**base, **by_name, **by_id, **ad})
    mixed_case = {"utm_source": source.source.title(), "utm_medium": source.medium.upper()}
    upper_name = {name: value.upper() for name, value in by_name.items()}
    return [
        clean,
        joined({**mixed_case, **upper_name, **by_id, **ad}),
        joined({**base, **(by_name or by_id), **ad}, quote_plus),
        f"utm_campaign=&&{clean}&utm_source=second&q=%E0%A4%A",
        "discount=50%&" + joined({**base, **by_name, **by_id, **ad}, separator="&amp;"),
        # An fbclid alone does not prove payment, so Meta's ads always have their parameters.
        "" if source.click_id and source.click_id != "fbclid" and source.channel == "Paid Search" else clean,
    ]


QUERY_SHARES = [0.75, 0.08, 0.07, 0.03, 0.02, 0.05]
