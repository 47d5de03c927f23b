"""Ask a server over HTTP/1.1 with several connections: the load of bench/serve.py, in a process of its own.

In: an address, paths (one a line on standard input), connections, seconds. Out: one line of JSON: answers, latency.
Each connection asks again as soon as it is answered. An answer that is no 200, or whose body names another version than
its header, is a fault.

    echo /api/kpis | python bench/serve_load.py 127.0.0.1:8600 --connections 16 --seconds 10
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import re
import sys
import time
from collections import Counter

import uvloop

WARM_UP = 1.0  # seconds that are not measured
BODY_VERSION = re.compile(rb'"version":(\d+)')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="host:port")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--pause", type=float, default=0, help="seconds between an answer and the next request")
    parser.add_argument("--check", action="store_true", help="compare each body's version with its header")
    options = parser.parse_args()
    print(json.dumps(uvloop.run(generate(options, sys.stdin.read().split()))))


async def generate(options: argparse.Namespace, paths: list[str]) -> dict:
    """Run the load. Return the report."""
    began = time.perf_counter()
    latencies: list[float] = []
    faults: Counter[str] = Counter()
    versions: Counter[str] = Counter()

    async def client(number: int) -> None:
        dice = random.Random(number)
        host, _, port = options.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=2**26)
        while time.perf_counter() - began < WARM_UP + options.seconds:
            path = dice.choice(paths)
            asked = time.perf_counter()
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept-Encoding: gzip\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            body = await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
            if asked - began > WARM_UP:
                latencies.append(time.perf_counter() - asked)
            if not head.startswith(b"http/1.1 200"):
                faults[head.partition(b"\r\n")[0].decode()] += 1
            version = head.partition(b"tributary-version:")[2].partition(b"\r\n")[0].strip().decode()
            versions[version] += 1
            if options.check:
                text = gzip.decompress(body) if b"content-encoding: gzip" in head else body
                found = BODY_VERSION.search(text)
                if found and found[1].decode() != version:
                    faults["another version in the body"] += 1
            if options.pause:
                await asyncio.sleep(options.pause * 2 * dice.random())
        writer.close()

    await asyncio.gather(*(client(number) for number in range(options.connections)))
    ordered = sorted(latencies)

    def percentile(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000

    return {
        "requests_per_second": len(ordered) / options.seconds,
        "p50_ms": percentile(0.5),
        "p95_ms": percentile(0.95),
        "p99_ms": percentile(0.99),
        "max_ms": ordered[-1] * 1000,
        "faults": dict(faults),
        "versions": len(versions),
    }


if __name__ == "__main__":
    main()
