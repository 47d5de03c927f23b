"""Attack a server by real HTTP: log-in with a real provider, sessions, CSRF, hosts, headers, logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import sync_playwright
from starlette.requests import Request
from starlette.responses import Response

from serving.access import sessions
from serving.access.log_in import safe_page
from serving.access.oidc import is_verified
from serving.access.principals import Access, AccessError, Person, access_of, refuse_public
from serving.access.sessions import SESSION, Cookies
from serving.access.state import State
from tests.support.guarded_app import GuardedApp, run_app
from tests.support.home import CHROMIUM, needs_chromium
from tests.support.oidc import CLIENT_ID, CLIENT_SECRET, Provider, run_provider

PEOPLE = [
    {"email": "Ana@example.com", "orgs": ["northwind"], "role": "viewer"},
    {"email": "max@example.com", "orgs": "*", "role": "admin"},
]
HTTPS = {"Host": "dash.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with run_provider() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_fault(provider: Provider) -> None:
    provider.fault, provider.email, provider.auth_method = "", "ana@example.com", "client_secret_basic"


@pytest.fixture(scope="module")
def shared(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedApp]:
    """A server with log-in, behind a proxy with the name dash.example."""
    log_in = {"issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": "CLIENT_SECRET"}
    home = tmp_path_factory.mktemp("shared")
    with run_app(home, people=PEOPLE, log_in=log_in, names=["dash.example"]) as app:
        yield app


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedApp]:
    """A server on loopback without log-in."""
    with run_app(tmp_path_factory.mktemp("local")) as app:
        yield app


def to_callback(browser: httpx.Client, page: str = "/") -> str:
    """Go to the provider and return the address to which it sends the browser back."""
    answer = browser.get("/log-in/start", params={"next": page})
    assert answer.status_code == 303
    return httpx.get(answer.headers["location"], timeout=30).headers["location"]


def log_in(browser: httpx.Client, page: str = "/") -> httpx.Response:
    return browser.get(to_callback(browser, page))


def token_of(page: httpx.Response) -> str:
    return re.findall(r'name="csrf_token" value="([^"]*)"', page.text)[0]


def test_a_person_logs_in_and_sees_only_their_org(shared: GuardedApp) -> None:
    with shared.client() as browser:
        first = browser.get("/?from=2026-01-01")
        assert (first.status_code, first.headers["location"]) == (303, "/log-in?next=%2F%3Ffrom%3D2026-01-01")
        done = log_in(browser, "/?from=2026-01-01")
        assert (done.status_code, done.headers["location"]) == (303, "/?from=2026-01-01")
        cookies = done.headers.get_list("set-cookie")
        (session,) = [cookie for cookie in cookies if cookie.startswith("tributary_session=")]
        assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"} <= set(session.split("; "))
        assert browser.get("/api/who").json() == {
            "name": "ana@example.com",
            "orgs": ["northwind"],
            "role": "viewer",
            "scopes": ["read"],
        }
    row = shared.state.audit(limit=1)[0]
    assert (row.principal, row.action) == ("ana@example.com", "log_in")


@needs_chromium
def test_a_browser_logs_in_and_out(shared: GuardedApp) -> None:
    """The provider is another site: the browser sends the cookies to the callback and to the page after it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{shared.url}/?from=2026-01-01")
        page.get_by_role("link", name="Log in with localhost").click()
        page.wait_for_url(f"{shared.url}/?from=2026-01-01")
        assert page.evaluate("document.cookie") == "", "scripts cannot read the cookies"
        assert page.evaluate("fetch('/api/who').then(r => r.json())")["name"] == "ana@example.com"
        token = page.locator("input[name=csrf_token]").get_attribute("value")
        post = "token => fetch('/log-out', {method: 'POST', headers: {'X-CSRF-Token': token}}).then(r => r.url)"
        assert page.evaluate(post, token) == f"{shared.url}/log-in"
        page.goto(shared.url)
        assert page.url.endswith("/log-in?next=%2F")
        _, text = shared.state.create_key("harbor", {"read"}, "Max", "local")
        page.get_by_label("API key").fill(text)
        page.get_by_role("button", name="Log in with the key").click()
        page.wait_for_url(f"{shared.url}/")
        assert page.evaluate("fetch('/api/who').then(r => r.json())")["orgs"] == ["harbor"]
        browser.close()


def test_a_provider_may_take_the_secret_in_the_form(shared: GuardedApp, provider: Provider) -> None:
    provider.auth_method = "client_secret_post"
    with shared.client() as browser:
        assert log_in(browser).headers["location"] == "/"


