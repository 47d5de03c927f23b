"""Print text of visitors and files: it controls neither the terminal nor rich's markup."""

from __future__ import annotations

import io
import logging
import os
from contextlib import suppress
from datetime import date, datetime

import duckdb
import pytest
import typer
from rich.table import Table

from cli import console as module
from cli.console import SafeConsole, fail, print_line, print_parts
from ingestion.files.contracts import ContractError
from ingestion.loads import LoadReport
from ingestion.text import printable
from orchestration.metadata import of_imports, preview
from orchestration.progress import ProgressHandler
from serving.explain.conversion import describe_conversion, touches_table
from serving.query import as_csv, as_table

HOSTILE = "a\x1b]0;owned\x07\x1b[2J\r\x9b31m\u202eb[/bold][red]"


@pytest.fixture
def screen(monkeypatch):
    """Return a function that returns everything printed so far."""
    out = io.StringIO()
    for name in ("console", "error_console"):
        monkeypatch.setattr(module, name, SafeConsole(file=out, width=200, highlight=False))
    return out.getvalue


def assert_harmless(text: str) -> None:
    assert printable(text) == text, repr(text)
    assert "\\x1b" in text


def test_control_characters_become_escapes():
    assert printable("Umsätze\t1\n日本 👍") == "Umsätze\t1\n日本 👍"
    assert printable("\x1b[31m\r\x00\x7f\x9b\u202e\udce4") == "\\x1b[31m\\x0d\\x00\\x7f\\x9b\\u202e\\xe4"
    assert_harmless(str(ContractError(HOSTILE)))


def test_lines_tables_and_errors_are_harmless(screen):
    print_line(HOSTILE)
    table = Table("name")
    table.add_row(HOSTILE.replace("[", "("))
    print_parts([table, HOSTILE.replace("[", "(")])
    with pytest.raises(typer.Exit):
        fail(HOSTILE, 1)
    assert_harmless(screen())
    assert "[/bold][red]" in screen()


def test_queries_are_harmless(screen):
    result = duckdb.sql("select $1 as name, [$1] as names, {'n': $1} as record", params=[HOSTILE])
    print_parts(as_table(duckdb.execute("select $1 as name, [$1] as names", [HOSTILE]), 10))
    assert_harmless(screen())
    out = io.StringIO()
    as_csv(duckdb.execute("select $1 as name", [HOSTILE]), out, printable)
    assert_harmless(out.getvalue())
    assert result.columns == ["name", "names", "record"]


def test_explanations_are_harmless(screen):
    names = ("conversion_type", "id", "org_id", "order_id", "currency", "customer_id", "visitor_id", "timezone")
    conversion = dict.fromkeys(names, HOSTILE) | {"value_micros": 1, "original_value_micros": None, "lookback_days": 30}
    conversion |= {"occurred_at": datetime(2026, 7, 1), "date": date(2026, 7, 1), "original_currency": None}
    touch = {"touchpoint_id": "t", "position": 1, "occurred_at": datetime(2026, 7, 1), "channel": HOSTILE}
    touch |= {"campaign_name": HOSTILE, "touch_type": "click", "is_kept": True, "reason": "kept", "merged_into": None}
    print_parts([*describe_conversion(conversion, []), touches_table([touch])])
    assert_harmless(screen())
    assert screen().count("[/bold][red]") == 9  # seven texts of the conversion, the channel and the campaign


def test_a_run_goes_on_when_nobody_reads_its_progress(monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        monkeypatch.setattr("sys.__stdout__", closed)
        ProgressHandler().print_line("built touchpoints in 0.1 s")
        ProgressHandler().print_line("built conversions in 0.1 s")
        with suppress(BrokenPipeError):
            closed.close()


def test_progress_and_metadata_of_dagster_are_harmless(capsys, monkeypatch):
    record = logging.LogRecord("", logging.INFO, "", 0, HOSTILE, None, None)
    record.dagster_meta = {"orig_message": HOSTILE, "dagster_event": None}
    out = io.StringIO()
    monkeypatch.setattr("sys.__stdout__", out)
    ProgressHandler().emit(record)
    assert_harmless(out.getvalue())
    name = f"{HOSTILE}|<img src=x>"
    counts = dict.fromkeys(("received", "loaded", "duplicate", "failed", "replaced"), 1)
    report = LoadReport(kind="events", source=name, reasons={}, **counts)
    for table in (of_imports([report])["files"], preview(duckdb.execute("select $1 as file", [name]))):
        (row,) = table.records
        assert_harmless(row.data["file"])
