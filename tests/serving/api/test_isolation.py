"""Attack the API and the dashboard with the key of one org, while another org's file is full of markers."""

from __future__ import annotations

import html
import http.client
import itertools
import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus, urlencode

import duckdb
import pytest
from markupsafe import escape
from starlette.routing import Route

from serving.dashboard.pages import page_titles
from serving.parameters import PARAMETERS
from serving.service import Service
from tests.support.home import tables
from tests.support.serving import app_on, copy_published, plant_waste, running, service_on

OURS, THEIRS = "northwind", "nordlicht"
MARKERS = {OURS: "walrus", THEIRS: "quokka"}
VERSIONS = {OURS: 1, THEIRS: 774_631}  # the other org's version would show which answers come from its file
KEPT = {
    "org_id",
    "platform",
    "channel",
    "grain",
    "attribution_model",
    "conversion_type",
    "accounting_mode",
    "touch_type",
    "currency",
    "severity",
    "reason",
    "level",
    "timezone",
    "default_attribution_model",
    "direct",
    "path_transform",
    "method",
    "measure",
    "metric",
    "reported_type",
    "original_currency",
    "budget_currency",
    "touches",
    "status",
    "check_name",
    "promise",
    "campaign_match",
    "is_direct",
    "location",
}
INJECTIONS = (
    "'",
    '"',
    "';select 1--",
    "' or '1'='1",
    "1); drop table meta; --",
    "$1",
    "$from",
    "{{7*7}}",
    "${7*7}",
    "%27%20or%201=1",
    "' union select * from conversions --",
    "../../orgs/nordlicht.duckdb",
    "x' or getenv('HOME') is not null or 'x'='",
    "'; attach 'orgs/nordlicht.duckdb' as x; --",
    "<script>alert(1)</script>",
    "\x00",
    "\ufffd",
    "\uff41\u202e\u0301",
    "a" * 5000,
    "-1e999",
    "NaN",
    "9" * 400,
    "[]",
    "{}",
    "null",
    "true",
    "\r\nSet-Cookie: a=b",
    "%00",
    "%0d%0a",
)


class Answer(NamedTuple):
    """A response as it came over the socket."""

    status: int
    headers: str
    body: str


Get = Callable[..., Answer]


