"""Read a request within bounds, and write the headers that let a page read the answer.

In: ASGI scopes and messages. Out: the decompressed body or a Problem (400, 413, 415), the visitor's address, headers.
"""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from ipaddress import IPv6Network
from typing import Any

import zstandard

from ingestion.collector.problems import Headers, Problem

MAX_BODY = 1 << 20  # bytes, before and after decompression
MAX_WEBHOOK_BODY = 8 << 20  # bytes of a shop's or payment provider's delivery: an order can have hundreds of lines
MAX_UNFINISHED = 256 << 20  # bytes of all bodies that are still arriving
MAX_UNFINISHED_BEYOND = 64 << 20  # bytes of them that are beyond MAX_BODY of their body
MAX_USER_AGENT = 1024  # characters
_TYPES = (b"application/json", b"text/plain")  # navigator.sendBeacon sends the latter

_unfinished = {"bytes": 0, "beyond": 0}
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Disconnected(Exception):
    """The sender closed the connection before its request was complete: there is nobody to answer."""


def text_of(headers: Mapping[bytes, bytes], name: bytes) -> str | None:
    """Return a header as text."""
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")


def client_address(scope: Mapping[str, Any]) -> str | None:
    """Return the visitor's address; an IPv4 address also where the socket speaks IPv6."""
    client: tuple[str, int] | None = scope.get("client")
    return client[0].removeprefix("::ffff:") if client else None


def network_of(address: str) -> str:
    """Return the address, or the /64 network of an IPv6 address: one subscriber has all addresses of such a network."""
    if ":" not in address:
        return address
    try:
        return str(IPv6Network((address, 64), strict=False))
    except ValueError:
        return address


def check_content_type(headers: Mapping[bytes, bytes]) -> None:
    """Raise a Problem (415) unless the body is declared as JSON."""
    given = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if given not in _TYPES:
        detail = "Send JSON with Content-Type: application/json (or text/plain, as navigator.sendBeacon does)"
        raise Problem(415, "Unsupported media type", detail)


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, most: int = MAX_BODY) -> bytes:
    """Return the body as the client sent it, or raise a Problem (413, 503). most: bytes of a body.

    The bytes beyond MAX_BODY have a limit for all bodies together: large bodies leave memory for events.
    """
    length = headers.get(b"content-length")
    if length is not None and int(length) > most:
        raise _too_large(most)
    message = await receive()
    if message["type"] != "http.request":
        raise Disconnected
    body: bytes = message["body"]
    if not message["more_body"] and len(body) <= most:
        return body
    size, beyond, parts = 0, 0, []
    try:
        while True:
            parts.append(body)
            size += len(body)
            _unfinished["bytes"] += len(body)
            _unfinished["beyond"] -= beyond
            beyond = max(size - MAX_BODY, 0)
            _unfinished["beyond"] += beyond
            if size > most:
                raise _too_large(most)
            if _unfinished["bytes"] > MAX_UNFINISHED or (beyond and _unfinished["beyond"] > MAX_UNFINISHED_BEYOND):
                raise Problem(503, "Too busy", "Too many requests arrive at once. Send this one again", retry_after=2)
            if not message["more_body"]:
                return b"".join(parts)
            message = await receive()
            if message["type"] != "http.request":
                raise Disconnected
            body = message["body"]
    finally:
        _unfinished["bytes"] -= size
        _unfinished["beyond"] -= beyond


def decompressed(body: bytes, headers: Mapping[bytes, bytes]) -> bytes:
    """Return the content of a gzip or zstd body. No more than MAX_BODY bytes of it are decompressed."""
    encoding = headers.get(b"content-encoding")
    if encoding is None:
        return body
    name = encoding.strip().lower()
    if name in (b"", b"identity"):
        return body
    if name not in (b"gzip", b"zstd"):
        raise Problem(415, "Unsupported encoding", "Send the body plain, or with Content-Encoding gzip or zstd")
    try:
        content = _gunzipped(body) if name == b"gzip" else _unzstd(body)
    except (zlib.error, zstandard.ZstdError, EOFError):
        detail = f"The body is not complete {name.decode()}. Check Content-Encoding, and that the body is not cut off"
        raise Problem(400, "Malformed body", detail) from None
    if len(content) > MAX_BODY:
        raise _too_large(MAX_BODY)
    return content


def preflight() -> Headers:
    """Return the headers that allow a page's request, in answer to OPTIONS."""
    return [
        (b"access-control-allow-methods", b"POST, OPTIONS"),
        (b"access-control-allow-headers", b"content-type, content-encoding"),
        (b"access-control-max-age", b"86400"),
    ]


def cors() -> Headers:
    """Return the headers that let any page read the answer, which holds no data of a person.

    A page that may not send events reads why, and its console shows it.
    """
    return [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"Retry-After")]


def _gunzipped(body: bytes) -> bytes:
    decompressor = zlib.decompressobj(wbits=31)
    content = decompressor.decompress(body, MAX_BODY + 1)
    if len(content) <= MAX_BODY and (not decompressor.eof or decompressor.unused_data):
        raise EOFError
    return content


def _unzstd(body: bytes) -> bytes:
    decompressor = zstandard.ZstdDecompressor(max_window_size=8 << 20)
    with decompressor.stream_reader(body) as stream:
        return stream.read(MAX_BODY + 1)


def _too_large(most: int) -> Problem:
    advice = ". Send fewer events in one request" if most == MAX_BODY else ""
    return Problem(413, "Body too large", f"The body is larger than {most >> 20} MiB, compressed or not{advice}")
