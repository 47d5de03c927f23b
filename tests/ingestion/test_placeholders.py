"""Placeholders instead of ids at every door: files, events of the collector, webhooks, pixels, and earlier homes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ingestion.collector.duplicates import Recent
from ingestion.collector.events import decode_request
from ingestion.collector.intake import Sender, process
from ingestion.collector.problems import Problem
from ingestion.collector.rejected import revalidate
from ingestion.collector.validation import rules_of
from ingestion.collector.webhooks import networks, stripe
from ingestion.files.column_mapping import ImportOptions
from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.migrations.upgrade import FOLDER
from ingestion.settings.model import Network, Org, Settings, Site
from ingestion.sql import Connection
from ingestion.warehouse import connect
from tests.support.home import ROOT
from tests.support.raw_rows import insert
from tests.support.segments import SETTINGS, land, load, page, receipt

NOW = "2026-07-01T10:00:00Z"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / "home"))
    return Home.from_environment()


@pytest.fixture
def raw(home: Home) -> Connection:
    with connect(home) as connection:
        yield connection


def imported(raw: Connection, tmp_path: Path, kind: str, text: str) -> tuple[int, int, int]:
    """Import a file; return the numbers of loaded, duplicate and failed rows."""
    (tmp_path / "file.csv").write_text(text)
    options = ImportOptions(partial=kind == "spend")  # else a spend file with a failed row loads nothing
    report = load_file(raw, kind, tmp_path / "file.csv", SETTINGS, options)
    return report.loaded, report.duplicate, report.failed


@pytest.mark.parametrize(
    ("kind", "header", "row"),
    [
        ("refunds", "occurred_at,value,order_id", f"{NOW},5,undefined"),
        ("refunds", "occurred_at,value,order_id", f"{NOW},5,(other)"),
        ("postbacks", "occurred_at,platform,status,transaction_id", f"{NOW},partners,approved,{{transaction_id}}"),
        ("spend", "date,platform,account_id,currency,spend,campaign_id", "2026-07-01,google,23,EUR,10,NULL"),
        ("spend", "date,platform,campaign_id,currency,spend,account_id", "2026-07-01,google,c1,EUR,10,(not set)"),
        ("fees", "fee_id,platform,amount,currency,starts_on,campaign_id", "f1,blog,5,EUR,2026-07-01,None"),
    ],
)
def test_a_row_that_cannot_live_without_its_id_fails(raw, tmp_path, kind, header, row) -> None:
    assert imported(raw, tmp_path, kind, f"{header}\n{row}\n") == (0, 0, 1)
    ((reason, detail),) = raw.execute("select reason, detail from raw.failed_events").fetchall()
    column, placeholder = header.rpartition(",")[2], row.rpartition(",")[2]
    assert reason == "placeholder_id"
    assert detail == f"{column} {placeholder} is a placeholder: correct the source that sends no real id"


def test_an_account_total_needs_no_real_campaign(raw, tmp_path) -> None:
    header = "date,platform,account_id,level,campaign_id,currency,spend"
    assert imported(raw, tmp_path, "spend", f"{header}\n2026-07-01,google,23,account,NULL,EUR,10\n") == (1, 0, 0)
    assert raw.execute("select campaign_id, spend_micros from raw.ad_spend").fetchall() == [(None, 10_000_000)]


def test_different_placeholders_stay_different_rows_and_load_once(raw, tmp_path) -> None:
    text = "occurred_at,visitor_id,order_id,value\n" + "".join(
        f"{NOW},{visitor},{order},5\n" for visitor in ("v", "w") for order in ("undefined", "null", "{order_id}")
    )
    assert imported(raw, tmp_path, "conversions", text) == (6, 0, 0)
    assert imported(raw, tmp_path, "conversions", text) == (0, 6, 0)
    kept = raw.execute("select order_id, _placeholder_ids ->> 'order_id' from raw.conversions order by 2").fetchall()
    assert kept == [(None, order) for order in ("null", "undefined", "{order_id}") for _ in range(2)]


def test_the_null_of_a_database_is_null_in_every_column(raw, tmp_path) -> None:
    text = "occurred_at,visitor_id,customer_id,value,currency,site_id\n" + NOW + ",v," + ",".join([r"\N"] * 4) + "\n"
    assert imported(raw, tmp_path, "conversions", text) == (1, 0, 0)
    stored = "select customer_id, value_micros, currency, site_id, _placeholder_ids from raw.conversions"
    assert raw.execute(stored).fetchall() == [(None,) * 5]


def test_landed_events_have_no_placeholders(raw, home) -> None:
    events = [
        page(1, 1, anon_id="undefined", user_id="null", session_id="0", order_id="{order_id}"),
        page(2, 2, anon_id="a", user_id="ann"),
        page(3, 3, anon_id="a", user_id=" "),
    ]
    land(home, 1, receipt(events))
    load(raw, home)
    land(home, 2, receipt(events))  # a retry of the same content
    load(raw, home)
    stored = raw.execute(
        "select anon_id, user_id, session_id, order_id, _placeholder_ids from raw.events order by event_id"
    ).fetchall()
    arrived = {"anon_id": "undefined", "session_id": "0", "user_id": "null", "order_id": "{order_id}"}
    assert [row[:4] for row in stored] == [(None,) * 4, ("a", "ann", None, None), ("a", None, None, None)]
    assert [placeholders and json.loads(placeholders) for *_, placeholders in stored] == [
        arrived,
        None,
        {"user_id": " "},
    ]


def test_landed_ids_have_no_decimals_either(raw, home) -> None:
    for segment, (customer, order) in enumerate((("77.0", "7010.0"), ("77", "7010")), 1):
        land(home, segment, receipt([page(1, 1, anon_id="a", user_id=customer, order_id=order)]))
        load(raw, home)
    stored = "select user_id, order_id, _placeholder_ids from raw.events"
    assert raw.execute(stored).fetchall() == [("77", "7010", None)]
    assert raw.execute("select count(*) from raw.failed_events").fetchone() == (0,)


def test_the_collector_gives_a_placeholder_event_an_id_of_its_own() -> None:
    settings = Settings(orgs=[Org("default", "USD")], sites=[Site("shop", "default", public_key="pk")])
    rules = rules_of(settings.sites[0], settings)
    sender = Sender(org="default", site="shop", public_key="pk", received_at=datetime.now(UTC))
    event = {"eventId": "undefined", "type": "CONVERSION", "anonId": "undefined", "value": 5, "orderId": "undefined"}
    body = json.dumps({"publicKey": "pk", "events": [event, event]}).encode()
    outcome = process(body, decode_request(body), sender, rules, Recent())
    assert (outcome.accepted, outcome.duplicate, outcome.errors) == (2, 0, [])
    rows = json.loads(outcome.line)["rows"]
    assert len({row["event_id"] for row in rows} - {"undefined"}) == 2
    assert [row["has_own_id"] for row in rows] == [False, False]
    replayed = revalidate(json.dumps(event).encode(), settings.sites[0], settings, datetime.now(UTC))
    assert replayed["event_id"] not in ("undefined", "")


def test_webhooks_fall_back_from_a_placeholder() -> None:
    session = json.loads((ROOT / "tests/fixtures/webhooks/stripe_session_completed.json").read_text())
    checkout = session["data"]["object"]
    checkout["metadata"] = {"order_id": "undefined", "anon_id": "{{anon_id}}"}
    checkout["client_reference_id"] = "visitor-1"
    row = stripe.report(msgspec.json.encode(session)).row
    assert row["order_id"] == checkout["payment_intent"]
    assert row["visitor_id"] == "visitor-1"


def test_networks_send_no_placeholders() -> None:
    network = Network("partners", "generic", "shop", "S")
    given = {"transaction_id": "7", "status": "approved", "click_id": "__CLICKID__", "order_id": "%%order%%"}
    assert not {"click_id", "order_id"} & networks.postback(network, given, NOW).keys()
    with pytest.raises(Problem, match="transaction_id is missing"):
        networks.postback(network, given | {"transaction_id": "[tid]"}, NOW)
    assert networks.impression(network, {"visitor_id": "{sub1}"}, None, "cookie", NOW)["visitor_id"] == "cookie"


def test_an_upgrade_removes_placeholders_and_keeps_rows(raw) -> None:
    event = {"org_id": "o", "site_id": "s", "type": "CONVERSION", "occurred_at": datetime(2026, 7, 1)}
    loaded = {"_load_id": "l", "_loaded_at": datetime(2026, 7, 1)}
    insert(raw, "events", loaded, **event, event_id="undefined", anon_id="NULL", order_id="0", _content_hash="hash")
    insert(raw, "events", loaded, **event, event_id="e", anon_id="a", order_id="1", _content_hash="other")
    (migration,) = FOLDER.glob("*_people.sql")
    sql = migration.read_text()
    raw.execute(sql[sql.index("create temp macro") : sql.index("drop macro placeholder_of")])
    stored = "select event_id, anon_id, order_id, _placeholder_ids from raw.events order by 1"
    (kept, cleaned) = raw.execute(stored).fetchall()
    assert kept == ("e", "a", "1", None)
    assert cleaned[:3] == ("hash", None, None)
    assert json.loads(cleaned[3]) == {"event_id": "undefined", "anon_id": "NULL", "order_id": "0"}
