"""One file -> raw tables, exactly once, in one transaction: raw rows, failed rows and the manifest, or nothing.

In: a file of one of the KINDS, a connection to the warehouse (the caller holds the build lock) and the settings.
Out: rows in raw.*, and a LoadReport with received = loaded + duplicate + failed.

What makes any order, split or repetition of the input give the same rows: a row is its content (`_content_hash`), the
same content is loaded once, and of several contents with one key the smallest (occurred_at, _content_hash) stays.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import msgspec

from ingestion.files.column_mapping import id_columns, scope_of
from ingestion.files.contracts import CONTRACTS, KINDS, Contract, ContractError
from ingestion.files.merge import FAILED_COLUMNS, conflict_detail, replace, resolve_conflicts, row_as_json, settle
from ingestion.files.parse import Scope, typed, violations
from ingestion.files.read import literal, number_lines, read
from ingestion.person.reentry import anonymise_loaded
from ingestion.settings.load import Settings

__all__ = ["KINDS", "ContractError", "LoadReport", "load_file"]

Connection = duckdb.DuckDBPyConnection


class LoadReport(msgspec.Struct, frozen=True):
    """What became of rows: received = loaded + duplicate + failed + limited; some of the loaded `replaced` one."""

    kind: str
    source: str
    received: int
    loaded: int
    duplicate: int
    failed: int
    replaced: int
    reasons: dict[str, int]  # failed rows by reason
    limited: int = 0  # refused by the collector, since their site sent too many
    withdrawn: int = 0  # stored rows that the source no longer has, beside those that were replaced


def load_file(
    connection: Connection,
    kind: str,
    path: Path | str,
    *,
    settings: Settings,
    mapping: Mapping[str, str] | None = None,
    where: str | None = None,
    org: str | None = None,
    site: str | None = None,
    timezone: str | None = None,
    file_format: str | None = None,
    keep: Path | None = None,
) -> LoadReport:
    """Load one file, or raise ContractError and write nothing.

    mapping: contract column -> column of the file. where: SQL condition on the file's columns; rows outside it are not
    received. timezone: IANA zone of times that bring none. file_format: a known layout (ingestion/files/formats).
    keep: a Parquet file to write the file's rows to, as they are read: without personal data.
    """
    path = Path(path)
    if kind not in CONTRACTS:
        raise ContractError(f"{kind} is not something to import: it is one of {', '.join(KINDS)}")
    mapping = dict(mapping or {})
    try:
        # Read first: a reader that gives up on a file would end a transaction.
        source = read(connection, path, id_columns(mapping))
        scope = scope_of(
            connection,
            kind,
            source,
            settings=settings,
            mapping=mapping,
            where=where,
            org=org,
            site=site,
            timezone=timezone,
            file_format=file_format,
        )
        if keep:
            connection.execute(f"copy temp.source to {literal(keep)} (format parquet, compression zstd)")
        with transaction(connection):
            return store(
                connection,
                kind,
                scope,
                source.columns,
                Load(uuid.uuid4().hex, path.name, file_format or source.layout.kind),
                number=lambda: number_lines(connection, source),
            )
    finally:
        clear(connection)


class Load(msgspec.Struct, frozen=True):
    """One row of raw.loads to be: what is loaded, and when, UTC."""

    load_id: str
    source: str
    format: str
    loaded_at: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None))

    @property
    def stamp(self) -> str:
        """SQL of _load_id and _loaded_at."""
        return f"{literal(self.load_id)}, {literal(self.loaded_at)}::timestamp"


def store(
    connection: Connection,
    kind: str,
    scope: Scope,
    columns: list[str],
    load: Load,
    *,
    number: Callable[[], None] = lambda: None,
    answered: Mapping[str, int] | None = None,
    judge: Callable[[], None] | None = None,
) -> LoadReport:
    """`source` and `unreadable` -> raw rows, failed rows and the manifest, in the transaction of the caller.

    columns: of `source`, which is dropped. number: makes `source_lines`, where it is not there. answered: rows that the
    collector found duplicate, failed or limited, and which came no further. judge: looks at `typed` before anything is
    written, may delete from it, and makes `covered` (merge.replace). The caller clears.
    """
    contract = CONTRACTS[kind]
    if contract.history:
        load = msgspec.structs.replace(load, loaded_at=later(connection, kind, load.loaded_at))
    connection.execute(f"create temp table typed as {typed(scope)}")
    if judge:
        judge()
    connection.execute(
        "create temp table refused (_row bigint, line bigint, org_id varchar, reason varchar, detail varchar,"
        " payload varchar, failed_id varchar);"
        "create temp table settled (_row bigint, outcome varchar)"
    )
    _refuse(connection, kind, violations(scope, columns))
    settle(connection, contract)
    replaced = withdrawn = 0
    if contract.replaces:
        replaced, withdrawn = replace(connection, contract, load.stamp, covered=judge is not None)
    else:
        resolve_conflicts(connection, kind, contract, load.stamp)
    report = _report(connection, kind, load.source, replaced, withdrawn)
    if report.failed:
        number()
        _record_failures(connection, kind, load)
    connection.execute("drop table temp.source")  # its memory serves the insert
    _insert(connection, contract, load.stamp)
    report = _with(report, answered or {})
    record_load(connection, report, load)
    anonymise_loaded(connection, [load.load_id])
    return report


def later(connection: Connection, kind: str, moment: datetime) -> datetime:
    """The moment, or one after every load of the kind, whatever the clock says: a history is replayed in this order."""
    (last,) = connection.execute("select max(loaded_at) from raw.loads where kind = $1", [kind]).fetchone() or (None,)
    return max(moment, last + timedelta(microseconds=1)) if last else moment


def _with(report: LoadReport, answered: Mapping[str, int]) -> LoadReport:
    duplicate, failed, limited = (answered.get(outcome, 0) for outcome in ("duplicate", "failed", "limited"))
    return msgspec.structs.replace(
        report,
        received=report.received + duplicate + failed + limited,
        duplicate=report.duplicate + duplicate,
        failed=report.failed + failed,
        limited=limited,
    )


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """All of it or nothing."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def clear(connection: Connection) -> None:
    """Drop what a load leaves: every temporary table."""
    tables = connection.execute("select table_name from duckdb_tables() where temporary").fetchall()
    for (table,) in tables:
        connection.execute(f"drop table temp.{table}")


