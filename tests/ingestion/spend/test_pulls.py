"""Pulls: the stored days equal the platform's, whatever happened meanwhile, and every earlier state can be read again.

The oracle uses dictionaries, day -> key -> content: one for the platform, one for the expected stored rows.
"""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.platform import SpendRow
from ingestion.files.contracts import ContractError
from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.settings.model import AdAccount, Org, Settings
from ingestion.spend.exchange_rates import load_exchange_rates
from ingestion.spend.pulls import Pull, load_pulls, record_failure
from ingestion.warehouse import connect
from tests.support.home import ROOT
from tests.support.pulls import as_of, load_pull

SETTINGS = Settings(
    orgs=[Org(id="default", currency="USD"), Org(id="nord", currency="EUR")],
    ad_accounts=[AdAccount(platform="meta", account_id="9", org="nord")],
)
FIRST = date(2026, 7, 1)
DAYS = [FIRST + timedelta(days=day) for day in range(4)]
KEY = ("level", "campaign_id", "adset_id", "ad_id", "currency")
CONTENT = ("spend_micros", "ad", "impressions", "video_views", "platform_conversions", "platform_value_micros")
ENTITIES = [(None, "c1", "s1", "a1"), (None, "c1", "s1", "a2"), (None, "c1", None, None),
            ("campaign", "c1", None, None), ("account", None, None, None)]  # fmt: skip


@pytest.fixture
def warehouse(tmp_path):
    with connect(home_in(tmp_path / "home")) as connection:
        yield connection


def home_in(folder: Path) -> Home:
    home = Home(folder)
    home.temporary.mkdir(parents=True)
    return home


def spool(folder: Path, rows: list[SpendRow]) -> Path:
    path = folder / "rows [1].ndjson"
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    return path


def pull_of(start: date = FIRST, end: date = DAYS[-1], account: str = "1", org: str = "default") -> Pull:
    return Pull(org=org, platform="meta", account_id=account, start=start, end=end, started_at=datetime.now(UTC))


def ad(day: date, micros: int, ad_id: str = "a1", **more) -> SpendRow:
    members = {"campaign_id": "c1", "ad_id": ad_id} | more
    return SpendRow(date=day, account_id="1", currency="USD", spend_micros=micros, **members)


def row_of(day: date, account: str, micros: int, currency: str = "USD") -> SpendRow:
    return SpendRow(date=day, account_id=account, currency=currency, spend_micros=micros, campaign_id="c1")


def total(day: date, micros: int, level: str = "account", **more) -> SpendRow:
    return SpendRow(date=day, account_id="1", currency="USD", spend_micros=micros, level=level, **more)


def stored(connection, relation: str = "raw.ad_spend", account: str = "1") -> dict:
    """Return day -> key -> content. Fail if a key occurs twice."""
    rows = connection.execute(
        f"select date, {', '.join(KEY)}, {', '.join(CONTENT)} from {relation} as spend where account_id = ?", [account]
    ).fetchall()
    found: dict = {}
    for day, *values in rows:
        key, content = tuple(values[: len(KEY)]), tuple(values[len(KEY) :])
        assert key not in found.setdefault(day, {})
        found[day][key] = content
    return found


# --- any sequence -------------------------------------------------------------------------------------------

CONTENTS = st.tuples(
    st.sampled_from([0, 1, -5, 12_345_678, 98_765_432_109_876_543]),
    st.sampled_from([None, "Ad", 'say "hi"']),
    st.sampled_from([None, 0, 5]),
    st.sampled_from([None, 7]),
    st.sampled_from([None, Decimal("1.5"), Decimal("1E+2")]),
    st.sampled_from([None, 2_500_000]),
)
CURRENCIES = st.sampled_from(["USD", "EUR"])
# A campaign's day has one currency.
BY_CAMPAIGN = st.fixed_dictionaries({campaign: CURRENCIES for _, campaign, *_ in ENTITIES})
A_DAY = st.builds(
    lambda contents, currencies: {(*entity, currencies[entity[1]]): content for entity, content in contents.items()},
    st.dictionaries(st.sampled_from(ENTITIES), CONTENTS, max_size=4),
    BY_CAMPAIGN,
)
SPANS = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(sorted)
FAULTS = st.sampled_from(
    [None, None, None, "repeated", "empty", "contradiction", "outside", "foreign", "broken", "interrupted", "file"]
)
STEP = st.tuples(st.dictionaries(st.sampled_from(DAYS), A_DAY, max_size=4), SPANS, FAULTS, st.integers(1, 55))


