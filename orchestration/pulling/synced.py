"""Pull the tables that another tool syncs. In: `synced` in tributary.yaml. Out: raw.ad_spend and raw.ad_entities."""

from __future__ import annotations

from connectors.ads import meta
from ingestion.files.contracts import ContractError
from ingestion.home import Home
from ingestion.settings.model import Settings
from ingestion.spend.synced.load import SyncReport, sync_source
from ingestion.warehouse import build_lock, connect
from orchestration.pulling.fetch import Log


def pull_synced(home: Home, settings: Settings, *, log: Log) -> tuple[list[SyncReport], list[str]]:
    """Load every source. Return the reports, and an error for each source that cannot be read."""
    reports, errors = [], []
    with build_lock(home, "pull synced", log), connect(home) as connection:
        for source in settings.synced:
            try:
                reports.append(
                    sync_source(
                        connection,
                        source,
                        settings,
                        folder=home.root,
                        temporary=home.temporary,
                        purchase_actions=meta.PURCHASES,
                        log=log,
                    )
                )
            except (ContractError, OSError) as error:
                errors.append(f"{source.path}: {error}")
    return reports, errors
