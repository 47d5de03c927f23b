"""Import files: exactly once in any order, each failed row with its line and reason, no personal data."""

import csv
import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import duckdb
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.files import load as load_module
from ingestion.files.column_mapping import ImportOptions
from ingestion.files.contracts import CONTRACTS, ContractError
from ingestion.files.inbox import import_inbox
from ingestion.files.load import load_file
from ingestion.files.replay import replay_failed
from ingestion.home import Home
from ingestion.settings.model import AdAccount, Files, Org, Settings, Site
from ingestion.warehouse import connect
from tests.support.home import ROOT

DATA = ROOT.parent / "shared" / "data"
SETTINGS = Settings(
    orgs=[Org("default", "USD"), Org("nord", "EUR")],
    sites=[Site("nord-shop", "nord"), Site("shop", "default")],
    ad_accounts=[AdAccount("meta", "9", "nord")],
)
EVENT = "event_id,site_id,type,occurred_at,anon_id"
real_data = pytest.mark.skipif(not DATA.exists(), reason="the shared real data is not on this machine")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / "home"))
    return Home.from_environment()


@pytest.fixture
def raw(home):
    with connect(home) as connection:
        yield connection


def put(folder: Path, text: str | bytes, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def load(raw, kind, path, **options):
    report = load_file(raw, kind, path, SETTINGS, ImportOptions(**options))
    assert report.received == report.loaded + report.duplicate + report.failed
    assert sum(report.reasons.values()) == report.failed
    leftover = "select table_name from duckdb_tables() where temporary"
    assert raw.execute(leftover).fetchall() == []
    return report


def failures(raw):
    return raw.execute("select line, reason, detail, payload from raw.failed_events order by line, reason").fetchall()


def content(raw):
    """Return all rows that imports write, without their load, time and line."""
    tables = [contract.table for contract in CONTRACTS.values()]
    rows = {t: raw.execute(f"select * exclude (_load_id, _loaded_at) from {t} order by all").fetchall() for t in tables}
    failed = "select failed_id, kind, org_id, reason, payload from raw.failed_events order by all"
    return rows | {"failed": raw.execute(failed).fetchall()}


# --- real data ----------------------------------------------------------------------------------------------


@real_data
def test_real_touches_are_interactions_and_conversions(raw):
    path = DATA / "touches" / "attribution_62k.csv.gz"
    touches = load(raw, "interactions", path, mapping={"occurred_at": "time", "touch_type": "interaction"})
    mapping = {"occurred_at": "time", "value": "conversion_value"}
    conversions = load(raw, "conversions", path, mapping=mapping, where="conversion = 1")
    assert (touches.received, touches.loaded, conversions.received, conversions.loaded) == (
        62_483,
        62_483,
        1_838,
        1_838,
    )
    assert raw.execute("select sum(value_micros) from raw.conversions").fetchone() == (11_423_500_000,)
    again = load(raw, "interactions", path, mapping={"occurred_at": "time", "touch_type": "interaction"})
    assert (again.loaded, again.duplicate) == (0, 62_483)


@real_data
def test_real_snowplow_events(raw):
    path = DATA / "web_events" / "snowplow_fractribution_events.csv"
    assert load(raw, "events", path, layout="snowplow").loaded == 98
    found = raw.execute("select count(*), sum(value_micros) from raw.events where type = 'CONVERSION'").fetchone()
    assert found == (6, 500_920_000)
    stated = "url = 'https://poplindata.com/' and (source, medium, campaign) = ('(direct)', '(none)', '(not set)')"
    assert raw.execute(f"select count(*) from raw.events where {stated}").fetchone()[0] > 0


# --- exactly once -------------------------------------------------------------------------------------------

TEXT = st.sampled_from(["", "x", 'say "hi"', "two\nlines", "a,b", "Müller", "it's", "\\", "'; drop table", "007"])
ROW = st.tuples(
    st.sampled_from(["", "1", "2", "3"]),  # conversion_id
    st.sampled_from(["2026-07-01T00:00:00Z", "2026-07-01T02:00:00+02:00", "2026-07-02", "soon", ""]),  # occurred_at
    st.sampled_from(["v1", "v2", ""]),  # visitor_id
    st.sampled_from(["1.5", "1.50", "-3", "much", "nan", ""]),  # value
    TEXT,  # note, in properties
)
HEADER = ("conversion_id", "occurred_at", "visitor_id", "value", "note")


def as_csv(rows) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADER, *rows])
    return text.getvalue()


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(ROW, max_size=8),
    torn=st.lists(st.sampled_from(["1,2", "a,b,c,d,e,f", '"x"y,b,c,d,e']), max_size=2),
    seed=st.integers(0, 99),
)
def test_any_split_order_and_repetition_gives_the_same_content(rows, torn, seed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("split")
    whole, parts = (Home(folder / name) for name in ("whole", "parts"))
    for home in (whole, parts):
        home.temporary.mkdir(parents=True)
    text = as_csv(rows) + "".join(line + "\n" for line in torn)
    with connect(whole) as raw:
        report = load(raw, "conversions", put(folder, text))
        once = content(raw)
        again = load(raw, "conversions", put(folder, text))
        assert content(raw) == once
        assert (again.loaded, again.failed) == (0, report.failed)
    assert report.received == len(list(csv.reader(io.StringIO(as_csv(rows))))) - 1 + len(torn)
    pieces = [as_csv([row]) for row in rows] + [as_csv([]) + line + "\n" for line in torn]
    pieces += [text]
    random.Random(seed).shuffle(pieces)
    with connect(parts) as raw:
        for piece in pieces:
            load(raw, "conversions", put(folder, piece))
        assert content(raw) == once


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_first_content_in_time_keeps_an_id_in_any_order(raw, tmp_path, order):
    rows = [f"e1,s,PAGE_VIEW,2026-07-0{day}T00:00:00Z,a" for day in (1, 2, 3)]
    for index in order:
        load(raw, "events", put(tmp_path, f"{EVENT}\n{rows[index]}\n", f"{index}.csv"))
    assert raw.execute("select day(occurred_at) from raw.events").fetchall() == [(1,)]
    failed = raw.execute("select reason, payload ->> 'occurred_at' from raw.failed_events order by 2").fetchall()
    assert failed == [("id_conflict", "2026-07-02 00:00:00"), ("id_conflict", "2026-07-03 00:00:00")]
    load(raw, "events", put(tmp_path, f"{EVENT}\n" + "\n".join(rows)))
    assert raw.execute("select count(*) from raw.failed_events").fetchone() == (2,)


def test_identical_rows_without_an_id_are_one_touch(raw, tmp_path):
    text = (
        "occurred_at,visitor_id,interaction_id\n" + "2026-07-01T00:00:00Z,v,\n" * 2 + "2026-07-01T00:00:00Z,v,i1\n" * 2
    )
    report = load(raw, "interactions", put(tmp_path, text))
    assert (report.loaded, report.duplicate) == (2, 2)


def test_an_id_that_is_a_whole_number_has_no_decimals(raw, tmp_path):
    header = "order_id,occurred_at,customer_id,value\n"
    rows = ["7010.0,2026-07-01T00:00:00Z,77.0,33", "7010,2026-07-01T00:00:00Z,77,33", "7.5,2026-07-01T00:00:00Z,v1.0,3"]
    report = load(raw, "conversions", put(tmp_path, header + "\n".join(rows) + "\n"))
    assert (report.loaded, report.duplicate) == (2, 1)
    found = raw.execute("select order_id, customer_id from raw.conversions order by 1").fetchall()
    assert found == [("7.5", "v1.0"), ("7010", "77")]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_content_with_money_keeps_an_id_in_any_order(raw, tmp_path, order):
    header = "conversion_id,occurred_at,visitor_id,value\n"
    rows = ["k,2026-07-01T00:00:00Z,v,", "k,2026-07-02T00:00:00Z,v,90", "k,2026-07-01T00:00:00Z,v,0"]
    for number in order:
        load(raw, "conversions", put(tmp_path, header + rows[number] + "\n"))
    assert raw.execute("select value_micros from raw.conversions").fetchall() == [(90_000_000,)]


def test_a_blank_refunded_amount_is_no_refund_in_a_replay_either(home, raw, tmp_path):
    rows = "A,2026-07-01T00:00:00Z,,\nB,2026-07-01T00:00:00Z,5,\nC,2026-07-01T00:00:00Z,,refunded\n"
    path = put(tmp_path, "order_id,occurred_at,amount,status\n" + rows)
    without_default = Settings(orgs=[Org("nord", "EUR")])
    options = ImportOptions(mapping={"value": "amount"})
    assert load_file(raw, "refunds", path, without_default, options).reasons == {"unknown_org": 3}
    assert replay_failed(raw, home, SETTINGS, reason="unknown_org").loaded == 3
    replayed = raw.execute("select order_id, value_micros from raw.refunds order by 1").fetchall()
    assert replayed == [("A", 0), ("B", 5_000_000), ("C", None)]
    assert load(raw, "refunds", path, mapping={"value": "amount"}).duplicate == 3


def test_every_file_format_gives_the_same_rows(raw, tmp_path):
    rows = [
        {"occurred_at": "2026-07-01T00:00:00Z", "visitor_id": f"v{i}", "campaign": 'a "b"', "extra": str(i)}
        for i in range(5)
    ]
    table = io.StringIO()
    writer = csv.DictWriter(table, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    text = table.getvalue()
    as_json = "\n".join(json.dumps({**row, "extra": int(row["extra"])}) for row in rows)
    put(tmp_path, as_json, "in.ndjson")
    parquet = tmp_path / "rows.parquet"
    duckdb.sql(
        f"select * replace (occurred_at::timestamptz as occurred_at) from read_json('{tmp_path}/in.ndjson')"
    ).write_parquet(str(parquet))
    files = [
        put(tmp_path, text),
        put(tmp_path, gzip.compress(text.encode()), "x.csv.gz"),
        put(tmp_path, "\ufeff" + text, "bom.csv"),
        put(tmp_path, text.replace(",", "\t"), "x.tsv"),
        tmp_path / "in.ndjson",
        parquet,
        put(tmp_path, gzip.compress(as_json.encode()), "no-extension"),
        put(tmp_path, text.replace("\r\n", "\n"), "unix.csv"),
    ]
    loaded = [load(raw, "interactions", path) for path in files]
    assert [report.loaded for report in loaded] == [5] + [0] * 7
    assert [report.duplicate for report in loaded] == [0] + [5] * 7
    assert raw.execute("select distinct properties ->> 'extra' from raw.interactions order by 1").fetchall() == [
        (str(i),) for i in range(5)
    ]


# --- spend and rates ----------------------------------------------------------------------------------------

SPEND = "date,platform,account_id,campaign_id,currency,spend,impressions\n"


def test_restated_spend_replaces_and_keeps_history(raw, tmp_path):
    load(raw, "spend", put(tmp_path, SPEND + "2026-07-01,Meta,1,c,usd,10.10,5\n2026-07-02,meta,1,c,USD,1,\n"))
    report = load(
        raw, "spend", put(tmp_path, SPEND + "2026-07-01, meta ,1,c,USD,12.345678,5\n2026-07-02,meta,1,c,USD,1.0,\n")
    )
    assert (report.loaded, report.duplicate, report.replaced) == (1, 1, 1)
    assert raw.execute("select spend_micros from raw.ad_spend order by date").fetchall() == [
        (12_345_678,),
        (1_000_000,),
    ]
    history = (
        "select spend_micros, _replaced_by_load_id is not null, _replaced_at >= _loaded_at from raw.ad_spend_history"
    )
    assert raw.execute(history).fetchall() == [(10_100_000, True, True)]


def test_all_names_of_a_platform_become_one(raw, tmp_path):
    load(raw, "spend", put(tmp_path, SPEND + "2026-07-01,Facebook,1,c,USD,10,5\n2026-07-01,bing,2,c,USD,3,\n"))
    report = load(raw, "spend", put(tmp_path, SPEND + "2026-07-01,Meta,1,c,USD,11,5\n2026-07-01,Bing,2,c,USD,3,\n"))
    assert (report.loaded, report.duplicate, report.replaced) == (1, 1, 1)
    assert raw.execute("select platform, spend_micros from raw.ad_spend order by 1").fetchall() == [
        ("meta", 11_000_000),
        ("microsoft", 3_000_000),
    ]


def test_a_key_with_two_contents_in_one_file_fails(raw, tmp_path):
    text = (
        SPEND
        + "2026-07-01,meta,1,c,USD,1,\n2026-07-01,meta,1,c,USD,2,\n"
        + "2026-07-01,meta,1,c,USD,2,\n2026-07-02,meta,1,c,USD,2,\n"
    )
    report = load(raw, "spend", put(tmp_path, text), partial=True)
    assert (report.loaded, report.duplicate, report.reasons) == (1, 0, {"ambiguous_key": 3})
    assert [row[0] for row in failures(raw)] == [2, 3]
    assert "import it with --sum" in failures(raw)[0][2]


LEVELS = "date,platform,account_id,currency,spend,level,campaign_id,adset_id,ad_id,video_views\n"


def test_a_reported_total_is_a_separate_row(raw, tmp_path):
    day = "2026-07-01,meta,1,USD"
    text = f"{LEVELS}{day},10,Account,,,,\n{day},8,campaign,c,,,\n{day},8,ad,c,s,a,7\n{day},3,,c,s,b,\n"
    assert load(raw, "spend", put(tmp_path, text)).loaded == 4
    assert raw.execute("select level, campaign_id, ad_id, video_views from raw.ad_spend order by all").fetchall() == [
        ("account", None, None, None),
        ("campaign", "c", None, None),
        (None, "c", "a", 7),
        (None, "c", "b", None),
    ]
    restated = load(raw, "spend", put(tmp_path, f"{LEVELS}{day},11,account,,,,\n"))
    assert (restated.loaded, restated.replaced) == (1, 1)


def test_a_row_keeps_its_hash_after_a_column_is_added(raw, tmp_path):
    load(raw, "spend", put(tmp_path, SPEND + "2026-07-01,meta,1,c,USD,10.10,5\n"))
    # The hash of a version without level and video_views.
    assert raw.execute("select _content_hash from raw.ad_spend").fetchone() == ("cb5528ca73152c0be79157428e1ed2a2",)
    head = SPEND.replace("impressions", "impressions,level,video_views")
    assert load(raw, "spend", put(tmp_path, head + "2026-07-01,meta,1,c,USD,10.1,5,ad,\n")).duplicate == 1


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        ("account,c,,", "bad_level", "the total of an account has no campaign_id, adset_id or ad_id"),
        ("campaign,c,s,", "bad_level", "the total of a campaign has no adset_id or ad_id"),
        ("adset,c,,", "bad_level", "the total of an ad set has an adset_id and no ad_id"),
        ("campaign,,,", "missing_value", "campaign_id is empty and required unless level is account"),
        (",,,a", "missing_value", "campaign_id is empty and required unless level is account"),
        ("creative,c,,", "bad_level", "level creative is not account, campaign, adset or ad"),
    ],
)
def test_a_level_requires_matching_ids(raw, tmp_path, row, reason, detail):
    report = load(raw, "spend", put(tmp_path, f"{LEVELS}2026-07-01,meta,1,USD,1,{row},\n"), partial=True)
    assert report.reasons == {reason: 1}
    assert failures(raw)[0][2] == detail


