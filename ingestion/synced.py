"""Tables of ad platforms that another tool syncs -> raw.ad_spend and raw.ad_entities.

In: an entry of `synced:` in tributary.yaml. Out: rows merged by key, in one transaction a source; and for every table
of spend what it comes to: the levels of a platform need not agree, and where they do not it is told.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from ingestion.ad_entities import keep_entities
from ingestion.contracts import ContractError
from ingestion.load import Load, LoadReport, clear, store, transaction
from ingestion.read import Connection, literal, make_unreadable
from ingestion.scope import scope_of_rows
from ingestion.settings import Settings, Synced
from ingestion.synced_tables import Level, Shape, shapes, synced_tables, views

FORMAT = "synced"  # of raw.loads
LEVELS = ("account", "campaign", "adset", "ad")
_IDS = ("account_id", "campaign_id", "campaign", "adset_id", "adset", "ad_id", "ad")
_TIMES = ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f"]
_COUNTS = ("impressions", "clicks", "video_views")

# What the shapes may use, and the text of an amount in units: a text that is no amount stays, so that its row fails.
_MACROS = (
    "amount(value) as try_cast(value as decimal(32, 6))",
    "in_units(value, is_micros) as case when is_micros and amount(value) is not null"
    " then (amount(value)::decimal(29, 3) * 0.000001::decimal(7, 6))::varchar else value end",
    "total_of(one, other) as (coalesce(try_cast(one as bigint), 0) + coalesce(try_cast(other as bigint), 0))::varchar",
    "local_day(moment, zone) as case when zone is null then moment"
    " else strftime((moment::timestamp at time zone 'UTC') at time zone zone, '%Y-%m-%d') end",
    # Many rows of one key are one: their sum, or the text that is no number.
    "summed(value) as coalesce(min(value) filter (try_cast(value as decimal(38, 9)) is null),"
    " sum(try_cast(value as decimal(38, 9)))::varchar)",
)


class Total(msgspec.Struct, frozen=True):
    """What one table of spend comes to, in units of one currency, exactly. rows: of the table."""

    platform: str
    level: str
    table: str
    currency: str
    rows: int
    spend: Decimal
    finest: Decimal | None  # what the platform's finest level comes to
    is_stored: bool


class SyncReport(msgspec.Struct, frozen=True):
    totals: list[Total]
    loads: list[LoadReport]  # one a platform
    unused: list[str]  # tables that no shape reads


def sync(
    connection: Connection,
    source: Synced,
    settings: Settings,
    *,
    folder: Path,
    temporary: Path,
    say: Callable[[str], None] = lambda message: None,
) -> SyncReport:
    """Read what one tool synced. folder: relative paths of the source begin there. temporary: for files on the way.

    ContractError where a table or a column is missing: then nothing was written. A row with a value that is none is
    kept in raw.failed_events.
    """
    path = folder / Path(source.path).expanduser()
    (currency,) = (org.currency for org in settings.orgs if org.id == source.org)
    totals: list[Total] = []
    loads: list[LoadReport] = []
    used: set[str] = set()
    for macro in _MACROS:
        connection.execute(f"create or replace temp macro {macro}")
    at = datetime.now(UTC)
    try:
        with (
            TemporaryDirectory(dir=temporary) as entities,
            synced_tables(connection, path) as tables,
        ):
            with transaction(connection):
                for shape in shapes(source.tool):
                    with views(connection, shape, tables) as found:
                        levels = [level for level in shape.levels if level.table in {*found}]
                        if not levels:
                            continue
                        say(f"{shape.platform}: {', '.join(level.table for level in levels)}")
                        _make_told(connection, levels)
                        _complete(connection, shape, settings, currency)
                        totals += _totals(connection, shape, levels)
                        loads.append(_store(connection, shape, source, settings))
                        _write_entities(connection, shape, Path(entities) / shape.platform)
                        used |= set(found.values())
                if not totals:
                    raise ContractError(
                        f"{path}: no table of spend in the shape of {source.tool}. Found: {', '.join(tables) or 'none'}"
                    )
            for file in sorted(Path(entities).iterdir()):
                keep_entities(connection, source.org, file.name, file, at)
            return SyncReport(totals, loads, sorted(set(tables) - used))
    finally:
        clear(connection)


def _make_told(connection: Connection, levels: Sequence[Level]) -> None:
    """Make `told`, the rows of all levels as their tables have them."""
    texts = (*_IDS, *_COUNTS, "date", "currency", "spend", "platform_conversions", "platform_value", "_level", "_table")
    columns = ", ".join(f"{name} varchar" for name in texts)
    connection.execute(f"create or replace temp table told ({columns}, _is_micros boolean)")
    for level in levels:
        connection.execute(
            f"insert into told by name select *, '{level.name}' as _level, '{level.table}' as _table,"
            f" {level.is_micros} as _is_micros from ({level.sql})"
        )


def _complete(connection: Connection, shape: Shape, settings: Settings, currency: str) -> None:
    """Amounts in units, days of hours, and the currency: the table's, the account's or the org's."""
    accounts = ", ".join(
        f"{literal(account.account_id)}: {literal(account.currency)}"
        for account in settings.ad_accounts
        if account.platform == shape.platform and account.currency
    )
    of_account = f"map {{{accounts}}}[account_id]" if accounts else "null"
    connection.execute(
        f"""
        update told set spend = in_units(spend, _is_micros), platform_value = in_units(platform_value, _is_micros),
            currency = coalesce(currency, {of_account}, {literal(currency)}),
            account_id = coalesce(account_id, '(unmatched)'), campaign_id = coalesce(campaign_id, '(unmatched)'),
            date = coalesce(strftime(try_strptime(replace(date, 'T', ' '), {_TIMES}), '%Y-%m-%d'), date)
        """
    )


