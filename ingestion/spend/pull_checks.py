"""What several pulls report, as SQL: which of them can be right, which days they cover, and what became of their rows.

In: NDJSON files of rows, and the temporary table `asked`(_pull, org_id, platform, account_id, start_date, end_date).
Out: `source`, in which a row knows its `_pull`; `validate_pulls` keeps of `typed_rows` the rows of sound pulls and
makes `covered_days`, the days that these report, for ingestion/files/merge.py; `outcomes` gives what is to be said of
each pull.
"""

from __future__ import annotations

from collections.abc import Sequence
from glob import escape
from pathlib import Path
from typing import Any

from ingestion.files.column_mapping import ReadPlan
from ingestion.files.contracts import CONTRACTS
from ingestion.files.row_sql import violations_sql
from ingestion.spend.totals import account_totals
from ingestion.sql import Connection, literal

_CONTRACT = CONTRACTS["spend"]
_TEXTS = ("campaign_id", "campaign", "adset_id", "adset", "ad_id", "ad", "level")
_NUMBERS = ("impressions", "clicks", "video_views", "platform_conversions")
_MONEY = ("spend", "platform_value")
_REPORTED = "(select typed.*, source._pull from typed_rows as typed join source on source.rowid = _row) as reported"
_ITS = "join asked using (org_id, platform, account_id)"
_DAY = ("_pull", "org_id", "platform", "account_id", "date", "currency")


def read_rows(connection: Connection, asked: Sequence[tuple], files: Sequence[Path]) -> list[str]:
    """Make `asked` and `source`; the columns of `source`. asked: (org, platform, account, start, end)."""
    numbered = [(number, *pull, str(path)) for number, (pull, path) in enumerate(zip(asked, files, strict=True))]
    columns = [list(column) for column in zip(*numbered, strict=True)]
    connection.execute(
        "create temp table asked as select unnest($1::integer[]) as _pull, unnest($2::varchar[]) as org_id,"
        " unnest($3::varchar[]) as platform, unnest($4::varchar[]) as account_id, unnest($5::date[]) as start_date,"
        " unnest($6::date[]) as end_date, unnest($7::varchar[]) as filename",
        columns,
    )
    types = dict.fromkeys(("date", "account_id", "currency", *_TEXTS, *_NUMBERS), "varchar")
    types |= {f"{name}_micros": "bigint" for name in _MONEY}
    texts = {name: f"nullif(trim(rows.{name}), '')" for name, type_ in types.items() if type_ == "varchar"}
    texts |= {name: _units(f"{name}_micros") for name in _MONEY} | {"platform": "asked.platform"}
    listed = ", ".join(literal(escape(str(path))) for path in files)
    connection.execute(
        f"create temp table source as"
        f" select {', '.join(f'{sql} as {name}' for name, sql in texts.items())}, org_id as _row_org, _pull"
        f" from read_json([{listed}], format = 'newline_delimited', filename = true,"
        f" columns = {{{', '.join(f'{name}: {type_}' for name, type_ in types.items())}}}) as rows"
        f" join asked using (filename)"
    )
    return list(texts)


def validate_pulls(connection: Connection, plan: ReadPlan) -> None:
    """Make `faults` (pulls that fail, and why), `covered_days`, `kept` (days without their ads), `tallies`, `sums`."""
    _find_faults(connection, plan)
    connection.execute(
        f"""
        create temp table tallies as
        select source._pull, count(*) as rows, count(distinct _content_hash) as different
        from source left join typed_rows on typed_rows._row = source.rowid group by all;

        delete from typed_rows where _row in (select rowid from source semi join faults using (_pull));

        create temp table stored as
        select _pull, org_id, platform, account_id, ad_spend.date, currency, level, campaign_id, adset_id, spend_micros
        from raw.ad_spend as ad_spend {_ITS}
        where {_asked_days(connection)} and ad_spend.date between start_date and end_date;

        -- Days with spend. A reported total of 0 for the account means that the day has none.
        create temp table spent as
        select totals.*, coalesce(reported_micros, children_micros) as spend, has_ads
        from ({account_totals("stored", *_DAY)}) as totals
        join (
            select {", ".join(_DAY)}, bool_or(spend_micros <> 0) as has_spend,
                bool_or(level is null and spend_micros <> 0) as has_ads
            from stored group by all
        ) using ({", ".join(_DAY)})
        where if(reported_micros is null, has_spend, reported_micros <> 0);

        -- Totals without the ads that are stored are no whole day.
        create temp table hollow as
        select distinct org_id, platform, account_id, date from spent
        where has_ads and (org_id, platform, account_id, date) not in (
            select (org_id, platform, account_id, date) from typed_rows where level is null
        );

        delete from typed_rows where (org_id, platform, account_id, date) in (from hollow);

        create temp table covered_days as select distinct org_id, platform, account_id, date from typed_rows;

        create temp table kept as
        select _pull, date, currency, spend from spent
        where _pull not in (select _pull from faults)
            and (org_id, platform, account_id, date) not in (from covered_days);

        create temp table sums as
        with different as (select distinct on (_content_hash) * from {_REPORTED})
        select _pull, currency, sum(children_micros) as spend, sum(reported_micros) as total
        from ({account_totals("different", "_pull", "date", "currency")}) group by all
        """
    )


