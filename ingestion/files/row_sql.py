"""SQL that reads text rows as typed rows of a contract, and finds the rows that break it.

In: a ReadPlan (ingestion/files/column_mapping.py) over the temporary table `source` of text columns.
Out: typed_rows_sql, the query of all rows with their types; violations_sql, that of the rows that break the contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ingestion.files.column_mapping import ReadPlan
from ingestion.files.contracts import Column, Contract, platform_aliases
from ingestion.files.id_spellings import account_sql, entity_sql, id_sql, is_rounded_sql
from ingestion.files.periods import end_sql, start_sql
from ingestion.sql import literal, quoted

_DECIMAL = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$"
_ZONED = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)? ?(UTC|GMT|Z|z|[+-]\d{2}(:?\d{2})?)$"
_LOCAL = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?$"
_MIDNIGHT = r"^\d{4}-\d{2}-\d{2}([T ]00:00(:00(\.0+)?)?Z?)?$"
_EARLIEST, _LATEST = "'1970-01-01'::timestamp", "'2199-12-31 23:59:59'::timestamp"  # beyond: a defect, infinity
# Separators group thousands for certain if both are there: 1,250.00 and 1.250,00.
_GROUPED = (
    r"case when regexp_matches({t}, '^[+-]?\d{1,3}(,\d{3})+\.\d+$') then replace({t}, ',', '')"
    r" when regexp_matches({t}, '^[+-]?\d{1,3}(\.\d{3})+,\d+$') then replace(replace({t}, '.', ''), ',', '.')"
    r" else {t} end"
)
_AS_DECIMAL = "case when regexp_matches({t}, '" + _DECIMAL + "') then try_cast({t} as {type}) end"
# A count has no decimals, so commas group thousands. But 3.000 is 3 or 3000.
_AS_COUNT = (
    r"case when regexp_matches({t}, '^[1-9]\d{0,2}\.000$') then null"
    r" when regexp_matches({t}, '^(\d+|\d{1,3}(,\d{3})+)(\.0*)?$')"
    r" then try_cast(replace(split_part({t}, '.', 1), ',', '') as bigint) end"
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
    "platform": f"coalesce({_ALIASES}[lower({{t}})], lower({{t}}))",
    "event": "case when upper({t}) in {event_types} then upper({t}) end",
    "status": "case when lower({t}) in ('pending', 'approved', 'rejected') then lower({t}) end",
    "date": "case when regexp_matches({t}, '" + _MIDNIGHT + "') then try_cast(left({t}, 10) as date) end",
    "money": "(("
    + _AS_DECIMAL.replace("{type}", "decimal(18, 6)").replace("{t}", f"({_GROUPED})")
    + ")::decimal(26, 6) * 1000000)::bigint",
    "currency": "case when regexp_matches({t}, '^[A-Za-z]{3}$') then upper({t}) end",
    "count": _BELOW_1E12.replace("{value}", _AS_COUNT),
    "number": _BELOW_1E12.replace("{value}", _AS_DECIMAL.replace("{type}", "double")),
    "level": "case when lower({t}) in ('account', 'campaign', 'adset') then lower({t}) end",
    "basis": "case when lower({t}) in ('period', 'conversion') then lower({t}) end",
    "rate": "nullif(greatest(" + _AS_DECIMAL.replace("{type}", "decimal(18, 9)") + ", 0), 0)",
}
_SITE_CONDITION = "declared_orgs.site_id = t_site_id"
_SQL_TYPES = {"instant": "timestamp", "date": "date", "money": "bigint", "count": "bigint", "number": "double"}
_EXPECTED = {
    "event": "a known type such as PAGE_VIEW, CONVERSION or CUSTOM",
    "status": "pending, approved or rejected",
    "instant": "an ISO 8601 time such as 2026-07-01T09:30:00Z, from 1970 to 2199",
    "date": "an ISO 8601 day such as 2026-07-01, from 1970 to 2199",
    "money": "a decimal below 1e12 such as 1234.56, without symbols; 1,234.56 is one, but 1,234 is ambiguous",
    "currency": "an ISO 4217 code such as USD",
    "count": "a whole number from 0, below 1e12; 1,234 is one, but 3.000 is ambiguous",
    "number": "a number below 1e12",
    "rate": "a decimal above 0 such as 1.0842",
    "level": "account, campaign, adset or ad",
    "basis": "period or conversion",
}
# A row of spend with a placeholder here is a part of its campaign. Without an id it would look like the total.
_PARTS = ("adset_id", "ad_id")
_SPELLINGS = {"account": account_sql, "entity": entity_sql}
_BAD_PROPERTIES = (
    "case when json_valid(t_properties) then json_type(t_properties) <> 'OBJECT' else t_properties is not null end"
)


class Check(NamedTuple):
    """One rule of a contract, as SQL over `parsed`, the CTE that has the texts (t_<column>) beside the values."""

    reason: str  # a code
    is_broken: str  # true, never null, for a row that breaks the rule
    sentence: str


# Rules between the columns of one row, by table.
_TABLE_CHECKS = {
    "raw.ad_spend": (
        Check(
            "bad_level",
            "coalesce(level = 'account' and coalesce(campaign_id, adset_id, ad_id) is not null, false)",
            "'the total of an account has no campaign_id, adset_id or ad_id'",
        ),
        Check(
            "bad_level",
            "coalesce(level = 'campaign' and coalesce(adset_id, ad_id) is not null, false)",
            "'the total of a campaign has no adset_id or ad_id'",
        ),
        Check(
            "bad_level",
            "coalesce(level = 'adset' and (adset_id is null or ad_id is not null), false)",
            "'the total of an ad set has an adset_id and no ad_id'",
        ),
    ),
    "raw.fees": (
        Check(
            "bad_period",
            "coalesce(ends_on < starts_on, false)",
            "'ends_on ' || ends_on || ' is before starts_on ' || starts_on",
        ),
    ),
    "raw.exchange_rates": (
        Check("bad_rate", "coalesce(base = quote, false)", "'base and quote are the same currency'"),
    ),
}


# First, so that a row of a period has this reason whatever else is wrong: no replay can spread it.
_PERIOD = Check(
    "period_row",
    "coalesce(_ends_on > date, false)",
    "'the row covers ' || date || ' to ' || _ends_on || ': export one row a day, or import the file with --spread'",
)
_LONGEST_PERIOD = 366  # days


def typed_rows_sql(plan: ReadPlan) -> str:
    """Return the query of every row: the raw table's columns, `_content_hash`, `_row` (of `source`) and `_ok`.

    The content has an id in its one spelling, so that 7010.0 and 7010 are the same row, but a placeholder as it
    arrived, so that rows with different placeholders stay different rows.
    Rows of a file with periods have `_ends_on`, too: the last day of the row's period. Where equal rows are ambiguous,
    rows have `_spelling`: the hash of their key as the file spells it.
    """
    contract = plan.contract
    columns = [name for name, _ in _values(plan)]
    arrived = {column.name: f"t_{column.name}" for column in _ids(plan)}
    known = {name: f"coalesce({name}, {text})" for name, text in arrived.items()}
    content = content_hash({name: known.get(name, name) for name in (*columns, "properties")}, contract)
    id_ = contract.derived_id
    stored = [f"coalesce({name}, _content_hash) as {name}" if name == id_ else name for name in columns]
    more = (", _ends_on" if plan.period else "") + (", _spelling" if plan.rejects_equal_rows else "")
    return f"""
        with {_parsed(plan)}, hashed as (
            select _row, not ({" or ".join(check.is_broken for check in _checks(plan))}) as _ok,
                {", ".join(columns)}, properties, {content} as _content_hash,
                {placeholders_sql(arrived)} as _placeholder_ids{more}
            from parsed
        )
        select _row, _ok, {", ".join(stored)}, properties, _content_hash, _placeholder_ids{more} from hashed
    """


def violations_sql(plan: ReadPlan) -> str:
    """Return the query of the rows that break the contract: _row, org_id, reason (the first), detail (all), payload."""
    checks = _checks(plan)
    reason = "\n".join(f"when {check.is_broken} then {literal(check.reason)}" for check in checks)
    detail = ",\n".join(f"case when {check.is_broken} then {check.sentence} end" for check in checks)
    payload = ", ".join(f"{literal(name)}, {sql}" for name, sql in _payload(plan))
    return f"""
        with {_parsed(plan)}, broken as (
            select _row, {"org_id" if "org_id" in dict(_values(plan)) else "null"} as _org,
                {"t_site_id" if "site_id" in plan.texts else "null"} as _site, is_whole_refund as _is_whole_refund,
                case {reason} end as _reason, concat_ws('; ', {detail}) as _detail
                {", if(_ends_on > date, _ends_on::varchar, null) as _end" if plan.period else ""}
            from parsed
            where {" or ".join(check.is_broken for check in checks)}
        )
        select _row, _org as org_id, _reason as reason, _detail as detail,
            json_merge_patch('{{}}', json_object({payload}))::varchar as payload
        from broken join temp.source on source.rowid = _row
    """


def typed_content_hash(contract: Contract) -> str:
    """Return SQL of the hash of a row's content over typed columns, such as those of `typed_rows_sql`."""
    org = ["org_id"] if "org_id" in contract.key else []
    return content_hash({name: name for name in (*org, *(c.stored for c in contract.columns), "properties")}, contract)


