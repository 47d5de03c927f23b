"""OAuth 2 and OAuth 1.0a authorization flows.

In: a Service, the app's client id and secret, and the address to which the browser is redirected. Out: credentials by
name; times are UTC in ISO 8601. Messages never contain tokens. A service with a `request_token_url` uses OAuth 1.0a,
all others OAuth 2 with state and, if they support it, PKCE.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
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

from connectors.auth.service_account import fetch_token
from connectors.auth.token_response import parse_token
from connectors.http.errors import TokenRevoked, Transient, VendorError, redact
from connectors.http.service import OAuth, Secrets, Service

# Error codes of a grant that is no longer valid (RFC 6749, 5.2; OpenID Connect 3.1.2.6; Microsoft)
INVALID_GRANT_CODES = {
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
    """An authorization request, which a person answers in the browser."""

    url: str  # to open
    redirect_uri: str
    state: str  # OAuth 1.0a: the request token
    secret: str = field(default="", repr=False)  # the PKCE verifier; OAuth 1.0a: the request token's secret


class Signature(httpx.Auth, ClientAuth):
    """Signs requests with OAuth 1.0a (RFC 5849): the `auth` of a service that uses it."""

    requires_request_body = True

    @classmethod
    def of(cls, credentials: Secrets) -> Signature:
        return cls(
            credentials["client_id"],
            credentials["client_secret"],
            credentials["access_token"],
            credentials["access_token_secret"],
        )

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        url, headers, body = self.prepare(request.method, str(request.url), request.headers, request.content)
        headers["Content-Length"] = str(len(body))
        yield httpx.Request(request.method, url, headers=headers, content=body, extensions=request.extensions)


class _OAuth1(OAuth1Client):
    auth_class = Signature

    def parse_response_token(self, status_code: int, text: str) -> dict[str, str]:
        """Return the token of a response. Raise Transient if it has none, ValueError if the platform denied it."""
        if status_code == 429 or status_code >= 500:
            raise Transient(f"the token endpoint responded {status_code}")
        token: dict[str, str] = {}
        try:
            token = super().parse_response_token(status_code, text)
        except ValueError:  # a page of HTML, for example; the message quotes it
            if status_code >= 400:
                raise
        if not token.get("oauth_token_secret"):
            raise Transient("the token endpoint's response is cut off, or no token")
        return token


class _OAuth2(OAuth2Client):
    def parse_response_token(self, resp: httpx.Response) -> dict[str, Any]:
        """Return the token of a response. Raise OAuth2Error, or the exceptions of `parse_token`."""
        token = parse_token(resp)
        if "error" in token:
            raise self.oauth_error_class(error=token["error"], description=token.get("error_description"))
        self.token = token
        return token


def begin(service: Service, credentials: Secrets, redirect_uri: str, http: httpx.Client) -> Consent:
    """Return the address to which to send the person. credentials: client_id and client_secret of the app.

    Raise Transient or VendorError if a service with OAuth 1.0a gives no request token.
    """
    config = _config(service)
    if config.request_token_url:
        first = _OAuth1(http, credentials["client_id"], credentials["client_secret"], redirect_uri=redirect_uri)
        with _readable_errors(service, credentials):
            token = first.fetch_request_token(config.request_token_url)
        url = str(httpx.URL(config.authorize_url).copy_add_param("oauth_token", token["oauth_token"]))
        return Consent(url, redirect_uri, token["oauth_token"], token["oauth_token_secret"])
    state, verifier = generate_token(30), generate_token(64) if config.pkce else ""
    oauth2 = _oauth2(config, credentials, http, redirect_uri)
    chosen = {name: credentials[name] for name in config.scope_parameters if credentials.get(name)}
    parameters = {**config.parameters, **chosen}
    url, _ = oauth2.create_authorization_url(config.authorize_url, state, verifier or None, **parameters)
    if chosen:
        url = str(httpx.URL(url).copy_remove_param("scope"))
    if config.client_id_parameter != "client_id":
        named = httpx.URL(url).copy_remove_param("client_id")
        url = str(named.copy_add_param(config.client_id_parameter, credentials["client_id"]))
    return Consent(url, redirect_uri, state, verifier)


def is_response(service: Service, consent: Consent, address: str) -> bool:
    """Return whether the browser's address responds to this consent, and not to an earlier or a stranger's one."""
    query = _query(address)
    if _config(service).request_token_url:
        return consent.state in (query.get("oauth_token"), query.get("denied"))
    return query.get("state") == consent.state


def finish(
    service: Service, credentials: Secrets, consent: Consent, address: str, *, http: httpx.Client, now: datetime
) -> dict[str, str]:
    """Exchange the code in the browser's address for tokens.

    Raise VendorError if the person or the platform denied access, or if the address responds to another consent,
    Transient if the token endpoint is unavailable.
    """
    config, query = _config(service), _query(address)
    command = f"tributary connect {service.name}"
    if not is_response(service, consent, address):
        raise VendorError(
            "the address does not respond to this request: its state differs. Copy the whole address to which "
            f"{service.label} has just redirected, or start again: {command}"
        )
    denial = query.get("error_description") or query.get("error") or ("denied" in query and "access denied")
    if denial:
        raise VendorError(f"{service.label} denied access: {denial}. Start again: {command}")
    code = query.get("oauth_verifier" if config.request_token_url else config.code_parameter)
    if not code:
        raise VendorError(f"{service.label} redirected without a code. Start again: {command}")
    with _readable_errors(service, credentials, code, consent.secret):
        if config.request_token_url:
            session = _OAuth1(
                http,
                credentials["client_id"],
                credentials["client_secret"],
                token=consent.state,
                token_secret=consent.secret,
            )
            token = session.fetch_access_token(config.token_url, verifier=code)
            return {"access_token": token["oauth_token"], "access_token_secret": token["oauth_token_secret"]}
        app = credentials["client_id"], credentials["client_secret"]
        if config.exchange:
            return _parse_tokens(config.exchange(http, *app, code, consent.redirect_uri), now)
        verifier = {"code_verifier": consent.secret} if consent.secret else {}
        oauth2 = _oauth2(config, credentials, http, consent.redirect_uri)
        token = oauth2.fetch_token(config.token_url, code=code, **_app_credentials(config, credentials), **verifier)
        return _parse_tokens(token, now)


def renew(service: Service, credentials: Secrets, http: httpx.Client, now: datetime) -> dict[str, str]:
    """Return new tokens. Raise TokenRevoked, Transient (DamagedToken, if the response is no JSON) or VendorError."""
    config = _config(service)
    with _readable_errors(service, credentials):
        if key := credentials.get("service_account"):
            return _parse_tokens(fetch_token(http, key, config, now), now)
        if config.refresh:
            return _parse_tokens(config.refresh(http, credentials), now)
        oauth2 = _oauth2(config, credentials, http)
        refresh_token = credentials["refresh_token"]
        oauth2.token = {"refresh_token": refresh_token}
        token = oauth2.refresh_token(config.token_url, refresh_token, **_app_credentials(config, credentials))
        return _parse_tokens(token, now)


def _config(service: Service) -> OAuth:
    if service.oauth is None:
        command = f"tributary connect {service.name} --token"
        raise VendorError(f"{service.label} has no OAuth. Create a token there, then: {command}")
    return service.oauth


def _oauth2(config: OAuth, credentials: Secrets, http: httpx.Client, redirect_uri: str | None = None) -> _OAuth2:
    return _OAuth2(
        http,
        credentials["client_id"],
        credentials.get("client_secret"),
        redirect_uri=redirect_uri,
        scope=config.scope_separator.join(config.scopes) or None,
        code_challenge_method="S256" if config.pkce else None,
    )


def _app_credentials(config: OAuth, credentials: Secrets) -> dict[str, Any]:
    """Return the arguments that authenticate the app: by HTTP Basic or in the form."""
    app = {"client_id": credentials["client_id"], "client_secret": credentials["client_secret"]}
    return (
        {"auth": httpx.BasicAuth(*app.values())}
        if config.client_auth == "client_secret_basic"
        else {"auth": httpx.Auth(), **app}
    )


def _parse_tokens(token: Mapping[str, Any], now: datetime) -> dict[str, str]:
    """Return the tokens as text by name. Lifetimes in seconds become times."""
    if not token.get("access_token"):
        raise VendorError("the token response has no access_token")
    tokens = {name: str(token[name]) for name in TOKENS if token.get(name)}
    if not tokens.get("expires_at", "-").count("-"):  # authlib adds it, as Unix time
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
def _readable_errors(service: Service, credentials: Secrets, *secrets: str) -> Iterator[None]:
    """Turn the errors of a token endpoint into messages without secrets."""
    try:
        yield
    except TokenRevoked as error:
        raise TokenRevoked(redact(str(error), credentials, *secrets)) from None
    except VendorError as error:
        message = str(error) if str(error).startswith(service.label) else f"{service.label}: {error}"
        raise type(error)(redact(message, credentials, *secrets)) from None
    except OAuth2Error as error:
        reason = redact(f"{error.error}: {error.description or 'no reason given'}", credentials, *secrets)
        if error.error in INVALID_GRANT_CODES:
            raise TokenRevoked(reason) from None
        raise VendorError(f"{service.label} gave no token ({reason}). Check the client id and secret") from None
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        if status >= 500 or status == 429:
            raise Transient(f"the token endpoint responded {status}") from None
        raise VendorError(f"{service.label} gave no token (HTTP {status}). Check the client id and secret") from None
    except (ValueError, KeyError, TypeError):  # their messages quote the response
        raise VendorError(
            f"{service.label}: the token endpoint's response is not a token. Check the client id and secret, "
            f"and TRIBUTARY_{service.name.upper()}_URL"
        ) from None
