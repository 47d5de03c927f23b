"""How a person lets Tributary read a platform: the address to open, the redirect that comes back, the tokens for it.

In: a Platform and the app's client id and secret. Out: credentials by name; times are UTC in ISO 8601. OAuth 2 with
state and PKCE, or OAuth 1.0a where the platform has a `request_token_url`. The tokens never enter a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from authlib.common.security import generate_token
from authlib.oauth1.client import OAuth1Client
from authlib.oauth1.rfc5849 import ClientAuth
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client

from connectors.http.errors import TokenRevoked, Transient, VendorError, without
from connectors.platform import OAuth, Platform

# What token endpoints call a grant that no longer holds (RFC 6749, 5.2; OpenID Connect 3.1.2.6; Microsoft).
OVER = {
    "invalid_grant",
    "invalid_token",
    "access_denied",
    "unauthorized_client",
    "interaction_required",
    "login_required",
    "consent_required",
}


TOKENS = ("access_token", "access_token_secret", "refresh_token", "expires_at", "refresh_token_expires_at")


@dataclass(frozen=True)
class Consent:
    """An authorisation that a person was sent to; `redirected` by it, the browser comes back with an answer."""

    url: str  # to open
    redirect_uri: str
    state: str  # OAuth 1.0a: the request token
    secret: str = field(default="", repr=False)  # the PKCE verifier; OAuth 1.0a: the request token's secret


class Signature(httpx.Auth, ClientAuth):
    """Signs requests with OAuth 1.0a (RFC 5849); what `Platform.auth` of such a platform gives."""

    requires_request_body = True

    @classmethod
    def of(cls, credentials: Mapping[str, str]) -> Signature:
        return cls(
            credentials["client_id"],
            credentials["client_secret"],
            credentials["access_token"],
            credentials["access_token_secret"],
        )

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        url, headers, body = self.prepare(request.method, str(request.url), request.headers, request.content)
        headers["Content-Length"] = str(len(body))
        yield httpx.Request(request.method, url, headers=headers, content=body, extensions=request.extensions)


class _OAuth1(OAuth1Client):
    auth_class = Signature


def begin(platform: Platform, credentials: Mapping[str, str], redirect_uri: str, client: httpx.Client) -> Consent:
    """Where to send the person. credentials: client_id and client_secret of the app."""
    kind = _kind(platform)
    if kind.request_token_url:
        first = _OAuth1(client, credentials["client_id"], credentials["client_secret"], redirect_uri=redirect_uri)
        with _errors(platform, credentials):
            token = first.fetch_request_token(kind.request_token_url)
        url = str(httpx.URL(kind.authorize_url).copy_add_param("oauth_token", token["oauth_token"]))
        return Consent(url, redirect_uri, token["oauth_token"], token["oauth_token_secret"])
    state, verifier = generate_token(30), generate_token(64) if kind.pkce else ""
    authlib = _client(kind, credentials, client, redirect_uri)
    url, _ = authlib.create_authorization_url(kind.authorize_url, state, verifier or None, **kind.parameters)
    if kind.client_id_parameter != "client_id":
        named = httpx.URL(url).copy_remove_param("client_id")
        url = str(named.copy_add_param(kind.client_id_parameter, credentials["client_id"]))
    return Consent(url, redirect_uri, state, verifier)


def is_answer(platform: Platform, consent: Consent, redirected: str) -> bool:
    """Whether an address that the browser was redirected to answers this consent, and not another, or a stranger's."""
    answer = _query(redirected)
    if _kind(platform).request_token_url:
        return consent.state in (answer.get("oauth_token"), answer.get("denied"))
    return answer.get("state") == consent.state


def finish(
    platform: Platform,
    credentials: Mapping[str, str],
    consent: Consent,
    redirected: str,
    *,
    client: httpx.Client,
    now: datetime,
) -> dict[str, str]:
    """The tokens for the answer in the address `redirected`; VendorError where the person, or the platform, said no."""
    kind, answer = _kind(platform), _query(redirected)
    again = f"tributary connect {platform.name}"
    refused = answer.get("error_description") or answer.get("error") or ("denied" in answer and "access denied")
    if refused and is_answer(platform, consent, redirected):
        raise VendorError(f"{platform.label} did not let Tributary in: {refused}. Try again: {again}")
    if not is_answer(platform, consent, redirected):
        raise VendorError(
            f"that address does not answer this request (its state is another): copy the whole address that "
            f"{platform.label} redirected to just now, or start anew: {again}"
        )
    code = answer.get("oauth_verifier" if kind.request_token_url else kind.code_parameter)
    if not code:
        raise VendorError(f"{platform.label} redirected without a code: start anew: {again}")
    with _errors(platform, credentials, code, consent.secret):
        if kind.request_token_url:
            last = _OAuth1(
                client,
                credentials["client_id"],
                credentials["client_secret"],
                token=consent.state,
                token_secret=consent.secret,
            )
            token = last.fetch_access_token(kind.token_url, verifier=code)
            return {"access_token": token["oauth_token"], "access_token_secret": token["oauth_token_secret"]}
        app = credentials["client_id"], credentials["client_secret"]
        if kind.exchange:
            return _tokens(kind.exchange(client, *app, code, consent.redirect_uri), now)
        more = {"code_verifier": consent.secret} if consent.secret else {}
        authlib = _client(kind, credentials, client, consent.redirect_uri)
        return _tokens(authlib.fetch_token(kind.token_url, code=code, **_app(kind, credentials), **more), now)


