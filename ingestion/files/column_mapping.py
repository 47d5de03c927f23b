"""Map the columns of a file to the columns of a contract.

In: the columns of the temporary table `source`, the options of an import, and tributary.yaml.
Out: a ReadPlan, or a ContractError; the temporary table `declared_orgs`, the org of each declared site and ad account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import duckdb

from ingestion.event_types import BUILT_IN
from ingestion.files.contracts import CONTRACTS, Contract, ContractError
from ingestion.files.layouts import ROW_TIMEZONE, LayoutMatch
from ingestion.files.periods import Period, find_period
from ingestion.files.read import SourceFile
from ingestion.files.refund_statements import REFUND_AMOUNTS, refund_statements
from ingestion.files.row_filter import select_rows
from ingestion.settings.model import Settings
from ingestion.sql import Connection, literal, quoted
from ingestion.text import nearest, suggestion, zone_advice

# Of the archive, beside those of the contract.
ARCHIVE_COLUMNS = ("_row_org", "_row_site", "_whole_refund", "_partial_refund", "_reject")
_RELATION = "(select rowid as _row, * from temp.source) as source"


class ImportOptions(NamedTuple):
    """How the user wants a file to be read. Each field is an option of `tributary import`."""

    mapping: Mapping[str, str] = {}  # --map: contract column -> column of the file
    constants: Mapping[str, str] = {}  # --set: contract column -> value of every row
    where: str | None = None  # SQL condition on the file's columns; other rows are not received
    org: str | None = None
    site: str | None = None
    timezone: str | None = None  # IANA zone of times without one
    layout: str | None = None  # name of a file in formats/; null: recognise it
    partial: bool = False  # spend: load the rows that are right although others fail
    sum: bool = False  # spend: add up rows with one key
    spread: bool = False  # spend: divide rows of periods over their days
    decimal: str | None = None  # point or comma: the decimal mark of all numbers; null: the columns decide
    dayfirst: bool | None = None  # whether the day comes before the month in dates such as 7/8/2026; null: likewise


class ReadPlan(NamedTuple):
    """How to read the rows of `source` as rows of a contract."""

    kind: str
    contract: Contract
    source_columns: list[str]
    texts: dict[str, str]  # contract column -> SQL of its text over `relation`; a column without one is null
    extras: dict[str, str]  # column that the contract does not know -> SQL of its text
    properties: str | None  # SQL of a JSON object, merged with the extras
    has_default_org: bool
    event_types: tuple[str, ...]
    relation: str = _RELATION  # it has the column _row
    where: str = "true"  # SQL over `relation`
    org: str | None = None
    timezone: str | None = None
    rejects_unknown_sites: bool = False  # that tributary.yaml lacks
    # Files with a refunded amount: SQL over `relation` of whether the row states that all of an order, or a part, goes
    # back. A blank amount of other rows is no refund. None: a refund without an amount covers the whole order.
    is_whole_refund: str | None = None
    is_partial_refund: str | None = None
    row_timezone: str | None = None  # SQL over `relation` of the IANA zone of the row's times without one
    row_rejection: str | None = None  # SQL over `relation` of why the row fails whatever its values are; or null
    row_org: str | None = None  # SQL over `relation` of the row's own org, used if no org is declared for the row
    latest_day: date = date.max  # later rows fail
    period: Period | None = None  # spend: how a row states its first and last day
    is_spread: bool = False  # rows of periods are divided over their days
    rejects_equal_rows: bool = False  # two rows with one content are ambiguous; else they are duplicates
    file_columns: tuple[str, ...] = ()  # of the temporary table `file`, if a layout reads its rows
    # Columns of the contract, or end_date, whose plain decimals and ISO texts are in temp.canonical_<column>
    rewritten: frozenset[str] = frozenset()


def id_columns(mapping: Mapping[str, str]) -> Callable[[str], bool]:
    """Return a function: is a column of the file an id, by its name or because it is mapped to one?"""
    mapped = {source.lower() for column, source in mapping.items() if column.endswith("_id")}
    return lambda column: column.lower() in mapped or column.lower().endswith("id")


def plan_file(
    connection: Connection,
    kind: str,
    source: SourceFile,
    settings: Settings,
    options: ImportOptions,
    *,
    layout: LayoutMatch | None = None,
) -> ReadPlan:
    """Check the options against the file, the contract and tributary.yaml, and return the plan of the file.

    layout: what reads the file. Then `source` has its rows and columns, and `file` those of the file.
    """
    contract = CONTRACTS[kind]
    known = [column.name for column in contract.columns]
    _check_options(kind, known, settings, options)
    _create_declared_orgs(connection, settings)
    columns = {name.lower(): name for name in source.columns}
    mapping: dict[str, str] = {}
    if not layout:
        mapping = _aliases(contract, columns, options.mapping) | dict(options.mapping)
        _check_mapping(kind, [*known, *(["end_date"] if contract.adds_up else [])], source, mapping)
    period = _map_period(contract, columns, mapping)
    texts = {name: quoted(columns[name]) for name in (*known, "properties") if name in columns}
    texts |= {column: quoted(columns[name.lower()]) for column, name in mapping.items()}
    texts |= {name: literal(value) for name, value in options.constants.items() if name in known}
    if options.site and "site_id" in known:
        texts["site_id"] = literal(options.site)
    properties = texts.pop("properties", None)
    if source.columns:
        _check_required(source, contract, texts, mapping)
        texts = dict.fromkeys((column.name for column in contract.columns if column.unless), "null::varchar") | texts
    else:  # an NDJSON file without a line has no columns to miss
        texts = dict.fromkeys(known, "null::varchar")
    used = {name.lower() for name in mapping.values()} | {*known, "properties"}
    if contract.adds_up:
        used.add("end_date")
    is_whole, is_partial = _refund_statements(kind, texts, columns, has_layout=layout is not None)
    return ReadPlan(
        kind=kind,
        contract=contract,
        source_columns=source.columns,
        texts=texts,
        extras={name: quoted(name) for name in source.columns if name.lower() not in used},
        properties=properties,
        has_default_org=_has_default_org(settings),
        event_types=known_types(settings),
        where=selected_rows(connection, source, options.where) if options.where and not layout else "true",
        org=options.org,
        timezone=options.timezone,
        rejects_unknown_sites=settings.files.unknown_sites == "reject",
        is_whole_refund=is_whole if any(name in texts for name in REFUND_AMOUNTS) else None,
        is_partial_refund=is_partial,
        row_timezone=ROW_TIMEZONE if layout else None,
        row_rejection="_reject" if layout else None,
        latest_day=_latest_day(),
        period=period,
        is_spread=options.spread,
        rejects_equal_rows=contract.adds_up,
    )


def _refund_statements(
    kind: str, texts: Mapping[str, str], columns: Mapping[str, str], *, has_layout: bool
) -> tuple[str | None, str | None]:
    """Return SQL of whether a row refunds a whole order, and a part. The query of a layout returns refunds only."""
    if not has_layout:
        return refund_statements(kind, texts, columns)
    _, is_partial = refund_statements(kind, texts, {})
    return is_partial and f"not ({is_partial})", is_partial


def plan_rows(connection: Connection, kind: str, columns: list[str], settings: Settings) -> ReadPlan:
    """Return the plan of rows that follow a contract already, such as those of webhooks and pulls.

    columns: of `source`, which has two more: _row_org and, for kinds with a site, _row_site. Both may be null.
    """
    contract = CONTRACTS[kind]
    _create_declared_orgs(connection, settings)
    known = {column.name for column in contract.columns}
    given = {name.lower(): name for name in columns}
    aliases = _aliases(contract, given, {})
    required = [column.name for column in contract.columns if column.required]
    texts = dict.fromkeys((*contract.one_of, *required), "null::varchar")
    texts |= {name: quoted(given[name]) for name in (*known, "properties") if name in given}
    texts |= {column: quoted(name) for column, name in aliases.items()}
    properties = texts.pop("properties", None)
    if "site_id" in known:
        texts["site_id"] = f"coalesce({texts.get('site_id', 'null')}, _row_site)"
    used = {*known, "properties", *aliases.values()}
    return ReadPlan(
        kind=kind,
        contract=contract,
        source_columns=columns,
        texts=texts,
        extras={name: quoted(name) for name in columns if name.lower() not in used and name not in used},
        properties=properties,
        has_default_org=_has_default_org(settings),
        event_types=known_types(settings),
        rejects_unknown_sites=settings.files.unknown_sites == "reject",
        row_org="_row_org",
        latest_day=_latest_day(),
        period=_map_period(contract, given, {}),
    )


def plan_archived(connection: Connection, kind: str, columns: list[str], settings: Settings) -> ReadPlan:
    """Return the plan of rows that `archived_rows_sql` wrote. columns: of `source`."""
    plan = plan_rows(connection, kind, [name for name in columns if name not in ARCHIVE_COLUMNS], settings)
    site = next((name for name in columns if name.lower() == "site_id"), None)
    return plan._replace(
        texts=plan.texts | ({"site_id": quoted(site)} if site else {}),
        is_whole_refund="_whole_refund = 'true'" if "_whole_refund" in columns else None,
        is_partial_refund="_partial_refund = 'true'" if "_partial_refund" in columns else None,
        row_rejection="_reject" if "_reject" in columns else None,
    )


def _latest_day() -> date:
    """Return the day after today (UTC): in some time zone, today is that day already."""
    return datetime.now(UTC).date() + timedelta(days=1)


def _map_period(contract: Contract, columns: Mapping[str, str], mapping: dict[str, str]) -> Period | None:
    """Return how rows of spend state their period; map the date to its column if only a period's header names it."""
    if not contract.adds_up:
        return None
    end = mapping.pop("end_date", None)
    start = mapping.get("date") or columns.get("date")
    found, period = find_period(list(columns.values()), start, end and columns[end.lower()])
    if found and not start:
        mapping["date"] = found
    return period


