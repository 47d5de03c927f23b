"""Read the texts of a row as values of a contract's columns.

In: a ReadPlan (ingestion/files/column_mapping.py). Out: SQL over the texts `t_<column>`: a value, or null if the text
has none.
"""

from __future__ import annotations

from ingestion.files.column_mapping import ReadPlan
from ingestion.files.contracts import Column, platform_aliases
from ingestion.files.id_spellings import account_sql, entity_sql, id_sql
from ingestion.files.periods import start_sql
from ingestion.files.refund_statements import REFUND_AMOUNTS
from ingestion.sql import literal

_DECIMAL = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$"
_ZONED = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)? ?(UTC|GMT|Z|z|[+-]\d{2}(:?\d{2})?)$"
LOCAL = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?$"
_MIDNIGHT = r"^\d{4}-\d{2}-\d{2}([T ]00:00(:00(\.0+)?)?Z?)?$"
EARLIEST, LATEST = "'1970-01-01'::timestamp", "'2199-12-31 23:59:59'::timestamp"  # beyond: a defect, infinity
_AS_DECIMAL = "case when regexp_matches({t}, '" + _DECIMAL + "') then try_cast({t} as {type}) end"
# 3.000 is 3 or 3000.
_AS_COUNT = (
    r"case when regexp_matches({t}, '^\d+(\.0*)?$') and not regexp_matches({t}, '^[1-9]\d{0,2}\.000$')"
    r" then try_cast(split_part({t}, '.', 1) as bigint) end"
)

# Sums of a million of them still fit the types of the marts.
_BELOW_1E12 = "case when abs({value}) < 1e12 then {value} end"

_ALIASES = f"map {{{', '.join(f'{literal(a)}: {literal(p)}' for a, p in platform_aliases().items())}}}"

# Text -> value, or null if the text has none. Money: 18 digits, 6 of them decimals, hold everything below 1e12 exactly.
_VALUES = {
    "text": "{t}",
    "id": "real_id({t})",
    "account": "{t}",
    "entity": "{t}",
    "name": "lower({t})",
    "address": "ascii_address({t})",
    "platform": f"coalesce({_ALIASES}[lower({{t}})], lower({{t}}))",
    "event": "case when upper({t}) in {event_types} then upper({t}) end",
    "status": "case when lower({t}) in ('pending', 'approved', 'rejected') then lower({t}) end",
    "date": "case when regexp_matches({t}, '" + _MIDNIGHT + "') then try_cast(left({t}, 10) as date) end",
    "money": "((" + _AS_DECIMAL.replace("{type}", "decimal(18, 6)") + ")::decimal(26, 6) * 1000000)::bigint",
    "currency": "case when regexp_matches({t}, '^[A-Za-z]{3}$') then upper({t}) end",
    "count": _BELOW_1E12.replace("{value}", _AS_COUNT),
    "number": _BELOW_1E12.replace("{value}", _AS_DECIMAL.replace("{type}", "double")),
    "level": "case when lower({t}) in ('account', 'campaign', 'adset') then lower({t}) end",
    "basis": "case when lower({t}) in ('period', 'conversion') then lower({t}) end",
    "rate": "nullif(greatest(" + _AS_DECIMAL.replace("{type}", "decimal(18, 9)") + ", 0), 0)",
}
_SQL_TYPES = {"instant": "timestamp", "date": "date", "money": "bigint", "count": "bigint", "number": "double"}
# A row of spend with a placeholder here is a part of its campaign. Without an id it would look like the total.
_PARTS = ("adset_id", "ad_id")
SPELLINGS = {"account": account_sql, "entity": entity_sql}


def column_values(plan: ReadPlan) -> list[tuple[str, str]]:
    """Return (column of the raw table, SQL over `texts` and `declared_orgs`)."""
    org = literal(plan.org) if plan.org else "coalesce(declared_orgs.org_id, row_org, 'default')"
    return ([("org_id", org)] if "org_id" in plan.contract.key else []) + [
        (column.stored, _read(column, plan)) for column in plan.contract.columns
    ]


def _read(column: Column, plan: ReadPlan) -> str:
    return _value(column, plan) if column.name in plan.texts else _default(column, plan)


def _default(column: Column, plan: ReadPlan) -> str:
    if column.same_as:
        return _read(next(each for each in plan.contract.columns if each.name == column.same_as), plan)
    return literal(column.default) if column.default else f"null::{_SQL_TYPES.get(column.type, 'varchar')}"


def _value(column: Column, plan: ReadPlan) -> str:
    text = f"t_{column.name}"
    if column.type == "instant":
        return _instant(text, plan)
    if plan.period and column.name == "date":
        return start_sql(text, plan.period.unit)
    if plan.contract.adds_up and column.name in _PARTS:
        return f"if({text} is not null and real_id({text}) is null, '(unmatched)', {text})"
    kind = "id" if column.is_id else column.type
    value = _VALUES[kind].replace("{t}", text).replace("{event_types}", str(plan.event_types))
    if column.name in REFUND_AMOUNTS and plan.is_whole_refund:
        return f"if({text} is null and not is_whole_refund and not is_partial_refund, 0, {value})"
    if column.default or column.same_as:
        # A text without a value of the type stays null, so that the row fails.
        return f"if({text} is null, {_default(column, plan)}, {value})"
    return value


def _instant(text: str, plan: ReadPlan) -> str:
    zones = [
        *(["row_timezone"] if plan.row_timezone else []),
        *([literal(plan.timezone)] if plan.timezone else []),
    ]
    zone = f"coalesce({', '.join(zones)})"
    moment = f"try_cast({text} as timestamp)"
    local = f"when regexp_matches({text}, '{LOCAL}') then timezone('UTC', timezone({zone}, {moment}))"
    # DuckDB reads +0200 and Z only without a blank before them, and no other name of UTC.
    zoned = f"regexp_replace(regexp_replace({text}, ' ?(UTC|GMT|z)$', 'Z'), ' ([+-][0-9:]+)$', '\\1')"
    return f"""case
        when right({text}, 1) = 'Z' then {moment}
        when regexp_matches({text}, '{_ZONED}')
            then timezone('UTC', try_cast({zoned} as timestamptz))
        {local if zones else ""} end"""


def canonical_sql(text: str, name: str, plan: ReadPlan) -> str:
    """Return SQL of the canonical text of a column: of an id in its one spelling, of a number or date in its one form.

    text: SQL of its text in the file. name: of a column of the contract, or end_date, or any other one.
    """
    if name in plan.rewritten:
        return f"(select _canonical from temp.canonical_{name} where _written = {text})"
    column = next((each for each in plan.contract.columns if each.name == name), None)
    if column and column.type in SPELLINGS:
        return SPELLINGS[column.type](text)
    return id_sql(text) if column and column.is_id else text


def arrived_texts(plan: ReadPlan) -> dict[str, str]:
    """Return the columns whose content is the text that arrived, not the value: ids and addresses."""
    columns = [column for column in plan.contract.columns if column.is_id or column.type == "address"]
    return {column.name: f"t_{column.name}" for column in columns if column.name in plan.texts}


def id_columns(plan: ReadPlan) -> list[Column]:
    """Return the columns of the input that are ids."""
    return [column for column in plan.contract.columns if column.is_id and column.name in plan.texts]
