"""Summarize a published version on one screen.

In: a published file. Out: revenue by model and channel, the worst waste, the promises, notices, doubtful input.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb
from rich.markup import escape
from rich.table import Table

from serving.explain import entity_name, money
from serving.published import Record, attribution_models, records, scalar

PROMISES = {
    "everything_adds_up": "Everything adds up",
    "everything_explains_itself": "Every number explains itself",
    "nothing_lost_or_counted_twice": "Nothing is lost, nothing counts twice",
}


def revenue_by_channel(connection: duckdb.DuckDBPyConnection, most: int = 9) -> Iterator[Table]:
    """Yield a table for each org: the channels with the most revenue by model, in whole units of its currency."""
    models = attribution_models(connection)
    orgs = connection.execute(
        "select org_id, currency from orgs where org_id in (select org_id from channel_summary) order by 1"
    ).fetchall()
    for org, currency in orgs:
        rows = connection.execute(
            "select channel, map_from_entries(list((attribution_model, value))) from ("
            " select channel, attribution_model, sum(conversion_value_micros) as value from channel_summary"
            " where org_id = ? group by all) group by channel order by channel = '(unattributed)', max(value) desc",
            [org],
        ).fetchall()
        rows = [(channel, values) for channel, values in rows if any(values.values())]
        if len(rows) > most + 1:
            rest = {model: sum(values.get(model, 0) for _, values in rows[most:]) for model in models}
            rows = [*rows[:most], (f"{len(rows) - most} others", rest)]
        table = small_table(f"Revenue of {org} by channel and model, {currency}", show_footer=True)
        table.add_column("channel", footer="in all")
        for model in models:
            total = sum(values.get(model, 0) for _, values in rows)
            table.add_column(model.replace("_", "\n"), justify="right", footer=f"{total / 1e6:,.0f}")
        for channel, values in rows:
            table.add_row(escape(channel), *(f"{values.get(model, 0) / 1e6:,.0f}" for model in models))
        yield table


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
            escape(entity_name(connection, flag)),
            flag["reason"],
            flag["severity"],
            f"{money(flag['waste_spend_micros'])} {flag['currency']}",
        )
    return table


def small_table(title: str, **options: Any) -> Table:
    """Return a table with a title and without lines."""
    return Table(title=title, box=None, title_justify="left", title_style="bold", pad_edge=False, **options)


def promises(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield each promise with the number of its checks that passed."""
    counts = json.loads(scalar(connection, "select checks from meta"))
    for promise, sentence in PROMISES.items():
        kept = counts.get(promise, 0)
        yield f"[green]✓[/green] {sentence}: {kept:,} checks hold" if kept else f"- {sentence}: nothing to check yet"


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
