"""Recognise rows of a spend file that repeat the spend of other rows: totals and footers of a report.

In: a ReadPlan of a spend file over `source`, and seeds/summary_labels.csv.
Out: the query that finds such rows; a function that removes the totals of a day from `typed_rows`.
"""

from __future__ import annotations

from ingestion.files.column_mapping import ReadPlan
from ingestion.files.id_spellings import DASHES
from ingestion.seeds import seed
from ingestion.sql import Connection, literal, quoted, scalar

_LABELS = "|".join(f"(?:{row['label']})" for row in seed("summary_labels"))
_COLON = ":\uff1a"
_LABEL = f"(?i)^\\W*(?:{_LABELS})\\s*(?:[{_COLON}(\\[].*|[{DASHES}]\\s*\\d.*)?$"
_LINE = f'(?i)^[\\s",;\\t]*(?:{_LABELS})\\s*["({_COLON},;\\t]'  # the start of a line
_DASHES = f"^[{DASHES}]+$"
_DAY = r"^\d{4}-\d{2}-\d{2}$"
_ID = "^[0-9A-Za-z_]*[0-9][0-9A-Za-z_]*$"  # no label has digits without spaces
_KEYS = ("date", "campaign_id", "campaign", "adset_id", "adset", "ad_id", "ad")


def summary_rows_sql(plan: ReadPlan) -> str:
    """Return the query of the summary rows: `_row`.

    A row with the id of a campaign is a summary only by its date, ad set or ad: a campaign can be called Total.
    """
    texts = {name: plan.texts.get(name, "null::varchar") for name in (*_KEYS, "level")}
    columns = ", ".join(f"{sql} as {name}" for name, sql in texts.items())
    relation, columns_of_file = plan.relation, [quoted(name) for name in plan.source_columns]
    if plan.file_columns:  # a layout reads some of the columns only
        columns_of_file = [f"_cell_{number}" for number in range(len(plan.file_columns))]
        cells = ", ".join(
            f"file.{quoted(name)} as {cell}" for name, cell in zip(plan.file_columns, columns_of_file, strict=True)
        )
        relation = f"(select source.*, {cells} from {relation} join temp.file as file on file.rowid = _file_row)"
    cells = ", ".join([*(texts[name] for name in _KEYS), *columns_of_file])
    is_label = {name: f"labels[{position}]" for position, name in enumerate(_KEYS, 1)}
    is_dashes = {name: f"coalesce(regexp_matches({name}, {literal(_DASHES)}), false)" for name in _KEYS}
    marks = [
        "list_contains(labels, true)",
        is_dashes["campaign_id"],
        is_dashes["campaign"],
        f"({' and '.join(f'{name} is null' for name in _KEYS)})",
    ]
    without_campaign = f"(campaign_id is null or {is_label['campaign_id']} or {is_dashes['campaign_id']})"
    conditions = [
        is_label["date"],
        is_dashes["date"],
        f"({without_campaign} and level is null and ({' or '.join(marks)}))",
        *(
            f"({is_label[id_]} or (({id_} is null or {is_dashes[id_]}) and {is_label[name]}))"
            for id_, name in (("adset_id", "adset"), ("ad_id", "ad"))
        ),
    ]
    is_id = {name: f"regexp_matches({texts[name]}, {literal(_ID)})" for name in ("campaign_id", "adset_id", "ad_id")}
    is_usual = " and ".join(
        [
            f"regexp_matches({texts['date']}, {literal(_DAY)}) and {is_id['campaign_id']}",
            *(
                f"if({texts[id_]} is null, {texts[name]} is null, {is_id[id_]})"
                for id_, name in (("adset_id", "adset"), ("ad_id", "ad"))
            ),
        ]
    )
    # Usual rows are no summaries. The others match one pattern in all cells: it is large, and DuckDB would compile it
    # once for each place.
    return f"""
        select _row from (
            select _row, {columns}, list_transform(
                [{cells}], lambda cell: coalesce(regexp_matches(cell, {literal(_LABEL)}), false)
            ) as labels
            from {relation} where ({plan.where}) and not coalesce({is_usual}, false)
        ) where {" or ".join(conditions)}
    """


def remove_summary_lines(connection: Connection) -> int:
    """Remove footers from `unreadable_lines`, and return their number.

    A footer is a line that starts with a label and has another number of columns than the header.
    """
    return int(
        scalar(
            connection,
            "delete from unreadable_lines where reason = 'wrong_column_count'"
            f" and regexp_matches(payload, {literal(_LINE)})",
        )
    )


def remove_daily_totals(connection: Connection, plan: ReadPlan) -> int:
    """Remove rows from `typed_rows` that name no campaign and have the spend of all other rows of their day.

    A row without a campaign and with another amount stays, and fails. Return the number of removed rows.
    """
    names = [name for name in ("campaign", "adset_id", "adset", "ad_id", "ad") if name in plan.texts]
    nameless = " and ".join(f"{name} is null" for name in ("campaign_id", "level", *names))
    day = "org_id, platform, account_id, date, currency"
    return int(
        scalar(
            connection,
            f"""
            delete from typed_rows where _row in (
                select total._row
                from (from typed_rows where not _ok and {nameless}) as total
                join (select {day}, sum(spend_micros) as spend_micros from typed_rows where _ok group by all) as parts
                using ({day}, spend_micros)
            )
            """,
        )
    )
