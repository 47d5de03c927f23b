"""Ask questions of a built home, read its marts with plain SQL to compare, and plant rows in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from serving.answers import ask
from serving.filters import parse
from serving.orgs import OrgFiles
from serving.questions import load_questions

Rows = list[dict[str, Any]]


class Questions:
    """The questions of a built home."""

    def __init__(self, home: Path) -> None:
        self.files = OrgFiles(home / "published")
        self.questions = load_questions()

    def ask(self, org: str, name: str, **query: object) -> Rows:
        """Return the answer to a question by column. Without from and to, it is about all days."""
        with self.files.pinned(org) as version:
            days = {"from": version.facts.first_day, "to": version.facts.last_day}
            text = {key: str(value) for key, value in {**days, **query}.items()}
            return ask(version, self.questions[name], parse(text, version.facts, is_strict=True)).records()

    def sql(self, org: str, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the marts of an org."""
        with self.files.pinned(org) as version:
            return version.cursor().execute(query, list(values)).fetchall()

    def close(self) -> None:
        """Close the published files."""
        self.files.close()


def total(rows: Rows, column: str) -> Any:
    """Return the sum of a column."""
    return sum(row[column] for row in rows)


def table(rows: Rows, *columns: str) -> set[tuple[Any, ...]]:
    """Return the values of some columns."""
    return {tuple(row[column] for column in columns) for row in rows}


def answer(home: Path, org: str, question: str, **query: str) -> list[dict[str, Any]]:
    """Return the rows of a question under the parameters of a URL."""
    files = OrgFiles(home / "published")
    try:
        with files.pinned(org) as version:
            filters = parse({name.rstrip("_"): value for name, value in query.items()}, version.facts, is_strict=True)
            return ask(version, load_questions()[question], filters).records()
    finally:
        files.close()


def plant(home: Path, org: str, table: str, *rows: dict[str, Any]) -> None:
    """Insert rows into a table of the org's published file. Columns that a row lacks are null."""
    with duckdb.connect(str(home / "published" / "orgs" / f"{org}.duckdb")) as connection:
        for row in rows:
            values = {"org_id": org, **row}
            names, places = ", ".join(values), ", ".join(f"${name}" for name in values)
            connection.execute(f"insert into {table} ({names}) values ({places})", values)
