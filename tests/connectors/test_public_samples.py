"""Responses in the shape of those that vendors, their SDKs and other clients published.

In: the members and types of public samples, with values of our own. Out: rows. Each platform's document names the
repository and the path of its samples.
"""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

from connectors.ads import google, linkedin, meta, microsoft, pinterest, reddit, snapchat, tiktok, x
from connectors.ads.amazon.entities import account_of
from connectors.ads.microsoft.time_zones import has_zone
from connectors.ads.microsoft.zipped_csv import _header
from connectors.auth.credentials import load
from connectors.http.client import PlatformClient
from connectors.http.errors import Throttled
from connectors.http.responses import parse_json
from connectors.platform import Account
from tests.support.vendors.base import FakeClock

ACCOUNT = Account(account_id="1", currency="USD", timezone="America/Los_Angeles")
DAY = date(2026, 11, 10)


def parsed(sample: Any) -> Any:
    """Return the sample as the client parses it: numbers with a point are Decimals."""
    return parse_json(
        httpx.Response(200, content=msgspec.json.encode(sample), request=httpx.Request("GET", "http://x"))
    )


def test_meta_insights_with_attribution_windows_and_without_purchases():
    """Shape: airbytehq/airbyte, source-facebook-marketing/unit_tests/resource/http/response."""
    windows = {"1d_click": "3", "7d_click": "4", "28d_click": "4"}
    sample = {
        "account_currency": "USD",
        "account_id": "1",
        "actions": [
            {"action_type": "page_engagement", "value": "4", **windows},
            {"action_type": "link_click", "value": "4", **windows},
        ],
        **{"ad_id": "9", "ad_name": "Ad", "adset_id": "8", "adset_name": "Set", "campaign_id": "7"},
        "campaign_name": "Campaign",
        "clicks": "9",
        "cost_per_action_type": [{"action_type": "link_click", "value": "1.59", **windows}],
        "date_start": "2026-11-10",
        "date_stop": "2026-11-10",
        "impressions": "185",
        "spend": "14.35",
    }
    row = meta._spend_row(parsed(sample), ACCOUNT, "ad")
    assert (row.date, row.spend_micros, row.clicks, row.ad_id) == (DAY, 14_350_000, 9, "9")
    assert (row.platform_conversions, row.platform_value_micros) == (0, 0)
    purchases = [{"action_type": "purchase", "value": "2", **windows}, {"action_type": "omni_purchase", "value": "3"}]
    with_purchases = sample | {"actions": purchases, "action_values": [{"action_type": "purchase", "value": "20.5"}]}
    row = meta._spend_row(parsed(with_purchases), ACCOUNT, "ad")
    assert (row.platform_conversions, row.platform_value_micros) == (3, 20_500_000)


def test_tiktok_report_with_ids_as_numbers_and_metrics_without_value():
    """Shape: airbytehq/airbyte, source-tiktok-marketing/unit_tests/resource/http/response/ads_reports_hourly.json."""
    sample = {
        "dimensions": {"stat_time_day": "2026-11-10 00:00:00", "ad_id": "9"},
        "metrics": {
            **{"campaign_id": 1714125042508817, "campaign_name": "Campaign", "adgroup_id": 1714125049901106},
            **{"adgroup_name": "Group", "ad_name": "Ad", "spend": "20.00", "impressions": "5830", "clicks": "69"},
            **{"video_play_actions": 5173, "complete_payment": "0", "total_complete_payment_rate": "-"},
            **{"secondary_goal_result": None, "ctr": "1.18", "reach": "-"},
        },
    }
    row = tiktok._spend_row(parsed(sample), ACCOUNT, "ad_id")
    assert (row.campaign_id, row.adset_id, row.ad_id) == ("1714125042508817", "1714125049901106", "9")
    assert (row.date, row.spend_micros, row.video_views, row.platform_value_micros) == (DAY, 20_000_000, 5173, 0)


def test_google_row_of_a_stream():
    """Shape: PatrykDachwitz/E-commerce-raport, tests/Datasets/GoogleAdwordsResponseApi.php."""
    sample = {
        "customer": {"resourceName": "customers/1", "currencyCode": "USD"},
        "metrics": {"clicks": "204", "costMicros": "1061083620", "impressions": "8000", "conversions": 2.5},
        "segments": {"date": "2026-11-10"},
    }
    row = google._spend_row(parsed(sample), ACCOUNT, "account")
    assert (row.date, row.spend_micros, row.clicks) == (DAY, 1_061_083_620, 204)
    assert row.platform_conversions == Decimal("2.5")


