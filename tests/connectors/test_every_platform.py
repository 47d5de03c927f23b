"""Every platform's connector against its API on loopback: pages, faults, restatements, odd accounts.

One matrix for all: what the API was told to have spent is what the connector yields, whatever goes wrong on the way.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from starlette.responses import RedirectResponse, Response

from connectors.http.errors import TokenRevoked, VendorError
from connectors.platform import Account, Click
from tests.support.connectors import FIRST, LAST, PLATFORMS, finest, opened, pulled, told
from tests.support.vendors import VENDORS
from tests.support.vendors.base import Fact, serving, summed


def test_what_was_spent_is_what_is_pulled_page_by_page(vendor):
    rows = pulled(vendor)
    assert told(rows) == finest(vendor)
    assert vendor.page_size < len(finest(vendor))
    names = {(r.ad_id, r.ad) for r in rows if r.level is None and r.ad}
    assert names <= {(f.ad_id, f.ad) for f in vendor.facts}
    if any(r.video_views for r in rows):
        assert sum(r.video_views for r in rows if r.level is None) == sum(f.video_views for f in vendor.facts)


def test_account_totals_are_as_the_platform_states_them(vendor):
    vendor.total_off_micros = 1_230_000  # deleted ads, say
    totals = {r.date: r.spend_micros for r in pulled(vendor) if r.level == "account"}
    if not vendor.has_account_totals:
        assert totals == {}
        return
    days = {f.date for f in vendor.facts}
    assert totals == {
        day: summed(day, [f for f in vendor.facts if f.date == day]).spend_micros + 1_230_000 for day in days
    }


def test_rows_that_two_pages_repeat_differ_in_nothing(vendor):
    vendor.repeats = True
    assert told(pulled(vendor)) == finest(vendor)


def test_throttling_is_waited_out_as_the_platform_says(vendor):
    vendor.faults = ["throttle", "throttle"]
    said: list[str] = []
    assert told(pulled(vendor, api=opened(vendor, said.append))) == finest(vendor)
    assert sum(vendor.clock.slept) > 0  # had it asked too early, the vendor would have throttled it again
    assert not vendor.faults


def test_a_platform_that_throttles_for_ever_is_given_up_with_a_sentence(vendor):
    vendor.faults = ["throttle"] * 100
    with pytest.raises(VendorError, match=r"(?i)pull"):
        pulled(vendor)


@pytest.mark.parametrize("fault", ["failure", "failure_in_200"])
def test_failures_of_the_moment_are_tried_again(vendor, fault):
    if fault == "failure_in_200" and vendor.failed_in_200() is None:
        pytest.skip(f"{vendor.name} sends no errors with HTTP 200")
    vendor.quiet_until = None
    vendor.faults = [fault, fault]
    assert told(pulled(vendor)) == finest(vendor)


def test_an_answer_that_is_no_json_is_an_error(vendor):
    vendor.faults = ["ok", "broken_body"]
    with pytest.raises(VendorError, match=r"pull again|instead of"):
        pulled(vendor)


def test_an_expired_token_is_renewed_once_or_says_how_to_connect_again(vendor):
    vendor.faults = ["ok", "expired"]
    if vendor.can_renew:
        assert told(pulled(vendor)) == finest(vendor)
        assert any("token" in request.lower() for request in vendor.requests)
    else:
        with pytest.raises(TokenRevoked, match=f"tributary connect {vendor.name}"):
            pulled(vendor)


def test_a_token_that_runs_out_during_a_rest_is_renewed_again(vendor):
    if not vendor.can_renew:
        pytest.skip(f"{vendor.name} cannot renew an expired token")
    vendor.faults = ["ok", "expired", "throttle", "expired"]
    assert told(pulled(vendor)) == finest(vendor)


def test_a_rest_that_only_retry_after_names_is_kept(vendor, monkeypatch):
    """A gateway before any of them throttles, too."""
    monkeypatch.setattr(
        vendor, "throttled", lambda: Response("slow down", 429, {"retry-after": f"{vendor.rest(400):.0f}"})
    )
    vendor.faults = ["ok", "throttle"]
    assert told(pulled(vendor)) == finest(vendor)
    assert max(vendor.clock.slept) == 400


def test_a_redirect_elsewhere_takes_no_credentials_along(vendor, monkeypatch):
    with serving(VENDORS[vendor.name]()) as stranger:
        monkeypatch.setattr(vendor, "failed", lambda: RedirectResponse(f"{stranger.url}/steal", 307))
        vendor.faults = ["failure"]
        with pytest.raises(VendorError, match=r"leads to 127\.0\.0\.1"):
            pulled(vendor)
    assert stranger.requests == []


def test_a_revoked_token_says_which_command_mends_it(vendor):
    vendor.faults = ["ok", "revoked"]
    with pytest.raises(TokenRevoked, match=f"tributary connect {vendor.name}") as error:
        pulled(vendor)
    secrets = {name: value for name, value in vendor.credentials.items() if name != "client_id"}
    for secret in ("access-", "refresh-1", *secrets.values()):
        assert secret not in str(error.value)


def test_a_report_that_is_half_finished_is_not_read(vendor):
    vendor.polls = 7
    assert told(pulled(vendor)) == finest(vendor)


@pytest.mark.parametrize("difference", [4_560_000, -4_560_000])
def test_a_restated_day_is_told_anew(vendor, difference):
    before = pulled(vendor)
    vendor.restate(FIRST, difference)
    after = pulled(vendor)
    assert told(after) == finest(vendor) != told(before)


def test_an_account_elsewhere_keeps_its_days_and_its_currency(vendor):
    vendor.timezone, vendor.currency = "America/Los_Angeles", "JPY"
    vendor.facts = [
        replace(
            f,
            spend_micros=f.spend_micros // 1_000_000 * 1_000_000,
            value_micros=f.value_micros // 1_000_000 * 1_000_000,
        )
        for f in vendor.facts
    ]
    with opened(vendor) as api:
        (account,) = api.platform.accounts(api)
    if account.timezone:
        assert ZoneInfo(account.timezone) == ZoneInfo("America/Los_Angeles")
    assert told(pulled(vendor)) == finest(vendor)


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Australia/Adelaide"])
def test_days_of_zones_by_the_half_hour_are_whole(vendor, zone):
    vendor.timezone = zone
    vendor.facts = [replace(f, date=date(2026, 10, 4) + (f.date - FIRST)) for f in vendor.facts]  # Adelaide's clocks
    for days in (date(2026, 10, 3), date(2026, 10, 4)), (date(2026, 10, 5), date(2026, 10, 7)):
        assert told(pulled(vendor, *days)) == finest(vendor, *days)


def test_credits_and_odd_names_are_as_they_are(vendor, monkeypatch):
    monkeypatch.setattr(Fact, "campaign", property(lambda f: f'🔥 "Sömmer", {f.campaign_id}\n\u2028; <b>'))
    vendor.facts[0] = replace(vendor.facts[0], spend_micros=-4_560_000)
    rows = pulled(vendor)
    assert told(rows) == finest(vendor)
    assert {r.campaign for r in rows if r.level is None} == {f.campaign for f in vendor.facts}


def test_a_currency_that_changed_is_the_one_that_rows_bring(vendor):
    with opened(vendor) as api:
        (before,) = api.platform.accounts(api)
        vendor.currency = "CHF"
        rows = list(api.platform.spend(api, before, FIRST, LAST))
    assert {row.currency for row in rows} == {"CHF"}


def test_days_over_the_change_of_clocks_are_whole(vendor):
    vendor.timezone = "Europe/Berlin"
    days = [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30), date(2026, 10, 25), date(2026, 10, 26)]
    fact = vendor.facts[0]
    vendor.facts = [replace(fact, date=day, spend_micros=1_000_000 * n) for n, day in enumerate(days, 1)]
    for first, last in (days[0], days[2]), (days[3], days[4]):
        assert told(pulled(vendor, first, last)) == finest(vendor, first, last)


def test_a_long_range_is_asked_for_in_pieces(vendor):
    fact = vendor.facts[0]
    vendor.facts = [replace(fact, date=LAST - timedelta(days=n), spend_micros=10_000 * (n + 1)) for n in range(75)]
    first = LAST - timedelta(days=74)
    assert told(pulled(vendor, first, LAST)) == finest(vendor, first, LAST)


def test_a_field_that_nobody_knows_is_no_matter(vendor):
    vendor.unknown_field = True
    assert told(pulled(vendor)) == finest(vendor)


def test_a_field_that_vanished_is_an_error_that_names_it(vendor):
    vendor.vanished = True
    with pytest.raises(VendorError, match=vendor.vanishing):
        pulled(vendor)


def test_days_without_activity_have_no_rows(vendor):
    assert pulled(vendor, date(2026, 9, 1), date(2026, 9, 3)) == []


def test_names_budgets_and_destinations_are_listed(vendor):
    with opened(vendor) as api:
        (account,) = api.platform.accounts(api)
        entities = list(api.platform.entities(api, account))
    found = {(entity.level, entity.entity_id): entity for entity in entities}
    for fact in vendor.facts:
        assert found["campaign", fact.campaign_id].name == fact.campaign
        assert found["ad", fact.ad_id].campaign_id in (fact.campaign_id, None)
    assert found["account", vendor.account_id].currency == vendor.currency
    assert any(entity.status for entity in entities)
    assert any((e.daily_budget_micros or e.lifetime_budget_micros) == 50_000_000 for e in entities)
    assert any((e.destination_url or "").startswith("https://shop.example/spring") for e in entities)


def test_clicks_lead_to_their_ads(vendor):
    platform = PLATFORMS[vendor.name]
    if platform.clicks is None:
        pytest.skip(f"{platform.label} does not tell which ad a click id belongs to")
    with opened(vendor) as api:
        (account,) = platform.accounts(api)
        clicks = list(platform.clicks(api, account, FIRST, LAST))
    assert Click(vendor.account_id, "click-1", FIRST, "7001", "8001", "9001") in clicks


def test_money_never_passes_through_a_float(vendor):
    """0.1 + 0.2 of a currency, ten thousand times over, to the cent."""
    fact = vendor.facts[0]
    vendor.facts = [
        replace(fact, spend_micros=99_999_999_990_000, value_micros=99_999_999_990_000, conversions=Decimal(3))
    ]
    assert [row.spend_micros for row in pulled(vendor) if row.level is None] == [99_999_999_990_000]


def test_an_account_is_listed_with_its_currency_and_zone(vendor):
    with opened(vendor) as api:
        (account,) = api.platform.accounts(api)
    assert account.account_id == vendor.account_id
    assert isinstance(account, Account)
    assert account.currency == vendor.currency
