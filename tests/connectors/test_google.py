"""What is Google's own: campaigns without ads, managers, streams that end in an error, days of single clicks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from connectors.http.errors import VendorError
from tests.support.connectors import FIRST, LAST, opened, pulled
from tests.support.vendors.base import Vendor

pytestmark = pytest.mark.parametrize("vendor", ["google"], indirect=True)


def test_performance_max_is_in_the_totals_of_its_campaign_and_account(vendor: Vendor):
    maximal = replace(vendor.facts[0], campaign_id="7003", adset_id="", ad_id="", spend_micros=77_770_000)
    vendor.without_ads = [maximal]
    rows = pulled(vendor)
    ads = sum(row.spend_micros for row in rows if row.level is None)
    campaigns = [row for row in rows if row.level == "campaign"]
    assert [(row.date, row.spend_micros) for row in campaigns if row.campaign_id == "7003"] == [(FIRST, 77_770_000)]
    assert not [row for row in rows if row.level is None and row.campaign_id == "7003"]
    stated = sum(row.spend_micros for row in rows if row.level == "account")
    assert sum(row.spend_micros for row in campaigns) == stated == ads + 77_770_000


def test_an_account_beneath_a_manager_is_read_through_it_and_another_is_not(vendor: Vendor):
    with opened(vendor) as api:
        (through,) = api.platform.accounts(api)
        assert through.manager == "2002"
        with pytest.raises(VendorError, match=r"USER_PERMISSION_DENIED.*`manager` in tributary\.yaml"):
            list(api.platform.spend(api, replace_manager(through, None), FIRST, LAST))
    vendor.manager = None
    with opened(vendor) as api:
        (direct,) = api.platform.accounts(api)
        assert direct.manager is None
        assert list(api.platform.spend(api, direct, FIRST, LAST))


def replace_manager(account, manager):
    return type(account)(account.account_id, account.name, account.currency, account.timezone, manager)


def test_a_stream_that_ends_in_an_error_is_no_pull(vendor: Vendor):
    with opened(vendor) as api:
        (account,) = api.platform.accounts(api)
        vendor.breaks_off = True
        with pytest.raises(VendorError, match="Pull again"):
            list(api.platform.spend(api, account, FIRST, LAST))


def test_clicks_are_asked_for_day_by_day_and_not_beyond_ninety_days(vendor: Vendor):
    today = vendor.clock.now().date()
    with opened(vendor) as api:
        (account,) = api.platform.accounts(api)
        before = len(vendor.requests)
        clicks = list(api.platform.clicks(api, account, date(2026, 1, 1), today + timedelta(days=3)))
    assert len(vendor.requests) - before == 91
    (asset_group,) = {(c.campaign_id, c.adset_id, c.ad_id) for c in clicks if c.click_id == "click-2"}
    assert asset_group == ("7003", None, None)


def test_a_retired_version_is_told(vendor: Vendor, monkeypatch):
    monkeypatch.setattr("connectors.ads.google.VERSION", "v11")
    with pytest.raises(VendorError, match=r"v11.*newer version of Tributary"):
        pulled(vendor)


def test_destinations_have_what_template_and_suffix_add(vendor: Vendor):
    with opened(vendor) as api:
        (account,) = api.platform.accounts(api)
        urls = {entity.destination_url for entity in api.platform.entities(api, account) if entity.level == "ad"}
    assert urls == {"https://shop.example/spring?utm_source=google&utm_id={campaignid}"}


def test_a_developer_token_is_sent_along_where_there_is_one(vendor: Vendor, monkeypatch):
    with opened(vendor) as api:
        assert "developer-token" not in api.platform.headers(api.credentials.values)
    monkeypatch.setenv("TRIBUTARY_GOOGLE_DEVELOPER_TOKEN", "dev-1")
    with opened(vendor) as api:
        assert api.platform.headers(api.credentials.values)["developer-token"] == "dev-1"
