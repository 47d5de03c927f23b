"""The simulator: its files follow the input contracts, equal the ground truth beside them, and are reproducible."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from ingestion.simulator.benchmark_data import write_benchmark_touches
from ingestion.simulator.input_files import TRUTH, simulate
from ingestion.simulator.journeys import CAUSES, simulate_visits
from ingestion.simulator.world import CHANNELS, LIFT, TRAFFIC_SOURCES, query_strings
from tests.support.home import ROOT

START, DAYS, EVENTS = date(2026, 7, 1), 60, 30_000
KINDS = ["conversions", "events", "exchange-rates", "interactions", "refunds", "spend"]
EVENT = [
    "event_id", "site_id", "type", "occurred_at", "anon_id", "session_id", "user_id", "url", "path",
    "referrer", "user_agent", "value", "currency", "order_id", "conversion_type", "properties",
]  # fmt: skip
SPEND = [
    "date", "platform", "account_id", "campaign_id", "currency", "spend", "campaign", "adset_id", "adset",
    "ad_id", "ad", "impressions", "clicks", "platform_conversions", "platform_value",
]  # fmt: skip
INTERACTION = [
    "interaction_id", "occurred_at", "visitor_id", "customer_id", "touch_type", "site_id", "channel",
    "platform", "source", "medium", "campaign", "campaign_id", "adset_id", "ad_id",
]  # fmt: skip


class World(NamedTuple):
    inbox: Path
    settings: dict
    truth: dict
    events: pl.DataFrame  # all files, repeated rows included, all columns as text


def text_of_csv(content: bytes) -> pl.DataFrame:
    return pl.read_csv(io.BytesIO(content), infer_schema=False)


def read_events(inbox: Path) -> pl.DataFrame:
    """Return the three files as one table of text. Each is read by the rules of its format."""
    endings = (".csv.gz", ".parquet", ".ndjson")
    [zipped], [parquet], [lines] = (sorted((inbox / "events").glob(f"*{ending}")) for ending in endings)
    from_lines = [json.loads(line) for line in lines.read_text().splitlines()]
    for row in from_lines:
        local = datetime.fromisoformat(row["occurred_at"])
        assert local.utcoffset() == timedelta(hours=2)
        row["occurred_at"] = local.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        if "properties" in row:
            row["properties"] = json.dumps(row["properties"], ensure_ascii=False)
    typed = pl.read_parquet(parquet).with_columns(
        pl.col("occurred_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"), pl.col("value").cast(pl.String)
    )
    return pl.concat(
        [
            text_of_csv(gzip.decompress(zipped.read_bytes())).select(EVENT),
            typed.select(EVENT),
            pl.DataFrame(from_lines, schema=dict.fromkeys(EVENT, pl.String)),
        ]
    )


def one_csv(inbox: Path, kind: str) -> pl.DataFrame:
    [path] = (inbox / kind).iterdir()
    return text_of_csv(path.read_bytes())


def micros(values: pl.Series) -> int:
    return int(sum((Decimal(value) for value in values.drop_nulls()), Decimal(0)) * 1_000_000)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    home = tmp_path_factory.mktemp("world")
    settings = simulate(home / "inbox", start=START, days=DAYS, events=EVENTS)
    truth = json.loads((home / TRUTH).read_text())
    return World(home / "inbox", settings, truth, read_events(home / "inbox"))


def test_same_arguments_write_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from ingestion.simulator.input_files import simulate; "
        "simulate(Path(sys.argv[1]) / 'inbox', events=3_000, days=20)"
    )
    for number in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / number)],
            env={"PYTHONHASHSEED": number, "TZ": ("Asia/Tokyo" if number == "1" else "America/Lima")},
            cwd=ROOT,
            check=True,
        )
    first, second = (
        {path.relative_to(tmp_path / number): path.read_bytes() for path in (tmp_path / number).rglob("*.*")}
        for number in ("1", "2")
    )
    assert len(first) == 9
    assert first == second


def test_another_seed_gives_other_events(world: World, tmp_path: Path) -> None:
    simulate(tmp_path / "inbox", seed=8, start=START, days=DAYS, events=3_000)
    assert not set(read_events(tmp_path / "inbox")["event_id"]) & set(world.events["event_id"])


def test_every_kind_has_files_and_no_temporary_file_remains(world: World) -> None:
    assert sorted(path.name for path in world.inbox.iterdir()) == KINDS
    assert {path.suffix for path in (world.inbox / "events").iterdir()} == {".gz", ".ndjson", ".parquet"}
    assert not [path for path in world.inbox.rglob("*") if path.name.startswith(".") or path.suffix == ".tmp"]


def test_events_follow_their_contract(world: World) -> None:
    required = world.events.select("event_id", "site_id", "type", "occurred_at", "anon_id")
    assert required.null_count().sum_horizontal().item() == 0
    assert set(world.events["type"]) == {"PAGE_VIEW", "CUSTOM", "CONVERSION"}
    assert set(world.events["site_id"]) == {site["id"] for site in world.settings["sites"]}
    sold = world.events.filter(pl.col("value").is_not_null())
    assert set(sold["type"]) == {"CONVERSION"}
    assert sold.select("currency", "order_id").null_count().sum_horizontal().item() == 0
    leads = world.events.filter(conversion_type="lead")
    assert 0 < len(leads) == leads["value"].null_count()
    assert all("name" in json.loads(properties) for properties in world.events["properties"].drop_nulls())


def test_event_id_has_one_content(world: World) -> None:
    unique = world.events.unique()
    repeated = len(world.events) - len(unique)
    assert unique["event_id"].is_unique().all()
    assert world.truth["rows"]["events"] == len(world.events)
    assert world.truth["rows"]["duplicate_events"] == repeated
    assert EVENTS <= len(unique) <= EVENTS * 1.02
    assert 0.001 < repeated / len(unique) < 0.01


def test_events_are_within_the_reporting_days(world: World) -> None:
    zones = {org["id"]: org["timezone"] for org in world.settings["orgs"]}
    for site in world.settings["sites"]:
        zone = zones[site["org"]]
        times = world.events.filter(site_id=site["id"])["occurred_at"].str.to_datetime(time_zone="UTC")
        day = times.dt.convert_time_zone(zone).dt.date()
        assert day.min() == START
        assert day.max() <= START + timedelta(DAYS - 1)


def test_people_are_active_by_day_in_their_time_zone(world: World) -> None:
    for site_id, zone in (("northwind-shop", "America/New_York"), ("nordlicht-shop", "Europe/Berlin")):
        times = world.events.filter(site_id=site_id)["occurred_at"].str.to_datetime(time_zone="UTC")
        hours = times.dt.convert_time_zone(zone).dt.hour()
        assert (hours.is_between(1, 4)).sum() * 5 < (hours.is_between(18, 21)).sum()


def test_late_events_are_in_a_later_file(world: World) -> None:
    [parquet] = (world.inbox / "events").glob("*.parquet")
    late = (pl.read_parquet(parquet)["occurred_at"].dt.date() < START + timedelta(DAYS // 3)).sum()
    assert late > 0


@pytest.mark.parametrize(
    ("kind", "minimum", "maximum", "condition"),
    [
        ("without a session id", 0.05, 0.12, pl.col("session_id").is_null()),
        ("with a known customer", 0.1, 0.5, pl.col("user_id").is_not_null()),
        ("with a mixed-case source", 0.002, 0.05, pl.col("url").str.contains("utm_source=[A-Z]")),
        ("with an encoded campaign", 0.02, 0.3, pl.col("url").str.contains("utm_campaign=[^&]*%")),
        ("with plus for space", 0.002, 0.05, pl.col("url").str.contains(r"utm_campaign=[^&]*\w\+")),
        ("with repeated parameters", 0.001, 0.05, pl.col("url").str.contains("utm_source=.*utm_source=")),
        ("with &amp;", 0.001, 0.05, pl.col("url").str.contains("&amp;utm_medium", literal=True)),
        ("with an invalid escape", 0.001, 0.05, pl.col("url").str.contains("%E0%A4%A$|%E0%A4%A&")),
        ("with a fragment", 0.005, 0.05, pl.col("url").str.contains("#reviews", literal=True)),
        ("auto-tagged only", 0.001, 0.05, pl.col("url").str.contains(r"\?(gclid|msclkid)=")),
        ("with an e-mail address", 0.0003, 0.01, pl.col("url").str.contains("%40mail.example", literal=True)),
        (
            "campaign by id only",
            0.01,
            0.2,
            pl.col("url").str.contains("utm_id=") & ~pl.col("url").str.contains("utm_campaign="),
        ),
    ],
)
def test_irregular_events_have_a_realistic_share(
    world: World, kind: str, minimum: float, maximum: float, condition: pl.Expr
) -> None:
    assert minimum < world.events.select(condition.fill_null(False).mean()).item() < maximum, kind


def test_some_customers_use_two_devices(world: World) -> None:
    devices = world.events.drop_nulls("user_id").group_by("user_id").agg(pl.col("anon_id").n_unique())
    assert 0.03 < (devices["anon_id"] == 2).mean() < 0.4
    assert devices["anon_id"].max() == 2


def test_some_sessions_have_a_second_campaign_on_a_later_page(world: World) -> None:
    source = pl.col("url").str.extract(r"utm_source=(\w+)").str.to_lowercase()
    sources = world.events.drop_nulls("session_id").group_by("session_id").agg(source.drop_nulls().n_unique())
    assert (sources["url"] > 1).sum() > 10


def test_conversions_and_values_equal_the_truth(world: World) -> None:
    """Count the files: each web event once, and the orders of conversions.csv."""
    org_of_site = {site["id"]: site["org"] for site in world.settings["sites"]}
    columns = ["site_id", "conversion_type", "currency", "value"]
    web = world.events.unique("event_id").filter(type="CONVERSION").select(columns)
    sold = pl.concat([web, one_csv(world.inbox, "conversions").select(columns)])
    found = {
        (org, kind, currency): (len(rows), micros(rows["value"]))
        for (org, kind, currency), rows in sold.with_columns(org=pl.col("site_id").replace(org_of_site)).group_by(
            "org", "conversion_type", "currency"
        )
    }
    expected = {
        (row["org_id"], row["conversion_type"], row["currency"]): (row["conversions"], row["value_micros"])
        for row in world.truth["conversions"]
    }
    assert found == expected
    assert {currency for _, _, currency in found} == {"USD", "EUR", "GBP", None}


def test_spend_equals_the_truth_to_the_micro(world: World) -> None:
    table = one_csv(world.inbox, "spend")
    assert table.columns == SPEND
    assert table.select(SPEND[:6]).null_count().sum_horizontal().item() == 0
    assert table.select("account_id", "campaign_id", "adset_id", "ad_id", "date").is_unique().all()
    org_of_account = {account["account_id"]: account["org"] for account in world.settings["ad_accounts"]}
    found = {
        (org_of_account[account], platform, currency): micros(rows["spend"])
        for (account, platform, currency), rows in table.group_by("account_id", "platform", "currency")
    }
    expected = {(row["org_id"], row["platform"], row["currency"]): row["spend_micros"] for row in world.truth["spend"]}
    assert found == expected
    assert {currency for org, _, currency in found if org == "nordlicht"} == {"EUR", "GBP", "USD"}
    assert table["adset_id"].null_count() > 0, "some campaigns are reported without ads"


def test_ads_have_more_impressions_than_clicks(world: World) -> None:
    table = one_csv(world.inbox, "spend").drop_nulls("impressions")
    seen, clicked = (table[column].cast(pl.Int64) for column in ("impressions", "clicks"))
    assert (seen >= clicked).all()
    assert 0.002 < clicked.sum() / seen.sum() < 0.05


def test_causes_sum_to_the_conversions(world: World) -> None:
    caused, booked = world.truth["caused"], world.truth["conversions"]
    for total in ("conversions", "value_micros"):
        assert sum(row[total] for row in caused) == sum(row[total] for row in booked)
    assert {row["cause"] for row in caused} <= set(CAUSES) - {"Direct"}


def test_without_a_channels_lift_exactly_its_conversions_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate the counterfactual: the same world without the lift of e-mail."""

    def conversions() -> set[tuple[int, int, str]]:
        table = simulate_visits(np.random.default_rng(3), START, DAYS, 100_000).filter(pl.col("person") < 10_000)
        bought = table.filter("converts")
        return {(row["person"], row["time"], CAUSES[row["cause"]]) for row in bought.iter_rows(named=True)}

    everyone = conversions()
    without_email = np.array([0 if name == "Email" else LIFT[name] for name in CHANNELS])
    monkeypatch.setattr("ingestion.simulator.journeys._LIFT", without_email)
    rest = {(person, time) for person, time, _ in conversions()}
    assert {(person, time) for person, time, cause in everyone if cause != "Email"} == rest
    assert len(everyone) - len(rest) > 20


