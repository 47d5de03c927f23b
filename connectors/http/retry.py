"""Repeat an HTTP request after throttling, temporary failures and network errors.

In: a function that sends one request, a clock. Out: its result, or VendorError when repeating no longer helps.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import httpx
import tenacity

from connectors.http.errors import Throttled, Unreachable, VendorError

T = TypeVar("T")
ATTEMPTS = 8
ATTEMPTS_TO_CONNECT = 4  # without a network, a person should learn it soon
LONGEST_WAIT = 3600.0  # seconds; a platform that asks for more is pulled again the next day
LONGEST_TOTAL_WAIT = 6 * 3600.0  # seconds that one client waits at a platform's request: a pull must end
NETWORK_ERRORS = (httpx.TransportError, httpx.DecodingError)


class Clock(Protocol):
    def now(self) -> datetime: ...
    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Retrier:
    """Retries the requests of one client, as its platform asks.

    label: the platform, for messages. log: receives each wait of 2 seconds or more. redact: removes secrets from text.
    advice: ends the message when repeating no longer helps.
    """

    def __init__(
        self,
        label: str,
        clock: Clock,
        log: Callable[[str], None],
        redact: Callable[[str], str],
        advice: str = "Pull again later",
    ) -> None:
        self._label, self._clock, self._log, self._redact, self._advice = label, clock, log, redact, advice
        self._total_wait = 0.0  # seconds, at the platform's request

    def call(self, send: Callable[[], T], host: str | None) -> T:
        """Return the result of `send()`, repeated while it raises Throttled or a network error."""
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((Throttled, *NETWORK_ERRORS)),
            wait=self._seconds_to_wait,
            before_sleep=self._log_wait,
            stop=_is_last_attempt,
            sleep=self._clock.sleep,
            reraise=True,
        )
        try:
            return attempts(send)
        except Throttled as error:
            raise VendorError(f"{self._label}: {self._reason(error)}; gave up. {self._advice}") from None
        except NETWORK_ERRORS as error:
            raise Unreachable(
                f"{self._label}: no response from {_address(error) or host} ({type(error).__name__})."
                " Check the network, then try again"
            ) from None

    def _seconds_to_wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        seconds = error.retry_after if isinstance(error, Throttled) else None
        if seconds is None:
            return float(min(60.0, 2.0**state.attempt_number) * random.uniform(0.5, 1))
        if seconds > LONGEST_WAIT:
            raise VendorError(
                f"{self._label}: {error}; it asks to wait {seconds / 60:.0f} minutes. Pull again after that"
            )
        self._total_wait += seconds
        if self._total_wait > LONGEST_TOTAL_WAIT:
            raise VendorError(
                f"{self._label}: {error}; it asked to wait {self._total_wait / 3600:.0f} hours in total. "
                "Pull again later, or pull fewer days at once"
            )
        return seconds

    def _log_wait(self, state: tenacity.RetryCallState) -> None:
        if state.outcome and state.upcoming_sleep >= 2:
            reason = self._reason(state.outcome.exception())
            self._log(f"{self._label}: {reason}; waiting {state.upcoming_sleep:.0f} s")

    def _reason(self, error: BaseException | None) -> str:
        """Return the reason without secrets: the text of a network error may contain the whole URL."""
        return self._redact(str(error)) if isinstance(error, Throttled) else type(error).__name__


def _address(error: httpx.TransportError | httpx.DecodingError) -> str | None:
    """Return the scheme, host and port that were called, which TRIBUTARY_<NAME>_URL may name."""
    try:
        url = error.request.url
    except RuntimeError:  # raised outside of a request
        return None
    return f"{url.scheme}://{url.netloc.decode()}"


def _is_last_attempt(state: tenacity.RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    return state.attempt_number >= (ATTEMPTS_TO_CONNECT if isinstance(error, httpx.ConnectError) else ATTEMPTS)
