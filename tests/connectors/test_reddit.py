"""Reddit's own features: the hours of reports, figures that are null, reports without ad groups, deleted ads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors.ads import reddit
from connectors.http.errors import VendorError
from connectors.platform import Account
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

only_reddit = pytest.mark.parametrize("vendor", ["reddit"], indirect=True)
ZONES = ["Pacific/Kiritimati", "Asia/Kolkata", "Europe/Amsterdam", "America/St_Johns", "Pacific/Pago_Pago"]


@only_reddit
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("is_as_documented", [False, True])
def test_days_are_whole_however_reddit_reads_the_hours(vendor: Vendor, zone, is_as_documented):
    """The fake has facts on the days before and after, which a report can cover in part."""
    vendor.timezone, vendor.is_as_documented = zone, is_as_documented
    vendor.facts = [replace(f, date=f.date + timedelta(days=n)) for f in vendor.facts for n in (-3, 0, 3)]
    rows = pull(vendor)
    assert figures(rows) == expected_figures(vendor)
    totals = {row.date: row.spend_micros for row in rows if row.level == "account"}
    assert totals == {fact.date: fact.spend_micros for fact in vendor.totals(FIRST, LAST)}


@pytest.mark.parametrize(
    ("zone", "hours"),
    [
        ("UTC", ("2026-11-10T00:00:00Z", "2026-11-13T00:00:00Z")),
        ("Asia/Kolkata", ("2026-11-09T18:00:00Z", "2026-11-13T00:00:00Z")),
        ("America/St_Johns", ("2026-11-10T00:00:00Z", "2026-11-13T04:00:00Z")),
    ],
)
def test_a_report_has_the_hours_of_its_days_in_the_zone_and_in_utc(zone, hours):
    assert tuple(reddit._report_hours(FIRST, LAST, zone).values()) == hours


@only_reddit
def test_zeros_may_be_null(vendor: Vendor):
    vendor.zeros_are_null = True
    vendor.facts[0] = replace(vendor.facts[0], spend_micros=0, impressions=0, clicks=0)
    assert figures(pull(vendor)) == expected_figures(vendor)


@only_reddit
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_the_whole_history_is_never_older_than_24_months(vendor: Vendor, zone, hour):
    """Not even in a zone at +14:00, in which a day begins 14 hours before that of UTC."""
    vendor.timezone, vendor.clock.time = zone, datetime(2026, 11, 20, hour, 59, tzinfo=UTC)
    today = vendor.clock.now().astimezone(ZoneInfo(zone)).date()
    first = platform_of(vendor).history.first_day(today)
    vendor.facts = [replace(vendor.facts[0], date=first)]
    assert figures(pull(vendor, first, first)) == expected_figures(vendor, first, first)
    hours = reddit._report_hours(first, first, zone)
    assert datetime.fromisoformat(hours["starts_at"]) - vendor.oldest() >= timedelta(hours=12)  # the pull can last


@only_reddit
def test_null_spend_of_an_ad_is_zero_and_logged(vendor: Vendor):
    """An ad that pays by the click and received none costs nothing. The account's totals keep their amounts."""
    vendor.facts[0] = replace(vendor.facts[0], spend_micros=0, clicks=0)
    vendor.zeros_are_null, messages = True, []
    rows = pull(vendor, client=open_client(vendor, messages.append))
    assert figures(rows) == expected_figures(vendor)
    totals = {row.date: row.spend_micros for row in rows if row.level == "account"}
    assert totals == {fact.date: fact.spend_micros for fact in vendor.totals(FIRST, LAST)}
    assert [m for m in messages if "null" in m] == [
        "Reddit: spend is null in 1 of the rows with impressions or clicks. It counts as 0 for an ad, and the total of "
        "a day without an amount is ignored"
    ]


@only_reddit
def test_null_total_beside_activity_is_no_total(vendor: Vendor, monkeypatch):
    """A total of 0 would mean that the day has no spend, whatever its ads have."""
    result = vendor.result
    monkeypatch.setattr(vendor, "result", lambda fact: result(fact) | ({} if fact.ad_id else {"spend": None}))
    rows = pull(vendor)
    assert figures(rows) == expected_figures(vendor)
    assert {row.level for row in rows} == {None}


@pytest.mark.parametrize("figures", [{}, {"impressions": 9, "clicks": 1}])
def test_absent_spend_is_an_error(figures):
    with pytest.raises(VendorError, match="no longer has the field spend"):
        reddit._spend_row({"date": "2026-11-10", **figures}, Account(account_id="1", currency="USD"), {})


@only_reddit
def test_ad_missing_from_the_list_is_requested_once(vendor: Vendor):
    vendor.unlisted = frozenset({"9001"})
    assert figures(pull(vendor)) == expected_figures(vendor)
    assert vendor.requests.count("GET /api/v3/ads/9001") == 1


@only_reddit
def test_spend_of_an_unknown_ad_keeps_its_campaign(vendor: Vendor):
    vendor.unknown = frozenset({"9003"})
    found = [row for row in pull(vendor) if row.ad_id == "9003"]
    assert [row.spend_micros for row in found] == [f.spend_micros for f in vendor.facts if f.ad_id == "9003"]
    assert {(row.campaign_id, row.campaign, row.adset_id) for row in found} == {("7002", "Campaign 7002", None)}


@only_reddit
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


@only_reddit
def test_the_user_agent_names_the_app_and_its_owner(vendor: Vendor, monkeypatch):
    monkeypatch.setenv("TRIBUTARY_REDDIT_USERNAME", "shop_owner")
    with open_client(vendor) as client:
        assert client.http.headers["user-agent"] == "python:client-1:v1 (by /u/shop_owner)"
