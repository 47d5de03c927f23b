"""Connect a platform: consent over loopback and by paste, token renewal and storage, redaction of secrets.

In: a token endpoint on loopback, and a function in place of the browser. Out: stored credentials and ad accounts.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError
from starlette.responses import JSONResponse, Response
from typer.testing import CliRunner

from cli import app as cli
from connectors import ads
from connectors.ads import PLATFORMS
from connectors.api_versions import API_VERSIONS, ApiVersion
from connectors.auth import oauth, secret_store
from connectors.auth.credentials import StoredCredentials, load, variable
from connectors.http.client import PlatformClient
from connectors.http.errors import NoSecretStore, NotConnected, TokenRevoked, Transient, VendorError
from connectors.http.retry import SystemClock
from connectors.http.service import OAuth
from connectors.platform import Platform
from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.warehouse import build_lock, connect
from tests.support.acme import ACME, APP, HOST, Acme, accounts, listed
from tests.support.home import COMMAND, ROOT
from tests.support.vendors import VENDORS
from tests.support.vendors.base import serving

OK, FAILED, WRONG_INPUT = 0, 1, 2
REDIRECT = "http://127.0.0.1:8765/callback"


class InMemory(KeyringBackend):
    """A keyring that lasts as long as the test."""

    priority = 5
    name = "a test's keyring"

    def __init__(self) -> None:
        super().__init__()
        self.passwords: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise KeyringLocked("locked")
        return self.passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.passwords[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.passwords.pop((service, username), None) is None:
            raise PasswordDeleteError("there is none")


@pytest.fixture(autouse=True)
def clean(monkeypatch) -> None:
    for name in [n for n in os.environ if n.startswith("TRIBUTARY_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def acme(monkeypatch) -> Iterator[Acme]:
    with serving(Acme()) as served:
        monkeypatch.setenv("TRIBUTARY_ACME_URL", served.url)
        monkeypatch.setitem(ads.PLATFORMS, "acme", ACME)
        yield served


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "credentials.bin"


@pytest.fixture(params=["keyring", "file"])
def secrets_in(request, monkeypatch) -> Iterator[str]:
    """Secrets are stored in the keyring, or in a file."""
    before = keyring.get_keyring()
    if request.param == "keyring":
        keyring.set_keyring(InMemory())
    else:
        monkeypatch.setenv("TRIBUTARY_SECRET_KEY", "a long random text")
    yield request.param
    keyring.set_keyring(before)


@pytest.fixture
def no_keyring() -> Iterator[None]:
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    yield
    keyring.set_keyring(before)


def connected(store: Path, vendor: Acme, **more: str) -> StoredCredentials:
    vendor.tokens()
    credentials = StoredCredentials(ACME, store)
    credentials.connect({**APP, "access_token": vendor.access_token, "refresh_token": vendor.refresh_token, **more})
    return load(ACME, store)


def minutes(number: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=number)).isoformat()


# The secret store ----------------------------------------------------------------------------------------------


def test_secrets_are_stored_for_each_home(secrets_in, tmp_path):
    one, other = tmp_path / "one" / "credentials.bin", tmp_path / "other" / "credentials.bin"
    for path, token in (one, "token-of-one"), (other, "token-of-other"):
        with secret_store.locked(path):
            secret_store.write(path, "acme", {"access_token": token})
            secret_store.write(path, "meta", {"access_token": "x"})
    with secret_store.locked(one):
        secret_store.write(one, "meta", {})
    assert secret_store.read(one, "acme") == {"access_token": "token-of-one"}
    assert secret_store.read(one, "meta") == secret_store.read(one, "google") == {}
    assert secret_store.read(other, "acme") == {"access_token": "token-of-other"}
    if secrets_in == "file":
        assert one.stat().st_mode & 0o777 == 0o600
        assert b"token-of" not in one.read_bytes()
        assert one.read_bytes()[:16] != other.read_bytes()[:16]  # each file has its own salt
    else:
        assert not one.exists()


def test_wrong_key_and_damaged_file_are_errors(store, monkeypatch, no_keyring):
    monkeypatch.setenv("TRIBUTARY_SECRET_KEY", "the right one")
    secret_store.write(store, "acme", {"access_token": "secret-token"})
    whole = store.read_bytes()
    monkeypatch.setenv("TRIBUTARY_SECRET_KEY", "another one")
    with pytest.raises(NoSecretStore, match="cannot be decrypted"):
        load(ACME, store)
    with pytest.raises(NoSecretStore, match="cannot be decrypted"):
        secret_store.write(store, "meta", {"access_token": "x"})  # otherwise the values of acme would be lost
    assert store.read_bytes() == whole
    monkeypatch.setenv("TRIBUTARY_SECRET_KEY", "the right one")
    for damaged in (whole[:-7], whole[:10], b""):
        store.write_bytes(damaged)
        with pytest.raises(NoSecretStore, match="damaged"):
            load(ACME, store)
    monkeypatch.delenv("TRIBUTARY_SECRET_KEY")
    with pytest.raises(NoSecretStore, match="Set TRIBUTARY_SECRET_KEY"):
        load(ACME, store)


def test_locked_keyring_is_an_error_that_says_what_to_do(store):
    before, locked = keyring.get_keyring(), InMemory()
    locked.is_locked = True
    keyring.set_keyring(locked)
    try:
        with pytest.raises(NoSecretStore, match=r"KeyringLocked.*unlock it, or set TRIBUTARY_SECRET_KEY"):
            load(ACME, store)
    finally:
        keyring.set_keyring(before)


# The environment -------------------------------------------------------------------------------------


def test_environment_goes_before_the_store_and_does_not_change_it(secrets_in, store, acme, monkeypatch):
    stored = dict(connected(store, acme, expires_at=minutes(60)).values)
    monkeypatch.setenv("TRIBUTARY_ACME_ACCESS_TOKEN", "of-the-environment")
    credentials = load(ACME, store)
    assert credentials.is_from_environment
    assert credentials.values == {
        **APP,
        "access_token": "of-the-environment",
    }  # without the refresh token of the stored login
    with pytest.raises(TokenRevoked, match="The platform no longer accepts TRIBUTARY_ACME_ACCESS_TOKEN"):
        listed(credentials)
    monkeypatch.delenv("TRIBUTARY_ACME_ACCESS_TOKEN")
    monkeypatch.setenv("TRIBUTARY_ACME_CLIENT_SECRET", "a newer secret")
    assert load(ACME, store).values == stored | {"client_secret": "a newer secret"}


def test_rotated_refresh_token_of_the_environment_is_stored(secrets_in, store, acme, monkeypatch):
    acme.tokens()
    for name, value in (*APP.items(), ("refresh_token", acme.refresh_token)):
        monkeypatch.setenv(variable(ACME, name), value)
    assert listed(load(ACME, store)) == ["1001", "123-456"]
    again = load(ACME, store)  # another process, later: the environment's refresh token is no longer valid
    assert listed(again) == ["1001", "123-456"]
    assert acme.renewals == 1
    again.values["expires_at"] = minutes(-1)
    again.renew(PlatformClient(ACME, again).http)
    assert acme.renewals == 2
    acme.tokens()  # the person sets the token of another login: the renewals of the former are useless
    monkeypatch.setenv("TRIBUTARY_ACME_REFRESH_TOKEN", acme.refresh_token)
    assert listed(load(ACME, store)) == ["1001", "123-456"]
    assert acme.renewals == 3


def test_environment_works_without_a_secret_store(no_keyring, store, acme, monkeypatch):
    acme.lifetime = 1  # second: each request renews
    acme.tokens()
    for name, value in (*APP.items(), ("refresh_token", acme.refresh_token)):
        monkeypatch.setenv(variable(ACME, name), value)
    credentials = load(ACME, store)
    assert [listed(credentials), listed(credentials)] == [["1001", "123-456"]] * 2
    assert acme.renewals == 2
    assert not store.exists()


def test_missing_credentials_are_named_with_the_command_and_the_variable(no_keyring, store, monkeypatch):
    with pytest.raises(NotConnected, match=r"not connected: tributary connect acme, or set TRIBUTARY_ACME_ACCESS_TOK"):
        load(ACME, store)
    monkeypatch.setenv("TRIBUTARY_ACME_REFRESH_TOKEN", "r")
    with pytest.raises(NotConnected, match=r"client_id is missing: .* or set TRIBUTARY_ACME_CLIENT_ID"):
        listed(load(ACME, store))
    monkeypatch.setenv("TRIBUTARY_ACME_EXPIRES_AT", "next week")
    monkeypatch.setenv("TRIBUTARY_ACME_ACCESS_TOKEN", "a")
    with pytest.raises(NotConnected, match="'next week'"):
        listed(load(ACME, store))


# Renewal ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "renewals"), [(60, 0), (6, 0), (4, 1), (-60, 1)])
def test_token_is_renewed_five_minutes_before_it_expires(secrets_in, store, acme, left, renewals):
    credentials = connected(store, acme, expires_at=minutes(left))
    assert listed(credentials) == ["1001", "123-456"]
    assert acme.renewals == renewals
    assert load(ACME, store).values["refresh_token"] == acme.refresh_token  # the newest
    assert listed(load(ACME, store)) == ["1001", "123-456"]
    assert acme.renewals == renewals
    if renewals:
        ends = datetime.fromisoformat(load(ACME, store).values["expires_at"])
        assert timedelta(minutes=58) < ends - datetime.now(UTC) <= timedelta(hours=1)


def test_invalid_refresh_token_names_the_connect_command_and_stays_stored(secrets_in, store, acme):
    credentials = connected(store, acme)
    before = dict(credentials.values)
    acme.tokens()  # somebody revoked the access and gave it again
    with pytest.raises(TokenRevoked, match="Connect again: tributary connect acme") as error:
        listed(credentials)
    assert not [secret for secret in (*acme.secrets, *before.values()) if secret in str(error.value)]
    assert error.value.__cause__ is None
    assert load(ACME, store).values == before


class Impatient(SystemClock):
    def sleep(self, seconds: float) -> None: ...


def list_at_once(credentials: StoredCredentials, log: Callable[[str], None] = lambda message: None) -> list[str]:
    """Return the ids of the ad accounts, without a wait before a retry."""
    with PlatformClient(credentials.service, credentials, clock=Impatient(), log=log) as client:
        return [account.account_id for account in accounts(client)]


def damage_next_token(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the end off the next token response. The platform has used the code or refresh token nevertheless."""
    whole = acme.tokens

    def damaged() -> Response:
        monkeypatch.setattr(acme, "tokens", whole)
        return Response(whole().body[:-20], media_type="application/json")

    monkeypatch.setattr(acme, "tokens", damaged)


