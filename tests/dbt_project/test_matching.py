"""Match links to campaigns, by the ids, names, aliases and destinations that ad platforms report.

One small warehouse is built once, then again with the alias that the mart suggests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest

from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.settings.raw_tables import store_settings
from ingestion.warehouse import connect
from tests.support.models import Project
from tests.support.raw_rows import LOADED, insert

NOON = datetime(2026, 7, 1, 12)
DEFAULTS = LOADED | {"valid_from": NOON, "org_id": "o", "account_id": "1", "date": NOON.date(), "currency": "USD"}
SHOP = "https://shop.example/"
SETTINGS = """\
orgs:
  - {id: o, currency: USD}
sites:
  - {id: shop, org: o, domains: [shop.example]}
campaign_aliases:
  - {org: o, platform: google, name: Brand Terms, campaign_id: g1}
  - {org: o, platform: facebook, name: relaunch, campaign_id: m1}
  - {org: o, platform: google, name: on both, campaign_id: g1}
  - {org: o, platform: google, name: on_both, campaign_id: g2}
"""

QUOTED = """It's "50% off": {sale}, #1 \\ [Übergröße] 😀"""  # every character that YAML treats specially

# platform, campaign_id, its name, adset_id, ad_id
SPEND = [
    ("google", "g1", "Summer Sale", "g1s", "g1a"), ("google", "g1", "Summer Sale", "g1s", "g1b"),
    ("google", "g2", "Winter", None, None), ("google", "77", "Seventy-seven", None, None),
    ("google", "g3", QUOTED, None, None),
    ("meta", "m1", "Launch", "m1s", "m1a"), ("meta", "m1", "Launch", "m1s", "m1b"),
    ("meta", "m1", "Launch", "m1t", "m1c"),
    ("meta", "m2", "Relaunch", "m2s", "m2a"), ("meta", "77", "Another seventy-seven", None, None),
]  # fmt: skip
# click_id: campaign_id, adset_id, ad_id
CLICKS = {"AbC": ("g2", "g2s", "g2a"), "abc": ("g1", "g1s", "g1a"), "young": ("g9", "g9s", "g9a")}
# level, entity_id, its parents (campaign, ad set), its creative, its destination
ENTITIES = [
    (
        "ad",
        "m1a",
        "m1",
        "m1s",
        None,
        "?utm_source=facebook&utm_campaign=Spring-Launch&utm_content=video&utm_id={{campaign.id}}",
    ),
    ("ad", "m1b", "m1", "m1s", None, "?utm_source=facebook&utm_campaign=Spring-Launch&utm_content=image"),
    ("ad", "m1c", "m1", "m1t", None, "?utm_source=facebook&utm_campaign=shared&utm_content={{ad.name}}"),
    ("ad", "m2a", "m2", "m2s", "k1", "?utm_source=facebook&utm_campaign=shared&utm_content={{ad.name}}"),
    ("creative", "k1", None, None, None, "?utm_source={{site_source_name}}&utm_campaign=comeback"),
    ("campaign", "m3", None, None, None, "?utm_source=facebook&utm_campaign={{campaign.name}}"),
]

