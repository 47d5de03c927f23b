"""Test the models of spend: levels against a brute-force sum, restatements against their loads, and all in one build.

The property tests run the SQL that dbt compiled, in one small warehouse, for each example.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.home import Home
from ingestion.warehouse import connect
from tests.support.home import copy_home, published
from tests.support.models import Project, import_files, load_raw_tables
from tests.support.raw_rows import insert

MEASURES = ("spend_micros", "impressions", "clicks", "video_views", "platform_conversions", "platform_value_micros")
IDS = ("campaign_id", "adset_id", "ad_id")
NOBODY = "(unmatched)"
Compiled = Callable[[str], str]


@pytest.fixture(scope="module")
def warehouse(
    new_home: Callable[[str], Path], project: Project
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Compiled]]:
    """A warehouse with the models of spend and no data but an org; and the function that reads compiled SQL."""
    home = new_home("spend_models")
    with connect(Home(home)) as connection:
        insert(connection, "orgs", org_id="o", currency="USD", timezone="UTC", lookback_days=30)
    project.build_models(home, "int_spend_reports", "int_top_level_spend", "spend_restatements")
    with connect(Home(home)) as connection:
        yield connection, project.compiled_sql


@contextmanager
def rolled_back(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Roll back everything that an example writes: the next one begins with empty tables."""
    connection.execute("begin")
    try:
        yield
    finally:
        connection.execute("rollback")


# ---- levels
PLACES = [
    (None, "c", None, None), (None, "c", "s", None), (None, "c", "s", "a"), (None, "c", "s", "b"),
    (None, "c", "t", "a"), (None, "d", "s", "a"),
    ("adset", "c", "s", None), ("adset", "c", "t", None), ("adset", "d", "s", None), ("adset", "e", "s", None),
    ("campaign", "c", None, None), ("campaign", "d", None, None), ("campaign", "pmax", None, None),
    ("account", None, None, None),
]  # fmt: skip
counts = st.none() | st.integers(0, 9)
figures = st.tuples(
    st.integers(-5, 20), counts, counts, counts, st.none() | st.decimals(0, 3, places=2), st.none() | st.integers(0, 9)
)
reports = st.dictionaries(st.tuples(st.sampled_from(["1", "2"]), st.sampled_from(PLACES)), figures, max_size=16)


