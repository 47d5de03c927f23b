"""Draw the screenshots of the documents anew: python docs/screenshots.py [--url http://127.0.0.1:8600].

In: a running dashboard with the simulated shops (make run; tributary serve). Out: docs/images/*.png.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DAYS = "org=northwind&from=2026-07-01&to=2026-09-30"
COLOURS = 256  # of a picture: fewer change the colours of charts, and all would make the file twice as large
# name -> address, width, height, color scheme
PICTURES = {
    "overview": (f"/overview?{DAYS}", 1280, 1000, "light"),
    "overview-dark": (f"/overview?{DAYS}", 1280, 800, "dark"),
    "overview-phone": (f"/overview?{DAYS}", 390, 844, "light"),
    "channels": (f"/channels?{DAYS}&channel=Paid+Search", 1280, 1000, "light"),
    "waste": (f"/waste?{DAYS}", 1280, 900, "light"),
    "models": (f"/models?{DAYS}", 1280, 1100, "light"),
    "paths": (f"/paths?{DAYS}", 1280, 900, "light"),
    "explain": (f"/explain/channels?{DAYS}", 1280, 900, "light"),
    "api": ("/api/docs", 1280, 700, "light"),
}


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8600", help="the dashboard")
    url = parser.parse_args().url
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for name, (path, width, height, scheme) in PICTURES.items():
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = context.new_page()
            page.goto(url + path)
            page.wait_for_function("!document.querySelector('.chart:not([data-drawn])')")
            save(page, IMAGES / f"{name}.png")
            context.close()
            print(name)
        browser.close()


def save(page: Page, path: Path) -> None:
    """Write a small picture of the visible part of a page."""
    page.screenshot(path=path)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
