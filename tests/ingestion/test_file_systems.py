"""A home with folders on two file systems: no rename and no hard link leads from one to the other."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.files.inbox import import_inbox
from ingestion.home import Home
from ingestion.segments.archive import place
from ingestion.segments.retire import retire
from ingestion.settings.model import Collector, Org, Settings, Site
from ingestion.warehouse import connect
from serving.publishing.version_files import link_or_copy
from tests.support.segments import START, at, land, load, page, receipt

SETTINGS = Settings([Org("default", "USD")], [Site("shop", "default")], collector=Collector(keep_raw_days=1))


@pytest.fixture
def other_disk(tmp_path) -> Iterator[Path]:
    """A folder on another file system than the home."""
    for path in ("/dev/shm", tempfile.gettempdir()):
        if os.path.isdir(path) and os.stat(path).st_dev != tmp_path.stat().st_dev:
            with tempfile.TemporaryDirectory(dir=path) as folder:
                yield Path(folder)
            return
    pytest.skip("this machine has one file system for /tmp and /dev/shm, or no /dev/shm")


@pytest.fixture
def home(tmp_path, other_disk, monkeypatch) -> Home:
    """A home with archive and published files on the other disk."""
    root = tmp_path / "home"
    root.mkdir()
    for name in ("archive", "published"):
        (other_disk / name).mkdir()
        (root / name).symlink_to(other_disk / name)
    monkeypatch.setenv("TRIBUTARY_HOME", str(root))
    return Home.from_environment()


def test_segments_files_and_old_events_reach_the_archive(home, other_disk):
    land(home, 1, receipt([page(1, 10), page(2, 20)], ip="h", ua="Firefox"))
    file = home.inbox / "events" / "e.csv"
    file.write_text(f"event_id,site_id,type,occurred_at,anon_id\nf1,shop,PAGE_VIEW,{at(5)},v\n")
    with connect(home) as raw:
        (segment,) = load(raw, home, SETTINGS)
        (report,) = import_inbox(raw, home, SETTINGS, "events", print)
        assert (segment.loaded, report.loaded) == (2, 1)
        assert retire(raw, home, SETTINGS, START.replace(month=9)) == 3
        assert raw.execute("select count(*) from raw.all_events").fetchone() == (3,)
    assert not file.exists()
    assert not list(home.landing.iterdir())
    found = sorted(path.relative_to(other_disk / "archive").parts[0] for path in other_disk.rglob("*.parquet"))
    assert found == ["events", "inbox", "landed"]
    assert [path for path in other_disk.rglob("*") if path.suffix == ".part"] == []


def test_a_file_moves_whole_and_keeps_its_time(tmp_path, other_disk):
    source, target = tmp_path / "a", other_disk / "folder" / "a"
    source.write_bytes(b"content")
    os.utime(source, ns=(1_000_000_000, 1_000_000_000))
    place(source, target)
    assert target.read_bytes() == b"content"
    assert target.stat().st_mtime_ns == 1_000_000_000
    assert not source.exists()
    assert [path.name for path in target.parent.iterdir()] == ["a"]


def test_a_move_that_is_killed_leaves_the_source(tmp_path, other_disk, monkeypatch):
    source, target = tmp_path / "a", other_disk / "a"
    source.write_bytes(b"new")
    target.write_bytes(b"old")

    def stopped(source: Path, target: Path) -> None:
        Path(target).write_bytes(b"ne")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copy2", stopped)
        with pytest.raises(KeyboardInterrupt):
            place(source, target)
    assert (source.read_bytes(), target.read_bytes()) == (b"new", b"old")
    place(source, target)
    assert target.read_bytes() == b"new"
    assert [path.name for path in other_disk.iterdir()] == ["a"]


def test_a_second_name_is_a_copy_where_no_hard_link_leads(tmp_path, other_disk):
    (tmp_path / "a").write_bytes(b"content")
    link_or_copy(tmp_path / "a", other_disk / "a")
    assert (other_disk / "a").read_bytes() == b"content"
