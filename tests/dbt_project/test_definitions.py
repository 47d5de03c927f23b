"""Conversion definitions: what counts, its value, its touches, and the promises for each type side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.home import published
from tests.support.models import import_files

SETTINGS = """\
orgs:
  - {id: shop, currency: EUR, lookback_days: 30}
  - {id: other, currency: EUR}
sites:
  - {id: web, org: shop}
  - {id: app, org: shop}
event_types:
  - {type: DEMO_BOOKED}
conversion_definitions:
  - {org: shop, name: purchase, conversion_types: [purchase, renewal]}
  - {org: shop, name: first_paid, conversion_types: [purchase, renewal], first_only: true, min_value: 1,
     lookback_days: 90}
  - {org: shop, name: renewal, conversion_types: [renewal], touches: since_previous}
  - {org: shop, name: on_the_web, sites: [web]}
  - {org: shop, name: demo, event_types: [DEMO_BOOKED], properties: {plan: gold, seats: "5"}, value: 20.5}
  - {org: shop, name: first_contact, interaction_types: [call, form], first_only: true, touches: all, lookback_days: 7}
"""
TOUCHES = """\
interaction_id,occurred_at,customer_id,touch_type,channel,org_id
t1,2026-03-01T10:00:00Z,ann,click,Search,shop
t2,2026-05-01T10:00:00Z,ann,click,Email,shop
call,2026-05-10T10:00:00Z,ann,call,Phone,shop
t3,2026-05-12T10:00:00Z,ann,click,Display,shop
form,2026-05-13T10:00:00Z,ann,form,Form,shop
t4,2026-05-25T10:00:00Z,ann,click,Search,shop
t5,2026-05-20T10:00:00Z,bob,click,Search,other
"""
ORDERS = """\
conversion_id,occurred_at,customer_id,site_id,value,conversion_type,org_id
free,2026-05-14T10:00:00Z,ann,web,0,purchase,shop
paid,2026-05-15T10:00:00Z,ann,app,100,purchase,shop
again,2026-05-26T10:00:00Z,ann,web,50,purchase,shop
r1,2026-05-16T10:00:00Z,ann,web,10,renewal,shop
r2,2026-05-27T10:00:00Z,ann,web,10,renewal,shop
trial,2026-05-28T10:00:00Z,eve,app,10,renewal,shop
later,2026-06-28T10:00:00Z,eve,app,10,renewal,shop
lead,2026-05-11T10:00:00Z,ann,web,0,lead,shop
bought,2026-05-21T10:00:00Z,bob,,7,purchase,other
asked,2026-05-20T11:00:00Z,bob,,0,lead,other
"""
SPEND = "date,platform,account_id,currency,spend,level,org_id\n2026-05-15,meta,1,EUR,30,account,shop\n"


def events() -> list[dict]:
    base = {"site_id": "web", "type": "DEMO_BOOKED", "anon_id": "visitor", "user_id": "ann"}
    plans = [{"plan": "gold", "seats": 5}, {"plan": "gold", "seats": 6}, {"plan": "silver", "seats": 5}, None]
    return [
        {**base, "event_id": f"e{number}", "occurred_at": f"2026-05-18T1{number}:00:00Z"}
        | ({"properties": plan} if plan else {})
        for number, plan in enumerate(plans)
    ]


@pytest.fixture(scope="module")
def home(new_home, project, tmp_path_factory) -> Path:
    home, folder = new_home("definitions"), tmp_path_factory.mktemp("input")
    (home / "tributary.yaml").write_text(SETTINGS)
    for kind, text in (("interactions", TOUCHES), ("conversions", ORDERS), ("spend", SPEND)):
        header, *rows = [line.rpartition(",") for line in text.splitlines()]
        for org in sorted({org for *_, org in rows}):
            path = folder / f"{kind}_{org}.csv"
            path.write_text("\n".join([header[0], *(row for row, _, of in rows if of == org), ""]))
            import_files(home, kind, path, org=org)
    (folder / "events.ndjson").write_text("".join(json.dumps(event) + "\n" for event in events()))
    import_files(home, "events", folder / "events.ndjson")
    project.build_home(home)
    return home


def test_each_definition_counts_its_reports(home):
    with published(home) as connection:
        rows = connection.execute(
            "select conversion_type, conversion_id, value_micros / 1e6, is_first_conversion from conversions"
            " where org_id = 'shop' order by conversion_type, occurred_at"
        ).fetchall()
    assert rows == [
        ("demo", "web:e0#demo", 20.5, True),
        ("first_contact", "call#first_contact", 0, True),
        ("first_paid", "paid#first_paid", 100, True),
        ("first_paid", "trial#first_paid", 10, True),  # the first payment after a trial is a renewal
        ("on_the_web", "lead#on_the_web", 0, True),
        ("on_the_web", "free#on_the_web", 0, False),
        ("on_the_web", "r1#on_the_web", 10, False),
        ("on_the_web", "again#on_the_web", 50, False),
        ("on_the_web", "r2#on_the_web", 10, False),
        ("purchase", "free", 0, True),
        ("purchase", "paid", 100, False),
        ("purchase", "r1", 10, False),
        ("purchase", "again", 50, False),
        ("purchase", "r2", 10, False),
        ("purchase", "trial", 10, True),
        ("purchase", "later", 10, False),
        ("renewal", "r1#renewal", 10, True),
        ("renewal", "r2#renewal", 10, False),
        ("renewal", "trial#renewal", 10, True),
        ("renewal", "later#renewal", 10, False),
    ]


def test_an_org_without_definitions_counts_every_report(home):
    with published(home) as connection:
        rows = connection.execute(
            "select conversion_id, conversion_type, reported_type from conversions where org_id = 'other' order by 1"
        ).fetchall()
    assert rows == [("asked", "purchase", "lead"), ("bought", "purchase", "purchase")]


def test_each_definition_has_its_touches(home):
    with published(home) as connection:
        rows = connection.execute(
            "select conversion_id, list(touchpoint_id order by position) from conversion_touches"
            " where org_id = 'shop' and conversion_type <> 'on_the_web' group by all"
        ).fetchall()
        reasons = connection.execute(
            "select touchpoint_id, reason from attribution_candidates where conversion_id = 'r2#renewal' order by 1"
        ).fetchall()
    assert dict(rows) == {
        "free": ["t2", "call", "t3", "form"],
        "paid": ["t2", "call", "t3", "form"],
        "r1": ["t2", "call", "t3", "form"],
        "again": ["t2", "call", "t3", "form", "t4"],
        "r2": ["t2", "call", "t3", "form", "t4"],
        "paid#first_paid": ["t1", "t2", "call", "t3", "form"],
        "r1#renewal": ["t2", "call", "t3", "form"],
        "r2#renewal": ["t4"],
        "web:e0#demo": ["t2", "call", "t3", "form"],
        "call#first_contact": ["call", "t3", "form"],
    }
    earlier = "before_previous_conversion"
    assert reasons == [
        ("call", earlier),
        ("form", earlier),
        ("t1", earlier),
        ("t2", earlier),
        ("t3", earlier),
        ("t4", "kept"),
    ]


def test_the_promises_hold_for_every_model_window_and_type(home):
    with published(home) as connection:
        broken = connection.execute("from promises where not is_kept").fetchall()
        slices = connection.execute(
            "select count(distinct (conversion_type, attribution_model, lookback_days)) from promises"
            " where org_id = 'shop' and attribution_model is not null"
        ).fetchone()
        models = connection.execute("select count(distinct attribution_model) from attribution_links").fetchone()[0]
        spend = connection.execute("""
            select conversion_type, sum(spend_micros) from daily_rollups
            where org_id = 'shop' and grain = 'ORGANIZATION' and accounting_mode = 'cash'
                and attribution_model = 'linear'
            group by all
        """).fetchall()
        daily = connection.execute(
            "select sum(conversions)::int, sum(spend)::int from campaign_daily where org_id = 'shop'"
        ).fetchone()
    assert broken == []
    assert slices == (6 * 8 * models,)
    assert len(spend) == 6
    assert {amount for _, amount in spend} == {30_000_000}
    assert daily == (7, 30)  # of the main type
