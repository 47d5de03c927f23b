"""A real OpenID Connect provider on 127.0.0.1, which can also answer wrongly.

In: the person who logs in, and the fault of the next answer. Out: discovery, public keys, an authorization page that
consents at once, id tokens that a real RSA key signs. It checks the client, its secret, the redirect address and PKCE.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.ports import free_port
from tests.support.waiting import wait_until

CLIENT_ID, CLIENT_SECRET = "tributary-tests", "a secret of the client"


@dataclass
class Provider:
    """The provider. fault: the mistake of the next id token, or "" for none."""

    issuer: str
    email: str = "ana@example.com"
    fault: str = ""
    auth_method: str = "client_secret_basic"
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    foreign_key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)  # each id token and access token

    async def discovery(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "token_endpoint_auth_methods_supported": [self.auth_method],
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            }
        )

    async def jwks(self, request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        assert {"openid", "email"} <= set(asked["scope"].split())
        if self.fault == "denied":
            return RedirectResponse(f"{asked['redirect_uri']}?error=access_denied&state={asked['state']}", 303)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        answer = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{answer}", 303)

    async def token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        basic = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        header = basic if self.auth_method == "client_secret_basic" else None
        in_form = None if header else CLIENT_SECRET
        asked = self.codes.pop(form["code"], None)  # a code works once
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if (
            (request.headers.get("authorization"), form.get("client_secret")) != (header, in_form)
            or asked is None
            or form["redirect_uri"] != asked["redirect_uri"]
            or encoded(digest) != asked["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        answer = {"access_token": secrets.token_urlsafe(24), "token_type": "Bearer", "expires_in": 300}
        if self.fault != "no id token":
            answer["id_token"] = self.id_token(asked["nonce"])
        self.tokens += [answer["access_token"], answer.get("id_token", "none")]
        return JSONResponse(answer)

    def id_token(self, nonce: str) -> str:
        """Return an id token, with the fault."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "42",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "email": self.email,
            "email_verified": True,
        }
        claims |= {
            "wrong nonce": {"nonce": "other"},
            "expired": {"iat": now - 9000, "exp": now - 8000},
            "other audience": {"aud": "other-client"},
            "other issuer": {"iss": "https://evil.example"},
            "unverified": {"email_verified": False},
            "no e-mail": {"email": None},
        }.get(self.fault, {})
        body = jwt.encode({"alg": "RS256"}, claims, self.key).split(".")[1]
        if self.fault == "wrong signature":
            return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.foreign_key)
        if self.fault == "symmetric":  # signed with the public key as a secret, which everybody knows
            signed = encoded(b'{"alg":"HS256","kid":"one"}') + f".{body}"
            signature = hmac.digest(self.key.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{encoded(signature)}"
        if self.fault == "unsigned":
            return encoded(b'{"alg":"none"}') + f".{body}."
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)


def encoded(content: bytes) -> str:
    """Return the content as a part of a token."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@contextmanager
def run_provider() -> Iterator[Provider]:
    """Serve a provider until the block ends."""
    port = free_port()
    provider = Provider(f"http://localhost:{port}")  # for a browser another site than 127.0.0.1
    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", provider.discovery),
            Route("/jwks", provider.jwks),
            Route("/authorize", provider.authorize),
            Route("/token", provider.token, methods=["POST"]),
        ]
    )
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, "the provider listens", seconds=30)
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join(10)