def test_account_totals_need_no_campaign_column(raw, tmp_path):
    head = "date,platform,account_id,currency,spend"
    totals = put(tmp_path, f"{head},level\n2026-07-01,meta,1,USD,5,account\n2026-07-01,meta,1,USD,5,campaign\n")
    assert load(raw, "spend", totals, partial=True).reasons == {"missing_value": 1}
    with pytest.raises(ContractError, match="required column campaign_id is missing"):
        load(raw, "spend", put(tmp_path, f"{head}\n2026-07-01,meta,1,USD,5\n"))


FEES = "fee_id,platform,campaign_id,amount,currency,starts_on"


def test_fees(raw, tmp_path):
    text = f"{FEES}\nf1,Meta,summer,1000,EUR,2026-07-01\n"
    assert load(raw, "fees", put(tmp_path, text)).loaded == 1
    columns = "org_id, platform, account_id, basis, amount_micros, starts_on::varchar, ends_on::varchar"
    fees = f"select {columns} from raw.fees order by fee_id"
    assert raw.execute(fees).fetchall() == [
        ("default", "meta", "meta", "period", 1_000_000_000, "2026-07-01", "2026-07-01")
    ]
    more = (
        f"{FEES},ends_on,basis,account_id\n"
        "f1,meta,summer,900,EUR,2026-07-01,2026-07-31,,\n"
        "f2,meta,summer,5,EUR,2026-07-01,,Conversion,9\n"  # the account belongs to another org
        "f3,meta,summer,5,EUR,2026-07-02,2026-07-01,,\n"
        "f4,meta,summer,5,EUR,2026-07-02,,monthly,\n"
        "f5,meta,summer,5,EUR,2026-07-02,9999-12-31,,\n"  # a fee over eight thousand years has no daily amount
    )
    report = load(raw, "fees", put(tmp_path, more))
    assert (report.loaded, report.replaced, report.reasons) == (2, 1, {"bad_period": 1, "bad_basis": 1, "bad_date": 1})
    assert raw.execute(fees).fetchall() == [
        ("default", "meta", "meta", "period", 900_000_000, "2026-07-01", "2026-07-31"),
        ("nord", "meta", "9", "conversion", 5_000_000, "2026-07-01", "2026-07-01"),
    ]
    assert "ends_on 2026-07-01 is before starts_on 2026-07-02" in [detail for _, _, detail, _ in failures(raw)]


