"""Recognise what a file is by its first bytes, and take the one file out of an archive.

In: an open file. Out: its content, still gzipped if it is gzipped text, or a ContractError that says what the file is.
"""

from __future__ import annotations

import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ingestion.files.contracts import ContractError
from ingestion.files.input_file import InputFile, spooled
from ingestion.files.limits import check_expansion, content, damaged, first_bytes

MAX_MEMBERS = 1_000  # files in an archive
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_MEMBER = b"PK\x01\x02"  # the signature of an entry of the archive's directory
_PIECE = 1_000_000
_DATA = (".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".ods", ".gz")
_SPREADSHEETS = {"xl/workbook.xml": "xlsx", "xl/workbook.bin": "xlsx"}
_OPEN_DOCUMENT = b"application/vnd.oasis.opendocument.spreadsheet"
_IMAGE = "an image. Export the table behind it as CSV."
_ARCHIVE = "an archive that Tributary cannot open. Expand it, and import the files in it."
_REFUSED = {
    b"%PDF": "a PDF document. Export the report as CSV.",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls), or one with a password. Save it as .xlsx or CSV (UTF-8).",
    b"\x89PNG": _IMAGE,
    b"\xff\xd8\xff": _IMAGE,
    b"GIF8": _IMAGE,
    b"7z\xbc\xaf": _ARCHIVE,
    b"Rar!": _ARCHIVE,
    b"BZh": _ARCHIVE,
    b"\xfd7zXZ": _ARCHIVE,
    b"\x28\xb5\x2f\xfd": _ARCHIVE,
    b"SQLite format 3": "an SQLite database. Export the table as CSV.",
    rb"{\rtf": "a text document (RTF). Export the report as CSV.",
}
_MARKUP = re.compile(r"\s*<(!doctype|html|head|body|table|meta|\?xml)\b", re.IGNORECASE)


class Content(NamedTuple):
    """The content of a file, outside of its archive."""

    file: InputFile
    kind: str  # text, parquet, xlsx or ods
    name: str  # of the file in the archive, in lower case and without .gz
    is_gzip: bool = False


def open_container(file: InputFile, folder: Path | None) -> Content:
    """Return the content of a file. The folder holds an expanded archive.

    ContractError if the file is no data, or an archive of several data files.
    """
    name = file.path.name.lower().removesuffix(".gz")
    start = first_bytes(file, 16, is_gzip=False)
    if start.startswith(_ZIP):
        return _open_zip(file, name, folder)
    if not start.startswith(_GZIP):
        return _checked(Content(file, "parquet" if start.startswith(b"PAR1") else "text", name), start)
    start = first_bytes(file, 16, is_gzip=True)
    if start.startswith((_GZIP, *_ZIP)):
        raise ContractError(f"{file.label}: compressed twice. Expand it once.")
    if start.startswith(b"PAR1"):
        return Content(spooled(file, content(file, is_gzip=True), folder), "parquet", name)
    return _checked(Content(file, "text", name, is_gzip=True), start)


def refuse_markup(label: str, text: str) -> None:
    """Raise ContractError if the first text of a file is HTML or XML."""
    found = _MARKUP.match(text)
    if not found:
        return
    if found[1].lower() == "?xml" and "<html" not in text.lower():
        raise ContractError(f"{label}: an XML file. If a spreadsheet opens it, save it there as .xlsx or CSV (UTF-8).")
    raise ContractError(
        f"{label}: a web page (HTML), whatever its name says. Download the file again while you are logged in, or open"
        " it in a spreadsheet and save it as .xlsx or CSV (UTF-8)."
    )


def _checked(found: Content, start: bytes) -> Content:
    for mark, sentence in _REFUSED.items():
        if start.startswith(mark):
            raise ContractError(f"{found.file.label}: {sentence}")
    return found


def _open_zip(file: InputFile, name: str, folder: Path | None) -> Content:
    label = file.label
    try:
        _check_directory(file)
        with file.open() as stream, zipfile.ZipFile(stream) as archive:
            kind = _kind_of_document(label, archive)
            if kind:
                for _ in _expanded(file, archive, *archive.infolist()):
                    pass  # the reader of spreadsheets has no limit
                return Content(file, kind, name)
            entry = _data_file(label, archive)
            inner = spooled(file, _expanded(file, archive, entry), folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ContractError(damaged(file, type(error).__name__, "zip file")) from None
    start = first_bytes(inner, 16, is_gzip=False)
    name = entry.filename.lower()
    if start.startswith(_GZIP):
        raise ContractError(f"{label}: compressed twice. Expand it once.")
    if start.startswith(_ZIP):
        with inner.open() as stream, zipfile.ZipFile(stream) as archive:
            if not _kind_of_document(label, archive):
                raise ContractError(f"{label}: compressed twice. Expand it once.")
        return _open_zip(inner, name, folder)
    return _checked(Content(inner, "parquet" if start.startswith(b"PAR1") else "text", name), start)


def _check_directory(file: InputFile) -> None:
    """Raise ContractError if the archive has too many files. Python would hold an object for each."""
    members, end = 0, b""
    for piece in content(file, is_gzip=False):
        members += (end + piece).count(_MEMBER)
        end = piece[-len(_MEMBER) + 1 :]
    if members > MAX_MEMBERS:
        raise ContractError(f"{file.label}: an archive of more than {MAX_MEMBERS:,} files. Expand it first.")


def _kind_of_document(label: str, archive: zipfile.ZipFile) -> str | None:
    """Return the kind of a spreadsheet; None if the archive is no document."""
    names = set(archive.namelist())
    for member, kind in _SPREADSHEETS.items():
        if member in names:
            return kind
    if "mimetype" in names and "content.xml" in names:
        with archive.open("mimetype") as stream:
            if stream.read(100).startswith(_OPEN_DOCUMENT):
                return "ods"
    if {"mimetype", "[Content_Types].xml"} & names or any(name.endswith(".iwa") for name in names):
        raise ContractError(f"{label}: a document that is no .xlsx or .ods. Export its table as CSV (UTF-8).")
    return None


def _data_file(label: str, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    entries = [
        entry
        for entry in archive.infolist()
        if not entry.is_dir() and not any(part.startswith((".", "__MACOSX")) for part in entry.filename.split("/"))
    ]
    data = [entry for entry in entries if PurePosixPath(entry.filename.lower()).suffix in _DATA]
    found = entries if len(entries) == 1 else data
    if not found:
        raise ContractError(f"{label}: an archive without a data file. It may have one CSV, NDJSON or spreadsheet.")
    if len(found) > 1:
        raise ContractError(f"{label}: an archive of {len(found)} data files. Expand it, and import each file.")
    if found[0].flag_bits & 1:
        raise ContractError(f"{label}: the archive has a password. Expand it, and import the file in it.")
    return found[0]


def _expanded(file: InputFile, archive: zipfile.ZipFile, *entries: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the content of files in the archive. ContractError if they expand to too many bytes."""
    total = 0
    for entry in entries:
        entry.file_size = sys.maxsize  # read to the end of the data, whatever size the archive states
        with archive.open(entry) as stream:
            while piece := stream.read(_PIECE):
                total += len(piece)
                check_expansion(file, total)
                yield piece
