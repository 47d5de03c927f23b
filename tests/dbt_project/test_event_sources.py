"""Build touches and orders from events that state their source, and from the exports of analytics tools that do.

One warehouse is built once, from the fixtures of the layouts and a file of the plain contract.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.settings.raw_tables import store_settings
from ingestion.user_agents import enrich
from ingestion.warehouse import connect
from tests.support.home import ROOT
from tests.support.models import Project, import_files

LAYOUTS = ROOT / "tests" / "fixtures" / "layouts"
EXPORTS = (
    ("ga4", "events.ndjson"),
    ("segment", "calls.ndjson"),
    ("segment", "pages.csv"),
    ("segment", "rudderstack_tracks.csv"),
    ("snowplow", "atomic_events.csv"),
)
SETTINGS = """
orgs: [{id: default, currency: EUR, timezone: UTC}]
sites:
  - {id: shop, org: default, domains: [shop.example], exclude_bots: false}
  - {id: "7001", org: default, domains: [tea.example], exclude_bots: false}
  - {id: tea, org: default, domains: [tea.example], exclude_bots: false}
  - {id: segment, org: default, domains: [tea.example], exclude_bots: false}
  - {id: posthog, org: default, domains: [tea.example], exclude_bots: false}
  - {id: mixpanel, org: default, domains: [tea.example], exclude_bots: false}
