"""Rules of recognition that a fixture of a layout cannot show: refusals, kinds on request, and identity in JSON.

In: files in the shape of the vendors' exports. Out: refusals, and rows of raw tables.
"""

from __future__ import annotations

import json

import pytest

from ingestion.files.column_mapping import ImportOptions
from ingestion.files.contracts import ContractError
from ingestion.files.load import import_file
from ingestion.home import Home
from ingestion.privacy.redact import hash_email
from ingestion.settings.model import Org, Settings
from ingestion.warehouse import connect

SETTINGS = Settings(orgs=[Org("default", "USD")])
REFUSED = {
    "ga4": ("Session primary channel group,Sessions,Engaged sessions,Key events,Total revenue", "a report of totals"),
    "ga4_german": ("Seitenpfad,Aufrufe,Aktive Nutzer,Durchschnittliche Interaktionsdauer", "a report of totals"),
    "plausible": ("date,source,referrer,utm_source,visitors,visits,visit_duration,bounces", "has no events"),
    "plausible_pages": ("name,visitors,pageviews,bounce_rate,time_on_page", "has no events"),
    "matomo": ("label,nb_visits,nb_actions,max_actions,sum_visit_length,bounce_count", "Visits Log"),
    "matomo_visits": (
        "idSite,idVisit,visitorId,type (actionDetails 0),url (actionDetails 0)",
        "Export the visits log as JSON",
    ),
}


@pytest.fixture
def raw(tmp_path):
    home = Home(tmp_path / "home")
    home.temporary.mkdir(parents=True)
    with connect(home) as connection:
        yield connection


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_of_totals_is_refused_with_the_export_that_has_events(raw, tmp_path, name):
    header, sentence = REFUSED[name]
    path = tmp_path / f"{name}.csv"
    path.write_text(f"{header}\n{','.join('7' for _ in header.split(','))}\n", encoding="utf-8")
    with pytest.raises(ContractError, match=sentence):
        import_file(raw, path, SETTINGS)


def test_the_original_source_of_a_contact_is_a_touch_only_on_request(raw, tmp_path):
    path = tmp_path / "contacts.csv"
    path.write_text(
        "Record ID,Email,Create Date,Original Source,Original Source Drill-Down 1\n"
        "501,Mira@Holm.example,2026-09-01 10:22,Paid Search,copper\n"
        "502,jon@ek.example,2026-09-02 10:22,Offline Sources,IMPORT\n"
    )
    options = ImportOptions(timezone="UTC")
    import_file(raw, path, SETTINGS, options)
    assert raw.execute("select count(*) from raw.interactions").fetchone() == (0,)
    person = ("hubspot:501", f"email:{hash_email('mira@holm.example')}")
    assert person in raw.execute("select visitor_id, customer_id from raw.conversions").fetchall()
    import_file(raw, path, SETTINGS, options, kind="interactions")
    assert raw.execute("select visitor_id, customer_id, channel, campaign from raw.interactions").fetchall() == [
        (*person, "Paid Search", "copper")
    ]


def test_two_people_whose_ids_are_addresses_stay_two(raw, tmp_path):
    path = tmp_path / "export.jsonl"
    events = [
        {"event": "Purchase", "properties": {"time": 1788256800, "distinct_id": who, "$insert_id": who[0], "amount": 5}}
        for who in ("ann@example.com", "ben@example.com")
    ]
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    import_file(raw, path, SETTINGS)
    found = raw.execute("select anon_id, user_id, properties::varchar like '%example%' from raw.events").fetchall()
    hashes = {hash_email(f"{name}@example.com") for name in ("ann", "ben")}
    assert {visitor for visitor, *_ in found} == {user for _, user, _ in found} == hashes
    assert not any(has_address for *_, has_address in found)


def test_times_of_an_old_mixpanel_project_are_in_the_stated_zone(raw, tmp_path):
    path = tmp_path / "export.jsonl"
    path.write_text('{"event":"Sign Up","properties":{"time":1788256800,"distinct_id":"u1","$insert_id":"i1"}}\n')
    import_file(raw, path, SETTINGS, ImportOptions(timezone="Europe/Berlin"))
    assert str(raw.execute("select occurred_at from raw.events").fetchone()[0]) == "2026-09-01 08:00:00"
