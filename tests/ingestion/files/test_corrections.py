"""A later import that brings a failed row right clears it, and no other import does."""

from __future__ import annotations

import pytest

from ingestion.files.column_mapping import ImportOptions
from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.settings.model import Org, Settings, Site
from ingestion.warehouse import connect

HEAD = "event_id,site_id,type,occurred_at,anon_id,value\n"
GOOD = "e1,shop,PAGE_VIEW,2026-07-01T00:00:00Z,v1,\n"
SETTINGS = Settings(
    orgs=[Org("default", "USD"), Org("south", "EUR")], sites=[Site("shop", "default"), Site("sud", "south")]
)


@pytest.fixture
def raw(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / "home"))
    with connect(Home.from_environment()) as connection:
        yield connection


@pytest.fixture
def load(raw, tmp_path):
    def run(kind: str, name: str, text: str, **options) -> int:
        """Load a file and return the number of failed rows that it corrected."""
        (tmp_path / name).write_text(text)
        return load_file(raw, kind, tmp_path / name, SETTINGS, ImportOptions(**options)).corrected

    return run


def left(raw) -> list[tuple]:
    return raw.execute("select kind, reason from raw.failed_events order by all").fetchall()


CORRECTIONS = [
    ("events", HEAD, "e9,shop,CONVERSION,2026-07-01T00:00:00Z,v1,{}", "x", "5"),
    ("conversions", "order_id,occurred_at,value,site_id\n", "O1,2026-07-01T00:00:00Z,{},shop", "1.2.3", "5"),
    ("refunds", "order_id,occurred_at,value,site_id\n", "O1,2026-07-01T00:00:00Z,{},shop", "x", "5"),
    ("fees", "fee_id,platform,campaign_id,amount,currency,starts_on\n", "f,creators,1,{},EUR,2026-07-01", "x", "5"),
    ("exchange-rates", "date,base,quote,rate\n", "2026-07-01,EUR,USD,{}", "-1", "1.1"),
    ("entities", "type,id,valid_from,attributes\n", "asset,1,2026-07-01T00:00:00Z,{}", "x", "{}"),
    (
        "postbacks",
        "occurred_at,platform,transaction_id,status,payout,site_id\n",
        "2026-07-01T00:00:00Z,net,t1,approved,{},shop",
        "x",
        "5",
    ),
]


@pytest.mark.parametrize("correction", CORRECTIONS, ids=[kind for kind, *_ in CORRECTIONS])
def test_a_corrected_value_clears_the_row(load, raw, correction):
    kind, head, row, wrong, right = correction
    before, after = (head + row.replace("{}", value) + "\n" for value in (wrong, right))
    for _ in range(2):
        assert load(kind, "before.csv", before) == 0
        assert len(left(raw)) == 1
    assert load(kind, "after.csv", after) == 1
    assert left(raw) == []


def test_spend_is_cleared_by_its_key_in_one_spelling(load, raw):
    head = "date,platform,account_id,campaign_id,ad_id,currency,spend\n"
    load("spend", "a.csv", head + "2026-07-01,Facebook,act_9,1,,EUR,x\n2026-07-01,meta,9,2,,EUR,1\n", partial=True)
    for other in ("2026-07-01,meta,9,1,ad,EUR,1", "2026-07-02,meta,9,1,,EUR,1", "2026-07-01,meta,8,1,,EUR,1"):
        load("spend", "other.csv", f"{head}{other}\n")
        assert left(raw) == [("spend", "bad_money")]
    load("spend", "b.csv", f"{head}2026-07-01,meta,9,1,,EUR,1\n")
    assert left(raw) == []


def test_no_other_row_clears_a_failed_row(load, raw):
    load("events", "a.csv", HEAD + "e2,shop,CONVERSION,2026-07-01T00:00:00Z,v1,x\n")
    load("events", "b.csv", HEAD + "e2,sud,CONVERSION,2026-07-01T00:00:00Z,v1,5\n")  # of another org
    load("interactions", "i.csv", "occurred_at,visitor_id\nnever,v1\n")
    load("interactions", "j.csv", "occurred_at,visitor_id\n2026-07-01T00:00:00Z,v1\n")  # touches without an id
    orders = "order_id,occurred_at,value,site_id\n"
    load("conversions", "o.csv", orders + "O1,2026-07-01T00:00:00Z,1.2.3,shop\n")
    load("conversions", "p.csv", orders + "O1,2026-07-01T00:00:00Z,,shop\n")  # the order without its money
    load("conversions", "q.csv", orders + "O2,2026-07-01T00:00:00Z,1,shop\n")
    assert left(raw) == [("conversions", "bad_money"), ("events", "bad_money"), ("interactions", "bad_timestamp")]
    load(
        "events",
        "d.csv",
        HEAD + "e5,shop,PAGE_VIEW,2026-07-01T00:00:00Z,v1,\ne5,shop,PAGE_VIEW,2026-07-02T00:00:00Z,v1,\n",
    )
    load("events", "d2.csv", HEAD + "e5,shop,PAGE_VIEW,2026-07-01T00:00:00Z,v1,\n")  # it is the row that stays
    assert ("events", "id_conflict") in left(raw)


def test_a_corrected_file_clears_its_damaged_lines(load, raw):
    torn = GOOD.replace("e1", "e2")[:20]
    load("events", "a.csv", HEAD + GOOD + torn + "\n")
    load("events", "a.csv", HEAD + GOOD.replace("e1", "e4") + GOOD.replace("e1", "e5"))  # another file of this name
    load("events", "b.csv", HEAD + GOOD + GOOD.replace("e1", "e2"))  # another name
    assert left(raw) == [("events", "wrong_column_count")]
    load("events", "a.csv", HEAD + GOOD + GOOD.replace("e1", "e2"))
    assert left(raw) == []
