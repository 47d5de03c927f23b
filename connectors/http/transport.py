"""One request to a platform until its answer is good: retried as the vendor says, with a token that is renewed in time.

In: a Platform, its credentials, a clock. Out: good answers. client.py makes pages, jobs and files of them.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx
import tenacity

from connectors.http import hosts
from connectors.http.errors import Refused, Throttled, TokenExpired, TokenRevoked, VendorError, without
from connectors.http.responses import excerpt, retry_after
from connectors.platform import Platform

T = TypeVar("T")
ATTEMPTS = 8
ATTEMPTS_TO_CONNECT = 4  # where there is no network, a person should hear of it soon
logging.getLogger("httpx").setLevel(logging.WARNING)  # below, it logs whole addresses, with the secrets in them
LONGEST_WAIT = 3600.0  # seconds; a platform that wants more is asked again the next day
LONGEST_REST = 6 * 3600.0  # seconds, of all that it wants while one client is open: a pull has an end
BROKEN_OFF = (httpx.TransportError, httpx.DecodingError)


class Clock(Protocol):
    def now(self) -> datetime: ...
    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Credentials(Protocol):
    """Where the secrets of a platform come from (connectors/auth/credentials.py)."""

    values: dict[str, str]

    def renew(self, client: httpx.Client) -> None:
        """New access token in `values`, kept for the next time; raises TokenRevoked."""

    def expires_soon(self, now: datetime) -> bool: ...


class Transport:
    """A platform, with somebody's credentials."""

    def __init__(
        self,
        platform: Platform,
        credentials: Credentials,
        *,
        clock: Clock | None = None,
        say: Callable[[str], None] = lambda message: None,
    ) -> None:
        self.platform = platform
        self.credentials = credentials
        self.clock = clock or SystemClock()
        self.say = say
        self._rested = 0.0  # seconds, because it wanted so
        self.client = httpx.Client(  # which follows no redirect: credentials in headers and forms would go along
            headers={"user-agent": "tributary"},  # Reddit throttles who does not say who he is
            timeout=httpx.Timeout(60, connect=10),
            event_hooks={"request": [partial(hosts.move, platform)]},
        )

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, authorised: bool = True, **how: Any
    ) -> httpx.Response:
        """A good answer, or VendorError. path: absolute, or under the platform's base URL.

        Throttling and failures of the moment are waited out as the platform says; an expired token is renewed once.
        """
        return self._ask(method, path, lambda response: response, headers=headers, authorised=authorised, **how)

    def _ask(
        self,
        method: str,
        path: str,
        take: Callable[[httpx.Response], T],
        *,
        stream: bool = False,
        headers: Mapping[str, str] | None,
        authorised: bool,
        **how: Any,
    ) -> T:
        """Ask until the answer is good, and what `take` makes of it; a body that breaks off is asked for again."""
        url = path if path.startswith("http") else f"{self.platform.base_url}{path}"
        if authorised:
            hosts.refuse_foreign(self.platform, url)

        def once() -> T:
            renewed = False  # anew each time: a rest can be longer than a token holds
            if authorised and self.credentials.expires_soon(self.clock.now()):
                self.credentials.renew(self.client)
                renewed = True
            while True:
                values = self.credentials.values if authorised else {}
                auth = self.platform.auth(values) if authorised and self.platform.auth else None
                own = self.platform.headers(values) if authorised else {}
                request = self.client.build_request(method, url, headers={**own, **(headers or {})}, **how)
                response = self.client.send(request, auth=auth, stream=True, follow_redirects=not authorised)
                with closing(response):
                    try:
                        if not stream or response.status_code >= 300:
                            response.read()
                            self.platform.check(response)
                        self._judge(response)
                        return take(response)
                    except TokenExpired as expired:
                        if renewed:
                            raise TokenRevoked(str(expired)) from None
                    except Throttled as throttled:
                        if throttled.after is None:
                            throttled.after = retry_after(response, self.clock.now())
                        raise
                self.credentials.renew(self.client)
                renewed = True

        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((Throttled, *BROKEN_OFF)),
            wait=self._wait,
            before_sleep=self._say,
            stop=_is_enough,
            sleep=self.clock.sleep,
            reraise=True,
        )
        try:
            return attempts(once)
        except VendorError as error:
            said = without(str(error), self.credentials.values)
            if isinstance(error, TokenRevoked):
                said = self._connect_again(said)
            elif isinstance(error, Refused):
                said = f"{self.platform.label} refused {urlsplit(url).path}: {said}"
            error.args = (said,)
            raise error from None
        except Throttled as error:
            raise VendorError(f"{self.platform.label}: {self._why(error)}; gave up. Pull again later") from None
        except BROKEN_OFF as error:
            raise VendorError(
                f"{self.platform.label}: no answer from {urlsplit(url).hostname} ({type(error).__name__}): "
                "check the network, then pull again"
            ) from None

    def _judge(self, response: httpx.Response) -> None:
        """By its status, where the platform has no word of its own for it."""
        status = response.status_code
        if status == 401:
            raise TokenExpired("the access token is not accepted")
        if status == 429 or status >= 500:
            raise Throttled(f"answered {status}", retry_after(response, self.clock.now()))
        if response.next_request:
            raise Refused(f"it leads to {response.next_request.url.host} ({status}), where credentials do not follow")
        if status >= 300:
            raise Refused(f"{excerpt(response)} ({status})")

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        after = error.after if isinstance(error, Throttled) else None
        if after is not None and after > LONGEST_WAIT:
            raise VendorError(
                f"{self.platform.label}: {error}; it asks for {after / 60:.0f} minutes of rest: pull then"
            )
        self._rested += after or 0
        if self._rested > LONGEST_REST:
            raise VendorError(
                f"{self.platform.label}: {error}; it asked for {self._rested / 3600:.0f} hours of rest in all: "
                "pull again later, or fewer days at once"
            )
        return after if after is not None else min(60.0, 2.0**state.attempt_number) * random.uniform(0.5, 1)

    def _say(self, state: tenacity.RetryCallState) -> None:
        if state.outcome and state.upcoming_sleep >= 2:
            why = self._why(state.outcome.exception())
            self.say(f"{self.platform.label}: {why}; waiting {state.upcoming_sleep:.0f} s")

    def _why(self, error: BaseException | None) -> str:
        """Without secrets: platforms quote what they were sent, and so do errors of a connection."""
        known = isinstance(error, Throttled)
        return without(str(error), self.credentials.values) if known else type(error).__name__

    def _connect_again(self, why: str) -> str:
        command = f"tributary connect {self.platform.name}"
        return why if command in why else f"{self.platform.label}: {why.rstrip('.')}. Connect again: {command}"


def _is_enough(state: tenacity.RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    return state.attempt_number >= (ATTEMPTS_TO_CONNECT if isinstance(error, httpx.ConnectError) else ATTEMPTS)
