"""Test who a row belongs to: placeholders instead of ids, ids of many people, orders with the user agent of a bot.

One home gets files, events of the collector and webhooks of several orgs, and is built once.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from ingestion.home import Home
from ingestion.placeholders import real_id
from ingestion.user_agents import enrich
from ingestion.warehouse import connect
from tests.support.models import Project, import_files, load_raw_tables

Connection = duckdb.DuckDBPyConnection

ORGS = ("logins", "orders", "visitors", "reported", "touches", "shared", "allowed", "bots")
SETTINGS = "\n".join(
    [
        "orgs:",
        *(f"  - {{id: {org}, currency: USD}}" for org in ORGS),
        "sites:",
        *(f"  - {{id: {org}, org: {org}, domains: [{org}.example]}}" for org in ORGS),
        "shared_ids:",
        "  - {org: allowed, id: counter}",
        "",
    ]
)
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BUYER = (
    "Mozilla/5.0 (Linux; Android 15; CPH2557 Build/AP3A.240617.008; wv) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36 MetaIAB Facebook"
)
PLACEHOLDERS = (
    "undefined", "null", "NULL", "None", "NaN", "nil", "0", "-1", "(not set)", "n/a", "Unknown", "ANONYMOUS", "guest",
    "true", "False", "[object Object]", "00000000-0000-0000-0000-000000000000", "{order_id}", "{{user_id}}", "%%id%%",
    "__CLICKID__", "(null)", "<undefined>", "'null'", "#N/A", "not_set", "(none)", "--", "000000", "${id}",
    "[order_id]", "*|ID|*", "$order_id", "%7Bid%7D", "<%= id %>", "user_id", "YOUR_ORDER_ID",
    "guest user", "{aff_sub2}", "#{id}",
)  # fmt: skip
IDS = (
    "1", "10", "-12", "#1001", "nancy", "Nana", "guest1", "unknown-3", "true-religion", "nullable", "A0", "0001",
    "{3F2504E0-4F89-41D3-9A0C-0305E82C3301}", "00000000-0000-0000-0000-000000000001", "__abc123xyz__", "GA1.2.12345",
    "$device:1876a-b2", "Ø", "王芳", "anna-tab", "CLICK_ID_9x", "falsetto", "(7)", "no-reply",
)  # fmt: skip


def visit(org: str, visitor: str, source: str, **more: str) -> dict[str, str]:
    """Return a page view with a campaign of this source."""
    url = f"https://{org}.example/?utm_source={source}&utm_medium=email"
    return {"site_id": org, "type": "PAGE_VIEW", "anon_id": visitor, "url": url, **more}


def sale(org: str, visitor: str, value: float, order: str, **more: str) -> dict[str, str]:
    thanks = f"https://{org}.example/thanks"
    return {
        "site_id": org, "type": "CONVERSION", "anon_id": visitor, "value": str(value), "order_id": order, "url": thanks,
        **more,
    }  # fmt: skip


def events() -> Iterator[dict[str, str]]:
    # A placeholder in place of a customer joins no strangers.
    yield visit("logins", "anna", "one", user_id="undefined")
    yield visit("logins", "bert", "two", user_id="undefined")
    yield visit("logins", "carl", "three")
    yield sale("logins", "carl", 80, "K-1", user_id="undefined")
    # A placeholder in place of an order is no order, in any spelling.
    for number, placeholder in enumerate(PLACEHOLDERS):
        yield sale("orders", f"first{number}", 1, placeholder)
        yield sale("orders", f"second{number}", 2, placeholder)
    for number, order in enumerate(IDS):
        yield sale("orders", f"buyer{number}", 100, order)
        yield sale("orders", f"buyer{number}", 100, order)  # the page was reloaded
    # A placeholder in place of a visitor makes no journey.
    for placeholder in ("00000000-0000-0000-0000-000000000000", "NULL"):
        yield visit("visitors", placeholder, "stranger")
        yield sale("visitors", placeholder, 50, f"Z-{placeholder}")
    yield {**visit("visitors", "real", "known"), "event_id": "undefined"}
    yield {**sale("visitors", "real", 7, "Z-3"), "event_id": "undefined"}
    # One customer with many visitors is nobody; with the same visitors, an allowed one is a customer.
    for org in ("shared", "allowed"):
        for number in range(31):
            yield visit(org, f"v{number}", "one", user_id="counter")
        for number in range(5):
            yield visit(org, f"person{number}", "two", user_id=f"customer{number}")
        yield sale(org, "v0", 10, "S-1", user_id="counter")
        yield sale(org, "elsewhere", 20, "S-2", user_id="customer0")
    # An order with the agent of a bot counts. The bot's pages make no touches.
    yield visit("bots", "crawler", "crawled", user_agent=CRAWLER)
    yield sale("bots", "crawler", 30, "B-1", user_agent=CRAWLER)
    yield visit("bots", "buyer", "bought", user_agent=BUYER)
    yield sale("bots", "buyer", 40, "B-2", user_agent=BUYER)
    yield sale("bots", "driven", 50, "B-3", user_agent=CRAWLER, properties='{"webdriver": true}')


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, sorted({name for row in rows for name in row}))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def marts(new_home: Callable[[str], Path], project: Project, tmp_path_factory) -> Iterator[Connection]:
    home, files = new_home("people"), tmp_path_factory.mktemp("files")
    (home / "tributary.yaml").write_text(SETTINGS)
    rows = [
        {
            "event_id": f"e{number:04}",
            "occurred_at": f"2026-07-{1 + number // 1440:02}T{number // 60 % 24:02}:{number % 60:02}:00Z",
        }
        | row
        for number, row in enumerate(events())
    ]
    load_raw_tables(home)
    import_files(home, "events", write(files / "events.csv", rows))
    conversions = [
        {"conversion_id": "u1", "visitor_id": "NULL", "customer_id": "NULL", "order_id": "B-1", "value": "10.00"},
        {"conversion_id": "u2", "visitor_id": "NULL", "customer_id": "NULL", "order_id": "B-2", "value": "10.00"},
        {"conversion_id": "u3", "customer_id": "nan", "order_id": "nan", "value": "10.00"},
        {"conversion_id": "u4", "customer_id": "nan", "order_id": "nan", "value": "12.00"},
        {"conversion_id": "undefined", "customer_id": "ann", "value": "1.00"},
        {"conversion_id": "undefined", "customer_id": "ben", "value": "2.00"},
    ]
    import_files(
        home, "conversions", write(files / "conversions.csv", [row | AT for row in conversions]), org="reported"
    )
    touches = [
        {"interaction_id": "(not set)", "visitor_id": "undefined", "customer_id": "ann", "source": "call"},
        {"interaction_id": "(not set)", "visitor_id": "undefined", "customer_id": "null", "source": "letter"},
    ]
    import_files(home, "interactions", write(files / "touches.csv", [row | AT for row in touches]), org="touches")
    with connect(Home(home)) as raw:
        enrich(raw)
    project.build_models(home, "attribution_candidates", "notices")
    with connect(Home(home)) as connection:
        yield connection


AT = {"occurred_at": "2026-07-01T10:00:00Z"}


def value(marts: Connection, org: str) -> tuple[int, float]:
    """Return the number and the value of an org's conversions."""
    return marts.execute(
        "select count(*), sum(value_micros) / 1e6 from marts.conversions where org_id = ?", [org]
    ).fetchone()


