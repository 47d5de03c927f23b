"""Read text rows as typed rows of a contract, and find the rows that break it.

In: a ReadPlan (ingestion/files/column_mapping.py) over the temporary table `source` of text columns.
Out: typed_rows_sql, the query of all rows with their types; violations_sql, that of the rows that break the contract.
"""

from __future__ import annotations

from ingestion.files.column_mapping import ReadPlan
from ingestion.files.content_hash import content_hash, placeholders_sql, sorted_members
from ingestion.files.periods import end_sql
from ingestion.files.refund_statements import REFUND_AMOUNTS
from ingestion.files.row_checks import BAD_PROPERTIES, checks_of, declared_condition
from ingestion.files.row_values import arrived_texts, canonical_sql, column_values, id_columns
from ingestion.sql import literal, quoted


def typed_rows_sql(plan: ReadPlan) -> str:
    """Return the query of every row: the raw table's columns, `_content_hash`, `_row` (of `source`) and `_ok`.

    The content has an id in its one spelling, so that 7010.0 and 7010 are the same row, but a placeholder as it
    arrived, so that rows with different placeholders stay different rows. An address counts as it arrived, too.
    Rows of a file with periods have `_ends_on`, too: the last day of the row's period. Where equal rows are ambiguous,
    rows have `_spelling`: the hash of their key as the file spells it.
    """
    contract = plan.contract
    columns = [name for name, _ in column_values(plan)]
    arrived = {column.name: f"t_{column.name}" for column in id_columns(plan)}
    contents = arrived_texts(plan)
    content = content_hash({name: contents.get(name, name) for name in (*columns, "properties")}, contract)
    id_ = contract.derived_id
    stored = [f"coalesce({name}, _content_hash) as {name}" if name == id_ else name for name in columns]
    more = (", _ends_on" if plan.period else "") + (", _spelling" if plan.rejects_equal_rows else "")
    return f"""
        with {_parsed(plan)}, hashed as (
            select _row, not ({" or ".join(check.is_broken for check in checks_of(plan))}) as _ok,
                {", ".join(columns)}, properties, {content} as _content_hash,
                {placeholders_sql(arrived)} as _placeholder_ids{more}
            from parsed
        )
        select _row, _ok, {", ".join(stored)}, properties, _content_hash, _placeholder_ids{more} from hashed
    """


def violations_sql(plan: ReadPlan) -> str:
    """Return the query of the rows that break the contract: _row, org_id, reason, detail, rule, payload.

    reason: the first. detail: all sentences. rule: the same without values of the row.
    """
    checks = checks_of(plan)
    reason = "\n".join(f"when {check.is_broken} then {literal(check.reason)}" for check in checks)
    detail, rule = (
        ",\n".join(f"case when {check.is_broken} then {sentence} end" for check, sentence in sentences)
        for sentences in ([(c, c.sentence) for c in checks], [(c, c.rule) for c in checks])
    )
    payload = ", ".join(f"{literal(name)}, {sql}" for name, sql in _payload(plan))
    return f"""
        with {_parsed(plan)}, broken as (
            select _row, {"org_id" if "org_id" in dict(column_values(plan)) else "null"} as _org,
                {_payload_columns(plan)},
                case {reason} end as _reason, concat_ws('; ', {detail}) as _detail, concat_ws('; ', {rule}) as _rule
            from parsed
            where {" or ".join(check.is_broken for check in checks)}
        )
        select _row, _org as org_id, _reason as reason, _detail as detail, _rule as rule,
            json_merge_patch('{{}}', json_object({payload}))::varchar as payload
        from broken join temp.source on source.rowid = _row
    """


def archived_rows_sql(plan: ReadPlan) -> str:
    """Return the query of the rows as texts of the contract's columns, so that `plan_archived` needs no options.

    It has the members of a failed row's payload, so that a rebuild quarantines the same rows. Times with a known zone
    are in UTC.
    """
    instants = {
        column.name for column in plan.contract.columns if column.type == "instant" and column.name in plan.texts
    }
    texts = {
        name: f"coalesce(strftime(_{name}, '%Y-%m-%dT%H:%M:%S.%fZ'), {sql})" if name.lower() in instants else sql
        for name, sql in _payload(plan)
    }
    texts |= {"_row_org": literal(plan.org) if plan.org else "_row_org", "_row_site": "null::varchar"}
    texts |= {"_whole_refund": "_is_whole_refund"} if plan.is_whole_refund else {}
    texts |= {"_partial_refund": "_is_partial_refund"} if plan.is_partial_refund else {}
    texts |= {"_reject": "_rejection"} if plan.row_rejection else {}
    columns = ", ".join(f"{sql} as {quoted(name)}" for name, sql in texts.items())
    times = "".join(f", {name} as _{name}" for name in sorted(instants))
    return f"""
        with {_parsed(plan)}, read_rows as (
            select _row, {_payload_columns(plan)}, is_partial_refund as _is_partial_refund, row_org::varchar as _row_org
                {", row_rejection as _rejection" if plan.row_rejection else ""}{times}
            from parsed
        )
        select {columns} from read_rows join temp.source on source.rowid = _row order by _row
    """