NO_TOKENS = [
    Response(status_code=503),
    Response(status_code=429),
    Response("<html>sign in", media_type="text/html"),
    Response("<html>bad gateway", 502, media_type="text/html"),
    Response("<html>back soon", 503, media_type="text/html"),
    Response('{"access_token": "half-of-a-tok', media_type="application/json"),
    Response("", media_type="application/json"),
]


@pytest.mark.parametrize("response", NO_TOKENS)
def test_token_request_without_an_answer_is_retried(secrets_in, store, acme, response, caplog):
    caplog.set_level("DEBUG")
    acme.broken, messages = [response, response], []
    credentials = connected(store, acme, expires_at=minutes(-1))
    assert list_at_once(credentials, messages.append) == ["1001", "123-456"]
    assert acme.renewals == 1
    assert load(ACME, store).values["refresh_token"] == acme.refresh_token
    shown = f"{messages} {caplog.text}"
    assert not [secret for secret in (*acme.secrets, "half-of-a-tok") if secret != APP["client_id"] and secret in shown]


@pytest.mark.parametrize("response", NO_TOKENS)
def test_endless_token_requests_fail_and_keep_the_stored_tokens(secrets_in, store, acme, response):
    acme.broken = [response] * 100
    credentials = connected(store, acme, expires_at=minutes(-1))
    before = dict(credentials.values)
    with pytest.raises(VendorError, match=r"^Acme Ads: .*; gave up\. Pull again later$") as error:
        list_at_once(credentials)
    assert not [secret for secret in (*acme.secrets, "half-of-a-tok") if secret in str(error.value)]
    assert load(ACME, store).values == before


