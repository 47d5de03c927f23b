"""Remove everything from a URL that could identify the person who opened it.

In: a URL. Out: a URL of the same channel and campaign. Origin, path, and the parameters that name a campaign or a
partner remain where the models read them: in the query, or after the #. A click id is the platform's name for a
person's click, so its value is replaced; the fact that there was one remains.
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
    """Return the parameters in which ad platforms send click ids, from the seed that the models use."""
    return frozenset(row["parameter"] for row in seed("click_ids"))


def anonymise_url(url: str, replace_click_id: Callable[[str], str]) -> str:
    """Return the URL without user, unknown parameters and fragment. replace_click_id: old value -> new value."""
    address = re.sub(r"[\t\r\n]", "", url.replace("&amp;", "&"))
    before_fragment, _, fragment = address.partition("#")
    path, _, query = before_fragment.partition("?")
    fragment_query = fragment if fragment.lower().startswith("utm_") else fragment.partition("?")[2]
    query, fragment_query = (anonymise_query(part, replace_click_id) for part in (query, fragment_query))
    path = re.sub(r"^((?:[a-z][a-z0-9+.-]*:)?//)[^/?#@]*@", r"\1", path, flags=re.IGNORECASE)
    mark = "#" if fragment_query.lower().startswith("utm_") else "#?"
    return path + (f"?{query}" if query else "") + (f"{mark}{fragment_query}" if fragment_query else "")


def anonymise_query(query: str, replace_click_id: Callable[[str], str]) -> str:
    """Return the parameters of a query, such as gclid=a&utm_id=7, without unknown ones and with other click ids."""
    kept = []
    for part in query.split("&"):
        written, equals, value = part.partition("=")
        name = unquote_plus(written).strip().lower()
        if name in click_id_parameters() and unquote_plus(value).strip():
            kept.append(f"{written}={replace_click_id(unquote_plus(value).strip())}")
        elif name.startswith("utm_") or name in _KEPT:
            kept.append(f"{written}{equals}{value}")
    return "&".join(kept)
