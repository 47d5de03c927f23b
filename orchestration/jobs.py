"""Jobs: which assets are built together. The schedules say when."""

import dagster as dg

from orchestration import changes
from orchestration.pulling.schedules import PULLS

# From files and settings to marts. Pulls ask a network, by day, and have their own jobs.
EVERYTHING = dg.AssetSelection.all() - PULLS
TOUCHPOINTS = dg.AssetSelection.assets(["marts", "touchpoints"])
CREDIT = dg.AssetSelection.assets(["marts", "attribution_links"], ["marts", "attribution_candidates"])
REPEATED_EVENTS = dg.AssetKey(["intermediate", "int_event_duplicates"])
# dbt runs a test if all models that it reads are selected.
REPEATS = dg.AssetSelection.assets(["staging", "stg_raw__events"], REPEATED_EVENTS) | dg.AssetSelection.checks(
    dg.AssetCheckKey(dg.AssetKey(["staging", "stg_raw__loads"]), "assert_duplicate_rate_below_limit"),
    dg.AssetCheckKey(REPEATED_EVENTS, "assert_event_duplicates_below_limit"),
)

build = dg.define_asset_job(changes.BUILD, EVERYTHING, description="The whole graph, from files to published marts.")
land = dg.define_asset_job(
    changes.LAND, TOUCHPOINTS.upstream() - PULLS, description="Import waiting files and segments, build touchpoints."
)
attribution = dg.define_asset_job(
    changes.ATTRIBUTION, CREDIT.upstream() - PULLS, description="Credit every conversion under every model."
)
nightly_duplicates = dg.define_asset_job(
    changes.DUPLICATES,
    REPEATS,
    description="Find events that probably repeat another one. Warn if they exceed a tenth of the rows or events.",
)
daily_rollups = dg.define_asset_job(
    changes.ROLLUPS, EVERYTHING, description="Build rollups and waste flags, and publish the version of the day."
)