@pytest.mark.parametrize("is_from_environment", [False, True])
def test_rotated_refresh_token_of_a_damaged_response_is_not_lost(
    secrets_in, store, acme, monkeypatch, is_from_environment
):
    """The platform has revoked the former refresh token, although its response broke off."""
    credentials = connected(store, acme, expires_at=minutes(-1))
    if is_from_environment:
        for name, value in (*APP.items(), ("refresh_token", acme.refresh_token)):
            monkeypatch.setenv(variable(ACME, name), value)
        credentials = load(ACME, store)
    damage_next_token(acme, monkeypatch)
    assert list_at_once(credentials) == ["1001", "123-456"]
    assert acme.renewals == 2
    assert load(ACME, store).values["refresh_token"] == acme.refresh_token


def test_rotated_refresh_token_stays_if_the_next_renewal_returns_none(secrets_in, store, acme, monkeypatch):
    acme.tokens()
    for name, value in (*APP.items(), ("refresh_token", acme.refresh_token)):
        monkeypatch.setenv(variable(ACME, name), value)
    credentials = load(ACME, store)
    list_at_once(credentials)
    rotated = acme.refresh_token
    monkeypatch.setattr(oauth, "renew", lambda *_: {"access_token": acme.access_token})
    credentials.renew(httpx.Client())
    assert load(ACME, store).values["refresh_token"] == rotated


