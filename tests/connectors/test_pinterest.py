"""Pinterest's own features: reports that omit zeros, jobs that end without a file, rotation of refresh tokens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.auth import oauth
from connectors.http.errors import VendorError
from tests.support.connectors import expected_figures, figures, open_client, platform_of, pull

pytestmark = pytest.mark.parametrize("vendor", ["pinterest"], indirect=True)


def test_omitted_spend_is_zero(vendor):
    vendor.facts[0] = replace(vendor.facts[0], spend_micros=0)
    first = figures(pull(vendor))[0]
    assert (first[6], first[7]) == (0, vendor.facts[0].impressions)


def test_spend_below_half_a_cent_is_kept(vendor):
    vendor.facts[0] = replace(vendor.facts[0], spend_micros=4_321)
    assert figures(pull(vendor))[0][6] == 4_321


@pytest.mark.parametrize("ending", ["FAILED", "EXPIRED", "CANCELLED", "DOES_NOT_EXIST"])
def test_report_without_a_file_is_an_error(vendor, ending):
    vendor.ending = ending
    with pytest.raises(VendorError, match=ending):
        pull(vendor)


@pytest.mark.parametrize(
    "file", [[{"DATE": "2026-01-01"}], {"code": 12, "message": "Something went wrong on our end."}]
)
def test_file_of_another_shape_is_an_error(vendor, file):
    vendor.file = file
    with pytest.raises(VendorError, match="no list of rows for each id"):
        pull(vendor)


def test_each_renewal_uses_the_refresh_token_of_the_last(vendor):
    vendor.faults = ["ok", "expired", "ok", "expired"]
    assert figures(pull(vendor)) == expected_figures(vendor)
    assert vendor.refresh_token == "refresh-3"


def test_code_is_exchanged_for_a_continuous_refresh_token(vendor):
    with open_client(vendor) as client:
        exchange = platform_of(vendor).oauth.exchange
        token = exchange(client.http, "app-1", "app-secret", "code-1", "http://127.0.0.1:1/")
        assert token["refresh_token"] == vendor.refresh_token == "refresh-2"
        values = {**client.credentials.values, "refresh_token": token["refresh_token"]}
        renewed = oauth.renew(platform_of(vendor), values, client.http, vendor.clock.now())
        assert renewed["refresh_token"] == "refresh-3"
        assert renewed["refresh_token_expires_at"] == "2027-01-19T12:00:00+00:00"
        with pytest.raises(VendorError, match="authorization grant is invalid"):
            exchange(client.http, "app-1", "app-secret", "code-of-yesterday", "http://127.0.0.1:1/")
