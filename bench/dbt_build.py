"""Build dbt models in a home, without Dagster, tests or publishing.

In: a home and dbt's selectors. Out: the models in the warehouse, and their compiled SQL in the home.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ingestion.home import Home
from orchestration.project import DBT_FOLDER, set_environment


def build_models(home: Home, *selectors: str, variables: Mapping[str, Any] | None = None) -> None:
    """Build the selected models and seeds; exit with dbt's output if that fails."""
    set_environment(home)
    command = [Path(sys.executable).with_name("dbt"), "--quiet", "build", "--select", *selectors]
    command += ["--exclude-resource-types", "test", "unit_test", "--vars", json.dumps(dict(variables or {}))]
    command += ["--project-dir", DBT_FOLDER, "--profiles-dir", DBT_FOLDER]
    done = subprocess.run(list(map(str, command)), env=dict(os.environ), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"dbt failed:\n{done.stdout}{done.stderr}")
