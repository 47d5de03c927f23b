"""What only X does: figures in parts by placement, series of days, line items' totals, jobs that fail."""

from __future__ import annotations

import pytest

from connectors.http.errors import VendorError
from tests.support.connectors import finest, pulled, told

pytestmark = pytest.mark.parametrize("vendor", ["x"], indirect=True)


def test_what_both_placements_served_adds_up(vendor):
    vendor.network_share = 30
    rows = pulled(vendor)
    assert told(rows) == finest(vendor)
    assert len(vendor.jobs) == 6  # two placements of ads, line items and funding instruments


def test_line_items_state_totals_of_their_own(vendor):
    stated = {(r.date, r.adset_id): r.spend_micros for r in pulled(vendor) if r.level == "adset"}
    day = vendor.facts[0].date
    assert stated[day, "8001"] == sum(f.spend_micros for f in vendor.facts if (f.date, f.adset_id) == (day, "8001"))


def test_a_job_that_failed_is_an_error(vendor):
    vendor.ending = "FAILED"
    with pytest.raises(VendorError, match="FAILED"):
        pulled(vendor)


def test_figures_that_are_not_one_a_day_are_an_error(vendor):
    vendor.points_off = 1
    with pytest.raises(VendorError, match="2 figures for 3 days"):
        pulled(vendor)
