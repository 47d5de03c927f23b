"""Raw rows -> dbt -> marts.touchpoints: hard links, sessions, campaigns and identity, each against what a person expects.

One small warehouse is built once: each org in it is one world (links, sessions, campaigns, people, random).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote_plus, urlsplit

import duckdb
import pytest

from ingestion.home import SCHEMAS

PROJECT = Path(__file__).parents[1] / "dbt_project"
NOON = datetime(2026, 7, 1, 12)
SHOP = "https://www.shop.example/"
DIRECT = ("(direct)", "(none)", None, "Direct", "(organic)")

# address, referrer, (source, medium, campaign, channel, platform)
LINKS = [
    # no campaign: the referrer decides
    (SHOP, None, DIRECT),
    (SHOP, "", DIRECT),
    ("/pricing", None, DIRECT),
    (None, None, DIRECT),
    (SHOP, "https://shop.example/cart", DIRECT),
    (SHOP, "https://pay.shop.example/done", DIRECT),
    (SHOP, "https://notshop.example/", ("notshop.example", "referral", None, "Referral", "(organic)")),
    (SHOP, "https://blog.other-own.example", DIRECT),
    ("https://landing.test/a", "https://www.landing.test/b", DIRECT),
    (SHOP, "about:blank", DIRECT),
    (SHOP, "https://www.google.com/", ("google", "organic", None, "Organic Search", "(organic)")),
    (SHOP, "https://www.google.co.uk/search?q=x", ("google", "organic", None, "Organic Search", "(organic)")),
    (SHOP, "HTTPS://WWW.GOOGLE.DE:443/", ("google", "organic", None, "Organic Search", "(organic)")),
    (SHOP, "https://google.evil.example/", ("google.evil.example", "referral", None, "Referral", "(organic)")),
    (SHOP, "android-app://com.google.android.googlequicksearchbox/",
     ("google", "organic", None, "Organic Search", "(organic)")),
    (SHOP, "https://mail.google.com/", ("mail.google.com", "referral", None, "Email", "(organic)")),
    (SHOP, "https://news.google.com/", ("news.google.com", "referral", None, "Referral", "(organic)")),
    (SHOP, "https://de.search.yahoo.com/", ("yahoo", "organic", None, "Organic Search", "(organic)")),
    (SHOP, "https://duckduckgo.com/", ("duckduckgo", "organic", None, "Organic Search", "(organic)")),
    (SHOP, "https://m.facebook.com/", ("m.facebook.com", "referral", None, "Organic Social", "(organic)")),
    (SHOP, "https://t.co/abc", ("t.co", "referral", None, "Organic Social", "(organic)")),
    (SHOP, "https://www.youtube.com/watch?v=1", ("youtube.com", "referral", None, "Organic Video", "(organic)")),
    (SHOP, "https://www.amazon.co.uk/", ("amazon.co.uk", "referral", None, "Organic Shopping", "(organic)")),
    (SHOP, "https://user:pw@forum.test:8080/x", ("forum.test", "referral", None, "Referral", "(organic)")),
    (SHOP, "www.forum.test/thread", ("forum.test", "referral", None, "Referral", "(organic)")),
    (SHOP, "https://[broken", ("[broken", "referral", None, "Referral", "(organic)")),
    # UTM parameters, clean and dirty
    (SHOP + "?utm_source=google&utm_medium=cpc&utm_campaign=Summer", None,
     ("google", "cpc", "Summer", "Paid Search", "google")),
    (SHOP + "?UTM_Source=Google&Utm_MEDIUM=CPC&utm_CAMPAIGN=Summer", "https://t.co/",
     ("google", "cpc", "Summer", "Paid Search", "google")),
    (SHOP + "?utm_source=facebook&amp;utm_medium=paid_social&amp;utm_campaign=a", None,
     ("facebook", "paid_social", "a", "Paid Social", "meta")),
    (SHOP + "?utm_source=fb&utm_medium=cpm", None, ("fb", "cpm", None, "Paid Social", "meta")),
    (SHOP + "?utm_source=ig&utm_medium=social", None, ("ig", "social", None, "Organic Social", "(organic)")),
    (SHOP + "?utm_source=&utm_source=bing&utm_source=google&utm_medium=ppc", None,
     ("bing", "ppc", None, "Paid Search", "microsoft")),
    (SHOP + "?utm_source=news&utm_medium=email&utm_campaign=Caf%C3%A9+%26%20Bar", None,
     ("news", "email", "Café & Bar", "Email", "(organic)")),
    (SHOP + "?utm_source=news&utm_medium=email&utm_campaign=caf%E9%20bar", None,
     ("news", "email", "caf%E9%20bar", "Email", "(organic)")),
    (SHOP + "?utm_source=news&utm_medium=email&utm_campaign=100%", None,
     ("news", "email", "100%", "Email", "(organic)")),
    (SHOP + "?utm_source=news&utm_medium=email&utm_campaign=a=b", None,
     ("news", "email", "a=b", "Email", "(organic)")),
    (SHOP + "?utm%5Fsource=news&utm_medium=%20E-Mail%20", None, ("news", "e-mail", None, "Email", "(organic)")),
    (SHOP + "?&&=x&utm_source&utm_medium=sms&utm_source=blast", None, ("blast", "sms", None, "SMS", "(organic)")),
    (SHOP + "?utm_source=news&utm_medium=email#utm_source=google&utm_medium=cpc", None,
     ("news", "email", None, "Email", "(organic)")),
    (SHOP + "#utm_source=google&utm_medium=cpc", None, ("google", "cpc", None, "Paid Search", "google")),
    (SHOP + "?page=2#/offer?utm_source=google&utm_medium=cpc", None,
     ("google", "cpc", None, "Paid Search", "google")),
    (SHOP + "#top?gclid=1", None, ("google", "cpc", None, "Paid Search", "google")),
    (SHOP + "?a=1#section", None, DIRECT),
    ("http://?utm_source=google&utm_medium=cpc", None, ("google", "cpc", None, "Paid Search", "google")),
    ("/p?utm_source=google&utm_medium=cpc", None, ("google", "cpc", None, "Paid Search", "google")),
    (SHOP + "?utm_source=goo\ngle&utm_medium=cpc", None, ("google", "cpc", None, "Paid Search", "google")),
    (SHOP + "?utm_source=(direct)&utm_medium=(none)", "https://t.co/",
     ("(direct)", "(none)", None, "Direct", "(organic)")),
    (SHOP + "?utm_source=(direct)", None, ("(direct)", "(not set)", None, "Direct", "(organic)")),
    (SHOP + "?utm_source=partner", None, ("partner", "(not set)", None, "Unassigned", "(unmatched)")),
    (SHOP + "?utm_medium=cpc", None, ("(not set)", "cpc", None, "Paid Other", "(unmatched)")),
    (SHOP + "?utm_campaign=solo", None, ("(not set)", "(not set)", "solo", "Unassigned", "(unmatched)")),
    (SHOP + "?utm_campaign=solo", "https://www.bing.com/", ("bing", "organic", "solo", "Organic Search", "(organic)")),
    # click ids
    (SHOP + "?gclid=Abc", "https://www.google.com/", ("google", "cpc", None, "Paid Search", "google")),
    (SHOP + "?GCLID=Abc&utm_source=google", None, ("google", "cpc", None, "Paid Search", "google")),
    (SHOP + "?gclid=", "https://www.google.com/", ("google", "organic", None, "Organic Search", "(organic)")),
    (SHOP + "?gbraid=1", None, ("google", "cpc", None, "Paid Search", "google")),
    (SHOP + "?wbraid=1", None, ("google", "cpc", None, "Paid Search", "google")),
    (SHOP + "?msclkid=1", None, ("bing", "cpc", None, "Paid Search", "microsoft")),
    (SHOP + "?ttclid=1", None, ("tiktok", "paid_social", None, "Paid Social", "tiktok")),
    (SHOP + "?ScCid=1", None, ("snapchat", "paid_social", None, "Paid Social", "snapchat")),
    (SHOP + "?li_fat_id=1", None, ("linkedin", "paid_social", None, "Paid Social", "linkedin")),
    (SHOP + "?rdt_cid=1", None, ("reddit", "paid_social", None, "Paid Social", "reddit")),
    (SHOP + "?twclid=1", None, ("twitter", "paid_social", None, "Paid Social", "x")),
    (SHOP + "?epik=1", None, ("pinterest", "paid_social", None, "Paid Social", "pinterest")),
    (SHOP + "?fbclid=1", "https://l.facebook.com/", ("facebook", "referral", None, "Organic Social", "(organic)")),
    (SHOP + "?fbclid=1&utm_medium=cpc", None, ("facebook", "cpc", None, "Paid Social", "meta")),
    (SHOP + "?fbclid=1&gclid=2", None, ("google", "cpc", None, "Paid Search", "google")),
    (SHOP + "?fbclid=1&utm_source=google&utm_medium=cpc", None, ("google", "cpc", None, "Paid Search", "google")),
    (SHOP + "?gclid=1&utm_source=news&utm_medium=email", None, ("news", "email", None, "Email", "(organic)")),
    # partners
    (SHOP + "?ref=ProductHunt", "https://t.co/", ("producthunt", "referral", None, "Referral", "(organic)")),
    (SHOP + "?creator=Jane", "https://www.instagram.com/", ("creator", "affiliate", None, "Affiliates", "creator")),
    (SHOP + "?utm_source=everflow&utm_medium=affiliate", None,
     ("everflow", "affiliate", None, "Affiliates", "everflow")),
    # the rest of GA4's channels
    (SHOP + "?utm_source=x&utm_medium=cpc&utm_campaign=pmax-cross-network", None,
     ("x", "cpc", "pmax-cross-network", "Cross-network", "x")),
    (SHOP + "?utm_source=ebay&utm_medium=cpc", None, ("ebay", "cpc", None, "Paid Shopping", "(unmatched)")),
    (SHOP + "?utm_source=google&utm_medium=cpc&utm_campaign=shop-all", None,
     ("google", "cpc", "shop-all", "Paid Shopping", "google")),
    (SHOP + "?utm_source=google&utm_medium=cpc&utm_campaign=workshop", None,
     ("google", "cpc", "workshop", "Paid Search", "google")),
    (SHOP + "?utm_source=youtube&utm_medium=cpv", None, ("youtube", "cpv", None, "Paid Video", "google")),
    (SHOP + "?utm_source=youtube&utm_medium=paid_video", None, ("youtube", "paid_video", None, "Paid Video", "google")),
    (SHOP + "?utm_source=taboola&utm_medium=display", None, ("taboola", "display", None, "Display", "(unmatched)")),
    (SHOP + "?utm_source=taboola&utm_medium=cpm", None, ("taboola", "cpm", None, "Display", "(unmatched)")),
    (SHOP + "?utm_source=podcast&utm_medium=audio", None, ("podcast", "audio", None, "Audio", "(unmatched)")),
    (SHOP + "?utm_source=app&utm_medium=web_push", None, ("app", "web_push", None, "Mobile Push", "(organic)")),
    (SHOP + "?utm_source=foo&utm_medium=bar", None, ("foo", "bar", None, "Unassigned", "(unmatched)")),
]


def random_link(rng: random.Random) -> str:
    """A link with whatever people and programs do to links."""
    names = ["utm_source", "UTM_Medium", "utm_campaign", "utm%5Fterm", "utm_content", "utm_id", "gclid", "FBCLID",
             "ref", "creator", "q", "", "utm_sourcex", "+utm_source"]
    pieces = ["a", "B", "%20", "+", "%C3%A9", "%E9", "%", "%zz", "=", "ü", "%26", "%3D", "|", "'", "-", "%2B", "%25",
              "?", "/", ";", ":", "&amp;utm_term=t", "🙂", "\t", "{x}"]
    def query() -> str:
        return rng.choice(["&", "&", "&amp;"]).join(
            rng.choice(names) + rng.choice(["=", "=", "=", ""]) + "".join(rng.choices(pieces, k=rng.randrange(4)))
            for _ in range(rng.randrange(7)))
    link = rng.choice([SHOP, "http://shop.example", "//cdn.shop.example/a", "/p", "shop.example/x", "https://"])
    if rng.random() < 0.8:
        link += "?" + query()
    if rng.random() < 0.3:
        link += "#" + rng.choice(["", "?", "/route?", "utm_source=s&"]) + query()
    return link


def parsed(link: str) -> dict[str, str]:
    """The campaign parameters of a link, by Python's own parser."""
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
            if value and name in {"utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "utm_id",
                                  "gclid", "fbclid", "ref", "creator"}:
                found.setdefault(name, value)
        if found:
            return found
    return {}


