"""Choose what to pull. In: a request, the accounts in tributary.yaml. Out: Tasks, or a PullError with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from connectors.ads import PLATFORMS
from connectors.auth.credentials import load
from connectors.http.errors import NotConnected, VendorError
from connectors.platform import Platform
from connectors.reporting_days import local_date
from ingestion.files.contracts import ContractError, platform_aliases, platform_name
from ingestion.files.id_spellings import normalized_account_id
from ingestion.home import Home
from ingestion.settings.model import AdAccount, Settings
from ingestion.text import nearest

OTHERS = ("all", "ecb", "synced")
Days = tuple[date | None, date | None]  # --from, --to


class PullError(ContractError):
    """Days or accounts that cannot be pulled. Nothing was pulled."""


class Task(msgspec.Struct, frozen=True):
    """Days of an account to pull, both included, in the account's time zone."""

    platform: Platform
    account: AdAccount
    start: date
    end: date

    @property
    def name(self) -> str:
        """The platform and the account's id."""
        return f"{self.platform.name} {self.account.account_id}"


def platform_tasks(settings: Settings, platform: Platform, days: Days, only: Sequence[str]) -> list[Task]:
    """Return the tasks of a platform's accounts, or of those with the ids `only`."""
    now = datetime.now(UTC)
    return [make_task(platform, account, *days, now) for account in find_accounts(settings, platform, only)]


def all_tasks(home: Home, settings: Settings, days: Days, log: Callable[[str], None]) -> list[Task]:
    """Return the tasks of every connected platform. Log the platforms and accounts that are skipped."""
    now, (first, last) = datetime.now(UTC), days
    tasks = []
    for platform in listed_platforms(settings):
        if not is_connected(home, platform):
            log(f"{platform.name}: skipped, because it is not connected. Run: tributary connect {platform.name}")
            continue
        for account in find_accounts(settings, platform):
            since = earliest_day(platform, account, now)
            if last and last < since:
                log(f"{platform.name} {account.account_id}: skipped, because its history begins on {since}")
                continue
            tasks.append(make_task(platform, account, first and max(first, since), last, now))
    return tasks


def find_platform(name: str, others: Sequence[str] = ()) -> Platform:
    """Return the platform of this name or alias, such as facebook. others: words that the command takes, too."""
    platform = PLATFORMS.get(platform_name(name))
    if not platform:
        aliases = [alias for alias, meant in platform_aliases().items() if meant in PLATFORMS]
        close = nearest(name, [*PLATFORMS, *others, *aliases])
        advice = f"Do you mean {close}?" if close else f"Use one of {', '.join([*PLATFORMS, *others])}."
        raise PullError(f"There is no platform {name}. {advice}")
    return platform


def find_accounts(settings: Settings, platform: Platform, only: Sequence[str] = ()) -> list[AdAccount]:
    """Return the platform's accounts in tributary.yaml, or those with the ids `only`."""
    accounts = [account for account in settings.ad_accounts if account.platform == platform.name]
    if not accounts:
        raise PullError(
            f"tributary.yaml has no ad account of {platform.label}. Add one: tributary connect {platform.name}"
        )
    known = [account.account_id for account in accounts]
    only = [normalized_account_id(wanted) for wanted in only]
    for wanted in only:
        if wanted not in known:
            raise PullError(
                f"tributary.yaml has no account {wanted} of {platform.label}. Use {', '.join(known)}, or add it:"
                f" tributary connect {platform.name}"
            )
    return [account for account in accounts if not only or account.account_id in only]


def is_connected(home: Home, platform: Platform) -> bool:
    """Return whether there are credentials, valid or not."""
    try:
        load(platform, home.root / "credentials.bin")
    except NotConnected:
        return False
    except VendorError:  # the store cannot be read; the pull reports why
        pass
    return True


def connected_platforms(home: Home, settings: Settings) -> list[Platform]:
    """Return the platforms that have an ad account in tributary.yaml and a login."""
    return [platform for platform in listed_platforms(settings) if is_connected(home, platform)]


def listed_platforms(settings: Settings) -> list[Platform]:
    """Return the platforms of the accounts in tributary.yaml."""
    names = {account.platform for account in settings.ad_accounts}
    return [platform for name, platform in PLATFORMS.items() if name in names]


def trailing_days(platform: Platform, account: AdAccount) -> int:
    """Return the number of past days that the platform may still restate."""
    return platform.repull_days if account.repull_days is None else account.repull_days


def earliest_day(platform: Platform, account: AdAccount, now: datetime) -> date:
    """Return the first day of the platform's history, counted from the later date of the account and UTC.

    West of UTC, the account's date alone could lead to a day that a platform with UTC days no longer keeps.
    """
    return platform.history.first_day(max(local_date(now, account.timezone), local_date(now, None)))


def make_task(platform: Platform, account: AdAccount, first: date | None, last: date | None, now: datetime) -> Task:
    """Return the task for first..last. By default the days end yesterday and are those that may still be restated."""
    current = local_date(now, account.timezone)
    end = last or current - timedelta(days=1)
    start = first or end - timedelta(days=trailing_days(platform, account))
    if start > end:
        raise PullError(f"The first day, {start}, is after the last, {end}. Swap --from and --to.")
    if end > current:
        zone = account.timezone
        raise PullError(f"--to {end} is in the future: it is {current} for account {account.account_id} ({zone}).")
    if start < (limit := earliest_day(platform, account, now)):
        raise PullError(f"{platform.label} keeps {platform.history} of history. Use --from {limit} or later.")
    return Task(platform, account, start, end)


def clip_task(platform: Platform, account: AdAccount, first: date, last: date, now: datetime) -> Task | None:
    """Return the task for the days of first..last that the platform has; None if it has none of them."""
    start = max(first, earliest_day(platform, account, now))
    end = min(last, local_date(now, account.timezone))
    return Task(platform, account, start, end) if start <= end else None


def has_foreign_currency(settings: Settings) -> bool:
    """Return whether an account is billed in another currency than its org's."""
    reporting = {org.id: org.currency for org in settings.orgs}
    return any(account.currency not in (None, reporting.get(account.org)) for account in settings.ad_accounts)