def _find_faults(connection: Connection, plan: ReadPlan) -> None:
    key = ", ".join(_CONTRACT.key)
    of_asked = f"from {_REPORTED} join asked using (_pull) where"
    came = "' came, which was not asked for'"
    found = [
        f"select _pull, 2 as rank, 'a row of account ' || reported.account_id || {came} as reason {of_asked}"
        " reported.account_id <> asked.account_id",
        f"select _pull, 3, 'a row of ' || date || {came} {of_asked} date not between start_date and end_date",
        f"select _pull, 4, 'tributary.yaml declares the account for org ' || reported.org_id || ', not '"
        f" || asked.org_id {of_asked} reported.org_id <> asked.org_id",
        f"select _pull, 5, concat('different rows came for one key (', concat_ws(', ', date, level,"
        f" campaign_id, adset_id, ad_id), '): the figures changed while they were read. Pull again')"
        f" from {_REPORTED} where _ok group by _pull, {key} having count(distinct _content_hash) > 1",
    ]
    if connection.execute("select count(*) from typed_rows where not _ok").fetchone() != (0,):
        found.append(
            f"select _pull, 1, 'a row is not what it should be: ' || detail from ({violations_sql(plan)}) as bad"
            f" join source on source.rowid = bad._row"
        )
    connection.execute(
        f"create temp table faults as select _pull, reason from ({' union all '.join(found)})"
        " qualify row_number() over (partition by _pull order by rank, reason) = 1"
    )


def outcomes(connection: Connection, stamp: str) -> list[dict[str, Any]]:
    """One a pull, in their order, once they were merged under the stamp: the members of a PullReport."""
    key = ", ".join(f"{column}" for column in _CONTRACT.key)
    same = " and ".join(f"gone.{column} is not distinct from inserted.{column}" for column in _CONTRACT.key)
    within = f"{_asked_days(connection)} and date between start_date and end_date"
    connection.execute(
        f"""
        create temp table inserted as
        select _pull, {key} from raw.ad_spend {_ITS}
        where (_load_id, _loaded_at) = ({stamp}) and {within};

        create temp table gone as
        select _pull, {", ".join(f"old.{column}" for column in _CONTRACT.key)}
        from raw.ad_spend_history as old join asked using (platform, account_id)
        where (_replaced_by_load_id, _replaced_at) = ({stamp}) and {within}
            and (
                old.org_id = asked.org_id
                or (platform, account_id) in (select (platform, account_id) from declared_orgs)
            )
        """
    )
    rows = connection.execute(
        f"""
        with loaded as (select _pull, count(*) as loaded from inserted group by all),
        changed as (
            select gone._pull, count(*) as gone, count(inserted._pull) as replaced
            from gone left join inserted on {same} group by all
        )
        select _pull, reason, coalesce(rows, 0), coalesce(different, 0), coalesce(loaded, 0), coalesce(replaced, 0),
            coalesce(gone, 0)
        from asked left join faults using (_pull) left join tallies using (_pull) left join loaded using (_pull)
            left join changed using (_pull)
        order by _pull
        """
    ).fetchall()
    kept, sums = (
        _by_pull(connection, query)
        for query in (
            "select _pull, date, currency, spend from kept order by all",
            "select _pull, currency, spend, total from sums order by all",
        )
    )
    return [
        {
            "reason": reason,
            "rows": received,
            "loaded": loaded,
            "replaced": replaced,
            "withdrawn": gone - replaced,
            "unchanged": 0 if reason else different - loaded,
            "repeated": received - different,
            "kept": kept.get(number, []),
            "sums": sums.get(number, []),
        }
        for number, reason, received, different, loaded, replaced, gone in rows
    ]


def _by_pull(connection: Connection, query: str) -> dict[int, list[tuple]]:
    found: dict[int, list[tuple]] = {}
    for number, *rest in connection.execute(query).fetchall():
        found.setdefault(number, []).append(tuple(rest))
    return found


def _asked_days(connection: Connection) -> str:
    """SQL for the days between the first and the last that was asked for: constants, so that others are not read."""
    first, last = connection.execute("select min(start_date), max(end_date) from asked").fetchone() or (None, None)
    return f"date between {literal(first)} and {literal(last)}"


def _units(micros: str) -> str:
    """SQL of the decimal text of micros."""
    return (
        f"(if({micros} < 0, '-', '') || (abs({micros}::hugeint) // 1000000)::varchar"
        f" || '.' || lpad((abs({micros}::hugeint) % 1000000)::varchar, 6, '0'))"
    )