def totals(reported: dict, account: str, measure: int) -> dict[tuple, Any]:
    """Return the total of each node of an account: its reported total if there is one, else the sum of its children.

    A campaign or ad set without a level is a total, too, if it has finer rows and no reported total has its ids.
    """
    values = {place: row[measure] for (of, place), row in reported.items() if of == account}
    places = [place for of, place in reported if of == account]

    def total(level: str, ids: tuple, sum_of_children: Any) -> Any:
        reported_total = values.get((level, *ids, *[None] * (3 - len(ids))))
        return sum_of_children if reported_total is None else reported_total

    def finest(*ids: str | None) -> Any:
        return values.get((None, *ids)) or 0

    def with_row(level: str, ids: tuple, has_finer: bool, sum_of_children: Any) -> Any:
        """Add the node's row without a level to its children; return that row alone if it is a total."""
        place = (*ids, *[None] * (3 - len(ids)))
        is_total = has_finer and (None, *place) in values and (level, *place) not in values
        if is_total and values[None, *place] is not None:
            return values[None, *place]
        return sum_of_children if is_total else sum_of_children + finest(*place)

    sums = {}
    for campaign in {place[1] for place in places} - {None}:
        for adset in {place[2] for place in places if place[1] == campaign} - {None}:
            ads = sum(finest(campaign, adset, ad) for ad in ("a", "b"))
            has_ads = any(place[1:3] == (campaign, adset) and place[3] for place in places)
            ads = with_row("adset", (campaign, adset), has_ads, ads)
            sums[campaign, adset] = total("adset", (campaign, adset), ads)
        adsets = sum(value for ids, value in sums.items() if len(ids) == 2 and ids[0] == campaign)
        has_adsets = any(place[1] == campaign and place[2] for place in places)
        children = with_row("campaign", (campaign,), has_adsets, adsets)
        sums[campaign,] = total("campaign", (campaign,), children)
    sums[()] = total("account", (), sum(value for ids, value in sums.items() if len(ids) == 1))
    return sums


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reported=reports)
def test_every_node_sums_to_its_reported_total_or_else_to_its_children(warehouse, reported):
    connection, compiled = warehouse
    with rolled_back(connection):
        for (account, (level, *ids)), row in reported.items():
            insert(
                connection,
                "ad_spend",
                org_id="o",
                platform="meta",
                account_id=account,
                level=level,
                date="2026-01-01",
                currency="USD",
                **dict(zip(IDS, ids, strict=True)),
                **dict(zip(MEASURES, row, strict=True)),
            )
        connection.execute(
            f"create or replace table intermediate.int_spend_residuals as {compiled('int_spend_residuals')}"
        )
        rows = connection.execute(
            f"select account_id, {', '.join(IDS)}, {', '.join(MEASURES)} from intermediate.int_spend_reports"
        ).fetchall()
        top_level = dict(
            connection.execute(
                "select account_id, sum(spend_micros) from intermediate.int_top_level_spend group by all"
            ).fetchall()
        )

    found: dict[tuple, dict[tuple, Any]] = defaultdict(lambda: defaultdict(lambda: [0] * len(MEASURES)))
    for account, campaign, adset, _, *values in rows:
        for ids in {(), (campaign,), (campaign, adset)}:
            sums = found[account][ids]
            found[account][ids] = [total + (value or 0) for total, value in zip(sums, values, strict=True)]
    for account in {of for of, _ in reported}:
        for index, measure in enumerate(MEASURES):
            for ids, expected in totals(reported, account, index).items():
                assert found[account][ids][index] == expected, (measure, account, ids)
    finest = sum(place[0] is None for _, place in reported)
    assert sum(any(value for value in row[4:]) for row in rows) >= len(rows) - finest, "a residual without a figure"
    assert top_level == {account: sums[()][0] for account, sums in found.items()}


# ---- changes
stories = st.lists(st.none() | st.integers(0, 3), min_size=1, max_size=6)  # of one key: spend, or None, after each load


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=st.dictionaries(st.sampled_from(PLACES), stories, min_size=1, max_size=4))
def test_restatements_lead_from_any_earlier_state_to_todays(warehouse, keys):
    connection, compiled = warehouse
    start, day = datetime(2026, 1, 2, 3), date(2026, 1, 1)
    present, history, expected = [], [], []
    begun = min((load for story in keys.values() for load, spend in enumerate(story) if spend is not None), default=0)
    for (level, *ids), story in keys.items():
        key = {"org_id": "o", "platform": "meta", "account_id": "1", "level": level, "date": day, "currency": "USD"}
        key |= dict(zip(IDS, ids, strict=True))
        state, seen = None, False  # the present row
        for load, spend in enumerate(story):
            if state and spend == state["spend_micros"]:
                continue  # a load that repeats the row changes nothing
            if state:
                replaced_at = start + timedelta(days=load)
                history.append(state | {"_replaced_by_load_id": str(load), "_replaced_at": replaced_at})
                change = "withdrawn" if spend is None else "restated"
                expected.append((level, *ids, str(load), change, state["spend_micros"], spend))
            elif spend is not None and load > begun:
                expected.append((level, *ids, str(load), "returned" if seen else "added", None, spend))
            seen = seen or spend is not None
            loaded = {"_load_id": str(load), "_loaded_at": start + timedelta(days=load)}
            state = None if spend is None else key | loaded | {"spend_micros": spend}
        if state:
            present.append(state)
    sql = f"with restatements as ({compiled('spend_restatements')}) "
    columns = "level, campaign_id, adset_id, ad_id, load_id, change, spend_micros_before, spend_micros_after"
    with rolled_back(connection):
        for row in history:
            insert(connection, "ad_spend_history", **row)
        for row in present:
            insert(connection, "ad_spend", **row)
        rows = connection.execute(f"{sql} select {columns}, changed_at, days_after from restatements").fetchall()
    assert sorted([row[:-2] for row in rows], key=str) == sorted(expected, key=str)
    for row in rows:
        assert row[-2] == start + timedelta(days=int(row[4]))
        assert row[-1] == int(row[4]) + 1
    # The state at any moment since the first load is the present state less all later changes.
    changes = [(row[:4], int(row[4]), (row[7] or 0) - (row[6] or 0)) for row in rows]
    for (level, *ids), story in keys.items():
        for load in range(begun, len(story)):
            since = sum(change for key, at, change in changes if key == (level, *ids) and at > load)
            assert (story[load] or 0) == (story[-1] or 0) - since


