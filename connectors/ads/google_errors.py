"""What Google Ads says is wrong. In: an answer. Raised: what to do about it; nothing for a good one.

Source: developers.google.com/google-ads/api/docs/best-practices/error-types, .../docs/api-policy/access-levels.
"""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from connectors.errors import Throttled, TokenRevoked, Transient, VendorError

TRANSIENT = {"TRANSIENT_ERROR", "INTERNAL_ERROR", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE"}
REVOKED = {"OAUTH_TOKEN_REVOKED", "OAUTH_TOKEN_DISABLED", "GOOGLE_ACCOUNT_DELETED"}
NOT_ENABLED = "CUSTOMER_NOT_ENABLED"
REMEDIES = {
    "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION": "Ask for Explorer or Basic access for the Google Cloud project that "
    "owns the OAuth client: https://console.cloud.google.com/google/ads-apis/overview",
    "USER_PERMISSION_DENIED": "If the account is read through a manager account, name that as `manager` in "
    "tributary.yaml (tributary connect google does)",
    NOT_ENABLED: "The account is closed or not yet open: take it out of tributary.yaml",
    "UNSUPPORTED_VERSION": "Look for a newer version of Tributary",
}


class NotEnabled(VendorError):
    """A closed account: it cannot be read."""


def check(response: httpx.Response) -> None:
    """An error names its reason in `details`; a stream wraps it in an array."""
    try:
        body = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        if response.status_code == 404:  # a retired version is a page of HTML
            asked = response.request.url.path
            raise VendorError(f"Google Ads: {asked} is gone. Look for a newer version of Tributary") from None
        return
    first = body[0] if isinstance(body, list) and body else body
    error = first.get("error") if isinstance(first, dict) else None
    if not isinstance(error, dict):
        return
    failures = [failure for detail in error.get("details", []) for failure in detail.get("errors", [])]
    reasons = [(kind, code) for failure in failures for kind, code in failure.get("errorCode", {}).items()]
    codes = [code for _, code in reasons] or [error.get("status", "UNKNOWN")]
    said = failures[0].get("message") if failures else error.get("message")
    text = f"{said} ({', '.join(codes)})"
    if "RESOURCE_EXHAUSTED" in codes or any(k == "quotaError" and c != "ACCESS_PROHIBITED" for k, c in reasons):
        raise Throttled(f"too many requests ({', '.join(codes)})", _retry_delay(failures))
    if TRANSIENT.intersection(codes):
        raise Transient(text)
    if REVOKED.intersection(codes):
        raise TokenRevoked(f"the access was taken back: {text}")
    if response.status_code == 401:
        return
    kind = NotEnabled if NOT_ENABLED in codes else VendorError
    remedy = next((f". {REMEDIES[code]}" for code in codes if code in REMEDIES), "")
    raise kind(f"Google Ads refused {response.request.url.path}: {text}{remedy}")


def _retry_delay(failures: list[dict[str, Any]]) -> float | None:
    details = [failure.get("details", {}).get("quotaErrorDetails", {}) for failure in failures]
    return max((float(d["retryDelay"].rstrip("s")) for d in details if "retryDelay" in d), default=None)
