"""Write the query string of a traffic source in the notations that occur in practice.

In: a traffic source. Out: its query strings, one for each share of QUERY_SHARES.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, quote_plus

from ingestion.simulator.world import TrafficSource

QUERY_SHARES = [0.75, 0.08, 0.07, 0.03, 0.02, 0.05]


def query_strings(source: TrafficSource) -> list[str]:
    """Return the source's query string without its click id, in the six notations that occur in practice.

    QUERY_SHARES has their shares: clean; mixed case; `+` for spaces, and no id beside a name; repeated and empty
    parameters with an invalid escape; `&amp;` and a bare `%`; auto-tagging only, which is empty.
    """
    if not source.medium:
        return [""] * len(QUERY_SHARES)
    by_name = {"utm_campaign": source.campaign} if source.tagged != "id" else {}
    by_id = {"utm_id": source.campaign_id} if source.campaign_id and source.tagged != "name" else {}
    ad = {"utm_term": source.adset_id, "utm_content": source.ad_id} if source.ad_id else {}
    base = {"utm_source": source.source, "utm_medium": source.medium}

    def joined(parameters: dict[str, str], escape: Callable[[str], str] = quote, separator: str = "&") -> str:
        return separator.join(f"{name}={escape(value)}" for name, value in parameters.items())

    clean = joined({**base, **by_name, **by_id, **ad})
    mixed_case = {"utm_source": source.source.title(), "utm_medium": source.medium.upper()}
    upper_name = {name: value.upper() for name, value in by_name.items()}
    return [
        clean,
        joined({**mixed_case, **upper_name, **by_id, **ad}),
        joined({**base, **(by_name or by_id), **ad}, quote_plus),
        f"utm_campaign=&&{clean}&utm_source=second&q=%E0%A4%A",
        "discount=50%&" + joined({**base, **by_name, **by_id, **ad}, separator="&amp;"),
        # An fbclid alone does not prove payment, so Meta's ads always have their parameters.
        "" if source.click_id and source.click_id != "fbclid" and source.channel == "Paid Search" else clean,
    ]
