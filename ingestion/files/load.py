"""Load one file into raw tables exactly once: rows, failed rows and the rows of raw.loads, or nothing.

In: a file, a connection to the warehouse (the caller holds the build lock), and tributary.yaml.
Out: rows in raw.*, and a LoadReport for each kind of rows that the file brings.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import duckdb
import msgspec

from ingestion.files.column_formats import canonical_plan
from ingestion.files.column_mapping import (
    ImportOptions,
    ReadPlan,
    id_columns,
    plan_archived,
    plan_file,
    selected_rows,
)
from ingestion.files.contracts import CONTRACTS, KINDS, ContractError
from ingestion.files.input_file import UnfinishedError, open_input
from ingestion.files.layouts import (
    FileLayout,
    LayoutMatch,
    Recognised,
    apply_layout,
    headerless_columns,
    is_known_header,
    nearest_layout,
    recognise,
)
from ingestion.files.merge import PreparedRows, merge_rows
from ingestion.files.periods import number_spread_rows
from ingestion.files.preview import Preview
from ingestion.files.quarantine import rejected_by_reason
from ingestion.files.read import SourceFile, number_lines, read_file
from ingestion.files.remembered_imports import entry_for_file, entry_for_layout, with_entry
from ingestion.files.row_sql import archived_rows_sql
from ingestion.files.spend_rows import prepare_rows, skip_summary_rows
from ingestion.loads import Load, LoadReport
from ingestion.settings.model import RememberedImport, Settings
from ingestion.sql import (
    Connection,
    drop_temporary_tables,
    has_temporary_table,
    literal,
    quoted,
    scalar,
    transaction,
)
from ingestion.text import counted, suggestion
from ingestion.warehouse import little_memory

_OF_FILE = ("file", "file_lines", "used_rows", "unreadable_lines", "selected_rows")  # tables for all kinds of rows


class _OpenFile(NamedTuple):
    """A file that is being imported."""

    source: SourceFile
    settings: Settings
    options: ImportOptions
    match: LayoutMatch | None
    where: str  # SQL condition on `_row` of `file`, if a layout reads the file
    archived: Load | None
    preview: Preview | None
    keep: Callable[[str], Path] | None
    entry: RememberedImport | None  # of tributary.yaml that completed the options


class _PreviewEnds(Exception):
    """Roll the import back."""


def load_file(
    connection: Connection,
    kind: str,
    path: Path,
    settings: Settings,
    options: ImportOptions = ImportOptions(),  # noqa: B008 - immutable
    *,
    archived: Load | None = None,
) -> LoadReport:
    """Load the rows of one kind from a file, as `import_file` does."""
    (report,) = import_file(connection, path, settings, options, kind=kind, archived=archived)
    return report


def import_file(
    connection: Connection,
    path: Path,
    settings: Settings,
    options: ImportOptions = ImportOptions(),  # noqa: B008 - immutable
    *,
    kind: str | None = None,
    keep: Callable[[str], Path] | None = None,
    is_inbox: bool = False,
    archived: Load | None = None,
    preview: Preview | None = None,
) -> list[LoadReport]:
    """Load one file, or raise ContractError and write nothing. UnfinishedError if the file changes meanwhile.

    Return a report for each kind of rows. kind: load only rows of this kind; null: those that the file brings.
    keep: kind -> a Parquet file that receives the rows of the kind as texts of its contract, without personal data.
    is_inbox: somebody else may have put the file there, so refuse a symbolic link, and a file that a process writes.
    archived: the load that first read the rows, if the file is such a copy in the archive.
    preview: receives what the import would do. Then nothing is written.
    """
    if kind not in (None, *CONTRACTS):
        raise ContractError(f"{kind}: no such kind of input. Use one of {', '.join(KINDS)}.")
    reports: list[LoadReport] = []
    entry = None if archived else entry_for_file(settings, path.name)
    if entry:
        options, kind = with_entry(options, entry), kind or entry.kind
    with little_memory(connection), open_input(path, allow_link=not is_inbox) as file:
        try:
            # Before the transaction, because a reader that fails on a file would end it.
            source = read_file(
                connection,
                file,
                None if archived else id_columns(options.mapping),
                is_header=lambda fields: is_known_header(fields, options.mapping),
                headerless=headerless_columns,
            )
            found = _recognise(source, kind, options)
            if found.match and not entry and not archived:
                entry = entry_for_layout(settings, found.match.layout.name)
                options = with_entry(options, entry) if entry else options
            if preview:
                preview.describe(source, found, options)
            with transaction(connection):
                match = found.match
                where = _hand_to_layout(connection, source, match.layout, options) if match else "true"
                opened = _OpenFile(source, settings, options, match, where, archived, preview, keep, entry)
                for each in found.kinds:
                    reports.append(_load_rows(connection, each, opened))
                skipped = source.notes + (_skipped_rows(connection, where) if match else 0)
                reports[0] = msgspec.structs.replace(reports[0], skipped=skipped)
                if file.has_changed() or (is_inbox and file.has_writer()):
                    raise UnfinishedError(f"{file.label}: the file is still being written. Nothing was loaded.")
                if preview:
                    raise _PreviewEnds
        except _PreviewEnds:
            pass
        except duckdb.OutOfMemoryException:
            raise ContractError(
                f"{file.label}: its rows need more memory than DuckDB may use here. Nothing was loaded. Split the file,"
                " or remove its longest column."
            ) from None
        finally:
            drop_temporary_tables(connection)
    return reports


def _recognise(source: SourceFile, kind: str | None, options: ImportOptions) -> Recognised:
    """Return the kinds and the layout of a file. ContractError if its kind is unknown."""
    if kind and _is_archive(source):
        return Recognised((kind,), None)
    given = {*options.mapping, *options.constants, *(["site_id"] if options.site else [])}
    found = recognise(source, kind, given, options.layout, with_layouts=not options.mapping)
    if found:
        return found
    resembles = None if options.mapping else nearest_layout(source, kind, given)
    if resembles:
        raise ContractError(f"{source.label}: {resembles} {source.shown_columns}")
    if kind:
        return Recognised((kind,), None)  # the plan names the missing columns
    raise ContractError(
        f"{source.label}: no layout has these columns. Name the kind and map its columns, such as: tributary import"
        f" conversions FILE --map occurred_at=COLUMN. {source.shown_columns}"
    )


def _hand_to_layout(connection: Connection, source: SourceFile, layout: FileLayout, options: ImportOptions) -> str:
    """Make the table `file` of the file's rows. Return the SQL condition on `_row` for the rows to load."""
    where = selected_rows(connection, source, options.where) if options.where else "true"
    connection.execute("alter table temp.source rename to file; create temp table used_rows (_file_row bigint)")
    if has_temporary_table(connection, "source_lines"):
        connection.execute("alter table temp.source_lines rename to file_lines")
    if layout.footer:
        connection.execute(
            "delete from unreadable_lines where reason = 'wrong_column_count'"
            f" and regexp_matches(payload, {literal(layout.footer)})"
        )
    return where


