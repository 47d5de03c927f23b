"""Score each attribution model by the distance of its credit from the true contribution of the channels.

In: the scenarios of ingestion/simulator/scenarios.py, several seeds of each. Out: two tables of models by scenarios.

    python bench/truth.py [--people 20000] [--seeds 8] [--scenario brand] [--markdown table.md]

One build has all scenarios and seeds, each in an org of its own. A distance is half the sum of the
absolute differences between shares, in percentage points: the part of the credit that belongs elsewhere. The first
table compares all conversions: credit of Direct, and conversions without a touch, belong to the baseline that
needs no marketing. The second table compares the marketing channels alone, because a budget is divided among them.
`(equal shares)` gives every share the same credit: a model that is not nearer to the truth has learned nothing.

lift_adjusted gets the multipliers that one simulated experiment for each channel measures, among as many other people
of the same market. w_shaped is left out: without leads it is position_based.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import NormalDist, fmean, stdev
from typing import NamedTuple

import duckdb
from dbt_build import build_models

from ingestion.files.inbox import import_inbox
from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.settings.model import Org
from ingestion.settings.raw_tables import store_settings
from ingestion.simulator.causal import BASELINE, Market, Truth, market_settings, write_markets
from ingestion.simulator.holdout import measured_multipliers
from ingestion.simulator.scenarios import DIRECT, SCENARIOS
from ingestion.warehouse import connect

EQUAL = "(equal shares)"
MODELS = (
    "first_touch",
    "last_touch",
    "last_non_direct",
    "linear",
    "time_decay",
    "position_based",
    "daily_linear",
    "data_driven",
    "shapley",
    "lift_adjusted",
)
EXPERIMENT_SEEDS = 1_000_000  # added to a market's seed
CREDIT = """
    select org_id, attribution_model, channel, sum(conversions)::double
    from marts.channel_summary where conversion_type = 'purchase' and lookback_days = ?
    group by all having sum(conversions) > 0
"""
Shares = Mapping[str, float]
Distances = dict[tuple[str, str], list[float]]  # of each seed, by model and scenario


class Scores(NamedTuple):
    """Distances in percentage points: of all conversions, and of marketing channels alone."""

    everything: Distances
    marketing: Distances


def main() -> None:
    """Build the scenarios and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000, help="in each scenario and seed")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="repeatable; all by default")
    parser.add_argument("--lookback-days", type=int, default=Org("", "").lookback_days, help="the window of the credit")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the tables as Markdown")
    options = parser.parse_args()
    scenarios = options.scenario or list(SCENARIOS)
    with tempfile.TemporaryDirectory(prefix="tributary-bench-") as folder:
        home = Home(Path(folder))
        truths = fill_inbox(home, scenarios, people=options.people, seeds=options.seeds)
        build(home)
        with connect(home) as warehouse:
            scores = score(warehouse, truths, options.lookback_days)
    print(f"{options.people:,} people, {options.seeds} seeds, {options.lookback_days} days, mean and 95 % interval\n")
    print("\n\n".join(text_table(title, table) for title, table in titled(scores)))
    if options.markdown:
        options.markdown.write_text("\n\n".join(markdown_table(title, table) for title, table in titled(scores)) + "\n")


def fill_inbox(home: Home, scenarios: Sequence[str], *, people: int, seeds: int) -> dict[str, Truth]:
    """Write the settings and the files of each scenario and seed; return the truth of each org."""
    markets = {
        f"{name}-{seed}": Market(SCENARIOS[name], people=people, seed=seed)
        for name in scenarios
        for seed in range(seeds)
    }
    multipliers = {
        org: measured_multipliers(Market(market.scenario, people=people, seed=market.seed + EXPERIMENT_SEEDS))
        for org, market in markets.items()
    }
    (home.root / "tributary.yaml").write_text(json.dumps(market_settings(multipliers)))
    write_markets(home.inbox, markets)
    return {org: market.truth() for org, market in markets.items()}


def build(home: Home) -> None:
    """Import the inbox and build the credit. Publishing would write a file for each org."""
    home.temporary.mkdir()
    settings = load_settings(home)
    with connect(home) as connection:
        store_settings(connection, settings)
        for kind in ("interactions", "conversions"):
            import_inbox(connection, home, settings, kind, progress=print)
    build_models(home, "+channel_summary", variables={"attribution_models": MODELS})


def score(warehouse: duckdb.DuckDBPyConnection, truths: Mapping[str, Truth], lookback_days: int) -> Scores:
    """Compare the credit of each org and model with its truth."""
    credits: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for org, model, channel, conversions in warehouse.execute(CREDIT, [lookback_days]).fetchall():
        credits[org, model][BASELINE if channel in (DIRECT.name, "(unattributed)") else channel] += conversions
    scores = Scores(defaultdict(list), defaultdict(list))
    for org, truth in truths.items():
        scenario, shares = org.rsplit("-", 1)[0], truth.shares()
        credits[org, EQUAL] = dict.fromkeys(shares, 1.0)
        for model in [model for of_org, model in credits if of_org == org]:
            credit = credits[org, model]
            scores.everything[model, scenario].append(distance(credit, shares))
            scores.marketing[model, scenario].append(distance(without_baseline(credit), without_baseline(shares)))
    return scores


def distance(credit: Shares, truth: Shares) -> float:
    """Return the total variation distance of two distributions, in percentage points. They need no particular sum."""
    credited, true = sum(credit.values()), sum(truth.values())
    names = sorted(credit.keys() | truth.keys())
    return 50 * sum(abs(credit.get(name, 0) / credited - truth.get(name, 0) / true) for name in names)


def without_baseline(shares: Shares) -> Shares:
    """Return the shares of the marketing channels."""
    return {name: share for name, share in shares.items() if name != BASELINE}


def titled(scores: Scores) -> list[tuple[str, Distances]]:
    """Return the tables with their titles."""
    return [
        ("Distance from the truth, baseline included (percentage points)", scores.everything),
        ("Distance from the truth among marketing channels (percentage points)", scores.marketing),
    ]


def text_table(title: str, table: Distances) -> str:
    """Return a table of at most 80 columns, the best model first."""
    header, *rows = cells(table)
    lines = [f"{row[0]:<16}" + "".join(f"{cell:>10}" for cell in row[1:]) for row in (header, *rows)]
    return "\n".join([title, *lines])


def markdown_table(title: str, table: Distances) -> str:
    """Return the table as Markdown."""
    header, *rows = cells(table)
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join([f"{title}:", "", *(f"| {' | '.join(line)} |" for line in lines)])


def cells(table: Distances) -> list[list[str]]:
    """Return the header and a row for each model, in the order of their mean distance over all scenarios."""
    scenarios = list(dict.fromkeys(scenario for _, scenario in table))
    models = sorted({model for model, _ in table}, key=lambda model: fmean(fmean(table[model, s]) for s in scenarios))
    return [
        ["model", *scenarios],
        *([model, *(mean_and_interval(table[model, scenario]) for scenario in scenarios)] for model in models),
    ]


def mean_and_interval(values: Sequence[float]) -> str:
    """Return the mean of independent values and the half-width of its 95 % interval by Student's t."""
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{fmean(values):.1f}±{student_t(len(values) - 1) * stdev(values) / math.sqrt(len(values)):.1f}"


def student_t(freedom: int) -> float:
    """Return the two-sided 95 % quantile; the error is 0.002 from 7 degrees of freedom.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
    """
    z = NormalDist().inv_cdf(0.975)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))


if __name__ == "__main__":
    main()
