"""The dbt project as Dagster's assets. In: raw.*. Out: seeds, staging, intermediate and mart tables, tested."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, dbt_assets
from dagster_dbt.asset_utils import DAGSTER_DBT_PROJECT_METADATA_KEY, get_subset_selection_for_context
from dbt.artifacts.schemas.run import RunResult
from dbt.contracts.graph.nodes import ModelNode
from dbt_common.events.base_types import EventMsg

from ingestion.home import Home
from orchestration import checks, metadata
from orchestration.changes import BUILD, CODE
from orchestration.lineage import Columns, column_lineage
from orchestration.project import build, failures, load_project, variables
from orchestration.resources import Warehouse
from orchestration.unchanged import EVERYTHING_ELSE, code_of_views, seeds_and_views, tests_of_seeds

project = load_project(Home.from_environment())
manifest = json.loads(project.manifest_path.read_bytes())


class Translator(DagsterDbtTranslator):
    """dbt's own names; a model's group is its subject folder; marts are expected fresh."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return `spend` for models/<layer>/spend/*, and `rules` for seeds."""
        return dbt_resource_props["fqn"][2] if dbt_resource_props["resource_type"] == "model" else "rules"

    def get_asset_spec(self, manifest: Any, unique_id: str, project: Any) -> dg.AssetSpec:
        """Return the spec of a model or seed."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        # Dagster's UI cannot show it, and only the helpers of dagster-dbt that run dbt read it.
        spec = spec.replace_attributes(
            metadata={key: value for key, value in spec.metadata.items() if key != DAGSTER_DBT_PROJECT_METADATA_KEY}
        )
        if spec.key.path[0] == "marts":
            return spec.replace_attributes(freshness_policy=metadata.FRESH_DAILY)
        return spec

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetCheckSpec | None:
        """Return the spec of a test with a description."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec and spec._replace(description=checks.description(manifest["nodes"][unique_id]))


TRANSLATOR = Translator()

# Tests tagged `suite` check keys that the SQL guarantees for any data. They run with the test suite, as unit tests do.
EXCLUDED = "tag:suite"


class BuildConfig(dg.Config):
    full_refresh: bool = False


@dbt_assets(manifest=manifest, project=project, dagster_dbt_translator=TRANSLATOR, exclude=EXCLUDED)
def models(
    context: dg.AssetExecutionContext, warehouse: Warehouse, config: BuildConfig
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Every dbt model, seed and test, in one dbt invocation.

    Seeds, their tests and views are left out if this code made them.
    """
    connection = warehouse.connection
    code = " ".join([CODE, *variables(warehouse.home)])
    with code_of_views(connection, code, is_whole=not context.is_subset) as is_same:
        leaves_out = is_same and not context.is_subset and not config.full_refresh
        selected = [*EVERYTHING_ELSE, EXCLUDED] if leaves_out else arguments(context, config)
        results = build(warehouse.home, selected, progress(context))
        failed = checks.failed_rows(connection, results)
        problems = failures(results, {test: found.sentence for test, found in failed.items()})
        are_unchanged = leaves_out and not problems
        left_out = {dg.AssetKey(path) for path in seeds_and_views(manifest)} if are_unchanged else ()
        yield from materializations(context, warehouse, results, left_out)
        yield from checks.check_results(context, results, failed, tests_of_seeds(manifest) if are_unchanged else ())
        if problems:
            raise dg.Failure("\n".join(problems), allow_retries=False)
    if context.run.job_name != BUILD:
        warehouse.end(context)  # publishing is no step of this job


def arguments(context: dg.AssetExecutionContext, config: BuildConfig) -> list[str]:
    """Return dbt's options: the assets and checks that the run selects, and whether tables are built from scratch."""
    selection, indirect = get_subset_selection_for_context(
        context=context,
        manifest=manifest,
        select=None,
        exclude=None,
        selector=None,
        dagster_dbt_translator=TRANSLATOR,
        current_dbt_indirect_selection_env=None,
    )
    return [
        *selection,
        *("--exclude", EXCLUDED),  # also for a part of the assets: dbt finds their tests by itself
        *(["--indirect-selection", indirect] if indirect else []),
        *(["--full-refresh"] if config.full_refresh else []),
    ]


def progress(context: dg.AssetExecutionContext) -> Callable[[EventMsg], None]:
    """Return a listener to dbt that logs each finished model and seed."""

    def log(event: EventMsg) -> None:
        if event.info.name in ("LogModelResult", "LogSeedResult") and event.data.node_info.node_status == "success":
            context.log.info(f"built {event.data.node_info.node_name} in {event.data.execution_time:.1f} s")

    return log


def materializations(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    results: Sequence[RunResult],
    unchanged: Collection[dg.AssetKey],
) -> Iterator[dg.MaterializeResult[None]]:
    """Yield each model and seed that was built, and each unchanged one, whose rows can be new.

    Its metadata are rows and column lineage, and a preview or chart if it has one.
    """
    connection = warehouse.connection
    built = {dg.AssetKey([r.node.schema, r.node.name]): r for r in results if r.status == "success"}
    sql = {key: result.node.compiled_code for key, result in built.items() if isinstance(result.node, ModelNode)}
    in_order = context.job_def.asset_layer.asset_graph.toposorted_asset_keys  # Dagster refuses a parent after its child
    keys = [key for key in in_order if key in built or key in unchanged]
    context.log.info("counting rows, tracing columns")
    rows = metadata.row_counts(connection, keys)
    kept = warehouse.home.root / "dbt" / "column_lineage.json"
    lineages = column_lineage(dict.fromkeys(unchanged) | sql, columns(connection), kept, context.log.warning)
    for key in keys:
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                **({"seconds": round(built[key].execution_time, 2)} if key in built else {}),
                **(metadata.of_rows(rows[key]) if key in rows else {}),
                **({"dagster/column_lineage": lineages[key]} if key in lineages else {}),
                **(metadata.of_mart(connection, key.path[1]) if key.path[0] == "marts" else {}),
            },
        )


def columns(connection: duckdb.DuckDBPyConnection) -> Columns:
    """Return the type of every column of the warehouse, by schema and table."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for schema, table, column, kind in connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() where not internal"
    ).fetchall():
        found.setdefault(schema, {}).setdefault(table, {})[column] = kind
    return found
