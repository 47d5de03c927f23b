"""What only LinkedIn does: answers that end without a word at 15,000 elements, versions that are no longer served."""

from __future__ import annotations

import pytest

from connectors.ads import linkedin
from connectors.http.errors import VendorError
from tests.support.connectors import FIRST, LAST, finest, opened, pulled, told
from tests.support.vendors.base import serving
from tests.support.vendors.linkedin import LinkedIn


@pytest.fixture
def vendor(monkeypatch):
    with serving(LinkedIn()) as served:
        monkeypatch.setenv("TRIBUTARY_LINKEDIN_URL", served.url)
        for name, value in {**served.credentials, "access_token": "access-1", "refresh_token": "refresh-1"}.items():
            monkeypatch.setenv(f"TRIBUTARY_LINKEDIN_{name.upper()}", value)
        yield served


def test_an_answer_that_may_be_cut_short_is_asked_for_in_fewer_days(vendor, monkeypatch):
    monkeypatch.setattr(linkedin, "MOST", 4)
    vendor.most = 4  # three ads a day: two days do not fit
    assert told(pulled(vendor)) == finest(vendor)


def test_a_day_that_does_not_fit_is_an_error_and_no_partial_day(vendor, monkeypatch):
    monkeypatch.setattr(linkedin, "MOST", 3)
    vendor.most = 3
    with pytest.raises(VendorError, match="2026-11-10"):
        pulled(vendor)


def test_a_version_that_is_no_longer_served_asks_for_a_newer_tributary(vendor, monkeypatch):
    monkeypatch.setattr(linkedin, "VERSION", "202511")
    with opened(vendor) as api, pytest.raises(VendorError, match="newer version of Tributary"):
        list(api.platform.accounts(api))


def test_names_are_those_of_groups_and_campaigns(vendor):
    rows = [row for row in pulled(vendor, FIRST, LAST) if row.level is None]
    assert {(row.campaign_id, row.campaign) for row in rows} == {(f.campaign_id, f.campaign) for f in vendor.facts}
    assert {(row.adset_id, row.adset) for row in rows} == {(f.adset_id, f.adset) for f in vendor.facts}
