"""What to pull. In: what was asked for, the accounts in tributary.yaml. Out: Tasks, or a PullError that says why there
are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches

import msgspec

from connectors.ads import PLATFORMS
from connectors.auth.credentials import load
from connectors.http.errors import NotConnected, VendorError
from connectors.platform import Platform
from connectors.reporting_days import local_date
from ingestion.files.contracts import platform_name
from ingestion.home import Home
from ingestion.settings.model import AdAccount, Settings

OTHERS = ("all", "ecb", "synced")
Days = tuple[date | None, date | None]  # --from, --to


class PullError(Exception):
    """Days or accounts that cannot be pulled as asked for; nothing was."""


class Task(msgspec.Struct, frozen=True):
    """Days of an account, both included, to be pulled. They are the account's days."""

    platform: Platform
    account: AdAccount
    start: date
    end: date

    @property
    def name(self) -> str:
        return f"{self.platform.name} {self.account.account_id}"


def tasks_of(settings: Settings, platform: Platform, days: Days, only: Sequence[str]) -> list[Task]:
    """Of one platform, the accounts `only`, or all."""
    now = datetime.now(UTC)
    return [task(platform, account, *days, now) for account in accounts_of(settings, platform, only)]


def all_tasks(home: Home, settings: Settings, days: Days, say: Callable[[str], None]) -> list[Task]:
    """Of every platform; says which are left out, and why."""
    now, (first, last) = datetime.now(UTC), days
    tasks = []
    for platform in listed(settings):
        if not is_connected(home, platform):
            say(f"{platform.name}: left out, since it is not connected: tributary connect {platform.name}")
            continue
        for account in accounts_of(settings, platform):
            since = earliest(platform, account, now)
            if last and last < since:
                say(f"{platform.name} {account.account_id}: left out, since it tells of {since} and later only")
                continue
            tasks.append(task(platform, account, first and max(first, since), last, now))
    return tasks


def platform_called(name: str) -> Platform:
    """The platform of that name, or of an alias such as facebook."""
    platform = PLATFORMS.get(platform_name(name))
    if not platform:
        known = [*PLATFORMS, *OTHERS]
        close = get_close_matches(name.lower(), known, 1, 0.5)
        hint = f"do you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        raise PullError(f"{name} is nothing to pull: {hint}")
    return platform


def accounts_of(settings: Settings, platform: Platform, only: Sequence[str] = ()) -> list[AdAccount]:
    """The platform's accounts in tributary.yaml, or those of them with the ids `only`."""
    accounts = [account for account in settings.ad_accounts if account.platform == platform.name]
    if not accounts:
        raise PullError(f"tributary.yaml has no ad account of {platform.label}: tributary connect {platform.name}")
    known = [account.account_id for account in accounts]
    for wanted in only:
        if wanted not in known:
            raise PullError(
                f"tributary.yaml has no account {wanted} of {platform.label}, but {', '.join(known)}:"
                f" correct it, or tributary connect {platform.name}"
            )
    return [account for account in accounts if not only or account.account_id in only]


def is_connected(home: Home, platform: Platform) -> bool:
    """Whether there are credentials, good or not."""
    try:
        load(platform, home.root / "credentials.bin")
    except NotConnected:
        return False
    except VendorError:  # they do not open: the pull will say why
        pass
    return True


def listed(settings: Settings) -> list[Platform]:
    """The platforms that have accounts in tributary.yaml: to be pulled, or for the sake of files."""
    names = {account.platform for account in settings.ad_accounts}
    return [platform for name, platform in PLATFORMS.items() if name in names]


def trailing_days(platform: Platform, account: AdAccount) -> int:
    """So many days back its figures may still change."""
    return platform.repull_days if account.repull_days is None else account.repull_days


def earliest(platform: Platform, account: AdAccount, now: datetime) -> date:
    """The first day that the platform still tells of."""
    return local_date(now, account.timezone) - timedelta(days=platform.history_days)


def task(platform: Platform, account: AdAccount, first: date | None, last: date | None, now: datetime) -> Task:
    """first..last; else up to yesterday in the account's zone, from as far back as the figures may still change."""
    current = local_date(now, account.timezone)
    end = last or current - timedelta(days=1)
    start = first or end - timedelta(days=trailing_days(platform, account))
    if start > end:
        raise PullError(f"the first day, {start}, is after the last, {end}: exchange --from and --to")
    if end > current:
        raise PullError(f"--to {end} has not begun: account {account.account_id} is at {current} ({account.timezone})")
    if start < (limit := earliest(platform, account, now)):
        raise PullError(f"{platform.label} tells of {platform.history_days} days: --from {limit} at the earliest")
    return Task(platform, account, start, end)


def clipped(platform: Platform, account: AdAccount, first: date, last: date, now: datetime) -> Task | None:
    """As much of first..last as the platform can tell of by now."""
    start = max(first, earliest(platform, account, now))
    end = min(last, local_date(now, account.timezone))
    return Task(platform, account, start, end) if start <= end else None


def has_foreign_currency(settings: Settings) -> bool:
    """Whether some account is billed in another currency than its org reports in."""
    reporting = {org.id: org.currency for org in settings.orgs}
    return any(account.currency not in (None, reporting.get(account.org)) for account in settings.ad_accounts)
