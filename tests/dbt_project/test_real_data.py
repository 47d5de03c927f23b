"""Import public data sets, ad touches and Snowplow events, into one home and check every figure to the micro."""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

from ingestion.attribution_models import built_in_models
from tests.support.home import SHARED_DATA, published, real_data, tributary
from tests.support.models import Project

pytestmark = real_data
TOUCHES = SHARED_DATA / "touches" / "attribution_62k.csv.gz"
EVENTS = SHARED_DATA / "web_events" / "snowplow_fractribution_events.csv"
IMPORTS = [
    ("interactions", TOUCHES, "--map", "occurred_at=time", "--map", "touch_type=interaction"),
    (
        "conversions",
        TOUCHES,
        "--map",
        "occurred_at=time",
        "--map",
        "value=conversion_value",
        "--where",
        "conversion = 1",
    ),
    ("events", EVENTS, "--layout", "snowplow"),
]
MODELS = len(built_in_models())
SLICES = 5 * 2 * MODELS  # grains, accounting modes, models
WINDOWS = 8


@pytest.fixture(scope="module")
def home(new_home: Callable[[str], Path], project: Project) -> Path:
    home = new_home("real")
    for arguments in IMPORTS:
        tributary(home, "import", *arguments)
    project.build_home(home)
    return home


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """Return the touches of the file; equal rows are one touch, because the file has no ids."""
    with gzip.open(TOUCHES, "rt", newline="") as file:
        return [dict(row) for row in dict.fromkeys(tuple(row.items()) for row in csv.DictReader(file))]


def at(row: dict[str, str]) -> datetime:
    return datetime.fromisoformat(row["time"]).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("which", "conversions", "value_micros"),
    [
        ("year(date) = 2018", 1_838, 11_423_500_000),
        ("year(date) = 2022", 6, 500_920_000),
        ("true", 1_844, 11_924_420_000),
    ],
    ids=["touches", "snowplow", "both"],
)
def test_conversions_and_value_in_every_slice(home, which, conversions, value_micros):
    with published(home) as marts:
        slices = marts.execute(
            "select grain, accounting_mode, attribution_model, sum(conversions), sum(conversion_value_micros)"
            f" from daily_rollups where {which} group by all"
        ).fetchall()
        summaries = marts.execute(
            "select attribution_model, lookback_days, sum(conversions), sum(conversion_value_micros)"
            f" from channel_summary where {which} group by all"
        ).fetchall()
        total = "select count(*), sum(value_micros) from conversions"
        booked = marts.execute(f"{total} where {which}").fetchone()
    assert booked == (conversions, value_micros)
    assert len(slices) == SLICES
    assert len(summaries) == MODELS * WINDOWS
    assert {row[-2:] for row in slices + summaries} == {(Decimal(conversions), value_micros)}


@pytest.fixture(scope="module")
def journeys(rows) -> dict[tuple[str, datetime, str], list[dict]]:
    """Return the touches in the 30 days before each conversion, oldest first, by customer, time and value."""
    of_customer = defaultdict(list)
    for row in rows:
        of_customer[row["customer_id"]].append(row)
    found = {}
    for row in rows:
        if row["conversion"] == "1":
            window = (at(row) - timedelta(days=30), at(row))
            kept = [touch for touch in of_customer[row["customer_id"]] if window[0] <= at(touch) <= window[1]]
            value = int(Decimal(row["conversion_value"]) * 1_000_000)
            found.setdefault((row["customer_id"], at(row), value), []).append(sorted(kept, key=at))
    assert all(len(same) == 1 for same in found.values()), "conversions that differ only in their channel"
    return {key: same[0] for key, same in found.items()}


def links(home: Path, model: str) -> dict[tuple[str, datetime, int], list[tuple]]:
    """Return (time, channel, weight, value) of each credited touch, oldest first, by the same key."""
    found = defaultdict(list)
    with published(home) as marts:
        for customer, when, value, *link in marts.execute(
            "select c.customer_id, c.occurred_at, c.value_micros, t.occurred_at, t.channel, l.weight,"
            " l.attributed_value_micros"
            " from attribution_links as l join conversions as c using (org_id, conversion_id)"
            " join touchpoints as t using (org_id, touchpoint_id)"
            " where l.attribution_model = ? and c.occurred_at < '2019-01-01' order by l.position",
            [model],
        ).fetchall():
            found[customer, when, value].append(tuple(link))
    return found


