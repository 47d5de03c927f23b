"""The European Central Bank's files, served on loopback: the smallest that has the days, exact rates, clear errors."""

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
def test_the_smallest_file_that_has_the_days_is_read_and_every_day_is_there(bank, since, file):
    found = read(bank, since)
    assert bank.requests == [f"GET /stats/eurofxref/{file}"]
    assert {rate.base for rate in found} == {"EUR"}
    expected = {d for n in range((FRIDAY - since).days + 1) if (d := FRIDAY - timedelta(n)).weekday() < 5}
    days = {rate.date for rate in found}
    assert expected == {day for day in days if day >= since}
    assert all(rate.rate == Decimal(rate_of(rate.date)) for rate in found if rate.quote == "USD")


def test_a_weekend_is_given_the_rates_of_its_friday(bank):
    """Both of the file of ninety days and of the latest day, asked for on a Sunday."""
    saturday = date(2026, 11, 14)
    assert read(bank, saturday)[:2] == [
        Rate(date(2026, 11, 13), "EUR", "JPY", Decimal("163.91")),
        Rate(date(2026, 11, 13), "EUR", "USD", Decimal(rate_of(date(2026, 11, 13)))),
    ]
    bank.clock.time += timedelta(days=2)
    bank.requests.clear()
    assert {rate.date for rate in read(bank, FRIDAY + timedelta(2))} == {FRIDAY}
    assert bank.requests == ["GET /stats/eurofxref/eurofxref-daily.xml"]


def test_a_bank_that_rests_is_asked_again_when_it_says(bank):
    bank.faults = ["7", "5"]
    assert len(read(bank, FRIDAY)) == 2
    assert bank.clock.slept == [5, 7]


BOMB = '<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + HEAD.split("?>", 1)[1] + cube(FRIDAY) + TAIL


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<!doctype html><html>Maintenance", "no longer XML"),
        (BOMB, "document type"),
        (HEAD + cube(FRIDAY), "broke off"),
        ("rates are closed", "no longer XML"),
        (HEAD + TAIL, "no longer has a `Cube`"),
        (HEAD.replace("eurofxref", "eurofxref-2") + cube(FRIDAY) + TAIL, "no longer has a `Cube`"),
        ((HEAD + cube(FRIDAY) + TAIL).replace(" rate=", " value="), "a rate of nothing on 2026-11-20 for USD"),
        ((HEAD + cube(FRIDAY) + TAIL).replace("163.91", "N/A"), "a rate of N/A .* report it"),
        ((HEAD + cube(FRIDAY) + TAIL).replace("163.91", "0"), "a rate of 0 on 2026-11-20 for JPY"),
        ((HEAD + cube(FRIDAY) + TAIL).replace("163.91", "-1.5"), "a rate of -1.5"),
        ((HEAD + cube(FRIDAY) + TAIL).replace(f"{FRIDAY}", "20/11/2026"), "20/11/2026"),
    ],
)
def test_what_is_no_longer_the_banks_file_is_an_error_that_says_so(bank, content, said):
    bank.tampered = content
    with pytest.raises(VendorError, match=said) as error:
        read(bank, FRIDAY)
    assert "nothing was stored" in str(error.value)
