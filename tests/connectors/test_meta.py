"""Meta's own features: failures by HTTP status, limits of an ad account, tokens of sixty days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest

from connectors.auth import oauth
from connectors.http.errors import VendorError
from tests.support.connectors import expected_figures, figures, open_client, platform_of, pull, read_account
from tests.support.vendors.meta import error

pytestmark = pytest.mark.parametrize("vendor", ["meta"], indirect=True)


def test_status_500_is_retried_whatever_its_code(vendor, monkeypatch):
    monkeypatch.setattr(vendor, "failed", lambda: error(1, "An unknown error has occurred.", 500))
    vendor.faults = ["ok", "failure"]
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_client_waits_for_the_seconds_of_the_account_limit_header(vendor, monkeypatch):
    monkeypatch.setattr(
        vendor,
        "throttled",
        lambda: error(
            17,
            "User request limit reached",
            headers={
                "x-ad-account-usage": f'{{"acc_id_util_pct": 100, "reset_time_duration": {vendor.rest(300):.0f}}}'
            },
        ),
    )
    vendor.faults = ["throttle"]
    assert figures(pull(vendor)) == expected_figures(vendor)
    assert 300 in vendor.clock.slept


@pytest.mark.parametrize(
    "page_error",
    [
        (1, "Please reduce the amount of data you're asking for, then retry your request"),
        (1, "An unknown error occurred"),
        (2446079, "Service temporarily unavailable"),
    ],
)
def test_pages_become_smaller_when_meta_rejects_them_or_fails_for_them(vendor, page_error):
    vendor.most_rows, vendor.page_error = 60, page_error
    assert figures(pull(vendor)) == expected_figures(vendor)


@pytest.mark.parametrize(("code", "status"), [(1, 400), (341, 400), (80014, 400)])
def test_limits_and_unknown_errors_are_temporary(vendor, monkeypatch, code, status):
    monkeypatch.setattr(vendor, "failed", lambda: error(code, "An error of a moment", status))
    vendor.faults = ["ok", "failure", "failure"]
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_smaller_ranges_are_requested_when_meta_asks_for_them(vendor):
    vendor.most_days = 1
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_days_of_a_job_that_failed_for_its_range_are_halved(vendor):
    vendor.failures, vendor.failure_subcode = ("Please reduce date range",), 1504018
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_failed_job_is_requested_again_when_meta_says_so(vendor):
    vendor.failures = ("Please try again later.",) * 2
    assert figures(pull(vendor)) == expected_figures(vendor)


@pytest.mark.parametrize(
    "failure",
    [
        {"async_status": "Job Skipped"},
        {"error_code": -2, "error_message": "Loading Async Report Run results failed"},
        {"error_code": 2, "error_subcode": 1504043, "error_message": "Unavailable", "error_user_msg": "Wait a while."},
        {"error_message": "Unavailable", "error_user_msg": "Retry at a later time."},
        {"error_code": None},
    ],
)
def test_job_that_failed_for_a_moment_is_requested_again(vendor, failure):
    vendor.failures = (failure,) * 2
    assert figures(pull(vendor)) == expected_figures(vendor)


@pytest.mark.parametrize("subcode", [1504018, 1504038, 1504045, 1487534])
def test_every_error_that_asks_for_less_data_halves_the_days(vendor, subcode):
    vendor.failures = ({"error_code": 2, "error_subcode": subcode, "error_message": "Too much"},)
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_job_that_meta_does_not_know_yet_is_asked_again(vendor):
    vendor.late = 2
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_account_that_meta_does_not_know_is_an_error_at_once(vendor, monkeypatch):
    monkeypatch.setattr(vendor, "failed", lambda: error(100, "Unsupported get request", error_subcode=33))
    vendor.faults = ["failure"]
    with pytest.raises(VendorError, match="Unsupported get request"):
        pull(vendor)
    assert not vendor.clock.slept


@pytest.mark.parametrize("failures", [("The query is invalid",), ("Please try again later.",) * 3])
def test_failed_job_states_the_reason_of_meta(vendor, failures):
    vendor.failures = failures
    with pytest.raises(VendorError, match=failures[0]):
        pull(vendor)


def test_spend_of_deleted_ads_is_pulled_through_a_filter(vendor):
    vendor.deleted = frozenset({"9002"})
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_spend_of_deleted_ads_is_in_the_account_total_if_meta_rejects_the_filter(vendor):
    vendor.deleted, vendor.rejects_deleted, messages = frozenset({"9002"}), True, []
    rows = pull(vendor, client=open_client(vendor, messages.append))
    assert {row.ad_id for row in rows if row.level is None} == {"9001", "9003"}
    total = sum(row.spend_micros for row in rows if row.level == "account")
    assert total == sum(fact.spend_micros for fact in vendor.facts)
    assert any("deleted ads of 2026-11-10 to 2026-11-12 are (unmatched)" in message for message in messages)


def test_archived_objects_are_listed(vendor):
    vendor.archived = frozenset({"7001", "8001", "9001"})
    with open_client(vendor) as client:
        found = list(platform_of(vendor).entities(client, read_account(vendor, client)))
    statuses = {(entity.level, entity.entity_id): entity.status for entity in found if entity.level != "account"}
    assert {statuses["campaign", "7001"], statuses["adset", "8001"], statuses["ad", "9001"]} == {"ARCHIVED"}
    assert {statuses["campaign", "7002"], statuses["adset", "8002"], statuses["ad", "9002"]} == {"ACTIVE"}


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (date(2026, 11, 20), date(2023, 10, 20)),
        (date(2027, 3, 31), date(2024, 3, 2)),  # February 2024 has 29 days
        (date(2026, 3, 15), date(2023, 2, 15)),  # 1,124 days
    ],
)
def test_history_is_counted_in_months(vendor, today, first):
    assert platform_of(vendor).history.first_day(today) == first
    vendor.clock.time = datetime.combine(today, time(12), UTC)
    vendor.facts = [replace(vendor.facts[0], date=first)]
    assert figures(pull(vendor, first, first)) == expected_figures(vendor, first, first)


def test_renewed_token_expires_in_sixty_days(vendor):
    with open_client(vendor) as client:
        tokens = oauth.renew(platform_of(vendor), client.credentials.values, client.http, vendor.clock.now())
    assert tokens == {"access_token": vendor.access_token, "expires_at": "2027-01-19T12:00:00+00:00"}


def test_sign_in_uses_the_configuration_of_facebook_login_for_business(vendor):
    app = {"client_id": "app-1", "client_secret": "app-secret"}
    with open_client(vendor) as client:
        plain, chosen = (
            oauth.begin(platform_of(vendor), credentials, "https://shop.example/", client.http).url
            for credentials in (app, {**app, "config_id": "77"})
        )
    assert ("config_id" in plain, "scope=ads_read" in plain) == (False, True)
    assert ("config_id=77" in chosen, "scope" in chosen) == (True, False)
