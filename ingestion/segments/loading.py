"""Load segments of the collector into raw tables, exactly once and in order, then archive them as Parquet.

In: landing/*.ndjson (ingestion/segments/writer.py), with receipts as lines (ingestion/segments/format.py).
Out: rows in raw.*, rejected rows in raw.failed_events, and in raw.loads a row for each segment and kind, with
received = loaded + duplicate + failed + limited; archive/landed/site_id=<site>/date=<day>/<segment>.parquet.

A segment is loaded once its row is in raw.loads, in one transaction with all its rows. It is deleted once its archive
is durable. After a crash anywhere in between, the next call finishes the work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import duckdb

from ingestion.files.column_mapping import id_columns, plan_rows
from ingestion.files.contracts import ContractError
from ingestion.files.merge import merge_rows
from ingestion.files.source_table import source_of_objects
from ingestion.home import Home
from ingestion.loads import Load, LoadReport, PartlyLoaded, record_load
from ingestion.person.reentry import anonymise_archived, anonymise_loaded
from ingestion.segments.archive import write_partitioned
from ingestion.segments.load_events import append, deduplicate, receipts
from ingestion.segments.load_receipts import (
    COUNTS,
    BadLine,
    damaged_lines,
    make_receipts,
    receipt_counts,
    store_addresses,
    store_bad_lines,
    store_failed,
    without_lines,
)
from ingestion.segments.unloadable_lines import find_unloadable
from ingestion.segments.writer import closed_segments
from ingestion.settings.model import Settings
from ingestion.sql import Connection, drop_temporary_tables, literal, transaction
from ingestion.text import counted
from ingestion.user_agents import enrich, is_outdated

FORMAT = "segment"  # of raw.loads
GROUP_BYTES = 1_500_000_000  # of segments that are loaded in one transaction

Progress = Callable[[str], None]


def load_landing(
    connection: Connection, home: Home, settings: Settings, progress: Progress = lambda message: None
) -> list[LoadReport]:
    """Load all closed segments and archive them. Returns a report for each segment and kind.

    A line that cannot be loaded becomes a failed row. A segment that cannot be loaded for another reason stays in
    place, and the others load: one PartlyLoaded at the end names all that stay. The caller holds the build lock.
    """
    reports: list[LoadReport] = []
    failures: dict[Path, str] = {}

    def load(group: Sequence[Path], bad: Mapping[str, Mapping[int, BadLine]] | None = None) -> None:
        try:
            reports.extend(load_segments(connection, group, settings, home.temporary, bad or {}))
        except (duckdb.Error, ContractError) as error:
            if len(group) > 1:
                for path in group:
                    load([path])
            elif bad is None and isinstance(error, duckdb.Error):
                load(group, {group[0].stem: find_unloadable(connection, group[0], store, home.temporary)})
            else:
                failures[group[0]] = f"{group[0]}: {error}"

    def store(path: Path) -> object:
        return store_segments(connection, [path], settings, home.temporary)

    segments = closed_segments(home.landing)
    done = _loaded(connection, segments)
    for group in groups(path for path in segments if path.stem not in done):
        megabytes = sum(path.stat().st_size for path in group) / 1e6
        if megabytes > 50:
            progress(f"loading {counted(len(group), 'segment')}, {megabytes:,.0f} MB")
        load(group)
    if reports or is_outdated(connection):
        enrich(connection, progress)
    done = _loaded(connection, segments)
    for path in segments:
        if path.stem in done:
            archive_segment(connection, home, path)
    if failures:
        raise PartlyLoaded(f"{counted(len(failures), 'segment')} of landing/ not loaded:", failures, reports)
    return reports


def load_segments(
    connection: Connection,
    paths: Sequence[Path],
    settings: Settings,
    temporary: Path,
    bad: Mapping[str, Mapping[int, BadLine]] = MappingProxyType({}),
) -> list[LoadReport]:
    """Load segments in one transaction; nothing is archived or deleted. bad: lines to store as failed rows."""
    try:
        with transaction(connection):
            return store_segments(connection, paths, settings, temporary, bad=bad)
    finally:
        drop_temporary_tables(connection)


def store_segments(
    connection: Connection,
    paths: Sequence[Path],
    settings: Settings,
    temporary: Path,
    *,
    file_format: str = FORMAT,
    bad: Mapping[str, Mapping[int, BadLine]] = MappingProxyType({}),
) -> list[LoadReport]:
    """Load segments in the transaction of the caller, who drops the temporary tables afterwards.

    bad: lines to store as failed rows, by segment and number; lines with a wrong checksum are always stored as such.
    """
    bad = {path.stem: {**bad.get(path.stem, {}), **damaged_lines(path)} for path in paths}
    readable = [without_lines(path, bad[path.stem], temporary) if bad[path.stem] else path for path in paths]
    load = Load(paths[0].stem, paths[0].stem, file_format)
    loaded_at = f"{literal(load.loaded_at)}::timestamp"
    make_receipts(connection, readable)
    counts = receipt_counts(connection)
    store_failed(connection, loaded_at)
    store_bad_lines(connection, bad, load.stamp)
    store_addresses(connection, readable)
    rows = append(connection, readable, settings, loaded_at)
    outcomes = deduplicate(connection, readable, load.stamp)
    reports = []
    for path in readable:
        segment, counted = path.stem, counts.pop((path.stem, "events"), Counter())
        lost, conflicts = len(bad[segment]), outcomes[segment, "id_conflict"]
        duplicate = outcomes[segment, "duplicate"]
        report = LoadReport(
            kind="events",
            source=segment,
            received=counted["received"] + lost,
            loaded=rows.get(segment, 0) - duplicate - conflicts,
            duplicate=counted["duplicate"] + duplicate,
            failed=counted["failed"] + conflicts + lost,
            replaced=outcomes[segment, "replaced"],
            reasons={},
            limited=counted["limited"],
        )
        record_load(connection, report, Load(segment, segment, file_format, load.loaded_at))
        reports.append(report)
    anonymise_loaded(connection, [path.stem for path in readable])  # corrects the recorded counts
    files = {path.stem: path for path in readable}
    for (segment, kind), counted in sorted(counts.items()):
        load_of_kind = Load(f"{segment}/{kind}", segment, file_format, load.loaded_at)
        reports.append(_load_rows(connection, kind, files[segment], settings, load=load_of_kind, counted=counted))
    return reports


def archive_segment(connection: Connection, home: Home, path: Path) -> None:
    """Write a loaded segment as Parquet, one row for each receipt, and delete the segment."""
    damaged = damaged_lines(path)
    readable = without_lines(path, damaged, home.temporary) if damaged else path
    columns = dict.fromkeys(COUNTS, "bigint") | {"rows": "json", "failed": "json"}
    placed = write_partitioned(
        connection,
        'select kind, org as org_id, site as site_id, "at" as received_at, ip as ip_hash, ua as user_agent,'
        f' received, duplicate, limited, rows, failed, left("at", 10) as date from {receipts([readable], columns)}',
        home.temporary,
        home.archive / "landed",
        path.stem,
    )
    anonymise_archived(connection, home, placed)
    drop_temporary_tables(connection)
    path.unlink()
    if readable != path:
        readable.unlink()


def _loaded(connection: Connection, segments: Iterable[Path]) -> set[str]:
    rows = connection.execute(
        f"select distinct source from raw.loads where format = '{FORMAT}' and source in (select unnest($names))",
        {"names": [path.stem for path in segments]},
    ).fetchall()
    return {segment for (segment,) in rows}


def groups(paths: Iterable[Path], most: int = GROUP_BYTES) -> Iterator[list[Path]]:
    """Yield the files in groups of at most this many bytes; a larger file is a group of its own."""
    group: list[Path] = []
    size = 0
    for path in paths:
        if group and size + path.stat().st_size > most:
            yield group
            group, size = [], 0
        group.append(path)
        size += path.stat().st_size
    if group:
        yield group


def _load_rows(
    connection: Connection, kind: str, path: Path, settings: Settings, *, load: Load, counted: Counter[str]
) -> LoadReport:
    """Load rows of another kind than events, which are input rows of its contract, as the rows of a file are."""
    drop_temporary_tables(connection)
    connection.execute(
        f"""
        create temp table objects as
        select row_number() over () as line, row::varchar as text, org as _row_org, site as _row_site
        from (select org, site, unnest(rows) as row from {receipts([path], {"rows": "json[]"})} where kind = '{kind}')
        """
    )
    plan = plan_rows(connection, kind, source_of_objects(connection, id_columns({})), settings)
    return merge_rows(connection, plan, load, collector_counts=counted)
