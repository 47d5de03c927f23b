"""The summary of a version fits on a terminal."""

from __future__ import annotations

import io

import duckdb
from rich.console import Console

from serving.summary import WIDTH, revenue_by_channel


def test_twelve_models_fit_on_eighty_columns():
    out = io.StringIO()
    with duckdb.connect() as connection:
        columns = ", ".join(f"position_{model}_credit double" for model in range(12))
        connection.execute(f"create table conversion_touches ({columns})")
        connection.execute("create table orgs as select 'shop' as org_id, 'USD' as currency")
        connection.execute("""
            create table conversion_windows as
            select 'shop' as org_id, 'sale' as conversion_type, 30 as lookback_days, true as is_main_type,
                true as is_main_window
        """)
        connection.execute("""
            create table model_comparison as
            select 'shop' as org_id, 'sale' as conversion_type, 30 as lookback_days, channel,
                'position_' || model as attribution_model, 1234567000000 as conversion_value_micros
            from unnest(['Organic Search', '(unattributed)']) as channels (channel), range(12) as models (model)
        """)
        for table in revenue_by_channel(connection):
            Console(file=out, width=200).print(table)
    lines = out.getvalue().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= WIDTH == 80
    assert sum(line.count("2,469,134") for line in lines if line.startswith("in all")) == 12
    assert sum(line.startswith("Revenue of shop") for line in lines) == 1
