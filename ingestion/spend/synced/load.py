"""Tables of ad platforms that another tool syncs -> raw.ad_spend and raw.ad_entities.

In: an entry of `synced:` in tributary.yaml. Out: rows merged by key, in one transaction a source; and for every table
of spend what it comes to: the levels of a platform need not agree, and where they do not it is told.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import msgspec

from ingestion.files.column_mapping import plan_rows
from ingestion.files.contracts import ContractError
from ingestion.files.merge import merge_rows
from ingestion.loads import Load, LoadReport
from ingestion.settings.model import Settings, Synced
from ingestion.spend.entities import keep_entities
from ingestion.spend.synced.shapes import SHAPES, Shape, places, shapes
from ingestion.spend.synced.staging import (
    COUNTS,
    IDS,
    LEVELS,
    NAMES,
    Total,
    complete,
    drop_repeated_days,
    make_told,
    tell,
    totals_of,
)
from ingestion.spend.synced.tables import synced_tables, views
from ingestion.sql import Connection, drop_temporary_tables, literal, transaction

FORMAT = "synced"  # of raw.loads


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
    purchase_actions: Sequence[str],
    say: Callable[[str], None] = lambda message: None,
) -> SyncReport:
    """Read what one tool synced. folder: relative paths of the source begin there. temporary: for files on the way.
    purchase_actions: Meta's action types that count as a conversion; of each ad and day the first one counts.

    ContractError where a table or a column is missing: then nothing was written. A row with a value that is none is
    kept in raw.failed_events.
    """
    path = folder / Path(source.path).expanduser()
    (currency,) = (org.currency for org in settings.orgs if org.id == source.org)
    totals: list[Total] = []
    loads: list[LoadReport] = []
    snapshots: list[tuple[str, str, Path]] = []
    used: set[str] = set()
    create_macros(connection, purchase_actions)
    at = datetime.now(UTC)
    try:
        with (
            TemporaryDirectory(dir=temporary) as entities,
            synced_tables(connection, path) as tables,
        ):
            with transaction(connection):
                for shape in shapes(source.tool):
                    found = places(source.tool, shape, tables, path.stem)
                    if not found:
                        continue
                    make_told(connection)
                    for number, place in enumerate(found):
                        with views(connection, shape, place, tables):
                            say(f"{shape.platform}: {', '.join(tell(connection, shape, place, number))}")
                            _tell_entities(connection, shape)
                        used |= set(place.found.values())
                    snapshots += _write_entities(connection, shape, source, settings, Path(entities))
                    complete(connection, shape, settings, currency)
                    if twice := drop_repeated_days(connection):
                        say(f"{shape.platform}: {twice:,} rows left out: {found[0].example} or another has their days")
                    totals += totals_of(connection, shape)
                    loads.append(_store(connection, shape, source, settings))
                if not totals:
                    raise ContractError(_nothing(source.tool, path, tables))
            for org, platform, file in snapshots:
                keep_entities(connection, org, platform, file, at)
            return SyncReport(totals, loads, sorted(set(tables) - used))
    finally:
        drop_temporary_tables(connection)


def create_macros(connection: Connection, purchase_actions: Sequence[str]) -> None:
    """Create the macros that the selects of the shapes use."""
    connection.execute(f"create or replace temp macro purchase_actions() as {list(purchase_actions)}")
    connection.execute((SHAPES / "macros.sql").read_text())


def _nothing(tool: str, path: Path, tables: Iterable[str]) -> str:
    wanted = ", ".join(
        f"{shape.schemas[0]}.{'|'.join(dict.fromkeys(level.table for level in shape.levels if level.is_stored))}"
        for shape in shapes(tool)
    )
    return (
        f"{path}: no table of spend in the shape of {tool}. Found: {', '.join(tables) or 'none'}. Looked for {wanted};"
        " a schema or folder may be called anything that contains such a name, or a table have a prefix that ends so"
        " (docs/synced.md)"
    )


def _store(connection: Connection, shape: Shape, source: Synced, settings: Settings) -> LoadReport:
    """The rows of `told` -> raw.ad_spend. Of an account's days that are there they are all there is."""
    ids = ", ".join(f"if({_is_above(name)}, null, {name}) as {name}" for name in IDS)
    names = ", ".join(f"max(if({_is_above(name)}, null, {name})) as {name}" for name in NAMES)  # renamed in the day
    measures = (*COUNTS, "platform_conversions", "platform_value", "spend")
    sums = ", ".join(f"summed({name}) as {name}" for name in measures)
    connection.execute(
        f"""
        create temp table source as
        select '{shape.platform}' as platform, nullif(_level, 'ad') as level, date, currency, {ids}, {names}, {sums},
            {literal(source.org)} as _row_org
        from told where _level in {LEVELS}
        group by all
        """
    )
    columns = [name for name, *_ in connection.execute("describe source").fetchall() if not name.startswith("_")]
    plan = plan_rows(connection, "spend", columns, settings)
    load = Load(uuid.uuid4().hex, f"{source.path}: {shape.platform}", FORMAT)
    try:
        return merge_rows(connection, plan, load, validate=lambda: _cover(connection, source, load))
    finally:
        drop_temporary_tables(connection)


