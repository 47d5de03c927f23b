"""Pull accounts, a few at a time.

In: Tasks. Out: rows in raw.ad_spend, raw.pulls, raw.ad_entities and raw.ad_clicks; an Outcome of each account.

Threads fetch (fetch.py). The caller's thread loads, many accounts at once, and only it opens the warehouse.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from queue import Empty, Queue

import msgspec

from ingestion.home import Home
from ingestion.settings.model import Settings
from ingestion.spend.entities import merge_clicks, merge_entities
from ingestion.spend.pulls import PullReport, load_pulls, record_failure
from ingestion.sql import Connection
from ingestion.text import counted
from ingestion.warehouse import build_lock, connect
from orchestration.pulling.fetch import Fetched, Log, StoppableClock, describe_error, fetch_account
from orchestration.pulling.plan import Task

FETCHERS = 4  # a pull mostly waits for reports; platforms limit the calls of an app or a developer as a whole
BATCH = 50  # accounts that are loaded at once; this costs little more than one
BATCH_SECONDS = 60.0  # that an account waits for its batch at most: an interruption loses at most this much work
GRACE_SECONDS = 5.0  # after an interruption, so that a thread can store a renewed token

_Result = tuple[int, Fetched, ExitStack] | BaseException


class Outcome(msgspec.Struct, frozen=True):
    """The outcome of one account's pull."""

    report: PullReport
    warnings: list[str] = []  # what failed beside the spend

    @property
    def is_whole(self) -> bool:
        """Whether every requested day was loaded."""
        return self.report.status == "loaded"


def pull_accounts(
    home: Home, settings: Settings, tasks: Sequence[Task], *, log: Log, clock: StoppableClock | None = None
) -> Generator[tuple[int, Outcome]]:
    """Pull accounts. Yield the index of each in `tasks` and its outcome as soon as it is loaded.

    A failure is in the Outcome and in raw.pulls. If the caller closes the generator, as Ctrl-C does, accounts that are
    not loaded yet leave nothing behind.
    """
    clock = clock or StoppableClock()
    remaining = enumerate(tasks)  # shared: each thread takes the next
    results: Queue[_Result] = Queue()

    def work() -> None:
        try:
            for index, task in remaining:
                clock.check()
                place = places.enter_context(ExitStack())
                results.put((index, fetch_account(home, task, place, clock=clock, log=log), place))
        except BaseException as error:
            results.put(error)

    # Daemon threads: one that still waits for the network after GRACE_SECONDS ends with the process.
    threads = [threading.Thread(target=work, name=f"pull-{n}", daemon=True) for n in range(min(FETCHERS, len(tasks)))]
    with ExitStack() as places:
        try:
            for thread in threads:
                thread.start()
            left = len(tasks)
            while left:
                batch = _next_batch(results, left)
                outcomes = _load_batch(home, settings, [fetched for _, fetched, _ in batch], log)
                left -= len(batch)
                for (index, _, place), outcome in zip(batch, outcomes, strict=True):
                    place.close()
                    yield index, outcome
                if left:
                    log(f"{len(tasks) - left:,} of {counted(len(tasks), 'account')} loaded")
        finally:
            clock.stop()
            until = time.monotonic() + GRACE_SECONDS
            for thread in threads:
                thread.join(max(0.0, until - time.monotonic()))


def _next_batch(results: Queue[_Result], left: int) -> list[tuple[int, Fetched, ExitStack]]:
    """Return the next fetched accounts: a full batch, the last ones, or those that have waited long enough."""
    batch: list[tuple[int, Fetched, ExitStack]] = []
    due: float | None = None
    while len(batch) < min(left, BATCH):
        try:
            result = results.get(timeout=None if due is None else max(0.0, due - time.monotonic()))
        except Empty:
            break
        if isinstance(result, BaseException):
            raise result
        batch.append(result)
        due = due or time.monotonic() + BATCH_SECONDS
    return batch


def _load_batch(home: Home, settings: Settings, batch: Sequence[Fetched], log: Log) -> list[Outcome]:
    """Load accounts with one connection; return their outcomes in order. One failure does not stop the others."""
    complete = [each for each in batch if each.failure is None]
    with build_lock(home, f"pull of {counted(len(batch), 'account')}", log), connect(home) as connection:
        reports = iter(_load_spend(connection, complete, settings))
        warnings = {each.folder: [*each.warnings] for each in complete}
        for what in ("entities", "clicks"):
            for folder, warning in _merge_by_platform(connection, what, complete):
                warnings[folder].append(warning)
        return [
            Outcome(next(reports), warnings[each.folder])
            if each.failure is None
            else Outcome(record_failure(connection, each.pull, each.failure))
            for each in batch
        ]


def _load_spend(connection: Connection, batch: Sequence[Fetched], settings: Settings) -> list[PullReport]:
    """Load in one transaction. If that fails, load each account alone, so that only the faulty one fails."""
    try:
        return load_pulls(connection, [(each.pull, each.folder / "spend") for each in batch], settings)
    except Exception as error:
        if len(batch) == 1:
            return [record_failure(connection, batch[0].pull, describe_error(error))]
        return [report for each in batch for report in _load_spend(connection, [each], settings)]


def _merge_by_platform(connection: Connection, what: str, batch: Sequence[Fetched]) -> Iterator[tuple[Path, str]]:
    """Merge entities or clicks, the accounts of an org and platform together. Yield warnings by folder."""

    def owner(each: Fetched) -> tuple[str, str]:
        return each.pull.org, each.pull.platform

    present = [each for each in batch if (each.folder / what).exists()]
    for _, same in groupby(sorted(present, key=owner), key=owner):
        yield from _merge(connection, what, list(same))


def _merge(connection: Connection, what: str, batch: Sequence[Fetched]) -> Iterator[tuple[Path, str]]:
    """Merge entities or clicks of one platform. The spend is loaded already, so that a failure is only a warning."""
    pull, joined = batch[0].pull, batch[0].folder / f"all {what}"
    try:
        with joined.open("wb") as target:
            for each in batch:
                with (each.folder / what).open("rb") as source:
                    shutil.copyfileobj(source, target)
        if what == "clicks":
            merge_clicks(connection, pull.org, pull.platform, joined)
        else:
            at = max(each.pull.started_at for each in batch)  # before later pulls of these accounts: they wait
            merge_entities(connection, pull.org, pull.platform, joined, at)
    except Exception as error:
        if len(batch) == 1:
            yield batch[0].folder, f"{what} were not stored: {describe_error(error)}"
            return
        for each in batch:
            yield from _merge(connection, what, [each])
