"""The browser script is what its source builds, small, with the models' parameters; a tag is its site's settings."""

from __future__ import annotations

import csv
import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.home import ROOT, tributary

TRACKER = ROOT / "tracker"
DIST = TRACKER / "dist"


def test_the_core_is_below_5_kb() -> None:
    assert len(gzip.compress(DIST.joinpath("t.js").read_bytes(), 9)) <= 5_000


def test_the_script_has_the_click_ids_of_the_models() -> None:
    with (ROOT / "dbt_project" / "seeds" / "click_ids.csv").open(newline="") as file:
        seed = {row["parameter"] for row in csv.DictReader(file)}
    (known,) = re.findall(r"CLICK_IDS =([^;]+);", TRACKER.joinpath("src", "visitor.ts").read_text())
    assert set(re.findall(r"\w+", known)) == seed


def test_nothing_committed_names_a_registry() -> None:
    assert "://" not in TRACKER.joinpath("package-lock.json").read_text()


def test_a_build_equals_the_committed_files(tmp_path: Path) -> None:
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no Node here: the committed build cannot be compared")
    copy = tmp_path / "tracker"
    shutil.copytree(TRACKER, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries", "0"]
    installed = subprocess.run(["npm", "ci", *quiet], cwd=copy, capture_output=True, text=True, check=False)
    if re.search(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH", installed.stderr):
        pytest.skip("no package registry in reach: the committed build cannot be compared")
    assert installed.returncode == 0, installed.stderr
    built = subprocess.run(["npm", "run", "build"], cwd=copy, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    files = {path.name: path.read_bytes() for path in copy.joinpath("dist").iterdir()}
    assert files == {path.name: path.read_bytes() for path in DIST.iterdir()}, (
        "tracker/dist is not what tracker/src builds: run npm run build in tracker/ and commit the result"
    )


def test_the_tag_of_a_site_follows_its_settings(tmp_path: Path) -> None:
    tmp_path.joinpath("tributary.yaml").write_text("""
orgs: [{id: default, currency: EUR}]
sites:
  - id: shop
    org: default
    public_key: pk_1
    domains: [shop.example, blog.example]
    sample_percent: 50
    cookieless: true
  - {id: keyless, org: default}
""")
    printed = tributary(tmp_path, "snippet", "shop", "--collector", "https://t.example/", "--auto", "forms", "--ask")
    assert printed.stdout == (
        '<script async src="https://t.example/t.js" data-key="pk_1" data-sample="50" data-domains="shop.example,'
        'blog.example" data-auto="forms" data-consent="required" data-cookieless></script>\n'
    )
    assert "on another host" in printed.stderr
    assert "Do you mean shop?" in tributary(tmp_path, "snippet", "shpo", code=2).stderr
    assert "public_key" in tributary(tmp_path, "snippet", "keyless", code=2).stderr