RANDOM_LINKS = sorted({random_link(random.Random(seed)) for seed in range(3000)})

# name: events (minute, given session id, path), sources of the touches expected of them
SESSIONS = {
    "a pause of exactly the timeout goes on": (
        [(0, None, "/a"), (30, None, "/b")], ["(direct)"]),
    "a longer pause starts a session": (
        [(0, None, "/a"), (31, None, "/b")], ["(direct)", "(direct)"]),
    "a new campaign starts a session": (
        [(0, None, "/a?utm_source=one"), (1, None, "/b"), (2, None, "/c?utm_source=two")], ["one", "two"]),
    "the same campaign again does not": (
        [(0, None, "/a?utm_source=one"), (1, None, "/b"), (2, None, "/c?utm_source=one")], ["one"]),
    "a campaign of an earlier session is new to this one": (
        [(0, None, "/a?utm_source=one"), (60, None, "/b"), (61, None, "/c?utm_source=one")], ["one", "(direct)", "one"]),
    "a given session outlasts any pause": (
        [(0, "s", "/a?utm_source=one"), (600, "s", "/b")], ["one"]),
    "a given session keeps one landing and counts each new campaign": (
        [(0, "s", "/a"), (1, "s", "/b?gclid=1"), (2, "s", "/c?gclid=1"), (3, "s", "/d?gclid=2")],
        ["(direct)", "google", "google"]),
    "an event without a session id goes on with the given one": (
        [(0, "s", "/a?utm_source=one"), (1, None, "/b"), (2, "s", "/c")], ["one"]),
    "two given sessions side by side are two": (
        [(0, "s", "/a?utm_source=one"), (1, "t", "/a?utm_source=two"), (2, "s", "/b"), (3, "t", "/b")], ["one", "two"]),
    "an event without a page is no touch": (
        [(0, None, None)], []),
    "the landing is the first page": (
        [(0, None, None), (1, None, "/a?utm_source=one")], ["one"]),
}