def test_microsoft_report_with_its_header():
    """Shape: MicrosoftDocs, Advertising guides (file schema), and airbytehq/airbyte, source-bing-ads/unit_tests."""
    lines = io.StringIO(
        '"Report Name: Ads"\r\n"Report Time: 11/10/2026"\r\n'
        '"Time Zone: (GMT-08:00) Pacific Time (US & Canada); Tijuana"\r\n'
        '"Last Completed Available Day: 11/11/2026 10:15:00 PM (GMT)"\r\n"Report Aggregation: Daily"\r\n'
        '"Report Filter: "\r\n"Potential Incomplete Data: true"\r\n"Rows: 1"\r\n\r\n'
        '"TimePeriod","CurrencyCode","CampaignId","CampaignName","AdGroupId","AdGroupName","AdId","AdTitle","Spend",'
        '"Impressions","Clicks","VideoViews","ConversionsQualified","Revenue"\r\n'
        '"2026-11-10","USD","7","Campaign","8","Group","9","","1.48","1","1","--","0.00",""\r\n'
    )
    header, columns = _header(lines)
    assert has_zone(header["Time Zone"], "PacificTimeUSCanadaTijuana")
    assert (header["Rows"], header["Report Filter"]) == ("1", "")
    values = dict(zip(columns, lines.readline().strip().replace('"', "").split(","), strict=True))
    row = microsoft._spend_row(values, ACCOUNT, "Ad", None)
    assert (row.date, row.spend_micros, row.ad, row.video_views) == (DAY, 1_480_000, None, 0)
    assert (row.platform_conversions, row.platform_value_micros) == (0, 0)


def test_linkedin_analytics_row():
    """Shape: airbytehq/airbyte, source-linkedin-ads/unit_tests/responses/ad_campaign_analytics."""
    day = {"month": 11, "day": 10, "year": 2026}
    sample = {
        "clicks": 100,
        "impressions": 19090,
        "pivotValues": [
            "urn:li:sponsoredCampaign:8",
            "urn:li:sponsoredCampaignGroup:7",
            "urn:li:sponsoredCreative:9",
        ],
        "costInLocalCurrency": "209.449",
        "dateRange": {"start": day, "end": day},
    }
    row = linkedin._spend_row(parsed(sample), ACCOUNT, "USD", {})
    assert (row.date, row.spend_micros, row.adset_id, row.ad_id) == (DAY, 209_449_000, "8", "9")


def test_reddit_report_without_conversions():
    """Shape: camlowe/mcp-server-reddit-ads, tests/fixtures/report.json."""
    row = {"date": "2026-11-10", "impressions": 1200, "clicks": 30, "spend": 12_345_678, "ctr": 0.025, "cpc": 411522.6}
    sample = {"data": {"metrics": [row], "metrics_updated_at": "2026-11-20T02:16:44Z"}, "pagination": {}}
    (parsed_row,) = parsed(sample)["data"]["metrics"]
    found = reddit._spend_row(parsed_row, ACCOUNT, {})
    assert (found.date, found.spend_micros, found.impressions, found.clicks) == (DAY, 12_345_678, 1200, 30)
    assert (found.level, found.platform_conversions, found.platform_value_micros) == ("account", 0, 0)


def test_reddit_figures_that_are_null():
    """Shape: goncaloaguer/unofficial-reddit-ads-mcp, openapi/reddit-ads-v3.json: figures are integers or null."""
    figures = dict.fromkeys(name.lower() for name in reddit.FIELDS)
    found = reddit._spend_row(parsed({"date": "2026-11-10", "ad_id": "9", "campaign_id": "7", **figures}), ACCOUNT, {})
    assert (found.spend_micros, found.impressions, found.clicks, found.video_views) == (0, 0, 0, 0)
    assert (found.platform_conversions, found.platform_value_micros) == (0, 0)


