"""Tables and Parquet files written anew without a person.

In: the temporary tables of a person (rows.py) and of what takes the place of each value
(anonymise.py). Out: the same rows in the same places. Doing any of it again changes nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

from ingestion.files.contracts import CONTRACTS
from ingestion.home import Home
from ingestion.person.anonymise import KINDS, assignments, is_mentioned, mentions
from ingestion.person.failed_rows import names_person, without_payload
from ingestion.person.rows import Person, Relation, own
from ingestion.segments.archive import place
from ingestion.sql import Connection, literal, quoted

_IDS = ("event_id", "interaction_id", "conversion_id", "refund_id", "postback_id", "answer_id", "entity_id")
_SENDER = ("ip_hash", "user_agent", "kind", "org_id", "site_id", "occurred_at")  # a landed row has its receipt's
_MEMBERS = [name for name in (*KINDS, *_IDS, "title") if name not in _SENDER]


def update(connection: Connection, relation: Relation, person: Person, where: str = "true") -> int:
    """Take the person out of a table, of the rows that `where` (SQL) names; how many rows were the person's."""
    counts = []
    for condition, new in (
        (own(relation, person), assignments(relation)),
        (is_mentioned(relation, person), mentions(relation)),
    ):
        found = connection.execute(f"select rowid from {relation.sql} where {where} and {condition}").fetchall()
        counts.append(len(found))
        if found and new:
            values = ", ".join(f"{quoted(column)} = {sql}" for column, sql in new.items())
            connection.execute(
                f"update {relation.sql} set {values} where rowid in (from unnest($1::bigint[]))",
                [[row for (row,) in found]],
            )
    return counts[0]


def folders(home: Home) -> list[Path]:
    """The folders of the archive; the files of one have the same columns."""
    candidates = [home.archive / "events", home.archive / "landed", *sorted((home.archive / "inbox").glob("*"))]
    return [folder for folder in candidates if next(folder.rglob("*.parquet"), None)]


def parquet(connection: Connection, home: Home, path: Path) -> Relation:
    """The rows of a Parquet file, or of all files of a folder, as a relation; `filename` says of which."""
    if path.is_relative_to(home.archive / "landed"):
        sql = _landed_rows(path)
    else:
        sql = f"(select * exclude (file_row_number) from {_files(path)})"
    described = connection.execute(f"describe from {sql}").fetchall()
    columns = {name.lower(): type_ for name, type_, *_ in described if not name.startswith(("_", "filename"))}
    return Relation(str(path.relative_to(home.root)), sql, columns)


def files_with(connection: Connection, home: Home, folder: Path, person: Person) -> list[Path]:
    """The files of a folder in which something is to change."""
    relation = parquet(connection, home, folder)
    queries = [
        f"select distinct filename from {relation.sql}"
        f" where {own(relation, person)} or {is_mentioned(relation, person)}"
    ]
    if folder == home.archive / "landed":
        queries.append(f"select filename from {_files(folder)} where {names_person(connection, 'failed::varchar')}")
    found = connection.execute(f"{' union '.join(queries)} order by 1").fetchall()
    return [Path(name) for (name,) in found]


def rewrite(connection: Connection, home: Home, path: Path, person: Person) -> None:
    """Take the person out of a Parquet file."""
    relation = parquet(connection, home, path)
    if path.is_relative_to(home.archive / "landed"):
        query = _landed(connection, relation, path, person)
    else:
        query = _flat(relation, person, path.parent.name if path.is_relative_to(home.archive / "inbox") else None)
    temporary = home.temporary / f"erased-{os.getpid()}.parquet"
    connection.execute(f"copy ({query}) to {literal(temporary)} (format parquet, compression zstd)")
    place(temporary, path)


def _flat(relation: Relation, person: Person, kind: str | None) -> str:
    """kind: of a copy of an imported file, whose columns beyond the contract are anybody's guess."""
    mine, others = assignments(relation), mentions(relation)
    if kind:
        known = {*KINDS, "properties", *(column.name for column in CONTRACTS[kind].columns)}
        mine |= {column: "null" for column in relation.columns if column not in known}
    values = ", ".join(
        f"cast(case when _is_own then {mine.get(column, quoted(column))} else {others.get(column, quoted(column))} end"
        f" as {type_}) as {quoted(column)}"
        for column, type_ in relation.columns.items()
        if column in {*mine, *others}
    )
    marked = f"select * exclude (filename), {own(relation, person)} as _is_own from {relation.sql}"
    return f"select * exclude (_is_own) replace ({values}) from ({marked})"


def _files(path: Path) -> str:
    files = path if path.is_file() else path / "**" / "*.parquet"
    return (
        f"read_parquet({literal(files)}, union_by_name = true, filename = true, file_row_number = true,"
        " hive_partitioning = false)"
    )


def _landed_rows(path: Path) -> str:
    """The rows of landed receipts, each beside what its receipt says."""
    members = ", ".join(f"_row ->> {literal(name)} as {name}" for name in _MEMBERS)
    return f"""(
        select filename, file_row_number as _receipt, _position, _row, kind, org_id, site_id, ip_hash, user_agent,
            coalesce(_row ->> 'occurred_at', received_at) as occurred_at, {members},
            _row -> 'properties' as properties
        from (
            select *, unnest(from_json(rows, '["json"]')) as _row,
                generate_subscripts(from_json(rows, '["json"]'), 1) as _position
            from {_files(path)}
        )
    )"""


def _landed(connection: Connection, relation: Relation, path: Path, person: Person) -> str:
    """Landed receipts with new rows; the sender's address and browser go with a receipt of which a row is theirs."""
    mine, others = assignments(relation), mentions(relation)
    own_row, other_row = (
        f"json_object({', '.join(f'{literal(name)}, {new[name]}' for name in new if name not in _SENDER)})"
        for new in (mine, others)
    )
    return f"""
        with receipts as (from {_files(path)}),
        judged as (
            select *, {own(relation, person)} as _is_own, {is_mentioned(relation, person)} as _is_named
            from {relation.sql}
        ),
        mended as (
            select _receipt, bool_or(_is_own) as _is_own, to_json(list(case
                when _is_own then json_merge_patch(_row, {own_row})
                when _is_named then json_merge_patch(_row, {other_row}) else _row end order by _position)) as _rows
            from judged group by _receipt having bool_or(_is_own or _is_named)
        )
        select receipts.* exclude (filename, file_row_number) replace (
            coalesce(_rows, rows) as rows,
            case when _is_own then {mine["ip_hash"]} else ip_hash end as ip_hash,
            case when _is_own then {mine["user_agent"]} else user_agent end as user_agent,
            {without_payload(connection, "failed")} as failed)
        from receipts left join mended on _receipt = file_row_number order by file_row_number
    """
