"""The journeys behind a fitted half-life: the ages of touches at the end of each journey, and when a journey ends."""

from __future__ import annotations

import duckdb
import pytest

from attribution.half_life import HalfLife, NotEnoughData
from serving import learn
from serving.published import NotFound

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
    assert learned == ("o", "purchase", 10, 7.0, fitted)
    assert given == {
        "lengths": [2, 1, 1],
        "ages": [4.0, 2.0, 10.0, 5.5],  # bought: from a and b; gone: a window of ten days; recent: the end of the data
        "conversions": [True, False, False],
        "weights": [1.0, 2.0, 1.0],
    }


def test_too_few_journeys_and_unknown_names_are_said(connection):
    with pytest.raises(NotEnoughData, match="at least 50 converting"):
        learn.learn_half_life(connection, "o")
    with pytest.raises(NotFound, match="Add --org with one of o, p"):
        learn.learn_half_life(connection)
    with pytest.raises(NotFound, match="Use one of purchase, lead"):
        learn.learn_half_life(connection, "o", "renewal")
