"""`typed` against what raw tables hold: what is new, what says nothing new, what replaces and what contradicts.

In: the temporary table `typed` (ingestion/files/parse.py). Out: `settled(_row, outcome)`, the rows that are not to be
inserted and why: duplicate, ambiguous_key, id_conflict. Rows that were loaded before and lose are moved out.

Tables of days are read only where the input's days are: a day merges into ten million rows by reading that day.
"""

from __future__ import annotations

from ingestion.files.contracts import Contract
from ingestion.sql import Connection, literal

FAILED_COLUMNS = "failed_id, kind, org_id, source, line, reason, detail, payload, _load_id, _loaded_at"


def settle(connection: Connection, contract: Contract) -> None:
    """Rows that say nothing new; and, where later rows replace, keys that one file states in two ways."""
    # Only rows whose 64-bit hash occurs twice are compared in full: the usual file has none.
    connection.execute(
        """
        insert into settled
        select _row, 'duplicate' from typed
        where _ok and hash(_content_hash) in (
            select hash(_content_hash) from typed where _ok group by 1 having count(*) > 1
        )
        qualify row_number() over (partition by _content_hash order by _row) > 1
        """
    )
    key = ", ".join(contract.key)
    if contract.replaces:
        connection.execute(
            f"insert into settled select _row, 'ambiguous_key' from typed anti join settled using (_row)"
            f" where _ok qualify count(*) over (partition by {key}) > 1"
        )
    stored = f"(select _content_hash from {contract.table} where {_days(connection, contract)})"
    connection.execute(
        f"insert into settled select _row, 'duplicate' from typed semi join {stored} using (_content_hash)"
        f" anti join settled using (_row) where _ok"
    )
    if contract.retired:
        connection.execute(
            f"insert into settled select _row, 'duplicate' from typed"
            f" semi join {contract.retired} using (_content_hash) anti join settled using (_row) where _ok"
        )


def replace(connection: Connection, contract: Contract, stamp: str, *, covered: bool = False) -> tuple[int, int]:
    """Take the rows out that the input restates; keep their old state where the contract has a history.

    covered: the temporary table `covered`(org_id, platform, account_id, date) names days of which `typed` is all there
    is: what it no longer has is taken out, too, and what another org has of an account that `declared` gives to this
    one: an account that moves takes its days with it. Returns (keys restated, rows withdrawn).
    """
    same = " and ".join(f"old.{column} is not distinct from typed.{column}" for column in contract.key)
    old = f"(select rowid as _old, * from {contract.table} where {_days(connection, contract, covered=covered)}) as old"
    connection.execute(
        f"create temp table replaced as select _old, true as _restated from {old}"
        f" join (select * from typed anti join settled using (_row) where _ok) as typed on {same}"
    )
    if covered:
        connection.execute(
            f"insert into covered select distinct org_id, platform, account_id, date from {old}"
            " semi join covered using (platform, account_id, date) semi join declared using (platform, account_id)"
            " anti join covered using (org_id, platform, account_id, date)"
        )
        connection.execute(
            f"insert into replaced select _old, false from {old}"
            " semi join covered using (org_id, platform, account_id, date)"
            " anti join (from typed where _ok) using (_content_hash) anti join replaced using (_old)"
        )
    counts = connection.execute(
        "select count(*) filter (_restated), count(*) filter (not _restated) from replaced"
    ).fetchone() or (0, 0)
    gone = f"where {_days(connection, contract, covered=covered)} and rowid in (select _old from replaced)"
    if contract.history and any(counts):
        connection.execute(
            f"insert into {contract.history} by name"
            f" select old.*, replacing.* from (from {contract.table} {gone}) as old"
            f" cross join (select {stamp}) as replacing (_replaced_by_load_id, _replaced_at)"
        )
    connection.execute(f"delete from {contract.table} {gone}; drop table replaced")
    return counts


def _days(connection: Connection, contract: Contract, *, covered: bool = False) -> str:
    """SQL for the rows of the raw table on the days of the input; all rows where the key has no day."""
    if "date" not in contract.key:
        return "true"
    days = "select date from typed where _ok" + (" union all select date from covered" if covered else "")
    first, last = connection.execute(f"select min(date), max(date) from ({days})").fetchone() or (None, None)
    return f"date between {literal(first)} and {literal(last)}" if first else "false"


def resolve_conflicts(connection: Connection, kind: str, contract: Contract, stamp: str) -> None:
    """Of several contents with one key the first in time stays, in whatever order they came; the others have failed."""
    key = ", ".join(contract.key)
    # A derived id is the content: it conflicts with nothing.
    given = f"and {contract.derived_id} <> _content_hash" if contract.derived_id else ""
    retired = contract.retired or f"(from {contract.table} limit 0)"
    connection.execute(
        f"""
        create temp table contested as
        with fresh as not materialized (  -- of a large file, no copy
            select _row, occurred_at, _content_hash, {key} from typed anti join settled using (_row) where _ok {given}
        ),
        suspects as (
            select * from fresh where hash({key}) in (select hash({key}) from fresh group by 1 having count(*) > 1)
            union select fresh.* from fresh semi join {contract.table} using ({key})
            union select fresh.* from fresh semi join {retired} as retired using ({key})
        )
        select _row, null as _old, occurred_at, _content_hash, {key} from suspects
        union all by name
        select null as _row, old.rowid as _old, occurred_at, _content_hash, {key}
        from {contract.table} as old semi join suspects using ({key})
        union all by name  -- what is in the archive stays there: it comes first
        select null as _row, null as _old, '-infinity'::timestamp as occurred_at, _content_hash, {key}
        from {retired} as retired semi join suspects using ({key})
        """
    )
    connection.execute(
        f"create temp table lost as select _row, _old from contested"
        f" qualify row_number() over (partition by {key} order by occurred_at, _content_hash) > 1"
    )
    connection.execute("insert into settled select _row, 'id_conflict' from lost where _row is not null")
    set_aside(connection, kind, contract, "select _old from lost where _old is not null", stamp)
    connection.execute("drop table contested; drop table lost")


def set_aside(connection: Connection, kind: str, contract: Contract, rowids: str, stamp: str) -> None:
    """Move rows of the raw table, given by a query of their rowids, to raw.failed_events: their keys mean others."""
    lost = f"from {contract.table} as old where old.rowid in ({rowids})"
    connection.execute(
        f"""
        insert into raw.failed_events ({FAILED_COLUMNS})
        select distinct on (1) md5({literal(kind)} || org_id || _content_hash), {literal(kind)}, org_id,
            coalesce(loads.source, old._load_id), null, 'id_conflict',
            {conflict_detail(contract)}, {row_as_json("old", contract)}, {stamp}
        from (select old.* {lost}) as old left join raw.loads on loads.load_id = old._load_id
        where md5({literal(kind)} || org_id || _content_hash) not in (select failed_id from raw.failed_events)
        """
    )
    connection.execute(f"delete {lost}")


def conflict_detail(contract: Contract) -> str:
    name = contract.key[-1]
    return f"{literal(f'{name} ')} || {name} || ' has another content too: the one that is first in time was kept'"


def row_as_json(relation: str, contract: Contract) -> str:
    """The row as the contract has it: the same whether the row was loaded before it lost or not."""
    members = ", ".join(f"{literal(column.stored)}, {relation}.{column.stored}::varchar" for column in contract.columns)
    return f"json_merge_patch('{{}}', json_object({members}, 'properties', {relation}.properties::json))::varchar"
