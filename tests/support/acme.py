"""A platform with OAuth that exists only in tests, and a server for it.

In: tokens and consents. Out: the platform for the connectors, the served vendor, the accounts that a login can read.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import httpx
from authlib.common.security import generate_token
from authlib.oauth1.rfc5849 import client_auth
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from connectors.auth.credentials import StoredCredentials
from connectors.http.client import PlatformClient
from connectors.http.service import OAuth
from connectors.platform import Account, Platform
from tests.support.vendors.base import Vendor

HOST = "https://api.acme.example"
APP = {"client_id": "acme-app", "client_secret": "acme-app-secret"}


def accounts(client: PlatformClient) -> Iterator[Account]:
    for row in client.get("/accounts")["accounts"]:
        yield Account(
            account_id=row["id"],
            name=row["name"],
            currency=row.get("currency"),
            timezone=row.get("timezone"),
            status="active",
        )


def nothing(*_: object) -> Iterator:
    return iter(())


ACME = Platform(
    name="acme",
    label="Acme Ads",
    base_url=HOST,
    secrets=("client_id", "client_secret"),
    repull_days=7,
    raise_for_error=lambda response: None,
    headers=lambda credentials: {"Authorization": f"Bearer {credentials['access_token']}"},
    accounts=accounts,
    spend=nothing,
    entities=nothing,
    oauth=OAuth(
        authorize_url="https://acme.example/authorize",
        token_url=f"{HOST}/token",
        scopes=("ads.read", "offline"),
        parameters={"prompt": "consent"},
        pkce=True,
    ),
)


class Acme(Vendor):
    """A token endpoint that accepts each code and each refresh token once and checks PKCE; it has two ad accounts."""

    name = "acme"
    basic = False  # whether the app authenticates by HTTP Basic
    quotes: str | None = None

    def routes(self) -> list[Route]:
        self.consents: dict[str, dict[str, str]] = {}  # code -> the parameters of the authorize URL
        self.secrets: set[str] = set(APP.values())  # texts that no output may contain
        self.renewals = 0
        self.lifetime: int | None = 3600
        self.broken: list[Response] = []  # responses of the token endpoint before it works
        self.rows = [
            {"id": "1001", "name": "Shop", "currency": "EUR", "timezone": "Europe/Berlin"},
            {"id": "123-456", "name": "Wholesale", "currency": "USD", "timezone": "Mars/Olympus"},
        ]
        return [
            Route("/token", self.token, methods=["POST"]),
            Route("/accounts", self.accounts),
            Route("/oauth/request_token", self.request_token, methods=["POST"]),
            Route("/oauth/access_token", self.signed_token, methods=["POST"]),
        ]

    def unauthorized(self) -> Response:
        return JSONResponse({"error": "token expired"}, 401)

    def grant(self, url: str) -> str:
        """Consent at the authorize URL as a person does, and return the code of the redirect."""
        code = generate_token(20)
        self.consents[code] = dict(parse_qsl(urlsplit(url).query))
        self.secrets.add(code)
        return code

    def tokens(self) -> JSONResponse:
        self.access_token, self.refresh_token = f"access-{generate_token(16)}", f"refresh-{generate_token(16)}"
        self.secrets |= {self.access_token, self.refresh_token}
        token = {"access_token": self.access_token, "refresh_token": self.refresh_token, "token_type": "bearer"}
        return JSONResponse(token | ({"expires_in": self.lifetime} if self.lifetime else {}))

    async def token(self, request: Request) -> Response:
        if self.broken:
            return self.broken.pop(0)
        form = dict(parse_qsl((await request.body()).decode()))
        given = {name: form.get(name) for name in APP}
        if self.basic and "client_secret" not in form:
            user, _, password = (
                b64decode(request.headers["authorization"].removeprefix("Basic ")).decode().partition(":")
            )
            given = {"client_id": user, "client_secret": password}
        elif self.basic:
            given = {}
        if given != APP:
            return JSONResponse({"error": "invalid_client", "error_description": f"secret {given}"}, 401)
        if form["grant_type"] == "authorization_code":
            consent = self.consents.pop(form["code"], None)
            is_valid = (
                consent is not None
                and form["redirect_uri"] == consent["redirect_uri"]
                and create_s256_code_challenge(form["code_verifier"]) == consent["code_challenge"]
            )
        else:
            is_valid = form["refresh_token"] == self.refresh_token
            self.renewals += is_valid
        if not is_valid:
            grant = form.get("code") or form.get("refresh_token")
            return JSONResponse({"error": "invalid_grant", "error_description": f"{grant} is invalid"}, 400)
        return self.tokens()

    async def accounts(self, request: Request) -> Response:
        if self.quotes:
            return PlainTextResponse(self.quotes, 400)
        return JSONResponse({"accounts": self.rows})

    async def request_token(self, request: Request) -> Response:
        self.signature_of(request, "")
        return PlainTextResponse("oauth_token=rt-1&oauth_token_secret=rt-secret&oauth_callback_confirmed=true")

    async def signed_token(self, request: Request) -> Response:
        given = self.signature_of(request, "rt-secret")
        if given["oauth_verifier"] != "verifier-1" or given["oauth_token"] != "rt-1":
            return PlainTextResponse("not yours", 401)
        return PlainTextResponse("oauth_token=at-1234567&oauth_token_secret=ats-1234567")

    def signature_of(self, request: Request, token_secret: str) -> dict[str, str]:
        """Check the signature of an OAuth 1.0a header for the platform's own address, and return its parameters."""
        header = request.headers["authorization"]
        given = {k: httpx.QueryParams(f"v={v}")["v"] for k, v in re.findall(r'(\w+)="([^"]*)"', header)}
        signer = client_auth.ClientAuth(
            *APP.values(), given.get("oauth_token"), token_secret, verifier=given.get("oauth_verifier")
        )
        unsigned = re.sub(r',?\s*oauth_signature="[^"]*"', "", header)
        url = f"{HOST}{request.url.path}"
        assert signer.get_oauth_signature("POST", url, {"Authorization": unsigned}, b"") == given["oauth_signature"]
        return given


def listed(credentials: StoredCredentials) -> list[str]:
    """Return the ids of the ad accounts that a login can read."""
    with PlatformClient(credentials.service, credentials) as client:
        return [account.account_id for account in accounts(client)]
