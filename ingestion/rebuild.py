"""Load everything again into a new warehouse after the old one was lost.

In: a home with a missing or damaged warehouse, under the caller's build lock: archive/, landing/, inbox/.
Out: a new warehouse in its place. The damaged file stays beside it as warehouse.duckdb.damaged.

The archive has the rows of the inbox and of the collector. It has neither the rows of `tributary import` and of pulls,
nor the list of erased persons.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import duckdb

from ingestion.files.contracts import CONTRACTS, KINDS, ContractError
from ingestion.files.inbox import INBOXES, import_inbox
from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.loads import Load, PartlyLoaded
from ingestion.segments.archive import load_time, place
from ingestion.segments.format import sealed
from ingestion.segments.loading import groups, load_landing, load_segments
from ingestion.settings.model import Settings
from ingestion.settings.raw_tables import store_settings
from ingestion.sql import Connection, literal, quoted
from ingestion.text import counted
from ingestion.user_agents import add
from ingestion.warehouse import WarehouseLost, connect, has_data, is_damage

FILES_AT_ONCE = 100_000_000  # bytes of archived segments that are loaded in one transaction
_UNARCHIVED = (
    "erasures",
    "erased_identifiers",
    "dismissed_rows",
)  # copied from a damaged warehouse, if it can still be read

Progress = Callable[[str], None]


class NothingToRebuild(Exception):
    """The warehouse is whole, or there is nothing to load."""


def rebuild(home: Home, settings: Settings, progress: Progress) -> list[str]:
    """Build a new warehouse and put it in place. Return the errors of archived files that cannot be loaded.

    Raise NothingToRebuild. A rebuild that is killed leaves the home as it was, or finished.
    """
    if not has_data(home):
        raise NothingToRebuild(f"{home.archive} is empty, so there is nothing to load again. Run: tributary run")
    if is_whole(home):
        raise NothingToRebuild(
            f"{home.warehouse} is whole. To build all models again, run: tributary run --full-refresh"
        )
    errors: list[str] = []
    fresh = Home(home.temporary / "rebuild")
    fresh.temporary.mkdir(parents=True)
    with connect(fresh) as connection:
        _copy_unarchived(connection, home)
        store_settings(connection, settings)
        _load_retired_events(connection, home)
        _load_archived_segments(connection, home, settings, fresh.temporary, progress)
        for kind in KINDS:
            errors += _load_archived_files(connection, home, kind, settings, progress)
    if home.warehouse.exists():
        home.warehouse.replace(_damaged(home))
    home.warehouse.with_name(f"{home.warehouse.name}.wal").unlink(missing_ok=True)
    place(fresh.warehouse, home.warehouse)
    shutil.rmtree(fresh.root)
    with connect(home) as connection:
        for load in (
            partial(load_landing, connection, home, settings, progress),
            *(partial(import_inbox, connection, home, settings, kind, progress) for kind in INBOXES),
        ):
            try:
                load()
            except PartlyLoaded as error:  # these files wait for the next run
                progress(str(error))
        _add_user_agents(connection)
    return errors


def is_whole(home: Home) -> bool:
    """Return whether every raw table of the warehouse can be read to its end: DuckDB has checksums."""
    if not home.warehouse.exists():
        return False
    try:
        with connect(home) as connection:
            for (table,) in _raw_tables(connection, "current_database()"):
                connection.execute(f"select bit_xor(hash(t)) from raw.{quoted(table)} as t").fetchall()
    except WarehouseLost:
        return False
    except duckdb.Error as error:
        if is_damage(error):
            return False
        raise
    return True


def row_counts(connection: Connection) -> dict[str, int]:
    """Return the rows of the raw tables that a contract fills, archived events included."""
    tables = {contract.table.removeprefix("raw."): contract.table for contract in CONTRACTS.values()}
    tables["events"] = "raw.all_events"
    counts = ", ".join(f"(select count(*) from {table})" for table in tables.values())
    return dict(zip(tables, connection.execute(f"select {counts}").fetchall()[0], strict=True))


def _damaged(home: Home) -> Path:
    return home.warehouse.with_name(f"{home.warehouse.name}.damaged")


def _raw_tables(connection: Connection, database: str) -> list[tuple[str]]:
    return connection.execute(
        f"select table_name from duckdb_tables() where schema_name = 'raw' and database_name = {database} order by 1"
    ).fetchall()


def _copy_unarchived(connection: Connection, home: Home) -> None:
    """Copy the list of erased persons from the damaged warehouse, as far as DuckDB can read it."""
    if not home.warehouse.exists():
        return
    try:
        connection.execute(f"attach {literal(home.warehouse)} as damaged (read_only)")
    except duckdb.Error:
        return
    for table in _UNARCHIVED:
        try:
            connection.execute(f"insert into raw.{table} by name from damaged.raw.{table}")
        except duckdb.Error:
            continue
    connection.execute("detach damaged")


def _load_retired_events(connection: Connection, home: Home) -> None:
    """Store the keys of the events in archive/events/, so that they stay there and their copies are duplicates."""
    folder = home.archive / "events"
    if next(folder.glob("*/*/*.parquet"), None) is None:
        return
    key = ", ".join(CONTRACTS["events"].key)
    files = f"read_parquet({literal(folder)} || '/*/*/*.parquet', union_by_name = true, filename = true)"
    connection.execute(
        f"""
        insert into raw.retired_events by name select {key}, _content_hash from {files};
        insert into raw.retirements by name
        select split_part(parse_filename(filename), '.', 1) as retirement_id,
            max(occurred_at)::date + interval 1 day as before, count(*) as row_count, max(_loaded_at) as retired_at
        from {files} group by 1
        """
    )


def _add_user_agents(connection: Connection) -> None:
    """Parse the user agents of archived events, too."""
    missing = connection.execute(
        "select distinct user_agent from raw.all_events anti join raw.user_agents using (user_agent)"
        " where user_agent <> ''"
    ).fetchall()
    add(connection, [agent for (agent,) in missing])


def _load_archived_segments(
    connection: Connection, home: Home, settings: Settings, temporary: Path, progress: Progress
) -> None:
    """Write the receipts of archive/landed/ to segments again, and load them."""
    files = sorted((home.archive / "landed").rglob("*.parquet"), key=lambda path: path.name)
    for group in groups(files, FILES_AT_ONCE):
        segments = list(_write_segments(connection, group, temporary))
        progress(f"loading {counted(len(segments), 'segment')} of the archive")
        load_segments(connection, segments, settings, temporary)
        for segment in segments:
            segment.unlink()


def _write_segments(connection: Connection, files: list[Path], temporary: Path) -> Iterator[Path]:
    """Write a segment for each name among the archived files, a line for each receipt. Yield their paths."""
    listed = ", ".join(map(literal, files))
    result = connection.execute(
        f"""
        select split_part(parse_filename(filename), '.', 1) as segment,
            json_merge_patch('{{}}', json_object('kind', kind, 'at', received_at, 'org', org_id, 'site', site_id,
                'ip', ip_hash, 'ua', user_agent, 'received', received, 'duplicate', duplicate, 'limited', limited,
                'rows', rows::json, 'failed', failed::json))::varchar as receipt
        from read_parquet([{listed}], union_by_name = true, filename = true, hive_partitioning = false)
        order by segment, received_at
        """
    )
    written: set[Path] = set()
    while batch := result.fetchmany(1000):
        for name, receipt in batch:
            path = temporary / f"{name}.ndjson"
            with path.open("ab" if path in written else "wb") as segment:
                segment.write(sealed(receipt.encode()))
            written.add(path)
    yield from sorted(written)


def _load_archived_files(
    connection: Connection, home: Home, kind: str, settings: Settings, progress: Progress
) -> Iterator[str]:
    """Load the files of archive/inbox/<kind>/ in the order in which they were imported. Yield errors."""
    files = sorted((home.archive / "inbox" / kind).glob("*.parquet"), key=lambda path: (load_time(path), path.name))
    for path in files:
        name = path.name.removesuffix(".parquet")
        try:
            load = Load(name, name, "archive", load_time(path))
            report = load_file(connection, kind, path, settings, archived=load)
            progress(f"{name}: {report.received:,} received, {report.loaded:,} loaded, {report.failed:,} failed")
        except (ContractError, duckdb.Error) as error:
            yield f"{path}: {error}"
