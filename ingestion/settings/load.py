"""tributary.yaml -> validated settings -> raw.orgs, raw.sites, raw.ad_accounts, raw.campaign_aliases and so on.

In: the file in the home folder, made as an example where there is none. Out: Settings, or one SettingsError that lists
every problem as file:line: where: what is wrong: what to do.
"""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ingestion.files.contracts import platform_name
from ingestion.home import Home
from ingestion.settings.checks import problems

EXAMPLE = """\
# Who measures what. `tributary run` reads this file each time; what is wrong in it is reported with its line.

orgs:
  # currency and timezone of the reports; lookback_days is the main attribution window; targets judge waste
  # (cpa: money per conversion, roas: revenue per unit spent). A touch type may have a window of its own:
  # lookback_days_by_touch_type: {{view: 1}}
  - {{id: default, currency: USD, timezone: UTC, lookback_days: 30, targets: {{cpa: 50, roas: 2}}}}

sites:
  # domains (with their subdomains) are your own: links between them are no referrals
  # origins: further places that may send events, such as http://localhost:8000; events_per_minute: 10000;
  # sample_percent: 100, 80 or 50 of the visitors; cookieless: true derives a visitor id that lasts a day;
  # exclude_bots: false and exclude_suspicious: true change what the marts count
  - {{id: shop, org: default, public_key: {key}, domains: [example.com]}}

# Whose spend an ad account's is; accounts that are not listed belong to the org default. `tributary connect meta`
# adds those that you can read, and `tributary pull meta` pulls them:
# ad_accounts:
#   - {{platform: meta, account_id: "1234", org: default, currency: USD, timezone: Europe/Berlin}}

# Targets of one platform or one campaign, where they differ from the org's:
# targets:
#   - {{org: default, platform: meta, campaign_id: "42", cpa: 30}}
"""


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


def load_settings(home: Home) -> Settings:
    """The settings of the home folder; the example file where there is none."""
    if not home.settings.exists():
        _write(home.settings, EXAMPLE.format(key=f"pk_{secrets.token_hex(12)}"))
    document = _parse(home.settings, home.settings.read_bytes())
    wrong = list(problems(document))
    if wrong:
        raise SettingsError("\n".join(f"{home.settings}:{line}: {text}" for line, text in wrong))
    plain = YAML(typ="safe").load(home.settings.read_bytes())  # the round-trip document has number types of its own
    settings = msgspec.convert(plain, Settings, strict=True)
    accounts = [msgspec.structs.replace(a, platform=platform_name(a.platform)) for a in settings.ad_accounts]
    targets = [msgspec.structs.replace(t, platform=platform_name(t.platform)) for t in settings.targets]
    aliases = [msgspec.structs.replace(a, platform=platform_name(a.platform)) for a in settings.campaign_aliases]
    return msgspec.structs.replace(settings, ad_accounts=accounts, targets=targets, campaign_aliases=aliases)


def land_settings(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Replace the raw tables of the settings whole, in one transaction."""
    tables: dict[str, list[tuple]] = {
        "orgs": [
            (o.id, o.currency, o.timezone, o.lookback_days, _micros(o.targets.cpa), o.targets.roas)
            for o in settings.orgs
        ],
        "sites": [
            (s.id, s.org, s.public_key, [d.lower() for d in s.domains], s.exclude_bots, s.exclude_suspicious)
            for s in settings.sites
        ],
        "ad_accounts": [
            (a.platform, a.account_id, a.org, a.name, a.currency, a.timezone) for a in settings.ad_accounts
        ],
        "campaign_aliases": [(a.org, a.platform, a.name, a.campaign_id) for a in settings.campaign_aliases],
        "touch_type_windows": [
            (o.id, kind.lower(), days) for o in settings.orgs for kind, days in o.lookback_days_by_touch_type.items()
        ],
        "targets": [(t.org, t.platform, t.campaign_id, _micros(t.cpa), t.roas) for t in settings.targets],
    }
    connection.execute("begin")
    try:
        for table, rows in tables.items():
            connection.execute(f"delete from raw.{table}")
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(f"insert into raw.{table} values ({marks})", rows)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def add_to_settings(
    home: Home, orgs: Iterable[dict] = (), sites: Iterable[dict] = (), ad_accounts: Iterable[dict] = ()
) -> None:
    """Add the entries that the file lacks; what the user wrote, comments included, stays as it is."""
    load_settings(home)
    yaml = _yaml()
    document = _parse(home.settings, home.settings.read_bytes())
    for section, keys, entries in (
        ("orgs", ("id",), orgs),
        ("sites", ("id",), sites),
        ("ad_accounts", ("platform", "account_id"), ad_accounts),
    ):
        present = {tuple(entry[key] for key in keys) for entry in document.get(section) or []}
        missing = [entry for entry in entries if tuple(entry[key] for key in keys) not in present]
        if missing and not document.get(section):
            document[section] = []
        for entry in missing:
            document[section].append(_flow(entry))
    text = io.StringIO()
    yaml.dump(document, text)
    _write(home.settings, text.getvalue())
    load_settings(home)


def _parse(path: Path, content: bytes) -> Any:
    try:
        return _yaml().load(content.decode())
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise SettingsError(f"{path}:{line}: not YAML: {error.problem or error.context}: mend this line") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}:1: not YAML in UTF-8: {error}: mend the file") from None


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 200
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _flow(entry: dict) -> Any:
    text = io.StringIO()
    YAML(typ="rt").dump(entry, text)
    node = _yaml().load(text.getvalue())
    node.fa.set_flow_style()
    return node


def _micros(amount: float | None) -> int | None:
    return None if amount is None else int((Decimal(str(amount)) * 1_000_000).to_integral_value())


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    os.replace(temporary, path)
