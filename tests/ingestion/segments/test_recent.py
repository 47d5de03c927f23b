"""Recent events: counted once from landing or archive, without waiting for writers, for the sites of one org."""

from __future__ import annotations

import fcntl
from datetime import UTC, timedelta

import pytest

from ingestion.home import Home
from ingestion.segments import recent
from ingestion.segments.format import Failed, Receipt, as_line
from ingestion.segments.recent import RecentEvents
from ingestion.warehouse import connect
from tests.support.segments import START, load, page

NOW = (START + timedelta(hours=50)).replace(tzinfo=UTC)


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path))
    monkeypatch.setattr(recent, "KEPT_SECONDS", -1.0)
    return Home.from_environment()


def receipt(hours: float, *rows: dict, org: str = "default", site: str = "shop", **more) -> Receipt:
    at = f"{START + timedelta(hours=hours):%Y-%m-%dT%H:%M:%S.%f}Z"
    return Receipt(
        "events",
        at,
        org,
        site,
        received=len(rows) + len(more.get("failed", ())) + more.get("duplicate", 0),
        rows=list(rows),
        **more,
    )


def land(home: Home, number: int, *receipts: Receipt, suffix: str = ".ndjson", tail: bytes = b""):
    path = home.landing / f"{START + timedelta(seconds=number):%Y%m%dT%H%M%S%f}Z-1-{number:08x}{suffix}"
    path.write_bytes(b"".join(map(as_line, receipts)) + tail)
    return path


def summary(events: RecentEvents, org: str = "default", sites: tuple[str, ...] = ("shop",), zone: str = "UTC"):
    return events.of_org(org, sites, zone, NOW)


def total(found) -> int:
    return sum(row["events"] for row in found["hours"])


def test_figures_are_equal_before_and_after_a_load(home):
    land(
        home,
        1,
        receipt(1, page("old")),  # more than 48 hours ago
        receipt(40, page(1, url="https://shop.example/a?x=1", path="/a", source="news"), page(2)),
        receipt(41.5, page(3), failed=[Failed("schema", "bad_time", "d", "{}")], duplicate=2),
    )
    land(home, 2, receipt(49.9, page(4)), receipt(49, page(9), org="nord", site="quiet"))
    land(home, 3, Receipt("addresses", "2026-07-03T01:00:00.000000Z", "default", rows=[{"ip_hash": "x"}]))
    events = RecentEvents(home)
    before = summary(events)
    assert total(before) == 4
    assert before["totals"] == {"received": 7, "duplicate": 2, "failed": 1, "limited": 0}
    assert before["newest"] == START + timedelta(hours=49.9)
    assert before["sources"] == [("news", 1)]
    assert before["pages"] == [("shop.example/a", 1)]
    with connect(home) as raw:
        load(raw, home)
    assert not list(home.landing.iterdir())
    assert summary(events) == before  # the segments moved to the archive
    assert summary(RecentEvents(home)) == before  # read from the archive alone


def test_an_open_segment_counts_without_its_last_incomplete_line(home):
    path = land(home, 1, receipt(49, page(1)), suffix=".open", tail=as_line(receipt(49, page(2)))[:-30])
    events = RecentEvents(home)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as its writer does
        assert total(summary(events)) == 1
        file.write(as_line(receipt(49, page(2)))[-30:] + as_line(receipt(49, page(3))))
        file.flush()
        assert total(summary(events)) == 3
    assert path.exists()
    assert not list(home.landing.glob("*.ndjson"))
    path.rename(path.with_suffix(".ndjson"))
    assert total(summary(events)) == 3


def test_hours_are_those_of_the_zone(home):
    land(home, 1, receipt(40.3, page(1)), receipt(40.6, page(2)))
    hours = [row["hour"] for row in summary(RecentEvents(home), zone="Asia/Kolkata")["hours"]]
    assert hours == [START + timedelta(hours=45), START + timedelta(hours=46)]  # 21:48 and 22:06, 5:30 ahead


def test_an_org_sees_only_its_own_sites(home):
    land(
        home,
        1,
        receipt(49, page(1)),
        receipt(49, page(2), org="nord", site="quiet"),
        receipt(49, page(3), site="moved"),
    )
    events = RecentEvents(home)
    assert [(row["site"], row["events"]) for row in summary(events)["hours"]] == [("shop", 1)]
    assert [(row["site"], row["events"]) for row in summary(events, "nord", ("quiet",))["hours"]] == [("quiet", 1)]
    assert total(summary(events, "other", ("shop", "quiet"))) == 0
    assert summary(events, "other", ("shop",))["totals"]["received"] == 0


def test_names_of_pages_hide_addresses_of_people(home):
    land(
        home,
        1,
        receipt(49, page(1, url="https://shop.example/u/ana@b.example", path="/u/ana@b.example/x?ana@b.example")),
    )
    ((name, _),) = summary(RecentEvents(home))["pages"]
    assert "ana" not in name


def test_a_backlog_is_read_in_several_looks_the_newest_first(home, monkeypatch):
    for number in (1, 2, 3):
        land(home, number, receipt(45 + number, *(page(f"{number}-{row}") for row in range(number))))
    monkeypatch.setattr(recent, "BATCH_BYTES", 1)
    events = RecentEvents(home)
    found = [summary(events) for _ in range(4)]
    assert [total(each) for each in found] == [3, 5, 6, 6]
    assert [each["pending_bytes"] > 0 for each in found] == [True, True, False, False]


def test_a_closed_segment_is_read_once(home, monkeypatch):
    land(home, 1, receipt(49, page(1)))
    events = RecentEvents(home)
    summary(events)
    monkeypatch.setattr(events, "_add", lambda batch: pytest.fail(str(batch)) if batch else None)
    assert total(summary(events)) == 1


def test_the_clock_moves_old_events_out(home):
    land(home, 1, receipt(40, page(1)), receipt(49, page(2)))
    events = RecentEvents(home)
    assert total(summary(events)) == 2
    later = NOW + timedelta(hours=40)
    assert total(events.of_org("default", ["shop"], "UTC", later)) == 1
