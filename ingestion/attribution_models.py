"""List the attribution models, for settings that name one.

In: the var `attribution_models` of dbt_project/dbt_project.yml. Out: names.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

DBT_PROJECT = Path(__file__).parents[1] / "dbt_project" / "dbt_project.yml"


@cache
def attribution_models() -> tuple[str, ...]:
    """Return the names of the attribution models, in the order of the project."""
    return tuple(YAML(typ="safe").load(DBT_PROJECT)["vars"]["attribution_models"])
