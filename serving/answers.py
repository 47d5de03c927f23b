"""Answer a question from a pinned version, and write the answer as JSON, CSV, Parquet or Arrow.

In: a version, a question, filters. Out: Answer, bytes. Numbers are exact: decimals keep all their digits.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TextIO

import duckdb
import msgspec
import polars as pl

from serving.filters import Filters, WrongFilter
from serving.orgs import MEMORY_LIMIT, Version
from serving.published import literal
from serving.questions import Column, Question, QuestionError

JSON, CSV, PARQUET, ARROW = (
    "application/json",
    "text/csv",
    "application/vnd.apache.parquet",
    "application/vnd.apache.arrow.stream",
)
DAMAGE = re.compile(r"Corrupt database file|Could not read")  # of DuckDB's messages
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PARAMETER_OR_TEXT = re.compile(r"'[^']*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|\$(\w+)", re.DOTALL)
_TYPES = {
    "BIGINT": pl.Int64,
    "INTEGER": pl.Int32,
    "HUGEINT": pl.Int128,
    "DOUBLE": pl.Float64,
    "DATE": pl.Date,
    "TIMESTAMP": pl.Datetime("us"),
    "BOOLEAN": pl.Boolean,
}
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class Answer:
    """The rows of a question in one version."""

    question: Question
    version: int
    org: str
    currency: str
    names: tuple[str, ...]
    types: tuple[str, ...]  # of DuckDB
    rows: list[tuple[Any, ...]]
    has_more: bool = False

    @property
    def columns(self) -> list[Column]:
        """The columns; one that the header does not describe has its name as its title."""
        return [
            self.question.columns.get(name) or Column(name, name.replace("_", " ").capitalize()) for name in self.names
        ]

    @property
    def size(self) -> int:
        """About how many bytes it takes in memory."""
        return 1000 + 100 * len(self.rows) * len(self.names)

    @property
    def shown_columns(self) -> list[Column]:
        """The columns of a table for people: those with a title, without optional ones that no row fills."""
        return [
            column
            for place, column in enumerate(self.columns)
            if column.title and not (column.optional and all(row[place] is None for row in self.rows))
        ]

    def records(self) -> list[dict[str, Any]]:
        """Return the rows by column."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]


