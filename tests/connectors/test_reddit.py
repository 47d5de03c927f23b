"""What is Reddit's own: reports name no ad group, and ads vanish from the list when they are deleted."""

from __future__ import annotations

import pytest

from tests.support.connectors import finest, opened, pulled, told
from tests.support.vendors.base import Vendor

pytestmark = pytest.mark.parametrize("vendor", ["reddit"], indirect=True)


def test_an_ad_that_is_no_longer_listed_is_asked_for_once(vendor: Vendor):
    vendor.unlisted = frozenset({"9001"})
    assert told(pulled(vendor)) == finest(vendor)
    assert vendor.requests.count("GET /api/v3/ads/9001") == 1


def test_an_ad_that_is_gone_keeps_its_spend_and_its_campaign(vendor: Vendor):
    vendor.gone = frozenset({"9003"})
    gone = [row for row in pulled(vendor) if row.ad_id == "9003"]
    assert [row.spend_micros for row in gone] == [f.spend_micros for f in vendor.facts if f.ad_id == "9003"]
    assert {(row.campaign_id, row.campaign, row.adset_id) for row in gone} == {("7002", "Campaign 7002", None)}


def test_destinations_have_the_parameters_that_are_added(vendor: Vendor):
    with opened(vendor) as api:
        (account,) = api.platform.accounts(api)
        urls = {entity.destination_url for entity in api.platform.entities(api, account) if entity.level == "ad"}
    assert urls == {"https://shop.example/spring?utm_id={{CAMPAIGN_ID}}"}