def insert(connection: duckdb.DuckDBPyConnection, table: str, **values: object) -> None:
    values |= {"_content_hash": "", "_load_id": "load", "_loaded_at": NOON}
    places = ", ".join("?" * len(values))
    connection.execute(f"insert into raw.{table} ({', '.join(values)}) values ({places})", list(values.values()))


def insert_event(connection: duckdb.DuckDBPyConnection, org: str, visitor: str, minute: int = 0, **values: object) -> None:
    values = {"site_id": "shop", "type": "PAGE_VIEW", **values}
    values.setdefault("event_id", f"{visitor}-{minute:04}")
    at = NOON + timedelta(minutes=minute)
    insert(connection, "events", org_id=org, occurred_at=at, anon_id=visitor, **values)


def insert_links(connection: duckdb.DuckDBPyConnection) -> None:
    for number, (url, referrer, _) in enumerate(LINKS):
        insert_event(connection, "links", f"link-{number}", url=url, referrer=referrer)
    for number, url in enumerate(RANDOM_LINKS):
        insert_event(connection, "random", f"random-{number}", url=url)


def insert_sessions(connection: duckdb.DuckDBPyConnection) -> None:
    for name, (events, _) in SESSIONS.items():
        for minute, session_id, path in events:
            kind = "PAGE_VIEW" if path else "CUSTOM"
            insert_event(connection, "sessions", name, minute, session_id=session_id, path=path, type=kind)
    # Three events of one moment: the page view is the landing, whatever the ids say.
    for event_id, kind in [("0", "CUSTOM"), ("1", "PAGE_VIEW"), ("2", "PAGE_VIEW")]:
        insert_event(connection, "sessions", "tie", event_id=event_id, type=kind, path=f"/{event_id}", session_id="tie")


