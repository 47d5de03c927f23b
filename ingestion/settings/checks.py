"""What may stand in tributary.yaml. In: the parsed document, with its line numbers. Out: its problems, all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ingestion.files.contracts import normalized_account_id, platform_name
from ingestion.settings import values


def problems(document: Any) -> Iterable[tuple[int, str]]:
    """(line, where: what: what to do) for everything that is wrong with the parsed document."""
    if not isinstance(document, dict):
        yield 1, "the file has no `orgs:`: add `orgs: [{id: default, currency: USD, timezone: UTC}]`"
        return
    yield from _unknown(document, "", (*_SECTIONS, "collector"))
    if not document.get("orgs"):
        yield 1, "orgs: there is none: add `orgs: [{id: default, currency: USD, timezone: UTC}]`"
    yield from _collector_problems(document)
    for section, (required, checks, key) in _SECTIONS.items():
        entries = document.get(section)
        if entries is None:
            if section in document:
                yield _line(document, section), f"{section}: empty: remove the line or list entries under it"
            continue
        if not isinstance(entries, list):
            yield _line(document, section), f"{section}: must be a list: begin each entry with `- `"
            continue
        known = {
            name: [entry.get("id") for entry in document.get(f"{name}s") or [] if isinstance(entry, dict)]
            for name in ("org", "site")
        }
        seen: dict[tuple, str] = {}
        for index, entry in enumerate(entries):
            where = f"{section}[{index}]"
            if not isinstance(entry, dict):
                yield _line(entries, index), f"{where}: must be `{{{required[0]}: ...}}`, not {entry!r}"
                continue
            yield from _entry_problems(entry, where, required, checks)
            for name, ids in known.items():
                if isinstance(entry.get(name), str) and entry[name] not in ids:
                    hint = values.hint(entry[name], ids)
                    hint = hint or f"add it under {name}s, or use one of {', '.join(map(str, ids))}"
                    yield _line(entry, name), f"{where}.{name}: there is no {name} {entry[name]}: {hint}"
            identity = tuple(_same(name, str(entry.get(name))) for name in key)
            if identity in seen:
                yield (
                    _line(entries, index),
                    f"{where}: same {' and '.join(key)} as {seen[identity]}: remove one of them",
                )
            seen.setdefault(identity, where)


def _collector_problems(document: dict) -> Iterable[tuple[int, str]]:
    collector = document.get("collector", {})
    if isinstance(collector, dict):
        yield from _entry_problems(collector, "collector", (), _COLLECTOR)
    else:
        yield _line(document, "collector"), "collector: must be such as {salt_hours: 24}"


def _entry_problems(entry: dict, where: str, required: tuple, checks: dict) -> Iterable[tuple[int, str]]:
    yield from _unknown(entry, where, tuple(checks))
    for name in required:
        if name not in entry:
            yield entry.lc.line + 1, f"{where}: {name} is missing: add `{name}: ...`"
    for name, value in entry.items():
        if name in checks and (problem := checks[name](value)):
            yield _line(entry, name), f"{where}.{name}: {problem}"


def _unknown(entry: dict, where: str, known: tuple[str, ...]) -> Iterable[tuple[int, str]]:
    for name in entry:
        if name not in known:
            hint = values.hint(str(name), known) or f"known here: {', '.join(known)}"
            yield _line(entry, name), f"{where}.{name}: unknown: {hint}".lstrip(".")


_COLLECTOR: dict[str, Callable[[Any], str | None]] = {
    "salt_hours": values.count,
    "keep_raw_days": values.count,
    "geo_database": values.text,
    "max_value": values.amount,
}

# section -> (required keys, key -> check of its value, what identifies an entry)
_SECTIONS: dict[str, tuple[tuple[str, ...], dict[str, Callable[[Any], str | None]], tuple[str, ...]]] = {
    "orgs": (
        ("id", "currency"),
        {
            "id": values.text,
            "currency": values.currency,
            "timezone": values.zone,
            "lookback_days": values.days,
            "targets": values.targets,
            "lookback_days_by_touch_type": values.days_by_type,
        },
        ("id",),
    ),
    "sites": (
        ("id", "org"),
        {
            "id": values.text,
            "org": values.text,
            "public_key": values.text,
            "domains": values.domains,
            "origins": values.origins,
            "events_per_minute": values.count,
            "max_event_age_days": values.days,
            "sample_percent": values.one_of(*values.SAMPLES),
            "cookieless": values.flag,
            "exclude_bots": values.flag,
            "exclude_suspicious": values.flag,
        },
        ("id",),
    ),
    "ad_accounts": (
        ("platform", "account_id", "org"),
        {
            "platform": values.text,
            "account_id": values.text,
            "org": values.text,
            "name": values.text,
            "currency": values.currency,
            "timezone": values.zone,
            "manager": values.text,
            "repull_days": values.days,
        },
        ("platform", "account_id"),
    ),
    "synced": (
        ("path", "org"),
        {"path": values.text, "org": values.text, "tool": values.one_of("fivetran", "airbyte")},
        ("path",),
    ),
    "campaign_aliases": (
        ("org", "platform", "name", "campaign_id"),
        {"org": values.text, "platform": values.text, "name": values.text, "campaign_id": values.text},
        ("org", "platform", "name"),
    ),
    "targets": (
        ("org", "platform"),
        {
            "org": values.text,
            "platform": values.text,
            "campaign_id": values.text,
            "cpa": values.amount,
            "roas": values.amount,
        },
        ("org", "platform", "campaign_id"),
    ),
    "event_types": (("type",), {"type": values.event_type, "properties": values.properties}, ("type",)),
    "webhooks": (
        ("kind", "site", "secret"),
        {"kind": values.one_of("shopify", "stripe"), "site": values.text, "secret": values.variable},
        ("kind", "site"),
    ),
    "networks": (
        ("name", "kind", "site", "secret"),
        {
            "name": values.text,
            "kind": values.one_of("everflow", "tune", "trackier", "generic"),
            "site": values.text,
            "secret": values.variable,
            "currency": values.currency,
            "parameters": values.parameters,
            "statuses": values.statuses,
            "patterns": values.patterns,
        },
        ("name", "site"),
    ),
}


def _same(name: str, value: str) -> str:
    """What is alike in two entries that mean the same: facebook is meta, 123-456-7890 is 1234567890."""
    alike = {"platform": platform_name, "account_id": normalized_account_id}.get(name, str.lower)
    return alike(value)


def _line(node: Any, key: Any) -> int:
    try:
        return (node.lc.key(key) if isinstance(node, dict) else node.lc.item(key))[0] + 1
    except (AttributeError, KeyError, TypeError, IndexError):
        return 1
