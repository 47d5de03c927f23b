"""Replay failed rows: fixed rows load as if they had never failed, the rest stays, a second replay adds nothing."""

import json
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from connectors.platform import SpendRow
from ingestion.collector.events import Event
from ingestion.collector.rejected import failed_event
from ingestion.collector.validation import Rejected
from ingestion.files.column_mapping import ImportOptions
from ingestion.files.contracts import ContractError
from ingestion.files.load import load_file
from ingestion.files.replay import replay_failed
from ingestion.home import Home
from ingestion.segments.format import Failed, Receipt
from ingestion.settings.model import AdAccount, EventType, Org, Settings, Site
from ingestion.spend.pulls import Pull
from ingestion.warehouse import connect
from tests.support.home import tributary
from tests.support.pulls import load_pull
from tests.support.segments import START, at, content, land, load, receipt

BEFORE = Settings(orgs=[Org("default", "USD"), Org("nord", "EUR")], sites=[Site("shop", "default")])
AFTER = msgspec.structs.replace(
    BEFORE, event_types=[EventType("DEMO_BOOKED")], sites=[*BEFORE.sites, Site("new", "nord")]
)
HEAD = "event_id,site_id,type,occurred_at,anon_id,email,value\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / "home"))
    return Home.from_environment()


def rejected(**event) -> Failed:
    """Return a failed event of an unknown type, as the collector keeps it."""
    sent = Event(**{"type": "DEMO_BOOKED", "anon_id": "a", "url": "https://x.example/?gclid=1"} | event)
    return failed_event(sent, Rejected("business", "unknown_type", "not known"), START.replace(tzinfo=UTC), "phone")


def counts(replayed) -> tuple[int, int, int, int]:
    return replayed.tried, replayed.loaded, replayed.duplicate, replayed.failed


def test_a_replayed_event_equals_an_accepted_one(home, tmp_path):
    moment = START.replace(tzinfo=UTC) - timedelta(days=29)  # within the site's age limit on START, but not today
    with connect(home) as raw:
        failed = [
            rejected(event_id="1", timestamp=moment),
            rejected(event_id="2"),
            rejected(event_id="3", type="OTHER"),
        ]
        land(home, 1, receipt([], 0, failed=failed, ua="phone", ip="a1"))
        load(raw, home, BEFORE)
        assert counts(replay_failed(raw, home, BEFORE, reason="unknown_type")) == (3, 0, 0, 3)
        before = content(raw)
        assert counts(replay_failed(raw, home, AFTER, reason="unknown_type", dry_run=True)) == (3, 2, 0, 1)
        assert content(raw) == before
        assert counts(replay_failed(raw, home, AFTER, reason="unknown_type")) == (3, 2, 0, 1)
        replayed_rows = content(raw)
        assert counts(replay_failed(raw, home, AFTER, reason="unknown_type")) == (1, 0, 0, 1)
        assert content(raw) == replayed_rows
        manifest = raw.execute("select received_rows, loaded_rows from raw.loads where format = 'replay'").fetchall()
        assert manifest == [(2, 2)]
    straight = Home(tmp_path / "straight")
    for folder in (straight.landing, straight.temporary):
        folder.mkdir(parents=True)
    row = {"type": "DEMO_BOOKED", "anon_id": "a", "url": "https://x.example/?gclid=1"}
    accepted = [row | {"event_id": "1", "occurred_at": at(-29 * 86_400)}, row | {"event_id": "2"}]
    with connect(straight) as raw:
        land(straight, 1, receipt(accepted, 0, ua="phone", ip="a1"))
        load(raw, straight, AFTER)
        assert content(raw)["raw.events"] == replayed_rows["raw.events"]


def test_a_replayed_event_is_compared_with_events_loaded_since(home):
    with connect(home) as raw:
        land(home, 1, receipt([], 0, failed=[rejected(event_id="1"), rejected(event_id="2")]))
        rows = [
            {"event_id": str(i), "type": "DEMO_BOOKED", "anon_id": "a", "url": f"https://x.example/?gclid={i}"}
            for i in (1, 2)
        ]
        land(home, 2, receipt(rows, -5))
        load(raw, home, AFTER)
        assert counts(replay_failed(raw, home, AFTER, reason="unknown_type")) == (2, 0, 1, 1)
        assert raw.execute("select count(*) from raw.events").fetchone() == (2,)
        assert raw.execute("select list(reason) from raw.failed_events").fetchone() == (["id_conflict"],)


