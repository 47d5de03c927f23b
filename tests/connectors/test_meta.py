"""Meta's own features: failures by HTTP status, limits of an ad account, tokens of sixty days."""

from __future__ import annotations

import pytest

from connectors.auth import oauth
from tests.support.connectors import expected_figures, figures, open_client, platform_of, pull
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


def test_pages_become_smaller_when_meta_rejects_them_as_too_large(vendor):
    vendor.most_rows = 60
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_renewed_token_expires_in_sixty_days(vendor):
    with open_client(vendor) as client:
        tokens = oauth.renew(platform_of(vendor), client.credentials.values, client.http, vendor.clock.now())
    assert tokens == {"access_token": vendor.access_token, "expires_at": "2027-01-19T12:00:00+00:00"}
