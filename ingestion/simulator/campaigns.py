"""The marketing of the two simulated shops as data: campaigns, unpaid traffic, sendings, and what each of them causes.

In: nothing. Out: rows that world.py expands to traffic sources, and rates by channel.

A lift is the ground truth: a visit through the campaign adds it to the probability that a person of average intent
decides to buy, and it halves every week. BASELINE is the probability at each visit without any marketing. The weights
say how often people arrive through the campaign: at their first visit, at a later one, and to place an order that they
have decided on. Brand search, retargeting and coupons have high closing weights and no lift: they claim orders.
"""

from __future__ import annotations

from typing import Any, NamedTuple

BASELINE = 0.0095
CREATES_DEMAND = 0.005  # least lift of a campaign that creates demand; below, it claims demand that was there
WASTEFUL = 0.5  # a campaign whose people have less than this factor of the usual intent or basket wastes money

APPS = {"medium": "display", "referrer": "https://news.example/today", "quality": 0}
DISPLAY = {"medium": "display", "referrer": "https://news.example/today"}
VIDEO = {"source": "youtube", "medium": "paid_video", "referrer": "https://www.youtube.com/"}

# account, campaign id, name, channel, ad sets, ads of each ad set, weights (first, later, closing), cost of a click,
# lift, tagged, other fields. Without ad sets, the platform reports the campaign only.
CAMPAIGNS: list[tuple[Any, ...]] = [
    ("nw-google", "21001", "Brand - Search", "Paid Search", 1, 2, 4, 6, 24, 0.40, 0, "both", {}),
    ("nw-google", "21002", "Running Shoes | Search | US", "Paid Search", 2, 2, 9, 2, 0, 1.15, 0.028, "both", {}),
    ("nw-google", "21003", "Trail & Hiking \u2013 Sale 50%", "Paid Search", 2, 2, 6, 1, 0, 1.08, 0.024, "name", {}),
    ("nw-google", "21004", "Competitors | Broad", "Paid Search", 1, 2, 2, 0, 0, 3.51, 0.024, "both", {"quality": 0.12}),
    ("nw-google", "21005", "Performance Max Catalogue", "Paid Search", 0, 0, 5, 1, 4, 0.92, 0.018, "id", {}),
    ("nw-google", "21006", "Display Retargeting", "Display", 1, 2, 0, 4, 5, 0.55, 0.001, "both", DISPLAY),
    ("nw-google", "21007", "Display Prospecting - Apps", "Display", 1, 2, 2, 0, 0, 2.16, 0, "id", APPS),
    ("nw-google", "21008", "YouTube Reach", "Paid Video", 1, 2, 3, 1, 0, 0.66, 0.014, "both", VIDEO),
    ("nw-google", "21009", "Shopping - Boots", "Paid Shopping", 1, 2, 4, 1, 1, 0.58, 0.026, "both", {}),
    ("nw-meta", "23851001", "Prospecting_Lookalike_1%", "Paid Social", 3, 2, 9, 1, 0, 0.98, 0.024, "id", {}),
    ("nw-meta", "23851002", "Retargeting Café & Friends", "Paid Social", 1, 2, 0, 6, 9, 0.85, 0.001, "name", {}),
    ("nw-meta", "23851003", "Advantage+ Sales", "Paid Social", 1, 3, 6, 1, 2, 0.94, 0.022, "both", {}),
    ("nw-meta", "23851004", "Interest Stack Broad", "Paid Social", 2, 2, 7, 0, 0, 1.28, 0.022, "id", {"basket": 0.35}),
    ("nw-meta", "23851005", "New Market Test", "Paid Social", 1, 1, 0.08, 0, 0, 1.22, 0, "id", {"quality": 0}),
    ("nw-tiktok", "1788001", "Spark Ads UGC", "Paid Social", 2, 2, 4, 1, 0, 0.72, 0.018, "both", {}),
    ("nw-tiktok", "1788002", "Hashtag Challenge", "Paid Social", 1, 2, 2, 0, 0, 1.62, 0, "id", {"quality": 0}),
    ("nw-microsoft", "30771", "Bing Brand", "Paid Search", 1, 1, 2, 2, 6, 0.36, 0, "both", {}),
    ("nw-microsoft", "30772", "Bing Generic", "Paid Search", 0, 0, 2, 0, 0, 0.96, 0.026, "name", {}),
    ("nw-everflow", "204", "Partner 204 - Coupons", "Affiliates", 0, 0, 2, 2, 7, 0, 0, "both", {}),
    ("nl-google", "51001", "Marke - Suche", "Paid Search", 1, 2, 4, 6, 24, 0.36, 0, "both", {}),
    ("nl-google", "51002", "Wanderschuhe \u2013 Größe 38", "Paid Search", 2, 2, 8, 2, 0, 1.02, 0.028, "name", {}),
    ("nl-google", "51003", "Display Remarketing", "Display", 1, 2, 0, 4, 5, 0.48, 0.001, "both", DISPLAY),
    ("nl-google", "51004", "YouTube Sommer", "Paid Video", 1, 1, 3, 1, 0, 0.58, 0.014, "both", VIDEO),
    ("nl-google-uk", "52001", "UK Search Hiking", "Paid Search", 1, 2, 5, 1, 0, 0.90, 0.026, "both", {}),
    ("nl-google-uk", "52002", "UK Performance Max", "Paid Search", 0, 0, 3, 1, 0, 3.23, 0.018, "id", {"quality": 0.15}),
    ("nl-meta", "24870001", "Zielgruppe Outdoor", "Paid Social", 2, 2, 8, 1, 0, 0.92, 0.024, "id", {}),
    ("nl-meta", "24870002", "Warenkorb Retargeting", "Paid Social", 1, 2, 0, 6, 9, 0.78, 0.001, "name", {}),
    ("nl-meta", "24870003", "Reichweite Q3", "Paid Social", 1, 2, 3, 0, 0, 2.02, 0, "both", {"quality": 0}),
    ("nl-tiktok", "1799001", "Berge im Feed", "Paid Social", 1, 2, 4, 1, 0, 0.70, 0.018, "both", {}),
    ("nl-microsoft", "40881", "Bing DE Generisch", "Paid Search", 1, 1, 5, 1, 0, 1.75, 0.024, "both", {"basket": 0.35}),
    ("nl-awin", "5120", "Publisher 5120", "Affiliates", 0, 0, 2, 2, 7, 0, 0, "both", {}),
]  # fmt: skip
COMMISSION = 0.10  # of the value of the orders that arrive through an affiliate; affiliates bill no clicks

