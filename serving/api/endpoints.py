"""The API: each question at /api/<name>, as JSON, CSV, Parquet or Arrow.

In: requests with a principal (access.py). Out: answers that name their version, or problems that say what to do.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import IO, Any
from urllib.parse import quote, urlencode

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from serving.answer_cache import Body, text_body
from serving.answers import ARROW, CSV, JSON, PARQUET, ask, encode, to_json
from serving.api.problems import Problem
from serving.exports import BATCH, temporary_file, write_export
from serving.filters import Filters, WrongFilter, parse
from serving.orgs import UnknownOrg, Version
from serving.parameters import ALIASES, PARAMETERS
from serving.published import NothingPublished
from serving.questions import Question, QuestionError
from serving.service import Service, service_of

FORMATS = {"json": JSON, "csv": CSV, "parquet": PARQUET, "arrow": ARROW}
PAGE, LARGEST_PAGE, LARGEST_EXPORT = 100, 10_000, 1_000_000  # rows
OPTIONS = ("org", "sort", "limit", "cursor", "format")
CHUNK = 1 << 18  # bytes of a large export that are sent at once
# Names of which a request has at most one: another spelling of a parameter would silently replace its value.
SPELLINGS = [
    *((name,) for name in OPTIONS),
    *((name, *parameter.aliases) for name, parameter in PARAMETERS.items()),
    ("from", "dateRange"),
    ("to", "dateRange"),
]


class LargeExport(Exception):
    """An export has more rows than one batch."""


@dataclass(frozen=True)
class FileBody:
    """A large export in a file. size: in bytes. cursor: of the next page."""

    file: IO[bytes]
    size: int
    cursor: str | None


@dataclass(frozen=True)
class Wanted:
    """The parts of a request that decide its answer."""

    question: Question
    filters: Filters
    media_type: str
    sort: str
    limit: int | None
    offset: int
    is_one: bool = False  # the path names a row

    def digest(self) -> str:
        """Return a short hash of the question, its parameters and its sort: the identity of a list of pages."""
        arguments = self.filters.arguments(self.question.parameters)
        parts = [self.filters.facts.org, self.question.name, self.question.sql, arguments, self.sort]
        return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:16]


async def answer_question(request: Request) -> Response:
    """Answer GET /api/<question>."""
    return await run_in_threadpool(respond, request, request.path_params["question"], {})


def respond(request: Request, name: str, fixed: Mapping[str, str]) -> Response:
    """Return the response to a question. fixed: parameters that the path sets. Raises Problem."""
    service = service_of(request)
    question = service.questions.get(name)
    if question is None:
        raise Problem(404, f"There is no question {name[:64]!r}. GET /api/meta lists all questions.")
    try:
        with service.orgs.pinned(chosen_org(request)) as version:
            wanted = read_request(request, question, version, fixed)
            return respond_from(request, service, version, wanted)
    except UnknownOrg as error:
        raise Problem(503, f"The published file of {error} is missing. Replace it: tributary run") from None
    except NothingPublished as error:
        raise Problem(503, str(error)) from None
    except WrongFilter as error:
        raise Problem(400, str(error)) from None
    except QuestionError as error:
        raise Problem(500, str(error)) from None


def respond_from(request: Request, service: Service, version: Version, wanted: Wanted) -> Response:
    """Return the response from the pinned version: from the cache, or by a query."""
    key = f"{version.number}-{version.identity[1]}-{wanted.digest()}-{wanted.media_type}-{wanted.limit}-{wanted.offset}"
    etag = f'"{version.number}-{hashlib.sha256(key.encode()).hexdigest()[:20]}"'
    headers = {
        "ETag": f"W/{etag}",  # weak: the same for gzipped answers
        "Tributary-Version": str(version.number),
        "Vary": "Accept, Accept-Encoding, Authorization, Cookie",
        "Cache-Control": "private, no-cache",
    }
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if etag in known:
        return Response(status_code=304, headers=headers)
    try:
        body: Body | FileBody = service.bodies.get(key, lambda: body_of(service, version, wanted))
    except LargeExport:
        body = file_of(service, version, wanted)
    if "*" in known:  # any answer, if there is one: a missing row is 404
        return Response(status_code=304, headers=headers)
    if body.cursor:
        headers["Link"] = f'<{next_page(request, body.cursor)}>; rel="next"'
    if wanted.media_type != JSON:
        if request.method == "GET":
            service.record_export(request, wanted.question.name, version.org, wanted.media_type)
        suffix = next(name for name, media_type in FORMATS.items() if media_type == wanted.media_type)
        headers["Content-Disposition"] = f'attachment; filename="{wanted.question.name}.{suffix}"'
    if isinstance(body, FileBody):
        headers["Content-Length"] = str(body.size)
        return StreamingResponse(chunks(body.file), 200, headers, wanted.media_type)
    if body.gzipped and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(body.gzipped, 200, {**headers, "Content-Encoding": "gzip"}, wanted.media_type)
    return Response(body.plain, 200, headers, wanted.media_type)


def next_page(request: Request, cursor: str) -> str:
    """Return the reference to the next page, relative to the host. Only ASCII may be in a header."""
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{quote(request.url.path)}?{urlencode([*query, ('cursor', cursor)])}"


def body_of(service: Service, version: Version, wanted: Wanted) -> Body:
    """Return the encoded answer and the cursor of the next page. Raises Problem."""
    is_export = wanted.media_type != JSON and not wanted.is_one
    limit = min(wanted.limit or BATCH, BATCH) if is_export else wanted.limit
    answer = ask(version, wanted.question, wanted.filters, sort=wanted.sort, limit=limit, offset=wanted.offset)
    if answer.has_more and limit != wanted.limit:
        raise LargeExport
    if wanted.is_one and not answer.rows:
        raise Problem(404, f"There is no such row in version {version.number} of {version.org}.")
    cursor = None
    if answer.has_more and wanted.limit is not None:
        cursor = write_cursor(answer.version, wanted.digest(), wanted.offset + wanted.limit)
    if wanted.media_type == JSON:
        extra = service.extras(wanted.question.name, version, wanted.filters, answer)
        return text_body(to_json(answer, wanted.filters, cursor, extra), cursor)
    content = encode(answer, wanted.media_type)
    return text_body(content, cursor) if wanted.media_type == CSV else Body(content, cursor)


def file_of(service: Service, version: Version, wanted: Wanted) -> FileBody:
    """Return a large export as a temporary file, which ends with its last reader. Raises Problem.

    The file is complete before the response begins, so that a failure is a status and never half of a file.
    """
    options: dict[str, Any] = {"sort": wanted.sort, "limit": wanted.limit or LARGEST_EXPORT, "offset": wanted.offset}
    with ExitStack() as failure:
        file = failure.enter_context(temporary_file(service.home / "tmp"))
        has_more = write_export(version, wanted.question, wanted.filters, wanted.media_type, file, **options)
        if has_more and wanted.limit is None:
            advice = f"Choose fewer days, or read it page by page: limit={LARGEST_EXPORT}."
            raise Problem(400, f"The answer has more than {LARGEST_EXPORT:,} rows. {advice}")
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        failure.pop_all()  # the response closes the file
    cursor = None
    if has_more and wanted.limit is not None:
        cursor = write_cursor(version.number, wanted.digest(), wanted.offset + wanted.limit)
    return FileBody(file, size, cursor)


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the bytes of a file, and close it."""
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