def ask(
    version: Version,
    question: Question,
    filters: Filters,
    *,
    sort: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> Answer:
    """Return the answer to a question. Raises WrongFilter for a column in `sort` that the answer does not have.

    Raises QuestionError if the SQL does not fit the published file, as it happens with questions of a home folder, or
    needs too much memory, and DamagedVersion if a part of the file is damaged.
    sort: columns, separated by commas; a minus means descending. limit, offset: of rows; None returns all.
    """
    with running(version, question, filters, sort=sort, limit=limit, offset=offset) as result:
        rows = result.fetchall()
        names, types = names_and_types(result)
    has_more = limit is not None and len(rows) > limit
    facts = filters.facts
    return Answer(question, version.number, facts.org, facts.currency, names, types, rows[:limit], has_more)


@contextmanager
def running(
    version: Version, question: Question, filters: Filters, *, sort: str, limit: int | None, offset: int
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield the result of a question, to fetch its rows: up to one more than the limit. Raises as `ask` does."""
    cursor = version.cursor()
    try:
        sql = statement(cursor, question, filters, sort)
        page = f"{sql}\nlimit {limit + 1} offset {offset}" if limit is not None else sql
        yield cursor.execute(page, filters.arguments(question.parameters))
    except (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError, duckdb.PermissionException) as error:
        problem = f"{question.path.name}: the SQL fails on the published file of {version.org}: {error}"
        raise QuestionError(problem) from None
    except duckdb.OutOfMemoryException:
        problem = f"{question.path.name}: the answer needs more than {MEMORY_LIMIT} of memory. Choose fewer days."
        raise QuestionError(problem) from None
    except duckdb.Error as error:
        if DAMAGE.search(str(error)):  # DuckDB reads and checks a block when a query needs it
            raise version.damage(error) from None
        raise
    finally:
        cursor.close()


def names_and_types(result: duckdb.DuckDBPyConnection) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names and the types of a result's columns."""
    return tuple(column[0] for column in result.description), tuple(str(column[1]) for column in result.description)


def statement(cursor: duckdb.DuckDBPyConnection, question: Question, filters: Filters, sort: str) -> str:
    """Return the question's SQL, sorted as asked. Ties have the order of all columns, so that pages do not overlap."""
    if not sort:
        return question.pageable_sql
    names = column_names(cursor, question, filters)
    terms = []
    for term in sort.split(","):
        name = term.strip().removeprefix("-")
        if name not in names:
            raise WrongFilter("sort", f"there is no column {name!r}. Use {', '.join(names)}, with a minus to descend.")
        terms.append(f'"{name}" {"desc" if term.strip().startswith("-") else "asc"} nulls last')
    ties = [str(number) for number in range(1, len(names) + 1)]
    return f"select * from (\n{question.sql}\n) order by {', '.join(terms + ties)}"


def column_names(cursor: duckdb.DuckDBPyConnection, question: Question, filters: Filters) -> list[str]:
    """Return the columns of a question's answer."""
    described = cursor.execute(f"describe {question.sql}", filters.arguments(question.parameters))
    return [row[0] for row in described.fetchall()]


def readable_sql(question: Question, filters: Filters) -> str:
    """Return the question's SQL with the values of its parameters, to be run on the org's published file."""

    def value(found: re.Match[str]) -> str:
        return sql_value(filters[found[1]]) if found[1] else found[0]

    return _PARAMETER_OR_TEXT.sub(value, question.sql)


def sql_value(value: Any) -> str:
    """Return a parameter's value as SQL."""
    if value is None:
        return "null::varchar"
    if isinstance(value, date):
        return f"date {literal(value)}"
    return literal(value) if isinstance(value, str) else str(value)


def to_json(
    answer: Answer, filters: Filters, next_cursor: str | None = None, extra: Mapping[str, Any] | None = None
) -> bytes:
    """Return the answer as a JSON object. extra: further members."""
    return _encoder.encode(
        {
            "question": answer.question.name,
            "title": answer.question.title,
            "org": answer.org,
            "version": answer.version,
            "currency": answer.currency,
            "filters": {name: filters[name] for name in answer.question.parameters},
            "columns": [
                {"name": column.name, "title": column.title, "unit": column.unit, "type": kind}
                for column, kind in zip(answer.columns, answer.types, strict=True)
            ],
            "rows": [json_record(answer, row) for row in answer.rows],
            "next_cursor": next_cursor,
            **(extra or {}),
        }
    )


def json_record(answer: Answer, row: tuple[Any, ...]) -> dict[str, Any]:
    """Return a row by column."""
    values = (json_value(value, kind) for value, kind in zip(row, answer.types, strict=True))
    return dict(zip(answer.names, values, strict=True))


def json_value(value: Any, kind: str) -> Any:
    """Return a value for JSON. A column of JSON is part of the document, not a text; a time has its zone."""
    if kind == "JSON" and value is not None:
        return msgspec.Raw(value.encode())
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def encode(answer: Answer, media_type: str) -> bytes:
    """Return the answer as CSV, Parquet or an Arrow stream."""
    if media_type == CSV:
        text = io.StringIO()
        write_csv(text, answer.names, [answer.rows])
        return text.getvalue().encode()
    out = io.BytesIO()
    if media_type == PARQUET:
        as_frame(answer).write_parquet(out)
    else:
        as_frame(answer).write_ipc_stream(out)
    return out.getvalue()


def write_csv(out: TextIO, names: Sequence[str], batches: Iterable[Sequence[tuple[Any, ...]]]) -> None:
    """Write the names and the rows of all batches."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for rows in batches:
        writer.writerows([[cell(value) for value in row] for row in rows])


def cell(value: Any) -> Any:
    """Return a value for CSV. A spreadsheet must not take a text, such as a campaign's name, for a formula."""
    if isinstance(value, Decimal):
        return f"{value:f}"  # not 0E-12
    if isinstance(value, list):
        value = " > ".join(map(str, value))
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def as_frame(answer: Answer) -> pl.DataFrame:
    """Return the answer as a data frame with the types of the marts."""
    schema = {name: polars_type(kind) for name, kind in zip(answer.names, answer.types, strict=True)}
    rows: list[Any] = answer.rows
    if others := {place for place, kind in enumerate(schema.values()) if kind == pl.String}:
        rows = [[text_of(value) if place in others else value for place, value in enumerate(row)] for row in rows]
    return pl.DataFrame(rows, schema=schema, orient="row")


def text_of(value: Any) -> str | None:
    """Return a value of a type without a counterpart, such as a struct, as a text."""
    return value if value is None or isinstance(value, str) else str(value)


def polars_type(kind: str) -> Any:
    """Return the type of a data frame's column for a type of DuckDB."""
    if kind.endswith("[]"):
        return pl.List(polars_type(kind[:-2]))
    if found := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", kind):
        return pl.Decimal(int(found[1]), int(found[2]))
    return _TYPES.get(kind, pl.String)
