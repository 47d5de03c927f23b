"""Load one file into a raw table exactly once: rows, failed rows and the row of raw.loads, or nothing.

In: a file of one of the KINDS, a connection to the warehouse (the caller holds the build lock), and tributary.yaml.
Out: rows in raw.*, and a LoadReport.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import duckdb
import msgspec

from ingestion.files.column_mapping import ImportOptions, ReadPlan, id_columns, plan_file, suggestion
from ingestion.files.contracts import CONTRACTS, KINDS, ContractError
from ingestion.files.input_file import UnfinishedError, open_input
from ingestion.files.merge import PreparedRows, merge_rows
from ingestion.files.periods import number_spread_rows
from ingestion.files.read import SourceFile, number_lines, read_file
from ingestion.files.spend_rows import prepare_rows, skip_summary_rows
from ingestion.loads import Load, LoadReport
from ingestion.settings.model import Settings
from ingestion.sql import Connection, drop_temporary_tables, literal, transaction


def load_file(
    connection: Connection,
    kind: str,
    path: Path,
    settings: Settings,
    options: ImportOptions = ImportOptions(),  # noqa: B008 - immutable
    *,
    keep: Path | None = None,
    is_inbox: bool = False,
    archived: Load | None = None,
) -> LoadReport:
    """Load one file, or raise ContractError and write nothing. UnfinishedError if the file changes meanwhile.

    keep: a Parquet file that receives the file's rows as they are read, without personal data.
    is_inbox: somebody else may have put the file there, so refuse a symbolic link, and a file that a process writes.
    archived: the load that first read the rows, if the file is such a copy in the archive.
    """
    if kind not in CONTRACTS:
        raise ContractError(f"{kind}: no such kind of input. Use one of {', '.join(KINDS)}.")
    with open_input(path, allow_link=not is_inbox) as file:
        try:
            # Before the transaction, because a reader that fails on a file would end it.
            source = read_file(connection, file, None if archived else id_columns(options.mapping))
            plan = plan_file(connection, kind, source, settings, options)
            if keep:
                connection.execute(f"copy temp.source to {literal(keep)} (format parquet, compression zstd)")
            load = archived or Load(uuid.uuid4().hex, file.name, options.file_format or source.dialect.kind)
            prepare: Callable[[], PreparedRows] = PreparedRows

            def number_rows() -> None:
                number_lines(connection, source)
                if options.spread:
                    number_spread_rows(connection)

            if plan.contract.adds_up:
                plan, summary = skip_summary_rows(connection, plan, source)
                prepare = partial(prepare_rows, connection, plan, options, summary)
            with transaction(connection):
                report = merge_rows(connection, plan, load, number_lines=number_rows, prepare=prepare)
                if report.failed and plan.contract.adds_up and not options.partial:
                    raise ContractError(_refusal(connection, source, report))
                if file.has_changed() or (is_inbox and file.has_writer()):
                    raise UnfinishedError(f"{file.label}: the file is still being written. Nothing was loaded.")
            return msgspec.structs.replace(report, warnings=list(_unknown_sites(connection, plan, settings)))
        except duckdb.OutOfMemoryException:
            raise ContractError(
                f"{file.label}: its rows need more memory than DuckDB may use here. Nothing was loaded. Split the file,"
                " or remove its longest column."
            ) from None
        finally:
            drop_temporary_tables(connection)


def _unknown_sites(connection: Connection, plan: ReadPlan, settings: Settings) -> Iterator[str]:
    """Yield a sentence for each site of the loaded rows that tributary.yaml lacks: its orders count once more."""
    if "site_id" not in [column.name for column in plan.contract.columns]:
        return
    sites = [site.id for site in settings.sites]
    found = connection.execute(
        "select site_id, count(*) from typed_rows where _ok and site_id not in (select unnest($1::varchar[]))"
        " group by site_id order by count(*) desc, site_id limit 20",
        [sites],
    ).fetchall()
    for site, rows in found:
        advice = suggestion(site, sites) if sites else "Add it under sites."
        yield f"{rows:,} row{'s' * (rows != 1)} of the site {site!r}, which tributary.yaml lacks. {advice}"


def _refusal(connection: Connection, source: SourceFile, report: LoadReport) -> str:
    """Return why a spend file is refused: each reason with its number of rows, first line and sentence."""
    reasons = connection.execute(
        """
        select reason, count(*), min(coalesce(rejected_rows.line, source_lines.line)) as line,
            arg_min(detail, coalesce(rejected_rows.line, source_lines.line, 0))
        from rejected_rows left join source_lines using (_row)
        group by reason order by line, reason
        """
    ).fetchall()
    return "\n".join(
        [
            f"{source.label}: {report.failed:,} of {report.received:,} rows fail, so nothing was loaded: a part of a"
            " report would look like a day with less spend.",
            *(f"  {rows:,} failed: {reason}, first on line {line}: {detail}" for reason, rows, line, detail in reasons),
            "Correct the file and import it again. To load the other rows only, import it with --partial.",
        ]
    )