def test_replayed_file_rows_equal_a_second_import(home, tmp_path):
    file = tmp_path / "x.csv"
    file.write_text(
        HEAD + "1,shop,DEMO_BOOKED,2026-07-01T00:00:00Z,a,Ann@x.example,1.5\n"
        "2,new,DEMO_BOOKED,2026-07-01T00:00:00Z,b,,\n3,shop,WISH,2026-07-01T00:00:00Z,b,,\ntoo,few\n"
    )
    with connect(home) as raw:
        load_file(raw, "events", file, settings=BEFORE)
        assert counts(replay_failed(raw, home, AFTER, reason="unknown_type", kind="spend")) == (0, 0, 0, 0)
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
        assert counts(replay_failed(raw, home, AFTER, reason="unknown_type", since=tomorrow)) == (0, 0, 0, 0)
        replayed = replay_failed(raw, home, AFTER, reason="unknown_type", kind="events", since=date(2026, 1, 1))
        assert (counts(replayed), replayed.reasons) == ((3, 2, 0, 1), {"unknown_type": 1})
        reasons = raw.execute("select list(reason order by reason) from raw.failed_events").fetchone()
        assert reasons == (["unknown_type", "wrong_column_count"],)
        replayed_rows = content(raw)
        assert counts(replay_failed(raw, home, AFTER, reason="unknown_type")) == (1, 0, 0, 1)
        assert load_file(raw, "events", file, settings=AFTER).duplicate == 2
        assert content(raw) == replayed_rows
        assert raw.execute("select list(org_id order by event_id) from raw.events").fetchone() == (["default", "nord"],)


@pytest.mark.parametrize(("reason", "message"), [("id_conflict", "Correct the id"), ("torn_line", "Correct the file")])
def test_a_reason_that_no_replay_can_fix_is_rejected(home, reason, message):
    with connect(home) as raw, pytest.raises(ContractError, match=message):
        replay_failed(raw, home, AFTER, reason=reason)


def test_the_replay_command(home):
    (home.root / "tributary.yaml").write_text(
        "orgs: [{id: default, currency: USD}]\nsites: [{id: shop, org: default, domains: [x.example]}]\n"
        "event_types: [{type: DEMO_BOOKED}]\n"
    )
    with connect(home) as raw:
        land(home, 1, receipt([], 0, failed=[rejected(event_id="1"), rejected(event_id="2", type="OTHER")]))
        load(raw, home, BEFORE)
        payloads = raw.execute("select payload from raw.failed_events").fetchall()
        assert all("receivedAt" in json.loads(payload) for (payload,) in payloads)
    output = tributary(home.root, "replay", "failed", "--reason", "unknown_type", "--dry-run").stdout
    assert "would be: 2 tried = 1 loaded + 0 duplicate + 1 failed" in output
    assert "2 tried = 1 loaded" in tributary(home.root, "replay", "failed", "--reason", "unknown_type").stdout
    assert "1 tried = 0 loaded" in tributary(home.root, "replay", "failed", "--reason", "unknown_type").stdout
    assert "--kind" in tributary(home.root, "replay", "failed", "--reason", "x", "--kind", "clicks", code=2).stderr


def test_a_receipt_of_another_kind_replays_by_its_contract(home):
    kept = Failed("schema", "bad_currency", "no currency", json.dumps({"occurred_at": at(0), "order_id": "o"}))
    with connect(home) as raw:
        land(home, 1, Receipt("refunds", at(0), "nord", "shop", received=1, failed=[kept]))
        load(raw, home, BEFORE)
        assert counts(replay_failed(raw, home, BEFORE, reason="bad_currency")) == (1, 1, 0, 0)
        assert raw.execute("select org_id, site_id, order_id from raw.refunds").fetchall() == [("default", "shop", "o")]


def test_a_replay_does_not_undo_a_later_restatement(home, tmp_path):
    """The later one of two failed states loads, and rows imported since then stay."""
    after = Settings(orgs=[Org("nord", "EUR")], ad_accounts=[AdAccount("google", "1", "nord")])
    before = msgspec.structs.replace(after, ad_accounts=[])
    file = tmp_path / "spend.csv"

    def spend(micros: int, read: Settings) -> None:
        file.write_text(f"date,platform,account_id,campaign_id,currency,spend\n2026-07-01,google,1,c,EUR,{micros}\n")
        load_file(raw, "spend", file, read, ImportOptions(partial=True))

    with connect(home) as raw:
        spend(10, before)
        spend(12, before)
        replayed = replay_failed(raw, home, after, reason="unknown_org")
        assert (counts(replayed), replayed.reasons) == ((2, 1, 0, 1), {"superseded": 1})
        assert raw.execute("select spend_micros from raw.ad_spend").fetchall() == [(12_000_000,)]
        spend(11, before)
        spend(13, after)
        assert counts(replay_failed(raw, home, after, reason="unknown_org")) == (2, 0, 0, 2)
        assert raw.execute("select spend_micros from raw.ad_spend").fetchall() == [(13_000_000,)]


