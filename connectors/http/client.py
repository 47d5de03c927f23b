"""One HTTP client for every platform: parsed answers, pages, report jobs, large files.

In: a Platform, its credentials, a clock (connectors/http/transport.py). Out: parsed answers (numbers with a point are
Decimals: no float touches money), rows of all pages, and files that were spooled to disk so that memory stays flat.
"""

from __future__ import annotations

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import IO, TYPE_CHECKING, Any

import ijson

from connectors.http.errors import VendorError
from connectors.http.responses import parsed
from connectors.http.transport import Clock, Credentials, SystemClock, Transport
from connectors.platform import optional, required

if TYPE_CHECKING:
    import httpx

__all__ = ["Api", "Clock", "Credentials", "SystemClock"]
BROKEN = (ijson.JSONError, EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile)


class Api(Transport):
    """A platform, with somebody's credentials: what its answers hold."""

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
        """The body of a good answer as a file on disk, unpacked where it is gzip; zip is the caller's to open.

        VendorError where it turns out, as it is read, not to be whole.
        """
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
                try:
                    yield unpacked
                except BROKEN as error:
                    raise VendorError(f"{self.platform.label}: the file is not whole ({error}): pull again") from None

    def items(self, path: str, prefix: str, **how: Any) -> Iterator[Any]:
        """The items of a large JSON answer, one at a time; prefix as ijson has it, such as `item.results.item`.

        VendorError where there is no such list: an error in a good answer is no empty one.
        """
        members = prefix.split(".")
        outermost = ".".join(members[: members.index("item")])
        with self.download(path, **how) as file:
            item = None
            for item in ijson.items(file, prefix):
                yield item
            if item is not None:
                return
            file.seek(0)
            if (outermost, "start_array") not in (event[:2] for event in ijson.parse(file)):
                where = f"`{outermost}` of the file" if outermost else "the file"
                raise VendorError(f"{self.platform.label}: {where} is no list: nothing was stored. Pull again")

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

    def rows(
        self, path: str, member: str, *, cursor: str, following: str, params: Mapping[str, Any] | None = None
    ) -> Iterator[Any]:
        """The rows of all pages of a list: `member` of each answer. The parameter `cursor` of the next page is what
        the answer has at `following`, if anything; names of members may be dotted."""

        def ask(at: Any) -> Any:
            return self.get(path, {**(params or {}), **({cursor: at} if at else {})})

        for answer in self.pages("", ask, lambda answer, _: optional(answer, following) or None):
            yield from required(answer, member, f"{self.platform.label}'s answer to {path}")

    def poll(self, ask: Callable[[], Any | None], what: str, *, every: float, limit: float) -> Any:
        """The first answer that is not None, asked for every so many seconds; VendorError after `limit` seconds."""
        waited = 0.0
        while (answer := ask()) is None:
            if waited >= limit:
                raise VendorError(
                    f"{self.platform.label}: {what} was not ready after {limit / 60:.0f} minutes: pull again later"
                )
            pause = min(every, limit - waited)
            if waited // 60 < (waited + pause) // 60 or not waited:
                self.say(f"{self.platform.label}: waiting for {what}")
            self.clock.sleep(pause)
            waited += pause
        return answer

    def job(
        self,
        ask: Callable[[], Any],
        what: str,
        *,
        status: str,
        done: str,
        failed: Collection[str],
        reason: str | None = None,
        every: float,
        limit: float,
    ) -> Any:
        """The answer about a job once its member `status` is `done`; VendorError where it is one of `failed`, with what
        the member `reason` says, or where it takes too long (see `poll`). Names of members may be dotted."""

        def finished() -> Any | None:
            answer = ask()
            state = required(answer, status, f"{self.platform.label}'s answer about {what}")
            if state in failed:
                why = optional(answer, reason) if reason else None
                ended = f"`{state}` ({why})" if why else f"`{state}`"
                raise VendorError(f"{self.platform.label}: {what} ended as {ended}: pull again, or fewer days at once")
            return answer if state == done else None

        return self.poll(finished, what, every=every, limit=limit)
