"""Run the real command in a home folder, and read what it publishes.

In: a home folder and a command line. Out: the finished process; connections to published files; differences of homes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

import duckdb
import pytest

from tests.support import warm

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("tributary")
SHARED_DATA = ROOT.parent / "shared" / "data"

real_data = pytest.mark.skipif(
    not SHARED_DATA.exists(), reason=f"the shared real data is not on this machine ({SHARED_DATA})"
)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine (apt-get install chromium)")

FORTNIGHT = ("simulate", "--days", 14, "--events", 3000)  # the command that fills the home `filled`
Done = subprocess.CompletedProcess[str]


def tributary(home: Path, *arguments: object, code: int = 0, seconds: float = 300) -> Done:
    """Run the real command on a home folder; fail the test, and show the output, unless it exits with `code`."""
    environment = {**os.environ, "TRIBUTARY_HOME": str(home)}
    done = warm.run("tributary", [*map(str, arguments)], environment, Path.cwd(), seconds)
    output = f"{done.stdout}{done.stderr}"
    assert done.returncode == code, f"tributary {arguments} exited with {done.returncode}, not {code}:\n{output}"
    return done


def start_tributary(home: Path, log: Path, *arguments: object) -> BaseProcess:
    """Start the real command on a home folder; its output goes to the file `log`."""
    log.touch()
    environment = {**os.environ, "TRIBUTARY_HOME": str(home)}
    return warm.start("tributary", [*map(str, arguments)], environment, Path.cwd(), [str(log), str(log)])


def copy_home(home: Path, to: Path) -> Path:
    """Copy a home folder to a folder that is empty or does not exist; return the copy.

    The SQL that dbt wrote for people, most of a home's files, stays behind.
    """
    for_people = {str(home / "dbt"): ["compiled", "run"]}
    return shutil.copytree(
        home, to, symlinks=True, dirs_exist_ok=True, ignore=lambda folder, names: for_people.get(folder, [])
    )


def published(home: Path, org: str | None = None) -> duckdb.DuckDBPyConnection:
    """Open the published file, or the file of one org, read-only."""
    path = home / "published" / (f"orgs/{org}.duckdb" if org else "marts.duckdb")
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    # DuckDB would return an earlier version that this process has open. Attaching the file reads the present one.
    connection.execute(f"attach '{path}' as marts (read_only)")
    connection.execute("use marts")
    return connection


def tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of published tables and views, without `meta`: its content differs with every run."""
    rows = connection.execute(
        "select table_name from information_schema.tables"
        " where table_catalog = current_database() and table_schema = 'main' order by 1"
    ).fetchall()
    return [name for (name,) in rows if name != "meta"]


def differences(one: Path, other: Path) -> dict[str, int]:
    """Count, by table, the rows that only one of two homes publishes; empty when they publish the same."""
    found = {}
    with duckdb.connect() as connection:
        for name, home in (("one", one), ("other", other)):
            connection.execute(f"attach '{home}/published/marts.duckdb' as {name} (read_only)")
        names = []
        for name in ("one", "other"):
            connection.execute(f"use {name}")  # a published view finds its tables in the database in use
            names.append(tables(connection))
            for table in names[-1]:
                connection.execute(f"create temp table {name}_{table} as from {table}")
        assert names[0] == names[1], f"the homes publish different tables: {names}"
        for table in names[0]:
            one_rows, other_rows = f"from one_{table}", f"from other_{table}"
            (rows,) = connection.execute(
                f"select (select count(*) from ({one_rows} except all {other_rows}))"
                f" + (select count(*) from ({other_rows} except all {one_rows}))"
            ).fetchone()
            if rows:
                found[table] = rows
    return found
