"""The device class of a user agent: one rule, which load, models and erasure share."""

from __future__ import annotations

from datetime import datetime

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from ingestion.home import Home
from ingestion.migrations.upgrade import FOLDER
from ingestion.person.pseudonyms import coarse_browser
from ingestion.user_agents import add, bot_pattern, enrich, is_outdated, parse_user_agent
from ingestion.warehouse import connect
from tests.support.raw_rows import LOADED, insert

EVENT = LOADED | {
    "org_id": "o",
    "site_id": "s",
    "event_id": "e",
    "type": "PAGE_VIEW",
    "occurred_at": datetime(2026, 7, 1),
}

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
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.0.0"
_PHONE, _TABLET = f"{_CHROME} Mobile Safari/537.36", f"{_CHROME} Safari/537.36"
# Apps that show pages, and phones with names that a list of bots knows. People use all of them.
IN_APP = {
    f"Mozilla/5.0 (Linux; Android 15; CPH2557 Build/AP3A.240617.008; wv) {_PHONE}": "mobile",
    f"Mozilla/5.0 (Linux; Android 16; Pixel 10 Pro XL Build/CP1A.260305.018; wv) {_PHONE} MetaIAB Facebook": "mobile",
    f"Mozilla/5.0 (Linux; Android 15; RMX5131 Build/AP3A.240617.008; wv) {_PHONE} [FB_IAB/FB4A;FBAV/569.0;]": "mobile",
    f"Mozilla/5.0 (Linux; Android 14; SM-S918B; wv) {_PHONE} Instagram 406.0.0.58 Android (34/14; 480dpi; 1080x2340;"
    " samsung; SM-S918B; dm3q; qcom; en_GB; 822918295)": "mobile",
    f"Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) {_PHONE} LinkedIn/4.1.900 (Android 14; Pixel 8)": "mobile",
    f"Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) {_PHONE} [Pinterest/Android]": "mobile",
    f"Mozilla/5.0 (Linux; Android 13; 2201117TG; wv) {_PHONE} TwitterAndroid": "mobile",
    f"Mozilla/5.0 (Linux; Android 13; V2207; wv) {_PHONE} trill_340204 BytedanceWebview/d8a21c6 Android": "mobile",
    f"Mozilla/5.0 (Linux; Android 12; X20 PRO; wv) {_PHONE} Instagram 237.0.0.7 Android (31/12; 480dpi; 1080x2115;"
    " CUBOT; X20 PRO; X20_PRO; mt6771; de_DE; 373310563)": "mobile",
    "Instagram 361.0.0.46 Android (33/13; 420dpi; 1080x2138; samsung; SM-A536B; a53x; s5e8825; es_ES)": "mobile",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21F79"
    " [LinkedInApp]/9.29.8962": "mobile",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22B83"
    " [FBAN/FBIOS;FBAV/490.0.0.50;FBDV/iPhone15,3;FBSV/18.1]": "mobile",
    "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21F79"
    " [Pinterest/iOS]": "tablet",
    f"Mozilla/5.0 (Linux; Android 13; SM-X706B; wv) {_TABLET} Instagram 300.0.0.29 Android (33/13; 340dpi; 1600x2428;"
    " samsung; SM-X706B; gts8wifi; qcom; fr_FR; 515193000)": "tablet",
    f"Mozilla/5.0 (Linux; Android 13; Spider 8) {_TABLET}": "tablet",
    f"Mozilla/5.0 (Linux; Android 7.0; M bot 54) {_PHONE}": "mobile",
    f"Mozilla/5.0 (Linux; Android 8.1.0; XBot_Senior Build/O11019) {_PHONE}": "mobile",
    f"Mozilla/5.0 (Linux; U; Android 4.2.2; en-; Cubot One by somebody Build/JOP40D) {_PHONE}": "mobile",
    f"Mozilla/5.0 (Linux; Android 8.0.0; Expanse) {_PHONE}": "mobile",
    f"Mozilla/5.0 (Linux; Android 5.1; O+ Sonic) {_PHONE}": "mobile",
    f"Mozilla/5.0 (Linux; U; Android 4.3; en-us; HTC_Butterfly Build/JSS15J) {_PHONE}": "mobile",
    f"Mozilla/5.0 (Linux; Android 10; M40SE; wv) {_PHONE} SogouMSE,SogouMobileBrowser/6.1.5": "mobile",
    f"Mozilla/5.0 (Linux; Android 11; FP4) {_PHONE} (Ecosia android@101.0.4951.41)": "mobile",
    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; Banca Caboto s.p.a.; rv:11.0) like Gecko": "desktop",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Code/1.115.0 Chrome/142.0.0.0"
    " Electron/39.8.5 Safari/537.36": "desktop",
    "SonyEricssonw580i/R4EA Java/SEMC-Java/2.0 Profile/MIDP-2.0 Configuration/CLDC-1.1": "desktop",
}
BOTS = (
    "SomeNewBot/1.0", "acme-crawler 2", "Web Spider", "Example/1.0 (+https://example.com/info)", "My robots checker",
    "Mozilla/5.0 (compatible; Example/2.1; https://example.com/agent)", "PagesInventory (robot http://example.com)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko; Google-Ads-Qualify) Chrome/85.0.4183.140",
    "Mozilla/5.0 (Linux; Android 4.0.4; Galaxy Nexus) AppleWebKit/537.36 (KHTML, like Gecko; GoogleAdSenseInfeed)"
    " Chrome/102.0.5005.61 Mobile Safari/537.36",
    "Mozilla/5.0 (en-us) AppleWebKit/537.36(KHTML, like Gecko; Google-Adwords-DisplayAds-WebRender;) Chrome/41.0",
    "AdsBot-Google (+http://www.google.com/adsbot.html)", "Mediapartners-Google",
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 Chrome/41.0 Mobile Safari/537.36"
    " (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Linux; Android 7.0; compatible; SomeBot/1.0) Chrome/99 Mobile Safari/537.36",
    "GoogleWebLight-scanner", "ELB-HealthChecker/2.0", "Datadog/Synthetics",
)  # fmt: skip
# The list of crawlers calls them bots, and a person reads pages with each: NO_EVIDENCE in ingestion/user_agents.py.
PEOPLE_IN_THE_LIST = ("Code/1.", "AP3A.240617.008", "Fluid/0.9", "MetaIAB Facebook")


