"""The parts of the API that are no question: orgs and questions, status, the OpenAPI document and its page.

In: requests with a principal. Out: JSON, and a page on which each question can be tried.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from serving.access.authentication import csrf_token
from serving.answers import JSON, Answer, json_record
from serving.api.openapi import describe, document
from serving.filters import Filters, parse
from serving.orgs import UnknownOrg, Version
from serving.parameters import PARAMETERS
from serving.published import NothingPublished
from serving.service import Service, service_of


async def meta(request: Request) -> Response:
    """Answer GET /api/meta: the visible orgs, the parameters and the questions."""
    service = service_of(request)
    orgs = await run_in_threadpool(org_facts, request)
    questions = [
        {
            "name": question.name,
            "title": question.title,
            "description": question.description,
            "parameters": question.parameters,
            "columns": [
                {"name": column.name, "title": column.title, "unit": column.unit, "description": column.description}
                for column in question.columns.values()
            ],
        }
        for question in service.questions.values()
    ]
    parameters = [describe(parameter) for parameter in PARAMETERS.values()]
    return json_response({"orgs": orgs, "parameters": parameters, "questions": questions})


def org_facts(request: Request) -> list[dict[str, Any]]:
    """Return the facts, or the problem, of each org that the principal may see."""
    service = service_of(request)
    found = []
    for org in service.orgs.names():
        if request.state.principal.may_see(org):
            try:
                with service.orgs.pinned(org) as version:
                    found.append({"version": version.number, **asdict(version.facts), "problem": None})
            except UnknownOrg:
                continue  # a publication removed it in between
            except NothingPublished as error:
                found.append({"org": org, "version": None, "problem": str(error)})
    return found


async def status(request: Request) -> Response:
    """Answer GET /api/status: the published version of each visible org."""
    return json_response({"orgs": await run_in_threadpool(org_status, request)})


def org_status(request: Request) -> list[dict[str, Any]]:
    """Return the status, or the problem, of each org that the principal may see."""
    service = service_of(request)
    found = []
    for org in service.orgs.names():
        if request.state.principal.may_see(org):
            try:
                with service.orgs.pinned(org) as version:
                    answer = service.ask(version, "status", parse({}, version.facts, is_strict=True))
                    found.append({"org": org, **json_record(answer, answer.rows[0]), "problem": None})
            except UnknownOrg:
                continue  # a publication removed it in between
            except NothingPublished as error:
                found.append({"org": org, "version": None, "problem": str(error)})
    return found


async def openapi(request: Request) -> Response:
    """Answer GET /api/openapi.json."""
    return json_response(document(service_of(request).questions))


async def docs(request: Request) -> Response:
    """Show a page with each question, its parameters and a form to try it."""
    service, principal = service_of(request), request.state.principal
    orgs = [org for org in service.orgs.names() if principal.may_see(org)]
    template = request.app.state.templates.get_template("api_docs.html")
    body = template.render(
        questions=service.questions.values(),
        parameters={name: describe(parameter) for name, parameter in PARAMETERS.items()},
        orgs=orgs,
        csrf=csrf_token(request),
    )
    return HTMLResponse(body)


def waste_summary(service: Service) -> Any:
    """Return the function that sums all flags of a request for waste, beyond the page of the answer."""

    def summary(version: Version, filters: Filters, answer: Answer) -> dict[str, Any]:
        by_severity = service.ask(version, "waste_by_severity", filters).records()
        return {
            "summary": {
                "count": sum(row["flags"] for row in by_severity),
                "total_waste_spend_micros": sum(row["waste_spend_micros"] for row in by_severity),
                "by_severity": by_severity,
                "by_platform": service.ask(version, "waste_by_platform", filters).records(),
            }
        }

    return summary


def json_response(content: Any) -> Response:
    """Return content as JSON."""
    return Response(msgspec.json.encode(content), media_type=JSON)