"""
RATES = "date,base,quote,rate\n2026-08-01,USD,EUR,0.5\n"
HEADER = (
    "event_id,site_id,type,occurred_at,anon_id,session_id,url,referrer,source,medium,campaign,campaign_id,content,"
    "click_ids,channel"
)

# The pages of a visitor, one a minute, as url,referrer,source,...; and the touches that they are:
# channel | platform | source | medium | campaign | campaign_id | click id.
VISITORS = {
    "columns on every row are one touch": (
        ["/,,google,cpc,harvest,77,,,", "/b,,google,cpc,harvest,77,,,"],
        ["Paid Search | google | google | cpc | harvest | 77 | -"],
    ),
    "columns complete a click id of the URL": (
        [
            "/?gclid=x,,Google,cpc,harvest,77,blue,,",
            "/b,,Google,cpc,harvest,77,blue,,",
            "/?gclid=x,,Google,cpc,harvest,77,blue,,",
        ],
        ["Paid Search | google | google | cpc | harvest | 77 | x"],
    ),
    "a click id on every row is one touch": (
        [
            "/?utm_source=google&utm_medium=cpc&utm_campaign=harvest&gclid=x,,google,cpc,harvest,,,gclid=x,",
            "/b,,google,cpc,harvest,,,gclid=x,",
            "/?gclid=y,,google,cpc,,,,gclid=y,",
            "/b,,google,cpc,,,,gclid=y,",
        ],
        [
            "Paid Search | google | google | cpc | harvest | - | x",
            "Paid Search | google | google | cpc | - | - | y",
        ],
    ),
    "links of two campaigns with one id of Google are two touches": (
        [
            "/?utm_source=google&utm_medium=cpc&utm_campaign=harvest&gad_source=1,,,,,,,,",
            "/?utm_source=google&utm_medium=cpc&utm_campaign=brand&gad_source=1,,,,,,,,",
        ],
        [
            "Paid Search | google | google | cpc | harvest | - | 1",
            "Paid Search | google | google | cpc | brand | - | 1",
        ],
    ),
    "columns complete parameters of the URL": (
        ["/?utm_source=fb&utm_medium=paid_social,,facebook,paid_social,august,88,,,"],
        ["Paid Social | meta | fb | paid_social | august | 88 | -"],
    ),
    "the URL outweighs another source": (
        ["/?utm_source=letter&utm_medium=email,,google,cpc,harvest,77,,gclid=x,Paid Search"],
        ["Email | (organic) | letter | email | - | - | -"],
    ),
    "the URL's click id outweighs another source": (
        ["/?gclid=x,,letter,email,august,,,,Email"],
        ["Paid Search | google | google | cpc | - | - | x"],
    ),
    "a second source in the session is a second touch": (
        ["/,,google,cpc,harvest,77,,,", "/b,,letter,email,august,,,,"],
        [
            "Paid Search | google | google | cpc | harvest | 77 | -",
            "Email | (organic) | letter | email | august | - | -",
        ],
    ),
    "the surest of several click ids counts": (
        ["/,,,,,,,fbclid=q&gclid=z&srsltid=s,"],
        ["Paid Search | google | google | cpc | - | - | z"],
    ),
    "a paid click is not organic": (
        ["/,,google,organic,(not set),,,gclid=z,"],
        ["Paid Search | google | google | cpc | - | - | z"],
    ),
    "a channel folds": (
        ["/,https://www.google.com/,,,,,,,sea"],
        ["Paid Search | google | google | organic | - | - | -"],
    ),
    "Direct is what the file says": (
        ["/,https://www.google.com/,,,,,,,Direct"],
        ["Direct | (organic) | google | organic | - | - | -"],
    ),
    "nothing is stated": (
        ["/?utm_source=(redacted)&gclid=(redacted),https://google.com/,(direct),(none),(not set),,nan,,Unassigned"],
        ["Organic Search | (organic) | google | organic | - | - | -"],
    ),
    "a source without a page": ([",,bing,cpc,autumn,,,,"], ["Paid Search | microsoft | bing | cpc | autumn | - | -"]),
}  # fmt: skip

# The touches of the fixtures by visitor.
EXPORTED = {
    "a.1": ["Paid Search | google | google | cpc | harvest | 20111 | Cj0a"],
    "b.1": ["Paid Search | google | google | cpc | - | - | Cj0b"],
    "c.1": [
        "Paid Search | microsoft | bing | cpc | autumn | - | -",
        "Email | (organic) | letter | email | august | - | -",
    ],
    "d.1": ["Affiliates | partner | partner | affiliate | - | - | -"],
    "e.1": ["Direct | (organic) | (direct) | (none) | - | - | -"],
    None: ["Paid Search | google | google | cpc | - | - | -"],
    "g1": ["Paid Search | google | google | cpc | harvest | 20111 | -"],
    "g2": ["Paid Social | meta | ig | paid_social | - | - | Iw1"],
    "h1": ["Paid Search | google | google | cpc | brand | - | -"],
    "h2": ["Direct | (organic) | (direct) | (none) | - | - | -"],
    "i1": ["Paid Social | reddit | reddit | paid_social | spring | - | -"],
    "j1": ["Paid Search | google | google | cpc | harvest | - | Cj0j"],
    "j2": ["Paid Social | meta | facebook | paid_social | august | - | -"],
    "j3": ["Organic Search | (organic) | duckduckgo | organic | - | - | -"],
    "j4": ["Paid Search | microsoft | bing | cpc | - | - | M1"],
}
# The SDKs of PostHog and Mixpanel repeat the campaign of a link in later events: PostHog in those of the tab, Mixpanel
# in all. A visitor comes by an ad, reads on, and comes back on another day without a link. An app sends no URL.
CLICKED = {"utm_source": "google", "utm_medium": "cpc", "gclid": "Cj0k"}
PAGES = [
    (0, "s1", "https://tea.example/?utm_source=google&utm_medium=cpc&gclid=Cj0k", "https://www.google.com/"),
    (5, "s1", "https://tea.example/kettles", "https://www.google.com/"),
    (60 * 26, "s2", "https://tea.example/kettles", "$direct"),
]
AD = "Paid Search | google | google | cpc | - | - | Cj0k"


def write_persisted(home: Path) -> dict[str, Path]:
    """Write an export of PostHog and one of Mixpanel, and return their paths by layout."""
    start = 1788256800
    events = {
        "posthog": [
            {
                "uuid": f"0198-{minute}",
                "event": "$pageview",
                "distinct_id": "p1",
                "timestamp": f"2026-09-0{1 + minute // 1440}T{10 + minute // 60 % 24:02}:{minute % 60:02}:00Z",
                "properties": {
                    **CLICKED,
                    "$device_id": "p1",
                    "$session_id": session,
                    "$current_url": url,
                    "$referrer": "https://www.google.com/",
                    "$session_entry_referrer": referrer,
                },
            }
            for minute, session, url, referrer in PAGES
        ],
        "mixpanel": [
            {
                "event": "$mp_web_page_view",
                "properties": {
                    **{name: value for name, value in CLICKED.items() if name != "gclid" or "gclid" in url},
                    "time": start + 60 * minute,
                    "distinct_id": "$device:m1",
                    "$device_id": "m1",
                    "$insert_id": f"i-{minute}",
                    "$current_url": url,
                    "$referrer": referrer,
                },
            }
            for minute, _, url, referrer in PAGES
        ]
        + [
            {
                "event": "App Open",
                "properties": {
                    **CLICKED,
                    "time": start,
                    "distinct_id": "$device:m2",
                    "$device_id": "m2",
                    "$insert_id": "a",
                },
            }
        ],
    }
    paths = {}
    for layout, rows in events.items():
        paths[layout] = home / f"{layout}.jsonl"
        paths[layout].write_text("".join(json.dumps(row) + "\n" for row in rows))
    return paths


# Order -> euros after refunds. GA-4 has an amount in USD only.
ORDERS = {
    "GA-1": "80.5", "GA-2": "0", "GA-3": "39", "GA-4": "11.5",
    "SG-1": "27.5", "SG-2": "0", "SG-3": "10", "RS-1": "15", "RS-2": "7.5", "SP-1": "45.5", "SP-2": "4.05",
}  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(new_home: Callable[[str], Path], project: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    home = new_home("event_sources")
    (home / "tributary.yaml").write_text(SETTINGS)
    rows = [
        f"{number}-{minute},shop,{'PAGE_VIEW' if page[0] != ',' else 'CUSTOM'},2026-08-01T10:{minute:02}:00Z,{name},,"
        f"{'https://shop.example' if page[0] != ',' else ''}{page}"
        for number, (name, (pages, _)) in enumerate(VISITORS.items())
        for minute, page in enumerate(pages)
    ]
    (home / "plain.csv").write_text("\n".join([HEADER, *rows]))
    (home / "rates.csv").write_text(RATES)
    import_files(home, "exchange-rates", home / "rates.csv")
    import_files(home, "events", home / "plain.csv")
    for layout, name in EXPORTS:
        import_files(home, "events", LAYOUTS / layout / name, layout=layout)
    for layout, path in write_persisted(home).items():
        import_files(home, "events", path, layout=layout)
    with connect(Home(home)) as connection:
        store_settings(connection, load_settings(Home(home)))
        enrich(connection)
        assert connection.execute("select reason, detail from raw.failed_events").fetchall() == []
    project.build_models(home, "touchpoints", "conversions")
    with connect(Home(home)) as connection:
        yield connection


def touches(connection: duckdb.DuckDBPyConnection, condition: str) -> dict[str | None, list[str]]:
    """Return the touches of each visitor in order."""
    columns = ("channel", "platform", "source", "medium", "campaign", "campaign_id", "click_id")
    text = " || ' | ' || ".join(f"coalesce({column}, '-')" for column in columns)
    return dict(
        connection.execute(
            f"select visitor_id, list({text} order by occurred_at) from marts.touchpoints"
            f" where {condition} group by visitor_id"
        ).fetchall()
    )


def test_columns_of_an_event_complete_its_url(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert touches(warehouse, "site_id = 'shop'") == {name: expected for name, (_, expected) in VISITORS.items()}


def test_exports_of_analytics_tools_have_their_sources(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert touches(warehouse, "site_id not in ('shop', 'posthog', 'mixpanel')") == EXPORTED


def test_a_campaign_that_a_tool_repeats_is_one_touch(warehouse: duckdb.DuckDBPyConnection) -> None:
    direct = "Direct | (organic) | (direct) | (none) | - | - | -"
    expected = {"p1": [AD, direct], "m1": [AD, direct], "m2": [AD]}
    assert touches(warehouse, "site_id in ('posthog', 'mixpanel')") == expected


def test_exports_of_analytics_tools_have_their_money(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = warehouse.execute(
        "select order_id, value_micros from marts.conversions where order_id is not null order by order_id"
    ).fetchall()
    assert {order: Decimal(micros) / 10**6 for order, micros in found} == {
        order: Decimal(euros) for order, euros in ORDERS.items()
    }


def test_the_links_of_own_pages_tell_no_false_notice(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Columns that every row of a session repeats are no campaign parameters of the site's own links."""
    own = "select count(*) from intermediate.int_sessionized_events where is_own_campaign"
    assert warehouse.execute(own).fetchone() == (0,)
