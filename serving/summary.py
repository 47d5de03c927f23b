"""Summarize a published version on one screen.

In: a published file. Out: revenue by model and channel, the worst waste, the promises, notices, doubtful input.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import duckdb
from rich.markup import escape
from rich.table import Table

from serving.explain.waste import entity_name
from serving.published import Record, attribution_models, counted, money, records, scalar

WIDTH, GAP = 80, 2  # characters of a terminal, and between two columns

PROMISES = {
    "everything_adds_up": "Everything adds up",
    "everything_explains_itself": "Every number explains itself",
    "nothing_lost_or_counted_twice": "Nothing is lost, nothing counts twice",
}


def revenue_by_channel(connection: duckdb.DuckDBPyConnection, most: int = 9) -> Iterator[Table]:
    """Yield tables for each org: the channels with the most revenue by model, in whole units of its currency.

    A table has as many models as fit on a terminal of WIDTH columns; the next table has the others.
    """
    models = attribution_models(connection)
    orgs = connection.execute(
        "select org_id, currency from orgs where org_id in (select org_id from model_comparison) order by 1"
    ).fetchall()
    for org, currency in orgs:
        rows = connection.execute(
            "select channel, map_from_entries(list((attribution_model, value))) from ("
            " select channel, attribution_model, conversion_value_micros as value from model_comparison"
            " join conversion_windows using (org_id, conversion_type, lookback_days)"
            " where org_id = ? and is_main_type and is_main_window"
            ") group by channel order by channel = '(unattributed)', max(value) desc",
            [org],
        ).fetchall()
        rows = [(channel, values) for channel, values in rows if any(values.values())]
        if len(rows) > most + 1:
            rest = {model: sum(values.get(model, 0) for _, values in rows[most:]) for model in models}
            rows = [*rows[:most], (f"{len(rows) - most} others", rest)]
        title = f"Revenue of {org} by channel and model, {currency}"
        columns = [Column(model, [values.get(model, 0) for _, values in rows]) for model in models]
        channels = [channel for channel, _ in rows]
        for shown in side_by_side(columns, WIDTH - max(map(len, [*channels, "channel"]))):
            table = small_table(title, show_footer=True)
            table.add_column("channel", footer="in all")
            for column in shown:
                table.add_column(column.heading, justify="right", footer=column.cells[-1])
            for row, channel in enumerate(channels):
                table.add_row(escape(channel), *(column.cells[row] for column in shown))
            yield table
            title = ""


class Column:
    """The revenue of a model: a heading of one word a line, and a cell for each channel and for their sum."""

    def __init__(self, model: str, micros: Sequence[int]) -> None:
        """micros: the revenue of each channel."""
        self.heading = model.replace("_", "\n")
        self.cells = [f"{value / 1e6:,.0f}" for value in [*micros, sum(micros)]]
        self.width = max(map(len, [*self.heading.split("\n"), *self.cells])) + GAP


def side_by_side(columns: Iterable[Column], width: int) -> Iterator[list[Column]]:
    """Yield the columns in their order, as many at once as `width` characters hold, and at least one."""
    shown: list[Column] = []
    for column in columns:
        if shown and sum(each.width for each in [*shown, column]) > width:
            yield shown
            shown = []
        shown.append(column)
    yield shown


def worst_flags(connection: duckdb.DuckDBPyConnection, limit: int = 5) -> list[Record]:
    """Return the flags with the most wasted money under their org's model. Omit an ad set or ad of a flagged parent."""
    return records(
        connection.execute(
            """
            select waste_flags.*, orgs.currency
            from waste_flags join orgs using (org_id)
            where attribution_model = orgs.default_attribution_model and not exists (
                from waste_flags as parent
                where parent.org_id = waste_flags.org_id and parent.attribution_model = waste_flags.attribution_model
                    and parent.platform = waste_flags.platform and parent.campaign_id = waste_flags.campaign_id
                    and (
                        (parent.grain = 'CAMPAIGN' and waste_flags.grain <> 'CAMPAIGN')
                        or (parent.grain = 'ADSET' and waste_flags.grain = 'AD'
                            and parent.adset_id = waste_flags.adset_id)
                    )
            )
            order by waste_spend_micros desc, waste_id limit $limit
            """,
            {"limit": limit},
        )
    )


def worst_waste(connection: duckdb.DuckDBPyConnection) -> Table | str:
    """Return a table of the worst flags."""
    flags = worst_flags(connection)
    if not flags:
        return "No waste is flagged."
    table = small_table("Worst waste")
    for heading in ("id", "platform", "what", "reason", "severity"):
        table.add_column(heading, no_wrap=heading != "what")
    table.add_column("wasted", justify="right", no_wrap=True)
    for flag in flags:
        table.add_row(
            flag["waste_id"][:8],
            escape(flag["platform"]),
            escape(entity_name(flag)),
            flag["reason"],
            flag["severity"],
            f"{money(flag['waste_spend_micros'])} {flag['currency']}",
        )
    return table


def typical_conversion(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Return the id of a conversion that shows what a journey is: 4 to 7 touches over at least 3 channels.

    Among several, or without any, prefer 4 channels, then 5 touches. Return None if no conversion has a touch.
    """
    found: str | None = scalar(
        connection,
        "select conversion_id from ("
        " select org_id, conversion_id, count(*) as touches, count(distinct channel) as channels"
        " from conversion_touches group by all)"
        " order by (touches between 4 and 7 and channels >= 3) desc, least(channels, 4) desc, abs(touches - 5),"
        " conversion_id, org_id limit 1",
    )
    return found


def small_table(title: str, **options: Any) -> Table:
    """Return a table with a title, or with none, and without lines."""
    return Table(title=title or None, box=None, title_justify="left", title_style="bold", pad_edge=False, **options)


def promises(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield each promise with the number of its checks that passed."""
    counts = json.loads(scalar(connection, "select checks from meta"))
    for promise, sentence in PROMISES.items():
        kept = counts.get(promise, 0)
        hold = f"{counted(kept, 'check')} {'holds' if kept == 1 else 'hold'}"
        yield f"[green]✓[/green] {sentence}: {hold}" if kept else f"- {sentence}: nothing to check yet"


# Notices of faults that input_checks shows, too.
CHECKED = ("shared_ids", "bot_conversions", "own_links", "unknown_order")


def notices(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the notices of the version that no input check repeats, a sentence each."""
    query = "select message from notices where topic not in (select unnest($1::varchar[]))"
    return [message for (message,) in connection.execute(query, [CHECKED]).fetchall()]


def input_checks(connection: duckdb.DuckDBPyConnection, most: int | None = None) -> Iterator[str]:
    """Yield doubtful input, the worst first: what was found, where, and what to do. most: the number of findings."""
    found = connection.execute(
        "select coalesce('org ' || org_id || ': ', '') || finding || '. ' || action || '.' from input_checks"
        " order by importance, amount_micros desc nulls last, row_count desc, org_id, check_name, location"
    ).fetchall()
    for (sentence,) in found[:most]:
        yield f"[yellow]?[/yellow] {escape(sentence)}"
    if most is not None and len(found) > most:
        yield f"  {len(found) - most} more doubtful inputs: tributary status"


def summary(connection: duckdb.DuckDBPyConnection) -> Iterator[Any]:
    """Yield all parts of the summary in reading order."""
    for table in revenue_by_channel(connection):
        yield table
        yield ""
    yield worst_waste(connection)
    yield ""
    yield from promises(connection)
    for notice in notices(connection):
        yield f"[yellow]![/yellow] {escape(notice)}"
    yield from input_checks(connection, most=3)
