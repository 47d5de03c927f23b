"""Stored spend of a platform by day. In: raw.ad_spend. Out: a Day for each day and currency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from ingestion.home import Home
from ingestion.spend.totals import account_totals
from ingestion.sql import Connection
from ingestion.warehouse import build_lock, connect
from orchestration.pulling.accounts import Outcome
from orchestration.pulling.fetch import Log

SHOWN_DAYS = 90  # at least, up to the last pulled day

DAYS = f"""
    with rows as (
        select * from raw.ad_spend where platform = $platform and date between $start and $end
    ),

    totals as ({account_totals("rows", "account_id", "date", "currency")}),

    counts as (select date, currency, count(*) as rows from rows group by all)

    select
        date, currency, counts.rows, sum(coalesce(reported_micros, children_micros))::bigint as spend_micros,
        sum(children_micros)::bigint as children_micros, count(reported_micros) > 0 as has_total
    from totals join counts using (date, currency) group by all order by date, currency
"""


class Day(msgspec.Struct, frozen=True):
    """A platform's day in one currency, over all of its accounts."""

    date: date
    currency: str
    rows: int
    spend_micros: int  # each account's reported total if there is one, otherwise the sum of its campaigns
    children_micros: int  # the sum of the campaigns
    has_total: bool  # whether the platform reports a total for an account

    @property
    def difference(self) -> int:
        """The reported totals minus the campaigns, in micros."""
        return self.spend_micros - self.children_micros


def days_of(connection: Connection, platform: str, start: date, end: date) -> list[Day]:
    """Return the platform's days with spend, by date."""
    found = connection.execute(DAYS, {"platform": platform, "start": start, "end": end}).fetchall()
    return [Day(*row) for row in found]


def stored_days(home: Home, outcomes: Sequence[Outcome], log: Log) -> dict[str, list[Day]]:
    """Return the pulled days of each platform, and at least SHOWN_DAYS up to the last of them."""
    pulls = [outcome.report.pull for outcome in outcomes]
    with build_lock(home, "the overview of a pull", log), connect(home) as connection:
        found = {}
        for platform in {pull.platform for pull in pulls}:
            first = min(pull.start for pull in pulls if pull.platform == platform)
            last = max(pull.end for pull in pulls if pull.platform == platform)
            shown_from = min(first, last - timedelta(days=SHOWN_DAYS - 1))
            found[platform] = days_of(connection, platform, shown_from, last)
    return found
