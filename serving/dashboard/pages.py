"""The dashboard: each page is a template that asks questions. Pages of the home folder's pages/ join them.

In: requests with filters in the URL. Out: HTML that works without JavaScript; charts are drawn in the browser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from jinja2.sandbox import SandboxedEnvironment
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving import formats
from serving.access.authentication import csrf_token
from serving.answers import readable_sql
from serving.dashboard import charts, live_pages, pacing
from serving.dashboard.view import BAR, View
from serving.filters import COMPARISONS, Filters, parse, presets
from serving.orgs import UnknownOrg
from serving.parameters import PARAMETERS
from serving.published import NothingPublished
from serving.service import Service, service_of

FOLDER = Path(__file__).parent / "templates"
NAVIGATION = (
    "overview", "channels", "waste", "models", "journeys", "paths", "claims", "pacing", "creatives", "affiliates",
    "quality", "realtime", "settings",
)  # fmt: skip
PARENTS = {"waste_flag": "waste", "journey": "journeys"}  # the page of the navigation to which a page belongs
OF_ONE = ("explain", *PARENTS)  # templates that need a question, a journey or a flag
NO_PAGE = "The link is old or has a mistake. The dashboard lists all pages."
ALL_ROWS = 1000  # of the table of an explanation
MOST_CHECKS = 5  # new files that one page checks for damage: each takes 0.1 s, and an agency can have hundreds


class Missing(Exception):
    """A page has no subject: its id is unknown. In: a heading and an advice for the message."""


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


def saved_view(home_pages: Path, name: str) -> str | None:
    """Return the address of a saved view: a page of the home folder that is only {# view: /path?filters #}."""
    path = home_pages / f"{name}.html"
    if name in NAVIGATION or not path.exists():
        return None
    found = re.search(r"\{#\s*view:\s*(/(?!/)\S*)\s*#\}", path.read_text(encoding="utf-8"))
    return found[1] if found else None


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
        return message(request, 404, "There is no such page", NO_PAGE)
    if name in titles and (address := saved_view(service.home / "pages", name)):
        org = request.query_params.get("org", "")
        has_org = not org or re.search(r"[?&]org=", address)
        return RedirectResponse(
            address if has_org else f"{address}{'&' if '?' in address else '?'}{urlencode({'org': org})}"
        )
    principal = request.state.principal
    orgs = [org for org in service.orgs.names() if principal.may_see(org)]
    if not orgs:
        return message(request, 200, "Nothing is published yet", "Build the marts with: tributary run")
    problems = service.orgs.problems(orgs, MOST_CHECKS)
    org = request.query_params.get("org") or largest(service, [each for each in orgs if each not in problems] or orgs)
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
                problems=problems,
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
    except UnknownOrg:
        return message(request, 503, f"Nothing is published for {org}", "Build the marts with: tributary run", orgs)
    except NothingPublished as error:
        return message(request, 503, f"The pages of {org} are not available", str(error), orgs)
    except jinja2.TemplateError as error:
        place = f" (line {error.lineno})" if isinstance(error, jinja2.TemplateSyntaxError) else ""
        return message(request, 500, f"The page {name}.html has a mistake{place}", str(error))


def largest(service: Service, orgs: list[str]) -> str:
    """Return the org with the largest published file: an example without data does not open first."""

    def size(org: str) -> int:
        try:
            return (service.orgs.published / "orgs" / f"{org}.duckdb").stat().st_size
        except FileNotFoundError:  # a publication removed it in between
            return 0

    return max(orgs, key=size)


def message(request: Request, status: int, heading: str, advice: str, orgs: Iterable[str] = ()) -> Response:
    """Return a page with one message, and links to the pages of orgs."""
    template = request.app.state.templates.get_template("message.html")
    return HTMLResponse(template.render(title=heading, heading=heading, advice=advice, orgs=orgs), status)
