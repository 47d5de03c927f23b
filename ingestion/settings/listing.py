"""List the settings of tributary.yaml that concern one org, with their lines, for people.

In: the checked file with its line numbers. Out: one row for each setting. Entries of other orgs, people and the log-in
never appear. The file has names of environment variables instead of secrets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_type_hints

import msgspec

from ingestion.settings.meanings import MEANINGS
from ingestion.settings.model import Settings

_NAMES = {
    "ad_accounts": ("platform", "account_id"),
    "budgets": ("platform", "campaign_id"),
    "targets": ("platform", "campaign_id"),
    "experiments": ("channel", "from"),
    "campaign_aliases": ("platform", "name"),
    "webhooks": ("kind", "site"),
    "networks": ("name", "site"),
    "synced": ("path",),
    "event_types": ("type",),
    "conversion_definitions": ("name",),
    "imports": ("name",),
}  # settings that name an entry; of other sections, the id
_MAPPINGS = ("collector", "history", "files", "published")
_WITH_DEFAULTS = ("orgs", "sites", *_MAPPINGS)
_HIDDEN = {("shared_ids", "id")}


def org_settings(document: Any, org: str) -> list[dict[str, Any]]:
    """Return the settings that concern an org. line: None for a default that the file does not set."""
    sites = {site["id"] for site in document.get("sites", []) if site["org"] == org}
    rows: list[dict[str, Any]] = []
    for section in MEANINGS:
        value = document.get(section, {})
        if section == "attribution_models":
            rows += [_row(section, "", "", value, _line(document, section))] if value else []
        elif isinstance(value, Mapping):
            rows += _entry_rows(section, "", value, ())
        else:
            for entry in value:
                if concerns(section, entry, org, sites):
                    rows += _named_rows(section, entry)
    return rows


def concerns(section: str, entry: Mapping[str, Any], org: str, sites: set[Any]) -> bool:
    """Return whether an entry belongs to an org, or to no org."""
    if section == "orgs":
        return bool(entry.get("id") == org)
    constants = entry.get("set", {})  # of an import
    owners = [entry.get("org"), constants.get("org_id")]
    places = [entry.get("site"), constants.get("site_id")]
    return all(owner in (None, org) for owner in owners) and all(place is None or place in sites for place in places)


def _named_rows(section: str, entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    keys = _NAMES.get(section, ("id",))
    name = "hidden" if section == "shared_ids" else " ".join(str(entry[key]) for key in keys if entry.get(key))
    rows = list(_entry_rows(section, name, entry, (*keys, "org")))
    yield from rows or [_row(section, name, "", None, _start(entry))]


def _entry_rows(
    section: str, name: str, entry: Mapping[str, Any], without: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    for key, value in entry.items():
        if key in MEANINGS[section] and key not in without and (section, key) not in _HIDDEN:
            yield _row(section, name, key, value, _line(entry, key))
    if section in _WITH_DEFAULTS and (name or section in _MAPPINGS):
        for field in msgspec.structs.fields(structs()[section]):
            if field.encode_name not in (*entry, *without) and not field.required:
                default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
                yield _row(section, name, field.encode_name, default, None)


def _row(section: str, entry: str, name: str, value: Any, line: int | None) -> dict[str, Any]:
    meaning = MEANINGS[section].get(name, "") if name else ""
    return {
        "section": section,
        "about": MEANINGS[section][""],
        "entry": entry,
        "setting": name,
        "value": written(value),
        "line": line,
        "meaning": meaning,
    }


def written(value: Any) -> str:
    """Return a value as it is written in YAML's flow style, without quotes; empty for no value."""
    if isinstance(value, msgspec.Struct):
        value = {key: part for key, part in msgspec.structs.asdict(value).items() if part is not None}
    if value in (None, [], {}):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {written(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(f"{{{written(part)}}}" if isinstance(part, Mapping) else written(part) for part in value)
    return str(value)


def structs() -> dict[str, type[msgspec.Struct]]:
    """Return the type of each section's entries."""
    found = {}
    for section, hint in get_type_hints(Settings).items():
        for kind in (*get_args(hint), hint):
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                found[section] = kind
    return found


def _line(node: Any, key: str) -> int:
    return int(node.lc.key(key)[0]) + 1


def _start(entry: Any) -> int:
    return int(entry.lc.line) + 1
