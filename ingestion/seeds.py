"""The rules that dbt's models know, for what has to know them before. In: a seed's name. Out: its rows."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

SEEDS = Path(__file__).parents[1] / "dbt_project" / "seeds"


@cache
def seed(name: str) -> tuple[dict[str, str], ...]:
    with (SEEDS / f"{name}.csv").open(newline="") as file:
        return tuple(csv.DictReader(file))
