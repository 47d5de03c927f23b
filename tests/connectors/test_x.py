"""X's own features: figures by placement, series of days, totals of line items, failed jobs."""

from __future__ import annotations

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
