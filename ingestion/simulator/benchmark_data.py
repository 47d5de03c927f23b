"""Write bulk touches for benchmarks.

In: a number of touches and a seed. Out: two Parquet files, one of interactions in seven channels, one of conversions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl


def write_benchmark_touches(
    interactions_path: Path, conversions_path: Path, *, interactions: int, seed: int = 7
) -> None:
    """Write about 7 touches of each customer over 90 days, and a conversion soon after every tenth touch.

    Ids become text only while they stream to disk: 10M rows take seconds and about 1 GB.
    """
    rng = np.random.default_rng(seed)
    channels = ["Paid Search", "Paid Social", "Organic Search", "Email", "Direct", "Display", "Affiliates"]
    platforms = ["google", "meta", None, None, None, "google", "everflow"]
    shares = [0.25, 0.2, 0.2, 0.1, 0.12, 0.08, 0.05]
    began, length = np.datetime64("2026-07-01", "ms").astype(np.int64), 90 * 86_400_000
    touches = pl.LazyFrame(
        {
            "row": np.arange(interactions, dtype=np.uint32),
            "channel_number": rng.choice(len(channels), interactions, p=shares).astype(np.uint8),
            "customer": rng.integers(0, max(interactions // 7, 1), interactions, dtype=np.uint32),
            "time": began + rng.integers(0, length, interactions),
            "campaign": rng.integers(0, 20, interactions, dtype=np.int32),
        }
    )

    def by_channel(names: Sequence[str | None]) -> pl.Expr:
        return pl.col("channel_number").replace_strict(range(len(names)), names, return_dtype=pl.String)

    write_table(
        interactions_path,
        touches.select(
            interaction_id=pl.format("i{}", "row"),
            occurred_at=pl.col("time").cast(pl.Datetime("ms", "UTC")),
            customer_id=pl.format("c{}", "customer"),
            touch_type=pl.lit("click"),
            channel=by_channel(channels),
            platform=by_channel(platforms),
            campaign_id=pl.when(by_channel(platforms).is_not_null()).then(
                pl.format("{}-{}", "channel_number", "campaign")
            ),
        ),
    )
    write_table(
        conversions_path,
        touches.filter(pl.col("row") % 10 == 0).select(
            conversion_id=pl.format("s{}", "row"),
            occurred_at=(pl.col("time") + 60_000 + pl.col("row") % 3_600_000).cast(pl.Datetime("ms", "UTC")),
            customer_id=pl.format("c{}", "customer"),
            value=((pl.col("row") % 19_997 + 500) / 100).cast(pl.Decimal(12, 2)),
        ),
    )


def write_table(path: Path, table: pl.LazyFrame) -> None:
    """Write under a hidden name, then rename: a program that watches the folder sees a complete file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.tmp")
    table.sink_parquet(hidden)
    hidden.rename(path)
