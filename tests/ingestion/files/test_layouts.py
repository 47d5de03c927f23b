"""Every layout of ingestion/files/formats/ reads its fixtures as an independent computation reads them.

tests/fixtures/layouts/<layout>/ has files in the shape of the vendor's export, and check.yaml: how to compute counts and
sums from each file with the csv module and Decimal.
"""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingestion.files.column_mapping import ImportOptions
from ingestion.files.contracts import CONTRACTS
from ingestion.files.layouts import all_layouts
from ingestion.files.load import import_file
from ingestion.settings.model import Org, Settings
from ingestion.warehouse import create_memory_warehouse

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "layouts"
SETTINGS = Settings(orgs=[Org("default", "USD")])
CASES = [
    (folder.name, name, check)
    for folder in sorted(FIXTURES.iterdir())
    for name, check in msgspec.yaml.decode((folder / "check.yaml").read_bytes()).items()
]
