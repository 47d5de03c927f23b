"""One account's days from its platform to files, a line a row, so that memory stays flat.

In: a Task, the network. Out: Spooled: a folder in the home's tmp/, which load.py reads. It and the account are held
until their place is closed: nobody pulls an account twice at a time.
"""

from __future__ import annotations

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

from cli.console import complaints, state
from connectors.auth.credentials import load
from connectors.http.client import PlatformClient
from connectors.http.errors import VendorError, redact
from connectors.http.retry import SystemClock
from connectors.platform import Account
from ingestion.files.contracts import ContractError
from ingestion.home import Home
from ingestion.spend.pulls import Pull
from ingestion.warehouse import file_lock
from orchestration.pulling.plan import Task

SAY_EVERY = 2.0  # seconds
_encode = msgspec.json.Encoder().encode

Say = Callable[[str], None]


class Stopped(BaseException):
    """The pull is to end at once; nothing catches it that catches failures."""


class StoppableClock(SystemClock):
    """Its sleepers wake when it is stopped, for Stopped: a platform may want an hour of rest."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def sleep(self, seconds: float) -> None:
        self._stopped.wait(seconds)
        self.check()

    def stop(self) -> None:
        self._stopped.set()

    def check(self) -> None:
        if self._stopped.is_set():
            raise Stopped


class Spooled(msgspec.Struct, frozen=True):
    """What an account was asked for, and its answer: files of the folder called spend, entities and clicks."""

    pull: Pull
    folder: Path
    warnings: list[str] = []  # why there are no entities or clicks
    failure: str | None = None  # why there is nothing at all


def spool_account(home: Home, task: Task, place: ExitStack, *, clock: StoppableClock, say: Say) -> Spooled:
    """Ask for an account's days. What fails is in Spooled; `place` gets what is to be given back once it is loaded."""

    def tell(message: str) -> None:
        say(f"{task.name}: {message}")

    account = task.account
    folder = home.temporary / f"pull-{task.platform.name}-{quote(account.account_id, safe='')}"
    place.enter_context(file_lock(folder.with_name(f"{folder.name}.lock"), f"the pull of {task.name}", tell))
    clock.check()
    shutil.rmtree(folder, ignore_errors=True)  # what a killed one left
    place.callback(shutil.rmtree, folder, ignore_errors=True)
    folder.mkdir()
    tell(f"{task.start} to {task.end}")
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
        return Spooled(pull, folder, failure=explained(error))
    former = credentials.values  # they may be renewed
    try:
        with PlatformClient(task.platform, credentials, clock=clock, log=tell) as client:
            return Spooled(pull, folder, _spool_all(client, task, folder, clock, tell))
    except Exception as error:
        return Spooled(pull, folder, failure=explained(error, former, credentials.values))


def _spool_all(client: PlatformClient, task: Task, folder: Path, clock: StoppableClock, say: Say) -> list[str]:
    """Spend, entities and clicks -> a file each. Names and clicks that cannot be had leave a warning, not a failure."""
    platform, known, former = task.platform, task.account, client.credentials.values
    account = Account(
        account_id=known.account_id,
        name=known.name,
        currency=known.currency,
        timezone=known.timezone,
        manager=known.manager,
    )
    spool(platform.spend(client, account, task.start, task.end), folder / "spend", "rows", say, clock.check)
    more: dict[str, Callable[[], Iterable[msgspec.Struct]]] = {"entities": lambda: platform.entities(client, account)}
    if clicks := platform.clicks:
        more["clicks"] = lambda: clicks(client, account, task.start, task.end)
    warnings = []
    for what, read in more.items():
        try:
            spool(read(), folder / what, what, say, clock.check)
        except Exception as error:
            (folder / what).unlink(missing_ok=True)
            warnings.append(f"no {what} this time: {explained(error, former, client.credentials.values)}")
    return warnings


def spool(
    rows: Iterable[msgspec.Struct], path: Path, what: str, say: Say, check: Callable[[], None] = lambda: None
) -> None:
    """The rows as NDJSON; says how far it has come every two seconds. check: raises when it is to end."""
    told = time.monotonic()
    with path.open("wb") as file:
        for number, row in enumerate(rows, 1):
            check()
            file.write(_encode(row) + b"\n")
            if time.monotonic() - told >= SAY_EVERY:
                told = time.monotonic()
                say(f"{number:,} {what}" + (f", {row.date}" if hasattr(row, "date") else ""))


def explained(error: Exception, *credentials: Mapping[str, str]) -> str:
    """What went wrong, for people, with no secret in it. With --debug the trace is shown, without secrets, too."""
    secrets = [value for values in credentials for name, value in values.items() if name.endswith(("token", "secret"))]
    if isinstance(error, VendorError | ContractError | OSError | duckdb.OperationalError):
        return redact(str(error), {}, *secrets)
    if state["debug"]:
        trace = "".join(traceback.format_exception(error))
        complaints.print(redact(trace, {}, *secrets), markup=False, soft_wrap=True)
    where = traceback.extract_tb(error.__traceback__)[-1]
    text = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
    return redact(f"{text}: a defect of Tributary; please report it", {}, *secrets)
