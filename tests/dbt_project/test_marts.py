"""Recompute rollups, summaries, paths and waste flags in plain Python from the input and the links.

The comparison is exact. Spend comes from the imported file, in its own currencies.
"""

from __future__ import annotations

import csv
import json
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import duckdb
import pytest
from ruamel.yaml import YAML

from ingestion.simulator.campaigns import CAMPAIGNS
from tests.support.home import FORTNIGHT, ROOT, copy_home, differences, published, tributary
from tests.support.models import Project
from tests.support.rounding import rounded

VARS = YAML(typ="safe").load(ROOT / "dbt_project" / "dbt_project.yml")["vars"]
MODELS = VARS["attribution_models"]
MODES = ["cash", "accrual"]
# As dense as the default quarter, so that each planted waste spends enough to be significant.
SIMULATE = ("simulate", "--days", 35, "--events", 92_000)
GRAINS = ["ORGANIZATION", "PLATFORM", "CAMPAIGN", "ADSET", "AD"]
IDS = ("campaign_id", "adset_id", "ad_id")
NONE = "(unattributed)"


MAIN = "conversion_type = 'purchase'"  # northwind counts leads, too
CONVERSIONS = f"from conversions where {MAIN}"
LINKS = f"from attribution_links where {MAIN}"


class Row(NamedTuple):
    """Spend of a day, or credit for a touch."""

    org: str
    date: date
    model: str
    mode: str
    ids: tuple[str, str, str, str]  # platform, campaign, ad set, ad
    channel: str
    impressions: int = 0
    clicks: int = 0
    spend: int = 0
    conversions: Decimal = Decimal(0)
    value: int = 0


@pytest.fixture(scope="module")
def home(new_home: Callable[[str], Path], project: Project) -> Path:
    home = new_home("marts")
    tributary(home, *SIMULATE)
    # Every simulated conversion has a touch; this one has none.
    (home / "inbox" / "conversions" / "unknown.csv").write_text(
        "conversion_id,occurred_at,customer_id,site_id,value\n"
        "nobodys,2026-07-09T10:00:00Z,nobody,northwind-shop,19.99\n"
    )
    project.build_home(home)
    return home


