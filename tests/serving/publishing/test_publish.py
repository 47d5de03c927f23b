"""What readers of published/ see: a whole version, always; nothing at all of a version that breaks a promise."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
import sys
import venv
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from ingestion.home import Home
from ingestion.warehouse import connect
from serving.publishing.publish import PublishError, publish
from tests.support.home import COMMAND, copy_home, differences, published, tables, tributary
from tests.support.models import publish_marts

PUBLISH = ("run", "--select", "key:published")
# The sums of one version belong together: a file that mixes two versions, or half of one, has sums that differ.
READER = """
import os, sys, duckdb
path, stop = sys.argv[1:]
last = None
while not os.path.exists(stop):
    connection = duckdb.connect(path, read_only=True)
    (version,) = connection.execute("select version from meta").fetchone()
    booked, credited, kept = connection.execute('''
        select
            (select sum(value_micros) from conversions),
            (select sum(conversion_value_micros) from channel_summary
             where attribution_model = 'linear' and lookback_days = 30),
            (select bool_and(is_kept) from promises)
    ''').fetchone()
    assert booked == credited and kept, (version, booked, credited, kept)
    connection.close()
    if version != last:
        print(version, flush=True)
    last = version
"""


@pytest.fixture
def home(built, tmp_path) -> Path:
    return copy_home(built, tmp_path / "home")


def version(home: Path) -> int:
    with published(home) as connection:
        return connection.execute("select version from meta").fetchone()[0]


def in_warehouse(home: Path, sql: str) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute(sql)


def everything(home: Path) -> dict[str, bytes]:
    """What is published, byte for byte."""
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in sorted((home / "published").rglob("*"), key=str)
        if path.is_file()
    }


def test_readers_see_whole_versions_while_new_ones_are_published(home, tmp_path):
    stop = tmp_path / "stop"
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, home / "published/marts.duckdb", stop],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]

    def all_read(version: int) -> None:
        """Wait until every reader has read the version."""
        assert [reader.stdout.readline() for reader in readers] == [f"{version}\n"] * 2

    with published(home) as patient:
        first = patient.execute("select * from meta").fetchall()
        rows = patient.execute("select count(*), sum(spend_micros) from daily_rollups").fetchall()
        all_read(1)
        for version in (2, 3, 4):
            publish_marts(home)  # while they read
            all_read(version)
        assert patient.execute("select * from meta").fetchall() == first
        assert patient.execute("select count(*), sum(spend_micros) from daily_rollups").fetchall() == rows
    stop.touch()
    for reader in readers:
        rest, errors = reader.communicate(timeout=60)
        assert (reader.returncode, rest) == (0, ""), errors


@pytest.fixture(scope="module")
def old_duckdb(tmp_path_factory) -> Path:
    """A Python with DuckDB 1.1."""
    folder = tmp_path_factory.mktemp("duckdb-1.1")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "duckdb==1.1.3"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"DuckDB 1.1.3 cannot be installed here: {done.stderr.strip()[-200:]}")
    return python


def test_duckdb_1_1_reads_every_table_and_view(built, old_duckdb):
    count = """
