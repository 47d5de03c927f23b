"""A platform's API on loopback, as its contract says: what fakes of platforms share.

A fake is a Vendor with routes. It holds facts (what was spent), shows them in its platform's own shape, page by page,
and misbehaves on demand: `faults` are taken in order, one a request for data. A connector cannot tell it from the real
one by its answers; a request that the real one refuses it refuses too.
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
    """Time passes when somebody sleeps."""

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
    """One ad on one day of the account, as the truth has it."""

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
    """Three ads of two campaigns over three days; money that floats cannot add up."""
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
    """State and faults of a fake; subclasses bring `name`, `routes()` and the answers that are the platform's own."""

    name: ClassVar[str]  # of the platform
    # What the platform calls them in its answers: a fake drops `vanishing` from its rows when asked to.
    vanishing: ClassVar[str]
    has_account_totals: ClassVar[bool] = True
    currency_in_report: ClassVar[bool] = False
    credentials: ClassVar[dict[str, str]] = {}  # beside the tokens: developer_token, client_id...
    can_renew: ClassVar[bool] = True  # whether an expired access token can be renewed without a person

    facts: list[Fact] = field(default_factory=some_facts)
    account_id: str = "1001"
    account_name: str = "Shop"
    currency: str = "EUR"
    timezone: str = "Europe/Berlin"
    page_size: int = 2  # rows a page, at most
    polls: int = 2  # so often a report's job is asked for before it is done
    repeats: bool = False  # the last row of a page is also the first of the next
    unknown_field: bool = False  # rows bring a member nobody has heard of
    vanished: bool = False  # rows lack the member `vanishing`
    total_off_micros: int = 0  # the account's stated totals differ by so much from the sum of the ads, each day
    faults: list[str] = field(default_factory=list)  # throttle, failure, failure_in_200, expired, broken_body, revoked
    clock: FakeClock = field(default_factory=FakeClock)
    access_token: str = "access-1"
    refresh_token: str = "refresh-1"
    requests: list[str] = field(default_factory=list)
    url: str = ""  # once it is served
    quiet_until: datetime | None = None  # it throttled: who asks before has not waited

    # What a fake brings; who has no words of its own for a fault says it in plain HTTP ----------------------
    @abstractmethod
    def routes(self) -> list[Route]:
        """What it serves."""

    def is_authorised(self, request: Request) -> bool:
        """Whether the request brings the access token as the platform wants it."""
        return request.headers.get("authorization") == f"Bearer {self.access_token}"

    def throttled(self) -> Response:
        """Too many requests, as the platform says it; sets `quiet_until` with `rest`."""
        return Response(status_code=429, headers={"retry-after": f"{self.rest(30):.0f}"})

    def failed(self) -> Response:
        """A failure of the moment, as the platform says it."""
        return Response(status_code=503)

    def failed_in_200(self) -> Response | None:
        """An error that comes with HTTP 200, where the platform has such; None: it has none."""
        return None

    def unauthorised(self) -> Response:
        """The access token ran out."""
        return Response(status_code=401)

    def revoked(self) -> Response:
        """The access was taken back."""
        return Response(status_code=401)

    # What they share ---------------------------------------------------------------------------------------------
    def rest(self, seconds: float) -> float:
        """Nobody may ask for so long."""
        self.quiet_until = self.clock.now() + timedelta(seconds=seconds)
        return seconds

    def renew_token(self) -> str:
        """What the token endpoint of a fake hands out: a new access token, the old one is over."""
        number = int(self.access_token.rpartition("-")[2]) + 1
        self.access_token = f"access-{number}"
        return self.access_token

    def between(self, start: date, end: date) -> list[Fact]:
        """The facts of the days, both included, in order."""
        return sorted((f for f in self.facts if start <= f.date <= end), key=lambda f: (f.date, f.ad_id))

    def totals(self, start: date, end: date) -> list[Fact]:
        """The account's stated totals, one a day."""
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
        """The rows of the page that begins at `offset`, and where the next one begins."""
        end = offset + self.page_size
        shown = rows[max(0, offset - 1) if self.repeats else offset : end]
        return shown, end if end < len(rows) else None

    def row(self, members: dict[str, Any]) -> dict[str, Any]:
        """A row as it is to be shown: with a field too many, or one too few."""
        shown = dict(members)
        if self.unknown_field:
            shown["brand_new_field"] = {"nested": [1, "two"]}
        if self.vanished:
            shown.pop(self.vanishing)
        return shown

    def restate(self, day: date, difference_micros: int) -> None:
        """The first ad of the day cost more, or less."""
        index = next(i for i, fact in enumerate(self.facts) if fact.date == day)
        fact = self.facts[index]
        self.facts[index] = replace(fact, spend_micros=fact.spend_micros + difference_micros)

    def answer_instead(self, request: Request) -> Response | None:
        """The fault whose turn it is; who does not wait after being throttled, or is not let in, hears of that."""
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
        if not self.is_authorised(request):
            return self.unauthorised()
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
        """Whether a request needs the access token: all but the token endpoint and downloads."""
        return "token" not in request.url.path and not request.url.path.startswith("/download")

    def app(self) -> Starlette:
        async def misbehave(request: Request, call_next: Any) -> Response:
            self.requests.append(f"{request.method} {request.url.path}")
            return self.answer_instead(request) or await call_next(request)

        return Starlette(routes=self.routes(), middleware=[Middleware(BaseHTTPMiddleware, dispatch=misbehave)])


async def form(request: Request) -> dict[str, str]:
    """The members of an urlencoded body."""
    return dict(parse_qsl((await request.body()).decode()))


def summed(day: date, facts: list[Fact]) -> Fact:
    """What a day's facts come to."""
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
    """The fake on a port of its own, until the block ends."""
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