def test_exchange_rates_skip_weekends_and_begin_before_the_period(world: World) -> None:
    table = one_csv(world.inbox, "exchange-rates")
    assert table.columns == ["date", "base", "quote", "rate"]
    days = table["date"].str.to_date()
    assert days.min() < START
    assert days.dt.weekday().max() == 5
    assert len(table) == 2 * days.n_unique()
    assert table["rate"].cast(pl.Float64).is_between(0.6, 1.6).all()


def test_interactions_follow_their_contract(world: World) -> None:
    table = one_csv(world.inbox, "interactions")
    assert set(table.columns) == set(INTERACTION)
    assert table["occurred_at"].str.ends_with("Z").all()
    assert (table["visitor_id"].is_null() ^ table["customer_id"].is_null()).all()
    assert set(table["touch_type"]) == {"view", "email", "click", "form", "call"}
    assert table["interaction_id"].drop_nulls().is_unique().all()
    assert table["interaction_id"].null_count() > 0
    ads = one_csv(world.inbox, "spend")["campaign_id"]
    assert table["campaign_id"].drop_nulls().is_in(ads.implode()).all()


def test_offline_orders_belong_to_customers_of_web_events(world: World) -> None:
    table = one_csv(world.inbox, "conversions")
    required = table.select("occurred_at", "customer_id", "value", "currency")
    assert required.null_count().sum_horizontal().item() == 0
    assert table["customer_id"].is_in(world.events["user_id"].drop_nulls().implode()).mean() > 0.95


