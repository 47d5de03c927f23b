"""The simulator: its files follow the input contracts, equal the ground truth beside them, and are reproducible."""

from __future__ import annotations

import gzip
import io
import json
import re
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
from ingestion.simulator.bots import BOTS
from ingestion.simulator.calendar_days import calendar_of
from ingestion.simulator.input_files import TRUTH, simulate
from ingestion.simulator.journeys import simulate_journeys
from ingestion.simulator.purchases import CAUSES
from ingestion.simulator.query_strings import query_strings
from ingestion.simulator.world import TRAFFIC_SOURCES
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
    "platform", "source", "medium", "campaign", "content", "campaign_id", "adset_id", "ad_id",
]  # fmt: skip


QUARTER = calendar_of(date(2026, 7, 1), 92)
ROWS = ("conversions", "channels", "campaigns")


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


class Quarter(NamedTuple):
    """The default: three months, as `make run` simulates them."""

    inbox: Path
    settings: dict
    truth: dict
    messages: list[str]
    visits: pl.DataFrame  # of which the files are made


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> Quarter:
    home, messages = tmp_path_factory.mktemp("quarter"), []
    settings = simulate(home / "inbox", log=messages.append)
    visits, _ = simulate_journeys(np.random.default_rng(7), QUARTER, 240_000)
    return Quarter(home / "inbox", settings, json.loads((home / TRUTH).read_text()), messages, visits)


def documented_ranges() -> list[dict[str, dict[str, tuple[float, float]]]]:
    """Read the two tables of docs/simulate.md: by channel, and by role; a range of each figure, where there is one."""
    text, tables = (ROOT / "docs" / "simulate.md").read_text(), []
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        heading, _, *lines = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()]
        if heading[0] in ("channel", "role"):
            tables.append(
                {
                    name: {
                        figure: tuple(map(float, cell.split("\u2013")))
                        for figure, cell in zip(heading[1:], cells, strict=True)
                        if cell
                    }
                    for name, *cells in lines
                }
            )
    return tables


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


