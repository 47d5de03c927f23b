"""`source` -> `typed`: the row contract, as SQL built from ingestion/files/contracts.py.

In: the temporary table `source` (text columns, see ingestion/files/read.py) and what the importer said about it.
Out: `typed`, one row for each row in scope: the raw table's columns, `_content_hash`, `_row` (of `source`) and `_ok`;
`violations` gives the query for the rows that are not: their reasons and the row as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ingestion.files.contracts import Column, Contract, platform_aliases
from ingestion.files.row_checks import BAD_PROPERTIES, LOCAL, checks_of
from ingestion.sql import literal, quoted

_DECIMAL = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$"
_ZONED = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)? ?(UTC|[+-]\d{2}(:?\d{2})?)$"
_MIDNIGHT = r"^\d{4}-\d{2}-\d{2}([T ]00:00(:00(\.0+)?)?Z?)?$"
_DECIMAL_OF = "case when regexp_matches({t}, '" + _DECIMAL + "') then try_cast({t} as {type}) end"

# Sums of a million of them still fit the types of the marts.
_BELOW_1E12 = "case when abs({value}) < 1e12 then {value} end"

_ALIASES = f"map {{{', '.join(f'{literal(a)}: {literal(p)}' for a, p in platform_aliases().items())}}}"

# Text -> value, null where the text is none. Money: 18 digits, 6 of them decimals, hold everything below 1e12 exactly.
_VALUES = {
    "text": "{t}",
    "name": "lower({t})",
    "platform": f"coalesce({_ALIASES}[lower({{t}})], lower({{t}}))",
    "event": "case when upper({t}) in {event_types} then upper({t}) end",
    "status": "case when lower({t}) in ('pending', 'approved', 'rejected') then lower({t}) end",
    "date": "case when regexp_matches({t}, '" + _MIDNIGHT + "') then try_cast(left({t}, 10) as date) end",
    "money": "((" + _DECIMAL_OF.replace("{type}", "decimal(18, 6)") + ")::decimal(26, 6) * 1000000)::bigint",
    "currency": "case when regexp_matches({t}, '^[A-Za-z]{3}$') then upper({t}) end",
    "count": _BELOW_1E12.replace(
        "{value}", r"case when regexp_matches({t}, '^\d+(\.0*)?$') then try_cast(split_part({t}, '.', 1) as bigint) end"
    ),
    "number": _BELOW_1E12.replace("{value}", _DECIMAL_OF.replace("{type}", "double")),
    "level": "case when lower({t}) in ('account', 'campaign', 'adset') then lower({t}) end",
    "basis": "case when lower({t}) in ('period', 'conversion') then lower({t}) end",
    "rate": "nullif(greatest(" + _DECIMAL_OF.replace("{type}", "decimal(18, 9)") + ", 0), 0)",
}


class Scope(NamedTuple):
    """How the rows of one file are to be read."""

    contract: Contract
    texts: dict[str, str]  # contract column -> SQL of its text over `relation`; what is absent is null
    extras: dict[str, str]  # name -> SQL of the text of a column that the contract does not know
    properties: str | None  # SQL of a JSON object, merged with the extras
    relation: str  # has _row
    where: str  # SQL over `relation`
    org: str | None
    timezone: str | None
    has_default_org: bool
    event_types: tuple[str, ...]
    row_org: str | None = None  # SQL over `relation` where rows bring their org: it counts where none is declared


def typed(scope: Scope) -> str:
    """The query of `typed`."""
    contract = scope.contract
    columns = [name for name, _ in _values(scope)]
    content = content_hash({name: name for name in (*columns, "properties")}, contract)
    id_ = contract.derived_id
    stored = [f"coalesce({name}, _content_hash) as {name}" if name == id_ else name for name in columns]
    return f"""
        with {_parsed(scope)}, hashed as (
            select _row, not ({" or ".join(bad for _, bad, _ in checks_of(scope))}) as _ok,
                {", ".join(columns)}, properties, {content} as _content_hash
            from parsed
        )
        select _row, _ok, {", ".join(stored)}, properties, _content_hash from hashed
    """


def content_hash(values: Mapping[str, str], contract: Contract) -> str:
    """SQL of the hash of a row's content, given the SQL of its columns in order.

    A JSON list: no two contents read the same. An absent column reads like an empty one, and one that came later leaves
    no trace where it is empty: what an earlier version loaded is still the same row.
    """
    first = ", ".join(f"({sql})::varchar" for name, sql in values.items() if name not in contract.added)
    added = "".join(f", {literal(f',{name}:')} || to_json({values[name]})::varchar" for name in contract.added)
    return f"md5(concat(to_json([{first}])::varchar{added}))"


def violations(scope: Scope, source_columns: list[str]) -> str:
    """The query of the rows that break the contract: _row, org_id, reason (the first), detail (all), payload."""
    checks = checks_of(scope)
    reason = "\n".join(f"when {bad} then {literal(code)}" for code, bad, _ in checks)
    detail = ",\n".join(f"case when {bad} then {sentence} end" for _, bad, sentence in checks)
    row = ", ".join(f"{literal(name)}, {sql}" for name, sql in _members(scope, source_columns))
    return f"""
        with {_parsed(scope)}, broken as (
            select _row, {"org_id" if "org_id" in dict(_values(scope)) else "null"} as _org,
                {"t_site_id" if "site_id" in scope.texts else "null"} as _site,
                case {reason} end as _reason, concat_ws('; ', {detail}) as _detail
            from parsed
            where {" or ".join(bad for _, bad, _ in checks)}
        )
        select _row, _org as org_id, _reason as reason, _detail as detail,
            json_merge_patch('{{}}', json_object({row}))::varchar as payload
        from broken join temp.source on source.rowid = _row
    """


def _members(scope: Scope, source_columns: list[str]) -> list[tuple[str, str]]:
    """A broken row as it came: name -> SQL over `source`; what was mapped, and its site, under the contract's name.

    So it means the same when it goes through again, without what the importer said.
    """
    texts = scope.texts | ({"properties": scope.properties} if scope.properties else {})
    found = {quoted(name): name for name in source_columns}
    given = {column: sql for column, sql in texts.items() if sql in found and found[sql].lower() != column}
    said = texts.get("site_id", "")
    site = [("site_id", "_site")] if said.startswith("'") or said.endswith("_landed_site)") else []
    gone = {*given, *(found[sql].lower() for sql in given.values()), *(name for name, _ in site)}
    gone -= {column for column, sql in texts.items() if column not in given and sql in found}  # it is that, too
    kept = [(name, f"source.{quoted(name)}") for name in source_columns if name.lower() not in gone]
    return [*kept, *((column, f"source.{sql}") for column, sql in given.items()), *site]


def _parsed(scope: Scope) -> str:
    """CTEs: the texts beside the values made of them, and the org."""
    texts = ",\n".join(f"{sql} as t_{name}" for name, sql in scope.texts.items())
    values = ",\n".join(f"{sql} as {name}" for name, sql in _values(scope))
    declared = _declared(scope)
    join = f"left join declared on {declared}" if declared else "left join (select null as org_id) as declared on false"
    return f"""
        texts as (
            select _row, {texts}, {scope.properties or "null"} as t_properties, {_extras(scope)} as extras,
                {scope.row_org or "null"} as row_org
            from {scope.relation} where {scope.where}
        ),
        parsed as (
            select texts.*, declared.org_id as declared_org, {values},
                case when t_properties is null then nullif(extras, '{{}}')
                    when {BAD_PROPERTIES} then null
                    else nullif({sorted_members("t_properties", "extras")}, '{{}}') end as properties
            from texts {join}
        )
    """


def sorted_members(*objects: str) -> str:
    """SQL of JSON objects as one, its members in the order of their names: the same content has the same hash."""
    return f"""(list_transform([json_merge_patch('{{}}', {", ".join(objects)})], lambda o:
        '{{' || array_to_string(list_transform(list_distinct(json_keys(o)).list_sort(),
            lambda k: to_json(k) || ':' || json_extract(o, '/' || replace(replace(k, '~', '~0'), '/', '~1'))
        ), ',') || '}}')[1])"""


def _extras(scope: Scope) -> str:
    """Columns that no contract knows, as JSON: text, or the JSON that the text is. The same in every file format."""
    if not scope.extras:
        return "'{}'"
    members = ", ".join(
        f"{literal(name)}, case when left({sql}, 1) in ('{{', '[') and json_valid({sql})"
        f" then {sql}::json else to_json({sql}) end"
        for name, sql in sorted(scope.extras.items())
    )
    return f"json_merge_patch('{{}}', json_object({members}))::varchar"


def _values(scope: Scope) -> list[tuple[str, str]]:
    """Raw column -> SQL over `texts` and `declared`."""
    contract = scope.contract
    org = literal(scope.org) if scope.org else "coalesce(declared.org_id, row_org, 'default')"
    return ([("org_id", org)] if "org_id" in contract.key else []) + [
        (column.stored, _read(column, scope)) for column in contract.columns
    ]


def _read(column: Column, scope: Scope) -> str:
    return _value(column, scope) if column.name in scope.texts else _default(column, scope)


def _default(column: Column, scope: Scope) -> str:
    if column.same_as:
        return _read(next(each for each in scope.contract.columns if each.name == column.same_as), scope)
    return literal(column.default) if column.default else f"null::{_SQL_TYPES.get(column.type, 'varchar')}"


_SQL_TYPES = {"instant": "timestamp", "date": "date", "money": "bigint", "count": "bigint", "number": "double"}


def _value(column: Column, scope: Scope) -> str:
    text = f"t_{column.name}"
    if column.type == "instant":
        return _instant(text, scope.timezone)
    value = _VALUES[column.type].replace("{t}", text).replace("{event_types}", str(scope.event_types))
    if column.default or column.same_as:
        # What is there and no such value stays null: it fails.
        return f"if({text} is null, {_default(column, scope)}, {value})"
    return value


def _instant(text: str, timezone: str | None) -> str:
    moment = f"try_cast({text} as timestamp)"
    local = f"when regexp_matches({text}, '{LOCAL}') then timezone('UTC', timezone({literal(timezone)}, {moment}))"
    return f"""case
        when right({text}, 1) = 'Z' then {moment}
        when regexp_matches({text}, '{_ZONED}')
            then timezone('UTC', try_cast(replace({text}, ' UTC', 'Z') as timestamptz))
        {local if timezone else ""} end"""


def _declared(scope: Scope) -> str | None:
    """How a row finds the org that tributary.yaml declares for it: by its site or its ad account."""
    if scope.contract.table in ("raw.ad_spend", "raw.fees"):
        values = dict(_values(scope))
        return f"declared.platform = {values['platform']} and declared.account_id = {values['account_id']}"
    return "declared.site_id = t_site_id" if "site_id" in scope.texts else None
