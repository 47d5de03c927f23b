"""The rules of delivery, without input or output: when to send, when to retry, and what an answer means.

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
    """A step: send this body within so many seconds, and return the answer or the error."""

    body: bytes
    seconds: float


@dataclass(frozen=True)
class Wait:
    """A step: wait so many seconds (None: without limit), or until somebody wakes the driver."""

    seconds: float | None


Step = Post | Wait
Answer = httpx.Response | httpx.HTTPError | None  # None: after a Wait


def deliveries(outbox: Outbox, public_key: str) -> Generator[Step, Answer, None]:
    """Yield the steps of a driver, until the outbox is closed and empty or its time is up.

    A batch is retried for as long as the client lives: the size of the queue, not a number of retries, limits the cost
    of an outage. Retries have the same event ids, so that a batch with a lost answer counts once.
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
            log.warning("not delivered (%s): retry in %.1f s", reason, seconds)
            yield from _backoff(outbox, seconds)
            failures += 1
        elif answer.status_code in DIVIDE and len(events) > 1:
            limit = len(events) // 2
        else:
            outbox.settle(len(events), _problems(events, answer))
            limit, failures = BATCH_EVENTS, 0


def _backoff(outbox: Outbox, seconds: float) -> Generator[Step, Answer, None]:
    """Wait. A flush or close ends the wait, because it has a deadline."""
    hurries, over = outbox.hurries, time.monotonic() + seconds
    while outbox.hurries == hurries and (left := min(over, outbox.until) - time.monotonic()) > 0:
        yield Wait(left)


def _delay(answer: Answer, failures: int) -> float:
    """Return the seconds until the next retry: exponential with full jitter, or a little more than Retry-After.

    Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    asked = _retry_after(answer.headers.get("Retry-After", "")) if isinstance(answer, httpx.Response) else 0.0
    longest = FIRST_BACKOFF if asked else min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(failures, 10))
    return asked + random.uniform(0, longest)


def _retry_after(header: str) -> float:
    """Return the seconds of a Retry-After header, which has seconds or a date; 0 if it has neither."""
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def _problems(events: list[bytes], answer: httpx.Response) -> list[Problem]:
    """Return a problem for each event that the collector rejects."""
    try:
        reply = answer.json()
    except ValueError:
        reply = None
    if answer.status_code == 202 and isinstance(reply, dict) and "received" in reply:
        return [
            Problem(
                event=json.loads(events[error["index"]]),
                reason=error["reason"],
                detail=error.get("detail") or "",
                layer=error["layer"],
                field=error.get("field"),
            )
            for error in reply.get("errors") or ()
        ]
    detail = reply.get("detail") if isinstance(reply, dict) else None
    detail = str(detail or "the answer is not a collector's: check the URL")
    return [Problem(event=json.loads(event), reason=f"http_{answer.status_code}", detail=detail) for event in events]
