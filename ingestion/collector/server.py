"""Run the processes of `tributary collect`: one worker in this process, or several that share a socket.

In: Options. Out: the HTTP service, until a signal ends it; logs as lines of JSON on stderr.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import resource
import signal
import socket
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors import Multiprocess

from ingestion.collector.app import create_app
from ingestion.collector.identity import Identity
from ingestion.collector.limits import Buckets
from ingestion.collector.problems import Problem
from ingestion.collector.sites import read_sites
from ingestion.collector.state import Options, check_writable, geo_database, redis_buckets
from ingestion.home import Home

MAX_HEADERS = 64 << 10  # bytes of a request line and headers that arrive in pieces
REQUEST_SECONDS = 10.0  # from the start of a connection, or the first byte of a request, to the request's last byte
_CONNECTIONS = 4096


def check(home: Home) -> list[str]:
    """Return the ids of the sites that accept events. Raises SettingsError or OSError where the start would fail."""
    sites = read_sites(home)
    Identity(home.salts, sites.settings.collector.salt_hours)
    check_writable(home)
    geo_database(home, sites.settings)
    redis_buckets(Buckets())
    return [site.settings.id for site in sites.by_key.values()]


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError where the address cannot be used."""
    _configure_logs()
    config = uvicorn.Config(
        partial(_application, options),
        factory=True,
        interface="asgi3",
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=bool(options.trusted_proxies),
        forwarded_allow_ips=list(options.trusted_proxies),
        limit_concurrency=_CONNECTIONS,
        backlog=2048,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        server_header=False,
        workers=options.workers,
    )
    # uvicorn raises the signal again once it has stopped, when there is nothing more to end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    _allow_many_connections()
    with _listening(options) as sock:
        if options.workers == 1:
            uvicorn.Server(config).run([sock])
        else:
            with tempfile.TemporaryDirectory(dir=Home.from_environment().temporary, prefix="metrics-") as folder:
                os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
                Multiprocess(config, [sock]).run()
    gc.unfreeze()


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which closes a connection if a request takes too long or its headers do not end."""

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


class _JsonLines(logging.Formatter):
    """Log lines without personal data: no address, URL or body; of an unexpected error the type and the place only."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage().strip(),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])[-5:]
            line["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return msgspec.json.encode(line).decode()


def _configure_logs() -> None:
    """Log from INFO on, and only the errors of the HTTP server."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    logging.getLogger("asyncio").setLevel(logging.ERROR)


def _application(options: Options) -> Any:
    """Return the application of one process."""
    _configure_logs()
    app = create_app(options)
    gc.collect()
    gc.freeze()  # these objects live as long as the process: the collector need not visit them again
    return app


def _allow_many_connections() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # some systems name a limit that they do not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _listening(options: Options) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((options.host, options.port))
        sock.listen(2048)
    except OSError as error:
        sock.close()
        raise OSError(
            error.errno, f"{error.strerror}: choose another --host or --port", f"{options.host}:{options.port}"
        ) from None
    return sock