def spend_rows(world: dict, days: list[date], account: str) -> list[SpendRow]:
    return [
        SpendRow(
            date=day,
            account_id=account,
            currency=key[-1],
            level=key[0],
            campaign_id=key[1],
            adset_id=key[2],
            ad_id=key[3],
            **dict(zip(CONTENT, content, strict=True)),
        )
        for day in days
        for key, content in world.get(day, {}).items()
    ]


class Interrupted(Exception):
    pass


class Fragile:
    """A connection that fails at the nth statement, or at the commit if that comes earlier."""

    def __init__(self, connection, left: int) -> None:
        self.connection, self.left = connection, left

    def execute(self, query: str, *arguments):
        self.left -= 1
        if self.left == 0 or (query == "commit" and self.left > 0):
            self.left = 0
            raise Interrupted
        return self.connection.execute(query, *arguments)

    def __getattr__(self, name: str):
        return getattr(self.connection, name)


def as_floats(world: dict) -> dict:
    """Return the oracle's rows with the types of the table, without empty days."""
    return {
        day: {key: tuple(float(v) if isinstance(v, Decimal) else v for v in value) for key, value in rows.items()}
        for day, rows in world.items()
        if rows
    }


def in_file(folder: Path, rows: list[SpendRow]) -> Path:
    path = folder / "spend.csv"
    with path.open("w", newline="") as file:
        names = [
            "platform",
            "date",
            "account_id",
            "spend",
            "platform_value",
            *KEY,
            "ad",
            "impressions",
            "video_views",
            "platform_conversions",
        ]
        table = csv.DictWriter(file, names, extrasaction="ignore")
        table.writeheader()
        for row in rows:
            values = msgspec.structs.asdict(row)
            money = {
                name: None if values[f"{name}_micros"] is None else Decimal(values[f"{name}_micros"]).scaleb(-6)
                for name in ("spend", "platform_value")
            }
            table.writerow({"platform": "meta"} | values | money)
    return path


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two warehouses for all examples. Each example has its own account in both."""
    folder = tmp_path_factory.mktemp("two")
    with connect(home_in(folder / "one")) as one, connect(home_in(folder / "other")) as other:
        yield folder, one, other, count(100)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEP, min_size=1, max_size=7))
def test_any_sequence_ends_as_one_clean_pull_and_every_state_can_be_replayed(two, steps):
    folder, one, other, numbers = two
    account = str(next(numbers))
    world: dict = {}  # the platform's rows
    expected: dict = {}  # the rows that must be stored
    moments = []
    for change, (first, last), fault, number in steps:
        world |= change
        days = DAYS[first : last + 1]
        expected = run_step(folder, one, account, world, expected, days, fault, number)
        assert stored(one, account=account) == as_floats(expected)
        (now,) = one.execute("select coalesce(max(loaded_at), '1970-01-01') from raw.loads").fetchone()
        moments.append((now, as_floats(expected)))
    # In the end every day has an ad: a day without ads would keep its rows.
    nothing = {(None, "c1", None, None, "USD"): (0, *[None] * 5)}
    world = {day: world.get(day, {}) if has_ads(world.get(day, {})) else world.get(day, {}) | nothing for day in DAYS}
    for connection in (one, other):
        rows = spool(folder, spend_rows(world, DAYS, account))
        assert load_pull(connection, pull_of(account=account), rows, SETTINGS).status == "loaded"
    table = f"select * exclude (_load_id, _loaded_at) from raw.ad_spend where account_id = '{account}' order by all"
    assert one.execute(table).fetchall() == other.execute(table).fetchall()
    for moment, state in moments:
        assert stored(one, as_of(moment), account) == state


def has_ads(rows: dict) -> bool:
    return any(level is None for level, *_ in rows)


def spent(rows: dict) -> dict:
    """Return the rows of currencies with spend: by the account's reported total, otherwise by any row."""
    reported = {key[-1]: content[0] for key, content in rows.items() if key[0] == "account"}
    found = {key[-1] for key, content in rows.items() if reported.get(key[-1], content[0])}
    return {key: content for key, content in rows.items() if key[-1] in found}


def lacks_ads(stored_rows: dict, rows: dict) -> bool:
    """Return whether ads with spend are stored and the pull has none."""
    return any(key[0] is None and content[0] for key, content in spent(stored_rows).items()) and not has_ads(rows)


