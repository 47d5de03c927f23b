"""HTTP headers that limit what a browser does with a response.

In: the headers of a response. Out: the same headers, with those of HEADERS that they lack.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders

# Pages load nothing from other hosts and run no inline script. Charts need no inline style: vega-embed with
# `defaultStyle: false, tooltip: {disableDefaultStyle: true}` sets single properties only, which the policy permits.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "browsing-topics=(), camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "private, no-cache",
}


def add_security_headers(headers: MutableHeaders) -> None:
    """Add each header that the response lacks. A browser's cache must not answer one person with another's page."""
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.add_vary_header("Cookie, Authorization")
