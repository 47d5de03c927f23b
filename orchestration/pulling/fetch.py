"""Fetch an account's days from its platform into files, one line for each row, so that memory stays flat.

In: a Task, the network. Out: Fetched, a folder in the home's tmp/ that accounts.py loads. The folder and the lock on
the account last until their ExitStack is closed: no two processes pull an account at once.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC
from pathlib import Path
from urllib.parse import quote

import duckdb
import msgspec

from connectors.auth.credentials import load
from connectors.http.client import PlatformClient
from connectors.http.errors import VendorError, redact
from connectors.http.retry import SystemClock
from connectors.platform import Account
from ingestion.file_lock import file_lock
from ingestion.files.contracts import ContractError
from ingestion.home import Home
from ingestion.spend.pulls import Pull
from orchestration.pulling.plan import Task

SECONDS_BETWEEN_LINES = 2.0  # of progress
traces = logging.getLogger("tributary.traces")  # shown with --debug
_encode = msgspec.json.Encoder().encode

Log = Callable[[str], None]


class Stopped(BaseException):
    """The pull must end at once. No handler of failures catches this."""


class StoppableClock(SystemClock):
    """A clock that wakes its sleepers with Stopped when it is stopped. Platforms may ask for an hour of patience."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def sleep(self, seconds: float) -> None:
        """Wait, or raise Stopped."""
        self._stopped.wait(seconds)
        self.check()

    def stop(self) -> None:
        """Wake all sleepers."""
        self._stopped.set()

    def check(self) -> None:
        """Raise Stopped if the clock was stopped."""
        if self._stopped.is_set():
            raise Stopped


class Fetched(msgspec.Struct, frozen=True):
    """A request and its response: the files spend, entities and clicks in a folder."""

    pull: Pull
    folder: Path
    warnings: list[str] = []  # why there are no entities or clicks
    failure: str | None = None  # why there is no spend


def fetch_account(home: Home, task: Task, place: ExitStack, *, clock: StoppableClock, log: Log) -> Fetched:
    """Fetch an account's days. Failures are in the result. `place` deletes the folder and frees the lock."""

    def progress(message: str) -> None:
        log(f"{task.name}: {message}")

    account = task.account
    folder = home.temporary / f"pull-{task.platform.name}-{quote(account.account_id, safe='')}"
    place.enter_context(file_lock(folder.with_name(f"{folder.name}.lock"), f"the pull of {task.name}", progress))
    clock.check()
    shutil.rmtree(folder, ignore_errors=True)  # of a killed process
    place.callback(shutil.rmtree, folder, ignore_errors=True)
    folder.mkdir()
    progress(f"{task.start} to {task.end}")
    started = clock.now().astimezone(UTC).replace(tzinfo=None)
    pull = Pull(
        org=account.org,
        platform=task.platform.name,
        account_id=account.account_id,
        start=task.start,
        end=task.end,
        started_at=started,
    )
    try:
        credentials = load(task.platform, home.root / "credentials.bin")
    except Exception as error:
        return Fetched(pull, folder, failure=describe_error(error))
    former = credentials.values  # a request may renew them
    try:
        with PlatformClient(task.platform, credentials, clock=clock, log=progress) as client:
            return Fetched(pull, folder, _write_files(client, task, folder, clock, progress))
    except Exception as error:
        return Fetched(pull, folder, failure=describe_error(error, former, credentials.values))


def _write_files(client: PlatformClient, task: Task, folder: Path, clock: StoppableClock, log: Log) -> list[str]:
    """Write spend, entities and clicks, and return a warning if entities or clicks fail."""
    platform, listed, former = task.platform, task.account, client.credentials.values
    account = Account(
        account_id=listed.account_id,
        name=listed.name,
        currency=listed.currency,
        timezone=listed.timezone,
        manager=listed.manager,
    )
    write_rows(platform.spend(client, account, task.start, task.end), folder / "spend", "rows", log, clock.check)
    more: dict[str, Callable[[], Iterable[msgspec.Struct]]] = {"entities": lambda: platform.entities(client, account)}
    if clicks := platform.clicks:
        more["clicks"] = lambda: clicks(client, account, task.start, task.end)
    warnings = []
    for what, read in more.items():
        try:
            write_rows(read(), folder / what, what, log, clock.check)
        except Exception as error:
            (folder / what).unlink(missing_ok=True)
            warnings.append(f"no {what} this time: {describe_error(error, former, client.credentials.values)}")
    return warnings


def write_rows(
    rows: Iterable[msgspec.Struct], path: Path, what: str, log: Log, check: Callable[[], None] = lambda: None
) -> None:
    """Write the rows as NDJSON and log the progress. `check` raises an exception to stop."""
    logged = time.monotonic()
    with path.open("wb") as file:
        for number, row in enumerate(rows, 1):
            check()
            file.write(_encode(row) + b"\n")
            if time.monotonic() - logged >= SECONDS_BETWEEN_LINES:
                logged = time.monotonic()
                log(f"{number:,} {what}" + (f", {row.date}" if hasattr(row, "date") else ""))


def describe_error(error: Exception, *credentials: Mapping[str, str]) -> str:
    """Return a sentence about the error without secrets. The redacted trace of a defect goes to the log `traces`."""
    secrets = [value for values in credentials for name, value in values.items() if name.endswith(("token", "secret"))]
    if isinstance(error, VendorError | ContractError | OSError | duckdb.OperationalError):
        return redact(str(error), {}, *secrets)
    traces.debug(redact("".join(traceback.format_exception(error)), {}, *secrets))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"
    return redact(f"{text}. This is a defect of Tributary. Please report it.", {}, *secrets)