def test_a_new_name_is_no_restatement(warehouse):
    connection, compiled = warehouse
    row = {"org_id": "o", "platform": "meta", "account_id": "1", "date": date(2026, 1, 1), "currency": "USD"}
    row |= {"campaign_id": "c", "spend_micros": 5, "clicks": 1}
    moment = datetime(2026, 1, 2)
    with rolled_back(connection):
        insert(
            connection,
            "ad_spend_history",
            **row,
            campaign="Sommer",
            _load_id="1",
            _loaded_at=datetime(2026, 1, 1),
            _replaced_at=moment,
            _replaced_by_load_id="2",
        )
        insert(connection, "ad_spend", **row, campaign="Summer", _load_id="2", _loaded_at=moment)
        assert connection.execute(f"from ({compiled('spend_restatements')})").fetchall() == []


# ---- all models
DAY = date(2026, 7, 14)  # the last of the simulated fortnight
ACCOUNT = {"org_id": "nordlicht", "platform": "google", "account_id": "6610042215"}  # billed in EUR, as the org counts
EURO = 1_000_000
PULLED_AT = datetime(2026, 7, 15, 3)
REASON = "the token was revoked. Connect again: tributary connect google"


# A campaign's total before the rows of its ads, and rows that fail.
SPEND_FILES = {
    "campaigns.csv": "date,platform,account_id,campaign_id,currency,spend\n2026-07-10,x,5,c1,EUR,100\n",
    "ads.csv": """date,platform,account_id,campaign_id,adset_id,ad_id,currency,spend
2026-07-10,x,5,c1,g1,a1,EUR,60
2026-07-10,x,5,c1,g1,a2,EUR,35
2026-07-10,x,5,c2,g1,a2,SEK,30
2026-07-11,x,5,c1,g1,a1,EUR,much
2026-07-12,x,act_5,c1,g1,a1,EURO,1
""",
}


