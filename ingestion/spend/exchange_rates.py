"""Load fetched exchange rates into raw.exchange_rates, by the same contract as files.

In: an NDJSON file of connectors.ecb.Rate, and a connection to the warehouse with the build lock. Out:
new and changed rates, in one transaction; known rates add nothing.
"""

from __future__ import annotations

import uuid
from glob import escape
from pathlib import Path

from ingestion.files.column_mapping import plan_rows
from ingestion.files.merge import merge_rows
from ingestion.loads import Load, LoadReport
from ingestion.settings.model import Settings
from ingestion.sql import Connection, drop_temporary_tables, literal, transaction

KIND = "exchange-rates"
_COLUMNS = ["date", "base", "quote", "rate"]


def load_exchange_rates(connection: Connection, rows: Path, settings: Settings) -> LoadReport:
    """Load the European Central Bank's rates from a file."""
    try:
        types = ", ".join(f"{name}: 'varchar'" for name in _COLUMNS)
        connection.execute(
            f"create temp table source as select *, null::varchar as _row_org"
            f" from read_json({literal(escape(str(rows)))}, format = 'newline_delimited', columns = {{{types}}})"
        )
        plan = plan_rows(connection, KIND, _COLUMNS, settings)
        with transaction(connection):
            return merge_rows(connection, plan, Load(load_id=uuid.uuid4().hex, source="ecb", format="pull"))
    finally:
        drop_temporary_tables(connection)