def not_replaced(stored_rows: dict, rows: dict) -> dict:
    """Return the stored rows that a file leaves: a row with the same key in another currency is replaced, too."""
    return {key: content for key, content in stored_rows.items() if key[:-1] not in {new[:-1] for new in rows}}


def has_two_currencies(rows: dict) -> bool:
    """Return whether a campaign has two currencies on the day."""
    return len({(key[1], key[-1]) for key in rows}) > len({key[1] for key in rows})


def run_step(folder, one, account, world, expected, days, fault, number) -> dict:  # noqa: PLR0917
    """Pull, or import a file, and return the rows that must be stored then."""
    rows = spend_rows(world, days, account)
    pull = pull_of(days[0], days[-1], account)
    if fault == "file":
        kept = {day: not_replaced(expected.get(day, {}), world.get(day, {})) for day in days}
        if any(has_two_currencies(kept[day] | world.get(day, {})) for day in days):
            with pytest.raises(ContractError, match="second_currency"):
                load_file(one, "spend", in_file(folder, rows), settings=SETTINGS)
            return expected
        if rows:
            load_file(one, "spend", in_file(folder, rows), settings=SETTINGS)
        return expected | {day: kept[day] | world.get(day, {}) for day in days}
    if fault == "interrupted":
        with pytest.raises(Interrupted):
            load_pull(Fragile(one, number), pull, spool(folder, rows), SETTINGS)
        assert one.execute("select count(*) from duckdb_tables() where temporary").fetchone() == (0,)
        return expected
    empty_day = days[number % len(days)] if fault == "empty" else None
    rows = [row for row in rows if row.date != empty_day] + (rows[:2] if fault == "repeated" else [])
    invalid = {
        "contradiction": [msgspec.structs.replace(row, clicks=99) for row in rows[:1]],
        "outside": [row_of(days[-1] + timedelta(days=1), account, 1)],
        "foreign": [row_of(days[0], "2", 1)],
        "broken": [row_of(days[0], account, 1, currency="US")],
    }.get(fault, [])
    report = load_pull(one, pull, spool(folder, rows + invalid), SETTINGS)
    if invalid:
        assert (report.status, report.loaded, report.rows) == ("failed", 0, len(rows + invalid))
        return expected
    pulled = {day: {} if day == empty_day else world.get(day, {}) for day in days}
    rejected = [
        day
        for day in days
        if spent(expected.get(day, {})) and (not pulled[day] or lacks_ads(expected[day], pulled[day]))
    ]
    assert (report.status, report.rejected_days) == ("partial" if rejected else "loaded", rejected)
    news = {day: rows_of_day for day, rows_of_day in pulled.items() if rows_of_day and day not in rejected}
    changed = {(day, key) for day, its in news.items() for key in its if expected.get(day, {}).get(key) != its[key]}
    before = {(day, key[:-1]) for day in news for key in expected.get(day, {})}
    after = {(day, key[:-1]) for day, its in news.items() for key in its}
    assert (report.loaded, report.replaced, report.withdrawn) == (
        len(changed),
        len({(day, key[:-1]) for day, key in changed} & before),
        len(before - after),
    )
    assert report.rows == report.loaded + report.unchanged + report.repeated
    return expected | news


# --- reports of pulls ---------------------------------------------------------------------------------------


def test_empty_days_keep_their_spend_and_are_listed(warehouse, tmp_path):
    first = [ad(DAYS[0], 1_500_000), total(DAYS[0], 2_000_000), ad(DAYS[1], 3_000_000)]
    load_pull(warehouse, pull_of(), spool(tmp_path, first), SETTINGS)
    before = stored(warehouse)
    report = load_pull(warehouse, pull_of(), spool(tmp_path, []), SETTINGS)
    assert stored(warehouse) == before
    assert report.rejected_days == DAYS[:2]
    assert "the platform returned no ads for 2 days with stored spend, which was kept" in report.reason
    assert "2026-07-01 (2.000000 USD), 2026-07-02 (3.000000 USD)" in report.reason
    pulls = "select status, rows, spend_micros, account_spend_micros, currency from raw.pulls order by finished_at"
    assert warehouse.execute(pulls).fetchall() == [
        ("loaded", 3, 4_500_000, 2_000_000, "USD"),
        ("partial", 0, None, None, None),
    ]


