"""The explanation of a channel: credit by the place of the touch, and the journeys that differ most."""

from __future__ import annotations

import duckdb
import pytest
from rich.console import Console

from serving.explain.channel import explain_channel
from serving.published import NotFound, open_published


@pytest.fixture(scope="module")
def connection(built) -> duckdb.DuckDBPyConnection:
    with open_published(built / "published" / "marts.duckdb") as connection:
        yield connection


def shown(parts) -> str:
    console = Console(width=80, record=True)
    for part in parts:
        console.print(part)
    return console.export_text()


def test_the_roles_sum_to_the_credit_of_both_models(connection):
    org, channel = connection.execute("""
        select org_id, channel from conversion_touches
        group by all having count(distinct position) > 2 order by count(*) desc, channel limit 1
    """).fetchone()
    text = shown(explain_channel(connection, channel, org, ("first_touch", "last_touch")))
    totals = dict(
        connection.execute(
            "select attribution_model, round(sum(conversions), 1) from model_comparison"
            " join conversion_windows using (org_id, conversion_type, lookback_days)"
            " where is_main_window and org_id = ? and channel = ? group by all",
            [org, channel],
        ).fetchall()
    )
    assert f"{totals['first_touch']:,.1f} conversions" in text
    assert f"and {totals['last_touch']:,.1f}" in text.replace("\n", " ")
    assert "opens the journey" in text
    assert "tributary explain conversion" in text
    assert max(map(len, text.splitlines())) <= 80


def test_unknown_names_are_answered_with_the_known_ones(connection):
    org = connection.execute("select min(org_id) from conversion_touches").fetchone()[0]
    with pytest.raises(NotFound, match="Use one of"):
        list(explain_channel(connection, "Carrier Pigeon", org))
    channel = connection.execute("select min(channel) from conversion_touches where org_id = ?", [org]).fetchone()[0]
    with pytest.raises(NotFound, match="There is no model best"):
        list(explain_channel(connection, channel, org, ("best", "linear")))
    with pytest.raises(NotFound, match="with one of nordlicht, northwind"):
        list(explain_channel(connection, "Paid Search"))
