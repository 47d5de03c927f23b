"""Run the examples of the documents about questions and the API."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from cli.app import app
from serving.answers import ask
from serving.parameters import PARAMETERS
from serving.questions import FOLDER, UNITS
from tests.support.home import ROOT, published
from tests.support.serving import app_on, client_of, copy_published, filters_of, running, service_on

QUESTION = (ROOT / "docs" / "add-a-question.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()
DASHBOARD = (ROOT / "docs" / "dashboard.md").read_text()


def block(text: str, language: str) -> str:
    """Return the first code block of a language."""
    found = re.search(rf"^( *)```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    assert found, language
    return textwrap.dedent(found[2])


@pytest.fixture
def home(built: Path, tmp_path: Path) -> Path:
    """A home with the question and the pages of the documents."""
    home = copy_published(built, tmp_path)
    for folder, name, language in (("questions", "revenue_by_weekday.sql", "sql"), ("pages", "weekdays.html", "html")):
        (home / folder).mkdir()
        (home / folder / name).write_text(block(QUESTION, language))
    (home / "pages" / "more.html").write_text(block(DASHBOARD, "html"))
    return home


def test_the_example_of_a_question_answers_everywhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = service_on(home, home)
    client = client_of(app_on(service))
    with published(home, "northwind") as connection, service.orgs.pinned("northwind") as version:
        filters = filters_of(version, model="last_touch")
        expected = connection.execute(
            "select dayname(date), sum(conversion_value_micros)::bigint from channel_summary"
            " where attribution_model = 'last_touch' and lookback_days = $window and date between $from and $to"
            " and conversion_type = $conversion_type group by all having count_if(conversions > 0) > 0",
            filters.arguments(["window", "from", "to", "conversion_type"]),
        ).fetchall()
        question = service.questions["revenue_by_weekday"]
        answer = ask(version, question, filters)
        assert set(question.columns) == set(answer.names)
        assert sorted(row[:2] for row in answer.rows) == sorted(expected)
        assert sum(row[2] for row in answer.rows) == pytest.approx(1)
    rows = client.get("/api/revenue_by_weekday?org=northwind&model=last_touch").json()["rows"]
    assert [(row["weekday"], row["revenue_micros"]) for row in rows] == [row[:2] for row in answer.rows]
    assert client.get("/more?org=northwind").status_code == 200
    page = client.get("/weekdays?org=northwind&model=last_touch")
    assert page.status_code == 200
    assert all(f'data-value="{row["revenue_micros"]}"' in page.text for row in rows)
    assert ">Weekdays</a>" in page.text
    monkeypatch.setenv("TRIBUTARY_HOME", str(home))
    done = CliRunner().invoke(
        app, ["ask", "revenue_by_weekday", "--org", "northwind", "--set", "channel=Email", "--csv"]
    )
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "weekday,revenue_micros,share")


def test_the_document_has_the_units_parameters_and_shared_ctes() -> None:
    tables = "\n".join(line for line in QUESTION.splitlines() if line.startswith("|"))
    named = set(re.findall(r"`\$?(\w+)`", tables))
    assert {"text", "label", "sentence", "money", "count", "percent", "date", "time", "list"} <= named & set(UNITS)
    assert set(re.findall(r"`\$(\w+)`", tables)) <= set(PARAMETERS)
    assert {"credit", "booked", "daily_spend"} <= {path.stem for path in (FOLDER / "shared").glob("*.sql")}


def test_the_paths_of_the_document_answer(built: Path, tmp_path: Path) -> None:
    client = client_of(app_on(service_on(built, tmp_path)))
    paths = {path for path in re.findall(r"`(/api/[\w/{}]+)`", API) if "{" not in path}
    assert {"/api/waste", "/api/meta", "/api/docs"} <= paths
    for path in paths:
        assert client.get(f"{path}?org=northwind").status_code == 200, path
    statuses = set(re.findall(r"^\| (\d{3}) ", API, re.MULTILINE))
    responses = client.get("/api/openapi.json").json()["paths"]["/api/kpis"]["get"]["responses"]
    assert statuses - {"500"} == set(responses) - {"200", "304", "500"}


def test_the_example_of_pages_reads_all_rows(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = block(API, "python").replace("limit=500", "limit=7")
    with running(app_on(service_on(built, tmp_path))) as address:
        names: dict[str, object] = {}
        exec(script.replace("http://127.0.0.1:8600", address), names)
        whole = httpx.get(f"{address}/api/rollups?org=northwind&limit=10000").json()["rows"]
    assert names["rows"] == whole
    assert len(whole) > 7
