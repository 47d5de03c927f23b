"""The European Central Bank's reference rates: its files on the web -> Rate rows, 1 EUR = `rate` of `quote`.

Published on working days at about 16:00 Frankfurt time. Source: www.ecb.europa.eu/stats/eurofxref. TRIBUTARY_ECB_URL
moves the host.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import IO, Never
from xml.parsers import expat

import msgspec

from connectors.auth.credentials import StoredCredentials
from connectors.http.client import Api, Clock
from connectors.http.errors import VendorError
from connectors.platform import Platform

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
    since: date, *, clock: Clock | None = None, say: Callable[[str], None] = lambda message: None
) -> Iterator[Rate]:
    """The rates of `since` and later, in no order, and of the last day before that has some: a weekend's are Friday's.

    VendorError where the Bank does not answer, or with something else than it promises.
    """
    credentials = StoredCredentials(_BANK)  # none: the Bank asks for none
    with Api(_BANK, credentials, clock=clock, say=say) as api:
        before: list[Rate] = []  # of the latest day that is earlier than `since`
        for rate in _read(api, _smallest(since, api.clock.now().date())):
            if rate.date >= since:
                yield rate
            elif not before or rate.date >= before[0].date:
                before = [*(before if before and before[0].date == rate.date else ()), rate]
    yield from before


def _smallest(since: date, today: date) -> str:
    """The smallest file that has every day from `since` on."""
    last_working_day = today - timedelta(days=max(0, today.weekday() - 4))
    if since >= last_working_day:
        return LATEST
    return LAST_90_DAYS if since >= today - timedelta(days=80) else ALL  # ten days to spare, for holidays


def _read(api: Api, url: str) -> Iterator[Rate]:
    """The rates of a file, as it streams by; VendorError where it is not the file that it was."""
    with api.download(url) as file:
        try:
            found = False
            for rate in _parsed(file):
                found = True
                yield rate
        except expat.ExpatError as error:
            raise VendorError(
                f"{url} is no longer XML, or broke off ({error}): nothing was stored. Pull again: tributary pull ecb"
            ) from None
        except ValueError as error:
            raise VendorError(
                f"{url}: {error}: nothing was stored. The file changed: look for a newer version of "
                "Tributary, and report it if there is none"
            ) from None
    if not found:
        raise VendorError(
            f"{url} no longer has a `Cube` with a currency and a rate: nothing was stored. The file "
            "changed: look for a newer version of Tributary, and report it if there is none"
        )


def _parsed(file: IO[bytes]) -> Iterator[Rate]:
    """<Cube time=DAY><Cube currency=CODE rate=NUMBER/>...; no document type, so that there is no entity to expand."""
    rows: list[Rate] = []
    day: date | None = None

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal day
        if name != CUBE or not attributes:
            return
        if "time" in attributes:
            day = date.fromisoformat(attributes["time"])
            return
        currency, number = attributes.get("currency"), attributes.get("rate", "nothing")
        rate = Decimal(number) if NUMBER.fullmatch(number) else None
        if not (day and currency and rate):
            raise ValueError(f"a rate of {number} on {day} for {currency}")
        rows.append(Rate(day, "EUR", currency, rate))

    def refuse(*declared: object) -> None:
        raise ValueError("it declares a document type, which the Bank's files do not")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.StartDoctypeDeclHandler = start, refuse
    while chunk := file.read(CHUNK):
        parser.Parse(chunk, False)
        yield from rows
        rows.clear()
    parser.Parse(b"", True)
    yield from rows


def _nothing(*_: object) -> Iterator[Never]:
    """A bank has no ad accounts, and none of what is in them."""
    return iter(())


_BANK = Platform(
    name="ecb",
    label="European Central Bank",
    base_url=BASE,
    secrets=(),
    repull_days=0,
    check=lambda response: None,
    headers=lambda credentials: {},
    accounts=_nothing,
    spend=_nothing,
    entities=_nothing,
)