def test_pinterest_report_file_has_a_list_of_rows_for_each_id(monkeypatch):
    """Shape: airbytehq/airbyte, source-pinterest/unit_tests/test_reports.py (the file and the statuses of its job), and
    pinterest/api-description, v5/openapi.json (a row: ids as text, amounts and counts as numbers).
    """
    row = {"DATE": "2026-11-10", "AD_ID": "9", "SPEND_IN_DOLLAR": 12.34, "TOTAL_CLICKTHROUGH": 21}
    requested = {"SPEND_IN_MICRO_DOLLAR": 12_340_000, "CAMPAIGN_ID": 7, "AD_GROUP_ID": 8}
    responses = [
        {"report_status": "IN_PROGRESS", "token": "token-1", "message": ""},
        {"report_status": "IN_PROGRESS"},
        {"report_status": "FINISHED", "url": "https://files.example/report"},
        {"9": [row | requested]},
    ]
    monkeypatch.setenv("TRIBUTARY_PINTEREST_ACCESS_TOKEN", "access-1")
    with PlatformClient(pinterest.PLATFORM, load(pinterest.PLATFORM), clock=FakeClock()) as client:
        client.http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=responses.pop(0))))
        (found,) = pinterest._report_rows(client, ACCOUNT, {"start_date": "2026-11-10", "end_date": "2026-11-10"})
    spend_row = pinterest._spend_row(found, ACCOUNT, "PIN_PROMOTION")
    assert (spend_row.date, spend_row.spend_micros, spend_row.clicks) == (DAY, 12_340_000, 21)
    assert (spend_row.campaign_id, spend_row.adset_id, spend_row.ad_id) == ("7", "8", "9")


def test_pinterest_limit_of_costs():
    """Shape: airbytehq/airbyte, source-pinterest/unit_tests/test_reports.py."""
    body = {"code": 2726, "message": "The cost limit of reports is exceeded. Retry after 1 seconds"}
    with pytest.raises(Throttled, match="cost limit"):
        pinterest.raise_for_error(httpx.Response(429, json=body))


def test_x_series_of_purchases_with_quantities_in_micros():
    """Shape: X's announcement of additional metrics, and xdevplatform/twitter-python-ads-sdk, tests/fixtures."""
    sample = {
        "billed_charge_local_micro": [12_340_000],
        "impressions": [100],
        "clicks": None,
        "conversion_purchases": {
            **{"order_quantity_engagement": [5_000_000], "order_quantity_view": [10_000_000]},
            **{"order_quantity": [15_000_000], "sale_amount": [277_990_000], "metric": [3]},
            **{"post_view": [2], "assisted": None},
        },
    }
    series = dict(x._series(parsed(sample), tuple(x.METRICS), 1))
    assert series == {
        "spend_micros": [12_340_000],
        "impressions": [100],
        "clicks": (),
        "video_views": (),
        "conversions": [3],
        "value": [277_990_000],
    }


def test_snapchat_point_of_a_time_series():
    """Shape: Snap's documentation (Measurement), and airbytehq/airbyte, source-snapchat-marketing/unit_tests."""
    point = {
        "start_time": "2026-11-10T00:00:00.000-08:00",
        "end_time": "2026-11-11T00:00:00.000-08:00",
        "stats": {"impressions": 12, "quartile_1": 0, "spend": 5_000_000, "screen_time_millis": 0},
    }
    assert snapchat._day(parsed(point), ACCOUNT) == DAY
    assert snapchat._figures(parsed(point), (*snapchat.METRICS, *snapchat.OPTIONAL)) == {
        "spend_micros": 5_000_000,
        "impressions": 12,
        "clicks": 0,
        "video_views": 0,
        "platform_conversions": Decimal(0),
        "platform_value_micros": 0,
    }


def test_amazon_profile():
    """Shape: airbytehq/airbyte, source-amazon-ads/unit_tests/resource/http/response/profiles.json."""
    info = {"marketplaceStringId": "A2", "id": "A3", "type": "seller", "name": "Shop", "validPaymentMethod": True}
    sample = {"profileId": 1, "countryCode": "CA", "currencyCode": "CAD", "dailyBudget": 0.0, "accountInfo": info}
    account = account_of(parsed(sample | {"timezone": "America/Los_Angeles"}))
    assert (account.account_id, account.name, account.currency) == ("1", "Shop CA", "CAD")
