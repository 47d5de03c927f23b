"""Tables that another tool synced: exact totals, merged rows, and clear errors."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from msgspec import structs

from connectors.ads.meta import PURCHASES
from ingestion.files.contracts import ContractError
from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.settings.model import AdAccount, Org, Settings, Synced
from ingestion.settings.raw_tables import store_settings
from ingestion.spend.synced.load import SyncReport, create_macros, sync_source
from ingestion.spend.synced.shapes import SHAPES, shapes
from ingestion.spend.synced.staging import COUNTS, IDS, LEVELS, NAMES
from ingestion.warehouse import connect
from tests.support.home import ROOT, SHARED_DATA, real_data

TABLES = SHARED_DATA / "ad_platform_tables"
FIXTURES = ROOT / "tests" / "fixtures" / "airbyte"
AIRBYTE = sorted(FIXTURES.glob("*.sql"))
# file -> (platform, level, spend column, its unit), to total each file independently of the code
SPEND = {
    "amazon_ads_campaign_level_report_data": ("amazon", "campaign", "cost", 1),
    "amazon_ads_ad_group_level_report_data": ("amazon", "adset", "cost", 1),
    "amazon_ads_advertised_product_report_data": ("amazon", "ad", "cost", 1),
    "apple_search_campaign_report_data": ("apple", "campaign", "local_spend_amount", 1),
    "apple_search_ad_group_report_data": ("apple", "adset", "local_spend_amount", 1),
    "apple_search_ad_report_data": ("apple", "ad", "local_spend_amount", 1),
    "facebook_ads_basic_ad_data": ("meta", "ad", "spend", 1),
    "google_ads_account_stats_data": ("google", "account", "cost_micros", 1_000_000),
    "google_ads_campaign_stats_data": ("google", "campaign", "cost_micros", 1_000_000),
    "google_ads_ad_group_stats_data": ("google", "adset", "cost_micros", 1_000_000),
    "google_ads_ad_stats_data": ("google", "ad", "cost_micros", 1_000_000),
    "linkedin_ad_analytics_by_campaign_data": ("linkedin", "adset", "cost_in_local_currency", 1),
    "linkedin_ad_analytics_by_creative_data": ("linkedin", "ad", "cost_in_local_currency", 1),
    "microsoft_ads_account_performance_daily_report_data": ("microsoft", "account", "spend", 1),
    "microsoft_ads_campaign_performance_daily_report_data": ("microsoft", "campaign", "spend", 1),
    "microsoft_ads_ad_group_performance_daily_report_data": ("microsoft", "adset", "spend", 1),
    "microsoft_ads_ad_performance_daily_report_data": ("microsoft", "ad", "spend", 1),
    "pinterest_advertiser_report_data": ("pinterest", "account", "spend_in_micro_dollar", 1_000_000),
    "pinterest_campaign_report_data": ("pinterest", "campaign", "spend_in_micro_dollar", 1_000_000),
    "pinterest_ad_group_report_data": ("pinterest", "adset", "spend_in_micro_dollar", 1_000_000),
    "pinterest_pin_promotion_report_data": ("pinterest", "ad", "spend_in_micro_dollar", 1_000_000),
    "reddit_ads_account_report_data": ("reddit", "account", "spend", 1_000_000),
    "reddit_ads_campaign_report_data": ("reddit", "campaign", "spend", 1_000_000),
    "reddit_ads_ad_group_report_data": ("reddit", "adset", "spend", 1_000_000),
    "reddit_ads_ad_report_data": ("reddit", "ad", "spend", 1_000_000),
    "snapchat_campaign_hourly_report_data": ("snapchat", "campaign", "spend", 1_000_000),
    "snapchat_ad_squad_hourly_report_data": ("snapchat", "adset", "spend", 1_000_000),
    "snapchat_ad_hourly_report_data": ("snapchat", "ad", "spend", 1_000_000),
    "tiktok_campaign_report_hourly_data": ("tiktok", "campaign", "SPEND", 1),
    "tiktok_adgroup_report_hourly_data": ("tiktok", "adset", "SPEND", 1),
    "tiktok_ad_report_hourly_data": ("tiktok", "ad", "SPEND", 1),
    "twitter_campaign_report_data": ("x", "campaign", "billed_charge_local_micro", 1_000_000),
    "twitter_line_item_report_data": ("x", "adset", "billed_charge_local_micro", 1_000_000),
    "twitter_promoted_tweet_report_data": ("x", "ad", "billed_charge_local_micro", 1_000_000),
}


@pytest.fixture
def warehouse(tmp_path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Settings, Home]]:
    home = Home(tmp_path / "home")
    for folder in (home.root, home.temporary, home.archive):
        folder.mkdir()
    settings = load_settings(home)
    with connect(home) as connection:
        store_settings(connection, settings)
        yield connection, settings, home


def sync(warehouse, path: Path, tool: str = "fivetran") -> SyncReport:
    connection, settings, home = warehouse
    source = Synced(path=str(path), org="default", tool=tool)
    folders = {"folder": home.root, "temporary": home.temporary}
    return sync_source(connection, source, settings, **folders, purchase_actions=PURCHASES)


def stored(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    rows = connection.execute(
        "select platform, coalesce(level, 'ad'), sum(spend_micros)::bigint from raw.ad_spend group by all"
    ).fetchall()
    return {(platform, level): micros for platform, level, micros in rows}


@real_data
def test_every_level_equals_its_table_to_the_micro(warehouse):
    report = sync(warehouse, TABLES)
    expected, rows = {}, {}
    for file, (platform, level, column, unit) in SPEND.items():
        with (TABLES / f"{file}.csv").open(newline="", encoding="utf-8-sig") as text:
            amounts = [Decimal(row[column] or 0) / unit for row in csv.DictReader(text)]
        expected[platform, level], rows[platform, level] = int(sum(amounts) * 1_000_000), len(amounts)
    assert stored(warehouse[0]) == expected
    totals: dict[tuple[str, str], list] = {}
    for total in report.totals:
        if total.is_stored:
            sums = totals.setdefault((total.platform, total.level), [0, 0])
            sums[0] += int(total.spend * 1_000_000)
            sums[1] += total.rows
    assert totals == {key: [expected[key], rows[key]] for key in expected}
    assert (expected["meta", "ad"], expected["google", "campaign"]) == (643_630_000, 231_330_000)
    assert (expected["tiktok", "campaign"], expected["snapchat", "ad"]) == (444_792_000, 2_513_448_305)
    assert (expected["microsoft", "campaign"], rows["microsoft", "campaign"]) == (946_340_000, 2_630)
    assert rows["snapchat", "ad"] == 1_212


@real_data
def test_totals_show_levels_that_differ(warehouse):
    totals = {(total.platform, total.level): total for total in sync(warehouse, TABLES).totals}
    reddit = totals["reddit", "campaign"]
    assert (reddit.spend, reddit.finest_spend) == (Decimal("12970.777467"), Decimal("5035.019678"))
    assert totals["microsoft", "keyword"].spend == Decimal("38.3")
    assert not totals["microsoft", "keyword"].is_stored


@real_data
def test_syncing_twice_adds_nothing(warehouse):
    connection = warehouse[0]
    sync(warehouse, TABLES)
    before = connection.execute("from raw.ad_spend order by all").fetchall()
    entities = connection.execute("from raw.ad_entities order by all").fetchall()
    again = sync(warehouse, TABLES)
    assert connection.execute("from raw.ad_spend order by all").fetchall() == before
    assert connection.execute("from raw.ad_entities order by all").fetchall() == entities
    assert sum(load.loaded for load in again.loads) == 0
    assert connection.execute("select count(*) from raw.ad_spend_history").fetchone() == (0,)


def write(folder: Path, name: str, *lines: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")


def histories(folder: Path) -> None:
    write(
        folder,
        "facebook_ads_ad_history",
        "id,updated_time,account_id,ad_set_id,campaign_id,creative_id,name",
        "9,2026-01-01,1,8,7,5,old name",
        "9,2026-02-01,1,8,7,5,Ad nine",
    )
    write(folder, "facebook_ads_ad_set_history", "id,updated_time,account_id,campaign_id,name", "8,2026-01-01,1,7,Set")
    write(folder, "facebook_ads_campaign_history", "id,updated_time,account_id,name", "7,2026-01-01,1,Spring")
    write(folder, "facebook_ads_account_history", "id,_fivetran_synced,name,currency", "1,2026-01-01,Shop,EUR")


def test_restated_day_replaces_the_stored_day(warehouse, tmp_path):
    connection, folder = warehouse[0], tmp_path / "synced"
    histories(folder)
    header = "ad_id,date,account_id,impressions,clicks,spend"
    write(
        folder,
        "facebook_ads_basic_ad",
        header,
        "9,2026-11-01,1,10,1,0.10",
        "9,2026-11-01,1,10,1,0.20",
        "9,2026-11-02,1,10,1,5",
        "10,2026-11-02,1,10,1,3",
    )
    sync(warehouse, folder)
    rows = "select date::varchar, ad_id, ad, campaign, currency, spend_micros from raw.ad_spend order by all"
    assert connection.execute(rows).fetchall() == [
        ("2026-11-01", "9", "Ad nine", "Spring", "EUR", 300_000),
        ("2026-11-02", "10", None, None, "EUR", 3_000_000),
        ("2026-11-02", "9", "Ad nine", "Spring", "EUR", 5_000_000),
    ]
    # On the 2nd, one ad is restated and one is withdrawn. The source no longer has the 1st, which therefore stays.
    write(folder, "facebook_ads_basic_ad", header, "9,2026-11-02,1,10,1,4.5")
    sync(warehouse, folder)
    assert connection.execute(rows).fetchall() == [
        ("2026-11-01", "9", "Ad nine", "Spring", "EUR", 300_000),
        ("2026-11-02", "9", "Ad nine", "Spring", "EUR", 4_500_000),
    ]
    assert connection.execute("select sum(spend_micros)::bigint from raw.ad_spend_history").fetchone() == (8_000_000,)


@pytest.mark.parametrize("kind", ["parquet", "duckdb"])
def test_parquet_and_duckdb_files_equal_csv(warehouse, tmp_path, kind):
    connection, folder = warehouse[0], tmp_path / "synced"
    histories(folder)
    write(
        folder, "facebook_ads_basic_ad", "ad_id,date,account_id,impressions,clicks,spend", "9,2026-11-01,1,10,1,76.53"
    )
    other = tmp_path / ("tables" if kind == "parquet" else "tables.duckdb")
    if kind == "parquet":
        other.mkdir()
    with duckdb.connect(":memory:" if kind == "parquet" else str(other)) as tool:
        tool.execute("create schema facebook_ads")
        for file in folder.iterdir():
            table = f"facebook_ads.{file.stem.removeprefix('facebook_ads_')}"
            tool.execute(f"create table {table} as from read_csv('{file}')")  # with types: dates, doubles
            if kind == "parquet":
                tool.execute(f"copy {table} to '{other}/{file.stem}.parquet'")
    sync(warehouse, other)
    assert connection.execute("select date::varchar, ad, spend_micros from raw.ad_spend").fetchall() == [
        ("2026-11-01", "Ad nine", 76_530_000)
    ]


def test_missing_tables_and_columns_are_named(warehouse, tmp_path):
    folder = tmp_path / "synced"
    write(folder, "facebook_ads_basic_ad", "ad_id,date,account_id,impressions,amount", "9,2026-11-01,1,10,5")
    with pytest.raises(ContractError, match=r"facebook_ads_basic_ad has no column spend. It has: account_id, ad_id"):
        sync(warehouse, folder)
    write(folder, "facebook_ads_basic_ad", "ad_id,date,account_id,impressions,spend", "9,2026-11-01,1,10,5")
    with pytest.raises(ContractError, match="meta: the table ad_history is missing"):
        sync(warehouse, folder)
    with pytest.raises(ContractError, match="no spend table in the shape of fivetran"):
        sync(warehouse, tmp_path / "home")
    with pytest.raises(ContractError, match="does not exist"):
        sync(warehouse, tmp_path / "nothing")
    assert warehouse[0].execute("select count(*) from raw.ad_spend").fetchone() == (0,)


def test_entity_of_two_connections_is_always_the_first_ones(warehouse, tmp_path):
    folder = tmp_path / "synced"
    histories(folder)
    write(folder, "facebook_ads_basic_ad", "ad_id,date,account_id,impressions,clicks,spend", "9,2026-11-01,1,10,1,1")
    for file in list(folder.iterdir()):
        (folder / f"other_{file.name}").write_text(file.read_text().replace("Ad nine", "Neun"))
    sync(warehouse, folder)
    sync(warehouse, folder)
    states = "select name, valid_until from raw.ad_entities where level = 'ad'"
    assert warehouse[0].execute(states).fetchall() == [("Ad nine", None)]


def test_entities_belong_to_the_declared_org_of_their_account(warehouse, tmp_path):
    connection, settings, home = warehouse
    folder = tmp_path / "synced"
    histories(folder)
    write(folder, "facebook_ads_account_history", "id,_fivetran_synced,name,currency")  # the currency is the org's
    write(folder, "facebook_ads_basic_ad", "ad_id,date,account_id,impressions,clicks,spend", "9,2026-11-01,1,10,1,1")
    accounts = [AdAccount(platform="meta", account_id=account, org="nord") for account in ("1", "it's")]
    nord = structs.replace(settings, orgs=[*settings.orgs, Org(id="nord", currency="EUR")], ad_accounts=accounts)
    sync((connection, nord, home), folder)
    for table in ("ad_spend", "ad_entities"):
        assert connection.execute(f"select distinct org_id from raw.{table}").fetchall() == [("nord",)], table
    assert connection.execute("select currency from raw.ad_spend").fetchall() == [("EUR",)]


def test_invalid_values_are_quarantined_with_their_reason(warehouse, tmp_path):
    connection, folder = warehouse[0], tmp_path / "synced"
    histories(folder)
    write(
        folder,
        "facebook_ads_basic_ad",
        "ad_id,date,account_id,impressions,clicks,spend",
        "9,2026-11-01,1,10,1,1.50",
        "9,2026-11-02,1,10,1,a lot",
        "9,soon,1,10,1,2",
    )
    report = sync(warehouse, folder)
    assert [load.failed for load in report.loads] == [2]
    assert connection.execute("select sum(spend_micros)::bigint from raw.ad_spend").fetchone() == (1_500_000,)
    details = connection.execute("select detail from raw.failed_events order by 1").fetchall()
    assert [detail for (detail,) in details] == [
        "date soon is not an ISO 8601 day such as 2026-07-01, from 1970 to 2199, or one in the form of its column",
        "spend a lot is not a decimal below 1e12 such as 1234.56, with the decimal mark of its column",
    ]
    # A row that has become invalid does not withdraw its stored row.
    write(
        folder,
        "facebook_ads_basic_ad",
        "ad_id,date,account_id,impressions,clicks,spend",
        "9,2026-11-01,1,10,1,oops",
        "10,2026-11-01,1,10,1,3",
    )
    sync(warehouse, folder)
    assert connection.execute("select sum(spend_micros)::bigint from raw.ad_spend").fetchone() == (4_500_000,)
    write(
        folder,
        "facebook_ads_basic_ad",
        "ad_id,date,account_id,impressions,clicks,spend",
        "9,yesterday,1,10,1,1.50",
        "10,2026-11-01,1,10,1,3",
    )
    sync(warehouse, folder)
    assert connection.execute("select sum(spend_micros)::bigint from raw.ad_spend").fetchone() == (4_500_000,)


LINKEDIN = "campaign_id,day,cost_in_local_currency,impressions,clicks"


def campaigns(folder: Path, *rows: str) -> None:
    write(folder, "linkedin_ads_campaign_history", "id,last_modified_time,account_id,campaign_group_id,name", *rows)


def test_spend_of_an_account_that_becomes_known_counts_once(warehouse, tmp_path):
    """Reports often arrive before their campaign. Unmatched rows of another source stay."""
    connection, one, other = warehouse[0], tmp_path / "one", tmp_path / "other"
    write(one, "linkedin_ads_ad_analytics_by_campaign", LINKEDIN, "5,2026-11-01,10,1,1", "6,2026-11-01,3,1,1")
    campaigns(one, "5,2026-01-01,1,7,C")
    write(other, "linkedin_ads_ad_analytics_by_campaign", LINKEDIN, "8,2026-11-01,20,1,1")
    campaigns(other, "8,2026-01-01,2,7,C")
    for folder in (one, other):
        sync(warehouse, folder)
    spend = "select account_id, sum(spend_micros)::bigint // 1000000 from raw.ad_spend group by 1 order by 1"
    assert connection.execute(spend).fetchall() == [("(unmatched)", 3), ("1", 10), ("2", 20)]
    campaigns(one, "5,2026-01-01,1,7,C", "6,2026-01-01,1,7,D")
    sync(warehouse, one)
    assert connection.execute(spend).fetchall() == [("1", 13), ("2", 20)]


def test_day_without_its_stored_ads_keeps_them(warehouse, tmp_path):
    """A table is empty while a tool syncs it again, but its totals are there."""
    connection, folder = warehouse[0], tmp_path / "synced"
    ads = "google_ads_ad_stats", "customer_id,campaign_id,ad_group_id,ad_id,date,cost_micros"
    write(folder, *ads, "1,3,4,5,2026-11-01,7000000")
    write(folder, "google_ads_campaign_stats", "customer_id,id,date,cost_micros", "1,3,2026-11-01,7000000")
    sync(warehouse, folder)
    write(folder, *ads)
    write(folder, "google_ads_campaign_stats", "customer_id,id,date,cost_micros", "1,3,2026-11-01,8000000")
    sync(warehouse, folder)
    rows = "select level, ad_id, spend_micros // 1000000 from raw.ad_spend order by all"
    assert connection.execute(rows).fetchall() == [("campaign", None, 8), (None, "5", 7)]


SPENT = """
    select spend.platform, spend.level, date, spend.account_id, spend.currency, spend.campaign_id, campaign,
        spend.adset_id, adset, ad_id, ad, spend_micros, impressions, clicks, video_views, platform_conversions,
        platform_value_micros, destination_url
    from raw.ad_spend as spend
    left join raw.ad_entities as entities
        on spend.platform = entities.platform and entities.level = 'ad' and ad_id = entity_id
