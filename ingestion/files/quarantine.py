"""Quarantine rows that cannot load: keep them in raw.failed_events with the reason, until they are right.

In: the temporary tables of a merge (ingestion/files/merge.py), or rows of a raw table that lost their key.
Out: rows in raw.failed_events. An id comes from the content, so that the same row is kept once.
"""

from __future__ import annotations

from ingestion.files.contracts import Contract
from ingestion.loads import Load
from ingestion.sql import Connection, literal

_COLUMNS = "failed_id, kind, org_id, source, line, reason, detail, payload, _load_id, _loaded_at"


def quarantine_rejected_rows(connection: Connection, kind: str, contract: Contract, load: Load) -> None:
    """Quarantine `rejected_rows`, `unreadable_lines`, and the rows of `skipped_rows` that are no duplicates."""
    org = "org_id" if "org_id" in contract.key else "null"
    details = {
        "id_conflict": _conflict_detail(contract),
        "ambiguous_key": literal(
            f"the file has several rows for one ({', '.join(contract.key)}):"
            + (" import it with --sum if they are parts of a sum," if contract.adds_up else " aggregate them,")
            + " or add the id that distinguishes them"
        ),
        "second_currency": literal(
            "the campaign has spend in another currency on this day: an account has one currency. Correct the currency,"
            " or import all rows of the campaign's day together"
        ),
    }
    detail = " ".join(f"when '{reason}' then {sentence}" for reason, sentence in details.items())
    connection.execute(
        f"""
        insert into rejected_rows by name
        select _row, {org} as org_id, outcome as reason, case outcome {detail} end as detail,
            {_row_as_json("typed_rows", contract)} as payload,
            md5({literal(kind)} || coalesce({org}, '') || _content_hash) as failed_id
        from typed_rows join skipped_rows using (_row) where outcome <> 'duplicate';

        insert into rejected_rows by name
        select line, reason, detail, payload, md5({literal(kind)} || payload) as failed_id from unreadable_lines;

        create temp table if not exists source_lines (_row bigint, line bigint);

        insert into raw.failed_events ({_COLUMNS})
        select distinct on (failed_id) failed_id, {literal(kind)}, org_id, {literal(load.source)},
            coalesce(rejected_rows.line, source_lines.line) as line, reason, detail, payload, {load.stamp}
        from rejected_rows left join source_lines using (_row)
        where failed_id not in (select failed_id from raw.failed_events)
        order by failed_id, line
        """
    )


def rejected_by_reason(connection: Connection) -> list[tuple[str, int, int | None, str]]:
    """Return the reasons of `rejected_rows` with their number of rows, first line and a sentence."""
    return connection.execute(
        """
        select reason, count(*), min(coalesce(rejected_rows.line, source_lines.line)) as line,
            arg_min(coalesce(rule, detail), coalesce(rejected_rows.line, source_lines.line, 0))
        from rejected_rows left join source_lines using (_row)
        group by reason order by line, reason
        """
    ).fetchall()


def quarantine_stored_rows(connection: Connection, kind: str, contract: Contract, rowids: str, stamp: str) -> None:
    """Move stored rows that lost their key to raw.failed_events. rowids: the query of their rowids."""
    losing = f"from {contract.table} as old where old.rowid in ({rowids})"
    connection.execute(
        f"""
        insert into raw.failed_events ({_COLUMNS})
        select distinct on (1) md5({literal(kind)} || org_id || _content_hash), {literal(kind)}, org_id,
            coalesce(loads.source, old._load_id), null, 'id_conflict',
            {_conflict_detail(contract)}, {_row_as_json("old", contract)}, {stamp}
        from (select old.* {losing}) as old left join raw.loads on loads.load_id = old._load_id
        where md5({literal(kind)} || org_id || _content_hash) not in (select failed_id from raw.failed_events)
        """
    )
    connection.execute(f"delete {losing}")


def _conflict_detail(contract: Contract) -> str:
    name = contract.key[-1]
    kept = "the earliest content is kept, or the earliest with money"
    return f"{literal(f'{name} ')} || {name} || ' has another content too: {kept}'"


def _row_as_json(relation: str, contract: Contract) -> str:
    """Return SQL of the row with the contract's columns: equal for a row of the input and the stored row."""
    members = ", ".join(f"{literal(column.stored)}, {relation}.{column.stored}::varchar" for column in contract.columns)
    return f"json_merge_patch('{{}}', json_object({members}, 'properties', {relation}.properties::json))::varchar"
