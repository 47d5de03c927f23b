"""Compare the month's spend with the monthly budgets of tributary.yaml.

In: a page's view: the question pacing_days, and the budgets of its org. Out: the table and the chart of the page
"Spend and pacing". The month is that of the filter `to`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from serving import formats
from serving.answers import Answer
from serving.dashboard import charts
from serving.dashboard.forecast import Forecast, forecast, month_end, month_spend
from serving.dashboard.view import View
from serving.questions import Column, Question

Spend = Mapping[date, int]
_COLUMNS = (
    Column("platform", "Platform", link="/pacing?platform={platform}"),
    Column("campaign", "Campaign", optional=True),
    Column("budget_micros", "Budget", "money", optional=True, description="Of the whole month, from tributary.yaml."),
    Column("spent_micros", "Spent", "money", description="From the first of the month up to the last day chosen."),
    Column("expected_micros", "Planned", "money", optional=True, description="The budget's share for the days so far."),
    Column("pace", "Pace", "percent", optional=True, description="Spent, as a share of planned: 100% is on plan."),
    Column(
        "forecast_micros",
        "Forecast",
        "money",
        optional=True,
        description="Spend of the whole month if the days go on as before.",
    ),
    Column(
        "low_micros", "Low", "money", optional=True, description="The month ends between low and high in 8 of 10 cases."
    ),
    Column(
        "high_micros",
        "High",
        "money",
        optional=True,
        description="The month ends between low and high in 8 of 10 cases.",
    ),
    Column("daily_micros", "Daily to fit", "money", optional=True, description="Daily spend that uses up the budget."),
    Column("last_month_micros", "Last month", "money", description="Spend of the whole month before."),
    Column("reading", "Outlook", "sentence", optional=True),
)
_METHOD = (
    " The forecast repeats each weekday's mean of the last 28 days; low and high enclose the month's end in 8 of 10"
    " cases. It knows no planned change."
)


@dataclass(frozen=True)
class Pace:
    """The month of one platform or campaign. Money is in micros; figures without a budget or forecast are None."""

    platform: str
    campaign: str | None
    budget_micros: int | None
    spent_micros: int
    expected_micros: int | None
    pace: float | None
    forecast_micros: int | None
    low_micros: int | None
    high_micros: int | None
    daily_micros: int | None
    last_month_micros: int
    reading: str | None


def pace_table(view: View) -> Answer:
    """Return the pace of each budget, then of each platform without one, the largest spend first."""
    today: date = view.filters["to"]
    by_platform: dict[str, dict[date, int]] = defaultdict(dict)
    for row in view.answer("pacing_days", platform=None, campaign_id=None).records():
        by_platform[row["platform"]][row["date"]] = row["spend_micros"]
    paces = []
    budgets = view.service.live.budgets(view.version.facts.org)
    whole = {budget["platform"]: budget["monthly_micros"] for budget in budgets if budget["campaign_id"] is None}
    every = "all" if len(whole) < len(budgets) else None  # the column is hidden without a campaign's budget
    for platform in {**by_platform, **whole}:
        spend = by_platform.get(platform, {})
        if platform in whole or month_spend(spend, today):
            paces.append(pace(platform, every, spend, whole.get(platform), today, currency=view.currency))
    for budget in budgets:
        if budget["campaign_id"] is not None:
            rows = view.answer("pacing_days", platform=budget["platform"], campaign_id=budget["campaign_id"]).records()
            name = rows[0]["campaign"] if rows and rows[0]["campaign"] else budget["campaign_id"]
            spend = {row["date"]: row["spend_micros"] for row in rows}
            paces.append(pace(budget["platform"], name, spend, budget["monthly_micros"], today, currency=view.currency))
    paces.sort(key=lambda each: (each.budget_micros is None, -each.spent_micros, each.platform, each.campaign or ""))
    question = Question(
        "pacing_days",
        f"The month up to {today}",
        f"{today:%B %Y} is {today.day / month_end(today).day:.0%} over.{_METHOD}"
        if today < month_end(today)
        else f"{today:%B %Y} is over. Choose an earlier last day to see a forecast.",
        {column.name: column for column in _COLUMNS},
        "",
    )
    names = tuple(column.name for column in _COLUMNS)
    values = [tuple(asdict(each)[name] for name in names) for each in paces]
    return Answer(question, view.version.number, view.version.facts.org, view.currency, names, (), values)


def pace(platform: str, campaign: str | None, spend: Spend, budget: int | None, today: date, *, currency: str) -> Pace:
    """Return the pace of one platform or campaign. budget: micros of the month, or None."""
    spent, ends = month_spend(spend, today), month_end(today)
    outcome = forecast(spend, today) if today < ends else None
    planned = round(budget * today.day / ends.day) if budget else None
    days_left = (ends - today).days
    before = today.replace(day=1)
    return Pace(
        platform,
        campaign,
        budget,
        spent,
        planned,
        spent / planned if planned else None,
        outcome.expected if outcome else None,
        outcome.low if outcome else None,
        outcome.high if outcome else None,
        round(max(0, budget - spent) / days_left) if budget and days_left else None,
        sum(amount for day, amount in spend.items() if day < before),
        _reading(budget, spent, outcome, days_left, currency) if budget else None,
    )


def _reading(budget: int, spent: int, outcome: Forecast | None, days_left: int, currency: str) -> str:
    """Return what the forecast means for the budget."""

    def money(amount: int) -> str:
        return formats.shown(amount, "money", currency, is_short=True)

    if spent > budget:
        return f"It is {money(spent - budget)} above the budget."
    if not days_left:
        return f"It ended {money(budget - spent)} below the budget."
    if not spent:
        return "It has no spend in this month. Check that its campaigns run and that its spend arrives."
    if outcome is None:
        return "There are too few days for a forecast."
    if outcome.low > budget:
        return f"It will probably exceed the budget by {money(outcome.expected - budget)}. Lower the daily budget."
    if outcome.high < budget:
        return f"It will probably leave {money(budget - outcome.expected)} unspent. Raise the daily budget."
    return "It is on plan."


def spend_chart(view: View) -> dict[str, Any]:
    """Return the chart of daily spend, with a dashed line at the budgets' daily share if there are any."""
    specification = charts.specification(view.answer("spend_by_day"))
    budgets = platform_budgets(view)
    if not budgets:
        return specification
    amount = sum(budgets.values()) / month_end(view.filters["to"]).day / 1e6
    layered = {key: value for key, value in specification.items() if key not in ("mark", "encoding")}
    layered["layer"] = [
        {"mark": specification["mark"], "encoding": specification["encoding"]},
        {
            "data": {"values": [{"amount": amount}]},
            "mark": {"type": "rule", "strokeDash": [6, 4], "strokeWidth": 2, "color": "var(--text)"},
            "encoding": {"y": {"field": "amount", "type": "quantitative"}},
        },
    ]
    return layered


def platform_budgets(view: View) -> dict[str, int]:
    """Return the monthly budget in micros of each platform that the page shows; those of campaigns are parts of it."""
    chosen = view.filters["platform"]
    return {
        budget["platform"]: budget["monthly_micros"]
        for budget in view.service.live.budgets(view.version.facts.org)
        if budget["campaign_id"] is None and chosen in (None, budget["platform"])
    }
