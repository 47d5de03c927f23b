"""Render macros of the dbt project, for rules that raw tables and models share.

In: the name of a macro that is plain Jinja, in a file of its name. Out: its SQL.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment

MACROS = Path(__file__).parents[1] / "dbt_project" / "macros"


def macro_sql(name: str, *arguments: str) -> str:
    """Return the SQL of `macros/<name>.sql` for these arguments."""
    template = Environment(autoescape=False).from_string((MACROS / f"{name}.sql").read_text())
    return str(getattr(template.module, name)(*arguments))
