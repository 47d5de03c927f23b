"""Google's own features: campaigns without ads, manager accounts, streams that end in an error, single clicks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.http.errors import TokenRevoked, VendorError
from tests.support.connectors import (
    FIRST,
    LAST,
    expected_figures,
    figures,
    open_client,
    platform_of,
    pull,
    read_account,
)
from tests.support.vendors.base import Vendor

pytestmark = pytest.mark.parametrize("vendor", ["google"], indirect=True)


def test_performance_max_spend_is_in_campaign_and_account_totals(vendor: Vendor):
    performance_max = replace(vendor.facts[0], campaign_id="7003", adset_id="", ad_id="", spend_micros=77_770_000)
    vendor.without_ads = [performance_max]
    rows = pull(vendor)
    ads = sum(row.spend_micros for row in rows if row.level is None)
    campaigns = [row for row in rows if row.level == "campaign"]
    assert [(row.date, row.spend_micros) for row in campaigns if row.campaign_id == "7003"] == [(FIRST, 77_770_000)]
    assert not [row for row in rows if row.level is None and row.campaign_id == "7003"]
    total = sum(row.spend_micros for row in rows if row.level == "account")
    assert sum(row.spend_micros for row in campaigns) == total == ads + 77_770_000


def test_managed_account_is_read_through_its_manager(vendor: Vendor):
    with open_client(vendor) as client:
        through = read_account(vendor, client)
        assert through.manager == "2002"
        with pytest.raises(VendorError, match=r"USER_PERMISSION_DENIED.*`manager` in tributary\.yaml"):
            list(platform_of(vendor).spend(client, msgspec.structs.replace(through, manager=None), FIRST, LAST))
    vendor.manager = None
    with open_client(vendor) as client:
        direct = read_account(vendor, client)
        assert direct.manager is None
        assert list(platform_of(vendor).spend(client, direct, FIRST, LAST))


def test_stream_that_ends_in_an_error_fails(vendor: Vendor):
    with open_client(vendor) as client:
        account = read_account(vendor, client)
        vendor.breaks_off = True
        with pytest.raises(VendorError, match="Pull again"):
            list(platform_of(vendor).spend(client, account, FIRST, LAST))


def test_clicks_are_requested_by_day_for_ninety_days_at_most(vendor: Vendor):
    today = vendor.clock.now().date()
    with open_client(vendor) as client:
        account = read_account(vendor, client)
        before = len(vendor.requests)
        clicks = list(platform_of(vendor).clicks(client, account, date(2026, 1, 1), today + timedelta(days=3)))
    assert len(vendor.requests) - before == 91
    (without_ad,) = {(c.campaign_id, c.adset_id, c.ad_id) for c in clicks if c.click_id == "click-2"}
    assert without_ad == ("7003", None, None)


def test_retired_version_asks_for_a_newer_tributary(vendor: Vendor, monkeypatch):
    monkeypatch.setattr("connectors.ads.google.VERSION", "v11")
    with pytest.raises(VendorError, match=r"v11.*newer version of Tributary"):
        pull(vendor)


def test_destination_urls_have_template_and_suffix(vendor: Vendor):
    with open_client(vendor) as client:
        entities = platform_of(vendor).entities(client, read_account(vendor, client))
        urls = {entity.destination_url for entity in entities if entity.level == "ad"}
    assert urls == {"https://shop.example/spring?utm_source=google&utm_id={campaignid}"}


def test_developer_token_is_sent_if_set(vendor: Vendor, monkeypatch):
    with open_client(vendor) as client:
        assert "developer-token" not in platform_of(vendor).headers(client.credentials.values)
    monkeypatch.setenv("TRIBUTARY_GOOGLE_DEVELOPER_TOKEN", "dev-1")
    with open_client(vendor) as client:
        assert platform_of(vendor).headers(client.credentials.values)["developer-token"] == "dev-1"


def test_accounts_of_another_ads_system_are_skipped(vendor: Vendor):
    vendor.others = ("3003",)
    with open_client(vendor) as client:
        assert [account.account_id for account in platform_of(vendor).accounts(client)] == [vendor.account_id]


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("NOT_ADS_USER", "has no Google Ads account"),
        ("TWO_STEP_VERIFICATION_NOT_ENROLLED", "demands 2-Step Verification"),
        ("ADVANCED_PROTECTION_NOT_ENROLLED", "demands the Advanced Protection Program"),
    ],
)
def test_user_whom_google_rejects_is_no_problem_of_the_token(vendor: Vendor, reason, remedy):
    vendor.refusal = reason
    with pytest.raises(VendorError, match=rf"{reason}.*{remedy}") as error:
        pull(vendor)
    assert not isinstance(error.value, TokenRevoked)
    assert not [request for request in vendor.requests if request.endswith("/token")]


@pytest.fixture
def service_account(vendor: Vendor, monkeypatch) -> dict[str, str]:
    """Return the key of a service account that the fake accepts, and remove the login of a person."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    vendor.public_key = key.public_key()
    for name in ("ACCESS_TOKEN", "REFRESH_TOKEN", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.delenv(f"TRIBUTARY_GOOGLE_{name}")
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return {"type": "service_account", "client_email": "puller@shop.iam.gserviceaccount.com", "private_key": pem}


@pytest.mark.parametrize("is_file", [False, True])
def test_service_account_needs_no_login(vendor: Vendor, monkeypatch, tmp_path, service_account, is_file):
    path, text = tmp_path / "key.json", json.dumps(service_account)
    path.write_text(text)
    monkeypatch.setenv("TRIBUTARY_GOOGLE_SERVICE_ACCOUNT", str(path) if is_file else text)
    vendor.faults = ["ok", "expired"]
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_rejected_service_account_states_the_variable(vendor: Vendor, monkeypatch, service_account):
    monkeypatch.setenv("TRIBUTARY_GOOGLE_SERVICE_ACCOUNT", json.dumps(service_account))
    vendor.public_key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    with pytest.raises(TokenRevoked, match=r"Invalid JWT Signature.*TRIBUTARY_GOOGLE_SERVICE_ACCOUNT") as error:
        pull(vendor)
    assert "PRIVATE KEY" not in str(error.value)


@pytest.mark.parametrize("text", ["{", "{}", "/nowhere/key.json", '{"client_email": "a", "private_key": "b"}'])
def test_unreadable_key_of_a_service_account_is_an_error(vendor: Vendor, monkeypatch, service_account, text):
    monkeypatch.setenv("TRIBUTARY_GOOGLE_SERVICE_ACCOUNT", text)
    with pytest.raises(VendorError, match="key of the service account is not readable"):
        pull(vendor)