def test_token_with_an_unknown_lifetime_is_stored(secrets_in, store, acme):
    credentials = connected(store, acme, expires_at=minutes(-1))
    acme.lifetime = "never"
    assert list_at_once(credentials) == ["1001", "123-456"]
    assert load(ACME, store).values["refresh_token"] == acme.refresh_token


def test_store_that_cannot_be_written_fails_before_the_platform_revokes_a_token(secrets_in, store, acme, monkeypatch):
    credentials = connected(store, acme, expires_at=minutes(-1))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(secret_store, "write", full)
    with pytest.raises(OSError, match="No space left"):
        list_at_once(credentials)
    assert acme.renewals == 0


@pytest.mark.parametrize(
    "response",
    [
        JSONResponse([1]),
        JSONResponse({"token_type": "b"}),
        JSONResponse({"error": "invalid_scope"}, 400),
    ],
)
def test_invalid_token_response_keeps_the_stored_tokens(secrets_in, store, acme, response):
    credentials = connected(store, acme, expires_at=minutes(-1))
    before = dict(credentials.values)
    acme.broken = [response]
    with pytest.raises(VendorError, match="Acme Ads"):
        listed(credentials)
    assert load(ACME, store).values == before


def test_secrets_that_a_platform_quotes_are_redacted(secrets_in, store, acme, caplog):
    caplog.set_level("DEBUG")
    credentials = connected(store, acme)
    acme.quotes = f"Malformed access token {acme.access_token}, app {APP['client_id']}"
    with pytest.raises(VendorError, match=r"Malformed access token \*\*\*, app acme-app") as error:
        listed(credentials)
    shown = f"{error.getrepr(showlocals=False)} {credentials!r} {caplog.text}"
    assert acme.access_token not in shown
    assert acme.refresh_token not in shown


def test_concurrent_threads_renew_once(secrets_in, store, acme):
    """The platform revokes a refresh token when it gives the next: the second thread must not use the first token."""
    connected(store, acme, expires_at=minutes(-1))
    together = threading.Barrier(8)
    logins = [load(ACME, store) for _ in range(8)]

    def renew(credentials: StoredCredentials) -> list[str]:
        together.wait(30)
        return listed(credentials)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(renew, logins)) == [["1001", "123-456"]] * 8
    assert acme.renewals == 1


def test_concurrent_processes_renew_once(store, acme, monkeypatch, no_keyring):
    monkeypatch.setenv("TRIBUTARY_SECRET_KEY", "a long random text")
    connected(store, acme, expires_at=minutes(-1))
    program = (
        "import sys; from pathlib import Path\n"
        "from connectors.auth.credentials import load; from tests.support.acme import ACME, listed\n"
        f"credentials = load(ACME, Path({str(store)!r}))\n"
        "print('ready', flush=True); sys.stdin.readline(); print(*listed(credentials), flush=True)\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ.copy(),
        )
        for _ in range(3)
    ]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[0] for process in started] == ["1001 123-456\n"] * 3
    assert acme.renewals == 1
    assert load(ACME, store).values["refresh_token"] == acme.refresh_token


# Consent ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def http(acme) -> Iterator[httpx.Client]:
    with PlatformClient(ACME, StoredCredentials(ACME)) as client:
        yield client.http


def redirected(acme: Acme, consent: oauth.Consent) -> str:
    query = dict(parse_qsl(urlsplit(consent.url).query))
    response = {"code": acme.grant(consent.url), "state": query["state"]}
    return f"{query['redirect_uri']}?{urlencode(response)}"


@pytest.mark.parametrize("by", ["form", "basic"])
def test_consent_follows_oauth_2_with_pkce_and_returns_tokens(acme, http, by):
    acme.basic = by == "basic"
    kind = ACME.oauth.__class__(
        **{
            **{name: getattr(ACME.oauth, name) for name in ACME.oauth.__struct_fields__},
            "client_auth": "client_secret_basic" if acme.basic else "client_secret_post",
        }
    )
    platform = Platform(**{**{n: getattr(ACME, n) for n in ACME.__struct_fields__}, "oauth": kind})
    consent = oauth.begin(platform, APP, REDIRECT, http)
    query = parse_qs(urlsplit(consent.url).query)
    assert query["scope"] == ["ads.read offline"]
    assert query["response_type"] == ["code"]
    assert query["prompt"] == ["consent"]
    assert query["client_id"] == [APP["client_id"]]
    assert query["code_challenge_method"] == ["S256"]
    assert APP["client_secret"] not in consent.url
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    tokens = oauth.finish(platform, APP, consent, redirected(acme, consent), http=http, now=now)
    assert tokens == {
        "access_token": acme.access_token,
        "refresh_token": acme.refresh_token,
        "expires_at": "2026-11-20T13:00:00+00:00",
    }


