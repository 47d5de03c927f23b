"""The list of settings: complete meanings, right lines, nothing of another org, no ids of people."""

from __future__ import annotations

import msgspec
import pytest

from ingestion.home import Home
from ingestion.settings.listing import org_settings, structs
from ingestion.settings.load import load_settings, read_document
from ingestion.settings.meanings import MEANINGS
from ingestion.settings.model import Settings

ELSEWHERE = {"people", "log_in", "expression_models", "weight_models"}  # access, and files beside tributary.yaml

FILE = """\
orgs:
  - {id: north, currency: USD, targets: {cpa: 50}}
  - id: south
    currency: EUR
    ignored_referrers: [bank-of-south.example]
sites:
  - {id: n-shop, org: north, domains: [north.example]}
  - {id: s-shop, org: south, domains: [south.example]}
budgets:
  - {org: north, platform: meta, monthly: 5000}
  - {org: south, platform: meta, monthly: 6666}
webhooks:
  - {kind: shopify, site: s-shop, secret: SOUTH_SECRET}
  - {kind: shopify, site: n-shop, secret: NORTH_SECRET}
shared_ids:
  - {org: north, id: till-7}
imports:
  - {name: everybody, layout: x}
  - {name: of_south, layout: x, org: south}
  - {name: set_south, layout: x, set: {org_id: south}}
  - {name: site_south, layout: x, site: s-shop}
people:
  - {email: ana@example.com, orgs: [north, south], role: viewer}
collector: {salt_hours: 12}
attribution_models: [linear, last_touch]
"""


@pytest.fixture
def rows(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path))
    home = Home.from_environment()
    home.settings.write_text(FILE)

    def of(org: str) -> list[dict]:
        return org_settings(read_document(home), org)

    return of


def test_every_setting_has_a_meaning():
    assert set(MEANINGS) == {field.name for field in msgspec.structs.fields(Settings)} - ELSEWHERE
    for section, kind in structs().items():
        if section not in ELSEWHERE:
            assert {field.encode_name for field in msgspec.structs.fields(kind)} == set(MEANINGS[section]) - {""}, (
                section
            )
    assert all(meaning.endswith(".") for section in MEANINGS.values() for meaning in section.values())


def test_a_setting_has_the_line_of_the_file(rows):
    lines = FILE.splitlines()
    found = [row for row in rows("north") + rows("south") if row["line"]]
    for row in found:
        assert (row["setting"] or row["section"]) in lines[row["line"] - 1] or not row["setting"]
    values = {(row["section"], row["entry"], row["setting"]): row["value"] for row in rows("north")}
    assert values["orgs", "north", "targets"] == "cpa: 50"
    assert values["budgets", "meta", "monthly"] == "5000"
    assert values["webhooks", "shopify n-shop", "secret"] == "NORTH_SECRET"
    assert values["collector", "", "salt_hours"] == "12"
    assert values["attribution_models", "", ""] == "linear, last_touch"


def test_defaults_are_those_of_the_model(rows):
    defaults = {(row["section"], row["setting"]): row["value"] for row in rows("north") if row["line"] is None}
    assert defaults["orgs", "timezone"] == "UTC"
    assert defaults["sites", "exclude_bots"] == "true"
    assert defaults["history", "keep_days"] == "30"
    assert ("orgs", "targets") not in defaults
    assert ("collector", "salt_hours") not in defaults


def test_no_setting_of_another_org_or_person_appears(rows):
    north, south = str(rows("north")), str(rows("south"))
    for marker in ("south", "s-shop", "6666", "SOUTH_SECRET", "bank-of-south", "till-7", "ana@"):
        assert marker not in north
    for marker in ("'north", "n-shop", "5000", "NORTH_SECRET", "till-7", "ana@", "north.example"):
        assert marker not in south
    assert "everybody" in north
    assert "everybody" in south
    assert not [row for row in rows("west") if row["section"] in ("orgs", "sites", "budgets", "webhooks")]


def test_the_example_file_lists_its_org(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path))
    home = Home.from_environment()
    load_settings(home)
    found = org_settings(read_document(home), "default")
    assert {row["section"] for row in found if row["line"]} == {"orgs", "sites"}
