"""Build touchpoints from raw rows and check links, sessions, campaigns and identity.

One small warehouse is built once. Each org in it is a world of its own (links, sessions, campaigns, people, random).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote_plus, urlsplit

import duckdb
import pytest

from ingestion.home import Home
from ingestion.placeholders import real_id
from ingestion.user_agents import enrich
from ingestion.warehouse import connect
from tests.support.models import build_models
from tests.support.raw_rows import insert

Connection = duckdb.DuckDBPyConnection
NOON = datetime(2026, 7, 1, 12)
SHOP = "https://www.shop.example/"

# A link ("?..." and "#..." belong to the shop's front page), its referrer, and the expected
# source | medium | campaign | channel | platform.
LINKS = [
    # no campaign: the referrer decides
    ("", None, "(direct) | (none) | - | Direct | (organic)"),
    ("", "", "(direct) | (none) | - | Direct | (organic)"),
    ("/pricing", None, "(direct) | (none) | - | Direct | (organic)"),
    (None, None, "(direct) | (none) | - | Direct | (organic)"),
    ("", "https://shop.example/cart", "(direct) | (none) | - | Direct | (organic)"),
    ("", "https://pay.shop.example/done", "(direct) | (none) | - | Direct | (organic)"),
    ("", "https://notshop.example/", "notshop.example | referral | - | Referral | (organic)"),
    ("", "https://blog.other-own.example", "(direct) | (none) | - | Direct | (organic)"),
    ("https://landing.test/a", "https://www.landing.test/b", "(direct) | (none) | - | Direct | (organic)"),
    ("", "about:blank", "(direct) | (none) | - | Direct | (organic)"),
    ("", "https://www.google.com/", "google | organic | - | Organic Search | (organic)"),
    ("", "https://www.google.co.uk/search?q=x", "google | organic | - | Organic Search | (organic)"),
    ("", "HTTPS://WWW.GOOGLE.DE:443/", "google | organic | - | Organic Search | (organic)"),
    ("", "https://google.evil.example/", "google.evil.example | referral | - | Referral | (organic)"),
    ("", "android-app://com.google.android.googlequicksearchbox/", "google | organic | - | Organic Search | (organic)"),
    ("", "https://mail.google.com/", "mail.google.com | referral | - | Email | (organic)"),
    ("", "https://news.google.com/", "news.google.com | referral | - | Referral | (organic)"),
    ("", "https://de.search.yahoo.com/", "yahoo | organic | - | Organic Search | (organic)"),
    ("", "https://duckduckgo.com/", "duckduckgo | organic | - | Organic Search | (organic)"),
    ("", "https://shopping.google.com/", "shopping.google.com | referral | - | Organic Shopping | (organic)"),
    ("", "https://m.facebook.com/", "m.facebook.com | referral | - | Organic Social | (organic)"),
    ("", "https://t.co/abc", "t.co | referral | - | Organic Social | (organic)"),
    ("", "https://www.youtube.com/watch?v=1", "youtube.com | referral | - | Organic Video | (organic)"),
    ("", "https://www.amazon.co.uk/", "amazon.co.uk | referral | - | Organic Shopping | (organic)"),
    ("", "https://user:pw@forum.test:8080/x", "forum.test | referral | - | Referral | (organic)"),
    ("", "www.forum.test/thread", "forum.test | referral | - | Referral | (organic)"),
    ("", "https://[broken", "[broken | referral | - | Referral | (organic)"),
    # UTM parameters, clean and dirty
    ("?utm_source=google&utm_medium=cpc&utm_campaign=Summer", None, "google | cpc | Summer | Paid Search | google"),
    (
        "?UTM_Source=Google&Utm_MEDIUM=CPC&utm_CAMPAIGN=Summer",
        "https://t.co/",
        "google | cpc | Summer | Paid Search | google",
    ),
    (
        "?utm_source=facebook&amp;utm_medium=paid_social&amp;utm_campaign=a",
        None,
        "facebook | paid_social | a | Paid Social | meta",
    ),
    ("?utm_source=fb&utm_medium=cpm", None, "fb | cpm | - | Paid Social | meta"),
    ("?utm_source=ig&utm_medium=social", None, "ig | social | - | Organic Social | (organic)"),
    ("?utm_source=&utm_source=bing&utm_source=google&utm_medium=ppc", None, "bing | ppc | - | Paid Search | microsoft"),
    (
        "?utm_source=news&utm_medium=email&utm_campaign=Caf%C3%A9+%26%20Bar",
        None,
        "news | email | Café & Bar | Email | (organic)",
    ),
    (
        "?utm_source=news&utm_medium=email&utm_campaign=caf%E9%20bar",
        None,
        "news | email | caf%E9%20bar | Email | (organic)",
    ),
    ("?utm_source=news&utm_medium=email&utm_campaign=100%", None, "news | email | 100% | Email | (organic)"),
    ("?utm_source=news&utm_medium=email&utm_campaign=a=b", None, "news | email | a=b | Email | (organic)"),
    ("?utm%5Fsource=news&utm_medium=%20E-Mail%20", None, "news | e-mail | - | Email | (organic)"),
    ("?&&=x&utm_source&utm_medium=sms&utm_source=blast", None, "blast | sms | - | SMS | (organic)"),
    (
        "?utm_source=news&utm_medium=email#utm_source=google&utm_medium=cpc",
        None,
        "news | email | - | Email | (organic)",
    ),
    ("#utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?page=2#/offer?utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("#top?gclid=1", None, "google | cpc | - | Paid Search | google"),
    ("?a=1#section", None, "(direct) | (none) | - | Direct | (organic)"),
    ("http://?utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("/p?utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source=goo\ngle&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source=(direct)&utm_medium=(none)", "https://t.co/", "(direct) | (none) | - | Direct | (organic)"),
    ("?utm_source=(direct)", None, "(direct) | (not set) | - | Direct | (organic)"),
    ("?utm_source=partner", None, "partner | (not set) | - | Unassigned | (unmatched)"),
    ("?utm_medium=cpc", None, "(not set) | cpc | - | Paid Other | (unmatched)"),
    ("?utm_campaign=solo", None, "(not set) | (not set) | solo | Unassigned | (unmatched)"),
    ("?utm_campaign=solo", "https://www.bing.com/", "bing | organic | solo | Organic Search | (organic)"),
    # click ids
    ("?gclid=Abc", "https://www.google.com/", "google | cpc | - | Paid Search | google"),
    ("?GCLID=Abc&utm_source=google", None, "google | cpc | - | Paid Search | google"),
    ("?gclid=", "https://www.google.com/", "google | organic | - | Organic Search | (organic)"),
    ("?gbraid=1", None, "google | cpc | - | Paid Search | google"),
    ("?wbraid=1", None, "google | cpc | - | Paid Search | google"),
    ("?msclkid=1", None, "bing | cpc | - | Paid Search | microsoft"),
    ("?ttclid=1", None, "tiktok | paid_social | - | Paid Social | tiktok"),
    ("?ScCid=1", None, "snapchat | paid_social | - | Paid Social | snapchat"),
    ("?li_fat_id=1", None, "linkedin | paid_social | - | Paid Social | linkedin"),
    ("?rdt_cid=1", None, "reddit | paid_social | - | Paid Social | reddit"),
    ("?twclid=1", None, "twitter | paid_social | - | Paid Social | x"),
    ("?epik=1", None, "pinterest | paid_social | - | Paid Social | pinterest"),
    ("?fbclid=1", "https://l.facebook.com/", "facebook | referral | - | Organic Social | (organic)"),
    ("?fbclid=1&utm_medium=cpc", None, "facebook | cpc | - | Paid Social | meta"),
    ("?fbclid=1&gclid=2", None, "google | cpc | - | Paid Search | google"),
    ("?fbclid=1&utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?gclid=1&utm_source=news&utm_medium=email", None, "news | email | - | Email | (organic)"),
    # partners
    ("?ref=ProductHunt", "https://t.co/", "producthunt | referral | - | Referral | (organic)"),
    ("?creator=Jane", "https://www.instagram.com/", "creator | affiliate | - | Affiliates | creator"),
    ("?utm_source=everflow&utm_medium=affiliate", None, "everflow | affiliate | - | Affiliates | everflow"),
    # the rest of GA4's channels
    (
        "?utm_source=x&utm_medium=cpc&utm_campaign=pmax-cross-network",
        None,
        "x | cpc | pmax-cross-network | Cross-network | x",
    ),
    ("?utm_source=ebay&utm_medium=cpc", None, "ebay | cpc | - | Paid Shopping | (unmatched)"),
    (
        "?utm_source=google&utm_medium=cpc&utm_campaign=shop-all",
        None,
        "google | cpc | shop-all | Paid Shopping | google",
    ),
    ("?utm_source=google&utm_medium=cpc&utm_campaign=workshop", None, "google | cpc | workshop | Paid Search | google"),
    ("?utm_source=youtube&utm_medium=cpv", None, "youtube | cpv | - | Paid Video | google"),
    ("?utm_source=youtube&utm_medium=paid_video", None, "youtube | paid_video | - | Paid Video | google"),
    ("?utm_source=taboola&utm_medium=display", None, "taboola | display | - | Display | (unmatched)"),
    ("?utm_source=taboola&utm_medium=cpm", None, "taboola | cpm | - | Display | (unmatched)"),
    ("?utm_source=podcast&utm_medium=audio", None, "podcast | audio | - | Audio | (unmatched)"),
    ("?utm_source=app&utm_medium=web_push", None, "app | web_push | - | Mobile Push | (organic)"),
    ("?utm_source=foo&utm_medium=bar", None, "foo | bar | - | Unassigned | (unmatched)"),
]


PARAMETERS = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
    "utm_id",
    "ref",
    "creator_code",
)
NAMES = [
    "utm_source",
    "UTM_Medium",
    "utm_campaign",
    "utm%5Fterm",
    "utm_content",
    "utm_id",
    "gclid",
    "FBCLID",
    "ref",
    "creator",
    "q",
    "",
    "utm_sourcex",
    "+utm_source",
]
PIECES = [
    "a",
    "B",
    "%20",
    "+",
    "%C3%A9",
    "%E9",
    "%",
    "%zz",
    "=",
    "ü",
    "%26",
    "%3D",
    "|",
    "'",
    "-",
    "%2B",
    "%25",
    "?",
    "/",
    ";",
    ":",
    "&amp;utm_term=t",
    "🙂",
    "\t",
    "{x}",
    "%00",
]


def random_link(rng: random.Random) -> str:
    """Return a link with the oddities that people and programs write."""

    def pair() -> str:
        value = "".join(rng.choices(PIECES, k=rng.randrange(4)))
        return rng.choice(NAMES) + rng.choice(["=", "=", "=", ""]) + value

    def query() -> str:
        return rng.choice(["&", "&", "&amp;"]).join(pair() for _ in range(rng.randrange(7)))

    link = rng.choice([SHOP, "http://shop.example", "//cdn.shop.example/a", "/p", "shop.example/x", "https://"])
    if rng.random() < 0.8:
        link += "?" + query()
    if rng.random() < 0.3:
        link += "#" + rng.choice(["", "?", "/route?", "utm_source=s&"]) + query()
    return link


def parsed(link: str) -> dict[str, str]:
    """Return the campaign parameters of a link, as Python's own parser reads them."""

    def decoded(text: str) -> str:
        try:
            return unquote_plus(text, errors="strict").strip(" ")
        except UnicodeDecodeError:
            return text.strip(" ")

    split = urlsplit(link.replace("&amp;", "&"))
    fragment = split.fragment
    if not fragment.lower().startswith("utm_"):
        fragment = fragment.partition("?")[2]
    for query in (split.query, fragment):
        found: dict[str, str] = {}
        for pair in query.split("&"):
            name, _, value = pair.partition("=")
            name, value = decoded(name).lower(), decoded(value)
            name = "creator_code" if name == "creator" else name
            value = real_id(value) if name in ("gclid", "fbclid") else value
            if value and name in {*PARAMETERS, "gclid", "fbclid"}:
                found.setdefault(name, value)
        if found:
            return found
    return {}


