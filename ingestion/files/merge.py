"""Merge typed rows into a raw table: insert new rows, skip duplicates, replace restated rows, quarantine the rest.

In: a ReadPlan over the temporary table `source`; `unreadable_lines`, if a file has any.
Out: rows in raw.*, one row of raw.loads, and a LoadReport with the number of rows for each outcome.

The same rows result from any order, split or repetition of the input. A row is identified by its content
(`_content_hash`), and the same content loads once. Of several contents with one key, the earliest stays, but one with
money goes before those without; where a contract `replaces`, the last import stays.

Tables with days are read only on the days of the input, so that a day merges quickly into ten million rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from ingestion.files.column_mapping import ReadPlan
from ingestion.files.contracts import Contract
from ingestion.files.corrections import delete_corrected_rows
from ingestion.files.quarantine import quarantine_rejected_rows, quarantine_stored_rows
from ingestion.files.row_sql import typed_rows_sql, violations_sql
from ingestion.loads import Load, LoadReport, next_load_time, record_load
from ingestion.person.reentry import anonymise_loaded
from ingestion.sql import Connection, literal, scalar


class PreparedRows(NamedTuple):
    """Rows of a spend file that do not load themselves."""

    summary: int = 0  # totals that repeat other rows
    summed: int = 0  # added to another row


def merge_rows(
    connection: Connection,
    plan: ReadPlan,
    load: Load,
    *,
    number_lines: Callable[[], None] = lambda: None,
    collector_counts: Mapping[str, int] | None = None,
    validate: Callable[[], None] | None = None,
    prepare: Callable[[], PreparedRows] = PreparedRows,
) -> LoadReport:
    """Merge `source` into the plan's raw table, in the caller's transaction, and drop it.

    The caller drops the other temporary tables. number_lines: creates `source_lines`, if a row fails.
    collector_counts: rows that the collector counted as duplicate, failed or limited and did not pass on.
    validate: checks `typed_rows` before anything is written. It may delete rows from it, and creates `covered_days`
    (see replace_rows). prepare: changes `typed_rows` before anything is checked, and may add to `skipped_rows`.
    """
    contract = plan.contract
    if contract.history:
        load = msgspec.structs.replace(load, loaded_at=next_load_time(connection, plan.kind, load.loaded_at))
    connection.execute(
        f"""
        create temp table typed_rows as {typed_rows_sql(plan)};
        create temp table if not exists unreadable_lines
            (line bigint, reason varchar, detail varchar, payload varchar);
        create temp table rejected_rows (_row bigint, line bigint, org_id varchar, reason varchar, detail varchar,
            rule varchar, payload varchar, failed_id varchar);
        create temp table skipped_rows (_row bigint, outcome varchar);
        """
    )
    if validate:
        validate()
    prepared = prepare()
    _reject_violations(connection, plan)
    deduplicate(connection, contract, may_repeat=not plan.rejects_equal_rows)
    replaced = withdrawn = 0
    if contract.replaces:
        replaced, withdrawn = replace_rows(connection, contract, load.stamp, has_covered_days=validate is not None)
    else:
        resolve_conflicts(connection, plan.kind, contract, load.stamp)
    outcomes = _outcomes(connection)
    received = scalar(connection, "select (select count(*) from typed_rows) + (select count(*) from unreadable_lines)")
    duplicate = outcomes.pop("duplicate", 0)
    failed = outcomes.total()
    if failed:
        number_lines()
        quarantine_rejected_rows(connection, plan.kind, contract, load)
    corrected = delete_corrected_rows(connection, plan, load, received=received + sum(prepared), failed=failed)
    connection.execute("drop table temp.source")  # frees its memory for the insert
    _insert(connection, contract, load.stamp)
    counts = collector_counts or {}
    report = LoadReport(
        kind=plan.kind,
        source=load.source,
        received=received
        + sum(counts.get(outcome, 0) for outcome in ("duplicate", "failed", "limited"))
        + sum(prepared),
        loaded=received - duplicate - failed,
        duplicate=duplicate + counts.get("duplicate", 0),
        failed=failed + counts.get("failed", 0),
        limited=counts.get("limited", 0),
        replaced=replaced,
        withdrawn=withdrawn,
        summary=prepared.summary,
        summed=prepared.summed,
        reasons=dict(outcomes),
        loaded_at=load.loaded_at,
        corrected=corrected,
    )
    record_load(connection, report, load)
    anonymise_loaded(connection, [load.load_id])
    return report


def _reject_violations(connection: Connection, plan: ReadPlan) -> None:
    """Reject the rows that break the contract. Their id is the hash of their content, so that a re-import adds none."""
    if scalar(connection, "select count(*) from typed_rows where not _ok"):
        connection.execute(
            f"insert into rejected_rows by name select _row, org_id, reason, detail, rule, payload,"
            f" md5({literal(plan.kind)} || coalesce(org_id, '') || payload) as failed_id from ({violations_sql(plan)})"
            " where _row in (select _row from typed_rows)"
        )


def deduplicate(connection: Connection, contract: Contract, *, may_repeat: bool = True) -> None:
    """Skip rows with known content, and, where later rows replace, keys that the input has more than once.

    may_repeat: rows of the input with one content are duplicates. Otherwise they are rows with one key, unless the file
    spells each of their keys differently: it repeats the row, as two reports that were joined do.
    """
    is_repeated = "true" if may_repeat else "count(*) over contents = count(distinct _spelling) over contents"
    # Only rows with a repeated 64-bit hash are compared in full: the usual file has none.
    connection.execute(
        f"""
        insert into skipped_rows by name
        select _row, 'duplicate' as outcome from typed_rows
        where _ok and hash(_content_hash) in (
            select hash(_content_hash) from typed_rows where _ok group by 1 having count(*) > 1
        )
        window contents as (partition by _content_hash)
        qualify {is_repeated} and row_number() over (contents order by _row) > 1
        """
    )
    key = ", ".join(contract.key)
    if contract.replaces:
        connection.execute(
            "insert into skipped_rows by name"
            " select _row, 'ambiguous_key' as outcome from typed_rows anti join skipped_rows using (_row)"
            f" where _ok qualify count(*) over (partition by {key}) > 1"
        )
    stored = f"(select _content_hash from {contract.table} where {input_days(connection, contract)})"
    for known in (stored, contract.retired):
        if known:
            connection.execute(
                "insert into skipped_rows by name"
                f" select _row, 'duplicate' as outcome from typed_rows semi join {known} using (_content_hash)"
                " anti join skipped_rows using (_row) where _ok"
            )


def replace_rows(
    connection: Connection, contract: Contract, stamp: str, *, has_covered_days: bool = False
) -> tuple[int, int]:
    """Remove the stored rows that the input restates; keep their old state if the contract has a history.

    has_covered_days: the temporary table `covered_days`(org_id, platform, account_id, date) names the days that the
    input covers completely. Stored rows of these days that the input lacks are withdrawn. So are rows of another org if
    `declared_orgs` gives their account to this one: an account that moves takes its days along.
    Return (keys restated, rows withdrawn).
    """
    same = " and ".join(f"old.{column} is not distinct from typed_rows.{column}" for column in contract.key)
    days = input_days(connection, contract, has_covered_days=has_covered_days)
    old = f"(select rowid as _old, * from {contract.table} where {days}) as old"
    connection.execute(
        f"create temp table replaced_rows as select _old, true as _restated from {old}"
        f" join (select * from typed_rows anti join skipped_rows using (_row) where _ok) as typed_rows on {same}"
    )
    if has_covered_days:
        connection.execute(
            f"insert into covered_days by name select distinct org_id, platform, account_id, date from {old}"
            " semi join covered_days using (platform, account_id, date)"
            " semi join declared_orgs using (platform, account_id)"
            " anti join covered_days using (org_id, platform, account_id, date)"
        )
        connection.execute(
            f"insert into replaced_rows by name select _old, false as _restated from {old}"
            " semi join covered_days using (org_id, platform, account_id, date)"
            " anti join (from typed_rows where _ok) using (_content_hash) anti join replaced_rows using (_old)"
        )
    restated, withdrawn = connection.execute(
        "select count(*) filter (_restated), count(*) filter (not _restated) from replaced_rows"
    ).fetchone() or (0, 0)
    removed = f"where {days} and rowid in (select _old from replaced_rows)"
    if contract.history and restated + withdrawn:
        connection.execute(
            f"insert into {contract.history} by name"
            f" select old.*, replacing.* from (from {contract.table} {removed}) as old"
            f" cross join (select {stamp}) as replacing (_replaced_by_load_id, _replaced_at)"
        )
    connection.execute(f"delete from {contract.table} {removed}; drop table replaced_rows")
    return restated, withdrawn


def input_days(connection: Connection, contract: Contract, *, has_covered_days: bool = False) -> str:
    """Return SQL for the rows of the raw table on the days of the input; for all rows if the key has no day."""
    if "date" not in contract.key:
        return "true"
    days = "select date from typed_rows where _ok"
    days += " union all select date from covered_days" if has_covered_days else ""
    first, last = connection.execute(f"select min(date), max(date) from ({days})").fetchone() or (None, None)
    return f"date between {literal(first)} and {literal(last)}" if first else "false"


def resolve_conflicts(connection: Connection, kind: str, contract: Contract, stamp: str) -> None:
    """Keep the first content in time of each key, in whatever order contents arrive. The others fail.

    A content with money goes first: a page can report an order before its money is known.
    """
    key = ", ".join(contract.key)
    has_value = any(column.stored == "value_micros" for column in contract.columns)
    money = f"case when {'value_micros > 0' if has_value else 'false'} then 1 else 2 end as _money_rank"
    # A derived id is the hash of the content, so it conflicts with nothing.
    given = f"and {contract.derived_id} <> _content_hash" if contract.derived_id else ""
    retired = contract.retired or f"(from {contract.table} limit 0)"
    connection.execute(
        f"""
        create temp table competing_rows as
        with fresh as not materialized (  -- no copy of a large file
            select _row, {money}, occurred_at, _content_hash, {key}
            from typed_rows anti join skipped_rows using (_row) where _ok {given}
        ),
        suspects as (
            select * from fresh where hash({key}) in (select hash({key}) from fresh group by 1 having count(*) > 1)
            union select fresh.* from fresh semi join {contract.table} using ({key})
            union select fresh.* from fresh semi join {retired} as retired using ({key})
        )
        select _row, null as _old, _money_rank, occurred_at, _content_hash, {key} from suspects
        union all by name
        select null as _row, old.rowid as _old, {money}, occurred_at, _content_hash, {key}
        from {contract.table} as old semi join suspects using ({key})
        union all by name  -- archived rows cannot move: they come first
        select null as _row, null as _old, 0 as _money_rank, '-infinity'::timestamp as occurred_at, _content_hash, {key}
        from {retired} as retired semi join suspects using ({key})
        """
    )
    connection.execute(
        f"create temp table losing_rows as select _row, _old from competing_rows"
        f" qualify row_number() over (partition by {key} order by _money_rank, occurred_at, _content_hash) > 1"
    )
    connection.execute(
        "insert into skipped_rows by name select _row, 'id_conflict' as outcome from losing_rows where _row is not null"
    )
    losing = "select _old from losing_rows where _old is not null"
    quarantine_stored_rows(connection, kind, contract, losing, stamp)
    connection.execute("drop table competing_rows; drop table losing_rows")


def _outcomes(connection: Connection) -> Counter[str]:
    """Count the rows that will not load, by reason; `duplicate` is one of the reasons."""
    return Counter(
        dict(
            connection.execute(
                """
                select reason, count(*) from (
                    select outcome as reason from skipped_rows
                    union all select reason from rejected_rows
                    union all select reason from unreadable_lines
                ) group by all order by all
                """
            ).fetchall()
        )
    )


def _insert(connection: Connection, contract: Contract, stamp: str) -> None:
    stored, typed = (
        [row[0] for row in connection.execute(f"describe {table}").fetchall()]
        for table in (contract.table, "typed_rows")
    )
    select = ", ".join(column for column in stored if column in typed)
    connection.execute(
        f"insert into {contract.table} by name select {select}, load._load_id, load._loaded_at"
        f" from typed_rows anti join skipped_rows using (_row)"
        f" cross join (select {stamp}) as load (_load_id, _loaded_at) where _ok"
    )
