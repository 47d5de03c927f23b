"""Dates and times are read by column: any format gives exactly the same days and moments, or the file is refused."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from babel.dates import format_date, format_time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.files.column_mapping import ImportOptions
from ingestion.files.contracts import ContractError
from ingestion.files.load import load_file
from ingestion.loads import LoadReport
from ingestion.settings.model import Org, Settings
from tests.support.home import ROOT

Raw = duckdb.DuckDBPyConnection

SETTINGS = Settings(orgs=[Org("default", "USD")])
FIELD = ROOT.parent / "shared" / "field"


def write(folder: Path, times: list[str], column: str = "occurred_at") -> Path:
    """Write a file of conversions with one time in each row."""
    return _write(folder, ["order_id", column], [[f"o{n:05d}", text] for n, text in enumerate(times)])


def write_spend(folder: Path, days: list[str], header: str = "date", **more: str) -> Path:
    columns = [header, "platform", "account_id", "campaign_id", "currency", "spend", *more]
    rows = [[text, "meta", "1", f"c{n:05d}", "EUR", "1", *more.values()] for n, text in enumerate(days)]
    return _write(folder, columns, rows)


def _write(folder: Path, columns: list[str], rows: list[list[str]]) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    path = folder / "file.csv"
    path.write_text(text.getvalue())
    return path


def load(raw: Raw, path: Path, kind: str = "conversions", **options: Any) -> LoadReport:
    return load_file(raw, kind, path, SETTINGS, ImportOptions(**options))


def moments(raw: Raw) -> list[str]:
    return [
        at for (at,) in raw.execute("select occurred_at::varchar from raw.conversions order by order_id").fetchall()
    ]


def days(raw: Raw) -> list[date]:
    return [day for (day,) in raw.execute("select date from raw.ad_spend order by campaign_id").fetchall()]


@pytest.mark.parametrize(
    "texts",
    [
        ["7/31/2026", "7/8/2026"], ["07/31/26", "07/08/26"], ["31/07/2026", "08/07/2026"], ["31-7-2026", "8-7-2026"],
        ["31.07.2026", "8.7.2026"], ["31.07.26", "08.07.26"], ["31. 7. 2026", "8. 7. 2026"], ["31/07/26", "08/07/26"],
        ["2026/07/31", "2026/7/8"], ["20260731", "20260708"], ["2026年7月31日", "2026年07月08日"],
        ["2026. 7. 31.", "2026. 7. 8."],
        ["Jul 31, 2026", "July 8, 2026"], ["31-Jul-26", "8-Jul-26"], ["31. Juli 2026", "8. Jul. 2026"],
        ["31 juil. 2026", "8 juillet 2026"], ["31 de julio de 2026", "8 jul 2026"], ["31 luglio 2026", "8 lug 2026"],
        ["31 de jul. de 2026", "8 de julho de 2026"], ["31 juli 2026", "8 jul. 2026"], ["31 lipca 2026", "8 lip 2026"],
        ["31 Temmuz 2026", "8 Tem 2026"], ["Fri Jul 31 2026", "Wed Jul 08 2026"],
        ["Freitag, 31. Juli 2026", "Mi., 8. Juli 2026"],
        ["46234", "46211"], ["7/31/2026 12:00:00 AM", "7/8/2026 0:00"], ["1785456000", "1783468800"],
    ],
)  # fmt: skip
def test_a_column_decides_how_its_days_are_read(raw, tmp_path, texts):
    assert load(raw, write_spend(tmp_path, texts), "spend").loaded == 2
    assert days(raw) == [date(2026, 7, 31), date(2026, 7, 8)]


@pytest.mark.parametrize(
    "text",
    [
        "2026-07-31T14:05:06Z", "2026-07-31 16:05:06 +0200", "2026-07-31 16:05:06 +2", "2026-07-31T14:05:06z",
        "2026-07-31 14:05:06 GMT", "2026/07/31 14:05:06 UTC", "7/31/2026 2:05:06 PM GMT", "31.07.2026, 16:05:06 +02:00",
        "7/31/2026 7:05:06 AM PDT", "7/31/2026, 2:05:06\u202fp.m. UTC", "Fri, 31 Jul 2026 16:05:06 +0200",
        "Fri Jul 31 2026 16:05:06 GMT+0200 (Mitteleuropäische Sommerzeit)", "Fri Jul 31 14:05:06 +0000 2026",
        "31. Juli 2026 um 14:05:06 UTC", "1785506706", "1785506706000", "1785506706000000", "1785506706000000000",
        "1785506706.0", "2026-7-31 9:05:06 -05",
    ],
)  # fmt: skip
def test_a_time_with_a_zone_becomes_utc(raw, tmp_path, text):
    load(raw, write(tmp_path, [text]))
    assert moments(raw) == ["2026-07-31 14:05:06"]


@pytest.mark.parametrize(
    "text",
    ["7/31/2026 4:05:06 PM", "31.07.2026 16:05:06", "46234.6702083333", "46234,6702083333", "31 Jul 2026 16:05:06"],
)
def test_a_time_without_a_zone_needs_one(raw, tmp_path, text):
    path = write(tmp_path, [text])
    assert load(raw, path).reasons == {"missing_timezone": 1}
    report = load(raw, path, timezone="Europe/Berlin")
    assert (moments(raw), report.corrected) == (["2026-07-31 14:05:06"], 1)


@pytest.mark.parametrize(
    "texts", [["7/8/2026"], ["7/8/2026", "1/2/2026 10:00"], ["15/07/26"], ["25/12/01", "26/01/01"]]
)
def test_an_ambiguous_column_is_refused_and_the_option_decides(raw, tmp_path, texts):
    path = write(tmp_path, texts, "Closed on")
    options = {"mapping": {"occurred_at": "Closed on"}, "timezone": "UTC"}
    with pytest.raises(ContractError, match="the column Closed on is ambiguous") as error:
        load(raw, path, **options)
    assert "--dayfirst or --no-dayfirst" in str(error.value)
    load(raw, path, **options, dayfirst=True)
    day, month, year = texts[0].split("/")
    assert moments(raw)[0] == f"20{year[-2:]}-{int(month):02d}-{int(day):02d} 00:00:00"


def test_the_same_day_and_month_are_clear(raw, tmp_path):
    load(raw, write_spend(tmp_path, ["7/7/2026", "1/1/2026"]), "spend")
    assert days(raw) == [date(2026, 7, 7), date(2026, 1, 1)]


def test_another_column_of_the_file_decides(raw, tmp_path):
    columns = ["fee_id", "platform", "campaign_id", "amount", "currency", "starts_on", "ends_on"]
    load(raw, _write(tmp_path, columns, [["f", "x", "c", "1", "EUR", "01/07/2026", "31/07/2026"]]), "fees")
    assert raw.execute("select starts_on, ends_on from raw.fees").fetchall() == [(date(2026, 7, 1), date(2026, 7, 31))]


@pytest.mark.parametrize("texts", [["31/7/2026", "7/31/2026"], ["31.7.2026", "7/31/2026"]])
def test_a_column_with_two_orders_is_refused(raw, tmp_path, texts):
    with pytest.raises(ContractError, match="the column date is contradictory"):
        load(raw, write_spend(tmp_path, texts), "spend")


@pytest.mark.parametrize(("texts", "dayfirst"), [(["7/31/2026", "7/8/2026"], True), (["31/7/2026", "8/7/2026"], False)])
def test_a_day_that_contradicts_the_option_fails(raw, tmp_path, texts, dayfirst):
    report = load(raw, write(tmp_path, texts), timezone="UTC", dayfirst=dayfirst)
    assert (report.loaded, report.reasons) == (1, {"bad_timestamp": 1})
    assert raw.execute("select payload ->> 'occurred_at' from raw.failed_events").fetchall() == [(texts[0],)]


@pytest.mark.parametrize(
    "text",
    ["31/02/2026", "7/31/2026 25:00", "until Jul 1, 2026", "Jul 2026", "2026-07-31T10:00:00 Europe/Berlin",
     "1785506706", "46234", "07/08/2026"],
)  # fmt: skip
def test_a_time_in_another_form_than_its_column_fails_as_it_is(raw, tmp_path, text):
    report = load(raw, write(tmp_path, ["2026-07-31T14:05:06Z", text, "2026-07-31 14:05:06 GMT"]))
    assert (report.loaded, report.failed) == (2, 1)
    assert raw.execute("select payload ->> 'occurred_at' from raw.failed_events").fetchall() == [(text,)]


def test_the_end_of_a_period_is_read_by_its_column(raw, tmp_path):
    path = write_spend(tmp_path, ["2/1/2026"], "Reporting starts", **{"Reporting ends": "2/28/2026"})
    with pytest.raises(ContractError, match="1 failed: period_row"):
        load(raw, path, "spend")
    assert load(raw, path, "spend", spread=True).loaded == 28


@pytest.mark.parametrize("text", ["2026-02-01 - 2026-02-28", "2026-W06", "2026-02", "2026-Q1"])
def test_a_period_stays_a_period(raw, tmp_path, text):
    with pytest.raises(ContractError, match="period_row"):
        load(raw, write_spend(tmp_path, [text]), "spend")


@pytest.mark.skipif(not FIELD.exists(), reason="the field's files are not on this machine")
def test_the_times_of_the_field_load_right_or_fail(raw):
    load(raw, FIELD / "time" / "offsets.csv")
    assert len(moments(raw)) == 13
    assert {at[:19] for at in moments(raw)} <= {"2026-07-01 08:00:00", "2026-07-01 10:00:00"}
    raw.execute("delete from raw.conversions")
    report = load(raw, FIELD / "time" / "times.csv")
    assert {at[11:16] for at in moments(raw)} <= {"09:58", "14:58", "15:28"}
    assert (report.loaded, report.reasons) == (15, {"missing_timezone": 3, "bad_timestamp": 5})


# ---- any format
def _named(language: str) -> Any:
    return lambda at: f"{format_date(at, 'long', locale=language)} {at:%H:%M:%S}"


FORMATS = {
    "month first": lambda at: f"{at.month}/{at.day}/{at.year} {at:%I:%M:%S %p}",
    "month first, short": lambda at: f"{at:%m/%d/%y %H:%M:%S}",
    "day first": lambda at: f"{at:%d/%m/%Y %H:%M:%S}",
    "day first, short": lambda at: f"{at:%d-%m-%y %H:%M:%S}",
    "points": lambda at: f"{at:%d.%m.%Y %H:%M:%S}",
    "year first": lambda at: f"{at:%Y/%m/%d %H:%M:%S}",
    "english clock": lambda at: f"{format_date(at, 'medium', locale='en')}, {format_time(at, 'medium', locale='en')}",
    "mail": lambda at: format_datetime(at.replace(tzinfo=UTC)),
    "iso": lambda at: at.isoformat(),
    "spreadsheet": lambda at: f"{(at - datetime(1899, 12, 30)) / timedelta(days=1):.10f}",
    "seconds": lambda at: str(int(at.replace(tzinfo=UTC).timestamp())),
    **{
        language: _named(language)
        for language in ("de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "nb", "tr", "ja")
    },
}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    times=st.lists(
        st.datetimes(datetime(2020, 1, 1), datetime(2026, 6, 30)).map(lambda at: at.replace(microsecond=0)),
        min_size=1,
        max_size=6,
    ),
    name=st.sampled_from(sorted(FORMATS)),
)
def test_any_format_gives_the_same_moments_or_is_refused(raw, tmp_path, times, name):
    """The oracle is the moment itself: each loads to the second, or nothing loads."""
    raw.execute("delete from raw.conversions")
    path = write(tmp_path, [FORMATS[name](at) for at in times])
    try:
        report = load(raw, path, timezone="UTC")
    except ContractError as error:
        assert "ambiguous" in str(error)  # noqa: PT017
        assert raw.execute("select count(*) from raw.conversions").fetchone() == (0,)
        report = load(raw, path, timezone="UTC", dayfirst=name.startswith("day"))
    assert report.failed == 0
    assert moments(raw) == [str(at) for at in times]