RANDOM_LINKS = sorted({random_link(random.Random(seed)) for seed in range(3000)})

DEVICES = {
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 Safari/604.1": "mobile",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/125.0 Mobile Safari/537.36": "mobile",
    "Mozilla/5.0 (Linux; Android 13; SM-X700) Chrome/125.0 Safari/537.36": "tablet",
    "Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) Mobile/15E148 Safari/604.1": "tablet",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/125.0 Safari/537.36": "desktop",
    "Mozilla/5.0 (Linux; Android 6.0.1) Mobile Safari/537.36 (compatible; Googlebot/2.1)": "bot",
    "": None,
}

# name: events (minute, given session id, path), and the sources of the touches expected of each session
SESSIONS = {
    "a pause of exactly the timeout goes on": ([(0, None, "/a"), (30, None, "/b")], [["(direct)"]]),
    "a longer pause starts a session": ([(0, None, "/a"), (31, None, "/b")], [["(direct)"], ["(direct)"]]),
    "a new campaign starts a session": (
        [(0, None, "/a?utm_source=one"), (1, None, "/b"), (2, None, "/c?utm_source=two")],
        [["one"], ["two"]],
    ),
    "the same campaign again does not": (
        [(0, None, "/a?utm_source=one"), (1, None, "/b"), (2, None, "/c?utm_source=one")],
        [["one"]],
    ),
    "a campaign of an earlier session is new to this one": (
        [(0, None, "/a?utm_source=one"), (60, None, "/b"), (61, None, "/c?utm_source=one")],
        [["one"], ["(direct)"], ["one"]],
    ),
    "a given session outlasts any pause": ([(0, "s", "/a?utm_source=one"), (600, "s", "/b")], [["one"]]),
    "a given session keeps one landing and counts each new campaign": (
        [(0, "s", "/a"), (1, "s", "/b?gclid=1"), (2, "s", "/c?gclid=1"), (3, "s", "/d?gclid=2")],
        [["(direct)", "google", "google"]],
    ),
    "an event without a session id goes on with the given one": (
        [(0, "s", "/a?utm_source=one"), (1, None, "/b"), (2, "s", "/c")],
        [["one"]],
    ),
    "two given sessions side by side are two": (
        [(0, "s", "/a?utm_source=one"), (1, "t", "/a?utm_source=two"), (2, "s", "/b"), (3, "t", "/b")],
        [["one"], ["two"]],
    ),
    "an event without a page is no touch": ([(0, None, None)], []),
    "the landing is the first page": ([(0, None, None), (1, None, "/a?utm_source=one")], [["one"]]),
}