def test_rates_are_replaced(raw, tmp_path):
    head = "date,base,quote,rate\n"
    load(raw, "exchange-rates", put(tmp_path, head + "2026-07-01,EUR,USD,1.1\n"))
    report = load(
        raw,
        "exchange-rates",
        put(tmp_path, head + "2026-07-01,EUR,USD,1.2\n2026-07-01,EUR,EUR,2\n2026-07-02,EUR,USD,0\n"),
    )
    assert report.reasons == {"bad_rate": 2}
    assert raw.execute("select rate::varchar from raw.exchange_rates").fetchall() == [("1.200000000",)]


# --- entities -----------------------------------------------------------------------------------------------


def test_entities_load_with_either_header(raw, tmp_path):
    text = (
        'type,id,valid_from,attributes,licence\nasset,7,2026-07-01T00:00:00Z,"{""title"": ""Dawn""}",basic\n'
        "asset,7,2026-07-02T00:00:00Z,,pro\nasset,8,2026-07-02T00:00:00Z,[1],pro\nasset,,2026-07-02T00:00:00Z,,pro\n"
    )
    report = load(raw, "entities", put(tmp_path, text))
    assert (report.loaded, report.reasons) == (2, {"bad_properties": 1, "missing_value": 1})
    same = "entity_type,entity_id,valid_from,licence\nasset,7,2026-07-02T00:00:00Z,pro\n"
    assert load(raw, "entities", put(tmp_path, same)).duplicate == 1
    restated = load(raw, "entities", put(tmp_path, same.replace("pro", "team")))
    assert (restated.loaded, restated.replaced) == (1, 1)
    assert raw.execute("select entity_id, properties from raw.entities order by valid_from").fetchall() == [
        ("7", '{"licence":"basic","title":"Dawn"}'),
        ("7", '{"licence":"team"}'),
    ]