def test_two_consents_share_neither_state_nor_verifier(http):
    one, other = (oauth.begin(ACME, APP, REDIRECT, http) for _ in range(2))
    assert len({one.state, other.state, one.secret, other.secret}) == 4
    assert one.secret not in repr(one)


def test_foreign_and_negative_responses_are_errors(acme, http):
    consent = oauth.begin(ACME, APP, REDIRECT, http)
    code = acme.grant(consent.url)
    for response, message in (
        ({"code": code, "state": "another"}, "does not respond to this request"),
        ({"code": code}, "does not respond to this request"),
        ({"error": "access_denied", "state": consent.state}, "denied access: access_denied"),
        ({"error": "access_denied"}, "does not respond to this request"),
        ({"state": consent.state}, "without a code"),
        ({"code": "made-up-code", "state": consent.state}, "invalid_grant"),
    ):
        with pytest.raises(VendorError, match=message) as error:
            oauth.finish(ACME, APP, consent, f"{REDIRECT}?{urlencode(response)}", http=http, now=datetime.now(UTC))
        assert not [s for s in (*acme.secrets, "made-up-code", consent.secret) if s in str(error.value)], error.value


def test_oauth_1_signs_every_request(acme, http, monkeypatch):
    kind = OAuth(
        authorize_url="https://acme.example/oauth/authorize",
        request_token_url=f"{HOST}/oauth/request_token",
        token_url=f"{HOST}/oauth/access_token",
    )
    platform = Platform(**{**{n: getattr(ACME, n) for n in ACME.__struct_fields__}, "oauth": kind})
    consent = oauth.begin(platform, APP, REDIRECT, http)
    assert consent.url == "https://acme.example/oauth/authorize?oauth_token=rt-1"
    assert "rt-secret" not in repr(consent)

    def finish(**response: str) -> dict[str, str]:
        address = f"{REDIRECT}?{urlencode(response)}"
        return oauth.finish(platform, APP, consent, address, http=http, now=datetime.now(UTC))

    assert finish(oauth_token="rt-1", oauth_verifier="verifier-1") == {
        "access_token": "at-1234567",
        "access_token_secret": "ats-1234567",
    }
    with monkeypatch.context() as context:
        for response in Response("<html>", 503), Response("<html>back soon</html>"), Response("oauth_token=at-1"):
            context.setattr(
                httpx.Client,
                "post",
                lambda *_, answer=response, **__: httpx.Response(answer.status_code, content=answer.body),
            )
            with pytest.raises(Transient):
                finish(oauth_token="rt-1", oauth_verifier="verifier-1")
    with pytest.raises(VendorError, match="access denied"):
        finish(denied="rt-1")
    with pytest.raises(VendorError, match="does not respond to this request"):
        finish(oauth_token="rt-2", oauth_verifier="verifier-1")
    with pytest.raises(VendorError, match="Acme Ads"):
        finish(oauth_token="rt-1", oauth_verifier="made-up")


# The commands ----------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return Home.from_environment()


@pytest.fixture
def here(home, monkeypatch, acme) -> Callable[..., str]:
    """Run the command in this process and return its output. Neither the output nor the home contains a secret."""
    monkeypatch.setattr("cli.console.console._width", 160)  # with and without a terminal
    for name, value in APP.items():
        monkeypatch.setenv(variable(ACME, name), value)

    def call(*arguments: object, code: int = OK, typed: str = "") -> str:
        done = CliRunner().invoke(cli.app, list(map(str, arguments)), input=typed)
        assert done.exit_code == code, f"{arguments}: {done.output}\n{done.exception!r}"
        visible = done.output + "".join(p.read_text("latin1") for p in home.root.rglob("*") if p.is_file())
        shown = [secret for secret in acme.secrets - {APP["client_id"]} if secret in visible]
        assert not shown, f"{visible} contains {shown}"
        return done.output

    return call


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def browser(acme, monkeypatch) -> list[tuple[str, int, str]]:
    """A person who consents after requests of a stranger and of an old page: [(address, status, page)]."""
    seen: list[tuple[str, int, str]] = []

    def visit(url: str) -> None:
        query = dict(parse_qsl(urlsplit(url).query))
        back, code = query["redirect_uri"], acme.grant(url)
        for address in (
            back.replace("/callback", "/favicon.ico"),
            f"{back}?{urlencode({'code': code, 'state': 'of an earlier attempt'})}",
            f"{back}?{urlencode({'code': '<script>', 'state': '<script>'})}",
            f"{back}?{urlencode({'code': code, 'state': query['state']})}",
        ):
            page = httpx.get(address, timeout=30)
            seen.append((address, page.status_code, page.text))

    def opened(url: str) -> bool:
        threading.Thread(target=visit, args=(url,), daemon=True).start()
        return True

    monkeypatch.setattr("webbrowser.open", opened)
    return seen


