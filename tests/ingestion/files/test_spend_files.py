"""Spend files as people have them: all or nothing, totals, periods, spellings of ids, currencies and wrong years."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.files.column_mapping import ImportOptions
from ingestion.files.contracts import ContractError
from ingestion.files.id_spellings import account_sql, normalized_account_id
from ingestion.files.inbox import import_inbox
from ingestion.files.load import load_file
from ingestion.files.replay import replay_failed
from ingestion.loads import LoadReport
from ingestion.settings.model import AdAccount, Org, Settings

Raw = duckdb.DuckDBPyConnection

SETTINGS = Settings(
    orgs=[Org("default", "USD"), Org("nord", "EUR")], ad_accounts=[AdAccount("google", "1234567890", "nord")]
)
HEADER = "date,platform,account_id,campaign_id,campaign,currency,spend\n"
ROWS = "2026-07-01,meta,1,c1,Ernte,EUR,10\n2026-07-01,meta,1,c2,Tee,EUR,5\n"
CLICKS = 'date,platform,account_id,campaign_id,currency,spend,clicks\n2026-07-01,x,1,c,EUR,1,"{}"\n'
ADS = "date,platform,account_id,campaign_id,adset_id,ad_id,currency,spend\n"


@pytest.fixture
def put(tmp_path: Path) -> Any:
    def write(text: str) -> Path:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.csv"
        path.write_text(text)
        return path

    return write


def load(raw: Raw, path: Path, kind: str = "spend", **options: Any) -> LoadReport:
    report = load_file(raw, kind, path, SETTINGS, ImportOptions(**options))
    assert report.received == report.loaded + report.duplicate + report.failed + report.summary + report.summed
    return report


def refusal(raw: Raw, path: Path, kind: str = "spend", **options: Any) -> str:
    """Return the message of a file that is refused, and check that it left nothing."""
    before = content(raw)
    with pytest.raises(ContractError) as error:
        load_file(raw, kind, path, SETTINGS, ImportOptions(**options))
    assert content(raw) == before
    return str(error.value)


def content(raw: Raw) -> list[Any]:
    return [
        raw.execute(f"from raw.{table} order by all").fetchall() for table in ("ad_spend", "failed_events", "loads")
    ]


def spend(raw: Raw) -> dict[str, float]:
    """Return the stored spend of each campaign, by currency."""
    rows = raw.execute(
        "select campaign_id || ' ' || currency, sum(spend_micros) / 1e6 from raw.ad_spend group by all"
    ).fetchall()
    return dict(rows)


# ---- all or nothing
def test_a_file_with_a_bad_row_loads_nothing_and_lists_each_reason(raw, put):
    path = put(HEADER + ROWS + "2026-07-02,meta,1,c1,Ernte,EUR,much\n2026-07-03,meta,1,c1,Ernte,EURO,1\n")
    message = refusal(raw, path)
    assert "2 of 4 rows fail, so nothing was loaded" in message
    assert "1 failed: bad_money, first on line 4: spend … is not a decimal" in message
    assert "1 failed: bad_currency, first on line 5" in message
    assert "--partial" in message


def test_partial_loads_the_other_rows_and_keeps_the_bad_ones(raw, put):
    path = put(HEADER.replace("date", "Date") + ROWS + "2026-07-02,facebook,act_1,c1,Ernte,EUR,much\n")
    report = load(raw, path, partial=True)
    assert (report.loaded, report.reasons, spend(raw)) == (2, {"bad_money": 1}, {"c1 EUR": 10, "c2 EUR": 5})
    (row,) = raw.execute("select payload ->> 'date', payload ->> 'account_id' from raw.failed_events").fetchall()
    assert row == ("2026-07-02", "1")


def test_a_damaged_line_fails_the_file_too(raw, put):
    assert "wrong_column_count, first on line 4" in refusal(raw, put(HEADER + ROWS + "2026-07-02,meta\n"))


def test_a_refused_file_stays_in_the_inbox_and_the_others_load(raw, home):
    folder = home.inbox / "spend"
    folder.mkdir(parents=True)
    (folder / "bad.csv").write_text(HEADER + "2026-07-01,meta,1,c0,Ernte,EUR,much\n")
    (folder / "good.csv").write_text(HEADER + ROWS)
    with pytest.raises(ContractError, match=r"bad\.csv: 1 of 1 row fails"):
        import_inbox(raw, home, SETTINGS, "spend", progress=lambda message: None)
    assert spend(raw) == {"c1 EUR": 10, "c2 EUR": 5}
    assert [path.name for path in folder.iterdir()] == ["bad.csv"]


def test_other_kinds_load_their_good_rows(raw, put):
    report = load(raw, put("occurred_at,order_id,value\n2026-07-01T00:00:00Z,A,1\nsoon,B,2\n"), "conversions")
    assert (report.loaded, report.reasons) == (1, {"bad_timestamp": 1})
    message = refusal(raw, put("occurred_at,order_id\n"), "conversions", partial=True)
    assert message == "--partial: only spend has this option. Leave it out for conversions."


# ---- equal rows
EQUAL = HEADER + "2026-07-01,meta,1,c,Ernte,USD,8\n" * 2 + "2026-07-02,meta,1,c,Ernte,USD,3\n"


def test_equal_rows_are_ambiguous_and_the_error_offers_sum(raw, put):
    message = refusal(raw, put(EQUAL))
    assert "2 failed: ambiguous_key, first on line 2" in message
    assert "--sum" in message
    assert load(raw, put(EQUAL), partial=True).reasons == {"ambiguous_key": 2}
    assert spend(raw) == {"c USD": 3}


def test_sum_adds_up_the_rows_of_a_key_and_repeats_exactly(raw, put):
    more = EQUAL + "2026-07-01,meta,1,c,Another name,USD,0.000001\n"
    report = load(raw, put(more), sum=True)
    assert (report.received, report.loaded, report.summed, spend(raw)) == (4, 2, 2, {"c USD": 19.000001})
    again = load(raw, put(more), sum=True)
    assert (again.loaded, again.duplicate, again.summed) == (0, 2, 2)


def test_importing_a_file_again_changes_nothing(raw, put):
    path = put(HEADER + ROWS + "Total,,,,,EUR,15\n")
    load(raw, path)
    before = raw.execute("from raw.ad_spend order by all").fetchall()
    again = load(raw, path)
    assert (again.loaded, again.duplicate, again.summary) == (0, 2, 1)
    assert raw.execute("from raw.ad_spend order by all").fetchall() == before


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["1", "2.5"])), max_size=6),
    account=st.sampled_from(["1", "act_1"]),
)
def test_a_file_loads_in_full_or_not_at_all(raw, put, rows, account):
    """The oracle: without --sum a repeated key refuses the file; with it every unit is stored."""
    raw.execute("delete from raw.ad_spend; delete from raw.ad_spend_history")
    path = put(HEADER + "".join(f"2026-07-01,meta,{account},{name},,EUR,{amount}\n" for name, amount in rows))
    if len({name for name, *_ in rows}) < len(rows):
        refusal(raw, path)
        load(raw, path, sum=True)
    else:
        load(raw, path)
    expected = {f"{name} EUR": sum(float(row[1]) for row in rows if row[0] == name) for name, *_ in rows}
    assert spend(raw) == expected


# ---- summary rows
SUMMARIES = [
    "Total: Campaigns, , , , ,EUR,15",
    "2026-07-01,meta,1,Total,,EUR,15",
    "2026-07-01,meta,1, --,Total: Account,EUR,15",
    "2026-07-01,meta,1,—,—,EUR,15",
    "2026-07-01,meta,1,--,,EUR,15",
    "Total: Account,--,--,--,--,EUR,15",
    "Total : compte,,,,,EUR,15",
    "Gesamt: Konto,--,,,,EUR,15",
    "2026-07-01,meta,1,Summe,,EUR,15",
    "2026-07-01,meta,1,,Total de la cuenta,EUR,15",
    "Total general,,,,,EUR,15",
    "Totale complessivo: account,,,,,EUR,15",
    "Totaal,,,,,EUR,15",
    "Suma,,,,,EUR,15",
    "Итого,,,,,EUR,15",
    "合計,,,,,EUR,15",
    "总计,,,,,EUR,15",
    "합계,,,,,EUR,15",
    "Grand Total,,,,,EUR,15",
    "Overall total - 2 campaigns,,,,,EUR,15",
    "Results from 2 campaigns,,,,,EUR,15",
    ",meta,1,,,EUR,15",
    ",,,,,,",
    "Total,,15",
]


def test_summary_rows_are_skipped_and_counted(raw, put):
    path = put(f"{HEADER}{SUMMARIES[0]}\n{ROWS}" + "\n".join(SUMMARIES[1:]))
    report = load(raw, path)
    assert (report.loaded, report.summary, spend(raw)) == (2, len(SUMMARIES), {"c1 EUR": 10, "c2 EUR": 5})
    assert raw.execute("select received_rows, summary_rows from raw.loads").fetchall() == [
        (len(SUMMARIES) + 2, len(SUMMARIES))
    ]


def test_a_row_without_a_campaign_and_with_the_sum_of_its_day_is_a_summary(raw, put):
    report = load(raw, put(f"{HEADER}{ROWS}2026-07-01,meta,1,,,EUR,15\n"))
    assert (report.loaded, report.summary, spend(raw)) == (2, 1, {"c1 EUR": 10, "c2 EUR": 5})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2026-07-01,meta,1,,Ernte,EUR,15", "missing_value"),  # a name without an id
        (",meta,1,,Ernte,EUR,15", "missing_value"),
        ("2026-07-01,meta,1,,,EUR,14", "missing_value"),  # not the sum of the day
    ],
)
def test_a_row_that_may_be_spend_is_no_summary(raw, put, row, reason):
    assert f"1 failed: {reason}, first on line 4" in refusal(raw, put(f"{HEADER}{ROWS}{row}\n"))


def test_a_campaign_may_be_called_total(raw, put):
    load(raw, put(f"{HEADER}{ROWS}2026-07-01,meta,1,c3,Total,EUR,15\n"))
    assert spend(raw) == {"c1 EUR": 10, "c2 EUR": 5, "c3 EUR": 15}


def test_a_subtotal_of_ads_is_a_summary(raw, put):
    text = (
        ADS
        + "2026-07-01,meta,1,c,s,a,EUR,1\n2026-07-01,meta,1,c,s,Total: Ads,EUR,1\n2026-07-01,meta,1,c,Total,,EUR,1\n"
    )
    assert (load(raw, put(text)).summary, spend(raw)) == (2, {"c EUR": 1})


def test_a_file_of_totals_only_is_refused(raw, put):
    message = refusal(raw, put(HEADER + "2026-07-01,meta,1,--,--,EUR,15\n2026-07-02,meta,1,--,--,EUR,15\n"))
    assert "every row looks like a total" in message


# ---- periods
PERIOD = "Reporting starts,Reporting ends,platform,account_id,campaign_id,currency,spend,impressions\n"


@pytest.mark.parametrize(
    ("columns", "values", "days"),
    [
        ("Reporting starts,Reporting ends", "2026-02-01,2026-02-28", 28),
        ("date_start,date_stop", "2026-02-01,2026-02-07", 7),
        ("date,end_date", "2026-02-01,2026-02-02", 2),
        ("Week", "2026-02-02", 7),
        ("Woche", "2026-W06", 7),
        ("Week (Mon-Sun)", "2026-02-02", 7),
        ("Month", "2026-02-01", 28),
        ("Monat", "2026-02", 28),
        ("mois", "2026-02", 28),
        ("date", "2026-02", 28),
        ("Quarter", "2026-Q1", 90),
        ("Year", "2025", 365),
        ("date", "2026-02-01 - 2026-02-28", 28),
    ],
)
def test_a_row_of_several_days_is_refused_or_spread(raw, put, columns, values, days):
    path = put(f"{columns},platform,account_id,campaign_id,currency,spend\n{values},meta,1,c,EUR,100\n")
    message = refusal(raw, path)
    assert "1 failed: period_row, first on line 2: the row covers" in message
    assert "export one row a day, or import the file with --spread" in message
    assert load(raw, path, spread=True).loaded == days
    assert raw.execute("select count(distinct date), sum(spend_micros) from raw.ad_spend").fetchone() == (days, 10**8)


def test_spreading_a_file_again_changes_nothing(raw, put):
    path = put(PERIOD + "2026-02-01,2026-02-28,meta,1,c,EUR,100,1\n")
    assert load(raw, path, spread=True).loaded == 28
    assert load(raw, path, spread=True).duplicate == 28


def test_a_mapped_month_is_a_period_and_a_mapped_day_is_none(raw, put):
    path = put("Month,Day,platform,account_id,campaign_id,currency,spend\n2026-02,2026-02-03,meta,1,c,EUR,1\n")
    assert "1 failed: period_row" in refusal(raw, path, mapping={"date": "Month"})
    load(raw, path, mapping={"date": "Day"})
    assert raw.execute("select date from raw.ad_spend").fetchall() == [(date(2026, 2, 3),)]


def test_a_period_of_one_day_is_a_day(raw, put):
    load(raw, put(PERIOD + "2026-02-01,2026-02-01,meta,1,c,EUR,1,1\n2026-02-02,,meta,1,c,EUR,2,1\n"))
    assert spend(raw) == {"c EUR": 3}


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    figures=st.tuples(st.decimals(-1000, 100_000, places=6), st.integers(0, 10_000), st.decimals(0, 1000, places=3)),
    days=st.integers(2, 31),
)
def test_the_days_of_a_period_sum_to_it_exactly(raw, put, figures, days):
    amount, count, conversions = figures
    raw.execute("delete from raw.ad_spend; delete from raw.ad_spend_history")
    end = date(2026, 1, 1) + timedelta(days=days - 1)
    text = f"{PERIOD.strip()},platform_conversions\n2026-01-01,{end},meta,1,c,EUR,{amount},{count},{conversions}\n"
    load(raw, put(text), spread=True)
    found = raw.execute(
        "select sum(spend_micros), sum(impressions), sum(platform_conversions::decimal(38, 6)), count(distinct date),"
        " max(spend_micros) - min(spend_micros) from raw.ad_spend"
    ).fetchone()
    assert found is not None
    assert found[:4] == (int(amount * 10**6), count, conversions, days)
    assert found[4] <= 1


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        ("2026-02-03", "2026-02-01", "bad_period"),
        ("2020-01-01", "2026-01-01", "bad_period"),
        ("2026-02-03", "soon", "bad_date"),
        ("2026-02-03", "2199-01-01", "bad_period"),
    ],
)
def test_a_period_that_cannot_be_fails(raw, put, start, end, reason):
    assert f"1 failed: {reason}" in refusal(raw, put(f"{PERIOD}{start},{end},meta,1,c,EUR,1,1\n"), spread=True)


def test_a_replay_never_loads_a_period_as_a_day(raw, put, home):
    load(raw, put(PERIOD + "2026-02-01,2026-02-28,meta,1,c,EUR,1,1\n"), partial=True)
    with pytest.raises(ContractError, match="--spread"):
        replay_failed(raw, home, SETTINGS, reason="period_row")
    load(raw, put(PERIOD + "2026-02-01,2026-02-28,meta,1,c,EURO,1,1\n"), partial=True, spread=True)
    assert replay_failed(raw, home, SETTINGS, reason="bad_currency").failed == 1
    assert spend(raw) == {}


# ---- ids
@pytest.mark.parametrize(
    ("spelled", "account"),
    [
        ("act_99", "99"), ("ACT_99", "99"), ("act-99", "99"), ("99", "99"), ("123-456-7890", "1234567890"),
        ("123 456 7890", "1234567890"), ("123\u2011456\u20117890", "1234567890"), ("customers/12", "12"),
        ("1234567890.0", "1234567890"), ('="1234567890"', "1234567890"), ("'1234567890", "1234567890"),
        ("urn:li:sponsoredAccount:7", "7"), ("act_me", "act_me"), ("a-b", "a-b"), ("t2_x-1", "t2_x-1"),
        ("8adc3db7-8148-4fbf-999c-8d2266369d74", "8adc3db7-8148-4fbf-999c-8d2266369d74"),
    ],
)  # fmt: skip
def test_an_account_has_one_spelling(warehouse, spelled, account):
    assert normalized_account_id(f" {spelled} ") == account
    assert normalized_account_id(account) == account
    assert warehouse.execute(f"select {account_sql('t')} from (select ? as t)", [spelled]).fetchone() == (account,)


def test_spellings_meet_across_files_and_in_tributary_yaml(raw, put):
    row = "2026-07-01,{},{},c1,Ernte,EUR,10\n"
    load(raw, put(HEADER + row.format("google", "123-456-7890") + row.format("meta", "act_99")))
    again = load(raw, put(HEADER + row.format("Google Ads", "1234567890") + row.format("facebook", "99")))
    assert (again.loaded, again.duplicate) == (0, 2)
    rows = raw.execute("select org_id, platform, account_id from raw.ad_spend order by all").fetchall()
    assert rows == [("default", "meta", "99"), ("nord", "google", "1234567890")]


SPELLED = (
    "2026-07-01,meta,1,17342001.0,Ernte,EUR,10\n",
    "2026-07-01,facebook,act_1,17342001,Ernte,EUR,10\n",
    "2026-07-01,meta,act_1,17342001,Ernte,EUR,10\n",
)


def test_a_row_in_several_spellings_of_its_ids_is_one_row(raw, put):
    report = load(raw, put(HEADER + "".join(SPELLED)))
    assert (report.loaded, report.duplicate, report.failed) == (1, 2, 0)
    assert spend(raw) == {"17342001 EUR": 10}


def test_parts_in_several_spellings_add_up(raw, put):
    load(raw, put(HEADER + "".join(SPELLED)), sum=True)
    assert spend(raw) == {"17342001 EUR": 30}


@pytest.mark.parametrize("other", [SPELLED[0], SPELLED[1].replace(",10", ",11")], ids=["twice", "another amount"])
def test_rows_in_two_spellings_are_ambiguous_unless_each_is_the_same_row(raw, put, other):
    assert "ambiguous_key" in refusal(raw, put(HEADER + "".join(SPELLED[:2]) + other))


@pytest.mark.parametrize(
    ("text", "count"),
    [("1,200", 1200), ("1,234,567", 1234567), ("1,200.00", 1200), ("3.0", 3), ("3.0000", 3), ("1234.000", 1234)],
)
def test_a_count_may_have_thousands_separators(raw, put, text, count):
    load(raw, put(CLICKS.format(text)))
    assert raw.execute("select clicks from raw.ad_spend").fetchone() == (count,)


@pytest.mark.parametrize("text", ["1,20", "12,3456", "1,200.5"])
def test_a_count_with_decimals_fails(raw, put, text):
    assert "bad_count, first on line 2: clicks … is not a whole number" in refusal(raw, put(CLICKS.format(text)))


def test_two_columns_of_one_name_are_refused(raw, put):
    repeated = HEADER.strip() + ",Spend\n2026-07-01,meta,1,c1,Ernte,EUR,10,99\n"
    assert "several columns are called spend, Spend. Rename or remove all but one" in refusal(raw, put(repeated))


@pytest.mark.parametrize("id_", ["1.20214E+17", "1.20214e+17", "1,20214E+17", "1.2E17", "120214012345678912.0"])
def test_an_id_that_a_spreadsheet_rounded_fails(raw, put, id_):
    text = ADS
    for day, column in enumerate((2, 3, 4, 5), 1):
        fields = [f"2026-07-0{day}", "meta", "1", "c", "s", "a", "EUR", "1"]
        fields[column] = f'"{id_}"'
        text += f"{','.join(fields)}\n"
    message = refusal(raw, put(text))
    assert "4 failed: rounded_id" in message
    assert "a spreadsheet rounded this id" in message


def test_an_id_that_looks_like_a_number_stays(raw, put):
    ids = ("5e3", "12e5", "120214012345678912", "00042")
    load(raw, put(ADS + "".join(f"2026-07-01,meta,1,{id_},,,EUR,1\n" for id_ in ids)))
    assert spend(raw) == {f"{id_} EUR": 1 for id_ in ids}


def test_a_placeholder_for_an_ad_is_a_part_of_its_campaign(raw, put):
    """Without an id, the row would look like the campaign's total."""
    load(raw, put(f"{ADS}2026-07-01,meta,1,c,s,a,EUR,9\n2026-07-01,meta,1,c,0,(not set),EUR,1\n"))
    rows = raw.execute("select adset_id, ad_id from raw.ad_spend order by all").fetchall()
    assert rows == [("(unmatched)", "(unmatched)"), ("s", "a")]