def test_an_admin_sees_all_orgs(shared: GuardedApp, provider: Provider) -> None:
    provider.email = "Max@Example.com"
    with shared.client() as browser:
        log_in(browser)
        assert browser.get("/api/who").json()["orgs"] == ["northwind", "harbor"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("wrong nonce", (400, "is not valid. Log in again", "invalid id token")),
        ("wrong signature", (400, "is not valid. Log in again", "invalid id token")),
        ("symmetric", (400, "is not valid. Log in again", "invalid id token")),
        ("unsigned", (400, "is not valid. Log in again", "invalid id token")),
        ("expired", (400, "is not valid. Log in again", "invalid id token")),
        ("other audience", (400, "is not valid. Log in again", "invalid id token")),
        ("other issuer", (400, "is not valid. Log in again", "invalid id token")),
        ("no id token", (502, "does not answer, or its settings are wrong", "no valid answer: KeyError")),
        ("no e-mail", (403, "states no e-mail address", "no e-mail address")),
        ("unverified", (403, "has not verified ana@example.com", "e-mail address not verified")),
        ("denied", (403, "refused the log-in", "refused by the provider: access_denied")),
    ],
)
def test_a_wrong_answer_of_the_provider_begins_no_session(
    shared: GuardedApp, provider: Provider, fault: str, expected: tuple[int, str, str]
) -> None:
    provider.fault = fault
    status, sentence, reason = expected
    with shared.client() as browser:
        answer = log_in(browser)
        assert answer.status_code == status, answer.text
        assert sentence in answer.text
        assert "tributary_session" not in browser.cookies
        assert browser.get("/api/who").status_code == 401
    row = shared.state.audit(limit=1)[0]
    assert row.action == "log_in_failed"
    assert row.detail["reason"].startswith(reason)


def test_a_person_who_is_not_listed_gets_a_clear_page(shared: GuardedApp, provider: Provider) -> None:
    provider.email = "eve@evil.example"
    with shared.client() as browser:
        answer = log_in(browser)
        assert answer.status_code == 403
        assert "eve@evil.example has no access yet. Ask the admin to add the address to people" in answer.text
        assert browser.get("/api/who").status_code == 401
    row = shared.state.audit(limit=1)[0]
    assert (row.principal, row.detail["reason"]) == ("eve@evil.example", "not in people")


def test_a_stolen_callback_logs_nobody_in(shared: GuardedApp) -> None:
    with shared.client() as attacker, shared.client() as victim, shared.client() as other:
        callback = to_callback(attacker)
        answer = victim.get(callback)  # with no log-in under way
        assert answer.status_code == 400
        assert "began in another browser" in answer.text
        to_callback(other)
        assert other.get(callback).status_code == 400  # with another log-in under way
        assert not {"tributary_session"} & {*victim.cookies, *other.cookies}
        assert attacker.get(callback).status_code == 303
        assert attacker.get(callback).status_code == 400, "a callback works once"


def test_a_changed_cookie_is_refused(shared: GuardedApp) -> None:
    with shared.client() as browser:
        log_in(browser)
        good = browser.cookies["tributary_session"]
        head, body, signature = good.split(".")
        foreign = Cookies("another secret of 32 characters!!")
        response = Response()
        foreign.write(response, local_request(), SESSION, {"sid": "1", "sub": "person max@example.com"})
        forged = response.headers["set-cookie"].split("=", 1)[1].split(";")[0]
        wrong = [
            f"{head}.{body[:-2]}AA.{signature}",
            f"{head}.{body}.{signature[:-2]}AA",
            f"{head}.{body}.",
            forged,
            "x",
        ]
        wrong.append(browser.get("/log-in/start").cookies["tributary_log_in"])  # another kind of cookie
        for cookie in wrong:
            answer = shared.get("/api/who", Cookie=f"tributary_session={cookie}")
            assert answer.status_code == 401, cookie
        assert shared.get("/api/who", Cookie=f"tributary_session={good}").status_code == 200


def local_request(host: str = "127.0.0.1", scheme: str = "http") -> Request:
    headers = [(b"host", host.encode())]
    return Request(
        {"type": "http", "method": "GET", "path": "/", "scheme": scheme, "headers": headers, "query_string": b""}
    )


def test_a_session_expires_after_twelve_hours(shared: GuardedApp, monkeypatch: pytest.MonkeyPatch) -> None:
    cookies, now = Cookies(shared.state.session_secret()), sessions.time.time()
    for hours, status in ((11.9, 200), (12.1, 401)):
        response = Response()
        with monkeypatch.context() as patch:
            patch.setattr(sessions.time, "time", lambda hours=hours: now - hours * 3600)
            cookies.write(response, local_request(), SESSION, {"sid": "1", "sub": "person ana@example.com"})
        cookie = response.headers["set-cookie"].split(";")[0]
        assert shared.get("/api/who", Cookie=cookie).status_code == status


