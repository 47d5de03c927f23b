"""Jobs: which assets are built together. The schedules say when."""

import dagster as dg

from orchestration import changes
from orchestration.pulling.schedules import PULLS

# From files and settings to marts. Pulls ask a network, by day, and have their own jobs.
EVERYTHING = dg.AssetSelection.all() - PULLS
TOUCHPOINTS = dg.AssetSelection.assets(["marts", "touchpoints"])
REPEATED_EVENTS = dg.AssetKey(["intermediate", "int_event_duplicates"])
# dbt runs a test if all models that it reads are selected.
REPEATS = dg.AssetSelection.assets(["staging", "stg_raw__events"], REPEATED_EVENTS) | dg.AssetSelection.checks(
    dg.AssetCheckKey(dg.AssetKey(["staging", "stg_raw__loads"]), "assert_duplicate_rate_below_limit"),
    dg.AssetCheckKey(REPEATED_EVENTS, "assert_event_duplicates_below_limit"),
)

build = dg.define_asset_job(
    changes.BUILD,
    EVERYTHING,
    description="Import waiting files and segments, build all models and publish the marts. Launch this job to build"
    " everything by hand.",
)
land = dg.define_asset_job(
    changes.LAND,
    TOUCHPOINTS.upstream() - PULLS,
    description="Import waiting files and segments, and build touchpoints in the warehouse. The next run of `build`"
    " publishes them.",
)
nightly_duplicates = dg.define_asset_job(
    changes.DUPLICATES,
    REPEATS,
    description="Find events that probably repeat another one. Warn if they exceed a tenth of the rows or events.",
)
