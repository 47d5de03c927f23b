"""One page of one org in one version: its answers, links and cells. In: filters, a pinned version. Out: View."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from markupsafe import Markup

from serving import formats
from serving.answers import Answer
from serving.dashboard import charts
from serving.filters import PAGE_PARAMETERS, Filters
from serving.orgs import Version
from serving.parameters import PARAMETERS
from serving.service import Service

BAR = ("model", "window", "mode", "conversion_type", "customers")
SHARED = ("from", "to", "compare", *BAR)  # the filters that lead from page to page
ROWS = 25  # of a table on a page


@dataclass
class View:
    """One page of one org in one version: what a template asks."""

    service: Service
    version: Version
    filters: Filters
    principal: Any
    path: str
    query: Mapping[str, str]
    fixed: Mapping[str, str] = field(default_factory=dict)  # parameters that the path sets
    used: set[str] = field(default_factory=set)  # parameters of the questions that the page asked
    asked: dict[Any, Answer] = field(default_factory=dict)

    @property
    def currency(self) -> str:
        """The org's reporting currency."""
        return self.version.facts.currency

    def answer(self, name: str, *, limit: int | None = None, sort: str = "", **changes: Any) -> Answer:
        """Return the answer to a question under the page's filters. changes: other values of parameters."""
        key = (name, limit, sort, *sorted(changes.items()))
        if key not in self.asked:
            question = self.service.questions[name]
            self.used.update(question.parameters)
            filters = self.filters
            if changes:
                filters = Filters(filters.facts, {**filters.values, **changes}, filters.compare, filters.given)
            self.asked[key] = self.service.ask(self.version, name, filters, limit=limit, sort=sort)
        return self.asked[key]

    def before(self, name: str) -> dict[str, Any]:
        """Return the first row of a question in the period to compare with; empty without one."""
        previous = self.filters.previous()
        if previous is None:
            return {}
        records = self.service.ask(self.version, name, previous).records()
        return records[0] if records else {}

    def table(self, name: str, limit: int = ROWS) -> Answer:
        """Return the rows of a table, in the order that the URL asks."""
        sort = self.query.get(f"sort.{name}", "")
        known = self.service.questions[name].columns
        is_known = all(term.strip().removeprefix("-") in known for term in sort.split(","))
        return self.answer(name, limit=limit, sort=sort if is_known else "")

    def sort_link(self, name: str, column: str) -> str:
        """Return the link that sorts a table by a column; the other way round if it is sorted so."""
        now = self.query.get(f"sort.{name}", "")
        wanted = column if now == f"-{column}" else f"-{column}"
        return f"{self.path}?{self.filters.query()}&{urlencode({f'sort.{name}': wanted})}"

    def sorted_by(self, name: str, column: str) -> str:
        """Return how a table is sorted by a column, in the words of aria-sort; empty if it is not."""
        now = self.query.get(f"sort.{name}", "")
        return {column: "ascending", f"-{column}": "descending"}.get(now, "")

    def here(self, **changes: Any) -> str:
        """Return the link to this page with other filters."""
        return f"{self.path}?{self.filters.query(**changes)}"

    def to(self, path: str, **changes: Any) -> str:
        """Return the link to another page with the filter bar of this one. Its path can have parameters of its own."""
        base, _, query = path.partition("?")
        left = {name: None for name in self.filters.given if name not in SHARED}
        return f"{base}?{self.filters.query(**{**left, **dict(parse_qsl(query)), **changes})}"

    def row_link(self, path: str) -> str:
        """Return the link of a row. On its own page it narrows all filters of the page."""
        base, _, query = path.partition("?")
        return self.here(**dict(parse_qsl(query))) if base == self.path else self.to(path)

    def explain(self, name: str, column: str = "") -> str:
        """Return the link to the explanation of a question, or of one of its columns."""
        return f"/explain/{name}?{self.filters.query(**self.fixed)}" + (f"#{column}" if column else "")

    def data(self, name: str, kind: str) -> str:
        """Return the link to a question's answer as a file."""
        parameters = self.service.questions[name].parameters
        unused = {each: None for each in (*PARAMETERS, *PAGE_PARAMETERS) if each not in parameters}
        return f"/api/{name}?{self.filters.query(**{**self.fixed, **unused})}&format={kind}"

    @property
    def file_kinds(self) -> tuple[str, ...]:
        """The formats in which the principal may read an answer."""
        return ("csv", "json", "parquet", "arrow") if "export" in self.principal.scopes else ("json",)

    def chart(self, name: str) -> dict[str, Any]:
        """Return the Vega-Lite specification of a question's chart."""
        return charts.specification(self.answer(name))

    def cell(self, answer: Answer, column: Any, record: dict[str, Any]) -> Markup:
        """Return a table's cell: its text, linked to what explains it."""
        text = formats.shown(record[column.name], column.unit, answer.currency)
        path = formats.link(column, record)
        if path is None and column.unit in formats.MARKED:
            return formats.marked(record[column.name], column.unit)
        if path is None:
            return Markup("{}").format(text)
        return Markup('<a href="{}">{}</a>').format(self.row_link(path), text)
