"""One file -> raw tables, exactly once, in one transaction: raw rows, failed rows and the manifest, or nothing.

In: a file of one of the KINDS, a connection to the warehouse (the caller holds the build lock) and the settings.
Out: rows in raw.*, and a LoadReport with received = loaded + duplicate + failed.

What makes any order, split or repetition of the input give the same rows: a row is its content (`_content_hash`), the
same content is loaded once, and of several contents with one key the smallest (occurred_at, _content_hash) stays.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from ingestion.files.column_mapping import id_columns, scope_of
from ingestion.files.contracts import CONTRACTS, KINDS, Contract, ContractError
from ingestion.files.merge import FAILED_COLUMNS, conflict_detail, replace, resolve_conflicts, row_as_json, settle
from ingestion.files.parse import Scope, typed, violations
from ingestion.files.read import number_lines, read
from ingestion.loads import Load, LoadReport, next_load_time, record_load
from ingestion.person.reentry import anonymise_loaded
from ingestion.settings.model import Settings
from ingestion.sql import Connection, drop_temporary_tables, literal, transaction


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
        drop_temporary_tables(connection)


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
        load = msgspec.structs.replace(load, loaded_at=next_load_time(connection, kind, load.loaded_at))
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


def _with(report: LoadReport, answered: Mapping[str, int]) -> LoadReport:
    duplicate, failed, limited = (answered.get(outcome, 0) for outcome in ("duplicate", "failed", "limited"))
    return msgspec.structs.replace(
        report,
        received=report.received + duplicate + failed + limited,
        duplicate=report.duplicate + duplicate,
        failed=report.failed + failed,
        limited=limited,
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
    return LoadReport(
        kind=kind,
        source=source,
        received=rows[0],
        loaded=loaded,
        duplicate=duplicate,
        failed=failed,
        replaced=replaced,
        reasons=outcomes,
        withdrawn=withdrawn,
    )


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