def record_load(connection: Connection, report: LoadReport, load: Load) -> None:
    """The manifest's row."""
    connection.execute(
        f"insert into raw.loads by name select load_id, {literal(report.kind)} as kind,"
        f" {literal(report.source)} as source,"
        f" {literal(load.format)} as format, loaded_at, {report.received} as received_rows,"
        f" {report.loaded} as loaded_rows, {report.duplicate} as duplicate_rows, {report.failed} as failed_rows,"
        f" {report.replaced} as replaced_rows, {report.limited} as limited_rows"
        f" from (select {load.stamp}) as load (load_id, loaded_at)"
    )


def _refuse(connection: Connection, kind: str, query: str) -> None:
    """The rows that break the contract. Their id is their content's, so that a re-import adds none."""
    if connection.execute("select count(*) from typed where not _ok").fetchone() != (0,):
        connection.execute(
            f"insert into refused select _row, null, org_id, reason, detail, payload,"
            f" md5({literal(kind)} || coalesce(org_id, '') || payload) from ({query})"
        )


def _insert(connection: Connection, contract: Contract, stamp: str) -> None:
    columns, brought = (
        [row[0] for row in connection.execute(f"describe {table}").fetchall()] for table in (contract.table, "typed")
    )
    select = ", ".join(column for column in columns if column in brought)
    connection.execute(
        f"insert into {contract.table} by name select {select}, load._load_id, load._loaded_at"
        f" from typed anti join settled using (_row)"
        f" cross join (select {stamp}) as load (_load_id, _loaded_at) where _ok"
    )


def _report(connection: Connection, kind: str, source: str, replaced: int, withdrawn: int) -> LoadReport:
    outcomes = dict(
        connection.execute(
            """
        select reason, count(*) from (
            select outcome as reason from settled
            union all select reason from refused
            union all select reason from unreadable
        ) group by all order by all
        """
        ).fetchall()
    )
    rows = connection.execute("select (select count(*) from typed) + (select count(*) from unreadable)").fetchone() or (
        0,
    )
    duplicate = outcomes.pop("duplicate", 0)
    failed = sum(outcomes.values())
    loaded = rows[0] - duplicate - failed
    return LoadReport(kind, source, rows[0], loaded, duplicate, failed, replaced, outcomes, withdrawn=withdrawn)


def _record_failures(connection: Connection, kind: str, load: Load) -> None:
    contract = CONTRACTS[kind]
    org = "org_id" if "org_id" in contract.key else "null"
    details = {
        "id_conflict": conflict_detail(contract),
        "ambiguous_key": literal(
            f"the file has several rows with other content for one ({', '.join(contract.key)}):"
            " aggregate them, or add the id that tells them apart"
        ),
    }
    detail = " ".join(f"when '{code}' then {sentence}" for code, sentence in details.items())
    connection.execute(
        f"insert into refused select _row, null, {org}, outcome, case outcome {detail} end,"
        f" {row_as_json('typed', contract)},"
        f" md5({literal(kind)} || coalesce({org}, '') || _content_hash)"
        f" from typed join settled using (_row) where outcome <> 'duplicate'"
    )
    connection.execute(
        f"insert into refused"
        f" select null, line, null, reason, detail, payload, md5({literal(kind)} || payload) from unreadable"
    )
    connection.execute(
        f"""
        insert into raw.failed_events ({FAILED_COLUMNS})
        select distinct on (failed_id) failed_id, {literal(kind)}, org_id, {literal(load.source)},
            coalesce(refused.line, source_lines.line) as line, reason, detail, payload, {load.stamp}
        from refused left join source_lines using (_row)
        where failed_id not in (select failed_id from raw.failed_events)
        order by failed_id, line
        """
    )
