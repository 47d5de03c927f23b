"""What the warehouse holds before any model runs: rows, loads, failures. The caller holds the build lock."""

from __future__ import annotations

import duckdb

TABLES = (
    "events",
    "interactions",
    "conversions",
    "ad_spend",
    "fees",
    "exchange_rates",
    "refunds",
    "postbacks",
    "survey_answers",
    "entities",
)


def raw_rows(connection: duckdb.DuckDBPyConnection) -> list[dict]:
    """One row a raw table: rows now, and its last load."""
    found = []
    for table in TABLES:
        rows, loaded_at = connection.execute(f"select count(*), max(_loaded_at) from raw.{table}").fetchone()
        found.append({"table": f"raw.{table}", "rows": rows, "loaded_at": loaded_at})
    return found


def failures(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, int, str]]:
    """(kind, reason, rows, one example with its file and line), the most frequent first."""
    return connection.execute("""
        select kind, reason, count(*), arg_min(source || coalesce(', line ' || line, '') || ': ' || detail, failed_id)
        from raw.failed_events
        group by kind, reason
        order by count(*) desc, kind, reason
    """).fetchall()