def insert_event(connection: Connection, org: str, visitor: str, minute: int = 0, **values: object) -> None:
    values = {"site_id": "shop", "type": "PAGE_VIEW", **values}
    values.setdefault("event_id", f"{visitor}-{minute:04}")
    at = NOON + timedelta(minutes=minute)
    insert(connection, "events", org_id=org, occurred_at=at, anon_id=visitor, **values)


def insert_links(connection: Connection) -> None:
    for number, (url, referrer, _) in enumerate(LINKS):
        address = SHOP + url if url is not None and url[:1] in ("", "?", "#") else url
        insert_event(connection, "links", f"link-{number}", url=address, referrer=referrer)
    for number, user_agent in enumerate(DEVICES):
        insert_event(connection, "links", f"device-{number}", path="/", user_agent=user_agent)
    enrich(connection)  # every load classifies the user agents
    for number, url in enumerate(RANDOM_LINKS):
        insert_event(connection, "random", f"random-{number}", url=url)


def insert_sessions(connection: Connection) -> None:
    for name, (events, _) in SESSIONS.items():
        for minute, session_id, path in events:
            kind = "PAGE_VIEW" if path else "CUSTOM"
            insert_event(connection, "sessions", name, minute, session_id=session_id, path=path, type=kind)
    # Three events at the same time: the first page view is the landing, whatever the ids are.
    for event_id, kind in [("0", "CUSTOM"), ("1", "PAGE_VIEW"), ("2", "PAGE_VIEW")]:
        path = f"/{event_id}"
        insert_event(connection, "sessions", "tie", event_id=event_id, type=kind, path=path, session_id="tie")


