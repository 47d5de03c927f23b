"""Check the graph that Dagster's server loads; then start the real server and let it run everything, twice at once."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pytest
from dagster._core.definitions.metadata import normalize_metadata
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from playwright.sync_api import sync_playwright

from ingestion.home import Home
from ingestion.warehouse import connect
from orchestration.plots import INLINE
from tests.support.home import CHROMIUM, COMMAND, copy_home, needs_chromium, published, tributary
from tests.support.waiting import wait_until

DUPLICATES = dg.AssetCheckKey(dg.AssetKey(["staging", "stg_raw__loads"]), "assert_duplicate_rate_below_limit")
REPEATED = dg.AssetCheckKey(
    dg.AssetKey(["intermediate", "int_event_duplicates"]), "assert_event_duplicates_below_limit"
)
VOLUME = dg.AssetCheckKey(dg.AssetKey(["staging", "stg_raw__events"]), "assert_no_volume_drop")
EVALUATED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}
PROMISES = {
    "assert_everything_adds_up",
    "assert_everything_explains_itself",
    "assert_nothing_lost_or_counted_twice",
}


@pytest.fixture(scope="module")
def home(built, tmp_path_factory) -> Iterator[Path]:
    """A built home that this process uses as a server does."""
    copy = copy_home(built, tmp_path_factory.mktemp("dagster"))
    before = dict(os.environ)
    os.environ["TRIBUTARY_HOME"] = str(copy)
    from orchestration.project import set_environment

    set_environment(Home.from_environment())
    os.environ["DAGSTER_HOME"] = str(copy / "dagster")
    yield copy
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def defs(home) -> dg.Definitions:
    from orchestration.definitions import defs

    return defs


@pytest.fixture
def instance(home) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as instance:
        yield instance


def in_warehouse(home: Path, sql: str) -> None:
    with connect(Home(home)) as connection:
        connection.execute(sql)


def test_every_asset_has_a_description_an_owner_and_a_group(defs):
    groups = set()
    for key, spec in ((spec.key, spec) for spec in defs.resolve_all_asset_specs()):
        assert spec.description, f"{key} has no description"
        assert spec.kinds, f"{key} has no kinds"
        assert spec.owners, f"{key} has no owners"
        groups.add(spec.group_name)
        if key.path[0] in ("marts", "published"):
            assert spec.freshness_policy, f"{key} has no freshness policy"
    subjects = {"web", "identity", "touches", "conversions", "attribution", "spend", "waste", "quality"}
    assert groups == {"raw", "rules", "published"} | subjects  # no platform is connected


def test_the_ui_can_show_all_metadata_of_an_asset(defs):
    """Dagster's UI shows `(unserializable)` for an object. It hides the two of dagster-dbt that it needs itself."""
    shown = {
        label: value
        for spec in defs.resolve_all_asset_specs()
        for label, value in spec.metadata.items()
        if label not in ("dagster_dbt/manifest", "dagster_dbt/dagster_dbt_translator")
    }
    normal = normalize_metadata(shown, allow_invalid=True)
    assert not [label for label, value in normal.items() if "unserializable" in str(value.value)]


def test_every_job_schedule_and_sensor_has_a_description_of_its_own(defs):
    described = [*defs.jobs, *defs.schedules, *defs.sensors]
    for each in described:
        assert each.description, f"{each.name} has no description"
    of_schedules = [schedule.description for schedule in defs.schedules]
    assert len(set(of_schedules)) == len(of_schedules)


def test_every_check_has_a_description(defs):
    graph = defs.resolve_asset_graph()
    assert not [key for key in graph.asset_check_keys if not graph.get_check_spec(key).description]


def test_schedules_have_their_cron_expressions_in_utc(defs):
    found = {schedule.job_name: schedule for schedule in defs.schedules if "pull" not in schedule.name}
    assert {name: schedule.cron_schedule for name, schedule in found.items()} == {
        "build": "0 * * * *",
        "land": "15,30,45 * * * *",
        "nightly_duplicates": "0 2 * * *",
    }
    assert {schedule.execution_timezone for schedule in found.values()} == {"UTC"}


