"""The address to which an ad's click leads.

In: the ad's URL, and the tracking template and parameters that the platform appends. Out: one URL, in which the
platform's macros, such as {campaignid}, remain.
"""

from __future__ import annotations

LANDING_PAGE = "{lpurl}"


def destination_url(url: str | None, *, template: str = "", parameters: str = "") -> str | None:
    """Return the URL with the parameters of a tracking template and a suffix; None if there is no URL.

    template: `{lpurl}?a=1`. A template that begins otherwise leads through a redirect and is ignored.
    """
    if not url:
        return None
    page, _, anchor = url.partition("#")
    if template.startswith(LANDING_PAGE):
        page = _append(page, template.removeprefix(LANDING_PAGE))
    page = _append(page, f"?{parameters}" if parameters else "")
    return f"{page}#{anchor}" if anchor else page


def _append(page: str, suffix: str) -> str:
    """Append `?a=1` or `&a=1` after the page's own parameters, and any other suffix to its path."""
    if suffix[:1] not in ("?", "&"):
        return f"{page}{suffix}"
    return f"{page}{'&' if '?' in page else '?'}{suffix[1:]}"
