"""Find the attribution models: those of the dbt project, and those of a home's folder models/.

In: the var `attribution_models` of dbt_project/dbt_project.yml; models/<name>.sql, an expression that weighs a touch;
models/<name>.csv, a table with the columns channel and weight. Out: names, expressions, rows of weights.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from ruamel.yaml import YAML

from ingestion.settings.model import Settings, SettingsError

DBT_PROJECT = Path(__file__).parents[1] / "dbt_project" / "dbt_project.yml"
LONGEST_JOURNEY = 6  # of the journeys on which an expression is tried

# Journeys of 1 to 6 touches, all or none or some of them Direct, as the columns of docs/add-an-attribution-model.md.
_JOURNEYS = f"""
    select
        count as journey, position, count as touchpoint_count,
        position % kind = 0 as is_direct,
        case when position % kind = 0 then 'Direct' when position % 2 = 0 then 'Email' else 'Search' end as channel,
        case when position % 2 = 0 then 'email' else 'google' end as platform,
        case when position % 3 = 0 then 'view' else 'click' end as touch_type,
        case when position % 2 = 0 then null else 'c' || position end as campaign_id,
        (position - position // kind)::bigint as non_direct_position,
        (count - count // kind)::bigint as non_direct_count,
        (count - position)::double as days_before_last,
        (count - position + 0.5)::double as days_before_conversion,
        date '2026-01-01' + position::integer as touch_date, 1 as day_touch_count, kind
    from (select unnest(range(1, {LONGEST_JOURNEY + 1})) as count),
        (select unnest([1, 2, 99]) as kind),
        lateral (select unnest(range(1, count + 1)) as position)
"""


class ModelError(SettingsError):
    """A model of the home's folder models/ is wrong. The message has its file and line."""


@cache
def built_in_models() -> tuple[str, ...]:
    """Return the names of the models of the dbt project, in its order."""
    return tuple(YAML(typ="safe").load(DBT_PROJECT)["vars"]["attribution_models"])


def dbt_variables(settings: Settings) -> dict[str, Any]:
    """Return the variables of dbt_project.yml that the settings replace: none for the built-in models."""
    own = [*settings.expression_models, *settings.weight_models]
    if not own and settings.attribution_models is None:
        return {}
    project = YAML(typ="safe").load(DBT_PROJECT)["vars"]
    return {
        "attribution_models": settings.attribution_models or [*built_in_models(), *own],
        "channel_weight_models": [*project["channel_weight_models"], *settings.weight_models],
        "expression_models": settings.expression_models,
    }


def all_models(home: Path) -> tuple[str, ...]:
    """Return the names of the built-in models, then of the home's. Raises ModelError."""
    return (*built_in_models(), *(path.stem for path in _files(home)))


def expressions(home: Path) -> dict[str, str]:
    """Return the SQL of each model of the home that is an expression, by name, each tried on made-up journeys.

    Raises ModelError.
    """
    return {path.stem: _expression(path) for path in _files(home) if path.suffix == ".sql"}


def weight_tables(home: Path) -> dict[str, dict[str, float]]:
    """Return the weights of channels of each model of the home that is a table, by name. Raises ModelError."""
    return {path.stem: dict(_weights(path)) for path in _files(home) if path.suffix == ".csv"}


def _files(home: Path) -> Sequence[Path]:
    """Return the files of the home's models, by name."""
    paths = sorted(path for path in (home / "models").glob("*") if path.suffix in (".sql", ".csv"))
    for path in paths:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", path.stem):
            raise ModelError(f"{path}: {path.stem!r} is no name of a model. Use lowercase letters, digits and _.")
        if path.stem in built_in_models():
            raise ModelError(f"{path}: {path.stem} is a built-in model. Rename the file.")
        if path.with_suffix(".sql").exists() and path.with_suffix(".csv").exists():
            raise ModelError(f"{path}: there is a {path.stem}.sql and a {path.stem}.csv. Rename one of them.")
    return paths


def _expression(path: Path) -> str:
    """Return the expression of a file, without its comments, after trying it on journeys."""
    text = path.read_text()
    lines = [re.sub(r"--.*", "", line).rstrip() for line in text.splitlines()]
    first = next((number for number, line in enumerate(lines, 1) if line), None)
    if first is None:
        raise ModelError(f"{path}:1: the file is empty. Write an expression such as: 1.0 / position")
    expression = "\n".join(line for line in lines if line)
    if ";" in expression or "{" in expression:
        raise ModelError(f"{path}:{first}: write one expression, without ; and without {{.")
    with duckdb.connect(config={"enable_external_access": False}) as connection:
        try:
            rows = connection.execute(
                f"select journey, kind, position, cast(({expression}) as double) from ({_JOURNEYS}) order by all"
            ).fetchall()
        except duckdb.Error as error:
            found = re.search(r"LINE (\d+):", str(error))
            line = min(first + (int(found[1]) - 1 if found else 0), len(lines))
            reason = str(error).partition("\n")[0].removeprefix("Parser Error: ").removeprefix("Binder Error: ")
            raise ModelError(
                f"{path}:{line}: {reason} docs/add-an-attribution-model.md lists the columns of a touch."
            ) from None
    totals: dict[tuple[int, int], float] = {}
    for journey, kind, position, weight in rows:
        if weight is None or not 0 <= weight < 1e6:
            raise ModelError(
                f"{path}:{first}: touch {position} of {journey} gets the weight {weight}. Each weight must be a number"
                " from 0 to 1,000,000."
            )
        totals[journey, kind] = totals.get((journey, kind), 0) + weight
    for (journey, _), total in totals.items():
        if not total:
            raise ModelError(
                f"{path}:{first}: all weights of a journey of {journey} touches are 0, so its credit cannot sum to 1."
                " Give at least one touch a weight."
            )
    return expression


def _weights(path: Path) -> Iterator[tuple[str, float]]:
    """Yield (channel, weight) of a table of weights."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames is None or not {"channel", "weight"} <= set(rows.fieldnames):
            raise ModelError(f"{path}:1: the header is not `channel,weight`. Write it as the first line.")
        for row in rows:
            try:
                weight = float(row["weight"])
            except (TypeError, ValueError):
                weight = -1
            if not row["channel"] or not 0 <= weight < 1e6:
                raise ModelError(
                    f"{path}:{rows.line_num}: write a channel and a weight from 0 to 1,000,000, such as `Email,0.5`."
                )
            yield row["channel"], weight
