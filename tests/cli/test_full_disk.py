"""A disk that is full before or during a command: it ends in one sentence and keeps the last version."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.home import COMMAND, ROOT, Done, published, tributary
from tests.support.pulling import DAYS, META, listing, platform

SENTENCE = "No space left on the disk, or it cannot be written. The last published version stays in place."
HEADER = "event_id,site_id,type,occurred_at,anon_id\n"


def kilobytes(folder: Path) -> int:
    return int(subprocess.run(["du", "-sk", folder], capture_output=True, text=True, check=True).stdout.split()[0])


@pytest.fixture
def disk(tmp_path) -> Iterator[Callable[[Path, int], Path]]:
    """disk(home, kilobytes) copies a home to a disk of its own that has so many kilobytes left."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = []

    def copy(home: Path, left: int) -> Path:
        size = kilobytes(home) + left + 20_000
        options = ["-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(folder)]
        done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"a full disk needs root and the right to mount a file system: {done.stderr.strip()}")
        mounted.append(folder)
        subprocess.run(["cp", "-a", f"{home}/.", folder], check=True)
        spare = shutil.disk_usage(folder).free - left * 1024
        (folder / "filler").write_bytes(bytes(max(0, spare)))
        return folder

    yield copy
    for each in mounted:
        subprocess.run(["umount", each], check=True)


def ends_in_a_sentence(done: Done) -> None:
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr.startswith(f"error: {SENTENCE}"), done.stderr
    assert len(done.stderr.splitlines()) == 1


def everything(home: Path) -> dict[str, bytes]:
    """Return the published files, byte for byte."""
    files = (path for path in (home / "published").rglob("*") if path.is_file() and ".new-" not in str(path))
    return {str(path.relative_to(home)): path.read_bytes() for path in files}


def test_no_command_loses_anything_on_a_full_disk(built, disk, tmp_path):
    home = disk(built, 0)
    before = everything(home)
    events = tmp_path / "events.csv"
    events.write_text(HEADER + "".join(f"e{n},shop,PAGE_VIEW,2026-07-01T00:00:00Z,v{n}\n" for n in range(20_000)))
    ends_in_a_sentence(tributary(home, "run", "--full-refresh", code=1))
    ends_in_a_sentence(tributary(home, "import", "events", events, code=1))
    assert everything(home) == before
    with published(home) as connection:
        assert connection.execute("select version from meta").fetchone() == (1,)
    (home / "filler").unlink()
    assert "20,000 loaded" in tributary(home, "import", "events", events).stdout


def test_a_run_whose_disk_fills_up_keeps_the_last_version(built, disk):
    home = disk(built, 3000)
    before = everything(home)
    ends_in_a_sentence(tributary(home, "run", "--full-refresh", code=1))
    assert everything(home) == before


def test_a_pull_on_a_full_disk_ends_in_a_sentence(disk, tmp_path, monkeypatch):
    with platform("meta", monkeypatch):
        home = listing(tmp_path / "home", META)
        tributary(home, "status")
        done = tributary(disk(home, 0), "pull", "meta", *DAYS, code=1)
    assert "Traceback" not in done.stdout + done.stderr
    assert "No space left" in done.stdout + done.stderr


def test_a_run_that_may_not_write_large_files_ends_in_a_sentence(new_home):
    """The same without root: the limit of a file's size stands for the end of the disk."""
    home = new_home("limited")
    limit = 50_000  # bytes

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [COMMAND, "run"],
        env={**os.environ, "TRIBUTARY_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited,
    )
    assert done.returncode == 1
    ends_in_a_sentence(done)


@pytest.mark.parametrize("written", [0, 4096, 8192])
def test_a_first_command_that_cannot_create_the_warehouse_leaves_none(tmp_path, written):
    """The header of a DuckDB file has three blocks of 4 KiB. A kill leaves as little as a full disk."""
    file = tmp_path / "events.csv"
    file.write_text(f"{HEADER}e1,shop,PAGE_VIEW,2026-07-01T00:00:00Z,v1\n")
    program = """if True:
        import resource, sys
        from pathlib import Path
        from ingestion.home import Home
        from ingestion.warehouse import connect
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
        connect(Home(Path(sys.argv[1])))
    """
    command = [sys.executable, "-c", program, str(tmp_path / "home"), str(written)]
    (tmp_path / "home").mkdir()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "File too large" in done.stderr
    assert "1 received" in tributary(tmp_path / "home", "import", "events", file).stdout
