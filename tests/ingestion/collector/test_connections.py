"""Clients with hundreds of connections: idle ones give way, and others and health checks are answered."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import httpx
import pytest

from ingestion.collector.connections import RESERVE, Connections
from tests.support.collector import Running, collecting

SETTINGS = """
orgs: [{id: default, currency: USD}]
sites: [{id: shop, org: default, public_key: pk_shop, domains: [shop.example], events_per_minute: 1000000}]
"""
LIMIT = 50
HEAD = b"POST /api/track HTTP/1.1\r\nHost: x\r\nOrigin: https://shop.example\r\nContent-Type: text/plain\r\n"


@pytest.fixture(scope="module")
def collector(tmp_path_factory) -> Iterator[Running]:
    options = "--connections-per-address", LIMIT
    with collecting(tmp_path_factory.mktemp("connections") / "home", SETTINGS, *options) as running:
        yield running


def connect(collector: Running, address: str) -> socket.socket:
    port = int(collector.url.rpartition(":")[2])
    client = socket.create_connection(("127.0.0.1", port), source_address=(address, 0), timeout=30)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # leave no port in TIME_WAIT
    return client


def send(collector: Running, address: str) -> httpx.Response:
    with httpx.Client(transport=httpx.HTTPTransport(local_address=address)) as http:
        body = json.dumps({"publicKey": "pk_shop", "type": "PAGE_VIEW", "anonId": "v"})
        headers = {"Origin": "https://shop.example", "Content-Type": "text/plain"}
        return http.post(f"{collector.url}/api/track", content=body, headers=headers)


def is_open(client: socket.socket) -> bool:
    client.settimeout(0.01)
    try:
        return client.recv(1) != b""
    except TimeoutError:
        return True
    except ConnectionError:
        return False


def wait_for_open(clients: list[socket.socket], most: int) -> int:
    """Return how many connections are open, once no more than `most` are."""
    deadline = time.monotonic() + 8  # before the collector closes what sends nothing, after 10 s
    while (found := sum(map(is_open, clients))) > most and time.monotonic() < deadline:
        pass
    return found


def test_idle_connections_give_way_to_new_ones(collector):
    with ExitStack() as stack:
        idle = [stack.enter_context(connect(collector, "127.0.0.2")) for _ in range(400)]
        assert send(collector, "127.0.0.2").status_code == 202
        assert send(collector, "127.0.0.3").status_code == 202
        assert wait_for_open(idle, LIMIT) <= LIMIT
        assert not any(map(is_open, idle[: 400 - LIMIT])), "the oldest give way first"


def test_busy_connections_beyond_the_limit_get_503_but_health_checks_and_others_do_not(collector):
    with ExitStack() as stack:
        busy = []
        for _ in range(LIMIT):
            busy.append(stack.enter_context(connect(collector, "127.0.0.4")))
            busy[-1].sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        refused = send(collector, "127.0.0.4")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        assert refused.headers["access-control-allow-origin"] == "*"  # so that the browser script reads it and retries
        assert refused.headers["connection"] == "close"
        with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.4")) as http:
            assert http.get(f"{collector.url}/healthz").status_code == 200
            assert http.get(f"{collector.url}/readyz").status_code == 200
        assert send(collector, "127.0.0.5").status_code == 202
        for _ in range(200):  # heads that never end
            with suppress(ConnectionError):
                busy.append(stack.enter_context(connect(collector, "127.0.0.4")))
                busy[-1].sendall(HEAD)
        assert wait_for_open(busy, LIMIT + RESERVE) <= LIMIT + RESERVE
        assert send(collector, "127.0.0.5").status_code == 202


class Client:
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


def test_the_limits_of_addresses_networks_and_the_process():
    connections = Connections()
    connections.configure(2, ["10.0.0.0/8"])
    connections._most = 6
    first, second, third = Client(), Client(), Client()
    for client in (first, second):
        connections.add(client, "2001:db8::1")
        connections.begin_request(client)
    connections.add(third, "2001:db8::ffff")  # of the same subscriber
    assert [connections.has_room(each) for each in (first, third)] == [False, False]
    connections.end_request(first)
    connections.add(fourth := Client(), "2001:db8::2")
    assert [each.is_closed for each in (first, second, third, fourth)] == [True, False, False, False]
    proxied = [Client() for _ in range(9)]
    for client in proxied:  # no limit but that of the process
        assert connections.add(client, "10.1.1.1")
    assert [each.is_closed for each in (second, third, fourth)] == [False, True, True]
    assert [each.is_closed for each in proxied] == [True] * 4 + [False] * 5
    for client in (second, *proxied):
        connections.remove(client)
    assert not connections._networks
    assert not connections._of_network
    assert not connections._idle