# --- the row contract ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "row", "reason", "sentence"),
    [
        ("events", {"event_id": ""}, "missing_value", "event_id is empty and required"),
        ("events", {"type": "CLICK"}, "unknown_type", "type CLICK is not a known type such as PAGE_VIEW"),
        ("events", {"occurred_at": "2026-07-01 12:00:00"}, "missing_timezone", "with --timezone"),
        ("events", {"occurred_at": "2026-07-01"}, "missing_timezone", "has no time zone"),
        ("events", {"occurred_at": "2026-02-30T00:00:00Z"}, "bad_timestamp", "is not an ISO 8601 time"),
        ("events", {"occurred_at": "infinity"}, "bad_timestamp", "is not an ISO 8601 time"),
        ("events", {"occurred_at": "1751328000"}, "bad_timestamp", "is not an ISO 8601 time"),
        ("events", {"occurred_at": "9999-01-01T00:00:00Z"}, "bad_timestamp", "from 1970 to 2199"),
        ("events", {"value": "12k"}, "bad_money", "value 12k is not a decimal"),
        ("events", {"value": "NaN"}, "bad_money", "value NaN is not"),
        ("events", {"value": "inf"}, "bad_money", "value inf is not"),
        ("events", {"value": "1_000"}, "bad_money", "value 1_000 is not"),
        ("events", {"value": "1000000000000"}, "bad_money", "below 1e12"),
        ("events", {"currency": "US"}, "bad_currency", "such as USD"),
        ("events", {"properties": "[1]"}, "bad_properties", "not a JSON object"),
        ("events", {"properties": "{torn"}, "bad_properties", "not a JSON object"),
        ("conversions", {"visitor_id": ""}, "missing_person", "visitor_id, customer_id, order_id are all empty"),
        ("conversions", {"visitor_id": "", "order_id": "1.20214E+17"}, "rounded_id", "a spreadsheet rounded this id"),
        ("spend", {"campaign_id": "1,5e+17"}, "rounded_id", "Format the column as text"),
        ("spend", {"date": "01.07.2026"}, "bad_date", "such as 2026-07-01"),
        ("spend", {"clicks": "-1"}, "bad_count", "a whole number from 0"),
        ("spend", {"clicks": "1.5"}, "bad_count", "a whole number from 0"),
        ("spend", {"clicks": "9000000000000000000"}, "bad_count", "below 1e12"),
        ("spend", {"platform_conversions": "nan"}, "bad_number", "a number below 1e12"),
        ("spend", {"platform_conversions": "-1e40"}, "bad_number", "a number below 1e12"),
        ("spend", {"spend": "5%"}, "bad_money", "spend 5% is not"),
    ],
)
def test_a_failed_row_names_the_broken_rule(raw, tmp_path, kind, row, reason, sentence):  # noqa: PLR0917
    good = {
        "events": dict.fromkeys(EVENT.split(","), "x") | {"type": "page_view", "occurred_at": "2026-07-01T00:00:00Z"},
        "conversions": {"occurred_at": "2026-07-01T00:00:00Z", "visitor_id": "v"},
        "spend": dict(zip(SPEND.strip().split(","), ["2026-07-01", "meta", "1", "c", "USD", "1", "1"], strict=True)),
    }[kind]
    text = io.StringIO()
    writer = csv.DictWriter(text, {**good, **row})
    writer.writeheader()
    writer.writerows([good, {**good, **row}])
    report = load(raw, kind, put(tmp_path, text.getvalue()), partial=kind == "spend")
    assert (report.loaded, report.reasons) == (1, {reason: 1})
    ((line, code, detail, payload),) = failures(raw)
    assert (line, code) == (3, reason)
    assert sentence in detail
    assert json.loads(payload) == {name: value for name, value in {**good, **row}.items() if value}


def test_a_failed_row_names_all_broken_rules(raw, tmp_path):
    load(raw, "events", put(tmp_path, f"{EVENT},value\n,s,CLICK,soon,a,x\n"))
    ((_, reason, detail, _),) = failures(raw)
    assert reason == "missing_value"
    assert all(name in detail for name in ("event_id", "type CLICK", "occurred_at soon", "value x"))


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("19.99", 19_990_000),
        ("0.1", 100_000),
        ("-5", -5_000_000),
        ("999999999999.999999", 999_999_999_999_999_999),
        ("1e-05", 10),
        (".5", 500_000),
        (" 7 ", 7_000_000),
        ('"1,250.00"', 1_250_000_000),
        ('"-1.250.000,5"', -1_250_000_500_000),
        ("123456789.123457", 123_456_789_123_457),
    ],
)
def test_money_is_exact(raw, tmp_path, written, stored):
    load(raw, "conversions", put(tmp_path, f"occurred_at,visitor_id,value\n2026-07-01T00:00:00Z,v,{written}\n"))
    assert raw.execute("select value_micros from raw.conversions").fetchall() == [(stored,)]