"""


def database(path: Path, *fixtures: Path) -> Path:
    """Write a DuckDB file as Airbyte's destinations do: typed tables with the schemas of its sources."""
    with duckdb.connect(str(path)) as tool:
        tool.execute("load icu; set TimeZone = 'America/Los_Angeles'")
        for fixture in fixtures:
            tool.execute(fixture.read_text())
    return path


@pytest.mark.parametrize(
    "fixtures", [*([path] for path in AIRBYTE), AIRBYTE], ids=[*(path.stem for path in AIRBYTE), "all"]
)
def test_airbyte_tables_are_read_to_the_micro(warehouse, tmp_path, fixtures):
    connection = warehouse[0]
    report = sync(warehouse, database(tmp_path / "lake.duckdb", *fixtures), "airbyte")
    types = connection.execute(f"describe {SPENT}").fetchall()
    columns = ", ".join(f"'{name}': '{type_}'" for name, type_, *_ in types)
    connection.execute(
        f"""
        create temp table expected as
        from read_csv('{FIXTURES}/expected.csv', header = true, columns = {{{columns}}})
        where platform in {tuple(path.stem for path in fixtures)}
        """
    )
    assert connection.execute(f"from ({SPENT}) except all from expected").fetchall() == []
    assert connection.execute(f"from expected except all ({SPENT})").fetchall() == []
    assert sum(load.failed for load in report.loads) == 0
    assert report.unused == []


