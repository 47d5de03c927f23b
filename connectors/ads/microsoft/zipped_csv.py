"""Microsoft Advertising's jobs, which result in a zipped CSV file.

In: the id of a job. Out: the header and the rows of its file. Reports and bulk downloads share this.
Source: learn.microsoft.com/advertising/guides/reports, .../guides/bulk-download-upload.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from connectors.http.client import PlatformClient

FAILED = ("Error", "Failed", "FailedFullSyncRequired")  # a report; a bulk file


def wait_for_job(
    client: PlatformClient,
    path: str,
    job: dict[str, str],
    headers: dict[str, str],
    what: str,
    *,
    status: str,
    done: str,
) -> Any:
    """Return the response about a report or a bulk file once it is done. status: the member that states it."""
    return client.wait_for_job(
        lambda: client.post(path, json=job, headers=headers),
        what,
        status=status,
        done=done,
        failed=FAILED,
        interval=5,
        timeout=3600,
    )


@contextmanager
def zipped_csv(
    client: PlatformClient, url: str
) -> Iterator[tuple[dict[str, str], Callable[[], Iterator[dict[str, str]]]]]:
    """Download a zipped CSV file. Yield its header and a function that reads its rows, as often as it is called.

    The header has lines such as `Time Zone: (GMT+01:00) Berlin`. Bulk files have none.
    """
    with client.download(url) as file:
        archive = zipfile.ZipFile(file)
        name = next(iter(archive.namelist()), None)
        if name is None:
            raise zipfile.BadZipFile("it is empty")

        def read() -> Iterator[dict[str, str]]:
            with archive.open(name) as member:
                lines = io.TextIOWrapper(member, "utf-8-sig", newline="")
                _, columns = _header(lines)
                yield from csv.DictReader(lines, fieldnames=columns)

        with archive.open(name) as member:
            header, _ = _header(io.TextIOWrapper(member, "utf-8-sig", newline=""))
        yield header, read


def _header(lines: TextIO) -> tuple[dict[str, str], list[str]]:
    """Return the header by name, and the names of the columns. Raise BadZipFile if there are no columns."""
    header: dict[str, str] = {}
    for row in csv.reader(lines):
        name, colon, value = (row or [""])[0].partition(":")
        if row and not (len(row) == 1 and colon):
            return header, row
        header[name] = value.strip()
    raise zipfile.BadZipFile("it has no columns")  # a report without rows has columns, too
