"""Listen on an address, or say why that is impossible and which option to change.

In: a host and a port, and the options that name them. Out: a listening socket, or CannotListen.
"""

from __future__ import annotations

import errno
import signal
import socket

BACKLOG = 2048


class CannotListen(Exception):
    """No server can listen on the address."""


def listen(host: str, port: int, *, host_option: str = "--host", port_option: str = "--port") -> socket.socket:
    """Return a socket that listens on the address. The kernel queues connections from now on."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            other = port + 1 if port < 65535 else port - 1
            advice = f"Another program uses port {port} of {host}. Stop it, or use another port: {port_option} {other}"
        elif error.errno == errno.EACCES:
            advice = f"This user may not use port {port} of {host}. Use one from 1024 on: {port_option} {port + 8000}"
        elif isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            advice = f"{host_option} {host}: this machine has no such address. Use 127.0.0.1, or 0.0.0.0 for all"
        else:
            advice = f"{host_option} {host}, {port_option} {port}: {error.strerror}. Use another address"
        raise CannotListen(advice) from None
    return sock


def end_with_success() -> None:
    """Let Ctrl-C and SIGTERM end this process with exit code 0. Call it before uvicorn handles the signals.

    uvicorn raises the signal again once it has stopped, when there is nothing more to end.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