@pytest.fixture(scope="module")
def billed(
    filled: Path, project: Project, tmp_path_factory
) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, int]]]:
    """The marts of a simulated fortnight with totals, pulls, states of a campaign and fees; its spend by campaign."""
    home = copy_home(filled, tmp_path_factory.mktemp("billed"))
    load_raw_tables(home)
    failed_at, row = PULLED_AT + timedelta(days=3), {**ACCOUNT, "currency": "EUR"}
    with connect(Home(home)) as connection:
        of_account = "org_id = $org_id and platform = $platform and account_id = $account_id"
        by_campaign = dict(
            connection.execute(
                f"select campaign_id, sum(spend_micros) from raw.ad_spend where {of_account} group by 1", ACCOUNT
            ).fetchall()
        )
        (on_the_day,) = connection.execute(
            f"select sum(spend_micros)::bigint from raw.ad_spend where {of_account} and date = '{DAY}'", ACCOUNT
        ).fetchone()
        reported = {**row, "date": DAY}
        insert(connection, "ad_spend", **reported, level="account", spend_micros=on_the_day + 7 * EURO)
        insert(
            connection,
            "ad_spend",
            **reported,
            level="campaign",
            campaign_id="pmax",
            campaign="Performance Max",
            spend_micros=5 * EURO,
            platform_conversions=1.5,
        )
        pull = {**ACCOUNT, "start_date": DAY, "end_date": DAY, "rows": 0}
        insert(connection, "pulls", **pull, pull_id="1", started_at=PULLED_AT, finished_at=PULLED_AT, status="loaded")
        insert(
            connection,
            "pulls",
            **pull,
            pull_id="2",
            started_at=failed_at,
            finished_at=failed_at,
            status="failed",
            reason=REASON,
        )
        closed = pull | {
            "account_id": "closed"
        }  # not in tributary.yaml, so nobody pulls it: its failure must not count
        insert(
            connection,
            "pulls",
            **closed,
            pull_id="3",
            started_at=PULLED_AT,
            finished_at=PULLED_AT,
            status="failed",
            reason=REASON,
        )
        entity = {**row, "level": "campaign", "entity_id": "pmax", "campaign_id": "pmax"}
        insert(connection, "ad_entities", **entity, name="Old", valid_from=PULLED_AT, valid_until=failed_at)
        insert(connection, "ad_entities", **entity, name="Everything", status="PAUSED", valid_from=failed_at)
        insert(
            connection,
            "fees",
            **row | {"platform": "creators"},
            fee_id="jane",
            campaign_id="jane",
            basis="period",
            channel="Influencers",
            amount_micros=10_000_001,
            starts_on=DAY - timedelta(days=2),
            ends_on=DAY,
        )
        for campaign in by_campaign:
            insert(
                connection,
                "fees",
                **row | {"platform": "google"},
                fee_id=campaign,
                campaign_id=campaign,
                basis="conversion",
                amount_micros=2 * EURO,
                starts_on=date(2026, 1, 1),
                ends_on=date(2026, 12, 31),
            )
        stray = {"campaign_id": "stray", "date": date(2062, 7, 1), "spend_micros": EURO}
        insert(connection, "ad_spend", **row | stray)  # an earlier version loaded such rows
        insert(
            connection,
            "fees",
            **row | {"platform": "podcasts"},
            fee_id="year",
            campaign_id="year",
            basis="period",
            amount_micros=365 * EURO,
            starts_on=DAY - timedelta(days=1),
            ends_on=DAY + timedelta(days=363),
        )
    for name, text in SPEND_FILES.items():
        (home / name).write_text(text)
        import_files(home, "spend", home / name, org="nordlicht", partial=True)
    (home / "rates.csv").write_text("date,base,quote,rate\n2026-01-05,SEK,EUR,0.1\n")
    import_files(home, "exchange-rates", home / "rates.csv")
    project.build_home(home)
    with published(home) as connection:
        yield connection, by_campaign


def test_a_campaign_beside_its_ads_is_a_total_across_files(billed):
    marts, _ = billed
    assert spent(marts, "CAMPAIGN", "platform, campaign_id")["x", "c1"] == 100 * EURO
    assert spent(marts, "AD", "campaign_id, ad_id")["c1", "a1"] == 60 * EURO
    assert spent(marts, "AD", "campaign_id, ad_id")["c1", NOBODY] == 5 * EURO


def test_notices_name_the_gap_of_a_partial_file_and_the_old_rate(billed):
    marts, _ = billed
    topics = "select topic, message from notices where topic in ('partial_spend', 'old_exchange_rate') order by topic"
    (old_rate, old_rate_text), (gap, gap_text) = marts.execute(topics).fetchall()
    assert (old_rate, gap) == ("old_exchange_rate", "partial_spend")
    assert old_rate_text.startswith(
        "1 row (30.00 SEK) is converted to EUR by the rate of 2026-01-05, which is more than 7 days older."
    )
    assert gap_text.startswith(
        "x: spend of account 5 is incomplete from 2026-07-11 to 2026-07-12, because 2 rows of ads.csv failed."
    )


def test_a_stray_row_does_not_move_the_last_day(billed):
    marts, _ = billed
    assert marts.execute(
        "select last_day from spend_freshness where account_id = $account_id", {"account_id": ACCOUNT["account_id"]}
    ).fetchone() == (DAY,)
    assert 2 * EURO <= spent(marts, "CAMPAIGN", "platform, campaign_id")["podcasts", "year"] <= 3 * EURO
    (last,) = marts.execute("select max(period_end) from waste_flags where org_id = 'nordlicht'").fetchone()
    assert last is None or last <= DAY + timedelta(days=1)


