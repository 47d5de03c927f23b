"""Write the rows of a question to a file in batches, so that a large export takes little memory.

In: a pinned version, a question, filters, a file. Out: the file, as CSV, Parquet or an Arrow stream.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import duckdb
import polars as pl
from polars.io.plugins import register_io_source

from serving.answers import CSV, PARQUET, Answer, as_frame, names_and_types, polars_type, running, write_csv
from serving.filters import Filters
from serving.orgs import Version
from serving.questions import Question

BATCH = 20_000  # rows
_END = b"\xff\xff\xff\xff\0\0\0\0"  # of an Arrow stream
_PREFIX = 8  # bytes before a message of an Arrow stream; the last four are the length of its metadata
Rows = list[tuple[Any, ...]]


class Batches:
    """The rows of a result up to a limit. has_more: whether the result goes on after it, known at the end."""

    def __init__(self, result: duckdb.DuckDBPyConnection, limit: int | None) -> None:
        self.result, self.left, self.has_more = result, limit, False

    def __iter__(self) -> Iterator[Rows]:
        while rows := self.result.fetchmany(BATCH):
            if self.left is not None:
                self.has_more = len(rows) > self.left
                rows = rows[: self.left]
                self.left -= len(rows)
            if rows:
                yield rows
            if self.has_more:
                return


def temporary_file(folder: Path) -> IO[bytes]:
    """Return an unnamed file in the folder, or in the system's one for a reader who cannot write into the home."""
    return TemporaryFile(dir=folder if os.access(folder, os.W_OK) else None)


def write_export(
    version: Version,
    question: Question,
    filters: Filters,
    media_type: str,
    out: IO[bytes],
    *,
    sort: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> bool:
    """Write the rows up to the limit, and return whether there are more. Raises as `ask` does."""
    with running(version, question, filters, sort=sort, limit=limit, offset=offset) as result:
        names, types = names_and_types(result)
        batches = Batches(result, limit)
        if media_type == CSV:
            text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
            write_csv(text, names, batches)
            text.detach()
        else:
            shape = Answer(question, version.number, version.org, filters.facts.currency, names, types, [], False)
            write = write_parquet if media_type == PARQUET else write_arrow
            write(
                out, {name: polars_type(kind) for name, kind in zip(names, types, strict=True)}, frames(shape, batches)
            )
    return batches.has_more


def frames(shape: Answer, batches: Batches) -> Iterator[pl.DataFrame]:
    """Yield each batch as a data frame."""
    for rows in batches:
        yield as_frame(replace(shape, rows=rows))


def write_parquet(out: IO[bytes], schema: Mapping[str, Any], parts: Iterator[pl.DataFrame]) -> None:
    """Write the parts as row groups of one Parquet file."""

    def source(columns: Any, predicate: Any, rows: Any, batch: Any) -> Iterator[pl.DataFrame]:
        return parts

    register_io_source(source, schema=dict(schema)).sink_parquet(out, engine="streaming")


def write_arrow(out: IO[bytes], schema: Mapping[str, Any], parts: Iterator[pl.DataFrame]) -> None:
    """Write the parts as one Arrow stream: the messages of each part's stream, with one schema and one end."""
    out.write(arrow_stream(pl.DataFrame(schema=dict(schema))).removesuffix(_END))
    for part in parts:
        stream = arrow_stream(part)
        after_schema = _PREFIX + int.from_bytes(stream[4:_PREFIX], "little")
        out.write(stream[after_schema:].removesuffix(_END))
    out.write(_END)


def arrow_stream(frame: pl.DataFrame) -> bytes:
    """Return a data frame as an Arrow stream."""
    out = io.BytesIO()
    frame.write_ipc_stream(out)
    return out.getvalue()
