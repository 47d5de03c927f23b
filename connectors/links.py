"""Where a click on an ad leads: its address, and what the platform adds to it with macros such as {campaignid} left."""

from __future__ import annotations

LANDING_PAGE = "{lpurl}"


def destination(url: str | None, *, template: str = "", parameters: str = "") -> str | None:
    """The address with the parameters that a tracking template and a suffix add; None where there is none.

    template: `{lpurl}?a=1`; one that begins otherwise leads through a redirect, and says nothing of the address.
    """
    if not url:
        return None
    page, _, anchor = url.partition("#")
    if template.startswith(LANDING_PAGE):
        page = added(page, template.removeprefix(LANDING_PAGE))
    page = added(page, f"?{parameters}" if parameters else "")
    return f"{page}#{anchor}" if anchor else page


def added(page: str, more: str) -> str:
    """`?a=1` and `&a=1` are parameters of the page, behind those that it has; the rest is a part of its path."""
    if more[:1] not in ("?", "&"):
        return f"{page}{more}"
    return f"{page}{'&' if '?' in page else '?'}{more[1:]}"
