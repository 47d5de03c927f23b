"""Recompute claimed_vs_attributed of a simulated fortnight in plain Python from touchpoints and conversions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from tests.support.home import published

NO_AD_PLATFORM = {"(organic)", "(unmatched)", "(unattributed)"}


@pytest.fixture(scope="module")
def marts(built: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with published(built) as connection:
        yield connection


@pytest.fixture(scope="module")
def warehouse(built: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(built / "warehouse.duckdb"), read_only=True) as connection:
        yield connection


def test_overlaps_equal_those_computed_in_python(
    marts: duckdb.DuckDBPyConnection, warehouse: duckdb.DuckDBPyConnection
) -> None:
    orgs = {
        org: (ZoneInfo(zone), timedelta(days=days))
        for org, zone, days in warehouse.execute("select org_id, timezone, lookback_days from raw.orgs").fetchall()
    }
    journeys = defaultdict(list)
    for org, person, *touch in marts.execute(
        "select org_id, person_key, occurred_at, platform, coalesce(campaign_id, '(unmatched)') from touchpoints"
    ).fetchall():
        journeys[org, person].append(touch)

    expected: dict[tuple, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for org, person, at, value in marts.execute(
        "select org_id, person_key, occurred_at, value_micros from conversions where conversion_type = 'purchase'"
    ).fetchall():
        zone, window = orgs[org]
        days = {}
        for touched_at, platform, campaign in sorted(journeys[org, person]):
            if platform not in NO_AD_PLATFORM and at - window <= touched_at <= at:
                dated_at = at if platform in ("meta", "snapchat") else touched_at
                days[platform, campaign] = dated_at.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).date()
        shared = len({platform for platform, _ in days}) > 1
        for (platform, campaign), day in days.items():
            figures = (1, value, int(shared), value * shared)
            key = org, day, platform, campaign
            expected[key] = [one + more for one, more in zip(expected[key], figures, strict=True)]

    found = {
        (org, day, platform, campaign): figures
        for org, day, platform, campaign, *figures in marts.execute("""
            select distinct org_id, date, platform, campaign_id,
                touched_conversions, touched_value_micros, overlap_conversions, overlap_value_micros
            from claimed_vs_attributed where touched_conversions <> 0""").fetchall()
    }
    assert found == expected
    assert sum(figures[2] for figures in expected.values()) > 0, "the fortnight has no overlap to find"


def test_claims_equal_the_reported_conversions_under_each_model(
    marts: duckdb.DuckDBPyConnection, warehouse: duckdb.DuckDBPyConnection
) -> None:
    reported = warehouse.execute("""
        select org_id, platform, campaign_id, sum(cast(platform_conversions as decimal(38, 6)))
        from raw.ad_spend where level is null
        group by all having sum(platform_conversions) <> 0 order by all""").fetchall()
    values = warehouse.execute("""
        select org_id, platform, sum(platform_value_micros)
        from raw.ad_spend where level is null
        group by all
        having bool_and(currency = (select currency from raw.orgs where orgs.org_id = ad_spend.org_id))
            and sum(platform_value_micros) <> 0
        order by all""").fetchall()
    models = [name for (name,) in marts.execute("select distinct attribution_model from daily_rollups").fetchall()]
    assert reported
    assert values
    for model in models:
        claimed = marts.execute(
            """
            select org_id, platform, campaign_id, sum(claimed_conversions)
            from claimed_vs_attributed where attribution_model = ?
            group by all having sum(claimed_conversions) <> 0 order by all""",
            [model],
        ).fetchall()
        assert claimed == reported
        claimed_values = marts.execute(
            """
            select org_id, platform, sum(claimed_value_micros) from claimed_vs_attributed
            where attribution_model = ? group by all""",
            [model],
        ).fetchall()
        assert set(values) <= set(claimed_values)


def test_credit_equals_the_rollups_and_claims_are_not_in_them(marts: duckdb.DuckDBPyConnection) -> None:
    credited = marts.execute("""
        select org_id, date, platform, campaign_id, attribution_model, conversions, conversion_value_micros
        from daily_rollups
        where grain = 'CAMPAIGN' and platform not like '(%' and conversion_type = 'purchase'
            and accounting_mode = if(platform in ('meta', 'snapchat'), 'cash', 'accrual')
            and (conversions <> 0 or conversion_value_micros <> 0)
        order by all""").fetchall()
    shown = marts.execute("""
        select org_id, date, platform, campaign_id, attribution_model, attributed_conversions, attributed_value_micros
        from claimed_vs_attributed
        where attributed_conversions <> 0 or attributed_value_micros <> 0
        order by all""").fetchall()
    assert shown == credited
    booked = marts.execute("select count(*), sum(value_micros) from conversions").fetchone()
    assert marts.execute("""
        select sum(conversions), sum(conversion_value_micros) from daily_rollups
        where grain = 'ORGANIZATION' and accounting_mode = 'cash' and attribution_model = 'linear'""").fetchone() == (
        Decimal(booked[0]),
        booked[1],
    )