# ---- currencies
def test_the_same_key_in_another_currency_replaces_the_row(raw, put):
    load(raw, put(f"{ADS}2026-07-01,meta,1,c,s,a,USD,10\n"))
    assert load(raw, put(f"{ADS}2026-07-01,meta,1,c,s,a,EUR,9\n")).replaced == 1
    assert spend(raw) == {"c EUR": 9}


def test_a_campaigns_day_cannot_get_a_second_currency(raw, put):
    load(raw, put(f"{ADS}2026-07-01,meta,1,c,s,a,USD,10\n2026-07-01,meta,1,d,s,a,USD,10\n"))
    assert "1 failed: second_currency" in refusal(raw, put(f"{ADS}2026-07-01,meta,1,c,s,b,EUR,9\n"))
    assert "1 failed: second_currency" in refusal(raw, put(f"{ADS}2026-07-01,meta,1,c,,,EUR,9\n"))
    both = f"{ADS}2026-07-02,meta,1,c,s,a,EUR,9\n2026-07-02,meta,1,c,s,a,USD,9\n"
    assert "2 failed: second_currency" in refusal(raw, put(both))
    load(raw, put(f"{ADS}2026-07-01,meta,1,c,s,a,EUR,9\n2026-07-01,meta,1,c,s,b,EUR,1\n"))
    assert spend(raw) == {"c EUR": 10, "d USD": 10}


