"""The HTTP service. In: ASGI requests. Out: /api/track by its own handler, everything else by Starlette."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import os
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingestion.collector import metrics
from ingestion.collector.files import file_routes
from ingestion.collector.openapi import document
from ingestion.collector.problems import Refused
from ingestion.collector.state import Options, ask_to_flush, begin, end, run, try_to_write
from ingestion.collector.track import PATH, track
from ingestion.collector.webhooks import routes as webhook_routes
from ingestion.home import Home
from ingestion.segments.writer import open_segments

_log = logging.getLogger("tributary.collector")
_FLUSH_SECONDS = 5.0


def create_app(options: Options) -> Any:
    """The ASGI application of one process."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.collector = collector = begin(Home.from_environment(), options)
        upkeep = asyncio.create_task(run(collector))
        _log.info("collecting")
        try:
            yield
        finally:
            upkeep.cancel()
            await end(collector)
            _log.info("stopped")

    routes = [
        Route("/healthz", _health),
        Route("/readyz", _ready),
        Route("/metrics", _metrics),
        Route("/openapi.json", _openapi),
        Route("/admin/stats", _stats),
        Route("/admin/flush", _flush, methods=["POST"]),
        *file_routes(),
        *webhook_routes,
    ]
    handlers = {Refused: _refused, HTTPException: _http_error, Exception: _failed}
    starlette = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            await track(starlette.state.collector, scope, receive, send)
        else:
            await starlette(scope, receive, send)

    return app


async def _health(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _ready(request: Request) -> Response:
    """Whether events can be made durable: tried, with a file of its own."""
    try:
        await asyncio.to_thread(try_to_write, request.app.state.collector.home)
    except OSError as error:
        raise Refused(
            503, "Not ready", f"The landing folder cannot be written: {error.strerror}", retry_after=5
        ) from None
    return JSONResponse({"status": "ready"})


async def _metrics(request: Request) -> Response:
    landing = request.app.state.collector.landing
    metrics.AGE.set(landing.segment_age)
    metrics.BUFFERED.set(landing.buffered_lines)
    return Response(metrics.rendered(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def _openapi(request: Request) -> Response:
    return JSONResponse(document(), headers={"access-control-allow-origin": "*"})


async def _stats(request: Request) -> Response:
    _check_admin(request)
    collector = request.app.state.collector
    landing = collector.landing
    return JSONResponse(
        {
            "events": metrics.totals(),
            "buffered_lines": landing.buffered_lines,
            "segment_age_seconds": round(landing.segment_age, 3),
            "open_segments": [path.name for path in open_segments(collector.home.landing)],
            "sites": sorted(collector.sites.by_id),
        }
    )


async def _flush(request: Request) -> Response:
    """Close the segments of all workers, so that they can be loaded."""
    _check_admin(request)
    collector = request.app.state.collector
    before = set(open_segments(collector.home.landing))
    try:
        ask_to_flush(collector.home)
    except OSError as error:
        raise Refused(
            503, "Not flushed", f"The landing folder cannot be written: {error.strerror}", retry_after=5
        ) from None
    await collector.landing.flush()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FLUSH_SECONDS):
            while still := before & set(open_segments(collector.home.landing)):
                await asyncio.sleep(0.1)
    closed = sorted(path.with_suffix(".ndjson").name for path in before - still)
    return JSONResponse({"closed": closed, "open": sorted(path.name for path in still)})


def _check_admin(request: Request) -> None:
    """Without a key in the environment there is no admin interface at all."""
    key = os.environ.get("TRIBUTARY_ADMIN_KEY")
    if not key:
        raise Refused(404, "Not found", "There is nothing here")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), key.encode()):
        raise Refused(401, "Admin key needed", "Send Authorization: Bearer <TRIBUTARY_ADMIN_KEY>")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    metrics.REFUSED.labels(str(error.status)).inc()
    headers = {name.decode(): value.decode() for name, value in error.headers()}
    return Response(error.body(), error.status, headers)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = _refused(request, Refused(error.status_code, error.detail, "See /openapi.json for what is here"))
    response.headers.update(error.headers or {})
    return response


def _failed(request: Request, error: Exception) -> Response:
    _log.error("a request failed", exc_info=error)
    return _refused(request, Refused(500, "Internal error", "The collector failed on this request: its log says where"))
