"""Explain the credit of a channel in the published version: why two attribution models differ.

In: a channel and two models. Out: sentences and tables that fit 80 columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
from rich.markup import escape
from rich.table import Table

from serving.published import NotFound, Record, attribution_models, money, records

JOURNEYS = 8  # shown, those with the largest difference
ROLES = {
    "alone": "is the only touch",
    "opens": "opens the journey",
    "between": "is between other touches",
    "closes": "closes the journey",
}

# A channel that opens and closes a journey has a row for each of its touches, so that the roles sum to the whole.
DIFFERENCES = """
    with touches as (
        select
            links.conversion_id,
            links.attribution_model = $first as is_first,
            links.weight,
            links.attributed_value_micros,
            case
                when links.touchpoint_count = 1 then 'alone'
                when links.position = 1 then 'opens'
                when links.position = links.touchpoint_count then 'closes'
                else 'between'
            end as role
        from attribution_links as links
        inner join conversion_touches as touches using (org_id, conversion_id, touchpoint_id)
        where links.org_id = $org and links.conversion_type = $type
            and links.attribution_model in ($first, $second) and touches.channel = $channel
    )
"""


def explain_channel(
    connection: duckdb.DuckDBPyConnection,
    channel: str,
    org: str | None = None,
    models: tuple[str, str] | None = None,
    conversion_type: str | None = None,
) -> Iterator[Any]:
    """Yield the credit of a channel under two models, by its place in the journey, and the journeys that differ most.

    models: by default the org's own model and last_touch, or linear where last_touch is the org's own. Raises NotFound.
    """
    home = _org(connection, channel, org)
    identifier, currency = home["org_id"], home["currency"]
    kind = _one_of("conversion type", conversion_type or home["conversion_type"], home["types"])
    known = attribution_models(connection)
    own = home["default_attribution_model"]
    first, second = models or ("linear" if own == "last_touch" else "last_touch", own)
    first, second = _one_of("model", first, known), _one_of("model", second, known)
    key = {"org": identifier, "type": kind, "channel": channel, "first": first, "second": second}
    roles = records(
        connection.execute(
            f"""{DIFFERENCES}
            select role, count(distinct conversion_id) as conversions,
                sum(case when is_first then weight else 0 end) as first_credit,
                sum(case when is_first then 0 else weight end) as second_credit,
                sum(case when is_first then attributed_value_micros else 0 end) as first_value,
                sum(case when is_first then 0 else attributed_value_micros end) as second_value
            from touches group by role""",
            key,
        )
    )
    totals = {name: sum(float(role[name]) for role in roles) for name in ("first_credit", "second_credit")}
    values = {name: sum(int(role[name]) for role in roles) for name in ("first_value", "second_value")}
    yield (
        f"[bold]{escape(channel)}[/bold] of org {escape(identifier)} gets {totals['first_credit']:,.1f} conversions"
        f" ({money(values['first_value'])} {currency}) under {first} and {totals['second_credit']:,.1f}"
        f" ({money(values['second_value'])} {currency}) under {second}: {escape(kind)}, {home['lookback_days']} days."
    )
    yield ""
    yield _roles_table(roles, first, second)
    largest = max(roles, key=lambda role: abs(role["first_credit"] - role["second_credit"]), default=None)
    if largest and largest["first_credit"] != largest["second_credit"]:
        more, less = (first, second) if largest["first_credit"] > largest["second_credit"] else (second, first)
        yield f"Most of the difference: where it {ROLES[largest['role']]}, {more} gives it more than {less}."
    journeys = records(
        connection.execute(
            f"""{DIFFERENCES},
            differences as (
                select conversion_id,
                    sum(case when is_first then weight else -weight end) as difference,
                    sum(case when is_first then attributed_value_micros else -attributed_value_micros end) as value
                from touches group by conversion_id
            )
            select differences.*, array_to_string(journeys.channels, ' > ') as path
            from differences
            inner join journeys on journeys.org_id = $org and journeys.journey_id = differences.conversion_id
            where difference <> 0 or value <> 0
            order by abs(value) desc, abs(difference) desc, conversion_id limit {JOURNEYS}""",
            key,
        )
    )
    if journeys:
        yield ""
        yield _journeys_table(journeys, first, second, currency)
        yield f"Look at one: tributary explain conversion {escape(journeys[0]['conversion_id'])}"


def _org(connection: duckdb.DuckDBPyConnection, channel: str, org: str | None) -> Record:
    """Return the org with the channel, its main conversion type and window."""
    rows = records(
        connection.execute(
            "select orgs.org_id, currency, default_attribution_model, conversion_type, windows.lookback_days,"
            " (select list(distinct conversion_type order by conversion_type) from conversion_windows as all_windows"
            "  where all_windows.org_id = orgs.org_id) as types"
            " from orgs join conversion_windows as windows on windows.org_id = orgs.org_id"
            " and is_main_type and is_main_window"
            " where ($org is null or orgs.org_id = $org) and exists (select 1 from conversion_touches as touches"
            "  where touches.org_id = orgs.org_id and touches.channel = $channel) order by orgs.org_id",
            {"org": org, "channel": channel},
        )
    )
    if len(rows) > 1:
        orgs = ", ".join(row["org_id"] for row in rows)
        raise NotFound(f"Several orgs have the channel {channel}. Add --org with one of {orgs}.")
    if not rows:
        names = connection.execute(
            "select distinct channel from conversion_touches where $org is null or org_id = $org order by 1",
            {"org": org},
        ).fetchall()
        raise NotFound(f"No conversion has a touch of {channel!r}. Use one of {', '.join(name for (name,) in names)}.")
    return rows[0]


def _one_of(what: str, name: str, known: list[str]) -> str:
    if name not in known:
        raise NotFound(f"There is no {what} {name}. Use one of {', '.join(known)}.")
    return name


def _roles_table(roles: list[Record], first: str, second: str) -> Table:
    """Return the credit under both models by the channel's place in the journey."""
    table = Table(box=None, pad_edge=False)
    table.add_column("where the channel")
    for heading in ("conversions", first.replace("_", "\n"), second.replace("_", "\n"), "difference"):
        table.add_column(heading, justify="right")
    found = {role["role"]: role for role in roles}
    for name, meaning in ROLES.items():
        if role := found.get(name):
            difference = role["first_credit"] - role["second_credit"]
            table.add_row(
                meaning,
                f"{role['conversions']:,}",
                f"{role['first_credit']:,.1f}",
                f"{role['second_credit']:,.1f}",
                f"{difference:+,.1f}",
            )
    return table


def _journeys_table(journeys: list[Record], first: str, second: str, currency: str) -> Table:
    """Return the journeys with the largest difference in value."""
    table = Table(
        title=f"Journeys with the largest difference: {first} less {second}",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    table.add_column("conversion", overflow="fold")
    table.add_column("path", overflow="fold")
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column(currency, justify="right", no_wrap=True)
    for journey in journeys:
        table.add_row(
            escape(journey["conversion_id"]),
            escape(journey["path"]),
            f"{journey['difference']:+.0%}",
            f"{journey['value'] / 1e6:+,.2f}",
        )
    return table
