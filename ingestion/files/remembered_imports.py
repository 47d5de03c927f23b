"""Remember how to import files of one name or layout: `imports:` of tributary.yaml.

In: the settings, the name of a file, its layout, and the options of the command line, which take precedence.
Out: the options of the import; an entry for `--save`.
"""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import Any

from ingestion.files.column_mapping import ImportOptions
from ingestion.settings.model import RememberedImport, Settings

_PLAIN = ("where", "org", "site", "timezone", "layout", "decimal", "dayfirst")


def entry_for_file(settings: Settings, name: str) -> RememberedImport | None:
    """Return the first entry whose pattern matches the name of a file, without regard to case."""
    return next((e for e in settings.imports if e.files and fnmatch(name.lower(), e.files.lower())), None)


def entry_for_layout(settings: Settings, layout: str) -> RememberedImport | None:
    """Return the first entry without a pattern that has this layout."""
    return next((e for e in settings.imports if not e.files and e.layout == layout), None)


def with_entry(options: ImportOptions, entry: RememberedImport) -> ImportOptions:
    """Return the options, completed by an entry."""
    plain = {name: getattr(entry, name) for name in _PLAIN if getattr(options, name) is None}
    return options._replace(
        mapping={**entry.map, **options.mapping}, constants={**entry.set, **options.constants}, **plain
    )


def entry_to_save(
    settings: Settings, name: str, options: ImportOptions, *, file: str, kind: str | None, layout: str | None
) -> dict[str, Any]:
    """Return the entry that `--save name` writes: for the layout, or for the file's name with * in place of digits.

    A second entry for a layout needs the name of the file, too.
    """
    other = layout and entry_for_layout(settings, layout)
    is_for_layout = bool(layout) and not (other and other.name != name)
    entry: dict[str, Any] = {"name": name}
    if not is_for_layout:
        entry["files"] = re.sub(r"\d+", "*", file)
    if layout:
        entry["layout"] = layout
    else:
        entry["kind"] = kind
    entry |= {"map": dict(options.mapping)} if options.mapping else {}
    entry |= {"set": dict(options.constants)} if options.constants else {}
    plain = {key: getattr(options, key) for key in _PLAIN if key != "layout"}
    return entry | {key: value for key, value in plain.items() if value is not None}
