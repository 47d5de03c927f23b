"""Pull platforms through Dagster: runs over days against platforms on loopback, schedules, and metadata."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from connectors.ads import PLATFORMS
from connectors.api_versions import API_VERSIONS, ApiVersion
from ingestion.home import Home
from ingestion.settings.load import load_settings
from orchestration import sensors
from orchestration.instance import open_instance
from orchestration.pulling import assets, schedules
from orchestration.pulling.metadata import CHECK, ECB, key_of
from tests.support.home import tributary
from tests.support.pulling import DAYS, FIRST, GOOGLE, LAST, META, Agency, listing, platform, rows, spend, true_spend
from tests.support.vendors.base import Vendor

ALL_DAYS = [str(FIRST + timedelta(days=n)) for n in range((LAST - FIRST).days + 1)]
Run = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def meta(monkeypatch) -> Iterator[Vendor]:
    with platform("meta", monkeypatch) as vendor:
        yield vendor


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    for name in ("DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # as it was, afterwards
    monkeypatch.setenv("TRIBUTARY_HOME", str(listing(tmp_path / "home", META)))
    return Home.from_environment()


@pytest.fixture
def instance(home) -> Iterator[dg.DagsterInstance]:
    with open_instance(home) as instance:
        yield instance


def definitions(home: Home) -> dg.Definitions:
    settings = load_settings(home)
    build = dg.define_asset_job("build", dg.AssetSelection.all() - schedules.PULLS)
    return dg.Definitions(
        assets=[*assets.assets(home, settings), dg.AssetSpec(["raw", "ad_spend"])],
        jobs=[build, *schedules.jobs(home, settings)],
        schedules=schedules.schedules(home, settings),
        executor=dg.in_process_executor,
    )


@pytest.fixture
def run(home, instance) -> Run:
    """run(platform, first, last, accounts...) is one run over the days, as a schedule or a backfill requests it."""

    def runs(name: str, first: date, last: date, *accounts: str) -> dg.ExecuteInProcessResult:
        config = {"ops": {f"raw__ad_spend__{name}": {"config": {"accounts": list(accounts)}}}}
        return (
            definitions(home)
            .resolve_job_def(f"pull_{name}")
            .execute_in_process(
                instance=instance,
                raise_on_error=False,
                run_config=config,
                tags=dict(zip(schedules.RANGE, (str(first), str(last)), strict=True)),
            )
        )

    return runs


def materialized(instance: dg.DagsterInstance, name: str = "meta") -> list[str]:
    return sorted(instance.get_materialized_partitions(key_of(name)))


def latest_check(instance: dg.DagsterInstance) -> dg.AssetCheckEvaluation:
    key = dg.AssetCheckKey(key_of("meta"), CHECK)
    record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    return record.event.dagster_event.asset_check_evaluation_data


def test_a_range_of_days_is_one_run(home, instance, run, meta):
    meta.total_off_micros = 1_230_000
    done = run("meta", FIRST, LAST)
    assert done.success
    assert spend(home.root) == true_spend(meta)
    assert rows(home.root, "select count(*) from raw.pulls") == [(1,)]
    events = {m.partition: m.metadata for m in (e.materialization for e in done.get_asset_materialization_events())}
    assert sorted(events) == materialized(instance) == ALL_DAYS
    for day, metadata in events.items():
        micros = true_spend(meta)[date.fromisoformat(day)] + 1_230_000
        assert metadata["rows"].value == 4
        assert metadata["spend (EUR)"].value == micros / 1e6
        assert ("daily spend" in metadata) == (day == str(LAST))
    newest = events[str(LAST)]
    assert newest["daily spend"].value.startswith("![EUR](data:image/svg+xml;base64,")
    (account,) = newest["accounts"].records
    shown = ("spend", "account total", "difference", "rows", "new", "changed", "withdrawn")
    assert [account.data[name] for name in shown] == ["180.54 EUR", "184.23", "3.69", 12, 12, 0, 0]
    (check,) = done.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "differ by 3.69 EUR on 3 of 3 days" in check.description
    first = check.metadata["differences"].records[0].data
    assert list(first.values()) == [str(FIRST), "EUR", "31.38", "30.15", "1.23"]


def test_a_failing_platform_fails_only_its_own_run(home, instance, run, meta, monkeypatch):
    listing(home.root, META, GOOGLE)
    with platform("google", monkeypatch, faults=["revoked"]):
        failed = run("google", FIRST, LAST)
    assert not failed.success
    (error,) = [e.step_failure_data for e in failed.all_events if e.event_type_value == "STEP_FAILURE"]
    assert "tributary connect google" in error.user_failure_data.description
    assert materialized(instance, "google") == []
    assert run("meta", FIRST, LAST).success
    assert materialized(instance) == ALL_DAYS


def test_complete_days_are_materialized_although_another_day_is_rejected(home, instance, run, meta):
    assert run("meta", FIRST, FIRST).success
    before = spend(home.root)[FIRST]
    meta.facts = [fact for fact in meta.facts if fact.date != FIRST]
    done = run("meta", FIRST, LAST)
    assert not done.success
    events = done.get_asset_materialization_events()
    assert [event.materialization.partition for event in events] == ALL_DAYS[1:]
    assert spend(home.root) == {FIRST: before, **true_spend(meta)}


def test_days_beyond_the_platforms_history_are_not_materialized(instance, run, meta):
    earliest = PLATFORMS["meta"].history.first_day(datetime.now(ZoneInfo("Europe/Berlin")).date())
    done = run("meta", earliest - timedelta(days=5), earliest + timedelta(days=1))
    assert not done.success
    assert str(earliest + timedelta(days=1)) in materialized(instance)
    assert str(earliest - timedelta(days=2)) not in materialized(instance)
    assert not run("meta", earliest - timedelta(days=5), earliest - timedelta(days=3)).success


def test_an_asset_shows_the_version_of_its_api_and_logs_its_end(home, run, meta, monkeypatch, capfd):
    (asset,) = assets.assets(home, load_settings(home))
    assert asset.metadata_by_key[key_of("meta")]["api_version"].startswith("v26.0: ends on 2027-07-29 (estimate")
    tomorrow = datetime.now().date() + timedelta(days=1)
    monkeypatch.setitem(API_VERSIONS, "meta", ApiVersion("v26.0", tomorrow, "announced", "https://versions.example"))
    assert run("meta", FIRST, FIRST).success
    assert f"Meta: version v26.0 of its API ends on {tomorrow}" in capfd.readouterr().err


def test_a_run_can_pull_some_of_the_accounts(home, run, meta):
    listing(home.root, META, META.replace("1001", "2002"))
    assert run("meta", FIRST, LAST, "1001").success
    assert rows(home.root, "select account_id, status from raw.pulls") == [("1001", "loaded")]
    assert not run("meta", FIRST, LAST).success  # the vendor knows no account 2002
    assert sorted(rows(home.root, "select account_id, status from raw.pulls")) == [
        ("1001", "loaded"),
        ("1001", "loaded"),
        ("2002", "failed"),
    ]


def test_a_run_pulls_four_accounts_at_once(home, instance, run, monkeypatch):
    listing(home.root, *(META.replace("1001", id_) for id_ in "1234"))
    with platform("meta", monkeypatch, Agency) as agency:
        agency.is_delayed = lambda account: len(agency.requested_accounts) < 4
        done = run("meta", FIRST, LAST)
    assert done.success
    assert materialized(instance) == ALL_DAYS
    messages = [record.user_message for record in instance.all_logs(done.run_id)]  # those of threads included
    assert {f"meta {id_}: {FIRST} to {LAST}" for id_ in "1234"} <= set(messages)
    newest = done.get_asset_materialization_events()[-1].materialization.metadata
    assert [row.data["account"] for row in newest["accounts"].records] == list("1234")
    assert newest["rows"].value == 16


def test_pulls_from_the_command_line_are_materialized_too(home, instance, meta):
    meta.total_off_micros = -1_000_000
    tributary(home.root, "pull", "meta", *DAYS)
    assert materialized(instance) == ALL_DAYS
    newest = instance.get_latest_materialization_event(key_of("meta")).asset_materialization
    assert newest.partition == str(LAST)
    assert newest.metadata["accounts"].records[0].data["account total"] == "177.54"
    assert not latest_check(instance).passed
    meta.total_off_micros = 0
    tributary(home.root, "pull", "meta", *DAYS)
    assert latest_check(instance).passed


def test_each_time_zone_has_its_own_schedule(home, instance, meta, monkeypatch):
    listing(
        home.root,
        META,
        META.replace("1001", "2") + ", repull_days: 3",
        META.replace("1001", "3").replace("}", "") + ", repull_days: 28",
        GOOGLE,
        more='  - {org: shop, platform: meta, account_id: "4", timezone: Pacific/Auckland, currency: NZD}',
    )
    found = {schedule.name: schedule for schedule in schedules.schedules(home, load_settings(home))}
    assert set(found) == {
        "pull_meta_europe_berlin",
        "pull_meta_pacific_auckland",
        "pull_ecb_schedule",
    }  # no login: google
    assert {s.default_status for s in found.values()} == {dg.DefaultScheduleStatus.RUNNING}
    assert found["pull_meta_pacific_auckland"].execution_timezone == "Pacific/Auckland"
    assert found["pull_ecb_schedule"].cron_schedule == "30 16 * * 1-5"
    assert asked(found["pull_meta_europe_berlin"], instance) == [
        (["2"], "2026-11-17", "2026-11-20"),
        (["1001", "3"], "2026-10-23", "2026-11-20"),
    ]
    assert asked(found["pull_meta_pacific_auckland"], instance) == [(["4"], "2026-10-23", "2026-11-20")]
    days = definitions(home).get_assets_def(key_of("meta")).partitions_def
    assert days.timezone == "Pacific/Auckland"  # where a day is over first
    today = datetime.now(ZoneInfo("Europe/Berlin")).date()
    assert days.get_first_partition_key() == str(PLATFORMS["meta"].history.first_day(today))
    monkeypatch.delenv("TRIBUTARY_META_ACCESS_TOKEN")
    skipped = found["pull_meta_europe_berlin"].evaluate_tick(morning(instance, "Europe/Berlin"))
    assert skipped.skip_message == "Meta is not connected. Run: tributary connect meta"
    assert assets.assets(home, load_settings(home))[0].key == ECB


def morning(instance: dg.DagsterInstance, zone: str) -> dg.ScheduleEvaluationContext:
    return dg.build_schedule_context(
        instance=instance, scheduled_execution_time=datetime(2026, 11, 21, 6, tzinfo=ZoneInfo(zone))
    )


def asked(schedule: dg.ScheduleDefinition, instance: dg.DagsterInstance) -> list[tuple]:
    requests = schedule.evaluate_tick(morning(instance, schedule.execution_timezone)).run_requests
    return [
        (
            request.run_config["ops"]["raw__ad_spend__meta"]["config"]["accounts"],
            *(request.tags[tag] for tag in schedules.RANGE),
        )
        for request in requests
    ]


def test_the_marts_are_built_once_after_pulls(home, instance, run, meta):
    def look(cursor: str | None) -> tuple[object, str | None]:
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        return sensors.after_pulls(context), context.cursor

    found, cursor = look(None)
    assert isinstance(found, dg.SkipReason)
    run("meta", FIRST, LAST)
    other = definitions(home).resolve_job_def("pull_meta")
    under_way = instance.create_run_for_job(other, status=dg.DagsterRunStatus.STARTED)
    found, cursor = look(cursor)
    assert under_way.run_id[:8] in found.skip_message
    instance.report_run_failed(under_way)
    found, cursor = look(cursor)
    assert isinstance(found, dg.RunRequest)
    assert isinstance(look(cursor)[0], dg.SkipReason)
    run("meta", LAST, LAST)
    assert isinstance(look(cursor)[0], dg.RunRequest)