def test_each_job_selects_its_assets(defs):
    graph = defs.resolve_asset_graph()
    keys = {job.name: set(defs.resolve_job_def(job.name).asset_layer.selected_asset_keys) for job in defs.jobs}
    pulls = dg.AssetSelection.groups("pulls").resolve(graph)
    everything = graph.get_all_asset_keys() - graph.external_asset_keys - pulls
    touchpoints = dg.AssetSelection.assets(["marts", "touchpoints"]).upstream().resolve(graph)
    assert keys["build"] == everything
    assert keys["land"] == touchpoints - graph.external_asset_keys - pulls
    assert dg.AssetKey("published") not in keys["land"]
    assert keys["nightly_duplicates"] == {VOLUME.asset_key, REPEATED.asset_key}
    promises = [key for key in graph.asset_check_keys if key.name in PROMISES]
    assert len(promises) == 3
    assert all(graph.get(key).blocking for key in promises)


def test_the_sensor_requests_one_run_for_each_set_of_files(defs, home, instance):
    from orchestration.sensors import inbox

    def look(cursor: str | None = None) -> tuple[object, str | None]:
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        return inbox(context), context.cursor

    found, cursor = look()
    assert isinstance(found, dg.SkipReason)
    file = home / "inbox/events/new.csv"
    (home / "inbox/events/.unfinished.csv").write_text("id")
    assert isinstance(look(cursor)[0], dg.SkipReason)
    file.write_text("event_id,site_id,type,occurred_at,anon_id\n")
    assert isinstance(look(cursor)[0], dg.SkipReason)  # still being written, perhaps
    os.utime(file, (1, 1))
    found, cursor = look(cursor)
    assert isinstance(found, dg.RunRequest)
    assert isinstance(look(cursor)[0], dg.SkipReason)
    file.write_text(file.read_text() + "new1,shop,PAGE_VIEW,2026-07-01T00:00:00Z,v1\n")
    os.utime(file, (2, 2))
    found, cursor = look(cursor)
    assert isinstance(found, dg.RunRequest)
    file.unlink()
    assert isinstance(look(cursor)[0], dg.SkipReason)


def test_assets_have_row_counts_column_lineage_previews_and_a_plot(defs, home, instance):
    """The metadata comes from the run that built this home."""
    with published(home) as connection:
        counted = ("touchpoints", "conversions", "rollup_spend", "rollup_credit", "channel_credit", "waste_flags")
        for mart in (*counted, "daily_rollups"):  # the last is a view: to count its rows would be to run it
            metadata = materialized(instance, "marts", mart)
            (rows,) = connection.execute(f"select count(*) from {mart}").fetchone()
            assert mart not in counted or metadata["dagster/row_count"].value == rows
            lineage = metadata["dagster/column_lineage"].value.deps_by_column
            columns = {name for name, *_ in connection.execute(f"describe {mart}").fetchall()}
            assert set(lineage) == columns
    lineage = materialized(instance, "marts", "conversions")["dagster/column_lineage"].value.deps_by_column
    defined = dg.AssetKey(["intermediate", "int_defined_conversions"])
    assert lineage["value_micros"] == [dg.TableColumnDep(defined, "value_micros")]
    counted = dg.AssetKey(["intermediate", "int_counted_conversions"])
    lineage = materialized(instance, *counted.path)["dagster/column_lineage"].value.deps_by_column
    assert lineage["value_micros"] == [
        dg.TableColumnDep(dg.AssetKey(["intermediate", "int_conversions"]), "value_micros"),
        dg.TableColumnDep(dg.AssetKey(["intermediate", "int_refunds"]), "refunded_micros"),
    ]
    rollups = materialized(instance, "marts", "daily_rollups")
    for org, currency in {"nordlicht": "EUR", "northwind": "USD"}.items():
        plot = rollups[f"value and spend of {org} by day ({currency})"].value
        assert len(plot) < INLINE
        assert base64.b64decode(plot.split("base64,")[1][:-1]).count(b"<path") == 2
    for mart in ("model_comparison", "conversion_paths"):
        assert isinstance(materialized(instance, "marts", mart)["preview"], dg.TableMetadataValue)
    assert materialized(instance, "marts", "waste_flags")["preview"].value == "no rows yet"
    assert materialized(instance, "raw", "events")["loaded"].value == 3030
    assert "marts.duckdb" in materialized(instance, "published")["path"].value