# interaction -> expected (channel, platform, campaign_id, campaign_match, touch_type) of its touchpoint
INTERACTIONS = [
    ({"channel": "Paid Search", "campaign_id": "g1"}, ("Paid Search", "google", "g1", "id", "visit")),
    ({"channel": "Paid Search", "campaign": "g1"}, ("Paid Search", "google", "g1", "id", "visit")),
    (
        {"source": "google", "medium": "cpc", "campaign": "SUMMER%20sale_2026"},
        ("Paid Search", "google", "g1", "name", "visit"),
    ),
    (
        {"source": "google", "medium": "cpc", "campaign": "spring sale"},
        ("Paid Search", "google", "g1", "name", "visit"),
    ),
    (
        {"channel": "Paid Social", "platform": "Facebook", "campaign": "summer-sale 2026"},
        ("Paid Social", "meta", "m1", "name", "visit"),
    ),
    ({"channel": "Display", "campaign": "Summer Sale 2026"}, ("Display", "(unmatched)", None, "none", "visit")),
    ({"channel": "Display", "campaign": "only tiktok"}, ("Display", "tiktok", "t1", "name", "visit")),
    ({"channel": "Display", "ad_id": "t1-ad"}, ("Display", "tiktok", "t1", "id", "visit")),
    (
        {"channel": "Paid Search", "platform": "google", "campaign_id": "nowhere"},
        ("Paid Search", "google", "nowhere", "declared", "visit"),
    ),
    (
        {"channel": "Paid Search", "platform": "google", "campaign_id": "m1"},
        ("Paid Search", "google", "m1", "declared", "visit"),
    ),
    (
        {"channel": "Email", "campaign": "only tiktok", "touch_type": "e-mail"},
        ("Email", "(organic)", None, "none", "email"),
    ),
    ({"channel": "Facebook", "touch_type": "Impression"}, ("Facebook", "meta", None, "none", "view")),
    ({"channel": "Online Display"}, ("Online Display", "(unmatched)", None, "none", "visit")),
    ({"channel": "direct"}, ("direct", "(organic)", None, "none", "visit")),
    ({"touch_type": "email_click"}, ("Email", "(organic)", None, "none", "email")),
    ({"touch_type": "carrier pigeon"}, ("Unassigned", "(unmatched)", None, "none", "visit")),
    (
        {"channel": "Affiliates", "source": "Everflow", "campaign_id": "e1"},
        ("Affiliates", "everflow", "e1", "id", "visit"),
    ),
]