import sys, json, duckdb
assert duckdb.__version__ == "1.1.3"
connection = duckdb.connect(sys.argv[1], read_only=True)
connection.execute("set enable_progress_bar = false")
names = [name for (name,) in connection.execute("select table_name from information_schema.tables").fetchall()]
print(json.dumps({name: len(connection.execute(f"from {name}").fetchall()) for name in names}))
"""
    for org in (None, "northwind"):
        path = built / "published" / (f"orgs/{org}.duckdb" if org else "marts.duckdb")
        done = subprocess.run([old_duckdb, "-c", count, path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        with published(built, org) as connection:
            names = [*tables(connection), "meta"]
            assert "attribution_candidates" in names
            assert json.loads(done.stdout) == {
                name: connection.execute(f"select count(*) from {name}").fetchone()[0] for name in names
            }


def test_an_orgs_file_holds_that_org_only_and_parquet_holds_every_row(built):
    with published(built) as whole:
        names = tables(whole)
        orgs = [org for (org,) in whole.execute("select org_id from orgs").fetchall()]
        assert {file.stem for file in (built / "published/orgs").iterdir()} == set(orgs)
        assert len(orgs) >= 2
        rows = {}
        for name in names:
            columns = [column for column, *_ in whole.execute(f"describe {name}").fetchall()]
            assert "org_id" in columns, f"{name} is not divided by org"
            rows[name] = Counter(org for (org,) in whole.execute(f"select org_id from {name}").fetchall())
            if name not in ("attribution_candidates", "window_links"):  # views without a Parquet file
                parquet = built / "published/parquet" / f"{name}.parquet"
                different = f"select count(*) from (from {name} except all from '{parquet}')"
                assert whole.execute(different).fetchone() == (0,), name
                different = f"select count(*) from (from '{parquet}' except all from {name})"
                assert whole.execute(different).fetchone() == (0,), name
    for org in orgs:
        with published(built, org) as one:
            assert tables(one) == names
            for name in names:
                found = Counter(found for (found,) in one.execute(f"select org_id from {name}").fetchall())
                assert found == Counter({org: rows[name][org]} if rows[name][org] else {}), name


def test_parquet_has_the_long_rollups_only_while_they_are_few(home, monkeypatch):
    parquet = home / "published/parquet"
    with connect(Home(home)) as connection:
        (rows,) = connection.execute("select count(*) from marts.daily_rollups").fetchone()
        for limit, expected in ((rows, True), (rows - 1, False)):
            monkeypatch.setattr("serving.publishing.publish.LONG_FORM_ROWS", limit)
            publish(connection, home / "published")
            assert (parquet / "daily_rollups.parquet").exists() is expected
            assert (parquet / "rollup_spend.parquet").exists()
            assert (parquet / "rollup_credit.parquet").exists()


def test_the_published_view_answers_from_the_rows_that_its_filters_need(built):
    """Filters reach the scans of both tables; the rows of spend then name their rows of credit."""
    with published(built) as marts:
        ((_, plan),) = marts.execute("""
            explain (format json) select sum(spend_micros), sum(conversions) from daily_rollups
            where org_id = 'northwind' and date between '2026-01-01' and '2026-12-31' and grain = 'AD'
                and attribution_model = 'linear' and accounting_mode = 'cash'
        """).fetchall()
    scans = dict.fromkeys(("rollup_spend", "rollup_credit"), 0)

    def visit(node: dict) -> None:
        info = node["extra_info"]
        name = str(info.get("Table", "")).rsplit(".", 1)[-1]
        if name in scans:
            scans[name] += 1
            filters = str(info.get("Filters", ""))
            more = ("grain",) if name == "rollup_spend" else ("attribution_model", "accounting_mode")
            assert all(column in filters for column in ("org_id", *more)), (name, info)
        for child in node["children"]:
            visit(child)

    for node in json.loads(plan):
        visit(node)
    assert all(scans.values()), scans


def test_the_file_of_an_only_org_says_nothing_of_one_that_left(home):
    in_warehouse(home, "delete from marts.orgs where org_id <> 'northwind'")
    publish_marts(home)
    with published(home, "northwind") as one:
        for name in tables(one):
            assert one.execute(f"select count(*) from {name} where org_id <> 'northwind'").fetchone() == (0,), name
        (loaded,) = one.execute("select loaded ->> 'events' from meta").fetchone()
    with published(home) as whole:
        assert 0 < int(loaded) < int(whole.execute("select loaded ->> 'events' from meta").fetchone()[0])


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (
            "update marts.rollup_credit set conversion_value_micros = conversion_value_micros + 1 where rowid = "
            "(select rowid from marts.rollup_credit where conversions > 0 limit 1)",
            "everything_adds_up",
        ),
        (
            "update intermediate.int_conversion_touches set linear_value_micros = linear_value_micros + 1"
            " where rowid = (select rowid from intermediate.int_conversion_touches where linear_credit > 0 limit 1)",
            "everything_adds_up",
        ),
        (
            "delete from marts.rollup_spend where rowid = (select rowid from marts.rollup_spend "
            "where grain = 'AD' and spend_micros > 0 limit 1)",
            "everything_adds_up",
        ),
        # daily_rollups shows credit beside the row of spend to which it refers, else on its own.
        (
            "update marts.rollup_credit set rollup_id = 1 where rowid = (select rowid from marts.rollup_credit "
            "where conversions > 0 and rollup_id is null limit 1)",
            "everything_adds_up",
        ),
        (
            "update marts.rollup_credit set rollup_id = null where rowid = (select rowid from marts.rollup_credit "
            "where conversions > 0 and rollup_id is not null limit 1)",
            "everything_adds_up",
        ),
        (
            "update marts.rollup_credit set rollup_id = rollup_id + 1 where rowid = (select rowid from "
            "marts.rollup_credit where conversions > 0 and rollup_id is not null limit 1)",
            "everything_adds_up",
        ),
    ],
    ids=["rollup", "credit", "spend", "invented spend", "lost spend", "another spend"],
)
def test_a_broken_promise_publishes_nothing_and_is_named(home, damage, named):
    before = everything(home)
    in_warehouse(home, damage)
    with pytest.raises(PublishError, match=rf"(?s){named}: .*expected .*, found "):
        publish_marts(home)
    assert everything(home) == before


def test_the_command_shows_a_broken_promise_and_keeps_the_last_version(home):
    before = everything(home)
    in_warehouse(home, "update marts.conversions set value_micros = value_micros + 1 where value_micros > 0")
    done = tributary(home, *PUBLISH, code=1)
    assert "everything_adds_up" in done.stderr
    assert "expected" in done.stderr
    assert "The last published version stays in place." in done.stderr
    assert "Traceback" not in done.stderr
    assert everything(home) == before


def test_publish_takes_the_marts_as_dbt_left_them(home):
    in_warehouse(home, "update marts.campaign_daily set campaign = 'Renamed by hand'")
    assert "Published: version 2" in tributary(home, "publish").stdout
    with published(home) as marts:
        assert marts.execute("select distinct campaign from campaign_daily").fetchall() == [("Renamed by hand",)]


def test_damaged_published_files_are_replaced(home):
    marts, parquet = home / "published/marts.duckdb", home / "published/parquet/conversions.parquet"
    assert version(home) == 1
    for damage in (b"", b"damaged", marts.read_bytes()[:30_000]):
        marts.write_bytes(damage)
        parquet.write_bytes(b"PAR1")
        for command in (["query", "select 1"], ["explain", "conversion", "1"]):
            assert "marts.duckdb is damaged" in tributary(home, *command, code=2).stderr
        before = version_of_link(home)
        publish_marts(home)
        assert version(home) == before + 1
        assert duckdb.sql(f"select count(*) > 0 from '{parquet}'").fetchall() == [(True,)]
    org = home / "published/orgs/northwind.duckdb"
    org.write_bytes(org.read_bytes()[:30_000])
    sentence = "The published file of northwind is damaged. Replace it: tributary run"
    assert sentence in tributary(home, "ask", "kpis", "--org", "northwind", code=2).stderr
    tributary(home, "ask", "kpis", "--org", "nordlicht")
    assert sentence in " ".join(tributary(home, "status").stdout.split())
    marts.write_bytes(b"damaged")
    shown = tributary(home, "status").stdout
    assert "marts.duckdb is damaged" in " ".join(shown.split())
    assert "published files are missing or changed" in " ".join(shown.split())


def version_of_link(home: Path) -> int:
    return int(os.readlink(home / "published/parquet").removeprefix(".parquet-"))


@pytest.mark.parametrize(("readers", "shared"), [("owner", 0), ("group", 0o050), ("everyone", 0o055)])
def test_readers_open_published_files_and_nothing_else(home, readers, shared):
    with connect(Home(home)) as connection:
        publish(connection, home / "published", readers)
    for path in [home / "published", *(home / "published").rglob("*")]:
        if not path.is_symlink() and ".parquet-1" not in str(path):  # the last version, for those who read it now
            allowed = shared if path.is_dir() else shared & 0o044
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == allowed, path
    assert stat.S_IMODE(home.stat().st_mode) & 0o077 == shared & 0o011  # pass through, without a list of files


def test_an_org_id_cannot_lead_out_of_the_folder(home, monkeypatch):
    before = everything(home)
    in_warehouse(home, "update marts.orgs set org_id = '../../../pwn' where org_id = 'northwind'")
    monkeypatch.setattr("serving.publishing.publish.broken_promises", lambda connection: [])
    with pytest.raises(PublishError, match=r"'\.\./\.\./\.\./pwn' cannot be the name of a file"):
        publish_marts(home)
    assert everything(home) == before


def test_a_disk_without_hard_links_is_published_to(home, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    publish_marts(home)
    assert version(home) == 2
    assert differences(home, home) == {}


def test_a_disk_that_fills_up_leaves_the_last_version(home):
    before = everything(home)
    limit = 200_000  # bytes a file may have; the published file is larger
    assert (home / "published/marts.duckdb").stat().st_size > limit
    code = (
        "import sys, os, resource, signal\n"
        "from serving.publishing.publish import publish\n"
        "from ingestion.home import Home\n"
        "from ingestion.warehouse import connect\n"
        "home = Home.from_environment()\n"
        "connection = connect(home)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "publish(connection, home.published)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TRIBUTARY_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "File too large" in done.stderr
    kept = {path: content for path, content in everything(home).items() if "/.new-" not in path}
    assert kept == before
    publish_marts(home)
    assert version(home) == 2
    assert not list((home / "published").glob(".new-*"))


def test_a_full_disk_fails_the_run_with_a_sentence(home):
    """The run command itself, on a small disk of its own."""
    folder = home / "published"
    before = everything(home)
    size = sum(map(len, before.values())) + 600_000
    shutil.move(folder, home / "kept")
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"this user may not mount a small disk: {mounted.stderr.strip()}")
    try:
        subprocess.run(["cp", "-a", f"{home}/kept/.", folder], check=True)
        done = subprocess.run(
            [COMMAND, *PUBLISH],
            env={**os.environ, "TRIBUTARY_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done.stdout + done.stderr
        assert "No space left" in done.stderr
        assert "The last published version stays in place." in done.stderr
        assert {path: content for path, content in everything(home).items() if "/.new-" not in path} == before
        assert version(home) == 1
    finally:
        subprocess.run(["umount", folder], check=True)
