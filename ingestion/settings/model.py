"""Types of tributary.yaml: one struct for each kind of entry.

In: nothing. Out: Settings, and SettingsError for a file with problems.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec


def server_key_variable(site: str) -> str:
    """Return the name of the environment variable for a site's server key."""
    return "TRIBUTARY_SERVER_KEY_" + re.sub("[^A-Z0-9]", "_", site.upper())


class SettingsError(Exception):
    """tributary.yaml has problems. The message lists all of them."""


class Targets(msgspec.Struct, frozen=True):
    """Thresholds of waste: money per conversion, and revenue per unit spent."""

    cpa: float | None = None
    roas: float | None = None


class Org(msgspec.Struct, frozen=True):
    """One tenant, and the currency, day, window and attribution model of its reports."""

    id: str
    currency: str
    timezone: str = "UTC"
    lookback_days: int = 30
    rollup_windows: list[int] = []  # in daily_rollups, beside lookback_days
    attribution_model: str = "linear"  # it treats all touches alike, so that the place in the journey does not matter
    targets: Targets = Targets()
    lookback_days_by_touch_type: dict[str, int] = {}
    credit_percent_by_touch_type: dict[str, int] = {}  # of a touch of any other type
    half_life_days: float = 7  # of time_decay: the half-life that GA and the field use by default
    first_touch_percent: int = 40  # of position_based
    last_touch_percent: int = 40
    direct: str = "include"  # exclude: if the journey has another touch; last_resort: if the person has another touch
    path_transform: str = "unique"  # of the journeys behind data_driven and shapley (attribution/journeys.py)
    ignored_referrers: list[str] = []  # domains of payment and log-in providers


class Site(msgspec.Struct, frozen=True):
    """One website, and the rules for its events."""

    id: str
    org: str
    public_key: str | None = None
    domains: list[str] = []
    origins: list[str] = []  # that may send events; the domains may send them too
    events_per_minute: int = 10_000
    address_events_per_minute: int | None = None  # of one visitor's address; null: a tenth of events_per_minute
    mb_per_minute: int | None = None  # decompressed; null: 4 KiB for each event of events_per_minute
    max_event_age_days: int = 30
    sample_percent: int = 100  # of the visitors
    cookieless: bool = False
    exclude_bots: bool = True
    exclude_suspicious: bool = False
    count_own_links: bool = False  # campaign links on its own pages start touches


class Property(msgspec.Struct, frozen=True):
    """The rule for one property of an event type."""

    type: str  # string, number, integer, boolean
    required: bool = False
    one_of: list[Any] | None = None


class EventType(msgspec.Struct, frozen=True):
    """An event type that the user adds, or the properties that a built-in type requires."""

    type: str
    properties: dict[str, Property] = {}


class Collector(msgspec.Struct, frozen=True):
    """Rules of the collector for all sites."""

    salt_hours: int = 24  # an IP address keeps its hash for this time
    keep_raw_days: int | None = None  # older events move to the archive; null: no event moves
    geo_database: str | None = None  # a MaxMind file: country and region of visitors
    min_free_mb: int = 500  # of the landing folder's disk; the collector accepts nothing below it
    max_event_kb: int = 64  # KiB of one event; the collector rejects a larger one
    max_value: float = 1_000_000  # of one event, in its currency; the collector rejects a higher value


class History(msgspec.Struct, frozen=True):
    """Dagster's history of runs."""

    keep_days: int = 30  # a build deletes older runs


class Files(msgspec.Struct, frozen=True):
    """Rules for imported files."""

    unknown_sites: str = "warn"  # of rows that name a site that tributary.yaml lacks; reject: the rows fail


class RememberedImport(msgspec.Struct, frozen=True):
    """How to import files with a name that matches `files`, or, without it, files of a layout."""

    name: str
    files: str | None = None  # pattern of the file's name, such as meta_*.csv
    layout: str | None = None
    kind: str | None = None
    map: dict[str, str] = {}  # column of the contract -> column of the file
    set: dict[str, str] = {}  # column of the contract -> value of every row
    where: str | None = None  # SQL condition on the file's columns
    org: str | None = None
    site: str | None = None
    timezone: str | None = None  # of times without a zone
    decimal: str | None = None  # point, comma
    dayfirst: bool | None = None


class Published(msgspec.Struct, frozen=True):
    """Rules for published files."""

    readers: str = "owner"  # who may open them: owner, group, everyone


class Webhook(msgspec.Struct, frozen=True):
    """A shop or a payment provider that may report a site's orders."""

    kind: str  # shopify, stripe
    site: str
    secret: str  # the name of the environment variable that holds it


