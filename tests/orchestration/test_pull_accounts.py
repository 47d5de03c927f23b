"""Pull many accounts of an agency, a few at a time: none stops another, and an interruption leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import duckdb
import pytest

from connectors.ads import PLATFORMS
from ingestion.home import Home
from ingestion.settings.load import load_settings
from orchestration.pulling import accounts
from orchestration.pulling.accounts import Outcome
from orchestration.pulling.fetch import StoppableClock
from orchestration.pulling.plan import platform_tasks
from tests.support.home import COMMAND, tributary
from tests.support.pulling import FIRST, LAST, SECRET, Agency, left_behind, listing, platform, rows
from tests.support.vendors.meta import error

TWELVE = [str(number) for number in range(1, 13)]


class RecordingClock(StoppableClock):
    """Record how long to wait instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.check()


@pytest.fixture
def agency(monkeypatch) -> Iterator[Agency]:
    with platform("meta", monkeypatch, Agency) as vendor:
        yield vendor


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    monkeypatch.setenv("TRIBUTARY_HOME", str(listing_of(tmp_path / "home", TWELVE)))
    return Home.from_environment()


def listing_of(home: Path, ids: list[str]) -> Path:
    return listing(home, *(f'platform: meta, account_id: "{id_}", currency: EUR' for id_ in ids))


def pull(home: Home, only: list[str], **how: object) -> Iterator[tuple[int, Outcome]]:
    settings = load_settings(home)
    tasks = platform_tasks(settings, PLATFORMS["meta"], (FIRST, LAST), only)
    return accounts.pull_accounts(home, settings, tasks, **{"log": print, **how})


def test_four_accounts_are_pulled_at_once(agency, home):
    agency.is_delayed = lambda account: len(agency.requested_accounts) < 4
    assert [outcome.report.status for _, outcome in pull(home, TWELVE[:4])] == ["loaded"] * 4
    assert rows(home.root, "select count(distinct _load_id), count(*) from raw.pulls") == [(1, 4)]


def test_no_account_stops_another(agency, home):
    assert [outcome.is_whole for _, outcome in pull(home, ["6"])] == [True]
    agency.facts = [fact for fact in agency.facts if fact.date != FIRST]  # only account 6 has stored it
    agency.accounts_faults = {
        "2": agency.throttled,
        "4": partial(error, 100, f"Unsupported request with {SECRET}"),
    }
    agency.absurd, agency.absurd_budgets = {"8"}, {"10"}
    output, clock = [], RecordingClock()
    found = dict(pull(home, TWELVE, log=output.append, clock=clock))
    statuses = [found[number].report.status for number in range(12)]
    assert statuses == ["failed" if id_ in ("4", "8") else "partial" if id_ == "6" else "loaded" for id_ in TWELVE]
    assert [found[number].report.pull.account_id for number in range(12)] == TWELVE
    assert [id_ for number, id_ in enumerate(TWELVE) if found[number].warnings] == ["10"]
    assert found[9].warnings[0].startswith("entities were not stored: ")
    named = "select distinct account_id from raw.ad_entities where level = 'campaign' order by account_id::int"
    assert rows(home.root, named) == [(id_,) for id_ in TWELVE if id_ not in ("4", "10")]
    assert clock.slept == [180]
    assert any(line.startswith("meta 2: Meta: too many calls") for line in output)
    assert "Unsupported request with ***" in found[3].report.reason
    counts = "select account_id from raw.ad_spend group by 1 having count(distinct date) = {}"
    assert rows(home.root, counts.format(3)) == [("6",)]
    assert len(rows(home.root, counts.format(2))) == 9
    assert rows(home.root, "select count(*) from raw.pulls") == [(13,)]
    assert SECRET not in "\n".join([*output, *map(str, rows(home.root, "from raw.pulls"))])
    assert left_behind(home.root) == []


def test_loaded_accounts_stay_when_the_rest_is_abandoned(agency, home, monkeypatch):
    monkeypatch.setattr(accounts, "BATCH", 5)
    outcomes = pull(home, TWELVE)
    next(outcomes)
    outcomes.close()
    assert rows(home.root, "select count(*), count(distinct _load_id) from raw.pulls") == [(5, 1)]
    assert left_behind(home.root) == []
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("pull-")] == []


def test_a_slow_account_delays_no_other(agency, home, monkeypatch):
    monkeypatch.setattr(accounts, "BATCH_SECONDS", 0)
    agency.is_delayed = lambda account: account == "1"
    outcomes = pull(home, TWELVE)
    assert sorted(next(outcomes)[0] for _ in range(11)) == list(range(1, 12))
    agency.is_delayed = lambda account: False
    ((number, last),) = outcomes
    assert (number, last.is_whole) == (0, True)


def test_entities_that_cannot_be_stored_are_a_warning(agency, home):
    assert [outcome.is_whole for _, outcome in pull(home, ["1"])] == [True]
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("alter table raw.ad_entities drop column objective")
    ((_, outcome),) = pull(home, ["2"])
    assert outcome.is_whole
    assert outcome.warnings[0].startswith("entities were not stored: ")
    assert rows(home.root, "select status from raw.pulls where account_id = '2'") == [("loaded",)]


def test_the_command_stops_although_the_network_does_not_respond(agency, home):
    agency.is_delayed = lambda account: account in ("9", "10", "11", "12")
    process = subprocess.Popen(
        [COMMAND, "pull", "meta", "--from", str(FIRST), "--to", str(LAST)],
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    try:
        deadline = time.monotonic() + 60
        while not {"9", "10", "11", "12"} <= {*agency.requested_accounts}:
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < deadline, "no report was asked for"
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        agency.is_delayed = lambda account: False  # the server ends when it has answered every request
    assert process.returncode == 130
    assert output.splitlines()[-1] == "Stopped. Loaded accounts stay loaded, the others are unchanged."
    assert "Traceback" not in output
    assert len(agency.jobs) == 16  # of which half report ads and half the account; none of the last four
    assert left_behind(home.root) == []


def test_the_command_shows_accounts_in_the_order_of_the_settings(agency, home):
    agency.accounts_faults = {"3": partial(error, 100, "Unsupported request")}
    output = tributary(home.root, "pull", "meta", "--from", FIRST, "--to", LAST, code=1).stdout
    shown = [line.split()[1] for line in output.splitlines() if line.startswith("meta ") and "  " in line]
    assert shown == TWELVE
    assert "! meta 3: Meta rejected" in output