def content_hash(values: Mapping[str, str], contract: Contract) -> str:
    """Return SQL of the hash of a row's content, given the SQL of its columns in order.

    The hash covers a JSON list, so that no two contents look alike. An absent column hashes like an empty one. An empty
    column that a later version added leaves no trace, so that rows which an earlier version loaded keep their hash.
    """
    first = ", ".join(f"({sql})::varchar" for name, sql in values.items() if name not in contract.added)
    added = "".join(f", {literal(f',{name}:')} || to_json({values[name]})::varchar" for name in contract.added)
    return f"md5(concat(to_json([{first}])::varchar{added}))"


def placeholders_sql(arrived: Mapping[str, str]) -> str:
    """Return SQL of the ids that arrived as placeholders, as a JSON object, or of null. arrived: column -> its text."""
    found = {name: f"({text} is not null and {name} is null)" for name, text in arrived.items()}
    members = ", ".join(f"{literal(name)}, if({is_found}, {arrived[name]}, null)" for name, is_found in found.items())
    has_any = " or ".join(found.values()) or "false"
    return f"case when {has_any} then json_merge_patch('{{}}', json_object({members}))::json end"


def sorted_members(*objects: str) -> str:
    """Return SQL that merges JSON objects and sorts their members by name, so that equal contents have equal hashes.

    Of repeated names the first value counts. Every object is read once, whatever its number of members.
    """
    # The inner functions must not use `o`: DuckDB would copy the whole object for each member.
    numbered = "list_zip(json_keys(o), range(len(json_keys(o))), json_extract(o, '$.*'))"
    with_previous = "list_zip(members, list_prepend(null, members)[:-2])"
    first = f"list_filter({with_previous}, lambda m: m[1][1] is distinct from m[2][1])"
    texts = f"list_transform({first}, lambda m: to_json(m[1][1]) || ':' || m[1][3])"
    return f"""(list_transform([json_merge_patch('{{}}', {", ".join(objects)})], lambda o: if(o is null, null,
        (list_transform([list_sort({numbered})], lambda members:
            '{{' || array_to_string({texts}, ',') || '}}'))[1]))[1])"""


