"""Stage all synced spend rows in one temporary table, and total each source table.

In: the selects of a shape over its views (source_tables.py). Out: the temporary table `synced_rows`: text columns named
as in raw.ad_spend, with amounts in units, days and currencies; the total of each table.
"""

from __future__ import annotations

from decimal import Decimal

import duckdb
import msgspec

from ingestion.files.contracts import ContractError
from ingestion.files.id_spellings import account_sql
from ingestion.settings.model import Settings, Synced
from ingestion.spend.synced.shapes import Location, Shape
from ingestion.sql import Connection, literal, scalar

LEVELS = ("account", "campaign", "adset", "ad")
IDS = ("account_id", "campaign_id", "adset_id", "ad_id")
NAMES = ("campaign", "adset", "ad")
COUNTS = ("impressions", "clicks", "video_views")


class TableTotal(msgspec.Struct, frozen=True, kw_only=True):
    """The exact total of the tables of one level of spend, in units of one currency."""

    platform: str
    level: str
    table: str
    currency: str
    rows: int  # of the tables
    spend: Decimal
    finest_spend: Decimal | None  # the total of the platform's finest level
    is_stored: bool


def create_synced_rows(connection: Connection) -> None:
    """Create `synced_rows`, empty."""
    texts = (
        *IDS,
        *NAMES,
        *COUNTS,
        "date",
        "currency",
        "spend",
        "platform_conversions",
        "platform_value",
        "_level",
        "_table",
    )
    columns = ", ".join(f"{name} varchar" for name in texts)
    connection.execute(f"create or replace temp table synced_rows ({columns}, _is_micros boolean, _location integer)")


def stage_rows(connection: Connection, shape: Shape, location: Location, number: int) -> list[str]:
    """Insert the rows of a location's tables, in their own notation. Return the names of the tables."""
    levels = [level for level in shape.levels if level.table in location.tables]
    for level in levels:
        table = location.tables[level.table]
        try:
            connection.execute(
                f"insert into synced_rows by name select *, '{level.name}' as _level, {literal(table)} as _table,"
                f" {level.is_micros} as _is_micros, {number} as _location from ({level.sql})"
            )
        except duckdb.Error as error:
            raise ContractError(f"{shape.platform}: {table} cannot be read: {str(error).splitlines()[0]}") from None
    return [location.tables[level.table] for level in levels]


def complete_rows(connection: Connection, shape: Shape, source: Synced, settings: Settings) -> None:
    """Convert amounts to units and times to days, and set missing currencies: the account's, else the org's."""
    org_currencies = {org.id: org.currency for org in settings.orgs}
    accounts = ", ".join(
        f"{literal(account.account_id)}: {literal(account.currency or org_currencies[account.org])}"
        for account in settings.ad_accounts
        if account.platform == shape.platform
    )
    account_id = account_sql("account_id")
    account_currency = f"map {{{accounts}}}[{account_id}]" if accounts else "null"
    connection.execute(
        f"""
        update synced_rows set spend = if(_is_micros, from_micros(spend), spend),
            currency = coalesce(currency, {account_currency}, {literal(org_currencies[source.org])}),
            account_id = coalesce({account_id}, '(unmatched)'), campaign_id = coalesce(campaign_id, '(unmatched)'),
            date = day_part(date)
        """
    )


def drop_repeated_days(connection: Connection) -> int:
    """Keep a day of an account from its first location only. Return the number of dropped rows."""
    return int(
        scalar(
            connection,
            """
            delete from synced_rows using (
                select account_id, date, min(_location) as first from synced_rows
                where account_id <> '(unmatched)' group by all
            ) as days
            where synced_rows.account_id = days.account_id and synced_rows.date = days.date
                and synced_rows._location > days.first
            """,
        )
    )


def total_tables(connection: Connection, shape: Shape) -> list[TableTotal]:
    """Return the total of each level and currency of `synced_rows`."""
    stored = [level.name for level in shape.levels if level.is_stored]
    present = connection.execute("select distinct _level from synced_rows").fetchall()
    finest = max((level for (level,) in present if level in stored), key=LEVELS.index, default=None)
    rows = connection.execute(
        """
        select _level, array_to_string(list_sort(list_distinct(list(_table))), ', '), currency, count(*),
            coalesce(sum(amount(spend)), 0),
            coalesce(first((select coalesce(sum(amount(spend)), 0) from synced_rows as finest
                where finest._level = $finest and finest.currency = synced_rows.currency)), 0)
        from synced_rows group by _level, currency
        order by coalesce(list_position($levels, _level), 9), _level, currency
        """,
        {"finest": finest, "levels": list(LEVELS)},
    ).fetchall()
    return [
        TableTotal(
            platform=shape.platform,
            level=level,
            table=tables,
            currency=currency,
            rows=count,
            spend=spend,
            finest_spend=finest_spend if finest else None,
            is_stored=level in LEVELS,
        )
        for level, tables, currency, count, spend, finest_spend in rows
    ]
