"""Microsoft Advertising's own features: names of time zones, campaigns without ads, URL parameters of parents."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from starlette.responses import Response

from connectors.ads.microsoft.time_zones import IANA_NAMES, REPORT_SPELLINGS, has_zone
from connectors.http.errors import VendorError
from tests.support.connectors import FIRST, expected_figures, figures, open_client, platform_of, pull, read_account
from tests.support.vendors.base import serving
from tests.support.vendors.microsoft import Microsoft


@pytest.fixture
def vendor(monkeypatch):
    with serving(Microsoft()) as served:
        monkeypatch.setenv("TRIBUTARY_MICROSOFT_URL", served.url)
        for name, value in {**served.credentials, "access_token": "access-1", "refresh_token": "refresh-1"}.items():
            monkeypatch.setenv(f"TRIBUTARY_MICROSOFT_{name.upper()}", value)
        yield served


def test_every_time_zone_exists():
    assert [ZoneInfo(name).key for name in IANA_NAMES.values()] == list(IANA_NAMES.values())
    assert set(REPORT_SPELLINGS) <= set(IANA_NAMES)


def test_reports_use_the_spelling_of_the_accounts_time_zone(vendor):
    vendor.timezone = "Asia/Karachi"  # the fake rejects any other spelling
    assert figures(pull(vendor)) == expected_figures(vendor)


@pytest.mark.parametrize(
    ("header", "zone", "expected"),
    [
        ("(GMT-08:00) Pacific Time (US & Canada); Tijuana", "PacificTimeUSCanadaTijuana", True),
        (
            "(GMT+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna",
            "AmsterdamBerlinBernRomeStockholmVienna",
            True,
        ),
        ("(GMT+08:00) Beijing, Chongqing, Hong Kong SAR, Urumqi", "BeijingChongqingHongKongUrumqi", True),
        ("(GMT) Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London", "BrusselsCopenhagenMadridParis", False),
        ("(GMT-08:00) Pacific Time (US & Canada); Tijuana", "EasternTimeUSCanada", False),
        ("Various", "EasternTimeUSCanada", False),
        ("none", "EasternTimeUSCanada", False),
    ],
)
def test_the_zone_in_the_header_of_a_report_is_recognised(header, zone, expected):
    assert has_zone(header, zone) is expected


def test_figures_have_separators_and_dashes(vendor):
    """A figure of a thousand has a comma, and one that Microsoft does not have is `--`."""
    vendor.facts[0] = replace(
        vendor.facts[0],
        spend_micros=1_234_567_890_000,
        impressions=12_345_678,
        clicks=4_321,
        video_views=0,
        value_micros=0,
    )
    assert figures(pull(vendor)) == expected_figures(vendor)


@pytest.mark.parametrize("spend", ["--", ""])
def test_spend_that_microsoft_does_not_have_is_an_error(vendor, monkeypatch, spend):
    line = vendor.line
    monkeypatch.setattr(vendor, "line", lambda fact, columns: {**line(fact, columns), "Spend": spend})
    with pytest.raises(VendorError, match="no longer has the field Spend"):
        pull(vendor)


@pytest.mark.parametrize("reported", [None, "(GMT) Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London"])
def test_days_of_another_zone_are_logged_once(vendor, reported):
    vendor.timezone, vendor.reported_zone, messages = "America/New_York", reported, []
    assert figures(pull(vendor, client=open_client(vendor, messages.append))) == expected_figures(vendor)
    warning = f"Microsoft Advertising: the days are of {reported}, not of the account (EasternTimeUSCanada)"
    assert [m for m in messages if "the days are of" in m] == ([warning] if reported else [])


def test_campaign_totals_include_campaigns_without_ads(vendor):
    vendor.without_ads = (replace(vendor.facts[0], campaign_id="7009", spend_micros=5_550_000),)
    rows = pull(vendor)
    assert figures(rows) == expected_figures(vendor)
    campaigns = {r.campaign_id: r.spend_micros for r in rows if r.level == "campaign" and r.date == FIRST}
    assert campaigns["7009"] == 5_550_000
    (total,) = [r.spend_micros for r in rows if r.level == "account" and r.date == FIRST]
    assert total == sum(campaigns.values())


def test_destination_url_has_the_parameters_of_its_parents(vendor):
    with open_client(vendor) as client:
        account = read_account(vendor, client)
        ads = [e for e in platform_of(vendor).entities(client, account) if e.level == "ad"]
    assert {e.destination_url for e in ads} == {"https://shop.example/spring?utm_source=bing&utm_id={CampaignId}"}
    assert {(e.entity_id, e.adset_id) for e in ads} == {(f.ad_id, f.adset_id) for f in vendor.facts}


@pytest.mark.parametrize("content", [{}, {"report.csv": ""}, {"report.csv": "\ufeff"}])
def test_file_without_columns_is_an_error(vendor, monkeypatch, content):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in content.items():
            archive.writestr(name, text)

    class Broken(Microsoft):
        async def file(self, request):
            return Response(packed.getvalue(), media_type="application/zip")

    with serving(Broken()) as broken:
        monkeypatch.setenv("TRIBUTARY_MICROSOFT_URL", broken.url)
        with pytest.raises(VendorError, match="incomplete or damaged"):
            pull(broken)


def test_account_without_access_is_an_error(vendor):
    with open_client(vendor) as client:
        account = read_account(vendor, client)
        vendor.account_id = "2002"  # the access was removed meanwhile
        with pytest.raises(VendorError, match="not authorized"):
            list(platform_of(vendor).spend(client, account, FIRST, FIRST))