def _checks(plan: ReadPlan) -> list[Check]:
    contract = plan.contract
    checks: list[Check] = []
    if plan.period and not plan.is_spread:
        checks.append(_PERIOD)
    for column in contract.columns:
        if column.name in plan.texts:
            checks += _column_checks(column, plan)
    if plan.period:
        checks += _period_checks(plan)
    one_of = [name for name in contract.one_of if name in plan.texts]
    if one_of:
        empty = " and ".join(f"t_{name} is null" for name in one_of)
        sentence = literal(f"{', '.join(contract.one_of)} are all empty: one of them is required")
        checks.append(Check("missing_person", f"({empty})", sentence))
    if plan.properties:
        checks.append(Check("bad_properties", f"({_BAD_PROPERTIES})", "'properties is not a JSON object'"))
    checks += _TABLE_CHECKS.get(contract.table, ())
    if plan.is_partial_refund:
        value = "value_micros is null" if "value" in plan.texts else "true"
        sentence = "'the refund is partial, but has no amount: map the column of the refunded amount to value'"
        checks.append(Check("missing_value", f"(is_partial_refund and {value})", sentence))
    if "org_id" in contract.key and plan.org:
        sentence = f"'tributary.yaml declares it for org ' || declared_org || {literal(f', not {plan.org}')}"
        is_other = f"coalesce(declared_org <> {literal(plan.org)}, false)"
        checks.append(Check("org_mismatch", is_other, sentence))
    if "org_id" in contract.key and not (plan.org or plan.has_default_org):
        sentence = (
            "'no org: tributary.yaml declares neither this site or ad account nor an org default; import with --org'"
        )
        checks.append(Check("unknown_org", "(declared_org is null and row_org is null)", sentence))
    if plan.rejects_unknown_sites and _declared_condition(plan) == _SITE_CONDITION:
        sentence = "'tributary.yaml has no site ' || t_site_id"
        checks.append(Check("unknown_site", "(t_site_id is not null and declared_org is null)", sentence))
    return checks


