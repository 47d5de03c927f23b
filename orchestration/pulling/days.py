"""What the warehouse holds of a platform's days. In: raw.ad_spend. Out: a Day a day and currency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import duckdb
import msgspec

from ingestion.home import Home
from ingestion.warehouse import build_lock, connect
from orchestration.pulling.load import Outcome
from orchestration.pulling.spool import Say

SHOWN_DAYS = 90  # of a platform, up to the last one pulled

# A node's total is the row that states it, else what is beneath.
DAYS = """
    with rows as (
        select * from raw.ad_spend where platform = $platform and date between $start and $end
    ),

    adsets as (
        select
            account_id, date, currency, campaign_id, adset_id,
            coalesce(sum(spend_micros) filter (level = 'adset'), sum(spend_micros)) as spend_micros,
        from rows where level is null or level = 'adset' group by all
    ),

    campaigns as (
        select
            account_id, date, currency, campaign_id,
            coalesce(sum(spend_micros) filter (is_stated), sum(spend_micros)) as spend_micros,
        from (
            select account_id, date, currency, campaign_id, spend_micros, false as is_stated from adsets
            union all
            select account_id, date, currency, campaign_id, spend_micros, true from rows where level = 'campaign'
        ) group by all
    ),

    accounts as (
        select
            account_id, date, currency,
            coalesce(sum(spend_micros) filter (not is_stated), 0) as beneath_micros,
            coalesce(sum(spend_micros) filter (is_stated), beneath_micros) as spend_micros,
            bool_or(is_stated) as has_total,
        from (
            select account_id, date, currency, spend_micros, false as is_stated from campaigns
            union all
            select account_id, date, currency, spend_micros, true from rows where level = 'account'
        ) group by all
    ),

    counts as (select date, currency, count(*) as rows from rows group by all)

    select
        date, currency, counts.rows, sum(accounts.spend_micros)::bigint as spend_micros,
        sum(accounts.beneath_micros)::bigint as beneath_micros, bool_or(has_total) as has_total,
    from accounts join counts using (date, currency) group by all order by date, currency
"""


class Day(msgspec.Struct, frozen=True):
    """A platform's day in one currency, over all of its accounts."""

    date: date
    currency: str
    rows: int
    spend_micros: int  # the accounts' totals, else what is beneath
    beneath_micros: int  # what the campaigns add up to
    has_total: bool  # whether an account's total is stated

    @property
    def difference(self) -> int:
        """What the stated totals have beyond the campaigns, in micros."""
        return self.spend_micros - self.beneath_micros


def days_of(connection: duckdb.DuckDBPyConnection, platform: str, start: date, end: date) -> list[Day]:
    """The platform's days that have spend, by date."""
    found = connection.execute(DAYS, {"platform": platform, "start": start, "end": end}).fetchall()
    return [Day(*row) for row in found]


def stored_days(home: Home, outcomes: Sequence[Outcome], say: Say) -> dict[str, list[Day]]:
    """The days of each platform that were pulled, and SHOWN_DAYS up to the last of them."""
    pulls = [outcome.report.pull for outcome in outcomes]
    with build_lock(home, "the overview of a pull", say), connect(home) as connection:
        found = {}
        for platform in {pull.platform for pull in pulls}:
            first = min(pull.start for pull in pulls if pull.platform == platform)
            last = max(pull.end for pull in pulls if pull.platform == platform)
            shown_from = min(first, last - timedelta(days=SHOWN_DAYS - 1))
            found[platform] = days_of(connection, platform, shown_from, last)
    return found
