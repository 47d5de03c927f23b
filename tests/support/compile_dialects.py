"""Compile the dbt project for DuckDB and for Spark: python -m tests.support.compile_dialects HOME.

In: a home folder; the environment has its dbt profile. Out: the SQL of every model and test, in HOME/duckdb and
HOME/spark.

dbt's Spark adapter is not installed. Therefore adapter.dispatch gets the name "spark" and picks the spark__ macros of
the project. dbt's own macros keep their default version.
"""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

from dbt.cli.main import dbtRunner

OFFLINE = ("--no-introspect", "--no-populate-cache")


def compile_dialects(home: Path) -> None:
    """Parse the project once and compile it for each dialect."""
    parsed = dbtRunner().invoke(["--quiet", "parse"])
    assert parsed.success, parsed.exception
    for dialect in ("duckdb", "spark"):
        runner = dbtRunner(manifest=parsed.result.deepcopy())
        with patch("dbt.context.providers.get_adapter_type_names", return_value=[dialect]):
            compiled = runner.invoke(["--quiet", "compile", *OFFLINE, "--target-path", str(home / dialect)])
        assert compiled.success, compiled.exception or compiled.result


if __name__ == "__main__":
    compile_dialects(Path(sys.argv[1]))
