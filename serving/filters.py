"""The filters of a view: parse them from a URL, write them into a URL, and give a question its parameters.

In: a query string, facts of the org's published version. Out: Filters; WrongFilter names the parameter and its choices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from serving.parameters import ALIASES, PARAMETERS, OrgFacts, Parameter

COMPARISONS = {"none": "No comparison", "previous_period": "Previous period", "previous_year": "Previous year"}
# Of pages, not of questions. marks=open hides marked waste flags; parts=all shows also the flags of ad sets and ads of
# flagged campaigns; windows=all shows the credit of a conversion in every window.
PAGE_PARAMETERS = ("compare", "marks", "parts", "windows")
MAX_TEXT = 500  # characters of a text parameter


class WrongFilter(ValueError):
    """A parameter has a value that it cannot have. name: the parameter."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


EARLIEST, LATEST = date(1970, 1, 1), date(2200, 1, 1)


@dataclass(frozen=True)
class Filters:
    """The filters of one view: the value of each parameter, and the period to compare with."""

    facts: OrgFacts
    values: Mapping[str, Any]
    compare: str = "previous_period"
    given: Mapping[str, str] = field(default_factory=dict)  # parameters of the URL, as it spells them

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def days(self) -> int:
        """The number of days of the period."""
        return int((self["to"] - self["from"]).days) + 1

    @property
    def needs_main_window(self) -> bool:
        """Whether credit has the org's window, whatever the filter: no other window knows the day of the touch."""
        return bool(self["mode"] == "accrual" or self["customers"] != "all")

    def previous(self) -> Filters | None:
        """Return the same view of the period to compare with, or None."""
        if self.compare == "none":
            return None
        if self.compare == "previous_year":
            first, last = year_before(self["from"]), year_before(self["to"])
        else:
            first, last = self["from"] - timedelta(days=self.days), self["from"] - timedelta(days=1)
        return replace(self, values={**self.values, "from": first, "to": last})

    def arguments(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the values of parameters for DuckDB."""
        return {name: self.values[name] for name in names}

    def query(self, **changes: Any) -> str:
        """Return the query string of this view with some parameters changed; None removes one."""
        wanted = {**self.given, **{name: spelled(value) for name, value in changes.items()}}
        ordered = {"org": self.facts.org, **wanted}
        return urlencode({name: value for name, value in ordered.items() if value not in (None, "")})


def parse(query: Mapping[str, str], facts: OrgFacts, *, is_strict: bool) -> Filters:
    """Return the filters of a query string.

    is_strict: raise WrongFilter for a value that a parameter cannot have. Otherwise it has its default, as on a page.
    """
    given = {ALIASES.get(name, name): value.strip() for name, value in query.items()}
    if is_strict and given.get("dateRange"):
        given |= date_range(given["dateRange"])
    values: dict[str, Any] = {}
    for name, parameter in PARAMETERS.items():
        values[name] = parameter.default(facts)
        if given.get(name):
            try:
                values[name] = value_of(parameter, given[name], facts)
            except WrongFilter:
                if is_strict:
                    raise
                del given[name]
    if "to" in given and "from" not in given:
        values["from"] = values["to"] - timedelta(days=29)
    if values["from"] > values["to"]:
        if is_strict:
            raise WrongFilter("from", f"{values['from']} is after {values['to']}. Swap from and to.")
        values["from"], values["to"] = values["to"], values["from"]
        given |= {"from": str(values["from"]), "to": str(values["to"])}
    compare = given.get("compare") or "previous_period"
    if compare not in COMPARISONS:
        if is_strict:
            raise WrongFilter("compare", f"{compare!r} is unknown. Use one of {', '.join(COMPARISONS)}.")
        compare = "previous_period"
    kept = {name: value for name, value in given.items() if value and name in (*PARAMETERS, *PAGE_PARAMETERS)}
    return Filters(facts, values, compare, kept)


def value_of(parameter: Parameter, text: str, facts: OrgFacts) -> Any:
    """Return the value of a parameter's text. Raises WrongFilter."""
    if len(text) > MAX_TEXT or "\0" in text:
        raise WrongFilter(parameter.name, f"the value is no text of at most {MAX_TEXT} characters.")
    value: Any = text
    if parameter.kind == "date":
        try:
            value = date.fromisoformat(text)
        except ValueError:
            raise WrongFilter(parameter.name, f"{text!r} is not a day. Write one such as 2026-01-31.") from None
        if not EARLIEST <= value <= LATEST:
            raise WrongFilter(parameter.name, f"{text} is not a day between {EARLIEST} and {LATEST}.")
    elif parameter.kind == "integer":
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None
    elif parameter.kind == "money":
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = None
        if value is None or not value.is_finite() or not 0 <= value <= 10**12:
            raise WrongFilter(parameter.name, f"{text!r} is not an amount. Write one such as 250.")
        value = int(value * 1_000_000)
    elif parameter.name == "grain":
        value = text.upper()
    choices = parameter.choices_of(facts)
    if choices and value not in choices:
        known = ", ".join(map(str, choices))
        raise WrongFilter(parameter.name, f"{text!r} is unknown. Use one of {known}.")
    return value


def date_range(text: str) -> dict[str, str]:
    """Return from and to of `first,last`. Raises WrongFilter."""
    first, comma, last = text.partition(",")
    if not comma:
        raise WrongFilter("dateRange", f"{text!r} is not a range. Write two days, such as 2026-01-01,2026-01-31.")
    return {"from": first.strip(), "to": last.strip()}


def spelled(value: Any) -> str | None:
    """Return a value as it is written in a URL."""
    return None if value is None else str(value)


def year_before(day: date) -> date:
    """Return the same day of the year before; the day before February 29 in other years."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def presets(facts: OrgFacts) -> dict[str, tuple[date, date]]:
    """Return named periods that end on the last day with data."""
    last = facts.last_day
    month = last.replace(day=1)
    month_before = (month - timedelta(days=1)).replace(day=1)
    return {
        "7 days": (last - timedelta(days=6), last),
        "30 days": (last - timedelta(days=29), last),
        "90 days": (last - timedelta(days=89), last),
        "This month": (month, last),
        "Last month": (month_before, month - timedelta(days=1)),
        "Year to date": (last.replace(month=1, day=1), last),
        "All": (facts.first_day, last),
    }