def _payload(plan: ReadPlan) -> list[tuple[str, str]]:
    """Return the members of a failed row's payload: name, SQL over `source`.

    Columns of the contract, and the values of --set and --site, have their contract names and canonical texts: a replay
    needs no options.
    """
    texts = plan.texts | ({"properties": plan.properties} if plan.properties else {})
    names = {quoted(name): name for name in plan.source_columns}
    mapped = {column: sql for column, sql in texts.items() if sql in names and names[sql] != column}
    constants = [(name, sql) for name, sql in texts.items() if sql.startswith("'")]
    if texts.get("site_id", "").endswith("_row_site)"):
        constants.append(("site_id", "_site"))
    renamed = {*mapped, *(names[sql].lower() for sql in mapped.values()), *(name for name, _ in constants)}
    renamed -= {
        column for column, sql in texts.items() if column not in mapped and sql in names
    }  # mapped to itself too
    kept = [(name, quoted(name)) for name in plan.source_columns if name.lower() not in renamed]
    spelled = [
        *((name, _canonical_source(name, sql, plan)) for name, sql in [*kept, *mapped.items()]),
        *constants,
    ]
    has_end = any(name.lower() == "end_date" for name in plan.source_columns)
    end = [("end_date", "_end")] if plan.period and not has_end else []
    if plan.is_whole_refund:  # a blank member would be lost, and mean the whole order in a replay
        spelled = [
            (name, f"if({sql} is null and not _is_whole_refund, '0', {sql})" if name.lower() in REFUND_AMOUNTS else sql)
            for name, sql in spelled
        ]
    return [*spelled, *end]


def _payload_columns(plan: ReadPlan) -> str:
    """Return SQL over `parsed` of the columns that `_payload` reads beside those of `source`."""
    site = "t_site_id" if "site_id" in plan.texts else "null"
    end = ", if(_ends_on > date, _ends_on::varchar, null) as _end" if plan.period else ""
    return f"{site} as _site, is_whole_refund as _is_whole_refund{end}"


def source_texts(plan: ReadPlan) -> list[list[str]]:
    """Return SQL of the values of a row of `source`: as the file has them, and as the payload of a failed row does."""
    written = [f"source.{quoted(name)}" for name in plan.source_columns]
    columns = {sql: name for name, sql in plan.texts.items()}
    canonical = [_canonical_source(columns.get(quoted(name), name), quoted(name), plan) for name in plan.source_columns]
    return [written, *([canonical] if canonical != written else [])]


def _canonical_source(name: str, column: str, plan: ReadPlan) -> str:
    """Return SQL over `source` of the canonical text of a column.

    name: of the column of the contract that it is, or of the file. column: the quoted name in `source`.
    """
    if plan.period and column == plan.period.end:
        name = "end_date"
    is_other = name in plan.rewritten and name != "end_date" and plan.texts.get(name) != column
    return f"source.{column}" if is_other else canonical_sql(f"source.{column}", name, plan)


def _parsed(plan: ReadPlan) -> str:
    """Return the CTEs `texts` and `parsed`: the texts beside their values, and the org."""
    columns = {column.name: column for column in plan.contract.columns}
    texts = ",\n".join(f"{canonical_sql(sql, name, plan)} as t_{name}" for name, sql in plan.texts.items())
    values = ",\n".join(f"{sql} as {name}" for name, sql in column_values(plan))
    declared = declared_condition(plan)
    join = (
        f"left join declared_orgs on {declared}"
        if declared
        else "left join (select null as org_id) as declared_orgs on false"
    )
    end_text = (
        f", {canonical_sql(plan.period.end or 'null::varchar', 'end_date', plan)} as t_end_date" if plan.period else ""
    )
    end = f" {end_sql('t_date', 't_end_date', plan.period.unit)} as _ends_on," if plan.period else ""
    keys = [name for name in plan.contract.key if name in plan.texts and columns[name].type != "date"]
    key = ", ".join(plan.texts[name] for name in keys)
    spelling = f", hash({key}) as _spelling" if plan.rejects_equal_rows else ""
    return f"""
        texts as (
            select _row, {texts}, {plan.properties or "null"} as t_properties, {_extras(plan)} as extras,
                {plan.row_org or "null"} as row_org, {plan.row_timezone or "null::varchar"} as row_timezone,
                {plan.row_rejection or "null::varchar"} as row_rejection,
                coalesce({plan.is_whole_refund or "true"}, false) as is_whole_refund,
                coalesce({plan.is_partial_refund or "false"}, false) as is_partial_refund{end_text}{spelling}
            from {plan.relation} where {plan.where}
        ),
        parsed as (
            select texts.*, declared_orgs.org_id as declared_org, {values},{end}
                case when t_properties is null then nullif(extras, '{{}}')
                    when {BAD_PROPERTIES} then null
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
