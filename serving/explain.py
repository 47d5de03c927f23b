"""Explain a figure of the published version.

In: the id of a conversion or a waste flag. Out: sentences and tables: touches with their weights, or evidence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb
from rich.markup import escape
from rich.table import Table

from serving.published import Record, attribution_models, escaped, only_one, records

# The position column of a touch that gets no credit.
REASONS = {"after_conversion": "after", "outside_lookback_window": "early", "suspicious": "doubt"}
GRAINS = {"CAMPAIGN": ("campaign", "campaign_id"), "ADSET": ("ad set", "adset_id"), "AD": ("ad", "ad_id")}


def explain_conversion(connection: duckdb.DuckDBPyConnection, identifier: str, org: str | None = None) -> Iterator[Any]:
    """Yield the conversion, then each touch of the person: kept or dropped, the reason, the weight under each model.

    Raises NotFound.
    """
    conversion = only_one(
        records(
            connection.execute(
                "select conversion_id as id, * from conversions join orgs using (org_id)"
                " where starts_with(conversion_id, $id) and ($org is null or org_id = $org) limit 20",
                {"id": identifier, "org": org},
            )
        ),
        "conversion",
        identifier,
    )
    key = {"org": conversion["org_id"], "id": conversion["id"]}
    candidates = records(
        connection.execute(
            "select * from attribution_candidates where org_id = $org and conversion_id = $id"
            " order by occurred_at, touchpoint_id",
            key,
        )
    )
    links = records(
        connection.execute("select * from attribution_links where org_id = $org and conversion_id = $id", key)
    )
    models = attribution_models(connection)
    weights = {(link["touchpoint_id"], link["attribution_model"]): link for link in links}

    yield from describe_conversion(conversion, candidates)
    if not candidates:
        yield "This person has no touch. Every report shows the conversion as (unattributed)."
        return
    kept = [touch for touch in candidates if touch["is_kept"]]
    if not kept:
        yield "No touch gets credit. Every report shows the conversion as (unattributed)."
    yield touches_table(candidates, models, weights)
    suspicious = ", or is in suspicious_touches" if any(touch["reason"] == "suspicious" for touch in candidates) else ""
    yield (
        "Weights are in percent. A touch without a number gets no credit: it is too early, after the conversion"
        f"{suspicious}."
    )


def describe_conversion(conversion: Record, candidates: list[Record]) -> Iterator[str]:
    """Yield the facts of a conversion in three sentences."""
    conversion = escaped(conversion)
    customer, visitor = conversion["customer_id"], conversion["visitor_id"]
    order = f", order {conversion['order_id']}" if conversion["order_id"] else ""
    yield (
        f"[bold]{conversion['conversion_type']} {conversion['id']}[/bold] of org {conversion['org_id']}{order}: "
        f"{money(conversion['value_micros'])} {conversion['currency']} "
        f"on {conversion['occurred_at']:%Y-%m-%d %H:%M:%S} UTC, "
        f"reporting day {conversion['date']} ({conversion['timezone']}), "
        f"by {f'customer {customer}' if customer else f'visitor {visitor}'}."
    )
    original = conversion["original_value_micros"]
    if original is not None and conversion["original_currency"] != conversion["currency"]:
        yield f"It was booked as {money(original)} {conversion['original_currency']} and converted with the day's rate."
    kept = sum(touch["is_kept"] for touch in candidates)
    yield (
        f"{kept} of {len(candidates)} touches get credit: those in the {conversion['lookback_days']} days before it. "
        "A touch type can have a shorter window."
    )


def touches_table(candidates: list[Record], models: list[str], weights: dict[tuple[str, str], Record]) -> Table:
    """Return a table of touches and models with weights in percent. Its last line is the money of each model."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_footer=True)
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("when (UTC)", no_wrap=True)
    table.add_column("channel", footer="money", min_width=10)
    for model in models:
        total = sum(link["attributed_value_micros"] for (_, name), link in weights.items() if name == model)
        table.add_column(model.replace("_", "\n"), justify="right", footer=f"{total / 1e6:.2f}", no_wrap=True)
    for touch in candidates:
        shares = [weights.get((touch["touchpoint_id"], model)) for model in models]
        table.add_row(
            str(touch["position"] or REASONS[touch["reason"]]),
            f"{touch['occurred_at']:%m-%d %H:%M}",
            escape(touch["channel"]),
            *(f"{float(link['weight']) * 100:.1f}" if link else "-" for link in shares),
            style=None if touch["is_kept"] else "dim",
        )
    return table


