"""dbt started by a person: defaults in the profile, raw tables in a new home, and the build lock."""

from __future__ import annotations

import os
import re
from types import SimpleNamespace

from ingestion.home import Home
from ingestion.warehouse import connect, lock_holder
from orchestration.dbt_by_hand import Plugin
from orchestration.unchanged import code_of_views
from tests.support.models import DBT_PROJECT


def test_the_profile_needs_no_variable():
    profile = (DBT_PROJECT / "profiles.yml").read_text()
    assert "env_var(" in profile
    assert not re.findall(r"env_var\('\w+'\)", profile), "a variable without a default"


def test_dbt_holds_the_lock_and_finds_raw_tables_in_a_new_home(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("TRIBUTARY_WAREHOUSE", raising=False)
    monkeypatch.setenv("TRIBUTARY_HOME", "of another command")
    home = Home(tmp_path / "var")
    credentials = SimpleNamespace(path=str(home.warehouse))
    try:
        for _ in range(2):  # MetricFlow opens two environments
            Plugin("dbt_by_hand", {}, credentials)
        assert str(lock_holder(home)).startswith(f"dbt (process {os.getpid()}")
    finally:
        Plugin.release()
    assert "To load data, run: tributary run" in capsys.readouterr().out
    with connect(home) as connection:
        assert connection.execute("from raw.all_events").fetchall() == []


def test_the_next_build_makes_all_views_because_dbt_can_replace_any(tmp_path, monkeypatch):
    monkeypatch.delenv("TRIBUTARY_WAREHOUSE", raising=False)
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path))
    home = Home(tmp_path)
    with connect(home) as connection:
        connection.execute("create schema seeds")
        with code_of_views(connection, "code", is_whole=True) as is_same:
            assert not is_same
    try:
        Plugin("dbt_by_hand", {}, SimpleNamespace(path=str(home.warehouse)))
    finally:
        Plugin.release()
    with connect(home) as connection, code_of_views(connection, "code", is_whole=True) as is_same:
        assert not is_same


def test_a_run_holds_the_lock_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIBUTARY_WAREHOUSE", "warehouse.duckdb")
    Plugin("dbt_by_hand", {}, SimpleNamespace(path=str(tmp_path / "warehouse.duckdb")))
    assert list(tmp_path.iterdir()) == []
