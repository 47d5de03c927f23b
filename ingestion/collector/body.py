"""A request's body, bounded. In: ASGI messages. Out: the bytes as the sender meant them, or Refused (400, 413, 415)."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable

import zstandard

from ingestion.collector.problems import Refused

MAX_BODY = 1 << 20  # bytes, before and after decompression
MAX_UNFINISHED = 256 << 20  # bytes of all bodies that are still arriving
_TYPES = (b"application/json", b"text/plain")  # the latter is what navigator.sendBeacon sends

_unfinished = {"bytes": 0}
Headers = dict[bytes, bytes]
Receive = Callable[[], Awaitable[dict]]


class Disconnected(Exception):
    """The sender went away before its request was complete: there is nobody to answer."""


async def read_body(headers: Headers, receive: Receive) -> bytes:
    """The body as it was sent."""
    length = headers.get(b"content-length")
    if length is not None and int(length) > MAX_BODY:
        raise too_large()
    message = await receive()
    if message["type"] != "http.request":
        raise Disconnected
    body = message["body"]
    if not message["more_body"] and len(body) <= MAX_BODY:
        return body
    held, parts = 0, []
    try:
        while True:
            parts.append(body)
            held += len(body)
            _unfinished["bytes"] += len(body)
            if held > MAX_BODY:
                raise too_large()
            if _unfinished["bytes"] > MAX_UNFINISHED:
                raise Refused(503, "Too busy", "Too many requests are arriving at once: send it again", retry_after=2)
            if not message["more_body"]:
                return b"".join(parts)
            message = await receive()
            if message["type"] != "http.request":
                raise Disconnected
            body = message["body"]
    finally:
        _unfinished["bytes"] -= held


def check_content_type(headers: Headers) -> None:
    given = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if given not in _TYPES:
        detail = "Send JSON with Content-Type: application/json (or text/plain, as navigator.sendBeacon does)"
        raise Refused(415, "Unsupported media type", detail)


def decompressed(body: bytes, headers: Headers) -> bytes:
    """What a gzip or zstd body holds; never more than MAX_BODY of it is unpacked."""
    encoding = headers.get(b"content-encoding")
    if encoding is None:
        return body
    name = encoding.strip().lower()
    if name in (b"", b"identity"):
        return body
    if name not in (b"gzip", b"zstd"):
        raise Refused(415, "Unsupported encoding", "Send the body plain, or with Content-Encoding gzip or zstd")
    try:
        content = _gunzipped(body) if name == b"gzip" else _unzstd(body)
    except (zlib.error, zstandard.ZstdError, EOFError):
        detail = f"The body is not whole {name.decode()}: was it cut off, or is Content-Encoding wrong?"
        raise Refused(400, "Malformed body", detail) from None
    if len(content) > MAX_BODY:
        raise too_large()
    return content


def _gunzipped(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    content = unpacker.decompress(body, MAX_BODY + 1)
    if len(content) <= MAX_BODY and (not unpacker.eof or unpacker.unused_data):
        raise EOFError
    return content


def _unzstd(body: bytes) -> bytes:
    unpacker = zstandard.ZstdDecompressor(max_window_size=8 << 20)
    with unpacker.stream_reader(body) as stream:
        return stream.read(MAX_BODY + 1)


def too_large() -> Refused:
    detail = "The body is larger than 1 MiB, packed or unpacked: send fewer events in one request"
    return Refused(413, "Body too large", detail)
