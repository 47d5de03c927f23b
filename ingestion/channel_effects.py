"""Compute the effects of channels inside SQL: the function channel_effects of a DuckDB connection.

In: lists of all journeys of an org and conversion type. Out: an object with the lists `effects` and `transitions`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import duckdb
from duckdb.sqltypes import BOOLEAN, DOUBLE, VARCHAR

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
        connection.create_function(
            "channel_effects", compute_effects, [*lists, VARCHAR], connection.type(_RESULT)
        )


def compute_effects(
    persons: list[str], paths: list[list[str]], is_converted: list[bool], weights: list[float], transform: str
) -> dict[str, list[dict[str, Any]]]:
    """Return the effects and transitions of journeys, each a person, channels in order, whether it converted, a weight."""
    return {"effects": [], "transitions": []}
