"""Read dbt's seeds, for code that needs the rules before dbt runs.

In: a seed's name. Out: its rows.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

SEEDS = Path(__file__).parents[1] / "dbt_project" / "seeds"


@cache
def seed(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of dbt_project/seeds/<name>.csv: column -> text."""
    with (SEEDS / f"{name}.csv").open(newline="") as file:
        return tuple(csv.DictReader(file))
