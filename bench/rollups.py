"""Build a year of spend end to end, and ask the rollups of an org with 1,000 ads: seconds and peak memory.

In: sizes. Out: lines on the screen. bench/spend.py runs it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
from pipeline import TRIBUTARY, Sampler

from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.settings.raw_tables import store_settings
from ingestion.warehouse import connect
from orchestration.project import DBT_FOLDER, set_environment

SMALL_ORG = "thousand_ads"
SETTINGS = f"orgs: [{{id: default, currency: USD}}, {{id: {SMALL_ORG}, currency: USD}}]\n"
TOUCHES_PER_AD = 200  # of the small org in the year: under each model about a third of its ad days have credit
FILTERS = (
    f"org_id = '{SMALL_ORG}' and date between '{{first}}' and '{{last}}' and grain = '{{grain}}'"
    " and attribution_model = 'linear' and accounting_mode = 'cash'"
)
QUERIES = {
    "a year of days, from 1,000 ads": ("AD", "select date, sum(spend_micros), sum(conversions)"),
    "a year of 1,000 ads": ("AD", "select ad_id, sum(spend_micros), sum(conversion_value_micros)"),
    "a year of campaigns": ("CAMPAIGN", "select campaign_id, sum(spend_micros), sum(conversions)"),
    "a year of the org": ("ORGANIZATION", "select date, sum(spend_micros), sum(conversions)"),
}


def build(root: Path, spend: dict[str, str], ads: dict[str, int], first: date, last: date) -> None:
    """Load the spend and touches of each org and build daily_rollups. spend: SQL by org. ads: the number by org."""
    home = Home(root)
    root.mkdir()
    (root / "tributary.yaml").write_text(SETTINGS)
    home.temporary.mkdir()
    with connect(home) as connection:
        store_settings(connection, load_settings(home))
    environment = {**os.environ, "TRIBUTARY_HOME": str(root)}
    print(f"  {'':<50}{'seconds':>9}{'peak GiB':>10}")
    files = [file for org, query in spend.items() for file in write(root / "files" / org, query, ads[org], first, last)]
    imports = [[TRIBUTARY, "import", kind, path, "--org", path.parent.name] for kind, path in files]
    total = watch("import", imports, environment)
    set_environment(home)
    command = [
        Path(sys.executable).with_name("dbt"),
        "build",
        "--select",
        "+daily_rollups",
        "--exclude",
        "tag:suite",
        "--exclude-resource-type",
        "unit_test",
    ]
    folders = ["--project-dir", DBT_FOLDER, "--profiles-dir", DBT_FOLDER]
    total += watch("dbt build --select +daily_rollups", [[*command, *folders]], dict(os.environ))
    print(f"  {'in all':<50}{total:>9.1f}")
    ask(home, first, last)


def write(folder: Path, query: str, ads: int, first: date, last: date) -> list[tuple[str, Path]]:
    """Write the files of an org: spend, clicks on its ads, and a conversion after every fifth click."""
    folder.mkdir(parents=True)
    touches = TOUCHES_PER_AD * ads if folder.name == SMALL_ORG else 10 * ads
    minutes = (last - first).days * 24 * 60
    files = {
        "spend": f"select * exclude (spend_micros), 'meta' as platform, (spend_micros / 1e6)::decimal(18, 6) as spend"
        f" from ({query})",
        "interactions": f"""
            with numbered as (
                select row_number() over () - 1 as number, *
                from (select distinct campaign_id, adset_id, ad_id from ({query}))
            )
            select 'i' || touch as interaction_id, 'c' || (touch // 5) as customer_id, 'click' as touch_type,
                '{first}'::timestamptz + to_minutes((hash(touch // 5) % {minutes})::bigint + touch % 5) as occurred_at,
                'Paid Social' as channel, 'meta' as platform, campaign_id, adset_id, ad_id
            from range({touches}) as touches (touch) join numbered on number = hash(touch) % {ads}
        """,
        "conversions": f"""
            select 's' || customer as conversion_id, 'c' || customer as customer_id, 50 as value, 'USD' as currency,
                '{first}'::timestamptz + to_minutes((hash(customer) % {minutes})::bigint + 60) as occurred_at
            from range({touches // 5}) as customers (customer)
        """,
    }
    written = [(kind, folder / f"{kind}.parquet") for kind in files]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for (_, path), sql in zip(written, files.values(), strict=True):
            connection.execute(f"copy ({sql}) to '{path}' (format parquet)")
    return written


def watch(step: str, commands: Sequence[Sequence[object]], environment: dict[str, str]) -> float:
    """Run commands one after the other and print their seconds and peak memory; the seconds."""
    started, peak = time.monotonic(), 0.0
    for command in commands:
        process = subprocess.Popen(
            [str(word) for word in command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        sampler = Sampler(process.pid)
        output, _ = process.communicate()
        if process.returncode:
            sys.exit(output)
        peak = max(peak, sampler.take())
    seconds = time.monotonic() - started
    print(f"  {step:<50}{seconds:>9.1f}{peak:>10.2f}", flush=True)
    return seconds


def ask(home: Home, first: date, last: date) -> None:
    """Print rows of the rollups, and the milliseconds of filtered queries: the fastest of ten."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        for table in ("rollup_spend", "rollup_credit"):
            (rows,) = connection.execute(f"select count(*) from marts.{table}").fetchone()
            print(f"  {rows:>12,} rows in {table}")
        for what, (grain, select) in QUERIES.items():
            where = FILTERS.format(first=first, last=last, grain=grain)
            query = f"{select} from marts.daily_rollups where {where} group by 1"
            seconds = []
            for _ in range(10):
                started = time.monotonic()
                connection.execute(query).fetchall()
                seconds.append(time.monotonic() - started)
            print(f"  daily_rollups: {what:<35}{1000 * min(seconds):>9.0f} ms", flush=True)
