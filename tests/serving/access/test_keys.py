"""API keys: stored as hashes, valid until they are revoked, limited to an org and to scopes; the commands for them."""

from __future__ import annotations

import csv
import io
import sqlite3
import threading
from pathlib import Path

import pytest

from serving.access.state import State
from serving.access.state_file import StateError
from tests.support.guarded_app import run_app
from tests.support.home import tributary


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "serving.sqlite")


def test_a_key_is_found_by_its_text_only(state: State) -> None:
    key, text = state.create_key("northwind", {"read", "mark"}, "BI", "local")
    assert state.find_key(text) == key
    other, other_text = state.create_key(None, {"read"}, "report", "local")
    swapped = f"trib_{key.id}_{other_text.split('_', 2)[2]}"
    for wrong in (
        "",
        "trib_",
        text[:-1],
        f"{text}x",
        text.upper(),
        swapped,
        text.replace(key.id, "00000000"),
        f"{text}\n",
    ):
        assert state.find_key(wrong) is None, wrong
    assert [(each.org, each.scopes) for each in state.list_keys()] == [
        ("northwind", {"read", "mark"}),
        (None, {"read"}),
    ]
    assert other.org is None


def test_no_file_has_the_secret_and_only_the_owner_reads_them(state: State, tmp_path: Path) -> None:
    _, text = state.create_key("northwind", {"read"}, "BI", "local")
    state.note_use(state.find_key(text))
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ["serving.sqlite", "serving.sqlite-shm", "serving.sqlite-wal"]
    for path in files:
        assert path.stat().st_mode & 0o777 == 0o600, path
        assert text.split("_", 2)[2].encode() not in path.read_bytes()
        assert text.encode() not in path.read_bytes()
    assert b"northwind" in b"".join(path.read_bytes() for path in files)


def test_a_revoked_key_stops_at_once(tmp_path: Path) -> None:
    """The server is another process than the commands."""
    tributary(tmp_path, "keys", "create", "--admin", "--name", "first")
    settings = tmp_path / "tributary.yaml"
    settings.write_text(
        settings.read_text().replace("id: default", "id: northwind").replace("org: default", "org: northwind")
    )
    text = tributary(
        tmp_path, "keys", "create", "--org", "northwind", "--scope", "export", "--name", "BI"
    ).stdout.strip()
    with run_app(tmp_path, names=["dash.example"]) as app:
        answer = app.get("/api/who", Authorization=f"Bearer {text}").json()
        identity = text.split("_")[1]
        assert answer == {
            "name": f"key {identity}",
            "orgs": ["northwind"],
            "role": "analyst",
            "scopes": ["export", "read"],
        }
        listed = tributary(tmp_path, "keys", "list").stdout
        assert "first" in listed
        assert "never" in listed
        assert text not in listed
        with app.client() as browser:
            form = browser.get("/log-in").text
            token = form.split('name="csrf_token" value="')[1].split('"')[0]
            assert browser.post("/log-in", data={"key": text}).status_code == 403, "no CSRF token"
            wrong = browser.post("/log-in", data={"key": f"{text}x", "csrf_token": token})
            assert (wrong.status_code, "unknown or revoked" in wrong.text) == (403, True)
            done = browser.post("/log-in", data={"key": text, "csrf_token": token, "next": "/api/who"})
            assert (done.status_code, done.headers["location"]) == (303, "/api/who")
            assert browser.get("/api/who").json()["orgs"] == ["northwind"]
            tributary(tmp_path, "keys", "revoke", identity)
            assert browser.get("/api/who").status_code == 401, "the session ends with its key"
        answer = app.get("/api/who", Authorization=f"Bearer {text}")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert app.get("/api/who", Authorization=f"Basic {text}").status_code == 401
        assert app.get(f"/api/who?key={text}").status_code == 401
        rows = [(row.action, row.principal, row.org) for row in reversed(app.state.audit())]
        assert rows == [
            ("key_created", "local", None),
            ("key_created", "local", "northwind"),
            ("log_in_failed", "unknown", None),
            ("log_in", f"key {identity}", "northwind"),
            ("key_revoked", "local", "northwind"),
            ("log_in_failed", f"key {identity}", None),
            ("log_in_failed", f"key {identity}", None),
        ]


