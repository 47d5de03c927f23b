"""The dashboard: each page is a template that asks questions. Pages of the home folder's pages/ join them.

In: requests with filters in the URL. Out: HTML that works without JavaScript; charts are drawn in the browser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jinja2
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving import formats
from serving.access.authentication import csrf_token
from serving.answers import Answer, readable_sql
from serving.dashboard import charts, live_pages, pacing
from serving.filters import COMPARISONS, PARAMETERS, Filters, parse, presets
from serving.orgs import UnknownOrg, Version
from serving.published import NothingPublished
from serving.service import Service, service_of

FOLDER = Path(__file__).parent / "templates"
NAVIGATION = (
    "overview", "channels", "waste", "models", "journeys", "paths", "claims", "pacing", "creatives", "affiliates",
    "quality", "realtime", "settings",
)  # fmt: skip
BAR = ("model", "window", "mode", "conversion_type", "customers")
PARENTS = {"waste_flag": "waste", "journey": "journeys"}  # the page of the navigation to which a page belongs
OF_ONE = ("explain", *PARENTS)  # templates that need a question, a journey or a flag
SHARED = ("from", "to", "compare", *BAR)  # the filters that lead from page to page
ROWS = 25  # of a table on a page
ALL_ROWS = 1000  # of the table of an explanation


class Missing(Exception):
    """A page has no subject: its id is unknown. In: a heading and an advice for the message."""


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
        unused = {parameter: None for parameter in PARAMETERS if parameter not in parameters}
        return f"/api/{name}?{self.filters.query(**{**self.fixed, **unused, 'compare': None})}&format={kind}"

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


def environment(home_pages: Path) -> jinja2.Environment:
    """Return the templates. A page of the home folder cannot replace one of Tributary, and its code is sandboxed."""
    folders = jinja2.ChoiceLoader([jinja2.FileSystemLoader(FOLDER), jinja2.FileSystemLoader(home_pages)])
    templates = SandboxedEnvironment(
        loader=folders, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    templates.globals |= {
        "shown": formats.shown,
        "change": formats.change,
        "is_number": formats.is_number,
        "sparkline": charts.sparkline,
        "sankey": charts.sankey,
        "colour": charts.colour,
        "with_code": formats.with_code,
        "pace_table": pacing.pace_table,
        "spend_chart": pacing.spend_chart,
        "platform_budgets": pacing.platform_budgets,
        "received": live_pages.received,
        "settings": live_pages.settings,
    }
    return templates


def page_titles(home_pages: Path) -> dict[str, str]:
    """Return the title of each page by name, in the order of the navigation. A template begins with {# title: … #}."""
    own = sorted(path.stem for path in home_pages.glob("*.html") if path.stem not in NAVIGATION)
    titles = {}
    for name in (*NAVIGATION, *own):
        path = FOLDER / f"{name}.html" if name in NAVIGATION else home_pages / f"{name}.html"
        if path.exists() and re.fullmatch(r"[a-z][a-z0-9_-]*", name):
            found = re.match(r"\{#\s*title:\s*(.*?)\s*#\}", path.read_text(encoding="utf-8"))
            titles[name] = found[1] if found else name.replace("_", " ").capitalize()
    return titles


async def show_page(request: Request) -> Response:
    """Show a page by its name."""
    name = request.path_params["page"]
    return await run_in_threadpool(page, request, name if name not in OF_ONE else "", {})


async def show_start(request: Request) -> Response:
    """Lead to the first page."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/overview{query}")


async def show_explanation(request: Request) -> Response:
    """Show the description, the SQL and the rows of a question."""
    return await run_in_threadpool(explanation, request)


def explanation(request: Request) -> Response:
    """Return the page that explains a question."""
    service, name = service_of(request), request.path_params["question"]
    question = service.questions.get(name)
    if question is None:
        return message(request, 404, "There is no such question", "The list of all questions is at /api/docs.")
    return page(request, "explain", {"question": question})


def page(
    request: Request,
    name: str,
    context: dict[str, Any],
    context_of: Callable[[View], dict[str, Any]] = lambda view: {},
) -> Response:
    """Return a page under the filters of its URL.

    context: names for the template; its `values` are parameters that the path sets. context_of: more names, from the
    view; it raises Missing for an unknown id.
    """
    service = service_of(request)
    templates: jinja2.Environment = request.app.state.templates
    titles = page_titles(service.home / "pages")
    if name not in titles and name not in OF_ONE:
        return message(request, 404, "There is no such page", "Choose one of the navigation.")
    principal = request.state.principal
    orgs = [org for org in service.orgs.names() if principal.may_see(org)]
    if not orgs:
        return message(request, 200, "Nothing is published yet", "Build the marts with: tributary run")
    org = request.query_params.get("org") or largest(service, orgs)
    if org not in orgs:
        return message(request, 404, "You can see no such org", f"Choose one of: {', '.join(orgs)}.")
    try:
        with service.orgs.pinned(org) as version:
            filters = parse(dict(request.query_params), version.facts, is_strict=False)
            if values := context.get("values"):
                filters = Filters(filters.facts, {**filters.values, **values}, filters.compare, filters.given)
            fixed = context.get("values", {})
            view = View(service, version, filters, principal, request.url.path, dict(request.query_params), fixed)
            body = templates.get_template(f"{name}.html").render(
                **{key: value for key, value in context.items() if key != "values"},
                **context_of(view),
                view=view,
                page=PARENTS.get(name, name),
                titles=titles,
                title=titles.get(name, ""),
                orgs=orgs,
                facts=version.facts,
                filters=filters,
                bar=[PARAMETERS[parameter] for parameter in BAR],
                comparisons=COMPARISONS,
                presets=presets(version.facts),
                csrf=csrf_token(request),
                readable_sql=readable_sql,
                all_rows=ALL_ROWS,
            )
            return HTMLResponse(body, headers={"Tributary-Version": str(version.number)})
    except Missing as missing:
        return message(request, 404, *missing.args)
    except (UnknownOrg, NothingPublished):
        return message(request, 503, "Nothing is published for this org", "Build the marts with: tributary run")
    except jinja2.TemplateError as error:
        place = f" (line {error.lineno})" if isinstance(error, jinja2.TemplateSyntaxError) else ""
        return message(request, 500, f"The page {name}.html has a mistake{place}", str(error))


def largest(service: Service, orgs: list[str]) -> str:
    """Return the org with the largest published file: an example without data does not open first."""
    return max(orgs, key=lambda org: (service.orgs.published / "orgs" / f"{org}.duckdb").stat().st_size)


def message(request: Request, status: int, heading: str, advice: str) -> Response:
    """Return a page with one message."""
    template = request.app.state.templates.get_template("message.html")
    return HTMLResponse(template.render(title=heading, heading=heading, advice=advice), status)
