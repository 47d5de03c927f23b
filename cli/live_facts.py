"""Facts of a home that no published file has, for the dashboard: received events, settings and budgets.

In: a home. Out: callbacks by org.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ingestion.home import Home
from ingestion.segments.recent import RecentEvents
from ingestion.settings.listing import org_settings
from ingestion.settings.load import load_settings, read_document
from ingestion.settings.model import Settings, SettingsError
from serving.service import LiveFacts

Value = TypeVar("Value")


@dataclass
class FileFacts(Generic[Value]):
    """What a function reads from tributary.yaml, again after each change. A wrong file keeps the facts of before."""

    home: Home
    read: Callable[[Home], Value]
    value: Value
    identity: tuple[int, int] = (0, 0)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def current(self) -> Value:
        """Return the facts."""
        with self.lock:
            try:
                state = self.home.settings.stat()
            except FileNotFoundError:
                return self.value
            identity = (state.st_mtime_ns, state.st_size)
            if identity != self.identity:
                self.identity = identity
                try:
                    self.value = self.read(self.home)
                except SettingsError:
                    pass  # every command names the problems
            return self.value


def live_facts(home: Home) -> LiveFacts:
    """Return the callbacks of a home. Each reads the current files."""
    settings_file = FileFacts[Settings](home, load_settings, Settings(orgs=[]))
    document = FileFacts[Any](home, read_document, {})
    events = RecentEvents(home)

    def received(org: str) -> dict[str, Any]:
        settings = settings_file.current()
        zones = [each.timezone for each in settings.orgs if each.id == org]
        sites = [site.id for site in settings.sites if site.org == org]
        return events.of_org(org, sites, zones[0] if zones else "UTC")

    def settings(org: str) -> list[dict[str, Any]]:
        return org_settings(document.current(), org)

    def budgets(org: str) -> list[dict[str, Any]]:
        return [
            {
                "platform": budget.platform,
                "campaign_id": budget.campaign_id,
                "monthly_micros": round(budget.monthly * 1_000_000),
            }
            for budget in settings_file.current().budgets
            if budget.org == org
        ]

    return LiveFacts(received, settings, budgets)
