"""Measure the load of segments into a raw.events with four times as many events: seconds and peak memory.

In: a home, how many events. Out: figures, printed. The load runs in a separate process, so that the kernel records the
peak of its resident memory.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collector_stages import bodies, landed_line
from load_generator import ID

from ingestion.home import Home
from ingestion.segments.format import sealed
from ingestion.settings.load import load_settings
from ingestion.settings.model import Settings
from ingestion.warehouse import build_lock, connect

BATCH, SEGMENT = 100, 64_000_000  # events a line, bytes a segment

BEFORE = """
    insert into raw.events by name
    select
        'default' as org_id, 'shop' as site_id, 'before-' || lpad(to_hex(i), 12, '0') || '-0000' as event_id,
        'PAGE_VIEW' as type, timestamp '2026-01-01' + to_microseconds(i * 400_000) as occurred_at,
        'before-' || md5((i // 3)::varchar)[:12] || '-v' as anon_id,
        'before-' || md5((i // 3)::varchar)[:12] || '-s' as session_id,
        'https://shop.example.com/products/' || (i * 7919 % 10_000) || '?utm_source=google&utm_medium=cpc' as url,
        '/products/' || (i * 7919 % 10_000) as path, 'https://www.google.com/' as referrer,
        'Running shoes for every road' as title, 'Mozilla/5.0' as user_agent,
        md5(i::varchar)[:32] as ip_hash, occurred_at as received_at,
        md5('content' || i) as _content_hash, 'before' as _load_id, occurred_at as _loaded_at
    from range({size}) as numbers (i)
"""


def measure_load(home: Home, size: int) -> None:
    """Load `size` events into an otherwise empty home, and print time and memory."""
    environment = {**os.environ, "TRIBUTARY_HOME": str(home.root)}
    settings = load_settings(home)
    print(f"\nload of {size:,} events with the core members into {4 * size:,} (preparing both)", flush=True)
    with build_lock(home, "bench"), connect(home) as connection:
        connection.execute(BEFORE.format(size=4 * size))
    count = land(home.landing, settings, size)
    done = subprocess.run([sys.executable, __file__], env=environment, stdout=subprocess.PIPE, check=True)
    report = json.loads(done.stdout)
    print(f"  {report['seconds']:.1f} s, {report['cpu']:.1f} s of CPU, {report['peak']:.2f} GB   target 15 s, 2.5 GB")
    with build_lock(home, "bench"), connect(home) as connection:
        (rows,) = connection.execute("select count(*) from raw.events").fetchone()
    if rows != 4 * size + count:
        sys.exit(f"{count:,} events landed, {rows - 4 * size:,} were loaded")


def land(folder: Path, settings: Settings, size: int) -> int:
    """Write segments as the collector does, each line with other visitors and times. Returns the number of events."""
    now = datetime.now(UTC)
    line = landed_line(settings, bodies(1, BATCH, "core")[0].replace(b"%012x" % 0, ID))
    payload = line[: line.rindex(b',"crc":')] + b"}"
    moment = payload[payload.index(b'"at":"') + 6 :][:19]
    buffer = bytearray()
    for number in range(size // BATCH):
        at = (now - timedelta(seconds=number)).isoformat()[:19].encode()
        buffer += sealed(payload.replace(ID, b"%012x" % number).replace(moment, at))
        if len(buffer) > SEGMENT or number == size // BATCH - 1:
            (folder / f"20260101T000000{number:06}Z-1-00000000.ndjson").write_bytes(buffer)
            buffer.clear()
    return size // BATCH * BATCH


def load() -> None:
    """Load the segments, in the measured process."""
    from ingestion.segments.loading import load_landing

    home = Home.from_environment()
    began = time.monotonic()
    with build_lock(home, "bench"), connect(home) as connection:
        load_landing(connection, home, load_settings(home))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = time.monotonic() - began
    print(json.dumps({"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss * 1024 / 1e9}))


if __name__ == "__main__":
    load()