def test_visits_come_from_eight_channels_and_figures_are_plausible(world: World) -> None:
    for org in ("northwind", "nordlicht"):
        touches = {row["channel"]: row["touches"] for row in world.truth["touches"] if row["org_id"] == org}
        assert len(touches) >= 8
        sold = sum(row["conversions"] for row in world.truth["conversions"] if row["org_id"] == org)
        assert 0.02 < sold / sum(touches.values()) < 0.04
        rates = {"USD": 1.0 if org == "northwind" else 0.86, "EUR": 1.0, "GBP": 1.15, None: 0.0}
        value, cost = (
            sum(row[money] * rates[row["currency"]] for row in world.truth[of] if row["org_id"] == org)
            for of, money in (("conversions", "value_micros"), ("spend", "spend_micros"))
        )
        assert 2 < value / cost < 6


def test_wasteful_campaigns_spend_without_conversions(world: World) -> None:
    wasteful = {source.campaign_id for source in TRAFFIC_SOURCES if source.platform and source.quality == 0}
    table = one_csv(world.inbox, "spend").filter(pl.col("campaign_id").is_in(list(wasteful)))
    spent = table.group_by("campaign_id").agg(pl.col("spend").cast(pl.Float64).sum())
    assert len(spent) == len(wasteful) >= 4
    sources = [number for number, source in enumerate(TRAFFIC_SOURCES) if source.campaign_id in wasteful]
    table = simulate_visits(np.random.default_rng(7), START, DAYS, EVENTS)
    first_source = pl.col("traffic_source").first().over("person")  # the table is sorted by time
    visitors = table.filter(first_source.is_in(sources))
    assert visitors["person"].n_unique() > 100
    assert not visitors["converts"].any()