def test_runs_of_the_command_line_appear_under_their_job(instance):
    """The page of a job lists the runs with the label of its repository."""
    label = {".dagster/repository": "__repository__@orchestration.definitions"}
    assert instance.get_runs(dg.RunsFilter(job_name="build", tags=label | {"tributary/started_by": "command line"}))


def materialized(instance: dg.DagsterInstance, *key: str) -> dict:
    event = instance.get_latest_materialization_event(dg.AssetKey(key))
    assert event, f"{key} was never materialized"
    return event.asset_materialization.metadata


def evaluations(
    defs: dg.Definitions, instance: dg.DagsterInstance, job: str | dg.AssetCheckKey
) -> dict[dg.AssetCheckKey, dg.AssetCheckEvaluation]:
    """Run a job, or one check alone, and return the evaluations of its checks."""
    if isinstance(job, str):
        definition = defs.resolve_job_def(job)
    else:
        definition = defs.resolve_implicit_global_asset_job_def().get_subset(asset_check_selection={job})
    result = definition.execute_in_process(instance=instance, raise_on_error=False)
    assert result.success  # a warning stops nothing
    rebuilt = {event.asset_key for event in result.get_asset_materialization_events()}
    assert rebuilt == ({VOLUME.asset_key, REPEATED.asset_key} if job == "nightly_duplicates" else set())
    return {evaluation.asset_check_key: evaluation for evaluation in result.get_asset_check_evaluations()}


