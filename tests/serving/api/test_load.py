"""Ask a real server with 16 clients while versions are published: no error, no mixed answer, no leaked file."""

from __future__ import annotations

import io
import os
import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random

import duckdb
import httpx
import polars as pl
import pytest

from serving.orgs import OrgFiles
from tests.support.serving import app_on, copy_published, publish_copy, running, service_on

CLIENTS, VERSIONS, ANSWERS = 16, 4, 200  # the test ends when the clients saw so many versions and answers
ORG = "northwind"
DAY = "2026-07-01"
# Each version has this flag and these rows of spend, and both hold the number of the version.
PLANT = f"""
    update meta set version = $number;
    delete from waste_flags;
    insert into waste_flags by name select
        'flag' as waste_id, '{ORG}' as org_id, 'CAMPAIGN' as grain, 'google' as platform, 'c' as campaign_id,
        date '{DAY}' as period_start, date '{DAY}' as period_end, 'linear' as attribution_model,
        ($number * 1000000)::bigint as spend_micros, ($number * 1000000)::bigint as waste_spend_micros,
        'no_conversions' as reason, 'high' as severity, '{{}}' as explanation;
    delete from channel_spend;
    insert into channel_spend by name select
        '{ORG}' as org_id, date '{DAY}' as date, 'Paid Search' as channel, 'google' as platform, 'c' as campaign_id,
        0 as impressions, 0 as clicks, ($number * 1000000)::bigint as spend_micros;
"""
PERIOD = {"org": ORG, "from": DAY, "to": DAY}


def read_json(name: str, column: str) -> Callable[[httpx.Response], tuple[int, int]]:
    def read(response: httpx.Response) -> tuple[int, int]:
        answer = response.json()
        assert answer["version"] == int(response.headers["tributary-version"])
        return answer["version"], next(row[column] for row in answer["rows"] if row[column])

    return read


def read_waste(response: httpx.Response) -> tuple[int, int]:
    """Return version and figure of an answer whose rows and summary come from two queries."""
    answer = response.json()
    (row,) = answer["rows"]
    total = answer["summary"]["total_waste_spend_micros"]
    assert row["waste_spend_micros"] == total
    return int(response.headers["tributary-version"]), total


def read_parquet(response: httpx.Response) -> tuple[int, int]:
    frame = pl.read_parquet(io.BytesIO(response.content))
    return int(response.headers["tributary-version"]), frame["spend_micros"].sum()


def read_page(response: httpx.Response) -> tuple[int, int]:
    """Return version and figure of a page; tile, chart and table come from several queries."""
    figures = {int(found) for found in re.findall(r'data-column="spend_micros" data-value="(\d+)"', response.text)} - {
        0
    }
    (figure,) = figures
    return int(response.headers["tributary-version"]), figure


REQUESTS = (
    ("/api/kpis", {}, read_json("kpis", "spend_micros")),
    ("/api/channels", {}, read_json("channels", "spend_micros")),
    ("/api/channels", {"sort": "-spend_micros"}, read_json("channels", "spend_micros")),
    ("/api/waste", {}, read_waste),
    ("/api/platforms", {"format": "parquet"}, read_parquet),
    ("/overview", {}, read_page),
)


@pytest.fixture
def home(built: Path, tmp_path: Path) -> Path:
    return copy_published(built, tmp_path)


def publish_next(home: Path, number: int) -> None:
    """Publish a version whose figures hold its number, as publish.py does: rename the finished file over the last."""
    fresh = home / f"{ORG}-{number}.new"
    shutil.copyfile(home / "published" / "orgs" / f"{ORG}.duckdb", fresh)
    with duckdb.connect(str(fresh)) as connection:
        for statement in PLANT.split(";\n"):
            if statement.strip():
                connection.execute(statement, {"number": number} if "$number" in statement else None)
    publish_copy(home, ORG, fresh)


def test_a_file_that_is_replaced_while_it_is_opened_answers(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, opening can take longer than the time between two publications."""
    publish_next(home, 1)
    files, stats = OrgFiles(home / "published"), count()
    monkeypatch.setattr("serving.orgs.identity", lambda path: (next(stats), 0, 0))
    for number in (1, 2):
        publish_next(home, number)
        with files.pinned(ORG) as version:
            assert version.number == number
    files.close()


def open_files(home: Path) -> int:
    """Return how many descriptors of this process point at files of the home, also at replaced ones."""
    folder = Path("/proc/self/fd")
    links = []
    for descriptor in folder.iterdir():
        try:
            links.append(os.readlink(descriptor))
        except FileNotFoundError:
            continue
    return sum(str(home / "published") in link for link in links)


def test_answers_during_publications_are_whole(home: Path) -> None:
    publish_next(home, 1)
    service = service_on(home, home)
    stop = threading.Event()
    faults: list[BaseException] = []
    seen: Counter[int] = Counter()

    def client(address: str, number: int) -> None:
        dice = Random(number)
        try:
            with httpx.Client(base_url=address, timeout=60) as http:
                while not stop.is_set():
                    path, query, read = dice.choice(REQUESTS)
                    response = http.get(path, params={**PERIOD, **query})
                    assert response.status_code == 200, response.text
                    version, figure = read(response)
                    assert figure == version * 1_000_000, f"{path} mixes versions: {figure} in version {version}"
                    seen[version] += 1
        except BaseException as fault:
            faults.append(fault)
            stop.set()

    with running(app_on(service)) as address:
        threads = [threading.Thread(target=client, args=(address, number)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        number = 1
        while (len(seen) < VERSIONS or sum(seen.values()) < ANSWERS) and not stop.is_set():
            number += 1
            publish_next(home, number)
            time.sleep(0.05)
        stop.set()
        for thread in threads:
            thread.join(60)
        assert not faults, faults[0]
        last = httpx.get(f"{address}/api/kpis", params=PERIOD).json()
    assert last["version"] == number
    assert service.orgs.versions[ORG].number == number
    # Pages open the files of other orgs, too, to name the damaged ones.
    assert open_files(home) == len(service.orgs.versions), "files of replaced versions are still open"
    service.orgs.close()
    assert open_files(home) == 0


def test_a_slow_answer_keeps_its_version(home: Path) -> None:
    """The file of a replaced version stays open until its last reader has finished, and is closed then."""
    publish_next(home, 1)
    orgs = service_on(home, home).orgs
    with orgs.pinned(ORG) as slow:
        publish_next(home, 2)
        with orgs.pinned(ORG) as fresh:
            assert fresh.number == 2
            assert slow.cursor().execute("select sum(spend_micros) from channel_spend").fetchone() == (1_000_000,)
            assert open_files(home) == 2
    assert open_files(home) == 1
    orgs.close()
