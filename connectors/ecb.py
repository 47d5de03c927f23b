"""The European Central Bank's reference rates.

In: XML files that the Bank publishes on working days at about 16:00 Frankfurt time. Out: Rate rows, 1 EUR = `rate` of
`quote`. Source: www.ecb.europa.eu/stats/eurofxref.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import IO
from xml.parsers import expat

import msgspec

from connectors.auth.credentials import StoredCredentials
from connectors.http.client import PlatformClient
from connectors.http.errors import VendorError
from connectors.http.retry import Clock
from connectors.http.service import Service

BASE = "https://www.ecb.europa.eu"
FILES = f"{BASE}/stats/eurofxref"
LATEST = f"{FILES}/eurofxref-daily.xml"
LAST_90_DAYS = f"{FILES}/eurofxref-hist-90d.xml"
ALL = f"{FILES}/eurofxref-hist.xml"
CUBE = "http://www.ecb.int/vocabulary/2002-08-01/eurofxref Cube"
NUMBER = re.compile(r"\d+(\.\d+)?")
CHUNK = 1 << 16  # bytes


class Rate(msgspec.Struct, frozen=True):
    """1 `base` = `rate` `quote` on a day."""

    date: date
    base: str
    quote: str
    rate: Decimal


def rates(
    since: date, *, clock: Clock | None = None, log: Callable[[str], None] = lambda message: None
) -> Iterator[Rate]:
    """Yield the rates of `since` and later, unordered, and those of the last earlier day: a weekend has Friday's rates.

    Raise VendorError if the Bank does not respond, or if its file has changed.
    """
    credentials = StoredCredentials(_BANK)  # empty: the Bank needs none
    with PlatformClient(_BANK, credentials, clock=clock, log=log) as client:
        before: list[Rate] = []  # of the latest day before `since`
        for rate in _read(client, _smallest_file(since, client.clock.now().date())):
            if rate.date >= since:
                yield rate
            elif not before or rate.date >= before[0].date:
                before = [*(before if before and before[0].date == rate.date else ()), rate]
    yield from before


def _smallest_file(since: date, today: date) -> str:
    """Return the URL of the smallest file with every day from `since` on."""
    last_working_day = today - timedelta(days=max(0, today.weekday() - 4))
    if since >= last_working_day:
        return LATEST
    return LAST_90_DAYS if since >= today - timedelta(days=80) else ALL  # minus ten days of public holidays


def _read(client: PlatformClient, url: str) -> Iterator[Rate]:
    """Yield the rates of a file. Raise VendorError if its format has changed."""
    with client.download(url) as file:
        try:
            found = False
            for rate in _parse(file):
                found = True
                yield rate
        except expat.ExpatError as error:
            raise VendorError(
                f"{url} is not XML or broke off ({error}). Nothing was stored. Pull again: tributary pull ecb"
            ) from None
        except ValueError as error:
            raise VendorError(
                f"{url}: {error}. Nothing was stored. The file's format changed: install a newer version of "
                "Tributary, or report this if there is none"
            ) from None
    if not found:
        raise VendorError(
            f"{url} no longer has a `Cube` with a currency and a rate. Nothing was stored. The file's format "
            "changed: install a newer version of Tributary, or report this if there is none"
        )


def _parse(file: IO[bytes]) -> Iterator[Rate]:
    """Yield the rates of `<Cube time=DAY><Cube currency=CODE rate=NUMBER/>...`.

    Raise ValueError for a rate that is not a positive number, and for a document type, which could expand entities.
    """
    rows: list[Rate] = []
    day: date | None = None

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal day
        if name != CUBE or not attributes:
            return
        if "time" in attributes:
            day = date.fromisoformat(attributes["time"])
            return
        currency, number = attributes.get("currency"), attributes.get("rate", "missing")
        rate = Decimal(number) if NUMBER.fullmatch(number) else None
        if not (day and currency and rate):
            raise ValueError(f"the rate of {currency} on {day} is {number}")
        rows.append(Rate(day, "EUR", currency, rate))

    def reject_document_type(*declared: object) -> None:
        raise ValueError("the file declares a document type")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.StartDoctypeDeclHandler = start, reject_document_type
    while chunk := file.read(CHUNK):
        parser.Parse(chunk, False)
        yield from rows
        rows.clear()
    parser.Parse(b"", True)
    yield from rows


_BANK = Service(
    name="ecb",
    label="European Central Bank",
    base_url=BASE,
    secrets=(),
    headers=lambda credentials: {},
    raise_for_error=lambda response: None,
)