GOOGLE, META = "utm_source=google&utm_medium=cpc&", "utm_source=facebook&utm_medium=paid_social&"
# link -> platform, campaign, ad set, ad, way
LINKS = {
    # ids
    f"?{GOOGLE}utm_id=g1": "google g1 - - id",
    f"?{GOOGLE}utm_id=g1b": "google g1 g1s g1b id",
    f"?{GOOGLE}utm_id=g1&utm_content=g1a": "google g1 g1s g1a id",
    f"?{META}utm_id=m3": "meta m3 - - id",
    f"?{GOOGLE}utm_id=nowhere": "google nowhere - - declared",
    f"?{GOOGLE}utm_id=77": "google 77 - - id",
    "?utm_medium=cpc&utm_id=77": "(unmatched) 77 - - declared",
    # click ids of the platform: they are case-sensitive, and their campaign may have no spend yet
    "?gclid=AbC": "google g2 g2s g2a click_id",
    "?gclid=abc": "google g1 g1s g1a click_id",
    "?gclid=young": "google g9 g9s g9a click_id",
    "?gclid=ABC": "google - - - none",
    "?msclkid=AbC": "microsoft - - - none",
    "?gclid=AbC&utm_id=g1": "google g1 - - id",
    "?gclid=abc&utm_id=g1": "google g1 g1s g1a id",
    "?gclid=AbC&utm_id=nowhere": "google g2 g2s g2a click_id",
    "?gclid=AbC&utm_source=news&utm_medium=email": "(organic) - - - none",
    # ids in URL parameters with the usual names
    "?gclid=x&gad_source=1&gad_campaignid=g2": "google g2 - - url_parameter",
    "?gad_source=1&gad_campaignid=unreported": "google unreported - - declared",
    "?gclid=x&gad_campaignid=unreported&utm_campaign=winter": "google unreported - - declared",
    "?gclid=x&CampaignId=g1&adgroupid=g1s&creative=g1b": "google g1 g1s g1b url_parameter",
    "?gclid=x&hsa_ad=g1a": "google g1 g1s g1a url_parameter",
    "?gclid=x&hsa_grp=g1s": "google g1 g1s - url_parameter",
    "?gclid=x&campaignid={campaignid}": "google - - - none",
    "?gclid=x&campaignid=m1": "google - - - none",
    f"?{META}ad_id=m1c&campaign_id=elsewhere": "meta m1 m1t m1c url_parameter",
    "?campaign_id=g1": "(organic) - - - none",
    # aliases, which have priority over similar names
    f"?{GOOGLE}utm_campaign=brand_terms": "google g1 - - alias",
    f"?{META}utm_campaign=Relaunch": "meta m1 - - alias",
    f"?{META}utm_campaign=brand-terms": "meta - - - none",
    f"?{GOOGLE}utm_campaign=on-both": "google - - - none",
    # destinations of ads
    f"?{META}utm_campaign=spring-launch&utm_content=video": "meta m1 m1s m1a destination",
    f"?{META}utm_campaign=spring-launch&utm_content=other": "meta m1 m1s - destination",
    f"?{META}utm_campaign=spring-launch&utm_id=m1&utm_content=image": "meta m1 m1s m1b id",
    f"?{META}utm_campaign=shared": "meta - - - none",
    f"?{GOOGLE}utm_campaign=spring-launch": "google - - - none",
    "?utm_source=ig&utm_medium=paid_social&utm_campaign=comeback": "meta m2 m2s m2a destination",
    # names
    f"?{GOOGLE}utm_campaign=summer_sale": "google g1 - - name",
    f"?{META}utm_campaign=third": "meta m3 - - name",
    f"?{META}utm_campaign=summer_sale": "meta - - - none",
    "?utm_source=news&utm_medium=email&utm_campaign=summer_sale": "(organic) - - - none",
    # creators
    "?creator=jane": "influencers jane-2026 - - creator_code",
    "?utm_source=instagram&utm_medium=social&creator=JANE": "influencers jane-2026 - - creator_code",
    "?creator=joe": "creator - - - none",
    # no match
    f"?{GOOGLE}utm_campaign=sale%20summer%202026": "google - - - none",
    f"?{GOOGLE}utm_campaign={quote(QUOTED + ' new')}": "google - - - none",
    f"?{META}utm_campaign=thirds": "meta - - - none",
    f"?{GOOGLE}utm_campaign=xyzzy": "google - - - none",
}
VISITORS = 5  # of each link, so that the platform has the 100 touches that a notice needs


def fill(connection: duckdb.DuckDBPyConnection) -> None:
    for number, url in enumerate([*LINKS] * VISITORS):
        event = {"site_id": "shop", "event_id": str(number), "type": "PAGE_VIEW", "occurred_at": NOON}
        insert(connection, "events", DEFAULTS, anon_id=f"v{number}", url=SHOP + url, **event)
    for minute, query in enumerate(("", "?utm_source=banner", "?utm_source=banner")):  # the own links of one visit
        event = {
            "site_id": "shop",
            "event_id": f"own{minute}",
            "type": "PAGE_VIEW",
            "referrer": SHOP if query else None,
        }
        at = NOON + timedelta(minutes=minute)
        insert(connection, "events", DEFAULTS, anon_id="own", url=SHOP + query, occurred_at=at, **event)
    for platform, campaign_id, campaign, adset_id, ad_id in SPEND:
        insert(
            connection,
            "ad_spend",
            DEFAULTS,
            platform=platform,
            campaign_id=campaign_id,
            campaign=campaign,
            adset_id=adset_id,
            ad_id=ad_id,
            spend_micros=1,
        )
    for click_id, (campaign_id, adset_id, ad_id) in CLICKS.items():
        ids = {"campaign_id": campaign_id, "adset_id": adset_id, "ad_id": ad_id}
        insert(connection, "ad_clicks", DEFAULTS, platform="google", click_id=click_id, **ids)
    for level, entity_id, campaign_id, adset_id, creative_id, query in ENTITIES:
        insert(
            connection,
            "ad_entities",
            DEFAULTS,
            platform="meta",
            level=level,
            entity_id=entity_id,
            campaign_id=campaign_id,
            adset_id=adset_id,
            creative_id=creative_id,
            destination_url=SHOP + query,
            name="Third" if level == "campaign" else entity_id,
        )
    insert(
        connection,
        "fees",
        DEFAULTS,
        fee_id="1",
        platform="influencers",
        campaign_id="jane-2026",
        creator_code="Jane",
        channel="Influencers",
        basis="period",
        amount_micros=1,
        starts_on=NOON.date(),
        ends_on=NOON.date(),
    )