@pytest.fixture(scope="module")
def marts(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with published(home) as connection:
        yield connection


def records(marts: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    result = marts.execute(sql)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def archived(home: Path, kind: str) -> list[dict[str, str]]:
    """Return the rows of all imported files of a kind as text."""
    with duckdb.connect() as connection:
        rows = records(connection, f"from '{home}/archive/inbox/{kind}/*.parquet'")
    return [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]


# ---- spend and credit, from the input
@pytest.fixture(scope="module")
def spend(home: Path, marts: duckdb.DuckDBPyConnection) -> list[Row]:
    """Return the rows of the spend file in the org's currency, by the rate of the day or the last one before."""
    with (home / "tributary.yaml").open() as file:
        settings = YAML(typ="safe").load(file)
    org_of = {(entry["platform"], entry["account_id"]): entry["org"] for entry in settings["ad_accounts"]}
    currency_of = {entry["id"]: entry["currency"] for entry in settings["orgs"]}
    rates = {
        (row["base"], row["quote"], row["date"]): Fraction(row["rate"]) for row in archived(home, "exchange-rates")
    }

    def rate(base: str, quote: str, day: date) -> Fraction:
        if base == quote:
            return Fraction(1)
        return next(
            rates[base, quote, str(day - timedelta(days=ago))]
            for ago in range(10)
            if (base, quote, str(day - timedelta(days=ago))) in rates
        )

    rows = []
    for row in archived(home, "spend"):
        org = org_of[row["platform"], row["account_id"]]
        day = date.fromisoformat(row["date"])
        amount = Fraction(row["spend"]) * 1_000_000 * rate(row["currency"], currency_of[org], day)
        ids = (row["platform"], *(row[name] or "(unmatched)" for name in IDS))
        counts = [int(row[name] or 0) for name in ("impressions", "clicks")]
        rows.append(Row(org, day, "", "", ids, "", *counts, rounded(amount)))
    return rows


@pytest.fixture(scope="module")
def credit(marts: duckdb.DuckDBPyConnection) -> list[Row]:
    """Return each link on the day of its conversion and on the day of its touch, and each conversion without a link."""
    zone = {row["org_id"]: ZoneInfo(row["timezone"]) for row in records(marts, "from orgs")}

    def day(org: str, at: datetime) -> date:
        return at.replace(tzinfo=UTC).astimezone(zone[org]).date()

    conversions = {(row["org_id"], row["conversion_id"]): row for row in records(marts, CONVERSIONS)}
    touches = {(row["org_id"], row["touchpoint_id"]): row for row in records(marts, "from touchpoints")}
    rows, linked = [], set()
    for link in records(marts, LINKS):
        org = link["org_id"]
        conversion, touch = conversions[org, link["conversion_id"]], touches[org, link["touchpoint_id"]]
        ids = (touch["platform"], *(touch[name] or "(unmatched)" for name in IDS))
        linked.add((org, link["conversion_id"]))
        for mode, at in zip(MODES, (conversion["occurred_at"], touch["occurred_at"]), strict=True):
            rows.append(
                Row(
                    org,
                    day(org, at),
                    link["attribution_model"],
                    mode,
                    ids,
                    touch["channel"],
                    conversions=link["weight"],
                    value=link["attributed_value_micros"],
                )
            )
    for org, conversion_id in conversions.keys() - linked:
        at, value = (conversions[org, conversion_id][name] for name in ("occurred_at", "value_micros"))
        rows += [
            Row(org, day(org, at), model, mode, (NONE,) * 4, NONE, conversions=Decimal(1), value=value)
            for model in MODELS
            for mode in MODES
        ]
    assert len(linked) > 100
    assert len(linked) < len(conversions), "no conversion is without a touch"
    return rows


@pytest.fixture(scope="module")
def everything(spend: list[Row], credit: list[Row]) -> list[Row]:
    """Repeat spend for every model and mode."""
    slices = [(model, mode) for model in MODELS for mode in MODES]
    return credit + [row._replace(model=model, mode=mode) for row in spend for model, mode in slices]


# ---- daily_rollups
SUMS = [
    "impressions",
    "clicks",
    "spend_micros",
    "conversions",
    "conversion_value_micros",
    "waste_spend_micros",
]
KEY = ["org_id", "date", "attribution_model", "accounting_mode", "grain", "platform", *IDS]


@pytest.fixture(scope="module")
def rollups(marts: duckdb.DuckDBPyConnection) -> dict[tuple, dict]:
    rows = records(marts, f"from daily_rollups where {MAIN}")
    found = {tuple(row[name] for name in KEY): row for row in rows}
    assert len(found) == len(rows), "two rows of daily_rollups have one key"
    return found


@pytest.fixture(scope="module")
def wasted(marts: duckdb.DuckDBPyConnection) -> Callable[[Row, int], int]:
    """Return wasted(row, spend): the part of a day's spend that is wasted according to its finest flag."""
    flags = {
        tuple(row[name] for name in ("org_id", "attribution_model", "platform", *IDS)): row
        for row in records(marts, "from waste_flags")
    }

    def share(row: Row, spent: int) -> int:
        platform, campaign, adset, ad = row.ids
        for ids in ((campaign, adset, ad), (campaign, adset, None), (campaign, None, None)):
            flag = flags.get((row.org, row.model, platform, *ids))
            if flag and flag["period_start"] <= row.date <= flag["period_end"]:
                return rounded(Fraction(spent * flag["waste_spend_micros"], flag["spend_micros"]))
        return 0

    return share


def test_daily_rollups_equal_the_sums_of_links_and_spend(everything, rollups, wasted):
    of_an_ad: dict[Row, list] = defaultdict(lambda: [0, 0, 0, Decimal(0), 0])
    for row in everything:
        sums = of_an_ad[Row(*row[:5], "")]
        for index, amount in enumerate(row[6:]):
            sums[index] += amount
    expected = defaultdict(lambda: [0, 0, 0, Decimal(0), 0, 0])
    for row, amounts in of_an_ad.items():
        for depth, grain in enumerate(GRAINS):
            ids = row.ids[:depth] + (None,) * (4 - depth)
            if grain == "ORGANIZATION" and row.ids[0] == NONE:
                ids = (NONE, None, None, None)
            sums = expected[row.org, row.date, row.model, row.mode, grain, *ids]
            for index, amount in enumerate([*amounts, wasted(row, amounts[2])]):
                sums[index] += amount
    assert rollups.keys() == expected.keys()
    wrong = {key: row for key, row in rollups.items() if [row[name] for name in SUMS] != expected[key]}
    assert not wrong, f"{len(wrong)} rows differ, such as {next(iter(wrong.items()))}"
    assert sum(row["waste_spend_micros"] for row in rollups.values()) > 0


def quotient(above: float, below: float) -> Any:
    return None if below == 0 else pytest.approx(above / below, rel=1e-9)


def test_ratios_are_quotients_and_null_where_nothing_divides(rollups):
    nulls = Counter()
    for key, row in rollups.items():
        spend = row["spend_micros"]
        expected = {
            "cpa": quotient(spend / 1e6, float(row["conversions"])),
            "roas": quotient(row["conversion_value_micros"], spend),
            "ctr": quotient(row["clicks"], row["impressions"]),
            "cpc": quotient(spend / 1e6, row["clicks"]),
            "waste_pct": quotient(row["waste_spend_micros"], spend),
        }
        assert {name: row[name] for name in expected} == expected, key
        nulls.update(name for name, figure in expected.items() if figure is None)
    assert set(nulls) == {"cpa", "roas", "ctr", "cpc", "waste_pct"}, "each ratio meets a zero below the line"


def test_every_grain_sums_to_the_same_totals_and_names_unmatched_rows(rollups, spend):
    totals = defaultdict(lambda: [0, 0, 0, Decimal(0), 0, 0])
    unmatched, unattributed = Counter(), Counter()
    for (org, _, model, mode, grain, *ids), row in rollups.items():
        sums = totals[org, model, mode, grain]
        for index, name in enumerate(SUMS):
            sums[index] += row[name]
        unmatched[grain] += "(unmatched)" in ids and row["spend_micros"] > 0
        unattributed[grain] += ids[0] == NONE and row["conversions"] > 0
    for org in {key[0] for key in totals}:
        spent = sum(row.spend for row in spend if row.org == org)
        for model in MODELS:
            same = {tuple(totals[org, model, mode, grain]) for grain in GRAINS for mode in MODES}
            # Waste depends on day and model. The two modes differ only in the days of credit.
            assert len(same) == 1, (org, model, same)
            assert next(iter(same))[2] == spent
        assert len({(sums[3], sums[4]) for key, sums in totals.items() if key[0] == org}) == 1
    assert all(unattributed[grain] for grain in GRAINS)
    assert all(unmatched[grain] for grain in ("ADSET", "AD"))


# ---- channel_summary, conversion_paths
def seed(name: str) -> list[dict[str, str]]:
    with (ROOT / "dbt_project" / "seeds" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_channel_summary_equals_the_sums_of_links_and_spend(marts, everything):
    unpaid = {row["channel"] for row in seed("channels") if row["is_paid"] == "false"}
    touches = defaultdict(Counter)
    for row in records(marts, "from touchpoints where campaign_id is not null"):
        channel = row["channel"]
        touches[row["org_id"], row["platform"], row["campaign_id"]][channel] += channel not in unpaid
    usual = {row["platform"]: row["channel"] for row in seed("platform_channels")}

    def billed_to(row: Row) -> str:
        counts = +touches[row.org, *row.ids[:2]]
        if counts:
            return min(counts, key=lambda channel: (-counts[channel], channel))
        return usual.get(row.ids[0], "(unmatched)")

    expected = defaultdict(lambda: [Decimal(0), 0, 0])
    for row in everything:
        if row.mode == "cash":
            sums = expected[row.org, row.date, row.channel or billed_to(row), *row.ids[:2], row.model]
            for index, amount in enumerate((row.conversions, row.value, row.spend)):
                sums[index] += amount
    actual = {}
    in_main_window = "(from conversion_windows where is_main_window) using (org_id, conversion_type, lookback_days)"
    for row in records(marts, f"from channel_summary semi join {in_main_window} where {MAIN}"):
        key = tuple(row[name] for name in ("org_id", "date", "channel", "platform", "campaign_id", "attribution_model"))
        assert key not in actual
        actual[key] = [row["conversions"], row["conversion_value_micros"], row["spend_micros"]]
        assert row["roas"] == quotient(row["conversion_value_micros"], row["spend_micros"])
        assert row["cpa"] == quotient(row["spend_micros"] / 1e6, float(row["conversions"]))
    assert actual.keys() == expected.keys()
    assert {key: sums for key, sums in actual.items() if sums != expected[key]} == {}
    assert NONE in {key[2] for key in actual}


def test_conversion_paths_equal_the_journeys(marts):
    lookback = {row["org_id"]: timedelta(days=row["lookback_days"]) for row in records(marts, "from orgs")}
    touches = {(row["org_id"], row["touchpoint_id"]): row for row in records(marts, "from touchpoints")}
    conversions = {(row["org_id"], row["conversion_id"]): row for row in records(marts, CONVERSIONS)}
    kept, of_person, converted = defaultdict(list), defaultdict(list), {}
    for link in records(marts, f"{LINKS} and attribution_model = 'linear' order by position"):
        kept[link["org_id"], link["conversion_id"]].append(touches[link["org_id"], link["touchpoint_id"]])
    for (org, _), touch in touches.items():
        of_person[org, touch["person_key"]].append(touch)
    for (org, _), row in conversions.items():
        person = (org, row["person_key"])
        converted[person] = max(converted.get(person, row["occurred_at"]), row["occurred_at"])

    expected = defaultdict(lambda: [0, 0, 0, []])  # conversions, value, non-conversions, days to convert
    for key, journey in kept.items():
        sums = expected[key[0], " > ".join(touch["channel"] for touch in journey), len(journey)]
        sums[0] += 1
        sums[1] += conversions[key]["value_micros"]
        sums[3].append((conversions[key]["occurred_at"] - journey[0]["occurred_at"]) / timedelta(days=1))
    for person, known in of_person.items():
        since = [touch for touch in known if touch["occurred_at"] > converted.get(person, datetime.min)]
        if since:
            last = max(touch["occurred_at"] for touch in since)
            open_ = [touch for touch in since if touch["occurred_at"] >= last - lookback[person[0]]]
            open_.sort(key=lambda touch: (touch["occurred_at"], touch["touchpoint_id"]))
            expected[person[0], " > ".join(touch["channel"] for touch in open_), len(open_)][2] += 1

    rows = records(marts, f"from conversion_paths where {MAIN}")
    actual = {(row["org_id"], row["path"], row["path_length"]): row for row in rows}
    assert actual.keys() == expected.keys()
    for key, (won, value, lost, days) in expected.items():
        row = actual[key]
        assert (row["conversions"], row["value_micros"], row["non_conversions"]) == (won, value, lost)
        median = pytest.approx(statistics.median(days), rel=1e-9) if days else None
        assert row["median_days_to_convert"] == median
    assert any(won and lost for won, _, lost, _ in expected.values())


# ---- waste
def at_most(count: int, mean: float) -> float:
    """Return P(X <= count) for a Poisson X; each term follows from the one before, and the sum is exact."""
    terms = [math.exp(-mean)]
    for events in range(1, count + 1):
        terms.append(terms[-1] * mean / events)
    return min(1.0, math.fsum(terms))


class Flag(NamedTuple):
    reason: str
    severity: str
    period_start: date
    waste: int
    spend: int
    probability: float
    share: float  # of the org's spend


DEPTH = {"CAMPAIGN": 2, "ADSET": 3, "AD": 4}


@pytest.fixture(scope="module")
def judged(everything: list[Row], marts: duckdb.DuckDBPyConnection) -> dict[tuple, Flag]:
    """Return the expected flags by org, grain, model and ids."""
    targets = {row["org_id"]: row for row in records(marts, "from orgs")}
    last = defaultdict(lambda: date.min)
    for row in everything:
        if row.spend:
            last[row.org] = max(last[row.org], row.date)
    windows = {}
    for window in VARS["waste_window_days"]:
        of_org = defaultdict(lambda: [0, Decimal(0), 0])  # campaigns' spend, then all conversions and value
        of_entity = defaultdict(lambda: [0, Decimal(0), 0])
        starts: dict[tuple, date] = {}
        for row in everything:
            if row.mode == "cash" and timedelta(0) <= last[row.org] - row.date < timedelta(days=window):
                keys = [(row.org, grain, row.model, *row.ids[:depth]) for grain, depth in DEPTH.items()]
                for sums in (of_org[row.org, row.model], *(of_entity[key] for key in keys)):
                    sums[0] += row.spend
                    sums[1] += row.conversions
                    sums[2] += row.value
                if row.spend:
                    starts |= {key: min(row.date, starts.get(key, row.date)) for key in keys}
        windows[window] = (of_entity, of_org, starts)
    found: dict[tuple, Flag] = {}
    for window, (of_entity, of_org, starts) in windows.items():
        for key, sums in of_entity.items():
            still_spends = windows[min(windows)][0][key][0] > 0
            if sums[0] and still_spends and "(unmatched)" not in key:
                recent = windows[VARS["waste_recent_days"]][0][key] if window > VARS["waste_recent_days"] else sums
                flag = judge(targets[key[0]], starts[key], sums, recent, of_org[key[0], key[2]])
                if flag and (key not in found or flag.waste > found[key].waste):
                    found[key] = flag
    return found


def judge(targets: dict, start: date, sums: list, recent: list, org_sums: list) -> Flag | None:
    """Return the flag of a campaign with a shortfall that lasts and that chance does not explain, or None.

    sums, recent, org_sums: spend, conversions and value of the campaign in the window, of the campaign in the recent
    part of the window, and of its org in the window.
    """
    spent, conversions, value = sums
    org_spend, org_conversions, org_value = org_sums
    expected = spent / targets["target_cpa_micros"]
    order = org_value / float(org_conversions)
    expected_orders, orders = spent * targets["target_roas"] / order, value / order
    by_cpa = at_most(math.ceil(conversions), expected) if conversions < expected else 1
    by_roas = at_most(max(math.ceil(orders), 0), expected_orders) if orders < expected_orders else 1
    if by_cpa <= VARS["waste_probability"] and recent[0] > float(recent[1]) * targets["target_cpa_micros"]:
        probability = by_cpa
        reason = "high_cpa" if conversions else "no_conversions"
        waste = spent - float(conversions) * targets["target_cpa_micros"]
    elif by_roas <= VARS["waste_probability"] and recent[0] > max(recent[2], 0) / targets["target_roas"]:
        probability, reason, waste = by_roas, "low_roas", spent - max(value, 0) / targets["target_roas"]
    else:
        return None
    severity, worth = "low", VARS["waste_conversions_medium"] * targets["target_cpa_micros"]
    medium = waste >= VARS["waste_share_medium"] * org_spend or waste >= worth
    if probability <= VARS["waste_probability_medium"] and medium:
        severity = "medium"
    if probability <= VARS["waste_probability_high"] and waste >= VARS["waste_share_high"] * org_spend:
        severity = "high"
    if waste <= 0:
        return None
    return Flag(reason, severity, start, round(waste), spent, probability, waste / org_spend)


@pytest.fixture(scope="module")
def flags(marts: duckdb.DuckDBPyConnection) -> dict[tuple, dict]:
    def key(row: dict) -> tuple:
        ids = ("platform", *IDS)[: DEPTH[row["grain"]]]
        return (row["org_id"], row["grain"], row["attribution_model"], *(row[name] for name in ids))

    return {key(row): row for row in records(marts, "from waste_flags")}


def test_waste_is_flagged_where_chance_explains_it_badly_and_nowhere_else(flags, judged):
    assert flags.keys() == judged.keys()
    for key, flag in judged.items():
        row, evidence = flags[key], json.loads(flags[key]["explanation"])
        shown = (row["reason"], row["severity"], row["period_start"], row["spend_micros"])
        assert shown == (*flag[:3], flag.spend), key
        assert row["waste_spend_micros"] == pytest.approx(flag.waste, abs=1), key
        assert evidence["probability_by_chance"] == pytest.approx(flag.probability, rel=1e-6, abs=1e-300), key
        assert evidence["spend_micros"] == flag.spend
        assert evidence["threshold_probability"] == VARS["waste_probability"]
        assert row["recommendation"]
        assert "{" not in row["recommendation"] + evidence["summary"]
    assert {flag.reason for flag in judged.values()} == {"no_conversions", "high_cpa", "low_roas"}
    assert {key[1] for key in judged} == set(DEPTH)


def test_more_money_and_more_certainty_are_never_less_severe(judged):
    ranks = ["low", "medium", "high"]
    groups = defaultdict(list)
    for key, flag in judged.items():
        groups[key[0], key[2], flag.period_start].append(flag)
    for group in groups.values():
        for one in group:
            for other in group:
                if one.share >= other.share and one.probability <= other.probability:
                    assert ranks.index(one.severity) >= ranks.index(other.severity)
    assert {flag.severity for flag in judged.values()} == set(ranks)


def planted() -> Iterator[tuple[str, str, float, float, float]]:
    """Yield campaign id, name, first visits, quality and basket of each simulated campaign."""
    for _, campaign_id, name, *_, first, later, _, _, _, _, changes in CAMPAIGNS:
        yield campaign_id, name, first + later, changes.get("quality", 1), changes.get("basket", 1)


def test_every_planted_waste_is_flagged_unless_it_spent_too_little(flags):
    flagged = {key[4] for key in flags if key[1] == "CAMPAIGN"}
    wasteful = {row[0]: row for row in planted() if min(row[3:]) < 0.5}
    small = {campaign_id for campaign_id, (_, _, visits, *_) in wasteful.items() if visits < 0.5}
    assert len(wasteful) >= 8
    assert len(small) == 1
    missed = [wasteful[campaign_id][1] for campaign_id in wasteful.keys() - small - flagged]
    assert not missed, f"planted waste without a flag: {missed}"
    assert not small & flagged


def test_the_poisson_tail_equals_the_tables():
    """The values are from tables of the cumulative Poisson distribution, to four digits."""
    table = {(0, 1.0): 0.3679, (2, 2.0): 0.6767, (3, 5.0): 0.2650, (10, 10.0): 0.5830, (0, 3.0): 0.0498}
    for (count, mean), probability in table.items():
        assert at_most(count, mean) == pytest.approx(probability, abs=5e-5)
    assert all(at_most(3, low) > at_most(3, high) for low, high in pairwise((1, 2, 5, 10, 50)))


# ---- the simulator's truth, and a second run
def test_marts_reconcile_with_the_simulators_truth(home, marts):
    truth = json.loads((home / "simulated_truth.json").read_text())
    conversions = {
        (row["org_id"], row["conversion_type"], row["currency"]): (row["conversions"], row["value_micros"])
        for row in truth["conversions"]
    }
    found = marts.execute(
        "select org_id, reported_type, if(original_value_micros is null, null, original_currency),"
        " count(*), sum(coalesce(original_value_micros, 0)) from conversions"
        " where conversion_id <> 'nobodys' group by all"
    ).fetchall()
    assert {row[:3]: row[3:] for row in found} == conversions
    spend = {(row["org_id"], row["platform"], row["currency"]): row["spend_micros"] for row in truth["spend"]}
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
        loaded = warehouse.execute(
            "select org_id, platform, currency, sum(spend_micros) from raw.ad_spend group by all"
        ).fetchall()
    assert {row[:3]: row[3] for row in loaded} == spend
    in_dollars = {key[1]: micros for key, micros in spend.items() if key[0] == "northwind"}
    rolled = marts.execute(
        "select platform, sum(spend_micros) from daily_rollups"
        f" where org_id = 'northwind' and grain = 'PLATFORM' and {MAIN}"
        " and attribution_model = 'linear' and accounting_mode = 'cash' and spend_micros > 0 group by all"
    ).fetchall()
    assert dict(rolled) == in_dollars


def test_simulating_and_building_again_publishes_the_same(built, project, tmp_path):
    """The first build is a whole `tributary run`, the second one is that of `Project`: both publish the same."""
    home = copy_home(built, tmp_path / "home")
    tributary(home, *FORTNIGHT)
    project.build_home(home)
    assert differences(built, home) == {}
    with published(home) as again:
        assert again.execute("select version from meta").fetchone() == (2,)
