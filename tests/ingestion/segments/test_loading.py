"""Load segments: every acknowledged event is in the warehouse once, after any order, damage or crash."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import duckdb
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.files.contracts import ContractError
from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.segments import archive
from ingestion.segments import loading as segments
from ingestion.segments.format import Failed, as_line
from ingestion.segments.loading import load_landing
from ingestion.segments.retire import retire
from ingestion.segments.writer import closed_segments
from ingestion.settings.model import Collector
from ingestion.user_agents import enrich, parse_user_agent
from ingestion.warehouse import connect
from tests.support.home import ROOT
from tests.support.segments import SETTINGS, START, at, content, land, load, page, receipt


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / "home"))
    return Home.from_environment()


def archived(raw, home) -> Counter:
    """The rows of the archive's receipts."""
    files = f"{home.archive}/landed/*/*/*.parquet"
    rows = raw.execute(f"select kind, rows from read_parquet('{files}', hive_partitioning = false)").fetchall()
    return Counter((kind, row["event_id"]) for kind, text in rows for row in json.loads(text or "[]"))


# --- exactly once -------------------------------------------------------------------------------------------

EVENT = st.tuples(
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from(["a", "b"]),
    st.sampled_from([None, 1, 2]),  # occurred_at
    st.integers(0, 5),  # when it was received
    st.sampled_from(["shop", "quiet"]),
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=st.lists(EVENT, max_size=9), seed=st.integers(0, 999))
def test_any_split_order_and_repetition_gives_the_same_events(events, seed, tmp_path_factory):
    folder, shuffle = tmp_path_factory.mktemp("split"), random.Random(seed)
    landed = [
        receipt([page(event_id, seconds, anon_id)], received, site=site, org="default" if site == "shop" else "nord")
        for event_id, anon_id, seconds, received, site in events
    ]
    found = []
    for name in ("whole", "parts"):
        home = Home(folder / name)
        for path in (home.temporary, home.landing):
            path.mkdir(parents=True)
        with connect(home) as raw:
            if name == "whole":
                land(home, 0, *landed)
                load(raw, home)
            else:
                pieces = landed + shuffle.sample(landed, len(landed) // 2)
                shuffle.shuffle(pieces)
                for number, piece in enumerate(pieces):
                    land(home, number, piece)
                    if shuffle.random() < 0.6:
                        load(raw, home)
                load(raw, home)
            found.append(content(raw))
    assert found[0] == found[1]
    keys = {(site, event_id) for event_id, _, _, _, site in events}
    assert len(found[0]["raw.events"]) == len(keys)


def test_a_stored_event_always_gives_way_to_the_one_received_earlier(tmp_path):
    """One load removes rows that it has appended and a row that was stored before. DuckDB can miss the latter."""
    new = Home(tmp_path / "new")
    new.root.mkdir()
    connect(new).close()
    for number in range(40):
        home = Home(tmp_path / str(number))
        for path in (home.temporary, home.landing):
            path.mkdir(parents=True)
        shutil.copy(new.warehouse, home.warehouse)
        with connect(home) as raw:
            for segment, (seconds, received) in enumerate(((None, 4), (2, 3), (1, 3))):
                land(home, segment, receipt([page(1, seconds)], received, site="quiet", org="nord"))
                load(raw, home)
            for segment, (event, seconds, received) in enumerate(((1, None, 4), (3, 1, 3), (1, 1, 0), (1, 1, 3)), 3):
                land(home, segment, receipt([page(event, seconds)], received, site="quiet", org="nord"))
            load(raw, home)
            rows = raw.execute("select event_id, received_at::varchar from raw.events order by 1").fetchall()
            assert rows == [("1", "2026-07-01 00:00:00"), ("3", "2026-07-01 00:00:03")], f"in warehouse {number}"


def test_the_first_content_of_an_id_stays_and_the_other_is_quarantined(home):
    with connect(home) as raw:
        land(home, 1, receipt([page(1, 20, url="https://late.example/")], 30))
        load(raw, home)
        land(home, 2, receipt([page(1, 10), page(1, 10), page(2, 5)], 31, duplicate=2, limited=3))
        (report,) = load(raw, home)
        assert (report.received, report.loaded, report.duplicate, report.limited) == (8, 2, 3, 3)
        assert raw.execute("select event_id, occurred_at::varchar, url from raw.events order by 1").fetchall() == [
            ("1", "2026-07-01 00:00:10", None),
            ("2", "2026-07-01 00:00:05", None),
        ]
        ((reason, payload),) = raw.execute("select reason, payload from raw.failed_events").fetchall()
        assert (reason, json.loads(payload)["url"]) == ("id_conflict", "https://late.example/")


def test_values_that_the_collector_adds_are_not_content(home):
    """A retry an hour later, from another address, of an event without a time and of a visitor with a daily id."""
    with connect(home) as raw:
        first = {"ip": "a1", "ua": "one", "site": "quiet", "org": "nord"}
        land(home, 1, receipt([page(1, anon_id="monday")], 0, **first))
        land(home, 2, receipt([page(1, anon_id="tuesday")], 3600, **first | {"ip": "b2", "ua": "two"}))
        assert [(r.loaded, r.duplicate) for r in load(raw, home)] == [(1, 0), (0, 1)]
        rows = raw.execute("select anon_id, user_agent, ip_hash, occurred_at = received_at from raw.events").fetchall()
        assert rows == [("monday", "one", "a1", True)]


def test_an_event_is_the_same_from_a_file_and_from_the_collector(home, tmp_path):
    row = page(1, 7, url="https://x.example/", value_micros=1_500_000, currency="EUR", properties={"b": "2", "a": "x"})
    file = tmp_path / "x.csv"
    file.write_text(
        "event_id,site_id,type,occurred_at,anon_id,url,value,currency,b,a\n"
        "1,shop,page_view,2026-07-01T02:00:07+02:00,a,https://x.example/,1.50,eur,2,x\n"
        "2,shop,demo_booked,2026-07-01T02:00:07+02:00,a,,,,,\n"
    )
    with connect(home) as raw:
        land(home, 1, receipt([row], 8))
        load(raw, home)
        report = load_file(raw, "events", file, settings=SETTINGS)
        assert (report.loaded, report.duplicate, report.failed) == (1, 1, 0)
        land(home, 2, receipt([page(2, 7, type="DEMO_BOOKED")], 9))
        assert [(r.loaded, r.replaced) for r in load(raw, home)] == [(1, 1)]
        assert raw.execute("select count(*) from raw.events").fetchone() == (2,)


def test_a_collected_event_replaces_the_same_event_of_a_file_in_any_order(home, tmp_path):
    """The file knows neither the address nor the sample; which came first must not show."""
    file = tmp_path / "x.csv"
    file.write_text(f"event_id,site_id,type,occurred_at,anon_id\n1,shop,PAGE_VIEW,{at(7)},a\n")
    found = []
    for name in ("file first", "segment first"):
        other = Home(tmp_path / name)
        for folder in (other.landing, other.temporary):
            folder.mkdir(parents=True)
        with connect(other) as raw:
            land(other, 1, receipt([page(1, 7, sample_percent=50)], 8, ua="one", ip="a1"))
            if name == "file first":
                load_file(raw, "events", file, settings=SETTINGS)
                (report,) = load(raw, other)
                assert (report.loaded, report.duplicate, report.replaced) == (1, 0, 1)
            else:
                load(raw, other)
                assert load_file(raw, "events", file, settings=SETTINGS).duplicate == 1
            found.append(content(raw))
    assert found[0] == found[1]
    assert "a1" in found[0]["raw.events"][0]


# raw.events before there was a collector, and a row with the content hash of that version.
EARLIER = """
create schema raw;
create table raw.events (
    org_id varchar not null, site_id varchar not null, event_id varchar not null, type varchar not null,
    occurred_at timestamp not null, anon_id varchar not null, session_id varchar, user_id varchar, url varchar,
    path varchar, referrer varchar, user_agent varchar, value_micros bigint, currency varchar, order_id varchar,
    conversion_type varchar, properties json, _content_hash varchar not null, _load_id varchar not null,
    _loaded_at timestamp not null
);
insert into raw.events by name select 'default' as org_id, 'shop' as site_id, '1' as event_id, 'PAGE_VIEW' as type,
    '2026-07-01 00:00:07'::timestamp as occurred_at, 'a' as anon_id, '{"x":"1"}'::json as properties,
    'fc75cbe937605cb8e12f75439a8b4705' as _content_hash, 'earlier' as _load_id, '2026-07-02'::timestamp as _loaded_at;
"""


def test_an_event_that_an_earlier_version_loaded_is_still_the_same(home, tmp_path):
    with duckdb.connect(str(home.warehouse)) as earlier:
        earlier.execute(EARLIER)
    file = tmp_path / "x.csv"
    file.write_text(f"event_id,site_id,type,occurred_at,anon_id,x\n1,shop,PAGE_VIEW,{at(7)},a,1\n")
    with connect(home) as raw:
        assert load_file(raw, "events", file, settings=SETTINGS).duplicate == 1
        land(home, 1, receipt([page(1, 7, properties={"x": "1"})], 8), receipt([page(2, 7, title="t")], 8))
        assert [(r.loaded, r.failed, r.replaced) for r in load(raw, home)] == [(2, 0, 1)]
        land(home, 2, receipt([page(2, 7, title="t")], 9), receipt([page(2, 8, title="other")], 9))
        assert [(r.duplicate, r.failed) for r in load(raw, home)] == [(1, 1)]


KILLED = """
from ingestion.home import Home
from ingestion.warehouse import connect
from ingestion.segments.loading import load_landing
from tests.support.segments import SETTINGS
home = Home.from_environment()
print("start", flush=True)
load_landing(connect(home), home, SETTINGS)
"""


def test_a_load_that_is_killed_at_any_moment_loads_everything_once(home):
    chance = random.Random(3)
    expected, number = Counter(), 0
    for _ in range(5):
        for _ in range(3):
            number += 1
            rows = [page(f"{number}-{i}", i, "é" * 40) for i in range(4000)]
            land(home, number, *(receipt(rows[i : i + 100], number) for i in range(0, len(rows), 100)))
            expected.update(row["event_id"] for row in rows)
        process = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, cwd=ROOT, env=os.environ)
        process.stdout.readline()
        time.sleep(chance.uniform(0.02, 0.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
    with connect(home) as raw:
        load(raw, home)
        found = Counter(dict(raw.execute("select event_id, count(*) from raw.events group by all").fetchall()))
        assert found == expected
        assert raw.execute("select sum(received_rows), count(*) from raw.loads").fetchone() == (len(expected), number)
        assert archived(raw, home) == Counter({("events", event_id): 1 for event_id in expected})
    assert list(home.landing.iterdir()) == []
    assert list(home.temporary.glob("parquet-*")) == []


@pytest.mark.parametrize("point", ["write_partitioned", "unlink", "place"])
def test_the_next_load_finishes_after_a_crash_between_commit_and_deletion(home, monkeypatch, point):
    def crash(*_args, **_kwargs):
        raise KeyboardInterrupt

    land(home, 1, receipt([page(1)]), receipt([page(2)], site="quiet", org="nord"))
    with monkeypatch.context() as broken, connect(home) as raw:
        where = {"write_partitioned": segments, "unlink": Path, "place": archive}[point]
        broken.setattr(where, point, crash)
        with pytest.raises(KeyboardInterrupt):
            load_landing(raw, home, SETTINGS)
    with connect(home) as raw:
        assert load(raw, home) == []
        assert raw.execute("select count(*) from raw.events").fetchone() == (2,)
        assert archived(raw, home) == {("events", "1"): 1, ("events", "2"): 1}
    assert list(home.landing.iterdir()) == []


def test_a_home_may_have_any_name(tmp_path):
    home = Home(tmp_path / "it's [1] *")
    for folder in (home.landing, home.temporary):
        folder.mkdir(parents=True)
    keeping = msgspec.structs.replace(SETTINGS, collector=Collector(keep_raw_days=1))
    with connect(home) as raw:
        land(home, 1, receipt([page(1)]))
        load(raw, home)
        assert retire(raw, home, keeping) == 1
        assert raw.execute("select event_id from raw.all_events").fetchall() == [("1",)]


def test_a_repetition_that_appears_after_erasure_is_counted_as_a_duplicate(home):
    person = "visitor-anna-phone-1"
    with connect(home) as raw:
        raw.execute(
            "insert into raw.erased_identifiers by name select sha256(concat_ws(chr(10), 'default', 'visitor', $1))"
            " as identifier_hash, '2026-08-01'::timestamp as until, 'nobody' as pseudonym",
            [person],
        )
        land(home, 1, receipt([page("signup-nobody", 7, "nobody")], 8))
        load(raw, home)
        land(home, 2, receipt([page(f"signup-{person}", 7, person)], 8))
        load(raw, home)
        assert raw.execute("select event_id, anon_id from raw.events").fetchall() == [("signup-nobody", "nobody")]
        found = raw.execute("select loaded_rows, duplicate_rows from raw.loads order by source").fetchall()
        assert found == [(1, 0), (0, 1)]


# --- damage -------------------------------------------------------------------------------------------------


def test_a_damaged_line_is_stored_as_failed_without_personal_data(home):
    good = [as_line(receipt([page(i)])) for i in range(3)]
    flipped = bytearray(as_line(receipt([page("flipped")])))
    flipped[60] ^= 1
    with connect(home) as raw:
        cut = b'{"kind":"events","x":"ann@mail.example 203.0.113.9\n'
        land(home, 1, good[0], bytes(flipped), good[1], cut, b"\n", good[2])
        (report,) = load(raw, home)
        assert (report.received, report.loaded, report.failed) == (6, 3, 3)
        assert raw.execute("select list(event_id order by 1) from raw.events").fetchone() == (["0", "1", "2"],)
        kept = raw.execute("select reason, payload from raw.failed_events order by payload").fetchall()
        assert {reason for reason, _ in kept} == {"torn_line"}
        assert any("(email) (ip)" in payload for _, payload in kept)
        assert not any("ann@" in payload for _, payload in kept)
        assert archived(raw, home) == {("events", str(i)): 1 for i in range(3)}


def test_a_line_that_cannot_be_loaded_becomes_a_failed_row_and_its_segment_is_loaded(home):
    bad = (
        receipt([page("bad", value_micros="ann@mail.example")]),
        receipt([page("worse", consent=7, sample_percent=[])]),
    )
    good = [receipt([page(i)]) for i in range(5)]
    with connect(home) as raw:
        land(home, 1, *good[:2], bad[0], *good[2:], bad[1])
        land(home, 2, receipt([page(9)]))
        reports = load(raw, home)
        assert [(r.received, r.loaded, r.failed) for r in reports] == [(7, 5, 2), (1, 1, 0)]
        kept = raw.execute("select reason, detail, payload, source from raw.failed_events order by payload").fetchall()
        assert [(reason, "cannot hold" in detail) for reason, detail, *_ in kept] == [("unloadable_line", True)] * 2
        assert not any("ann@mail" in payload + detail for _, detail, payload, _ in kept)
        assert raw.execute("select list(event_id order by 1) from raw.events").fetchone() == ([*"01234", "9"],)
        assert closed_segments(home.landing) == []
        assert load(raw, home) == []


def test_on_a_full_disk_no_line_is_blamed(home, monkeypatch):
    stays = land(home, 1, receipt([page(1)]))

    def fail(*arguments, **options):
        raise duckdb.IOException("No space left on device")

    monkeypatch.setattr(segments, "append", fail)
    with connect(home) as raw:
        with pytest.raises(ContractError, match="No space left"):
            load_landing(raw, home, SETTINGS)
        assert raw.execute("select count(*) from raw.failed_events").fetchone() == (0,)
        assert list(home.landing.iterdir()) == [stays]


def test_an_event_with_thousands_of_members_is_loaded_within_the_memory_of_a_small_machine(home):
    properties = {f"k{n}": n for n in range(6000)} | {"text": "x" * 970_000}
    land(home, 1, receipt([page(1, properties=properties)]), receipt([page(2)]))
    with connect(home) as raw:
        raw.execute("set memory_limit = '300MB'")
        (report,) = load(raw, home)
        assert (report.loaded, report.failed) == (2, 0)
        (stored,) = raw.execute("select properties from raw.events where event_id = '1'").fetchone()
    assert json.loads(stored) == properties
    assert list(json.loads(stored)) == sorted(properties)


def test_a_segment_that_cannot_be_loaded_stays_and_blocks_no_other(home):
    stays = land(home, 1, receipt([page(1)]), receipt([{}], kind="wishes"))
    land(home, 2, receipt([page(2)]))
    with connect(home) as raw:
        with pytest.raises(ContractError, match=f"{stays.name}.*wishes.*upgrade"):
            load_landing(raw, home, SETTINGS)
        assert raw.execute("select list(event_id) from raw.events").fetchone() == (["2"],)
        assert list(home.landing.iterdir()) == [stays]


# --- other kinds, refused rows, enrichment ------------------------------------------------------------------


def test_rows_of_other_kinds_are_loaded_as_rows_of_a_file(home):
    refund = {"occurred_at": at(5), "order_id": "o1", "value": "5.50", "line": "7"}
    with connect(home) as raw:
        land(
            home,
            1,
            receipt([refund, refund | {"occurred_at": "never"}, refund], kind="refunds", site=None, org="nord"),
            receipt([], kind="refunds", duplicate=2, failed=[Failed("schema", "bad_json", "no JSON", "torn")]),
            receipt([{"occurred_at": at(1), "visitor_id": "v", "properties": {"b": 1, "a": 2}}], kind="conversions"),
            receipt([{"ip_hash": "a1", "country": "DE"}, {"ip_hash": "a1"}], kind="addresses", received=0),
            receipt([{"ip_hash": "a1", "country": "FR"}], kind="addresses", received=0),
        )
        reports = {report.kind: report for report in load(raw, home)}
        assert reports["events"].received == 0
        found = [(r.received, r.loaded, r.duplicate, r.failed) for k, r in sorted(reports.items()) if k != "events"]
        assert found == [(1, 1, 0, 0), (6, 1, 3, 2)]
        rows = raw.execute("select org_id, site_id, value_micros, properties from raw.refunds").fetchall()
        assert rows == [("nord", None, 5_500_000, '{"line":"7"}')]
        assert raw.execute("select site_id, properties from raw.conversions").fetchall() == [("shop", '{"a":2,"b":1}')]
        assert raw.execute("from raw.addresses").fetchall() == [("a1", "DE", None, None)]
        failed = raw.execute("select kind, layer, reason from raw.failed_events order by 3").fetchall()
        assert failed == [("refunds", "schema", "bad_json"), ("refunds", None, "bad_timestamp")]
        land(
            home,
            2,
            receipt([refund], kind="refunds", site=None, org="nord"),
            receipt([{"ip_hash": "a1", "country": "DE", "region": "DE-BE"}], kind="addresses", received=0),
        )
        assert [r.duplicate for r in load(raw, home) if r.kind == "refunds"] == [1]
        assert raw.execute("from raw.addresses").fetchall() == [("a1", "DE", "DE-BE", None)]


def test_user_agents_are_read_once(home, tmp_path):
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1"
    headless = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0.0.0 Safari/537.36"
    desktop = headless.replace("Headless", "")
    with connect(home) as raw:
        land(home, 1, receipt([page(1)], ua=phone), receipt([page(2)], ua=headless), receipt([page(3)], ua=phone))
        load(raw, home)
        rows = raw.execute("select browser, os, device_type, is_bot from raw.user_agents order by is_bot").fetchall()
        assert rows == [("Mobile Safari", "iOS", "mobile", False), ("HeadlessChrome", "Linux", "desktop", True)]
        assert enrich(raw) == 0
    assert parse_user_agent(desktop)[1:-1] == ("Chrome", "126.0", "Linux", None, "desktop", False, None)
    bots = ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "curl/8.5", "python-requests/2")
    assert all(parse_user_agent(bot).is_bot for bot in bots)


# --- retention ----------------------------------------------------------------------------------------------


def test_retired_events_stay_in_raw_all_events(home):
    keeping = msgspec.structs.replace(SETTINGS, collector=Collector(keep_raw_days=30))
    rows = [page(i, i * 86_400, properties={"n": i}) for i in range(60)]
    everything = "select * from raw.all_events order by site_id, event_id"
    with connect(home) as raw:
        assert raw.execute(everything).fetchall() == []
        land(home, 1, receipt(rows, ua="x"), receipt(rows[:40], site="a/b ..", org="nord"))
        load(raw, home)
        before = raw.execute(everything).fetchall()
        now = START + timedelta(days=60, hours=5)
        assert retire(raw, home, SETTINGS, now) == 0
        assert retire(raw, home, keeping, now) == 60
        assert retire(raw, home, keeping, now) == 0
        assert raw.execute(everything).fetchall() == before
        assert raw.execute("select count(*) from raw.events").fetchone() == (40,)
    with connect(home) as raw:
        assert raw.execute(everything).fetchall() == before
        land(home, 2, receipt([rows[0], rows[1] | {"url": "/other"}, rows[59]], ua="x"))
        (report,) = load(raw, home)
        assert (report.loaded, report.duplicate, report.failed) == (0, 2, 1)
        file = home.temporary / "x.csv"
        file.write_text(
            "event_id,site_id,type,occurred_at,anon_id,properties\n"
            f'0,shop,PAGE_VIEW,{at(0)},a,"{{""n"": 0}}"\n1,shop,PAGE_VIEW,{at(0)},a,"{{""n"": 0}}"\n'
        )
        report = load_file(raw, "events", file, settings=SETTINGS)
        assert (report.loaded, report.duplicate, report.reasons) == (0, 1, {"id_conflict": 1})
        assert raw.execute(everything).fetchall() == before


@pytest.mark.parametrize("point", ["write_partitioned", "transaction", "end_retirement"])
def test_a_crash_of_a_retirement_neither_loses_nor_duplicates_events(home, monkeypatch, point):
    from ingestion.segments import retire as module

    def crash(*_args, **_kwargs):
        raise KeyboardInterrupt

    keeping = msgspec.structs.replace(SETTINGS, collector=Collector(keep_raw_days=1))
    count = "select count(*), count(distinct event_id) from raw.all_events"
    with monkeypatch.context() as broken, connect(home) as raw:
        land(home, 1, receipt([page(i, i * 86_400) for i in range(5)]))
        load(raw, home)
        broken.setattr(module, point, crash)
        with pytest.raises(KeyboardInterrupt):
            retire(raw, home, keeping, START + timedelta(days=4))
    for _ in range(2):
        with connect(home) as raw:
            assert raw.execute(count).fetchone() == (5, 5)
            retire(raw, home, keeping, START + timedelta(days=4))
            assert raw.execute(count).fetchone() == (5, 5)
            assert raw.execute("select count(*) from raw.events").fetchone() == (2,)
    files = duckdb.sql(f"select count(*) from read_parquet('{home.archive}/events/*/*/*.parquet')")
    assert files.fetchall() == [(3,)]
