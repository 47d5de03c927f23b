"""The number of models that a row passes from its raw table to a model that reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

Parents = dict[str, list[str]]


@pytest.fixture(scope="module")
def parents(new_home: Callable[[str], Path]) -> Parents:
    """The models that each model reads, from dbt's manifest."""
    manifest = json.loads((new_home("depth") / "dbt" / "manifest.json").read_text())
    return {
        child.rpartition(".")[2]: [node.rpartition(".")[2] for node in read if node.startswith("model.")]
        for child, read in manifest["parent_map"].items()
        if child.startswith("model.")
    }


def longest_path(parents: Parents, model: str) -> list[str]:
    """The longest way to a model: a staging model first, the model itself last."""

    @cache
    def to(name: str) -> tuple[str, ...]:
        return (*max(map(to, parents[name]), key=len, default=()), name)

    return list(to(model))


def ancestors(parents: Parents, model: str) -> set[str]:
    """Every model that a model reads, directly or through others."""
    return {name for parent in parents[model] for name in (parent, *ancestors(parents, parent))}


@pytest.mark.parametrize(("model", "limit"), [("int_ad_spend", 6), ("daily_rollups", 26)])
def test_a_row_passes_few_models(parents: Parents, model: str, limit: int) -> None:
    path = longest_path(parents, model)
    assert path[0].startswith("stg_"), path
    assert len(path) <= limit, f"{len(path)} models: {' -> '.join(path)}"


def test_only_spend_with_commissions_waits_for_attribution(parents: Parents) -> None:
    assert "int_commissions" in ancestors(parents, "int_spend_with_commissions")
    assert not [name for name in ancestors(parents, "int_ad_spend") if "touch" in name or "commission" in name]
