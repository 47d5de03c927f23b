"""Add up rows of a file that have one key, and find campaigns with two currencies on one day.

In: the temporary table `typed_rows` of a spend file. Out: one row for each key and currency; rows in `skipped_rows`.
"""

from __future__ import annotations

from collections.abc import Collection

from ingestion.files.contracts import Contract
from ingestion.sql import Connection, scalar

_CAMPAIGN_DAY = ("org_id", "platform", "account_id", "campaign_id", "date")


def sum_rows(connection: Connection, contract: Contract, measures: Collection[str], content_hash: str) -> int:
    """Replace rows with one key and currency by their sum, and return the number of rows that this removes.

    Names are the first in alphabetical order; properties stay only if they agree. content_hash: SQL of the hash of the
    columns.
    """
    key = ", ".join((*contract.key, "currency"))
    types = {name: type_ for name, type_, *_ in connection.execute("describe typed_rows").fetchall()}
    columns = []
    for name, type_ in types.items():
        if name in measures:
            columns.append(f"sum({name})::{type_} as {name}")
        elif name == "properties":
            agree = f"count({name}) = count(*) and min({name}::varchar) = max({name}::varchar)"
            columns.append(f"if({agree}, min({name}::varchar), null)::{type_} as {name}")
        elif name not in (*contract.key, "currency"):
            columns.append(f"min({name}) as {name}")
    before = scalar(connection, "select count(*) from typed_rows")
    connection.execute(
        f"""
        create temp table summed_rows as
        select * replace ({content_hash} as _content_hash) from (
            select {key}, {", ".join(columns)} from typed_rows where _ok group by {key} having count(*) > 1
        );
        delete from typed_rows using (
            select * from typed_rows where _ok qualify count(*) over (partition by {key}) > 1
        ) as parts where typed_rows._row = parts._row;
        insert into typed_rows by name from summed_rows
        """
    )
    return int(before - scalar(connection, "select count(*) from typed_rows"))


def skip_second_currencies(connection: Connection, contract: Contract, stored_days: str) -> None:
    """Skip rows that give their campaign a second currency on a day. stored_days: SQL for the days of the input."""
    same_key = " and ".join(f"stored.{column} is not distinct from fresh.{column}" for column in contract.key)
    same_day = " and ".join(f"other.{column} is not distinct from fresh.{column}" for column in _CAMPAIGN_DAY)
    connection.execute(
        f"""
        insert into skipped_rows by name
        with fresh as (from typed_rows where _ok),
        others as (
            select {", ".join(_CAMPAIGN_DAY)}, currency from fresh
            union
            select {", ".join(f"stored.{column}" for column in _CAMPAIGN_DAY)}, stored.currency
            from (from {contract.table} where {stored_days}) as stored
            where not exists (select 1 from fresh where {same_key})
        )
        select _row, 'second_currency' as outcome from fresh
        where exists (select 1 from others as other where {same_day} and other.currency <> fresh.currency)
        """
    )
