"""What the importer says about a file -> the Scope in which its rows are read, or a ContractError that says what to do.

In: the columns of `source`, --map, --where, --org, --site, --timezone, --format. Out: SQL for each column of the
contract, and the temporary table `declared`: which org tributary.yaml declares for a site or an ad account.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from ingestion.event_types import BUILT_IN
from ingestion.files.contracts import CONTRACTS, Contract, ContractError
from ingestion.files.parse import Scope
from ingestion.files.read import Read
from ingestion.settings.model import Settings
from ingestion.sql import Connection, literal, quoted

FORMATS = {path.stem: path for path in sorted((Path(__file__).parent / "formats").glob("*.sql"))}


def id_columns(mapping: dict[str, str]) -> Callable[[str], bool]:
    """Whether a column of the file is an id: by its name, or because it is mapped to one."""
    mapped = {source.lower() for column, source in mapping.items() if column.endswith("_id")}
    return lambda column: column.lower() in mapped or column.lower().endswith("id")


def scope_of(
    connection: Connection,
    kind: str,
    source: Read,
    *,
    settings: Settings,
    mapping: dict[str, str],
    where: str | None,
    org: str | None,
    site: str | None,
    timezone: str | None,
    file_format: str | None,
) -> Scope:
    """Check what was said against the file, the contract and the settings."""
    contract = CONTRACTS[kind]
    known = [column.name for column in contract.columns]
    _check_options(kind, known, settings, org=org, site=site, timezone=timezone)
    _declare(connection, settings)
    columns = {name.lower(): name for name in source.columns}
    mapping = _aliases(contract, columns, mapping) | mapping
    for column, name in mapping.items():
        if column not in [*known, "properties"]:
            raise ContractError(f"--map {column}={name}: {kind} has no column {column}{_hint(column, known)}")
        if name.lower() not in columns:
            raise ContractError(
                f"{source.path}: --map {column}={name}: the file has no column {name}{_hint(name, source.columns)}."
                f" Its columns: {', '.join(source.columns)}"
            )
    relation = "(select rowid as _row, * from temp.source) as source"
    given = dict(columns)
    if file_format:
        relation, formatted = _format(connection, kind, source, file_format)
        given = {name: f"_{name}" for name in formatted}
    texts = {name: quoted(given[name]) for name in (*known, "properties") if name in given}
    texts |= {column: quoted(columns[name.lower()]) for column, name in mapping.items()}
    if site:
        texts["site_id"] = literal(site)
    properties = texts.pop("properties", None)
    if source.columns:
        _check_required(source, contract, texts, mapping)
        texts = dict.fromkeys((column.name for column in contract.columns if column.unless), "null::varchar") | texts
    else:  # an NDJSON file without a line has no columns to miss
        texts = dict.fromkeys(known, "null::varchar")
    consumed = {name.lower() for name in mapping.values()} | {*known, "properties"}
    extras = {} if file_format else {name: quoted(name) for name in source.columns if name.lower() not in consumed}
    in_scope = _in_scope(connection, source, where) if where else "true"
    has_default = any(entry.id == "default" for entry in settings.orgs)
    return Scope(
        contract, texts, extras, properties, relation, in_scope, org, timezone, has_default, known_types(settings)
    )


def scope_of_rows(connection: Connection, kind: str, columns: list[str], settings: Settings) -> Scope:
    """Rows of a contract in a `source` with two columns more: _landed_org and _landed_site, which a row may lack."""
    contract = CONTRACTS[kind]
    _declare(connection, settings)
    known = {column.name for column in contract.columns}
    given = {name.lower(): name for name in columns}
    aliases = _aliases(contract, given, {})
    required = [column.name for column in contract.columns if column.required]
    texts = dict.fromkeys((*contract.one_of, *required), "null::varchar")
    texts |= {name: quoted(given[name]) for name in (*known, "properties") if name in given}
    texts |= {column: quoted(name) for column, name in aliases.items()}
    properties = texts.pop("properties", None)
    if "site_id" in known:
        texts["site_id"] = f"coalesce({texts.get('site_id', 'null')}, _landed_site)"
    consumed = {*known, "properties", *aliases.values()}
    extras = {name: quoted(name) for name in columns if name.lower() not in consumed and name not in consumed}
    relation = "(select rowid as _row, * from temp.source)"
    has_default = any(entry.id == "default" for entry in settings.orgs)
    return Scope(
        contract,
        texts,
        extras,
        properties,
        relation,
        "true",
        None,
        None,
        has_default,
        known_types(settings),
        row_org="_landed_org",
    )


def known_types(settings: Settings) -> tuple[str, ...]:
    """The event types that are known, those of tributary.yaml included."""
    return (*BUILT_IN, *(declared.type for declared in settings.event_types))


def _aliases(contract: Contract, columns: dict[str, str], mapping: dict[str, str]) -> dict[str, str]:
    """Column -> the file's column, of headers that are other names of columns which the file lacks."""
    return {
        column: columns[alias]
        for alias, column in contract.aliases
        if alias in columns and column not in columns and column not in mapping
    }