def test_totals_without_their_ads_reject_the_day(warehouse, tmp_path):
    load_pull(warehouse, pull_of(), spool(tmp_path, [ad(DAYS[0], 1_500_000), total(DAYS[0], 2_000_000)]), SETTINGS)
    before = stored(warehouse)
    rows = spool(tmp_path, [total(DAYS[0], 2_500_000), ad(DAYS[1], 3_000_000)])
    report = load_pull(warehouse, pull_of(), rows, SETTINGS)
    assert (report.status, report.rejected_days) == ("partial", DAYS[:1])
    assert stored(warehouse) == before | {DAYS[1]: stored(warehouse)[DAYS[1]]}


def test_imported_total_of_zero_ends_the_rejection_of_a_day(warehouse, tmp_path):
    load_pull(warehouse, pull_of(), spool(tmp_path, [ad(DAYS[0], 5), ad(DAYS[1], 0, impressions=9)]), SETTINGS)
    report = load_pull(warehouse, pull_of(), spool(tmp_path, []), SETTINGS)
    assert report.rejected_days == DAYS[:1]
    assert "import the account's total for these days (level account) with a spend of 0" in report.reason
    load_file(warehouse, "spend", in_file(tmp_path, [total(DAYS[0], 0)]), settings=SETTINGS)
    assert load_pull(warehouse, pull_of(), spool(tmp_path, []), SETTINGS).status == "loaded"


def test_rejected_day_lists_the_spend_of_campaigns(warehouse, tmp_path):
    load_pull(warehouse, pull_of(), spool(tmp_path, [total(DAYS[0], 9, "campaign", campaign_id="max")]), SETTINGS)
    report = load_pull(warehouse, pull_of(), spool(tmp_path, []), SETTINGS)
    assert "2026-07-01 (0.000009 USD)" in report.reason


def test_account_that_moves_to_another_org_moves_the_days_that_are_pulled_again(warehouse, tmp_path):
    account = {"account_id": "9"}
    before = msgspec.structs.replace(SETTINGS, ad_accounts=[])
    rows = [msgspec.structs.replace(ad(day, 5), **account) for day in DAYS]
    load_pull(warehouse, pull_of(account="9"), spool(tmp_path, rows), before)
    moved = pull_of(DAYS[2], DAYS[3], account="9", org="nord")
    report = load_pull(warehouse, moved, spool(tmp_path, rows[2:]), SETTINGS)
    assert (report.loaded, report.replaced, report.withdrawn) == (2, 0, 2)
    found = warehouse.execute("select org_id, list(date order by date) from raw.ad_spend group by 1 order by 1")
    assert found.fetchall() == [("default", DAYS[:2]), ("nord", DAYS[2:])]


def test_account_without_activity_is_loaded(warehouse, tmp_path):
    assert load_pull(warehouse, pull_of(), spool(tmp_path, []), SETTINGS).status == "loaded"


def test_totals_use_the_reported_total_instead_of_the_children(warehouse, tmp_path):
    rows = [
        ad(DAYS[0], 10, "a1"), ad(DAYS[0], 10, "a1"), ad(DAYS[0], 5, "a2"),  # two pages have the first row
        total(DAYS[0], 40, "campaign", campaign_id="max"), ad(DAYS[0], 7, "a9", campaign_id="max"),
        total(DAYS[0], 60),
        msgspec.structs.replace(ad(DAYS[1], 3), currency="EUR"),
    ]  # fmt: skip
    report = load_pull(warehouse, pull_of(), spool(tmp_path, rows), SETTINGS)
    assert [(t.currency, t.spend_micros, t.account_spend_micros, t.difference) for t in report.totals] == [
        ("EUR", 3, None, None),
        ("USD", 55, 60, 5),
    ]
    # Amounts of two currencies have no sum.
    assert warehouse.execute("select spend_micros, currency from raw.pulls").fetchall() == [(None, None)]


