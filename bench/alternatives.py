"""Two simpler collectors for comparison in bench/collector.py, on the same server and with the same durability.

`http` answers without reading the body: the cost of the server alone. `plain` is a simple implementation: Starlette,
the standard library's json, a check of required members, one line a request through ingestion/segments/writer.py.

    python bench/alternatives.py plain 8701 /tmp/landing
"""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ingestion.segments.writer import Landing


def main(which: str, port: int, folder: Path) -> None:
    app = http if which == "http" else plain(folder)
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning")


async def http(scope: dict, receive, send) -> None:
    if scope["type"] == "lifespan":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"14")]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"accepted":0}'})


def plain(folder: Path) -> Starlette:
    """Return a collector in plain Starlette: fewer checks, the same durability."""

    @asynccontextmanager
    async def lifespan(app: Starlette):
        app.state.landing = Landing(folder)
        yield
        await app.state.landing.close()

    async def track(request: Request) -> JSONResponse:
        document = await request.json()
        now = datetime.now(UTC)
        rows, seen = [], request.app.state.__dict__.setdefault("seen", set())
        for event in document.get("events") or [document]:
            if not all(isinstance(event.get(name), str) for name in ("eventId", "type", "url", "anonId")):
                return JSONResponse({"title": "a member is missing"}, 400)
            at = datetime.fromisoformat(event["timestamp"])
            if not now - timedelta(days=30) < at < now + timedelta(minutes=5):
                return JSONResponse({"title": "the time is out of bounds"}, 400)
            if (event_id := event["eventId"]) not in seen:
                seen.add(event_id)
                rows.append({**event, "occurred_at": at.isoformat()})
        address = hashlib.sha256((request.client.host if request.client else "").encode()).hexdigest()
        line = json.dumps({"at": now.isoformat(), "ip": address, "ua": request.headers["user-agent"], "rows": rows})
        await request.app.state.landing.append(line.encode() + b"\n")
        return JSONResponse({"received": len(rows), "accepted": len(rows), "duplicate": 0, "rejected": 0}, 202)

    return Starlette(routes=[Route("/api/track", track, methods=["POST"])], lifespan=lifespan)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