@pytest.fixture(scope="module")
def home(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which each name and id of an org holds the org's marker."""
    home = copy_published(built, tmp_path_factory.mktemp("marked"))
    for org, marker in MARKERS.items():
        file = home / "published" / "orgs" / f"{org}.duckdb"
        plant_waste(file, org)
        mark(file, marker, VERSIONS[org])
    return home


def mark(file: Path, marker: str, version: int) -> None:
    """Put a marker in front of every text of a published file that is no word of Tributary."""
    with duckdb.connect(str(file)) as connection:
        views = {
            name for (name,) in connection.execute("select view_name from duckdb_views() where not internal").fetchall()
        }
        for table in tables(connection):
            if table in views:
                continue
            columns = connection.execute(
                "select column_name from duckdb_columns() where table_name = ? and data_type = 'VARCHAR'", [table]
            ).fetchall()
            changed = [f'"{name}" = \'{marker}-\' || "{name}"' for (name,) in columns if name not in KEPT]
            if changed:
                connection.execute(f'update "{table}" set {", ".join(changed)}')
        connection.execute("update meta set version = ?", [version])


@pytest.fixture(scope="module")
def service(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = service_on(home, tmp_path_factory.mktemp("state"))
    yield service
    service.orgs.close()


@pytest.fixture(scope="module")
def address(service: Service) -> Iterator[str]:
    with running(app_on(service, needs_key=True)) as address:
        yield address.removeprefix("http://")


@pytest.fixture(scope="module")
def getter(service: Service, address: str) -> Callable[[str], Get]:
    """getter(org) returns get(path, **headers) with a key of the org. The path goes over the socket as it is."""

    def get_with(org: str) -> Get:
        _, key = service.state.create_key(org, {"read", "export", "mark"}, org, "test")

        def get(path: str, **headers: str) -> Answer:
            connection = http.client.HTTPConnection(address, timeout=60)
            connection._validate_path = lambda url: None  # type: ignore[method-assign]
            try:
                connection.request("GET", path, headers={"Authorization": f"Bearer {key}", **headers})
                response = connection.getresponse()
                return Answer(response.status, str(response.headers), response.read().decode(errors="replace"))
            finally:
                connection.close()

        return get

    return get_with


@pytest.fixture(scope="module")
def ours(getter: Callable[[str], Get]) -> Get:
    return getter(OURS)


@pytest.fixture(scope="module")
def theirs(getter: Callable[[str], Get]) -> Get:
    return getter(THEIRS)


@pytest.fixture(scope="module")
def their_ids(home: Path) -> list[str]:
    """Ids of the other org: a flag, a conversion, a journey, a campaign, a customer, a touchpoint."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{home}/published/orgs/{THEIRS}.duckdb' as other (read_only)")
        queries = (
            "select waste_id from other.waste_flags",
            "select conversion_id from other.conversions",
            "select journey_id from other.journeys",
            "select campaign_id from other.campaigns",
            "select customer_id from other.conversions where customer_id is not null",
            "select touchpoint_id from other.touchpoints",
        )
        return [value for query in queries for (value,) in connection.execute(f"{query} limit 1").fetchall()]


def check(answer: Answer, *sent: str) -> None:
    """Fail if a response fails, or shows anything of the other org that the request did not name itself."""
    assert answer.status < 500, answer
    text = f"{answer.headers}\n{answer.body}"
    spellings = {
        spelling
        for each in sent
        if each
        for spelling in (
            each,
            quote(each),
            quote(each, safe=""),
            quote_plus(each),
            html.escape(each),
            str(escape(each)),
            json.dumps(each)[1:-1],
            each[:64],
            repr(each)[1:-1],
            repr(each[:64])[1:-1],
        )
    }
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, "")
    for secret in (MARKERS[THEIRS], THEIRS, str(VERSIONS[THEIRS]), "774,631"):
        assert secret not in text.lower(), f"{secret} after {sent}: {text[:2000]}"


def routes(service: Service, ids: list[str]) -> Iterator[str]:
    """Yield a path of each route of the app that answers GET, with every question, page and id in its place."""
    values = {
        "question": [*service.questions, "no_question"],
        "page": [*page_titles(service.home / "pages"), "explain", "journey", "waste_flag", "base", "no_page"],
        "id": ids,
    }
    for route in app_on(service).routes:
        if isinstance(route, Route) and "GET" in (route.methods or ()):
            names = re.findall(r"\{(\w+)(?::\w+)?\}", route.path)
            for chosen in itertools.product(*(values.get(name, ids) for name in names)):
                path = route.path
                for name, value in zip(names, chosen, strict=True):
                    path = re.sub(rf"\{{{name}(:\w+)?\}}", quote(value, safe=""), path)
                yield path


def test_the_markers_are_in_the_answers_of_their_own_org(service: Service, theirs: Get, their_ids: list[str]) -> None:
    """Without this the other tests could not fail."""
    bodies = {path: theirs(path) for path in routes(service, their_ids[:1])}
    marked = {path for path, answer in bodies.items() if MARKERS[THEIRS] in answer.body}
    assert {"/api/waste", "/api/rollups", "/overview", "/explain/waste"} <= marked
    assert str(VERSIONS[THEIRS]) in bodies["/api/kpis"].body
    assert str(VERSIONS[THEIRS]) in bodies["/overview"].headers


def test_no_route_shows_the_other_org(service: Service, ours: Get, their_ids: list[str]) -> None:
    for path in routes(service, their_ids):
        check(ours(path), *their_ids)
        check(ours(f"{path}?org={THEIRS}"), THEIRS, *their_ids)
        if path.startswith("/api/"):
            check(ours(f"{path}?format=csv"), *their_ids)


def test_an_id_of_the_other_org_answers_like_an_unknown_id(service: Service, ours: Get, their_ids: list[str]) -> None:
    for known in their_ids:
        unknown = known[:-1] + ("0" if known[-1] != "0" else "1")
        for path in {path for path in routes(service, ["@"]) if "%40" in path}:
            seen, control = (ours(path.replace("%40", quote(each, safe=""))) for each in (known, unknown))
            assert seen.status == control.status, path
            assert seen.body.replace(known, "@") == control.body.replace(unknown, "@"), path
    known = their_ids[0]
    unknown = known[:-1] + ("0" if known[-1] != "0" else "1")
    for question in service.questions.values():
        for name in [name for name in question.parameters if PARAMETERS[name].kind == "text"]:
            seen, control = (ours(f"/api/{question.name}?{urlencode({name: each})}") for each in (known, unknown))
            assert seen.status == control.status
            assert seen.body.replace(known, "@") == control.body.replace(unknown, "@"), (question.name, name)


def test_cursors_and_etags_of_the_other_org(service: Service, ours: Get, theirs: Get) -> None:
    for question in service.questions.keys() - {"status"}:  # /api/status is no list of pages
        path = f"/api/{question}?limit=1"
        answer = theirs(path)
        etag = re.findall(r"(?i)^etag: (.*)$", answer.headers, re.MULTILINE)[0].strip()
        mine = ours(path, **{"If-None-Match": etag})
        assert mine.status == 200
        check(mine, etag)
        if cursor := json.loads(answer.body)["next_cursor"]:
            refused = ours(f"{path}&cursor={cursor}")
            assert refused.status in (400, 410)
            check(refused, cursor, str(VERSIONS[THEIRS]))  # the cursor itself holds the version


PATHS = (
    "/api/../orgs/nordlicht.duckdb",
    "/api/%2e%2e/orgs/nordlicht",
    "/api/..%2forgs%2fnordlicht.duckdb",
    "/api/kpis/..",
    "/api/kpis%2f..%2fwaste",
    "/static/../orgs.py",
    "/static/..%2forgs.py",
    "/static/%2e%2e/app.py",
    "/static/..%5capp.py",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "//nordlicht/overview",
    "/explain/..",
    "/explain/%00",
    "/api/%00",
    "/%00",
    "/overview%00",
    "/%ff%fe",
    "/api/%ff%fe",
    "/api/%C0%AE%C0%AE",
    "/api/waste/%2e%2e%2fnordlicht",
    "/api/waste/..",
    "/api/" + "a" * 8000,
    "/api/kpis;org=nordlicht",
    "/api/kpis%3Forg=nordlicht",
    "/api/kpis?org=..",
    "/api/kpis?org=northwind/../nordlicht",
    "/api/kpis?org=./nordlicht",
    "/api/kpis?org=nordlicht%00",
    "/api/kpis?org=NORDLICHT",
    "/api/kpis?org=*",
    "/api/kpis?org=%25",
    "/api/kpis?org=northwind&org=nordlicht",
    "/api/kpis?org[]=nordlicht",
    "/overview?org=northwind&org=nordlicht",
    "/overview?org=../nordlicht",
    "/explain/kpis?org=nordlicht&org=northwind",
    "/api/kpis?org=northwind%26org=nordlicht",
    "/api/kpis?&&&=",
    "/api/kpis?%",
    "/api/kpis?%zz=%zz",
    "/api/kpis#nordlicht",
    "/api/kpis/",
    "/api/",
    "/api",
    "/overview/",
    "/.env",
    "/serving.sqlite",
    "/published/orgs/nordlicht.duckdb",
    "/log-in?next=//nordlicht",
    "/log-in/callback?code=a&state=b",
    "/pages/overview.html",
    "/overview.html",
    "/base",
)


@pytest.mark.parametrize("path", PATHS)
def test_paths_lead_nowhere_else(ours: Get, path: str) -> None:
    answer = ours(path)
    sent = [THEIRS, "NORDLICHT", path, path.partition("?")[0]]
    check(answer, *sent)
    assert "root:" not in answer.body
    assert "import " not in answer.body.partition("<")[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": THEIRS},
        {"X-Original-URL": f"/api/kpis?org={THEIRS}"},
        {"X-Org": THEIRS, "Org": THEIRS},
        {"Cookie": f"org={THEIRS}; tributary_session=a.b.c"},
        {"Accept": "text/csv" + ",a/b" * 900},
        {"Accept": "application/json;q=" + "9" * 400},
        {"If-None-Match": '"' + "x" * 3000},
        {"If-None-Match": ",".join(f'"{number}"' for number in range(900))},
        {"Accept-Encoding": "gzip, br, \xff"},
        {"Range": "bytes=0-10"},
        {"Accept-Language": "'; drop table meta; --"},
        {"HX-Request": "true", "HX-Current-URL": f"http://x/?org={THEIRS}"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_headers_change_no_org(ours: Get, headers: dict[str, str]) -> None:
    for path in ("/api/kpis", "/api/waste", "/overview", "/api/meta"):
        check(ours(path, **headers), THEIRS)


def test_values_of_parameters_are_no_sql(service: Service, ours: Get) -> None:
    plain = {name: ours(f"/api/{name}?limit=1000").body for name in service.questions}
    values = random.Random(7)
    names = [*PARAMETERS, "sort", "limit", "cursor", "format", "org", "dateRange", "minWasteSpend", "attributionModel"]
    for question in service.questions:
        for name in [
            name for name in names if name not in PARAMETERS or name in service.questions[question].parameters
        ]:
            for payload in values.sample(INJECTIONS, 2):
                answer = ours(f"/api/{question}?{urlencode({name: payload})}")
                check(answer, payload)
                if answer.status == 200 and PARAMETERS.get(name) and question != "status":
                    matches = len(json.loads(answer.body)["rows"])
                    assert matches in (0, len(json.loads(plain[question])["rows"])), "the value changed the filter"
    for page in page_titles(service.home / "pages"):
        for name in (*values.sample(names, 8), "compare", "sort.channels", "marks"):
            for payload in values.sample(INJECTIONS, 1):
                answer = ours(f"/{page}?{urlencode({name: payload})}")
                check(answer, payload)
                assert "<script>alert" not in answer.body
    assert {name: ours(f"/api/{name}?limit=1000").body for name in service.questions} == plain, (
        "a request had an effect"
    )


def test_random_requests(service: Service, ours: Get, their_ids: list[str]) -> None:
    """Mutate valid requests with a fixed seed."""
    dice = random.Random(11)
    paths = list(routes(service, their_ids))
    words = [*their_ids, *INJECTIONS, THEIRS, "linear", "2026-07-01", "7", "cash", "google", "-date"]
    for _ in range(400):
        path = dice.choice(paths)
        if dice.random() < 0.3:
            place = dice.randrange(1, len(path) + 1)
            path = path[:place] + quote(dice.choice(words))[:50] + path[place:]
        query = {
            dice.choice([*PARAMETERS, "sort", "org", "limit", "cursor"]): dice.choice(words)
            for _ in range(dice.randrange(4))
        }
        check(ours(f"{path}?{urlencode(query)}" if query else path), *query.values(), *their_ids, THEIRS, *words)


def test_broken_requests_get_no_answer_of_the_other_org(address: str, service: Service) -> None:
    import socket

    host, port = address.split(":")
    _, key = service.state.create_key(OURS, {"read"}, "raw", "test")
    requests: tuple[Any, ...] = (
        b"GET /api/kpis\x00?org=nordlicht HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /api/kpis?org=nord\x80licht HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\n\r\n"
        % key.encode(),
        b"GET /api/kpis HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: nordlicht\r\nAuthorization: Bearer %b\r\n\r\n"
        % key.encode(),
        b"GET http://nordlicht/api/kpis HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\n\r\n" % key.encode(),
        b"GET /api/kpis HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\nAuthorization: x\r\n\r\n"
        % key.encode(),
        b"GET /api/kpis HTTP/1.0\r\n\r\n",
        b"\x16\x03\x01\x00\x00",
        b"GET " + b"/" * 70_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    )
    for request in requests:
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while part := connection.recv(65_536):
                    answer += part
            except (TimeoutError, ConnectionResetError):
                pass
        assert MARKERS[THEIRS].encode() not in answer
        assert not answer.startswith(b"HTTP/1.1 5"), answer
