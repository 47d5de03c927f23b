"""Check the rows of several pulls before they are merged, and count what the merge did to each pull.

In: NDJSON files of spend rows, one for each pull. Out: `read_rows` creates `source`, in which `_pull` numbers the
pulls, and `requested_pulls`. `validate_pulls` deletes the rows of failed pulls and of rejected days from `typed_rows`,
and creates `covered_days` for ingestion/files/merge.py. `outcomes` returns what happened to each pull.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from glob import escape
from pathlib import Path
from typing import Any, NamedTuple

from ingestion.files.column_mapping import ReadPlan
from ingestion.files.contracts import CONTRACTS
from ingestion.files.row_sql import violations_sql
from ingestion.spend.totals import account_totals
from ingestion.sql import Connection, literal, scalar

_CONTRACT = CONTRACTS["spend"]
_TEXTS = ("campaign_id", "campaign", "adset_id", "adset", "ad_id", "ad", "level")
_NUMBERS = ("impressions", "clicks", "video_views", "platform_conversions")
_MONEY = ("spend", "platform_value")
_REPORTED = "(select typed.*, source._pull from typed_rows as typed join source on source.rowid = _row) as reported"
_DAY = ("_pull", "org_id", "platform", "account_id", "date", "currency")


class PullOutcome(NamedTuple):
    """What happened to the rows of one pull."""

    fault: str | None  # why the pull failed
    rows: int
    loaded: int
    replaced: int  # of the loaded rows
    withdrawn: int
    unchanged: int
    repeated: int
    rejected_days: list[tuple[date, str, int]]  # date, currency, stored spend in micros
    totals: list[tuple[str, int, int | None]]  # currency, sum of the campaigns, reported total, in micros


def read_rows(
    connection: Connection, pulls: Sequence[tuple[str, str, str, date, date]], files: Sequence[Path]
) -> list[str]:
    """Create `requested_pulls` and `source`, and return the columns of `source` that the contract knows.

    pulls: (org, platform, account, first day, last day), each with a file.
    """
    numbered = [(number, *pull, str(path)) for number, (pull, path) in enumerate(zip(pulls, files, strict=True))]
    connection.execute(
        "create temp table requested_pulls as select unnest($1::integer[]) as _pull, unnest($2::varchar[]) as org_id,"
        " unnest($3::varchar[]) as platform, unnest($4::varchar[]) as account_id, unnest($5::date[]) as start_date,"
        " unnest($6::date[]) as end_date, unnest($7::varchar[]) as filename",
        [list(column) for column in zip(*numbered, strict=True)],
    )
    types = dict.fromkeys(("date", "account_id", "currency", *_TEXTS, *_NUMBERS), "varchar")
    types |= {f"{name}_micros": "bigint" for name in _MONEY}
    texts = {name: f"nullif(trim(rows.{name}), '')" for name, type_ in types.items() if type_ == "varchar"}
    texts |= {name: _decimal_text(f"{name}_micros") for name in _MONEY} | {"platform": "requested_pulls.platform"}
    paths = ", ".join(literal(escape(str(path))) for path in files)
    connection.execute(
        f"create temp table source as"
        f" select {', '.join(f'{sql} as {name}' for name, sql in texts.items())}, org_id as _row_org, _pull"
        f" from read_json([{paths}], format = 'newline_delimited', filename = true,"
        f" columns = {{{', '.join(f'{name}: {type_}' for name, type_ in types.items())}}}) as rows"
        f" join requested_pulls using (filename)"
    )
    return list(texts)


def validate_pulls(connection: Connection, plan: ReadPlan) -> None:
    """Delete rows of failed pulls and of rejected days from `typed_rows`, and create `covered_days`.

    A day is rejected if its ads are stored and the pull has none: platforms respond alike to "no activity" and to "no
    access". Creates `pull_faults`, `pull_row_counts`, `rejected_days` and `pull_totals` for `outcomes`.
    """
    _find_faults(connection, plan)
    connection.execute(
        f"""
        create temp table pull_row_counts as
        select source._pull, count(*) as received_rows, count(distinct _content_hash) as distinct_rows
        from source left join typed_rows on typed_rows._row = source.rowid group by all;

        delete from typed_rows where _row in (select rowid from source semi join pull_faults using (_pull));

        create temp table stored_spend as
        select _pull, org_id, platform, account_id, ad_spend.date, currency, level, campaign_id, adset_id, ad_id,
            spend_micros
        from raw.ad_spend as ad_spend join requested_pulls using (org_id, platform, account_id)
        where {_requested_days(connection)} and ad_spend.date between start_date and end_date;

        -- Days with spend. A reported total of 0 for the account means that the day has none.
        create temp table stored_days as
        select totals.*, coalesce(reported_micros, children_micros) as spend_micros, has_ads
        from ({account_totals("stored_spend", *_DAY)}) as totals
        join (
            select {", ".join(_DAY)}, bool_or(spend_micros <> 0) as has_spend,
                bool_or(level is null and spend_micros <> 0) as has_ads
            from stored_spend group by all
        ) using ({", ".join(_DAY)})
        where if(reported_micros is null, has_spend, reported_micros <> 0);

        -- A day with totals is incomplete without the ads that are stored.
        create temp table days_without_ads as
        select distinct org_id, platform, account_id, date from stored_days
        where has_ads and (org_id, platform, account_id, date) not in (
            select (org_id, platform, account_id, date) from typed_rows where level is null
        );

        delete from typed_rows where (org_id, platform, account_id, date) in (from days_without_ads);

        create temp table covered_days as select distinct org_id, platform, account_id, date from typed_rows;

        create temp table rejected_days as
        select _pull, date, currency, spend_micros from stored_days
        where _pull not in (select _pull from pull_faults)
            and (org_id, platform, account_id, date) not in (from covered_days);

        create temp table pull_totals as
        with distinct_rows as (select distinct on (_content_hash) * from {_REPORTED})
        select _pull, currency, sum(children_micros) as children_micros, sum(reported_micros) as reported_micros
        from ({account_totals("distinct_rows", "_pull", "date", "currency")}) group by all
        """
    )


def _find_faults(connection: Connection, plan: ReadPlan) -> None:
    """Create `pull_faults`: each failed pull with the reason that ranks first."""
    key = ", ".join(_CONTRACT.key)
    rows = f"from {_REPORTED} join requested_pulls as requested using (_pull) where"
    faults = [
        f"select _pull, 2 as rank, concat('the platform returned a row of account ', reported.account_id,"
        f" ', which was not requested') as reason {rows} reported.account_id <> requested.account_id",
        f"select _pull, 3, concat('the platform returned a row of ', date, ', which was not requested')"
        f" {rows} date not between start_date and end_date",
        f"select _pull, 4, concat('tributary.yaml declares the account for org ', reported.org_id, ', not ',"
        f" requested.org_id) {rows} reported.org_id <> requested.org_id",
        f"select _pull, 5, concat('the platform returned different rows for one key (', concat_ws(', ', date, level,"
        f" campaign_id, adset_id, ad_id), '): the figures changed meanwhile. Pull again')"
        f" from {_REPORTED} where _ok group by _pull, {key} having count(distinct _content_hash) > 1",
    ]
    if scalar(connection, "select count(*) from typed_rows where not _ok"):
        faults.append(
            f"select _pull, 1, concat('a row breaks the contract: ', detail)"
            f" from ({violations_sql(plan)}) as violations join source on source.rowid = violations._row"
        )
    connection.execute(
        f"create temp table pull_faults as select _pull, reason from ({' union all '.join(faults)})"
        " qualify row_number() over (partition by _pull order by rank, reason) = 1"
    )


def outcomes(connection: Connection, stamp: str) -> list[PullOutcome]:
    """Return what happened to each pull, in their order, once the load with this stamp has merged them."""
    key = ", ".join(_CONTRACT.key)
    same_key = " and ".join(f"removed.{column} is not distinct from loaded.{column}" for column in _CONTRACT.key)
    in_range = f"{_requested_days(connection)} and date between start_date and end_date"
    rows = connection.execute(
        f"""
        with loaded as materialized (
            select _pull, {key} from raw.ad_spend join requested_pulls using (org_id, platform, account_id)
            where (_load_id, _loaded_at) = ({stamp}) and {in_range}
        ),
        removed as (
            select _pull, {", ".join(f"history.{column}" for column in _CONTRACT.key)}
            from raw.ad_spend_history as history join requested_pulls using (platform, account_id)
            where (_replaced_by_load_id, _replaced_at) = ({stamp}) and {in_range}
                and (
                    history.org_id = requested_pulls.org_id
                    or (platform, account_id) in (select (platform, account_id) from declared_orgs)
                )
        ),
        loaded_counts as (select _pull, count(*) as loaded_rows from loaded group by all),
        removed_counts as (
            select removed._pull, count(*) as removed_rows, count(loaded._pull) as replaced_rows
            from removed left join loaded on {same_key} group by all
        )
        select _pull, reason, coalesce(received_rows, 0), coalesce(distinct_rows, 0), coalesce(loaded_rows, 0),
            coalesce(replaced_rows, 0), coalesce(removed_rows, 0)
        from requested_pulls left join pull_faults using (_pull) left join pull_row_counts using (_pull)
            left join loaded_counts using (_pull) left join removed_counts using (_pull)
        order by _pull
        """
    ).fetchall()
    rejected_days = _by_pull(connection, "select _pull, date, currency, spend_micros from rejected_days order by all")
    totals = _by_pull(
        connection, "select _pull, currency, children_micros, reported_micros from pull_totals order by all"
    )
    return [
        PullOutcome(
            fault=fault,
            rows=received,
            loaded=loaded,
            replaced=replaced,
            withdrawn=removed - replaced,
            unchanged=0 if fault else distinct - loaded,
            repeated=received - distinct,
            rejected_days=rejected_days.get(number, []),
            totals=totals.get(number, []),
        )
        for number, fault, received, distinct, loaded, replaced, removed in rows
    ]


def _by_pull(connection: Connection, query: str) -> dict[int, list[Any]]:
    rows: dict[int, list[Any]] = {}
    for number, *values in connection.execute(query).fetchall():
        rows.setdefault(number, []).append(tuple(values))
    return rows


def _requested_days(connection: Connection) -> str:
    """Return SQL for the days between the first and the last requested day. Constants limit the rows that are read."""
    first = scalar(connection, "select min(start_date) from requested_pulls")
    last = scalar(connection, "select max(end_date) from requested_pulls")
    return f"date between {literal(first)} and {literal(last)}"


def _decimal_text(micros: str) -> str:
    """Return SQL of the decimal text of micros."""
    return (
        f"(if({micros} < 0, '-', '') || (abs({micros}::hugeint) // 1000000)::varchar"
        f" || '.' || lpad((abs({micros}::hugeint) % 1000000)::varchar, 6, '0'))"
    )
