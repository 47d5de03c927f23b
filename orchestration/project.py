"""The dbt project as Dagster sees it: its folder, its environment, its manifest (made when older than the SQL)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.home import Home
from ingestion.warehouse import memory_limit

if TYPE_CHECKING:
    from dagster_dbt import DbtProject

DBT_FOLDER = Path(__file__).resolve().parents[1] / "dbt_project"
WORKSPACE = Path(__file__).with_name("workspace.yaml")
DBT = Path(sys.executable).with_name("dbt")
DBT_FOR_DAGSTER = Path(sys.executable).with_name("tributary-dbt")


def set_environment(home: Home) -> None:
    """What profiles.yml asks for, for this process and the dbt processes it starts."""
    os.environ.update(
        TRIBUTARY_HOME=str(home.root),
        TRIBUTARY_WAREHOUSE=str(home.warehouse),
        TRIBUTARY_TEMPORARY=str(home.temporary),
        TRIBUTARY_MEMORY_LIMIT=memory_limit(),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        DBT_TARGET_PATH=str(home.root / "dbt"),
        DBT_LOG_PATH=str(home.root / "dbt" / "logs"),
        DBT_INDIRECT_SELECTION="cautious",  # of a selection: no test that needs a model outside of it
        DO_NOT_TRACK="1",
    )


def load_project(home: Home) -> DbtProject:
    """The project, with a manifest of the models as they are on disk now."""
    from dagster_dbt import DbtProject  # takes seconds to import

    set_environment(home)
    project = DbtProject(DBT_FOLDER, target_path=home.root / "dbt")
    if not is_fresh(project.manifest_path):
        done = subprocess.run(
            [DBT, "--quiet", "parse", "--project-dir", DBT_FOLDER, "--profiles-dir", DBT_FOLDER],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"dbt cannot read dbt_project/:\n{done.stdout}{done.stderr}")
        project.manifest_path.touch()
    return project


def is_fresh(manifest: Path) -> bool:
    """Whether the manifest is newer than every file and folder that it is made of."""
    if not manifest.exists():
        return False
    made = manifest.stat().st_mtime
    return all(path.stat().st_mtime <= made for path in DBT_FOLDER.rglob("*") if "target" not in path.parts)


def clear_targets(home: Home) -> None:
    """Remove what earlier builds compiled and logged: each leaves some megabytes. The caller holds the build lock."""
    for folder in (home.root / "dbt").glob("models-*"):
        shutil.rmtree(folder)
