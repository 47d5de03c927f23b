"""The base of the fakes: a platform's API on a local port, as its documentation describes it.

In: facts (the true spend), and `faults`, of which each request for data takes the next. Out: a served Vendor, which
returns the facts in its platform's format, page by page. It rejects each request that the real platform rejects.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class FakeClock:
    """A clock that advances only by `sleep`."""

    def __init__(self, now: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC)) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Fact:
    """The true figures of one ad on one day of the account."""

    date: date
    campaign_id: str
    adset_id: str
    ad_id: str
    spend_micros: int
    impressions: int = 0
    clicks: int = 0
    video_views: int = 0
    conversions: Decimal = Decimal(0)
    value_micros: int = 0

    @property
    def campaign(self) -> str:
        return f"Campaign {self.campaign_id}"

    @property
    def adset(self) -> str:
        return f"Ad set {self.adset_id}"

    @property
    def ad(self) -> str:
        return f"Ad {self.ad_id}"


def some_facts() -> list[Fact]:
    """Return three ads of two campaigns over three days, with amounts that floats cannot add exactly."""
    return [
        Fact(
            date(2026, 11, 10) + timedelta(days=day),
            campaign,
            adset,
            ad,
            spend_micros=(10_010_000 * (day + 1) + 20_000 * int(ad[-1])),
            impressions=1000 * (day + 1) + int(ad[-1]),
            clicks=10 * (day + 1) + int(ad[-1]),
            video_views=5 * int(ad[-1]),
            conversions=Decimal(day + int(ad[-1])),
            value_micros=30_300_000 * (day + 1),
        )
        for day in range(3)
        for campaign, adset, ad in (("7001", "8001", "9001"), ("7001", "8001", "9002"), ("7002", "8002", "9003"))
    ]


@dataclass
class Vendor(ABC):
    """The state and faults of a fake. Subclasses define `name`, `routes()` and the platform's own responses."""

    name: ClassVar[str]  # of the platform
    vanishing: ClassVar[str]  # the required field that rows lack while `vanished` is set
    clicks_field: ClassVar[str] = "clicks"
    has_account_totals: ClassVar[bool] = True
    currency_in_report: ClassVar[bool] = False
    credentials: ClassVar[dict[str, str]] = {}  # beside the tokens: developer_token, client_id, ...
    can_renew: ClassVar[bool] = True  # whether an expired access token can be renewed without a person

    facts: list[Fact] = field(default_factory=some_facts)
    account_id: str = "1001"
    account_name: str = "Shop"
    currency: str = "EUR"
    timezone: str = "Europe/Berlin"
    page_size: int = 2  # rows a page, at most
    polls: int = 2  # requests for the state of a report job before it is done
    repeats: bool = False  # the last row of a page is also the first of the next
    unknown_field: bool = False  # rows have a member that the documentation lacks
    vanished: bool = False  # rows lack the field `vanishing`
    nulls: frozenset[str] = frozenset()  # fields that are null in rows
    total_off_micros: int = 0  # the reported total of each day, minus the sum of its ads
    faults: list[str] = field(default_factory=list)  # throttle, failure, failure_in_200, expired, broken_body, revoked
    token_faults: list[Response] = field(default_factory=list)  # responses of the token endpoint before it works
    clock: FakeClock = field(default_factory=FakeClock)
    access_token: str = "access-1"
    refresh_token: str = "refresh-1"
    requests: list[str] = field(default_factory=list)
    url: str = ""  # once it is served
    quiet_until: datetime | None = None  # after throttling: earlier requests are throttled again

    # Defined by subclasses; the defaults are plain HTTP errors --------------------------------------------
    @abstractmethod
    def routes(self) -> list[Route]:
        """Return the routes of the API."""

    def is_authorized(self, request: Request) -> bool:
        """Return whether the request has the access token in the platform's format."""
        return request.headers.get("authorization") == f"Bearer {self.access_token}"

    def throttled(self) -> Response:
        """Return the platform's throttling error, and set `quiet_until` with `rest`."""
        return Response(status_code=429, headers={"retry-after": f"{self.rest(30):.0f}"})

    def failed(self) -> Response:
        """Return the platform's temporary failure."""
        return Response(status_code=503)

    def failed_in_200(self) -> Response | None:
        """Return a temporary failure with HTTP 200, or None if the platform has no such errors."""
        return None

    def unauthorized(self) -> Response:
        """Return the error for an expired access token."""
        return Response(status_code=401)

    def revoked(self) -> Response:
        """Return the error for a revoked access."""
        return Response(status_code=401)

    # Shared ---------------------------------------------------------------------------------------------
    def rest(self, seconds: float) -> float:
        """Throttle all requests for so many seconds."""
        self.quiet_until = self.clock.now() + timedelta(seconds=seconds)
        return seconds

    def renew_token(self) -> str:
        """Return a new access token and invalidate the old one."""
        number = int(self.access_token.rpartition("-")[2]) + 1
        self.access_token = f"access-{number}"
        return self.access_token

    def between(self, start: date, end: date) -> list[Fact]:
        """Return the facts of the days, both included, in order."""
        return sorted((f for f in self.facts if start <= f.date <= end), key=lambda f: (f.date, f.ad_id))

    def totals(self, start: date, end: date) -> list[Fact]:
        """Return the account's reported totals, one for each day."""
        days = sorted({fact.date for fact in self.between(start, end)})
        return [
            replace(
                summed(day, [f for f in self.facts if f.date == day]),
                ad_id="",
                adset_id="",
                campaign_id="",
                spend_micros=sum(f.spend_micros for f in self.facts if f.date == day) + self.total_off_micros,
            )
            for day in days
        ]

    def page(self, rows: list[Any], offset: int) -> tuple[list[Any], int | None]:
        """Return the rows of the page that begins at `offset`, and the offset of the next page."""
        end = offset + self.page_size
        shown = rows[max(0, offset - 1) if self.repeats else offset : end]
        return shown, end if end < len(rows) else None

    def row(self, members: dict[str, Any]) -> dict[str, Any]:
        """Return a row with an unknown field, with nulls, or without a required field, if the test asks for that."""
        shown = {name: None if name in self.nulls else value for name, value in members.items()}
        if self.unknown_field:
            shown["brand_new_field"] = {"nested": [1, "two"]}
        if self.vanished:
            shown.pop(self.vanishing)
        return shown

    def restate(self, day: date, difference_micros: int) -> None:
        """Change the spend of the day's first ad."""
        index = next(i for i, fact in enumerate(self.facts) if fact.date == day)
        fact = self.facts[index]
        self.facts[index] = replace(fact, spend_micros=fact.spend_micros + difference_micros)

    def fault_response(self, request: Request) -> Response | None:
        """Return the next fault, or the error for a client that did not wait or has no valid token."""
        if not self.is_data(request):
            return None
        if self.quiet_until and self.clock.now() < self.quiet_until:
            return self.throttled()
        fault = self.faults.pop(0) if self.faults else None
        if fault == "expired":
            self.renew_token()
        if fault == "revoked":
            self.access_token = self.refresh_token = "nobody-has-this-0"
            return self.revoked()
        if not self.is_authorized(request):
            return self.unauthorized()
        match fault:
            case "throttle":
                return self.throttled()
            case "failure":
                return self.failed()
            case "failure_in_200":
                return self.failed_in_200()
            case "broken_body":
                return Response(b'{"broken', headers={"content-length": "8", "content-type": "application/json"})
        return None

    def is_data(self, request: Request) -> bool:
        """Return whether a request needs the access token: all but the token endpoint and downloads."""
        return "token" not in request.url.path and not request.url.path.startswith("/download")

    def app(self) -> Starlette:
        async def misbehave(request: Request, call_next: Any) -> Response:
            self.requests.append(f"{request.method} {request.url.path}")
            if "token" in request.url.path.lower() and self.token_faults:
                return self.token_faults.pop(0)
            return self.fault_response(request) or await call_next(request)

        return Starlette(routes=self.routes(), middleware=[Middleware(BaseHTTPMiddleware, dispatch=misbehave)])


async def form(request: Request) -> dict[str, str]:
    """Return the members of an urlencoded body."""
    return dict(parse_qsl((await request.body()).decode()))


def summed(day: date, facts: list[Fact]) -> Fact:
    """Return the sum of a day's facts."""
    return Fact(
        day,
        "",
        "",
        "",
        spend_micros=sum(f.spend_micros for f in facts),
        impressions=sum(f.impressions for f in facts),
        clicks=sum(f.clicks for f in facts),
        video_views=sum(f.video_views for f in facts),
        conversions=sum((f.conversions for f in facts), Decimal(0)),
        value_micros=sum(f.value_micros for f in facts),
    )


@contextlib.contextmanager
def serving(vendor: Vendor) -> Iterator[Vendor]:
    """Serve the fake on a free port until the block ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # from here on the kernel queues connections, however late the thread starts to accept them
        vendor.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(vendor.app(), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield vendor
        finally:
            server.should_exit = True
            thread.join(10)
