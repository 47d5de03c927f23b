"""The score of attribution models: the published credit of small scenarios, compared with plain polars."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from truth import (
    EQUAL,
    Distances,
    Scores,
    distance,
    fill_inbox,
    markdown_table,
    score,
    student_t,
    text_table,
    without_baseline,
)

from ingestion.home import Home
from ingestion.simulator.causal import BASELINE, Truth
from ingestion.warehouse import connect
from tests.support.models import Project, load_raw_tables

SCENARIOS, SEEDS, PEOPLE = ["bystander", "brand"], 2, 1_500


class Build(NamedTuple):
    credit: dict[tuple[str, str], dict[str, float]]  # of last_touch and linear, by org, from the files
    truths: dict[str, Truth]
    scores: Scores


@pytest.fixture(scope="module")
def build(new_home: Callable[[str], Path], project: Project) -> Build:
    home = Home(new_home("truth"))
    truths = fill_inbox(home, SCENARIOS, people=PEOPLE, seeds=SEEDS)
    expected = credit_of_files(home)
    permute_ids(home)
    load_raw_tables(home.root)
    project.build_models(home.root, "channel_summary")
    with connect(home) as connection:
        return Build(expected, truths, score(connection, truths, 30))


def permute_ids(home: Home) -> None:
    """Give people, touches and conversions each other's ids; their credit must stay."""
    for kind in ("interactions", "conversions"):
        path = home.inbox / kind / "causal.parquet"
        table, prime = pl.read_parquet(path), 15_485_863
        ids = [name for name in table.columns if name.endswith("_id") and name != "site_id"]
        numbers = pl.col(ids).str.slice(1).cast(pl.Int64)
        table.with_columns((numbers + 1_000).mul(7_919).mod(prime).cast(pl.String)).write_parquet(path)


def credit_of_files(home: Home) -> dict[tuple[str, str], dict[str, float]]:
    """Return the credit of each org's channels; all touches are inside the window."""
    touches, conversions = (
        pl.read_parquet(home.inbox / kind / "causal.parquet") for kind in ("interactions", "conversions")
    )
    person = ["site_id", "customer_id"]
    journeys = conversions.select(*person).join(touches, on=person, how="left").sort("occurred_at")
    channel = pl.col("channel").fill_null("Direct").replace("Direct", BASELINE)
    credit = {}
    for model, weight in (
        ("last_touch", (pl.int_range(pl.len()) == pl.len() - 1).cast(pl.Float64)),
        ("linear", 1 / pl.len()),
    ):
        weighted = journeys.with_columns(channel=channel, weight=weight.over(person))
        for org, name, sum_of_weights in weighted.group_by("site_id", "channel").agg(pl.col("weight").sum()).rows():
            credit.setdefault((org, model), {})[name] = sum_of_weights
    return credit


@pytest.mark.parametrize("model", ["last_touch", "linear"])
def test_published_credit_has_the_distance_that_the_files_give_under_other_ids(build: Build, model: str) -> None:
    for scenario in SCENARIOS:
        orgs = [f"{scenario}-{seed}" for seed in range(SEEDS)]
        pairs = [(build.credit[org, model], build.truths[org].shares()) for org in orgs]
        assert build.scores.everything[model, scenario] == pytest.approx([distance(*pair) for pair in pairs], abs=1e-6)
        assert build.scores.marketing[model, scenario] == pytest.approx(
            [distance(*map(without_baseline, pair)) for pair in pairs], abs=1e-6
        )


def test_every_published_model_has_a_distance_for_each_seed(build: Build) -> None:
    for table in build.scores:
        models = {model for model, _ in table}
        assert {"first_touch", "last_touch", "linear", EQUAL} <= models
        assert table.keys() == {(model, scenario) for model in models for scenario in SCENARIOS}
        assert all(len(values) == SEEDS and all(0 <= value <= 100 for value in values) for values in table.values())


def test_last_touch_misleads_if_brand_search_closes_every_purchase(build: Build) -> None:
    assert min(build.scores.marketing["last_touch", "brand"]) > 75
    assert max(build.scores.marketing["first_touch", "brand"]) < 60


def test_the_truth_has_no_distance_and_its_opposite_has_all() -> None:
    assert distance({"a": 3, "b": 1}, {"a": 0.75, "b": 0.25}) == 0
    assert distance({"a": 1}, {"b": 1}) == 100
    assert distance({"a": 1, "b": 1}, {"a": 1}) == 50


def test_tables_fit_a_terminal_and_begin_with_the_nearest_model() -> None:
    scenarios = ["lift", "bystander", "retarget", "brand", "starter", "mixed"]
    table: Distances = {(model, scenario): [base, base + 10] for scenario in scenarios
                        for model, base in (("last_non_direct", 80.0), ("linear", 20.0))}  # fmt: skip
    lines = text_table("A title", table).splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[1:]] == ["model", "linear", "last_non_direct"]
    header, rule, best, _ = markdown_table("A title", table).splitlines()[2:]
    assert header.count("|") == rule.count("|") == best.count("|") == 8
    assert best.startswith("| linear | 25.0±")


@pytest.mark.parametrize(("freedom", "quantile"), [(4, 2.776), (7, 2.365), (19, 2.093), (1000, 1.962)])
def test_intervals_use_the_quantiles_of_student_t(freedom: int, quantile: float) -> None:
    assert student_t(freedom) == pytest.approx(quantile, abs=0.01)
