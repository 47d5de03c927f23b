"""Read the numbers and dates of a file by column: a column has one decimal mark and one order of days and months.

In: the ReadPlan of a file, and the options of the import.
Out: the plan, and a temporary table canonical_<column> (_written, _canonical) for each column that has other texts than
plain decimals and ISO 8601; or a ContractError that names the columns which do not decide.
"""

from __future__ import annotations

from typing import cast

from ingestion.files.column_mapping import ImportOptions, ReadPlan
from ingestion.files.contracts import ContractError
from ingestion.files.date_formats import DATE_TYPES, ISO, Profile, decide_dates, profile_sql
from ingestion.files.date_formats import reading_sql as date_sql
from ingestion.files.number_formats import (
    NUMBER_TYPES,
    PLAIN_NUMBER,
    Evidence,
    Mark,
    decide_numbers,
    evidence_sql,
)
from ingestion.files.number_formats import reading_sql as number_sql
from ingestion.files.read import SourceFile
from ingestion.sql import Connection, literal, quoted, scalar


def canonical_plan(
    connection: Connection, plan: ReadPlan, source: SourceFile, options: ImportOptions, *, is_archived: bool = False
) -> ReadPlan:
    """Return the plan with the columns `rewritten` that have other texts than plain decimals and ISO 8601.

    is_archived: the file is the Parquet copy of an accepted file of any format.
    ContractError if a column is ambiguous, contradicts itself or an option.
    """
    types = {column.name: column.type for column in plan.contract.columns if column.name in plan.texts}
    numbers = {name: plan.texts[name] for name, type_ in types.items() if type_ in NUMBER_TYPES}
    dates = {name: plan.texts[name] for name, type_ in types.items() if type_ in DATE_TYPES}
    if plan.period and plan.period.end:
        dates["end_date"] = plan.period.end
    texts = numbers | dates
    patterns = dict.fromkeys(numbers, PLAIN_NUMBER) | dict.fromkeys(dates, ISO)
    odd = _odd_columns(connection, plan, patterns, texts)
    headers = {quoted(name): name for name in plan.source_columns}
    names = {name: headers.get(sql, name) for name, sql in texts.items()}
    for name in odd:
        connection.execute(
            f"create temp table texts_{name} as select t, count(*) as n"
            f" from (select {texts[name]} as t from {plan.relation} where {plan.where}) where t is not null group by t"
        )
    readings: dict[str, str] = {}
    try:
        if odd & numbers.keys() or options.decimal:
            is_typed = source.dialect.kind in ("ndjson", "json", "parquet")
            decided = decide_numbers(
                types,
                _evidence(connection, plan, numbers, odd),
                names,
                option=cast("Mark | None", options.decimal),
                default="point" if is_typed and not is_archived else None,
                fallback="point" if is_archived else None,
            )
            readings |= {name: number_sql(types[name], decided[name]) for name in odd & numbers.keys()}
        if odd & dates.keys():
            profiles = {
                name: Profile(*(connection.execute(profile_sql(f"texts_{name}")).fetchone() or ()))
                for name in dates
                if name in odd
            }
            forms = decide_dates(profiles, names, option=options.dayfirst, this_year=plan.latest_day.year)
            readings |= {name: date_sql(forms.get(name)) for name in profiles}
    except ContractError as error:
        raise ContractError(f"{source.label}: {error}") from None
    # Columns repeat their texts, so that a join is much faster than to read each row.
    for name, reading in readings.items():
        connection.execute(
            f"create temp table canonical_{name} as select t as _written, {reading} as _canonical from texts_{name};"
            f" drop table texts_{name}"
        )
    return plan._replace(rewritten=frozenset(readings))


def _odd_columns(connection: Connection, plan: ReadPlan, patterns: dict[str, str], texts: dict[str, str]) -> set[str]:
    """Return the columns with a text that does not match its pattern."""
    if not texts:
        return set()
    tests = ", ".join(f"bool_or(not regexp_matches({sql}, {literal(patterns[name])}))" for name, sql in texts.items())
    found = connection.execute(f"select {tests} from {plan.relation} where {plan.where}").fetchone() or ()
    return {name for name, is_odd in zip(texts, found, strict=True) if is_odd}


def _evidence(connection: Connection, plan: ReadPlan, numbers: dict[str, str], odd: set[str]) -> dict[str, Evidence]:
    """Return the Evidence of each column. Plain decimals fit a decimal point only."""
    plain = {name: sql for name, sql in numbers.items() if name not in odd}
    counts = ", ".join(f"count(*) filter (contains({sql}, '.'))" for sql in plain.values()) or "null"
    found = connection.execute(f"select {counts} from {plan.relation} where {plan.where}").fetchone() or ()
    points = dict(zip(plain, found, strict=False))
    return {
        name: Evidence(point=points[name])
        if name in plain
        else Evidence(*scalar(connection, f"select {evidence_sql()} from texts_{name}"))
        for name in numbers
    }
