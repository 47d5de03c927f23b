"""Upgrades of the warehouse: from every earlier schema, once, after a kill at any step, and never backwards."""

from __future__ import annotations

import signal
import subprocess
import sys
from itertools import combinations

import duckdb
import pytest

from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.migrations import upgrade as migrations
from ingestion.migrations.upgrade import FOLDER, SchemaVersionError, schema_version
from ingestion.settings.model import Org, Settings
from ingestion.sql import Connection, literal
from ingestion.warehouse import connect
from tests.support.home import ROOT, tributary

SCHEMAS = ROOT / "tests" / "fixtures" / "schemas"
EARLIER = ("files", "collector", "spend")  # in the order in which they were released
LATEST = len(list(FOLDER.glob("*.sql")))
HISTORIES = [names for size in (1, 2, 3) for names in combinations(EARLIER, size)]
SPEND = "date,platform,account_id,currency,spend,level,video_views\n2026-07-01,meta,1,USD,{},account,7\n"


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / "home"))
    return Home.from_environment()


def run_earlier_version(home: Home, name: str) -> None:
    """Open the warehouse as an earlier program did, and add a row to each of its tables."""
    with duckdb.connect(str(home.warehouse), config={"storage_compatibility_version": "v1.5.0"}) as connection:
        connection.execute("create schema if not exists raw")
        connection.execute((SCHEMAS / f"{name}.sql").read_text())
        for table, described in columns(connection).items():
            values = ", ".join(f"{value(type_)} as {column}" for column, type_, *_ in described)
            connection.execute(f"insert into raw.{table} by name select {values}")


def value(type_: str) -> str:
    """Return SQL of a value of the type that is not null."""
    samples = {"JSON": "'{\"a\":1}'", "BOOLEAN": "true", "VARCHAR[]": "['a']", "DATE": "'2026-07-01'"}
    samples |= {"TIMESTAMP": "'2026-07-01 09:30:00'", "VARCHAR": "'a'"}
    return f"{samples.get(type_, '1')}::{type_}"


def columns(connection: Connection) -> dict[str, list[tuple]]:
    """Return (name, type, is nullable, default) of each column of each raw table, in the tables' order."""
    found: dict[str, list[tuple]] = {}
    for table, *described in connection.execute(
        "select table_name, column_name, data_type, is_nullable, column_default"
        " from duckdb_columns() semi join duckdb_tables() using (schema_name, table_name)"
        " where schema_name = 'raw' order by table_name, column_index"
    ).fetchall():
        found.setdefault(table, []).append(tuple(described))
    return found


def rows(connection: Connection, names: dict[str, list[tuple]]) -> dict[str, list[tuple]]:
    """Return the rows of the named columns of each table."""
    listed = {table: ", ".join(column for column, *_ in described) for table, described in names.items()}
    return {table: connection.execute(f"select {each} from raw.{table}").fetchall() for table, each in listed.items()}


@pytest.fixture(scope="module")
def new_columns(tmp_path_factory) -> dict[str, list[tuple]]:
    folder = tmp_path_factory.mktemp("new")
    with connect(Home(folder)) as connection:
        return columns(connection)


@pytest.mark.parametrize("history", HISTORIES, ids="-".join)
def test_every_earlier_schema_becomes_that_of_a_new_home_and_keeps_its_rows(home, history, new_columns):
    for name in history:
        run_earlier_version(home, name)
    with duckdb.connect(str(home.warehouse)) as connection:
        old = columns(connection)
        before = rows(connection, old)
    with connect(home) as connection:
        assert columns(connection) == new_columns
        assert rows(connection, old) == before
        assert all(before.values())
        assert connection.execute("select count(*) from raw.all_events").fetchone() == (len(history),)


def test_an_upgraded_home_restates_spend_and_keeps_its_history(home, tmp_path):
    run_earlier_version(home, "files")
    settings = Settings(orgs=[Org("default", "USD")])
    with connect(home) as connection:
        connection.execute("delete from raw.ad_spend_history")
        for spend in (1, 2):
            (tmp_path / "spend.csv").write_text(SPEND.format(spend))
            load_file(connection, "spend", tmp_path / "spend.csv", settings=settings)
        history = "select level, video_views, spend_micros, _replaced_at >= _loaded_at from raw.ad_spend_history"
        assert connection.execute(history).fetchall() == [("account", 7, 1_000_000, True)]