def test_a_person_who_is_removed_loses_the_session(shared: GuardedApp) -> None:
    response = Response()
    secret = shared.state.session_secret()
    Cookies(secret).write(response, local_request(), SESSION, {"sid": "1", "sub": "person gone@example.com"})
    assert shared.get("/api/who", Cookie=response.headers["set-cookie"].split(";")[0]).status_code == 401


def test_log_out_ends_the_session_and_its_copies(shared: GuardedApp) -> None:
    with shared.client() as browser:
        log_in(browser)
        copy = f"tributary_session={browser.cookies['tributary_session']}"
        assert shared.get("/api/who", Cookie=copy).status_code == 200
        assert browser.post("/log-out").status_code == 403, "no CSRF token"
        done = browser.post("/log-out", data={"csrf_token": token_of(browser.get("/"))})
        assert (done.status_code, done.headers["location"]) == (303, "/log-in")
        assert "tributary_session" not in browser.cookies
        assert shared.get("/api/who", Cookie=copy).status_code == 401
    assert shared.state.audit(limit=1)[0].action == "log_out"


def test_behind_a_proxy_cookies_need_https(shared: GuardedApp) -> None:
    with shared.client(**HTTPS) as browser:
        cookie = browser.get("/log-in").headers["set-cookie"]
        assert cookie.startswith("__Host-tributary_log_in=")
        assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
        start = browser.get("/log-in/start", headers={"Cookie": cookie.split(";")[0]})
        asked = parse_qs(urlsplit(start.headers["location"]).query)
        assert asked["redirect_uri"] == ["https://dash.example/log-in/callback"]
    plain = shared.get("/log-in", Host="dash.example")
    assert "Log-in needs HTTPS" in plain.text
    assert '<input id="key"' not in plain.text


def test_without_a_principal_nothing_is_read(shared: GuardedApp) -> None:
    answer = shared.get("/api/who")
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["detail"] == "Send Authorization: Bearer <API key>, or log in."
    assert shared.get("/api").status_code == 401
    assert shared.get("/api/no-such-path").status_code == 401
    for path in ("/", "/nothing", "//api/who", "/log-inside"):
        assert shared.get(path).status_code == 303, path
    htmx = shared.get("/", **{"HX-Request": "true"})
    assert (htmx.status_code, htmx.headers["hx-redirect"]) == (401, "/log-in")
    for path in ("/healthz", "/static/file", "/log-in"):
        assert shared.get(path).status_code == 200, path


def test_each_response_has_security_headers(shared: GuardedApp) -> None:
    for path in ("/", "/log-in", "/api/who", "/healthz", "/log-in/callback"):
        headers = shared.get(path).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'", "no inline code"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "Cookie" in headers["vary"]
        assert "permissions-policy" in headers
        assert "server" not in headers
    assert shared.get("/", Host="evil.example").headers["x-content-type-options"] == "nosniff"
    assert shared.get("/api/who").headers["cache-control"] == "private, no-cache"
    assert shared.get("/static/file").headers["cache-control"] == "max-age=9"
    assert shared.get("/log-in").headers["cache-control"] == "no-store"


def test_on_loopback_the_person_needs_no_log_in(local: GuardedApp) -> None:
    answer = local.get("/api/who").json()
    assert answer == {
        "name": "local",
        "orgs": ["northwind", "harbor"],
        "role": "admin",
        "scopes": ["export", "mark", "read"],
    }


CROSS_SITE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "192.0.2.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        CROSS_SITE,
        CROSS_SITE | {"Sec-Fetch-Site": "same-site"},
        {"X-Forwarded-For": "192.0.2.7"},  # a proxy that anybody reaches
        {"Forwarded": "for=192.0.2.7"},
    ],
    ids=str,
)
def test_another_site_reads_nothing_from_a_local_server(local: GuardedApp, headers: dict[str, str]) -> None:
    answer = local.get("/api/who", **headers)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert "northwind" not in answer.text
    assert local.get("/", **headers).status_code == 403


def test_a_link_of_another_site_opens_a_page_but_changes_nothing(local: GuardedApp) -> None:
    assert local.get("/", **LINK).status_code == 200
    token = token_of(local.get("/"))
    assert httpx.post(f"{local.url}/act", headers=LINK, data={"csrf_token": token}).status_code == 403


