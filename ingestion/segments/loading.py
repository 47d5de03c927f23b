"""Segments of the collector -> raw tables, exactly once, in order; then the archive, as Parquet.

In: landing/*.ndjson (ingestion/segments/writer.py), whose lines are receipts (ingestion/segments/format.py).
Out: rows in raw.*, refused rows in raw.failed_events, and in raw.loads a row a segment and kind, with
received = loaded + duplicate + failed + limited; archive/landed/site_id=<site>/date=<day>/<segment>.parquet.

A segment is loaded when its row is in raw.loads, in one transaction with everything it brought. It is deleted once its
archive is durable. A crash anywhere in between leaves what the next call finishes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import duckdb

from ingestion.files.column_mapping import id_columns, plan_rows
from ingestion.files.contracts import ContractError
from ingestion.files.merge import merge_rows
from ingestion.files.read import source_of_objects
from ingestion.home import Home
from ingestion.loads import Load, LoadReport, record_load
from ingestion.person.reentry import anonymise_archived, anonymise_loaded
from ingestion.segments.archive import write_partitioned
from ingestion.segments.load_events import append, receipts, take_out_repeats
from ingestion.segments.load_receipts import (
    COUNTS,
    answered,
    keep_addresses,
    keep_failed,
    keep_torn,
    make_receipts,
    torn_lines,
    without_torn_lines,
)
from ingestion.segments.writer import closed_segments
from ingestion.settings.model import Settings
from ingestion.sql import Connection, drop_temporary_tables, literal, transaction
from ingestion.user_agents import enrich

FORMAT = "segment"  # of raw.loads
GROUP_BYTES = 1_500_000_000  # of segments that are loaded in one transaction

Say = Callable[[str], None]


def load_landing(
    connection: Connection, home: Home, settings: Settings, say: Say = lambda message: None
) -> list[LoadReport]:
    """Load what has landed and archive it; one report a segment and kind. The caller holds the build lock.

    A segment that cannot be loaded stays where it is and stops no other; one ContractError at the end names all.
    """
    reports: list[LoadReport] = []
    errors: list[str] = []

    def load(group: Sequence[Path]) -> None:
        try:
            reports.extend(load_segments(connection, group, settings, home.temporary))
        except (duckdb.Error, ContractError) as error:
            if len(group) == 1:
                errors.append(f"{group[0]}: {error}")
            for path in group if len(group) > 1 else ():
                load([path])

    segments = closed_segments(home.landing)
    done = _loaded(connection, segments)
    for group in _groups(path for path in segments if path.stem not in done):
        megabytes = sum(path.stat().st_size for path in group) / 1e6
        if megabytes > 50:
            say(f"loading {len(group)} segments, {megabytes:,.0f} MB")
        load(group)
    if reports:
        enrich(connection, say)
    done = _loaded(connection, segments)
    for path in segments:
        if path.stem in done:
            archive_segment(connection, home, path)
    if errors:
        raise ContractError("\n".join([f"{len(errors)} segments were not loaded; they stay in landing/:", *errors]))
    return reports


def load_segments(
    connection: Connection, paths: Sequence[Path], settings: Settings, temporary: Path
) -> list[LoadReport]:
    """Load segments in one transaction; nothing is archived or deleted."""
    try:
        with transaction(connection):
            return store_segments(connection, paths, settings, temporary)
    finally:
        drop_temporary_tables(connection)


def store_segments(
    connection: Connection, paths: Sequence[Path], settings: Settings, temporary: Path, *, file_format: str = FORMAT
) -> list[LoadReport]:
    """The same in the transaction of the caller, who clears."""
    torn = {path.stem: lines for path in paths if (lines := torn_lines(path))}
    sound = [without_torn_lines(path, temporary) if path.stem in torn else path for path in paths]
    load = Load(paths[0].stem, paths[0].stem, file_format)
    stamp = f"{literal(load.loaded_at)}::timestamp"
    make_receipts(connection, sound)
    tallies = answered(connection)
    keep_failed(connection, stamp)
    keep_torn(connection, torn, load.stamp)
    keep_addresses(connection, sound)
    rows = append(connection, sound, settings, stamp)
    outcomes = take_out_repeats(connection, sound, load.stamp)
    reports = []
    for path in sound:
        segment, tally = path.stem, tallies.pop((path.stem, "events"), Counter())
        lost, conflicts = len(torn.get(segment, ())), outcomes[segment, "id_conflict"]
        duplicate = outcomes[segment, "duplicate"]
        report = LoadReport(
            kind="events",
            source=segment,
            received=tally["received"] + lost,
            loaded=rows.get(segment, 0) - duplicate - conflicts,
            duplicate=tally["duplicate"] + duplicate,
            failed=tally["failed"] + conflicts + lost,
            replaced=outcomes[segment, "replaced"],
            reasons={},
            limited=tally["limited"],
        )
        record_load(connection, report, Load(segment, segment, file_format, load.loaded_at))
        reports.append(report)
    anonymise_loaded(connection, [path.stem for path in sound])  # it corrects what was recorded
    files = {path.stem: path for path in sound}
    for (segment, kind), tally in sorted(tallies.items()):
        its = Load(f"{segment}/{kind}", segment, file_format, load.loaded_at)
        reports.append(_store_rows(connection, kind, files[segment], settings, load=its, answered=tally))
    return reports


def archive_segment(connection: Connection, home: Home, path: Path) -> None:
    """All that a loaded segment brought as Parquet, a row a receipt; then the segment goes."""
    sound = without_torn_lines(path, home.temporary) if torn_lines(path) else path
    columns = dict.fromkeys(COUNTS, "bigint") | {"rows": "json", "failed": "json"}
    placed = write_partitioned(
        connection,
        'select kind, org as org_id, site as site_id, "at" as received_at, ip as ip_hash, ua as user_agent,'
        f' received, duplicate, limited, rows, failed, left("at", 10) as date from {receipts([sound], columns)}',
        home.temporary,
        home.archive / "landed",
        path.stem,
    )
    anonymise_archived(connection, home, placed)
    drop_temporary_tables(connection)
    path.unlink()
    if sound != path:
        sound.unlink()


def _loaded(connection: Connection, segments: Iterable[Path]) -> set[str]:
    rows = connection.execute(
        f"select distinct source from raw.loads where format = '{FORMAT}' and source in (select unnest($names))",
        {"names": [path.stem for path in segments]},
    ).fetchall()
    return {segment for (segment,) in rows}


def _groups(paths: Iterable[Path]) -> Iterator[list[Path]]:
    group, size = [], 0
    for path in paths:
        if group and size + path.stat().st_size > GROUP_BYTES:
            yield group
            group, size = [], 0
        group.append(path)
        size += path.stat().st_size
    if group:
        yield group


def _store_rows(
    connection: Connection, kind: str, path: Path, settings: Settings, *, load: Load, answered: Counter[str]
) -> LoadReport:
    """Rows of another kind than events: input rows of its contract, which go the way of a file's."""
    drop_temporary_tables(connection)
    connection.execute(
        f"""
        create temp table objects as
        select row_number() over () as line, row::varchar as text, org as _row_org, site as _row_site
        from (select org, site, unnest(rows) as row from {receipts([path], {"rows": "json[]"})} where kind = '{kind}')
        """
    )
    plan = plan_rows(connection, kind, source_of_objects(connection, id_columns({})), settings)
    return merge_rows(connection, plan, load, collector_counts=answered)
