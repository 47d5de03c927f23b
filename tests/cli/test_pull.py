"""`tributary pull` as people call it, against platforms on loopback: what it loads, what it refuses, how it ends."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import msgspec
import pytest

from connectors.ads import PLATFORMS
from connectors.platform import SpendRow
from ingestion.home import Home
from ingestion.settings.model import AdAccount
from ingestion.warehouse import build_lock, connect, file_lock
from orchestration.pulling.days import days_of
from orchestration.pulling.fetch import describe_error, write_rows
from orchestration.pulling.plan import PullError, clip_task, make_task
from tests.support.home import COMMAND, ROOT, tributary
from tests.support.pulling import (
    DAYS,
    FIRST,
    GOOGLE,
    LAST,
    META,
    SECRET,
    left_behind,
    listing,
    platform,
    rows,
    spend,
    true_spend,
)
from tests.support.vendors.base import Vendor, serving
from tests.support.vendors.ecb import Bank


@pytest.fixture
def meta(monkeypatch) -> Iterator[Vendor]:
    with platform("meta", monkeypatch) as vendor:
        yield vendor


@pytest.fixture
def home(tmp_path) -> Path:
    return listing(tmp_path / "home", META)


def test_a_pull_loads_spend_and_the_next_one_loads_changes(meta, home):
    meta.total_off_micros = 1_230_000
    output = tributary(home, "pull", "meta").stdout
    assert spend(home) == true_spend(meta)
    assert re.search(r"meta Shop\s+12\s+12\s+0\s+0", output)
    assert re.search(r"\s3\.69\n", output)  # a day's difference, three times
    assert output.endswith("Next: tributary run\n")
    assert rows(home, "select distinct name from raw.ad_entities where level = 'campaign' order by 1") == [
        ("Campaign 7001",),
        ("Campaign 7002",),
    ]
    meta.restate(FIRST, -4_560_000)
    output = tributary(home, "pull", "meta", *DAYS).stdout
    assert re.search(r"meta Shop\s+12\s+0\s+2\s+0", output)  # the ad and the account's total
    assert spend(home) == true_spend(meta)
    assert len(rows(home, "from raw.ad_spend_history")) == 2
    assert rows(home, "select status, start_date, end_date from raw.pulls order by started_at")[1] == (
        "loaded",
        FIRST,
        LAST,
    )
    assert left_behind(home) == []


def test_a_failing_platform_stops_no_other_and_shows_no_secret(meta, home, monkeypatch):
    with platform("google", monkeypatch, faults=["revoked"]):
        listing(home, GOOGLE, META, META.replace("meta", "snapchat"))
        done = tributary(home, "pull", "all", *DAYS, code=1)
    assert spend(home) == true_spend(meta)
    assert rows(home, "select platform, status from raw.pulls order by 1") == [("google", "failed"), ("meta", "loaded")]
    ((reason,),) = rows(home, "select reason from raw.pulls where status = 'failed'")
    assert "tributary connect google" in reason
    assert " ".join(reason.split()) in " ".join(done.stdout.split())
    assert "snapchat: skipped, because it is not connected. Run: tributary connect snapchat" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    files = [path for path in home.rglob("*") if path.is_file()]
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


def test_a_day_without_rows_stays_unchanged(meta, home):
    tributary(home, "pull", "meta", *DAYS)
    before = spend(home)
    meta.facts = [fact for fact in meta.facts if fact.date != LAST]
    output = tributary(home, "pull", "meta", *DAYS, code=1).stdout
    assert spend(home) == before
    assert f"the platform returned no ads for 1 day with stored spend, which was kept: {LAST}" in " ".join(
        output.split()
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["mate"], "There is no platform mate. Do you mean meta?"),
        (["google"], "tributary.yaml has no ad account of Google Ads. Add one: tributary connect google"),
        (
            ["meta", "--account", "9"],
            "tributary.yaml has no account 9 of Meta. Use 1001, or add it: tributary connect meta",
        ),
        (["meta", "--from", LAST, "--to", FIRST], "is after the last, "),
        (["meta", "--to", LAST + timedelta(days=9)], "is in the future: it is "),
        (["meta", "--from", "2001-01-01"], "Meta keeps 37 months of history. Use --from "),
        (["all", "--account", "1"], "tributary pull PLATFORM --account 1"),
        (["synced"], "tributary.yaml has no `synced`. Add "),
        (["all"], "Nothing is connected yet. Run: tributary connect"),
    ],
)
def test_impossible_requests_are_errors_and_create_nothing(home, arguments, complaint):
    done = tributary(home, "pull", *arguments, code=2)
    assert complaint in " ".join(done.stderr.split())
    assert not (home / "warehouse.duckdb").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_pull_leaves_nothing(meta, home, number):
    meta.polls = 1_000_000  # the report is never done
    process = subprocess.Popen(
        [COMMAND, "pull", "meta", "--from", str(FIRST), "--to", str(LAST)],
        env={**os.environ, "TRIBUTARY_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    try:
        deadline = time.monotonic() + 60
        while not any(re.search(r"GET .*/6\d+$", request) for request in meta.requests):
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < deadline, "the report was never asked for"
            time.sleep(0.05)
        with build_lock(Home(home), "a build"):  # nobody holds it while the network is waited for
            pass
        process.send_signal(number)
        output, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number]
    assert "Traceback" not in output
    assert left_behind(home) == (["pull-meta-1001"] if number == signal.SIGKILL else [])
    meta.polls = 0
    tributary(home, "pull", "meta", *DAYS)
    assert spend(home) == true_spend(meta)
    assert left_behind(home) == []


def test_days_are_in_the_time_zone_of_the_account():
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    meta, google = PLATFORMS["meta"], PLATFORMS["google"]
    auckland = AdAccount("meta", "1", "shop", timezone="Pacific/Auckland")  # the 21st has begun there
    hawaii = AdAccount("google", "2", "shop", timezone="Pacific/Honolulu", repull_days=2)
    assert (found := make_task(meta, auckland, None, None, now)).end == date(2026, 11, 20)
    assert found.start == date(2026, 11, 20) - timedelta(days=28)
    assert (found := make_task(google, hawaii, None, None, now)).end == date(2026, 11, 19)
    assert found.start == date(2026, 11, 17)
    assert make_task(meta, auckland, None, date(2026, 11, 21), now).end == date(2026, 11, 21)  # a part of the day
    with pytest.raises(PullError, match="is in the future"):
        make_task(google, hawaii, None, date(2026, 11, 21), now)
    assert clip_task(google, hawaii, date(2026, 11, 19), date(2026, 11, 21), now).end == date(2026, 11, 20)
    assert clip_task(google, hawaii, date(2026, 11, 21), date(2026, 11, 21), now) is None


@pytest.mark.parametrize(
    ("platform", "zone", "first"),
    [
        ("pinterest", "Pacific/Honolulu", date(2026, 11, 21) - timedelta(days=914)),  # it is the 20th there
        ("pinterest", "Pacific/Auckland", date(2026, 11, 21) - timedelta(days=914)),
        ("meta", "Pacific/Kiritimati", date(2023, 10, 21)),
        ("reddit", "Pacific/Kiritimati", date(2024, 11, 23)),
    ],
)
def test_the_history_begins_at_a_day_that_the_platform_has_in_every_time_zone(platform, zone, first):
    account, now = AdAccount(platform, "1", "shop", timezone=zone), datetime(2026, 11, 21, 5, tzinfo=UTC)
    assert clip_task(PLATFORMS[platform], account, date(2020, 1, 1), date(2026, 11, 19), now).start == first
    assert make_task(PLATFORMS[platform], account, first, first, now).start == first
    with pytest.raises(PullError, match=f"of history. Use --from {first} or later"):
        make_task(PLATFORMS[platform], account, first - timedelta(days=1), first, now)


def test_the_spend_of_a_day_prefers_reported_totals(tmp_path):
    """A reported total takes precedence over the sum of the children, at every level."""
    home = Home(tmp_path)
    insert = """
        insert into raw.ad_spend by name
        select 'shop' as org_id, 'meta' as platform, account_id, level, campaign_id, adset_id, ad_id,
            date '2026-11-01' as date, currency, spend_micros, '' as _content_hash, '' as _load_id,
            timestamp '2026-11-02' as _loaded_at
        from (values
            ('1', null, 'c1', 's1', 'a1', 'EUR', 10), ('1', null, 'c1', 's1', 'a2', 'EUR', 20),
            ('1', 'adset', 'c1', 's1', null, 'EUR', 35), ('1', null, 'c1', 's2', 'a3', 'EUR', 1),
            ('1', 'campaign', 'c2', null, null, 'EUR', 100), ('1', null, 'c2', 's3', 'a4', 'EUR', 7),
            ('1', 'account', null, null, null, 'EUR', 140),
            ('2', null, 'c3', null, null, 'EUR', 1000), ('3', null, 'c4', null, null, 'USD', 5)
        ) as rows (account_id, level, campaign_id, adset_id, ad_id, currency, spend_micros)
    """
    home.temporary.mkdir()
    home.archive.mkdir()
    with connect(home) as connection:
        connection.execute(insert)
        day = date(2026, 11, 1)
        euro, dollar = days_of(connection, "meta", day, day)
        assert days_of(connection, "meta", day + timedelta(1), day + timedelta(1)) == []
    # The first account: (35 + 1) + 100 below a total of 140.
    assert (euro.rows, euro.spend_micros, euro.children_micros, euro.has_total) == (8, 1140, 1136, True)
    assert (dollar.currency, dollar.spend_micros, dollar.has_total) == ("USD", 5, False)


def test_the_bank_is_pulled_where_currencies_differ(home, monkeypatch):
    with serving(Bank()) as bank:
        bank.last = LAST  # as the command uses the real clock
        monkeypatch.setenv("TRIBUTARY_ECB_URL", bank.url)
        tributary(home, "pull", "all", code=2)
        assert bank.requests == []
        listing(home, META.replace("EUR", "USD"))
        first = tributary(home, "pull", "all").stdout
        stored = rows(home, "select count(*), max(date) from raw.exchange_rates")
        again = tributary(home, "pull", "ecb").stdout
    assert stored[0][0] > 100
    assert f"{stored[0][0]:,} of them new or changed" in first
    assert " 0 of them new or changed" in again
    assert rows(home, "select count(*), max(date) from raw.exchange_rates") == stored
    assert bank.requests[-1].endswith("eurofxref-hist-90d.xml")


def test_synced_tables_are_read_though_another_source_is_not_there(home):
    with duckdb.connect(str(home / "tool.duckdb")) as connection:
        connection.execute((ROOT / "tests/fixtures/airbyte/meta.sql").read_text())
    listing(home, more="synced:\n  - {path: nowhere, org: shop}\n  - {path: tool.duckdb, org: shop, tool: airbyte}")
    output = tributary(home, "pull", "synced", code=1).stdout
    assert re.search(r"^  ad .*EUR", output, re.M)
    assert "nowhere does not exist" in " ".join(output.split())
    assert rows(home, "select count(*) > 0 from raw.ad_spend where platform = 'meta'") == [(True,)]


def test_an_account_is_pulled_once_at_a_time(meta, home):
    (home / "tmp").mkdir()
    with file_lock(home / "tmp" / "pull-meta-1001.lock", "the pull of meta 1001"):
        process = subprocess.Popen(
            [COMMAND, "pull", "meta", "--from", str(FIRST), "--to", str(LAST)],
            env={**os.environ, "TRIBUTARY_HOME": str(home)},
            stdout=subprocess.PIPE,
            text=True,
        )
        lines = iter(process.stdout.readline, "")
        assert any("waiting for the pull of meta 1001" in line for line in lines)
        assert meta.requests == []
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert spend(home) == true_spend(meta)


def test_memory_stays_flat_while_rows_stream(tmp_path):
    row = SpendRow(
        date=LAST,
        account_id="1001",
        currency="EUR",
        spend_micros=12_340_000,
        campaign_id="7001",
        ad_id="9001",
        impressions=1000,
    )
    tracemalloc.start()
    write_rows((row for _ in range(200_000)), tmp_path / "spend", "rows", print)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "spend").stat().st_size > 20_000_000
    assert peak < 2_000_000


def test_the_message_and_the_debug_log_of_a_defect_have_no_secrets(caplog):
    caplog.set_level(logging.DEBUG, "tributary")
    try:
        try:
            msgspec.json.decode(b"{")
        except ValueError:
            raise ValueError(f"cannot read {SECRET} and former-access-token")  # noqa: B904
    except ValueError as error:
        text = describe_error(
            error, {"access_token": "former-access-token", "refresh_token": ""}, {"access_token": SECRET}
        )
    assert text.startswith("ValueError: cannot read *** and *** (test_pull.py:")
    assert "Please report it" in text
    trace = caplog.text
    assert "DecodeError" in trace
    assert "ValueError: cannot read *** and ***" in trace
    assert SECRET not in trace


def test_the_documentation_says_how_far_back_each_platform_is_pulled():
    documented = re.findall(
        r"^\| (\w[^|]*?) \| (\d+) \| (\d+ (?:months|days)) \|$", (ROOT / "docs/pull.md").read_text(), re.M
    )
    assert documented == [(p.label, str(p.repull_days), str(p.history)) for p in PLATFORMS.values()]
