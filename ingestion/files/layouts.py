"""Recognise the layout of an export by its header, and read its rows as rows of a contract.

In: formats/*.sql, one file a layout (docs/add-a-layout.md describes its header), and the columns of an input file.
Out: a FileLayout; `apply_layout` replaces the rows of `source` by rows that have the columns of a contract.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ingestion.files.contracts import CONTRACTS, KINDS, Contract, ContractError
from ingestion.files.read import SourceFile
from ingestion.sql import Connection, literal, quoted
from ingestion.text import suggestion

_FOLDER = Path(__file__).parent / "formats"
_MACROS = Path(__file__).parent / "layout_macros.sql"  # of several layouts
_HEADER = re.compile(r"^-- (\w+): (.*)$", re.MULTILINE)
_SIMILAR = 0.5  # share of the required columns from which a file resembles a layout
_SAME = str.maketrans({"_": " ", "\u2019": "'"})
# Columns of a layout's query that say how to read the row, and are no columns of a contract.
_OF_ROW = ("_timezone", "_reject")
ROW_TIMEZONE = "if(_timezone in (select name from pg_timezone_names()), _timezone, null)"
_ONE_VALUE = ("timezone", "decimal", "dayfirst", "footer", "refuse")


class LayoutColumn(NamedTuple):
    """A column of `source` in the query of a layout."""

    name: str
    headers: tuple[str, ...]  # as vendors write them; {name} stands for a text that becomes the column `name`
    is_required: bool


class FileLayout(NamedTuple):
    """One file of formats/: how to recognise an export, and the query of its rows."""

    name: str
    title: str  # Google Ads
    summary: str
    kinds: tuple[str, ...]
    columns: tuple[LayoutColumn, ...]
    query: str
    on_request: tuple[str, ...] = ()  # kinds that the file brings only if the user names them
    without: tuple[str, ...] = ()  # headers that similar files of other layouts have
    sources: tuple[str, ...] = ()  # where the vendor documents the file
    export: str = ""  # where a user gets the file
    give: tuple[str, ...] = ()  # columns of the contract that the user gives if the file lacks them
    headerless: tuple[str, ...] = ()  # headers of a file that has none
    timezone: str | None = None  # of times without a zone
    decimal: str | None = None  # point or comma, if the vendor always writes that
    dayfirst: str | None = None  # yes or no, likewise
    footer: str | None = None  # regular expression of lines that are no records
    refuse: str | None = None  # why such a file has no rows that Tributary can load

    def kinds_for(self, kind: str | None) -> tuple[str, ...]:
        """Return the kinds of rows to load if the user names a kind, or none."""
        if kind is None:
            return self.kinds
        return (kind,) if kind in (*self.kinds, *self.on_request) else ()

    @property
    def required(self) -> list[LayoutColumn]:
        """The columns without which a file has another layout."""
        return [column for column in self.columns if column.is_required]

    @property
    def knows_platform(self) -> bool:
        """Whether the layout is that of one vendor. It takes precedence over a general one that fits as well."""
        return "platform" not in self.give


class LayoutMatch(NamedTuple):
    """A layout that fits a file."""

    layout: FileLayout
    columns: Mapping[str, str]  # column of the layout's `source` -> column of the file
    captured: Mapping[str, str]  # column of the layout's `source` -> text that a header gives to each row


@cache
def all_layouts() -> dict[str, FileLayout]:
    """Return name -> layout, from formats/*.sql."""
    return {path.stem: read_layout(path) for path in sorted(_FOLDER.glob("*.sql"))}


def read_layout(path: Path) -> FileLayout:
    """Return the layout of one file. ValueError if its header is wrong."""
    sql = path.read_text(encoding="utf-8")
    first, _, _ = sql.partition("\n")
    title, colon, summary = first.removeprefix("-- ").partition(": ")
    if not colon:
        raise ValueError(f"{path.name}: the first line is not of the form: -- Vendor: the file")
    found: dict[str, list[str]] = {}
    columns: dict[str, LayoutColumn] = {}
    for part, text in _HEADER.findall(sql.partition("\n")[2]):
        if part in ("required", "optional"):
            for column in _columns(text, is_required=part == "required"):
                # A name on several lines is one column: the lines list its headers.
                known_headers = columns[column.name].headers if column.name in columns else ()
                columns[column.name] = column._replace(headers=known_headers + column.headers)
        else:
            found.setdefault(part, []).append(text.strip())
    known = ("kind", "on_request", "without", "source", "export", "give", "headerless", *_ONE_VALUE)
    if unknown := found.keys() - set(known):
        raise ValueError(f"{path.name}: unknown line: {', '.join(sorted(unknown))}. Use {', '.join(known)}.")
    kinds, on_request = _names(found.get("kind", [])), _names(found.get("on_request", []))
    if not kinds or not {*kinds, *on_request} <= set(KINDS):
        raise ValueError(f"{path.name}: kind must be one or more of {', '.join(KINDS)}.")
    return FileLayout(
        name=path.stem,
        title=title,
        summary=summary,
        kinds=kinds,
        columns=tuple(columns.values()),
        query=sql,
        on_request=on_request,
        without=_names(found.get("without", [])),
        sources=tuple(found.get("source", [])),
        export=" ".join(found.get("export", [])),
        give=_names(found.get("give", [])),
        headerless=_names(found.get("headerless", [])),
        **{part: " ".join(found[part]) for part in _ONE_VALUE if part in found},
    )


def _columns(text: str, *, is_required: bool) -> list[LayoutColumn]:
    name, equals, headers = text.partition(" = ")
    if equals:
        return [LayoutColumn(name.strip(), tuple(header.strip() for header in headers.split(" | ")), is_required)]
    return [LayoutColumn(name, (name,), is_required) for name in _names([text])]


def _names(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.strip() for line in lines for name in line.split(",") if name.strip())


def is_known_header(fields: Sequence[str], mapping: Mapping[str, str]) -> bool:
    """Return whether the fields of a record are the header of a layout, of a contract, or of --map."""
    present = {normalized_header(field) for field in fields}
    literal_names = {field.strip().lower() for field in fields}
    if mapping:
        return all(normalized_header(source) in present for source in mapping.values())
    return any(
        all(_position(column, present) for column in layout.required) for layout in all_layouts().values()
    ) or any(not _missing_of_contract(contract, literal_names) for contract in CONTRACTS.values())


def headerless_columns(fields: Sequence[str]) -> list[str] | None:
    """Return the headers of the layout whose files come without a header and have this number of fields."""
    for layout in all_layouts().values():
        if len(layout.headerless) == len(fields) and layout.headerless:
            return list(layout.headerless)
    return None


def normalized_header(header: str) -> str:
    """Return a header for comparison: without case, marks of quoting, repeated separators and curly apostrophes."""
    text = unicodedata.normalize("NFKC", header).casefold().translate(_SAME).strip(" \ufeff\"'")
    return " ".join(text.split())


def match_layout(layout: FileLayout, columns: Iterable[str]) -> LayoutMatch:
    """Return which columns of the file are columns of the layout. Required ones may be missing."""
    present: dict[str, str] = {}
    for column in columns:
        present.setdefault(normalized_header(column), column)
    found: dict[str, str] = {}
    captured: dict[str, str] = {}
    for wanted in layout.columns:
        position = _position(wanted, present)
        if position:
            header, texts = position
            found[wanted.name] = present[header]
            captured |= texts
    return LayoutMatch(layout, found, {name: text for name, text in captured.items() if name not in found})


def _position(column: LayoutColumn, present: Collection[str]) -> tuple[str, dict[str, str]] | None:
    """Return the normalised header of the column among those of a file, and the texts that the header captures."""
    for pattern in _patterns(column):
        if isinstance(pattern, str):
            if pattern in present:
                return pattern, {}
            continue
        for header in present:
            found = pattern.fullmatch(header)
            if found:
                return header, {name: text.upper() for name, text in found.groupdict().items()}
    return None


@cache
def _patterns(column: LayoutColumn) -> list[str | re.Pattern[str]]:
    patterns: list[str | re.Pattern[str]] = []
    for header in column.headers:
        if "{" in header:
            # The name of a captured text keeps its underscores.
            names = re.findall(r"\{(\w+)\}", header)
            text = re.escape(normalized_header(re.sub(r"\{\w+\}", "\0", header)))
            for name in names:
                captured = "[a-z]{3}" if name == "currency" else "[^()]+"
                text = text.replace(re.escape("\0"), f"(?P<{name}>{captured})", 1)
            patterns.append(re.compile(text))
        else:
            patterns.append(normalized_header(header))
    return patterns


class Recognised(NamedTuple):
    """The kinds of rows that a file brings, and its layout; None if its columns are those of the contract."""

    kinds: tuple[str, ...]
    match: LayoutMatch | None


def recognise(
    source: SourceFile, kind: str | None, given: Collection[str], forced: str | None, *, with_layouts: bool
) -> Recognised | None:
    """Return the kinds and the layout of a file; None if none fits. ContractError if several fit equally.

    kind: the only kind that counts. given: columns of the contract that options give. forced: the name of the layout.
    """
    if forced is not None:
        return _forced(source, kind, forced)
    fits: list[tuple[tuple[int, bool, int], str, Recognised]] = []
    headers = {normalized_header(column) for column in source.columns}
    for layout in all_layouts().values() if with_layouts else ():
        if not headers.isdisjoint(map(normalized_header, layout.without)):
            continue
        kinds = layout.kinds_for(kind)
        match = match_layout(layout, source.columns)
        if kinds and layout.required and all(column.name in match.columns for column in layout.required):
            score = len(layout.required), layout.knows_platform, len(match.columns)
            fits.append((score, layout.name, Recognised(kinds, match)))
    present = {column.lower() for column in source.columns} | set(given)  # the names of a contract are literal
    for name, contract in CONTRACTS.items():
        if kind in (None, name) and not _missing_of_contract(contract, present):
            known = [column.name for column in contract.columns if column.name in present]
            required = len(_required_of_contract(contract))
            fits.append(((required, True, len(known)), f"the {name} contract", Recognised((name,), None)))
    if not fits:
        return None
    best = max(score for score, *_ in fits)
    equal = [(name, found) for score, name, found in fits if score == best]
    if len(equal) > 1:
        names = " and ".join(name for name, _ in equal)
        raise ContractError(
            f"{source.label}: the file fits {names} equally. Name the kind, such as `tributary import"
            f" {equal[0][1].kinds[0]} FILE`, or the layout with --layout."
        )
    found = equal[0][1]
    if found.match and found.match.layout.refuse:
        layout = found.match.layout
        raise ContractError(f"{source.label}: this is {layout.title}, {layout.summary} {layout.refuse}")
    return found


def _forced(source: SourceFile, kind: str | None, name: str) -> Recognised:
    layouts = all_layouts()
    if name not in layouts:
        raise ContractError(f"--layout {name}: unknown layout. {suggestion(name, layouts)}")
    layout = layouts[name]
    kinds = layout.kinds_for(kind)
    if not kinds:
        raise ContractError(
            f"--layout {name} is for {' and '.join(layout.kinds)}. Run: tributary import {layout.kinds[0]}"
            f" --layout {name} FILE"
        )
    match = match_layout(layout, source.columns)
    if source.columns:
        _check_complete(source, match)
    return Recognised(kinds, match)


def _check_complete(source: SourceFile, match: LayoutMatch) -> None:
    missing = [column for column in match.layout.required if column.name not in match.columns]
    if missing:
        names = ", ".join(" or ".join(column.headers[:3]) for column in missing)
        raise ContractError(
            f"{source.label}: not a {match.layout.name} file: it has no column {names}. {_how_to_export(match.layout)}"
            f"{source.shown_columns}"
        )


def nearest_layout(source: SourceFile, kind: str | None, given: Collection[str]) -> str | None:
    """Return a sentence about the layout that the file resembles most, and the columns that it lacks.

    None if it resembles no layout, or the contract of the kind more. given: columns of the contract that options give.
    """
    of_contract = 0.0
    if kind:
        contract = CONTRACTS[kind]
        present = {column.lower() for column in source.columns} | set(given)
        of_contract = 1 - len(_missing_of_contract(contract, present)) / len(_required_of_contract(contract))
    candidates: list[tuple[tuple[float, bool, int, int], LayoutMatch, list[LayoutColumn]]] = []
    for layout in all_layouts().values():
        if layout.kinds_for(kind) and layout.required:
            match = match_layout(layout, source.columns)
            missing = [column for column in layout.required if column.name not in match.columns]
            share = 1 - len(missing) / len(layout.required)
            if share >= _SIMILAR and share > of_contract:
                score = share, layout.knows_platform, len(layout.required), len(match.columns)
                candidates.append((score, match, missing))
    if not candidates:
        return None
    _, (layout, *_), missing = max(candidates, key=lambda candidate: candidate[0])
    names = ", ".join(" or ".join(column.headers[:3]) for column in missing)
    return (
        f"It resembles {layout.title} (layout {layout.name}), but has no column {names}. {_how_to_export(layout)}"
    ).strip()


def _how_to_export(layout: FileLayout) -> str:
    return f"Export it so: {layout.export} " if layout.export else ""


def _required_of_contract(contract: Contract) -> list[tuple[str, ...]]:
    """Return the required columns of a contract, each as the names of which a file has at least one."""
    required = [
        (column.name, *(alias for alias, meant in contract.aliases if meant == column.name))
        for column in contract.columns
        if column.required
    ]
    return [*required, contract.one_of] if contract.one_of else required


def _missing_of_contract(contract: Contract, present: Collection[str]) -> list[str]:
    return [names[0] for names in _required_of_contract(contract) if not any(name in present for name in names)]


def apply_layout(
    connection: Connection, match: LayoutMatch, kind: str, overrides: Mapping[str, str], where: str
) -> list[str]:
    """Create `source` from the temporary table `file`: rows of a kind. Return its columns.

    A row has `_file_row`, the rowid of its row in `file`, and the columns of _OF_ROW. overrides: column of the contract
    -> column of the file (--map), which takes precedence over the layout's. where: SQL condition on `_row` of `file`.
    """
    connection.execute(_MACROS.read_text(encoding="utf-8"))
    layout = match.layout
    selected = {name: quoted(column) for name, column in match.columns.items()}
    selected |= {name: literal(text) for name, text in match.captured.items()}
    selected |= {column.name: "null::varchar" for column in layout.columns if column.name not in selected}
    inner = ", ".join(f"{sql} as {quoted(name)}" for name, sql in selected.items())
    query = (
        f"with source as (select rowid as _row, {inner} from temp.file where {where.replace('_row', 'rowid')})"
        f" select * from (\n{layout.query}\n) as layout"
    )
    described = [name for name, *_ in connection.execute(f"describe {query}").fetchall()]
    columns = [name for name in described if name not in ("_row", "_kind", *_OF_ROW, *overrides)]
    texts = [f"nullif(trim(layout.{quoted(name)}::varchar), '') as {quoted(name)}" for name in columns]
    texts += [f"file.{quoted(source)} as {quoted(name)}" for name, source in overrides.items()]
    texts += [f"layout.{name}" if name in described else f"null::varchar as {name}" for name in _OF_ROW]
    join = "join temp.file as file on file.rowid = layout._row" if overrides else ""
    condition = f"where layout._kind = {literal(kind)}" if "_kind" in described else ""
    connection.execute(
        f"create temp table source as select layout._row as _file_row, {', '.join(texts)}"
        f" from ({query}) as layout {join} {condition}"
    )
    return [*columns, *overrides]
