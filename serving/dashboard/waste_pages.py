"""The pages of waste: the list with marks, one flag with its evidence, and the form that marks a flag.

In: requests, marks of State. Out: pages; a mark leads back to the flag.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from serving.access.state import STATUSES, WasteMark
from serving.answers import ask
from serving.dashboard import pages
from serving.dashboard.view import View
from serving.explain.waste import GRAINS, entity_name, evidence_sentences
from serving.filters import Filters, parse
from serving.published import NothingPublished
from serving.service import Service, service_of

MOST_NOTE = 500  # characters
UNKNOWN = "There is no such waste flag"
ADVICE = "A new version may no longer flag it, or it belongs to another org. Open the page Waste to see all flags."


def routes() -> list[Route]:
    """Return the routes of the list and of one flag."""
    return [
        Route("/waste", show_list),
        Route("/waste/{waste_id}", show_flag, methods=["GET"]),
        Route("/waste/{waste_id}/mark", mark_flag, methods=["POST"]),
    ]


async def show_list(request: Request) -> Response:
    """Show all flags."""
    return await run_in_threadpool(pages.page, request, "waste", {}, list_context)


async def show_flag(request: Request) -> Response:
    """Show one flag."""
    values = {"waste_id": request.path_params["waste_id"]}
    return await run_in_threadpool(pages.page, request, "waste_flag", {"values": values}, flag_context)


async def mark_flag(request: Request) -> Response:
    """Mark a flag as done or muted, or remove its mark, and lead back to it. The form needs the scope `mark`."""
    form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
    status, note, org = (form.get(name, "").strip() for name in ("status", "note", "org"))
    return await run_in_threadpool(mark, request, org, status, note[:MOST_NOTE])


def mark(request: Request, org: str, status: str, note: str) -> Response:
    """Store a mark. Its org and its flag must be visible to the principal."""
    service, principal = service_of(request), request.state.principal
    waste_id = request.path_params["waste_id"]
    if "mark" not in principal.scopes:
        return pages.message(request, 403, "You may not mark waste", "Ask an admin for the role analyst.")
    try:
        if org not in service.orgs.names() or not principal.may_see(org) or not is_flag(service, org, waste_id):
            return pages.message(request, 404, UNKNOWN, ADVICE)
    except NothingPublished as error:
        return pages.message(request, 503, f"The pages of {org} are not available", str(error))
    if status in STATUSES:
        service.state.mark_waste(org, waste_id, status, principal.name, note)
    elif status == "open":
        service.state.unmark(org, waste_id, principal.name)
    else:
        return pages.message(request, 400, "There is no such mark", f"Choose {', '.join(STATUSES)} or open.")
    query = f"?{request.url.query}" if request.url.query else f"?org={quote(org)}"
    return RedirectResponse(f"/waste/{quote(waste_id, safe='')}{query}", 303)


def is_flag(service: Service, org: str, waste_id: str) -> bool:
    """Return whether the org's published version has the flag."""
    with service.orgs.pinned(org) as version:
        filters = parse({}, version.facts, is_strict=False)
        chosen = Filters(filters.facts, {**filters.values, "waste_id": waste_id}, filters.compare)
        return bool(ask(version, service.questions["waste_flag"], chosen).rows)


def list_context(view: View) -> dict[str, Any]:
    """Return the flags with their marks, and how much money is still open."""
    marks = view.service.state.waste_marks(view.version.org)
    answer = view.table("waste", 1000)
    flags = answer.records()
    is_open = view.filters.given.get("marks") == "open"
    has_parts = view.filters.given.get("parts") == "all"
    kept = [
        (row, flag)
        for row, flag in zip(answer.rows, flags, strict=True)
        if not (is_open and flag["waste_id"] in marks) and (has_parts or flag["is_counted"])
    ]
    counted = [flag for flag in flags if flag["is_counted"]]
    return {
        "flags": replace(answer, rows=[row for row, _ in kept]),
        "notes": {
            index: mark_text(marks[flag["waste_id"]])
            for index, (_, flag) in enumerate(kept)
            if flag["waste_id"] in marks
        },
        "flag_count": len(counted),
        "wasted": sum(flag["waste_spend_micros"] for flag in counted),
        "still_open": sum(flag["waste_spend_micros"] for flag in counted if flag["waste_id"] not in marks),
        "hidden_parts": 0 if has_parts else len(flags) - len(counted),
        "high": sum(flag["severity"] == "high" for flag in counted),
        "marked": sum(flag["waste_id"] in marks for flag in flags),
    }


def flag_context(view: View) -> dict[str, Any]:
    """Return the evidence of a flag in sentences and its mark. Raises Missing."""
    records = view.answer("waste_flag").records()
    if not records:
        raise pages.Missing(UNKNOWN, ADVICE)
    flag = records[0] | {"org_id": view.version.org, "currency": view.currency}
    evidence = json.loads(flag["explanation"])
    models = len(view.version.facts.models)
    return {
        "flag": flag,
        "name": entity_name(flag),
        "grain": GRAINS[flag["grain"]],
        "sentences": list(evidence_sentences(flag, evidence, models)),
        "mark": view.service.state.waste_marks(view.version.org).get(flag["waste_id"]),
        "may_mark": "mark" in view.principal.scopes,
    }


def mark_text(mark: WasteMark) -> str:
    """Return a mark in words."""
    note = f": {mark.note}" if mark.note else ""
    return f"{mark.status} by {mark.by} on {mark.at:%Y-%m-%d %H:%M} UTC{note}"