def _period_checks(plan: ReadPlan) -> list[Check]:
    return [
        Check(
            "bad_period",
            "coalesce(_ends_on < date, false)",
            "'the period ends on ' || _ends_on || ', before its first day ' || date",
        ),
        Check(
            "bad_period",
            f"coalesce(_ends_on - date >= {_LONGEST_PERIOD}, false)",
            f"'the period ' || date || ' to ' || _ends_on || ' has more than {_LONGEST_PERIOD} days'",
        ),
        Check(
            "bad_date",
            "(t_end_date is not null and _ends_on is null)",
            f"'the end of the period ' || t_end_date || {literal(' is not ' + _EXPECTED['date'])}",
        ),
        Check(
            "future_date",
            f"coalesce(_ends_on > date and _ends_on > {literal(plan.latest_day)}::date, false)",
            f"'the end of the period ' || _ends_on || {literal(_after_load(plan))}",
        ),
    ]


def _after_load(plan: ReadPlan) -> str:
    return f" is after {plan.latest_day}, the day after this load: correct the date"


def _column_checks(column: Column, plan: ReadPlan) -> list[Check]:
    checks = []
    text, value = f"t_{column.name}", column.stored
    shown = f"if(length({text}) > 60, left({text}, 60) || '...', {text})"
    if column.required:
        checks.append(_missing(column))
    bad = f"({text} is not null and {value} is null)"
    if column.type in ("instant", "date"):
        bad = f"({text} is not null and ({value} is null or {value} not between {_EARLIEST} and {_LATEST}))"
    if column.type == "instant" and not plan.timezone:
        local = f"({text} is not null and regexp_matches({text}, '{_LOCAL}'))"
        sentence = (
            f"'{column.name} ' || {shown} || ' has no time zone: write Z or an offset, or import with --timezone'"
        )
        checks.append(Check("missing_timezone", local, sentence))
        bad = f"({bad} and not {local})"
    if column.is_id and column.required and not column.may_be_placeholder:
        sentence = f"'{column.name} ' || {shown} || ' is a placeholder: correct the source that sends no real id'"
        checks.append(Check("placeholder_id", f"({bad}{_unless(column)})", sentence))
    if column.type in ("instant", "date") and not column.may_be_future:
        is_future = f"coalesce({value} >= {literal(plan.latest_day)}::date + 1 and {value} <= {_LATEST}, false)"
        sentence = f"'{column.name} ' || {shown} || {literal(_after_load(plan))}"
        checks.append(Check("future_timestamp" if column.type == "instant" else "future_date", is_future, sentence))
    if column.is_id:
        sentence = (
            f"'{column.name} ' || {shown} || ' is rounded: a spreadsheet rounded this id. Export the file again."
            " Format the column as text before the spreadsheet reads it'"
        )
        checks.append(Check("rounded_id", f"coalesce({is_rounded_sql(text)}, false)", sentence))
    if column.type == "level":
        bad = f"({bad} and lower({text}) <> 'ad')"
    if column.type not in ("text", "name", "platform", *_SPELLINGS):
        reason = {"instant": "bad_timestamp", "event": "bad_type"}.get(column.type, f"bad_{column.type}")
        sentence = f"'{column.name} ' || {shown} || {literal(f' is not {_EXPECTED[column.type]}')}"
        checks.append(Check(reason, bad, sentence))
    return checks


