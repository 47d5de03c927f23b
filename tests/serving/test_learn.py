"""The journeys behind a fitted half-life: the ages of touches at the end of each journey, and when a journey ends."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import polars as pl
import pytest

from attribution.half_life import HalfLife, NotEnoughData, fit_half_life
from ingestion.simulator.calendar_days import calendar_of
from ingestion.simulator.journeys import simulate_journeys
from serving import learn
from serving.published import NotFound
from tests.support.half_life import simulated

TABLES = """
create table orgs as from (values ('o', 7.0), ('p', 3.0)) as t(org_id, half_life_days);
create table conversion_windows as from (values
    ('o', 'purchase', true, 10, true), ('o', 'lead', false, 5, true), ('o', 'purchase', true, 1, false),
    ('p', 'purchase', true, 10, true)
) as t(org_id, conversion_type, is_main_type, lookback_days, is_main_window);
create table touchpoints as from (values
    ('o', 'a', timestamp '2026-01-01'), ('o', 'b', timestamp '2026-01-03'), ('o', 'c', timestamp '2026-01-02'),
    ('o', 'd', timestamp '2026-01-20'), ('p', 'a', timestamp '2026-02-01')
) as t(org_id, touchpoint_id, occurred_at);
alter table touchpoints add column sample_weight decimal(9, 6) default 1;
create table conversions as from (values ('o', timestamp '2026-01-05'), ('o', timestamp '2026-01-25 12:00:00'))
    as t(org_id, occurred_at);
create table journeys as from (values
    ('o', 'purchase', 'bought', true, 1.0, timestamp '2026-01-03', timestamp '2026-01-05', ['a', 'b']),
    ('o', 'purchase', 'gone', false, 2.0, timestamp '2026-01-02', null, ['c']),
    ('o', 'purchase', 'recent', false, 1.0, timestamp '2026-01-20', null, ['d']),
    ('p', 'purchase', 'other', false, 1.0, timestamp '2026-02-01', null, ['a'])
) as t(org_id, conversion_type, journey_id, is_converted, sample_weight, last_touch_at, converted_at, touchpoint_ids);
"""


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        yield connection


def test_ages_end_at_the_conversion_the_window_or_the_last_day(connection, monkeypatch):
    given = {}
    fitted = HalfLife(5.0, 4.0, 6.0, 0.1, 0.2, 3, 1)
    monkeypatch.setattr(learn, "fit_half_life", lambda **columns: given.update(columns) or fitted)
    learned = learn.learn_half_life(connection, "o")
    assert learned == ("o", "purchase", 10, 7.0, 24.0, fitted)
    assert given == {
        "lengths": [2, 1, 1],
        "ages": [4.0, 2.0, 10.0, 5.5],  # bought: from a and b; gone: a window of ten days; recent: the end of the data
        "conversions": [True, False, False],
        "weights": [1.0, 2.0, 1.0],
        "ignored_days": 1.0,
    }


def test_a_known_half_life_is_learned_from_the_marts(connection, tmp_path):
    """Journeys with one or two touches, which raise the rate of conversions by 0.02 a day, halved each week."""
    journeys = simulated(5, 7.0, 3_000)
    ends = np.repeat(np.arange(3_000), journeys["lengths"])
    touches = pl.DataFrame({"journey": ends, "age": journeys["ages"]}).with_row_index("touch")
    outcomes = pl.DataFrame({"journey": np.arange(3_000), "is_converted": np.array(journeys["conversions"]) == 1})
    for name, table in {"touches": touches, "outcomes": outcomes}.items():
        table.write_parquet(tmp_path / f"{name}.parquet")
        connection.execute(f"create view simulated_{name} as from '{tmp_path}/{name}.parquet'")
    connection.execute("""
        insert into orgs values ('q', 7.0);
        insert into conversion_windows values ('q', 'purchase', true, 60, true);
        insert into touchpoints (org_id, touchpoint_id, occurred_at)
        select 'q', touch::varchar, timestamp '2026-06-01' - to_microseconds((age * 86400e6)::bigint)
        from simulated_touches;
        insert into conversions values ('q', timestamp '2026-06-01');
        insert into journeys
        select 'q', 'purchase', journey::varchar, any_value(is_converted), 1.0,
            max(timestamp '2026-06-01' - to_microseconds((age * 86400e6)::bigint)),
            if(any_value(is_converted), timestamp '2026-06-01', null), list(touch::varchar)
        from simulated_touches join simulated_outcomes using (journey) group by journey
    """)
    learned = learn.learn_half_life(connection, "q")
    assert learned.fitted.low < 7 < learned.fitted.high < 1.5 * learned.fitted.low


def test_the_simulated_shops_have_a_half_life():
    """The visit that buys is a touch, minutes before the order: on its own it would make the half-life an hour."""
    visits, _ = simulate_journeys(np.random.default_rng(7), calendar_of(date(2026, 7, 1), 92), 240_000)
    visits = visits.with_columns(
        journey=pl.col("converts").cast(pl.Int64).cum_sum().over("person") - pl.col("converts").cast(pl.Int64)
    )
    journeys = (
        visits.group_by("person", "journey", "org")
        .agg("time", pl.col("end").last(), pl.col("converts").last())
        .with_columns(
            ends=pl.when("converts")
            .then("end")
            .otherwise(pl.min_horizontal(pl.col("time").list.max() + 30 * 86_400, pl.lit(visits["end"].max())))
        )
        .explode("time")
        .filter(pl.col("ends") - pl.col("time") <= 30 * 86_400)
        .sort("person", "journey", "time")
    )
    lengths = journeys.group_by("person", "journey", maintain_order=True).agg(pl.len(), pl.col("converts").first())
    columns = {
        "lengths": lengths["len"].to_numpy(),
        "ages": ((journeys["ends"] - journeys["time"]) / 86_400).to_numpy(),
        "conversions": lengths["converts"].cast(pl.Int8).to_numpy(),
    }
    with pytest.raises(NotEnoughData, match="later than 1 h after a touch"):
        fit_half_life(**columns)
    fitted = fit_half_life(**columns, ignored_days=learn.IGNORED_HOURS / 24)
    assert 2.5 < fitted.low < fitted.days < fitted.high < 5.5


def test_too_few_journeys_and_unknown_names_are_said(connection):
    with pytest.raises(NotEnoughData, match="at least 50 converting"):
        learn.learn_half_life(connection, "o")
    with pytest.raises(NotFound, match="Add --org with one of o, p"):
        learn.learn_half_life(connection)
    with pytest.raises(NotFound, match="There is no org q"):
        learn.learn_half_life(connection, "q")
    with pytest.raises(NotFound, match="Use one of purchase, lead"):
        learn.learn_half_life(connection, "o", "renewal")