@pytest.mark.parametrize(
    ("pull", "rows", "reason"),
    [
        (pull_of(), [ad(DAYS[0], 1), ad(DAYS[0], 2)], "different rows for one key (2026-07-01, c1, a1)"),
        (pull_of(), [ad(FIRST - timedelta(days=1), 1)], "a row of 2026-06-30, which was not requested"),
        (
            pull_of(),
            [msgspec.structs.replace(ad(DAYS[0], 1), account_id="2")],
            "a row of account 2, which was not requested",
        ),
        (pull_of(), [ad(DAYS[0], 1, impressions=-1)], "impressions -1 is not a whole number"),
        (pull_of(), [total(DAYS[0], 1, "adset", campaign_id="c")], "the total of an ad set has an adset_id"),
        (pull_of(account="9"), [msgspec.structs.replace(ad(DAYS[0], 1), account_id="9")], "for org nord, not default"),
    ],
)
def test_invalid_pull_fails_and_stores_nothing(warehouse, tmp_path, pull, rows, reason):
    sound = row_of(DAYS[1], pull.account_id, 5)
    report = load_pull(warehouse, pull, spool(tmp_path, [sound, *rows]), SETTINGS)
    assert report.status == "failed"
    assert reason in report.reason
    counts = "select (select count(*) from raw.ad_spend), (select count(*) from raw.loads), count(*) from raw.pulls"
    assert warehouse.execute(counts).fetchone() == (0, 0, 1)
    assert warehouse.execute("select count(*) from raw.failed_events").fetchone() == (0,)


def test_failed_pull_does_not_affect_others(warehouse, tmp_path):
    pulls = []
    for account in ("1", "2", "3"):
        folder = tmp_path / account
        folder.mkdir()
        good = msgspec.structs.replace(ad(DAYS[0], int(account)), account_id=account)
        bad = [msgspec.structs.replace(good, spend_micros=8)] if account == "2" else []
        pulls.append((pull_of(account=account), spool(folder, [good, *bad])))
    reports = load_pulls(warehouse, pulls, SETTINGS)
    assert [(report.pull.account_id, report.status) for report in reports] == [
        ("1", "loaded"),
        ("2", "failed"),
        ("3", "loaded"),
    ]
    assert warehouse.execute("select account_id, spend_micros from raw.ad_spend order by 1").fetchall() == [
        ("1", 1),
        ("3", 3),
    ]
    with pytest.raises(ValueError, match="overlap"):
        load_pulls(warehouse, [pulls[0], pulls[0]], SETTINGS)


def test_other_accounts_platforms_and_days_stay(warehouse, tmp_path):
    spend = "date,platform,account_id,campaign_id,currency,spend\n"
    others = tmp_path / "others.csv"
    others.write_text(
        f"{spend}2026-07-01,google,1,c,USD,1\n2026-07-01,meta,2,c,USD,2\n2026-07-09,meta,1,c,USD,3\n"
        "2026-07-01,facebook,1,gone,USD,4\n"
    )
    load_file(warehouse, "spend", others, settings=SETTINGS)
    report = load_pull(warehouse, pull_of(), spool(tmp_path, [ad(DAYS[0], 5_000_000)]), SETTINGS)
    assert (report.loaded, report.withdrawn) == (1, 1)
    left = "select platform, account_id, spend_micros // 1_000_000 from raw.ad_spend order by 3"
    assert warehouse.execute(left).fetchall() == [
        ("google", "1", 1),
        ("meta", "2", 2),
        ("meta", "1", 3),
        ("meta", "1", 5),
    ]


def test_failure_is_recorded(warehouse):
    record_failure(warehouse, pull_of(), "the token was revoked: tributary connect meta")
    found = warehouse.execute("select status, reason, rows, _load_id, start_date from raw.pulls").fetchall()
    assert found == [("failed", "the token was revoked: tributary connect meta", 0, None, FIRST)]


def test_damaged_file_is_an_error(warehouse, tmp_path):
    path = spool(tmp_path, [ad(DAYS[0], 1)])
    path.write_bytes(path.read_bytes() + b'{"date": "2026-07')
    with pytest.raises(ContractError, match="damaged"):
        load_pull(warehouse, pull_of(), path, SETTINGS)
    assert stored(warehouse) == {}


def test_wrong_clock_does_not_change_the_order_of_the_history(warehouse, tmp_path):
    load_pull(warehouse, pull_of(), spool(tmp_path, [ad(DAYS[0], 1)]), SETTINGS)
    for table, column in (("loads", "loaded_at"), ("ad_spend", "_loaded_at")):
        warehouse.execute(f"update raw.{table} set {column} = '2099-01-01'")
    load_pull(warehouse, pull_of(), spool(tmp_path, [ad(DAYS[0], 2)]), SETTINGS)
    load_file(warehouse, "spend", in_file(tmp_path, [ad(DAYS[0], 3)]), settings=SETTINGS)
    times = "select distinct _loaded_at from (from raw.ad_spend_history union all by name from raw.ad_spend) order by 1"
    moments = [moment for (moment,) in warehouse.execute(times).fetchall()]
    assert [next(iter(stored(warehouse, as_of(at))[DAYS[0]].values()))[0] for at in moments] == [1, 2, 3]


