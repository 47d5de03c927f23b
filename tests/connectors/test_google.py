"""Google's own features: campaigns without ads, manager accounts, streams that end in an error, single clicks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import msgspec
import pytest

from connectors.http.errors import VendorError
from tests.support.connectors import FIRST, LAST, open_client, platform_of, pull, read_account
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
