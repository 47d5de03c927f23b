"""Load everything in a receipt except its rows: counts, rejected rows, damaged lines, IP look-ups.

In: segments, in the caller's transaction. Out: raw.failed_events, raw.addresses and the counts by segment and kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ingestion.files.contracts import CONTRACTS, ContractError
from ingestion.segments.format import is_whole
from ingestion.segments.load_events import receipts
from ingestion.sql import Connection

COUNTS = ("received", "duplicate", "limited")
_FAILED = "struct(layer varchar, reason varchar, detail varchar, payload varchar)[]"
_ADDRESS = "struct(ip_hash varchar, country varchar, region varchar, is_data_centre boolean)[]"


def make_receipts(connection: Connection, paths: Sequence[Path]) -> None:
    """Create the temporary table `receipts`, without rows of events."""
    counts = ", ".join(f"coalesce({count}, 0) as {count}" for count in COUNTS)
    connection.execute(
        f"create temp table receipts as select * replace ({counts})"
        f" from {receipts(paths, dict.fromkeys(COUNTS, 'bigint') | {'failed': _FAILED})}"
    )


class BadLine(NamedTuple):
    """A line of a segment that becomes a failed row instead of rows of raw tables."""

    reason: str  # a code
    detail: str  # a sentence for a person
    line: str


def damaged_lines(path: Path) -> dict[int, BadLine]:
    """Return the lines of a segment with a wrong checksum, by their number from 0."""
    detail = "the checksum does not fit the line: it was damaged on disk, or changed"
    with path.open("rb") as file:
        return {
            number: BadLine("torn_line", detail, line.decode("utf-8", "replace"))
            for number, line in enumerate(file)
            if not is_whole(line)
        }


def without_lines(path: Path, numbers: Container[int], temporary: Path) -> Path:
    """Return a copy of the same name without these lines: DuckDB loses rows around a line that it cannot read."""
    copy = temporary / path.name
    with path.open("rb") as file, copy.open("wb") as sound:
        sound.writelines(line for number, line in enumerate(file) if number not in numbers)
    return copy


def receipt_counts(connection: Connection) -> dict[tuple[str, str], Counter[str]]:
    """Return the counts in receipts by (segment, kind): received, duplicate, limited and failed rows."""
    counted = connection.execute(
        """
        select segment, kind, sum(received), sum(duplicate), sum(limited), sum(coalesce(len(failed), 0))
        from receipts where kind <> 'addresses' group by all
        """
    ).fetchall()
    unknown = {kind for _, kind, *_ in counted} - CONTRACTS.keys()
    if unknown:
        raise ContractError(f"this version does not know rows of kind {', '.join(sorted(unknown))}: upgrade Tributary")
    outcomes = (*COUNTS, "failed")
    return {
        (segment, kind): Counter(dict(zip(outcomes, map(int, counts), strict=True)))
        for segment, kind, *counts in counted
    }


def store_failed(connection: Connection, loaded_at: str) -> None:
    """Store the rejected rows. loaded_at: SQL of the time of the load."""
    connection.execute(
        f"""
        insert into raw.failed_events by name
        select distinct on (failed_id) md5(kind || coalesce(org, '') || payload) as failed_id, kind, org as org_id,
            site as site_id, segment as source, layer, reason, detail, payload, ua as user_agent, ip as ip_hash,
            "at"::timestamp as received_at, segment || if(kind = 'events', '', '/' || kind) as _load_id,
            {loaded_at} as _loaded_at
        from (select *, unnest(failed, recursive := true) from receipts)
        where failed_id not in (select failed_id from raw.failed_events)
        order by failed_id, received_at
        """
    )


def store_bad_lines(connection: Connection, bad: Mapping[str, Mapping[int, BadLine]], stamp: str) -> None:
    """Store bad lines as failed rows, redacted. bad: by segment and number. stamp: SQL of _load_id and _loaded_at."""
    for segment, lines in bad.items():
        if not lines:
            continue
        connection.execute(
            f"""
            insert into raw.failed_events by name
            select distinct on (failed_id) md5('events' || payload) as failed_id, 'events' as kind, $segment as source,
                'schema' as layer, reason, detail, payload, $segment as _load_id, _loaded_at
            from (select reason, detail, redact_text(left(line, 10000)) as payload
                from (select unnest($lines, recursive := true)))
            cross join (select {stamp}) as load (_load_id, _loaded_at)
            where failed_id not in (select failed_id from raw.failed_events)
            """,
            {"segment": segment, "lines": [line._asdict() for line in lines.values()]},
        )


def store_addresses(connection: Connection, paths: Sequence[Path]) -> None:
    """Store the most complete row of each address. Only segments with addresses are read again."""
    found = connection.execute("select distinct segment from receipts where kind = 'addresses'").fetchall()
    with_addresses = [path for path in paths if (path.stem,) in found]
    if with_addresses:
        connection.execute(
            f"""
            create temp table addresses as
            with landed as (
                select unnest(rows, recursive := true) from {receipts(with_addresses, {"rows": _ADDRESS})}
                where kind = 'addresses'
            )
            select distinct on (ip_hash) ip_hash, country, region, is_data_centre
            from (from landed union all by name from raw.addresses semi join landed using (ip_hash))
            order by ip_hash, country nulls last, region nulls last, is_data_centre desc nulls last;
            delete from raw.addresses where ip_hash in (select ip_hash from addresses);
            insert into raw.addresses by name from addresses;
            drop table addresses
            """
        )
