"""Parse each distinct user agent once: raw.events -> raw.user_agents.

In: the user agents of raw.events that raw.user_agents lacks. Out: one row for each: browser, operating system, device
class and bot, by the patterns of ua-parser and crawler-user-agents. The models and erasure read the device class here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ingestion.sql import Connection

# Programs that browse without a person and are missing in the list of crawlers.
HEADLESS = re.compile(r"SlimerJS|Java/\d|undici|^Ruby|^node$|Headless", re.IGNORECASE)
AT_ONCE = 20_000  # each takes a millisecond; after a flood of invented agents, the rest waits for the next load
TABLETS = re.compile(r"iPad|Tablet|Kindle|Silk/|PlayBook|Android(?!.*Mobile)", re.IGNORECASE)
PHONES = re.compile(r"Mobi|iPhone|iPod|Windows Phone|Opera Mini", re.IGNORECASE)


class UserAgent(NamedTuple):
    """One row of raw.user_agents."""

    user_agent: str
    browser: str | None
    browser_version: str | None
    os: str | None
    os_version: str | None
    device_type: str
    is_bot: bool
    bot: str | None


def enrich(connection: Connection, progress: Callable[[str], None] = lambda message: None) -> int:
    """Add the missing user agents, the most frequent first, and return their number."""
    missing = connection.execute(
        f"""
        select user_agent from raw.events anti join raw.user_agents using (user_agent)
        where user_agent <> '' group by user_agent order by count(*) desc, user_agent limit {AT_ONCE}
        """
    ).fetchall()
    if len(missing) > 2000:
        progress(f"parsing {len(missing):,} new user agents")
    add(connection, [agent for (agent,) in missing])
    return len(missing)


def add(connection: Connection, agents: Sequence[str]) -> None:
    """Insert the row of each user agent."""
    if agents:
        columns = zip(*(parse_user_agent(agent) for agent in agents), strict=True)
        select = ", ".join(
            f"unnest(${number}::{'boolean' if name == 'is_bot' else 'varchar'}[]) as {name}"
            for number, name in enumerate(UserAgent._fields, 1)
        )
        connection.execute(f"insert into raw.user_agents by name select {select}", [list(column) for column in columns])


def parse_user_agent(agent: str) -> UserAgent:
    """Return the row of a user agent."""
    from ua_parser import parse

    result = parse(agent)
    browser, os = result.user_agent, result.os
    bot = bot_pattern(agent)
    return UserAgent(
        user_agent=agent,
        browser=browser.family if browser else None,
        browser_version=_version(browser.major, browser.minor) if browser else None,
        os=os.family if os else None,
        os_version=_version(os.major, os.minor) if os else None,
        device_type=device_type(agent),
        is_bot=bot is not None,
        bot=bot,
    )


def bot_pattern(agent: str) -> str | None:
    """Return the part of a user agent that identifies a bot, or None."""
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
