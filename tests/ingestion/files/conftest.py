"""A warehouse for the tests of one module, without loaded rows at the start of each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ingestion.files.contracts import CONTRACTS
from ingestion.home import Home
from ingestion.sql import Connection
from ingestion.warehouse import connect

TABLES = {contract.table for contract in CONTRACTS.values()} | {
    "raw.ad_spend_history",
    "raw.failed_events",
    "raw.loads",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("files"))
    home.temporary.mkdir(parents=True)
    return home


@pytest.fixture(scope="module")
def warehouse(home: Home) -> Iterator[Connection]:
    with connect(home) as connection:
        yield connection


@pytest.fixture
def raw(warehouse: Connection) -> Connection:
    for table in TABLES:
        warehouse.execute(f"delete from {table}")
    return warehouse
