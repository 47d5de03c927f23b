"""The HTTP service of one process. In: ASGI requests. Out: `track` answers /api/track, Starlette everything else."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import os
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingestion.collector import metrics
from ingestion.collector.browser_script import script_routes
from ingestion.collector.openapi import document
from ingestion.collector.problems import Problem, internal_error, storage_unavailable
from ingestion.collector.request import client_address
from ingestion.collector.state import Options, check_writable, request_flush, run_upkeep, start, stop, storage_fault
from ingestion.collector.track import PATH, track
from ingestion.collector.webhooks import routes as webhook_routes
from ingestion.home import Home
from ingestion.segments.writer import open_segments

_log = logging.getLogger("tributary.collector")
_FLUSH_SECONDS = 5.0


def create_app(options: Options) -> Any:
    """Return the ASGI application of one process."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.collector = collector = start(Home.from_environment(), options)
        upkeep = asyncio.create_task(run_upkeep(collector))
        _log.info("collecting")
        try:
            yield
        finally:
            upkeep.cancel()
            await stop(collector)
            _log.info("stopped")

    routes = [
        Route("/healthz", _health),
        Route("/readyz", _ready),
        Route("/metrics", _metrics),
        Route("/openapi.json", _openapi),
        Route("/admin/stats", _stats),
        Route("/admin/flush", _flush, methods=["POST"]),
        *script_routes(),
        *webhook_routes,
    ]
    handlers = {Problem: _problem, HTTPException: _http_error, Exception: _failure}
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
    """Answer whether events can be made durable, by writing a file."""
    collector = request.app.state.collector
    if fault := storage_fault(collector.home, collector.settings):
        raise storage_unavailable(fault, retry_after=30)
    try:
        await asyncio.to_thread(check_writable, collector.home)
    except OSError as error:
        raise _not_writable("Not ready", error) from None
    return JSONResponse({"status": "ready"})


async def _metrics(request: Request) -> Response:
    if not _is_local(request):
        _check_key(request, "TRIBUTARY_METRICS_KEY", "TRIBUTARY_ADMIN_KEY")
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
    still = before
    try:
        request_flush(collector.home)
    except OSError as error:
        raise _not_writable("Not flushed", error) from None
    await collector.landing.flush()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FLUSH_SECONDS):
            while still := before & set(open_segments(collector.home.landing)):
                await asyncio.sleep(0.1)
    closed = sorted(path.with_suffix(".ndjson").name for path in before - still)
    return JSONResponse({"closed": closed, "open": sorted(path.name for path in still)})


def _check_admin(request: Request) -> None:
    """Raise a Problem unless the request has the admin key. Without a key in the environment there is no such route."""
    if not os.environ.get("TRIBUTARY_ADMIN_KEY"):
        raise Problem(404, "Not found", "The collector has no such route")
    _check_key(request, "TRIBUTARY_ADMIN_KEY")


def _check_key(request: Request, *variables: str) -> None:
    """Raise a Problem (401) unless the request has the key that one of the variables holds."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    keys = [key for variable in variables if (key := os.environ.get(variable))]
    if scheme.lower() != "bearer" or not any(hmac.compare_digest(given.strip().encode(), key.encode()) for key in keys):
        raise Problem(401, "Key needed", f"Send Authorization: Bearer <{variables[0]}>")


def _is_local(request: Request) -> bool:
    """Return whether a program on this machine sent the request itself, not a proxy on behalf of another."""
    is_forwarded = any(request.headers.get(name) for name in ("x-forwarded-for", "forwarded", "via", "x-real-ip"))
    try:
        return not is_forwarded and ip_address(client_address(request.scope) or "").is_loopback
    except ValueError:
        return False


def _not_writable(title: str, error: OSError) -> Problem:
    return Problem(503, title, f"The landing folder cannot be written: {error.strerror}", retry_after=5)


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    metrics.REFUSED.labels(str(error.status)).inc()
    headers = {name.decode(): value.decode() for name, value in error.headers()}
    return Response(error.body(), error.status, headers)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = _problem(request, Problem(error.status_code, error.detail, "See /openapi.json for the routes"))
    response.headers.update(error.headers or {})
    return response


def _failure(request: Request, error: Exception) -> Response:
    _log.error("a request failed", exc_info=error)
    return _problem(request, internal_error())
