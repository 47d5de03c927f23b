"""Load the tables of ad platforms that another tool syncs into raw.ad_spend and raw.ad_entities.

In: an entry of `synced:` in tributary.yaml. Out: rows merged by key, in one transaction for each source, and the total
of each spend table: the levels of a platform may differ, and the totals show it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import duckdb
import msgspec

from ingestion.files.column_mapping import plan_rows
from ingestion.files.contracts import ContractError
from ingestion.files.id_spellings import account_sql
from ingestion.files.merge import merge_rows
from ingestion.loads import Load, LoadReport
from ingestion.settings.model import Settings, Synced
from ingestion.spend.entities import merge_entities
from ingestion.spend.synced.shapes import SHAPES, Shape, locate, shapes
from ingestion.spend.synced.source_tables import shape_views, source_tables
from ingestion.spend.synced.staging import (
    COUNTS,
    IDS,
    LEVELS,
    NAMES,
    TableTotal,
    complete_rows,
    create_synced_rows,
    drop_repeated_days,
    stage_rows,
    total_tables,
)
from ingestion.sql import Connection, drop_temporary_tables, literal, transaction
from ingestion.text import counted

FORMAT = "synced"  # of raw.loads


class SyncReport(msgspec.Struct, frozen=True):
    totals: list[TableTotal]
    loads: list[LoadReport]  # one for each platform
    unused: list[str]  # tables that no shape reads


class _EntityFile(NamedTuple):
    org: str
    platform: str
    path: Path


def sync_source(
    connection: Connection,
    source: Synced,
    settings: Settings,
    *,
    folder: Path,
    temporary: Path,
    purchase_actions: Sequence[str],
    log: Callable[[str], None] = lambda message: None,
) -> SyncReport:
    """Load everything that one tool synced.

    folder: the start of the source's relative paths. temporary: a folder for intermediate files. purchase_actions:
    Meta's action types that count as a conversion; the first one of each ad and day counts. Raise ContractError, and
    write nothing, if a table or a column is missing. A row with an invalid value goes to raw.failed_events.
    """
    path = folder / Path(source.path).expanduser()
    totals: list[TableTotal] = []
    loads: list[LoadReport] = []
    entity_files: list[_EntityFile] = []
    used: set[str] = set()
    create_macros(connection, purchase_actions)
    at = datetime.now(UTC)
    try:
        with TemporaryDirectory(dir=temporary) as entities, source_tables(connection, path) as tables:
            with transaction(connection):
                for shape in shapes(source.tool):
                    locations = locate(source.tool, shape, tables, path.stem)
                    if not locations:
                        continue
                    create_synced_rows(connection)
                    for number, location in enumerate(locations):
                        with shape_views(connection, shape, location, tables):
                            log(f"{shape.platform}: {', '.join(stage_rows(connection, shape, location, number))}")
                            _stage_entities(connection, shape)
                        used |= set(location.tables.values())
                    entity_files += _write_entities(connection, shape, source, settings, Path(entities))
                    complete_rows(connection, shape, source, settings)
                    if dropped := drop_repeated_days(connection):
                        log(
                            f"{shape.platform}: ignored {counted(dropped, 'row')} of days that"
                            f" {locations[0].example} or another table already has"
                        )
                    totals += total_tables(connection, shape)
                    loads.append(_merge_spend(connection, shape, source, settings))
                if not totals:
                    raise ContractError(_no_table_message(source.tool, path, tables))
            for file in entity_files:
                merge_entities(connection, file.org, file.platform, file.path, at)
            return SyncReport(totals=totals, loads=loads, unused=sorted(set(tables) - used))
    finally:
        drop_temporary_tables(connection)


def create_macros(connection: Connection, purchase_actions: Sequence[str]) -> None:
    """Create the macros that the selects of the shapes use."""
    connection.execute(f"create or replace temp macro purchase_actions() as {list(purchase_actions)}")
    connection.execute((SHAPES / "macros.sql").read_text())


def _no_table_message(tool: str, path: Path, tables: Iterable[str]) -> str:
    expected = ", ".join(
        f"{shape.schemas[0]}.{'|'.join(dict.fromkeys(level.table for level in shape.levels if level.is_stored))}"
        for shape in shapes(tool)
    )
    return (
        f"{path} has no spend table in the shape of {tool}. Found: {', '.join(tables) or 'none'}. Expected: {expected}."
        " The name of a schema or folder, or a table's prefix, must contain such a schema name (docs/synced.md)"
    )


def _merge_spend(connection: Connection, shape: Shape, source: Synced, settings: Settings) -> LoadReport:
    """Merge `synced_rows` into raw.ad_spend. A day of an account that they have, they have completely."""
    ids = ", ".join(f"if({_is_above(name)}, null, {name}) as {name}" for name in IDS)
    names = ", ".join(
        f"max(if({_is_above(name)}, null, {name})) as {name}" for name in NAMES
    )  # an entity may be renamed during the day
    measures = (*COUNTS, "platform_conversions", "platform_value", "spend")
    sums = ", ".join(f"summed({name}) as {name}" for name in measures)
    connection.execute(
        f"""
        create temp table source as
        select '{shape.platform}' as platform, nullif(_level, 'ad') as level, date, currency, {ids}, {names}, {sums},
            {literal(source.org)} as _row_org
        from synced_rows where _level in {LEVELS}
        group by all
        """
    )
    columns = [name for name, *_ in connection.execute("describe source").fetchall() if not name.startswith("_")]
    plan = plan_rows(connection, "spend", columns, settings)
    load = Load(load_id=uuid.uuid4().hex, source=f"{source.path}: {shape.platform}", format=FORMAT)
    try:
        return merge_rows(connection, plan, load, validate=lambda: _create_covered_days(connection, source, load))
    finally:
        drop_temporary_tables(connection)


def _is_above(name: str) -> str:
    """Return SQL: whether a row's level is above the level of an id or a name."""
    return f"list_position({list(LEVELS)}, _level) < {LEVELS.index(name.removesuffix('_id')) + 1}"


