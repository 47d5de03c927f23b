"""Read the numbers and dates of a file by column: a column has one decimal mark and one order of days and months.

In: the ReadPlan of a file, and the options of the import.
Out: the plan with SQL that gives plain decimals and ISO texts in the columns that have others; or a ContractError that
names the columns which do not decide.
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
from ingestion.sql import Connection, literal, quoted


def canonical_plan(
    connection: Connection, plan: ReadPlan, source: SourceFile, options: ImportOptions, *, is_archived: bool = False
) -> ReadPlan:
    """Return the plan with `readings` of the columns that have other texts than plain decimals and ISO 8601.

    is_archived: the file is the Parquet copy of an accepted file of any format.
    ContractError if a column is ambiguous, contradicts itself or an option.
    """
    types = {column.name: column.type for column in plan.contract.columns if column.name in plan.texts}
    numbers = {name: plan.texts[name] for name, type_ in types.items() if type_ in NUMBER_TYPES}
    dates = {name: plan.texts[name] for name, type_ in types.items() if type_ in DATE_TYPES}
    if plan.period and plan.period.end:
        dates["end_date"] = plan.period.end
    odd = _odd_columns(
        connection, plan, dict.fromkeys(numbers, PLAIN_NUMBER) | dict.fromkeys(dates, ISO), numbers | dates
    )
    headers = {quoted(name): name for name in plan.source_columns}
    names = {name: headers.get(sql, name) for name, sql in (numbers | dates).items()}
    readings: dict[str, str] = {}
    try:
        if numbers and (odd & numbers.keys() or options.decimal):
            evidence = _evidence(connection, plan, numbers, odd)
            is_typed = source.dialect.kind in ("ndjson", "json", "parquet")
            decided = decide_numbers(
                types,
                evidence,
                names,
                option=cast("Mark | None", options.decimal),
                default="point" if is_typed and not is_archived else None,
                fallback="point" if is_archived else None,
            )
            readings |= {name: number_sql(types[name], decided[name]) for name in numbers if name in odd}
        odd_dates = {name: sql for name, sql in dates.items() if name in odd}
        if odd_dates:
            profiles = {name: _profile(connection, plan, sql) for name, sql in odd_dates.items()}
            forms = decide_dates(profiles, names, option=options.dayfirst, this_year=plan.latest_day.year)
            readings |= {name: date_sql(forms.get(name)) for name in odd_dates}
    except ContractError as error:
        raise ContractError(f"{source.label}: {error}") from None
    return plan._replace(readings=readings)


def _odd_columns(connection: Connection, plan: ReadPlan, patterns: dict[str, str], texts: dict[str, str]) -> set[str]:
    """Return the columns with a text that does not match its pattern."""
    if not texts:
        return set()
    tests = ", ".join(f"bool_or(not regexp_matches({sql}, {literal(patterns[name])}))" for name, sql in texts.items())
    found = connection.execute(f"select {tests} from {plan.relation} where {plan.where}").fetchone() or ()
    return {name for name, is_odd in zip(texts, found, strict=True) if is_odd}


def _evidence(connection: Connection, plan: ReadPlan, numbers: dict[str, str], odd: set[str]) -> dict[str, Evidence]:
    counts = ", ".join(evidence_sql(sql, is_plain=name not in odd) for name, sql in numbers.items())
    found = connection.execute(f"select {counts} from {plan.relation} where {plan.where}").fetchone() or ()
    return {name: Evidence(*each) for name, each in zip(numbers, found, strict=True)}


def _profile(connection: Connection, plan: ReadPlan, text: str) -> Profile:
    relation = f"{plan.relation} where {plan.where}"
    return Profile(*(connection.execute(profile_sql(text, relation)).fetchone() or ()))
