"""A fake of the European Central Bank's server of reference rates."""

from __future__ import annotations

from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.vendors.base import Vendor

FRIDAY = date(2026, 11, 20)
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"'
    ' xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><gesmes:subject>Reference rates</gesmes:subject>'
    "<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender><Cube>"
)
TAIL = "</Cube></gesmes:Envelope>"


def rate_of(day: date) -> str:
    return f"1.{day.toordinal() % 10_000:04d}"


def cube(day: date) -> str:
    return f"<Cube time='{day}'><Cube currency='USD' rate='{rate_of(day)}'/><Cube currency='JPY' rate='163.91'/></Cube>"


class Bank(Vendor):
    """Publishes on working days."""

    name = "ecb"
    tampered: str | None = None
    last = FRIDAY  # the last day with rates, unless it is a weekend
    days = 900  # of history

    def routes(self) -> list[Route]:
        return [Route("/stats/eurofxref/{file}", self.file)]

    def is_data(self, request: Request) -> bool:
        return False

    async def file(self, request: Request) -> Response:
        if self.faults:
            return Response(status_code=503, headers={"Retry-After": self.faults.pop()})
        if self.tampered is not None:
            return Response(self.tampered, media_type="text/xml")
        working = [d for n in range(self.days) if (d := self.last - timedelta(n)).weekday() < 5]
        shown = {
            "eurofxref-daily.xml": working[:1],
            "eurofxref-hist-90d.xml": [d for d in working if d > self.last - timedelta(90)],
            "eurofxref-hist.xml": working,
        }[request.path_params["file"]]
        return Response(HEAD + "".join(map(cube, shown)) + TAIL, media_type="text/xml")