# channel, source, medium, referrer, campaign, weights (first, later, closing), lift; the same for each org.
UNPAID: list[tuple[Any, ...]] = [
    ("Direct", "", "", "", "", 11, 30, 30, 0),
    ("Direct", "", "", "own site", "", 1, 4, 0, 0),  # the org's other pages are not a referral
    ("Organic Search", "", "", "https://www.google.com/", "", 20, 16, 10, 0.006),
    ("Organic Search", "", "", "https://www.bing.com/", "", 3, 2, 1, 0.006),
    ("Organic Search", "", "", "https://duckduckgo.com/", "", 2, 1, 1, 0.006),
    ("Organic Social", "", "", "https://l.instagram.com/", "", 3, 2, 0, 0.006),
    ("Organic Social", "", "", "https://www.reddit.com/", "", 2, 1, 0, 0.006),
    ("Organic Social", "", "", "https://t.co/Zx81", "", 1, 1, 0, 0.006),
    ("Organic Social", "", "", "https://m.facebook.com/", "", 2, 1, 0, 0.006),  # has an fbclid, although nobody paid
    ("Organic Video", "", "", "https://www.youtube.com/", "", 2, 1, 0, 0.008),
    ("Referral", "", "", "https://trailnotes.example/best-boots", "", 4, 2, 0, 0.012),
    ("Referral", "", "", "https://www.gearforum.example/t/4410", "", 2, 1, 0, 0.012),
    # An automated e-mail that follows a visit of a person with an account.
    ("Email", "crm", "email", "", "abandoned_cart", 0, 3, 12, 0.002),
]


class Series(NamedTuple):
    """A series of sendings to the people who asked for them: each person gets each sending once, on its day."""

    channel: str
    source: str
    medium: str
    campaign: str
    weekday: int | None  # Monday is 0; None: on days of the promotion
    every: int  # weeks between two sendings; days of the promotion between two sendings
    hour: int
    opens: float  # share of the recipients that open it
    clicks: float  # share of the recipients that click, of those that open where opens are measured
    lift: float


SERIES = [
    Series("Email", "newsletter", "email", "Weekly Digest", 1, 1, 9, 0.24, 0.22, 0.022),
    Series("Email", "newsletter", "email", "Summer Sale", None, 5, 8, 0.30, 0.26, 0.024),
    Series("SMS", "crm", "sms", "flash-sale", None, 3, 12, 0, 0.12, 0.014),
    Series("Mobile Push", "app", "push", "back in stock", 2, 2, 18, 0, 0.06, 0.008),
]


class Rates(NamedTuple):
    """How visits of a channel behave."""

    phones: float  # share of the people who have one device and arrive first through the channel
    bounces: float  # share of the visits with one page view
    basket: float = 1.0  # scales the order value of people who arrive first through the channel


RATES = {
    "Direct": Rates(0.48, 0.40, 1.05),
    "Organic Search": Rates(0.55, 0.46),
    "Paid Search": Rates(0.55, 0.38),
    "Paid Shopping": Rates(0.62, 0.43, 0.95),
    "Paid Social": Rates(0.88, 0.57, 0.88),
    "Organic Social": Rates(0.82, 0.56, 0.88),
    "Email": Rates(0.60, 0.31),
    "SMS": Rates(1.0, 0.36),
    "Mobile Push": Rates(1.0, 0.34),
    "Affiliates": Rates(0.50, 0.36, 0.92),
    "Referral": Rates(0.45, 0.44, 1.05),
    "Display": Rates(0.80, 0.63, 0.95),
    "Paid Video": Rates(0.84, 0.60, 0.95),
    "Organic Video": Rates(0.76, 0.52),
}
CHANNELS = list(RATES)