class Network(msgspec.Struct, frozen=True):
    """An affiliate network that reports transactions by postback."""

    name: str  # the platform in the marts
    kind: str  # everflow, tune, trackier, generic
    site: str
    secret: str  # the name of the environment variable that holds it
    currency: str | None = None  # of payouts without one; null: the org's
    parameters: dict[
        str, str
    ] = {}  # contract column -> parameter of the postback, if it differs from the kind's default
    statuses: dict[str, str] = {}  # the network's word -> pending, approved, rejected
    timezone: str | None = None  # IANA name, of its times without a zone
    patterns: list[str] = []  # pages of its affiliates, such as example.com/blog/* (ingestion/affiliate_pages.py)


class AdAccount(msgspec.Struct, frozen=True):
    """An ad account and the org that pays it. `tributary connect` adds the accounts that it can read."""

    platform: str
    account_id: str
    org: str
    name: str | None = None
    currency: str | None = None
    timezone: str = "UTC"  # of its days
    manager: str | None = None  # the account through which it is read, such as a Google manager account
    repull_days: int | None = None  # days that are pulled again each day; null: the days that the platform may restate


class Synced(msgspec.Struct, frozen=True):
    """Tables of ad platforms that another tool syncs: a DuckDB file, or a folder of CSV or Parquet files."""

    path: str
    org: str
    tool: str = "fivetran"  # fivetran, airbyte


class CampaignAlias(msgspec.Struct, frozen=True):
    """Another name that links use for a campaign."""

    org: str
    platform: str
    name: str
    campaign_id: str


class SharedId(msgspec.Struct, frozen=True):
    """A customer id or a hashed e-mail address that may join any number of visitors."""

    org: str
    id: str


class ConversionDefinition(msgspec.Struct, frozen=True):
    """Something that an org counts as a conversion. The first one of an org is its main conversion type."""

    org: str
    name: str
    conversion_types: list[str] | None = None  # of reported conversions; null with the next two: of every type
    event_types: list[str] | None = None
    interaction_types: list[str] | None = None
    sites: list[str] | None = None
    properties: dict[str, str] = {}  # that an event must have
    min_value: float | None = None
    first_only: bool = False  # the first of each person
    value: float | None = None  # of each conversion, in the org's currency; null: its reported value
    lookback_days: int | None = None  # null: the org's
    touches: str = "before"  # all: also those after it; since_previous: those since the person's previous conversion


class Experiment(msgspec.Struct, frozen=True):
    """The lift that an experiment measured: incremental conversions for each attributed conversion of a channel."""

    org: str
    channel: str
    multiplier: float
    from_: str | None = msgspec.field(default=None, name="from")  # the first day of the touches
    to: str | None = None  # the last day


class Target(msgspec.Struct, frozen=True):
    """Targets of a platform or a campaign that differ from the org's."""

    org: str
    platform: str
    campaign_id: str | None = None
    cpa: float | None = None
    roas: float | None = None


class Budget(msgspec.Struct, frozen=True):
    """Money to spend in each calendar month, in the org's currency."""

    org: str
    platform: str
    monthly: float
    campaign_id: str | None = None  # null: of the whole platform


class Person(msgspec.Struct, frozen=True):
    """A person who may log in to the dashboard and the API."""

    email: str
    orgs: list[str] | str  # "*": all orgs
    role: str  # viewer, analyst, admin


class LogIn(msgspec.Struct, frozen=True):
    """The OpenID Connect provider that identifies people."""

    issuer: str
    client_id: str
    client_secret: str  # the name of the environment variable that holds it


class Settings(msgspec.Struct, frozen=True):
    """The whole file."""

    orgs: list[Org]
    sites: list[Site] = []
    ad_accounts: list[AdAccount] = []
    targets: list[Target] = []
    event_types: list[EventType] = []
    collector: Collector = Collector()
    history: History = History()
    files: Files = Files()
    published: Published = Published()
    webhooks: list[Webhook] = []
    networks: list[Network] = []
    synced: list[Synced] = []
    campaign_aliases: list[CampaignAlias] = []
    shared_ids: list[SharedId] = []
    attribution_models: list[str] | None = None  # that run; null: all
    expression_models: dict[str, str] = {}  # of the home's folder models/, not of the file: name -> SQL expression
    weight_models: dict[str, dict[str, float]] = {}  # likewise: name -> channel -> weight
    conversion_definitions: list[ConversionDefinition] = []
    experiments: list[Experiment] = []
    imports: list[RememberedImport] = []
    budgets: list[Budget] = []
    people: list[Person] = []
    log_in: LogIn | None = None  # null: on this machine everybody may read; elsewhere only API keys
