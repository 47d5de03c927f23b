"""What only Microsoft Advertising does: zones by names of its own, campaigns without ads, parameters of parents."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from starlette.responses import Response

from connectors.ads.microsoft.time_zones import IN_REPORTS, ZONES
from connectors.http.errors import VendorError
from tests.support.connectors import FIRST, finest, opened, pulled, told
from tests.support.vendors.base import serving
from tests.support.vendors.microsoft import Microsoft


@pytest.fixture
def vendor(monkeypatch):
    with serving(Microsoft()) as served:
        monkeypatch.setenv("TRIBUTARY_MICROSOFT_URL", served.url)
        for name, value in {**served.credentials, "access_token": "access-1", "refresh_token": "refresh-1"}.items():
            monkeypatch.setenv(f"TRIBUTARY_MICROSOFT_{name.upper()}", value)
        yield served


def test_every_zone_is_one_that_there_is():
    assert [ZoneInfo(name).key for name in ZONES.values()] == list(ZONES.values())
    assert set(IN_REPORTS) <= set(ZONES)


def test_reports_are_asked_for_in_the_account_s_zone_as_reports_spell_it(vendor):
    vendor.timezone = "Asia/Karachi"  # the vendor refuses any other spelling
    assert told(pulled(vendor)) == finest(vendor)


def test_a_campaign_without_ads_is_in_the_campaigns_totals(vendor):
    vendor.without_ads = (replace(vendor.facts[0], campaign_id="7009", spend_micros=5_550_000),)
    rows = pulled(vendor)
    assert told(rows) == finest(vendor)
    campaigns = {r.campaign_id: r.spend_micros for r in rows if r.level == "campaign" and r.date == FIRST}
    assert campaigns["7009"] == 5_550_000
    (total,) = [r.spend_micros for r in rows if r.level == "account" and r.date == FIRST]
    assert total == sum(campaigns.values())


def test_a_destination_has_the_parameters_of_its_parents(vendor):
    with opened(vendor) as api:
        (account,) = api.platform.accounts(api)
        ads = [e for e in api.platform.entities(api, account) if e.level == "ad"]
    assert {e.destination_url for e in ads} == {"https://shop.example/spring?utm_source=bing&utm_id={CampaignId}"}
    assert {(e.entity_id, e.adset_id) for e in ads} == {(f.ad_id, f.adset_id) for f in vendor.facts}


@pytest.mark.parametrize("content", [{}, {"report.csv": ""}, {"report.csv": "\ufeff"}])
def test_a_file_without_columns_is_an_error_and_no_empty_report(vendor, monkeypatch, content):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in content.items():
            archive.writestr(name, text)

    class Broken(Microsoft):
        async def file(self, request):
            return Response(packed.getvalue(), media_type="application/zip")

    with serving(Broken()) as broken:
        monkeypatch.setenv("TRIBUTARY_MICROSOFT_URL", broken.url)
        with pytest.raises(VendorError, match="not whole"):
            pulled(broken)


def test_another_s_account_is_an_error_and_no_empty_report(vendor):
    with opened(vendor) as api:
        (account,) = api.platform.accounts(api)
        vendor.account_id = "2002"  # taken away since
        with pytest.raises(VendorError, match="not authorized"):
            list(api.platform.spend(api, account, FIRST, FIRST))
