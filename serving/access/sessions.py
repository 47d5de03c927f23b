"""Signed cookies: the session of a person, and the log-in that is under way.

In: a request, claims. Out: cookies that expire, and the claims of a cookie with a valid signature.

A cookie is a JWT, signed with HMAC-SHA256 and not encrypted. Scripts cannot read it, other sites cannot send it with a
form, and beyond this machine a browser sends it over HTTPS only.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from starlette.requests import HTTPConnection
from starlette.responses import Response

from serving.access.same_origin import is_loopback

SESSION, LOG_IN = "tributary_session", "tributary_log_in"  # the names of the cookies
SECONDS = {SESSION: 12 * 3600, LOG_IN: 10 * 60}
ALGORITHM = "HS256"


@dataclass(frozen=True)
class Session:
    """A log-in that has not expired. subject: `person <e-mail>` or `key <id>`."""

    id: str
    subject: str
    expires_at: datetime


class Cookies:
    """Writes and reads cookies. secret: signs them."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._key = OctKey.import_key(secret)

    def read(self, request: HTTPConnection, name: str) -> dict[str, Any] | None:
        """Return the claims of a cookie, or None without a valid one."""
        text = request.cookies.get(_full_name(request, name))
        if not text:
            return None
        try:
            claims = jwt.decode(text, self._key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError):
            return None
        is_valid = claims.get("use") == name and claims.get("exp", 0) > time.time()
        return claims if is_valid else None

    def write(self, response: Response, request: HTTPConnection, name: str, claims: Mapping[str, Any]) -> None:
        """Set a cookie, which expires after its SECONDS."""
        expires = int(time.time()) + SECONDS[name]
        text = jwt.encode({"alg": ALGORITHM}, {**claims, "use": name, "exp": expires}, self._key)
        response.set_cookie(
            _full_name(request, name),
            text,
            max_age=SECONDS[name],
            secure=needs_https(request),
            httponly=True,
            samesite="lax",
        )

    def delete(self, response: Response, request: HTTPConnection, name: str) -> None:
        """Remove a cookie from the browser."""
        full_name = _full_name(request, name)
        response.delete_cookie(full_name, secure=needs_https(request), httponly=True, samesite="lax")

    def session(self, request: HTTPConnection) -> Session | None:
        """Return the session of a request, or None."""
        claims = self.read(request, SESSION)
        return Session(claims["sid"], claims["sub"], datetime.fromtimestamp(claims["exp"], UTC)) if claims else None

    def csrf_token(self, identity: str) -> str:
        """Return the token that forms of a session must send. Pages of other sites cannot read it."""
        return hmac.new(self._secret, f"csrf {identity}".encode(), hashlib.sha256).hexdigest()


def needs_https(request: HTTPConnection) -> bool:
    """Return whether a browser must send the cookies over HTTPS only. Requests to loopback stay on this machine."""
    return request.url.scheme == "https" or not is_loopback(request.url.hostname or "")


def _full_name(request: HTTPConnection, name: str) -> str:
    """Return the name in the browser. __Host-: no other host and no page over HTTP can set the cookie."""
    return f"__Host-{name}" if needs_https(request) else name
