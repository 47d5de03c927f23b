"""Amazon's own features: duplicates of report requests (HTTP 425), totals of campaigns."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.http.errors import VendorError
from tests.support.connectors import LAST, expected_figures, figures, open_client, platform_of, pull, read_account
from tests.support.vendors.amazon import Amazon
from tests.support.vendors.base import serving


@pytest.fixture
def vendor(monkeypatch):
    with serving(Amazon()) as served:
        monkeypatch.setenv("TRIBUTARY_AMAZON_URL", served.url)
        for name, value in {**served.credentials, "access_token": "access-1", "refresh_token": "refresh-1"}.items():
            monkeypatch.setenv(f"TRIBUTARY_AMAZON_{name.upper()}", value)
        yield served


def test_report_that_amazon_is_already_making_is_used(vendor):
    vendor.loses_response = True
    assert figures(pull(vendor)) == expected_figures(vendor)
    assert vendor.requests.count("POST /reporting/reports") == 6


def test_report_with_another_definition_is_not_used(vendor):
    vendor.loses_response = vendor.duplicate_differs = True
    with pytest.raises(VendorError, match="Pull again later"):
        pull(vendor)


def test_campaign_totals_equal_the_sum_of_their_ads(vendor):
    rows = pull(vendor)
    totals = {(r.date, r.campaign_id): r.spend_micros for r in rows if r.level == "campaign"}
    sums: dict = {}
    for row in rows:
        if row.level is None:
            sums[row.date, row.campaign_id] = sums.get((row.date, row.campaign_id), 0) + row.spend_micros
    assert totals == sums
    assert len(totals) == 6


def test_days_missing_for_one_product_fail_before_the_first_row(vendor):
    """Otherwise the rows of the other products would replace all stored rows."""
    vendor.limits_history = True
    with open_client(vendor) as client:
        account = read_account(vendor, client)
        rows = platform_of(vendor).spend(client, account, LAST - timedelta(days=70), LAST - timedelta(days=60))
        with pytest.raises(VendorError, match="60 days"):
            next(rows)


def test_archived_entities_are_listed(vendor):
    vendor.archived = ("7001", "8001", "9001")
    with open_client(vendor) as client:
        found = list(platform_of(vendor).entities(client, read_account(vendor, client)))
    states = {(e.level, e.entity_id): e.status for e in found}
    assert {states["campaign", "7001"], states["adset", "8001"], states["ad", "9001"]} == {"ARCHIVED"}
    assert {states["campaign", "7002"], states["adset", "8002"], states["ad", "9003"]} == {"ENABLED"}


def test_failed_export_states_the_reason_of_amazon(vendor):
    vendor.export_error = {"errorCode": "INTERNAL_ERROR", "message": "The export could not be created"}
    with open_client(vendor) as client:
        account = read_account(vendor, client)  # the only one: the profile of an agency is none
        with pytest.raises(VendorError, match=r"INTERNAL_ERROR: The export could not be created"):
            list(platform_of(vendor).entities(client, account))


def test_exports_without_a_filter_by_state_are_the_second_attempt(vendor):
    vendor.rejects_states, messages = True, []
    with open_client(vendor, messages.append) as client:
        found = list(platform_of(vendor).entities(client, read_account(vendor, client)))
    assert {e.entity_id for e in found if e.level == "ad"} == {"9001", "9002", "9003"}
    assert sum("lacks archived ones" in message for message in messages) == 3
