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


def test_rows_that_move_between_pages_are_an_error(vendor: Vendor, monkeypatch):
    paged = vendor.paged

    def moved(request, rows):
        return paged(request, rows[1:] if request.query_params["page"] != "1" else rows)

    monkeypatch.setattr(vendor, "paged", moved)
    with pytest.raises(VendorError, match=r"of 9 rows, or the rows changed meanwhile\. Pull again"):
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
