"""LinkedIn's own features: reports cut off at 15,000 rows, its limits, versions that are no longer served."""

from __future__ import annotations

import pytest

from connectors.ads import linkedin
from connectors.http.errors import VendorError
from tests.support.connectors import FIRST, LAST, expected_figures, figures, open_client, platform_of, pull
from tests.support.vendors.base import serving
from tests.support.vendors.linkedin import LinkedIn


@pytest.fixture
def vendor(monkeypatch):
    with serving(LinkedIn()) as served:
        monkeypatch.setenv("TRIBUTARY_LINKEDIN_URL", served.url)
        for name, value in {**served.credentials, "access_token": "access-1", "refresh_token": "refresh-1"}.items():
            monkeypatch.setenv(f"TRIBUTARY_LINKEDIN_{name.upper()}", value)
        yield served


def test_report_at_the_row_limit_is_split_into_fewer_days(vendor, monkeypatch):
    monkeypatch.setattr(linkedin, "MAX_ROWS", 4)
    vendor.max_rows = 4  # three ads a day: two days exceed the limit
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_day_above_the_row_limit_is_an_error(vendor, monkeypatch):
    monkeypatch.setattr(linkedin, "MAX_ROWS", 3)
    vendor.max_rows = 3
    with pytest.raises(VendorError, match="2026-11-10"):
        pull(vendor)


def test_retired_version_asks_for_a_newer_tributary(vendor, monkeypatch):
    monkeypatch.setattr(linkedin, "VERSION", "202511")
    with open_client(vendor) as client, pytest.raises(VendorError, match="newer version of Tributary"):
        list(platform_of(vendor).accounts(client))


def test_rows_have_the_names_of_groups_and_campaigns(vendor):
    rows = [row for row in pull(vendor, FIRST, LAST) if row.level is None]
    assert {(row.campaign_id, row.campaign) for row in rows} == {(f.campaign_id, f.campaign) for f in vendor.facts}
    assert {(row.adset_id, row.adset) for row in rows} == {(f.adset_id, f.adset) for f in vendor.facts}


def test_client_waits_until_the_data_limit_of_five_minutes_ends(vendor):
    vendor.has_data_limit = True
    assert figures(pull(vendor)) == expected_figures(vendor)
    assert vendor.clock.slept == [330]


def test_daily_limit_is_an_error_without_retries(vendor):
    vendor.has_daily_limit = True
    with pytest.raises(VendorError, match=r"DAY limit .* ends at midnight UTC"):
        pull(vendor)
    assert vendor.clock.slept == []
    assert vendor.requests.count("GET /rest/adAnalytics") == 1


def test_other_throttling_of_a_report_is_retried_soon(vendor):
    vendor.faults = ["ok"] * 4 + ["throttle"]  # after the lists of accounts, groups and campaigns, and the account
    assert figures(pull(vendor)) == expected_figures(vendor)
    assert vendor.requests.count("GET /rest/adAnalytics") == 3
    assert len(vendor.clock.slept) == 1
    assert vendor.clock.slept[0] <= 60