def test_linear_credit_equals_the_oracle(home, journeys):
    actual = links(home, "linear")
    assert actual.keys() == journeys.keys()
    assert len(journeys) == 1_838
    for key, journey in journeys.items():
        touches = Counter((at(touch), touch["channel"]) for touch in journey)
        assert Counter(link[:2] for link in actual[key]) == touches
        weight = Fraction(1, len(journey))
        assert all(abs(Fraction(link[2]) - weight) <= Fraction(1, 10**12) for link in actual[key])
        assert all(abs(link[3] - key[2] * weight) <= 1 for link in actual[key])
        assert sum(link[3] for link in actual[key]) == key[2]


def test_last_touch_credit_equals_the_oracle(home, journeys):
    actual = links(home, "last_touch")
    assert actual.keys() == journeys.keys()
    for key, journey in journeys.items():
        (link,) = actual[key]
        last = [(at(touch), touch["channel"]) for touch in journey if at(touch) == at(journey[-1])]
        assert link[:2] in last  # the last one by derived id, where several touches share a second
        assert link[2:] == (Decimal(1), key[2])


def test_explain_shows_every_touch_of_a_conversion(home, rows):
    with published(home) as marts:
        conversion, customer = marts.execute(
            "select c.conversion_id, c.customer_id"
            " from conversions as c join attribution_candidates as t using (org_id, conversion_id)"
            " where c.occurred_at < '2019-01-01'"
            " group by all having not bool_and(t.is_kept) order by count(*) desc, c.conversion_id limit 1"
        ).fetchone()
    output = tributary(home, "explain", "conversion", conversion).stdout
    touches = [row for row in rows if row["customer_id"] == customer]
    shown = re.findall(r"^ *(\d*) (\d{4}-\d\d-\d\d \d\d:\d\d) .*? *(later|too early|)$", output, flags=re.MULTILINE)
    assert Counter(time for _, time, _ in shown) == Counter(at(touch).strftime("%Y-%m-%d %H:%M") for touch in touches)
    used = [number for number, _, note in shown if not note]
    assert used == [str(number) for number in range(1, len(used) + 1)]
    assert 0 < len(used) < len(touches)
    assert f"{len(used)} touches get credit" in output


def test_a_second_import_of_the_same_files_changes_nothing(home):
    """The raw tables stay the same, quarantined rows included; the marts depend on nothing else."""

    def raw() -> dict[str, list[tuple]]:
        with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
            names = warehouse.execute(
                "select table_name from information_schema.tables where table_schema = 'raw' and table_name <> 'loads'"
            ).fetchall()
            rows = {name: warehouse.execute(f"from raw.{name}").fetchall() for (name,) in names}
            return {name: sorted(map(repr, of_table)) for name, of_table in rows.items()}

    before = raw()
    assert [len(before[name]) for name in ("interactions", "conversions", "events")] == [62_483, 1_838, 98]
    for arguments, received in zip(IMPORTS, (62_483, 1_838, 98), strict=True):
        output = tributary(home, "import", *arguments).stdout
        assert f"{received:,} received = 0 loaded + {received:,} duplicate + 0 failed" in output
    assert raw() == before


# What others publish of this data set, with the touches of a customer used up by each conversion: first, last, linear.
PUBLISHED = {
    "Facebook": (569, 561, 532.2776),
    "Paid Search": (601, 457, 551.5088),
    "Online Video": (222, 350, 309.5611),
    "Instagram": (226, 237, 234.6260),
    "Online Display": (220, 233, 210.0265),
}
SINCE_PREVIOUS = """\
orgs:
  - {id: default, currency: USD, lookback_days: 365}
conversion_definitions:
  - {org: default, name: purchase, touches: since_previous}
"""


def test_published_results_are_reproduced(new_home, project):
    home = new_home("published_results")
    (home / "tributary.yaml").write_text(SINCE_PREVIOUS)
    for arguments in IMPORTS[:2]:
        tributary(home, "import", *arguments)
    project.build_home(home)
    models = ("first_touch", "last_touch", "linear")
    with published(home) as marts:
        rows = marts.execute(
            "select channel, attribution_model, conversions::double from model_comparison"
            f" where lookback_days = 365 and attribution_model in {models} and conversions > 0"
        ).fetchall()
    found = {(channel, model): conversions for channel, model, conversions in rows}
    assert found == {
        (channel, model): pytest.approx(figure, abs=5e-5)
        for channel, figures in PUBLISHED.items()
        for model, figure in zip(models, figures, strict=True)
    }