def test_connect_over_loopback_lists_and_stores_the_accounts(secrets_in, here, home, acme, browser):
    output = here("connect", "acme", "--all", "--port", free_port())
    assert "https://acme.example/authorize?" in output
    assert "Wholesale" in output
    assert output.rstrip().endswith("tributary pull acme")
    assert [status for _, status, _ in browser] == [404, 400, 400, 200]
    assert "go back to the terminal" in browser[-1][2]
    assert not any("<script>'" in page or "code=" in page for _, _, page in browser)
    one, other = load_settings(home).ad_accounts
    assert (one.platform, one.account_id, one.org, one.name) == ("acme", "1001", "default", "Shop")
    assert (one.currency, one.timezone) == ("EUR", "Europe/Berlin")
    assert (other.account_id, other.timezone) == ("123456", "UTC")  # an unknown zone is omitted and reported
    assert "timezone is omitted: 'Mars/Olympus'" in output
    assert "# The orgs, sites and ad accounts" in home.settings.read_text()  # comments stay
    assert load(ACME, home.root / "credentials.bin").values["refresh_token"] == acme.refresh_token


def test_connect_retries_the_exchange_of_the_code(secrets_in, here, home, acme, browser):
    acme.broken = [Response("<html>back soon", 503, media_type="text/html"), Response("<html>", media_type="text/html")]
    assert "tributary pull acme" in here("connect", "acme", "--all", "--port", free_port())
    assert load(ACME, home.root / "credentials.bin").values["refresh_token"] == acme.refresh_token


@pytest.mark.usefixtures("home", "secrets_in", "browser")
def test_connect_states_the_damaged_response_that_used_the_code(here, acme, monkeypatch):
    damage_next_token(acme, monkeypatch)
    output = here("connect", "acme", "--all", "--port", free_port(), code=FAILED)
    assert "Acme Ads returned no token (token request: the response's JSON is cut off or damaged)" in output
    assert "Try again: tributary connect acme" in output


def test_connect_again_uses_a_valid_login_and_replaces_a_revoked_one(secrets_in, here, home, acme, browser):
    here("connect", "acme", "--accounts", "1001", "--port", free_port())
    assert len(browser) == 4
    output = here("connect", "acme", "--accounts", "123456")  # an id as people write it
    assert len(browser) == 4
    assert [a.account_id for a in load_settings(home).ad_accounts] == ["1001", "123456"]
    assert "with the stored login" in output
    acme.tokens()  # the access was revoked
    output = here("connections", "--check", code=FAILED)
    assert "tributary connect acme" in output
    output = here("connect", "acme", "--all", "--port", free_port())
    assert len(browser) == 8
    assert "already lists them" in output
    here("connections", "--check")


def test_connect_by_paste_accepts_an_address_and_reports_a_denial(secrets_in, here, home, acme, monkeypatch):
    """The command prints the address before it reads the input: the test derives the input from the address."""
    printed: list[str] = []

    def pasted(response: dict[str, str] | None) -> Callable[[], str]:
        def readline() -> str:
            url = printed[-1]
            query = dict(parse_qsl(urlsplit(url).query))
            return (
                f"{query['redirect_uri']}?{urlencode(response or {'code': acme.grant(url), 'state': query['state']})}\n"
            )

        return readline

    real = oauth.begin

    def begin(*arguments) -> oauth.Consent:
        consent = real(*arguments)
        printed.append(consent.url)
        return consent

    monkeypatch.setattr(oauth, "begin", begin)
    for response, code, expected in (
        ({"error": "access_denied", "state": "x"}, FAILED, "does not respond to this request"),
        (None, OK, "tributary pull acme"),
    ):
        monkeypatch.setattr(
            "cli.consent.sys",
            type(
                "Sys",
                (),
                {
                    "stdin": type(
                        "In", (), {"isatty": staticmethod(lambda: False), "readline": staticmethod(pasted(response))}
                    )
                },
            )(),
        )
        output = here("connect", "acme", "--all", "--paste", code=code)
        assert expected in output
        assert printed[-1] in output
    uri = "https://tools.example/callback"
    output = here("connect", "acme", "--all", "--again", "--redirect-uri", uri)  # on another host: by paste
    assert urlencode({"redirect_uri": uri}) in printed[-1]
    assert [a.account_id for a in load_settings(home).ad_accounts] == ["1001", "123456"]


