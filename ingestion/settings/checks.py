"""Check tributary.yaml as a whole: its sections, their keys, and the references between them.

In: the parsed document, with its line numbers. Out: all of its problems, each with its line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ingestion.files.contracts import platform_name
from ingestion.files.id_spellings import normalized_account_id
from ingestion.settings import values
from ingestion.settings.model import server_key_variable
from ingestion.settings.sections import EXAMPLES, MAPPINGS, SECTIONS, Section
from ingestion.settings.values import Check
from ingestion.text import suggestion

Problem = tuple[int, str]  # line, "where: what is wrong and what to do"

_ADD_ORG = "Add `orgs: [{id: default, currency: USD, timezone: UTC}]`."


def problems(document: Any, models: Sequence[str]) -> Iterator[Problem]:
    """Yield each problem of the parsed document. models: the names of all attribution models."""
    if not isinstance(document, dict):
        yield 1, f"the file has no `orgs:`. {_ADD_ORG}"
        return
    yield from _unknown_keys(document, "", ("attribution_models", *SECTIONS, *MAPPINGS))
    if not document.get("orgs"):
        yield 1, f"orgs: the list is empty. {_ADD_ORG}"
    for name, checks in MAPPINGS.items():
        yield from _mapping_problems(document, name, checks)
    for name, section in SECTIONS.items():
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
        yield _line(document, name), f"{name}: not a mapping. Write one such as {EXAMPLES[name]}."


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
