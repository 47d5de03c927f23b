"""What receipts tell beside their rows, in the caller's transaction: tallies, refused rows, torn lines, addresses.

In: segments, and `receipts`, the temporary table of what their lines say of themselves.
Out: raw.failed_events, raw.addresses and the tallies by segment and kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ingestion.files.contracts import CONTRACTS, ContractError
from ingestion.privacy import scrubbed_text
from ingestion.segments.format import is_whole
from ingestion.segments.load_events import receipts
from ingestion.sql import Connection

COUNTS = ("received", "duplicate", "limited")
_TORN = "the line is not what the collector wrote: it was damaged on disk, or changed"
_FAILED = "struct(layer varchar, reason varchar, detail varchar, payload varchar)[]"
_ADDRESS = "struct(ip_hash varchar, country varchar, region varchar, is_data_centre boolean)[]"


def make_receipts(connection: Connection, paths: Sequence[Path]) -> None:
    """Make `receipts`, without the rows."""
    brought = ", ".join(f"coalesce({count}, 0) as {count}" for count in COUNTS)
    connection.execute(
        f"create temp table receipts as select * replace ({brought})"
        f" from {receipts(paths, dict.fromkeys(COUNTS, 'bigint') | {'failed': _FAILED})}"
    )


def torn_lines(path: Path) -> list[str]:
    with path.open("rb") as file:
        return [line.decode("utf-8", "replace") for line in file if not is_whole(line)]


def without_torn_lines(path: Path, temporary: Path) -> Path:
    """A copy under the same name: DuckDB loses rows around a line that it cannot read."""
    copy = temporary / path.name
    with path.open("rb") as file, copy.open("wb") as sound:
        sound.writelines(line for line in file if is_whole(line))
    return copy


def answered(connection: Connection) -> dict[tuple[str, str], Counter[str]]:
    """(segment, kind) -> what the receipts say, in rows."""
    tallies = connection.execute(
        """
        select segment, kind, sum(received), sum(duplicate), sum(limited), sum(coalesce(len(failed), 0))
        from receipts where kind <> 'addresses' group by all
        """
    ).fetchall()
    unknown = {kind for _, kind, *_ in tallies} - CONTRACTS.keys()
    if unknown:
        raise ContractError(f"rows of a kind that this version does not know: {', '.join(sorted(unknown))}: upgrade")
    outcomes = (*COUNTS, "failed")
    return {
        (segment, kind): Counter(dict(zip(outcomes, map(int, counts), strict=True)))
        for segment, kind, *counts in tallies
    }


def keep_failed(connection: Connection, stamp: str) -> None:
    connection.execute(
        f"""
        insert into raw.failed_events by name
        select distinct on (failed_id) md5(kind || coalesce(org, '') || payload) as failed_id, kind, org as org_id,
            site as site_id, segment as source, layer, reason, detail, payload, ua as user_agent, ip as ip_hash,
            "at"::timestamp as received_at, segment || if(kind = 'events', '', '/' || kind) as _load_id,
            {stamp} as _loaded_at
        from (select *, unnest(failed, recursive := true) from receipts)
        where failed_id not in (select failed_id from raw.failed_events)
        order by failed_id, received_at
        """
    )


def keep_torn(connection: Connection, torn: dict[str, list[str]], stamp: str) -> None:
    for segment, lines in torn.items():
        connection.execute(
            f"""
            insert into raw.failed_events by name
            select distinct on (failed_id) md5('events' || payload) as failed_id, 'events' as kind, $segment as source,
                'schema' as layer, 'torn_line' as reason, '{_TORN}' as detail, payload,
                $segment as _load_id, _loaded_at
            from (select {scrubbed_text("left(line, 10000)")} as payload from (select unnest($lines) as line))
            cross join (select {stamp}) as load (_load_id, _loaded_at)
            where failed_id not in (select failed_id from raw.failed_events)
            """,
            {"segment": segment, "lines": lines},
        )


def keep_addresses(connection: Connection, paths: Sequence[Path]) -> None:
    """Of one address the row that says most, whichever came first. Only segments that have any are read once more."""
    found = connection.execute("select distinct segment from receipts where kind = 'addresses'").fetchall()
    its = [path for path in paths if (path.stem,) in found]
    if its:
        connection.execute(
            f"""
            create temp table addresses as
            with landed as (
                select unnest(rows, recursive := true) from {receipts(its, {"rows": _ADDRESS})}
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
