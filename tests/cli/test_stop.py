"""Ctrl-C and SIGTERM end each command with one line and its exit code, and leave nothing half-written."""

from __future__ import annotations

import os
import signal
import termios
from collections.abc import Iterator
from pathlib import Path

import duckdb
import httpx
import pytest

from ingestion.home import Home
from ingestion.person.erase import read_journal
from tests.support.home import COMMAND, copy_home, differences, tributary
from tests.support.ports import free_port
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

ENDLESS = "select max(hash(a, b)) from range(100000000) t(a), range(100000000) u(b)"
CONTINUE = "and nothing is half-written. To continue, run: tributary run"


@pytest.fixture
def start() -> Iterator:
    """Return a function that runs a command in a terminal."""
    started = []

    def run(home: Path, *arguments: object, **environment: object) -> Terminal:
        started.append(Terminal([COMMAND, *arguments], {"TRIBUTARY_HOME": home, **environment}))
        return started[-1]

    yield run
    for terminal in started:
        terminal.kill()


def last_words(terminal: Terminal) -> str:
    """Return the one line that a stopped command prints."""
    assert "Traceback" not in terminal.text
    assert terminal.text.count("Stopped. ") == 1
    return terminal.text.partition("Stopped. ")[2].strip()


def wait_for_lock(home: Path, terminal: Terminal) -> None:
    lock = home / "build.lock"
    wait_until(lambda: lock.exists() and f'"pid": {terminal.pid},' in lock.read_text(), "it holds the lock", pause=0.01)


def published_bytes(home: Path) -> dict[str, bytes]:
    files = (path for path in (home / "published").rglob("*") if path.is_file() and ".new-" not in str(path))
    return {str(path.relative_to(home)): path.read_bytes() for path in files}


def test_a_command_stops_while_python_loads_it(start, tmp_path):
    (tmp_path / "typer.py").write_text("import time\nprint('loading', flush=True)\ntime.sleep(600)\n")
    terminal = start(tmp_path / "home", "status", PYTHONPATH=tmp_path)
    terminal.wait_for("loading")
    terminal.press_ctrl_c()
    assert terminal.exit_code() == 130
    assert last_words(terminal).startswith("Nothing is half-written.")


STATES = [
    (signal.SIGINT, 130, "reading the dbt project"),
    (signal.SIGINT, 130, "built int_urls in"),
    (signal.SIGTERM, 143, "checking the promises"),
]


def test_a_run_stops_at_any_step_and_keeps_the_published_files(start, built, tmp_path):
    """orchestration/test_recovery.py shows that the next run continues after SIGKILL, which leaves as little."""
    home = copy_home(built, tmp_path / "home")
    before = published_bytes(home)
    for number, code, state in STATES:
        terminal = start(home, "run", "--full-refresh")
        terminal.wait_for(state)
        if number == signal.SIGINT:
            terminal.press_ctrl_c()
        else:
            os.kill(terminal.pid, number)
        assert terminal.exit_code() == code, state
        assert last_words(terminal).endswith(CONTINUE)
        assert "error" not in terminal.text
        assert "waiting for" not in terminal.text  # the stopped one has left the lock
        assert published_bytes(home) == before


def test_an_import_stops_in_the_middle_of_a_query(start, new_home):
    home = new_home("import")
    rows = 400_000
    lines = (f"e{n},shop,PAGE_VIEW,2026-07-01T00:00:00Z,v{n}\n" for n in range(rows))
    file = home / "events.csv"
    file.write_text("event_id,site_id,type,occurred_at,anon_id\n" + "".join(lines))
    terminal = start(home, "import", "events", file)
    wait_for_lock(home, terminal)
    terminal.press_ctrl_c()
    assert terminal.exit_code() == 130
    assert last_words(terminal).startswith("Each file is loaded whole or not at all.")
    assert f"{rows:,} received" in tributary(home, "import", "events", file).stdout
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from raw.events").fetchone() == (rows,)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_query_that_never_ends_is_stopped(start, built, tmp_path, number, code):
    home = copy_home(built, tmp_path / "home")
    terminal = start(home, "query", "--raw", ENDLESS)
    wait_for_lock(home, terminal)
    os.killpg(terminal.pid, number)
    assert terminal.exit_code() == code
    assert last_words(terminal).startswith("Nothing is half-written.")


def test_a_command_in_the_background_of_a_script_ignores_ctrl_c(start, built, tmp_path):
    home = copy_home(built, tmp_path / "home")
    script = f"trap '' INT; exec {COMMAND} query --raw '{ENDLESS}'"
    terminal = Terminal(["/bin/sh", "-c", script], {"TRIBUTARY_HOME": home})
    try:
        wait_for_lock(home, terminal)
        terminal.press_ctrl_c()
        terminal.wait_for("^C")
        assert terminal.is_running()
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.exit_code() == 143
    finally:
        terminal.kill()


def test_a_question_that_is_stopped_erases_nobody(start, built, tmp_path):
    home = copy_home(built, tmp_path / "home")
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        (visitor,) = connection.execute("select min(anon_id) from raw.events").fetchone()
    terminal = start(home, "erase", "--visitor", visitor)
    terminal.wait_for("Erase this person?")
    terminal.press_ctrl_c()
    assert terminal.exit_code() == 130
    assert last_words(terminal) == "The person was not erased."
    assert differences(built, home) == {}


def test_an_erasure_that_is_stopped_stays_on_record_for_the_next(start, built, tmp_path):
    """ingestion/person/test_person.py shows that the next erasure finishes it."""
    home = copy_home(built, tmp_path / "home")
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        (visitor,) = connection.execute("select min(anon_id) from raw.events").fetchone()
    terminal = start(home, "erase", "--visitor", visitor, "--yes")
    terminal.wait_for("built int_urls in")
    terminal.press_ctrl_c()
    assert terminal.exit_code() == 130
    assert last_words(terminal).startswith("The erasure is not finished")
    assert read_journal(Home(home))


def test_a_stopped_question_for_a_secret_leaves_a_terminal_that_shows_what_is_typed(start, new_home):
    secrets = {"TRIBUTARY_SECRET_KEY": "x" * 40, "TRIBUTARY_META_CLIENT_ID": 1}
    terminal = start(new_home("connect"), "connect", "meta", "--token", **secrets)
    terminal.wait_for("client secret")

    def shows_keys() -> bool:
        return bool(termios.tcgetattr(terminal.terminal)[3] & termios.ECHO)

    wait_until(lambda: not shows_keys(), "the question hides the answer")
    terminal.press_ctrl_c()
    assert terminal.exit_code() == 130
    assert last_words(terminal).endswith("tributary connect meta")
    assert shows_keys()


@pytest.mark.parametrize(
    ("command", "line"), [("serve", "Stopped."), ("collect", "Stopped. Every event that was acknowledged is stored.")]
)
def test_a_server_ends_with_success_and_a_line(start, new_home, command, line):
    port = free_port()
    terminal = start(new_home(command), command, "--port", port)
    path = {"serve": "api/docs", "collect": "healthz"}[command]

    def answers() -> bool:
        terminal.read()
        try:
            return httpx.get(f"http://127.0.0.1:{port}/{path}", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    wait_until(answers, "the server answers")
    terminal.press_ctrl_c()
    assert terminal.exit_code() == 0
    assert line in terminal.text.splitlines()
    assert "Traceback" not in terminal.text
