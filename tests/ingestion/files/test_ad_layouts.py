"""Reports of ad platforms are recognised by their headers in many languages, and refused if a row is no day.

Files of one vendor have few headers that no other vendor writes, so each new layout can take the files of another.
"""

from __future__ import annotations

import csv
from types import SimpleNamespace

import pytest

from ingestion.files.column_mapping import ImportOptions
from ingestion.files.contracts import ContractError
from ingestion.files.layouts import recognise
from ingestion.files.load import import_file
from ingestion.home import Home
from ingestion.settings.model import Org, Settings
from ingestion.warehouse import connect
from tests.support.home import ROOT

SETTINGS = Settings(orgs=[Org("default", "USD")])
ACCOUNT = ImportOptions(constants={"account_id": "1"})
HEADERS = (ROOT / "tests" / "fixtures" / "ad_headers.txt").read_text(encoding="utf-8").splitlines()  # layout: header


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("ads"))
    home.temporary.mkdir(parents=True)
    with connect(home) as connection:
        yield connection


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_has_one_layout(case):
    layout, _, header = case.partition(": ")
    (columns,) = csv.reader([header])
    found = recognise(SimpleNamespace(columns=columns, label="file"), None, (), None, with_layouts=True)
    assert found
    assert found.match
    assert found.match.layout.name == layout


@pytest.mark.parametrize("kind", [None, "spend"])
def test_a_report_without_days_is_refused_with_the_way_to_add_them(raw, tmp_path, kind):
    path = tmp_path / "all_time.csv"
    path.write_text("Campaign report\nAll time\nCampaign,Cost,Impr.,Currency code\nKettles,1.50,10,USD\n")
    with pytest.raises(ContractError, match=r"resembles Google Ads.* has no column Day .*Segment, Time, Day"):
        import_file(raw, path, SETTINGS, ACCOUNT, kind=kind)


def test_weeks_and_months_are_no_days(raw, tmp_path):
    reports = {
        "meta.csv": "Reporting starts,Reporting ends,Campaign name,Amount spent (USD)\n"
        "2026-08-03,2026-08-09,,7\n2026-08-03,2026-08-09,Kettles,3\n2026-08-03,2026-08-09,Cups,4\n",
        "insights.csv": "date_start,date_stop,campaign_name,spend,account_currency\n"
        "2026-08-01,2026-08-31,Kettles,7,USD\n",
        "snapchat.csv": "Start Time,End Time,Campaign Name,Currency,Amount Spent,Paid Impressions\n"
        "2026-08-03T00:00:00.000-07:00,2026-08-10T00:00:00.000-07:00,Kettles,USD,7,1\n",
        "x.csv": "Time period,Campaign name,Currency,Spend\n2026-08-03 - 2026-08-09,Kettles,USD,7\n",
    }
    for name, text in reports.items():
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(ContractError, match="period_row"):
            import_file(raw, path, SETTINGS, ACCOUNT)
    (report,) = import_file(raw, tmp_path / "meta.csv", SETTINGS, ACCOUNT._replace(spread=True))
    assert (report.loaded, report.summary) == (14, 1)
    assert raw.execute("select sum(spend_micros) from raw.ad_spend").fetchall() == [(7_000_000,)]


def test_linkedin_groups_are_campaigns(raw, tmp_path):
    raw.execute("delete from raw.ad_spend")
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text(
        "Start Date (in UTC),Currency,Campaign Group Name,Campaign Name,Campaign ID,Total Spent\n"
        "2026-08-03,USD,Plants,Engineers,300,7\n"
    )
    new.write_text(
        "Start Date (in UTC),Currency,Campaign Name,Ad Set Name,Ad Set ID,Total Spent\n"
        "2026-08-03,USD,Plants,Engineers,300,7\n"
    )
    for path in (old, new):
        import_file(raw, path, SETTINGS, ACCOUNT)
    rows = raw.execute("select campaign_id, campaign, adset_id, adset from raw.ad_spend").fetchall()
    assert rows == [("Plants", "Plants", "300", "Engineers")]