@pytest.mark.parametrize("tool", ["fivetran", "airbyte"])
def test_every_select_reads_only_declared_columns(warehouse, tool):
    connection = warehouse[0]
    create_macros(connection, PURCHASES)
    columns = {*IDS, *NAMES, *COUNTS, "date", "currency", "platform_conversions", "platform_value", "spend"}
    for shape in shapes(tool):
        text = (SHAPES / tool / f"{shape.platform}.sql").read_text()
        assert len(re.findall("^-- (?:table|latest) ", text, re.M)) == len(shape.tables), shape.platform
        assert len(re.findall("^-- (?:level|total) ", text, re.M)) == len(shape.levels), shape.platform
        for table in shape.tables:
            nulls = ", ".join(f'null::varchar as "{column}"' for column in table.columns)
            connection.execute(f'create temp view "{table.name}" as select {nulls} from (select 1 limit 0)')
        for level in shape.levels:
            result = connection.execute(f"select * from ({level.sql})")
            assert {name for name, *_ in result.description} <= columns, (shape.platform, level.name)
        connection.execute(f"from ({shape.entities})")
        for table in shape.tables:
            connection.execute(f'drop view temp."{table.name}"')


def test_every_connection_of_a_platform_counts(warehouse, tmp_path):
    """Two connections, each in a schema. A day of an account that both have comes from the first one."""
    connection, lake = warehouse[0], tmp_path / "lake.duckdb"
    insight = "select date '2026-11-0{day}' as date_start, '{account}' as account_id, 'EUR' as account_currency,"
    insight += " '7' as campaign_id, '8' as adset_id, '{ad}' as ad_id, {spend} as spend, 1 as impressions, 0 as clicks"
    rows = {
        "facebook_de": [(1, "11", "a", 1), (2, "11", "a", 2)],
        "facebook_old": [(2, "11", "b", 4), (3, "11", "b", 8)],
        "us.meta": [(1, "22", "c", 16)],
    }
    with duckdb.connect(str(lake)) as tool:
        for schema, insights in rows.items():
            selects = [
                insight.format(day=day, account=account, ad=ad, spend=spend) for day, account, ad, spend in insights
            ]
            tool.execute(
                f'create schema "{schema}"; create table "{schema}".ads_insights as {" union all ".join(selects)}'
            )
    messages: list[str] = []
    home = warehouse[2]
    report = sync_source(
        connection,
        Synced(path=str(lake), org="default", tool="airbyte"),
        warehouse[1],
        folder=home.root,
        temporary=home.temporary,
        purchase_actions=PURCHASES,
        log=messages.append,
    )
    query = "select date::varchar, account_id, ad_id, spend_micros from raw.ad_spend order by all"
    assert connection.execute(query).fetchall() == [
        ("2026-11-01", "11", "a", 1_000_000), ("2026-11-01", "22", "c", 16_000_000),
        ("2026-11-02", "11", "a", 2_000_000), ("2026-11-03", "11", "b", 8_000_000),
    ]  # fmt: skip
    (total,) = report.totals
    assert (total.table, total.rows, total.spend) == (", ".join(f"{name}.ads_insights" for name in rows), 4, 27)
    assert messages[-1] == ("meta: ignored 1 row of days that facebook_de.ads_insights or another table already has")


