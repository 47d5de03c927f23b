"""The parts that all routes share: questions, published files, templates, audit rows and the home's live facts.

In: a home's paths and callbacks (cli/serve.py). Out: Service, which each request finds in its app.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from starlette.requests import Request

from serving.answer_cache import AnswerCache, Body
from serving.answers import Answer, ask
from serving.filters import Filters
from serving.orgs import OrgFiles, Version
from serving.questions import Question, load_questions

if TYPE_CHECKING:
    from serving.access.state import State


@dataclass(frozen=True)
class LiveFacts:
    """Callbacks for facts that no published file has. Each takes an org.

    received: the last 48 hours of the collector's segments (ingestion/segments/recent.py). settings: rows of
    tributary.yaml (ingestion/settings/listing.py). budgets: platform, campaign_id or None, monthly_micros.
    """

    received: Callable[[str], dict[str, Any]]
    settings: Callable[[str], list[dict[str, Any]]]
    budgets: Callable[[str], list[dict[str, Any]]]


@dataclass
class Service:
    """What a route needs. home: the folder with questions/ and pages/ of the user."""

    home: Path
    orgs: OrgFiles
    state: State
    live: LiveFacts
    bodies: AnswerCache[Body] = field(default_factory=AnswerCache)
    answers: AnswerCache[Answer] = field(default_factory=AnswerCache)
    questions: Mapping[str, Question] = field(default_factory=dict)
    extra: dict[str, Callable[[Version, Filters, Answer], dict[str, Any]]] = field(default_factory=dict)

    def load(self) -> None:
        """Load the questions of Tributary and of the home folder. Raises QuestionError."""
        self.questions = load_questions(self.home / "questions")

    def extras(self, name: str, version: Version, filters: Filters, answer: Answer) -> dict[str, Any]:
        """Return the members that a question's JSON has beside its rows."""
        return self.extra[name](version, filters, answer) if name in self.extra else {}

    def ask(self, version: Version, name: str, filters: Filters, **options: Any) -> Answer:
        """Return the answer to a question by its name. Pages share the answers of a version: do not change the rows."""
        question = self.questions[name]
        arguments = filters.arguments(question.parameters)
        key = repr((version.org, version.number, version.identity, name, arguments, options))
        return self.answers.get(key, lambda: ask(version, question, filters, **options))

    def record_export(self, request: Request, question: str, org: str, media_type: str) -> None:
        """Write an audit row for an export."""
        principal = request.state.principal
        self.state.record(principal.name, "export", org, {"question": question, "format": media_type})


def service_of(request: Request) -> Service:
    """Return the service of the app that received the request."""
    return cast(Service, request.app.state.service)
