"""Numbers are read by column: any format gives exactly the same amounts, or the file is refused."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.files.column_mapping import ImportOptions
from ingestion.files.contracts import ContractError
from ingestion.files.load import import_file, load_file
from ingestion.files.replay import replay_failed
from ingestion.loads import Load, LoadReport
from ingestion.settings.model import Org, Settings

Raw = duckdb.DuckDBPyConnection

SETTINGS = Settings(orgs=[Org("default", "USD")])
SPEND = ("date", "platform", "account_id", "campaign_id", "currency", "spend", "impressions", "platform_conversions")


def write(folder: Path, values: list[str], column: str = "value", **constants: str) -> Path:
    """Write a file of conversions with one value in each row."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["occurred_at", "order_id", column, *constants])
    table.writerows(
        [f"2026-07-01T00:00:{n % 60:02d}Z", f"o{n:05d}", v, *constants.values()] for n, v in enumerate(values)
    )
    path = folder / "conversions.csv"
    path.write_text(text.getvalue())
    return path


def write_spend(folder: Path, *rows: tuple[str, str, str]) -> Path:
    """Write a spend file of (spend, impressions, platform_conversions) of successive days."""
    text = io.StringIO()
    table = csv.writer(text, delimiter=",")
    table.writerow(SPEND)
    table.writerows([f"2026-07-{day:02d}", "meta", "1", "c", "EUR", *row] for day, row in enumerate(rows, 1))
    path = folder / "spend.csv"
    path.write_text(text.getvalue())
    return path


def load(raw: Raw, path: Path, kind: str = "conversions", **options: Any) -> LoadReport:
    return load_file(raw, kind, path, SETTINGS, ImportOptions(**options))


def micros(raw: Raw) -> list[int | None]:
    return [value for (value,) in raw.execute("select value_micros from raw.conversions order by order_id").fetchall()]


def failed(raw: Raw) -> list[str]:
    return [text for (text,) in raw.execute("select payload ->> 'value' from raw.failed_events order by 1").fetchall()]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1.234,50", "2.500", "980", "-1.250.000,5"], ["1234.5", "2500", "980", "-1250000.5"]),
        (["12.5", "2.500", "1,234"], ["12.5", "2.5", "1234"]),
        (["1,234,567", "1,234", "2.500"], ["1234567", "1234", "2.5"]),
        (["0.123", "1.234"], ["0.123", "1.234"]),
        (["1234.567", "1.234"], ["1234.567", "1.234"]),
        (["1 234,50", "1\u00a0234", "1\u202f234\u202f567", "12,5"], ["1234.5", "1234", "1234567", "12.5"]),
        (["1'234.50", "1\u2019234"], ["1234.5", "1234"]),
        (["1,23,456.00", "12,34,567"], ["123456", "1234567"]),
        (["$12", "12 €", "USD 12.00", "CA$ 1,234.50", "R$ 12", "12 kr", "kr. 7", "zł 3"],
         ["12", "12", "12", "1234.5", "12", "12", "7", "3"]),
        (["(12.00)", "($1,000.50)", "$(3)", "12.00-", "\u221212.00", "-$5", "$-5", "\u200e-7"],
         ["-12", "-1000.5", "-3", "-12", "-12", "-5", "-5", "-7"]),
        (["<0.01", "< $0.01", "5"], ["0", "0", "5"]),
        (["1e-05", "1.5E+3", "7."], ["0.00001", "1500", "7"]),
        (["1,5E+03", "2.500"], ["1500", "2500"]),
    ],
)  # fmt: skip
def test_a_column_decides_how_its_values_are_read(raw, tmp_path, values, expected):
    assert load(raw, write(tmp_path, values)).failed == 0
    assert micros(raw) == [int(Decimal(each) * 10**6) for each in expected]


def test_a_cell_without_a_value_is_null(raw, tmp_path):
    assert load(raw, write(tmp_path, ["--", "-", "\u2013", "\u2014", "n/a", "N/A", "NULL", "1"])).failed == 0
    assert micros(raw) == [None] * 7 + [1_000_000]


