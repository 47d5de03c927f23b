"""What tables of spend say, as one temporary table: `told`, a row of theirs a row, and what each of them comes to.

In: the selects of a shape over its views (tables.py). Out: text columns named as raw.ad_spend's, with
amounts in units, days and currencies; Totals.
"""

from __future__ import annotations

from decimal import Decimal

import duckdb
import msgspec

from ingestion.files.contracts import ContractError
from ingestion.settings.model import Settings
from ingestion.spend.synced.shapes import Place, Shape
from ingestion.sql import Connection, literal

LEVELS = ("account", "campaign", "adset", "ad")
IDS = ("account_id", "campaign_id", "adset_id", "ad_id")
NAMES = ("campaign", "adset", "ad")
COUNTS = ("impressions", "clicks", "video_views")


class Total(msgspec.Struct, frozen=True):
    """What the tables of one level of spend come to, in units of one currency, exactly. rows: of the tables."""

    platform: str
    level: str
    table: str
    currency: str
    rows: int
    spend: Decimal
    finest: Decimal | None  # what the platform's finest level comes to
    is_stored: bool


def make_told(connection: Connection) -> None:
    """Make `told`, the rows of all levels as their tables have them."""
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
    connection.execute(f"create or replace temp table told ({columns}, _is_micros boolean, _place integer)")


def tell(connection: Connection, shape: Shape, place: Place, number: int) -> list[str]:
    """The rows of the levels that a place has -> `told`; the names of their tables."""
    levels = [level for level in shape.levels if level.table in place.found]
    for level in levels:
        table = place.found[level.table]
        try:
            connection.execute(
                f"insert into told by name select *, '{level.name}' as _level, {literal(table)} as _table,"
                f" {level.is_micros} as _is_micros, {number} as _place from ({level.sql})"
            )
        except duckdb.Error as error:
            raise ContractError(f"{shape.platform}: {table} cannot be read: {str(error).splitlines()[0]}") from None
    return [place.found[level.table] for level in levels]


def complete(connection: Connection, shape: Shape, settings: Settings, currency: str) -> None:
    """Amounts in units, days of moments, and the currency: the table's, the account's or the org's."""
    of_org = {org.id: org.currency for org in settings.orgs}
    accounts = ", ".join(
        f"{literal(account.account_id)}: {literal(account.currency or of_org[account.org])}"
        for account in settings.ad_accounts
        if account.platform == shape.platform
    )
    of_account = f"map {{{accounts}}}[account_id]" if accounts else "null"
    connection.execute(
        f"""
        update told set spend = if(_is_micros, from_micros(spend), spend),
            currency = coalesce(currency, {of_account}, {literal(currency)}),
            account_id = coalesce(account_id, '(unmatched)'), campaign_id = coalesce(campaign_id, '(unmatched)'),
            date = said_day(date)
        """
    )


def drop_repeated_days(connection: Connection) -> int:
    """Where two places have one day of an account, the first counts, whole. How many rows are left out."""
    return _count(
        connection,
        """
        delete from told using (
            select account_id, date, min(_place) as first from told where account_id <> '(unmatched)' group by all
        ) as days
        where told.account_id = days.account_id and told.date = days.date and told._place > days.first
        """,
    )


def _count(connection: Connection, query: str) -> int:
    (count,) = connection.execute(query).fetchone() or (0,)
    return count


def totals_of(connection: Connection, shape: Shape) -> list[Total]:
    stored = [level.name for level in shape.levels if level.is_stored]
    present = connection.execute("select distinct _level from told").fetchall()
    finest = max((level for (level,) in present if level in stored), key=LEVELS.index, default=None)
    rows = connection.execute(
        """
        select _level, array_to_string(list_sort(list_distinct(list(_table))), ', '), currency, count(*),
            coalesce(sum(amount(spend)), 0),
            coalesce(first((select coalesce(sum(amount(spend)), 0) from told as finest
                where finest._level = $finest and finest.currency = told.currency)), 0)
        from told group by _level, currency
        order by coalesce(list_position($levels, _level), 9), _level, currency
        """,
        {"finest": finest, "levels": list(LEVELS)},
    ).fetchall()
    return [
        Total(shape.platform, level, tables, currency, count, spend, its if finest else None, level in LEVELS)
        for level, tables, currency, count, spend, its in rows
    ]