# interaction -> what the touchpoint says of (channel, platform, campaign_id, campaign_match, touch_type)
INTERACTIONS = [
    ({"channel": "Paid Search", "campaign_id": "g1"}, ("Paid Search", "google", "g1", "id", "visit")),
    ({"channel": "Paid Search", "campaign": "g1"}, ("Paid Search", "google", "g1", "id", "visit")),
    ({"source": "google", "medium": "cpc", "campaign": "SUMMER%20sale_2026"},
     ("Paid Search", "google", "g1", "name", "visit")),
    ({"source": "google", "medium": "cpc", "campaign": "spring sale"}, ("Paid Search", "google", "g1", "name", "visit")),
    ({"channel": "Paid Social", "platform": "Facebook", "campaign": "summer-sale 2026"},
     ("Paid Social", "meta", "m1", "name", "visit")),
    ({"channel": "Display", "campaign": "Summer Sale 2026"}, ("Display", "(unmatched)", None, "none", "visit")),
    ({"channel": "Display", "campaign": "only tiktok"}, ("Display", "tiktok", "t1", "name", "visit")),
    ({"channel": "Display", "ad_id": "t1-ad"}, ("Display", "tiktok", "t1", "id", "visit")),
    ({"channel": "Paid Search", "platform": "google", "campaign_id": "nowhere"},
     ("Paid Search", "google", "nowhere", "declared", "visit")),
    ({"channel": "Paid Search", "platform": "google", "campaign_id": "m1"},
     ("Paid Search", "google", "m1", "declared", "visit")),
    ({"channel": "Email", "campaign": "only tiktok", "touch_type": "e-mail"},
     ("Email", "(organic)", None, "none", "email")),
    ({"channel": "Facebook", "touch_type": "Impression"}, ("Facebook", "meta", None, "none", "view")),
    ({"channel": "Online Display"}, ("Online Display", "(unmatched)", None, "none", "visit")),
    ({"channel": "direct"}, ("direct", "(organic)", None, "none", "visit")),
    ({"touch_type": "email_click"}, ("Email", "(organic)", None, "none", "email")),
    ({"touch_type": "carrier pigeon"}, ("Unassigned", "(unmatched)", None, "none", "visit")),
    ({"channel": "Affiliates", "source": "Everflow", "campaign_id": "e1"},
     ("Affiliates", "everflow", "e1", "id", "visit")),
]