@pytest.mark.parametrize(
    ("files", "is_found"),
    [
        (
            [
                "facebook_marketing/ads_insights/2026_11_02_1_0.csv",
                "facebook_marketing/ads_insights/2026_11_03_2_0.csv",
            ],
            True,
        ),
        (["shop/fb/facebook_ads_insights.csv"], True),
        (["lake/ads_insights.csv"], True),  # no schema names a platform: the table's name decides
        (["google_ads/ads_insights.csv"], False),
        (["facebook/hourly_ads_insights.csv"], False),
    ],
)
def test_tables_are_found_by_schema_folder_or_prefix(warehouse, tmp_path, files, is_found):
    header = "date_start,account_id,account_currency,campaign_id,adset_id,ad_id,spend,impressions,clicks"
    for number, file in enumerate(files, 1):
        path = tmp_path / "synced" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        row = f"2026-11-01,11,EUR,7,8,9,{number}.10,1,0"
        path.write_text(f"_airbyte_extracted_at,{header}\n2026-11-0{number}T00:00:00Z,{row}\n")
    if is_found:
        sync(warehouse, tmp_path / "synced", "airbyte")
        spent = warehouse[0].execute("select sum(spend_micros)::bigint from raw.ad_spend").fetchone()
        assert spent == (len(files) * 1_000_000 + 100_000,)  # the last row of a day that was synced twice counts
    else:
        with pytest.raises(ContractError, match=r"Expected: .* facebook_marketing\.ads_insights,"):
            sync(warehouse, tmp_path / "synced", "airbyte")


