"""Compute heuristic attribution with one implementation, and measure it; heuristic_models.py runs this for each.

In: the name of an implementation and a folder with touches.parquet and conversions.parquet, which heuristic_models.py
writes. Out: one line of JSON: seconds, CPU seconds, peak memory, and the conversions of each channel under each model.

Each implementation runs in an environment of its own. Therefore this file imports each library where it is used, and
nothing of this project at the top. `prepare` seconds are for reading the files and for giving a library the input that
it needs; `seconds` are for the models.

`by hand`, `pandas` and `polars` do the whole task of Tributary's model: join, window, order, seven weights for each
touch, and the value of each touch in micros. The libraries get finished journeys and return shares of channels.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

LOOKBACK_DAYS, HALF_LIFE_DAYS, DAY_SECONDS = 30, 7, 86_400
MODELS = (
    "first_touch",
    "last_touch",
    "last_non_direct",
    "linear",
    "time_decay",
    "position_based",
    "daily_linear",
)
REPEAT_SECONDS = 20  # a faster run is repeated: the fastest of three counts
Credit = dict[str, dict[str, float]]  # conversions by model and channel
# Returns the computation of the models, and a function that returns the credit of its result.
Implementation = Callable[[Path], tuple[Callable[[], Any], Callable[[Any], Credit]]]


def main(name: str, folder: Path) -> None:
    """Run one implementation and print its figures."""
    began = time.monotonic()
    compute, credit = IMPLEMENTATIONS[name](folder)
    prepared, runs = time.monotonic() - began, []
    while not runs or (len(runs) < 3 and runs[0][0] < REPEAT_SECONDS):
        result = None  # frees the memory of the run before
        began, began_cpu = time.monotonic(), time.process_time()
        result = compute()
        runs.append((time.monotonic() - began, time.process_time() - began_cpu))
    seconds, cpu = min(runs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    figures = {"prepare": prepared, "seconds": seconds, "cpu": cpu, "peak": peak, "credit": credit(result)}
    print(json.dumps(figures))


def in_duckdb(folder: Path, queries: Mapping[str, str]) -> tuple[Callable[[], Any], Callable[[Any], Credit]]:
    """Store the results of queries, the last one in `result`, in the warehouse that heuristic_models.py filled."""
    import duckdb
    from statement import timed

    from ingestion.warehouse import memory_limit

    settings = {"memory_limit": memory_limit(), "temp_directory": str(folder / "tmp")}
    connection = duckdb.connect(str(folder / "warehouse.duckdb"), config=settings)
    connection.execute("set TimeZone = 'UTC'")

    def credit(_: object) -> Credit:
        names = {row[0] for row in connection.execute("describe result").fetchall()}
        trillionths = "linear_credit" in names
        found: Credit = {}
        for model in MODELS:
            column = f"{model}_credit::hugeint" if trillionths else model
            rows = connection.execute(f"select channel, sum({column}) from result group by channel").fetchall()
            found[model] = {channel: float(total) / (1e12 if trillionths else 1) for channel, total in rows}
        return found

    return lambda: timed(connection, queries), credit


def tributary(folder: Path) -> tuple[Callable[[], Any], Callable[[Any], Credit]]:
    """Run the model's SQL as dbt compiled it, with the table of pairs that it reads."""
    return in_duckdb(folder, json.loads((folder / "model.json").read_text()))


def by_hand(folder: Path) -> tuple[Callable[[], Any], Callable[[Any], Credit]]:
    """Run the statement that an analyst would write."""
    from statement import BY_HAND

    return in_duckdb(folder, {"result": BY_HAND})


