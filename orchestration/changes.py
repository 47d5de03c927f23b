"""Whether anything changed since a job ran last. `tributary run` and the schedules ask before they start.

In: a Home. Out: the reasons to run a job; a record of the last whole run, in the home's dagster/built.json.

The record holds fingerprints of the settings, the code and the warehouse file as a whole run left them. All other
writers of the warehouse, such as an import, a pull, an erasure, a failed run or a run of a part of the graph, leave a
file that the record does not know. Any doubt is a reason to run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from ingestion.files.inbox import INBOXES, waiting_files
from ingestion.home import Home
from ingestion.person.erase import read_journal
from ingestion.segments.writer import closed_segments
from ingestion.text import counted
from orchestration import fingerprint
from orchestration.unloaded_files import unloaded_files
from serving.published import is_readable
from serving.publishing.publish import Version

BUILD, LAND, DUPLICATES = "build", "land", "nightly_duplicates"
COVERED = {  # the jobs that a job covers with its assets
    BUILD: (BUILD, LAND, DUPLICATES),  # the only one that publishes
    LAND: (LAND,),
    DUPLICATES: (DUPLICATES,),
}
CODE = fingerprint.code()  # of the code that this process runs, whatever is on disk later


class Inputs(msgspec.Struct, frozen=True):
    """Fingerprints of what a run reads beside the warehouse and the files that wait."""

    settings: str
    code: str
    clock: str


class Publication(msgspec.Struct, frozen=True):
    """A published version, its time (UTC) and the fingerprint of its files."""

    version: int
    published_at: datetime
    files: str


class Record(msgspec.Struct, frozen=True):
    """What the last whole run left behind."""

    inputs: Inputs
    warehouse: str
    state: int  # the number of the state of inputs and raw tables; a change makes the next one
    built: dict[str, int]  # the state that each job built last
    publication: Publication | None


def reasons(home: Home, job: str) -> list[str]:
    """Return the reasons to run a job, a phrase each; none if a run would change nothing.

    The caller holds the build lock, or nobody does.
    """
    found = list(_waiting(home))
    record = read(home)
    if record is None or job not in record.built:
        return [*found, "no whole run is on record"]
    now = inputs(home, fingerprint.code())
    if now.settings != record.inputs.settings:
        found.append("tributary.yaml changed")
    if now.code != record.inputs.code:
        found.append("the code or an installed package changed")
    if now.clock != record.inputs.clock:
        found.append("the settings or a model depend on the time")
    if fingerprint.warehouse(home) != record.warehouse:
        found.append("the warehouse changed")
    elif record.built[job] != record.state:
        found.append("the last run built only a part")
    if job == BUILD and (
        record.publication is None
        or fingerprint.published(home) != record.publication.files
        or not is_readable(home.marts)
    ):
        found.append("published files are missing or changed")
    return found


def nothing_new(home: Home) -> str:
    """Return the sentence for a job that has no reason to run."""
    record = read(home)
    if record is None or record.publication is None:
        return "Nothing new since the last run."
    version, at = record.publication.version, record.publication.published_at
    return f"Nothing new since version {version} of {at:%Y-%m-%d %H:%M} UTC."


class Beginning:
    """The state of a home when a run begins, so that the run's record covers nothing that changed later."""

    def __init__(self, home: Home) -> None:
        """Note the state. The caller holds the build lock until the record is written, and nobody has the warehouse
        open."""
        record = read(home)
        self.inputs = inputs(home, CODE)
        self.is_recorded = (
            record is not None and record.inputs == self.inputs and record.warehouse == fingerprint.warehouse(home)
        )


def record_run(home: Home, job: str, beginning: Beginning, *, loaded: bool, version: Version | None) -> None:
    """Record that a whole job succeeded. The caller has closed the warehouse.

    loaded: whether the run loaded anything into raw tables. version: the version that the run published.
    """
    warehouse = fingerprint.warehouse(home)
    if warehouse is None or inputs(home, fingerprint.code()) != beginning.inputs:
        return  # the next run finds a warehouse that is not on record
    before = read(home)
    state = before.state if before else 0
    if loaded or not beginning.is_recorded:
        state += 1
    publication = before.publication if before else None
    if version:
        publication = Publication(version.number, version.published_at, fingerprint.published(home))
    built = (before.built if before else {}) | dict.fromkeys(COVERED[job], state)
    written = _path(home).with_suffix(".new")
    written.write_bytes(msgspec.json.encode(Record(beginning.inputs, warehouse, state, built, publication)))
    os.replace(written, _path(home))


def read(home: Home) -> Record | None:
    """Return the record; None if there is none, or a damaged one."""
    try:
        return msgspec.json.decode(_path(home).read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError):
        return None


def inputs(home: Home, code: str) -> Inputs:
    """Return the fingerprints of the present inputs."""
    return Inputs(fingerprint.settings(home), code, fingerprint.clock(home))


def _path(home: Home) -> Path:
    return home.dagster / "built.json"


def _waiting(home: Home) -> Iterator[str]:
    tried = unloaded_files(home)  # a changed setting or another program is a reason to try them again
    files = sum(path not in tried for kind in INBOXES for path in waiting_files(home, kind))
    segments = sum(path not in tried for path in closed_segments(home.landing))
    if files:
        yield f"{counted(files, 'file')} in the inbox"
    if segments:
        yield f"{counted(segments, 'segment')} of the collector"
    if read_journal(home):
        yield "an unfinished erasure"
