"""Refuse requests to internal addresses: a platform's response may state any URL, or redirect to one.

In: the URL of a request that is not for a platform's own host. Out: VendorError unless it is https and public.
"""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, ip_address

import httpx

from connectors.http.errors import VendorError


def require_public(url: httpx.URL, label: str) -> None:
    """Raise VendorError if the URL is not https, or if its host has an address of this machine or of its network.

    A name that cannot be resolved here is left to the proxy, or fails when the request is sent. label: the platform.
    """
    refusal = f"{label}: a response links or redirects to {url.scheme}://{url.host}, which is"
    if url.scheme != "https":
        raise VendorError(f"{refusal} not an https address. Tributary reads nothing there, and nothing was stored")
    if internal := next((found for found in _addresses(url.host) if not _is_public(found)), None):
        raise VendorError(
            f"{refusal} an internal address ({internal}). Tributary reads nothing there, and nothing was stored"
        )


def _addresses(host: str) -> list[str]:
    """Return the addresses of a host: itself if it is an address, in any spelling such as 0x7f.1 or 2130706433."""
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(place[0]).partition("%")[0] for *_, place in found]


def _is_public(address: str) -> bool:
    """Return whether an address is on the Internet; IPv6 forms of an IPv4 address count as that address."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)
    return ip.is_global and not ip.is_multicast
