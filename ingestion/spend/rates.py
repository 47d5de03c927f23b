"""Exchange rates that were fetched -> raw.exchange_rates, in one transaction, by the contract of files.

In: an NDJSON file, a line a rate: date, base, quote, rate (connectors.ecb.Rate), and a connection to the warehouse (the
caller holds the build lock). Out: new and changed rates; those that are known add nothing.
"""

from __future__ import annotations

import uuid
from glob import escape
from pathlib import Path

from ingestion.files.column_mapping import scope_of_rows
from ingestion.files.load import store
from ingestion.files.read import make_unreadable
from ingestion.loads import Load, LoadReport
from ingestion.settings.model import Settings
from ingestion.sql import Connection, drop_temporary_tables, literal, transaction

KIND = "exchange-rates"
_COLUMNS = ["date", "base", "quote", "rate"]


def load_rates(connection: Connection, rows: Path, settings: Settings, source: str = "ecb") -> LoadReport:
    """Load the rates of a file. source: who quotes them."""
    try:
        types = ", ".join(f"{name}: 'varchar'" for name in _COLUMNS)
        connection.execute(
            f"create temp table source as select *, null::varchar as _landed_org"
            f" from read_json({literal(escape(str(rows)))}, format = 'newline_delimited', columns = {{{types}}})"
        )
        connection.execute("create temp table source_lines (_row bigint, line bigint)")
        make_unreadable(connection)
        scope = scope_of_rows(connection, KIND, _COLUMNS, settings)
        with transaction(connection):
            return store(connection, KIND, scope, _COLUMNS, Load(uuid.uuid4().hex, source, "pull"))
    finally:
        drop_temporary_tables(connection)
