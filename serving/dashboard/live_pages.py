"""Tables of facts that no published file has: received events and settings.

In: a page's view, whose org access has checked. Out: answers that a page shows as tables and charts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from serving.answers import Answer
from serving.dashboard import charts
from serving.dashboard.view import View
from serving.questions import Column, Question

MOST_TYPES = 8  # of a chart; the others are one
_BY_HOUR: Mapping[str, Any] = {
    "mark": {"type": "bar", "tooltip": True},
    "encoding": {
        "x": {
            "field": "hour",
            "type": "temporal",
            "timeUnit": "yearmonthdatehours",
            "title": None,
            "axis": {"format": "%a %H:%M", "tickCount": 8},
        },
        "y": {"field": "events", "type": "quantitative", "title": "Events"},
    },
}


@dataclass(frozen=True)
class Received:
    """What the collector received for an org in the last 48 hours. Times are those of the org's zone."""

    events: int
    last_hour: int
    minutes_ago: int | None  # of the newest event
    newest: datetime | None
    now: datetime
    totals: Mapping[str, int]
    pending_bytes: int
    chart: Mapping[str, Any]
    types: Answer
    sites: Answer
    sources: Answer
    pages: Answer


def received(view: View) -> Received:
    """Return what the collector received for the page's org."""
    facts = view.service.live.received(view.version.facts.org)
    types: dict[str, int] = defaultdict(int)
    sites: dict[str, int] = defaultdict(int)
    for row in facts["hours"]:
        types[row["type"]] += row["events"]
        sites[row["site"] or "(no site)"] += row["events"]
    now, newest = facts["now"], facts["newest"]
    hour = now.replace(minute=0, second=0, microsecond=0)
    return Received(
        sum(types.values()),
        sum(row["events"] for row in facts["hours"] if row["hour"] == hour),
        max(0, int((now - newest).total_seconds() // 60)) if newest else None,
        newest,
        now,
        facts["totals"],
        facts["pending_bytes"],
        charts.specification(_by_hour(view, facts["hours"], types, hour)),
        counts(view, "received_types", "Types of events", "Type", types.items()),
        counts(view, "received_sites", "Sites", "Site", sites.items()),
        counts(view, "received_sources", "Sources of page views", "Source", facts["sources"]),
        counts(view, "received_pages", "Pages", "Page", facts["pages"]),
    )


def _by_hour(view: View, hours: Iterable[Mapping[str, Any]], types: Mapping[str, int], last: datetime) -> Answer:
    """Return the events by hour and type, with a row for each hour without any, so that gaps show."""
    frequent = sorted(types, key=lambda name: (-types[name], name))[:MOST_TYPES]
    first = last - timedelta(hours=47)
    events: dict[tuple[datetime, str], int] = defaultdict(int)
    for number in range(48):
        events[first + timedelta(hours=number), frequent[0] if frequent else "none"] += 0
    for row in hours:
        events[row["hour"], row["type"] if row["type"] in frequent else "others"] += row["events"]
    columns = (Column("hour", "Hour", "time"), Column("type", "Type"), Column("events", "Events", "count"))
    rows = [(hour, name, count) for (hour, name), count in sorted(events.items())]
    names = sorted({name for _, name in events})
    scale = {"domain": names, "range": list(charts.PALETTE[: len(names)])}  # neighbours need colours that differ
    shade = {"field": "type", "type": "nominal", "scale": scale}
    chart = {**_BY_HOUR, "encoding": {**_BY_HOUR["encoding"], "color": shade}}
    return _answer(view, "received_hours", "Events by hour", columns, rows, chart=chart)


def counts(view: View, name: str, title: str, first: str, rows: Iterable[tuple[str, int]]) -> Answer:
    """Return names with their events, the most frequent first."""
    columns = (Column("name", first), Column("events", "Events", "count"))
    return _answer(view, name, title, columns, sorted(rows, key=lambda row: (-row[1], row[0])))


def settings(view: View) -> list[dict[str, Any]]:
    """Return the sections of tributary.yaml that concern the page's org, each with its set and its default settings."""
    sections: dict[str, list[dict[str, Any]]] = {}
    for row in view.service.live.settings(view.version.facts.org):
        sections.setdefault(row["section"], []).append(row)
    return [
        {
            "name": name,
            "meaning": rows[0]["about"],
            "set": _settings(view, name, f"{name} in the file", [row for row in rows if row["line"] is not None]),
            "defaults": _settings(
                view, f"{name}_defaults", f"{name} defaults", [row for row in rows if row["line"] is None]
            ),
        }
        for name, rows in sections.items()
    ]


def _settings(view: View, name: str, title: str, rows: Iterable[Mapping[str, Any]]) -> Answer:
    columns = (
        Column("entry", "Entry", optional=True),
        Column("setting", "Setting", "code", optional=True),
        Column("value", "Value", "sentence", optional=True),
        Column("line", "Line", "text", optional=True),
        Column("meaning", "Meaning", "sentence", optional=True),
    )
    filled = [tuple(row[column.name] or None for column in columns) for row in rows]
    return _answer(view, f"settings_{name}", title, columns, filled)


def _answer(
    view: View,
    name: str,
    title: str,
    columns: tuple[Column, ...],
    rows: list[tuple[Any, ...]],
    *,
    chart: Mapping[str, Any] | None = None,
) -> Answer:
    question = Question(name, title, "", {column.name: column for column in columns}, "", chart)
    names = tuple(column.name for column in columns)
    return Answer(question, view.version.number, view.version.facts.org, view.currency, names, (), rows)
