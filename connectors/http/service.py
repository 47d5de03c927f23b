"""A web service that Tributary calls: its address, its authorization, and the hosts that may receive credentials.

In: the declarations of connectors/ads/ and connectors/ecb.py. Out: Service, OAuth, and the address of each request.
TRIBUTARY_<NAME>_URL, if set, replaces the service's own hosts by a proxy or a test server.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Literal
from urllib.parse import urlsplit

import httpx
import msgspec

from connectors.http.errors import VendorError
from connectors.http.hosts import require_public

Secrets = Mapping[str, str]  # credentials by name: access_token, client_id, ...


class OAuth(msgspec.Struct, frozen=True):
    """How a person authorizes Tributary: by standard OAuth 2, unless one of the last three members is set."""

    authorize_url: str
    token_url: str
    scopes: tuple[str, ...] = ()
    scope_separator: str = " "
    client_auth: Literal["client_secret_post", "client_secret_basic"] = "client_secret_post"
    parameters: dict[str, str] = {}  # further ones of the authorize URL, such as access_type=offline
    scope_parameters: tuple[str, ...] = ()  # optional secrets that the authorize URL has instead of scopes, if set
    pkce: bool = False
    renew_seconds_before: int = 300  # before the access token expires
    client_id_parameter: str = "client_id"  # its name in the authorize URL
    code_parameter: str = "code"  # its name in the redirect
    redirect_host: str = "127.0.0.1"  # localhost for platforms that accept nothing else
    request_token_url: str | None = None  # OAuth 1.0a (auth/oauth.py: Signature); token_url is its access token URL
    # For a non-standard exchange: (http, client id, client secret, code, redirect URI) -> the token response
    exchange: Callable[[httpx.Client, str, str, str, str], Mapping[str, object]] | None = None
    # For a non-standard renewal: (http, credentials) -> the token response; raises TokenRevoked
    refresh: Callable[[httpx.Client, Secrets], Mapping[str, object]] | None = None


def bearer(credentials: Secrets) -> dict[str, str]:
    """Return the Authorization header of most services."""
    return {"Authorization": f"Bearer {credentials.get('access_token', '')}"}


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service that connectors/http/client.py can call. connectors/platform.py adds what an ad platform reports."""

    name: str  # as in the marts and in TRIBUTARY_<NAME>_URL
    label: str  # as people write it
    base_url: str
    # Raise an exception of connectors/http/errors.py if the response is an error, whatever its HTTP status. If this
    # returns, the client judges the response by its status.
    raise_for_error: Callable[[httpx.Response], None]
    secrets: tuple[str, ...] = ("client_id", "client_secret")  # required beside tokens: TRIBUTARY_<NAME>_<SECRET>
    optional_secrets: tuple[str, ...] = ()  # read from the environment only
    user_agent: Callable[[Secrets], str] = lambda credentials: "tributary"
    headers: Callable[[Secrets], dict[str, str]] = bearer  # credentials -> headers that authorize a request
    auth: Callable[[Secrets], httpx.Auth] | None = None  # signs requests, for services that headers do not authorize
    oauth: OAuth | None = None
    hosts: tuple[str, ...] = ()  # further ones of its own, beside those of base_url and oauth.token_url

    @property
    def own_hosts(self) -> set[str]:
        """The hosts that may receive the credentials and that TRIBUTARY_<NAME>_URL replaces."""
        urls = (self.base_url, self.oauth.token_url if self.oauth else self.base_url)
        return {*self.hosts, *(urlsplit(url).hostname or "" for url in urls)}

    @property
    def replacement_url(self) -> str:
        """The value of TRIBUTARY_<NAME>_URL, or an empty text. VendorError if it is no whole address."""
        variable = f"TRIBUTARY_{self.name.upper()}_URL"
        url = os.environ.get(variable, "")
        if url and not (urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname):
            raise VendorError(f"{variable}={url!r} is no whole address. Write one such as http://127.0.0.1:8900")
        return url

    def require_own_host(self, url: str) -> None:
        """Raise VendorError if the URL, which a response may have stated, is not on one of the service's own hosts."""
        parts, replacement = urlsplit(url), urlsplit(self.replacement_url)
        is_own = parts.scheme == "https" and parts.hostname in self.own_hosts
        if not is_own and (parts.scheme, parts.netloc) != (replacement.scheme, replacement.netloc):
            raise VendorError(
                f"{self.label}: a response links to {parts.scheme}://{parts.hostname}, which is not a host of "
                f"{self.label}. Tributary sends no credentials there, and nothing was stored"
            )

    def require_safe_host(self, request: httpx.Request) -> None:
        """Raise VendorError if a request, also one after a redirect, is for a host that nobody on the Internet has.

        Own hosts and TRIBUTARY_<NAME>_URL are exempt: the declarations and the user name them, no response does.
        """
        replacement = httpx.URL(self.replacement_url)
        is_replacement = (request.url.scheme, request.url.netloc) == (replacement.scheme, replacement.netloc)
        if not is_replacement and request.url.host not in self.own_hosts:
            require_public(request.url, self.label)

    def replace_host(self, request: httpx.Request) -> None:
        """Send a request for one of the service's own hosts to TRIBUTARY_<NAME>_URL, if that is set.

        Report files keep their address: they lie on other hosts, and the response states the whole URL.
        """
        target = httpx.URL(self.replacement_url)
        if target.host and request.url.host in self.own_hosts:
            path = target.raw_path.rstrip(b"/") + request.url.raw_path
            request.url = request.url.copy_with(scheme=target.scheme, host=target.host, port=target.port, raw_path=path)
            request.headers["host"] = request.url.netloc.decode()