def with_polars(folder: Path) -> tuple[Callable[[], Any], Callable[[Any], Credit]]:
    """Do the same in polars, vectorised."""
    import polars as pl

    touches, conversions = (pl.read_parquet(folder / f"{name}.parquet") for name in ("touches", "conversions"))

    def compute() -> pl.DataFrame:
        age = pl.col("converted_at") - pl.col("occurred_at")
        journey, position, count = "journey", pl.col("position"), pl.col("count")
        marketing = pl.when(~pl.col("is_direct")).then(position).max().over(journey)
        decay = (2.0 ** (-pl.col("before_last") / (HALF_LIFE_DAYS * DAY_SECONDS * 1e6))).alias("decay")
        return (
            conversions.lazy()
            .rename({"occurred_at": "converted_at"})
            .join(touches.lazy(), on="person_key")
            .filter(age >= pl.duration(), age <= pl.duration(days=LOOKBACK_DAYS))
            .sort("conversion_id", "occurred_at", "touchpoint_id")
            .with_columns(journey=pl.col("conversion_id").rle_id(), date=pl.col("occurred_at").dt.date())
            .with_columns(
                position=pl.int_range(1, pl.len() + 1).over(journey),
                count=pl.len().over(journey).cast(pl.Int64),
                day_count=pl.len().over(journey, "date"),
                before_last=(pl.col("occurred_at").max().over(journey) - pl.col("occurred_at")).dt.total_microseconds(),
            )
            .with_columns(decay, last_marketing=pl.coalesce(marketing, count), day_part=1 / pl.col("day_count"))
            .with_columns(
                first_touch=(position == 1).cast(pl.Float64),
                last_touch=(position == count).cast(pl.Float64),
                last_non_direct=(position == pl.col("last_marketing")).cast(pl.Float64),
                linear=1 / count,
                time_decay=pl.col("decay") / pl.col("decay").sum().over(journey),
                position_based=pl.when(count <= 2)
                .then(1 / count)
                .when((position == 1) | (position == count))
                .then(0.4)
                .otherwise(0.2 / (count - 2)),
                daily_linear=pl.col("day_part") / pl.col("day_part").sum().over(journey),
            )
            .with_columns(pl.col(model).cum_sum().over(journey).alias(f"{model}_running") for model in MODELS)
            .with_columns(
                (
                    (pl.col("value_micros") * pl.col(f"{model}_running")).round()
                    - (pl.col("value_micros") * (pl.col(f"{model}_running") - pl.col(model))).round()
                ).alias(f"{model}_value")
                for model in MODELS
            )
            .select("conversion_id", "touchpoint_id", "channel", *MODELS, *(f"{model}_value" for model in MODELS))
            .collect()
        )

    def credit(result: pl.DataFrame) -> Credit:
        totals = result.group_by("channel").agg(pl.col(MODELS).sum())
        return {model: dict(zip(totals["channel"], totals[model], strict=True)) for model in MODELS}

    return compute, credit


def with_pandas(folder: Path) -> tuple[Callable[[], Any], Callable[[Any], Credit]]:
    """Do the same in pandas, vectorised."""
    import numpy as np
    import pandas as pd

    touches, conversions = (pd.read_parquet(folder / f"{name}.parquet") for name in ("touches", "conversions"))

    def compute() -> pd.DataFrame:
        pairs = conversions.rename(columns={"occurred_at": "converted_at"}).merge(touches, on="person_key")
        age = pairs["converted_at"] - pairs["occurred_at"]
        pairs = pairs[(age >= pd.Timedelta(0)) & (age <= pd.Timedelta(days=LOOKBACK_DAYS))]
        pairs = pairs.sort_values(["conversion_id", "occurred_at", "touchpoint_id"], ignore_index=True)
        journey = pairs["conversion_id"].ne(pairs["conversion_id"].shift()).cumsum()
        at = pairs["occurred_at"]

        def over(column: pd.Series, function: str) -> pd.Series:
            return column.groupby(journey, sort=False).transform(function)

        position = pairs.groupby(journey, sort=False).cumcount() + 1
        count = over(position, "max")
        decay = np.exp2(-((over(at, "max") - at) / pd.Timedelta(days=HALF_LIFE_DAYS)))
        day_part = 1 / position.groupby([journey, at.dt.floor("D")], sort=False).transform("size")
        ends = (position == 1) | (position == count)
        marketing = over(position.where(~pairs["is_direct"]), "max").fillna(count)
        result = pairs[["conversion_id", "touchpoint_id", "channel"]].assign(
            first_touch=(position == 1).astype(float),
            last_touch=(position == count).astype(float),
            last_non_direct=(position == marketing).astype(float),
            linear=1 / count,
            time_decay=decay / over(decay, "sum"),
            position_based=np.select([count <= 2, ends], [1 / count, 0.4], 0.2 / (count - 2).clip(lower=1)),
            daily_linear=day_part / over(day_part, "sum"),
        )
        for model in MODELS:
            running = over(result[model], "cumsum")
            before = (pairs["value_micros"] * (running - result[model])).round()
            result[f"{model}_value"] = (pairs["value_micros"] * running).round() - before
        return result

    def credit(result: pd.DataFrame) -> Credit:
        return {model: result.groupby("channel")[model].sum().to_dict() for model in MODELS}

    return compute, credit


