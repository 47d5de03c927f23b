"""Erasure: the person is in no file, every total stays, reloaded rows are anonymised, other people's rows stay."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
import typer

from cli.erase import prepare, search
from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.person.anonymise_url import anonymise_url
from ingestion.person.erase import read_journal, searched_relations
from ingestion.person.find import find_person
from ingestion.person.verify_erasure import scan_home
from ingestion.segments.format import Failed, Receipt, as_line
from ingestion.settings.load import load_settings
from ingestion.warehouse import connect
from orchestration.changes import BUILD, reasons
from tests.support.home import published, start_tributary, tables, tributary

SETTINGS = """
orgs:
  - {id: default, currency: USD, timezone: UTC}
  - {id: other, currency: USD, timezone: UTC}
sites:
  - {id: shop, org: default, public_key: pk_shop, domains: [shop.example]}
  - {id: elsewhere, org: other, public_key: pk_elsewhere, domains: [elsewhere.example]}
"""
MAIL, HASH = "Anna@Example.com", hashlib.sha256(b"anna@example.com").hexdigest()
BROWSER = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1"
# Anna's own identifiers, which no file may contain afterwards. Ben uses the tablet, too.
ANNA = [
    "customer-anna",
    "visitor-anna-phone",
    "visitor-anna-laptop",
    HASH,
    "order-anna-1",
    "order-anna-2",
    "Cj0-anna-click",
    "Cj0-anna-second-click",
    "anna-only-title",
    "phone-of-anna",
    "203-address-of-anna",
    "in_of_anna_3",
    "sub_of_anna",
]
TABLET = "visitor-family-tablet"
# Columns of marts with ids of the person; all other columns must stay to the micro.
IDS = {
    "visitor_id",
    "customer_id",
    "session_id",
    "person_key",
    "order_id",
    "click_id",
    "landing_url",
    "evidence",
    "journey_id",
}


def event(number: int, at: str, **members: object) -> dict:
    return {
        "event_id": f"event-{number:04}",
        "type": "PAGE_VIEW",
        "occurred_at": f"2026-10-{at}.000000Z",
        "url": "https://shop.example/",
        "session_id": f"session-{at[:5]}",
        **members,
    }


LANDED = [
    event(1, "01T10:00:00", anon_id="visitor-anna-phone", title="anna-only-title", phone_hash="phone-of-anna",
          url="https://shop.example/?utm_source=google&utm_medium=cpc&gclid=Cj0-anna-click&to=anna-only-title"),
    event(2, "01T10:01:00", anon_id="visitor-anna-phone", user_id="customer-anna", type="IDENTIFY", email_hash=HASH),
    event(3, "03T10:00:00", anon_id="visitor-anna-laptop", url="https://shop.example/?utm_source=news&utm_medium=email",
          properties={"likes": "anna-only-title", "webdriver": False}, click_ids="gclid=Cj0-anna-second-click"),
    event(4, "03T10:05:00", anon_id="visitor-anna-laptop", user_id="customer-anna", type="CONVERSION",
          value_micros=120_000_000, order_id="order-anna-1", url="https://shop.example/users/customer-anna/done"),
    # One tablet: Anna, then Ben, then Anna again, with rows without a name between them.
    event(5, "05T10:00:00", anon_id=TABLET, url="https://shop.example/?utm_source=bing&utm_medium=cpc"),
    event(6, "05T10:01:00", anon_id=TABLET, user_id="customer-anna"),
    event(7, "06T10:00:00", anon_id=TABLET, url="https://shop.example/?utm_source=tiktok&utm_medium=paid_social"),
    event(8, "06T10:01:00", anon_id=TABLET, user_id="customer-ben", type="CONVERSION", value_micros=70_000_000,
          order_id="order-ben-1"),
    event(9, "07T10:00:00", anon_id=TABLET, referrer="https://anna.example/customer-anna"),
    event(10, "07T10:02:00", anon_id=TABLET, user_id="customer-anna", type="CONVERSION", value_micros=30_000_000,
          order_id="order-anna-2"),
    # A checkout without a login: the shop reports its order as Anna's.
    event(11, "08T10:00:00", anon_id="visitor-anna-phone", type="CHECKOUT_COMPLETED", order_id="order-anna-3"),
    event(12, "09T10:00:00", anon_id="visitor-ben", user_id="customer-ben",
          url="https://shop.example/?utm_source=google&utm_medium=cpc&gclid=Cj0-ben-click", title="of Ben"),
]  # fmt: skip
BENS = ("event-0007", "event-0008", "event-0012")
FAILED = Failed(
    "schema",
    "bad_value",
    "value 'x' is not a number",
    json.dumps({"anonId": "visitor-anna-phone", "userId": "customer-anna", "value": "x"}),
)
FILES = {
    "conversions/shop.ndjson": [
        {"conversion_id": "shop:order-anna-3", "occurred_at": "2026-10-08T10:00:05Z", "customer_id": "customer-anna",
         "site_id": "shop", "value": "55.5", "order_id": "order-anna-3", "email": MAIL, "note": "anna-only-title",
         "payment_ids": "in_of_anna_3 sub_of_anna"},
        {"conversion_id": "renewal-4", "occurred_at": "2026-10-09T10:00:05Z", "customer_id": "customer-anna",
         "site_id": "shop", "value": "56", "order_id": "order-anna-4", "payment_ids": "in_of_anna_4 sub_of_anna"},
        {"conversion_id": "shop:order-ben-2", "occurred_at": "2026-10-09T11:00:00Z", "customer_id": "customer-ben",
         "site_id": "shop", "value": "10", "order_id": "order-ben-2", "email": "ben@example.com", "note": "ben's"},
        {"conversion_id": "no-time", "occurred_at": "yesterday", "customer_id": "customer-anna", "site_id": "shop"},
        # Two people of two orgs.
        {"conversion_id": "here-1", "occurred_at": "2026-10-08T10:00:05Z", "customer_id": "42", "site_id": "shop",
         "value": "7"},
        {"conversion_id": "elsewhere-1", "occurred_at": "2026-10-08T10:00:05Z", "customer_id": "42",
         "site_id": "elsewhere", "value": "5"},
    ],
    "refunds/shop.ndjson": [
        {"refund_id": "refund-1", "occurred_at": "2026-10-10T10:00:00Z", "order_id": "order-anna-1", "site_id": "shop",
         "value": "20"},
        {"refund_id": "refund-2", "occurred_at": "2026-10-10T10:00:00Z", "order_id": "in_of_anna_3", "site_id": "shop",
         "value": "5", "payment_ids": "ch_of_anna_3 in_of_anna_3"},
    ],
    "survey-answers/shop.ndjson": [
        {"answer_id": "answer-1", "occurred_at": "2026-10-03T10:06:00Z", "question": "how", "site_id": "shop",
         "answer": "my neighbour's podcast, says customer-anna", "order_id": "order-anna-1"},
        {"answer_id": "answer-2", "occurred_at": "2026-10-06T10:06:00Z", "question": "how", "site_id": "shop",
         "answer": "tiktok", "visitor_id": TABLET, "customer_id": "customer-ben"},
    ],
    "interactions/calls.ndjson": [
        {"interaction_id": "call-1", "occurred_at": "2026-10-02T10:00:00Z", "customer_id": "customer-anna",
         "site_id": "shop", "touch_type": "call", "channel": "Phone"},
    ],
}  # fmt: skip


def land(home: Path, rows: list[dict], at: str, name: str) -> None:
    """Write a closed segment as the collector does: requests with one event each, and a rejected one."""
    lines = [
        as_line(Receipt("events", at, "default", "shop", "203-address-of-anna", BROWSER, 1, rows=[row]))
        for row in rows
        if row["event_id"] not in BENS
    ]
    lines += [
        as_line(Receipt("events", at, "default", "shop", "203-address-of-ben", BROWSER, 1, rows=[row]))
        for row in rows
        if row["event_id"] in BENS
    ]
    lines.append(as_line(Receipt("events", at, "default", "shop", received=1, failed=[FAILED])))
    (home / "landing" / f"{name}.ndjson").write_bytes(b"".join(lines))


def put(home: Path, files: dict[str, list[dict]]) -> None:
    for name, rows in files.items():
        path = home / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="module")
def before(new_home) -> Path:
    """A built and published home with rows of Anna and Ben. Copy it before changing it."""
    home = new_home("person")
    (home / "tributary.yaml").write_text(SETTINGS)
    (home / "landing").mkdir()
    land(home, LANDED, "2026-10-12T00:00:00.000000Z", "20261012T000000000Z-1-aaaa")
    put(home, FILES)
    tributary(home, "run")
    return home


@pytest.fixture(scope="module")
def after(before, tmp_path_factory) -> Path:
    """The same home after Anna's erasure."""
    home = copy_of(before, tmp_path_factory.mktemp("homes") / "after")
    done = tributary(home, "erase", "--email", MAIL, "--yes")
    assert "0 rows found" in done.stdout
    return home


