"""A lost or damaged warehouse: no command publishes without it, and `tributary rebuild` loads everything again."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from ingestion.files.inbox import import_inbox
from ingestion.home import Home
from ingestion.rebuild import NothingToRebuild, rebuild, row_counts
from ingestion.segments.format import Failed
from ingestion.segments.retire import retire
from ingestion.settings.model import Collector, Org, Settings, Site
from ingestion.warehouse import WarehouseLost, build_lock, connect
from tests.support.home import copy_home, differences, published, tributary
from tests.support.segments import at, content, land, load, page, receipt

SETTINGS = Settings(
    orgs=[Org("default", "USD"), Org("nord", "EUR")],
    sites=[Site("shop", "default"), Site("quiet", "nord", cookieless=True)],
    collector=Collector(keep_raw_days=30),
)
SPEND = "date,platform,account_id,campaign_id,currency,spend\n"
MAIL = "anna@example.com"


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / "home"))
    return Home.from_environment()


def put(home: Home, kind: str, name: str, text: str) -> None:
    folder = home.inbox / kind
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)


def fill(home: Home) -> None:
    """Load segments and files of two runs. Move the events of the first day to the archive."""
    conversion = {"occurred_at": at(60), "visitor_id": "a", "conversion_id": "o1", "value": "12.50", "currency": "USD"}
    failed = Failed("business", "bad_value", "the value is too high", '{"eventId":"x"}')
    land(home, 1, receipt([page(1, 10), page(2, 20, url="https://shop.example/?a=1")], ip="h1", ua="Firefox"))
    land(home, 2, receipt([page(1, 10)], 30), receipt([page(3)], 40, site="quiet", org="nord", failed=[failed]))
    land(home, 3, receipt([conversion], 60, kind="conversions"), receipt([], 70, limited=4))
    put(home, "spend", "b.csv", f"{SPEND}2026-07-01,meta,1,c,USD,10\n")
    put(
        home,
        "events",
        "e.csv",
        f"event_id,site_id,type,occurred_at,anon_id,email\nf1,shop,PAGE_VIEW,{at(5)},v,{MAIL}\n"
        f"f2,shop,PAGE_VIEW,never,v,{MAIL}\n",
    )
    with connect(home) as raw:
        load(raw, home, SETTINGS)
        for kind in ("spend", "events"):
            import_inbox(raw, home, SETTINGS, kind, print)
        assert retire(raw, home, SETTINGS, datetime(2026, 9, 1)) == 4
    put(home, "spend", "a.csv", f"{SPEND}2026-07-01,meta,1,c,USD,20\n")  # restates, though its name sorts first
    land(home, 4, receipt([page(2, 20, url="https://shop.example/?a=1"), page(5, 86_400 * 80)], 86_400 * 80))
    with connect(home) as raw:
        load(raw, home, SETTINGS)
        import_inbox(raw, home, SETTINGS, "spend", print)


def state(home: Home) -> dict[str, object]:
    """Return the content of the raw tables, the archived events, and the times of the history of spend."""
    with connect(home) as raw:
        archived = "select * exclude (_load_id, _loaded_at) from raw.all_events order by all"
        history = "select spend_micros, _loaded_at, _replaced_at from raw.ad_spend_history order by all"
        return content(raw) | {
            "all": raw.execute(archived).fetchall(),
            "history": raw.execute(history).fetchall(),
            "addresses": raw.execute("from raw.addresses order by all").fetchall(),
            "agents": raw.execute("from raw.user_agents order by all").fetchall(),
            "retired": raw.execute("from raw.retired_events order by all").fetchall(),
            "counts": row_counts(raw),
        }


@pytest.mark.parametrize("damage", ["missing", "cut", "overwritten", "empty"])
def test_a_rebuild_restores_every_raw_table(home, damage):
    fill(home)
    before = state(home)
    match damage:
        case "missing":
            home.warehouse.unlink()
        case "cut":
            home.warehouse.write_bytes(home.warehouse.read_bytes()[:30_000])
        case "overwritten":
            home.warehouse.write_bytes(b"\0" * 20_000 + home.warehouse.read_bytes()[20_000:])
        case "empty":
            home.warehouse.write_bytes(b"")
    with pytest.raises(WarehouseLost, match="tributary rebuild"):
        connect(home)
    assert rebuild(home, SETTINGS, print) == []
    assert state(home) == before
    assert before["counts"]["events"] == 5
    assert home.warehouse.with_name("warehouse.duckdb.damaged").exists() is (damage != "missing")
    assert list(home.temporary.iterdir()) == []
    with pytest.raises(NothingToRebuild, match="is whole"):
        rebuild(home, SETTINGS, print)


def test_a_rebuild_loads_waiting_segments_and_files_too(home):
    fill(home)
    home.warehouse.unlink()
    land(home, 9, receipt([page(9, 90)], 90))
    put(home, "spend", "new.csv", f"{SPEND}2026-07-03,meta,1,c,USD,5\n")
    assert rebuild(home, SETTINGS, print) == []
    with connect(home) as raw:
        counts = row_counts(raw)
    assert (counts["events"], counts["ad_spend"]) == (6, 2)


def test_a_rebuild_that_is_killed_changes_nothing(home, monkeypatch):
    fill(home)
    before = state(home)
    home.warehouse.unlink()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ingestion.rebuild.place", killed)
        with pytest.raises(KeyboardInterrupt):
            rebuild(home, SETTINGS, print)
    assert not home.warehouse.exists()
    with build_lock(home, "rebuild"):
        assert rebuild(home, SETTINGS, print) == []
    assert state(home) == before


def test_a_new_home_has_nothing_to_rebuild(home):
    with pytest.raises(NothingToRebuild, match="Run: tributary run"):
        rebuild(home, SETTINGS, print)
    connect(home).close()  # the first command creates the warehouse


def test_no_command_publishes_without_the_warehouse_and_a_rebuild_gives_the_same_tables(built, tmp_path):
    home = copy_home(built, tmp_path / "home")
    (home / "warehouse.duckdb").unlink()
    spend = tmp_path / "spend.csv"
    spend.write_text(f"{SPEND}2026-07-01,meta,1,c,USD,10\n")
    for arguments in (["run"], ["run", "--full-refresh"], ["import", "spend", spend], ["run", "--select", "group:raw"]):
        done = tributary(home, *arguments, code=1)
        assert "warehouse.duckdb is missing" in done.stderr
        assert "tributary rebuild" in done.stderr
        assert not (home / "warehouse.duckdb").exists()
    assert "warehouse.duckdb is missing" in " ".join(tributary(home, "status").stdout.split())
    assert "Next: tributary run" in tributary(home, "rebuild").stdout
    tributary(home, "run")
    assert differences(built, home) == {}
    with published(home) as connection:
        assert connection.execute("select version from meta").fetchone() == (2,)


def test_a_rebuild_names_the_rows_that_the_archive_lacks(built, tmp_path):
    home = copy_home(built, tmp_path / "home")
    (home / "warehouse.duckdb").write_bytes(b"damaged")
    shutil.rmtree(home / "archive" / "inbox" / "conversions", ignore_errors=True)
    shutil.rmtree(home / "archive" / "inbox" / "spend")
    done = tributary(home, "rebuild", code=1)
    with published(home) as connection:
        (rows,) = connection.execute("select (loaded ->> 'ad_spend')::int from meta").fetchone()
    assert f"raw.ad_spend: 0 of the {rows:,} rows of the last published version" in done.stderr
    assert Path(home / "warehouse.duckdb.damaged").read_bytes() == b"damaged"
