"""What a user agent means, found once for each distinct one: raw.events -> raw.user_agents.

In: the user agents of raw.events that raw.user_agents lacks, collected or imported. Out: a row each: browser, system,
device and whether it is a bot, by the patterns of ua-parser and crawler-user-agents.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import duckdb

# Programs that browse without a person, which the list of crawlers does not name.
HEADLESS = re.compile(r"SlimerJS|Java/\d|undici|^Ruby|^node$|Headless", re.IGNORECASE)
AT_ONCE = 20_000  # a millisecond each: what a flood of invented ones leaves waits for the next load
TABLETS = re.compile(r"iPad|Tablet|Kindle|Silk/|PlayBook|Android(?!.*Mobile)", re.IGNORECASE)
PHONES = re.compile(r"Mobi|iPhone|iPod|Windows Phone|Opera Mini", re.IGNORECASE)
DESKTOPS = {"Windows", "Mac OS X", "Linux", "Ubuntu", "Chrome OS", "Fedora", "FreeBSD", "OpenBSD", "Debian"}


def enrich(connection: duckdb.DuckDBPyConnection, say: Callable[[str], None] = lambda message: None) -> int:
    """Add what is missing, the most frequent first; the number of user agents added."""
    missing = connection.execute(
        f"""
        select user_agent from raw.events anti join raw.user_agents using (user_agent)
        where user_agent is not null group by user_agent order by count(*) desc, user_agent limit {AT_ONCE}
        """
    ).fetchall()
    if len(missing) > 2000:
        say(f"reading {len(missing):,} new user agents")
    if missing:
        columns = list(zip(*(meaning(agent) for (agent,) in missing), strict=True))
        names = "user_agent, browser, browser_version, os, os_version, device_type, is_bot, bot"
        lists = ", ".join(f"unnest(${i}::{'boolean' if i == 7 else 'varchar'}[])" for i in range(1, 9))
        connection.execute(f"insert into raw.user_agents ({names}) select {lists}", [list(c) for c in columns])
    return len(missing)


def meaning(agent: str) -> tuple[str, str | None, str | None, str | None, str | None, str | None, bool, str | None]:
    """The row of raw.user_agents: user_agent, browser, its version, os, its version, device_type, is_bot, bot."""
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
        _device(agent, os.family if os else None),
        bot is not None,
        bot,
    )


def bot_pattern(agent: str) -> str | None:
    """The part by which a user agent is a bot's, or None."""
    from crawleruseragents import CRAWLER_PATTERNS, is_crawler

    found = (is_crawler(agent) and CRAWLER_PATTERNS.case_sensitive.search(agent)) or HEADLESS.search(agent)
    return found.group() if found else None


def _device(agent: str, os: str | None) -> str | None:
    if TABLETS.search(agent):
        return "tablet"
    if PHONES.search(agent):
        return "mobile"
    return "desktop" if os in DESKTOPS else None


def _version(major: str | None, minor: str | None) -> str | None:
    return ".".join(part for part in (major, minor) if part) or None
