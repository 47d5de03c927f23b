"""Load files that somebody made to harm: each is refused or loaded whole, within a bound of memory and time."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import duckdb
import pytest

from ingestion.files import inbox, spreadsheet_reader
from ingestion.files.column_mapping import ImportOptions
from ingestion.files.contracts import ContractError
from ingestion.files.inbox import import_inbox, waiting_files
from ingestion.files.limits import MAX_COLUMNS, Size
from ingestion.files.load import load_file
from ingestion.files.replay import replay_failed
from ingestion.home import Home
from ingestion.settings.model import Org, Settings
from ingestion.warehouse import connect
from tests.support.limited import load_limited
from tests.support.waiting import wait_until

SETTINGS = Settings(orgs=[Org("default", "USD")])
HEAD = "occurred_at,visitor_id"
ROW = "2026-07-01T00:00:00Z,v"
TOUCH = {"occurred_at": "2026-07-01T00:00:00Z", "visitor_id": "v"}


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Home:
    found = Home(tmp_path_factory.mktemp("hostile"))
    for folder in (found.inbox / "interactions", found.temporary, found.archive):
        folder.mkdir(parents=True)
    return found


@pytest.fixture
def raw(home):
    with connect(home) as connection:
        connection.execute("delete from raw.interactions; delete from raw.failed_events; delete from raw.loads")
        yield connection


def put(home: Home, name: str | bytes, content: str | bytes) -> Path:
    """Write a file into the inbox, settled."""
    path = home.inbox / "interactions" / os.fsdecode(name)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (1, 1))
    return path


def take(raw, home: Home) -> tuple[list[int], list[str]]:
    """Import the inbox. Return the received rows of each file, and the messages."""
    messages: list[str] = []
    try:
        reports = import_inbox(raw, home, SETTINGS, "interactions", messages.append)
    except ContractError as error:
        reports = []
        messages.append(str(error))
    return [report.received for report in reports], messages


# --- every record is counted --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "received"),
    [
        (f'{HEAD},"what\r\nwas bought"\r\n' + f"{ROW}1,x\r\n" * 2, 2),
        (f'{HEAD},"what\nwas bought"\r\n' + f"{ROW}1,x\r\n" * 2, 2),
        (f"{HEAD},note\n{ROW},{'x' * 33_000_000}", 1),
        (f"{HEAD},note\r{ROW},a\r{ROW},b", 2),
        (f'{HEAD},note\n{ROW},"a\n\nb"\n\n{ROW},5" pipe\n{ROW},b\n', 3),
        (f'{HEAD},note\n{ROW},"never closed\n{ROW},b\n', 2),
        (f"{HEAD},note\n{ROW},{'é' * 990_000}\n{ROW},{'😀' * 990_000}\n", 2),
        ("visitor_id\nv\n\nw\n", 0),
        (json.dumps(TOUCH | {"x": "y" * 33_000_000}), 1),
        (json.dumps(TOUCH) + "\r\n \n\n" + json.dumps(TOUCH), 2),
    ],
    ids=range(10),
)
def test_every_record_is_received_before_the_file_is_deleted(raw, home, text, received):
    path = put(home, "file.csv" if text[0] != "{" else "file.ndjson", text)
    counts, messages = take(raw, home)
    assert sum(counts) == received, messages
    assert path.exists() == (received == 0)
    path.unlink(missing_ok=True)


def test_a_file_is_not_loaded_if_the_parser_reads_fewer_records(raw, home, monkeypatch):
    path = put(home, "file.ndjson", json.dumps(TOUCH) + "\n" + json.dumps(TOUCH | {"visitor_id": "w"}))
    monkeypatch.setattr("ingestion.files.read.measure_ndjson", lambda *_, **__: Size(records=3, lines=2))
    counts, messages = take(raw, home)
    assert counts == []
    assert "has 3 records, but 2 were read. Nothing was loaded." in messages[0]
    assert path.exists()
    assert raw.execute("select count(*) from raw.loads").fetchone() == (0,)
    path.unlink()


# --- files that are not finished ----------------------------------------------------------------------------


def test_a_growing_file_is_neither_loaded_in_part_nor_deleted(raw, home, monkeypatch):
    monkeypatch.setattr(inbox, "SETTLED", 0.5)
    path = put(home, "slow.csv", f"{HEAD}\n")
    stop = threading.Event()

    def write() -> None:
        for number in range(1000):
            with path.open("a") as file:
                file.write(f"{ROW}{number}\n")
            if stop.wait(0.05):
                return

    with path.open("a") as file:
        file.write(f"{ROW}\n")
    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts, messages = take(raw, home)
    finally:
        stop.set()
        writer.join()
    assert (counts, messages) == ([], ["slow.csv: still being written. The next run imports it."])
    written = len(path.read_text().splitlines()) - 1
    assert take(raw, home)[0] == [written]
    assert not path.exists()


def test_a_file_that_a_process_has_open_is_not_loaded(raw, home):
    path = put(home, "stalled.csv", f"{HEAD}\n{ROW}\n")
    with path.open("a"):
        assert take(raw, home) == ([], ["stalled.csv: still being written. The next run imports it."])
        assert raw.execute("select count(*) from raw.interactions").fetchone() == (0,)
    assert take(raw, home)[0] == [1]


def test_a_file_that_changes_after_its_import_stays(raw, home, monkeypatch):
    path = put(home, "late.csv", f"{HEAD}\n{ROW}\n")

    def append(*_: object) -> None:
        path.write_text(f"{HEAD}\n{ROW}\n{ROW}2\n")
        os.utime(path, (2, 2))

    with monkeypatch.context() as patch:
        patch.setattr(inbox, "anonymise_archived", append)
        assert take(raw, home)[0] == [1]
    assert path.exists()
    assert take(raw, home)[0] == [2]
    assert raw.execute("select count(*) from raw.interactions").fetchone() == (2,)


# --- names and kinds of files -------------------------------------------------------------------------------


def test_names_that_are_not_utf8_or_too_long_do_not_stop_other_files(raw, home):
    put(home, "Umsätze.csv".encode("latin-1"), f"{HEAD}\n{ROW}1\n")
    put(home, "long" * 62 + ".csv", f"{HEAD}\n{ROW}2\n")
    put(home, "esc\x1b[2J|\n.csv", f"{HEAD}\n{ROW}3\n")
    put(home, "z.csv", f"{HEAD}\n{ROW}4\n")
    counts, messages = take(raw, home)
    assert counts == [1] * 4
    assert not waiting_files(home, "interactions")
    sources = [source for (source,) in raw.execute("select source from raw.loads order by 1").fetchall()]
    assert sources[0] == "Ums\\xe4tze.csv"
    assert not any("\x1b" in text for text in (*messages, *sources))


def test_links_devices_and_pipes_are_refused(raw, home, tmp_path):
    folder = home.inbox / "interactions"
    secret = tmp_path / "secret.csv"
    secret.write_text(f"{HEAD}\nsoon,secret\n")
    (folder / "link.csv").symlink_to(secret)
    (folder / "nowhere.csv").symlink_to(tmp_path / "missing")
    os.mkfifo(folder / "pipe.csv")
    put(home, "z.csv", f"{HEAD}\n{ROW}\n")
    found, messages = take(raw, home)
    assert found == []  # the error of the others
    assert raw.execute("select source, loaded_rows from raw.loads").fetchall() == [("z.csv", 1)]
    text = "\n".join(messages)
    assert text.count("a symbolic link. Put the file itself into the inbox.") == 4  # each is reported twice
    assert "pipe.csv: a pipe, not a file." in text
    assert raw.execute("select count(*) from raw.failed_events").fetchone() == (0,)
    assert secret.exists()
    for path in waiting_files(home, "interactions"):
        path.unlink()
    with pytest.raises(ContractError, match="a device, not a file"):
        load_file(raw, "interactions", Path("/dev/zero"), SETTINGS)
    with pytest.raises(ContractError, match="a folder, not a file"):
        load_file(raw, "interactions", tmp_path, SETTINGS)


# --- size ---------------------------------------------------------------------------------------------------


def compressed(*pieces: tuple[bytes, int]) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(piece) for piece, times in pieces for _ in range(times)) + packer.flush()


def wide(columns: int, rows: int) -> str:
    extras = range(columns - 3)
    head = ",".join([HEAD, "properties", *(f"c{i}" for i in extras)]) + "\n"
    return head + "".join(f"{ROW}{number},{{}}" + ",x" * len(extras) + "\n" for number in range(rows))


REFUSED = {
    "keys.ndjson": (lambda: json.dumps(TOUCH | {f"k{i}": 1 for i in range(20_000)}), "20,002 columns"),
    "columns.csv": (lambda: wide(100_000, 2), "100,000 columns"),
    "header.csv.gz": (lambda: compressed((b"x" * 1_000_000, 2000)), "a line has more than 50,000,000 bytes"),
    "name.csv.gz": (
        lambda: b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + b"n" * 2_000_000 + b"\0" + gzip.compress(b"a\n")[10:],
        "the header of the gzip file is too long",
    ),
    "rows.csv.gz": (
        lambda: compressed((f"{HEAD}\n".encode(), 1), (f"{ROW}\n".encode() * 40_000, 500)),
        "Tributary reads at most 200 times the size",
    ),
    "twice.csv.gz": (lambda: gzip.compress(gzip.compress(b"a,b\n")), "compressed twice"),
    "bomb.zip": (lambda: b"PK\x03\x04" + b"\0" * 1000, "the zip file is damaged or cut short"),
    "cut.csv.gz": (lambda: gzip.compress(os.urandom(99_999).hex().encode())[:50_000], "damaged or cut short"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_beyond_a_limit_is_refused(home, tmp_path, name):
    make, sentence = REFUSED[name]
    content = make()
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    found = load_limited(home.root, "interactions", tmp_path / name)
    assert sentence in (found.error or "")
    assert found.megabytes < 300
    assert found.seconds < 30


def test_a_parquet_file_that_expands_too_much_is_refused(home, tmp_path):
    queries = {
        "rows": (f"select '{TOUCH['occurred_at']}' as occurred_at, 'v' as visitor_id from range(30000000)", "10 rows"),
        "text": ("select 'v' || i as visitor_id, repeat('x', 1000000) as note from range(1000) t(i)", "200 times"),
        "wide": (f"select {', '.join(f'1 as c{i}' for i in range(2000))}", "2,000 columns"),
    }
    for name, (query, sentence) in queries.items():
        path = tmp_path / f"{name}.parquet"
        duckdb.execute(f"copy ({query}) to '{path}' (row_group_size 100000000)")
        found = load_limited(home.root, "interactions", path)
        assert sentence in (found.error or "")
        assert found.megabytes < 400
        assert found.seconds < 30


@pytest.mark.parametrize("kind", ["csv", "ndjson", "nested", "members"])
def test_a_file_at_the_limit_loads(home, tmp_path, kind):
    """A table as wide as allowed, deep JSON, and one object with 6,000 members and a long text."""
    deep = json.dumps(TOUCH)[:-1] + ', "x": ' + "[" * 490_000 + "]" * 490_000 + "}"
    members = json.dumps({**{f"k{i}": 1 for i in range(6000)}, "s": "x" * 900_000}).replace('"', '""')
    texts = {
        "csv": wide(MAX_COLUMNS, 1000),
        "ndjson": "\n".join(
            json.dumps(TOUCH | {"visitor_id": f"v{n}"} | {f"k{i}": n for i in range(MAX_COLUMNS - 2)})
            for n in range(1000)
        ),
        "nested": deep,
        "members": f'{HEAD},properties\n{ROW},"{members}"\n',
    }
    path = tmp_path / f"{kind}.{'csv' if kind in ('csv', 'members') else 'ndjson'}"
    path.write_text(texts[kind])
    found = load_limited(home.root, "interactions", path)
    assert found.error is None
    assert found.counts["received"] == found.counts["loaded"] == (1000 if kind in ("csv", "ndjson") else 1)
    assert found.megabytes < 2500
    assert found.seconds < 60


def test_a_replay_of_too_many_columns_is_refused(raw, home, tmp_path):
    for part in range(2):
        row = TOUCH | {"occurred_at": "soon"} | {f"k{part}_{i}": 1 for i in range(400)}
        (tmp_path / f"{part}.ndjson").write_text(json.dumps(row))
        assert load_file(raw, "interactions", tmp_path / f"{part}.ndjson", SETTINGS).failed == 1
    with pytest.raises(ContractError, match="have 802 different columns"):
        replay_failed(raw, home, SETTINGS, reason="bad_timestamp")
    assert raw.execute("select count(*) from raw.failed_events").fetchone() == (2,)


# --- --where ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "condition",
    [
        "exists (from read_text('{secret}'))",
        "exists (from read_csv('{secret}'))",
        "exists (from '{secret}')",
        "exists (from raw.interactions)",
        "exists (from raw.orgs)",
        "exists (from temp.source)",
        "exists (from declared_orgs)",
        "exists (from duckdb_secrets())",
        "exists (from glob('/etc/*'))",
        "getenv('HOME') is not null",
        "true); copy (select 1) to '{target}'; select (1",
        "true) union all (select 1 from read_text('{secret}')",
    ],
)
def test_where_reads_the_columns_of_the_file_only(raw, tmp_path, condition):
    secret, target = tmp_path / "secret.txt", tmp_path / "target.csv"
    secret.write_text("secret\n")
    path = tmp_path / "rows.csv"
    path.write_text(f"{HEAD},value\n{ROW},1\n{ROW}2,10\n")
    options = ImportOptions(where=condition.format(secret=secret, target=target))
    with pytest.raises(ContractError, match="--where"):
        load_file(raw, "interactions", path, SETTINGS, options)
    assert raw.execute("select count(*) from raw.loads").fetchone() == (0,)
    assert not target.exists()
    allowed = "value > (select min(value) from file) and visitor_id like 'v%'"
    assert load_file(raw, "interactions", path, SETTINGS, ImportOptions(where=allowed)).received == 1


def test_the_inbox_waits_for_a_new_file(raw, home):
    path = put(home, "new.csv", f"{HEAD}\n{ROW}\n")
    os.utime(path)
    began = time.monotonic()
    assert take(raw, home)[0] == [1]
    assert time.monotonic() - began > inbox.SETTLED - 1


def test_a_reader_of_a_spreadsheet_ends_with_its_parent():
    reading, writing = os.pipe()  # this process keeps the file open: its end does not end the reader
    program = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-P', {spreadsheet_reader.__file__!r}])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(300)"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=reading, stdout=subprocess.PIPE) as parent:
        folder = Path("/proc", parent.stdout.readline().decode().strip())
        wait_until(lambda: len(list((folder / "task").iterdir())) > 1, "the reader watches its parent")
        parent.kill()
    # An ended process without a parent that waits for it has no command line any more.
    wait_until(lambda: not folder.exists() or not (folder / "cmdline").read_bytes(), "the reader has ended")
    os.close(reading)
    os.close(writing)
