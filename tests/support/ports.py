"""Find free ports. In: nothing. Out: ports of this machine that no server uses."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Return a port that no server uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
