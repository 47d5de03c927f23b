"""Facts of a home that no published file has, for the dashboard: received events, settings and budgets.

In: a home. Out: callbacks by org.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ingestion.home import Home
from ingestion.segments.recent import RecentEvents
from ingestion.settings.listing import org_settings
from ingestion.settings.load import load_settings, read_document
from ingestion.settings.model import Settings, SettingsError
from serving.service import LiveFacts


@dataclass
class SettingsFile:
    """tributary.yaml, read again after each change. After a mistake, which every command names, it stays as before."""

    home: Home
    settings: Settings = field(default_factory=lambda: Settings(orgs=[]))
    document: Any = field(default_factory=dict)
    identity: tuple[int, int] = (0, 0)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def current(self) -> SettingsFile:
        """Return the file after looking for changes."""
        with self.lock, suppress(SettingsError, FileNotFoundError):
            state = self.home.settings.stat()
            if (state.st_mtime_ns, state.st_size) != self.identity:
                self.identity = (state.st_mtime_ns, state.st_size)
                self.settings, self.document = load_settings(self.home), read_document(self.home)
        return self


def live_facts(home: Home) -> LiveFacts:
    """Return the callbacks of a home. Each reads the current files."""
    file = SettingsFile(home)
    events = RecentEvents(home)

    def received(org: str) -> dict[str, Any]:
        settings = file.current().settings
        zones = [each.timezone for each in settings.orgs if each.id == org]
        sites = [site.id for site in settings.sites if site.org == org]
        return events.of_org(org, sites, zones[0] if zones else "UTC")

    def settings(org: str) -> list[dict[str, Any]]:
        return org_settings(file.current().document, org)

    def budgets(org: str) -> list[dict[str, Any]]:
        return [
            {
                "platform": budget.platform,
                "campaign_id": budget.campaign_id,
                "monthly_micros": round(budget.monthly * 1_000_000),
            }
            for budget in file.current().settings.budgets
            if budget.org == org
        ]

    return LiveFacts(received, settings, budgets)
