"""Name the machine that a benchmark runs on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import duckdb

from ingestion.warehouse import memory_limit


def machine() -> str:
    """Return the machine in one line."""
    about = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":")[1].strip() for line in about if line.startswith("model name")), "cpu")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} x {cpu}, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, DuckDB {duckdb.__version__} limited to {memory_limit()}"
    )