def journeys(folder: Path) -> Any:
    """Return a frame of pandas: one row a journey, with its channels and the hours before the last touch, in order."""
    import numpy as np
    import pandas as pd

    touches = pd.read_parquet(folder / "touches.parquet", columns=["person_key", "occurred_at", "channel"])
    touches = touches.sort_values(["person_key", "occurred_at"])
    starts = np.flatnonzero(touches["person_key"].ne(touches["person_key"].shift()))
    lengths = np.diff(np.append(starts, len(touches)))
    last = np.repeat(touches["occurred_at"].to_numpy()[starts + lengths - 1], lengths)
    hours = (last - touches["occurred_at"].to_numpy()) / np.timedelta64(1, "h")
    parts = [np.split(values, starts[1:]) for values in (touches["channel"].to_numpy(dtype=object), hours)]
    return pd.DataFrame(
        {
            "journey_id": np.arange(len(starts)),
            "channels": [list(part) for part in parts[0]],
            "hours": [list(part) for part in parts[1]],
        }
    )


def channel_attribution(folder: Path) -> tuple[Callable[[], Any], Callable[[Any], Credit]]:
    """Run ChannelAttribution. It has three heuristic models, and returns the sums of channels."""
    import pandas as pd
    from ChannelAttribution import heuristic_models

    paths = pd.DataFrame({"path": journeys(folder)["channels"].str.join(">"), "conversions": 1})

    def credit(result: pd.DataFrame) -> Credit:
        columns = {"first_touch": "first_touch", "last_touch": "last_touch", "linear": "linear_touch"}
        return {
            model: dict(zip(result["channel_name"], map(float, result[name]), strict=True))
            for model, name in columns.items()
        }

    return lambda: heuristic_models(paths, "path", "conversions", sep=">", flg_pro=False), credit


def mam_in_pandas(folder: Path) -> tuple[Callable[[], Any], Callable[[Any], Credit]]:
    """Run marketing-attribution-models 1, which is written in pandas."""
    from marketing_attribution_models import MAM

    frame = journeys(folder)

    def compute() -> Any:
        attributions = MAM(
            frame,
            channels_colname="channels",
            time_till_conv_colname="hours",
            group_channels_by_id_list=["journey_id"],
        )
        return attributions.attribution_all_models("heuristic", time_decay_frequency=HALF_LIFE_DAYS * 24)

    def credit(result: Any) -> Credit:
        prefixes = {
            "first_touch": "attribution_first_click",
            "last_touch": "attribution_last_click_heuristic",
            "last_non_direct": "attribution_last_click_non_Direct",
            "linear": "attribution_linear",
            "time_decay": "attribution_time_decay",
            "position_based": "attribution_position_based",
        }
        columns = {
            model: next(name for name in result if name.startswith(prefix)) for model, prefix in prefixes.items()
        }
        return {
            model: dict(zip(result["channels"], map(float, result[name]), strict=True))
            for model, name in columns.items()
        }

    return compute, credit


def mam_in_polars(folder: Path) -> tuple[Callable[[], Any], Callable[[Any], Credit]]:
    """Run marketing-attribution-models 2, which is written in polars."""
    import polars as pl
    from mam import MAM

    touches = pl.read_parquet(folder / "touches.parquet").with_columns(converts=pl.lit(True))
    attributions = MAM(
        touches,
        "session",
        channels_colname="channel",
        journey_with_conv_colname="converts",
        datetime_colname="occurred_at",
        user_id_colname="person_key",
    )

    def compute() -> Mapping[str, Any]:
        return {
            "first_touch": attributions.run_first_click(),
            "last_touch": attributions.run_last_click(),
            "linear": attributions.run_linear(),
            "time_decay": attributions.run_time_decay(HALF_LIFE_DAYS * 24),
            "position_based": attributions.run_position_based(),
        }

    def credit(results: Mapping[str, Any]) -> Credit:
        return {
            model: dict(result.to_polars().select(pl.col("channels").cast(pl.String), "attribution").iter_rows())
            for model, result in results.items()
        }

    return compute, credit


IMPLEMENTATIONS: dict[str, Implementation] = {
    "Tributary": tributary,
    "by hand": by_hand,
    "polars": with_polars,
    "pandas": with_pandas,
    "ChannelAttribution": channel_attribution,
    "MAM 2": mam_in_polars,
    "MAM 1": mam_in_pandas,
}

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
