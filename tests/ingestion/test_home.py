"""The home folder: its path, its modes, and the lock that no other user can take."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from ingestion.file_lock import file_lock, holder_of
from ingestion.home import Home
from ingestion.warehouse import build_lock, connect
from tests.support.home import COMMAND, ROOT

LOCK_FOR_EVER = """
import fcntl, sys, time
file = open(sys.argv[1])
fcntl.flock(file, fcntl.LOCK_EX)
print(flush=True)
time.sleep(600)
"""
NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as another user")


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / "home"))
    return Home.from_environment()


def modes(root: Path) -> dict[str, int]:
    """Return the mode of the folder, and of everything in it, that other users have any right to."""
    paths = [root, *root.rglob("*")]
    return {str(path): mode for path in paths if (mode := stat.S_IMODE(path.lstat().st_mode)) & 0o077}


def as_nobody(code: str, path: Path) -> subprocess.Popen[str]:
    """Start Python code as another user; sys.argv[1] is the path."""
    return subprocess.Popen(
        ["python3", "-c", code, str(path)], user=NOBODY, group=NOBODY, stdout=subprocess.PIPE, text=True, cwd="/"
    )


@pytest.mark.parametrize("name", ["a#1", "what?", "a%20b", "star*", "list[1]", "back\\slash", "line\nbreak"])
def test_a_path_that_duckdb_cannot_use_is_refused_in_one_sentence(tmp_path, name):
    done = subprocess.run(
        [COMMAND, "status"],
        env={**os.environ, "TRIBUTARY_HOME": str(tmp_path / name)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Use another folder." in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["it's", "two words", "Umsätze", "100%", "a:b", "{x}", "a&b=c"])
def test_unusual_paths_work(tmp_path, monkeypatch, name):
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / name))
    home = Home.from_environment()
    with connect(home) as connection:
        connection.execute(f"copy (select 1 as one) to '{str(home.temporary).replace(chr(39), chr(39) * 2)}/x.parquet'")
    assert home.warehouse.exists()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_new_files_and_folders_are_private(tmp_path):
    before = os.umask(0o022)
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "from ingestion.home import Home; from ingestion.warehouse import *\n"
                "home = Home.from_environment()\nwith build_lock(home, 'test'): connect(home).close()",
            ],
            env={**os.environ, "TRIBUTARY_HOME": str(tmp_path / "home")},
            cwd=ROOT,
            check=False,
        )
    finally:
        os.umask(before)
    assert done.returncode == 0
    assert (tmp_path / "home" / "warehouse.duckdb").exists()
    assert modes(tmp_path / "home") == {}


def test_a_home_of_an_earlier_version_becomes_private(home):
    with connect(home):
        pass
    for path in (home.root, home.warehouse, home.landing):
        path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o055)
    Home.from_environment()
    assert modes(home.root) == {}


def test_shared_folders_keep_their_mode(tmp_path, monkeypatch):
    """A home in /tmp itself must not lock out the other users of /tmp."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o1777)
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / "shared"))
    Home.from_environment()
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o1777


def test_a_lock_names_its_real_holder(home):
    """A holder that is not Tributary leaves the last holder's name in the file."""
    with build_lock(home, "an earlier run"):
        assert holder_of(home.lock).what == "an earlier run"
    code = (
        "import fcntl, sys, time; file = open(sys.argv[1]); fcntl.flock(file, fcntl.LOCK_EX);"
        " print(flush=True); time.sleep(600)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(home.lock)], stdout=subprocess.PIPE)
    try:
        other.stdout.readline()
        holder = holder_of(home.lock)
        if holder.what == "an earlier run":
            pytest.skip("the kernel does not list the locks of this file system")
        assert holder.pid == other.pid
        assert holder.what.startswith("the program python")
    finally:
        other.kill()
        other.wait()
    assert holder_of(home.lock) is None


def test_a_lock_file_that_others_may_open_is_replaced(home):
    home.lock.write_text("{}")
    home.lock.chmod(0o644)
    with home.lock.open() as neighbour:
        fcntl.flock(neighbour, fcntl.LOCK_EX)
        messages: list[str] = []
        started = time.monotonic()
        with build_lock(home, "mine", messages.append):
            assert stat.S_IMODE(home.lock.stat().st_mode) == 0o600
            assert holder_of(home.lock).what == "mine"
        assert time.monotonic() - started < 5
        assert messages == []


def test_two_holders_of_a_replaced_lock_file_wait_for_each_other(tmp_path):
    lock, messages = tmp_path / "lock", []
    with file_lock(lock, "first"):
        code = (
            "import sys; from pathlib import Path; from ingestion.file_lock import file_lock\n"
            "with file_lock(Path(sys.argv[1]), 'second', lambda m: print(m, flush=True)): print('held', flush=True)"
        )
        second = subprocess.Popen([sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        messages.append(second.stdout.readline())
    messages += second.communicate(timeout=60)[0].splitlines()
    assert messages[0].startswith(f"waiting for first (process {os.getpid()}, since 20")
    assert messages[-1] == "held"


@needs_root
def test_a_neighbour_cannot_lock_the_build(monkeypatch):
    """Another user of the machine opens a home of mode 0755 and locks build.lock. Commands run all the same."""
    with tempfile.TemporaryDirectory() as folder:  # other users cannot pass the folders of pytest
        root = Path(folder, "home")
        root.mkdir()
        (root / "build.lock").write_text("{}")
        for path, mode in ((Path(folder), 0o755), (root, 0o755), (root / "build.lock", 0o644)):
            path.chmod(mode)
        neighbour = as_nobody(LOCK_FOR_EVER, root / "build.lock")
        try:
            assert neighbour.stdout.readline() == "\n"
            monkeypatch.setenv("TRIBUTARY_HOME", str(root))
            home = Home.from_environment()
            with build_lock(home, "mine"):
                pass
            denied = "import sys\ntry: open(sys.argv[1])\nexcept PermissionError: print('denied')"
            assert as_nobody(denied, home.lock).communicate(timeout=60)[0] == "denied\n"
        finally:
            neighbour.kill()
            neighbour.wait()