def explain_waste(connection: duckdb.DuckDBPyConnection, identifier: str, org: str | None = None) -> Iterator[Any]:
    """Yield a waste flag, its evidence, what to do, and the weeks before it. Raises NotFound."""
    flag = only_one(
        records(
            connection.execute(
                "select waste_id as id, * from waste_flags join orgs using (org_id)"
                " where starts_with(waste_id, $id) and ($org is null or org_id = $org) limit 20",
                {"id": identifier, "org": org},
            )
        ),
        "waste flag",
        identifier,
    )
    evidence = json.loads(flag["explanation"])
    grain, id_column = GRAINS[flag["grain"]]
    name = escape(entity_name(connection, flag))
    flag, evidence["summary"] = escaped(flag), escape(evidence["summary"])
    currency = flag["currency"]
    yield (
        f"[bold]{grain.capitalize()} {name}[/bold] ({flag['platform']}, {flag[id_column]}) of org {flag['org_id']} "
        f"{evidence['summary']}, from {flag['period_start']} to {flag['period_end']} under {flag['attribution_model']}."
    )
    yield (
        f"Severity [bold]{flag['severity']}[/bold], reason {flag['reason']}: {money(flag['waste_spend_micros'])} of "
        f"{money(flag['spend_micros'])} {currency} ({flag['waste_pct']:.0%}) did not pay off."
    )
    target_roas = f" and a ROAS of {evidence['target_roas']:g}" if evidence["target_roas"] else ""
    yield (
        f"By chance alone this would happen {odds(evidence['probability_by_chance'])}; "
        f"flags start at 1 in {1 / evidence['threshold_probability']:.0f}. "
        f"The target is {money(evidence['target_cpa_micros'])} {currency} per conversion{target_roas} "
        f"({TARGET_SOURCES[evidence['target_cpa_source']]})."
    )
    if evidence["peer_count"]:
        yield (
            f"{evidence['peer_count']} others on {flag['platform']} with conversions pay "
            f"{money(evidence['peer_median_cpa_micros'])} {currency} in the median."
        )
    yield f"{evidence['models_flagging']} attribution models flag it."
    yield f"[bold]What to do:[/bold] {flag['recommendation']}"
    yield trend_table(evidence["trend"], currency)


TARGET_SOURCES = {
    "campaign": "set for this campaign",
    "platform": "set for the platform",
    "org": "set for the org",
    "own": "the org's average, because no target is set",
}


def entity_name(connection: duckdb.DuckDBPyConnection, flag: Record) -> str:
    """Return the last known name of the flagged campaign, ad set or ad; without a name, its id."""
    column = {"CAMPAIGN": "campaign", "ADSET": "adset", "AD": "ad"}[flag["grain"]]
    id_column = GRAINS[flag["grain"]][1]
    found = connection.execute(
        f"select max({column}) from campaigns where org_id = $org and platform = $platform and {id_column} = $id",
        {"org": flag["org_id"], "platform": flag["platform"], "id": flag[id_column]},
    ).fetchall()
    return str(found[0][0] or flag[id_column])


def trend_table(trend: list[Record], currency: str) -> Table:
    """Return the last weeks, oldest first."""
    table = Table(box=None, pad_edge=False)
    table.add_column("week")
    for heading in (f"spend {currency}", "conversions", "cost per conversion"):
        table.add_column(heading, justify="right")
    for week in trend:
        spend, conversions = week["spend_micros"], float(week["conversions"])
        ago = week["weeks_ago"]
        table.add_row(
            "latest 7 days" if ago == 0 else f"{ago} week{'s' if ago > 1 else ''} before",
            money(spend),
            f"{conversions:,.1f}",
            money(spend / conversions) if conversions else "-",
        )
    return table


def money(micros: float) -> str:
    """Return micros as units with two decimals."""
    return f"{micros / 1e6:,.2f}"


def odds(probability: float) -> str:
    """Return a probability in words."""
    return "less than once in a million" if probability < 1e-6 else f"once in {1 / probability:,.0f}"