def copy_of(home: Path, to: Path) -> Path:
    shutil.copytree(home, to, symlinks=True)
    return to


def everything(home: Path) -> str:
    """Return the content of all files of a home: databases and Parquet files decoded, and all bytes."""
    texts = []
    with duckdb.connect() as connection:
        for path in sorted(path for path in home.rglob("*") if path.is_file()):
            texts.append(path.read_bytes().decode("latin-1"))
            if path.suffix == ".parquet":
                texts += map(str, connection.execute(f"from read_parquet('{path}')").fetchall())
            elif path.suffix == ".duckdb":
                connection.execute(f"attach '{path}' as scanned (read_only)")
                for schema, table in connection.execute(
                    "select schema_name, table_name from duckdb_tables() where database_name = 'scanned'"
                ).fetchall():
                    texts += map(str, connection.execute(f'from scanned."{schema}"."{table}"').fetchall())
                connection.execute("detach scanned")
    return "\n".join(texts)


def known(home: Path) -> set[str]:
    """Return the identifiers of Anna that a home contains."""
    content = everything(home)
    return {word for word in ANNA if word in content}


def raw(home: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_no_file_identifies_the_erased_person(before, after) -> None:
    assert known(before) == set(ANNA), "the check must find Anna before the erasure"
    assert known(after) == set()
    assert not (after / "erasing.json").exists()


def test_every_total_stays_to_the_micro(before, after) -> None:
    with duckdb.connect() as connection:
        for name, home in (("before", before), ("after", after)):
            connection.execute(f"attach '{home}/published/marts.duckdb' as {name} (read_only)")
        connection.execute("use before")
        names = tables(connection)
        assert {"conversions", "touchpoints", "daily_rollups", "sessions", "quarantine", "survey_answers"} <= {*names}
        for table in names:
            columns = [name for name, *_ in connection.execute(f"describe before.{table}").fetchall()]
            kept = ", ".join(f'"{name}"' for name in columns if name not in IDS and name != "answer")
            if table in ("attribution_candidates", "window_links"):
                continue  # a view, which finds its tables in the database in use
            # The id of the shop's conversion contains its order's id.
            for name in ("conversion_id", "report_id"):
                kept = kept.replace(f'"{name}"', f"regexp_replace({name}, 'order-anna-3|erased-.*', '')")
            for one, other in (("before", "after"), ("after", "before")):
                query = f"select {kept} from {one}.{table} except all select {kept} from {other}.{table}"
                assert connection.execute(query).fetchall() == [], table
        values = "select count(*), sum(value_micros), sum(refunded_micros) from {}.conversions"
        assert (
            connection.execute(values.format("after")).fetchall()
            == connection.execute(values.format("before")).fetchall()
            == [(8, 328_500_000, 25_000_000)]
        )


def test_rows_of_other_people_do_not_change(before, after) -> None:
    others = "where user_id = 'customer-ben' or anon_id = 'visitor-ben' or event_id = 'event-0007' order by event_id"
    kept = raw(after, f"select * from raw.events {others}")
    # Anna's name in Ben's referrer is Anna's.
    assert kept == raw(before, f"select * from raw.events {others}")
    assert [row[2] for row in kept] == ["event-0007", "event-0008", "event-0012"]
    of_others = "select * from raw.conversions where customer_id in ('customer-ben', '42') order by 2"
    assert raw(after, of_others) == raw(before, of_others)
    assert len(raw(after, of_others)) == 3


def test_on_a_shared_device_only_the_erased_persons_rows_change(after) -> None:
    rows = dict(raw(after, "select event_id, anon_id from raw.events"))
    anna = {rows[f"event-{number:04}"] for number in (5, 6, 9, 10)}
    assert len(anna) == 1
    assert next(iter(anna)).startswith("erased-")
    assert rows["event-0007"] == rows["event-0008"] == TABLET


def test_an_erasure_builds_and_publishes_everything(after) -> None:
    with published(after) as marts:
        assert marts.execute("select version from meta").fetchone() == (2,)
    assert reasons(Home(after), BUILD) == []


def test_audit_row_identifies_nobody(after) -> None:
    ((action, asked_for, counts),) = raw(after, "select action, asked_for, counts from raw.erasures")
    assert (action, asked_for) == ("erase", "email")
    assert json.loads(counts)["raw.events"] == 9


def test_replayed_rows_are_anonymised_again(after, tmp_path) -> None:
    home = copy_of(after, tmp_path / "home")
    land(home, LANDED, "2026-10-12T00:00:00.000000Z", "20261013T000000000Z-1-bbbb")
    put(home, FILES)
    tributary(home, "run", "--select", "group:raw")
    new = "select (select count(*) from raw.events), (select count(*) from raw.conversions)"
    assert raw(home, new) == raw(after, new)
    assert known(home) == set()
    assert list((home / "archive" / "landed").rglob("*bbbb.parquet")), "the replayed segment was not archived"


def test_late_rows_get_the_same_pseudonyms_and_later_rows_are_a_new_person(after, tmp_path) -> None:
    home = Home(copy_of(after, tmp_path / "home"))
    later = datetime.now(UTC).isoformat()
    common = {"site_id": "shop", "type": "PAGE_VIEW"}
    then = "2026-10-02T00:00:00Z"
    late = {
        "events": [
            {"event_id": "late-1", "occurred_at": then, "anon_id": "visitor-anna-phone", **common},
            {"event_id": "late-2", "occurred_at": later, "anon_id": "visitor-anna-phone", **common},
            {"event_id": "late-3", "occurred_at": then, "anon_id": "visitor-nobody", **common},
        ],
        # A refund names the order only, and has no time limit.
        "refunds": [{"occurred_at": later, "order_id": "order-anna-2", "value": "1", "site_id": "shop"}],
        # The same order with another value.
        "conversions": [{**FILES["conversions/shop.ndjson"][0], "value": "56"}],
    }
    with connect(home) as connection:
        for kind, rows in late.items():
            file = tmp_path / f"{kind}.ndjson"
            file.write_text("".join(json.dumps(row) + "\n" for row in rows))
            load_file(connection, kind, file, settings=load_settings(home))
        (order,) = connection.execute("select order_id from raw.events where event_id = 'event-0010'").fetchone()
        refunded = connection.execute("select order_id from raw.refunds where value_micros = 1000000").fetchone()
        assert refunded == (order,)
        conversions = "select count(*), count(distinct conversion_id), sum(value_micros) from raw.conversions"
        assert connection.execute(conversions).fetchone() == (5, 5, 133_500_000)
        assert connection.execute(
            "select count(*) from raw.loads"
            " where received_rows <> loaded_rows + duplicate_rows + failed_rows + limited_rows"
        ).fetchone() == (0,)
        rows = connection.execute(
            "select event_id, anon_id from raw.events where event_id like 'late-%' or event_id = 'event-0001'"
        ).fetchall()
    pseudonym = dict(rows)["event-0001"]
    assert pseudonym.startswith("erased-")
    assert dict(rows) == {
        "event-0001": pseudonym,
        "late-1": pseudonym,
        "late-2": "visitor-anna-phone",
        "late-3": "visitor-nobody",
    }


def test_next_erasure_finishes_a_killed_one(before, tmp_path) -> None:
    home = copy_of(before, tmp_path / "home")
    log = tmp_path / "log"
    for moment in (0.0, 0.2, 0.5):
        process = start_tributary(home, log, "erase", "--customer", "customer-anna", "--yes")
        while not (home / "erasing.json").exists():
            assert process.exitcode is None, log.read_text()
            time.sleep(0.005)
        time.sleep(moment)
        process.kill()
        process.join(10)
        assert read_journal(Home(home)), "the erasure ended before it was killed"
    assert "an unfinished erasure" in reasons(Home(home), BUILD)
    # Half-written files of processes that were killed at another moment.
    for name in ("erased-1.parquet", "orders.parquet", "warehouse.duckdb", "warehouse.duckdb.wal"):
        (home / "tmp" / name).write_bytes(b"PAR1 customer-anna")
    tributary(home, "erase", "--customer", "customer-anna", "--yes")
    assert known(home) == set()
    assert raw(home, "select count(*) from raw.erasures") == [(1,)]
    assert list((home / "tmp").iterdir()) == []


def test_erasure_stops_at_a_file_that_cannot_be_searched(before, tmp_path, capsys) -> None:
    home = Home(copy_of(before, tmp_path / "home"))
    now = datetime.now(UTC).replace(tzinfo=None)
    erasure = prepare(home, load_settings(home), ("customer", "customer-anna"), None, now)
    damaged = home.root / "warehouse.duckdb.damaged"
    damaged.write_bytes(home.warehouse.read_bytes()[:9000])
    with pytest.raises(typer.Exit) as stopped:
        search(home, erasure)
    assert stopped.value.exit_code == 1
    shown = capsys.readouterr().err
    assert "warehouse.duckdb.damaged cannot be searched for the person" in shown
    assert "Delete it, or restore it from a backup, then erase again." in shown
    damaged.unlink()
    assert any(finding.rows for finding in search(home, erasure))


def test_scan_finds_remaining_identifiers_in_every_kind_of_file(after, before, tmp_path) -> None:
    home = Home(copy_of(before, tmp_path / "home"))
    now = datetime.now(UTC).replace(tzinfo=None)
    erasure = prepare(home, load_settings(home), ("customer", "customer-anna"), None, now)
    (home.root / "notes.txt").write_text("call customer-anna back")
    found = {finding.where for finding in scan_home(home, erasure) if finding.rows}
    assert "notes.txt" in found
    assert "warehouse.duckdb: raw.events" in found
    assert "published/marts.duckdb: main.touchpoints" in found
    assert any(where.startswith("archive/landed/") for where in found)
    clean = Home(after)
    assert not [finding for finding in scan_home(clean, erasure) if finding.rows]


def test_export_has_all_rows_of_the_person_and_no_others(before, tmp_path) -> None:
    home = copy_of(before, tmp_path / "home")
    output = tmp_path / "anna.json"
    tributary(home, "export-person", "--visitor", "visitor-anna-phone", "--output", output)
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    text = output.read_text()
    held = json.loads(text)["held"]
    assert len(held["raw.events"]) == 9
    assert {"raw.refunds", "raw.failed_events", "archive/landed", "published.conversions"} <= {*held}
    assert "customer-anna" in text
    assert "ben" not in text
    assert raw(home, "select action, asked_for from raw.erasures") == [("export", "visitor")]


def test_ambiguous_identifier_is_an_error(before) -> None:
    """Customers of two orgs with the same id are two people."""
    error = tributary(before, "erase", "--customer", "42", "--yes", code=2).stderr
    assert "default, other" in error
    assert "--org" in error
    assert "raw.conversions" in tributary(before, "erase", "--customer", "42", "--org", "other", "--dry-run").stdout
    assert "one of --email" in tributary(before, "erase", code=2).stderr
    assert "is not an e-mail address" in tributary(before, "export-person", "--email", "anna", code=2).stderr


def test_id_of_a_shared_device_identifies_no_customer(before) -> None:
    """The person who gives the id of a shared device is not one of those who are known on it."""
    with connect(Home(before)) as connection:
        person = find_person(connection, searched_relations(connection), "visitor", TABLET, "default")
    assert person.customers == []
    assert person.visitors == [TABLET]


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://a.example/p?utm_source=x&to=anna&gclid=abc&ref=b", "https://a.example/p?utm_source=x&gclid=G&ref=b"),
        ("https://anna:secret@a.example/p#anna", "https://a.example/p"),
        ("https://a.example/#/cart?utm_medium=m&id=7", "https://a.example/#utm_medium=m"),
        ("https://a.example/#utm_medium=m&fbclid=q", "https://a.example/#utm_medium=m&fbclid=G"),
        ("https://a.example/?UTM_Source=x&amp;%67clid=abc", "https://a.example/?UTM_Source=x&%67clid=G"),
        ("/path?q=anna", "/path"),
    ],
)
def test_anonymised_url_keeps_its_channel(url: str, kept: str) -> None:
    assert anonymise_url(url, lambda value: "G") == kept