@pytest.mark.parametrize(
    ("written", "timezone", "stored"),
    [
        ("2026-07-01T23:30:00+02:00", None, "2026-07-01 21:30:00"),
        ("2026-07-01 23:30:00-0330", None, "2026-07-02 03:00:00"),
        ("2026-07-01T23:30Z", None, "2026-07-01 23:30:00"),
        ("2026-07-01 23:30:00.123 UTC", None, "2026-07-01 23:30:00.123"),
        ("2026-07-01 23:30:00 +0200", None, "2026-07-01 21:30:00"),
        ("2026-07-01T23:30:00 GMT", None, "2026-07-01 23:30:00"),
        ("2026-07-01T23:30:00z", None, "2026-07-01 23:30:00"),
        ("2026-07-01 23:30:00", "Europe/Berlin", "2026-07-01 21:30:00"),
        ("2026-01-01", "Europe/Berlin", "2025-12-31 23:00:00"),
        ("2026-07-01T23:30:00Z", "Europe/Berlin", "2026-07-01 23:30:00"),
        ("2026-10-25 03:30:00", "Europe/Berlin", "2026-10-25 02:30:00"),
    ],
)
def test_times_become_utc(raw, tmp_path, written, timezone, stored):
    load(raw, "conversions", put(tmp_path, f"occurred_at,visitor_id\n{written},v\n"), timezone=timezone)
    assert raw.execute("select occurred_at::varchar from raw.conversions").fetchall() == [(stored,)]


def test_the_org_of_a_row(raw, tmp_path):
    rows = "e1,nord-shop,CUSTOM,2026-07-01T00:00:00Z,a\ne2,elsewhere,CUSTOM,2026-07-01T00:00:00Z,a\n"
    load(raw, "events", put(tmp_path, f"{EVENT}\n{rows}"))
    assert raw.execute("select org_id, site_id from raw.events order by 1").fetchall() == [
        ("default", "elsewhere"),
        ("nord", "nord-shop"),
    ]
    assert load(raw, "events", put(tmp_path, f"{EVENT}\n{rows}"), org="default").reasons == {"org_mismatch": 1}
    assert load(raw, "events", put(tmp_path, f"{EVENT}\n{rows}"), site="nord-shop").loaded == 1
    load(raw, "spend", put(tmp_path, SPEND + "2026-07-01,META,9,c,EUR,1,\n"))
    assert raw.execute("select org_id from raw.ad_spend").fetchall() == [("nord",)]
    orphan = Settings(orgs=[Org("nord", "EUR")], sites=SETTINGS.sites)
    assert load_file(raw, "events", put(tmp_path, f"{EVENT}\n{rows}"), settings=orphan).reasons == {"unknown_org": 1}


# --- malformed files -------------------------------------------------------------------------------------------


def test_only_broken_lines_fail_and_keep_their_line_numbers(raw, tmp_path):
    good = "e{},s,CUSTOM,2026-07-01T00:00:00Z,a"
    lines = [
        EVENT.encode(),
        good.format(1).encode(),
        b'"e2\r\nsecond line",s,CUSTOM,2026-07-01T00:00:00Z,a',
        b"too,few",
        b"",
        b'"e3,s,CUSTOM,2026-07-01T00:00:00Z,a',
        good.format(4).encode(),
        b'"e5"x,s,CUSTOM,2026-07-01T00:00:00Z,a',
        b"e6,s,CUSTOM,2026-07-01T00:00:00Z,\xff",
        b"e7,s,CUSTOM,never,a",
        good.format(8).encode() + b",more",
        b'e9,s,CUSTOM,2026-07-01T00:00:00Z,"a ""b"""',
        good.format(10).encode(),
    ]
    # line ends are mixed too
    report = load(raw, "events", put(tmp_path, b"\n".join(lines[:6]) + b"\n" + b"\r\n".join(lines[6:])))
    assert raw.execute("select event_id from raw.events order by 1").fetchall() == [
        ("e1",),
        ("e10",),
        ("e2\r\nsecond line",),
        ("e4",),
        ("e9",),
    ]
    assert [(line, reason) for line, reason, *_ in failures(raw)] == [
        (5, "wrong_column_count"),
        (7, "bad_quoting"),
        (9, "bad_quoting"),
        (10, "bad_encoding"),
        (11, "bad_timestamp"),
        (12, "wrong_column_count"),
    ]
    assert (report.received, report.loaded, report.failed) == (11, 5, 6)
    assert failures(raw)[0][3] == "too,few"


def test_line_numbers_count_line_breaks_inside_fields(raw, tmp_path):
    text = f'{EVENT}\n"e\n1",s,CUSTOM,2026-07-01T00:00:00Z,a\n\ne2,s,CUSTOM,never,a\n'
    load(raw, "events", put(tmp_path, text))
    assert failures(raw)[0][0] == 5


def test_only_the_torn_json_line_fails(raw, tmp_path):
    row = {
        "event_id": "1",
        "site_id": "s",
        "type": "CUSTOM",
        "occurred_at": "2026-07-01T00:00:00Z",
        "anon_id": "a",
        'k/~"': [1],
    }
    lines = [
        json.dumps(row),
        json.dumps(row)[:40],
        "",
        "[1]",
        json.dumps(row | {"event_id": "2"}) + "}",
        json.dumps(row | {"event_id": "3", "value": 19.99, "nested": {"b": 1, "a": None}}),
    ]
    report = load(raw, "events", put(tmp_path, "\n".join(lines).encode() + b'\n{"x": "\xff"}\n', "x.ndjson"))
    assert (report.received, report.loaded) == (6, 2)
    assert [(line, reason) for line, reason, *_ in failures(raw)] == [
        (2, "bad_json"),
        (4, "bad_json"),
        (5, "bad_json"),
        (7, "bad_encoding"),
    ]
    assert raw.execute("select value_micros, properties from raw.events where event_id = '3'").fetchall() == [
        (19_990_000, '{"k/~\\"":[1],"nested":{"b":1}}')
    ]


