"""Load a file in a separate process with limited and measured memory.

In: a home folder, a kind and a file. Out: the counts or the error, the seconds, and the peak of the memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.home import ROOT

_LIMIT = 6_000_000_000  # bytes of address space, so that a failing test does not stop the machine

_PROGRAM = """
import json, resource, sys, time
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[4]), int(sys.argv[4])))
from ingestion.files.contracts import ContractError
from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.settings.model import Org, Settings
from ingestion.warehouse import connect
started, counts, error = time.process_time(), {}, None
with connect(Home(Path(sys.argv[1]))) as connection:
    try:
        report = load_file(connection, sys.argv[2], Path(sys.argv[3]), Settings(orgs=[Org("default", "USD")]))
        counts = {name: getattr(report, name) for name in ("received", "loaded", "duplicate", "failed", "reasons")}
    except ContractError as refusal:
        error = str(refusal)
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
peak = int(status["VmHWM"].split()[0]) // 1024  # rusage would include the memory of the parent process
print(json.dumps([counts, error, time.process_time() - started, peak]))
"""


class Outcome(NamedTuple):
    counts: dict[str, Any]
    error: str | None
    seconds: float  # of processor time
    megabytes: int


def load_limited(home: Path, kind: str, path: Path) -> Outcome:
    """Load the file, and fail the test if the process dies."""
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", _PROGRAM, str(home), kind, str(path), str(_LIMIT)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{path.name}: exit code {done.returncode}\n{done.stderr[-2000:]}"
    return Outcome(*json.loads(done.stdout))