def insert_campaigns(connection: duckdb.DuckDBPyConnection) -> None:
    for day, platform, campaign_id, name, ad_id in [
        (1, "google", "g1", "Spring Sale", None), (2, "google", "g1", "Summer Sale - 2026", None),
        (1, "facebook", "m1", "Summer Sale 2026", "m1-ad"), (1, "tiktok", "t1", "Only TikTok", "t1-ad"),
        (1, "meta", "m2", "Another", None), (1, "everflow", "e1", "Partners", None),
    ]:
        insert(connection, "ad_spend", org_id="campaigns", platform=platform, account_id="1", campaign_id=campaign_id,
               adset_id=ad_id and f"{campaign_id}-set", ad_id=ad_id, date=NOON.date() + timedelta(days=day),
               currency="USD", campaign=name, spend_micros=1)
    for number, (values, _) in enumerate(INTERACTIONS):
        insert(connection, "interactions", org_id="campaigns", interaction_id=f"i{number:02}", occurred_at=NOON,
               visitor_id="v", **values)
    for name, query in {"agreeing": "utm_campaign=summer", "another": "utm_campaign=m2"}.items():
        url = f"/?utm_source=facebook&utm_medium=cpc&utm_content=m1-ad&{query}"
        insert_event(connection, "campaigns", name, url=url)


def insert_people(connection: duckdb.DuckDBPyConnection) -> None:
    for minute, customer in [(0, None), (60, "ann"), (120, None), (180, "ben"), (240, None), (300, "ann"), (360, None)]:
        insert_event(connection, "people", "shared", minute, user_id=customer, path="/")
    for org in ("people", "strangers"):
        insert_event(connection, org, "alone", path="/")
    insert(connection, "conversions", org_id="people", conversion_id="c", occurred_at=NOON + timedelta(days=9),
           visitor_id="alone", customer_id="zoe", conversion_type="purchase")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    folder = tmp_path_factory.mktemp("touchpoints")
    path = folder / "warehouse.duckdb"
    with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.5.0"}) as connection:
        connection.execute("create schema raw")
        for ddl in sorted(SCHEMAS.glob("*.sql")):
            connection.execute(ddl.read_text())
        connection.execute("begin")
        for org in ("links", "random", "sessions", "campaigns", "people", "strangers"):
            connection.execute("insert into raw.orgs values (?, 'USD', 'UTC', 30, null, null)", [org])
            connection.execute(
                "insert into raw.sites values ('shop', ?, null, ['WWW.shop.example', 'other-own.example'])", [org])
        for insert_world in (insert_links, insert_sessions, insert_campaigns, insert_people):
            insert_world(connection)
        insert_event(connection, "vanished", "v", path="/")
        connection.execute("commit")
    environment = os.environ | {
        "TRIBUTARY_WAREHOUSE": str(path), "TRIBUTARY_TEMPORARY": str(folder), "TRIBUTARY_MEMORY_LIMIT": "2GB",
        "DBT_LOG_PATH": str(folder),
    }
    command = ["build", "--select", "+touchpoints", "--profiles-dir", ".", "--target-path", str(folder / "target")]
    done = subprocess.run([str(Path(sys.executable).with_name("dbt")), *command], cwd=PROJECT, env=environment,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:]
    return duckdb.connect(str(path), read_only=True)


