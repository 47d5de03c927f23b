"""The end of a run. In: the published version. Out: loaded rows, figures, waste, promises, notices, next commands."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from typing import Any

from rich.markup import escape

from ingestion.home import Home
from serving.published import open_published, scalar
from serving.summary import summary, typical_conversion, worst_flags


def run_summary(home: Home) -> Iterator[Any]:
    """Yield the paragraphs and tables of the summary."""
    with open_published(home.marts) as connection:
        loaded = json.loads(scalar(connection, "select loaded from meta"))
        yield "Loaded: " + ", ".join(f"{rows:,} {table}" for table, rows in loaded.items())
        yield ""
        yield from summary(connection)
        flags = worst_flags(connection, limit=1)
        conversion = typical_conversion(connection)
        org = scalar(connection, "select org_id from campaign_daily group by org_id order by sum(spend) desc, org_id")
    yield ""
    tributary = command_name()
    yield f"Published: {home.marts}"
    yield "Next:"
    if conversion:
        yield f"  {tributary} explain conversion {escape(conversion)}"
    if flags:
        yield f"  {tributary} explain waste {flags[0]['waste_id'][:8]}"
    if org:
        yield f'  {tributary} query "select campaign, currency, sum(spend) as spend,'
        yield "    sum(conversion_value) / sum(spend) as roas from campaign_daily"
        yield f"    where org_id = '{escape(org)}' group by all"
        yield '    having sum(spend) > 0 order by spend desc limit 10"'
    yield ""
    yield "Open the dashboard and the API on http://127.0.0.1:8600:"
    yield f"  {tributary} serve"


def command_name() -> str:
    """Return the name by which a person can call this command here."""
    return "tributary" if shutil.which("tributary") else os.path.relpath(sys.argv[0])
