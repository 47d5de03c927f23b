"""The app of API and dashboard: routes and their order. In: a Service and an Access. Out: an ASGI application."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from serving.access.authentication import Authentication
from serving.access.log_in import log_in_routes
from serving.access.principals import Access
from serving.answer_cache import GZIP_LEVEL
from serving.api import endpoints, facts
from serving.api.openapi import PATHS
from serving.api.problems import Problem
from serving.dashboard import journey_pages, pages, waste_pages
from serving.questions import QuestionError
from serving.service import Service

STATIC = Path(__file__).parent / "dashboard" / "static"


def create_app(service: Service, access: Access) -> Starlette:
    """Return the application. Every route but /static, /log-in and /healthz needs a principal."""
    routes = [
        Route("/", pages.show_start),
        Route("/healthz", health),
        Mount("/static", StaticFiles(directory=STATIC)),
        *log_in_routes(access, service.state),
        *api_routes(),
        Route("/explain/{question}", pages.show_explanation),
        *waste_pages.routes(),
        *journey_pages.routes(),
        Route("/{page}", pages.show_page),
    ]
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(Authentication, access=access, state=service.state),
            Middleware(GZipMiddleware, compresslevel=GZIP_LEVEL),
        ],
        exception_handlers={
            Problem: answer_problem,
            QuestionError: answer_question_error,
            HTTPException: answer_http_error,
            Exception: answer_failure,
        },
    )
    service.extra["waste"] = facts.waste_summary(service)
    app.state.service = service
    app.state.templates = pages.environment(service.home / "pages")
    return app


def api_routes() -> list[Route]:
    """Return the routes of the API: paths of their own, then every question by its name."""
    of_paths = [  # an id, such as an order's, can have slashes
        Route(path.replace("{id}", "{id:path}"), endpoints.read_path(name, parameter))
        for path, (name, parameter) in PATHS.items()
    ]
    return [
        Route("/api/docs", facts.docs),
        Route("/api/openapi.json", facts.openapi),
        Route("/api/meta", facts.meta),
        Route("/api/status", facts.status),
        *of_paths,
        Route("/api/{question}", endpoints.answer_question),
    ]


async def health(request: Request) -> Response:
    """Answer that the server runs."""
    return PlainTextResponse("ok\n")


def answer_problem(request: Request, error: Any) -> Response:
    """Answer with a problem."""
    response: Response = error.response()
    return response


def answer_question_error(request: Request, error: Any) -> Response:
    """Answer that a question's file has a mistake, which its author must see."""
    return pages.message(request, 500, "A question of this page has a mistake", str(error))


def answer_http_error(request: Request, error: Any) -> Response:
    """Answer an unknown path or method: a problem for the API, a page for people."""
    allowed = ", ".join(sorted(filter(None, (error.headers or {}).get("Allow", "").split(", "))))
    if request.url.path.startswith("/api/"):
        detail = f"Use {allowed}." if error.status_code == 405 else "There is no such path. See /api/docs."
        return Problem(error.status_code, detail, allowed=allowed).response()
    if error.status_code == 405:
        response = pages.message(request, 405, f"This address does not take {request.method}", f"Use {allowed}.")
        response.headers["Allow"] = allowed
        return response
    return pages.message(request, error.status_code, "There is no such page", pages.NO_PAGE)


def answer_failure(request: Request, error: Exception) -> Response:
    """Answer a defect without its details, which are in the log."""
    if request.url.path.startswith("/api/"):
        return Problem(500, "The server failed on this request. Its log names the line of code.").response()
    return pages.message(request, 500, "The server failed on this page", "Its log names the line of code.")
