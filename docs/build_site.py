"""Build the documents and dbt's reference as a site with search, and serve it: python docs/build_site.py.

In: README.md and the other documents of the root, docs/**/*.md, the pictures of docs/, docs/site.toml, dbt_project/.
Out: build/site/html/, on http://127.0.0.1:8800/.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import webbrowser
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "build" / "site"
PORT = 8800
LINK = re.compile(r"\[([^\]\n]*(?:\n[^\]\n]*)?)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]+)?\)")


def pages() -> dict[Path, str]:
    """Return the name of each document's page in the site."""
    named = {ROOT / "README.md": "index.md"}
    named |= {ROOT / f"{name}.md": f"{name.lower()}.md" for name in ("CONTRIBUTING", "DECISIONS", "CHANGELOG")}
    folder = ROOT / "docs"
    return named | {path: str(path.relative_to(folder)) for path in sorted(folder.rglob("*.md"))}


def images() -> dict[Path, str]:
    """Return the name of each picture in the site."""
    folder = ROOT / "docs"
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".svg", ".png"))
    return {path: str(path.relative_to(folder)) for path in paths}


def with_site_links(document: Path, named: dict[Path, str]) -> str:
    """Return a document with links to pages of the site. A link to a file that is no page becomes its text."""
    up = "../" * named[document].count("/")

    def link(match: re.Match[str]) -> str:
        text, target, anchor = match.groups()
        page = named.get((document.parent / target).resolve())
        return f"[{text}]({up}{page}{anchor or ''})" if page else text

    return LINK.sub(link, document.read_text())


def build(site: Path = SITE) -> Path:
    """Build the site in a folder and return the folder of its pages."""
    shutil.rmtree(site, ignore_errors=True)
    named, drawn = pages(), images()
    for file, name in (named | drawn).items():
        path = site / "pages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if file in drawn:
            shutil.copy(file, path)
        else:
            path.write_text(with_site_links(file, named | drawn))
    shutil.copy(ROOT / "docs" / "site.toml", site / "zensical.toml")
    subprocess.run([command("zensical"), "build", "--strict"], cwd=site, check=True)
    return site / "html"


def add_dbt_docs(html: Path) -> None:
    """Add dbt's reference of the models to the site. Its warehouse is empty, so it waits for no run."""
    target = html.parent / "dbt"
    dbt = [command("dbt"), "--quiet", "docs", "generate", "--static", "--empty-catalog", "--target-path", target]
    environment = {**os.environ, "TRIBUTARY_WAREHOUSE": str(html.parent / "empty.duckdb")}
    subprocess.run(dbt, cwd=ROOT / "dbt_project", env=environment, check=True)
    (html / "models").mkdir()
    shutil.copy(target / "static_index.html", html / "models" / "index.html")


def command(name: str) -> Path:
    """Return the path of a command of this Python environment."""
    return Path(sys.executable).with_name(name)


def serve(html: Path) -> None:
    """Serve the site until Ctrl-C, and open it in the browser of a person at a terminal."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(html))
    with ThreadingHTTPServer(("127.0.0.1", PORT), handler) as server, suppress(KeyboardInterrupt):
        address = f"http://127.0.0.1:{PORT}/"
        print(f"Documentation: {address} (Ctrl-C ends)", flush=True)
        if sys.stdout.isatty():
            webbrowser.open(address)
        server.serve_forever()


if __name__ == "__main__":
    built = build()
    add_dbt_docs(built)
    serve(built)