@pytest.fixture(scope="module")
def home(new_home: Callable[[str], Path]) -> Home:
    home = Home(new_home("matching"))
    home.settings.write_text(SETTINGS)
    with connect(home) as connection:
        store_settings(connection, load_settings(home))
        fill(connection)
    return home


@pytest.fixture(scope="module")
def warehouse(home: Home, project: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    project.build_models(home.root, "campaign_matching")
    with connect(home, read_only=True) as connection:
        yield connection


def matched(warehouse: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(
        warehouse.execute(
            """
        select substr(landing_url, length(?) + 1), concat_ws(
            ' ', platform, coalesce(campaign_id, '-'), coalesce(adset_id, '-'), coalesce(ad_id, '-'), campaign_match
        ) from marts.touchpoints""",
            [SHOP],
        ).fetchall()
    )


def test_each_link_matches_its_campaign(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = matched(warehouse)
    assert {link: found[link] for link in LINKS} == LINKS


def test_touches_of_a_creator_count_in_the_channel_of_the_fee(warehouse: duckdb.DuckDBPyConnection) -> None:
    channels = dict(
        warehouse.execute("""
        select creator_code, channel from marts.touchpoints where creator_code is not null""").fetchall()
    )
    assert channels == {"jane": "Influencers", "JANE": "Influencers", "joe": "Affiliates"}


def test_campaign_matching_counts_each_paid_touch_once(warehouse: duckdb.DuckDBPyConnection) -> None:
    paid = [found for found in matched(warehouse).values() if not found.startswith("(organic)")]
    expected: dict[str, list[bool]] = {}
    for found in paid:
        expected.setdefault(found.split()[0], []).append(found.split()[-1] not in ("none", "declared"))
    shares = warehouse.execute("""
        select platform, sum(touches), min(platform_touches), min(platform_matched_share), max(platform_matched_share)
        from marts.campaign_matching group by platform""").fetchall()
    assert {platform: figures for platform, *figures in shares} == {
        platform: [len(ways) * VISITORS, len(ways) * VISITORS, sum(ways) / len(ways), sum(ways) / len(ways)]
        for platform, ways in expected.items()
    }


def test_a_campaign_is_suggested_even_before_its_first_spend(warehouse: duckdb.DuckDBPyConnection) -> None:
    suggested = "select campaign, suggested_campaign_id, suggested_campaign from marts.campaign_matching"
    assert set(warehouse.execute(f"{suggested} where suggested_campaign_id is not null").fetchall()) >= {
        ("sale summer 2026", "g1", "Summer Sale"),
        ("thirds", "m3", "third"),
    }


def test_a_suggested_alias_can_be_pasted_into_the_settings_and_matches(
    home: Home, project: Project, warehouse: duckdb.DuckDBPyConnection
) -> None:
    suggested = dict(
        warehouse.execute("""
        select campaign, suggested_alias from marts.campaign_matching
        where platform = 'google' and campaign is not null and not is_matched""").fetchall()
    )
    assert suggested["xyzzy"] is None
    aliases = suggested["sale summer 2026"], suggested[QUOTED + " new"]
    warehouse.close()
    home.settings.write_text("\n  ".join((SETTINGS.rstrip(), *aliases)) + "\n")
    with connect(home) as connection:
        store_settings(connection, load_settings(home))
    project.build_models(home.root, "notices")
    with connect(home, read_only=True) as again:
        found = matched(again)
        assert found[f"?{GOOGLE}utm_campaign=sale%20summer%202026"] == "google g1 - - alias"
        assert found[f"?{GOOGLE}utm_campaign={quote(QUOTED + ' new')}"] == "google g3 - - alias"
        messages = again.execute("""
            select message from marts.notices where topic = 'unmatched_touches' order by 1""").fetchall()
        own_links = again.execute("select message from marts.notices where topic = 'own_links'").fetchall()
        assert [message[:24] for (message,) in own_links] == ["2 events of site shop op"]
        ways = [way.split()[-1] for way in found.values() if way.startswith("google ")]
        unmatched = sum(way in ("none", "declared") for way in ways)
        assert messages[0][0].startswith(
            f"google: {100 * unmatched / len(ways):.0f} % of {len(ways) * VISITORS} touches belong to no"
        )
