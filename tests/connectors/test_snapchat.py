"""Snapchat's own features: stats of ads that no list contains, accounts without purchases, omitted zeros."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from connectors.ads.snapchat import CLAIMS
from connectors.http.errors import VendorError
from tests.support.connectors import FIRST, LAST, expected_figures, figures, open_client, pull

pytestmark = pytest.mark.parametrize("vendor", ["snapchat"], indirect=True)


def test_spend_of_an_unlisted_ad_is_in_the_account_total_only(vendor):
    vendor.unlisted_ads = ("9002",)
    rows = pull(vendor, FIRST, LAST)
    assert {row[5] for row in figures(rows)} == {"9001", "9003"}
    totals = sum(row.spend_micros for row in rows if row.level == "account")
    assert totals == sum(fact.spend_micros for fact in vendor.facts)


COLUMNS = {  # of rows, by metric
    "video_views": "video_views",
    "conversion_purchases": "platform_conversions",
    "conversion_purchases_value": "platform_value_micros",
}


@pytest.mark.parametrize("names_rejected", [True, False])
@pytest.mark.parametrize("rejected", [{"video_views"}, {"conversion_purchases_value"}, set(CLAIMS), set(COLUMNS)])
def test_only_metrics_that_snapchat_rejects_are_missing(vendor, rejected, names_rejected):
    whole = [row for row in pull(vendor) if row.level is None]
    vendor.rejected, vendor.names_rejected, messages = frozenset(rejected), names_rejected, []
    rows = [row for row in pull(vendor, client=open_client(vendor, messages.append)) if row.level is None]
    assert rows == [msgspec.structs.replace(row, **{COLUMNS[metric]: None for metric in rejected}) for row in whole]
    logged = " ".join(message for message in messages if "are missing. Snapchat rejected" in message)
    assert {metric for metric in COLUMNS if f"{metric}," in logged or f"{metric} of {FIRST} to {LAST}" in logged} == (
        rejected
    )


def test_request_that_is_rejected_for_another_reason_is_an_error(vendor):
    vendor.forbidden = True
    with pytest.raises(VendorError, match=r"Permission denied \(E3003\)"):
        pull(vendor)


def test_rejected_required_metric_is_an_error(vendor):
    vendor.rejected, messages = frozenset({"swipes"}), []
    with pytest.raises(VendorError, match="swipes is not available"):
        pull(vendor, client=open_client(vendor, messages.append))
    assert not [message for message in messages if "missing" in message]


def test_metrics_that_snapchat_rejects_only_together_are_given_up(vendor):
    """Delivery is pulled in any case."""
    vendor.most_metrics = 4
    rows = [row for row in pull(vendor) if row.level is None]
    assert {(row.video_views, row.platform_conversions, row.platform_value_micros) for row in rows} == {(None,) * 3}
    assert sum(row.spend_micros for row in rows) == sum(fact.spend_micros for fact in vendor.facts)


def test_omitted_figures_are_zero(vendor):
    vendor.facts[0] = replace(vendor.facts[0], spend_micros=0, clicks=0, conversions=Decimal(0))
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_a_day_with_impressions_but_no_spend_has_a_total_of_zero(vendor):
    vendor.facts = [replace(fact, spend_micros=0) for fact in vendor.facts]
    rows = pull(vendor)
    assert figures(rows) == expected_figures(vendor)
    assert [row.spend_micros for row in rows if row.level == "account"] == [0, 0, 0]
