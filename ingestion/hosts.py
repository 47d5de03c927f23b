"""Spell the host of an address in ASCII, as browsers do: müller.example is xn--mller-kva.example.

In: domains of tributary.yaml, addresses of events. Out: the same with Punycode hosts; the SQL function `ascii_address`.
Every comparison of hosts reads these spellings.
"""

from __future__ import annotations

import re
from contextlib import suppress

import duckdb
import idna
from duckdb.sqltypes import VARCHAR

# The host of an address, or of a bare domain such as müller.example/path.
_HOST = re.compile(r"^(\s*(?:(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#@]*@)?)?)([^/?#:@\s]+\.[^/?#:@\s]+)")


def ascii_host(host: str) -> str:
    """Return the host in ASCII (UTS 46), or as it is if it is no domain."""
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True, transitional=False).decode()
    except idna.IDNAError:
        return host


def ascii_address(address: str) -> str:
    """Return the address with its host in ASCII."""
    return _HOST.sub(lambda found: found[1] + ascii_host(found[2]), address, count=1)


def create_function(connection: duckdb.DuckDBPyConnection) -> None:
    """Create ascii_address(t) on a connection. Nearly all addresses are ASCII and stay in SQL."""
    with suppress(duckdb.CatalogException):  # another connection of this process to the same database has created it
        connection.create_function("ascii_address_in_python", ascii_address, [VARCHAR], VARCHAR)
    connection.execute(
        "create or replace temp macro ascii_address(t) as"
        " case when strlen(t) <> length(t) then ascii_address_in_python(t) else t end"
    )
