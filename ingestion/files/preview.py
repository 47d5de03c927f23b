"""Collect what an import would do: its layout, its mapping, the first rows as they would load, and their problems.

In: a file that is being imported and rolled back. Out: a Preview, which cli/import_preview.py prints.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ingestion.files.column_mapping import ImportOptions, ReadPlan
from ingestion.files.layouts import Recognised
from ingestion.files.quarantine import rejected_by_reason
from ingestion.files.read import SourceFile
from ingestion.loads import LoadReport
from ingestion.sql import Connection, quoted

_ROWS = 3


@dataclass
class KindPreview:
    """The rows of one kind."""

    report: LoadReport
    columns: list[str]  # of the contract, with a value in one of the rows
    rows: list[tuple[Any, ...]]  # the first ones; money in units, not micros
    failures: list[tuple[str, int, int | None, str]]  # reason, number of rows, first line, sentence


@dataclass
class Preview:
    """What an import would do."""

    layout: str | None = None  # name of the layout; null: the columns are those of the contract
    title: str = ""
    mapping: list[tuple[str, str]] = field(default_factory=list)  # column of the layout or contract, its origin
    unused: list[str] = field(default_factory=list)  # columns of the file
    kinds: dict[str, KindPreview] = field(default_factory=dict)

    def describe(self, source: SourceFile, found: Recognised, options: ImportOptions) -> None:
        """Describe the columns of the file."""
        given = {name: f"{value} (--set)" for name, value in options.constants.items()}
        given |= {"site_id": f"{options.site} (--site)"} if options.site else {}
        if found.match:
            self.layout, self.title = found.match.layout.name, found.match.layout.title
            mapped = {**found.match.columns, **options.mapping}
            self.mapping = [*mapped.items(), *found.match.captured.items(), *given.items()]
            used = set(mapped.values())
            self.unused = [name for name in source.columns if name not in used]
            return
        self.mapping = [*options.mapping.items(), *given.items()]
        mapped_columns = set(options.mapping.values())
        self.mapping += [(name.lower(), name) for name in source.columns if name not in mapped_columns]

    def add_rows(self, connection: Connection, plan: ReadPlan, report: LoadReport) -> None:
        """Add the first rows of a kind and its failures, from the tables of its merge."""
        shown = {column.stored: column for column in plan.contract.columns}
        texts = [
            f"({quoted(name)} / 1000000)::decimal(26, 6)" if column.type == "money" else quoted(name)
            for name, column in shown.items()
        ]
        rows = connection.execute(
            f"select {', '.join(texts)} from typed_rows where _ok order by _row limit {_ROWS}"
        ).fetchall()
        filled = [position for position in range(len(texts)) if any(row[position] is not None for row in rows)]
        names = [column.name for column in shown.values()]
        self.kinds[plan.kind] = KindPreview(
            report=report,
            columns=[names[position] for position in filled],
            rows=[tuple(row[position] for position in filled) for row in rows],
            failures=rejected_by_reason(connection) if report.failed else [],
        )