@pytest.mark.parametrize("server", ["local", "shared"])
def test_a_change_needs_the_token_of_the_session(server: str, request: pytest.FixtureRequest) -> None:
    app: GuardedApp = request.getfixturevalue(server)
    with app.client() as browser, app.client() as other:
        if server == "shared":
            log_in(browser)
            log_in(other)
        token, foreign = token_of(browser.get("/")), token_of(other.get("/"))
        assert len(token) == 64
        wrong = ["", "x", token[:-1]] + ([foreign] if server == "shared" else [])
        for given in wrong:
            assert browser.post("/act", data={"csrf_token": given}).status_code == 403
            assert browser.post("/api/act", headers={"X-CSRF-Token": given}).status_code == 403
        assert browser.post("/api/act", content="{}").json()["title"] == "Refused"
        assert browser.post("/act", json={"csrf_token": token}).status_code == 403, "JSON needs the header"
        done = browser.post("/act", data={"csrf_token": token, "note": "a b"})
        assert (done.status_code, done.text) == (200, f"csrf_token={token}&note=a+b"), "the app reads the same body"
        assert browser.post("/api/act", headers={"X-CSRF-Token": token}, content="abc").text == "abc"
        assert browser.post("/act", headers={"Origin": app.url}, data={"csrf_token": token}).status_code == 200
        assert (
            browser.post("/act", headers={"Origin": "http://evil.example"}, data={"csrf_token": token}).status_code
            == 403
        )
        large = {"csrf_token": token, "note": "x" * 70_000}
        for headers in ({}, {"X-CSRF-Token": token}, {"X-CSRF-Token": "wrong"}):
            assert browser.post("/act", headers=headers, data=large).status_code == 413


def test_the_log_contains_no_code_key_token_or_address(shared: GuardedApp, provider: Provider) -> None:
    _, text = shared.state.create_key("northwind", {"read"}, "BI", "local")
    with shared.client() as browser:
        callback = to_callback(browser)
        browser.get(callback)
        session, address = browser.cookies["tributary_session"], provider.email
        shared.get("/api/who", Authorization=f"Bearer {text}")
        shared.get("/api/who", Authorization=f"Bearer {text}x")
        shared.get(f"/api/who?key={text}")
        browser.post("/log-in", data={"key": text})
    asked = parse_qs(urlsplit(callback).query)
    log = shared.log.read_text()
    assert "Application startup complete" in log
    assert f"{provider.issuer}/token" in log, "the log has requests to the provider"
    for secret in (
        text,
        text[-43:],
        asked["code"][0],
        asked["state"][0],
        session,
        address,
        *provider.tokens,
        CLIENT_SECRET,
    ):
        assert secret not in log


def test_a_flood_of_failures_does_not_fill_the_audit(local: GuardedApp) -> None:
    before = len(local.state.audit(limit=1000))
    with local.client(Authorization="Bearer trib_00000000_" + "x" * 43) as attacker:
        for _ in range(60):
            assert attacker.get("/api/who").status_code == 401
    assert 1 <= len(local.state.audit(limit=1000)) - before <= 41  # two windows at most


@pytest.mark.parametrize(
    ("page", "safe"),
    [
        ("/channels?org=northwind&from=2026-01-01", "/channels?org=northwind&from=2026-01-01"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("", "/"),
    ],
)
def test_a_log_in_leads_to_a_page_of_this_server_only(page: str, safe: str) -> None:
    assert safe_page(page) == safe


@pytest.mark.parametrize(
    ("claims", "is_fine"),
    [
        ({"email_verified": True}, True),
        ({"email_verified": False, "xms_edov": True, "iss": "https://login.microsoftonline.com/t/v2.0"}, False),
        ({"xms_edov": True, "iss": "https://login.microsoftonline.com/t/v2.0"}, True),
        ({"iss": "https://login.microsoftonline.com/t/v2.0"}, False),
        ({"xms_edov": True, "iss": "https://login.microsoftonline.com.evil.example/"}, False),
        ({}, False),
    ],
)
def test_only_a_verified_address_counts(claims: dict[str, object], is_fine: bool) -> None:
    assert is_verified(claims) is is_fine


def test_a_public_server_starts_only_if_somebody_can_log_in(tmp_path) -> None:
    state = State(tmp_path / "serving.sqlite")
    person, oidc = [Person("a@b.example", ("*",), "admin")], None

    def start(host: str, names: list[str] | None = None) -> Access:
        return access_of(state, people=person, log_in=oidc, environment={}, host=host, names=names or [])

    assert start("127.0.0.1").is_local
    for host, names in (("0.0.0.0", []), ("192.0.2.1", []), ("127.0.0.1", ["dash.example"])):
        with pytest.raises(
            AccessError, match=r"nobody can log in yet\. Add log_in and people to tributary\.yaml, or create"
        ):
            start(host, names)
    key, _ = state.create_key("northwind", {"read"}, "BI", "local")
    assert not start("0.0.0.0").is_local
    assert not start("127.0.0.1", ["Dash.example"]).is_local
    state.revoke_key(key.id, "local")
    with pytest.raises(AccessError):
        start("0.0.0.0")
    with pytest.raises(AccessError, match="nobody can log in"):
        refuse_public(Access("s", host="0.0.0.0"), has_key=False)
