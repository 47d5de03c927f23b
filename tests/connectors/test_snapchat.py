"""Snapchat's own feature: stats of ads that no list contains."""

from __future__ import annotations

import pytest

from tests.support.connectors import FIRST, LAST, figures, pull


@pytest.mark.parametrize("vendor", ["snapchat"], indirect=True)
def test_spend_of_an_unlisted_ad_is_in_the_account_total_only(vendor):
    vendor.unlisted_ads = ("9002",)
    rows = pull(vendor, FIRST, LAST)
    assert {row[5] for row in figures(rows)} == {"9001", "9003"}
    totals = sum(row.spend_micros for row in rows if row.level == "account")
    assert totals == sum(fact.spend_micros for fact in vendor.facts)
