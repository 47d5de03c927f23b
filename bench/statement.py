"""Compare the attribution model with one hand-written SQL statement that does the same in bare DuckDB.

In: a built home. Out: the seconds of both and their ratio, on the same data in the same process.
BY_HAND is also one of the implementations that heuristic_models.py compares.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping

import duckdb

from ingestion.home import Home
from ingestion.warehouse import memory_limit

# The attribution model: the pairs of conversions and touches, then their credit.
PAIRS, MODEL = "int_journey_touches", "int_conversion_touches"


def compiled(home: Home, model: str) -> str | None:
    """Return the SQL of a model as dbt compiled it; None if the project has no such model."""
    path = next((home.root / "dbt" / "compiled").glob(f"**/{model}.sql"), None)
    return path.read_text() if path else None


def steps(home: Home, model: str, result: str) -> dict[str, str]:
    """Return the SQL of a model and of the pairs that it reads, by the table that stores each."""
    found = {f"intermediate.{PAIRS}": compiled(home, PAIRS), result: compiled(home, model)}
    assert all(found.values()), f"dbt did not compile {PAIRS} and {model}"
    return {table: sql for table, sql in found.items() if sql}


def compare(home: Home) -> None:
    """Time the model and the statement three times each, and print the fastest of each."""
    copy = home.root / "compare" / home.warehouse.name  # the same name, which the compiled SQL has
    copy.parent.mkdir()
    shutil.copyfile(home.warehouse, copy)
    model, by_hand = steps(home, MODEL, "model"), {"by_hand": BY_HAND}
    with duckdb.connect(
        str(copy), config={"memory_limit": memory_limit(), "temp_directory": str(home.temporary)}
    ) as connection:
        connection.execute("set TimeZone = 'UTC'")
        timed(connection, model)  # once unmeasured, so that both find the tables in memory
        seconds: dict[str, list[float]] = {"by hand": [], "model": []}
        for _ in range(3):
            seconds["model"].append(timed(connection, model))
            seconds["by hand"].append(timed(connection, by_hand))
        check_same(connection)
    ours, theirs = min(seconds["model"]), min(seconds["by hand"])
    print(f"  attribution {ours:.1f} s, by hand {theirs:.1f} s, ratio {ours / theirs:.2f}")


def timed(connection: duckdb.DuckDBPyConnection, queries: Mapping[str, str]) -> float:
    """Return the seconds that it takes to store the result of each query in its table."""
    began = time.monotonic()
    for table, sql in queries.items():
        connection.execute(f"create or replace table {table} as {sql}")
        connection.execute("checkpoint")
    return time.monotonic() - began


def check_same(connection: duckdb.DuckDBPyConnection) -> None:
    """A comparison of two different results would compare nothing."""
    different = connection.execute("""
        select count(*) from model full join by_hand using (conversion_id, touchpoint_id)
        where model.position is distinct from by_hand.position
            or abs(model.linear_credit / 1e12 - by_hand.linear) > 1e-9
            or abs(model.time_decay_credit / 1e12 - by_hand.time_decay) > 1e-9
            or abs(model.position_based_credit / 1e12 - by_hand.position_based) > 1e-9
            or abs(model.daily_linear_credit / 1e12 - by_hand.daily_linear) > 1e-9
            or model.last_non_direct_credit / 1e12 <> by_hand.last_non_direct
            or abs(model.linear_value_micros - by_hand.linear_value) > 1
    """).fetchone()[0]
    if different:
        sys.exit(f"the model and the statement by hand differ in {different:,} rows")


# What an analyst would write for one org in UTC at 30 days: the same seven models, weights and money to the micro.
BY_HAND = """
    with pairs as (
        select c.conversion_id, c.date as conversion_date, c.value_micros, t.*
        from marts.conversions c join marts.touchpoints t using (org_id, person_key)
        where t.occurred_at between c.occurred_at - interval 720 hours and c.occurred_at
    ),
    numbered as (
        select *, occurred_at::date as day, row_number() over journey as k, count(*) over touches as n,
            max(case when not is_direct then occurred_at end) over touches as last_non_direct_at,
            count(*) over (partition by conversion_id, occurred_at::date) as m,
            power(2, -(epoch_us(max(occurred_at) over touches) - epoch_us(occurred_at)) / 86400e6 / 7) as decay
        from pairs
        window touches as (partition by conversion_id),
            journey as (partition by conversion_id order by occurred_at, touchpoint_id)
    ),
    weighted as (
        select *,
            case when k = 1 then 1.0::double else 0 end as first_touch,
            case when k = n then 1.0::double else 0 end as last_touch,
            case when last_non_direct_at is null then (k = n)::int::double
                when not is_direct and occurred_at = last_non_direct_at
                    and row_number() over (
                        partition by conversion_id, is_direct, occurred_at order by touchpoint_id desc
                    ) = 1 then 1.0::double else 0 end as last_non_direct,
            1.0::double / n as linear,
            decay / sum(decay) over touches as time_decay,
            case when n = 1 then 1.0::double when n = 2 then 0.5 when k in (1, n) then 0.4
                else 0.2 / (n - 2) end as position_based,
            (1.0::double / m) / sum(1.0::double / m) over touches as daily_linear
        from numbered
        window touches as (partition by conversion_id)
    )
    select org_id, conversion_id, touchpoint_id, k as position, n as touchpoint_count, conversion_date, day,
        channel, platform, campaign_id, adset_id, ad_id, {weights_and_values}
    from weighted
    window journey as (partition by conversion_id order by occurred_at, touchpoint_id)
""".replace(
    "{weights_and_values}",
    ", ".join(
        f"{model}, (round(value_micros * sum({model}) over journey)"
        f" - round(value_micros * (sum({model}) over journey - {model})))::bigint as {model}_value"
        for model in (
            "first_touch",
            "last_touch",
            "last_non_direct",
            "linear",
            "time_decay",
            "position_based",
            "daily_linear",
        )
    ),
)
