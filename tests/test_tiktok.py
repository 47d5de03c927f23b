"""What is TikTok's own: ads that were deleted have cost money, too; the code that a person brings."""

from __future__ import annotations

import pytest
from test_connectors import finest, opened, pulled, told, vendor  # noqa: F401
from vendors.base import Vendor

from connectors.errors import VendorError

pytestmark = pytest.mark.parametrize("vendor", ["tiktok"], indirect=True)


def test_what_deleted_ads_have_cost_is_pulled(vendor: Vendor):  # noqa: F811
    vendor.deleted = frozenset({"9001", "9003"})
    assert told(pulled(vendor)) == finest(vendor)


def test_a_code_becomes_a_token_and_a_wrong_one_an_error_without_secrets(vendor: Vendor):  # noqa: F811
    with opened(vendor) as api:
        exchange = api.platform.oauth.exchange
        got = exchange(api.client, "app-1", "app-secret", "code-1", "http://127.0.0.1:1/")
        assert got["access_token"] == vendor.access_token
        with pytest.raises(VendorError, match="Auth_code is invalid") as error:
            exchange(api.client, "app-1", "app-secret", "code-of-yesterday", "http://127.0.0.1:1/")
    assert "app-secret" not in str(error.value)
    assert "yesterday" not in str(error.value)
