"""Who may send events: the sites of tributary.yaml and their rules.

In: the settings, read again when the file changes, and server keys from the environment. Out: the site of a public key,
and whether a sender may write to it.
"""

from __future__ import annotations

import hmac
import logging
import os
import re
from dataclasses import dataclass, field
from functools import lru_cache

from ingestion.collector.problems import Problem
from ingestion.collector.validation import Rules, rules_of
from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.settings.model import Settings, SettingsError, Site, server_key_variable

_log = logging.getLogger("tributary.collector")
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?")
_LONGEST_ORIGIN = 300  # characters: the longest host, scheme and port; the answers are cached
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class KnownSite:
    """A site, its rules, and the key by which its server proves itself."""

    settings: Site
    rules: Rules
    server_key: str | None = field(repr=False)

    def allows(self, origin: str) -> bool:
        """Return whether a browser that shows a page of this origin may send events."""
        domains, origins = tuple(self.settings.domains), tuple(self.settings.origins)
        return len(origin) <= _LONGEST_ORIGIN and _allows(origin, domains, origins)


@dataclass(frozen=True)
class Sites:
    """All sites of tributary.yaml."""

    settings: Settings
    by_key: dict[str, KnownSite]
    by_id: dict[str, KnownSite]

    def site_of(self, public_key: str | None) -> KnownSite:
        """Return the site that the key names, or raise a Problem (401)."""
        site = self.by_key.get(public_key or "")
        if site is None:
            given = "is not known" if public_key else "is missing"
            detail = f"publicKey {given}. Send the public_key of a site in tributary.yaml"
            raise Problem(401, "Unknown public key", detail)
        return site


def check_sender(site: KnownSite, origin: str | None, authorization: str | None, host: str | None) -> bool:
    """Return true for a page of the site and false for a server that has its key, or raise a Problem (403)."""
    if authorization and site.server_key:
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(key.strip().encode(), site.server_key.encode()):
            return False
    if origin is None:
        detail = (
            f"The request has neither an Origin, as from a browser, nor a valid Authorization: Bearer <server key>."
            f" The collector reads this site's key from its environment: {server_key_variable(site.settings.id)}"
        )
        raise Problem(403, "Sender not allowed", detail)
    if not (site.allows(origin.lower()) or is_own_page(origin, host)):
        detail = f"The site does not have this origin. {_advice(origin)}"
        raise Problem(403, "Origin not allowed", detail)
    return True


def _advice(origin: str) -> str:
    if origin == "null":
        return "Browsers send `null` for a file and for a sandboxed frame. Serve the page over HTTP"
    if shown_origin(origin) != origin:
        return (
            "It is not of the form that browsers send: scheme and host in ASCII, such as https://xn--mller-kva.example"
        )
    return "Add its domain under domains, or the origin itself under origins, in tributary.yaml"


def is_own_page(origin: str, host: str | None) -> bool:
    """Return whether the page is the collector's demo, on this machine."""
    scheme, _, authority = origin.partition("://")
    return scheme == "http" and authority == host and re.sub(r":\d+$", "", authority) in _LOOPBACK


def shown_origin(origin: str) -> str:
    """Return an origin for a log: its sender chooses it."""
    return origin if len(origin) <= _LONGEST_ORIGIN and _ORIGIN.fullmatch(origin.lower()) else "(not an origin)"


def read_sites(home: Home) -> Sites:
    """Read the sites from tributary.yaml. Raises SettingsError."""
    settings = load_settings(home)
    by_id = {
        site.id: KnownSite(site, rules_of(site, settings), os.environ.get(server_key_variable(site.id)) or None)
        for site in settings.sites
    }
    by_key = {site.settings.public_key: site for site in by_id.values() if site.settings.public_key}
    return Sites(settings=settings, by_key=by_key, by_id=by_id)


def reread_sites(home: Home, sites: Sites, seen: tuple[int, int]) -> tuple[Sites, tuple[int, int]]:
    """Return the sites of a changed tributary.yaml and its version; the old sites while the file is wrong.

    seen: the version that the old sites were read from.
    """
    now = version(home)
    if now in (seen, (0, 0)):
        return sites, seen
    try:
        sites = read_sites(home)
        _log.info("read the changed tributary.yaml")
    except (SettingsError, OSError) as error:
        _log.error("tributary.yaml is wrong, the last valid settings stay in use: %s", error)
    return sites, now


def version(home: Home) -> tuple[int, int]:
    """Return modification time and size of tributary.yaml; zeros if there is none."""
    try:
        status = home.settings.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4096)
def _allows(origin: str, domains: tuple[str, ...], origins: tuple[str, ...]) -> bool:
    if origin in map(str.lower, origins):
        return True
    parts = _ORIGIN.fullmatch(origin)
    if not parts:
        return False
    authority = parts[1] + (parts[2] or "")
    return any(authority == domain or authority.endswith("." + domain) for domain in map(str.lower, domains))
