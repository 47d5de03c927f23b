"""Run all of dbt's tests on an empty warehouse: unit tests have their own rows, data tests and contracts find none."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from tests.support.home import copy_home
from tests.support.models import DBT_PROJECT, Project, dbt


def read(path: str) -> dict:
    return YAML(typ="safe").load(DBT_PROJECT / path)


@pytest.fixture(scope="module")
def unit_tests(project: Project, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The output of dbt's unit tests, for which the models must be built."""
    return dbt(copy_home(project.home, tmp_path_factory.mktemp("models")), "test", "--select", "test_type:unit")


@pytest.mark.parametrize("model", read("dbt_project.yml")["vars"]["attribution_models"])
def test_every_attribution_model_has_a_unit_test(unit_tests: str, model: str) -> None:
    assert f"PASS int_conversion_touches::{model}_credit" in unit_tests


def test_every_unit_test_passes(unit_tests: str) -> None:
    written = [
        f"{test['model']}::{test['name']}"
        for path in DBT_PROJECT.glob("models/*/*/*.yml")
        for test in YAML(typ="safe").load(path).get("unit_tests", [])
    ]
    assert written
    # dbt shortens a long name to fit its line.
    assert not [name for name in written if f"PASS {name}"[:60] not in unit_tests]
    assert "WARN=0 ERROR=0 SKIP=0" in unit_tests


def test_no_data_test_warns_on_an_empty_warehouse(project: Project) -> None:
    assert "WARN=0 ERROR=0 SKIP=0" in project.output