def test_without_a_channels_lift_exactly_its_conversions_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate the counterfactual: the same world without the lift of Paid Social."""

    def conversions() -> set[tuple[int, float, int]]:
        visits, _ = simulate_journeys(np.random.default_rng(3), calendar_of(START, DAYS), 100_000)
        bought = visits.filter(pl.col("converts") & (pl.col("person") < 10_000))
        return set(bought.select("person", "time", "causes").iter_rows())

    everyone = conversions()
    lifts = np.array([0 if source.channel == "Paid Social" else source.lift for source in TRAFFIC_SOURCES])
    monkeypatch.setattr("ingestion.simulator.purchases._LIFT", lifts)
    rest = {(person, time) for person, time, _ in conversions()}
    social = sum(1 << position for position, cause in enumerate(CAUSES) if cause[1] == "Paid Social")
    assert {(person, time) for person, time, causes in everyone if causes & ~social} == rest
    assert len(everyone) - len(rest) > 20


def test_causes_add_up(quarter: Quarter) -> None:
    for org in quarter.truth["orgs"]:
        rows = {name: [row for row in quarter.truth[name] if row["org_id"] == org["org_id"]] for name in ROWS}
        booked = sum(row["conversions"] for row in rows["conversions"])
        channels, campaigns = (sum(row["incremental_conversions"] for row in rows[name]) for name in ROWS[1:])
        # Conversions with several causes are missing only if marketing as a whole is.
        assert campaigns <= channels <= org["incremental_conversions"] < booked
        for name in ROWS[1:]:
            for total in ("visits", "orders", "spend_micros"):
                assert sum(row[total] for row in rows[name]) == pytest.approx(org[total], abs=len(rows[name]))


def test_figures_by_channel_and_role_are_in_the_documented_ranges(quarter: Quarter) -> None:
    """docs/simulate.md has the ranges. A figure of fewer than 15 orders is left to chance."""

    def ratio(row: dict, above: str, below: str, factor: float = 1.0) -> float | None:
        return factor * row[above] / row[below] if row[below] else None

    def figures(row: dict) -> dict[str, float | None]:
        sold = row if row["orders"] >= 15 else {**row, "orders": 0, "order_value_micros": 0}
        is_paid = bool(row["spend_micros"])
        return {
            "on phones, %": ratio(row, "visits_on_phones", "visits", 100),
            "bounces, %": ratio(row, "bounces", "visits", 100),
            "orders per 100 visits": ratio(row, "orders", "visits", 100),
            "basket": ratio(sold, "order_value_micros", "orders", 1e-6),
            "ROAS": ratio(row, "order_value_micros", "spend_micros"),
            "CPA": ratio(sold, "spend_micros", "orders", 1e-6) if is_paid else None,
            "incremental ROAS": ratio(row, "incremental_value_micros", "spend_micros"),
        }

    channels, roles = documented_ranges()
    rows = [(channels[row["channel"]], row) for row in quarter.truth["channels"]]
    # A day's budget says nothing.
    rows += [(roles[row["role"]], row) for row in quarter.truth["campaigns"] if row["spend_micros"] > 100_000_000]
    outside = [
        f"{row['org_id']} {row['channel']} {row.get('campaign', '')}: {name} is {found:.2f}, not {least} to {most}"
        for ranges, row in rows
        for name, (least, most) in ranges.items()
        if (found := figures(row)[name]) is not None and not least <= found <= most
    ]
    assert not outside, "\n".join(outside)
    assert {row["channel"] for row in quarter.truth["channels"]} == channels.keys()


def test_a_sending_reaches_a_person_once_and_on_its_day(quarter: Quarter) -> None:
    zones = {org["id"]: org["timezone"] for org in quarter.settings["orgs"]}
    sent = {(row["org_id"], row["content"]): date.fromisoformat(row["date"]) for row in quarter.truth["sendings"]}
    promotion = [date.fromisoformat(quarter.truth["promotion"][end]) for end in ("first_date", "last_date")]
    for row in quarter.truth["sendings"]:
        day = date.fromisoformat(row["date"])
        if row["campaign"] == "Weekly Digest":
            assert day.weekday() == 1
        if row["campaign"] == "Summer Sale":
            assert promotion[0] <= day <= promotion[1]
    touches = one_csv(quarter.inbox, "interactions").filter(pl.col("content").is_not_null())
    assert touches.select("content", "customer_id", "touch_type", "site_id").is_unique().all()
    org_of_site = {site["id"]: site["org"] for site in quarter.settings["sites"]}
    for site_id, content, time in touches.select("site_id", "content", "occurred_at").iter_rows():
        org = org_of_site[site_id]
        local = datetime.fromisoformat(time).astimezone(ZoneInfo(zones[org]))
        assert local.date() == sent[org, content]
    opened = touches.filter(touch_type="email").with_columns(month=pl.col("occurred_at").str.slice(0, 7))
    assert opened.group_by("customer_id", "month").len()["len"].max() <= 7
    clicked = touches.filter(touch_type="click").join(opened, on=["content", "customer_id"], how="anti")
    assert clicked.is_empty(), "a click on an e-mail that nobody opened"


def test_each_click_on_a_sending_is_a_visit(quarter: Quarter) -> None:
    followed = quarter.visits.filter(pl.col("sending").is_not_null())
    assert followed.select("person", "sending").is_unique().all()
    touches = one_csv(quarter.inbox, "interactions").filter(touch_type="click")
    emails = sum(row["visits"] for row in quarter.truth["channels"] if row["channel"] == "Email")
    assert len(touches) == emails


def test_weekdays_the_promotion_and_the_bad_week_show(quarter: Quarter) -> None:
    calendar, visits = QUARTER, quarter.visits.filter(org=0)
    daily = visits.group_by("day").agg(pl.len(), pl.col("converts").sum()).sort("day")
    seen, sold = daily["len"].to_numpy(), daily["converts"].to_numpy()
    weekday = np.array([day.weekday() for day in calendar.days])
    usual = ~calendar.promoted & ~calendar.broken
    assert seen[usual & (weekday == 6)].mean() > 1.25 * seen[usual & (weekday == 5)].mean()
    assert 1.6 < sold[calendar.promoted].mean() / sold[usual].mean() < 3
    assert 0.3 < sold[calendar.broken].mean() / sold[usual].mean() < 0.75
    assert seen[calendar.broken].mean() > 0.9 * seen[usual].mean(), "people still come"
    lost = visits.filter("lost")
    assert not lost["converts"].any()
    assert quarter.truth["bad_week"]["lost_orders"] == len(lost)


def test_most_buyers_have_few_touches_and_many_have_a_journey(quarter: Quarter) -> None:
    channel = pl.Series([source.channel for source in TRAFFIC_SOURCES])
    visits = quarter.visits.with_columns(channel=channel.gather(quarter.visits["traffic_source"]))
    orders = visits.filter("converts").select("person", bought="time")
    pairs = visits.join(orders, on="person").filter(
        (pl.col("time") <= pl.col("bought")) & (pl.col("time") >= pl.col("bought") - 30 * 86_400)
    )
    touches = pairs.group_by("person", "bought").agg(pl.len(), channels=pl.col("channel").n_unique())
    assert 0.6 < (touches["len"] <= 4).mean() < 0.85
    assert 0.15 < (touches["len"].is_between(4, 7) & (touches["channels"] >= 3)).mean() < 0.4
    assert touches["len"].max() <= 15


def test_bots_name_themselves_and_buy_nothing(world: World) -> None:
    bots = world.events.unique("event_id").filter(pl.col("user_agent").is_in(BOTS))
    assert len(bots) == world.truth["bots"]["events"] > 0
    assert set(bots["type"]) == {"PAGE_VIEW"}


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
        assert 0.015 < sold / sum(touches.values()) < 0.04
        rates = {"USD": 1.0 if org == "northwind" else 0.86, "EUR": 1.0, "GBP": 1.15, None: 0.0}
        value, cost = (
            sum(row[money] * rates[row["currency"]] for row in world.truth[of] if row["org_id"] == org)
            for of, money in (("conversions", "value_micros"), ("spend", "spend_micros"))
        )
        assert 2 < value / cost < 6


def test_wasteful_campaigns_spend_without_conversions(quarter: Quarter) -> None:
    wasteful = {source.campaign_id for source in TRAFFIC_SOURCES if source.platform and source.quality == 0}
    rows = [row for row in quarter.truth["campaigns"] if row["campaign_id"] in wasteful]
    assert len(rows) == len(wasteful) >= 4
    assert all(row["spend_micros"] > 0 and row["role"] == "wastes money" for row in rows)
    assert not any(row["orders"] or row["incremental_conversions"] for row in rows)


def test_every_query_string_has_its_medium() -> None:
    """The first non-empty medium is the source's in every notation, or a paid click id is alone."""
    for source in TRAFFIC_SOURCES:
        for query in query_strings(source):
            pairs = [pair.split("=", 1) for pair in query.replace("&amp;", "&").split("&") if "=" in pair]
            medium = next((value.lower() for name, value in pairs if name == "utm_medium" and value), None)
            assert medium == (source.medium or None) or (query == "" and source.click_id in ("gclid", "msclkid"))


def test_default_writes_at_least_two_hundred_thousand_events(quarter: Quarter) -> None:
    rows = quarter.truth["rows"]
    assert rows["events"] - rows["duplicate_events"] >= 240_000
    assert any(f"{rows['events']:,} events" in line for line in quarter.messages)


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
