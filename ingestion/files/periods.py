"""Recognise rows of spend that cover more than one day, and spread them over their days.

In: the headers of a file, seeds/period_headers.csv, and the text of a row's start and end.
Out: a Period, SQL of the first and the last day of a row; `spread_rows` replaces rows of periods by rows of days.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from ingestion.files.id_spellings import DASHES
from ingestion.seeds import seed
from ingestion.sql import Connection, quoted

Unit = Literal["day", "week", "month", "quarter", "year"]

_DAY = r"^\d{4}-\d{2}-\d{2}([T ]00:00(:00(\.0+)?)?Z?)?$"
_RANGE = rf"^(\d{{4}}-\d{{2}}-\d{{2}})\s*(?:[{DASHES}]|~|/|to|bis|until)\s*(\d{{4}}-\d{{2}}-\d{{2}})$"
_WEEK, _MONTH, _QUARTER, _YEAR = r"^\d{4}-?W\d{2}$", r"^\d{4}-\d{2}$", r"^\d{4}-?Q[1-4]$", r"^\d{4}$"


class Period(NamedTuple):
    """How a file states the period of a row."""

    end: str | None  # SQL of the text of its last day
    unit: Unit  # of the column that has the date, by its header


def find_period(columns: list[str], date_column: str | None, end_column: str | None) -> tuple[str | None, Period]:
    """Return the column of the date and the Period of a file.

    columns: the file's. date_column: the one that has the date by its name or by --map, if any; end_column: likewise.
    """
    meanings = {_normalized(column): column for column in reversed(columns)}
    found: dict[str, str] = {}
    for row in seed("period_headers"):
        if row["header"] in meanings:
            found.setdefault(row["meaning"], meanings[row["header"]])
    start = date_column or next(
        (found[meaning] for meaning in ("start", "week", "month", "quarter", "year") if meaning in found), None
    )
    end = end_column or found.get("end")
    return start, Period(quoted(end) if end and end != start else None, _unit(start))


def _unit(column: str | None) -> Unit:
    meaning = next((row["meaning"] for row in seed("period_headers") if row["header"] == _normalized(column or "")), "")
    units: tuple[Unit, ...] = ("week", "month", "quarter", "year")
    return next((unit for unit in units if unit == meaning), "day")


def _normalized(header: str) -> str:
    """Return a header in lower case, without separators and without the part in parentheses."""
    return " ".join(re.sub(r"\(.*\)", "", header).replace("_", " ").replace("-", " ").lower().split())


def start_sql(text: str, unit: Unit) -> str:
    """Return SQL of the first day of a row; null if the text has none."""
    is_day, day = f"regexp_matches({text}, '{_DAY}')", f"try_cast(left({text}, 10) as date)"
    if unit not in {"day", "week"}:
        day = f"date_trunc('{unit}', {day})::date"
    return f"""case
        when {is_day} then {day}
        when regexp_matches({text}, '{_RANGE}') then try_cast(left({text}, 10) as date)
        when regexp_matches({text}, '{_WEEK}')
            then try_strptime(regexp_replace({text}, '-?W', '-W') || '-1', '%G-W%V-%u')::date
        when regexp_matches({text}, '{_MONTH}') then try_cast({text} || '-01' as date)
        when regexp_matches({text}, '{_QUARTER}')
            then make_date(left({text}, 4)::integer, right({text}, 1)::integer * 3 - 2, 1)
        when regexp_matches({text}, '{_YEAR}') and {unit == "year"} then make_date({text}::integer, 1, 1) end"""


def end_sql(text: str, end_text: str, unit: Unit) -> str:
    """Return SQL of the last day of a row. text: of the row's date; end_text: of its last day, or null."""
    start = start_sql(text, unit)
    by_unit = {
        "day": start,
        "week": f"{start} + 6",
        "month": f"last_day({start})",
        "quarter": f"({start} + interval 3 months)::date - 1",
        "year": f"({start} + interval 1 year)::date - 1",
    }
    return f"""case
        when {end_text} is not null then {start_sql(end_text, "day")}
        when regexp_matches({text}, '{_DAY}') then {by_unit[unit]}
        when regexp_matches({text}, '{_RANGE}') then try_cast(right({text}, 10) as date)
        when regexp_matches({text}, '{_WEEK}') then {by_unit["week"]}
        when regexp_matches({text}, '{_MONTH}') then {by_unit["month"]}
        when regexp_matches({text}, '{_QUARTER}') then {by_unit["quarter"]}
        else {by_unit[unit]} end"""


def spread_rows(connection: Connection, measures: Mapping[str, str], content_hash: str) -> None:
    """Replace the rows of periods in `typed_rows` by one row for each day, and record them in `spread_days`.

    measures: column -> its type. A day's part is the share of the days up to it less that of the days before it, so
    that the parts sum to the amount exactly. content_hash: SQL of the hash of the columns.
    """
    parts = ", ".join(f"{_part(name, type_)} as {name}" for name, type_ in measures.items())
    connection.execute(
        f"""
        create temp table spread_days as
        with numbered as (
            select *, unnest(range(_ends_on - date + 1)) as _day, _ends_on - date + 1 as _days
            from typed_rows where _ok and _ends_on > date
        ),
        days as (select * replace (date + _day::integer as date, {parts}) from numbered)
        select * replace (
                (select max(_row) from typed_rows) + row_number() over (order by _row, _day) as _row,
                date as _ends_on,
                {content_hash} as _content_hash
            ),
            _row as _source_row
        from days;

        delete from typed_rows where _ok and _ends_on > date;
        insert into typed_rows by name select * exclude (_day, _days, _source_row) from spread_days
        """
    )


def number_spread_rows(connection: Connection) -> None:
    """Add the lines of the spread rows to `source_lines`."""
    connection.execute(
        "insert into source_lines by name select days._row, line from spread_days as days"
        " join source_lines on source_lines._row = days._source_row"
    )


def _part(measure: str, type_: str) -> str:
    amount = f"round({measure} * 1e6)::hugeint" if type_ == "number" else f"{measure}::hugeint"
    part = f"(({amount} * (_day + 1)) // _days - ({amount} * _day) // _days)"
    return f"({part} / 1e6)::double" if type_ == "number" else f"{part}::bigint"
