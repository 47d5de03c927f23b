"""The errors of Google Ads.

In: a response. Out: an exception of connectors/http/errors.py, or nothing for a successful response.

Source: developers.google.com/google-ads/api/docs/best-practices/error-types, .../docs/api-policy/access-levels.
"""

from __future__ import annotations

from typing import Any

import httpx

from connectors.http.errors import Rejected, Throttled, TokenRevoked, Transient
from connectors.http.responses import error_body

TRANSIENT = {"TRANSIENT_ERROR", "INTERNAL_ERROR", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE"}
REVOKED = {"OAUTH_TOKEN_REVOKED", "OAUTH_TOKEN_DISABLED", "GOOGLE_ACCOUNT_DELETED"}
NOT_ENABLED = "CUSTOMER_NOT_ENABLED"
NOT_GOOGLE_ADS = "ACCESS_DENIED_FOR_ACCOUNT_TYPE"
REMEDIES = {
    "NOT_ADS_USER": "The Google account that logged in has no Google Ads account. Connect as a user of one: tributary "
    "connect google --again",
    "TWO_STEP_VERIFICATION_NOT_ENROLLED": "Google demands 2-Step Verification of this user. Turn it on at "
    "https://myaccount.google.com/security, then pull again",
    "ADVANCED_PROTECTION_NOT_ENROLLED": "The Google Ads account demands the Advanced Protection Program of its users. "
    "Enroll the user, or use a service account",
    NOT_GOOGLE_ADS: "The account belongs to another ads system of Google. Remove it from tributary.yaml",
    "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION": "Ask for Explorer or Basic access for the Google Cloud project that "
    "owns the OAuth client: https://console.cloud.google.com/google/ads-apis/overview",
    "USER_PERMISSION_DENIED": "If the account is read through a manager account, set `manager` in "
    "tributary.yaml (`tributary connect google` does)",
    NOT_ENABLED: "The account is closed or not yet open. Remove it from tributary.yaml",
    "UNSUPPORTED_VERSION": "Install a newer version of Tributary",
}


class AccountNotEnabled(Rejected):
    """The account is closed, or belongs to another ads system, and cannot be read."""


def raise_for_error(response: httpx.Response) -> None:
    """Raise by the codes in the error's `details`. A stream wraps the error in an array."""
    error = error_body(response).get("error")
    if not isinstance(error, dict):
        if response.status_code == 404:  # Google responds with HTML to a retired version
            raise Rejected("the address does not exist. Install a newer version of Tributary")
        return
    failures = [failure for detail in error.get("details", []) for failure in detail.get("errors", [])]
    reasons = [(kind, code) for failure in failures for kind, code in failure.get("errorCode", {}).items()]
    codes = [code for _, code in reasons] or [error.get("status", "UNKNOWN")]
    message = failures[0].get("message") if failures else error.get("message")
    text = f"{message} ({', '.join(codes)})"
    if "RESOURCE_EXHAUSTED" in codes or any(k == "quotaError" and c != "ACCESS_PROHIBITED" for k, c in reasons):
        raise Throttled(f"too many requests ({', '.join(codes)})", _retry_delay(failures))
    if TRANSIENT.intersection(codes):
        raise Transient(text)
    if REVOKED.intersection(codes):
        raise TokenRevoked(f"the access was revoked: {text}")
    if response.status_code == 401 and not REMEDIES.keys() & codes:
        return
    kind = AccountNotEnabled if {NOT_ENABLED, NOT_GOOGLE_ADS}.intersection(codes) else Rejected
    remedy = next((f". {REMEDIES[code]}" for code in codes if code in REMEDIES), "")
    raise kind(f"{text}{remedy}")


def _retry_delay(failures: list[dict[str, Any]]) -> float | None:
    details = [failure.get("details", {}).get("quotaErrorDetails", {}) for failure in failures]
    return max((float(d["retryDelay"].rstrip("s")) for d in details if "retryDelay" in d), default=None)
