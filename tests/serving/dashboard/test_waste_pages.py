"""Waste: totals count money once, the evidence is that of the marts, and only people with the scope mark a flag."""

from __future__ import annotations

import json
import re
import shutil
from datetime import timedelta
from html import unescape
from urllib.parse import quote

import duckdb
import pytest
from starlette.testclient import TestClient

from serving.access.principals import Access
from serving.access.state import State
from serving.app import create_app
from serving.orgs import OrgFiles
from serving.service import LiveFacts, Service
from tests.support.questions import Questions, total

EVIDENCE = {
    "summary": "pays 165.35 USD a conversion, and the target is 50.00 USD",
    "probability_by_chance": 0.001,
    "threshold_probability": 0.05,
    "target_cpa_micros": 50_000_000,
    "target_cpa_source": "org",
    "target_roas": 2.0,
    "daily_spend_micros": 10_000_000,
    "market": "account 1",
    "kind": "Paid Social, retargeting",
    "comparable_count": 3,
    "comparable_median_cpa_micros": 40_000_000,
    "comparable_median_roas": 1.5,
    "models_flagging": 2,
    "trend": [
        {"weeks_ago": 1, "spend_micros": 70_000_000, "conversions": 2.0, "value_micros": 35_000_000},
        {"weeks_ago": 0, "spend_micros": 50_000_000, "conversions": 0.0, "value_micros": 0},
    ],
}

# A fortnight is too short for flags. Three ads, an ad set of one and a campaign of another are flagged by two models.
FLAGS = """
    create temp table ads as
    select platform, campaign_id, adset_id, ad_id, sum(spend_micros)::bigint as spend_micros, max(date) as last_day
    from rollup_spend
    where grain = 'AD' and ad_id <> '(unmatched)'
    group by all
    order by spend_micros desc, ad_id
    limit 3;
    create temp table things as
    select 'AD' as grain, * from ads
    union all
    select 'ADSET', * replace (null as ad_id) from (from ads limit 1)
    union all
    select 'CAMPAIGN', * replace (null as ad_id, null as adset_id) from (from ads limit 1 offset 1);
    insert into waste_flags by name
    select
        md5(concat_ws('|', grain, campaign_id, adset_id, ad_id, attribution_model)) as waste_id,
        'northwind' as org_id, * exclude last_day, last_day - 6 as period_start, last_day as period_end,
        1.0 as conversions,
        5.0 as expected_conversions, spend_micros // 2 as waste_spend_micros, 0.5 as waste_pct, 'high_cpa' as reason,
        if(grain = 'AD', 'medium', 'high') as severity, 'Pause "Shoes".' as recommendation, $1::json as explanation
    from things, (select unnest(['linear', 'last_touch']) as attribution_model)
"""


@pytest.fixture(scope="module")
def flagged(built, tmp_path_factory):
    """The published files of the fortnight, with waste flags."""
    home = tmp_path_factory.mktemp("flagged")
    shutil.copytree(built / "published" / "orgs", home / "published" / "orgs")
    with duckdb.connect(str(home / "published" / "orgs" / "northwind.duckdb")) as connection:
        *tables, insert = FLAGS.split(";")
        for table in tables:
            connection.execute(table)
        connection.execute(insert, [json.dumps(EVIDENCE)])
    return home


@pytest.fixture(scope="module")
def questions(flagged):
    asking = Questions(flagged)
    yield asking
    asking.close()


@pytest.fixture
def service(flagged, tmp_path):
    live = LiveFacts(lambda org: [], lambda org: [], lambda org: [])
    service = Service(tmp_path, OrgFiles(flagged / "published"), State(tmp_path / "serving.sqlite"), live)
    service.load()
    yield service
    service.orgs.close()


@pytest.fixture
def client(service):
    return TestClient(create_app(service, Access(service.state.session_secret())), base_url="http://127.0.0.1")


@pytest.fixture
def flag(questions):
    return questions.ask("northwind", "waste")[0]


@pytest.mark.parametrize("query", [{}, {"grain": "AD"}, {"model": "last_touch", "min_waste": 1}], ids=str)
def test_totals_count_money_once(questions, query):
    flags = questions.ask("northwind", "waste", **query)
    chains = [tuple(filter(None, (f["platform"], f["campaign_id"], f["adset_id"], f["ad_id"]))) for f in flags]
    outermost = [
        flag
        for flag, own in zip(flags, chains, strict=True)
        if not any(own[: len(other)] == other and own != other for other in chains)
    ]
    assert len(flags) > 1
    assert [flag["waste_id"] for flag in flags if flag["is_counted"]] == [flag["waste_id"] for flag in outermost]
    for question in ("waste_by_severity", "waste_by_platform"):
        rows = questions.ask("northwind", question, **query)
        assert total(rows, "waste_spend_micros") == total(outermost, "waste_spend_micros")
        assert total(rows, "flags") == len(flags)


