"""The European Central Bank's rates from a fake: the smallest sufficient file, exact rates, clear errors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.ecb import Rate, rates
from connectors.http.errors import VendorError
from tests.support.vendors.base import FakeClock, serving
from tests.support.vendors.ecb import FRIDAY, HEAD, TAIL, Bank, cube, rate_of


@pytest.fixture
def bank(monkeypatch) -> Iterator[Bank]:
    with serving(Bank(clock=FakeClock(datetime(2026, 11, 20, 17, tzinfo=UTC)))) as served:
        monkeypatch.setenv("TRIBUTARY_ECB_URL", served.url)
        yield served


def read(bank: Bank, since: date) -> list[Rate]:
    return sorted(rates(since, clock=bank.clock), key=lambda rate: (rate.date, rate.quote))


@pytest.mark.parametrize(
    ("since", "file"),
    [
        (FRIDAY, "eurofxref-daily.xml"),
        (FRIDAY - timedelta(1), "eurofxref-hist-90d.xml"),
        (FRIDAY - timedelta(80), "eurofxref-hist-90d.xml"),
        (FRIDAY - timedelta(81), "eurofxref-hist.xml"),
        (date(2025, 1, 1), "eurofxref-hist.xml"),
    ],
)
def test_smallest_file_with_all_days_is_read(bank, since, file):
    found = read(bank, since)
    assert bank.requests == [f"GET /stats/eurofxref/{file}"]
    assert {rate.base for rate in found} == {"EUR"}
    expected = {d for n in range((FRIDAY - since).days + 1) if (d := FRIDAY - timedelta(n)).weekday() < 5}
    days = {rate.date for rate in found}
    assert expected == {day for day in days if day >= since}
    assert all(rate.rate == Decimal(rate_of(rate.date)) for rate in found if rate.quote == "USD")


def test_weekend_has_the_rates_of_friday(bank):
    """The file of ninety days and that of the latest day both have them; the second pull is on a Sunday."""
    saturday = date(2026, 11, 14)
    assert read(bank, saturday)[:2] == [
        Rate(date(2026, 11, 13), "EUR", "JPY", Decimal("163.91")),
        Rate(date(2026, 11, 13), "EUR", "USD", Decimal(rate_of(date(2026, 11, 13)))),
    ]
    bank.clock.time += timedelta(days=2)
    bank.requests.clear()
    assert {rate.date for rate in read(bank, FRIDAY + timedelta(2))} == {FRIDAY}
    assert bank.requests == ["GET /stats/eurofxref/eurofxref-daily.xml"]


def test_client_waits_as_long_as_the_bank_states(bank):
    bank.faults = ["7", "5"]
    assert len(read(bank, FRIDAY)) == 2
    assert bank.clock.slept == [5, 7]


BOMB = '<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + HEAD.split("?>", 1)[1] + cube(FRIDAY) + TAIL


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<!doctype html><html>Maintenance", "is not XML"),
        (BOMB, "document type"),
        (HEAD + cube(FRIDAY), "broke off"),
        ("rates are closed", "is not XML"),
        (HEAD + TAIL, "no longer has a `Cube`"),
        (HEAD.replace("eurofxref", "eurofxref-2") + cube(FRIDAY) + TAIL, "no longer has a `Cube`"),
        ((HEAD + cube(FRIDAY) + TAIL).replace(" rate=", " value="), "the rate of USD on 2026-11-20 is missing"),
        ((HEAD + cube(FRIDAY) + TAIL).replace("163.91", "N/A"), "the rate of JPY on 2026-11-20 is N/A.* report this"),
        ((HEAD + cube(FRIDAY) + TAIL).replace("163.91", "0"), "the rate of JPY on 2026-11-20 is 0"),
        ((HEAD + cube(FRIDAY) + TAIL).replace("163.91", "-1.5"), "the rate of JPY on 2026-11-20 is -1.5"),
        ((HEAD + cube(FRIDAY) + TAIL).replace(f"{FRIDAY}", "20/11/2026"), "20/11/2026"),
    ],
)
def test_changed_file_format_is_an_error(bank, content, message):
    bank.tampered = content
    with pytest.raises(VendorError, match=message) as error:
        read(bank, FRIDAY)
    assert "Nothing was stored" in str(error.value)
