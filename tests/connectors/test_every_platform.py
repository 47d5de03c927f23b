"""Every connector against its platform's fake: pages, faults, restated days, unusual accounts.

In: the facts of a fake. Out: the same figures from the connector, whatever goes wrong on the way.
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
from tests.support.connectors import (
    FIRST,
    LAST,
    PLATFORMS,
    expected_figures,
    figures,
    open_client,
    platform_of,
    pull,
    read_account,
)
from tests.support.vendors import VENDORS
from tests.support.vendors.base import Fact, serving, summed


def test_pull_returns_every_row_of_every_page(vendor):
    rows = pull(vendor)
    assert figures(rows) == expected_figures(vendor)
    assert vendor.page_size < len(expected_figures(vendor))
    names = {(r.ad_id, r.ad) for r in rows if r.level is None and r.ad}
    assert names <= {(f.ad_id, f.ad) for f in vendor.facts}
    if any(r.video_views for r in rows):
        assert sum(r.video_views for r in rows if r.level is None) == sum(f.video_views for f in vendor.facts)


def test_account_totals_are_the_reported_totals(vendor):
    vendor.total_off_micros = 1_230_000  # of deleted ads, for example
    totals = {r.date: r.spend_micros for r in pull(vendor) if r.level == "account"}
    if not vendor.has_account_totals:
        assert totals == {}
        return
    days = {f.date for f in vendor.facts}
    assert totals == {
        day: summed(day, [f for f in vendor.facts if f.date == day]).spend_micros + 1_230_000 for day in days
    }


def test_rows_repeated_on_two_pages_are_identical(vendor):
    vendor.repeats = True
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_client_waits_as_long_as_a_throttling_platform_states(vendor):
    vendor.faults = ["throttle", "throttle"]
    assert figures(pull(vendor, client=open_client(vendor))) == expected_figures(vendor)
    assert sum(vendor.clock.slept) > 0  # the fake throttles a client that asks too early again
    assert not vendor.faults


def test_endless_throttling_fails_with_a_message(vendor):
    vendor.faults = ["throttle"] * 100
    with pytest.raises(VendorError, match=r"Pull again"):
        pull(vendor)


@pytest.mark.parametrize("fault", ["failure", "failure_in_200"])
def test_temporary_failures_are_retried(vendor, fault):
    if fault == "failure_in_200" and vendor.failed_in_200() is None:
        pytest.skip(f"{vendor.name} sends no errors with HTTP 200")
    vendor.quiet_until = None
    vendor.faults = [fault, fault]
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_response_whose_json_is_cut_off_is_requested_again(vendor):
    if vendor.name == "google":
        pytest.skip("rows of Google Ads are stored while its response is read")
    vendor.faults = ["ok", "broken_body", "broken_body"]
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_response_that_is_not_json_is_an_error(vendor):
    vendor.faults = ["ok", *["broken_body"] * 100]
    with pytest.raises(VendorError, match=r"Pull again"):
        pull(vendor)


def test_expired_token_is_renewed_once_or_names_the_connect_command(vendor):
    vendor.faults = ["ok", "expired"]
    if vendor.can_renew:
        assert figures(pull(vendor)) == expected_figures(vendor)
        assert any("token" in request.lower() for request in vendor.requests)
    else:
        with pytest.raises(TokenRevoked, match=f"tributary connect {vendor.name}"):
            pull(vendor)


def test_token_request_without_an_answer_is_retried(vendor):
    if not vendor.can_renew:
        pytest.skip(f"{vendor.name} cannot renew an expired token")
    vendor.faults = ["ok", "expired"]
    vendor.token_faults = [
        Response("<html>bad gateway", 502, media_type="text/html"),
        Response("<html>back soon", media_type="text/html"),
        Response('{"access_tok', media_type="application/json"),
    ]
    assert figures(pull(vendor)) == expected_figures(vendor)
    assert not vendor.token_faults


def test_token_that_expires_during_a_wait_is_renewed_again(vendor):
    if not vendor.can_renew:
        pytest.skip(f"{vendor.name} cannot renew an expired token")
    vendor.faults = ["ok", "expired", "throttle", "expired"]
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_client_waits_for_retry_after_of_a_gateway(vendor, monkeypatch):
    """A gateway in front of a platform throttles, too."""
    monkeypatch.setattr(
        vendor, "throttled", lambda: Response("slow down", 429, {"retry-after": f"{vendor.rest(400):.0f}"})
    )
    vendor.faults = ["ok", "throttle"]
    assert figures(pull(vendor)) == expected_figures(vendor)
    assert max(vendor.clock.slept) == 400


def test_redirect_to_another_host_receives_no_credentials(vendor, monkeypatch):
    with serving(VENDORS[vendor.name]()) as stranger:
        monkeypatch.setattr(vendor, "failed", lambda: RedirectResponse(f"{stranger.url}/steal", 307))
        vendor.faults = ["failure"]
        with pytest.raises(VendorError, match=r"redirects to 127\.0\.0\.1"):
            pull(vendor)
    assert stranger.requests == []


def test_revoked_token_names_the_connect_command(vendor):
    vendor.faults = ["ok", "revoked"]
    with pytest.raises(TokenRevoked, match=f"tributary connect {vendor.name}") as error:
        pull(vendor)
    secrets = {name: value for name, value in vendor.credentials.items() if name != "client_id"}
    for secret in ("access-", "refresh-1", *secrets.values()):
        assert secret not in str(error.value)


def test_unfinished_report_is_not_read(vendor):
    vendor.polls = 7
    assert figures(pull(vendor)) == expected_figures(vendor)


@pytest.mark.parametrize("difference", [4_560_000, -4_560_000])
def test_restated_day_returns_the_new_figures(vendor, difference):
    before = pull(vendor)
    vendor.restate(FIRST, difference)
    after = pull(vendor)
    assert figures(after) == expected_figures(vendor) != figures(before)


def test_days_and_currency_are_those_of_the_account(vendor):
    vendor.timezone, vendor.currency = "America/Los_Angeles", "JPY"
    vendor.facts = [
        replace(
            f,
            spend_micros=f.spend_micros // 1_000_000 * 1_000_000,
            value_micros=f.value_micros // 1_000_000 * 1_000_000,
        )
        for f in vendor.facts
    ]
    with open_client(vendor) as client:
        account = read_account(vendor, client)
    if account.timezone:
        assert ZoneInfo(account.timezone) == ZoneInfo("America/Los_Angeles")
    assert figures(pull(vendor)) == expected_figures(vendor)


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Australia/Adelaide"])
def test_days_are_complete_in_half_hour_time_zones(vendor, zone):
    """Also when Adelaide changes its clocks, on 4 October."""
    vendor.timezone = zone
    vendor.facts = [replace(f, date=date(2026, 10, 4) + (f.date - FIRST)) for f in vendor.facts]
    for days in (date(2026, 10, 3), date(2026, 10, 4)), (date(2026, 10, 5), date(2026, 10, 7)):
        assert figures(pull(vendor, *days)) == expected_figures(vendor, *days)


def test_negative_spend_and_unusual_names_are_unchanged(vendor, monkeypatch):
    monkeypatch.setattr(Fact, "campaign", property(lambda f: f'🔥 "Sömmer", {f.campaign_id}\n\u2028; <b>'))
    vendor.facts[0] = replace(vendor.facts[0], spend_micros=-4_560_000)
    rows = pull(vendor)
    assert figures(rows) == expected_figures(vendor)
    assert {r.campaign for r in rows if r.level is None} == {f.campaign for f in vendor.facts}


def test_rows_have_the_accounts_current_currency(vendor):
    with open_client(vendor) as client:
        before = read_account(vendor, client)
        vendor.currency = "CHF"
        rows = list(platform_of(vendor).spend(client, before, FIRST, LAST))
    assert {row.currency for row in rows} == {"CHF"}


def test_days_are_complete_when_clocks_change(vendor):
    vendor.timezone = "Europe/Berlin"
    days = [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30), date(2026, 10, 25), date(2026, 10, 26)]
    fact = vendor.facts[0]
    vendor.facts = [replace(fact, date=day, spend_micros=1_000_000 * n) for n, day in enumerate(days, 1)]
    for first, last in (days[0], days[2]), (days[3], days[4]):
        assert figures(pull(vendor, first, last)) == expected_figures(vendor, first, last)


def test_long_range_is_split_into_several_requests(vendor):
    fact = vendor.facts[0]
    vendor.facts = [replace(fact, date=LAST - timedelta(days=n), spend_micros=10_000 * (n + 1)) for n in range(75)]
    first = LAST - timedelta(days=74)
    assert figures(pull(vendor, first, LAST)) == expected_figures(vendor, first, LAST)


def test_unknown_field_is_ignored(vendor):
    vendor.unknown_field = True
    assert figures(pull(vendor)) == expected_figures(vendor)


def test_missing_field_is_an_error_that_names_it(vendor):
    vendor.vanished = True
    with pytest.raises(VendorError, match=vendor.vanishing):
        pull(vendor)


def test_null_clicks_count_as_zero(vendor):
    vendor.nulls = frozenset({vendor.clicks_field})
    rows = pull(vendor)
    vendor.facts = [replace(fact, clicks=0) for fact in vendor.facts]
    assert figures(rows) == expected_figures(vendor)


def test_null_spend_is_zero_in_the_ads_alone_or_an_error_that_names_it(vendor):
    """No total of the account is 0 beside activity: it would deny spend."""
    vendor.nulls = frozenset({vendor.vanishing})
    if vendor.name in ("reddit", "x"):  # they document that figures can be null
        rows = pull(vendor)
        assert {row.spend_micros for row in rows if row.level != "account"} == {0}
        assert [row for row in rows if row.level == "account"] == []
    else:
        with pytest.raises(VendorError, match=vendor.vanishing):
            pull(vendor)


def test_days_without_activity_have_no_rows(vendor):
    assert pull(vendor, date(2026, 9, 1), date(2026, 9, 3)) == []


def test_names_budgets_and_destinations_are_listed(vendor):
    with open_client(vendor) as client:
        account = read_account(vendor, client)
        entities = list(platform_of(vendor).entities(client, account))
    found = {(entity.level, entity.entity_id): entity for entity in entities}
    for fact in vendor.facts:
        assert found["campaign", fact.campaign_id].name == fact.campaign
        assert found["ad", fact.ad_id].campaign_id in (fact.campaign_id, None)
    assert found["account", vendor.account_id].currency == vendor.currency
    assert any(entity.status for entity in entities)
    assert any((e.daily_budget_micros or e.lifetime_budget_micros) == 50_000_000 for e in entities)
    assert any((e.destination_url or "").startswith("https://shop.example/spring") for e in entities)


def test_click_ids_belong_to_their_ads(vendor):
    platform = PLATFORMS[vendor.name]
    if platform.clicks is None:
        pytest.skip(f"{platform.label} does not report the ads of click ids")
    with open_client(vendor) as client:
        account = read_account(vendor, client)
        clicks = list(platform.clicks(client, account, FIRST, LAST))
    click = Click(
        account_id=vendor.account_id,
        click_id="click-1",
        date=FIRST,
        campaign_id="7001",
        adset_id="8001",
        ad_id="9001",
    )
    assert click in clicks


def test_large_amounts_are_exact(vendor):
    """A float would round these amounts."""
    fact = vendor.facts[0]
    vendor.facts = [
        replace(fact, spend_micros=99_999_999_990_000, value_micros=99_999_999_990_000, conversions=Decimal(3))
    ]
    assert [row.spend_micros for row in pull(vendor) if row.level is None] == [99_999_999_990_000]


def test_an_account_is_listed_with_its_currency_and_zone(vendor):
    with open_client(vendor) as client:
        account = read_account(vendor, client)
    assert account.account_id == vendor.account_id
    assert isinstance(account, Account)
    assert account.currency == vendor.currency
