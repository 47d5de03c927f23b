"""Build leads and won deals of CRMs, and calls, beside the web visits of the same people.

One warehouse is built once, from exports in the vendors' shape and a file of events. Addresses join the people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from ingestion.home import Home
from ingestion.privacy.redact import hash_email
from ingestion.settings.load import load_settings
from ingestion.settings.raw_tables import store_settings
from ingestion.warehouse import connect
from tests.support.models import Project, import_files

SETTINGS = """
orgs:
  - {id: default, currency: EUR, timezone: UTC}
sites:
  - {id: shop, org: default, domains: [shop.example], exclude_bots: false}
"""
PEOPLE = {"mira": "mira@holm.example", "jon": "jon@ek.example", "pia": "pia@roth.example"}
# Mira only gave her address; Jon's customer id is his address; Pia has a customer id, and gave her address.
EVENTS = f"""event_id,site_id,type,occurred_at,anon_id,user_id,email_hash,url
e1,shop,PAGE_VIEW,2026-08-30T18:00:00Z,v1,,,https://shop.example/?utm_source=google&utm_medium=cpc
e2,shop,IDENTIFY,2026-09-01T08:00:00Z,v1,,{hash_email(PEOPLE["mira"])},
e3,shop,PAGE_VIEW,2026-09-01T06:00:00Z,v2,{PEOPLE["jon"]},,https://shop.example/?utm_source=letter&utm_medium=email
e4,shop,PAGE_VIEW,2026-09-01T06:00:00Z,v3,u-9,,https://shop.example/?utm_source=facebook&utm_medium=paid
e5,shop,IDENTIFY,2026-09-01T06:01:00Z,v3,u-9,{hash_email(PEOPLE["pia"])},
"""
CONTACTS = "Record ID,Email,Create Date,Original Source\n" + "".join(
    f"{number},{address},2026-09-02 10:00,Paid Search\n" for number, address in enumerate(PEOPLE.values(), 501)
)
DEALS = """Record ID,Deal Name,Deal Stage,Close Date,Amount,Currency,Associated Contact IDs
9001,Kettles,Closed Won,2026-09-10 10:00,100.10,EUR,501;502
9002,Pans,Closed Won,2026-09-10 10:00,20.00,EUR,502
9003,Pots,Closed Won,2026-09-10 10:00,3.00,EUR,503
9004,Lids,Closed Lost,2026-09-10 10:00,9.00,EUR,503
"""
CALLS = f"""Call Status,Phone Number,Email,Start Time,Source,Medium
Answered Call,+15555550111,{PEOPLE["pia"]},2026-09-03 10:00,Google Ads,PPC
"""


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory, new_home: Callable[[str], Path], project: Project
) -> Iterator[duckdb.DuckDBPyConnection]:
    home, files = new_home("crm"), tmp_path_factory.mktemp("exports")
    (home / "tributary.yaml").write_text(SETTINGS)

    def put(name: str, text: str) -> Path:
        path = files / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        return path

    with connect(Home(home)) as connection:
        store_settings(connection, load_settings(Home(home)))
    import_files(home, "events", put("events", EVENTS))
    import_files(home, "conversions", put("contacts", CONTACTS), put("deals", DEALS), timezone="UTC")
    import_files(home, "interactions", put("calls", CALLS), timezone="UTC")
    project.build_models(home, "conversion_touches", "conversions", "touchpoints")
    with connect(Home(home)) as connection:
        yield connection


def test_leads_and_won_deals_belong_to_the_visits_of_their_address(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute(
        """
        select c.conversion_id, list(t.source order by t.occurred_at)
        from marts.conversions as c
        join marts.conversion_touches using (org_id, conversion_id)
        join marts.touchpoints as t using (org_id, touchpoint_id)
        group by all
        """
    ).fetchall()
    journeys = {"501": ["google"], "502": ["letter"], "503": ["facebook", "Google Ads"]}
    assert dict(found) == {
        **{f"hubspot:contact:{contact}": journey[:1] for contact, journey in journeys.items()},
        "hubspot:deal:9001": journeys["501"],
        "hubspot:deal:9002": journeys["502"],
        "hubspot:deal:9003": journeys["503"],
    }


def test_only_won_deals_have_value(built: duckdb.DuckDBPyConnection) -> None:
    assert built.execute(
        "select reported_type, count(*), sum(value_micros) from marts.conversions group by all order by 1"
    ).fetchall() == [("deal_won", 3, 123_100_000), ("lead", 3, 0)]