def _missing(column: Column) -> Check:
    sentence = f"{column.name} is empty and required"
    if column.unless:
        sentence += f" unless {column.unless[0]} is {' or '.join(column.unless[1])}"
    return Check("missing_value", f"(t_{column.name} is null{_unless(column)})", literal(sentence))


def _unless(column: Column) -> str:
    """Return SQL that excludes the rows in which a required column may be absent."""
    if not column.unless:
        return ""
    other, values = column.unless
    return f" and coalesce({other} not in ({', '.join(map(literal, values))}), true)"


def _ids(plan: ReadPlan) -> list[Column]:
    """Return the columns of the input that are ids."""
    return [column for column in plan.contract.columns if column.is_id and column.name in plan.texts]


def _payload(plan: ReadPlan) -> list[tuple[str, str]]:
    """Return the members of a failed row's payload: name, SQL over `source`.

    Columns of the contract, and the site of the import's options, have their contract names, and ids of ad accounts
    their one spelling: a replay needs no options.
    """
    texts = plan.texts | ({"properties": plan.properties} if plan.properties else {})
    names = {quoted(name): name for name in plan.source_columns}
    columns = {column.name: column for column in plan.contract.columns}
    mapped = {column: sql for column, sql in texts.items() if sql in names and names[sql] != column}
    site_sql = texts.get("site_id", "")
    site = [("site_id", "_site")] if site_sql.startswith("'") or site_sql.endswith("_row_site)") else []
    renamed = {*mapped, *(names[sql].lower() for sql in mapped.values()), *(name for name, _ in site)}
    renamed -= {
        column for column, sql in texts.items() if column not in mapped and sql in names
    }  # mapped to itself too
    columns = {column.name: column for column in plan.contract.columns}
    kept = [(name, quoted(name)) for name in plan.source_columns if name.lower() not in renamed]
    spelled = [
        *((name, _spelled(f"source.{sql}", columns.get(name))) for name, sql in [*kept, *mapped.items()]),
        *site,
    ]
    has_end = any(name.lower() == "end_date" for name in plan.source_columns)
    end = [("end_date", "_end")] if plan.period and not has_end else []
    if plan.is_whole_refund:  # a blank member would be lost, and mean the whole order in a replay
        spelled = [
            (name, f"if({sql} is null and not _is_whole_refund, '0', {sql})" if name.lower() == "value" else sql)
            for name, sql in spelled
        ]
    return [*spelled, *end]


def _spelled(text: str, column: Column | None) -> str:
    """Return SQL of the text of a column; of an id in its one spelling."""
    if column and column.type in _SPELLINGS:
        return _SPELLINGS[column.type](text)
    return id_sql(text) if column and column.is_id else text


