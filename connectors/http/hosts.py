"""Which host a request may go to. In: a platform and an address. Out: the address moved to TRIBUTARY_<NAME>_URL, where
that is set; VendorError for one that is to get credentials and is not the platform's."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import httpx

from connectors.http.errors import VendorError
from connectors.platform import Platform


def elsewhere(platform: Platform) -> str | None:
    """What stands for the platform's own hosts: a proxy, a test server."""
    return os.environ.get(f"TRIBUTARY_{platform.name.upper()}_URL")


def refuse_foreign(platform: Platform, url: str) -> None:
    """VendorError for an address that is not the platform's: answers name the next page's, and could name any."""
    asked, moved = urlsplit(url), urlsplit(elsewhere(platform) or "")
    is_own = asked.scheme == "https" and asked.hostname in platform.own_hosts
    if not is_own and (asked.scheme, asked.netloc) != (moved.scheme, moved.netloc):
        raise VendorError(
            f"{platform.label}: an answer leads to {asked.scheme}://{asked.hostname}, which is not the platform's own: "
            "credentials do not go there, and nothing was stored"
        )


def move(platform: Platform, request: httpx.Request) -> None:
    """The platform's own addresses go elsewhere, where that is set.

    A report's download does not: it lies elsewhere, and its address is part of the answer.
    """
    target = httpx.URL(elsewhere(platform) or "")
    if target.host and request.url.host in platform.own_hosts:
        path = target.raw_path.rstrip(b"/") + request.url.raw_path
        request.url = request.url.copy_with(scheme=target.scheme, host=target.host, port=target.port, raw_path=path)
        request.headers["host"] = request.url.netloc.decode()
