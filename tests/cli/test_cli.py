"""The command as a person meets it: examples, exit codes, sentences instead of traces, lines that fit a terminal."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from itertools import chain
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from cli import app as cli
from cli.usage import TASKS
from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.warehouse import build_lock
from tests.support.home import COMMAND, published, tributary

OK, FAILED, WRONG_INPUT, STRICT = 0, 1, 2, 3
EVENTS = "event_id,site_id,type,occurred_at,anon_id\ne1,shop,PAGE_VIEW,2026-07-01T00:00:00Z,v1\n"


@pytest.fixture(scope="module")
def home(built, tmp_path_factory) -> Path:
    copy = tmp_path_factory.mktemp("cli") / "home"
    shutil.copytree(built, copy, symlinks=True)
    return copy


@pytest.fixture
def here(home, monkeypatch):
    """The command inside this process, which answers at once: (exit code, what was output)."""
    monkeypatch.setenv("TRIBUTARY_HOME", str(home))

    def call(*arguments: object, code: int = OK) -> str:
        done = CliRunner().invoke(cli.app, list(map(str, arguments)))
        assert done.exit_code == code, f"{arguments}: {done.output}\n{done.exception!r}"
        assert "Traceback" not in done.output
        return done.output

    return call


def commands(group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name, command in getattr(group, "commands", {}).items():
        if command.hidden:
            continue
        found += [(*path, name), *commands(command, (*path, name))]
    return found


def test_every_command_shows_an_example_with_names_of_the_demo(here, home):
    import typer

    settings = load_settings(Home(home))
    names = {"--org": {org.id for org in settings.orgs}, "--site": {site.id for site in settings.sites}}
    names |= {"snippet": names["--site"], "--account": {account.account_id for account in settings.ad_accounts}}
    known = commands(typer.main.get_command(cli.app))
    assert len(known) >= 14
    for command in [(), *known]:
        output = here(*command, "--help")
        assert "Example" in output, f"tributary {' '.join(command)} --help shows no example"
        assert f"tributary {' '.join(command)}".strip() in output.split("Example", 1)[1], command
        assert max(map(len, output.splitlines())) <= 80
        example = output.split("Example", 1)[1].partition("╭")[0]
        for name, value in re.findall(r"(--org|--site|--account|snippet) ([\w-]+)", example):
            assert value in names[name], f"{command}: {name} {value}"


def test_help_lists_every_command_under_its_task(here):
    """A new command names its task in cli/usage.py. Commands without one would be listed last."""
    import typer

    root = typer.main.get_command(cli.app)
    without = {name for name, command in root.commands.items() if not command.hidden} - {*chain(*TASKS.values())}
    assert not without
    output = here("--help")
    places = [output.index(f"─ {task} ─") for task in TASKS]
    assert places == sorted(places)
    assert re.match(r"tributary \d+\.\d+\.\d+ \(duckdb \d", here("--version"))


def test_debug_shows_the_trace(home, built, tmp_path):
    done = tributary(home, "--debug", "explain", "conversion", "nobody-knows", code=1)
    assert "Traceback" in done.stderr
    assert "NotFound" in done.stderr


def test_strict_exits_with_3_and_keeps_the_good_rows(here, tmp_path):
    file = tmp_path / "mixed.csv"
    file.write_text(EVENTS.replace("e1", "mixed1") + "mixed2,shop,PAGE_VIEW,yesterday,v1\n")
    output = here("import", "events", file, "--strict", code=STRICT)
    assert "2 received = 1 loaded + 0 duplicate + 1 failed" in output
    assert "1 failed: " in output
    output = here("import", "events", file)
    assert "2 received = 0 loaded + 1 duplicate + 1 failed" in output or "2 duplicate" in output


def test_nothing_published_yet_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path))
    commands = ["query", "select 1"], ["query", "--raw", "select 1"], ["publish"], ["explain", "conversion", "1"]
    for arguments in [*commands, ["explain", "waste", "1"]]:
        done = CliRunner().invoke(cli.app, arguments)
        assert done.exit_code == WRONG_INPUT
        assert "tributary run" in done.output
    done = CliRunner().invoke(cli.app, ["status"])
    assert done.exit_code == OK
    assert "Nothing is loaded" in done.output
    assert "tributary simulate" in done.output
    assert (tmp_path / "tributary.yaml").exists()


def test_text_stays_as_it_is(here):
    sql = "select 'c:email:233ab' as person_key, 1 as \"[red]:key:\""
    output = here("query", sql)
    assert "c:email:233ab" in output
    assert "[red]:key:" in output


def test_rows_too_wide_for_a_table_are_shown_a_value_a_line(here):
    wide = ", ".join(f"{n} as column_number_{n}" for n in range(12))
    output = CliRunner().invoke(cli.app, ["query", f"select {wide} union all select {wide}"]).output
    assert output.count("column_number_7   7") == 2
    assert max(map(len, output.splitlines())) <= 80
    narrow = CliRunner().invoke(cli.app, ["query", "select 1 as one, 2 as two"]).output
    assert narrow.splitlines()[0].split() == ["one", "two"]


def test_a_query_reads_the_published_file_and_nothing_else(here, home, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    before = (home / "published/marts.duckdb").read_bytes()
    for sql in [
        "delete from conversions",
        "create table mine as select 1",
        "update meta set version = 9",
        f"from read_csv('{secret}')",
        f"from '{secret}'",
        f"select * from read_text('{secret}')",
        f"copy conversions to '{tmp_path}/out.csv'",
        f"attach '{home}/warehouse.duckdb' as warehouse",
        f"attach '{tmp_path}/other.duckdb' as other",
        f"export database '{tmp_path}/exported'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        f"select 1; copy conversions to '{tmp_path}/out.csv'",
    ]:
        here("query", sql, code=WRONG_INPUT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.csv"]
    assert (home / "published/marts.duckdb").read_bytes() == before


def test_a_raw_query_reads_the_warehouse_and_nothing_else(here, home, tmp_path):
    assert here("query", "--raw", "--csv", "select count(*) > 0 as found from raw.all_events") == "found\nTrue\n"
    for sql in [
        "delete from raw.orgs",
        f"copy raw.orgs to '{home}/archive/events/orgs.csv'",
        f"from read_text('{home}/tributary.yaml')",
        f"attach '{tmp_path}/other.duckdb' as other",
        "set enable_external_access = true",
    ]:
        here("query", "--raw", sql, code=WRONG_INPUT)
    assert not (home / "archive/events/orgs.csv").exists()


def test_a_raw_query_waits_for_a_run_and_names_it(home):
    command = [COMMAND, "query", "--raw", "--csv", "select 1 as one"]
    environment = os.environ | {"TRIBUTARY_HOME": str(home)}
    with build_lock(Home(home), "run 1"):
        waiting = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert waiting.stderr.readline().startswith(f"waiting for run 1 (process {os.getpid()}")
    assert waiting.communicate()[0] == "one\n1\n"


def test_query_as_csv_is_all_rows_and_only_rows(here, home):
    output = here("query", "--csv", "select org_id, conversion_id, value_micros from conversions order by all")
    with published(home) as connection:
        rows = connection.execute("select org_id, conversion_id, value_micros from conversions order by all").fetchall()
    assert output.splitlines() == ["org_id,conversion_id,value_micros", *(",".join(map(str, row)) for row in rows)]
    assert "the first 2 rows" in here("query", "from daily_rollups", "--limit", 2)
    assert here("query", "select 'a,b' as x, null as y", "--csv") == 'x,y\n"a,b",\n'
    assert here("query", "select 1234.500000::decimal(19, 6) as spend").splitlines()[1] == "1,234.5"


def test_mistakes_in_the_settings_name_file_and_line_and_change_nothing(built, tmp_path, monkeypatch):
    home = tmp_path / "home"
    shutil.copytree(built, home, symlinks=True)
    monkeypatch.setenv("TRIBUTARY_HOME", str(home))
    before = (home / "warehouse.duckdb").read_bytes()
    good = (home / "tributary.yaml").read_text()
    events = tmp_path / "events.csv"
    events.write_text(EVENTS)
    for wrong, words in [
        ("orgs:\n  - {id: a, currency: dollars}\n", [":2: ", "dollars"]),
        ("orgs:\n  - {id: a, currency: USD, timezone: Mars/Olympus}\n", [":2: ", "Mars/Olympus"]),
        ("orgs:\n  - {id: a, currency: USD}\nsites:\n  - {id: shop, org: b}\n", [":4: ", "b"]),
        ("orgs: [\n", ["tributary.yaml:"]),
    ]:
        (home / "tributary.yaml").write_text(wrong)
        for arguments in (["run"], ["import", "events", str(events)]):
            done = CliRunner().invoke(cli.app, arguments)
            assert done.exit_code == WRONG_INPUT, done.output
            assert f"{home}/tributary.yaml" in done.output
            for word in words:
                assert word in done.output, done.output
        assert (home / "tributary.yaml").read_text() == wrong
    assert (home / "warehouse.duckdb").read_bytes() == before
    assert good


def test_selections_run_what_they_name(home):
    output = tributary(home, "run", "--select", "group:raw").stdout
    assert "built " not in output
    output = tributary(home, "run", "--select", 'key:"marts/touchpoints"').stdout
    assert [line.split("built ")[1].split()[0] for line in output.splitlines() if "built " in line] == ["touchpoints"]


def test_part_of_the_graph_can_be_the_first_thing_that_is_built(new_home):
    """No test of the part asks for a table outside of it; and a part is nothing to publish."""
    home = new_home("part")
    output = tributary(home, "run", "--select", '+key:"marts/touchpoints"').stdout
    assert "built touchpoints" in output
    assert not (home / "published" / "marts.duckdb").exists()


def test_a_failed_run_exits_with_1_and_says_where(built, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(built, home, symlinks=True)
    (home / "inbox/events/broken.csv").write_text("id\n1\n")
    done = tributary(home, "run", "--select", 'key:"raw/events"', code=FAILED)
    assert "broken.csv" in done.stderr
    assert "event_id" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert (home / "inbox/events/broken.csv").exists()


def test_the_summary_fits_and_what_it_suggests_works(home):
    """Run, status and both explanations in a plain pipe, then the next commands as a person would paste them."""
    output = tributary(home, "run", "--full-refresh").stdout
    summary, _, suggested = output.partition("Next:\n")
    suggested, _, server = suggested.partition("\nOpen the dashboard")
    assert server.endswith("tributary serve\n"), "the last line does not end: test_wheel.py and test_dagster.py run it"
    assert "Everything adds up" in summary
    fits(summary)
    commands = re.split(r"\n  (?=\S*tributary )", "\n" + suggested)[1:]  # one may go on over several lines
    assert len(commands) >= 2
    environment = os.environ | {"TRIBUTARY_HOME": str(home)}
    for command in commands:
        done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == OK, f"{command}\n{done.stdout}{done.stderr}"
        if "explain" in command:
            fits(done.stdout)
    fits(tributary(home, "status").stdout)


def fits(output: str) -> None:
    """At most 80 columns, but for paths: a broken path cannot be pasted."""
    for line in output.splitlines():
        assert len(line) <= 80 or "/" in line, f"{len(line)} columns: {line}"


def test_every_waste_flag_and_many_conversions_can_be_explained(here, home):
    with published(home) as connection:
        flags = connection.execute("select waste_id, org_id from waste_flags limit 5").fetchall()
        conversions = connection.execute(
            "select conversion_id, org_id from conversions order by hash(conversion_id) limit 10"
        ).fetchall()
    for identifier, org in conversions:
        assert "credit" in here("explain", "conversion", identifier, "--org", org)
    for identifier, org in flags:
        assert "What to do" in here("explain", "waste", identifier, "--org", org)


def test_an_id_that_two_orgs_share_asks_for_the_org(here, home):
    path = home / "published/marts.duckdb"
    kept = path.read_bytes()
    try:
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                "update conversions set conversion_id = 'shared' where rowid in "
                "(select min(rowid) from conversions group by org_id)"
            )
        output = here("explain", "conversion", "shared", code=WRONG_INPUT)
        assert "Several conversions begin with 'shared'" in output
        assert "nordlicht" in output
        assert "--org" in output
        assert "shared" in here("explain", "conversion", "shared", "--org", "nordlicht")
    finally:
        path.write_bytes(kept)
