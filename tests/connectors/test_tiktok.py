"""TikTok's own features: spend of deleted ads, pages by number, the exchange of the code."""

from __future__ import annotations

import pytest

from connectors.http.errors import VendorError
from tests.support.connectors import expected_figures, figures, open_client, platform_of, pull
from tests.support.vendors.base import Vendor
from tests.support.vendors.tiktok import respond

pytestmark = pytest.mark.parametrize("vendor", ["tiktok"], indirect=True)


def test_spend_of_deleted_ads_is_pulled(vendor: Vendor):
    vendor.deleted = frozenset({"9001", "9003"})
    assert figures(pull(vendor)) == expected_figures(vendor)


@pytest.mark.parametrize("name", ["buying_types", "buying_type"])
def test_spend_of_reserved_ads_is_pulled_by_their_buying_types(vendor: Vendor, name):
    vendor.reserved = {"9002": "RESERVATION_RF", "9003": "RESERVATION_TOP_VIEW"}
    vendor.buying_filter = name
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_spend_of_reserved_ads_is_in_the_account_total_if_tiktok_rejects_the_filter(vendor: Vendor):
    vendor.reserved, vendor.buying_filter, messages = {"9002": "RESERVATION_RF"}, "none", []
    rows = pull(vendor, client=open_client(vendor, messages.append))
    assert {row.ad_id for row in rows if row.level is None} == {"9001", "9003"}
    total = sum(row.spend_micros for row in rows if row.level == "account")
    assert total == sum(fact.spend_micros for fact in vendor.facts)
    assert sum("rejected the filter buying_type" in message for message in messages) == 4


def test_unavailable_metrics_are_absent(vendor: Vendor):
    vendor.unavailable = ("video_play_actions", "complete_payment", "total_complete_payment_rate", "clicks")
    rows = [row for row in pull(vendor) if row.level is None]
    assert sum(row.spend_micros for row in rows) == sum(fact.spend_micros for fact in vendor.facts)
    assert {(row.clicks, row.platform_conversions, row.platform_value_micros) for row in rows} == {(0, 0, 0)}


def test_unavailable_spend_is_an_error(vendor: Vendor):
    vendor.unavailable = ("spend",)
    with pytest.raises(VendorError, match="no longer has the field spend"):
        pull(vendor)


def test_a_truncated_report_is_logged(vendor: Vendor):
    vendor.truncated, messages = True, []
    assert figures(pull(vendor, client=open_client(vendor, messages.append))) == expected_figures(vendor)
    assert [m for m in messages if "incomplete" in m] == [
        "TikTok: the list of ads is incomplete, the rest is (unmatched). "
        "TikTok states: Number of ad ids is equal or more than 20k"
    ]


@pytest.mark.parametrize("code", [40016, 40132, 40133, 51305])
def test_temporary_codes_are_retried(vendor: Vendor, monkeypatch, code):
    monkeypatch.setattr(vendor, "failed", lambda: respond(code, "Too many requests."))
    vendor.faults = ["ok", "failure"]
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_code_70001_is_not_retried(vendor: Vendor, monkeypatch):
    monkeypatch.setattr(vendor, "failed", lambda: respond(70001, "The request is not supported."))
    vendor.faults = ["ok", "failure"]
    with pytest.raises(VendorError, match="code 70001"):
        pull(vendor)


def test_rows_that_move_between_pages_are_an_error(vendor: Vendor, monkeypatch):
    paged = vendor.paged

    def moved(request, rows):
        return paged(request, rows[1:] if request.query_params["page"] != "1" else rows)

    monkeypatch.setattr(vendor, "paged", moved)
    with pytest.raises(VendorError, match=r"of 3 rows, or the rows changed meanwhile\. Pull again"):
        pull(vendor)


def test_too_few_pages_are_an_error(vendor: Vendor, monkeypatch):
    info = {"page": 1, "page_size": 2, "total_number": 9, "total_page": 1}
    monkeypatch.setattr(vendor, "paged", lambda _, rows: respond(0, "OK", {"list": rows[:2], "page_info": info}))
    with pytest.raises(VendorError, match="had 2 of 9 rows"):
        pull(vendor)


def test_code_is_exchanged_for_a_token_and_a_wrong_code_is_an_error_without_secrets(vendor: Vendor):
    with open_client(vendor) as client:
        exchange = platform_of(vendor).oauth.exchange
        token = exchange(client.http, "app-1", "app-secret", "code-1", "http://127.0.0.1:1/")
        assert token["access_token"] == vendor.access_token
        with pytest.raises(VendorError, match="Auth_code is invalid") as error:
            exchange(client.http, "app-1", "app-secret", "code-of-yesterday", "http://127.0.0.1:1/")
    assert "app-secret" not in str(error.value)
    assert "yesterday" not in str(error.value)
