"""Ask questions of a published home, and plant rows in it. In: a home, an org, a query string. Out: records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from serving.answers import ask
from serving.filters import parse
from serving.orgs import OrgFiles
from serving.questions import load_questions


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
