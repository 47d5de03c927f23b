"""One HTTP client for every platform: retry as the vendor says, renewal of tokens, pages, polling, large files.

In: a Platform, its credentials, a clock. Out: parsed answers (numbers with a point are Decimals: no float touches
money), pages, and files that were spooled to disk so that memory stays flat.
"""

from __future__ import annotations

import gzip
import logging
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import IO, Any, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx
import ijson
import msgspec
import tenacity

from connectors.errors import Throttled, TokenExpired, TokenRevoked, VendorError, without
from connectors.platform import Platform

T = TypeVar("T")
ATTEMPTS = 8
logging.getLogger("httpx").setLevel(logging.WARNING)  # below, it logs whole addresses, with the secrets in them
LONGEST_WAIT = 3600.0  # seconds; a platform that wants more is asked again the next day


class Clock(Protocol):
    def now(self) -> datetime: ...
    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Credentials(Protocol):
    """Where the secrets of a platform come from (connectors/credentials.py)."""

    values: dict[str, str]

    def renew(self, client: httpx.Client) -> None:
        """New access token in `values`, kept for the next time; raises TokenRevoked."""

    def expires_soon(self, now: datetime) -> bool: ...


_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def parsed(response: httpx.Response) -> Any:
    """The JSON of an answer; VendorError where it is none."""
    try:
        return _decode(response.content)
    except msgspec.DecodeError:
        kind = response.headers.get("content-type", "no content type")
        raise VendorError(
            f"{response.request.url.host} answered {response.status_code} with {kind} instead of JSON: "
            "check TRIBUTARY_<PLATFORM>_URL and what stands between here and there"
        ) from None


