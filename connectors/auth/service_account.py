"""Access tokens of a service account, which needs no person: a signed assertion takes the place of a login (RFC 7523).

In: the JSON key of the account, or the path of a file with it. Out: the response of the token endpoint.
Source: developers.google.com/identity/protocols/oauth2/service-account.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from connectors.auth.token_response import parse_token
from connectors.http.errors import TokenRevoked, VendorError
from connectors.http.responses import error_body
from connectors.http.service import OAuth

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME = 3600  # seconds, at most


def fetch_token(http: httpx.Client, key: str, config: OAuth, now: datetime) -> Mapping[str, Any]:
    """Return the token response.

    Raise TokenRevoked if the account or its key is rejected, VendorError if the key is not readable.
    """
    form = {"grant_type": GRANT, "assertion": _assertion(key, config, now)}
    response = http.post(config.token_url, data=form)
    if response.status_code in (400, 401, 403):
        stated = error_body(response)
        reason = stated.get("error_description") or stated.get("error") or f"HTTP {response.status_code}"
        raise TokenRevoked(f"the service account or its key was rejected: {reason}")
    return parse_token(response)


def _assertion(key: str, config: OAuth, now: datetime) -> str:
    """Return a JSON Web Token that the account signs with RS256."""
    account, private_key = _read(key)
    issued = int(now.timestamp())
    claims = {
        "iss": account["client_email"],
        "scope": " ".join(config.scopes),
        "aud": config.token_url,
        "iat": issued,
        "exp": issued + LIFETIME,
    }
    header = {"alg": "RS256", "typ": "JWT", "kid": account.get("private_key_id", "")}
    unsigned = b".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
    signature = private_key.sign(unsigned, padding.PKCS1v15(), hashes.SHA256())
    return (unsigned + b"." + _base64(signature)).decode()


def _read(key: str) -> tuple[dict[str, str], rsa.RSAPrivateKey]:
    try:
        text = key if key.lstrip().startswith("{") else Path(key).read_text("utf-8")
        account: dict[str, str] = json.loads(text)
        private_key = serialization.load_pem_private_key(account["private_key"].encode(), password=None)
        if isinstance(private_key, rsa.RSAPrivateKey) and account["client_email"]:
            return account, private_key
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # their messages may quote the key
        pass
    raise VendorError(
        "the key of the service account is not readable. Set the variable to the JSON key, or to the path of its file"
    )


def _base64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
