"""Explain a conversion of the published version: its touches and the credit of each.

In: the id of a conversion. Out: sentences and tables that fit 80 columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
from rich.markup import escape
from rich.table import Table

from serving.published import NotFound, Record, attribution_models, escaped, money, only_one, records

# The note of a touch that gets no credit, and its meaning.
NOTES = {
    "outside_lookback_window": "too early",
    "after_conversion": "later",
    "before_previous_conversion": "used before",
    "direct": "Direct",
    "suspicious": "suspicious",
}
MEANINGS = {
    "outside_lookback_window": "Too early: before the lookback window of the org or of its touch type.",
    "after_conversion": "Later: after the conversion.",
    "before_previous_conversion": "Used before: the person's previous conversion of this type has it.",
    "direct": "Direct: the org's rule for Direct drops it (direct in tributary.yaml).",
    "suspicious": "Suspicious: suspicious_touches has the reason.",
    "merged": "Part of: this report and the touch are one, as the open, the click and the visit of an e-mail.",
}
MODELS_PER_TABLE = 8  # fit 80 columns

CANDIDATES = """
    select candidates.*, coalesce(names.campaign, candidates.campaign, candidates.campaign_id) as campaign_name
    from attribution_candidates as candidates
    left join (
        select org_id, platform, campaign_id, max(campaign) as campaign from campaigns group by all
    ) as names using (org_id, platform, campaign_id)
    where candidates.org_id = $org and candidates.conversion_id = $id
    order by candidates.occurred_at, candidates.touchpoint_id
"""


def explain_conversion(
    connection: duckdb.DuckDBPyConnection, identifier: str, org: str | None = None, window: int | None = None
) -> Iterator[Any]:
    """Yield the conversion, then each touch of the person: kept or dropped, the reason, the weights.

    The weights are those of each model in one window, by default the lookback window, and those of the org's own model
    in each window. Raises NotFound.
    """
    conversion = only_one(
        records(
            connection.execute(
                "select conversion_id as id, conversions.*, currency, timezone, default_attribution_model"
                " from conversions join orgs using (org_id)"
                " where starts_with(conversion_id, $id) and ($org is null or org_id = $org) limit 20",
                {"id": identifier, "org": org},
            )
        ),
        "conversion",
        identifier,
    )
    key = {"org": conversion["org_id"], "id": conversion["id"]}
    candidates = records(connection.execute(CANDIDATES, key))
    links = records(connection.execute("select * from window_links where org_id = $org and conversion_id = $id", key))
    window = window or conversion["lookback_days"]
    windows = sorted(
        days
        for (days,) in connection.execute(
            "select lookback_days from conversion_windows where org_id = $1 and conversion_type = $2",
            [conversion["org_id"], conversion["conversion_type"]],
        ).fetchall()
    )
    if window not in windows:
        raise NotFound(f"There is no window of {window} days. Use one of {', '.join(map(str, windows))}.")
    yield from describe_conversion(conversion, candidates)
    if not candidates:
        return
    yield ""
    yield touches_table(candidates)
    reasons = {touch["reason"] for touch in candidates}
    yield from (meaning for reason, meaning in MEANINGS.items() if reason in reasons)
    models = attribution_models(connection)
    in_window = [link for link in links if link["lookback_days"] == window]
    for first in range(0, len(models) if in_window else 0, MODELS_PER_TABLE):
        yield ""
        yield credit_table(in_window, models[first : first + MODELS_PER_TABLE], conversion["currency"], window)
    if links:
        yield ""
        yield windows_table(links, candidates, conversion["default_attribution_model"], windows)


def describe_conversion(conversion: Record, candidates: list[Record]) -> Iterator[str]:
    """Yield the facts of a conversion in sentences with rich's markup."""
    return conversion_sentences(escaped(conversion), candidates, bold=lambda text: f"[bold]{text}[/bold]")


