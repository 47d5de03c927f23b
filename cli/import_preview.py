"""Print what an import would do. In: a Preview (ingestion/files/preview.py). Out: tables on standard output."""

from __future__ import annotations

from pathlib import Path

from cli.console import console, plain_table, print_line
from ingestion.files.input_file import readable_name
from ingestion.files.preview import KindPreview, Preview

_UNUSED = 12  # names of columns in a line


def print_preview(path: Path, preview: Preview) -> None:
    """Print the layout, the mapping, the first rows and the failures of a file."""
    name = readable_name(path)
    if preview.layout:
        print_line(f"{name}: {preview.title} (layout {preview.layout})")
    elif preview.kinds:
        print_line(f"{name}: columns of {' and '.join(preview.kinds)}")
    if preview.mapping:
        table = plain_table("column", "from")
        for column, origin in preview.mapping:
            table.add_row(column, origin)
        console.print(table)
    if preview.unused:
        more = len(preview.unused) - _UNUSED
        print_line(f"Not used: {', '.join(preview.unused[:_UNUSED])}{f' and {more} more' if more > 0 else ''}")
    for kind, found in preview.kinds.items():
        _print_kind(kind, found)


def _print_kind(kind: str, found: KindPreview) -> None:
    report = found.report
    print_line(
        f"{kind}: {report.received:,} received = {report.loaded:,} would load + {report.duplicate:,} duplicate"
        f" + {report.failed:,} would fail" + (f" + {report.summary:,} summary" if report.summary else "")
    )
    if found.rows:
        # One column for each row: a row has more columns than a terminal.
        table = plain_table("column")
        table.columns[0].min_width = max(map(len, found.columns))
        for number in range(1, len(found.rows) + 1):
            table.add_column(f"row {number}", overflow="ellipsis", no_wrap=True, ratio=1)
        for position, column in enumerate(found.columns):
            table.add_row(column, *("" if row[position] is None else str(row[position]) for row in found.rows))
        console.print(table)
    for reason, rows, line, detail in found.failures:
        print_line(f"  {rows:,} would fail: {reason}, first on line {line}: {detail}")