def chosen_org(request: Request) -> str:
    """Return the org of a request. Raises Problem for an invisible org, or if there is a choice of many."""
    service, principal = service_of(request), request.state.principal
    if "read" not in principal.scopes:
        raise Problem(403, "This key may not read. Use a key with the scope read.")
    visible = [org for org in service.orgs.names() if principal.may_see(org)]
    asked = request.query_params.get("org")
    if asked:
        if asked not in visible:
            raise Problem(404, f"You can see no org {asked[:64]!r}. GET /api/meta lists the orgs that you can see.")
        return asked
    if len(visible) != 1:
        if not visible:
            raise Problem(503, "Nothing is published yet. Run: tributary run")
        raise Problem(400, f"org: several orgs are visible. Add org=, one of {', '.join(visible)}.")
    return visible[0]


def read_request(request: Request, question: Question, version: Version, fixed: Mapping[str, str]) -> Wanted:
    """Return what a request asks. Raises Problem or WrongFilter for anything that it cannot have."""
    query = request.query_params
    for name in query:
        if name not in OPTIONS and (ALIASES.get(name, name) in fixed or not is_parameter(question, name)):
            known = ", ".join([each for each in question.parameters if each not in fixed] + list(OPTIONS))
            raise Problem(400, f"{question.name} has no parameter {name[:64]!r}. It takes {known}.")
    for spellings in SPELLINGS:
        if len([name for name, _ in query.multi_items() if name in spellings]) > 1:
            raise Problem(400, f"{' or '.join(spellings)} is given more than once. Give it once.")
    filters = parse({**query, **fixed}, version.facts, is_strict=True)
    media_type = accepted(request)
    if media_type != JSON and "export" not in request.state.principal.scopes:
        raise Problem(403, "This key may not export files. Ask for JSON, or use a key with the scope export.")
    largest = LARGEST_PAGE if media_type == JSON else LARGEST_EXPORT
    limit = read_limit(query.get("limit"), PAGE if media_type == JSON else None, largest)
    wanted = Wanted(question, filters, media_type, query.get("sort") or "", limit, 0, bool(fixed))
    if token := query.get("cursor"):
        offset = read_cursor(token, version.number, wanted.digest())
        return replace(wanted, offset=offset)
    return wanted


