"""Check tributary.yaml as a whole: its sections, their keys, and the references between them.

In: the parsed document, with its line numbers. Out: all of its problems, each with its line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ingestion.files.contracts import CONTRACTS, platform_name
from ingestion.files.id_spellings import normalized_account_id
from ingestion.settings import values
from ingestion.settings.model import server_key_variable
from ingestion.settings.values import Check
from ingestion.text import suggestion

Problem = tuple[int, str]  # line, "where: what is wrong and what to do"

_ADD_ORG = "Add `orgs: [{id: default, currency: USD, timezone: UTC}]`."


class Section(NamedTuple):
    """One list of entries."""

    required: tuple[str, ...]  # keys
    checks: dict[str, Check]  # key -> check of its value
    identity: tuple[str, ...]  # the keys that identify an entry


def problems(document: Any, models: Sequence[str]) -> Iterator[Problem]:
    """Yield each problem of the parsed document. models: the names of all attribution models."""
    if not isinstance(document, dict):
        yield 1, f"the file has no `orgs:`. {_ADD_ORG}"
        return
    yield from _unknown_keys(document, "", ("attribution_models", *_SECTIONS, *_MAPPINGS))
    if not document.get("orgs"):
        yield 1, f"orgs: the list is empty. {_ADD_ORG}"
    for name, checks in _MAPPINGS.items():
        yield from _mapping_problems(document, name, checks)
    for name, section in _SECTIONS.items():
        yield from _section_problems(document, name, section)
    yield from _shared_key_problems(document)
    yield from _model_problems(document, models)
    yield from _definition_problems(document)
    yield from _experiment_problems(document)


def _section_problems(document: Any, name: str, section: Section) -> Iterator[Problem]:
    entries = document.get(name)
    if entries is None:
        if name in document:
            yield _line(document, name), f"{name}: the section is empty. Remove the line, or list entries under it."
        return
    if not isinstance(entries, list):
        yield _line(document, name), f"{name}: the section is not a list. Begin each entry with `- `."
        return
    seen: dict[tuple[str, ...], str] = {}
    for index, entry in enumerate(entries):
        where = f"{name}[{index}]"
        if not isinstance(entry, dict):
            example = f"`{{{section.required[0]}: ...}}`"
            yield _line(entries, index), f"{where}: {entry!r} is not an entry. Write it as {example}."
            continue
        yield from _entry_problems(entry, where, section.required, section.checks)
        yield from _reference_problems(document, entry, where)
        if name == "imports" and not (entry.get("files") or entry.get("layout")):
            yield _line(entries, index), f"{where}: files or layout is missing. Add `files: report_*.csv`."
        identity = tuple(_normalized(key, str(entry.get(key))) for key in section.identity)
        if identity in seen:
            keys = " and ".join(section.identity)
            case = " without regard to case" if section.identity == ("id",) else ""
            yield _line(entries, index), f"{where}: same {keys} as {seen[identity]}{case}. Remove one of them."
        seen.setdefault(identity, where)


def _entry_problems(entry: Any, where: str, required: tuple[str, ...], checks: dict[str, Check]) -> Iterator[Problem]:
    yield from _unknown_keys(entry, where, tuple(checks))
    for name in required:
        if name not in entry:
            yield entry.lc.line + 1, f"{where}: {name} is missing. Add `{name}: ...`."
    for name, value in entry.items():
        if name in checks and (problem := checks[name](value)):
            yield _line(entry, name), f"{where}.{name}: {problem}"


def _reference_problems(document: Any, entry: Any, where: str) -> Iterator[Problem]:
    """Yield the references of an entry to an org or a site that the file does not have."""
    for key, name in (("org", "org"), ("site", "site"), ("orgs", "org")):
        ids = [other.get("id") for other in document.get(f"{name}s") or [] if isinstance(other, dict)]
        named = entry.get(key)
        for each in named if isinstance(named, list) else [named]:
            if isinstance(each, str) and each not in ids and (key, each) != ("orgs", "*"):
                advice = f"{suggestion(each, ids)} You can also add it under {name}s."
                yield _line(entry, key), f"{where}.{key}: there is no {name} {each}. {advice}"


def _shared_key_problems(document: Any) -> Iterator[Problem]:
    """Yield sites that share a public key, and sites of two orgs with server keys in one variable."""
    entries = document.get("sites")
    public: dict[str, int] = {}
    server: dict[str, tuple[int, object]] = {}
    for index, site in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(site, dict):
            continue
        key, name, org = site.get("public_key"), site.get("id"), site.get("org")
        if isinstance(key, str) and public.setdefault(key, index) != index:
            yield (
                _line(site, "public_key"),
                f"sites[{index}].public_key: same as sites[{public[key]}]. Each site needs its own key.",
            )
        if isinstance(name, str):
            variable = server_key_variable(name)
            first, owner = server.setdefault(variable, (index, org))
            if owner != org:
                yield (
                    _line(site, "id"),
                    f"sites[{index}].id: sites[{first}] of another org has the same variable of the server key,"
                    f" {variable}. Rename one of the sites.",
                )


def _model_problems(document: Any, models: Sequence[str]) -> Iterator[Problem]:
    """Yield the attribution models that do not exist or do not run."""
    chosen = document.get("attribution_models")
    if chosen is not None:
        if problem := values.names(chosen):
            yield _line(document, "attribution_models"), f"attribution_models: {problem}"
            return
        for index, name in enumerate(chosen):
            if name not in models:
                yield (
                    _line(chosen, index),
                    f"attribution_models[{index}]: there is no model {name}. {suggestion(name, models)}",
                )
    running = chosen or models
    entries = document.get("orgs")
    for index, org in enumerate(entries if isinstance(entries, list) else ()):
        name = org.get("attribution_model", "linear") if isinstance(org, dict) else "linear"
        shares = [org.get(f"{end}_touch_percent", 40) for end in ("first", "last")] if isinstance(org, dict) else []
        if all(isinstance(share, int) for share in shares) and sum(shares) > 100:
            yield (
                org.lc.line + 1,
                f"orgs[{index}]: first_touch_percent and last_touch_percent sum to {sum(shares)}. Write at most 100.",
            )
        if name not in running:
            key = "attribution_model" if "attribution_model" in org else "id"
            advice = f"Write one of {', '.join(running)}." if chosen is None else "Add it to attribution_models."
            yield _line(org, key), f"orgs[{index}].attribution_model: {name!r} is unknown. {advice}"


def _definition_problems(document: Any) -> Iterator[Problem]:
    """Yield conversion definitions with two sources, and with conditions that their source does not have."""
    entries = document.get("conversion_definitions")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict):
            continue
        sources = [name for name in ("conversion_types", "event_types", "interaction_types") if name in entry]
        if len(sources) > 1:
            yield (
                _line(entry, sources[1]),
                f"conversion_definitions[{index}].{sources[1]}: {sources[0]} is a source already. Keep one of them.",
            )
        if "properties" in entry and "event_types" not in entry:
            yield (
                _line(entry, "properties"),
                f"conversion_definitions[{index}].properties: only events have properties. Add event_types.",
            )


def _experiment_problems(document: Any) -> Iterator[Problem]:
    """Yield experiments of one channel whose periods overlap: a touch has one multiplier."""
    entries = document.get("experiments")
    seen: list[tuple[int, Any]] = []
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict):
            continue
        for other_index, other in seen:
            is_same = entry.get("org") == other.get("org") and entry.get("channel") == other.get("channel")
            first, last = (str(entry.get(key) or otherwise) for key, otherwise in (("from", ""), ("to", "9999")))
            other_first, other_last = (
                str(other.get(key) or otherwise) for key, otherwise in (("from", ""), ("to", "9999"))
            )
            if is_same and first <= other_last and other_first <= last:
                yield (
                    _line(entries, index),
                    f"experiments[{index}]: its period overlaps with experiments[{other_index}]. Change from or to.",
                )
        seen.append((index, entry))


def _mapping_problems(document: Any, name: str, checks: dict[str, Check]) -> Iterator[Problem]:
    mapping = document.get(name, {})
    if isinstance(mapping, dict):
        required = tuple(checks) if name == "log_in" and name in document else ()
        yield from _entry_problems(mapping, name, required, checks)
    else:
        yield _line(document, name), f"{name}: not a mapping. Write one such as {_EXAMPLES[name]}."


def _unknown_keys(entry: Any, where: str, known: tuple[str, ...]) -> Iterator[Problem]:
    for name in entry:
        if name not in known:
            advice = suggestion(str(name), known)
            yield _line(entry, name), f"{where}.{name}: unknown name. {advice}".lstrip(".")


def _normalized(name: str, value: str) -> str:
    """Return the value without the ways to write it: facebook is meta, 123-456-7890 is 1234567890."""
    normalize = {"platform": platform_name, "account_id": normalized_account_id}.get(name, str.lower)
    return normalize(value)


def _line(node: Any, key: Any) -> int:
    try:
        position_of = node.lc.key if hasattr(node, "keys") else node.lc.item
        return int(position_of(key)[0]) + 1
    except (AttributeError, KeyError, TypeError, IndexError):
        return 1


_MAPPINGS: dict[str, dict[str, Check]] = {
    "collector": {
        "salt_hours": values.count,
        "keep_raw_days": values.count,
        "geo_database": values.text,
        "min_free_mb": values.size,
        "max_event_kb": values.count,
        "max_value": values.amount,
    },
    "history": {"keep_days": values.count},
    "files": {"unknown_sites": values.one_of("warn", "reject")},
    "published": {"readers": values.one_of("owner", "group", "everyone")},
    "log_in": {"issuer": values.issuer, "client_id": values.text, "client_secret": values.variable},
}
_EXAMPLES = {
    "collector": "{salt_hours: 24}",
    "history": "{keep_days: 30}",
    "files": "{unknown_sites: reject}",
    "published": "{readers: group}",
    "log_in": "{issuer: https://accounts.google.com, client_id: ..., client_secret: TRIBUTARY_LOG_IN_SECRET}",
}

_SECTIONS: dict[str, Section] = {
    "orgs": Section(
        required=("id", "currency"),
        checks={
            "id": values.identifier,
            "currency": values.currency,
            "timezone": values.zone,
            "lookback_days": values.days,
            "attribution_model": values.text,
            "targets": values.targets,
            "lookback_days_by_touch_type": values.days_by_type,
            "credit_percent_by_touch_type": values.percent_by_type,
            "half_life_days": values.amount,
            "first_touch_percent": values.percent,
            "last_touch_percent": values.percent,
            "direct": values.one_of("include", "exclude", "last_resort"),
            "path_transform": values.one_of("unique", "exposure", "first", "frequency", "remove_direct"),
            "ignored_referrers": values.domains,
        },
        identity=("id",),
    ),
    "sites": Section(
        required=("id", "org"),
        checks={
            "id": values.identifier,
            "org": values.text,
            "public_key": values.text,
            "domains": values.domains,
            "origins": values.origins,
            "events_per_minute": values.count,
            "address_events_per_minute": values.count,
            "mb_per_minute": values.count,
            "max_event_age_days": values.days,
            "sample_percent": values.one_of(*values.SAMPLES),
            "cookieless": values.flag,
            "exclude_bots": values.flag,
            "exclude_suspicious": values.flag,
            "count_own_links": values.flag,
        },
        identity=("id",),
    ),
    "ad_accounts": Section(
        required=("platform", "account_id", "org"),
        checks={
            "platform": values.text,
            "account_id": values.text,
            "org": values.text,
            "name": values.text,
            "currency": values.currency,
            "timezone": values.zone,
            "manager": values.text,
            "repull_days": values.days,
        },
        identity=("platform", "account_id"),
    ),
    "synced": Section(
        required=("path", "org"),
        checks={"path": values.text, "org": values.text, "tool": values.one_of("fivetran", "airbyte")},
        identity=("path",),
    ),
    "campaign_aliases": Section(
        required=("org", "platform", "name", "campaign_id"),
        checks={"org": values.text, "platform": values.text, "name": values.text, "campaign_id": values.text},
        identity=("org", "platform", "name"),
    ),
    "shared_ids": Section(
        required=("org", "id"), checks={"org": values.text, "id": values.text}, identity=("org", "id")
    ),
    "imports": Section(
        required=("name",),
        checks={
            "name": values.identifier,
            "files": values.text,
            "layout": values.text,
            "kind": values.one_of(*CONTRACTS),
            "map": values.texts,
            "set": values.texts,
            "where": values.text,
            "org": values.text,
            "site": values.text,
            "timezone": values.zone,
            "decimal": values.one_of("point", "comma"),
            "dayfirst": values.flag,
        },
        identity=("name",),
    ),
    "targets": Section(
        required=("org", "platform"),
        checks={
            "org": values.text,
            "platform": values.text,
            "campaign_id": values.text,
            "cpa": values.amount,
            "roas": values.amount,
        },
        identity=("org", "platform", "campaign_id"),
    ),
    "budgets": Section(
        required=("org", "platform", "monthly"),
        checks={
            "org": values.text,
            "platform": values.text,
            "campaign_id": values.text,
            "monthly": values.amount,
        },
        identity=("org", "platform", "campaign_id"),
    ),
    "people": Section(
        required=("email", "orgs", "role"),
        checks={
            "email": values.email,
            "orgs": values.orgs,
            "role": values.one_of("viewer", "analyst", "admin"),
        },
        identity=("email",),
    ),
    "conversion_definitions": Section(
        required=("org", "name"),
        checks={
            "org": values.text,
            "name": values.conversion_type,
            "conversion_types": values.names,
            "event_types": values.names,
            "interaction_types": values.names,
            "sites": values.names,
            "properties": values.texts,
            "min_value": values.amount,
            "first_only": values.flag,
            "value": values.amount,
            "lookback_days": values.days,
            "touches": values.one_of("before", "all", "since_previous"),
        },
        identity=("org", "name"),
    ),
    "experiments": Section(
        required=("org", "channel", "multiplier"),
        checks={
            "org": values.text,
            "channel": values.text,
            "multiplier": values.multiplier,
            "from": values.day,
            "to": values.day,
        },
        identity=("org", "channel", "from", "to"),
    ),
    "event_types": Section(
        required=("type",),
        checks={"type": values.event_type, "properties": values.properties},
        identity=("type",),
    ),
    "webhooks": Section(
        required=("kind", "site", "secret"),
        checks={"kind": values.one_of("shopify", "stripe"), "site": values.text, "secret": values.variable},
        identity=("kind", "site"),
    ),
    "networks": Section(
        required=("name", "kind", "site", "secret"),
        checks={
            "name": values.text,
            "kind": values.one_of("everflow", "tune", "trackier", "generic"),
            "site": values.text,
            "secret": values.variable,
            "currency": values.currency,
            "parameters": values.parameters,
            "statuses": values.statuses,
            "timezone": values.zone,
            "patterns": values.patterns,
        },
        identity=("name", "site"),
    ),
}