def test_a_torn_first_line_does_not_change_the_detected_format(raw, tmp_path):
    text = 'id": 1}\n{"occurred_at": "2026-07-01T00:00:00Z", "visitor_id": 5}\n'
    report = load(raw, "interactions", put(tmp_path, text, "x.ndjson"))
    assert (report.loaded, report.reasons) == (1, {"bad_json": 1})


def test_a_file_name_is_not_a_glob_pattern(raw, tmp_path):
    head = "occurred_at,visitor_id\n"
    put(tmp_path, head + "2026-07-01T00:00:00Z,other\n", "a1.csv")
    for name in ("[a]1.csv", "*.csv", "a?.csv"):
        load(raw, "interactions", put(tmp_path, head + f"2026-07-01T00:00:00Z,{name}\n", name))
    found = raw.execute("select visitor_id from raw.interactions order by 1").fetchall()
    assert found == [("*.csv",), ("[a]1.csv",), ("a?.csv",)]


def test_files_without_rows_load_no_rows(raw, tmp_path):
    assert load(raw, "events", put(tmp_path, EVENT)).received == 0
    assert load(raw, "events", put(tmp_path, "", "x.ndjson")).received == 0
    assert load(raw, "events", put(tmp_path, EVENT + "\n\n\n")).received == 0


def test_repeated_odd_and_hostile_headers(raw, tmp_path):
    text = 'occurred_at,visitor_id,x,y,,rowid,"it\'s ""q""",_ROW\n2026-07-01T00:00:00Z,v,1,2,3,4,5,6\n'
    assert load(raw, "interactions", put(tmp_path, text)).loaded == 1
    (properties,) = raw.execute("select properties from raw.interactions").fetchone()
    assert json.loads(properties) == {
        "x": "1",
        "y": "2",
        "column5": "3",
        "rowid_1": "4",
        'it\'s "q"': "5",
        "_ROW_1": "6",
    }


def test_a_properties_column_merges_with_unknown_columns(raw, tmp_path):
    text = 'occurred_at,visitor_id,b,properties\n2026-07-01T00:00:00Z,v,1,"{""z"": 1, ""a"": {""k"": 2}, ""a"": 3}"\n'
    load(raw, "interactions", put(tmp_path, text))
    (properties,) = raw.execute("select properties from raw.interactions").fetchone()
    assert list(json.loads(properties)) == ["a", "b", "z"]


@pytest.mark.parametrize(
    ("name", "body", "options", "message"),
    [
        ("nowhere.csv", None, {}, "there is no such file"),
        ("x.csv", b"", {}, "the file is empty. Its first line must name the columns"),
        ("x.csv", EVENT.replace("anon_id", "anonymous_id").encode(), {}, "--map anon_id=anonymous_id"),
        ("x.csv", EVENT.replace(",", ":").encode(), {}, "Its separator is neither a comma, semicolon, tab nor pipe."),
        ("x.csv", EVENT.encode("utf-16")[:-1], {}, "damaged or cut short"),
        ("x.xlsx", b"PK\x03\x04", {}, "the zip file is damaged or cut short"),
        ("x.json", b'[{"a": 1}, 5]', {}, "an item of the array is no object"),
        ("x.parquet", b"PAR1 torn", {}, "not a readable Parquet file"),
        ("x.csv.gz", gzip.compress(os.urandom(99999).hex().encode())[:5000], {}, "damaged or cut short"),
        (
            "x.csv",
            EVENT.encode(),
            {"mapping": {"anon_id": "anon"}},
            "the file has no column anon. Do you mean anon_id?",
        ),
        ("x.csv", EVENT.encode(), {"mapping": {"urll": "type"}}, "events has no column urll. Do you mean url?"),
        ("x.csv", EVENT.encode(), {"where": "nothing = 1"}, "--where nothing = 1:"),
        ("x.csv", EVENT.encode(), {"where": "true) ; drop table raw.events; select (1"}, "--where"),
        ("x.csv", EVENT.encode(), {"org": "nort"}, "tributary.yaml has no such org. Do you mean nord?"),
        ("x.csv", EVENT.encode(), {"timezone": "Mars/Base"}, "not an IANA time zone"),
        ("x.csv", EVENT.encode(), {"layout": "snowplw"}, "unknown layout. Do you mean snowplow?"),
        (
            "x.csv",
            EVENT.encode(),
            {"layout": "snowplow"},
            "not a snowplow file: it has no column collector_tstamp",
        ),
    ],
)
def test_an_unusable_file_gives_advice_and_writes_nothing(raw, tmp_path, name, body, options, message):  # noqa: PLR0917
    path = tmp_path / name if body is None else put(tmp_path, body, name)
    with pytest.raises(ContractError) as error:
        load(raw, "events", path, **options)
    assert message in str(error.value)
    assert raw.execute("select count(*) from raw.loads").fetchone() == (0,)


def test_an_option_that_a_kind_lacks_is_rejected(raw, tmp_path):
    path = put(tmp_path, "date,base,quote,rate\n")
    for kind, options, message in [
        ("exchange-rates", {"org": "nord"}, "belong to no org"),
        ("exchange-rates", {"site": "s"}, "belongs to no site"),
        ("exchange-rates", {"layout": "ga4"}, "is for events"),
        ("clicks", {}, "Use one of events, interactions"),
    ]:
        with pytest.raises(ContractError, match=message):
            load(raw, kind, path, **options)


def test_where_compares_numbers_as_numbers(raw, tmp_path):
    text = "occurred_at,visitor_id,value,n\n" + "".join(
        f"2026-07-01T00:00:00Z,v,{v},\n" for v in ("0.4", "0", "", "10", "9")
    )
    assert load(raw, "conversions", put(tmp_path, text), where="value > 0").received == 3
    assert load(raw, "conversions", put(tmp_path, text), where="value >= 10 -- big").received == 1


