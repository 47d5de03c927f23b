"""What a run ends with: what was loaded, the summary of the marts, where they are, what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ingestion.home import Home, build_lock, connect
from ingestion.status import failures, raw_rows
from serving.published import open_published
from serving.summary import summary, worst_flags


def closing(home: Home, say: Callable[[str], None]) -> Iterator[Any]:
    """What a run ends with: loaded rows, the summary of the marts, where they are, what to do next."""
    yield from loaded(home, say)
    with open_published(home.marts) as connection:
        yield from summary(connection)
        flags = worst_flags(connection, limit=1)
        conversion = connection.execute(
            "select conversion_id from conversion_touches order by touchpoint_count desc, conversion_id limit 1"
        ).fetchone()
    yield ""
    yield f"Published: {home.marts}"
    yield "Next:"
    if conversion:
        yield f"  tributary explain conversion {conversion[0]}"
    if flags:
        yield f"  tributary explain waste {flags[0]['waste_id'][:8]}"
    yield '  tributary query "select platform, sum(spend_micros) / 1e6, sum(conversions)'
    yield "    from daily_rollups where grain = 'PLATFORM' and accounting_mode = 'cash'"
    yield "    and attribution_model = 'linear' group by platform order by 2 desc\""


def loaded(home: Home, say: Callable[[str], None]) -> Iterator[Any]:
    """Rows of the raw tables, read under the lock."""
    with build_lock(home, "status", say), connect(home) as connection:
        rows, failed = raw_rows(connection), failures(connection)
    yield "Loaded: " + ", ".join(f"{row['rows']:,} {row['table'].removeprefix('raw.')}" for row in rows)
    if failed:
        yield f"Failed: {sum(count for _, _, count, _ in failed):,} rows, kept with their reason (tributary status)"
    yield ""