class Recorded:
    """A connection that lists the statements it executes."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.statements = connection, []

    def execute(self, sql: str, *parameters: object) -> Connection:
        self.statements.append(sql)
        return self.connection.execute(sql, *parameters)


def test_an_upgrade_folds_the_spellings_of_an_account(home):
    """The last of two rows that have one key now stays; the other is history. Nothing counts twice."""
    run_earlier_version(home, "spend")
    with duckdb.connect(str(home.warehouse)) as connection:
        for load, (account, micros) in enumerate((("act_99", 5), ("99", 7), ("123-456-7890", 1))):
            connection.execute(
                "insert into raw.ad_spend by name select 'o' as org_id, 'meta' as platform, $account as account_id,"
                " '42.0' as campaign_id, date '2026-07-01' as date, 'EUR' as currency, $micros as spend_micros,"
                " $load as _content_hash, $load as _load_id, timestamp '2026-07-01' + interval 1 day * $load::integer"
                " as _loaded_at",
                {"account": account, "micros": micros, "load": str(load)},
            )
    with connect(home) as connection:
        of_org = "where org_id = 'o' order by account_id"
        found = connection.execute(
            f"select account_id, campaign_id, spend_micros from raw.ad_spend {of_org}"
        ).fetchall()
        assert found == [("1234567890", "42", 1), ("99", "42", 7)]
        former = "select account_id, spend_micros, _replaced_by_load_id from raw.ad_spend_history"
        assert connection.execute(f"{former} {of_org}").fetchall() == [("99", 5, "1")]


def test_each_migration_is_applied_once_and_in_order(home):
    with connect(home) as connection:
        first = connection.execute("from migrations.applied order by version").fetchall()
    assert [version for version, *_ in first] == list(range(1, LATEST + 1))
    assert [name for _, name, _ in first] == sorted(path.stem for path in FOLDER.glob("*.sql"))
    with connect(home) as connection:
        assert connection.execute("from migrations.applied order by version").fetchall() == first
        recorded = Recorded(connection)
        migrations.upgrade(recorded, home.warehouse)
    query, function = recorded.statements  # an up-to-date home costs one query
    assert query.startswith("select")
    assert function.startswith("create or replace temp macro")


def test_a_failed_migration_leaves_the_version_before_it(home, tmp_path, monkeypatch):
    connect(home).close()
    folder = tmp_path / "migrations"
    folder.mkdir()
    for path in FOLDER.glob("*.sql"):
        (folder / path.name).write_text(path.read_text())
    broken = folder / f"{LATEST + 1:04}_broken.sql"
    broken.write_text("alter table raw.events add column half varchar; select * from raw.nowhere")
    monkeypatch.setattr(migrations, "FOLDER", folder)
    with pytest.raises(duckdb.CatalogException, match="nowhere"):
        connect(home)
    broken.write_text("alter table raw.events add column half varchar")
    with connect(home) as connection:
        assert schema_version(connection) == LATEST + 1
        assert columns(connection)["events"][-1][:2] == ("half", "VARCHAR")


KILLED = """
import os, signal, sys
import duckdb
from pathlib import Path
from ingestion.migrations.upgrade import upgrade

class Killed:  # by SIGKILL, once `moment` of migration `version` is reached
    def __init__(self, connection, version, moment):
        self.connection, self.version, self.moment, self.commits = connection, version, moment, 0

    def execute(self, sql, *parameters):
        is_commit = sql == "commit"
        self.commits += is_commit
        before = is_commit and self.moment == "before the commit"
        if before and self.commits == self.version:
            os.kill(os.getpid(), signal.SIGKILL)
        result = self.connection.execute(sql, *parameters)
        if is_commit and self.commits == self.version:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

path, version, moment = sys.argv[1:]
upgrade(Killed(duckdb.connect(path), int(version), moment), Path(path))
"""


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
@pytest.mark.parametrize("version", range(1, LATEST + 1))
def test_a_killed_migration_leaves_a_whole_version_and_the_next_start_finishes(home, version, moment, new_columns):
    run_earlier_version(home, "files")
    command = [sys.executable, "-c", KILLED, str(home.warehouse), str(version), moment]
    killed = subprocess.run(command, cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    whole = version if moment == "after the commit" else version - 1
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        assert schema_version(connection) == whole
        assert ("fees" in columns(connection)) == (whole >= 3)
        assert ("refunds" in columns(connection)) == (whole >= 2)
        assert ("level" in [name for name, *_ in columns(connection)["ad_spend"]]) == (whole >= 3)
    with connect(home) as connection:
        assert columns(connection) == new_columns
        assert connection.execute("select count(*) from raw.ad_spend_history").fetchone() == (1,)


def test_a_home_that_is_newer_than_the_program_is_refused(home):
    with connect(home) as connection:
        connection.execute(f"insert into migrations.applied values ({LATEST + 1}, {literal('next')}, now()::timestamp)")
    sentence = (
        f"{home.warehouse} has schema version {LATEST + 1}, and this Tributary supports versions up to {LATEST}."
        " Upgrade Tributary, or set TRIBUTARY_HOME to another folder."
    )
    for read_only in (False, True):
        with pytest.raises(SchemaVersionError) as error:
            connect(home, read_only=read_only)
        assert str(error.value) == sentence
    before = home.warehouse.read_bytes()
    for command in ("status", "run"):
        done = tributary(home.root, command, code=2)
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
    assert home.warehouse.read_bytes() == before


def test_a_read_only_connection_upgrades_nothing(home):
    run_earlier_version(home, "spend")
    with pytest.raises(SchemaVersionError, match=r"has schema version 0, and .* needs version .*`tributary status`"):
        connect(home, read_only=True)
    connect(home).close()
    with connect(home, read_only=True) as connection:
        assert schema_version(connection) == LATEST
