"""Classify each distinct user agent once: raw.events -> raw.user_agents.

In: the user agents of raw.events that raw.user_agents lacks, collected or imported. Out: one row each: browser, system,
device class and whether it is a bot, by the patterns of ua-parser and crawler-user-agents. The models read the device
class from here, and so does erasure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import duckdb

# Programs that browse without a person and are not in the list of crawlers.
HEADLESS = re.compile(r"SlimerJS|Java/\d|undici|^Ruby|^node$|Headless", re.IGNORECASE)
AT_ONCE = 20_000  # a millisecond each; a flood of invented user agents waits for later loads
TABLETS = re.compile(r"iPad|Tablet|Kindle|Silk/|PlayBook|Android(?!.*Mobile)", re.IGNORECASE)
PHONES = re.compile(r"Mobi|iPhone|iPod|Windows Phone|Opera Mini", re.IGNORECASE)


def enrich(connection: duckdb.DuckDBPyConnection, say: Callable[[str], None] = lambda message: None) -> int:
    """Add the user agents that are missing, the most frequent first, and return their number."""
    connection.execute("delete from raw.user_agents where device_type is null")  # earlier versions left some empty
    missing = connection.execute(
        f"""
        select user_agent from raw.events anti join raw.user_agents using (user_agent)
        where user_agent <> '' group by user_agent order by count(*) desc, user_agent limit {AT_ONCE}
        """
    ).fetchall()
    if len(missing) > 2000:
        say(f"reading {len(missing):,} new user agents")
    add(connection, [agent for (agent,) in missing])
    return len(missing)


def add(connection: duckdb.DuckDBPyConnection, agents: Sequence[str]) -> None:
    """Insert a row for each user agent."""
    if agents:
        columns = list(zip(*(meaning(agent) for agent in agents), strict=True))
        names = "user_agent, browser, browser_version, os, os_version, device_type, is_bot, bot"
        lists = ", ".join(f"unnest(${i}::{'boolean' if i == 7 else 'varchar'}[])" for i in range(1, 9))
        connection.execute(f"insert into raw.user_agents ({names}) select {lists}", [list(c) for c in columns])


def meaning(agent: str) -> tuple[str, str | None, str | None, str | None, str | None, str, bool, str | None]:
    """Return a row of raw.user_agents: user_agent, browser, its version, os, its version, device_type, is_bot, bot."""
    from ua_parser import parse

    result = parse(agent)
    browser, os = result.user_agent, result.os
    bot = bot_pattern(agent)
    return (
        agent,
        browser and browser.family,
        browser and _version(browser.major, browser.minor),
        os and os.family,
        os and _version(os.major, os.minor),
        device_type(agent),
        bot is not None,
        bot,
    )


def bot_pattern(agent: str) -> str | None:
    """Return the part that shows a bot, or None."""
    from crawleruseragents import CRAWLER_PATTERNS, is_crawler

    found = (is_crawler(agent) and CRAWLER_PATTERNS.case_sensitive.search(agent)) or HEADLESS.search(agent)
    return found.group() if found else None


def device_type(agent: str) -> str:
    """Return tablet, mobile or desktop. A bot has the class of the browser that it claims to be."""
    if TABLETS.search(agent):
        return "tablet"
    if PHONES.search(agent):
        return "mobile"
    return "desktop"


def _version(major: str | None, minor: str | None) -> str | None:
    return ".".join(part for part in (major, minor) if part) or None
