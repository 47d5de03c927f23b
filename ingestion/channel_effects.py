"""Compute the effects of channels inside SQL: the function channel_effects of a DuckDB connection.

In: lists of all journeys of an org and conversion type. Out: an object with the lists `effects` and `transitions`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import duckdb
from duckdb.sqltypes import BOOLEAN, DOUBLE, VARCHAR

if TYPE_CHECKING:
    from attribution.journeys import Transform

DIRECT = "Direct"  # the channel of visits without a source
_EFFECT = (
    "attribution_model varchar, channel varchar, effect double, effect_low double, effect_high double, method varchar,"
    " standard_error double, markov_order integer, journeys double, conversions double"
)
_TRANSITION = "from_channel varchar, to_channel varchar, transitions double, probability double"
_RESULT = f"struct(effects struct({_EFFECT})[], transitions struct({_TRANSITION})[])"


def create_channel_effects(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the function on a connection, for as long as it is open."""
    lists = [connection.list_type(VARCHAR), connection.list_type(connection.list_type(VARCHAR))]
    lists += [connection.list_type(BOOLEAN), connection.list_type(DOUBLE)]
    with suppress(duckdb.CatalogException):  # another connection of this process to the same database has created it
        connection.create_function("channel_effects", compute_effects, [*lists, VARCHAR], connection.type(_RESULT))


def compute_effects(
    persons: list[str], paths: list[list[str]], is_converted: list[bool], weights: list[float], transform: str
) -> dict[str, list[dict[str, Any]]]:
    """Return the effects and transitions of journeys: each has a person, channels in order, a result and a weight."""
    from attribution.effects import channel_effects  # takes time to import, and few connections need it
    from attribution.journeys import from_arrays

    is_direct_removed = transform == "remove_direct"
    found = channel_effects(
        from_arrays(
            customers=persons,
            lengths=[len(path) for path in paths],
            touches=[channel for path in paths for channel in path],
            conversions=is_converted,
            weights=weights,
        ),
        transform=cast("Transform", "unique" if is_direct_removed else transform),
        direct=DIRECT if is_direct_removed else None,
    )
    effects = [
        {
            "attribution_model": row.model,
            "channel": row.channel,
            "effect": row.effect,
            "effect_low": row.low,
            "effect_high": row.high,
            "method": row.method,
            "standard_error": row.standard_error,
            "markov_order": row.markov_order,
            "journeys": row.journeys,
            "conversions": row.conversions,
        }
        for row in found.rows
    ]
    transitions = [
        {
            "from_channel": step.from_channel,
            "to_channel": step.to_channel,
            "transitions": step.count,
            "probability": step.probability,
        }
        for step in found.transitions
    ]
    return {"effects": effects, "transitions": transitions}
