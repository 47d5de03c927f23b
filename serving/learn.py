"""Fit the constants of attribution models to the published journeys.

In: an org and a conversion type. Out: the half-life of time decay, with its uncertainty.
"""

from __future__ import annotations

from typing import NamedTuple

import duckdb

from attribution.half_life import HalfLife, fit_half_life
from serving.published import NotFound, records

IGNORED_HOURS = 24.0
# A journey without a conversion ends when a conversion would no longer count, or with the org's data.
JOURNEYS = """
    with latest as (
        select max(occurred_at) as ends_at from (
            select occurred_at from touchpoints where org_id = $org
            union all
            select occurred_at from conversions where org_id = $org
        )
    ),
    touches as (
        select
            journeys.journey_id,
            journeys.is_converted,
            journeys.sample_weight,
            coalesce(
                journeys.converted_at, least(journeys.last_touch_at + to_days($window::integer), latest.ends_at)
            ) as ends_at,
            unnest(journeys.touchpoint_ids) as touchpoint_id
        from journeys cross join latest
        where journeys.org_id = $org and journeys.conversion_type = $type
    )
    select
        journey_id,
        any_value(touches.is_converted) as is_converted,
        any_value(touches.sample_weight)::double as weight,
        list(
            greatest(epoch_us(touches.ends_at) - epoch_us(touchpoints.occurred_at), 0) / 86400e6
            order by touchpoints.occurred_at
        ) as ages
    from touches join touchpoints using (touchpoint_id)
    where touchpoints.org_id = $org
    group by journey_id order by journey_id
"""


class Learned(NamedTuple):
    """A fitted half-life, and the org and the settings that it is for."""

    org: str
    conversion_type: str
    lookback_days: int
    present_days: float
    ignored_hours: float
    fitted: HalfLife


def learn_half_life(
    connection: duckdb.DuckDBPyConnection,
    org: str | None = None,
    conversion_type: str | None = None,
    ignored_hours: float = IGNORED_HOURS,
) -> Learned:
    """Fit the half-life of an org. The org may be omitted if there is one, the type for the main one.

    ignored_hours: before a conversion, whose touches belong to the visit that converts, or to one that prepares it.
    Raises NotFound, and NotEnoughData with what is missing.
    """
    orgs = records(connection.execute("select org_id, half_life_days from orgs order by org_id"))
    chosen = [row for row in orgs if org in (None, row["org_id"])]
    if len(chosen) != 1:
        problem = "" if org is None else f"There is no org {org}. "
        raise NotFound(f"{problem}Add --org with one of {', '.join(row['org_id'] for row in orgs)}.")
    windows = records(
        connection.execute(
            "select * from conversion_windows where org_id = ? and is_main_window"
            " order by not is_main_type, conversion_type",
            [chosen[0]["org_id"]],
        )
    )
    fitting = [row for row in windows if conversion_type in (None, row["conversion_type"])]
    if not fitting:
        known = ", ".join(row["conversion_type"] for row in windows)
        raise NotFound(f"There is no conversion type {conversion_type}. Use one of {known}.")
    identity = {
        "org": chosen[0]["org_id"],
        "type": fitting[0]["conversion_type"],
        "window": fitting[0]["lookback_days"],
    }
    journeys = connection.execute(JOURNEYS, identity).fetchall()
    fitted = fit_half_life(
        lengths=[len(ages) for *_, ages in journeys],
        ages=[age for *_, ages in journeys for age in ages],
        conversions=[is_converted for _, is_converted, *_ in journeys],
        weights=[weight for _, _, weight, _ in journeys],
        ignored_days=ignored_hours / 24,
    )
    present = chosen[0]["half_life_days"]
    return Learned(identity["org"], identity["type"], identity["window"], present, ignored_hours, fitted)
