"""Accounts pulled a few at a time. In: Tasks. Out: Outcomes, whatever came of each.

Threads wait for the network; the caller's loads what they spooled, and nobody else opens the warehouse.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from queue import Empty, Queue

from ingestion.home import Home
from ingestion.settings.model import Settings
from orchestration.pulling.load import Outcome, load_accounts
from orchestration.pulling.plan import Task
from orchestration.pulling.spool import Say, Spooled, StoppableClock, spool_account

AT_ONCE = 4  # a pull mostly waits for reports; of many at a time platforms throttle the app, or the developer, as one
LOAD_AT_ONCE = 50  # accounts: loading them costs little more than loading one
LOAD_AFTER = 60.0  # seconds that an account waits to be loaded at most: so much work an interruption can lose
GRACE = 5.0  # seconds after an interruption: a token that is being renewed is to be kept

_Result = tuple[int, Spooled, ExitStack] | BaseException


def pull_accounts(
    home: Home, settings: Settings, tasks: Sequence[Task], *, say: Say, clock: StoppableClock | None = None
) -> Iterator[tuple[int, Outcome]]:
    """Pull accounts: the place of each in `tasks`, and what became of it, as soon as it is loaded.

    What fails is in the Outcome and in raw.pulls. Where the generator is left before its end, as by Ctrl-C, what was
    not yet loaded is dropped, and nothing of it remains.
    """
    clock = clock or StoppableClock()
    todo = enumerate(tasks)  # from which a thread takes what no other takes
    results: Queue[_Result] = Queue()

    def work() -> None:
        try:
            for number, task in todo:
                clock.check()
                place = places.enter_context(ExitStack())
                results.put((number, spool_account(home, task, place, clock=clock, say=say), place))
        except BaseException as error:
            results.put(error)

    # Daemons: who still waits for the network when the time of grace is over ends with the process.
    threads = [threading.Thread(target=work, name=f"pull-{n}", daemon=True) for n in range(min(AT_ONCE, len(tasks)))]
    with ExitStack() as places:
        try:
            for thread in threads:
                thread.start()
            left = len(tasks)
            while left:
                batch = _batch(results, left)
                outcomes = load_accounts(home, settings, [spooled for _, spooled, _ in batch], say)
                left -= len(batch)
                for (number, _, place), outcome in zip(batch, outcomes, strict=True):
                    place.close()
                    yield number, outcome
                if left:
                    say(f"{len(tasks) - left:,} of {len(tasks):,} accounts are loaded")
        finally:
            clock.stop()
            until = time.monotonic() + GRACE
            for thread in threads:
                thread.join(max(0.0, until - time.monotonic()))


def _batch(results: Queue[_Result], left: int) -> list[tuple[int, Spooled, ExitStack]]:
    """The next accounts to be loaded: enough of them, the last ones, or those that have waited long."""
    batch: list[tuple[int, Spooled, ExitStack]] = []
    due: float | None = None
    while len(batch) < min(left, LOAD_AT_ONCE):
        try:
            result = results.get(timeout=None if due is None else max(0.0, due - time.monotonic()))
        except Empty:
            break
        if isinstance(result, BaseException):
            raise result
        batch.append(result)
        due = due or time.monotonic() + LOAD_AFTER
    return batch
