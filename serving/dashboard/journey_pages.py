"""The page of one conversion: its touches in order of time, kept or dropped, and the credit of each.

In: the id of a conversion in a path. Out: a page, or a message that says what to do.
"""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.dashboard import pages
from serving.dashboard.view import View
from serving.explain.conversion import MEANINGS, conversion_sentences

ADVICE = "It may belong to another org, or be in quarantine. Search for its order on the page Journeys."
# The question of a conversion's credit at the org's window is fast; that of another window computes the credit anew.
CREDIT, WINDOW_CREDIT = "conversion_credit", "conversion_window_credit"


def routes() -> list[Route]:
    """Return the route of one conversion."""
    return [Route("/journeys/{conversion_id:path}", show_journey)]


async def show_journey(request: Request) -> Response:
    """Show one conversion."""
    values = {"conversion_id": request.path_params["conversion_id"]}
    return await run_in_threadpool(pages.page, request, "journey", {"values": values}, journey_context)


def journey_context(view: View) -> dict[str, Any]:
    """Return the conversion in sentences, its touches with reasons in words, and their credit. Raises Missing."""
    records = view.answer("conversion").records()
    if not records:
        raise pages.Missing("There is no such conversion", ADVICE)
    conversion = records[0]
    view.used.add("window")  # it decides which question has the credit
    touches = view.answer("conversion_timeline").records()
    is_own_window = view.filters["window"] == conversion["lookback_days"]
    question = CREDIT if is_own_window else WINDOW_CREDIT
    of_model = {
        link["touchpoint_id"]: link
        for link in view.answer(question).records()
        if link["attribution_model"] == view.filters["model"]
    }
    for touch in touches:
        touch["credit"] = of_model.get(touch["touchpoint_id"])
        touch["meaning"] = MEANINGS.get(touch["reason"], "")
    return {
        "conversion": conversion,
        "sentences": list(conversion_sentences(conversion, touches)),
        "before": [touch for touch in touches if touch["reason"] != "after_conversion"],
        "after": [touch for touch in touches if touch["reason"] == "after_conversion"],
        "credit": question,
        "is_own_window": is_own_window,
        "with_windows": view.filters.given.get("windows") == "all",
    }