# --- known formats ------------------------------------------------------------------------------------------


def test_ga4_export(raw, tmp_path):
    def event(name, micros, **params):
        typed = [
            {
                "key": k,
                "value": {
                    "int_value" if isinstance(v, int) else "double_value" if isinstance(v, float) else "string_value": v
                },
            }
            for k, v in params.items()
        ]
        return {
            "event_name": name,
            "event_timestamp": micros,
            "user_pseudo_id": "p.1",
            "stream_id": 77,
            "event_params": typed,
            "user_id": "Ann@x.example",
            "geo": {"city": "Oslo"},
        }

    start = 1_782_864_000_000_000  # 2026-07-01
    events = [
        event(
            "page_view",
            start,
            ga_session_id=5,
            page_location="https://x.example/?gclid=1",
            page_referrer="https://google.com/",
        ),
        event("purchase", start + 1, ga_session_id=5, value=12.5, currency="EUR", transaction_id="o1"),
        event("scroll", start + 2, value=90),
    ]
    path = put(tmp_path, "\n".join(map(json.dumps, events)), "ga4.json")
    assert load(raw, "events", path, layout="ga4").loaded == 3
    assert load(raw, "events", path, layout="ga4").duplicate == 3
    parquet = tmp_path / "ga4.parquet"
    duckdb.sql(f"from read_json('{path}')").write_parquet(str(parquet))
    columns = "type, occurred_at::varchar, session_id, url, value_micros, currency, order_id, site_id"
    rows = f"select {columns} from raw.events order by 2"
    expected = [
        ("PAGE_VIEW", "2026-07-01 00:00:00", "p.1.5", "https://x.example/?gclid=1", None, None, None, "77"),
        ("CONVERSION", "2026-07-01 00:00:00.000001", "p.1.5", None, 12_500_000, "EUR", "o1", "77"),
        ("CUSTOM", "2026-07-01 00:00:00.000002", None, None, None, None, None, "77"),
    ]
    assert raw.execute(rows).fetchall() == expected
    assert raw.execute("select distinct user_id from raw.events").fetchall() == [
        (sha256(b"ann@x.example").hexdigest(),)
    ]
    raw.execute("delete from raw.events")
    assert load(raw, "events", parquet, layout="ga4").loaded == 3
    assert raw.execute(rows).fetchall() == expected


def test_segment_calls_nested_and_flat(raw, tmp_path):
    context = {
        "ip": "203.0.113.9",
        "page": {"url": "https://x.example/a", "path": "/a", "referrer": ""},
        "userAgent": "UA",
    }
    calls = [
        {"messageId": "1", "type": "page", "timestamp": "2026-07-01T00:00:00Z", "anonymousId": "a", "context": context},
        {
            "messageId": "2",
            "type": "track",
            "event": "Order Completed",
            "timestamp": "2026-07-01T00:00:01Z",
            "userId": "u",
            "context": context,
            "properties": {"revenue": 19.99, "currency": "usd", "order_id": "o", "ip": "203.0.113.9"},
        },
        {
            "messageId": "3",
            "type": "identify",
            "timestamp": "2026-07-01T00:00:01Z",
            "userId": "u",
            "traits": {"email": "a@b.co"},
        },
    ]
    report = load(
        raw, "events", put(tmp_path, "\n".join(map(json.dumps, calls)), "s.ndjson"), layout="segment", site="shop"
    )
    assert (report.received, report.loaded) == (2, 2)
    assert raw.execute(
        "select type, anon_id, url, value_micros, currency, site_id from raw.events order by event_id"
    ).fetchall() == [
        ("PAGE_VIEW", "a", "https://x.example/a", None, None, "shop"),
        ("CONVERSION", "u", "https://x.example/a", 19_990_000, "USD", "shop"),
    ]
    flat = "id,anonymous_id,received_at,url,context_user_agent,context_ip\n"
    flat += "9,a,2026-07-01 00:00:00,https://x.example/,UA,203.0.113.9\n"
    assert load(raw, "events", put(tmp_path, flat), layout="segment").loaded == 1
    assert b"203.0.113.9" not in json.dumps(raw.execute("select properties from raw.events").fetchall()).encode()


# --- personal data ------------------------------------------------------------------------------------------


def test_no_personal_data_reaches_the_home_folder(home, tmp_path):
    mail, ip, phone = "Jane.Doe+x@mail.example.org", "198.51.100.77", "+49 (170) 555-0199"
    coded = mail.replace("@", "%40")
    nested = json.dumps({"user": {"email": mail, "ip": ip, "phone": phone}, "note": f"\n{mail}"})
    columns = f"{EVENT},user_id,url,referrer,email,phone_number,ip_address,clientIp,note,properties".split(",")
    row = [
        "1",
        "s",
        "CUSTOM",
        "2026-07-01T00:00:00Z",
        "a",
        f" {mail} ",
        f"https://x.example/?m={coded}",
        f"https://y.example/{mail}",
        mail,
        phone,
        ip,
        ip,
        f"call {mail}",
        nested,
    ]
    text = io.StringIO()
    csv.writer(text).writerows([columns, row, ["2", "s", "CUSTOM", "never", *row[4:]], [f"torn {mail} {ip}"]])
    with connect(home) as raw:
        path = put(tmp_path, text.getvalue())
        report = load(raw, "events", path)
        assert (report.loaded, report.failed) == (1, 2)
        load(raw, "events", path, mapping={"session_id": "note"})
        load(
            raw,
            "interactions",
            put(
                tmp_path,
                json.dumps({"occurred_at": "2026-07-01T00:00:00Z", "customer_id": mail}) + f'\n{{"{mail}',
                "x.ndjson",
            ),
        )
        user_id, url, properties = raw.execute("select user_id, url, properties from raw.events limit 1").fetchone()
        (customer_id,) = raw.execute("select customer_id from raw.interactions").fetchone()
    digest = sha256(mail.lower().encode()).hexdigest()
    assert user_id == customer_id == digest
    assert url == "https://x.example/?m=(email)"
    properties = json.loads(properties)
    assert (properties["email"], properties["note"], properties["user"]) == (
        digest,
        "call (email)",
        {"email": "(email)"},  # without ip and phone
    )
    assert properties["phone_number"] == sha256(b"+491705550199").hexdigest()
    path.rename(home.inbox / "events" / path.name)
    with connect(home) as raw:
        import_inbox(raw, home, SETTINGS, "events", print)
    assert not list((home.inbox / "events").iterdir())
    (archived,) = home.archive.rglob("*.parquet")
    assert len(duckdb.sql(f"from read_parquet('{archived}')").fetchall()) == 2
    for file in home.root.rglob("*"):
        if file.is_file():
            body = file.read_bytes().lower()
            if file == archived:  # compressed
                body = str(duckdb.sql(f"from read_parquet('{archived}')").fetchall()).lower().encode()
            for secret in (mail, coded, ip, phone, "jane.doe", "555-0199"):
                assert secret.lower().encode() not in body, f"{secret} in {file}"