def _load_rows(connection: Connection, kind: str, opened: _OpenFile) -> LoadReport:
    """Load the rows of one kind, in the caller's transaction."""
    source, options, match = opened.source, opened.options, opened.match
    if match:
        drop_temporary_tables(connection, keep=_OF_FILE)  # of the kind before
        source = source._replace(columns=apply_layout(connection, match, kind, options.mapping, opened.where))
        connection.execute("insert into used_rows select distinct _file_row from temp.source")
        _check_given(connection, source, match, options)
        options = _with_formats(options, match.layout)
    if opened.archived and _is_archive(source):
        plan = plan_archived(connection, kind, source.columns, opened.settings)
    else:
        plan = plan_file(connection, kind, source, opened.settings, options, layout=match)
    if match:
        plan = plan._replace(file_columns=tuple(opened.source.columns))
    load = opened.archived or Load(
        uuid.uuid4().hex, source.file.name, match.layout.name if match else source.dialect.kind
    )
    prepare: Callable[[], PreparedRows] = PreparedRows

    def number_rows() -> None:
        if match:
            _number_layout_rows(connection, source)
        else:
            number_lines(connection, source)
        if options.spread:
            number_spread_rows(connection)

    if plan.contract.adds_up:
        plan, summary = skip_summary_rows(connection, plan, source)
        prepare = partial(prepare_rows, connection, plan, options, summary)
    if not _is_archive(source):
        plan = canonical_plan(connection, plan, source, options, is_archived=opened.archived is not None)
    if opened.keep:
        kept = literal(opened.keep(kind))
        connection.execute(f"copy ({archived_rows_sql(plan)}) to {kept} (format parquet, compression zstd)")
    report = merge_rows(connection, plan, load, number_lines=number_rows, prepare=prepare)
    if opened.preview:
        opened.preview.add_rows(connection, plan, report)
    if report.failed and plan.contract.adds_up and not options.partial:
        raise ContractError(_refusal(connection, source, report))
    connection.execute("delete from unreadable_lines")  # they count once, also if the file brings several kinds
    return msgspec.structs.replace(
        report,
        warnings=[*_unknown_sites(connection, plan, opened.settings), *_assumed_currency(connection, plan, match)],
        layout=match.layout.name if match else None,
        entry=opened.entry.name if opened.entry else None,
    )


