"""Facts of a home that no published file has, for the dashboard: received events, settings and budgets.

In: a home. Out: callbacks by org.
"""

from __future__ import annotations

from typing import Any

from ingestion.home import Home
from serving.service import LiveFacts


def live_facts(home: Home) -> LiveFacts:
    """Return the callbacks of a home. Each reads the current files."""

    def received(org: str) -> list[dict[str, Any]]:
        return []

    def settings(org: str) -> list[dict[str, Any]]:
        return []

    def budgets(org: str) -> list[dict[str, Any]]:
        return []

    return LiveFacts(received, settings, budgets)
