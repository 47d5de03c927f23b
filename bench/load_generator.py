"""Send events over HTTP/1.1 as fast as one process can: the load of bench/collector.py, on the same machine.

In: a collector's address, a site's key and origin, events a request, connections, and a rate or none (saturated: each
connection sends again as soon as it is answered). Out: one line of JSON: answers, speed, latency.

Requests are built in advance, and only the ids of their events change. With a rate, latency counts from the time when a
request is due, not when a connection becomes free (coordinated omission: Gil Tene, "How NOT to Measure Latency", 2013).

    python bench/load_generator.py 127.0.0.1:8700 pk_1 https://shop.example.com --batch 100 --seconds 5
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import time
from array import array
from collections import Counter, deque
from datetime import UTC, datetime

import msgspec
import uvloop

ID = b"00000000feed"  # the part of each event's id that is replaced by the number of the request
USER_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
WARM_UP = 1.0  # seconds that are not measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="host:port of the collector")
    parser.add_argument("key", help="the site's public key")
    parser.add_argument("origin", help="an origin of the site")
    parser.add_argument("--batch", type=int, default=100, help="events a request")
    parser.add_argument("--shape", choices=("core", "full"), default="full", help="the members of an event")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5.0, help=f"measured, after {WARM_UP:.0f} s of warming up")
    parser.add_argument("--rate", type=float, help="requests a second; without one, as many as are answered")
    options = parser.parse_args()
    print(json.dumps(uvloop.run(generate(options))))


def events(count: int, run: str, shape: str) -> list[dict]:
    """Return the events of a shop: mostly page views, a sixth of another type, a few sales.

    core: the members of every event. full: also those that the browser script adds.
    """
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    found = []
    for n in range(count):
        path = f"/products/{n * 7919 % 10_000}"
        event = {
            "eventId": f"{run}-{ID.decode()}-{n:04}",
            "type": "PAGE_VIEW",
            "url": f"https://shop.example.com{path}?utm_source=google&utm_medium=cpc&utm_campaign=spring",
            "path": path,
            "anonId": f"{run}-{ID.decode()}-v{n % 40:03}",
            "sessionId": f"{run}-{ID.decode()}-s{n % 40:03}",
        }
        if n % 25 == 24:
            event |= {"type": "CONVERSION", "value": 49.9, "currency": "EUR", "orderId": f"{run}-{ID.decode()}-{n}"}
        elif n % 6 == 5:
            event |= {"type": "CUSTOM"}
        if shape == "full":
            event |= {"timestamp": now, "referrer": "https://www.google.com/", "title": "Running shoes for every road"}
            if event["type"] == "CUSTOM":
                event |= {"properties": {"list": "search", "position": n, "in_stock": True}}
        found.append(event)
    return found


def request(host: str, key: str, origin: str, batch: int, shape: str) -> bytes:
    """Return a request with placeholders for its ids."""
    found = events(batch, secrets.token_hex(4), shape)
    body = msgspec.json.encode({"publicKey": key, "events": found} if batch > 1 else {"publicKey": key, **found[0]})
    head = (
        f"POST /api/track HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nUser-Agent: {USER_AGENT}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Load:
    """The state that all connections share: requests to send, and answers."""

    def __init__(self, template: bytes) -> None:
        self.template, self.number = template, 0
        self.idle: deque[Connection] = deque()
        self.due: deque[float] = deque()  # requests that wait for a free connection
        self.stopped = False
        self.saturated = True
        self.measuring = False
        self.lateness = array("d")  # seconds
        self.answers: Counter[tuple[int, bytes]] = Counter()  # (status, body), measured or not
        self.open = 0

    def next(self) -> bytes:
        self.number += 1
        return self.template.replace(ID, b"%012x" % self.number)


class Connection(asyncio.Protocol):
    def __init__(self, load: Load) -> None:
        self.load, self.began, self.received = load, 0.0, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.load.open += 1
        self.load.idle.append(self)

    def ask(self, due: float) -> None:
        self.began = due
        self.transport.write(self.load.next())

    def data_received(self, data: bytes) -> None:
        data = self.received + data if self.received else data
        head = data.find(b"\r\n\r\n")
        length = data.lower().find(b"content-length:", 0, head)
        if head < 0 or len(data) < head + 4 + int(data[length + 15 : data.find(b"\r\n", length)]):
            self.received = data
            return
        self.received = b""
        load, now = self.load, time.perf_counter()
        load.answers[int(data[9:12]), data[head + 4 :]] += 1
        if load.measuring:
            load.lateness.append(now - self.began)
        if load.saturated and not load.stopped:
            self.ask(now)
        elif load.due:
            self.ask(load.due.popleft())
        else:
            load.idle.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.load.open -= 1


async def generate(options: argparse.Namespace) -> dict:
    """Run the load. Returns the report."""
    host, port = options.address.rsplit(":", 1)
    load = Load(request(options.address, options.key, options.origin, options.batch, options.shape))
    load.saturated = options.rate is None
    loop = asyncio.get_running_loop()
    for _ in range(options.connections):
        await loop.create_connection(lambda: Connection(load), host, int(port))
    if load.saturated:
        while load.idle:
            load.idle.popleft().ask(time.perf_counter())
        sending = None
    else:
        sending = asyncio.create_task(send_at(load, options.rate))
    await asyncio.sleep(WARM_UP)
    load.measuring, began = True, time.perf_counter()
    await asyncio.sleep(options.seconds)
    load.measuring, seconds = False, time.perf_counter() - began
    load.stopped = True
    if sending:
        sending.cancel()
        load.due.clear()
    while load.open and len(load.idle) < load.open:
        await asyncio.sleep(0.01)
    lateness = sorted(load.lateness)
    answers = [(count, status, body) for (status, body), count in load.answers.items()]
    return {
        "requests_per_second": len(lateness) / seconds,
        "events_per_second": len(lateness) * options.batch / seconds,
        "p50_ms": lateness[len(lateness) // 2] * 1000 if lateness else None,
        "p99_ms": lateness[len(lateness) * 99 // 100] * 1000 if lateness else None,
        "bytes_per_event": len(load.template) / options.batch,
        "acknowledged": sum(n * json.loads(body)["accepted"] for n, status, body in answers if status == 202),
        "sent": load.number * options.batch,
        "statuses": {status: sum(n for n, same, _ in answers if same == status) for _, status, _ in answers},
        "broken_connections": options.connections - load.open,
    }


async def send_at(load: Load, rate: float) -> None:
    """Send at even intervals, whether or not the answers keep up."""
    began, asked = time.perf_counter(), 0
    while not load.stopped:
        now = time.perf_counter()
        while asked < (now - began) * rate:
            due = began + asked / rate
            asked += 1
            if load.idle:
                load.idle.popleft().ask(due)
            else:
                load.due.append(due)
        await asyncio.sleep(0.0005)


if __name__ == "__main__":
    main()