def _create_covered_days(connection: Connection, source: Synced, load: Load) -> None:
    """Create `covered_days`, the days of which the source has all rows.

    A day with an invalid row, or with totals but without the ads that are stored, is not covered: nothing of it is
    withdrawn.
    """
    connection.execute(
        f"""
        create temp table covered_days as
        with dated as (
            from typed_rows
            anti join (from typed_rows where date is null) as undated using (org_id, platform, account_id)
        ),
        days as (
            select org_id, platform, account_id, date, bool_and(_ok) as is_complete, bool_or(level is null) as has_ads
            from dated group by all
            union all
            -- Rows of an unknown account may belong to one that is known now. This source's rows then replace them.
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
        where is_complete and (
            has_ads
            or (org_id, platform, account_id, date) not in (
                select (org_id, platform, account_id, date) from raw.ad_spend where level is null and spend_micros <> 0
            )
        )
        """
    )


def _write_entities(
    connection: Connection, shape: Shape, source: Synced, settings: Settings, folder: Path
) -> list[_EntityFile]:
    """Write `synced_entities` to one file for each org: an account's entities belong to its declared org."""
    declared = {
        account.account_id: account.org for account in settings.ad_accounts if account.platform == shape.platform
    }
    files = []
    for number, org in enumerate(sorted({source.org, *declared.values()})):
        is_source_org = org == source.org
        # The source's own org gets all accounts except those of other orgs.
        accounts = [literal(account) for account, owner in declared.items() if (owner == org) is not is_source_org]
        where = f"{account_sql('account_id')} {'not in' if is_source_org else 'in'} [{', '.join(accounts)}]"
        file = _EntityFile(org=org, platform=shape.platform, path=folder / f"{shape.platform}.{number}")
        connection.execute(f"copy (from synced_entities where {where}) to {literal(file.path)} (format json)")
        files.append(file)
    return files


def _stage_entities(connection: Connection, shape: Shape) -> None:
    """Insert a location's entities into `synced_entities`. The first location's row of an entity counts."""
    entities = f"(from ({shape.entities}) where account_id is not null and entity_id is not null)"
    try:
        connection.execute(f"create temp table if not exists synced_entities as from {entities} limit 0")
        connection.execute(
            f"insert into synced_entities by name from {entities} anti join synced_entities"
            " using (account_id, level, entity_id)"
        )
    except duckdb.Error as error:
        raise ContractError(f"{shape.platform}: entities cannot be read: {str(error).splitlines()[0]}") from None