# ---- wrong years
def days_ahead(days: int) -> str:
    return str(datetime.now(UTC).date() + timedelta(days=days))


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("spend", HEADER + "{},meta,1,c,Ernte,EUR,1\n", "future_date"),
        ("fees", "fee_id,platform,campaign_id,amount,currency,starts_on\n{0},x,c,1,EUR,{0}\n", "future_date"),
        ("exchange-rates", "date,base,quote,rate\n{},EUR,USD,1.1\n", "future_date"),
        ("conversions", "occurred_at,order_id\n{}T23:59:59Z,A\n", "future_timestamp"),
        ("refunds", "occurred_at,order_id\n{}T00:00:00Z,A\n", "future_timestamp"),
        ("interactions", "occurred_at,visitor_id\n{}T00:00:00Z,v\n", "future_timestamp"),
        ("postbacks", "occurred_at,platform,transaction_id,status\n{}T00:00:00Z,n,t,approved\n", "future_timestamp"),
        ("survey-answers", "occurred_at,question,answer\n{}T00:00:00Z,how,ad\n", "future_timestamp"),
        ("events", "event_id,site_id,type,occurred_at,anon_id\n{0},s,PAGE_VIEW,{0}T00:00:00Z,v\n", "future_timestamp"),
    ],
)
def test_a_row_after_the_day_of_the_load_fails(raw, put, kind, text, reason):
    header, row = text.splitlines()
    # Two days ahead may be one day ahead when the clock passes midnight.
    days = (days_ahead(1), days_ahead(3), "2062-07-01")
    path = put("\n".join([header, *(row.format(day) for day in days)]))
    report = load(raw, path, kind, partial=kind == "spend")
    assert (report.loaded, report.reasons) == (1, {reason: 2})


def test_a_fee_may_end_in_the_future(raw, put):
    header = "fee_id,platform,campaign_id,amount,currency,starts_on,ends_on\n"
    assert load(raw, put(f"{header}f,x,c,1,EUR,2026-07-01,2062-07-01\n"), "fees").loaded == 1
