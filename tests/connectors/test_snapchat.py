"""What only Snapchat does: stats of ads that no list has any more."""

from __future__ import annotations

import pytest

from tests.support.connectors import FIRST, LAST, pulled, told


@pytest.mark.parametrize("vendor", ["snapchat"], indirect=True)
def test_an_ad_that_no_list_has_is_in_the_account_total_alone(vendor):
    vendor.forgotten_ads = ("9002",)
    rows = pulled(vendor, FIRST, LAST)
    assert {row[5] for row in told(rows)} == {"9001", "9003"}
    totals = sum(row.spend_micros for row in rows if row.level == "account")
    assert totals == sum(fact.spend_micros for fact in vendor.facts)
