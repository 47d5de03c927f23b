"""The settings as types: one struct for each kind of entry of tributary.yaml.

In: nothing. Out: Settings, and SettingsError for a file that cannot be used.
"""

from __future__ import annotations

from typing import Any

import msgspec


class SettingsError(Exception):
    """tributary.yaml cannot be used; the message lists every problem in it."""


class Targets(msgspec.Struct, frozen=True):
    cpa: float | None = None
    roas: float | None = None


class Org(msgspec.Struct, frozen=True):
    id: str
    currency: str
    timezone: str = "UTC"
    lookback_days: int = 30
    targets: Targets = Targets()
    lookback_days_by_touch_type: dict[str, int] = {}


class Site(msgspec.Struct, frozen=True):
    id: str
    org: str
    public_key: str | None = None
    domains: list[str] = []
    origins: list[str] = []  # that may send events, beside those of the domains
    events_per_minute: int = 10_000
    max_event_age_days: int = 30
    sample_percent: int = 100  # of the visitors
    cookieless: bool = False
    exclude_bots: bool = True
    exclude_suspicious: bool = False


class Property(msgspec.Struct, frozen=True):
    type: str  # string, number, integer, boolean
    required: bool = False
    one_of: list[Any] | None = None


class EventType(msgspec.Struct, frozen=True):
    """A type of the user's own, or what a built-in one must bring."""

    type: str
    properties: dict[str, Property] = {}


class Collector(msgspec.Struct, frozen=True):
    salt_hours: int = 24  # an IP address has the same hash for so long
    keep_raw_days: int | None = None  # events older than that leave the hot table for the archive; null: none do
    geo_database: str | None = None  # a MaxMind file: country and region of visitors
    max_value: float = 1_000_000  # of one event, in its currency: more is a defect


class Webhook(msgspec.Struct, frozen=True):
    """Who may report a site's orders: a shop or a payment provider."""

    kind: str  # shopify, stripe
    site: str
    secret: str  # the name of the environment variable that holds it


class Network(msgspec.Struct, frozen=True):
    """An affiliate network that reports transactions by postback."""

    name: str  # the platform in the marts
    kind: str  # everflow, tune, trackier, generic
    site: str
    secret: str  # the name of the environment variable that holds it
    currency: str | None = None  # of payouts that name none; null: the org's
    parameters: dict[str, str] = {}  # contract column -> the parameter that brings it, where not the kind's own
    statuses: dict[str, str] = {}  # the network's word -> pending, approved, rejected
    patterns: list[str] = []  # pages of its affiliates, such as example.com/blog/* (ingestion/affiliate_pages.py)


class AdAccount(msgspec.Struct, frozen=True):
    """An ad account and the org that pays it. `tributary connect` writes what it finds of those that it can read."""

    platform: str
    account_id: str
    org: str
    name: str | None = None
    currency: str | None = None
    timezone: str = "UTC"  # of its days
    manager: str | None = None  # the account through which it is read, such as a Google manager account
    repull_days: int | None = None  # so many days back are pulled again each day; null: as the platform restates


class Synced(msgspec.Struct, frozen=True):
    """Tables of ad platforms that another tool syncs: a DuckDB file, or a folder of CSV or Parquet files."""

    path: str
    org: str
    tool: str = "fivetran"  # whose shapes they have: fivetran, airbyte


class CampaignAlias(msgspec.Struct, frozen=True):
    """Another name by which links call a campaign."""

    org: str
    platform: str
    name: str
    campaign_id: str


class Target(msgspec.Struct, frozen=True):
    org: str
    platform: str
    campaign_id: str | None = None
    cpa: float | None = None
    roas: float | None = None


class Settings(msgspec.Struct, frozen=True):
    orgs: list[Org]
    sites: list[Site] = []
    ad_accounts: list[AdAccount] = []
    targets: list[Target] = []
    event_types: list[EventType] = []
    collector: Collector = Collector()
    webhooks: list[Webhook] = []
    networks: list[Network] = []
    synced: list[Synced] = []
    campaign_aliases: list[CampaignAlias] = []