def test_token_from_the_environment_or_typed_needs_no_browser(no_keyring, here, home, acme, monkeypatch):
    acme.tokens()
    monkeypatch.setenv("TRIBUTARY_ACME_ACCESS_TOKEN", acme.access_token)
    output = here("connect", "acme", "--accounts", "1001")
    assert "login of the environment" in output
    assert not (home.root / "credentials.bin").exists()
    assert "environment: no known expiry" in here("connections", "--check")
    monkeypatch.delenv("TRIBUTARY_ACME_ACCESS_TOKEN")
    assert "set TRIBUTARY_SECRET_KEY" in here("connect", "acme", "--token", typed="x\n", code=WRONG_INPUT)
    monkeypatch.setenv("TRIBUTARY_SECRET_KEY", "key")
    here("connect", "acme", "--all", "--token", typed=f"{acme.access_token}\n")
    assert len(load_settings(home).ad_accounts) == 2


def test_wrong_input_is_reported_before_the_login(no_keyring, here, home, acme, monkeypatch):
    assert "Do you mean acme?" in here("connect", "acne", code=WRONG_INPUT)
    assert "--org nobody: tributary.yaml has no such org" in here(
        "connect", "acme", "--org", "nobody", code=WRONG_INPUT
    )
    assert "set TRIBUTARY_SECRET_KEY" in here("connect", "acme", code=WRONG_INPUT)
    monkeypatch.setenv("TRIBUTARY_SECRET_KEY", "key")
    monkeypatch.delenv("TRIBUTARY_ACME_CLIENT_SECRET")
    assert "Set TRIBUTARY_ACME_CLIENT_SECRET" in here("connect", "acme", code=WRONG_INPUT)
    monkeypatch.setenv("TRIBUTARY_ACME_CLIENT_SECRET", APP["client_secret"])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        output = here("connect", "acme", "--port", taken.getsockname()[1], code=WRONG_INPUT)
    assert "choose another port with --port" in output
    assert acme.requests == []
    acme.tokens()
    monkeypatch.setenv("TRIBUTARY_ACME_ACCESS_TOKEN", acme.access_token)
    assert "Set --accounts or --all" in here("connect", "acme", code=WRONG_INPUT)
    assert "no account 77" in here("connect", "acme", "--accounts", "1001,77", code=WRONG_INPUT)
    acme.rows = []
    assert "read no ad account" in here("connect", "acme", code=FAILED)
    assert load_settings(home).ad_accounts == []


def test_listed_account_stays_unchanged_and_differences_are_reported(secrets_in, here, home, acme, browser):
    home.settings.write_text(
        "orgs: [{id: north, currency: USD}, {id: south, currency: USD}]  # two\n"
        'ad_accounts: [{platform: acme, account_id: "1001", org: south, currency: USD}]\n'
    )
    output = here("connect", "acme", "--all", "--org", "north", "--port", free_port())
    assert "1001: currency is USD in tributary.yaml and EUR in Acme Ads." in output
    assert "1001: timezone is UTC in tributary.yaml and Europe/Berlin in Acme Ads." in output
    assert "1001 belongs to the org south." in output
    assert [(a.account_id, a.org, a.currency) for a in load_settings(home).ad_accounts] == [
        ("1001", "south", "USD"),
        ("123456", "north", "USD"),
    ]
    assert "# two" in home.settings.read_text()
    # An id in another notation is the same account: listed twice, its spend would count twice.
    listed = 'orgs: [{id: north, currency: EUR}]\nad_accounts: [{platform: acme, account_id: "%s", org: north}]\n'
    home.settings.write_text(listed % "123456")
    here("connect", "acme", "--accounts", "123-456")
    assert [account.account_id for account in load_settings(home).ad_accounts] == ["123456"]


def test_connections_shows_accounts_pulls_and_tokens(secrets_in, here, home, acme):
    assert "Nothing is connected yet" in here("connections")
    home.settings.write_text(
        "orgs: [{id: north, currency: USD}]\n"
        "ad_accounts:\n"
        '  - {platform: acme, account_id: "1001", name: Shop, org: north}\n'
        '  - {platform: acme, account_id: "123-456", org: north}\n'
        '  - {platform: meta, account_id: "9", org: north}\n'
    )
    row = (
        "insert into raw.pulls by name select '{}' as pull_id, 'north' as org_id, 'acme' as platform, '1001' as"
        " account_id, date '2026-11-01' as start_date, date '{}' as end_date, timestamp '{}' as started_at,"
        " timestamp '{}' as finished_at, '{}' as status, {} as reason, 1 as rows"
    )
    with build_lock(home, "a test"), connect(home) as warehouse:
        warehouse.execute(row.format("a", "2026-11-18", "2026-11-19 06:00", "2026-11-19 06:01", "loaded", "null"))
        warehouse.execute(
            row.format("b", "2026-11-19", "2026-11-20 06:00", "2026-11-20 06:01", "failed", "'the token was revoked'")
        )
    connected(home.root / "credentials.bin", acme, expires_at=minutes(60))
    lines = here("connections").splitlines()
    shop = next(line for line in lines if "1001" in line)
    assert re.search(r"Shop +north +failed 2026-11-20 06:01 UTC +2026-11-18 +renews itself", shop)
    assert re.search(r"123456 +north +never +renews itself", next(line for line in lines if "123456" in line))
    assert re.search(r"meta +9 .* missing *$", next(line for line in lines if "meta  " in line))
    assert "! meta: the login is missing. Run: tributary connect meta" in lines
    assert any("acme 1001: the token was revoked" in line for line in lines)
    with build_lock(home, "run"):
        output = here("connections")
    assert "Running: run" in output
    assert "renews itself" in output


