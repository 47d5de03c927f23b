"""Refuse requests that other web pages send through a person's browser, and hosts that are not the server's.

In: the headers of a request, the names of the server. Out: None, or the reason of a refusal.

A page of another site can make a browser send requests to 127.0.0.1, and its own name can resolve to this machine
(DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:  # each command imports this module for AccessError
    from starlette.datastructures import Headers

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # they change nothing


class SameOrigin:
    """The names of a server, which its requests must have as host and as origin.

    host: the address that the server listens on. names: further host names under which people open it.
    """

    def __init__(self, host: str, names: Collection[str] = ()) -> None:
        self.names = LOOPBACK | {host, *(name.lower() for name in names)}
        self.is_public = not is_loopback(host)

    def refusal(self, headers: Headers, method: str) -> str | None:
        """Return why a request is refused, or None. A program that is no browser sends neither header of its page."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self.knows(hostname(f"//{hosts[0]}")):
            shown = hosts[0] if hosts else "none"
            return f"Unknown host: {shown}. Open the server at its address, or start it with --name HOST."
        for origin in headers.getlist("origin"):
            if origin.partition("//")[2] != hosts[0] and hostname(origin) not in self.names - LOOPBACK:
                return f"A page of {origin} sent this request. Only the server's own pages may send requests."
        is_own = headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        if not is_own and not (method in SAFE_METHODS and is_link(headers)):
            return "A page of another site sent this request. Only the server's own pages may send requests."
        return None

    def knows(self, name: str | None) -> bool:
        """Return whether a host is the server's. A foreign name can resolve to this machine; an address cannot."""
        return name in self.names or (self.is_public and name is not None and is_address(name))


def is_link(headers: Headers) -> bool:
    """Return whether a person followed a link of another site in a whole browser window, not in a frame."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


def is_loopback(host: str) -> bool:
    """Return whether only programs of this machine reach a server that listens on the host."""
    return host in LOOPBACK or (is_address(host) and ip_address(host).is_loopback)


def is_address(host: str) -> bool:
    """Return whether a host is an IP address, not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def hostname(url: str) -> str | None:
    """Return the host of a URL in lower case, without port and brackets; None if there is none."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
