"""Conventions of the dbt project, checked on dbt's manifest: layers, keys and descriptions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# A layer -> the layers that its models may read.
MAY_READ = {
    "staging": {"source"},
    "intermediate": {"source", "seed", "staging", "intermediate"},
    "marts": {"source", "seed", "staging", "intermediate", "marts"},
}
KEY_TESTS = {"unique", "unique_key"}
Nodes = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def nodes(new_home: Callable[[str], Path]) -> Nodes:
    """Models, seeds and tests by unique id."""
    manifest = json.loads((new_home("conventions") / "dbt" / "manifest.json").read_text())
    return manifest["nodes"]


def of_type(nodes: Nodes, *types: str) -> Nodes:
    return {unique_id: node for unique_id, node in nodes.items() if node["resource_type"] in types}


def layer(nodes: Nodes, unique_id: str) -> str:
    kind = unique_id.partition(".")[0]
    return nodes[unique_id]["fqn"][1] if kind == "model" else kind


def test_a_model_reads_only_the_layers_below_its_own(nodes: Nodes) -> None:
    forbidden = [
        f"{node['name']} reads {parent}"
        for unique_id, node in of_type(nodes, "model").items()
        for parent in node["depends_on"]["nodes"]
        if layer(nodes, parent) not in MAY_READ[layer(nodes, unique_id)]
    ]
    assert forbidden == []


def test_every_model_and_seed_has_a_key_test(nodes: Nodes) -> None:
    tested = {
        test["attached_node"]
        for test in of_type(nodes, "test").values()
        if (test.get("test_metadata") or {}).get("name") in KEY_TESTS
    }
    assert sorted(of_type(nodes, "model", "seed").keys() - tested) == []


def test_every_description_begins_with_the_grain(nodes: Nodes) -> None:
    grain = re.compile(r"One \S.*?[.](\s|$)", re.DOTALL)
    wrong = {
        node["name"]: node["description"]
        for node in of_type(nodes, "model", "seed").values()
        if not grain.match(node["description"])
    }
    assert wrong == {}