def test_the_total_of_a_severity_is_its_part_of_the_whole(questions):
    rows = questions.ask("northwind", "waste_by_severity")
    assert {row["severity"] for row in rows} == {"medium", "high"}
    for row in rows:
        assert questions.ask("northwind", "waste_by_severity", severity=row["severity"]) == [row]


def test_a_flag_has_its_weeks_its_models_and_its_saving(questions, flag):
    weeks = questions.ask("northwind", "waste_trend", waste_id=flag["waste_id"])
    end = flag["period_end"]
    assert [(week["week"], week["is_in_period"]) for week in weeks] == [
        (end - timedelta(days=13), "no"),
        (end - timedelta(days=6), "yes"),
    ]
    assert [week["spend_micros"] for week in weeks] == [70_000_000, 50_000_000]
    assert [(week["cpa_micros"], week["roas"]) for week in weeks] == [(35_000_000, 0.5), (None, 0)]
    models = questions.ask("northwind", "waste_models", waste_id=flag["waste_id"])
    assert {row["attribution_model"] for row in models if row["verdict"] == "flagged"} == {"linear", "last_touch"}
    assert len(models) == len(questions.sql("northwind", "select distinct attribution_model from model_comparison"))
    (found,) = questions.ask("northwind", "waste_flag", waste_id=flag["waste_id"])
    assert found["saved_micros"] == 10_000_000 * 30 / 2


def token(page: str) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found
    return found[1]


def test_a_mark_greys_the_flag_with_who_and_when(client, service, flag):
    path = f"/waste/{flag['waste_id']}"
    page = client.get(f"{path}?org=northwind")
    assert page.status_code == 200
    assert "Pause &#34;Shoes&#34;." in page.text
    assert "2 of 11 attribution models flag it." in page.text
    form = {"csrf_token": token(page.text), "org": "northwind", "status": "done", "note": "<b>paused</b>"}
    done = client.post(f"{path}/mark?org=northwind", data=form)
    assert "Marked as done by local" in done.text
    assert "&lt;b&gt;paused&lt;/b&gt;" in done.text
    listed = client.get("/waste?org=northwind&parts=all").text
    assert listed.count('class="marked"') == 1
    assert "done by local on" in listed
    assert 'class="marked"' not in client.get("/waste?org=northwind&parts=all&marks=open").text
    client.post(f"{path}/mark?org=northwind", data=form | {"status": "open"})
    assert service.state.waste_marks("northwind") == {}
    actions = [(row.principal, row.action) for row in service.state.audit("northwind")]
    assert actions == [("local", "waste_unmarked"), ("local", "waste_marked")]


def test_only_the_scope_and_the_org_may_mark(client, service, flag):
    path, form = f"/waste/{flag['waste_id']}/mark", {"org": "northwind", "status": "done"}
    assert client.post(path, data=form).status_code == 403  # no CSRF token
    for org, scopes, status in (("northwind", ["read"], 403), ("nordlicht", ["read", "mark"], 404)):
        _, key = service.state.create_key(org, scopes, "a key", "test")
        assert client.post(path, data=form, headers={"Authorization": f"Bearer {key}"}).status_code == status
    assert service.state.waste_marks("northwind") == service.state.waste_marks("nordlicht") == {}


@pytest.mark.parametrize("path", ["/waste/{}", "/journeys/{}"])
@pytest.mark.parametrize("identifier", ["unknown", "' or 1 = 1 --", "%25", "a/b"])
def test_an_unknown_id_is_a_page_that_says_what_to_do(client, path, identifier):
    page = client.get(path.format(identifier), params={"org": "northwind"})
    assert page.status_code == 404
    assert "There is no such" in page.text


def test_another_orgs_conversion_is_unknown(client, questions):
    ((conversion,),) = questions.sql("nordlicht", "select min(conversion_id) from conversions")
    assert client.get(f"/journeys/{conversion}", params={"org": "nordlicht"}).status_code == 200
    assert client.get(f"/journeys/{conversion}", params={"org": "northwind"}).status_code == 404


def test_links_to_files_lead_to_files_that_the_person_may_read(client, service, questions, flag):
    """The API refuses a parameter that a question lacks, such as those of pages only."""
    conversion = questions.ask("northwind", "journeys")[0]["conversion_id"]
    _, reader = service.state.create_key("northwind", ["read"], "a key", "test")
    for path in (
        "/waste?org=northwind&marks=open&parts=all&compare=none&search=a",
        f"/waste/{flag['waste_id']}?org=northwind&marks=open",
        f"/journeys/{quote(conversion, safe='')}?org=northwind&windows=all&channel=Email",
        "/explain/waste?org=northwind&marks=open",
    ):
        links = [unescape(link) for link in re.findall(r'href="(/api/\w+\?[^"]+)"', client.get(path).text)]
        assert links
        for link in links:
            assert client.get(link).status_code == 200, link
        page = client.get(path, headers={"Authorization": f"Bearer {reader}"}).text
        assert not re.search(r"format=(csv|parquet|arrow)", page)
