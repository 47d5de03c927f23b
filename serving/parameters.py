"""The parameters of questions, each defined once: its name, default, choices and meaning.

In: facts of an org's published version. Out: PARAMETERS by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any


@dataclass(frozen=True)
class OrgFacts:
    """What the published version of an org holds."""

    org: str
    currency: str
    timezone: str
    lookback_days: int
    default_model: str
    models: tuple[str, ...]
    windows: tuple[int, ...]
    conversion_types: tuple[str, ...]  # the main one first
    platforms: tuple[str, ...]
    first_day: date
    last_day: date


@dataclass(frozen=True)
class Parameter:
    """A parameter of questions."""

    name: str  # in SQL and in URLs
    title: str
    description: str
    kind: str  # date, choice, integer, money, text
    default: Callable[[OrgFacts], Any] = lambda facts: None
    choices: Callable[[OrgFacts], Sequence[Any]] | tuple[str, ...] = ()  # none: any value of its kind
    aliases: tuple[str, ...] = ()

    def choices_of(self, facts: OrgFacts) -> Sequence[Any]:
        """Return the values that it can have in an org; empty for any value of its kind."""
        return self.choices(facts) if callable(self.choices) else self.choices


def _first_day(facts: OrgFacts) -> date:
    return max(facts.first_day, facts.last_day - timedelta(days=29))


GRAINS = ("ORGANIZATION", "PLATFORM", "CAMPAIGN", "ADSET", "AD")
PARAMETERS: dict[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        Parameter("from", "From", "The first day, such as 2026-01-31. Default: 30 days to `to`.", "date", _first_day),
        Parameter("to", "To", "The last day. Default: the last day with data.", "date", lambda facts: facts.last_day),
        Parameter(
            "model",
            "Model",
            "The attribution model. Default: the org's.",
            "choice",
            lambda facts: facts.default_model,
            lambda facts: facts.models,
            ("attributionModel",),
        ),
        Parameter(
            "window",
            "Window",
            "The lookback window in days. Default: the org's. Accrual, and new or returning customers, always use the"
            " org's.",
            "integer",
            lambda facts: facts.lookback_days,
            lambda facts: facts.windows,
            ("lookbackDays",),
        ),
        Parameter(
            "mode",
            "Accounting",
            "cash: by the day of the conversion; accrual: by the day of the touch.",
            "choice",
            lambda facts: "cash",
            ("cash", "accrual"),
            ("accountingMode",),
        ),
        Parameter(
            "conversion_type",
            "Conversion",
            "The conversion type. Default: the org's main one.",
            "choice",
            lambda facts: facts.conversion_types[0],
            lambda facts: facts.conversion_types,
            ("conversionType",),
        ),
        Parameter(
            "customers",
            "Customers",
            "all; new: first conversions of a person; returning: all others.",
            "choice",
            lambda facts: "all",
            ("all", "new", "returning"),
        ),
        Parameter(
            "grain",
            "Grain",
            "ORGANIZATION, PLATFORM, CAMPAIGN, ADSET or AD. Default: all of them for waste, CAMPAIGN elsewhere.",
            "choice",
            choices=GRAINS,
        ),
        Parameter("platform", "Platform", "One platform, such as google. Default: all.", "text"),
        Parameter("channel", "Channel", "One channel, such as Email. Default: all.", "text"),
        Parameter("campaign_id", "Campaign", "One campaign id. Default: all.", "text", aliases=("campaignId",)),
        Parameter("adset_id", "Ad set", "One ad set id. Default: all.", "text", aliases=("adsetId",)),
        Parameter("conversion_id", "Conversion id", "One conversion. Default: all.", "text", aliases=("conversionId",)),
        Parameter("waste_id", "Waste id", "One waste flag. Default: all.", "text", aliases=("wasteId",)),
        Parameter(
            "severity",
            "Severity",
            "low, medium or high. Default: all.",
            "choice",
            choices=("low", "medium", "high"),
        ),
        Parameter(
            "reason",
            "Reason",
            "no_conversions, high_cpa or low_roas. Default: all.",
            "choice",
            choices=("no_conversions", "high_cpa", "low_roas"),
        ),
        Parameter(
            "min_waste",
            "Least waste",
            "The least wasted spend, in units of the org's currency. Default: 0.",
            "money",
            lambda facts: 0,
            aliases=("minWasteSpend",),
        ),
        Parameter("search", "Search", "A part of a name or an id. Default: all.", "text"),
    )
}
ALIASES = {alias: name for name, parameter in PARAMETERS.items() for alias in parameter.aliases}