def rows(warehouse: duckdb.DuckDBPyConnection, sql: str, *values: object) -> list[tuple]:
    return warehouse.execute(sql, values).fetchall()


def test_each_link_has_the_source_and_channel_a_person_would_say(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = dict(rows(warehouse, """
        select visitor_id, (source, medium, campaign, channel, platform) from marts.touchpoints where org_id = 'links'"""))
    wrong = [(link, expected, found.get(f"link-{number}")) for number, (*link, expected) in enumerate(LINKS)
             if found.get(f"link-{number}") != expected]
    assert wrong == []


def test_random_links_parse_as_python_parses_them(warehouse: duckdb.DuckDBPyConnection) -> None:
    names = ["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "utm_id", "ref", "creator_code"]
    found = {row[0]: dict(zip([*names, row[-2]], [*row[1:-2], row[-1]], strict=True)) for row in rows(
        warehouse, f"select page_url, {', '.join(names)}, click_id_type, click_id from intermediate.int_urls")}
    wrong = []
    for link in RANDOM_LINKS:
        expected = parsed(link)
        if "creator" in expected:
            expected["creator_code"] = expected.pop("creator")
        if "gclid" in expected:
            expected.pop("fbclid", None)
        actual = {name: value for name, value in found[link].items() if value is not None}
        if actual != expected:
            wrong.append((link, expected, actual))
    assert wrong == []
    assert sum(bool(parsed(link)) for link in RANDOM_LINKS) > len(RANDOM_LINKS) / 4


@pytest.mark.parametrize("name", SESSIONS)
def test_sessions(warehouse: duckdb.DuckDBPyConnection, name: str) -> None:
    found = rows(warehouse, """
        select source from marts.touchpoints where org_id = 'sessions' and visitor_id = ? order by occurred_at""", name)
    assert [source for (source,) in found] == SESSIONS[name][1]


def test_of_three_events_at_once_the_page_view_with_the_smallest_id_is_the_landing(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(warehouse, "select landing_url, session_id from marts.touchpoints where visitor_id = 'tie'")
    assert found == [("/1", "tie")]


def test_interactions_keep_what_they_say_and_find_their_campaign(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = rows(warehouse, """
        select channel, platform, campaign_id, campaign_match, touch_type from marts.touchpoints
        where org_id = 'campaigns' and session_id is null order by touchpoint_id""")
    assert found == [expected for _, expected in INTERACTIONS]


def test_a_web_link_names_its_ad_only_where_the_campaign_agrees(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = rows(warehouse, """
        select visitor_id, campaign_id, adset_id, ad_id from marts.touchpoints
        where org_id = 'campaigns' and session_id is not null order by visitor_id""")
    assert found == [("agreeing", "m1", "m1-set", "m1-ad"), ("another", "m2", None, None)]


def test_an_anonymous_touch_belongs_to_who_identifies_next_and_at_last_to_the_last(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(warehouse, """
        select customer_id, person_key from marts.touchpoints
        where org_id = 'people' and visitor_id = 'shared' order by occurred_at""")
    assert found == [(who, f"c:{who}") for who in ("ann", "ann", "ben", "ben", "ann", "ann", "ann")]


def test_one_visitor_id_in_two_orgs_is_two_people(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = rows(warehouse, """
        select org_id, person_key from marts.touchpoints where visitor_id = 'alone' order by org_id""")
    assert found == [("people", "c:zoe"), ("strangers", "v:alone")]


def test_an_org_that_left_the_settings_has_no_touchpoints(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert rows(warehouse, "select count(*) from marts.touchpoints where org_id = 'vanished'") == [(0,)]