def _skipped_rows(connection: Connection, where: str) -> int:
    """Return the number of rows of `file` that a layout does not load, such as open deals. where: of apply_layout."""
    query = f"select count(*) from (select rowid as _row from temp.file) where {where}"
    return int(scalar(connection, f"{query} and _row not in (select _file_row from used_rows)"))


def _is_archive(source: SourceFile) -> bool:
    """Return whether `archived_rows_sql` wrote the file. A file of a user cannot have such a column."""
    return "_row_org" in source.columns


def _with_formats(options: ImportOptions, layout: FileLayout) -> ImportOptions:
    """Return the options with the formats that a layout always has."""
    dayfirst = None if layout.dayfirst is None else layout.dayfirst == "yes"
    return options._replace(
        timezone=options.timezone or layout.timezone,
        decimal=options.decimal or layout.decimal,
        dayfirst=dayfirst if options.dayfirst is None else options.dayfirst,
    )


def _check_given(connection: Connection, source: SourceFile, match: LayoutMatch, options: ImportOptions) -> None:
    """Raise ContractError if the file lacks values that the user must give."""
    options_of = {"site_id": "--site SITE"} | {name: f"--set {name}=VALUE" for name in match.layout.give}
    given = {*options.constants, *(["site_id"] if options.site else [])}
    asked = [name for name in match.layout.give if name not in given and name in source.columns]
    if not asked:
        return
    counts = connection.execute(
        f"select count(*), {', '.join(f'count({quoted(name)})' for name in asked)} from temp.source"
    ).fetchone() or (0,)
    missing = [name for name, known in zip(asked, counts[1:], strict=True) if counts[0] and not known]
    if missing:
        raise ContractError(
            f"{source.label}: this {match.layout.title} export does not state {', '.join(missing)}. Add"
            f" {' '.join(options_of[name] for name in missing)}."
        )


def _number_layout_rows(connection: Connection, source: SourceFile) -> None:
    """Create `source_lines` of the rows that a layout reads from `file`."""
    if not has_temporary_table(connection, "file_lines"):
        number_lines(connection, source, "file")
        connection.execute("alter table temp.source_lines rename to file_lines")
    connection.execute(
        "create temp table source_lines as select source.rowid as _row, line"
        " from temp.source join temp.file_lines on file_lines._row = _file_row"
    )


def _unknown_sites(connection: Connection, plan: ReadPlan, settings: Settings) -> Iterator[str]:
    """Yield a sentence for each site of the loaded rows that tributary.yaml lacks: its orders count once more."""
    if "site_id" not in [column.name for column in plan.contract.columns]:
        return
    sites = [site.id for site in settings.sites]
    found = connection.execute(
        "select site_id, count(*) from typed_rows"
        " where _ok and site_id is not null and site_id not in (select unnest($1::varchar[]))"
        " group by site_id order by count(*) desc, site_id limit 20",
        [sites],
    ).fetchall()
    for site, rows in found:
        advice = suggestion(site, sites) if sites else "Add it under sites."
        yield f"{counted(rows, 'row')} of the site {site!r}, which tributary.yaml lacks. {advice}"


def _assumed_currency(connection: Connection, plan: ReadPlan, match: LayoutMatch | None) -> Iterator[str]:
    """Yield a sentence if an export of orders states no currency, so that their amounts are in that of the org."""
    if not match or plan.kind != "conversions":
        return
    rows = scalar(
        connection, "select count(*) from typed_rows where _ok and value_micros is not null and currency is null"
    )
    if rows:
        yield (
            f"{counted(rows, 'row')} without a currency. Their amounts count in the currency of their org. If"
            " they are in another one, add --set currency=CODE."
        )


def _refusal(connection: Connection, source: SourceFile, report: LoadReport) -> str:
    """Return why a spend file is refused: each reason with its number of rows, first line and sentence."""
    fail = "fails" if report.failed == 1 else "fail"
    return "\n".join(
        [
            f"{source.label}: {report.failed:,} of {counted(report.received, 'row')} {fail}, so nothing was loaded:"
            " a part of a report would look like a day with less spend.",
            *(
                f"  {rows:,} failed: {reason}, first on line {line}: {detail}"
                for reason, rows, line, detail in rejected_by_reason(connection)
            ),
            "Correct the file and import it again. To load the other rows only, import it with --partial.",
        ]
    )