def test_a_key_reads_without_a_csrf_token(tmp_path: Path) -> None:
    _, text = State(tmp_path / "serving.sqlite").create_key("northwind", {"mark"}, "BI", "local")
    with run_app(tmp_path, names=["dash.example"]) as app, app.client(Authorization=f"Bearer {text}") as program:
        assert program.post("/api/act", content="abc").text == "abc"


def test_the_commands_refuse_wrong_input_and_fit_a_terminal(tmp_path: Path) -> None:
    for words, sentence in (
        (["--org", "defalt", "--name", "x"], "There is no org defalt. Do you mean default?"),
        (["--name", "x"], "Use one of --org ORG and --admin."),
        (["--admin", "--org", "default", "--name", "x"], "Use one of --org ORG and --admin."),
        (["--admin", "--scope", "all", "--name", "x"], "--scope all is unknown. Use read, export or mark."),
    ):
        assert sentence in tributary(tmp_path, "keys", "create", *words, code=2).stderr
    assert "There is no key 12345678" in tributary(tmp_path, "keys", "revoke", "12345678", code=2).stderr
    assert "There is no key yet" in tributary(tmp_path, "keys", "list").stdout
    assert "Nothing is recorded yet" in tributary(tmp_path, "audit").stdout
    scopes = ["--scope", "export", "--scope", "mark"]
    done = tributary(
        tmp_path, "keys", "create", "--org", "default", *scopes, "--name", "the nightly report [red]of all"
    )
    identity = done.stdout.split("_")[1]
    assert "Store this key now: it is not shown again." in done.stderr
    for command in ("keys list", "audit"):
        lines = tributary(tmp_path, *command.split()).stdout.splitlines()
        assert max(map(len, lines)) <= 80
        assert identity in "".join(lines)
        assert "[red]" in "".join(lines)
    tributary(tmp_path, "keys", "revoke", identity)
    assert "is revoked since" in tributary(tmp_path, "keys", "revoke", identity, code=2).stderr
    rows = list(csv.DictReader(io.StringIO(tributary(tmp_path, "audit", "--csv", "--limit", "1").stdout)))
    assert [(row["principal"], row["action"], row["org"]) for row in rows] == [("local", "key_revoked", "default")]
    assert "Nothing is recorded" in tributary(tmp_path, "audit", "--org", "other").stdout


def test_the_latest_mark_of_a_waste_flag_wins(state: State) -> None:
    state.mark_waste("northwind", "w1", "muted", "ana@example.com")
    state.mark_waste("northwind", "w1", "done", "max@example.com", "paused the ad")
    state.mark_waste("northwind", "w2", "muted", "ana@example.com")
    state.mark_waste("harbor", "w1", "muted", "eve@example.com")
    state.unmark("northwind", "w2", "ana@example.com")
    state.unmark("northwind", "w3", "ana@example.com")
    marks = state.waste_marks("northwind")
    assert {name: (mark.status, mark.by, mark.note) for name, mark in marks.items()} == {
        "w1": ("done", "max@example.com", "paused the ad")
    }
    assert [row.action for row in state.audit("northwind")] == ["waste_unmarked", *["waste_marked"] * 3]
    assert [row.principal for row in state.audit("harbor")] == ["eve@example.com"]


def test_threads_share_the_state(state: State, tmp_path: Path) -> None:
    """Two objects stand for two processes: SQLite locks the file in both cases."""
    other, errors = State(tmp_path / "serving.sqlite"), []

    def write(to: State, number: int) -> None:
        try:
            for count in range(25):
                to.record("local", "export", "northwind", {"question": f"{number}-{count}"})
                to.audit(limit=1)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(to, number)) for number, to in enumerate([state, other] * 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len({row.detail["question"] for row in state.audit(limit=1000)}) == 200


def test_a_file_of_a_later_program_is_refused(state: State, tmp_path: Path) -> None:
    secret = state.session_secret()
    assert State(tmp_path / "serving.sqlite").session_secret() == secret
    with sqlite3.connect(tmp_path / "serving.sqlite") as connection:
        connection.execute("pragma user_version = 99")
    with pytest.raises(StateError, match="schema version 99"):
        State(tmp_path / "serving.sqlite")
