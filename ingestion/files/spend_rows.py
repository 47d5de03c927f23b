"""Prepare the rows of a spend file: skip summary rows, spread periods, add up equal rows, reject second currencies.

In: the ReadPlan of a spend file, its rows in `source` and `typed_rows`, and the options of the import.
Out: changed `typed_rows`, rows in `skipped_rows`, and the number of rows that were skipped or added to others.
"""

from __future__ import annotations

from ingestion.files.column_mapping import ImportOptions, ReadPlan
from ingestion.files.content_hash import typed_content_hash
from ingestion.files.contracts import ContractError
from ingestion.files.equal_rows import skip_second_currencies, sum_rows
from ingestion.files.merge import PreparedRows, input_days
from ingestion.files.periods import spread_rows
from ingestion.files.read import SourceFile
from ingestion.files.summary_rows import remove_daily_totals, remove_summary_lines, summary_rows_sql
from ingestion.sql import Connection, scalar


def skip_summary_rows(connection: Connection, plan: ReadPlan, source: SourceFile) -> tuple[ReadPlan, int]:
    """Return the plan without the summary rows of `source`, and their number. ContractError if no other row is left."""
    connection.execute(f"create temp table summary_rows as {summary_rows_sql(plan)}")
    rows = scalar(connection, "select count(*) from summary_rows")
    all_rows = rows and scalar(connection, f"select count(*) from {plan.relation} where {plan.where}")
    if rows and rows == all_rows:
        raise ContractError(
            f"{source.label}: every row looks like a total: it names no campaign, or its date is a word like"
            " Total. Export the report by day and campaign, or map the campaign: --map campaign_id=COLUMN."
        )
    lines = remove_summary_lines(connection)
    if rows:
        plan = plan._replace(where=f"({plan.where}) and _row not in (select _row from temp.summary_rows)")
    return plan, rows + lines


def prepare_rows(connection: Connection, plan: ReadPlan, options: ImportOptions, summary: int) -> PreparedRows:
    """Change `typed_rows` by the options. summary: the number of summary rows that were skipped before."""
    contract = plan.contract
    measures = {
        column.stored: column.type for column in contract.columns if column.type in ("money", "count", "number")
    }
    content = typed_content_hash(contract)
    summary += remove_daily_totals(connection, plan)
    if options.spread:
        spread_rows(connection, measures, content)
    summed = sum_rows(connection, contract, measures, content) if options.sum else 0
    skip_second_currencies(connection, contract, input_days(connection, contract))
    return PreparedRows(summary=summary, summed=summed)