def latest_evaluation(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> dg.AssetCheckEvaluation:
    """Return the result of the last run that evaluated a check, not only planned it."""
    (record,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1, status=EVALUATED)
    return record.evaluation


def table_times(home: Path) -> list[tuple]:
    """Return the tables and their ids, which change when a table is rebuilt; the nightly job rebuilds one of them."""
    with connect(Home(home)) as connection:
        return connection.execute(
            "select table_oid, table_name from duckdb_tables() where table_name <> ? order by all",
            [REPEATED.asset_key.path[-1]],
        ).fetchall()


def test_the_nightly_job_warns_of_duplicate_rows_and_of_repeated_events(defs, home, instance):
    assert latest_evaluation(instance, REPEATED).passed
    assert latest_evaluation(instance, DUPLICATES).passed
    load = """
        insert into raw.loads by name
        select 'many' as load_id, 'events' as kind, 'x.csv' as source, max(loaded_at) as loaded_at,
            90000 as received_rows, {} as loaded_rows, {} as duplicate_rows, 0 as failed_rows, 0 as replaced_rows
        from raw.loads
    """
    tables_before = table_times(home)
    in_warehouse(home, load.format(82_000, 8_000))  # below a tenth
    in_warehouse(
        home,
        """
        insert into raw.events by name
        select 'northwind' as org_id, 'twice' as site_id, 'twice' || n as event_id, 'CUSTOM' as type,
            timestamp '2026-08-01' as occurred_at, 'v' as anon_id, false as has_own_id,
            '' as _content_hash, 'twice' as _load_id, timestamp '2026-09-01' as _loaded_at
        from range(0, 2) as numbers (n)
    """,
    )
    found = evaluations(defs, instance, "nightly_duplicates")
    assert found[DUPLICATES].passed
    assert not found[REPEATED].passed
    in_warehouse(home, "delete from raw.events where _load_id = 'twice'")
    in_warehouse(home, load.format(70_000, 20_000))
    found = evaluations(defs, instance, "nightly_duplicates")
    assert found[REPEATED].passed
    assert not found[DUPLICATES].passed
    assert found[DUPLICATES].severity == dg.AssetCheckSeverity.WARN
    in_warehouse(home, "delete from raw.loads where load_id = 'many'")
    assert table_times(home) == tables_before


def test_a_drop_in_volume_warns(defs, home, instance):
    assert latest_evaluation(instance, VOLUME).passed
    in_warehouse(
        home,
        """
        insert into raw.events by name
        select 'northwind' as org_id, 'quiet' as site_id, 'q' || day || '-' || n as event_id, 'CUSTOM' as type,
            timestamp '2026-08-01 12:00:00' + to_days(day::integer) as occurred_at, 'v' as anon_id,
            '' as _content_hash, 'quiet' as _load_id, timestamp '2026-09-01' as _loaded_at
        from range(0, 30) as days (day), range(0, 200) as numbers (n)
        where day < 28 or n < 20  -- the last two days have a tenth of the days before
    """,
    )
    evaluation = evaluations(defs, instance, VOLUME)[VOLUME]
    in_warehouse(home, "delete from raw.events where _load_id = 'quiet'")
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.WARN


def test_a_broken_contract_stops_the_run_before_publishing(built, tmp_path):
    """A raw table holds a row of spend twice, which no import does."""
    home = copy_home(built, tmp_path)
    before = (home / "published/marts.duckdb").read_bytes()
    in_warehouse(home, "insert into raw.ad_spend from raw.ad_spend limit 1")
    done = tributary(home, "run", code=1)
    assert "The last published version stays in place." in done.stderr
    assert "stg_raw__ad_spend_key_is_unique: 1 row. The first: org_id n" in done.stderr
    assert "\x1b[" not in done.stderr  # dbt's colours
    assert "Traceback" not in done.stdout + done.stderr
    assert (home / "published/marts.duckdb").read_bytes() == before


class Server(NamedTuple):
    home: Path
    url: str  # of Dagster's GraphQL
    collector: str
    dashboard: str


@pytest.fixture(scope="module")
def server(built, tmp_path_factory) -> Iterator[Server]:
    """Run `tributary dev` on free ports; stop it afterwards and check that no process is left."""
    home = copy_home(built, tmp_path_factory.mktemp("server"))
    port, collector_port, dashboard_port = free_ports(3)
    log = home / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [
                COMMAND,
                "dev",
                f"--port={port}",
                f"--collector-port={collector_port}",
                f"--dashboard-port={dashboard_port}",
            ],
            env=os.environ | {"TRIBUTARY_HOME": str(home)},
            stdout=out,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches it, even where the tests run in the background and have it ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
    url = f"http://127.0.0.1:{port}/graphql"
    try:

        def is_ready() -> bool:
            assert process.poll() is None, log.read_text()
            return answers(url)

        wait_until(is_ready, "Dagster's server answers")
        yield Server(home, url, f"http://127.0.0.1:{collector_port}", f"http://127.0.0.1:{dashboard_port}")
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
    assert code == 0
    last_words = log.read_text().partition("Stopping everything.")
    assert last_words[1]
    assert "Traceback" not in last_words[2]
    wait_until(lambda: not processes_of(home), "the server has left no process", seconds=30)


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def processes_of(home: Path) -> list[str]:
    """Return the command line of every process that works on a home folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"TRIBUTARY_HOME={home}\0" in (folder / "environ").read_text(errors="replace") + "\0":
                found.append((folder / "cmdline").read_text().replace("\0", " ").strip())
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue
    return [command for command in found if command]


def answers(url: str) -> bool:
    try:
        return bool(
            ask(url, "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }")[
                "repositoriesOrError"
            ].get("nodes")
        )
    except OSError:
        return False


def ask(url: str, query: str, **variables: object) -> dict:
    request = urllib.request.Request(
        url, json.dumps({"query": query, "variables": variables}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        content = json.load(answer)
    assert "errors" not in content, content["errors"]
    return content["data"]


def materialize_all(url: str) -> str:
    """Do the same as the button of the UI, and return the run's id."""
    nodes = ask(url, "{ assetNodes { assetKey { path } isMaterializable } }")["assetNodes"]
    launched = ask(
        url,
        """
        mutation ($parameters: ExecutionParams!) {
            launchPipelineExecution(executionParams: $parameters) {
                __typename
                ... on LaunchRunSuccess { run { runId } }
                ... on PythonError { message }
            }
        }
        """,
        parameters={
            "mode": "default",
            "runConfigData": {},
            "selector": {
                "repositoryLocationName": "orchestration.definitions",
                "repositoryName": "__repository__",
                "pipelineName": "__ASSET_JOB",
                "assetSelection": [node["assetKey"] for node in nodes if node["isMaterializable"]],
            },
        },
    )["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return launched["run"]["runId"]


FINAL = ("SUCCESS", "FAILURE", "CANCELED")


def final_status(url: str, run: str) -> str:
    query = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
    found = ""

    def is_final() -> bool:
        nonlocal found
        found = ask(url, query, id=run)["runOrError"]["status"]
        return found in FINAL

    wait_until(is_final, f"run {run} has ended", seconds=400)
    return found


def hourly_builds(url: str) -> int:
    """Wait until no scheduled build runs, and count those that succeeded. A test can go on past a full hour."""
    query = 'query { runsOrError(filter: {pipelineName: "build"}) { ... on Runs { results { runId } } } }'
    runs = [run["runId"] for run in ask(url, query)["runsOrError"]["results"]]
    return sum(final_status(url, run) == "SUCCESS" for run in runs)


class Outcome(NamedTuple):
    """The statuses of a run that was killed and of two that started beside it; the versions that these published."""

    killed: str
    others: list[str]
    versions: int


@pytest.fixture(scope="module")
def outcome(server) -> Outcome:
    """Click through the demo page, start a run, start two more beside it and kill the first."""
    home, url = server.home, server.url
    if CHROMIUM:
        buy_in_the_demo_page(server)
    builds, before = hourly_builds(url), version(home)
    killed = materialize_all(url)
    lock = home / "build.lock"
    wait_until(lambda: killed[:8] in lock.read_text(), "the run holds the build lock")
    holder = json.loads(lock.read_text())["pid"]
    others = [materialize_all(url), materialize_all(url)]
    os.kill(holder, signal.SIGKILL)
    statuses = [final_status(url, run) for run in others]
    builds = hourly_builds(url) - builds
    return Outcome(final_status(url, killed), statuses, version(home) - before - builds)


def version(home: Path) -> int:
    with published(home) as connection:
        return connection.execute("select version from meta").fetchone()[0]


def buy_in_the_demo_page(server: Server) -> None:
    """Arrive by e-mail and order; return when the collector has closed a segment."""
    with sync_playwright() as playwright:
        # The browser hides that it is automated, because the marts leave out bots.
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-blink-features=AutomationControlled"]
        )
        page = browser.new_context(user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0").new_page()
        page.goto(f"{server.collector}/demo")
        page.get_by_role("button", name="Arrive by e-mail").click()
        page.get_by_role("button", name="Order for").click()
        wait_until(lambda: order_has_landed(server.home), "a closed segment holds the order")
        browser.close()


def order_has_landed(home: Path) -> bool:
    """Whether a closed segment holds an order, or a scheduled run has already loaded and archived a segment."""
    closed = any("CONVERSION" in segment.read_text() for segment in (home / "landing").glob("*.ndjson"))
    return closed or any((home / "archive" / "landed").rglob("*.parquet"))


def test_two_runs_at_once_succeed_after_a_killed_run(server, outcome):
    assert outcome == Outcome(killed="FAILURE", others=["SUCCESS", "SUCCESS"], versions=2)


def test_the_dashboard_runs_beside_dagster(server, outcome):
    with urllib.request.urlopen(f"{server.dashboard}/api/status", timeout=30) as response:
        versions = {org["version"] for org in json.load(response)["orgs"]}
    assert versions == {version(server.home)}


def test_the_definitions_load_in_the_server(server):
    found = ask(
        server.url,
        """
        {
            workspaceOrError {
                ... on Workspace { locationEntries { name loadStatus locationOrLoadError { __typename } } }
            }
        }
        """,
    )
    (location,) = found["workspaceOrError"]["locationEntries"]
    assert location == {
        "name": "orchestration.definitions",
        "loadStatus": "LOADED",
        "locationOrLoadError": {"__typename": "RepositoryLocation"},
    }


def test_the_server_starts_every_schedule_that_is_needed(server):
    schedules = ask(
        server.url,
        """
        query ($repository: RepositorySelector!) {
            schedulesOrError(repositorySelector: $repository) {
                ... on Schedules { results { name scheduleState { status } } }
            }
        }
        """,
        repository={"repositoryLocationName": "orchestration.definitions", "repositoryName": "__repository__"},
    )
    stopped = {s["name"] for s in schedules["schedulesOrError"]["results"] if s["scheduleState"]["status"] != "RUNNING"}
    assert not stopped


@needs_chromium
def test_a_click_in_the_demo_page_is_a_row_in_the_marts(server, outcome):
    with published(server.home) as marts:
        found = marts.execute(
            """
            select channel, campaign, count(distinct conversion_id), sum(weight)::int
            from attribution_links
            join touchpoints using (org_id, touchpoint_id)
            join conversions using (org_id, conversion_id)
            where landing_url like '%/demo%' and attribution_model = 'last_touch' group by all
            """
        ).fetchall()
    assert found == [("Email", "demo", 1, 1)]
