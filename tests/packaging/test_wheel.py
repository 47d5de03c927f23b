"""Built wheels work without the checkout: each is installed into a clean environment and used in an empty folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import duckdb
import httpx
import pytest

from tests.support.collector import collecting, receipts
from tests.support.home import ROOT
from tests.support.ports import free_port
from tests.support.waiting import wait_until

UV = Path(sys.executable).with_name("uv")
PACKAGES = ("attribution", "cli", "connectors", "dbt_project", "ingestion", "orchestration", "serving")
SITE = """
orgs: [{id: default, currency: USD, timezone: UTC}]
sites: [{id: shop, org: default, public_key: pk_shop, domains: [shop.example]}]
"""
SEND = """
import sys
from tributary_client import Client
with Client(sys.argv[1], "pk_shop", server_key="sk_shop") as client:
    client.page_view("https://shop.example/", anon_id="v1")
"""


def build(source: Path, folder: Path) -> Path:
    """Build the wheel of a copy of `source`, since setuptools writes into the folder that it builds."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "node_modules", "target", "var")
    copy = shutil.copytree(source, folder / "source", ignore=ignored)
    command = [UV, "build", "--quiet", "--wheel", "--offline", "--no-build-isolation", "--python", sys.executable]
    subprocess.run([*command, "--out-dir", folder, copy], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """Install a wheel and its declared dependencies at the locked versions; return the environment's programs.

    uv's cache has the dependencies from `make setup`. The network is the fallback.
    """
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    command = [UV, "pip", "install", "--quiet", "--system-certs", "--python", folder / "bin" / "python"]
    command += ["--constraint", ROOT / "requirements.lock", wheel]
    if subprocess.run([*command, "--offline"], check=False, stderr=subprocess.DEVNULL).returncode != 0:
        subprocess.run(command, check=True)
    return folder / "bin"


def environment(programs: Path) -> dict[str, str]:
    """The variables of a shell that knows no checkout and no home; Python keeps its bytecode beside the environment."""
    variables = {name: text for name, text in os.environ.items() if not name.startswith(("TRIBUTARY_", "PYTHON"))}
    return {**variables, "PYTHONPYCACHEPREFIX": str(programs.parent.with_name("bytecode"))}


def files(folder: Path) -> dict[Path, tuple[int, int]]:
    """The size and time of each file in a folder."""
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory) -> Path:
    return install(wheel, tmp_path_factory.mktemp("environments") / "tributary")


def test_a_wheel_holds_every_file_of_its_packages(wheel):
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    expected = {name for name in listed if (ROOT / name).exists() and not name.endswith("ruff.toml")}
    expected |= {"tracker/demo.html", "tracker/dist/t.js", "tracker/dist/auto.js"}
    assert {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name} == expected


def test_an_installed_wheel_simulates_and_builds_in_an_empty_folder(programs, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    before = files(programs.parent)
    for arguments in (["simulate", "--days", "7", "--events", "500"], ["run"]):
        done = subprocess.run(
            [programs / "tributary", *arguments],
            cwd=folder,
            env=environment(programs),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    with duckdb.connect(folder / "var" / "published" / "marts.duckdb", read_only=True) as marts:
        spend, broken = marts.execute(
            "select (select sum(spend_micros) from daily_rollups), (select count(*) from promises where not is_kept)"
        ).fetchone()
    assert spend > 0
    assert broken == 0
    the_dashboard_answers(programs, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["var"]
    assert files(programs.parent) == before, "a run wrote into the installed packages"


def the_dashboard_answers(programs: Path, folder: Path) -> None:
    """Start the dashboard, and read a page with its question, template, style and script from the wheel."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [programs / "tributary", "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=folder, env=environment(programs)) as server:

        def is_ready() -> bool:
            assert server.poll() is None, "the dashboard ended"
            with suppress(httpx.TransportError):
                return httpx.get(f"{url}/healthz").is_success
            return False

        wait_until(is_ready, "the dashboard answers")
        page = httpx.get(f"{url}/overview?org=northwind")
        assert "Revenue by channel" in page.text
        for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text):
            assert httpx.get(f"{url}{path}").is_success, path
        server.terminate()


def test_an_installed_collector_serves_the_script_and_its_demo(programs, tmp_path):
    bytecode = environment(programs)["PYTHONPYCACHEPREFIX"]
    command = programs / "tributary"
    with collecting(tmp_path / "home", SITE, command=command, PYTHONPYCACHEPREFIX=bytecode) as running:
        assert httpx.get(f"{running.url}/t.js").content == (ROOT / "tracker" / "dist" / "t.js").read_bytes()
        assert "pk_shop" in httpx.get(f"{running.url}/demo").text
    variables = {**environment(programs), "TRIBUTARY_HOME": str(tmp_path / "home")}
    command = [programs / "tributary", "snippet", "shop"]
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=True)
    assert 'data-key="pk_shop"' in done.stdout


def test_the_client_installs_alone_and_delivers(tmp_path):
    wheel = build(ROOT / "clients" / "python", tmp_path / "wheel")
    programs = install(wheel, tmp_path / "environment")
    packages = {path.name.split("-")[0] for path in tmp_path.rglob("site-packages/*.dist-info")}
    assert {"httpx", "tributary_client"} <= packages
    assert "tributary" not in packages
    with collecting(tmp_path / "home", SITE, TRIBUTARY_SERVER_KEY_SHOP="sk_shop") as running:
        command = [programs / "python", "-c", SEND, running.url]
        subprocess.run(command, cwd=tmp_path, env=environment(programs), check=True)
        running.stop()
        assert [receipt["received"] for receipt in receipts(running.home)] == [1]