class Api:
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
        self.client = httpx.Client(  # httpx drops Authorization where a redirect leads to another host
            headers={"user-agent": "tributary"},  # Reddit throttles who does not say who he is
            timeout=httpx.Timeout(60, connect=10),
            event_hooks={"request": [self._move]},
            follow_redirects=True,
        )

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *error: object) -> None:
        self.client.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None, **how: Any) -> Any:
        """The parsed answer; see `send`."""
        return parsed(self.send("GET", path, params=params, **how))

    def post(self, path: str, **how: Any) -> Any:
        """The parsed answer; see `send`."""
        return parsed(self.send("POST", path, **how))

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, authorised: bool = True, **how: Any
    ) -> httpx.Response:
        """A good answer, or VendorError. path: absolute, or under the platform's base URL.

        Throttling and failures of the moment are waited out as the platform says; an expired token is renewed once.
        """
        return self._ask(method, path, lambda response: response, headers=headers, authorised=authorised, **how)

    @contextmanager
    def download(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        authorised: bool = False,
        **how: Any,
    ) -> Iterator[IO[bytes]]:
        """The body of a good answer as a file on disk, unpacked where it is gzip; zip is the caller's to open."""
        with tempfile.TemporaryFile() as file:

            def spool(response: httpx.Response) -> None:
                file.seek(0)
                file.truncate()
                for chunk in response.iter_bytes():
                    file.write(chunk)

            self._ask(method, path, spool, stream=True, headers=headers, authorised=authorised, **how)
            file.seek(0)
            is_gzip = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            with gzip.open(file) if is_gzip else nullcontext(file) as unpacked:
                yield unpacked

    def items(self, path: str, prefix: str, **how: Any) -> Iterator[Any]:
        """The items of a large JSON answer, one at a time; prefix as ijson has it, such as `item.results.item`."""
        with self.download(path, **how) as file:
            try:
                yield from ijson.items(file, prefix)
            except (ijson.JSONError, EOFError) as error:
                raise VendorError(f"{self.platform.label}: the answer broke off ({error}): pull again") from None

    def pages(
        self, first: Any, ask: Callable[[Any], Any], following: Callable[[Any, Any], Any | None]
    ) -> Iterator[Any]:
        """Answers of `ask(page)` until `following(answer, page)` is None; VendorError where a page names itself."""
        seen: set[str] = set()
        page: Any | None = first
        while page is not None:
            if repr(page) in seen:
                raise VendorError(f"{self.platform.label}: the pages go round in a circle at {page!r}: pull again")
            seen.add(repr(page))
            answer = ask(page)
            yield answer
            page = following(answer, page)

    def poll(self, ask: Callable[[], Any | None], what: str, *, every: float, limit: float) -> Any:
        """The first answer that is not None, asked for every so many seconds; VendorError after `limit` seconds."""
        waited = 0.0
        while (answer := ask()) is None:
            if waited >= limit:
                raise VendorError(
                    f"{self.platform.label}: {what} was not ready after {limit / 60:.0f} minutes: pull again later"
                )
            pause = min(every, limit - waited)
            self.clock.sleep(pause)
            waited += pause
        return answer

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
        renewed = False

        def once() -> T:
            nonlocal renewed
            if authorised and not renewed and self.credentials.expires_soon(self.clock.now()):
                self.credentials.renew(self.client)
                renewed = True
            while True:
                values = self.credentials.values if authorised else {}
                auth = self.platform.auth(values) if authorised and self.platform.auth else None
                own = self.platform.headers(values) if authorised else {}
                request = self.client.build_request(method, url, headers={**own, **(headers or {})}, **how)
                response = self.client.send(request, auth=auth, stream=True)
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
                self.credentials.renew(self.client)
                renewed = True

        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((Throttled, httpx.TransportError)),
            wait=self._wait,
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            sleep=self.clock.sleep,
            reraise=True,
        )
        try:
            return attempts(once)
        except VendorError as error:
            said = without(str(error), self.credentials.values)
            if isinstance(error, TokenRevoked):
                said = self._connect_again(said)
            raise type(error)(said) from None
        except Throttled as error:
            raise VendorError(f"{self.platform.label}: {error}; gave up. Pull again later") from None
        except httpx.TransportError as error:
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
        if status >= 300:
            asked = response.request.url.path
            raise VendorError(f"{self.platform.label} answered {status} to {asked}: {excerpt(response)}")

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        after = error.after if isinstance(error, Throttled) else None
        if after is not None and after > LONGEST_WAIT:
            raise VendorError(
                f"{self.platform.label}: {error}; it asks for {after / 60:.0f} minutes of rest: pull then"
            )
        seconds = after if after is not None else min(60.0, 2.0**state.attempt_number) * random.uniform(0.5, 1)
        if seconds >= 2:
            self.say(f"{self.platform.label}: {error}; waiting {seconds:.0f} s")
        return seconds

    def _connect_again(self, why: str) -> str:
        command = f"tributary connect {self.platform.name}"
        return why if command in why else f"{self.platform.label}: {why}. Connect again: {command}"

    def _move(self, request: httpx.Request) -> None:
        """The platform's own addresses go to TRIBUTARY_<NAME>_URL, where that is set: a proxy, a test server.

        A report's download does not: it lies elsewhere, and its address is part of the answer.
        """
        elsewhere = os.environ.get(f"TRIBUTARY_{self.platform.name.upper()}_URL")
        if elsewhere and request.url.host in self.platform.own_hosts:
            target = httpx.URL(elsewhere)
            path = target.raw_path.rstrip(b"/") + request.url.raw_path
            request.url = request.url.copy_with(
                scheme=target.scheme, host=target.host, port=target.port, raw_path=path
            )
            request.headers["host"] = request.url.netloc.decode()


def retry_after(response: httpx.Response, now: datetime) -> float | None:
    """The seconds of Retry-After, whether it names seconds or a time (RFC 9110, 10.2.3)."""
    value = response.headers.get("retry-after", "")
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except ValueError:
        return None


def reset_after(response: httpx.Response, header: str) -> float | None:
    """The seconds until the time, in seconds since 1970, that a header names: by the clock of who answered."""
    try:
        answered = parsedate_to_datetime(response.headers["date"]).timestamp()
        return max(0.0, float(response.headers[header]) - answered) + 1  # both are whole seconds
    except (KeyError, ValueError):
        return None


def excerpt(response: httpx.Response) -> str:
    """What an answer says, shortened; a URL's query, which may hold secrets, is never part of it."""
    return " ".join(response.text.split())[:300] or response.reason_phrase
