"""Snapshots of entities become states, clicks are kept by their ids; again, late and twice at once."""

from datetime import date, datetime, timedelta

import msgspec
import pytest

from connectors.platform import Click, Entity
from ingestion.home import Home
from ingestion.spend.entities import keep_clicks, keep_entities
from ingestion.warehouse import connect

MONDAY = datetime(2026, 7, 6, 4)


@pytest.fixture
def raw(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / "home"))
    with connect(Home.from_environment()) as connection:
        yield connection


@pytest.fixture
def keep(raw, tmp_path):
    def keep(*rows, at=MONDAY, org="default"):
        path = tmp_path / "rows [1].ndjson"
        path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
        if rows and isinstance(rows[0], Click):
            report = keep_clicks(raw, org, "google", path)
        else:
            report = keep_entities(raw, org, "meta", path, at)
        assert report.received == report.loaded + report.duplicate
        assert raw.execute("select count(*) from duckdb_tables() where temporary").fetchone() == (0,)
        return report.loaded, report.replaced

    return keep


def campaign(name: str, entity_id: str = "1", **more) -> Entity:
    return Entity("9", "campaign", entity_id, name=name, **more)


def states(raw, entity_id: str = "1"):
    return raw.execute(
        "select name, valid_from, valid_until from raw.ad_entities where entity_id = ? order by valid_from", [entity_id]
    ).fetchall()


def test_a_state_holds_until_the_next(raw, keep):
    days = [MONDAY + timedelta(days=day) for day in range(4)]
    assert keep(campaign("Spring"), campaign("Brand", "2"), at=days[0]) == (2, 0)
    assert keep(campaign("Spring"), campaign("Brand", "2"), at=days[1]) == (0, 0)
    assert keep(campaign("Summer"), at=days[2]) == (1, 1)
    assert keep(campaign("Summer", daily_budget_micros=5_000_000), at=days[3]) == (1, 1)
    assert states(raw) == [("Spring", days[0], days[2]), ("Summer", days[2], days[3]), ("Summer", days[3], None)]
    assert states(raw, "2") == [("Brand", days[0], None)]  # no longer listed: deleted ones are hidden


def test_what_is_older_or_of_the_same_moment(raw, keep):
    keep(campaign("Spring"), at=MONDAY)
    keep(campaign("Summer"), at=MONDAY + timedelta(days=1))
    assert keep(campaign("Late"), at=MONDAY + timedelta(hours=1)) == (0, 0)
    assert keep(campaign("Sommer"), at=MONDAY + timedelta(days=1)) == (1, 1)
    assert keep(campaign("Sommer"), at=MONDAY + timedelta(days=1)) == (0, 0)
    assert states(raw) == [
        ("Spring", MONDAY, MONDAY + timedelta(days=1)),
        ("Sommer", MONDAY + timedelta(days=1), None),
    ]


def test_one_that_is_listed_in_two_states_has_the_same_one_every_time(raw, keep):
    assert keep(campaign("One"), campaign("Two"), at=MONDAY) == (1, 0)
    assert keep(campaign("Two"), campaign("One"), at=MONDAY + timedelta(days=1)) == (0, 0)


def test_the_same_id_is_another_entity_at_another_level_account_and_org(raw, keep):
    assert keep(campaign("a"), Entity("9", "ad", "1"), Entity("8", "campaign", "1")) == (3, 0)
    assert keep(campaign("b"), org="nord") == (1, 0)


def test_an_address_in_a_destination_does_not_land(raw, keep):
    keep(Entity("9", "ad", "1", destination_url="https://example.com/?utm_id={{campaign.id}}&mail=jo@example.com"))
    (url,) = raw.execute("select destination_url from raw.ad_entities").fetchone()
    assert url == "https://example.com/?utm_id={{campaign.id}}&mail=(email)"


def test_clicks_are_kept_by_their_ids(raw, keep):
    click = Click("9", "EAIaIQ", date(2026, 7, 6), "1", "2", "3")
    assert keep(click, click, Click("9", "eaiaiq", date(2026, 7, 6), "4")) == (2, 0)
    assert keep(click) == (0, 0)
    assert keep(msgspec.structs.replace(click, ad_id="5")) == (1, 1)
    assert raw.execute("select click_id, campaign_id, ad_id from raw.ad_clicks order by 1").fetchall() == [
        ("EAIaIQ", "1", "5"),
        ("eaiaiq", "4", None),
    ]
