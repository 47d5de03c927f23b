"""Parse each distinct user agent once: raw.events -> raw.user_agents.

In: the user agents of raw.events that raw.user_agents lacks, or has by other rules. Out: one row for each: browser,
operating system, device class and bot, by the patterns of ua-parser and crawler-user-agents and those below. The models
and erasure read the device class here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import md5
from importlib.metadata import version
from typing import NamedTuple

from ingestion.sql import Connection, scalar

# Programs that open pages without a person and that the list of crawlers lacks.
BOTS = re.compile(
    r"bots?(?![a-z])|crawl|spider|\+ ?https?:|\(compatible; (?!MSIE|Konqueror)[^)]*https?:"  # they name themselves
    r"|KHTML, like Gecko; |Google[-_ ]?(?:Ad|AMPHTML|Assess|Page ?Speed|partner|Publisher|Search Console|Sites)"
    r"|fetcher|health-?check|scanner|scraper|synthetic|validator"
    r"|Headless|SlimerJS|(?<![\w-])Java/\d|undici|^Ruby|^node$",
    re.IGNORECASE,
)
# Parts of the agents of people that look like a bot's name.
NO_EVIDENCE = re.compile(
    # a device and its build, such as CUBOT X18, HTC Butterfly and AP3A.240617.008; also as Instagram writes it
    r"\bAndroid[^;()]*;(?: ?[a-z]{2}[-_][a-z]{0,2};)? ?[^;()]*|\bAndroid \(\d+/[^)]*\)"
    r"|CUBOT|HTC[ _]Butterfly|MetaIAB Facebook|Sogou(?:MSE|MobileBrowser|Search)|Viber/\d|Code/\d|Fluid/\d|\w008/"
    r"|GoogleChirp",
    re.IGNORECASE,
)
AT_ONCE = 20_000  # each takes a millisecond; after a flood of invented agents, the rest waits for the next load
TABLETS = re.compile(r"iPad|Tablet|Kindle|Silk/|PlayBook|^Mozilla(?!.*Mobile).*Android", re.IGNORECASE)
PHONES = re.compile(r"Mobi|iPhone|iPod|Android|Windows Phone|Opera Mini", re.IGNORECASE)


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
    rules: str


def enrich(connection: Connection, progress: Callable[[str], None] = lambda message: None) -> int:
    """Add the missing user agents, the most frequent first, and return their number.

    An agent that was parsed by other rules keeps its row until it is parsed again.
    """
    missing = connection.execute(
        f"""
        select user_agent from raw.events anti join (from raw.user_agents where rules = $1) using (user_agent)
        where user_agent <> '' group by user_agent order by count(*) desc, user_agent limit {AT_ONCE}
        """,
        [rules_version()],
    ).fetchall()
    if len(missing) > 2000:
        progress(f"parsing {len(missing):,} new user agents")
    add(connection, [agent for (agent,) in missing])
    return len(missing)


def is_outdated(connection: Connection) -> bool:
    """Return whether a user agent was parsed by other rules than today's."""
    return bool(scalar(connection, "select bool_or(rules is distinct from $1) from raw.user_agents", [rules_version()]))


def add(connection: Connection, agents: Sequence[str]) -> None:
    """Insert or replace the row of each user agent."""
    if agents:
        connection.execute("delete from raw.user_agents where user_agent in (select unnest($1))", [list(agents)])
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
        rules=rules_version(),
    )


@cache
def rules_version() -> str:
    """Return a hash of the rules in this module and of the versions of the packages with patterns."""
    own = [pattern.pattern for pattern in (BOTS, NO_EVIDENCE, TABLETS, PHONES)]
    packages = [version(name) for name in ("crawler-user-agents", "ua-parser-builtins")]
    return md5(repr((own, packages)).encode(), usedforsecurity=False).hexdigest()


def bot_pattern(agent: str) -> str | None:
    """Return the part of a user agent that identifies a bot, or None."""
    from crawleruseragents import CRAWLER_PATTERNS, is_crawler

    agent = NO_EVIDENCE.sub(" ", agent)
    found = (is_crawler(agent) and CRAWLER_PATTERNS.case_sensitive.search(agent)) or BOTS.search(agent)
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
