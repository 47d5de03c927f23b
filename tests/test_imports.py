"""Imports between modules: no cycles, and a client that needs only httpx. pyproject.toml has the other rules."""

import sys

import grimp
import pytest

PACKAGES = ("attribution", "cli", "connectors", "ingestion", "orchestration", "serving", "tributary_client")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """The imports of all modules, also those inside functions and under TYPE_CHECKING."""
    return grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)


def test_no_modules_import_each_other_in_a_cycle(graph):
    cycles = {}
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            if chain := graph.find_shortest_chain(imported, module):
                cycles[frozenset(chain)] = " -> ".join([module, *chain])
    assert not cycles, "\n".join(sorted(cycles.values()))


def test_the_client_depends_on_httpx_and_the_standard_library(graph):
    client = {module for module in graph.modules if module.split(".")[0] == "tributary_client"}
    imported = {name.split(".")[0] for module in client for name in graph.find_modules_directly_imported_by(module)}
    assert imported - {*sys.stdlib_module_names} == {"httpx", "tributary_client"}