def is_parameter(question: Question, name: str) -> bool:
    """Return whether a question uses a parameter, by its name or another spelling. An unused filter would mislead."""
    return "from" in question.parameters if name == "dateRange" else ALIASES.get(name, name) in question.parameters


def read_limit(text: str | None, default: int | None, largest: int) -> int | None:
    """Return the number of rows of a page; None for all rows. Raises Problem."""
    if not text:
        return default
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    if not 1 <= number <= largest:
        raise Problem(400, f"limit: {text[:64]!r} is not a number of rows. Use 1 to {largest}.")
    return number


def accepted(request: Request) -> str:
    """Return the media type of the answer: that of `format`, or the first of Accept that the API has."""
    if name := request.query_params.get("format"):
        if name not in FORMATS:
            raise Problem(400, f"format: {name[:64]!r} is unknown. Use one of {', '.join(FORMATS)}.")
        return FORMATS[name]
    ranked = sorted(map(accept_range, request.headers.get("accept", "*/*").split(",")), key=lambda each: -each[1])
    for kind, quality in ranked:
        if quality > 0:
            if kind in FORMATS.values():
                return kind
            if kind in ("*/*", "application/*", "", "text/html"):
                return JSON
            if kind == "text/*":
                return CSV
    raise Problem(406, f"The API has no such media type. Accept one of {', '.join(FORMATS.values())}.")


def accept_range(text: str) -> tuple[str, float]:
    """Return a media range of Accept and its quality."""
    kind, *options = [part.strip().lower() for part in text.split(";")]
    for option in options:
        if option.startswith("q="):
            try:
                return kind, float(option[2:])
            except ValueError:
                return kind, 0
    return kind, 1


def write_cursor(version: int, digest: str, offset: int) -> str:
    """Return the cursor of a page."""
    return base64.urlsafe_b64encode(msgspec.json.encode([version, digest, offset])).decode().rstrip("=")


def read_cursor(token: str, version: int, digest: str) -> int:
    """Return the offset of a cursor. Raises Problem if it is damaged, of another request, or of a replaced version."""
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        of_version, of_digest, offset = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=tuple[int, str, int])
    except (ValueError, binascii.Error, UnicodeEncodeError, msgspec.MsgspecError):
        raise Problem(400, "cursor: it is damaged. Use next_cursor of the last answer as it is.") from None
    if of_version != version:
        raise Problem(
            410, f"cursor: it belongs to version {of_version}, and version {version} is published now. Start again."
        )
    if of_digest != digest or not 0 <= offset <= 10**9:
        raise Problem(400, "cursor: it belongs to another request. Keep all other parameters as they were.")
    return offset


def read_path(name: str, parameter: str | None) -> Any:
    """Return an endpoint that answers a question. parameter: the one that the path has as {id}; no row is a 404."""

    async def endpoint(request: Request) -> Response:
        fixed = {parameter: request.path_params["id"]} if parameter else {}
        return await run_in_threadpool(respond, request, name, fixed)

    return endpoint
