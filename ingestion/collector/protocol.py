"""The HTTP protocol of a connection, with limits for clients that are slow or have many connections.

In: bytes of a client. Out: requests for the application, or an answer from here; `connections`, those of this process.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ingestion.collector import metrics
from ingestion.collector.connections import Connections
from ingestion.collector.problems import Problem
from ingestion.collector.request import cors

MAX_HEADERS = 64 << 10  # bytes of a request line and headers that arrive in pieces
REQUEST_SECONDS = 10.0  # from the start of a connection, or the first byte of a request, to the request's last byte
_HEALTH = (b"/healthz", b"/readyz")

connections = Connections()


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which closes a connection if a request takes too long or its headers do not end.

    A request on a connection beyond the limits is answered with 503, unless it is a health check.
    """

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._full_app = self.app
        if not connections.add(self, self.client[0] if self.client else ""):
            transport.abort()
        self._awaited_since: float | None = self.loop.time()
        self._is_in_headers = False
        self._header_bytes = 0
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        connections.remove(self)
        super().connection_lost(exc)

    def close(self) -> None:
        """Close the connection, which waits for a request."""
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._is_in_headers:
            self._header_bytes = 0
            return
        self._header_bytes += len(data)
        if self._header_bytes > MAX_HEADERS and not self.transport.is_closing():
            self.send_400_response("The headers are too long.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        connections.begin_request(self)
        self._awaited_since = self.loop.time()
        self._is_in_headers = True

    def on_headers_complete(self) -> None:
        self._is_in_headers = False
        has_room = connections.has_room(self) or self.url.partition(b"?")[0] in _HEALTH
        self.app = self._full_app if has_room else _refuse
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._awaited_since = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.pipeline:
            connections.end_request(self)

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP with a problem, and close the connection."""
        problem = Problem(400, "Malformed request", msg)
        body = problem.body()
        headers = [*problem.headers(), (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
        lines = [b"HTTP/1.1 400 Bad Request", *(name + b": " + value for name, value in headers), b"", body]
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()

    def _watch(self) -> None:
        # One timer for each connection, which looks now and then: a timer for each request would slow every request.
        since = self._awaited_since
        if since is not None and self.loop.time() - since > REQUEST_SECONDS:
            self.transport.abort()
        else:
            self._timer = self.loop.call_later(REQUEST_SECONDS / 4, self._watch)


async def _refuse(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer a request on a connection beyond the limits, and close the connection."""
    detail = "Too many connections are open, in total or from this address. Close some, or send this again later"
    problem = Problem(503, "Too many connections", detail, retry_after=2)
    metrics.REFUSED.labels("503").inc()
    body = problem.body()
    answer = [*problem.headers(), *cors()]
    answer += [(b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 503, "headers": answer})
    await send({"type": "http.response.body", "body": body})
