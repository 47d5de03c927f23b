"""`tributary failed`: failed rows with their remedy, and dismissed ones with an audit row."""

from __future__ import annotations

import duckdb
import pytest
from typer.testing import CliRunner

from cli import app as cli

OK, WRONG_INPUT = 0, 2
HEAD = "event_id,site_id,type,occurred_at,anon_id,value\n"
GOOD = "e1,shop,PAGE_VIEW,2026-07-01T00:00:00Z,v1,\n"
SETTINGS = """
orgs: [{id: default, currency: USD}, {id: south, currency: EUR}]
sites: [{id: shop, org: default}, {id: sud, org: south}]
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    root = tmp_path / "home"
    root.mkdir()
    (root / "tributary.yaml").write_text(SETTINGS)
    monkeypatch.setenv("TRIBUTARY_HOME", str(root))
    return root


@pytest.fixture
def call(home):
    def run(*arguments: object, code: int = OK) -> str:
        done = CliRunner().invoke(cli.app, list(map(str, arguments)), env={"COLUMNS": "80"})
        assert done.exit_code == code, f"{arguments}: {done.output}\n{done.exception!r}"
        return done.output

    return run


@pytest.fixture
def load(call, tmp_path):
    def run(kind: str, name: str, text: str, *options: str) -> str:
        (tmp_path / name).write_text(text)
        return call("import", kind, tmp_path / name, *options)

    return run


def raw(home, query: str) -> list[tuple]:
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        return connection.execute(query).fetchall()


def left(home) -> list[tuple]:
    return raw(home, "select kind, reason from raw.failed_events order by all")


def test_the_list_names_reason_example_and_remedy(call, load, home):
    assert "Nothing is loaded" in call("failed")
    load("events", "visits.csv", HEAD + GOOD + "e2,shop,CONVERSION,2026-07-01T00:00:00Z,v1,[bold]x:email:\n")
    load("conversions", "orders.csv", "order_id,occurred_at,value,mail\nO1,2026-07-01 10:00,3,anna@shop.example\n")
    output = call("failed")
    for words in ("bad_money", "missing_timezone", "visits.csv, line 3", "[bold]x:email:", "--timezone ZONE"):
        assert words in output
    assert max(map(len, output.splitlines())) <= 80
    assert "missing_timezone" not in call("failed", "--kind", "events")
    assert "payload" not in call("failed", "--reason", "missing_timezone")
    listed = call("failed", "--reason", "missing_timezone", "--rows")
    assert "orders.csv, line 2" in listed
    assert '"order_id":"O1"' in listed
    assert "anna@shop.example" not in listed
    assert "Do you mean bad_money?" in call("failed", "--reason", "bad_mony", code=WRONG_INPUT)
    assert "tributary failed" in call("status")


def test_dismissed_rows_leave_an_audit_row(call, load, home):
    load("events", "visits.csv", HEAD + GOOD + "e2,shop,CONVERSION,2026-07-01T00:00:00Z,v1,x\ne3,shop\n")
    assert "would be: 1 row dismissed" in call("failed", "--dismiss", "bad_money", "--dry-run")
    assert "0 rows dismissed" in call("failed", "--dismiss", "bad_money", "--kind", "spend")
    assert left(home) == [("events", "bad_money"), ("events", "wrong_column_count")]
    assert raw(home, "select count(*) from raw.dismissed_rows") == [(0,)]
    assert "1 row dismissed" in call("failed", "--dismiss", "bad_money")
    assert left(home) == [("events", "wrong_column_count")]
    assert raw(home, "select kind, org_id, reason, rows from raw.dismissed_rows") == [
        ("events", "default", "bad_money", 1)
    ]
    assert "0 rows dismissed" in call("failed", "--dismiss", "bad_money")
    call("failed", "--dry-run", code=WRONG_INPUT)