def test_unreadable_table_is_named(warehouse, tmp_path):
    lake = tmp_path / "lake.duckdb"
    with duckdb.connect(str(lake)) as tool:
        tool.execute(
            "create schema tiktok; create table tiktok.ads_reports_daily as"
            " select 1 as ad_id, timestamp '2026-11-01' as stat_time_day, 'no JSON' as metrics"
        )
    with pytest.raises(ContractError, match=r"tiktok: tiktok.ads_reports_daily cannot be read: .*Malformed JSON"):
        sync(warehouse, lake, "airbyte")


def test_current_names_of_fivetran_are_read(warehouse, tmp_path):
    """Names, units and time zones that the tables of Fivetran's own tests lack."""
    connection, folder = warehouse[0], tmp_path / "synced"
    write(
        folder,
        "google_ads_campaign_stats",
        "customer_id,id,date,cost_micros,conversions,conversions_value",
        "1,43,2026-11-01,2500000,2,19.99",
    )
    write(
        folder,
        "apple_search_ads_ad_level_report",
        "campaign_id,ad_group_id,ad_id,date,local_spend_amount,local_spend_currency",
        "4,5,6,2026-11-01,1.5,EUR",
    )
    write(
        folder,
        "bingads_ad_performance_daily_report",
        "date,account_id,campaign_id,ad_group_id,ad_id,currency_code,device_type,spend,conversions_qualified,conversions",
        "2026-11-01,1,2,3,4,USD,Computer,0.7,1.5,1",
        "2026-11-01,1,2,3,4,USD,Tablet,0.3,0.5,0",
    )
    write(folder, "bingads_search_query_performance_daily_report", "date,spend", "2026-11-01,0.5")
    write(
        folder,
        "snapchat_ads_campaign_hourly_report",
        "campaign_id,date,spend",
        "c,2026-11-01 22:00:00,1000000",
        "c,2026-11-01 23:00:00,4000000",
    )
    write(folder, "snapchat_ads_campaign_history", "id,_fivetran_synced,ad_account_id,name", "c,2026-01-01,a,Camp")
    write(
        folder,
        "snapchat_ads_ad_account_history",
        "id,_fivetran_synced,name,currency,timezone",
        "a,2026-01-01,Shop,PLN,Europe/Warsaw",
    )
    for table in ("ad_history", "ad_squad_history"):
        parents = {"ad_history": "ad_squad_id,creative_id", "ad_squad_history": "campaign_id"}[table]
        write(folder, f"snapchat_ads_{table}", f"id,_fivetran_synced,name,{parents}")
    write(
        folder,
        "reddit_ads_ad_report",
        "account_id,ad_id,date,region,spend",
        "r,9,2026-11-01,DE,1000000",
        "r,9,2026-11-01,FR,2000000",
    )
    write(
        folder,
        "reddit_ads_ad_conversions_report",
        "account_id,ad_id,date,event_name,clicks,views",
        "r,9,2026-11-01,Purchase,3,2",
        "r,9,2026-11-01,lead,50,50",
    )
    report = sync(warehouse, folder)
    rows = connection.execute(
        "select platform, date::varchar, spend_micros, platform_conversions, platform_value_micros from raw.ad_spend"
        " order by all"
    ).fetchall()
    assert rows == [
        ("apple", "2026-11-01", 1_500_000, None, None),
        ("google", "2026-11-01", 2_500_000, 2, 19_990_000),
        ("microsoft", "2026-11-01", 1_000_000, 2, None),
        ("reddit", "2026-11-01", 3_000_000, 5, None),
        ("snapchat", "2026-11-01", 1_000_000, None, None),  # until midnight in Warsaw, which is 23:00 UTC
        ("snapchat", "2026-11-02", 4_000_000, None, None),
    ]
    assert report.unused == []


def listed(tool: str) -> str:
    """Return the Markdown table of a tool's tables."""
    rows = [
        "| platform | schema, folder or prefix | account | campaign | ad set | ad | comparison only |",
        "|---" * 7 + "|",
    ]
    for shape in shapes(tool):
        names = {table.name: " or ".join(f"`{name}`" for name in table.names) for table in shape.tables}
        tables = {
            level: ", ".join(
                names[each.table] for each in shape.levels if (each.name if each.is_stored else "") == level
            )
            for level in (*LEVELS, "")
        }
        schemas = ", ".join("any other" if name == "*" else f"`{name}`" for name in shape.schemas)
        rows.append(f"| {shape.platform} | {schemas} | {' | '.join(tables[level] for level in (*LEVELS, ''))} |")
    return "\n".join(rows)


@pytest.mark.parametrize("tool", ["fivetran", "airbyte"])
def test_document_lists_the_tables_that_are_read(tool):
    document = (ROOT / "docs" / "synced.md").read_text()
    assert listed(tool) in document, f"docs/synced.md lists other tables than {tool}/*.sql:\n{listed(tool)}"
