"""Count the events of the last 48 hours from the collector's segments, without the warehouse.

In: landing/ and archive/landed/ of a home. Out: Recent, for one org: provisional figures, before the load deduplicates,
excludes bots and joins identities. Nothing is locked or written, so that neither the collector nor a run waits.

A closed segment never changes, so that each is read once; the sums are kept in memory, by quarter of an hour. Segments
that are being written are read again each time; an incomplete last line is skipped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from glob import escape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from ingestion.home import Home
from ingestion.sql import literal

HOURS = 48
KEPT_SECONDS = 4.0  # between two looks into the folders
BATCH_BYTES = 100_000_000  # that one look reads: a large backlog is read in several looks
_ROW = "struct(type varchar, url varchar, path varchar, referrer varchar, source varchar)[]"
_BUCKET = "time_bucket(interval 15 minutes, received_at)"
_TABLES = """
    create table arrivals (segment varchar, org varchar, site varchar, bucket timestamp, newest timestamp, type varchar, events bigint);
    create table sources (segment varchar, org varchar, site varchar, bucket timestamp, kind varchar, name varchar, events bigint);
    create table requests (segment varchar, org varchar, site varchar, bucket timestamp, received bigint, duplicate bigint,
        failed bigint, limited bigint);
"""  # noqa: E501


@dataclass
class RecentEvents:
    """The sums of a home's recent segments. Threads may share it."""

    home: Home
    lock: threading.Lock = field(default_factory=threading.Lock)
    read: set[str] = field(default_factory=set)  # closed segments whose sums are in memory
    looked_at: float = float("-inf")  # of the monotonic clock
    pending_bytes: int = 0
    connection: duckdb.DuckDBPyConnection = field(
        default_factory=lambda: duckdb.connect(":memory:", config={"memory_limit": "1GB", "threads": 2})
    )

    def __post_init__(self) -> None:
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute(_TABLES)

    def of_org(self, org: str, sites: Iterable[str], timezone: str, now: datetime | None = None) -> dict[str, Any]:
        """Return what the sites of an org sent in the last 48 hours. Times are those of the zone, without an offset.

        hours: events by hour, site and type. totals: events, received, duplicate, failed, limited. newest: the time of
        the last event. sources, pages: of page views, the most frequent first. pending_bytes: of segments not yet read.
        """
        now = now or datetime.now(UTC)
        since = (now - timedelta(hours=HOURS)).replace(tzinfo=None)
        with self.lock:
            if time.monotonic() - self.looked_at > KEPT_SECONDS:
                self.refresh(since)
                self.looked_at = time.monotonic()
            return self._summary(org, list(sites), ZoneInfo(timezone), since)

    def refresh(self, since: datetime) -> None:
        """Read the segments that are new. since: naive UTC."""
        for attempt in range(3):
            landing, archived = self._segments(since)
            current = {**{path.stem: path for path in landing}, **{name: paths[0] for name, paths in archived.items()}}
            self._forget(since, self.read - set(current))
            batch: list[tuple[str, list[Path]]] = []
            size = self.pending_bytes = 0
            fresh = [(path.stem, [path]) for path in landing if path.suffix == ".open" or path.stem not in self.read]
            fresh += [(name, paths) for name, paths in archived.items() if name not in self.read]
            try:
                for name, paths in sorted(fresh, reverse=True):  # names begin with their time: the newest first
                    bytes_ = sum(path.stat().st_size for path in paths)
                    if batch and size + bytes_ > BATCH_BYTES:
                        self.pending_bytes += bytes_
                        continue
                    batch.append((name, paths))
                    size += bytes_
                self._add(batch)
            except (duckdb.IOException, FileNotFoundError):
                if attempt == 2:
                    raise
                continue  # a load archived a segment in between
            self.read |= {name for name, paths in batch if paths[0].suffix != ".open"}
            return

    def _segments(self, since: datetime) -> tuple[list[Path], dict[str, list[Path]]]:
        """Return the landed and the archived segments that may have rows of the period; no segment is in both."""
        oldest = since.replace(tzinfo=UTC).timestamp()
        landing = []
        for path in (*self.home.landing.glob("*.ndjson"), *self.home.landing.glob("*.open")):
            try:
                if path.stat().st_mtime >= oldest:
                    landing.append(path)
            except FileNotFoundError:  # closed or loaded in between
                continue
        landed = {path.stem for path in landing}
        archived: dict[str, list[Path]] = {}
        days = {f"{since + timedelta(days=number):%Y-%m-%d}" for number in range(HOURS // 24 + 2)}
        for day in days:
            for path in (self.home.archive / "landed").glob(f"*/date={day}/*.parquet"):
                segment = path.name.split(".")[0]
                if segment not in landed:
                    archived.setdefault(segment, []).append(path)
        return landing, archived

    def _forget(self, since: datetime, removed: set[str]) -> None:
        """Drop sums that are too old, and those of segments that left both folders."""
        for table in ("arrivals", "sources", "requests"):
            self.connection.execute(
                f"delete from {table} where bucket < $1 or list_contains($2, segment)",
                [since - timedelta(minutes=15), sorted(removed)],
            )
        self.read -= removed

    def _add(self, batch: list[tuple[str, list[Path]]]) -> None:
        if not batch:
            return
        run = self.connection.execute
        paths = [path for _, several in batch for path in several]
        landed = [path for path in paths if path.suffix != ".parquet"]
        archived = [path for path in paths if path.suffix == ".parquet"]
        parts = [part for part in (_landed(landed), _archived(archived)) if part]
        run(f"create or replace temp table batch as {' union all by name '.join(parts)}")
        for table in ("arrivals", "sources", "requests"):
            run(f"delete from {table} where list_contains($1, segment)", [[name for name, _ in batch]])
        run(
            f"insert into requests select segment, org, site, {_BUCKET}, sum(received), sum(duplicate), sum(failed),"
            " sum(limited) from batch group by all"
        )
        run(
            "create or replace temp table events as select segment, org, site, received_at, kind,"
            " unnest(rows, recursive := true) from batch where kind <> 'addresses'"
        )
        run(
            f"insert into arrivals select segment, org, site, {_BUCKET}, max(received_at),"
            " if(kind = 'events', type, kind), count(*) from events group by all"
        )
        run(
            f"""
            insert into sources
            with views as (
                select *, regexp_extract(url, '^https?://(?:www\\.)?([^/:?#]+)', 1) as host,
                    regexp_extract(referrer, '^https?://(?:www\\.)?([^/:?#]+)', 1) as referrer_host
                from events where kind = 'events' and type = 'PAGE_VIEW'
            ),
            named as (
                select *, coalesce(nullif(source, ''), nullif(nullif(referrer_host, host), '')) as source_name,
                    left(regexp_replace(host || coalesce(path, ''), '[^/]*(@|%40)[^/]*', '…', 'g'), 200) as page
                from views
            )
            select segment, org, site, {_BUCKET}, 'source', left(source_name, 100), count(*)
            from named where source_name is not null group by all
            union all
            select segment, org, site, {_BUCKET}, 'page', page, count(*) from named where page <> '' group by all
            """
        )
        run("drop table batch; drop table events")

    def _summary(self, org: str, sites: list[str], zone: ZoneInfo, since: datetime) -> dict[str, Any]:
        scope = "org = $org and (site is null or list_contains($sites, site)) and bucket >= $since"
        parameters = {"org": org, "sites": sites, "since": since}

        def rows(sql: str) -> list[tuple[Any, ...]]:
            return self.connection.execute(sql.replace("$scope", scope), parameters).fetchall()

        def local(moment: datetime) -> datetime:
            return moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)

        hours: dict[tuple[datetime, str, str], int] = {}
        for bucket, site, kind, events in rows(
            "select bucket, coalesce(site, ''), coalesce(type, ''), sum(events)::bigint from arrivals where $scope"
            " group by all"
        ):
            key = (local(bucket).replace(minute=0), site, kind)
            hours[key] = hours.get(key, 0) + events
        ((newest,),) = rows("select max(newest) from arrivals where $scope")
        names = "select name, sum(events)::bigint from sources where $scope and kind = '{}' group by all"
        (totals,) = rows(
            "select coalesce(sum(received), 0)::bigint, coalesce(sum(duplicate), 0)::bigint,"
            " coalesce(sum(failed), 0)::bigint, coalesce(sum(limited), 0)::bigint from requests where $scope"
        )
        return {
            "now": local(since) + timedelta(hours=HOURS),
            "newest": local(newest) if newest else None,
            "hours": [
                {"hour": hour, "site": site, "type": kind, "events": events}
                for (hour, site, kind), events in sorted(hours.items())
            ],
            "totals": dict(zip(("received", "duplicate", "failed", "limited"), totals, strict=True)),
            "sources": rows(f"{names.format('source')} order by 2 desc, 1 limit 10"),
            "pages": rows(f"{names.format('page')} order by 2 desc, 1 limit 10"),
            "pending_bytes": self.pending_bytes,
        }


def _landed(paths: list[Path]) -> str:
    if not paths:
        return ""
    columns = {
        **dict.fromkeys(("kind", "at", "org", "site"), "varchar"),
        **dict.fromkeys(("received", "duplicate", "limited"), "bigint"),
        "rows": _ROW,
        "failed": "json[]",
    }
    read = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
    return (
        'select parse_filename(filename, true) as segment, kind, org, site, try_cast("at" as timestamp) as received_at,'
        " coalesce(received, 0) as received, coalesce(duplicate, 0) as duplicate, coalesce(limited, 0) as limited,"
        " coalesce(len(failed), 0) as failed, rows"
        f" from read_json([{_list(paths)}], format = 'newline_delimited', hive_partitioning = false, filename = true,"
        f' ignore_errors = true, columns = {{{read}}}) where "at" is not null'
    )


def _archived(paths: list[Path]) -> str:
    if not paths:
        return ""
    return (
        "select string_split(parse_filename(filename), '.')[1] as segment, kind, org_id as org, site_id as site,"
        " try_cast(received_at as timestamp) as received_at, coalesce(received, 0) as received,"
        " coalesce(duplicate, 0) as duplicate, coalesce(limited, 0) as limited,"
        f" coalesce(json_array_length(failed), 0) as failed, from_json(rows, {literal(_json_shape())}) as rows"
        f" from read_parquet([{_list(paths)}], hive_partitioning = false, filename = true)"
    )


def _json_shape() -> str:
    names = ("type", "url", "path", "referrer", "source")
    return "[{" + ", ".join(f'"{name}": "VARCHAR"' for name in names) + "}]"


def _list(paths: list[Path]) -> str:
    return ", ".join(literal(escape(str(path))) for path in paths)
