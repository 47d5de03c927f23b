"""Reddit's own features: reports without ad groups, lists without deleted ads."""

from __future__ import annotations

import pytest

from tests.support.connectors import expected_figures, figures, open_client, platform_of, pull, read_account
from tests.support.vendors.base import Vendor

pytestmark = pytest.mark.parametrize("vendor", ["reddit"], indirect=True)


def test_ad_missing_from_the_list_is_requested_once(vendor: Vendor):
    vendor.unlisted = frozenset({"9001"})
    assert figures(pull(vendor)) == expected_figures(vendor)
    assert vendor.requests.count("GET /api/v3/ads/9001") == 1


def test_spend_of_an_unknown_ad_keeps_its_campaign(vendor: Vendor):
    vendor.unknown = frozenset({"9003"})
    found = [row for row in pull(vendor) if row.ad_id == "9003"]
    assert [row.spend_micros for row in found] == [f.spend_micros for f in vendor.facts if f.ad_id == "9003"]
    assert {(row.campaign_id, row.campaign, row.adset_id) for row in found} == {("7002", "Campaign 7002", None)}


@pytest.mark.parametrize(
    "address",
    [
        {"click_url": "https://shop.example/spring"},
        {"click_url": None, "destination": {"url": "https://shop.example/spring"}},
        {"destination": None, "shopping_creative": {"destination_url": "https://shop.example/spring"}},
    ],
)
def test_destination_urls_have_reddits_parameters(vendor: Vendor, address):
    vendor.address = address
    with open_client(vendor) as client:
        entities = platform_of(vendor).entities(client, read_account(vendor, client))
        urls = {entity.destination_url for entity in entities if entity.level == "ad"}
    assert urls == {"https://shop.example/spring?utm_id={{CAMPAIGN_ID}}"}


def test_the_user_agent_names_the_app_and_its_owner(vendor: Vendor, monkeypatch):
    monkeypatch.setenv("TRIBUTARY_REDDIT_USERNAME", "shop_owner")
    with open_client(vendor) as client:
        assert client.http.headers["user-agent"] == "python:client-1:v1 (by /u/shop_owner)"
