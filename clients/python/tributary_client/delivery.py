"""The rules of delivery, without input or output: what to send when, what an answer means, when to try again.

In: an Outbox, and the answers that a driver sends back. Out: the driver's steps (Post a body, Wait some seconds). The
same rules drive a thread (Client) and a task (AsyncClient).
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from tributary_client.outbox import BATCH_EVENTS, Outbox, Problem, log

FIRST_BACKOFF, LONGEST_BACKOFF, LONGEST_RETRY_AFTER = 0.5, 60.0, 600.0  # seconds
AGAIN = {408, 425, 429, 500, 502, 503, 504}  # answers after which the same request may succeed
DIVIDE = {400, 413}  # answers that one event of many may have caused


@dataclass(frozen=True)
class Post:
    """Send this body, for at most so many seconds; send back the answer, or the error that came instead."""

    body: bytes
    seconds: float


@dataclass(frozen=True)
class Wait:
    """Come back after so many seconds (None: whenever), or earlier when somebody wakes the driver."""

    seconds: float | None


Step = Post | Wait
Answer = httpx.Response | httpx.HTTPError | None  # None: of a Wait


def deliveries(outbox: Outbox, public_key: str) -> Generator[Step, Answer, None]:
    """The steps of a driver's whole life, which ends when the outbox is closed and empty or its time is up.

    A batch is tried again for as long as the client lives: the queue's bound, not a number of tries, limits what an
    outage costs. The event ids stay the same, so that a try whose answer was lost counts once.
    """
    limit, failures = BATCH_EVENTS, 0
    while (left := outbox.until - time.monotonic()) > 0 and (outbox or not outbox.closed):
        pause = outbox.pause()
        if pause != 0:
            yield Wait(pause)
            continue
        events = outbox.batch(limit)
        body = b'{"publicKey":%b,"events":[%b]}' % (json.dumps(public_key).encode(), b",".join(events))
        answer = yield Post(body, left)
        if not isinstance(answer, httpx.Response) or answer.status_code in AGAIN:
            seconds = _delay(answer, failures)
            reason = answer.status_code if isinstance(answer, httpx.Response) else type(answer).__name__
            log.warning("not delivered (%s): next try in %.1f s", reason, seconds)
            yield from _backoff(outbox, seconds)
            failures += 1
        elif answer.status_code in DIVIDE and len(events) > 1:
            limit = len(events) // 2
        else:
            outbox.settle(len(events), _problems(events, answer))
            limit, failures = BATCH_EVENTS, 0


def _backoff(outbox: Outbox, seconds: float) -> Generator[Step, Answer, None]:
    """Wait; a flush or close ends it, for whoever asked has a deadline."""
    hurries, over = outbox.hurries, time.monotonic() + seconds
    while outbox.hurries == hurries and (left := min(over, outbox.until) - time.monotonic()) > 0:
        yield Wait(left)


def _delay(answer: Answer, failures: int) -> float:
    """Seconds until the next try: exponential with full jitter, or what the collector asks for and a little more.

    Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    asked = _retry_after(answer.headers.get("Retry-After", "")) if isinstance(answer, httpx.Response) else 0.0
    longest = FIRST_BACKOFF if asked else min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(failures, 10))
    return asked + random.uniform(0, longest)


def _retry_after(header: str) -> float:
    """Seconds of a Retry-After header, which has seconds or a date; 0 where it has neither."""
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def _problems(events: list[bytes], answer: httpx.Response) -> list[Problem]:
    """What an answer says about the events that it does not take."""
    try:
        said = answer.json()
    except ValueError:
        said = None
    if answer.status_code == 202 and isinstance(said, dict) and "received" in said:
        return [
            Problem(json.loads(events[e["index"]]), e["reason"], e.get("detail") or "", e["layer"], e.get("field"))
            for e in said.get("errors") or ()
        ]
    told = said.get("detail") if isinstance(said, dict) else None
    detail = told or "no answer of a collector: is the URL right?"
    return [Problem(json.loads(event), f"http_{answer.status_code}", str(detail)) for event in events]
