"""What a run ends with: what was loaded, the summary of the marts, where they are, what to do next."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from typing import Any

from ingestion.home import Home
from serving.published import open_published
from serving.summary import summary, worst_flags


def closing(home: Home) -> Iterator[Any]:
    """What a run ends with: loaded rows, the summary of the marts, where they are, what to do next."""
    with open_published(home.marts) as connection:
        loaded = json.loads(connection.execute("select loaded from meta").fetchone()[0])
        yield "Loaded: " + ", ".join(f"{rows:,} {table}" for table, rows in loaded.items())
        yield ""
        yield from summary(connection)
        flags = worst_flags(connection, limit=1)
        conversion = connection.execute(
            "select conversion_id from conversion_touches order by touchpoint_count desc, conversion_id limit 1"
        ).fetchone()
    yield ""
    tributary = command_name()
    yield f"Published: {home.marts}"
    yield "Next:"
    if conversion:
        yield f"  {tributary} explain conversion {conversion[0]}"
    if flags:
        yield f"  {tributary} explain waste {flags[0]['waste_id'][:8]}"
    yield f'  {tributary} query "select platform, sum(spend_micros) / 1e6,'
    yield "    sum(conversions) from daily_rollups where grain = 'PLATFORM'"
    yield "    and accounting_mode = 'cash' and attribution_model = 'linear'"
    yield '    group by platform order by 2 desc"'


def command_name() -> str:
    """How this command is called from here, to be pasted."""
    return "tributary" if shutil.which("tributary") else os.path.relpath(sys.argv[0])
