"""A run or a scheduled job that would change nothing ends at once; every change leads to a build."""

from __future__ import annotations

import fcntl
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.test_utils import create_run_for_test

from ingestion.home import Home
from ingestion.segments.format import Receipt, as_line
from ingestion.warehouse import build_lock, connect
from orchestration import changes, fingerprint
from orchestration.changes import BUILD, COVERED, LAND, Beginning, reasons, record_run
from orchestration.instance import open_instance
from tests.support.home import COMMAND, ROOT, copy_home, differences, published, tributary

EVENTS = "event_id,site_id,type,occurred_at,anon_id\nnew1,northwind-shop,PAGE_VIEW,2026-07-01T00:00:00Z,v1\n"
# Runs the command line and fails if it loads a module that takes seconds.
LIGHT_RUN = """
import sys
from typer.testing import CliRunner
from cli.app import app
done = CliRunner().invoke(app, ["run"])
print(done.output)
heavy = {"dagster", "dbt", "dagster_dbt", "polars", "sqlglot"} & set(sys.modules)
sys.exit(f"loaded {heavy}" if heavy else done.exit_code)
"""


@pytest.fixture
def home(built, tmp_path, monkeypatch) -> Home:
    """A copy of a home that a whole run built and published."""
    monkeypatch.setenv("TRIBUTARY_HOME", str(copy_home(built, tmp_path / "home")))
    return Home.from_environment()


def in_warehouse(home: Home, sql: str) -> None:
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(sql)


def version(home: Home) -> int:
    with published(home.root) as connection:
        return connection.execute("select version from meta").fetchone()[0]


