"""Snapchat's own features: stats of ads that no list contains, accounts without purchases, omitted zeros."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.support.connectors import FIRST, LAST, expected_figures, figures, open_client, pull

pytestmark = pytest.mark.parametrize("vendor", ["snapchat"], indirect=True)


def test_spend_of_an_unlisted_ad_is_in_the_account_total_only(vendor):
    vendor.unlisted_ads = ("9002",)
    rows = pull(vendor, FIRST, LAST)
    assert {row[5] for row in figures(rows)} == {"9001", "9003"}
    totals = sum(row.spend_micros for row in rows if row.level == "account")
    assert totals == sum(fact.spend_micros for fact in vendor.facts)


def test_account_that_refuses_purchases_is_pulled_without_them(vendor):
    vendor.refuses_purchases, messages = True, []
    rows = pull(vendor, client=open_client(vendor, messages.append))
    vendor.facts = [replace(fact, conversions=Decimal(0), value_micros=0) for fact in vendor.facts]
    assert figures(rows) == expected_figures(vendor)
    assert any("reports no purchases" in message for message in messages)


def test_omitted_figures_are_zero(vendor):
    vendor.facts[0] = replace(vendor.facts[0], spend_micros=0, clicks=0, conversions=Decimal(0))
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_a_day_with_impressions_but_no_spend_has_a_total_of_zero(vendor):
    vendor.facts = [replace(fact, spend_micros=0) for fact in vendor.facts]
    rows = pull(vendor)
    assert figures(rows) == expected_figures(vendor)
    assert [row.spend_micros for row in rows if row.level == "account"] == [0, 0, 0]
