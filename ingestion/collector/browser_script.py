"""Serve the browser script and its demo page. In: the built files of the checkout. Out: routes."""

from __future__ import annotations

import gzip
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ingestion.collector.problems import Problem

TRACKER = Path(__file__).parents[2] / "tracker"
SCRIPTS = TRACKER / "dist"
DEMO = TRACKER / "demo.html"


class _Script(NamedTuple):
    content: bytes
    compressed: bytes
    etag: str


def script_routes() -> list[Route]:
    """Return a route for each built script, which is read now, and one for the demo page."""
    return [*(_script_route(path) for path in sorted(SCRIPTS.glob("*.js"))), Route("/demo", _demo)]


def _script_route(path: Path) -> Route:
    content = path.read_bytes()
    etag = f'"{sha256(content).hexdigest()[:16]}"'
    script = _Script(content=content, compressed=gzip.compress(content, 9, mtime=0), etag=etag)

    async def serve(request: Request) -> Response:
        headers = {
            "etag": script.etag,
            "cache-control": "public, max-age=3600",
            "vary": "Accept-Encoding",
            "access-control-allow-origin": "*",
            "cross-origin-resource-policy": "cross-origin",
        }
        if request.headers.get("if-none-match") == script.etag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            return Response(script.compressed, headers=headers, media_type="text/javascript")
        return Response(script.content, headers=headers, media_type="text/javascript")

    return Route(f"/{path.name}", serve)


async def _demo(request: Request) -> Response:
    """Return the demo page with the key of the site that ?site= names, or of the first site."""
    sites = request.app.state.collector.sites
    wanted = request.query_params.get("site")
    key = next((key for key, site in sites.by_key.items() if wanted in (None, site.settings.id)), None)
    if key is None or not DEMO.exists():
        raise Problem(404, "No demo", "tributary.yaml has no such site with a public_key, or the demo page is missing")
    page = DEMO.read_text(encoding="utf-8")
    page = page.replace("{{key}}", escape(key)).replace("{{src}}", "/t.js")
    return HTMLResponse(page, headers={"cache-control": "no-store"})
