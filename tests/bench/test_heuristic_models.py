"""The comparison of attribution implementations: its journeys, and that equal credit is recognised as such."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import heuristic_models
import pytest

JOURNEYS = 500


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the files of journeys beside a database that has them as marts."""
    folder = tmp_path_factory.mktemp("journeys") / "data"
    heuristic_models.write_journeys(folder, JOURNEYS)
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("create schema marts")
        missing = "'default' as org_id, null as platform, null as campaign_id, null as adset_id, null as ad_id"
        connection.execute(f"create table marts.touchpoints as select *, {missing} from '{folder}/touches.parquet'")
        connection.execute(
            "create table marts.conversions as select *, 'default' as org_id, occurred_at::date as date"
            f" from '{folder}/conversions.parquet'"
        )
    return folder


def test_journeys_have_one_to_twelve_touches_in_28_days_and_no_two_at_once(data: Path) -> None:
    with duckdb.connect() as connection:
        journeys, shortest, longest, ties, earliest, latest, direct = connection.execute(f"""
            with journeys as (
                select person_key, count(*) as touches, count(distinct t.occurred_at) as moments,
                    min(t.occurred_at - c.occurred_at) as first, max(t.occurred_at - c.occurred_at) as last,
                    bool_or(is_direct) as has_direct
                from '{data}/conversions.parquet' c join '{data}/touches.parquet' t using (person_key) group by all
            )
            select count(*), min(touches), max(touches), sum(touches - moments), min(first), max(last),
                count(*) filter (has_direct)
            from journeys
        """).fetchone()
    assert (journeys, shortest, longest, ties) == (JOURNEYS, 1, 12, 0)
    assert -29 < earliest.days < -26
    assert latest.total_seconds() < 0
    assert 0 < direct < JOURNEYS


def test_polars_and_the_statement_by_hand_give_the_same_credit(data: Path) -> None:
    one, other = (heuristic_models.measure(name, Path(sys.executable), data) for name in ("by hand", "polars"))
    assert not isinstance(one, str), one
    assert not isinstance(other, str), other
    assert set(one.credit) == set(other.credit) == set(heuristic_models.MODELS)
    assert sum(one.credit["linear"].values()) == pytest.approx(JOURNEYS)
    assert heuristic_models.difference(other.credit, one.credit) == "same"


def test_other_credit_names_the_model_and_the_largest_difference() -> None:
    ours = {"linear": {"Email": 4.0, "Direct": 6.0}, "last_touch": {"Email": 10.0}}
    assert heuristic_models.difference({"linear": {"Email": 4.0, "Direct": 6.0}}, ours) == "same"
    moved = {"linear": {"Email": 5.0, "Direct": 5.0}, "last_touch": {"Email": 10.0}}
    assert heuristic_models.difference(moved, ours) == "differs: linear by 1e-01"
    assert heuristic_models.difference({"last_touch": {"Direct": 10.0}}, ours) == "differs: last_touch by 1e+00"


def test_a_failing_implementation_gives_its_error(tmp_path: Path) -> None:
    assert "touches.parquet" in heuristic_models.measure("polars", Path(sys.executable), tmp_path)


def test_an_implementation_is_skipped_before_it_takes_too_long() -> None:
    figures = heuristic_models.Figures(prepare=10, seconds=20, cpu=30, peak=0.1, credit={"linear": {}})
    assert heuristic_models.too_large(None, 10**9, limit=1) is None
    assert heuristic_models.too_large((1_000, figures), 10_000, limit=600) is None
    assert heuristic_models.too_large((1_000, figures), 100_000, limit=600) == "about 3,000 s"
    large = figures._replace(peak=1_000.0)
    assert heuristic_models.too_large((1_000, large), 10_000, limit=600) == "about 10000 GiB"
    assert "failed" in heuristic_models.too_large(
        (1_000, figures._replace(seconds=float("inf"), credit={})), 10_000, 600
    )


def test_the_model_gives_the_same_credit_as_the_statement_by_hand(tmp_path: Path) -> None:
    home, data = heuristic_models.build_empty(tmp_path / "home"), tmp_path / "data"
    heuristic_models.write_journeys(data, JOURNEYS)
    heuristic_models.fill_warehouse(home, data)
    ours, by_hand = (heuristic_models.measure(name, Path(sys.executable), data) for name in ("Tributary", "by hand"))
    assert not isinstance(ours, str), ours
    assert not isinstance(by_hand, str), by_hand
    assert sum(ours.credit["linear"].values()) == pytest.approx(JOURNEYS)
    assert heuristic_models.difference(by_hand.credit, ours.credit) == "same"