def test_every_query_string_has_its_medium() -> None:
    """The first non-empty medium is the source's in every notation, or a paid click id is alone."""
    for source in TRAFFIC_SOURCES:
        for query in query_strings(source):
            pairs = [pair.split("=", 1) for pair in query.replace("&amp;", "&").split("&") if "=" in pair]
            medium = next((value.lower() for name, value in pairs if name == "utm_medium" and value), None)
            assert medium == (source.medium or None) or (query == "" and source.click_id in ("gclid", "msclkid"))


def test_default_writes_at_least_two_hundred_thousand_events(tmp_path: Path) -> None:
    messages: list[str] = []
    simulate(tmp_path / "inbox", log=messages.append)
    truth = json.loads((tmp_path / TRUTH).read_text())
    assert truth["rows"]["events"] - truth["rows"]["duplicate_events"] >= 200_000
    assert any(f"{truth['rows']['events']:,} events" in line for line in messages)


def test_too_few_days_are_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 7 days and 100 events"):
        simulate(tmp_path / "inbox", days=1)


def test_benchmark_touches_have_their_number_and_one_conversion_in_ten(tmp_path: Path) -> None:
    touches, sold = tmp_path / "touches.parquet", tmp_path / "conversions.parquet"
    write_benchmark_touches(touches, sold, interactions=70_000)
    first, orders = pl.read_parquet(touches), pl.read_parquet(sold)
    assert (len(first), len(orders)) == (70_000, 7_000)
    assert first["interaction_id"].is_unique().all()
    assert first["channel"].n_unique() >= 5
    assert 6.5 < len(first) / first["customer_id"].n_unique() < 7.5
    assert (first["occurred_at"].max() - first["occurred_at"].min()).days == 89
    assert orders["customer_id"].is_in(first["customer_id"].implode()).all()
    write_benchmark_touches(tmp_path / "again.parquet", sold, interactions=70_000)
    assert pl.read_parquet(tmp_path / "again.parquet").equals(first)
