"""The device class of a user agent: one rule, which load, models and erasure share."""

from __future__ import annotations

import pytest

from ingestion.home import Home
from ingestion.migrations.upgrade import FOLDER
from ingestion.person.pseudonyms import coarse_browser
from ingestion.user_agents import add, enrich, parse_user_agent
from ingestion.warehouse import connect

# user agent: device class, and whether it is a bot's
AGENTS = {
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1": ("mobile", False),
    "Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) Mobile/15E148 Safari/604.1": ("tablet", False),
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/125.0 Mobile Safari/537.36": ("mobile", False),
    "Mozilla/5.0 (Linux; Android 13; SM-X700) Chrome/125.0 Safari/537.36": ("tablet", False),
    "Mozilla/5.0 (Linux; Android 9; CUBOT X18 Plus) Chrome/120.0 Mobile Safari/537.36": ("mobile", False),
    "Mozilla/5.0 (Linux; Android 12; CUBOT TAB 20) Chrome/120.0 Safari/537.36": ("tablet", False),
    "Mozilla/5.0 (Linux; Android 11; AFTKA) Silk/108.4 like Chrome/108.0 Safari/537.36": ("tablet", False),
    "Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5": ("mobile", False),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/125.0 Safari/537.36": ("desktop", False),
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/126 Safari/537.36": ("desktop", False),
    "Mozilla/5.0 (X11; Haiku x86_64) Gecko/20100101 Firefox/115.0": ("desktop", False),
    "Mozilla/5.0 (PlayStation; PlayStation 5/6.00) Version/13.0 Safari/605.1.15": ("desktop", False),
    "Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) SamsungBrowser/4.0 Chrome/94.0 TV Safari/537.36": ("desktop", False),
    "MyShop/3.2 CFNetwork/1410 Darwin/22.6.0": ("desktop", False),
    "Link Preview Service 2": ("desktop", False),
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": ("desktop", True),
    "Mozilla/5.0 (Linux; Android 6.0.1) Mobile Safari/537.36 (compatible; Googlebot/2.1)": ("mobile", True),
    "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/126.0.0.0 Safari/537.36": ("desktop", True),
    "Mozilla/5.0 (Windows NT 10.0) Chrome/125.0 Safari/537.36 BingPreview/1.0b": ("desktop", True),
    "facebookexternalhit/1.1": ("desktop", True),
    "curl/8.5": ("desktop", True),
    "Java/17.0.2": ("desktop", True),
}


@pytest.mark.parametrize("agent", AGENTS)
def test_a_user_agent_has_one_device_class(agent: str) -> None:
    parsed = parse_user_agent(agent)
    assert (parsed.device_type, parsed.is_bot) == AGENTS[agent]


def test_an_erased_user_agent_keeps_class_and_families_only() -> None:
    coarse = {coarse_browser(agent) for agent in AGENTS}
    assert "erased (Chrome; Android; mobile)" in coarse
    assert "erased (Googlebot; Android; mobile; bot)" in coarse
    assert not [name for name in coarse if any(part in name for part in ("Pixel", "CUBOT", "15E148", "/"))]


def test_every_user_agent_but_an_empty_one_is_read_once(tmp_path) -> None:
    with connect(Home(tmp_path)) as raw:
        raw.executemany(
            """
            insert into raw.events by name
            select 'o' as org_id, 's' as site_id, $1 as event_id, 'PAGE_VIEW' as type, $2 as user_agent,
                timestamp '2026-07-01' as occurred_at, timestamp '2026-07-01' as _loaded_at, '' as _content_hash,
                'load' as _load_id
            """,
            [(str(number), agent) for number, agent in enumerate([*AGENTS, *AGENTS, ""])],
        )
        add(raw, list(AGENTS)[:2])
        assert enrich(raw) == len(AGENTS) - 2
        assert enrich(raw) == 0
        assert raw.execute("select count(*), count(distinct user_agent) from raw.user_agents").fetchone() == (
            len(AGENTS),
            len(AGENTS),
        )


def test_an_upgrade_gives_agents_of_unknown_systems_the_class_desktop(tmp_path) -> None:
    with connect(Home(tmp_path)) as raw:
        add(raw, list(AGENTS))
        raw.execute("update raw.user_agents set device_type = null where device_type = 'desktop'")
        raw.execute((FOLDER / "0004_device_class.sql").read_text())
        classes = dict(raw.execute("select user_agent, device_type from raw.user_agents").fetchall())
    assert classes == {agent: device for agent, (device, _) in AGENTS.items()}
