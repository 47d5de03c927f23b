"""Check the tag on a page: that it is there, names a site that allows the page, and finds the collector.

In: the address of a page, the sites of tributary.yaml. Out: Findings.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from cli.findings import Finding, good, problem, warning

if TYPE_CHECKING:
    import httpx

    from ingestion.collector.sites import Sites

SECONDS = 10
CLOCK_SECONDS = 60


class _Tags(HTMLParser):
    """Collects the attributes of the script elements that have a data-key, or load t.js."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "script" and ("data-key" in given or urlsplit(given.get("src", "")).path.endswith("/t.js")):
            self.found.append(given)


def check_page(url: str, sites: Sites) -> Iterator[Finding]:
    """Check the tag of a page and the script that it loads."""
    import httpx

    if urlsplit(url).scheme not in ("http", "https"):
        yield problem("tag", f"{url!r} is no whole address. Write one such as https://www.example.com/")
        return
    with httpx.Client(follow_redirects=True, timeout=SECONDS, headers={"user-agent": "tributary check"}) as client:
        page = _get(client, url)
        if isinstance(page, str):
            yield problem("tag", page)
            return
        yield from _check_date(page)
        tags = _Tags()
        tags.feed(page.text)
        if not tags.found:
            yield problem(
                "tag",
                f"{page.url} has no tag. Print it with `tributary snippet SITE --collector URL`, and paste it into the"
                " <head>. A tag manager may add it later: then look for t.js in the browser's network tools.",
            )
        if len(tags.found) > 1:
            yield problem("tag", f"{page.url} has {len(tags.found)} tags, so it counts twice. Keep one.")
        for tag in tags.found[:1]:
            yield from _check_tag(client, page, tag, sites)


def _check_tag(client: httpx.Client, page: httpx.Response, tag: dict[str, str], sites: Sites) -> Iterator[Finding]:
    from cli.snippet import AUTO
    from ingestion.collector.sites import is_own_page
    from ingestion.text import suggestion

    script = urljoin(str(page.url), tag.get("src", ""))
    key, origin = tag.get("data-key", ""), f"{page.url.scheme}://{page.url.netloc.decode()}"
    site = sites.by_key.get(key)
    if site is None:
        yield problem("tag", f"its data-key {key!r} is of no site of tributary.yaml. Print the tag of the site again.")
    elif not (site.allows(origin) or is_own_page(origin, urlsplit(script).netloc)):
        name = site.settings.id
        yield problem("tag", f"site {name} does not allow {origin}. Add {page.url.host} to its domains.")
    else:
        yield good("tag", f"site {site.settings.id} allows {origin}")
    for name in tag.get("data-auto", "").replace(",", " ").split():
        if name not in AUTO:
            yield problem("tag", f"data-auto has no events {name}. {suggestion(name, AUTO)}")
    if page.url.scheme == "https" and script.startswith("http:"):
        yield problem("tag", f"browsers load no {script} on a page with https. Serve the collector with https.")
        return
    answer = _get(client, script)
    if isinstance(answer, str):
        yield problem("tag", f"the script does not load: {answer}")
    elif "javascript" not in answer.headers.get("content-type", ""):
        yield problem("tag", f"{script} is no script. Print the tag with the collector's address: --collector URL")
    else:
        yield good("tag", f"the collector serves {script}")
        yield from _check_date(answer)


def _get(client: httpx.Client, url: str) -> httpx.Response | str:
    """Return the response, or a sentence that says why there is none."""
    import httpx

    try:
        response = client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"no response from {url} ({type(error).__name__}). Check the address and the network."
    return response if response.is_success else f"{url} responded {response.status_code}. Check the address."


def _check_date(response: httpx.Response) -> Iterator[Finding]:
    """Compare this machine's clock with that of another one."""
    try:
        there = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError):
        return
    seconds = (datetime.now(UTC) - there).total_seconds()
    if abs(seconds) > CLOCK_SECONDS and "age" not in response.headers:
        side = "ahead of" if seconds > 0 else "behind"
        yield warning("clock", f"it is {abs(seconds):,.0f} s {side} that of {response.url.host}. Set the clock.")