def known_types(settings: Settings) -> tuple[str, ...]:
    """Return the built-in event types and those of tributary.yaml."""
    return (*BUILT_IN, *(declared.type for declared in settings.event_types))


def _has_default_org(settings: Settings) -> bool:
    return any(entry.id == "default" for entry in settings.orgs)


def _aliases(contract: Contract, columns: dict[str, str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Return column -> the file's column, for headers that are other names of columns which the file lacks."""
    return {
        column: columns[alias]
        for alias, column in contract.aliases
        if alias in columns and column not in columns and column not in mapping
    }


def _check_options(kind: str, known: list[str], settings: Settings, options: ImportOptions) -> None:
    orgs = [entry.id for entry in settings.orgs]
    if options.org and options.org not in orgs:
        raise ContractError(f"--org {options.org}: tributary.yaml has no such org. {suggestion(options.org, orgs)}")
    if options.org and kind == "exchange-rates":
        raise ContractError("--org: exchange rates belong to no org. Leave the option out.")
    for name in ("partial", "sum", "spread"):
        if getattr(options, name) and kind != "spend":
            raise ContractError(f"--{name}: only spend has this option. Leave it out for {kind}.")
    if options.site and "site_id" not in known:
        raise ContractError(f"--site: {kind} belongs to no site. Leave the option out.")
    for name in options.constants:
        if name not in known:
            raise ContractError(f"--set {name}=…: {kind} has no column {name}. {suggestion(name, known)}")
    sites = [entry.id for entry in settings.sites]
    if options.site and options.site not in sites:
        advice = suggestion(options.site, sites) if sites else "Add it under sites."
        raise ContractError(f"--site {options.site}: tributary.yaml has no such site. {advice}")
    if options.decimal not in (None, "point", "comma"):
        raise ContractError(f"--decimal {options.decimal}: no decimal mark. Use point or comma.")
    if options.timezone:
        try:
            ZoneInfo(options.timezone)
        except (KeyError, ValueError, OSError):
            raise ContractError(
                f"--timezone {options.timezone}: not an IANA time zone. {zone_advice(options.timezone)}"
            ) from None


def _check_mapping(kind: str, known: list[str], source: SourceFile, mapping: Mapping[str, str]) -> None:
    present = {name.lower() for name in source.columns}
    for column, name in mapping.items():
        if column not in [*known, "properties"]:
            raise ContractError(f"--map {column}={name}: {kind} has no column {column}. {suggestion(column, known)}")
        if name.lower() not in present:
            close = nearest(name, source.names)
            advice = f"Do you mean {close}?" if close else source.shown_columns
            raise ContractError(f"{source.label}: --map {column}={name}: the file has no column {name}. {advice}")


def _check_required(
    source: SourceFile, contract: Contract, texts: Mapping[str, str], mapping: Mapping[str, str]
) -> None:
    optional = {column.name for column in contract.columns if not column.required and column.name in texts}
    missing = [
        column.name
        for column in contract.columns
        if column.required and column.name not in texts and not (column.unless and column.unless[0] in optional)
    ]
    if contract.one_of and not any(name in texts for name in contract.one_of):
        missing.append(contract.one_of[0])
    if not missing:
        return
    name = missing[0]
    either = f" (or {' or '.join(contract.one_of[1:])})" if name in contract.one_of else ""
    free = [column for column in source.names if column not in mapping.values()]
    close = nearest(name, free)
    is_single = len(source.columns) == 1 and source.dialect.kind == "csv"
    separator = " Its separator is neither a comma, semicolon, tab nor pipe." if is_single else ""
    raise ContractError(
        f"{source.label}: required column{'s' * (len(missing) > 1)} {', '.join(missing)}{either}"
        f" {'are' if len(missing) > 1 else 'is'} missing."
        f" If the file has it under another name, map it: --map {name}={close or 'its_name_in_the_file'}."
        f" {source.shown_columns}{separator}"
    )


def _create_declared_orgs(connection: Connection, settings: Settings) -> None:
    rows: list[tuple[str | None, str | None, str | None, str]]
    rows = [(site.id, None, None, site.org) for site in settings.sites]
    rows += [(None, account.platform, account.account_id, account.org) for account in settings.ad_accounts]
    connection.execute(
        "create or replace temp table declared_orgs"
        " (site_id varchar, platform varchar, account_id varchar, org_id varchar)"
    )
    if rows:
        connection.executemany(
            "insert into declared_orgs (site_id, platform, account_id, org_id) values (?, ?, ?, ?)", rows
        )


def selected_rows(connection: Connection, source: SourceFile, where: str) -> str:
    """Create `selected_rows`, and return SQL for the rows of `source` that meet --where.

    It compares a column as numbers if every value is a number.
    """
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
    try:
        select_rows(connection, columns, where)
    except (duckdb.Error, ValueError) as error:
        problem = str(error).splitlines()[0]
        if not isinstance(error, (ValueError, duckdb.ParserException, duckdb.BinderException)):
            problem = f"a value of the file does not fit the condition ({problem.partition(':')[0]})"
        raise ContractError(f"{source.label}: --where {where}: {problem}. {source.shown_columns}") from None
    return "_row in (select _row from temp.selected_rows)"
