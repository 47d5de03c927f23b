"""Payloads of shops and payment providers, and their signatures.

In: the name of a fixture, a body, a secret. Out: bytes, and the headers that prove their sender.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import msgspec

from tests.support.home import ROOT


def payload(name: str) -> bytes:
    return (ROOT / "tests" / "fixtures" / "webhooks" / f"{name}.json").read_bytes()


def changed(name: str, /, **members: object) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(payload(name)) | members)


def shopify_signature(body: bytes, secret: bytes) -> str:
    return base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()


def stripe_signature(body: bytes, secret: bytes, at: int, scheme: str = "v1") -> str:
    return f"t={at},{scheme}={hmac.new(secret, f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"
