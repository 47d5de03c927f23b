"""The HTTP client of every platform: requests, pages, report jobs and large files.

In: a Service, its credentials, a clock. Out: parsed responses, the rows of all pages, and files spooled to disk so
that memory stays flat. Throttling is waited out and tokens are renewed on the way; every failure is a VendorError.
"""

from __future__ import annotations

import gzip
import logging
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from typing import IO, Any, Protocol, Self, TypeVar, cast
from urllib.parse import urlsplit

import httpx
import ijson

from connectors.http.errors import JobFailed, Rejected, Throttled, TokenExpired, TokenRevoked, VendorError, redact
from connectors.http.responses import excerpt, optional, parse_json, required, retry_after
from connectors.http.retry import Clock, Retrier, SystemClock
from connectors.http.service import Secrets, Service

T = TypeVar("T")
DAMAGED = (ijson.JSONError, EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile)
logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it logs whole URLs, with the secrets in them


class Credentials(Protocol):
    """The secrets of a service (connectors/auth/credentials.py)."""

    @property
    def values(self) -> Secrets: ...

    def renew(self, http: httpx.Client) -> None:
        """Replace the access token in `values`, and store it. Raise TokenRevoked if that is impossible."""

    def expires_soon(self, now: datetime) -> bool: ...


class PlatformClient:
    """Sends requests to one service with one set of credentials."""

    def __init__(
        self,
        service: Service,
        credentials: Credentials,
        *,
        clock: Clock | None = None,
        log: Callable[[str], None] = lambda message: None,
    ) -> None:
        self.service = service
        self.credentials = credentials
        self.clock = clock or SystemClock()
        self.log = log
        self.http = httpx.Client(  # follows no redirect: it would take credentials in headers and forms along
            headers={"user-agent": service.user_agent(credentials.values)},
            timeout=httpx.Timeout(60, connect=10),
            event_hooks={"request": [service.replace_host, service.require_safe_host]},
        )
        self._retrier = Retrier(service.label, self.clock, log, self._redact)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.http.close()

    # One request ---------------------------------------------------------------------------------------------------

    def get(self, path: str, params: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Return the parsed JSON of a GET request; see `send`."""
        return self.send("GET", path, parse_json, params=params, **options)

    def post(self, path: str, **options: Any) -> Any:
        """Return the parsed JSON of a POST request; see `send`."""
        return self.send("POST", path, parse_json, **options)

    def send(
        self,
        method: str,
        path: str,
        read: Callable[[httpx.Response], T],
        *,
        with_credentials: bool = True,
        stream: bool = False,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> T:
        """Return `read(response)` of a successful response, or raise VendorError.

        A body that breaks off is requested again. path: a whole URL, or a path under the service's base URL. options:
        those of httpx.Client.build_request.
        """
        url = path if path.startswith("http") else f"{self.service.base_url}{path}"
        if with_credentials:
            self.service.require_own_host(url)

        def send() -> T:
            is_renewed = False  # for each attempt: a wait can outlast a token
            if with_credentials and self.credentials.expires_soon(self.clock.now()):
                self.credentials.renew(self.http)
                is_renewed = True
            while True:
                values = self.credentials.values if with_credentials else {}
                auth = self.service.auth(values) if with_credentials and self.service.auth else None
                own = self.service.headers(values) if with_credentials else {}
                request = self.http.build_request(method, url, headers={**own, **(headers or {})}, **options)
                response = self.http.send(request, auth=auth, stream=True, follow_redirects=not with_credentials)
                with closing(response):
                    try:
                        if not stream or response.status_code >= 300:
                            response.read()
                            self.service.raise_for_error(response)
                        self._raise_for_status(response)
                        return read(response)
                    except TokenExpired as expired:
                        if is_renewed:
                            raise TokenRevoked(str(expired)) from None
                    except Throttled as throttled:
                        if throttled.retry_after is None:
                            throttled.retry_after = retry_after(response, self.clock.now())
                        raise
                self.credentials.renew(self.http)
                is_renewed = True

        try:
            return self._retrier.call(send, urlsplit(url).hostname)
        except VendorError as error:
            error.args = (self._message(error, urlsplit(url).path),)
            raise error from None

    @contextmanager
    def download(
        self, path: str, *, method: str = "GET", with_credentials: bool = False, **options: Any
    ) -> Iterator[IO[bytes]]:
        """Yield the body of a successful response as a file on disk, decompressed if it is gzip.

        Raise VendorError if the body turns out to be incomplete while the caller reads it.
        """
        with tempfile.TemporaryFile() as file:

            def spool(response: httpx.Response) -> None:
                file.seek(0)
                file.truncate()
                for chunk in response.iter_bytes():
                    file.write(chunk)

            self.send(method, path, spool, stream=True, with_credentials=with_credentials, **options)
            file.seek(0)
            is_gzip = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            with cast(IO[bytes], gzip.open(file)) if is_gzip else file as unpacked:
                try:
                    yield unpacked
                except DAMAGED as error:
                    raise VendorError(
                        f"{self.service.label}: the file is incomplete or damaged ({error}). Pull again"
                    ) from None

    def _raise_for_status(self, response: httpx.Response) -> None:
        """Raise by HTTP status. `Service.raise_for_error` goes first: it knows the platform's own errors."""
        status = response.status_code
        if status == 401:
            raise TokenExpired("the access token was rejected")
        if status == 429 or status >= 500:
            raise Throttled(f"responded {status}")
        if response.next_request:
            host = response.next_request.url.host
            raise Rejected(f"the response redirects to {host} ({status}), and Tributary sends no credentials there")
        if status >= 300:
            raise Rejected(f"{excerpt(response)} ({status})")

    def _message(self, error: VendorError, path: str) -> str:
        message = self._redact(str(error))
        if isinstance(error, TokenRevoked):
            command = f"tributary connect {self.service.name}"
            if command not in message:
                return f"{self.service.label}: {message.rstrip('.')}. Connect again: {command}"
        elif isinstance(error, Rejected):
            return f"{self.service.label} rejected {path}: {message}"
        return message

    def _redact(self, text: str) -> str:
        return redact(text, self.credentials.values)

    # Lists and files -----------------------------------------------------------------------------------------------

    def items(self, path: str, prefix: str, **options: Any) -> Iterator[Any]:
        """Yield the items of a large JSON response one at a time. prefix: as for ijson, such as `item.results.item`.

        Raise VendorError if there is no such list: a successful response can have an error instead of an empty list.
        """
        members = prefix.split(".")
        outermost = ".".join(members[: members.index("item")])
        with self.download(path, **options) as file:
            item = None
            for item in ijson.items(file, prefix):
                yield item
            if item is not None:
                return
            file.seek(0)
            if (outermost, "start_array") not in (event[:2] for event in ijson.parse(file)):
                where = f"`{outermost}` of the file" if outermost else "the file"
                raise VendorError(f"{self.service.label}: {where} is not a list. Nothing was stored. Pull again")

    def pages(
        self, first: Any, fetch: Callable[[Any], Any], next_page: Callable[[Any, Any], Any | None]
    ) -> Iterator[Any]:
        """Yield `fetch(page)` for each page until `next_page(response, page)` is None.

        Raise VendorError if a page repeats: the list would never end.
        """
        seen: set[str] = set()
        page: Any | None = first
        while page is not None:
            if repr(page) in seen:
                raise VendorError(f"{self.service.label}: the list returns to page {page!r} without an end. Pull again")
            seen.add(repr(page))
            response = fetch(page)
            yield response
            page = next_page(response, page)

    def rows(
        self, path: str, member: str, *, cursor: str, next_cursor: str, params: Mapping[str, Any] | None = None
    ) -> Iterator[Any]:
        """Yield the rows of all pages of a list: the `member` of each response.

        cursor: the parameter that asks for a page. next_cursor: the member that names the next page; may be dotted.
        """

        def fetch(page: Any) -> Any:
            return self.get(path, {**(params or {}), **({cursor: page} if page else {})})

        for response in self.pages("", fetch, lambda response, _: optional(response, next_cursor) or None):
            yield from required(response, member, f"{self.service.label}'s response to {path}")

    # Jobs ----------------------------------------------------------------------------------------------------------

    def poll(self, fetch: Callable[[], T | None], what: str, *, interval: float, timeout: float) -> T:
        """Return the first `fetch()` that is not None. Raise VendorError after `timeout` seconds."""
        waited = 0.0
        while (result := fetch()) is None:
            if waited >= timeout:
                raise VendorError(
                    f"{self.service.label}: {what} was not ready after {timeout / 60:.0f} minutes. Pull again later"
                )
            pause = min(interval, timeout - waited)
            if waited // 60 < (waited + pause) // 60 or not waited:
                self.log(f"{self.service.label}: waiting for {what}")
            self.clock.sleep(pause)
            waited += pause
        return result

    def wait_for_job(
        self,
        fetch: Callable[[], Any],
        what: str,
        *,
        status: str,
        done: str,
        failed: Collection[str],
        reason: Collection[str] = (),
        interval: float,
        timeout: float,
    ) -> Any:
        """Return the response about a job once its member `status` is `done`.

        Raise JobFailed if the status is one of `failed`, with the members `reason`. Raise VendorError after `timeout`
        seconds. Names of members may be dotted.
        """

        def finished() -> Any | None:
            response = fetch()
            state = required(response, status, f"{self.service.label}'s response about {what}")
            if state in failed:
                why = ": ".join(str(stated) for name in reason if (stated := optional(response, name)))
                ending = f"`{state}` ({why})" if why else f"`{state}`"
                raise JobFailed(
                    f"{self.service.label}: {what} ended with status {ending}. Pull again, or pull fewer days at once",
                    response,
                )
            return response if state == done else None

        return self.poll(finished, what, interval=interval, timeout=timeout)
