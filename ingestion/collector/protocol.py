"""uvicorn's HTTP protocol, with limits on what a slow or flooding sender may hold. In: bytes. Out: requests."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ingestion.collector.problems import Refused

MAX_HEADERS = 64 << 10  # bytes of a request line and headers that arrive in pieces
REQUEST_SECONDS = 10.0  # from the connection's begin or a request's first byte to the request's last


class Protocol(HttpToolsProtocol):
    """Closes a connection whose request takes too long to arrive, or whose headers do not end."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._awaited_since: float | None = self.loop.time()
        self._is_in_headers = False
        self._header_bytes = 0
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

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
        self._awaited_since = self.loop.time()
        self._is_in_headers = True

    def on_headers_complete(self) -> None:
        self._is_in_headers = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._awaited_since = None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP gets a problem too, and no second chance on this connection."""
        refused = Refused(400, "Malformed request", msg)
        body = refused.body()
        headers = [*refused.headers(), (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
        lines = [b"HTTP/1.1 400 Bad Request", *(name + b": " + value for name, value in headers), b"", body]
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()

    def _watch(self) -> None:
        # One timer a connection that looks now and then: one a request would cost every request.
        since = self._awaited_since
        if since is not None and self.loop.time() - since > REQUEST_SECONDS:
            self.transport.abort()
        else:
            self._timer = self.loop.call_later(REQUEST_SECONDS / 4, self._watch)
