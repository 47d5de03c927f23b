"""One account's days from its platform into the warehouse: asked for, spooled, loaded.

In: an ad account of tributary.yaml, its platform, the days. Out: raw.ad_spend, raw.ad_entities, raw.ad_clicks, a row of
raw.pulls whatever came of it, and an Outcome. The network is waited for without the warehouse's lock: that is taken
when all rows lie in the home's tmp/, one a line, so that memory stays flat and a build goes on meanwhile.
"""

from __future__ import annotations

import shutil
import time
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, date, timedelta
from pathlib import Path
from urllib.parse import quote

import msgspec

from connectors.credentials import load
from connectors.errors import VendorError
from connectors.http import Api, Clock, SystemClock
from connectors.platform import Account, Platform
from ingestion.ad_entities import keep_clicks, keep_entities
from ingestion.contracts import ContractError
from ingestion.home import Home, build_lock, connect, held
from ingestion.pulls import Pull, PullReport, load_pull, record_failure
from ingestion.settings import AdAccount, Settings
from orchestration.console import state
from orchestration.pulling.days import Day, days_of

SAY_EVERY = 2.0  # seconds
SHOWN_DAYS = 90  # of a platform, up to the last one pulled
_encode = msgspec.json.Encoder().encode

Say = Callable[[str], None]


class Task(msgspec.Struct, frozen=True):
    """Days of an account, both included, to be pulled. They are the account's days."""

    platform: Platform
    account: AdAccount
    start: date
    end: date

    @property
    def name(self) -> str:
        return f"{self.platform.name} {self.account.account_id}"


class Outcome(msgspec.Struct, frozen=True):
    """What became of the pull of one account."""

    report: PullReport
    warnings: list[str] = []  # what else went wrong, while the spend was loaded
    days: list[Day] = []  # what the warehouse now holds of the platform, SHOWN_DAYS and more

    @property
    def is_whole(self) -> bool:
        return self.report.status == "loaded"


def pull(home: Home, settings: Settings, task: Task, *, say: Say, clock: Clock | None = None) -> Outcome:
    """Pull an account's days. What fails is in the Outcome and in raw.pulls; an interruption leaves nothing."""
    clock = clock or SystemClock()
    folder = home.temporary / f"pull-{task.platform.name}-{quote(task.account.account_id, safe='')}"
    with held(folder.with_name(f"{folder.name}.lock"), f"the pull of {task.name}", say):
        shutil.rmtree(folder, ignore_errors=True)  # what a killed one left
        folder.mkdir()
        try:
            return _pulled(home, settings, task, folder, clock=clock, teller=Teller(task.name, say))
        finally:
            shutil.rmtree(folder)


class Teller:
    """Says how far a pull has come, every two seconds."""

    def __init__(self, name: str, say: Say) -> None:
        self.name, self._say, self._told = name, say, time.monotonic()

    def say(self, message: str) -> None:
        self._say(f"{self.name}: {message}")

    def progress(self, number: int, what: str, row: msgspec.Struct) -> None:
        if time.monotonic() - self._told >= SAY_EVERY:
            self._told = time.monotonic()
            day = f", {row.date}" if hasattr(row, "date") else ""
            self.say(f"{number:,} {what}{day}")


def _pulled(home: Home, settings: Settings, task: Task, folder: Path, *, clock: Clock, teller: Teller) -> Outcome:
    started = clock.now().astimezone(UTC).replace(tzinfo=None)
    asked = Pull(task.account.org, task.platform.name, task.account.account_id, task.start, task.end, started)
    secrets: Iterable[str] = ()
    try:
        credentials = load(task.platform, home.root / "credentials.bin")
        secrets = credentials.values.values()
        with Api(task.platform, credentials, clock=clock, say=teller.say) as api:
            warnings = _spool_all(api, task, folder, teller)
        with build_lock(home, f"pull {task.name}", teller.say), connect(home) as connection:
            report = load_pull(connection, asked, folder / "spend", settings)
            if (folder / "entities").exists():
                keep_entities(connection, asked.org, asked.platform, folder / "entities", started)
            if (folder / "clicks").exists():
                keep_clicks(connection, asked.org, asked.platform, folder / "clicks")
            shown_from = min(task.start, task.end - timedelta(days=SHOWN_DAYS - 1))
            return Outcome(report, warnings, days_of(connection, asked.platform, shown_from, task.end))
    except Exception as error:
        if state["debug"] and not isinstance(error, VendorError):
            raise
        reason = explained(error, secrets)
        with build_lock(home, f"pull {task.name}", teller.say), connect(home) as connection:
            record_failure(connection, asked, reason)
        return Outcome(PullReport(asked, "failed", reason))


def _spool_all(api: Api, task: Task, folder: Path, teller: Teller) -> list[str]:
    """Spend, entities and clicks -> a file each. Names and clicks that cannot be had leave a warning, not a failure."""
    platform, known = api.platform, task.account
    account = Account(known.account_id, known.name, known.currency, known.timezone, known.manager)
    spool(platform.spend(api, account, task.start, task.end), folder / "spend", teller, "rows")
    more: dict[str, Callable[[], Iterable[msgspec.Struct]]] = {"entities": lambda: platform.entities(api, account)}
    if clicks := platform.clicks:
        more["clicks"] = lambda: clicks(api, account, task.start, task.end)
    warnings = []
    for what, read in more.items():
        try:
            spool(read(), folder / what, teller, what)
        except Exception as error:
            (folder / what).unlink(missing_ok=True)
            warnings.append(f"no {what} this time: {explained(error, api.credentials.values.values())}")
    return warnings


def spool(rows: Iterable[msgspec.Struct], path: Path, teller: Teller, what: str) -> None:
    """The rows as NDJSON."""
    with path.open("wb") as file:
        for number, row in enumerate(rows, 1):
            file.write(_encode(row) + b"\n")
            teller.progress(number, what, row)


def explained(error: Exception, secrets: Iterable[str]) -> str:
    """What went wrong, for people, with no secret in it."""
    text = str(error)
    if not isinstance(error, VendorError | ContractError | OSError):
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        text = f"{type(error).__name__}: {text} ({place}): a defect of Tributary; please report it"
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) > 3:
            text = text.replace(secret, "***")
    return text