def renewed(platform: Platform, credentials: dict[str, str], client: httpx.Client, now: datetime) -> dict[str, str]:
    """New tokens for the refresh token, or as the platform does it; raises TokenRevoked, Transient, VendorError."""
    kind = _kind(platform)
    with _errors(platform, credentials):
        if kind.refresh:
            return _tokens(kind.refresh(client, credentials), now)
        authlib = _client(kind, credentials, client)
        refresh_token = credentials["refresh_token"]
        authlib.token = {"refresh_token": refresh_token}
        return _tokens(authlib.refresh_token(kind.token_url, refresh_token, **_app(kind, credentials)), now)


def _kind(platform: Platform) -> OAuth:
    if platform.oauth is None:
        raise VendorError(f"{platform.label} takes a token made by hand: tributary connect {platform.name} --token")
    return platform.oauth


def _client(
    kind: OAuth, credentials: Mapping[str, str], client: httpx.Client, redirect_uri: str | None = None
) -> OAuth2Client:
    return OAuth2Client(
        client,
        credentials["client_id"],
        credentials.get("client_secret"),
        redirect_uri=redirect_uri,
        scope=kind.scope_separator.join(kind.scopes) or None,
        code_challenge_method="S256" if kind.pkce else None,
    )


def _app(kind: OAuth, credentials: Mapping[str, str]) -> dict[str, Any]:
    """How the app proves itself: in the form, or by HTTP Basic."""
    app = {"client_id": credentials["client_id"], "client_secret": credentials["client_secret"]}
    return (
        {"auth": httpx.BasicAuth(*app.values())}
        if kind.client_auth == "client_secret_basic"
        else {"auth": httpx.Auth(), **app}
    )


def _tokens(token: Mapping[str, Any], now: datetime) -> dict[str, str]:
    """Text by name; lifetimes in seconds become times."""
    if not token.get("access_token"):
        raise VendorError("the answer brought no access_token")
    tokens = {name: str(token[name]) for name in TOKENS if token.get(name)}
    if not tokens.get("expires_at", "-").count("-"):  # authlib's own, in seconds since 1970
        del tokens["expires_at"]
    for name in ("", "refresh_token_"):
        seconds = token.get(f"{name}expires_in")
        if seconds:
            tokens[f"{name}expires_at"] = (now + timedelta(seconds=int(seconds))).isoformat(timespec="seconds")
    return tokens


def _query(address: str) -> dict[str, str]:
    parts = urlsplit(address.strip())
    return dict(parse_qsl(parts.query or parts.path.rpartition("?")[2], keep_blank_values=True))


@contextmanager
def _errors(platform: Platform, credentials: Mapping[str, str], *more: str) -> Iterator[None]:
    """What goes wrong at a token endpoint, in words without secrets."""
    try:
        yield
    except TokenRevoked as error:
        raise TokenRevoked(without(str(error), credentials, *more)) from None
    except VendorError as error:
        said = str(error) if str(error).startswith(platform.label) else f"{platform.label}: {error}"
        raise type(error)(without(said, credentials, *more)) from None
    except OAuth2Error as error:
        said = without(f"{error.error}: {error.description or 'no reason given'}", credentials, *more)
        if error.error in OVER:
            raise TokenRevoked(said) from None
        raise VendorError(f"{platform.label} gave no token ({said}): check the client id and secret") from None
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        if status >= 500 or status == 429:
            raise Transient(f"the token endpoint answered {status}") from None
        raise VendorError(f"{platform.label} gave no token (HTTP {status}): check the client id and secret") from None
    except (ValueError, KeyError, TypeError):  # the answer is in its message
        raise VendorError(
            f"{platform.label}: what the token endpoint answered is no token: check the client id and secret, "
            f"and TRIBUTARY_{platform.name.upper()}_URL"
        ) from None
