"""Entities and clicks: snapshots become states, clicks merge by id; repeated, late and duplicate rows."""

from datetime import date, datetime, timedelta

import msgspec
import pytest

from connectors.platform import Click, Entity
from ingestion.home import Home
from ingestion.spend.entities import merge_clicks, merge_entities
from ingestion.warehouse import connect

MONDAY = datetime(2026, 7, 6, 4)


@pytest.fixture
def raw(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / "home"))
    with connect(Home.from_environment()) as connection:
        yield connection


@pytest.fixture
def merge(raw, tmp_path):
    def merge(*rows, at=MONDAY, org="default"):
        path = tmp_path / "rows [1].ndjson"
        path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
        if rows and isinstance(rows[0], Click):
            report = merge_clicks(raw, org, "google", path)
        else:
            report = merge_entities(raw, org, "meta", path, at)
        assert report.received == report.loaded + report.duplicate
        assert raw.execute("select count(*) from duckdb_tables() where temporary").fetchone() == (0,)
        return report.loaded, report.replaced

    return merge


def campaign(name: str, entity_id: str = "1", **more) -> Entity:
    return Entity(account_id="9", level="campaign", entity_id=entity_id, name=name, **more)


def entity(account: str, level: str, **more) -> Entity:
    return Entity(account_id=account, level=level, entity_id="1", **more)


def click_of(click_id: str, campaign_id: str, **more) -> Click:
    return Click(account_id="9", click_id=click_id, date=date(2026, 7, 6), campaign_id=campaign_id, **more)


def states(raw, entity_id: str = "1"):
    return raw.execute(
        "select name, valid_from, valid_until from raw.ad_entities where entity_id = ? order by valid_from", [entity_id]
    ).fetchall()


def test_state_is_valid_until_the_next(raw, merge):
    days = [MONDAY + timedelta(days=day) for day in range(4)]
    assert merge(campaign("Spring"), campaign("Brand", "2"), at=days[0]) == (2, 0)
    assert merge(campaign("Spring"), campaign("Brand", "2"), at=days[1]) == (0, 0)
    assert merge(campaign("Summer"), at=days[2]) == (1, 1)
    assert merge(campaign("Summer", daily_budget_micros=5_000_000), at=days[3]) == (1, 1)
    assert states(raw) == [("Spring", days[0], days[2]), ("Summer", days[2], days[3]), ("Summer", days[3], None)]
    assert states(raw, "2") == [("Brand", days[0], None)]  # no longer listed: platforms hide deleted entities


def test_older_snapshot_changes_nothing_and_one_of_the_same_time_replaces(raw, merge):
    merge(campaign("Spring"), at=MONDAY)
    merge(campaign("Summer"), at=MONDAY + timedelta(days=1))
    assert merge(campaign("Late"), at=MONDAY + timedelta(hours=1)) == (0, 0)
    assert merge(campaign("Sommer"), at=MONDAY + timedelta(days=1)) == (1, 1)
    assert merge(campaign("Sommer"), at=MONDAY + timedelta(days=1)) == (0, 0)
    assert states(raw) == [
        ("Spring", MONDAY, MONDAY + timedelta(days=1)),
        ("Sommer", MONDAY + timedelta(days=1), None),
    ]


def test_entity_listed_in_two_states_always_has_the_same_one(raw, merge):
    assert merge(campaign("One"), campaign("Two"), at=MONDAY) == (1, 0)
    assert merge(campaign("Two"), campaign("One"), at=MONDAY + timedelta(days=1)) == (0, 0)


def test_same_id_is_another_entity_in_another_level_account_or_org(raw, merge):
    assert merge(campaign("a"), entity("9", "ad"), entity("8", "campaign")) == (3, 0)
    assert merge(campaign("b"), org="nord") == (1, 0)


def test_email_address_in_a_destination_url_is_masked(raw, merge):
    merge(entity("9", "ad", destination_url="https://example.com/?utm_id={{campaign.id}}&mail=jo@example.com"))
    (url,) = raw.execute("select destination_url from raw.ad_entities").fetchone()
    assert url == "https://example.com/?utm_id={{campaign.id}}&mail=(email)"


def test_clicks_are_merged_by_id(raw, merge):
    click = click_of("EAIaIQ", "1", adset_id="2", ad_id="3")
    assert merge(click, click, click_of("eaiaiq", "4")) == (2, 0)
    assert merge(click) == (0, 0)
    assert merge(msgspec.structs.replace(click, ad_id="5")) == (1, 1)
    assert raw.execute("select click_id, campaign_id, ad_id from raw.ad_clicks order by 1").fetchall() == [
        ("EAIaIQ", "1", "5"),
        ("eaiaiq", "4", None),
    ]
