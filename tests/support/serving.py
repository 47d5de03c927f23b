"""Serve a home's published files to a test, in this process or by real HTTP.

In: a home folder, which stays as it is; principals. Out: an app, a client, the address of a running server.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ingestion.home import Home
from serving.access.authentication import SERVER_OPTIONS
from serving.access.principals import Access
from serving.access.state import State
from serving.app import create_app
from serving.filters import Filters, parse
from serving.orgs import OrgFiles, Version
from serving.service import Service
from tests.support.ports import free_port


def service_on(home: Path, folder: Path) -> Service:
    """Return a service on a home's published files. folder: of its state, questions/ and pages/."""
    from cli.live_facts import live_facts

    service = Service(folder, OrgFiles(home / "published"), State(folder / "serving.sqlite"), live_facts(Home(home)))
    service.load()
    return service


def app_on(service: Service, *, needs_key: bool = False) -> Starlette:
    """Return the app of a service. needs_key: nobody gets in without a key or a log-in."""
    # A further host name makes the app one that a proxy publishes, which asks each caller for a key.
    names = ("dash.example",) if needs_key else ()
    return create_app(service, Access(service.state.session_secret(), names=names))


def client_of(app: Starlette, key: str | None = None) -> TestClient:
    """Return a client that follows no redirect and reports the server's failures as responses."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return TestClient(app, "http://127.0.0.1", raise_server_exceptions=False, follow_redirects=False, headers=headers)


def filters_of(version: Version, **given: object) -> Filters:
    """Return filters with some parameters given, and all others at their default."""
    return parse({name: str(value) for name, value in given.items()}, version.facts, is_strict=True)


def all_days(version: Version) -> dict[str, str]:
    """Return the parameters of a period with all rows."""
    return {"from": "2000-01-01", "to": str(version.facts.last_day)}


def publish_copy(home: Path, org: str, changed: Path) -> None:
    """Publish a changed copy of an org's file as publish.py does: rename it over the last one."""
    changed.replace(home / "published" / "orgs" / f"{org}.duckdb")


def copy_published(home: Path, to: Path) -> Path:
    """Copy the published files of the orgs to a new home."""
    shutil.copytree(home / "published" / "orgs", to / "published" / "orgs")
    return to


def plant_waste(file: Path, org: str, name: str = "Camp") -> None:
    """Add flags of waste to a published file of an org: each grain, reason and severity under two models."""
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            """
            insert into waste_flags by name
            select
                md5(concat_ws(':', $org, i, attribution_model)) as waste_id, $org as org_id, grain,
                ['google', 'meta', 'tiktok'][1 + i % 3] as platform, $name || '-' || i as campaign_id,
                if(grain = 'CAMPAIGN', null, 's' || i) as adset_id, if(grain = 'AD', 'a' || i, null) as ad_id,
                $name || ' ' || i as campaign, null as adset, null as ad,
                date '2026-07-01' + i::integer as period_start, date '2026-07-10' as period_end, attribution_model,
                (20000000 + i * 1000001)::bigint as spend_micros, i % 4 as conversions, 5 as expected_conversions,
                (i * 1000001)::bigint as waste_spend_micros, 0.5 as waste_pct, reason,
                ['low', 'medium', 'high'][1 + (i // 2) % 3] as severity, 'Pause it.' as recommendation,
                json_object('name', $name) as explanation
            from (
                select *, row_number() over (partition by attribution_model order by grain, reason) as i
                from unnest(['CAMPAIGN', 'ADSET', 'AD']) as g(grain),
                    unnest(['no_conversions', 'high_cpa', 'low_roas']) as r(reason),
                    unnest(['linear', 'last_touch']) as m(attribution_model)
            )
            """,
            {"org": org, "name": name},
        )


@contextmanager
def running(app: Starlette) -> Iterator[str]:
    """Yield the address of a server that runs the app in a thread of this process."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", **SERVER_OPTIONS))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server ended at once"
            time.sleep(0.01)
        httpx.get(f"http://127.0.0.1:{port}/healthz").raise_for_status()
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)
