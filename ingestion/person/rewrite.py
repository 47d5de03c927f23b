"""Rewrite raw tables and archived Parquet files without a person.

In: the temporary tables of a person (ownership.py) and of the replacements (anonymise.py). Out: the same rows in the
same places, with new values. Repeating it changes nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

from ingestion.files.contracts import CONTRACTS
from ingestion.home import Home
from ingestion.person.anonymise import KINDS, mentions_person_sql, other_row_values, own_row_values
from ingestion.person.failed_rows import names_person_sql, redacted_failures_sql
from ingestion.person.ownership import Person, Relation, owns_row_sql
from ingestion.segments.archive import place
from ingestion.sql import Connection, literal, quoted

_IDS = ("event_id", "interaction_id", "conversion_id", "refund_id", "postback_id", "answer_id", "entity_id")
_RECEIPT_COLUMNS = ("ip_hash", "user_agent", "kind", "org_id", "site_id", "occurred_at")  # shared by all its rows
_MEMBERS = [name for name in (*KINDS, *_IDS, "title") if name not in _RECEIPT_COLUMNS]


def update_table(connection: Connection, relation: Relation, person: Person, where: str = "true") -> int:
    """Remove the person from the rows of a table that `where` (SQL) selects. Return the number of the person's rows."""
    counts = []
    for condition, new_values in (
        (owns_row_sql(relation, person), own_row_values(relation)),
        (mentions_person_sql(relation, person), other_row_values(relation)),
    ):
        rows = connection.execute(f"select rowid from {relation.sql} where {where} and {condition}").fetchall()
        counts.append(len(rows))
        if rows and new_values:
            values = ", ".join(f"{quoted(column)} = {sql}" for column, sql in new_values.items())
            connection.execute(
                f"update {relation.sql} set {values} where rowid in (from unnest($1::bigint[]))",
                [[row for (row,) in rows]],
            )
    return counts[0]


def archive_folders(home: Home) -> list[Path]:
    """Return the folders of the archive that have files. The files of one folder have the same columns."""
    candidates = [home.archive / "events", home.archive / "landed", *sorted((home.archive / "inbox").glob("*"))]
    return [folder for folder in candidates if next(folder.rglob("*.parquet"), None)]


def parquet_relation(connection: Connection, home: Home, path: Path) -> Relation:
    """Return the rows of a Parquet file, or of all files of a folder. The column `filename` names the file."""
    if path.is_relative_to(home.archive / "landed"):
        sql = _receipt_rows_sql(path)
    else:
        sql = f"(select * exclude (file_row_number) from {_files_sql(path)})"
    described = connection.execute(f"describe from {sql}").fetchall()
    columns = {name.lower(): type_ for name, type_, *_ in described if not name.startswith(("_", "filename"))}
    return Relation(name=str(path.relative_to(home.root)), sql=sql, columns=columns)


def affected_files(connection: Connection, home: Home, folder: Path, person: Person) -> list[Path]:
    """Return the files of a folder that have the person's rows, or rows that mention the person."""
    relation = parquet_relation(connection, home, folder)
    queries = [
        f"select distinct filename from {relation.sql}"
        f" where {owns_row_sql(relation, person)} or {mentions_person_sql(relation, person)}"
    ]
    if folder == home.archive / "landed":
        failed = names_person_sql(connection, "failed::varchar")
        queries.append(f"select filename from {_files_sql(folder)} where {failed}")
    rows = connection.execute(f"{' union '.join(queries)} order by 1").fetchall()
    return [Path(name) for (name,) in rows]


def rewrite_file(connection: Connection, home: Home, path: Path, person: Person) -> None:
    """Remove the person from a Parquet file."""
    relation = parquet_relation(connection, home, path)
    if path.is_relative_to(home.archive / "landed"):
        query = _rewritten_receipts_sql(connection, relation, path, person)
    else:
        kind = path.parent.name if path.is_relative_to(home.archive / "inbox") else None
        query = _rewritten_rows_sql(relation, person, kind)
    temporary = home.temporary / f"erased-{os.getpid()}.parquet"
    connection.execute(f"copy ({query}) to {literal(temporary)} (format parquet, compression zstd)")
    state = path.stat()
    os.utime(temporary, ns=(state.st_atime_ns, state.st_mtime_ns))  # the time of the load: ingestion/rebuild.py
    place(temporary, path)


def _rewritten_rows_sql(relation: Relation, person: Person, kind: str | None) -> str:
    """kind: of the copy of an imported file. Its columns beyond the contract may contain anything and become null."""
    own, others = own_row_values(relation), other_row_values(relation)
    if kind:
        known = {*KINDS, "properties", *(column.name for column in CONTRACTS[kind].columns)}
        own |= {column: "null" for column in relation.columns if column not in known}
    values = ", ".join(
        f"cast(case when _is_own then {own.get(column, quoted(column))} else {others.get(column, quoted(column))} end"
        f" as {type_}) as {quoted(column)}"
        for column, type_ in relation.columns.items()
        if column in {*own, *others}
    )
    marked = f"select * exclude (filename), {owns_row_sql(relation, person)} as _is_own from {relation.sql}"
    return f"select * exclude (_is_own) replace ({values}) from ({marked})"


def _files_sql(path: Path) -> str:
    files = path if path.is_file() else path / "**" / "*.parquet"
    return (
        f"read_parquet({literal(files)}, union_by_name = true, filename = true, file_row_number = true,"
        " hive_partitioning = false)"
    )


def _receipt_rows_sql(path: Path) -> str:
    """Return SQL of the rows inside archived receipts, each with its receipt's columns."""
    members = ", ".join(f"_row ->> {literal(name)} as {name}" for name in _MEMBERS)
    return f"""(
        select filename, file_row_number as _receipt, _position, _row, kind, org_id, site_id, ip_hash, user_agent,
            coalesce(_row ->> 'occurred_at', received_at) as occurred_at, {members},
            _row -> 'properties' as properties
        from (
            select *, unnest(from_json(rows, '["json"]')) as _row,
                generate_subscripts(from_json(rows, '["json"]'), 1) as _position
            from {_files_sql(path)}
        )
    )"""


def _rewritten_receipts_sql(connection: Connection, relation: Relation, path: Path, person: Person) -> str:
    """Return SQL of the receipts with new rows. A receipt with a row of the person loses its address and browser."""
    own, others = own_row_values(relation), other_row_values(relation)
    own_patch, other_patch = (
        f"json_object({', '.join(f'{literal(name)}, {new[name]}' for name in new if name not in _RECEIPT_COLUMNS)})"
        for new in (own, others)
    )
    return f"""
        with receipts as (from {_files_sql(path)}),
        marked_rows as (
            select *, {owns_row_sql(relation, person)} as _is_own,
                {mentions_person_sql(relation, person)} as _is_mention
            from {relation.sql}
        ),
        rewritten as (
            select _receipt, bool_or(_is_own) as _is_own, to_json(list(case
                when _is_own then json_merge_patch(_row, {own_patch})
                when _is_mention then json_merge_patch(_row, {other_patch}) else _row end order by _position)) as _rows
            from marked_rows group by _receipt having bool_or(_is_own or _is_mention)
        )
        select receipts.* exclude (filename, file_row_number) replace (
            coalesce(_rows, rows) as rows,
            case when _is_own then {own["ip_hash"]} else ip_hash end as ip_hash,
            case when _is_own then {own["user_agent"]} else user_agent end as user_agent,
            {redacted_failures_sql(connection, "failed")} as failed)
        from receipts left join rewritten on _receipt = file_row_number order by file_row_number
    """
