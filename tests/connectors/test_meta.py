"""What only Meta does: failures by status, limits of an ad account, tokens of sixty days."""

from __future__ import annotations

import pytest

from connectors.auth import oauth
from tests.support.connectors import finest, opened, pulled, told
from tests.support.vendors.meta import error

pytestmark = pytest.mark.parametrize("vendor", ["meta"], indirect=True)


def test_a_failure_of_status_500_is_tried_again_whatever_its_code(vendor, monkeypatch):
    monkeypatch.setattr(vendor, "failed", lambda: error(1, "An unknown error has occurred.", 500))
    vendor.faults = ["ok", "failure"]
    assert told(pulled(vendor)) == finest(vendor)


def test_a_limit_of_the_account_is_waited_out_as_its_header_says(vendor, monkeypatch):
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
    assert told(pulled(vendor)) == finest(vendor)
    assert 300 in vendor.clock.slept


def test_too_much_data_at_once_is_asked_for_in_smaller_pages(vendor):
    vendor.most_rows = 60
    assert told(pulled(vendor)) == finest(vendor)


def test_a_renewed_token_holds_sixty_days_from_now(vendor):
    with opened(vendor) as api:
        tokens = oauth.renewed(api.platform, api.credentials.values, api.client, vendor.clock.now())
    assert tokens == {"access_token": vendor.access_token, "expires_at": "2027-01-19T12:00:00+00:00"}
