"""Hashes of addresses: the same for a day, the same in every process, never to be recomputed afterwards."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from ingestion.collector import identity
from ingestion.collector.events import may_hold_personal_data
from ingestion.collector.geo import Geo
from ingestion.collector.identity import Identity
from ingestion.privacy.redact import redact_text
from ingestion.settings.model import SettingsError

DAY = 86_400.0
NOON = 1_800_014_400.0 // DAY * DAY + DAY / 2


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=NOON)
    monkeypatch.setattr(identity.time, "time", lambda: clock.now)
    return clock


def test_a_salt_lasts_a_day_and_is_deleted_after_two(tmp_path, clock):
    file = tmp_path / "salts.json"
    one, other = Identity(file, 24), Identity(file, 24)
    assert file.stat().st_mode & 0o777 == 0o600
    first = one.ip_hash("203.0.113.7", NOON)
    assert first == other.ip_hash("203.0.113.7", NOON + 60) == Identity(file, 24).ip_hash("203.0.113.7", NOON)
    assert first != one.ip_hash("203.0.113.8", NOON)
    salt = json.loads(file.read_text())["current"]
    second = other.ip_hash("203.0.113.7", NOON + DAY)
    assert second == one.ip_hash("203.0.113.7", NOON + DAY) != first
    assert salt in file.read_text()  # for the sessions of midnight
    one.ip_hash("203.0.113.7", NOON + 2 * DAY)
    assert salt not in file.read_text()
    other.ip_hash("203.0.113.7", NOON + 9 * DAY)  # nobody came for a week
    assert json.loads(file.read_text())["previous"] is None
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_clock_that_jumps_restores_no_old_salt(tmp_path, clock):
    ids = Identity(tmp_path / "salts.json", 24)
    today = ids.ip_hash("203.0.113.7", NOON)
    tomorrow = ids.ip_hash("203.0.113.7", NOON + DAY)
    assert ids.ip_hash("203.0.113.7", NOON) == tomorrow  # a little back: the present salt goes on
    far = ids.ip_hash("203.0.113.7", NOON + 1000 * DAY)
    back = ids.ip_hash("203.0.113.7", NOON)
    assert len({today, tomorrow, far, back}) == 4
    assert ids.ip_hash("203.0.113.7", NOON + DAY) not in (today, tomorrow, far, back)  # and it changes again in time


def test_a_damaged_salt_file_and_a_full_disk_do_not_stop_the_collector(tmp_path, clock, monkeypatch):
    file = tmp_path / "salts.json"
    file.write_text("{half")
    ids = Identity(file, 24)
    before = ids.ip_hash("203.0.113.7", NOON)

    def full(*_: object) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr(identity, "_replace", full)
    assert ids.ip_hash("203.0.113.7", NOON + DAY) != before


def test_a_session_spans_midnight_and_ends_after_half_an_hour(tmp_path, clock):
    ids = Identity(tmp_path / "salts.json", 24)
    visitor = ("shop", "203.0.113.7", "Firefox")
    midnight = NOON + DAY / 2
    before = ids.daily_id(*visitor, midnight - 60)
    assert ids.daily_id(*visitor, midnight + 60) == before
    assert ids.daily_id(*visitor, midnight + 1800) == before  # still under way
    after = ids.daily_id(*visitor, midnight + 4000)
    assert after != before
    assert ids.daily_id(*visitor, midnight + 4100) == after
    assert ids.daily_id("other", *visitor[1:], midnight + 4100) != after


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("mail jo.doe+x@sub.example.co.uk!", "mail (email)!"),
        ("jo%40example.com", "(email)"),
        ("jo%2540example.com", "(email)"),
        ("http://a/?ip=203.0.113.7&x=1", "http://a/?ip=(ip)&x=1"),
        ("ip%3D203.0.113.7%26", "ip%3D(ip)%26"),
        ("2001:0db8:85a3:0000:0000:8a2e:0370:7334", "(ip)"),
        ("[2001:db8::1]", "[(ip)]"),
        ("q%3D2001%3Adb8%3A%3A1", "q%3D(ip)"),
        ("ip%3D2001:db8::1", "ip%3D(ip)"),
        ("jo@mail.example.com", "(email)"),
        ("order 12::34, Abc::Def, 5f2c3456::1", None),
        ("at 10:20:30 in version 1.2.3 of std::vector, 1.2.3.4.5", None),
        ("2026-11-20T10:20:30.123+02:00", None),
    ],
)
def test_addresses_in_text_are_redacted_and_nothing_else(text, clean):
    assert redact_text(text) == (text if clean is None else clean)
    assert clean is None or may_hold_personal_data(json.dumps({"a": text}).encode())


def test_adversarial_text_is_unchanged_and_takes_linear_time():
    for text in (
        "a" * 8000 + "@",
        "a." * 4000 + "@",
        "1." * 4000,
        "x:" * 4000,
        ("a@b" * 2700) + ".",
        "%40" * 2700,
        "a@" + "1." * 4000,
        "a@" + "%2E" * 2700,
    ):
        assert redact_text(text) == text  # quadratic work, a megabyte of it a request, would stop a collector


def test_the_place_of_an_address_is_stored_once_and_without_the_address(tmp_path):
    database = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test")
    place = {"country": {"iso_code": "US"}, "subdivisions": [{"iso_code": "CA"}]}
    database.insert_network(IPSet(["203.0.113.0/29"]), place | {"traits": {"user_type": "hosting"}})
    database.insert_network(IPSet(["2001:db8::/32"]), {"autonomous_system_organization": "Hetzner Online GmbH"})
    database.to_db_file(str(tmp_path / "places.mmdb"))
    geo = Geo(tmp_path / "places.mmdb")
    addresses = {"one": "203.0.113.7", "two": "2001:db8::8", "nowhere": "203.0.113.9", "odd": "no address"}
    for ip_hash, address in (*addresses.items(), *addresses.items()):
        geo.note("default", ip_hash, address)
    lines = geo.lines()
    assert [json.loads(line)["rows"] for line in lines] == [
        [
            {"ip_hash": "one", "country": "US", "region": "US-CA", "is_data_centre": True},
            {"ip_hash": "two", "is_data_centre": True},
        ]
    ]
    assert not any(address.encode() in line for line in lines for address in addresses.values())
    geo.note("default", "one", addresses["one"])
    assert geo.lines() == []  # each once


def test_a_file_that_is_not_a_database_is_rejected(tmp_path):
    (tmp_path / "places.mmdb").write_text("nothing")
    with pytest.raises(SettingsError, match=r"places\.mmdb is not a readable MaxMind file"):
        Geo(tmp_path / "places.mmdb")