def _check_options(
    kind: str, known: list[str], settings: Settings, *, org: str | None, site: str | None, timezone: str | None
) -> None:
    orgs = [entry.id for entry in settings.orgs]
    if org and org not in orgs:
        raise ContractError(
            f"--org {org}: tributary.yaml has no such org{_hint(org, orgs)}. Its orgs: {', '.join(orgs)}"
        )
    if org and kind == "exchange-rates":
        raise ContractError("--org: exchange rates belong to no org")
    if site and "site_id" not in known:
        raise ContractError(f"--site: {kind} belongs to no site")
    if timezone:
        try:
            ZoneInfo(timezone)
        except (KeyError, ValueError, OSError):
            raise ContractError(f"--timezone {timezone}: not an IANA time zone such as Europe/Berlin") from None


def _declare(connection: Connection, settings: Settings) -> None:
    rows = [(site.id, None, None, site.org) for site in settings.sites]
    rows += [(None, account.platform, account.account_id, account.org) for account in settings.ad_accounts]
    connection.execute(
        "create or replace temp table declared (site_id varchar, platform varchar, account_id varchar, org_id varchar)"
    )
    if rows:
        connection.executemany("insert into declared values (?, ?, ?, ?)", rows)


def _check_required(source: Read, contract: Contract, texts: dict[str, str], mapping: dict[str, str]) -> None:
    missing = [
        column.name
        for column in contract.columns
        if column.required and column.name not in texts and not (column.unless and column.unless[0] in texts)
    ]
    if contract.one_of and not any(name in texts for name in contract.one_of):
        missing.append(contract.one_of[0])
    if not missing:
        return
    name = missing[0]
    either = f" (or {' or '.join(contract.one_of[1:])})" if name in contract.one_of else ""
    free = [column for column in source.columns if column not in mapping.values()]
    close = _close(name, free)
    separator = " Is the separator really a comma?" if len(source.columns) == 1 and source.layout.kind == "csv" else ""
    raise ContractError(
        f"{source.path}: required column {', '.join(missing)}{either} is missing."
        f" If it has another name in the file, say so: --map {name}={close or 'its_name_in_the_file'}."
        f" The file's columns: {', '.join(source.columns)}.{separator}"
    )


def _format(connection: Connection, kind: str, source: Read, name: str) -> tuple[str, list[str]]:
    """The relation of a known layout: the file's columns, and the contract's under a leading underscore."""
    if name not in FORMATS:
        raise ContractError(f"--format {name}: unknown{_hint(name, list(FORMATS))}. Known: {', '.join(FORMATS)}")
    if kind != "events":
        raise ContractError(f"--format {name} brings events: tributary import events --format {name} FILE")
    sql = FORMATS[name].read_text()
    used: dict[str, list[str]] = {"required": [], "optional": []}
    for part, names in re.findall(r"^-- (required|optional): (.*)$", sql, re.M):
        used[part] += re.findall(r"\w+", names)
    present = {column.lower() for column in source.columns}
    missing = [column for column in used["required"] if column.lower() not in present]
    if missing and source.columns:
        raise ContractError(
            f"{source.path}: not a {name} file: it has no column {', '.join(missing)}."
            f" Its columns: {', '.join(source.columns)}"
        )
    absent = [c for c in {*used["required"], *used["optional"]} if c.lower() not in present]
    nulls = "".join(f", null::varchar as {quoted(column)}" for column in sorted(absent))
    body = f"with source as (select rowid as _row, *{nulls} from temp.source) select * from ({sql})"
    columns = [row[0] for row in connection.execute(f"describe {body}").fetchall() if row[0] != "_row"]
    renamed = ", ".join(f'nullif(trim(formatted."{column}"), \'\') as "_{column}"' for column in columns)
    return (
        f"(select file.rowid as _row, file.*, {renamed} from ({body}) as formatted"
        f" join temp.source as file on file.rowid = formatted._row) as source"
    ), columns


def _in_scope(connection: Connection, source: Read, where: str) -> str:
    """SQL for the rows that meet the condition. A column whose every value is a number is compared as one."""
    mentioned = [column for column in source.columns if column.lower() in where.lower()]
    numeric = []
    if mentioned:
        tests = ", ".join(
            f"bool_and(try_cast({quoted(c)} as double) is not null) filter ({quoted(c)} is not null)" for c in mentioned
        )
        found = connection.execute(f"select {tests} from temp.source").fetchone() or ()
        numeric = [column for column, is_number in zip(mentioned, found, strict=True) if is_number]
    replace = ", ".join(f"try_cast({quoted(c)} as double) as {quoted(c)}" for c in numeric)
    columns = f"* replace ({replace})" if replace else "*"
    query = f"select _row from (select rowid as _row, {columns} from temp.source) as file where (\n{where}\n)"
    try:
        if len(connection.extract_statements(query)) != 1:
            raise ContractError(f"--where {where}: one condition is wanted, not several statements")
        connection.execute(f"create or replace temp table in_scope as {query}")
    except duckdb.Error as error:
        problem = str(error).split("\n\nLINE")[0].strip()
        raise ContractError(
            f"{source.path}: --where {where}: {problem}. The file's columns: {', '.join(source.columns)}"
        ) from None
    return "_row in (select _row from temp.in_scope)"


def _close(name: str, names: list[str]) -> str | None:
    lower = {candidate.lower(): candidate for candidate in names}
    close = get_close_matches(name.lower(), lower, 1, 0.6) or [
        c for c in lower if c in name.lower() or name.lower() in c
    ]
    return lower[close[0]] if close else None


def _hint(name: str, names: list[str]) -> str:
    close = _close(name, names)
    return f": do you mean {close}?" if close else ""
