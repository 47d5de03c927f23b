"""What the server must remember: API keys, audit rows, marks of waste, ended sessions, and the secret of its cookies.

In: the path of serving.sqlite in the home folder. Out: State, which threads and processes may share.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from serving.access.state_file import StateError, StateFile

SCOPES = ("read", "export", "mark")  # all questions; CSV, Parquet and Arrow answers; marks of waste
STATUSES = ("done", "muted")
_KEY = re.compile(r"trib_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_SECONDS_BETWEEN_USES = 60  # last_used_at needs no write for each request


@dataclass(frozen=True)
class Key:
    """An API key, without its secret. org: None for an admin key, which sees all orgs. Times are UTC."""

    id: str
    org: str | None
    scopes: frozenset[str]
    name: str
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class AuditRow:
    """One action of a principal: its e-mail address, `key <id>` or `local`. at: UTC."""

    id: int
    at: datetime
    principal: str
    action: str
    org: str | None
    detail: dict[str, Any]


@dataclass(frozen=True)
class WasteMark:
    """The latest mark of a waste flag. at: UTC."""

    status: str  # done, muted
    by: str
    at: datetime
    note: str


class State:
    """The content of serving.sqlite."""

    def __init__(self, path: Path) -> None:
        """Open the file. Create it if that is necessary. StateError for a file of a later program."""
        self._file = StateFile(path)

    def session_secret(self) -> str:
        """Return the secret that signs cookies. It is random, and the same for all processes."""
        return str(self._file.rows("select value from secrets where name = 'session'")[0]["value"])

    def create_key(self, org: str | None, scopes: Collection[str], name: str, created_by: str) -> tuple[Key, str]:
        """Return a new key and its text, which nothing stores."""
        identity, secret, now = secrets.token_hex(4), secrets.token_urlsafe(32), _now()
        text = f"trib_{identity}_{secret}"
        ordered = [scope for scope in SCOPES if scope in scopes]
        with self._file.transaction() as connection:
            connection.execute(
                "insert into keys (id, org, scopes, name, hash, created_at, created_by) values (?, ?, ?, ?, ?, ?, ?)",
                [identity, org, " ".join(ordered), name, _hash(text), now, created_by],
            )
            detail = {"key": identity, "name": name, "scopes": ordered}
            _record(connection, created_by, "key_created", org, detail)
        key = Key(identity, org, frozenset(ordered), name, _time(now), created_by, None, None)
        return key, text

    def list_keys(self) -> list[Key]:
        """Return all keys, also revoked ones, in the order of their creation."""
        return [_key(row) for row in self._file.rows("select * from keys order by created_at, rowid")]

    def revoke_key(self, identity: str, by: str) -> Key:
        """Make a key invalid from now on, and return it. StateError if there is no such key or it is revoked."""
        with self._file.transaction() as connection:
            row = connection.execute("select * from keys where id = ?", [identity]).fetchone()
            if row is None:
                raise StateError(f"There is no key {identity}. List all keys: tributary keys list")
            if row["revoked_at"]:
                raise StateError(f"Key {identity} is revoked since {row['revoked_at'][:10]}.")
            connection.execute("update keys set revoked_at = ? where id = ?", [_now(), identity])
            _record(connection, by, "key_revoked", row["org"], {"key": identity, "name": row["name"]})
            return _key(connection.execute("select * from keys where id = ?", [identity]).fetchone())

    def find_key(self, text: str) -> Key | None:
        """Return the valid key with this text, or None."""
        row = next(iter(self._file.rows("select * from keys where id = ?", [key_id(text)])), None)
        is_same = hmac.compare_digest(_hash(text), row["hash"] if row else "")
        return _key(row) if row and is_same and not row["revoked_at"] else None

    def valid_key(self, identity: str) -> Key | None:
        """Return the key with this id unless it is revoked. For sessions that began with the key."""
        rows = self._file.rows("select * from keys where id = ? and revoked_at is null", [identity])
        return _key(rows[0]) if rows else None

    def note_use(self, key: Key) -> None:
        """Store when a key was last used, to the minute."""
        now = datetime.now(UTC)
        if key.last_used_at is None or (now - key.last_used_at).total_seconds() >= _SECONDS_BETWEEN_USES:
            with self._file.transaction() as connection:
                connection.execute("update keys set last_used_at = ? where id = ?", [_text(now), key.id])

    def record(
        self, principal: str, action: str, org: str | None = None, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Add an audit row. action: log_in, log_in_failed, log_out, export and so on. detail: never a secret."""
        with self._file.transaction() as connection:
            _record(connection, principal, action, org, detail or {})

    def audit(self, org: str | None = None, limit: int = 100) -> list[AuditRow]:
        """Return the latest audit rows, the newest first; org: only rows of this org."""
        where = "" if org is None else "where org = :org"
        rows = self._file.rows(
            f"select * from audit {where} order by id desc limit :limit", {"org": org, "limit": limit}
        )
        return [AuditRow(**{**row, "at": _time(row["at"]), "detail": json.loads(row["detail"])}) for row in rows]

    def mark_waste(self, org: str, waste_id: str, status: str, by: str, note: str = "") -> WasteMark:
        """Mark a waste flag as done or muted. A new mark replaces an older one; the audit keeps both."""
        now = _now()
        with self._file.transaction() as connection:
            connection.execute(
                "insert or replace into waste_marks (org, waste_id, status, by, at, note) values (?, ?, ?, ?, ?, ?)",
                [org, waste_id, status, by, now, note],
            )
            _record(connection, by, "waste_marked", org, {"waste_id": waste_id, "status": status, "note": note})
        return WasteMark(status, by, _time(now), note)

    def unmark(self, org: str, waste_id: str, by: str) -> None:
        """Remove the mark of a waste flag, if it has one."""
        with self._file.transaction() as connection:
            if connection.execute("delete from waste_marks where org = ? and waste_id = ?", [org, waste_id]).rowcount:
                _record(connection, by, "waste_unmarked", org, {"waste_id": waste_id})

    def waste_marks(self, org: str) -> dict[str, WasteMark]:
        """Return the mark of each marked waste flag of an org, by the id of the flag."""
        rows = self._file.rows("select * from waste_marks where org = ?", [org])
        return {row["waste_id"]: WasteMark(row["status"], row["by"], _time(row["at"]), row["note"]) for row in rows}

    def end_session(self, identity: str, expires_at: datetime) -> None:
        """Refuse the cookie of a session from now on. Sessions that have expired anyway are forgotten."""
        with self._file.transaction() as connection:
            connection.execute("delete from ended_sessions where expires_at < ?", [_now()])
            connection.execute("insert or ignore into ended_sessions values (?, ?)", [identity, _text(expires_at)])

    def has_ended(self, identity: str) -> bool:
        """Return whether the person has ended the session."""
        return bool(self._file.rows("select 1 from ended_sessions where id = ?", [identity]))


def key_id(text: str) -> str | None:
    """Return the id in the text of a key, which need not be valid; None if the text is no key."""
    found = _KEY.fullmatch(text)
    return found[1] if found else None


def _record(
    connection: sqlite3.Connection, principal: str, action: str, org: str | None, detail: Mapping[str, Any]
) -> None:
    connection.execute(
        "insert into audit (at, principal, action, org, detail) values (?, ?, ?, ?, ?)",
        [_now(), principal, action, org, json.dumps(detail, ensure_ascii=False)],
    )


def _key(row: sqlite3.Row) -> Key:
    return Key(
        id=row["id"],
        org=row["org"],
        scopes=frozenset(row["scopes"].split()),
        name=row["name"],
        created_at=_time(row["created_at"]),
        created_by=row["created_by"],
        revoked_at=_time(row["revoked_at"]) if row["revoked_at"] else None,
        last_used_at=_time(row["last_used_at"]) if row["last_used_at"] else None,
    )


def _hash(text: str) -> str:
    """Return the SHA-256 of a key. A slow hash protects words that people choose; nobody can guess 32 random bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def _now() -> str:
    return _text(datetime.now(UTC))


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
