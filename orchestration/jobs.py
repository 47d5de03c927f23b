"""What runs when (UTC), and what new files set off."""

import dagster as dg

from ingestion.files.contracts import KINDS
from ingestion.files.inbox import waiting_files
from ingestion.home import Home
from orchestration.pulling.schedules import PULLS

# Whoever starts the server wants the schedules; the UI can switch each off.
RUNNING = dg.DefaultScheduleStatus.RUNNING

# From files and settings to marts. What asks a network is pulled by jobs of its own, and for days.
EVERYTHING = dg.AssetSelection.all() - PULLS
TOUCHPOINTS = dg.AssetSelection.assets(["marts", "touchpoints"])
ATTRIBUTION = dg.AssetSelection.assets(["marts", "attribution_links"], ["marts", "attribution_candidates"])
REPEATED_EVENTS = dg.AssetKey(["intermediate", "int_event_duplicates"])
# dbt runs a test where all that it reads is selected.
DUPLICATES = dg.AssetSelection.assets(["staging", "stg_raw__events"], REPEATED_EVENTS) | dg.AssetSelection.checks(
    dg.AssetCheckKey(dg.AssetKey(["staging", "stg_raw__loads"]), "assert_duplicate_rate_below_limit"),
    dg.AssetCheckKey(REPEATED_EVENTS, "assert_event_duplicates_below_limit"),
)

build = dg.define_asset_job("build", EVERYTHING, description="The whole graph, from files to published marts.")
land = dg.define_asset_job(
    "land", TOUCHPOINTS.upstream() - PULLS, description="Import what waits and derive touchpoints from it."
)
attribution = dg.define_asset_job(
    "attribution", ATTRIBUTION.upstream() - PULLS, description="Credit every conversion under every model."
)
nightly_duplicates = dg.define_asset_job(
    "nightly_duplicates",
    DUPLICATES,
    description="Find events that probably repeat another; warn when more than a tenth of the rows or events do.",
)
daily_rollups = dg.define_asset_job(
    "daily_rollups", EVERYTHING, description="Rollups, waste flags and the published version of the day."
)

schedules = [
    dg.ScheduleDefinition(job=job, cron_schedule=cron, execution_timezone="UTC", default_status=RUNNING)
    for job, cron in (
        (land, "*/15 * * * *"),
        (attribution, "0 * * * *"),
        (nightly_duplicates, "0 2 * * *"),
        (daily_rollups, "0 3 * * *"),
    )
]


@dg.sensor(job=build, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def inbox(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Build once for each new set of files in inbox/: one that cannot be imported is not tried again unchanged."""
    home = Home.from_environment()
    files = [path for kind in KINDS for path in waiting_files(home, kind)]
    cursor = "\n".join(f"{path}:{path.stat().st_mtime_ns}:{path.stat().st_size}" for path in files)
    if not files or cursor == context.cursor:
        return dg.SkipReason("no new files in inbox/")
    context.update_cursor(cursor)
    return dg.RunRequest(run_key=None, tags={"files": str(len(files))})