def test_an_unknown_site_is_refused_warned_of_or_rejected(raw, tmp_path):
    path = put(
        tmp_path,
        f"{EVENT}\n1,nord-shpo,PAGE_VIEW,2026-07-01T00:00:00Z,v\n2,nord-shop,PAGE_VIEW,2026-07-01T00:00:00Z,v\n",
    )
    with pytest.raises(
        ContractError, match=r"--site nord_shop: tributary.yaml has no such site\. Do you mean nord-shop\?"
    ):
        load(raw, "events", path, site="nord_shop")
    strict = msgspec.structs.replace(SETTINGS, files=Files(unknown_sites="reject"))
    report = load_file(raw, "events", path, strict)
    assert (report.loaded, report.reasons, report.warnings) == (1, {"unknown_site": 1}, [])
    ((_, reason, detail, _),) = failures(raw)
    assert (reason, detail) == ("unknown_site", "tributary.yaml has no site nord-shpo")
    report = load(raw, "events", path)
    assert (report.loaded, report.duplicate, report.corrected) == (1, 1, 1)
    warning = "1 row of the site 'nord-shpo', which tributary.yaml lacks. Do you mean nord-shop?"
    assert report.warnings == [warning]


# --- the process --------------------------------------------------------------------------------------------

KILLED = """
import sys
from pathlib import Path
from ingestion.home import Home
from ingestion.warehouse import connect
from ingestion.files.load import load_file
from ingestion.settings.model import Org, Settings
print("start", flush=True)
settings = Settings(orgs=[Org("default", "USD")])
load_file(connect(Home.from_environment()), "interactions", Path(sys.argv[1]), settings)
"""


def test_a_killed_load_writes_all_or_nothing(home, tmp_path):
    path = tmp_path / "many.parquet"
    duckdb.sql(
        "select '2026-07-01T00:00:00Z' as occurred_at, 'v' || i as visitor_id, if(i % 10 = 0, 'x', null) as site_id"
        " from range(400000) t(i)"
    ).write_parquet(str(path))
    with connect(home) as raw:
        load(raw, "conversions", put(tmp_path, "occurred_at,visitor_id\n2026-07-01T00:00:00Z,v\n"))
    for delay in (0.1, 0.4, 0.8):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, cwd=ROOT)
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with connect(home) as raw:
            counts = (
                "select (select count(*) from raw.interactions), (select coalesce(sum(loaded_rows), 0) from raw.loads)"
            )
            rows, manifest = raw.execute(counts).fetchone()
            assert (rows, manifest) in ((0, 1), (400_000, 400_001))
    with connect(home) as raw:
        load(raw, "interactions", path)
        assert raw.execute("select count(*) from raw.interactions").fetchone() == (400_000,)


def test_a_bad_file_in_the_inbox_does_not_stop_the_others(home, raw):
    folder = home.inbox / "exchange-rates"
    folder.mkdir(exist_ok=True)
    head = "date,base,quote,rate\n"
    put(folder, head + "2026-07-01,EUR,USD,1.1\n", "a.csv")
    put(folder, "wrong,header\n", "b.csv")
    put(folder, head + "2026-07-02,EUR,USD,1.1\n", "c.csv")
    for name in (".hidden.csv", "d.csv.tmp", "e.part"):
        put(folder, head, name)
    messages = []
    with pytest.raises(ContractError, match=r"1 file of (.|\n)*b\.csv"):
        import_inbox(raw, home, SETTINGS, "exchange-rates", messages.append)
    assert sorted(path.name for path in folder.iterdir()) == [".hidden.csv", "b.csv", "d.csv.tmp", "e.part"]
    assert raw.execute("select count(*) from raw.exchange_rates").fetchone() == (2,)
    assert len(messages) == 3
    (folder / "b.csv").unlink()
    put(folder, head + "2026-07-01,EUR,USD,1.1\n", "a.csv")
    (report,) = import_inbox(raw, home, SETTINGS, "exchange-rates", messages.append)
    assert (report.duplicate, report.loaded) == (1, 0)
    archived = sorted(path.name for path in (home.archive / "inbox" / "exchange-rates").iterdir())
    assert archived == ["a.csv-1.parquet", "a.csv.parquet", "c.csv.parquet"]
    assert import_inbox(raw, home, SETTINGS, "events", messages.append) == []


def test_an_import_limits_memory_and_gives_it_back(raw, tmp_path, monkeypatch):
    """bench/imports.py measures the peak. A build that follows on the same connection may use more."""
    seen, read = [], load_module.read_file

    def limit() -> str:
        return raw.execute("select current_setting('memory_limit')").fetchone()[0]

    def noting(*given, **named):
        seen.append(limit())
        return read(*given, **named)

    before = limit()
    monkeypatch.setattr(load_module, "read_file", noting)
    load(raw, "events", put(tmp_path, f"{EVENT}\ne1,shop,PAGE_VIEW,2026-07-01T00:00:00Z,v1\n"))
    with pytest.raises(ContractError):
        load(raw, "events", put(tmp_path, "wrong\n1\n"))
    assert seen == ["1.3 GiB", "1.3 GiB"]
    assert limit() == before