def insert_campaigns(connection: Connection) -> None:
    for day, platform, campaign_id, name, ad_id in [
        (1, "google", "g1", "Spring Sale", None),
        (2, "google", "g1", "Summer Sale - 2026", None),
        (1, "meta", "m1", "Summer Sale 2026", "m1-ad"),
        (1, "tiktok", "t1", "Only TikTok", "t1-ad"),
        (1, "meta", "m2", "Another", None),
        (1, "everflow", "e1", "Partners", None),
    ]:
        insert(
            connection,
            "ad_spend",
            org_id="campaigns",
            platform=platform,
            account_id="1",
            campaign_id=campaign_id,
            adset_id=ad_id and f"{campaign_id}-set",
            ad_id=ad_id,
            date=NOON.date() + timedelta(days=day),
            currency="USD",
            campaign=name,
            spend_micros=1,
        )
    for number, (values, _) in enumerate(INTERACTIONS):
        known = {"org_id": "campaigns", "interaction_id": f"i{number:02}", "visitor_id": "v"}
        insert(connection, "interactions", occurred_at=NOON, **known, **values)
    for name, query in {"agreeing": "utm_campaign=summer", "another": "utm_campaign=m2"}.items():
        url = f"/?utm_source=facebook&utm_medium=cpc&utm_content=m1-ad&{query}"
        insert_event(connection, "campaigns", name, url=url)


def insert_people(connection: Connection) -> None:
    for hour, customer in enumerate([None, "ann", None, "ben", None, "ann", None]):
        insert_event(connection, "people", "shared", 60 * hour, user_id=customer, path="/")
    for org in ("people", "strangers"):
        insert_event(connection, org, "alone", path="/")
    known = {"org_id": "people", "visitor_id": "alone", "customer_id": "zoe", "conversion_type": "purchase"}
    insert(connection, "conversions", conversion_id="c", occurred_at=NOON + timedelta(days=9), **known)


@pytest.fixture(scope="module")
def warehouse(new_home: Callable[[str], Path]) -> Iterator[Connection]:
    home = new_home("touchpoints")
    with connect(Home(home)) as connection:
        connection.execute("begin")
        for org in ("links", "random", "sessions", "campaigns", "people", "strangers"):
            insert(connection, "orgs", org_id=org, currency="USD", timezone="UTC", lookback_days=30)
            site = {"site_id": "shop", "org_id": org, "domains": ["WWW.shop.example", "other-own.example"]}
            insert(connection, "sites", **site, exclude_bots=org != "links", exclude_suspicious=False)
        for insert_world in (insert_links, insert_sessions, insert_campaigns, insert_people):
            insert_world(connection)
        insert_event(connection, "vanished", "v", path="/")
        connection.execute("commit")
    build_models(home, "+touchpoints")
    with connect(Home(home), read_only=True) as connection:
        yield connection