@pytest.mark.parametrize(
    "text",
    ["12k", "12 Mio", "12M€", "12%", "1.2.3", "1,23,45", "<10", "12.50 per click", "NaN", "1_000", "1 23", "--5"],
)
def test_a_text_that_is_no_amount_fails_as_it_is(raw, tmp_path, text):
    assert load(raw, write(tmp_path, [text, "12.5"])).reasons == {"bad_money": 1}
    assert (micros(raw), failed(raw)) == ([12_500_000], [text])


@pytest.mark.parametrize(
    "values", [["2.500"], ["1,234"], ["2.500", "1,234", "980", "1 234"], ["$1,000"], ["(2.500) €"]]
)
def test_an_ambiguous_column_is_refused_and_the_option_decides(raw, tmp_path, values):
    path = write(tmp_path, values, "Total secret")
    mapping = {"value": "Total secret"}
    with pytest.raises(ContractError, match="the column Total secret is ambiguous") as error:
        load(raw, path, mapping=mapping)
    assert "--decimal point or --decimal comma" in str(error.value)
    assert raw.execute("select count(*) from raw.loads").fetchone() == (0,)
    for mark, factor in (("point", {".": 1, ",": 1000}), ("comma", {".": 1000, ",": 1})):
        raw.execute("delete from raw.conversions")
        load(raw, path, mapping=mapping, decimal=mark)
        first = next(int("".join(filter(str.isdigit, v))) * 10**3 * factor["," if "," in v else "."] for v in values)
        assert abs(micros(raw)[0]) == first


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (["1.234,5", "1,234.5"], {}, "the column value is contradictory: some values have a decimal point"),
        (["12.5"], {"decimal": "comma"}, "--decimal comma: the column value is contradictory"),
        (["12,5", "1.234"], {"decimal": "point"}, "--decimal point: the column value is contradictory"),
        (["1"], {"decimal": "dot"}, "--decimal dot: no decimal mark. Use point or comma."),
    ],
)
def test_a_contradiction_is_refused_without_values(raw, tmp_path, values, options, message):
    with pytest.raises(ContractError) as error:
        load(raw, write(tmp_path, values), **options)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("1.234,50", "3.000", "2.500")], (1234.5, 3000, 2500)),  # another column proves the comma
        ([("12.50", "3,000", "1.000")], (12.5, 3000, 1)),
        ([("2.500", "3.456", "1")], (2500, 3456, 1)),  # a count has no decimals
        ([("2.500", "3,456", "1")], (2.5, 3456, 1)),
        ([("12.50", "1234.000", "12.5%")], (12.5, 1234, 0.125)),
        ([("12.50", "--", "n/a")], (12.5, None, None)),
    ],
)
def test_a_file_has_one_decimal_mark(raw, tmp_path, rows, expected):
    load(raw, write_spend(tmp_path, *rows), "spend")
    found = raw.execute("select spend_micros / 1e6, impressions, platform_conversions from raw.ad_spend").fetchone()
    assert found == expected


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("12.50", "3.000", "1"), "bad_count, first on line 2: impressions … is not a whole number"),
        (("12.50", "1.234", "1"), "bad_count, first on line 2: impressions … is not a whole number"),
        (("1,5", "3,000", "1"), "bad_count, first on line 2: impressions … is not a whole number"),
        (("1.234", "3.000", "1"), "the columns spend, impressions are ambiguous"),
        (("12.50", "1", "2,5"), None),
        (("--", "1", "1"), "missing_value, first on line 2: spend is empty and required"),
    ],
)
def test_a_figure_is_never_a_thousand_times_off(raw, tmp_path, row, message):
    path = write_spend(tmp_path, row)
    if message is None:  # columns with proven marks of their own
        assert load(raw, path, "spend").loaded == 1
        return
    with pytest.raises(ContractError) as error:
        load(raw, path, "spend")
    assert message in str(error.value)


def test_summary_rows_do_not_decide(raw, tmp_path):
    path = write_spend(tmp_path, ("2.500", "1", "1"))
    path.write_text(path.read_text() + 'Total,,,,EUR,"1,234.50",1,1\n')
    with pytest.raises(ContractError, match="the column spend is ambiguous"):
        load(raw, path, "spend")


