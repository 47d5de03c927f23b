"""Delete failed rows that a later import has corrected.

In: the temporary tables of a merge (ingestion/files/merge.py) after its failed rows are quarantined; raw.failed_events.
Out: raw.failed_events without the failed rows that the import brings right. Rows of another org always stay.

A failed row is corrected by
- a row with the same values, loaded now or before: the options or tributary.yaml were wrong;
- a row with the same identity that loads now: a value was wrong;
- a file of the same name that loads without a failure and has as many rows, among them every row that the earlier file
  loaded: the other rows are the corrected ones, damaged lines and wrong ids included.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.files.column_mapping import ReadPlan
from ingestion.files.contracts import Contract
from ingestion.files.row_sql import source_texts
from ingestion.files.row_values import canonical_sql, column_values
from ingestion.loads import Load
from ingestion.sql import Connection, literal, scalar

# A row with this reason is not corrected by a row with its identity: the key has another content, a period has other
# days, or the row belongs to no org yet.
_BEYOND_IDENTITY = ("id_conflict", "period_row", "unknown_org")


def delete_corrected_rows(connection: Connection, plan: ReadPlan, load: Load, *, received: int, failed: int) -> int:
    """Delete the failed rows of earlier loads that this load corrects, and return their number.

    received, failed: the numbers of rows of this load, as raw.loads has them.
    """
    known = (
        f"from raw.failed_events where kind = {literal(plan.kind)} and layer is null"
        f" and _load_id <> {literal(load.load_id)}"
        " and failed_id not in (select failed_id from rejected_rows where failed_id is not null)"
    )
    if not plan.source_columns or not scalar(connection, f"select exists ({known})"):
        return 0
    queries = [_with_same_values(plan, known), *_with_same_identity(plan, known)]
    if not failed:
        queries += _of_corrected_files(connection, plan.contract, known, load, received)
    corrected = connection.execute(" union ".join(queries)).fetchall()
    if corrected:
        connection.execute(
            "delete from raw.failed_events where rowid in (select unnest($1::bigint[]))",
            [[row for (row,) in corrected]],
        )
    return len(corrected)


def _with_same_values(plan: ReadPlan, known: str) -> str:
    """Return the query of failed rows with the values of a row of `source` that is loaded, now or before.

    The names of the values do not count: the options of the corrected import may give them other names, and --site
    adds a value.
    """
    org = "typed_rows.org_id" if "org_id" in plan.contract.key else "null"
    versions = ", ".join(_sorted_values(f"[{', '.join(texts)}]") for texts in source_texts(plan))
    members = "json_extract_string({}, '$.*')"
    without_site = members.format("""json_merge_patch(payload, '{"site_id": null}')""")
    return f"""(
        with failed as (select rowid as _id, org_id, reason, payload {known} and {_IS_OBJECT}),
        failed_values as (
            select _id, org_id, reason, {_sorted_values(members.format("payload"))} as _values from failed
            union
            select _id, org_id, reason, {_sorted_values(without_site)} as _values from failed
        ),
        loaded as (
            select {org} as loaded_org, unnest(list_distinct([{versions}])) as _values
            from typed_rows join temp.source on source.rowid = _row
            anti join (from skipped_rows where outcome <> 'duplicate') using (_row) where _ok
        )
        select _id from failed_values join loaded using (_values)
        where org_id is null or loaded_org is null or org_id = loaded_org or reason in ('unknown_org', 'org_mismatch')
    )"""


def _with_same_identity(plan: ReadPlan, known: str) -> list[str]:
    """Return the queries of failed rows with the identity of a row that this load adds.

    A failed row is identified by the first of its contract's identities of which it has all required columns. A row
    without money corrects no row with money.
    """
    contract = plan.contract
    columns = {column.name: column for column in contract.columns}
    read = plan._replace(
        texts={name: f"t_{name}" for name in columns}, is_whole_refund=None, row_timezone=None, rewritten=frozenset()
    )
    texts = ", ".join(f"{canonical_sql(_member(name), name, read)} as t_{name}" for name in columns)
    values = dict(column_values(read))
    org = "org_id" if "org_id" in contract.key else "null"
    has_value = "value" in columns
    queries, before = [], "false"
    for identity in ([name for name in contract.key if name != "org_id"], *contract.identities):
        needed = [
            name for n, name in enumerate(identity) if n == 0 or (columns[name].required and not columns[name].unless)
        ]
        is_complete = " and ".join(f"({values[name]}) is not null" for name in needed)
        queries.append(
            f"""(
            with texts as (
                select rowid as _id, org_id, {texts}
                {known} and {_IS_OBJECT} and reason not in {_BEYOND_IDENTITY}
            ),
            failed as (
                select _id, {org} as _org, {_json([values[name] for name in identity])} as _identity,
                    {"t_value is not null" if has_value else "false"} as _has_value
                from texts where {is_complete} and not ({before})
            ),
            loaded as (
                select {org} as _org, {_json(identity)} as _identity,
                    {"value_micros is not null" if has_value else "true"} as _has_value
                from typed_rows anti join skipped_rows using (_row) where _ok
            )
            select failed._id from failed join loaded
            on failed._identity = loaded._identity and failed._org is not distinct from loaded._org
                and (loaded._has_value or not failed._has_value)
            )"""
        )
        before += f" or ({is_complete})"
    return queries


def _of_corrected_files(connection: Connection, contract: Contract, known: str, load: Load, received: int) -> list[str]:
    """Return the queries of failed rows of earlier loads whose corrected file this load imports."""
    stored = contract.table
    loads = connection.execute(
        f"""
        select load_id from raw.loads
        where load_id in (select _load_id {known}) and source = $1 and received_rows = $2 and loaded_rows > 0
            and loaded_rows = (
                select count(*) from {stored} where _load_id = loads.load_id
                and _content_hash in (select _content_hash from typed_rows where _ok)
            )
        """,
        [load.source, received],
    ).fetchall()
    return [f"(select rowid as _id {known} and _load_id = {literal(load_id)})" for (load_id,) in loads]


_IS_OBJECT = "json_valid(payload) and json_type(try_cast(payload as json)) = 'OBJECT'"


def _member(name: str) -> str:
    return f"nullif(trim(payload ->> {literal(name)}), '')"


def _json(values: Sequence[str]) -> str:
    return f"to_json([{', '.join(f'({value})::varchar' for value in values)}])::varchar"


def _sorted_values(values: str) -> str:
    return f"to_json(list_sort(list_distinct(list_filter({values}, lambda value: value is not null))))::varchar"