def spent(marts: duckdb.DuckDBPyConnection, grain: str, ids: str) -> dict:
    """Return the spend of the org by some ids of a grain, under one model and mode."""
    rows = marts.execute(
        f"select {ids}, sum(spend_micros) from daily_rollups where org_id = 'nordlicht' and grain = ?"
        " and attribution_model = 'last_touch' and accounting_mode = 'cash' group by all having sum(spend_micros) <> 0",
        [grain],
    ).fetchall()
    return {tuple(row[:-1]): row[-1] for row in rows}


def test_the_residual_of_an_accounts_total_is_unmatched(billed):
    marts, _ = billed
    on_the_day = spent(marts, "CAMPAIGN", "platform, campaign_id, date")
    assert on_the_day["google", "pmax", DAY] == 5 * EURO
    assert on_the_day["google", NOBODY, DAY] == 2 * EURO
    assert spent(marts, "ADSET", "campaign_id, adset_id")["pmax", NOBODY] == 5 * EURO
    grains = ("ORGANIZATION", "PLATFORM", "CAMPAIGN", "ADSET", "AD")
    totals = {grain: sum(spent(marts, grain, "date").values()) for grain in grains}
    assert len(set(totals.values())) == 1, totals
    reported = marts.execute(
        "select level, residual_spend_micros, residual_platform_conversions, is_reconciled"
        " from spend_reconciliation where platform = 'google' order by level"
    ).fetchall()
    assert reported == [("account", 2 * EURO, 0, False), ("campaign", 5 * EURO, Decimal("1.5"), False)]


def test_fees_and_commissions_are_spend_beside_the_ads(billed):
    marts, by_campaign = billed
    assert (
        sum(
            spent(marts, "PLATFORM", "platform, date").get(("creators", DAY - timedelta(days=ago)), 0)
            for ago in range(3)
        )
        == 10_000_001
    )
    (channel,) = marts.execute("select distinct channel from channel_summary where platform = 'creators'").fetchone()
    assert channel == "Influencers"
    led = dict(
        marts.execute(
            "select campaign_id, count(*) from attribution_links"
            " join touchpoints using (org_id, touchpoint_id)"
            " where org_id = 'nordlicht' and attribution_model = 'last_touch' and platform = 'google' group by 1"
        ).fetchall()
    )
    assert set(led) & set(by_campaign), "no simulated conversion belongs to the account, so nothing is tested"
    found = spent(marts, "CAMPAIGN", "platform, campaign_id")
    for campaign, ads in by_campaign.items():
        assert found["google", campaign] == ads + 2 * EURO * led.get(campaign, 0)


def test_a_failed_pull_leaves_the_account_stale_with_a_notice(billed):
    marts, _ = billed
    columns = "covered_until, last_day, last_pulled_at, last_status, last_failure_reason, is_stale"
    of_account = "org_id = $org_id and platform = $platform and account_id = $account_id"
    row = marts.execute(f"select {columns} from spend_freshness where {of_account}", ACCOUNT).fetchone()
    assert row == (DAY, DAY, PULLED_AT, "failed", REASON, True)
    assert marts.execute("select count(*) from spend_freshness where is_stale").fetchone() == (1,)
    notices = marts.execute("select org_id, message from notices where topic = 'stale_spend'").fetchall()
    assert notices == [("nordlicht", f"google: figures of account 6610042215 are stale since 2026-07-14: {REASON}")]


def test_a_campaign_has_its_present_name_and_status(billed):
    marts, _ = billed
    row = "select campaign, campaign_status from campaigns where campaign_id = 'pmax'"
    assert marts.execute(row).fetchall() == [("Everything", "PAUSED")]
    states = marts.execute("select name, is_current from ad_entities order by valid_from").fetchall()
    assert states == [("Old", False), ("Everything", True)]