def _totals(connection: Connection, shape: Shape, levels: Sequence[Level]) -> list[Total]:
    stored = [level.name for level in levels if level.is_stored]
    finest = max(stored, key=LEVELS.index, default=None)
    rows = connection.execute(
        """
        select _level, _table, currency, count(*), coalesce(sum(amount(spend)), 0),
            coalesce(first((select coalesce(sum(amount(spend)), 0) from told as finest
                where finest._level = $finest and finest.currency = told.currency)), 0)
        from told group by _level, _table, currency order by list_position($levels, _table), currency
        """,
        {"finest": finest, "levels": [level.table for level in levels]},
    ).fetchall()
    return [
        Total(shape.platform, level, table, currency, count, spend, its if finest else None, level in LEVELS)
        for level, table, currency, count, spend, its in rows
    ]


def _store(connection: Connection, shape: Shape, source: Synced, settings: Settings) -> LoadReport:
    """The rows of `told` -> raw.ad_spend. Of an account's days that are there they are all there is."""
    ids = ", ".join(f"case when {_is_above(name)} then null else {name} end as {name}" for name in _IDS)
    measures = (*_COUNTS, "platform_conversions", "platform_value", "spend")
    sums = ", ".join(f"summed({name}) as {name}" for name in measures)
    connection.execute(
        f"""
        create temp table source as
        select '{shape.platform}' as platform, nullif(_level, 'ad') as level, date, currency, {ids}, {sums},
            {literal(source.org)} as _landed_org
        from told where _level in {LEVELS}
        group by all
        """
    )
    make_unreadable(connection)
    columns = [name for name, *_ in connection.execute("describe source").fetchall() if not name.startswith("_")]
    scope = scope_of_rows(connection, "spend", columns, settings)
    load = Load(uuid.uuid4().hex, f"{source.tool}: {shape.platform}", FORMAT)
    connection.execute("create temp table source_lines (_row bigint, line bigint)")
    try:
        return store(connection, "spend", scope, columns, load, judge=lambda: _cover(connection))
    finally:
        clear(connection)


def _is_above(name: str) -> str:
    """SQL of whether an id is of something beneath the row's level."""
    return f"list_position({list(LEVELS)}, _level) < {LEVELS.index(name.removesuffix('_id')) + 1}"


def _cover(connection: Connection) -> None:
    """Days with a row that failed are not whole: nothing of them is withdrawn."""
    connection.execute(
        "create temp table covered as select org_id, platform, account_id, date from typed"
        " group by all having bool_and(_ok)"
    )


def _write_entities(connection: Connection, shape: Shape, file: Path) -> None:
    if shape.entities:
        connection.execute(
            f"copy (from ({shape.entities}) where account_id is not null and entity_id is not null)"
            f" to {literal(file)} (format json)"
        )