@pytest.mark.parametrize(
    ("days", "more", "text"),
    [
        (60.5, {}, "valid until {} (60 days)"),
        (3.5, {}, "valid until {} (3 days)"),
        (-1, {}, "the login is expired {}. Run: tributary connect acme"),
        (60.5, {"refresh_token": "a-refresh"}, "renews itself"),
    ],
)
def test_connections_shows_when_a_token_expires(here, home, secrets_in, days, more, text):  # noqa: PLR0917
    ends = datetime.now(UTC) + timedelta(days=days)
    values = {"access_token": "a-token", "expires_at": ends.isoformat(), **more}
    StoredCredentials(ACME, home.root / "credentials.bin").connect(values)
    assert text.format(f"{ends:%Y-%m-%d}") in here("connections")


def test_connections_names_a_version_that_ends_soon(here, home, secrets_in, monkeypatch):
    StoredCredentials(ACME, home.root / "credentials.bin").connect({"access_token": "a-token"})
    ends_on = datetime.now(UTC).date() + timedelta(days=30)
    assert "version" not in here("connections")
    monkeypatch.setitem(API_VERSIONS, "acme", ApiVersion("v1", ends_on, "announced", "https://acme.example/versions"))
    assert f"version v1 of its API ends on {ends_on} (announced)" in " ".join(here("connections").split())


def test_connect_command_in_its_own_process_shows_no_secret(home, monkeypatch):
    """`tributary connect meta --paste` in its own process: neither its output nor the home contains a secret."""
    with serving(VENDORS["meta"]()) as meta:
        secrets = dict(zip(("CLIENT_ID", "CLIENT_SECRET"), meta.credentials.values(), strict=True))
        environment = {
            **os.environ,
            "TRIBUTARY_SECRET_KEY": "a long random text",
            "TRIBUTARY_META_URL": meta.url,
            **{f"TRIBUTARY_META_{name}": value for name, value in secrets.items()},
        }
        process = subprocess.Popen(
            [COMMAND, "connect", "meta", "--paste", "--all"],
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output = ""
        while not output.rstrip().endswith("Copy that address whole."):
            line = process.stdout.readline()
            assert line, output
            output += line
        url = re.search(r"https://www\.facebook\.com/\S+", output).group()
        query = dict(parse_qsl(urlsplit(url).query))
        rest, _ = process.communicate(f"{query['redirect_uri']}?code=code-1&state={query['state']}\n", timeout=60)
        output += rest
        assert process.returncode == OK, output
        assert "tributary pull meta" in output
        visible = output + "".join(p.read_text("latin1") for p in home.root.rglob("*") if p.is_file())
        for secret in ("code-1", meta.access_token, secrets["CLIENT_SECRET"], "a long random text"):
            assert secret not in visible
    assert [(a.platform, a.account_id, a.timezone) for a in load_settings(home).ad_accounts] == [
        ("meta", "1001", "Europe/Berlin")
    ]


def variables_of(platform: Platform) -> list[str]:
    """Return the documented variables. Meta and TikTok give no refresh tokens."""
    kind = platform.oauth
    without = platform.name in ("meta", "tiktok")
    last = ["access_token_secret"] if kind.request_token_url else [] if without else ["refresh_token"]
    names = (*platform.secrets, *platform.optional_secrets, "access_token", *last, "url")
    return [variable(platform, name) for name in names]


def test_variables_of_every_platform_are_documented():
    text = (ROOT / "docs" / "connect.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| [") and "_ACCESS_TOKEN`" in line]
    expected = [
        f"| [{platform.label}](platforms/{name}.md) | {', '.join(f'`{v}`' for v in variables_of(platform))} |"
        for name, platform in sorted(PLATFORMS.items())
    ]
    assert rows == expected, "docs/connect.md: the table of variables should be\n" + "\n".join(expected)
