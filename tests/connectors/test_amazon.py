"""What only Amazon does: duplicates of report requests (425), and campaigns' totals beside the ads'."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.http.errors import VendorError
from tests.support.connectors import LAST, finest, opened, pulled, told
from tests.support.vendors.amazon import Amazon
from tests.support.vendors.base import serving


@pytest.fixture
def vendor(monkeypatch):
    with serving(Amazon()) as served:
        monkeypatch.setenv("TRIBUTARY_AMAZON_URL", served.url)
        for name, value in {**served.credentials, "access_token": "access-1", "refresh_token": "refresh-1"}.items():
            monkeypatch.setenv(f"TRIBUTARY_AMAZON_{name.upper()}", value)
        yield served


def test_a_report_that_is_being_made_already_is_waited_for(vendor):
    vendor.forgets = True
    assert told(pulled(vendor)) == finest(vendor)
    assert vendor.requests.count("POST /reporting/reports") == 6


def test_a_report_that_is_no_duplicate_is_not_taken_for_one(vendor):
    vendor.forgets = vendor.misleads = True
    with pytest.raises(VendorError, match="pull again later"):
        pulled(vendor)


def test_campaigns_come_to_what_their_ads_come_to(vendor):
    rows = pulled(vendor)
    totals = {(r.date, r.campaign_id): r.spend_micros for r in rows if r.level == "campaign"}
    sums: dict = {}
    for row in rows:
        if row.level is None:
            sums[row.date, row.campaign_id] = sums.get((row.date, row.campaign_id), 0) + row.spend_micros
    assert totals == sums
    assert len(totals) == 6


def test_days_that_one_product_no_longer_has_are_refused_before_the_first_row(vendor):
    """Else the rows of the other products would take the place of all that is stored."""
    vendor.forgets_days = True
    with opened(vendor) as api:
        (account,) = api.platform.accounts(api)
        rows = api.platform.spend(api, account, LAST - timedelta(days=70), LAST - timedelta(days=60))
        with pytest.raises(VendorError, match="60 days"):
            next(rows)