def test_a_run_with_nothing_new_ends_at_once_and_writes_nothing(home):
    before = (fingerprint.warehouse(home), fingerprint.published(home))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = subprocess.run([COMMAND, "run"], capture_output=True, text=True, check=True).stdout
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert output.startswith("Nothing new since version 1 of 20")
    assert now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime < 3  # seconds of CPU
    done = subprocess.run([sys.executable, "-c", LIGHT_RUN], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert (fingerprint.warehouse(home), fingerprint.published(home)) == before


def test_commands_that_only_read_leave_nothing_new(home):
    assert "Nothing is new since this version" in tributary(home.root, "status").stdout
    tributary(home.root, "connections")
    tributary(home.root, "query", "select 1")
    assert {job: reasons(home, job) for job in COVERED} == {job: [] for job in COVERED}


def add_file(home: Home) -> None:
    (home.inbox / "events" / "new.csv").write_text(EVENTS)


def close_segment(home: Home) -> None:
    (home.landing / "20260701T000000000Z-1-aaaa.ndjson").write_text("{}\n")


def abandon_segment(home: Home) -> None:
    """Leave the segment of a collector that was killed."""
    (home.landing / "20260701T000000000Z-1-aaaa.open").write_text("{}\n")


def change_settings(home: Home) -> None:
    home.settings.write_text(home.settings.read_text() + "# a comment\n")


def import_file(home: Home) -> None:
    file = home.root / "events.csv"
    file.write_text(EVENTS)
    tributary(home.root, "import", "events", file)


def edit_a_row(home: Home) -> None:
    in_warehouse(home, "update raw.ad_spend set clicks = clicks + 1 where rowid = 0")


def record_a_pull(home: Home) -> None:
    in_warehouse(
        home,
        "insert into raw.pulls by name select 'p' as pull_id, 'northwind' as org_id, 'meta' as platform, '1' as"
        " account_id, date '2026-07-01' as start_date, date '2026-07-01' as end_date, timestamp '2026-07-02' as"
        " started_at, timestamp '2026-07-02' as finished_at, 'failed' as status, 'no access' as reason, 0 as rows",
    )


def leave_a_log(home: Home) -> None:
    """Leave DuckDB's log of changes, as a killed process does."""
    home.warehouse.with_name(f"{home.warehouse.name}.wal").touch()


def delete_the_marts(home: Home) -> None:
    home.marts.unlink()


def delete_the_file_of_an_org(home: Home) -> None:
    next((home.published / "orgs").iterdir()).unlink()


def change_a_parquet_file(home: Home) -> None:
    next((home.published / "parquet").iterdir()).write_bytes(b"PAR1")


def change_the_archive(home: Home) -> None:
    folder = home.archive / "events" / "site_id=shop" / "date=2026-01-01"
    folder.mkdir(parents=True)
    (folder / "old.parquet").write_bytes(b"PAR1")


def delete_the_record(home: Home) -> None:
    (home.dagster / "built.json").unlink()


def damage_the_record(home: Home) -> None:
    path = home.dagster / "built.json"
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (add_file, "1 file in the inbox"),
        (close_segment, "1 segment of the collector"),
        (abandon_segment, "1 segment of the collector"),
        (change_settings, "tributary.yaml changed"),
        (import_file, "the warehouse changed"),
        (edit_a_row, "the warehouse changed"),
        (record_a_pull, "the warehouse changed"),
        (leave_a_log, "the warehouse changed"),
        (change_the_archive, "the warehouse changed"),
        (delete_the_marts, "published files are missing or changed"),
        (delete_the_file_of_an_org, "published files are missing or changed"),
        (change_a_parquet_file, "published files are missing or changed"),
        (delete_the_record, "no whole run is on record"),
        (damage_the_record, "no whole run is on record"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_change_is_a_reason_to_build(home, change: Callable[[Home], None], reason: str):
    assert reasons(home, BUILD) == []
    change(home)
    assert reasons(home, BUILD) == [reason]


def test_a_replay_is_a_reason_to_build(home):
    file = home.root / "demo.csv"
    file.write_text(EVENTS.replace("PAGE_VIEW", "DEMO_BOOKED"))
    tributary(home.root, "import", "events", file)
    home.settings.write_text(home.settings.read_text() + "\nevent_types: [{type: DEMO_BOOKED}]\n")
    record_run(home, BUILD, Beginning(home), loaded=True, version=None)
    assert reasons(home, BUILD) == []
    assert "1 loaded" in tributary(home.root, "replay", "failed", "--reason", "unknown_type").stdout
    assert reasons(home, BUILD) == ["the warehouse changed"]


def test_a_segment_that_is_being_written_is_no_reason_yet(home):
    with (home.landing / "20260701T000000000Z-1-aaaa.open").open("w") as segment:
        fcntl.flock(segment, fcntl.LOCK_EX)
        segment.write("{}\n")
        segment.flush()
        assert reasons(home, BUILD) == []
    assert reasons(home, BUILD) == ["1 segment of the collector"]


@pytest.fixture
def project(tmp_path, monkeypatch) -> Iterator[Path]:
    """A copy of the code that the fingerprints read."""
    folder = tmp_path / "code"
    for name in ("attribution", "dbt_project", "ingestion", "orchestration", "serving"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("target", "__pycache__"))
    monkeypatch.setattr(fingerprint, "PACKAGES", folder)
    monkeypatch.setattr(fingerprint, "DBT_FOLDER", folder / "dbt_project")
    return folder


@pytest.mark.parametrize(
    "changed",
    [
        "dbt_project/models/marts/touches/touchpoints.sql",
        "dbt_project/seeds/channel_rules.csv",
        "dbt_project/dbt_project.yml",
        "attribution/markov.py",
        "ingestion/user_agents.py",
        "ingestion/migrations/0009_later.sql",
        "serving/publishing/publish.py",
    ],
)
def test_changed_code_rules_and_migrations_are_reasons_to_build(home, project, changed):
    assert reasons(home, BUILD) == []
    with (project / changed).open("a") as file:
        file.write("\n")
    assert reasons(home, BUILD) == ["the code or an installed package changed"]


def test_an_upgraded_package_is_a_reason_to_build(home, monkeypatch):
    monkeypatch.setattr(fingerprint, "_versions", lambda: [b"duckdb-9.0.0.dist-info"])
    assert reasons(home, BUILD) == ["the code or an installed package changed"]


def test_a_new_day_is_a_reason_only_if_settings_or_models_read_the_clock(home, project):
    now = datetime(2026, 11, 20, 23, tzinfo=UTC)
    tomorrow = now + timedelta(days=1)
    assert fingerprint.clock(home, now) == fingerprint.clock(home, tomorrow)
    settings = home.settings.read_text()
    home.settings.write_text(settings + "\ncollector: {keep_raw_days: 30}\n")
    assert fingerprint.clock(home, now) != fingerprint.clock(home, tomorrow)
    assert fingerprint.clock(home, now) == fingerprint.clock(home, now - timedelta(hours=1))
    home.settings.write_text(settings)
    model = project / "dbt_project/models/marts/touches/touchpoints.sql"
    sql = model.read_text()
    model.write_text(f"{sql}\n-- select CURRENT_DATE")
    assert fingerprint.clock(home, now) != fingerprint.clock(home, tomorrow)
    for moment in ("now()", "{{ dbt.current_timestamp() }}", "{{ run_started_at }}"):
        model.write_text(f"{sql}\n-- {moment}")
        assert fingerprint.clock(home, now) != fingerprint.clock(home, now + timedelta(seconds=1)), moment


def test_a_change_during_a_run_is_not_covered_by_its_record(home):
    beginning = Beginning(home)
    assert beginning.is_recorded
    (home.dagster / "built.json").unlink()
    record_run(home, BUILD, beginning, loaded=False, version=None)
    assert changes.read(home) is not None
    (home.dagster / "built.json").unlink()
    change_settings(home)
    record_run(home, BUILD, beginning, loaded=False, version=None)
    assert changes.read(home) is None


def test_runs_that_did_not_build_everything_are_followed_by_a_build_that_no_file_stops(home):
    tributary(home.root, "run", "--select", "key:published")
    assert version(home) == 2
    assert reasons(home, BUILD) == ["published files are missing or changed"]
    tributary(home.root, "run", "--select", 'key:"intermediate/int_touchpoints"')
    assert reasons(home, BUILD) == ["the warehouse changed", "published files are missing or changed"]
    with connect(home) as connection:
        connection.execute("update marts.rollup_spend set spend_micros = spend_micros + 1")
    tributary(home.root, "run", "--select", "key:published", code=1)
    assert "the warehouse changed" in reasons(home, BUILD)

    folder = home.inbox / "spend"
    spend = "date,platform,account_id,campaign_id,currency,spend\n2026-07-03,google,inbox,c1,USD,7.25\n"
    (folder / "good.csv").write_text(spend)
    (folder / "broken.csv").write_bytes(b"PAR1 \xc3\x28 broken")
    land_damaged = home.landing / "20260701T000000000Z-1-00000001.ndjson"
    land_damaged.write_bytes(as_line(Receipt("unheard-of", "2026-07-01T00:00:00.000000Z", "default", received=1)))
    done = tributary(home.root, "run", code=1)  # two files fail, and the rest is built
    assert "built int_touchpoints in" in done.stdout
    assert not re.search(r"built (channels|stg_raw__events|touchpoints) in", done.stdout), (
        "seeds and views are the same"
    )
    with open_instance(home) as instance:
        (last,) = instance.get_run_records(limit=1)
        for view in (["staging", "stg_raw__events"], ["marts", "touchpoints"]):
            event = instance.get_latest_materialization_event(dg.AssetKey(view))
            assert event.run_id == last.dagster_run.run_id
            assert event.asset_materialization.metadata["dagster/column_lineage"].value.deps_by_column
        checks = instance.event_log_storage.get_latest_asset_check_execution_by_key(
            [
                dg.AssetCheckKey(dg.AssetKey(["seeds", "channels"]), f"{test}_channels_channel")
                for test in ("unique", "not_null")
            ]
        )
        assert [check.status for check in checks.values()] == [AssetCheckExecutionRecordStatus.SUCCEEDED] * 2
        assert {check.run_id for check in checks.values()} == {last.dagster_run.run_id}
    assert "2 files could not be loaded" in done.stderr
    assert f"{folder}/broken.csv: not a readable Parquet file" in done.stderr
    assert f"{land_damaged}: this version does not know rows of kind unheard-of" in done.stderr
    with published(home.root) as marts:
        spent = "select sum(spend_micros) from rollup_spend where campaign_id = 'c1' and grain = 'CAMPAIGN'"
        assert marts.execute(spent).fetchone() == (7_250_000,)
    assert version(home) == 3
    assert [path.name for path in folder.iterdir()] == ["broken.csv"]

    assert reasons(home, LAND) == reasons(home, BUILD) == []  # no tick builds everything again for them
    done = tributary(home.root, "run", code=1)
    assert "Nothing new since version 3" in done.stdout
    assert "broken.csv" in done.stderr
    assert "broken.csv" in "".join(tributary(home.root, "status").stdout.split())
    (folder / "broken.csv").write_text(spend)
    assert reasons(home, BUILD) == ["1 file in the inbox"]


def test_a_build_after_a_failed_one_makes_seeds_and_views_again(home, built):
    """The failed one can be of other code, and has replaced some of them."""
    in_warehouse(home, "create or replace view staging.stg_raw__events as select 1 as unexpected")
    assert "int_event_duplicates" in tributary(home.root, "run", code=1).stderr
    output = tributary(home.root, "run").stdout
    assert all(f"built {name} in" in output for name in ("channels", "stg_raw__events", "touchpoints"))
    assert differences(home.root, built) == {}


def test_scheduled_jobs_skip_their_ticks_until_something_is_new(home):
    from orchestration.schedules import schedules

    def ticks() -> dict[str, str | None]:
        """Return the reason to skip by job; None for a run."""
        with dg.instance_for_test() as instance:
            context = dg.build_schedule_context(instance=instance, scheduled_execution_time=datetime.now(UTC))
            return {schedule.job_name: schedule.evaluate_tick(context).skip_message for schedule in schedules}

    skipped = ticks()
    assert set(skipped) == {LAND, BUILD, "nightly_duplicates"}
    assert {str(message)[:29] for message in skipped.values()} == {"Nothing new since version 1 o"}
    add_file(home)
    assert ticks() == dict.fromkeys(skipped)
    with (home.lock).open("a+") as lock:  # a build that runs now: the next waits for it
        (home.inbox / "events" / "new.csv").unlink()
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert ticks() == dict.fromkeys(skipped)


@pytest.mark.parametrize("job", [LAND, BUILD])
def test_a_run_that_takes_longer_than_its_tick_is_followed_by_one_other(new_home, monkeypatch, job):
    """The first run holds the lock, the second waits. Further ticks are skipped, unless the waiting process is dead."""
    from orchestration.instance import PID
    from orchestration.schedules import schedules

    home = Home(new_home("ticks"))
    monkeypatch.setenv("TRIBUTARY_HOME", str(home.root))
    (land,) = [schedule for schedule in schedules if schedule.job_name == LAND]

    def start(instance: dg.DagsterInstance, pid: int) -> dg.DagsterRun:
        started = dg.DagsterRunStatus.STARTED
        return create_run_for_test(instance, job_name=job, status=started, tags={PID: str(pid)})

    with dg.instance_for_test() as instance:
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=datetime.now(UTC))
        first = start(instance, os.getpid())
        with build_lock(home, f"run {first.run_id[:8]}"):
            assert land.evaluate_tick(context).skip_message is None
            second = start(instance, os.getpid())
            for _ in range(3):
                message = land.evaluate_tick(context).skip_message
                assert message == f"run {second.run_id[:8]} waits already, and will load everything that is new"
            instance.report_run_failed(second)
            dead = subprocess.Popen(["true"])
            dead.wait()
            third = start(instance, dead.pid)  # its process died with the server
            assert land.evaluate_tick(context).skip_message is None
            assert instance.get_run_by_id(third.run_id).status == dg.DagsterRunStatus.FAILURE


def test_a_job_that_builds_a_part_covers_itself_only(home, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", os.environ.get("DAGSTER_HOME", ""))
    from orchestration.definitions import defs
    from orchestration.instance import open_instance

    add_file(home)
    with open_instance(home) as instance:
        assert defs.resolve_job_def(LAND).execute_in_process(instance=instance).success
    assert reasons(home, LAND) == []
    assert reasons(home, BUILD) == ["the last run built only a part"]