def test_a_replay_does_not_add_to_a_later_pull(home, tmp_path):
    """Campaigns of a failed file and a later pull of their ads are the same spend."""
    after = Settings(orgs=[Org("nord", "EUR")], ad_accounts=[AdAccount("google", "1", "nord")])
    file, rows = tmp_path / "spend.csv", tmp_path / "rows.ndjson"
    file.write_text(
        "date,platform,account_id,campaign_id,currency,spend\n"
        "2026-07-01,google,1,c,EUR,7\n2026-07-02,google,1,c,EUR,8\n"
    )
    day = date(2026, 7, 1)
    row = SpendRow(date=day, account_id="1", currency="EUR", spend_micros=7_000_000, campaign_id="c", ad_id="a")
    rows.write_bytes(msgspec.json.encode(row) + b"\n")
    with connect(home) as raw:
        load_file(raw, "spend", file, msgspec.structs.replace(after, ad_accounts=[]), ImportOptions(partial=True))
        pull = Pull(org="nord", platform="google", account_id="1", start=day, end=day, started_at=datetime.now(UTC))
        load_pull(raw, pull, rows, after)
        replayed = replay_failed(raw, home, after, reason="unknown_org")
        assert (counts(replayed), replayed.reasons) == ((2, 1, 0, 1), {"superseded": 1})
        spend = "select date, ad_id, spend_micros // 1000000 from raw.ad_spend order by date"
        assert raw.execute(spend).fetchall() == [(day, "a", 7), (day + timedelta(days=1), None, 8)]


def test_a_row_of_another_org_loads_once_its_site_moves_there(home, tmp_path):
    file = tmp_path / "x.csv"
    file.write_text(HEAD + "1,shop,CONVERSION,2026-07-01T00:00:00Z,a,,\n")
    moved = msgspec.structs.replace(BEFORE, sites=[Site("shop", "nord")])
    with connect(home) as raw:
        load_file(raw, "events", file, BEFORE, ImportOptions(org="nord"))
        assert counts(replay_failed(raw, home, BEFORE, reason="org_mismatch")) == (1, 0, 0, 1)
        assert counts(replay_failed(raw, home, moved, reason="org_mismatch")) == (1, 1, 0, 0)
        assert raw.execute("select org_id from raw.events").fetchall() == [("nord",)]


def test_a_replay_keeps_the_options_of_the_import(home, tmp_path):
    """The import mapped value to total, and set the site, which no line has."""
    file = tmp_path / "x.csv"
    file.write_text("event_id,Type,occurred_at,uid,value,total,note\n1,DEMO_BOOKED,2026-07-01T00:00:00Z,a,80,100,n\n")
    options = ImportOptions(mapping={"value": "total", "anon_id": "uid", "user_id": "uid"}, site="shop")
    with connect(home) as raw:
        load_file(raw, "events", file, BEFORE, options)
        assert counts(replay_failed(raw, home, AFTER, reason="unknown_type")) == (1, 1, 0, 0)
        rows = raw.execute("select site_id, anon_id, user_id, value_micros, properties from raw.events").fetchall()
        assert rows == [("shop", "a", "a", 100_000_000, '{"note":"n"}')]
        assert load_file(raw, "events", file, AFTER, options).duplicate == 1


def test_a_corrected_import_clears_the_rows_that_it_loads(home, tmp_path):
    """First without a zone, then with the wrong column, then right; a row that still fails stays."""
    file = tmp_path / "orders.csv"
    rows = ["1,2026-07-01 10:00:00,10,ten,a@x.example", "2,2026-07-02 10:00:00,20,x,b", "3,never,5,6,c"]
    file.write_text("\n".join(["no,date,total,net,mail", *rows, ""]))
    mapping = {"conversion_id": "no", "occurred_at": "date", "customer_id": "mail"}

    def load_orders(raw, settings=BEFORE, **options):
        options = ImportOptions(
            **{"mapping": mapping | {"value": "total"}, "timezone": "UTC", "site": "shop"} | options
        )
        return load_file(raw, "conversions", file, settings, options)

    with connect(home) as raw:
        assert load_orders(raw, timezone=None, site=None).failed == 3
        other = load_orders(raw, timezone=None, site=None, org="nord")
        assert other.failed == 3
        wrong = load_orders(raw, mapping=mapping | {"value": "net"})
        assert (wrong.loaded, wrong.failed, wrong.corrected) == (0, 3, 0)
        right = load_orders(raw)
        assert (right.loaded, right.failed, right.corrected) == (2, 1, 4)
        left = raw.execute(
            "select org_id, reason, count(*) from raw.failed_events group by all order by all"
        ).fetchall()
        assert left == [
            ("default", "bad_timestamp", 3),
            ("nord", "bad_timestamp", 1),
            ("nord", "missing_timezone", 2),
        ]
        again = load_orders(raw)
        assert (again.duplicate, again.corrected) == (2, 0)
