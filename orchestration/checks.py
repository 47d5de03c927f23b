"""dbt's tests as asset checks. In: results of dbt. Out: an AssetCheckResult for each test that ran."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import dagster as dg
from dbt.artifacts.schemas.run import RunResult


def check_results(context: dg.AssetExecutionContext, results: Iterable[RunResult]) -> Iterator[dg.AssetCheckResult]:
    """Yield the outcome of each selected test: failed rows, and a warning or an error as the test declares it."""
    keys = {spec.metadata["dagster_dbt/unique_id"]: spec.key for spec in context.assets_def.check_specs}
    for result in results:
        key = keys.get(result.node.unique_id)
        if key is None or key not in context.selected_asset_check_keys or result.status == "skipped":
            continue
        passed = result.status == "pass"
        if not passed:
            context.log.warning(f"check {key.name} on {key.asset_key.to_user_string()} did not pass")
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=passed,
            severity=dg.AssetCheckSeverity.WARN if result.status == "warn" else dg.AssetCheckSeverity.ERROR,
            metadata={
                "status": str(result.status),
                "seconds": result.execution_time,
                **({} if result.failures is None else {"dagster_dbt/failed_row_count": result.failures}),
            },
        )