def conversion_sentences(
    conversion: Record, candidates: list[Record], *, bold: Callable[[str], str] = str
) -> Iterator[str]:
    """Yield the facts of a conversion in sentences. bold: how a surface emphasises a text."""
    customer, visitor = conversion["customer_id"], conversion["visitor_id"]
    order = f", order {conversion['order_id']}" if conversion["order_id"] else ""
    person = f"customer {customer}" if customer else f"visitor {visitor}" if visitor else "an unknown person"
    yield (
        f"{bold(conversion['conversion_type'] + ' ' + conversion['id'])} of org {conversion['org_id']}{order}: "
        f"{money(conversion['value_micros'])} {conversion['currency']} "
        f"on {conversion['occurred_at']:%Y-%m-%d %H:%M:%S} UTC, "
        f"reporting day {conversion['date']} ({conversion['timezone']}), by {person}."
    )
    original = conversion["original_value_micros"]
    if original is not None and conversion["original_currency"] != conversion["currency"]:
        yield f"It was booked as {money(original)} {conversion['original_currency']} and converted with the day's rate."
    kept = sum(touch["is_kept"] for touch in candidates)
    if kept:
        get = "touch gets" if kept == 1 else "touches get"
        yield f"{kept} {get} credit, from the {conversion['lookback_days']} days before the conversion."
    else:
        none = "No touch gets credit" if candidates else "This person has no touch"
        yield f"{none}. Every report shows the conversion as (unattributed)."


def touches_table(candidates: list[Record]) -> Table:
    """Return a table of all touches in order of time, with a note on those without credit of their own."""
    touch_of = {touch["touchpoint_id"]: touch for touch in candidates}
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("when (UTC)", no_wrap=True)
    table.add_column("channel")
    table.add_column("type", no_wrap=True)
    table.add_column("campaign")
    table.add_column("note", no_wrap=True)
    for touch in candidates:
        whole = touch_of.get(touch["merged_into"], touch)
        part = f"part of {whole['position']}" if touch["merged_into"] and whole["position"] else ""
        table.add_row(
            str(touch["position"] or ""),
            f"{touch['occurred_at']:%Y-%m-%d %H:%M}",
            escape(touch["channel"]),
            touch["touch_type"],
            escape(touch["campaign_name"] or "-"),
            part or NOTES.get(whole["reason"], ""),
            style=None if touch["is_kept"] else "dim",
        )
    return table


def windows_table(links: list[Record], candidates: list[Record], model: str, windows: list[int]) -> Table:
    """Return a table of touches and windows with the weights of one model in percent, empty outside a window."""
    table = Table(
        title=f"Credit in percent under {model}, by window in days",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("when (UTC)", no_wrap=True)
    table.add_column("channel")
    for days in windows:
        table.add_column(str(days), justify="right", no_wrap=True)
    weights = {
        (link["touchpoint_id"], link["lookback_days"]): link["weight"]
        for link in links
        if link["attribution_model"] == model
    }
    for touch in candidates:
        shares = [weights.get((touch["touchpoint_id"], days)) for days in windows]
        if any(share is not None for share in shares):
            table.add_row(
                f"{touch['occurred_at']:%Y-%m-%d %H:%M}",
                escape(touch["channel"]),
                *("" if share is None else f"{share * 100:.0f}" for share in shares),
            )
    return table


def credit_table(links: list[Record], models: list[str], currency: str, days: int) -> Table:
    """Return a table of touches and models with weights in percent. Its last line is the money of each model.

    links: of one window of so many days. A touch is numbered by its place in the journey of the window.
    """
    weights = {(link["position"], link["attribution_model"]): float(link["weight"]) for link in links}
    table = Table(
        title=f"Credit in percent, {days} days",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_footer=True,
    )
    table.add_column("#", justify="right", footer=currency)
    for model in models:
        total = sum(link["attributed_value_micros"] for link in links if link["attribution_model"] == model)
        table.add_column(model.replace("_", "\n"), justify="right", footer=money(total), no_wrap=True)
    for position in range(1, max(link["touchpoint_count"] for link in links) + 1):
        shares = [weights.get((position, model)) for model in models]
        table.add_row(str(position), *("-" if not share else f"{share * 100:.1f}" for share in shares))
    return table
