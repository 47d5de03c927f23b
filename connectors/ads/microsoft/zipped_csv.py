"""Microsoft Advertising's jobs, which result in a zipped CSV file.

In: the id of a job. Out: the rows of its file. Reports and bulk downloads share this.
Source: learn.microsoft.com/advertising/guides/reports, .../guides/bulk-download-upload.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

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
def zipped_csv(client: PlatformClient, url: str) -> Iterator[Callable[[], Iterator[dict[str, str]]]]:
    """Download a zipped CSV file and yield a function that reads its rows, as often as it is called."""
    with client.download(url) as file:
        archive = zipfile.ZipFile(file)
        name = next(iter(archive.namelist()), None)
        if name is None:
            raise zipfile.BadZipFile("it is empty")

        def read() -> Iterator[dict[str, str]]:
            with archive.open(name) as member:
                rows = csv.DictReader(io.TextIOWrapper(member, "utf-8-sig", newline=""))
                if not rows.fieldnames:  # a report without rows has a header, too
                    raise zipfile.BadZipFile("it has no columns")
                yield from rows

        yield read
