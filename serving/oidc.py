"""OpenID Connect: authorization code with PKCE, state and nonce.

In: Oidc, a callback request. Out: the address at the provider; the verified e-mail address of a person, or Denied.
"""

from __future__ import annotations

import re
from typing import Any

import httpx
from authlib.integrations.starlette_client import OAuth, OAuthError
from joserfc.errors import JoseError
from starlette.requests import Request

from serving.access import Oidc

SECONDS_TO_ANSWER = 10
SYMMETRIC_OR_NONE = ("HS", "none")  # algorithms whose signature the provider's public keys do not prove
MICROSOFT = "https://login.microsoftonline.com/"
TOO_OLD = "This log-in began in another browser, or more than ten minutes ago. Log in again."
NOT_VALID = "The answer of the log-in provider is not valid. Log in again. If it happens again, ask your admin."
NO_ANSWER = "The log-in provider does not answer, or its settings are wrong. Try again in a few minutes."

UnderWay = dict[str, Any]  # state, nonce and PKCE verifier of a log-in, which its browser keeps in a signed cookie


class Denied(Exception):
    """A log-in that fails. The message is for the person; reason: for the audit; email: if the provider gave one."""

    def __init__(self, status: int, message: str, reason: str, email: str = "unknown") -> None:
        super().__init__(message)
        self.status, self.reason, self.email = status, reason, email


class Provider:
    """The client of a provider. It asks for the provider's metadata at the first log-in."""

    def __init__(self, oidc: Oidc) -> None:
        self._oidc = oidc
        self._client: Any = OAuth().register(
            "tributary",
            client_id=oidc.client_id,
            client_secret=oidc.client_secret,
            server_metadata_url=oidc.issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={"scope": "openid email", "code_challenge_method": "S256", "timeout": SECONDS_TO_ANSWER},
        )

    async def begin(self, request: Request, callback: str) -> tuple[str, UnderWay]:
        """Return the address to which to send the person, and what the callback needs. Raise Denied."""
        under_way: UnderWay = {}
        request.scope["session"] = under_way
        try:
            await self._load_metadata()
            redirect = await self._client.authorize_redirect(request, callback)
        except (httpx.HTTPError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise Denied(502, NO_ANSWER, f"no metadata: {type(error).__name__}") from None
        return redirect.headers["location"], under_way

    async def verified_email(self, request: Request, under_way: UnderWay) -> str:
        """Return the e-mail address that the provider states and has verified, in lower case. Raise Denied."""
        request.scope["session"] = under_way
        try:
            metadata = await self._load_metadata()
            expected = {
                "iss": {"essential": True, "value": metadata["issuer"]},
                "aud": {"essential": True, "value": self._oidc.client_id},
            }
            token = await self._client.authorize_access_token(request, claims_options=expected)
        except OAuthError as error:
            if error.error == "mismatching_state":
                raise Denied(400, TOO_OLD, "wrong state") from None
            message = "The log-in provider refused the log-in. Log in again, or ask your admin."
            raise Denied(403, message, f"refused by the provider: {code_of(error)}") from None
        except JoseError as error:
            raise Denied(400, NOT_VALID, f"invalid id token: {code_of(error)}") from None
        except (httpx.HTTPError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise Denied(502, NO_ANSWER, f"no valid answer: {type(error).__name__}") from None
        claims = token.get("userinfo") or {}
        email = claims.get("email")
        if not isinstance(email, str) or not email:
            message = "The log-in provider states no e-mail address. Ask the admin to let it send the claim email."
            raise Denied(403, message, "no e-mail address")
        if not is_verified(claims):
            message = f"The log-in provider has not verified {email}. Verify the address there, then log in again."
            raise Denied(403, message, "e-mail address not verified", email.lower())
        return email.lower()

    async def _load_metadata(self) -> dict[str, Any]:
        """Return the provider's metadata. Raise Denied if they belong to another issuer."""
        metadata: dict[str, Any] = await self._client.load_server_metadata()
        if metadata["issuer"].rstrip("/") != self._oidc.issuer.rstrip("/"):
            raise Denied(502, NO_ANSWER, "metadata of another issuer")
        supported = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [
            name for name in supported if not name.startswith(SYMMETRIC_OR_NONE)
        ]
        return metadata


def is_verified(claims: dict[str, Any]) -> bool:
    """Return whether the provider has verified the e-mail address.

    Microsoft Entra has no claim email_verified. Its optional claim xms_edov states that the tenant owns the domain.
    """
    if "email_verified" not in claims and str(claims.get("iss", "")).startswith(MICROSOFT):
        return claims.get("xms_edov") in (True, "1", "true")
    return claims.get("email_verified") in (True, "true")


def code_of(error: OAuthError | JoseError) -> str:
    """Return the short code of an error. Its description could have parts of the token."""
    return re.sub(r"[^a-z_]", "", str(error.error))[:40]
