"""X's own features: figures by placement, series of days, totals of line items, failed jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connectors.http.errors import VendorError
from tests.support.connectors import expected_figures, figures, pull

pytestmark = pytest.mark.parametrize("vendor", ["x"], indirect=True)


def test_figures_of_placements_are_summed(vendor):
    vendor.network_share = 30
    rows = pull(vendor)
    assert figures(rows) == expected_figures(vendor)
    assert len(vendor.jobs) == 6  # two placements of ads, line items and funding instruments


def test_line_items_have_reported_totals(vendor):
    totals = {(r.date, r.adset_id): r.spend_micros for r in pull(vendor) if r.level == "adset"}
    day = vendor.facts[0].date
    assert totals[day, "8001"] == sum(f.spend_micros for f in vendor.facts if (f.date, f.adset_id) == (day, "8001"))


def test_failed_job_is_an_error(vendor):
    vendor.ending = "FAILED"
    with pytest.raises(VendorError, match="FAILED"):
        pull(vendor)


def test_series_of_the_wrong_length_is_an_error(vendor):
    vendor.points_off = 1
    with pytest.raises(VendorError, match="2 figures for 3 days"):
        pull(vendor)


@pytest.mark.parametrize("own_offsets", [False, True])
@pytest.mark.parametrize("day", [date(2026, 7, 1), date(2026, 10, 24), date(2026, 11, 10)])
def test_days_before_a_clock_change_have_their_figures(vendor, own_offsets, day):
    """X's documentation demands today's offset, also for past days. The days' own offsets are the second attempt."""
    vendor.timezone, vendor.own_offsets = "Europe/Berlin", own_offsets
    vendor.facts = [replace(fact, date=day) for fact in vendor.facts[:3]]
    assert figures(pull(vendor, day, day)) == expected_figures(vendor, day, day)