def rows(warehouse: Connection, sql: str, *values: object) -> list[tuple]:
    return warehouse.execute(sql, values).fetchall()


def test_each_link_has_its_source_medium_and_channel(warehouse: Connection) -> None:
    found = dict(
        rows(
            warehouse,
            """
        select visitor_id, concat_ws(' | ', source, medium, coalesce(campaign, '-'), channel, platform)
        from marts.touchpoints where org_id = 'links'""",
        )
    )
    answers = [(*link, found.get(f"link-{number}")) for number, (*link, _) in enumerate(LINKS)]
    assert [answer for answer, link in zip(answers, LINKS, strict=True) if answer != link] == []


def test_a_user_agent_determines_the_device_type(warehouse: Connection) -> None:
    sql = "select visitor_id, device_type from marts.touchpoints where org_id = 'links'"
    found = dict(rows(warehouse, sql))
    assert {agent: found[f"device-{number}"] for number, agent in enumerate(DEVICES)} == DEVICES


def test_random_links_parse_as_python_parses_them(warehouse: Connection) -> None:
    columns = ", ".join(PARAMETERS)
    found = {}
    for url, kind, click_id, *values in rows(
        warehouse, f"select page_url, click_id_type, click_id, {columns} from intermediate.int_urls"
    ):
        named = {**dict(zip(PARAMETERS, values, strict=True)), kind: click_id}
        found[url] = {name: value for name, value in named.items() if value is not None}
    expected = {link: parsed(link) for link in RANDOM_LINKS}
    for parameters in expected.values():
        if "gclid" in parameters:
            parameters.pop("fbclid", None)
    assert {link: found[link] for link in RANDOM_LINKS} == expected
    assert sum(map(bool, expected.values())) > len(expected) / 4


@pytest.mark.parametrize("name", SESSIONS)
def test_events_form_the_expected_sessions(warehouse: Connection, name: str) -> None:
    found = rows(
        warehouse,
        """
        select list(source order by occurred_at) from marts.touchpoints
        where org_id = 'sessions' and visitor_id = ?
        group by session_id order by min(occurred_at)""",
        name,
    )
    assert [sources for (sources,) in found] == SESSIONS[name][1]


def test_the_page_view_with_the_smallest_id_is_the_landing_of_events_at_one_time(
    warehouse: Connection,
) -> None:
    found = rows(warehouse, "select landing_url, session_id from marts.touchpoints where visitor_id = 'tie'")
    assert found == [("/1", "tie")]


def test_interactions_keep_their_values_and_match_their_campaign(warehouse: Connection) -> None:
    found = rows(
        warehouse,
        """
        select channel, platform, campaign_id, campaign_match, touch_type from marts.touchpoints
        where org_id = 'campaigns' and session_id is null order by touchpoint_id""",
    )
    assert found == [expected for _, expected in INTERACTIONS]


def test_a_web_link_names_its_ad_only_where_the_campaign_agrees(warehouse: Connection) -> None:
    found = rows(
        warehouse,
        """
        select visitor_id, campaign_id, adset_id, ad_id from marts.touchpoints
        where org_id = 'campaigns' and session_id is not null order by visitor_id""",
    )
    assert found == [("agreeing", "m1", "m1-set", "m1-ad"), ("another", "m2", None, None)]


def test_an_anonymous_touch_belongs_to_the_next_customer_else_to_the_last(
    warehouse: Connection,
) -> None:
    found = rows(
        warehouse,
        """
        select customer_id, person_key from marts.touchpoints
        where org_id = 'people' and visitor_id = 'shared' order by occurred_at""",
    )
    assert found == [(who, f"c:{who}") for who in ("ann", "ann", "ben", "ben", "ann", "ann", "ann")]


def test_one_visitor_id_in_two_orgs_is_two_people(warehouse: Connection) -> None:
    found = rows(
        warehouse,
        """
        select org_id, person_key from marts.touchpoints where visitor_id = 'alone' order by org_id""",
    )
    assert found == [("people", "c:zoe"), ("strangers", "v:alone")]


def test_an_org_missing_from_the_settings_has_no_touchpoints(warehouse: Connection) -> None:
    assert rows(warehouse, "select count(*) from marts.touchpoints where org_id = 'vanished'") == [(0,)]