# --- crashes and size ---------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from datetime import UTC, date, datetime
from pathlib import Path
from ingestion.home import Home
from ingestion.settings.model import Org, Settings
from ingestion.spend.pulls import Pull, load_pulls
from ingestion.warehouse import connect

class Deadly:
    def __init__(self, connection, last):
        self.connection, self.last = connection, last
    def execute(self, query, *arguments):
        if query.strip().startswith(self.last):
            os.kill(os.getpid(), signal.SIGKILL)
        return self.connection.execute(query, *arguments)
    def __getattr__(self, name):
        return getattr(self.connection, name)

home, rows, last = sys.argv[1:]
with connect(Home(Path(home))) as connection:
    pull = Pull(
        org="default",
        platform="meta",
        account_id="1",
        start=date(2026, 7, 1),
        end=date(2026, 7, 4),
        started_at=datetime.now(UTC),
    )
    load_pulls(Deadly(connection, last), [(pull, Path(rows))], Settings(orgs=[Org(id="default", currency="USD")]))
"""


@pytest.mark.parametrize(
    ("killed_at", "is_stored"),
    [
        ("insert into raw.ad_spend_history", False),
        ("insert into raw.ad_spend by name", False),
        ("insert into raw.pulls", False),
        ("commit", False),
        ("select table_name from duckdb_tables() where temporary", True),  # the statement after the commit
    ],
)
def test_killed_pull_is_stored_completely_or_not_at_all(tmp_path, killed_at, is_stored):
    home = home_in(tmp_path / "home")
    with connect(home) as connection:
        load_pull(connection, pull_of(), spool(tmp_path, [ad(DAYS[0], 1), ad(DAYS[1], 1, "a2")]), SETTINGS)
    rows = spool(tmp_path, [ad(DAYS[0], 2), ad(DAYS[1], 3)])
    command = [sys.executable, "-c", KILLED, home.root, rows, killed_at]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    found = "select list(spend_micros order by date, ad_id) from raw.ad_spend"
    with connect(home) as connection:
        counts = "select (select count(*) from raw.ad_spend_history), (select count(*) from raw.loads), count(*)"
        assert connection.execute(found).fetchone() == (([2, 3] if is_stored else [1, 1]),)
        assert connection.execute(f"{counts} from raw.pulls").fetchone() == ((2, 2, 2) if is_stored else (0, 1, 1))
        load_pull(connection, pull_of(), rows, SETTINGS)
        assert connection.execute(found).fetchone() == ([2, 3],)
        assert connection.execute("select count(*) from raw.ad_spend_history").fetchone() == (2,)


def test_python_keeps_no_rows_in_memory(warehouse, tmp_path):
    path = tmp_path / "rows.ndjson"
    with path.open("wb") as file:
        file.writelines(msgspec.json.encode(ad(DAYS[n % 4], n, str(n))) + b"\n" for n in range(100_000))
    tracemalloc.start()
    try:
        report = load_pull(warehouse, pull_of(), path, SETTINGS)
        (_, peak) = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (report.loaded, report.totals[0].spend_micros) == (100_000, sum(range(100_000)))
    assert peak < 2_000_000


# --- exchange rates --------------------------------------------------------------------------------------------------


def test_known_exchange_rates_add_nothing(warehouse, tmp_path):
    path = tmp_path / "rates.ndjson"
    path.write_text('{"date":"2026-07-01","base":"EUR","quote":"USD","rate":"1.10"}\n')
    assert load_exchange_rates(warehouse, path, SETTINGS).loaded == 1
    path.write_text(
        '{"date":"2026-07-01","base":"EUR","quote":"USD","rate":"1.1"}\n'
        '{"date":"2026-07-02","base":"EUR","quote":"USD","rate":"1.2"}\n'
    )
    report = load_exchange_rates(warehouse, path, SETTINGS)
    assert (report.loaded, report.duplicate, report.failed) == (1, 1, 0)
    rates = warehouse.execute("select rate::varchar from raw.exchange_rates order by date").fetchall()
    assert rates == [("1.100000000",), ("1.200000000",)]