def _is_above(name: str) -> str:
    """SQL of whether an id is of something beneath the row's level."""
    return f"list_position({list(LEVELS)}, _level) < {LEVELS.index(name.removesuffix('_id')) + 1}"


def _cover(connection: Connection, source: Synced, load: Load) -> None:
    """Whole days. With a row that failed, or totals without the ads that are stored, nothing of a day is withdrawn."""
    connection.execute(
        f"""
        create temp table covered_days as
        with dated as (
            from typed_rows
            anti join (from typed_rows where date is null) as undated using (org_id, platform, account_id)
        ),
        days as (
            select org_id, platform, account_id, date, bool_and(_ok) as is_whole, bool_or(level is null) as has_ads
            from dated group by all
            union all
            -- What this source said of an account that was not known then it may say of one that is known now.
            select {literal(source.org)}, platform, '(unmatched)', date, bool_and(_ok), bool_or(level is null)
            from dated
            where date not in (
                select date from raw.ad_spend as stored join raw.loads on load_id = _load_id
                where account_id = '(unmatched)' and source <> {literal(load.source)}
                    and (stored.org_id, stored.platform) = ({literal(source.org)}, dated.platform)
            )
            group by all
        )
        select distinct org_id, platform, account_id, date from days
        where is_whole and (
            has_ads
            or (org_id, platform, account_id, date) not in (
                select (org_id, platform, account_id, date) from raw.ad_spend where level is null and spend_micros <> 0
            )
        )
        """
    )


def _write_entities(
    connection: Connection, shape: Shape, source: Synced, settings: Settings, folder: Path
) -> list[tuple[str, str, Path]]:
    """`told_entities` -> a file an org, as its spend goes: (org, platform, file)."""
    declared = {a.account_id: a.org for a in settings.ad_accounts if a.platform == shape.platform}
    written = []
    for number, org in enumerate(sorted({source.org, *declared.values()})):
        listed = [literal(account) for account, its in declared.items() if (its == org) is not (org == source.org)]
        whose = f"account_id {'not in' if org == source.org else 'in'} [{', '.join(listed)}]"
        written.append((org, shape.platform, folder / f"{shape.platform}.{number}"))
        connection.execute(f"copy (from told_entities where {whose}) to {literal(written[-1][-1])} (format json)")
    return written


def _tell_entities(connection: Connection, shape: Shape) -> None:
    """What a place says of entities -> `told_entities`; of one that two places have, what the first says."""
    listed = f"(from ({shape.entities}) where account_id is not null and entity_id is not null)"
    try:
        connection.execute(f"create temp table if not exists told_entities as from {listed} limit 0")
        connection.execute(
            f"insert into told_entities by name from {listed} anti join told_entities"
            " using (account_id, level, entity_id)"
        )
    except duckdb.Error as error:
        raise ContractError(f"{shape.platform}: names and states: {str(error).splitlines()[0]}") from None
