"""What a platform is: the rows that its module yields, and what it must say of itself.

A module of connectors/ads/ ends in `PLATFORM = Platform(...)`; connectors/ads/__init__.py lists the modules.
Money is integer micros of the row's currency, dates are the ad account's days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import msgspec

from connectors.http.errors import VendorError

if TYPE_CHECKING:
    import httpx

    from connectors.http.client import Api


class Account(msgspec.Struct, frozen=True, omit_defaults=True):
    """An ad account that the credentials may read."""

    account_id: str
    name: str | None = None
    currency: str | None = None  # ISO 4217
    timezone: str | None = None  # IANA name of its days
    manager: str | None = None  # the account through which it is read, where the platform wants to know
    status: str | None = None


class SpendRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One day of an ad, or of the finest thing that is reported of it; or, with a level, a stated total of that day."""

    date: date
    account_id: str
    currency: str
    spend_micros: int
    level: Literal["account", "campaign", "adset"] | None = None  # the total of one; None: the finest, added up
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


class Entity(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an account, campaign, ad set, ad or creative is called and set to, as of now."""

    account_id: str
    level: Literal["account", "campaign", "adset", "ad", "creative"]
    entity_id: str
    campaign_id: str | None = None  # its parents
    adset_id: str | None = None
    creative_id: str | None = None  # of an ad
    name: str | None = None
    status: str | None = None  # the platform's own word
    objective: str | None = None
    destination_url: str | None = None  # with the parameters that the platform adds to it: {campaignid}, utm_id=...
    daily_budget_micros: int | None = None
    lifetime_budget_micros: int | None = None
    currency: str | None = None


class Click(msgspec.Struct, frozen=True, omit_defaults=True):
    """The ad that a click id of the platform belongs to."""

    account_id: str
    click_id: str
    date: date
    campaign_id: str
    adset_id: str | None = None
    ad_id: str | None = None


class OAuth(msgspec.Struct, frozen=True):
    """How a person lets Tributary read a platform. Standard OAuth 2 unless `exchange` or `refresh` say otherwise."""

    authorize_url: str
    token_url: str
    scopes: tuple[str, ...] = ()
    scope_separator: str = " "
    client_auth: Literal["client_secret_post", "client_secret_basic"] = "client_secret_post"
    parameters: dict[str, str] = {}  # further ones of the authorize URL, such as access_type=offline
    pkce: bool = False
    renew_seconds_before: int = 300  # the access token ends
    client_id_parameter: str = "client_id"  # as the authorize URL calls it
    code_parameter: str = "code"  # as the redirect calls it
    redirect_host: str = "127.0.0.1"  # or localhost, where the platform accepts only that
    request_token_url: str | None = None  # OAuth 1.0a (auth/oauth.py: Signature); token_url is its access token's
    # (client, client id, client secret, code, redirect uri) -> credentials, where the exchange is not standard
    exchange: Callable[[httpx.Client, str, str, str, str], dict[str, str]] | None = None
    # (client, credentials) -> renewed credentials, where renewing is not standard; raises TokenRevoked
    refresh: Callable[[httpx.Client, dict[str, str]], dict[str, str]] | None = None


def bearer(credentials: dict[str, str]) -> dict[str, str]:
    """What authorises a request on most platforms."""
    return {"Authorization": f"Bearer {credentials.get('access_token', '')}"}


class Platform(msgspec.Struct, frozen=True):
    """A platform. TRIBUTARY_<NAME>_URL moves every address of it to another host (connectors/http/hosts.py)."""

    name: str  # as in the marts
    label: str  # as people write it
    base_url: str
    repull_days: int  # it restates so many days back
    # Whether the answer is what was asked for: raises Throttled, Transient, TokenExpired, TokenRevoked, TooMuch,
    # Refused (connectors/http/errors.py). Answers of status 401, 429, 5xx and 4xx are judged after it did not object.
    check: Callable[[httpx.Response], None]
    accounts: Callable[[Api], Iterator[Account]]
    # (api, account, first day, last day, both included) -> rows of all levels; days without activity have none
    spend: Callable[[Api, Account, date, date], Iterator[SpendRow]]
    entities: Callable[[Api, Account], Iterator[Entity]]
    clicks: Callable[[Api, Account, date, date], Iterator[Click]] | None = None  # where it tells
    # The credentials that it needs beside tokens: TRIBUTARY_<NAME>_<SECRET>
    secrets: tuple[str, ...] = ("client_id", "client_secret")
    more_secrets: tuple[str, ...] = ()  # those that it takes and does not need; from the environment only
    headers: Callable[[dict[str, str]], dict[str, str]] = bearer  # credentials -> what authorises a request
    oauth: OAuth | None = None
    auth: Callable[[dict[str, str]], httpx.Auth] | None = None  # signs requests, where headers do not
    history_days: int = 1125  # how far back it reports: 37 months
    hosts: tuple[str, ...] = ()  # its own, beside those of base_url and oauth.token_url

    @property
    def own_hosts(self) -> set[str]:
        """Where its credentials may go, and what TRIBUTARY_<NAME>_URL stands for."""
        urls = (self.base_url, self.oauth.token_url if self.oauth else self.base_url)
        return {*self.hosts, *(urlsplit(url).hostname or "" for url in urls)}


def optional(row: Any, name: str) -> Any:
    """A member, or one of a member of it (`paging.next`); None where there is none on the way."""
    for part in name.split("."):
        row = row.get(part) if isinstance(row, dict) else None
    return row


def required(row: Any, name: str, where: str) -> Any:
    """A member that the contract promises; VendorError, rather than a guess, where it is gone or null."""
    value = optional(row, name)
    if value is None:
        raise VendorError(
            f"{where} no longer has the field {name}: nothing was stored. The platform's API changed; "
            "look for a newer version of Tributary, and report it if there is none"
        )
    return value


def entity_of(account: Account) -> Entity:
    """The ad account itself, beside what it has."""
    return Entity(
        account.account_id,
        "account",
        account.account_id,
        name=account.name,
        status=account.status,
        currency=account.currency,
    )


def each_once(accounts: Iterable[Account]) -> Iterator[Account]:
    """The accounts, without those that were reached in another way before."""
    seen: set[str] = set()
    for account in accounts:
        if account.account_id not in seen:
            seen.add(account.account_id)
            yield account