@pytest.mark.parametrize("agent", IN_APP)
def test_a_person_in_an_app_is_no_bot_and_has_the_class_of_the_device(agent: str) -> None:
    parsed = parse_user_agent(agent)
    assert (parsed.device_type, parsed.bot) == (IN_APP[agent], None)


@pytest.mark.parametrize("agent", BOTS)
def test_a_bot_that_names_itself_is_a_bot(agent: str) -> None:
    assert parse_user_agent(agent).is_bot


def test_every_example_of_the_list_of_crawlers_is_a_bot_but_the_exceptions() -> None:
    examples = {agent for entry in CRAWLER_USER_AGENTS_DATA for agent in entry["instances"]}
    people = sorted(agent for agent in examples if not bot_pattern(agent))
    assert len(examples) > 2000
    assert all(any(part in agent for part in PEOPLE_IN_THE_LIST) for agent in people), people
    assert len(people) == len(PEOPLE_IN_THE_LIST)


def test_new_rules_parse_every_agent_again(tmp_path) -> None:
    agent = "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) Chrome/125.0 Mobile Safari/537.36 [Pinterest/Android]"
    with connect(Home(tmp_path)) as raw:
        insert(raw, "events", **EVENT, user_agent=agent)
        insert(raw, "user_agents", user_agent=agent, device_type="tablet", is_bot=True)
        assert is_outdated(raw)
        assert enrich(raw) == 1
        assert not is_outdated(raw)
        found = raw.execute("select device_type, is_bot from raw.user_agents").fetchall()
    assert found == [("mobile", False)]


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
