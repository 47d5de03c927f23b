"""Explain a waste flag of the published version: its evidence and what to do.

In: the id of a waste flag. Out: sentences, and a table of the weeks of the reason's own figure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import duckdb
from rich.markup import escape
from rich.table import Table

from serving.published import Record, attribution_models, escaped, money, only_one, records

GRAINS = {"CAMPAIGN": "campaign", "ADSET": "ad set", "AD": "ad"}
TARGET_SOURCES = {
    "campaign": "set for this campaign",
    "platform": "set for the platform",
    "org": "set for the org",
    "own": "the org's average, because no target is set",
}
LEAST_WEEKS = 4  # of the trend, also of a shorter period


def explain_waste(connection: duckdb.DuckDBPyConnection, identifier: str, org: str | None = None) -> Iterator[Any]:
    """Yield a waste flag, its evidence, what to do, and the weeks of its period. Raises NotFound."""
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
    models = len(attribution_models(connection))
    yield from evidence_sentences(escaped(flag), escaped(evidence), models, bold=lambda text: f"[bold]{text}[/bold]")
    yield f"[bold]What to do:[/bold] {escape(flag['recommendation'])}"
    yield ""
    yield trend_table(flag, evidence["trend"])


def evidence_sentences(
    flag: Record, evidence: Record, model_count: int, *, bold: Callable[[str], str] = str
) -> Iterator[str]:
    """Yield the evidence of a flag in sentences: what, how much, how likely, compared with what, under which models.

    evidence: the flag's explanation. bold: how a surface emphasises a text.
    """
    grain, currency = GRAINS[flag["grain"]], flag["currency"]
    identity = flag["ad_id"] or flag["adset_id"] or flag["campaign_id"]
    yield (
        f"{bold(f'{grain.capitalize()} {entity_name(flag)}')} ({flag['platform']}, {identity}) of org "
        f"{flag['org_id']} {evidence['summary']}, from {flag['period_start']} to {flag['period_end']} under "
        f"{flag['attribution_model']}."
    )
    yield (
        f"Severity {bold(flag['severity'])}, reason {flag['reason']}: {money(flag['waste_spend_micros'])} of "
        f"{money(flag['spend_micros'])} {currency} ({flag['waste_pct']:.0%}) did not pay off."
    )
    yield (
        f"By chance alone this would happen {odds(evidence['probability_by_chance'])}; "
        f"flags start at once in {1 / evidence['threshold_probability']:.0f}. {target(flag, evidence)}"
    )
    others = evidence["comparable_count"] - (flag["conversions"] > 0)
    if others > 0:
        median = (
            f"return {evidence['comparable_median_roas']:.2f} for every 1.00 spent"
            if flag["reason"] == "low_roas"
            else f"pay {money(evidence['comparable_median_cpa_micros'])} {currency} a conversion"
        )
        yield (
            f"{evidence['comparable_count']} {grain}s of its kind convert "
            f"({evidence['kind']} on {flag['platform']}, {evidence['market']}). In the median, they {median}."
        )
    flagging = evidence["models_flagging"]
    yield f"{flagging} of {model_count} attribution models flag{'s' if flagging == 1 else ''} it."


def entity_name(flag: Record) -> str:
    """Return the name of the flagged campaign, ad set or ad, with its campaign; without a name, its id."""
    campaign = flag["campaign"] or flag["campaign_id"]
    if flag["grain"] == "CAMPAIGN":
        return str(campaign)
    own = flag["adset"] or flag["adset_id"] if flag["grain"] == "ADSET" else flag["ad"] or flag["ad_id"]
    return f"{own} of {campaign}"


def target(flag: Record, evidence: Record) -> str:
    """Return a sentence on the target that the flag's reason missed."""
    if flag["reason"] == "low_roas":
        return f"The target is a return of {evidence['target_roas']:g} for every 1.00 spent."
    source = TARGET_SOURCES[evidence["target_cpa_source"]]
    return f"The target is {money(evidence['target_cpa_micros'])} {flag['currency']} a conversion ({source})."


def trend_table(flag: Record, trend: list[Record]) -> Table:
    """Return the weeks of the flag's period, oldest first, with the figure of its reason: ROAS or cost a conversion."""
    period_end: date = flag["period_end"]
    weeks = max(LEAST_WEEKS, -(-((period_end - flag["period_start"]).days + 1) // 7))
    by_value = flag["reason"] == "low_roas"
    headings = (
        [f"value {flag['currency']}", "ROAS"] if by_value else ["conversions", f"{flag['currency']} a conversion"]
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("week from")
    for heading in (f"spend {flag['currency']}", *headings):
        table.add_column(heading, justify="right")
    for week in trend:
        if week["weeks_ago"] >= weeks:
            continue
        spend, conversions, value = week["spend_micros"], float(week["conversions"]), week["value_micros"]
        if by_value:
            figures = [money(value), f"{value / spend:.2f}" if spend else "-"]
        else:
            figures = [f"{conversions:,.1f}", money(spend / conversions) if conversions else "-"]
        table.add_row(str(period_end - timedelta(days=7 * week["weeks_ago"] + 6)), money(spend), *figures)
    return table


def odds(probability: float) -> str:
    """Return a probability in words."""
    return "less than once in a million" if probability < 1e-6 else f"once in {1 / probability:,.0f}"
