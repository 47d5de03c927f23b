"""What is TikTok's own: ads that were deleted have cost money, too; the code that a person brings."""

from __future__ import annotations

import pytest

from connectors.http.errors import VendorError
from tests.support.connectors import finest, opened, pulled, told
from tests.support.vendors.base import Vendor
from tests.support.vendors.tiktok import answer

pytestmark = pytest.mark.parametrize("vendor", ["tiktok"], indirect=True)


def test_what_deleted_ads_have_cost_is_pulled(vendor: Vendor):
    vendor.deleted = frozenset({"9001", "9003"})
    assert told(pulled(vendor)) == finest(vendor)


def test_rows_that_move_between_pages_are_an_error_and_no_missing_spend(vendor: Vendor, monkeypatch):
    paged = vendor.paged

    def moved(request, rows):
        return paged(request, rows[1:] if request.query_params["page"] != "1" else rows)

    monkeypatch.setattr(vendor, "paged", moved)
    with pytest.raises(VendorError, match="of 9 rows, or they changed while they were read: pull again"):
        pulled(vendor)


def test_pages_that_end_too_early_are_an_error(vendor: Vendor, monkeypatch):
    info = {"page": 1, "page_size": 2, "total_number": 9, "total_page": 1}
    monkeypatch.setattr(vendor, "paged", lambda _, rows: answer(0, "OK", {"list": rows[:2], "page_info": info}))
    with pytest.raises(VendorError, match="had 2 of 9 rows"):
        pulled(vendor)


def test_a_code_becomes_a_token_and_a_wrong_one_an_error_without_secrets(vendor: Vendor):
    with opened(vendor) as api:
        exchange = api.platform.oauth.exchange
        got = exchange(api.client, "app-1", "app-secret", "code-1", "http://127.0.0.1:1/")
        assert got["access_token"] == vendor.access_token
        with pytest.raises(VendorError, match="Auth_code is invalid") as error:
            exchange(api.client, "app-1", "app-secret", "code-of-yesterday", "http://127.0.0.1:1/")
    assert "app-secret" not in str(error.value)
    assert "yesterday" not in str(error.value)
