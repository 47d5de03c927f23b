"""OpenID Connect: authorization code with PKCE, state and nonce.

In: Oidc, the query of a callback. Out: the address at the provider; the verified e-mail address of a person, or Denied.
Requests to the provider block: call the functions in a thread.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
from authlib.common.security import generate_token
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from serving.access.principals import Oidc

SECONDS_TO_ANSWER = 10
CLOCK_SECONDS = 120  # by which the provider's clock may differ
SYMMETRIC_OR_NONE = ("HS", "none")  # algorithms whose signature the provider's public keys do not prove
MICROSOFT = "https://login.microsoftonline.com/"
TOO_OLD = "This log-in began in another browser, or more than ten minutes ago. Log in again."
REFUSED = "The log-in provider refused the log-in. Log in again, or ask your admin."
NOT_VALID = "The answer of the log-in provider is not valid. Log in again. If it happens again, ask your admin."
NO_ANSWER = "The log-in provider does not answer, or its settings are wrong. Try again in a few minutes."

UnderWay = dict[str, str]  # state, nonce, verifier and callback of a log-in, which its browser keeps in a signed cookie


class Denied(Exception):
    """A log-in that fails. The message is for the person; reason: for the audit; email: if the provider gave one."""

    def __init__(self, status: int, message: str, reason: str, email: str = "unknown") -> None:
        super().__init__(message)
        self.status, self.reason, self.email = status, reason, email


def begin(oidc: Oidc, callback: str) -> tuple[str, UnderWay]:
    """Return the address to which to send the person, and what the callback needs. Raise Denied."""
    under_way = {"nonce": generate_token(32), "verifier": generate_token(64), "callback": callback}
    with _client(oidc, callback) as (http, oauth2):
        address, under_way["state"] = oauth2.create_authorization_url(
            _metadata(oidc, http)["authorization_endpoint"],
            state=generate_token(32),
            nonce=under_way["nonce"],
            code_verifier=under_way["verifier"],
        )
    return address, under_way


def verified_email(oidc: Oidc, query: Mapping[str, str], under_way: UnderWay) -> str:
    """Return the e-mail address that the provider states and has verified, in lower case. Raise Denied."""
    if not hmac.compare_digest(query.get("state", "").encode(), under_way["state"].encode()):
        raise Denied(400, TOO_OLD, "wrong state")
    if "error" in query or "code" not in query:
        raise Denied(403, REFUSED, f"refused by the provider: {_code(query.get('error', 'no code'))}")
    with _client(oidc, under_way["callback"]) as (http, oauth2):
        metadata = _metadata(oidc, http)
        token = oauth2.fetch_token(
            metadata["token_endpoint"],
            code=query["code"],
            code_verifier=under_way["verifier"],
            **_client_secret(oidc, metadata),
        )
        claims = _claims(oidc, metadata, _json(http, metadata["jwks_uri"]), token, under_way["nonce"])
    email = claims.get("email")
    if not isinstance(email, str) or not email:
        message = "The log-in provider states no e-mail address. Ask the admin to let it send the claim email."
        raise Denied(403, message, "no e-mail address")
    if not is_verified(claims):
        message = f"The log-in provider has not verified {email}. Verify the address there, then log in again."
        raise Denied(403, message, "e-mail address not verified", email.lower())
    return email.lower()


def _claims(oidc: Oidc, metadata: Mapping[str, Any], keys: Any, token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
    """Return the claims of an id token that the provider signed for this client and this log-in."""
    supported = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    algorithms = [name for name in supported if not name.startswith(SYMMETRIC_OR_NONE)]
    registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
    signed = jwt.decode(token["id_token"], KeySet.import_key_set(keys), registry=registry)
    expected = {
        "iss": {"essential": True, "value": metadata["issuer"]},
        "aud": {"essential": True, "value": oidc.client_id},
    }
    given = {"nonce": nonce, "client_id": oidc.client_id, "access_token": token.get("access_token")}
    claims = CodeIDToken(signed.claims, signed.header, expected, given)
    claims.validate(leeway=CLOCK_SECONDS)
    return dict(claims)


def _client_secret(oidc: Oidc, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that prove the client: by HTTP Basic, or in the form if the provider accepts only that."""
    methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    if "client_secret_basic" in methods:
        return {"auth": httpx.BasicAuth(oidc.client_id, oidc.client_secret)}
    return {"auth": httpx.Auth(), "client_id": oidc.client_id, "client_secret": oidc.client_secret}


def _metadata(oidc: Oidc, http: httpx.Client) -> dict[str, Any]:
    """Return the provider's metadata. Each log-in reads them again, so that new keys and addresses count at once."""
    metadata: dict[str, Any] = _json(http, oidc.issuer.rstrip("/") + "/.well-known/openid-configuration")
    if metadata["issuer"].rstrip("/") != oidc.issuer.rstrip("/"):
        raise Denied(502, NO_ANSWER, "metadata of another issuer")
    return metadata


def _json(http: httpx.Client, address: str) -> Any:
    return http.get(address).raise_for_status().json()


@contextmanager
def _client(oidc: Oidc, callback: str) -> Iterator[tuple[httpx.Client, Any]]:
    """Yield a client, and turn each failure inside of the block into Denied, without parts of tokens."""
    with httpx.Client(timeout=SECONDS_TO_ANSWER) as http:
        try:
            yield (
                http,
                OAuth2Client(
                    http,
                    oidc.client_id,
                    oidc.client_secret,
                    scope="openid email",
                    redirect_uri=callback,
                    code_challenge_method="S256",
                ),
            )
        except OAuth2Error as error:
            raise Denied(403, REFUSED, f"refused by the provider: {_code(error.error)}") from None
        except JoseError as error:
            raise Denied(400, NOT_VALID, f"invalid id token: {_code(error.error)}") from None
        except (httpx.HTTPError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise Denied(502, NO_ANSWER, f"no valid answer: {type(error).__name__}") from None


def _code(text: str | None) -> str:
    """Return the short code of an error. Its description could have parts of the token."""
    return re.sub(r"[^a-z_ ]", "", str(text))[:40]


def is_verified(claims: dict[str, Any]) -> bool:
    """Return whether the provider has verified the e-mail address.

    Microsoft Entra has no claim email_verified. Its optional claim xms_edov states that the tenant owns the domain.
    """
    if "email_verified" not in claims and str(claims.get("iss", "")).startswith(MICROSOFT):
        return claims.get("xms_edov") in (True, "1", "true")
    return claims.get("email_verified") in (True, "true")
