"""A URL -> the same URL without what could tell who opened it. In: text. Out: text of the same channel and campaign.

Origin, path and the parameters that name a campaign or a partner stay, where the models look for them (the query, or
behind the #). A click id stays as the fact that there was one: its value is the platform's name for a person's click.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from urllib.parse import unquote_plus

from ingestion.seeds import seed

_KEPT = ("ref", "creator")


@cache
def click_id_parameters() -> frozenset[str]:
    """The parameters in which ad platforms send click ids. The seed by which the models know them."""
    return frozenset(row["parameter"] for row in seed("click_ids"))


def cut(url: str, click_id: Callable[[str], str]) -> str:
    """The URL without user, unknown parameters and fragment; `click_id` gives what to write for a click id's value."""
    address = re.sub(r"[\t\r\n]", "", url.replace("&amp;", "&"))
    place, _, fragment = address.partition("#")
    path, _, query = place.partition("?")
    behind = fragment if fragment.lower().startswith("utm_") else fragment.partition("?")[2]
    kept, hidden = (_known(part, click_id) for part in (query, behind))
    path = re.sub(r"^((?:[a-z][a-z0-9+.-]*:)?//)[^/?#@]*@", r"\1", path, flags=re.IGNORECASE)
    mark = "#" if hidden.lower().startswith("utm_") else "#?"
    return path + (f"?{kept}" if kept else "") + (f"{mark}{hidden}" if hidden else "")


def _known(query: str, click_id: Callable[[str], str]) -> str:
    kept = []
    for part in query.split("&"):
        written, equals, value = part.partition("=")
        name = unquote_plus(written).strip().lower()
        if name in click_id_parameters() and unquote_plus(value).strip():
            kept.append(f"{written}={click_id(unquote_plus(value).strip())}")
        elif name.startswith("utm_") or name in _KEPT:
            kept.append(f"{written}{equals}{value}")
    return "&".join(kept)