def test_json_numbers_have_a_decimal_point(raw, tmp_path):
    rows = [{"value": 1.234}, {"value": "1,234.50"}, {"value": 1e-7}, {"value": "2,500"}]
    path = tmp_path / "x.ndjson"
    path.write_text(
        "".join(
            json.dumps(row | {"occurred_at": "2026-07-01T00:00:00Z", "order_id": f"o{n}"}) + "\n"
            for n, row in enumerate(rows)
        )
    )
    load(raw, path)
    assert micros(raw) == [1_234_000, 1_234_500_000, 0, 2_500_000_000]


def test_a_replay_and_a_corrected_import_need_no_format(raw, home, tmp_path):
    """The failed row has the canonical amount, so that a replay reads it, and an import clears it."""
    path = write(tmp_path, ["1.234,50", "2.500"])
    text = path.read_text().replace("00:00:00Z", "00:00:00").replace("00:01Z", "00:01")
    path.write_text(text.replace("T", " "))
    assert load(raw, path).reasons == {"missing_timezone": 2}
    assert failed(raw) == ["1234.50", "2500"]
    report = load(raw, path, timezone="UTC")
    assert (report.loaded, report.corrected, micros(raw)) == (2, 2, [1_234_500_000, 2_500_000_000])

    path = write(tmp_path, ["1.234,50", "2.500"], site_id="nowhere")
    raw.execute("delete from raw.conversions")
    strict = Settings(orgs=SETTINGS.orgs, files=type(SETTINGS.files)(unknown_sites="reject"))
    assert load_file(raw, "conversions", path, strict).reasons == {"unknown_site": 2}
    assert replay_failed(raw, home, SETTINGS, reason="unknown_site").loaded == 2
    assert micros(raw) == [1_234_500_000, 2_500_000_000]


def test_an_archived_file_is_read_as_it_was(raw, tmp_path):
    """The archive has Parquet of every format, so that its format proves no decimal point."""
    path = write_spend(tmp_path, ("1.234,50", "3.000", "2.500"))
    archive = tmp_path / "archived.parquet"
    import_file(raw, path, SETTINGS, kind="spend", keep=lambda kind: archive)
    rows = "select * exclude (_load_id, _loaded_at) from raw.ad_spend"
    before = raw.execute(rows).fetchall()
    raw.execute("delete from raw.ad_spend")
    load_file(raw, "spend", archive, SETTINGS, archived=Load("a", "a", "archive"))
    assert raw.execute(rows).fetchall() == before


# ---- any locale
AMOUNT = st.decimals(min_value=-10_000_000, max_value=10_000_000, places=3) | st.decimals(-100, 100, places=2)
LOCALES = [
    (",", "."),
    (".", ","),
    ("'", "."),
    ("\u2019", "."),
    (" ", ","),
    ("\u00a0", ","),
    ("\u202f", ","),
    ("", "."),
    ("", ","),
]
DECORATIONS = ["{}", "${}", "{} €", "EUR {}", "{} kr", "CHF {}"]


def written(amount: Decimal, group: str, mark: str, decoration: str, negative: str) -> str:
    whole, _, decimals = f"{abs(amount):,f}".partition(".")
    text = decoration.format(whole.replace(",", group) + (mark + decimals if decimals else ""))
    return negative.format(text) if amount < 0 else text


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    amounts=st.lists(AMOUNT.map(lambda each: each.normalize() + 0), min_size=1, max_size=8),
    locale=st.sampled_from(LOCALES),
    signs=st.tuples(st.sampled_from(DECORATIONS), st.sampled_from(["-{}", "({})", "\u2212{}"])),
)
def test_any_locale_gives_the_same_amounts_or_is_refused(raw, tmp_path, amounts, locale, signs):
    """The oracle is Decimal: each amount loads to the micro, or nothing loads."""
    raw.execute("delete from raw.conversions")
    path = write(tmp_path, [written(each, *locale, *signs) for each in amounts])
    try:
        report = load(raw, path)
    except ContractError as error:
        assert "ambiguous" in str(error)  # noqa: PT017
        assert raw.execute("select count(*) from raw.conversions").fetchone() == (0,)
        report = load(raw, path, decimal={".": "point", ",": "comma"}[locale[1]])
    assert report.failed == 0
    assert micros(raw) == [int(each * 10**6) for each in amounts]
