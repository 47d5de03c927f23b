"""What an ad platform's connector provides: a Platform, and the rows that it yields.

In: the functions of a module of connectors/ads/, which ends in `PLATFORM = Platform(...)`. Out: Account, SpendRow,
Entity and Click rows. Money is integer micros of the row's currency; dates are the ad account's days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

from connectors.http.client import PlatformClient
from connectors.http.service import Service
from connectors.reporting_days import months_before

TotalLevel = Literal["account", "campaign", "adset"]
EntityLevel = Literal["account", "campaign", "adset", "ad", "creative"]


class Account(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An ad account that the credentials may read."""

    account_id: str
    name: str | None = None
    currency: str | None = None  # ISO 4217
    timezone: str | None = None  # IANA name of its days
    manager: str | None = None  # the account through which it is read, on platforms that ask for it
    status: str | None = None


class SpendRow(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One day of an ad, or of the finest entity that the platform reports; with a `level`, a reported total."""

    date: date
    account_id: str
    currency: str
    spend_micros: int
    level: TotalLevel | None = None  # of a reported total; None for the finest rows, which are summed
    campaign_id: str | None = None
    campaign: str | None = None
    adset_id: str | None = None
    adset: str | None = None
    ad_id: str | None = None
    ad: str | None = None
    impressions: int | None = None
    clicks: int | None = None
    video_views: int | None = None
    platform_conversions: Decimal | None = None  # as the platform claims them
    platform_value_micros: int | None = None


class Entity(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The current name and settings of an account, campaign, ad set, ad or creative."""

    account_id: str
    level: EntityLevel
    entity_id: str
    campaign_id: str | None = None  # its parents
    adset_id: str | None = None
    creative_id: str | None = None  # of an ad
    name: str | None = None
    status: str | None = None  # the platform's own word
    objective: str | None = None
    destination_url: str | None = None  # with the parameters that the platform adds: {campaignid}, utm_id=...
    daily_budget_micros: int | None = None
    lifetime_budget_micros: int | None = None
    currency: str | None = None


class Click(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The ad that a click id of the platform belongs to."""

    account_id: str
    click_id: str
    date: date
    campaign_id: str
    adset_id: str | None = None
    ad_id: str | None = None


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The days that a platform keeps: so many calendar months, or so many days."""

    months: int = 0
    days: int = 0
    margin_days: int = 0  # the oldest kept days, whose requests reach back further than the platform keeps

    def __str__(self) -> str:
        return f"{self.months} months" if self.months else f"{self.days:,} days"

    def first_day(self, today: date) -> date:
        """Return the first day to request. 37 months are 1,123 to 1,127 days."""
        return months_before(today, self.months) - timedelta(days=self.days - self.margin_days)


class Platform(Service, frozen=True, kw_only=True):
    """An ad platform: a service with ad accounts. connectors/ads/__init__.py lists them all."""

    repull_days: int  # the days that it restates, back from yesterday
    history: History = History(months=37)  # that it keeps
    accounts: Callable[[PlatformClient], Iterator[Account]]
    # (client, account, first day, last day), both included -> rows of all levels; days without activity have none
    spend: Callable[[PlatformClient, Account, date, date], Iterator[SpendRow]]
    entities: Callable[[PlatformClient, Account], Iterator[Entity]]
    clicks: Callable[[PlatformClient, Account, date, date], Iterator[Click]] | None = None  # if it reports them


def account_entity(account: Account) -> Entity:
    """Return the ad account as an entity."""
    return Entity(
        account_id=account.account_id,
        level="account",
        entity_id=account.account_id,
        name=account.name,
        status=account.status,
        currency=account.currency,
    )


def unique_accounts(accounts: Iterable[Account]) -> Iterator[Account]:
    """Yield each account once, on platforms that list it under several parents."""
    seen: set[str] = set()
    for account in accounts:
        if account.account_id not in seen:
            seen.add(account.account_id)
            yield account