def sources(marts: Connection, org: str) -> set[tuple[str, str]]:
    """Return (source of a touch, order with credit for it) of an org."""
    return set(
        marts.execute(
            "select distinct source, order_id from marts.attribution_candidates"
            " join marts.touchpoints using (org_id, touchpoint_id)"
            " join marts.conversions using (org_id, conversion_id) where org_id = ?",
            [org],
        ).fetchall()
    )


def notices(marts: Connection, org: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for topic, message in marts.execute(
        "select topic, message from marts.notices where org_id = ? order by all", [org]
    ).fetchall():
        found.setdefault(topic, []).append(message)
    return found


@pytest.mark.parametrize("placeholder", [*PLACEHOLDERS, " ", "\u00a0", r"\N"])
def test_a_placeholder_is_no_id(placeholder: str) -> None:
    assert real_id(placeholder) == ""


@pytest.mark.parametrize("text", IDS)
def test_an_unusual_id_is_no_placeholder(text: str) -> None:
    assert real_id(text) == text


def test_sql_and_python_know_the_same_placeholders(marts: Connection) -> None:
    texts = [*PLACEHOLDERS, *IDS, "", " ", "\u00a0", r"\N"]
    found = marts.execute("select coalesce(real_id(t), '') from (select unnest($1) as t)", [texts]).fetchall()
    assert [text for (text,) in found] == [real_id(text) for text in texts]


def test_a_placeholder_joins_no_strangers(marts: Connection) -> None:
    assert {source for source, _ in sources(marts, "logins") if source} == {"three"}
    (message,) = notices(marts, "logins")["placeholder_ids"]
    assert message.startswith("site logins sent undefined instead of 3 ids")


def test_every_order_with_a_placeholder_counts(marts: Connection) -> None:
    assert value(marts, "orders") == (2 * len(PLACEHOLDERS) + len(IDS), 3.0 * len(PLACEHOLDERS) + 100 * len(IDS))
    assert len(notices(marts, "orders")["placeholder_ids"]) == len(PLACEHOLDERS)


def test_a_placeholder_is_no_visitor_and_no_event_id(marts: Connection) -> None:
    assert value(marts, "visitors") == (3, 107.0)
    assert ("stranger", "Z-NULL") not in sources(marts, "visitors")
    assert {source for source, order in sources(marts, "visitors") if order == "Z-3"} == {"known"}


def test_reported_rows_with_placeholders_count(marts: Connection) -> None:
    assert value(marts, "reported") == (6, 45.0)
    people = "select count(distinct person_key), count(customer_id) from marts.conversions where org_id = 'reported'"
    assert marts.execute(people).fetchone() == (6, 2)
    touches = "select source, person_key like 'c:%' from marts.touchpoints where org_id = 'touches' order by 1"
    assert marts.execute(touches).fetchall() == [("call", True), ("letter", False)]


def test_an_id_of_many_visitors_links_nobody_unless_it_is_allowed(marts: Connection) -> None:
    people = "select person_key from marts.conversions where org_id = ? order by order_id"
    assert marts.execute(people, ["shared"]).fetchall() == [("v:v0",), ("c:customer0",)]
    assert marts.execute(people, ["allowed"]).fetchall() == [("c:counter",), ("c:customer0",)]
    (message,) = notices(marts, "shared")["shared_ids"]
    assert message.startswith("customer counter was seen with 31 visitors")
    assert message.endswith('add {org: shared, id: "counter"} to shared_ids in tributary.yaml.')
    assert "shared_ids" not in notices(marts, "allowed")


def test_a_user_agent_excludes_no_order(marts: Connection) -> None:
    flags = "select order_id, is_bot from marts.conversions where org_id = 'bots' order by 1"
    assert marts.execute(flags).fetchall() == [("B-1", True), ("B-2", False)]
    assert sources(marts, "bots") == {("bought", "B-2")}
    (message,) = notices(marts, "bots")["bot_conversions"]
    assert message.startswith("1 conversion (30.00 USD) has the user agent of a bot")
