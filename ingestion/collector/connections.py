"""Keep one client's connections from using up those of all others.

In: the connections of a process, as they open, send, wait and close. Out: idle ones closed to make room; whether a
connection has its room.
"""

from __future__ import annotations

import resource
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Protocol

from ingestion.collector.request import network_of

MOST = 4096  # of a process
PER_ADDRESS = 100
RESERVE = 20  # more than the limit, so that health checks are answered
_FILES = 200  # other open files of a process


class Connection(Protocol):
    """A connection of the HTTP server."""

    def close(self) -> None: ...


class Connections:
    """The open connections of a process. Those that wait for a request are idle, and give way to new ones."""

    def __init__(self) -> None:
        self._most, self._per_address = MOST, PER_ADDRESS
        self._proxies: list[IPv4Network | IPv6Network] = []
        self._networks: dict[Connection, str | None] = {}  # None: of a trusted proxy, which has no limit of its own
        self._of_network: dict[str, dict[Connection, None]] = {}
        self._idle: dict[Connection, None] = {}  # the longest idle first

    def configure(self, per_address: int, proxies: Sequence[str]) -> None:
        """Set the limits of this process. proxies: addresses and ranges with connections of many clients."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most, self._per_address = max(min(MOST, files - _FILES), RESERVE), per_address
        self._proxies = [ip_network(proxy) for proxy in proxies]

    def add(self, connection: Connection, address: str) -> bool:
        """Add a new connection, which is idle. Return false if it has to be closed at once."""
        network = None if self._is_proxy(address) else network_of(address)
        self._networks[connection] = network
        if network is not None:
            neighbours = self._of_network.setdefault(network, {})
            if len(neighbours) >= self._per_address:
                self._make_room(next((each for each in neighbours if each in self._idle), None))
            neighbours[connection] = None
        if len(self._networks) > self._most:
            self._make_room(next(iter(self._idle), None))
        self._idle[connection] = None
        return self._excess(connection) <= RESERVE

    def remove(self, connection: Connection) -> None:
        self._idle.pop(connection, None)
        network = self._networks.pop(connection, None)
        if network is not None:
            neighbours = self._of_network[network]
            neighbours.pop(connection, None)
            if not neighbours:
                del self._of_network[network]

    def begin_request(self, connection: Connection) -> None:
        self._idle.pop(connection, None)

    def end_request(self, connection: Connection) -> None:
        if connection in self._networks:
            self._idle[connection] = None

    def has_room(self, connection: Connection) -> bool:
        """Return whether the connection is within the limits."""
        return self._excess(connection) <= 0

    def _excess(self, connection: Connection) -> int:
        """Return how many connections there are beyond a limit."""
        network = self._networks.get(connection)
        of_network = len(self._of_network[network]) - self._per_address if network is not None else 0
        return max(len(self._networks) - self._most, of_network)

    def _make_room(self, idle: Connection | None) -> None:
        if idle:
            self.remove(idle)
            idle.close()

    def _is_proxy(self, address: str) -> bool:
        try:
            return any(ip_address(address) in proxy for proxy in self._proxies)
        except ValueError:
            return False