def _parsed(plan: ReadPlan) -> str:
    """Return the CTEs `texts` and `parsed`: the texts beside their values, and the org."""
    columns = {column.name: column for column in plan.contract.columns}
    texts = ",\n".join(f"{_spelled(sql, columns.get(name))} as t_{name}" for name, sql in plan.texts.items())
    values = ",\n".join(f"{sql} as {name}" for name, sql in _values(plan))
    declared = _declared_condition(plan)
    join = (
        f"left join declared_orgs on {declared}"
        if declared
        else "left join (select null as org_id) as declared_orgs on false"
    )
    end_text = f", {plan.period.end or 'null::varchar'} as t_end_date" if plan.period else ""
    end = f" {end_sql('t_date', 't_end_date', plan.period.unit)} as _ends_on," if plan.period else ""
    key = ", ".join(
        sql for name, sql in plan.texts.items() if name in plan.contract.key and columns[name].type != "date"
    )
    spelling = f", hash({key}) as _spelling" if plan.rejects_equal_rows else ""
    return f"""
        texts as (
            select _row, {texts}, {plan.properties or "null"} as t_properties, {_extras(plan)} as extras,
                {plan.row_org or "null"} as row_org,
                coalesce({plan.is_whole_refund or "true"}, false) as is_whole_refund,
                coalesce({plan.is_partial_refund or "false"}, false) as is_partial_refund{end_text}{spelling}
            from {plan.relation} where {plan.where}
        ),
        parsed as (
            select texts.*, declared_orgs.org_id as declared_org, {values},{end}
                case when t_properties is null then nullif(extras, '{{}}')
                    when {_BAD_PROPERTIES} then null
                    else nullif({sorted_members("t_properties", "extras")}, '{{}}') end as properties
            from texts {join}
        )
    """


def _extras(plan: ReadPlan) -> str:
    """Return SQL of the columns that the contract does not know, as a JSON object.

    A text that is a JSON object or list becomes one, so that every file format gives the same content.
    """
    if not plan.extras:
        return "'{}'"
    members = ", ".join(
        f"{literal(name)}, case when left({sql}, 1) in ('{{', '[') and json_valid({sql})"
        f" then {sql}::json else to_json({sql}) end"
        for name, sql in sorted(plan.extras.items())
    )
    return f"json_merge_patch('{{}}', json_object({members}))::varchar"


def _values(plan: ReadPlan) -> list[tuple[str, str]]:
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
        return _instant(text, plan.timezone)
    if plan.period and column.name == "date":
        return start_sql(text, plan.period.unit)
    if plan.contract.adds_up and column.name in _PARTS:
        return f"if({text} is not null and real_id({text}) is null, '(unmatched)', {text})"
    kind = "id" if column.is_id else column.type
    value = _VALUES[kind].replace("{t}", text).replace("{event_types}", str(plan.event_types))
    if column.name == "value" and plan.is_whole_refund:
        return f"if({text} is null and not is_whole_refund and not is_partial_refund, 0, {value})"
    if column.default or column.same_as:
        # A text without a value of the type stays null, so that the row fails.
        return f"if({text} is null, {_default(column, plan)}, {value})"
    return value


def _instant(text: str, timezone: str | None) -> str:
    moment = f"try_cast({text} as timestamp)"
    local = f"when regexp_matches({text}, '{_LOCAL}') then timezone('UTC', timezone({literal(timezone)}, {moment}))"
    # DuckDB reads +0200 and Z only without a blank before them, and no other name of UTC.
    zoned = f"regexp_replace(regexp_replace({text}, ' ?(UTC|GMT|z)$', 'Z'), ' ([+-][0-9:]+)$', '\\1')"
    return f"""case
        when right({text}, 1) = 'Z' then {moment}
        when regexp_matches({text}, '{_ZONED}')
            then timezone('UTC', try_cast({zoned} as timestamptz))
        {local if timezone else ""} end"""


def _declared_condition(plan: ReadPlan) -> str | None:
    """Return the join condition to the org that tributary.yaml declares for a row's site or ad account."""
    if plan.contract.table in ("raw.ad_spend", "raw.fees"):
        values = dict(_values(plan))
        return f"declared_orgs.platform = {values['platform']} and declared_orgs.account_id = {values['account_id']}"
    return _SITE_CONDITION if "site_id" in plan.texts else None
