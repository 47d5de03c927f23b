"""Ask the API as programs do: formats, filters, pages, versions, errors, scopes."""

from __future__ import annotations

import io
import json
import re
import shutil
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from starlette.testclient import TestClient

from serving import exports, orgs
from serving.answers import ARROW, CSV, JSON, PARQUET, ask
from serving.api import endpoints
from serving.api.openapi import PATHS
from serving.service import Service
from tests.support.home import published
from tests.support.serving import app_on, client_of, copy_published, filters_of, plant_waste, publish_copy, service_on

YEAR = {"org": "northwind", "dateRange": "2026-01-01,2026-12-31"}


@pytest.fixture(scope="module")
def home(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the published files and flags of waste, which the fortnight does not have."""
    home = copy_published(built, tmp_path_factory.mktemp("wasteful"))
    for org in ("northwind", "nordlicht"):
        plant_waste(home / "published" / "orgs" / f"{org}.duckdb", org)
    return home


@pytest.fixture(scope="module")
def service(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = service_on(home, tmp_path_factory.mktemp("state"))
    yield service
    service.orgs.close()


@pytest.fixture(scope="module")
def api(service: Service) -> TestClient:
    return client_of(app_on(service))


def problem(response: Any, status: int) -> str:
    """Return the sentence of a problem, after checking its form."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], set(body)) == (status, {"type", "title", "status", "detail"})
    assert body["detail"][:1].strip(), body
    return str(body["detail"])


def all_rows(api: TestClient, path: str, **query: object) -> list[dict[str, Any]]:
    response = api.get(path, params={**YEAR, "limit": 10_000, **query})
    assert response.status_code == 200, response.text
    assert response.json()["next_cursor"] is None
    rows: list[dict[str, Any]] = json.loads(response.text, parse_float=Decimal)["rows"]
    return rows


# --- Formats.


def test_formats_have_equal_rows(api: TestClient, service: Service) -> None:
    with service.orgs.pinned("northwind") as version:
        filters = filters_of(version, **{"from": "2026-01-01", "to": "2026-12-31", "grain": "AD"})
        expected = ask(version, service.questions["rollups"], filters).records()
    assert len(expected) > 100
    query = {**YEAR, "grain": "AD"}
    rows = all_rows(api, "/api/rollups", grain="AD")
    assert [row["conversions"] for row in rows] == [row["conversions"] for row in expected]
    assert [row["spend_micros"] for row in rows] == [row["spend_micros"] for row in expected]
    for media_type, read in ((PARQUET, pl.read_parquet), (ARROW, pl.read_ipc_stream)):
        response = api.get("/api/rollups", params=query, headers={"Accept": media_type})
        assert response.headers["content-type"] == media_type
        assert read(io.BytesIO(response.content)).rows(named=True) == expected
    response = api.get("/api/rollups", params=query, headers={"Accept": CSV})
    assert response.headers["content-type"].startswith(CSV)
    assert response.headers["content-disposition"] == 'attachment; filename="rollups.csv"'
    frame = pl.read_csv(io.BytesIO(response.content), infer_schema=False)
    assert frame.columns == list(expected[0])
    assert [Decimal(value) for value in frame["conversions"]] == [row["conversions"] for row in expected]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/html,application/xhtml+xml,*/*;q=0.8", JSON),
        ("text/csv", CSV),
        ("text/*", CSV),
        ("TEXT/CSV; charset=utf-8", CSV),
        ("image/png, text/csv;q=0.4, application/json;q=0.6", JSON),
        ("application/json;q=0, text/csv", CSV),
        ("application/json;q=nonsense, text/csv;q=0.1", CSV),
        (PARQUET, PARQUET),
        (ARROW, ARROW),
        ("", JSON),
    ],
)
def test_accept_chooses_the_format(api: TestClient, accept: str | None, media_type: str) -> None:
    headers = {} if accept is None else {"Accept": accept}
    response = api.get("/api/kpis", params={"org": "northwind"}, headers=headers)
    assert response.headers["content-type"].partition(";")[0] == media_type
    assert "Accept" in response.headers["vary"]


def test_formats_that_the_api_lacks(api: TestClient) -> None:
    assert "text/csv" in problem(api.get("/api/kpis?org=northwind", headers={"Accept": "image/png"}), 406)
    assert "json, csv" in problem(api.get("/api/kpis?org=northwind&format=xlsx"), 400)
    assert api.get("/api/kpis?org=northwind&format=csv", headers={"Accept": JSON}).text.startswith("revenue_micros,")


def test_a_cell_of_a_csv_is_no_formula(built: Path, tmp_path: Path) -> None:
    home = copy_published(built, tmp_path)
    (home / "questions").mkdir()
    (home / "questions" / "mine.sql").write_text("/*\ntitle: Mine\n*/\nselect '=cmd()' as a, 0::decimal(38, 12) as b")
    client = client_of(app_on(service_on(home, home)))
    assert client.get("/api/mine?org=northwind&format=csv").text == "a,b\n'=cmd(),0.000000000000\n"
    assert client.get("/api/mine?org=northwind").json()["rows"] == [{"a": "=cmd()", "b": 0}]


MANY = """/*
title: Many
columns: {number: {title: Number}}
*/
select i as number, 'a "text", ' || i as text, (i / 7)::decimal(38, 12) as part, date '2026-01-01' as date,
    [i, 2] as list, if(mod(i, 3) = 0, null, i / 2.0) as half
from range(%d) as r(i)
order by number
"""


@pytest.fixture(scope="module")
def many(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A home with a question whose exports are large."""
    home = copy_published(built, tmp_path_factory.mktemp("many"))
    (home / "questions").mkdir()
    (home / "tmp").mkdir()
    (home / "questions" / "many.sql").write_text(MANY % 50_000)
    service = service_on(home, home)
    yield service
    service.orgs.close()


def test_a_large_export_has_the_rows_of_small_ones(many: Service) -> None:
    api = client_of(app_on(many))
    address = "/api/many?org=northwind"
    readers = {CSV: pl.read_csv, PARQUET: pl.read_parquet, ARROW: pl.read_ipc_stream}
    for media_type, read in readers.items():
        parts, headers = [], {"Accept": media_type, "Accept-Encoding": "identity"}
        following = f"{address}&limit=10000"
        while following:
            response = api.get(following, headers=headers)
            parts.append(read(io.BytesIO(response.content)))
            following = response.links.get("next", {}).get("url")
        assert [len(part) for part in parts] == [10_000] * 5
        large = api.get(address, headers=headers)
        assert int(large.headers["content-length"]) == len(large.content)
        assert read(io.BytesIO(large.content)).equals(pl.concat(parts), null_equal=True)
        assert api.get(address, headers={**headers, "Accept-Encoding": "gzip"}).content == large.content
        assert api.get(address, headers={**headers, "If-None-Match": large.headers["etag"]}).status_code == 304
    assert list((many.home / "tmp").iterdir()) == []
    assert {row.detail["question"] for row in many.state.audit() if row.action == "export"} == {"many"}


def test_an_export_of_too_many_rows_is_a_problem_or_has_pages(many: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "LARGEST_EXPORT", 30_000)
    api = client_of(app_on(many))
    address = "/api/many?org=northwind&format=csv"
    assert "read it page by page: limit=30000." in problem(api.get(address), 400)
    first = api.get(f"{address}&limit=30000")
    rest = api.get(first.links["next"]["url"])
    assert (len(first.text.splitlines()), len(rest.text.splitlines())) == (30_001, 20_001)
    assert list((many.home / "tmp").iterdir()) == []


@pytest.mark.parametrize("media_type", [CSV, PARQUET, ARROW])
def test_a_large_export_takes_little_memory(
    many: Service, media_type: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rows at once take more than 40 MB."""
    monkeypatch.setattr(exports, "BATCH", 2_000)
    with many.orgs.pinned("northwind") as version, (tmp_path / "export").open("wb") as out:
        tracemalloc.start()
        try:
            question = many.questions["many"]
            has_more = exports.write_export(version, question, filters_of(version), media_type, out, limit=49_999)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert has_more
    assert peak < 12_000_000


# --- Filters.


def test_other_spellings_give_the_same_rows(api: TestClient) -> None:
    plain = all_rows(api, "/api/waste", attributionModel="last_touch", minWasteSpend="5")
    query = {"org": "northwind", "from": "2026-01-01", "to": "2026-12-31", "model": "last_touch", "min_waste": "5.00"}
    again = json.loads(api.get("/api/waste", params={**query, "limit": 10_000}).text, parse_float=Decimal)["rows"]
    assert plain == again
    assert plain


def test_every_filter_of_waste_keeps_the_rows_that_match(api: TestClient) -> None:
    everything = all_rows(api, "/api/waste", attributionModel="linear")
    assert len(everything) == 9
    for name in ("severity", "reason", "platform", "grain"):
        values = {row[name] for row in everything}
        kept = {value: all_rows(api, "/api/waste", attributionModel="linear", **{name: value}) for value in values}
        for value, rows in kept.items():
            assert rows == [row for row in everything if row[name] == value]
    least = sorted(row["waste_spend_micros"] for row in everything)[len(everything) // 2]
    kept_rows = all_rows(api, "/api/waste", attributionModel="linear", minWasteSpend=Decimal(least) / 1_000_000)
    assert kept_rows == [row for row in everything if row["waste_spend_micros"] >= least]
    assert all(isinstance(row["explanation"], dict) and row["recommendation"] for row in everything)
    assert [row["waste_spend_micros"] for row in everything] == sorted(
        (row["waste_spend_micros"] for row in everything), reverse=True
    )


@pytest.mark.parametrize("given", [{}, {"severity": "high"}, {"minWasteSpend": "3"}, {"grain": "CAMPAIGN"}])
def test_the_summary_of_waste_equals_sql(api: TestClient, home: Path, given: dict[str, str]) -> None:
    response = api.get("/api/waste", params={**YEAR, "attributionModel": "linear", "limit": 1, **given})
    summary = response.json()["summary"]
    with published(home, "northwind") as connection:
        kept = f"""
            from waste_flags where attribution_model = 'linear'
            and period_end >= '2026-01-01' and period_start <= '2026-12-31'
            and grain = coalesce({f"'{given['grain']}'" if "grain" in given else "null"}, grain)
        """
        columns = "grain, severity, platform, campaign_id, adset_id, waste_spend_micros"
        flags = connection.execute(f"select {columns} {kept}").fetchall()
    campaigns = {(platform, campaign) for grain, _, platform, campaign, *_ in flags if grain == "CAMPAIGN"}
    adsets = {(platform, campaign, adset) for grain, _, platform, campaign, adset, _ in flags if grain == "ADSET"}
    # The flags of a campaign, of its ad sets and of its ads have the same money, which counts once.
    least = int(given.get("minWasteSpend", 0)) * 1_000_000
    flags = [flag for flag in flags if flag[1] == given.get("severity", flag[1]) and flag[-1] >= least]
    counted = [
        flag
        for flag in flags
        if flag[0] == "CAMPAIGN" or not (flag[2:4] in campaigns or (flag[0] == "AD" and flag[2:5] in adsets))
    ]
    assert summary["count"] == len(flags) > 1
    assert summary["total_waste_spend_micros"] == sum(waste for *_, waste in counted)
    for place, name in ((1, "severity"), (2, "platform")):
        found = {row[name]: (row["flags"], row["waste_spend_micros"]) for row in summary[f"by_{name}"]}
        values = {flag[place] for flag in flags}
        assert found == {
            value: (
                sum(flag[place] == value for flag in flags),
                sum(flag[-1] for flag in counted if flag[place] == value),
            )
            for value in values
        }


def test_one_waste_flag(api: TestClient) -> None:
    flag = all_rows(api, "/api/waste", attributionModel="last_touch")[-1]
    answer = json.loads(api.get(f"/api/waste/{flag['waste_id']}?org=northwind").text, parse_float=Decimal)
    assert answer["rows"] == [flag], "the id alone finds the flag, whatever its model and period"
    assert answer["summary"]["count"] == 1
    assert "no such row" in problem(api.get("/api/waste/nothing?org=northwind"), 404)
    for name in ("waste_id", "wasteId"):
        assert f"no parameter '{name}'" in problem(api.get(f"/api/waste/x?org=northwind&{name}=y"), 400)


def test_an_id_can_have_slashes(built: Path, tmp_path: Path) -> None:
    home = copy_published(built, tmp_path)
    file = home / "published" / "orgs" / "northwind.duckdb"
    plant_waste(file, "northwind")
    with duckdb.connect(str(file)) as connection:
        for table, name in (("waste_flags", "waste_id"), ("conversions", "conversion_id")):
            connection.execute(f"update {table} set {name} = 'order/1' where rowid = (select min(rowid) from {table})")
    service = service_on(home, home)
    client = client_of(app_on(service))
    (flag,) = client.get("/api/waste/order%2F1?org=northwind").json()["rows"]
    assert flag["waste_id"] == "order/1"
    assert client.get("/journeys/order%2F1?org=northwind").status_code == 200
    service.orgs.close()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("channels?colour=red", "It takes from, to, model"),
        ("input_checks?model=linear", "has no parameter 'model'. It takes org, sort"),
        ("waste?window=7", "no parameter 'window'"),
        ("channels?model=best", "model: 'best' is unknown. Use one of "),
        ("channels?attributionModel=best", "Use one of "),
        ("channels?window=31", "window: "),
        ("channels?window=-1", "window: "),
        ("channels?mode=later", "cash, accrual"),
        ("channels?customers=old", "all, new, returning"),
        ("channels?from=2026-13-01", "2026-01-31"),
        ("channels?from=1066-10-14", "between"),
        ("channels?from=2026-02-02&to=2026-02-01", "Swap from and to"),
        ("channels?dateRange=2026-02-02", "Write two days"),
        ("channels?dateRange=2026-02-02,soon", "2026-01-31"),
        ("channels?dateRange=2026-02-02,2026-03-01&from=2026-01-01", "given more than once"),
        ("channels?model=linear&attributionModel=last_touch", "model or attributionModel"),
        ("channels?model=linear&model=last_touch", "given more than once"),
        ("waste?minWasteSpend=much", "Write one such as 250"),
        ("waste?minWasteSpend=-1", "Write one such as 250"),
        ("waste?minWasteSpend=nan", "Write one such as 250"),
        ("waste?severity=huge", "low, medium, high"),
        ("rollups?grain=KEYWORD", "ORGANIZATION, PLATFORM"),
        ("rollups?platform=a%00b", "platform: "),
        ("rollups?platform=" + "a" * 501, "platform: "),
        ("channels?limit=0", "Use 1 to 10000"),
        ("channels?limit=10001", "Use 1 to 10000"),
        ("channels?limit=many", "Use 1 to 10000"),
        ("channels?sort=colour", "no column 'colour'. Use channel, "),
        ("channels?sort=channel,", "no column ''"),
        ("channels?cursor=abc", "cursor: it is damaged"),
        ("channels?compare=none", "no parameter 'compare'"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_a_problem_that_says_what_to_do(api: TestClient, path: str, words: str) -> None:
    sign = "&" if "?" in path else "?"
    assert words in problem(api.get(f"/api/{path}{sign}org=northwind"), 400)


def test_paths_and_methods_that_do_not_exist_are_problems(api: TestClient) -> None:
    assert "/api/meta" in problem(api.get("/api/no_question?org=northwind"), 404)
    problem(api.get("/api/channels/more/of/it"), 404)
    problem(api.get("/api/channels?org=acme"), 404)
    assert "nordlicht" in problem(api.get("/api/channels"), 400)
    for method in ("PUT", "DELETE", "PATCH", "POST"):
        assert api.request(method, "/api/channels?org=northwind").status_code in (403, 405)
    assert problem(api.request("OPTIONS", "/api/channels?org=northwind"), 405) == "Use GET, HEAD."
    page = api.request("OPTIONS", "/overview")
    assert (page.status_code, page.headers["allow"]) == (405, "GET, HEAD")
    assert "does not take OPTIONS" in page.text
    head = api.head("/api/channels?org=northwind")
    assert (head.status_code, head.content) == (200, b"")


# --- Order and pages.


def test_sort_orders_by_each_column_in_turn(api: TestClient) -> None:
    rows = all_rows(api, "/api/rollups", sort="platform,-spend_micros")
    keys = [(row["platform"], -row["spend_micros"]) for row in rows]
    assert keys == sorted(keys)
    assert {row["platform"] for row in rows} > {"google"}


@pytest.mark.parametrize("sort", ["", "-conversion_value_micros", "platform"])
def test_pages_make_up_the_whole_list(api: TestClient, sort: str) -> None:
    query = {**YEAR, "grain": "AD", "sort": sort} if sort else {**YEAR, "grain": "AD"}
    whole = json.loads(api.get("/api/rollups", params={**query, "limit": 10_000}).text)["rows"]
    assert len(whole) > 300
    pages, url = [], api.build_request("GET", "/api/rollups", params={**query, "limit": 97}).url
    while True:
        response = api.get(url)
        answer = response.json()
        pages += answer["rows"]
        if answer["next_cursor"] is None:
            assert "link" not in response.headers
            break
        found = re.fullmatch(r'<(/api/rollups\?[^>]*)>; rel="next"', response.headers["link"])
        assert found is not None
        assert found[1].endswith(f"cursor={answer['next_cursor']}")
        url = found[1]
    assert pages == whole


def test_files_have_pages_too(api: TestClient) -> None:
    query = {**YEAR, "grain": "AD", "format": "csv"}
    whole = api.get("/api/rollups", params=query).text.splitlines()
    lines, url = [], api.build_request("GET", "/api/rollups", params={**query, "limit": 500}).url
    while url:
        response = api.get(url)
        header, *rows = response.text.splitlines()
        lines += rows
        url = response.links.get("next", {}).get("url")
    assert [header, *lines] == whole


def test_a_cursor_serves_its_own_request_only(api: TestClient) -> None:
    cursor = api.get("/api/rollups", params={**YEAR, "limit": 5}).json()["next_cursor"]
    for changed in ({"grain": "AD"}, {"sort": "platform"}, {"org": "nordlicht"}, {"attributionModel": "last_touch"}):
        assert "another request" in problem(api.get("/api/rollups", params={**YEAR, "cursor": cursor, **changed}), 400)
    assert "another request" in problem(api.get("/api/channels", params={**YEAR, "cursor": cursor}), 400)
    for damaged in (cursor[:-3], cursor[1:], f"{cursor}A", "é", "=", "WzEsMiwzXQ"):
        assert "cursor: " in problem(api.get("/api/rollups", params={**YEAR, "cursor": damaged}), 400)


# --- Versions.


@pytest.fixture
def copy(home: Path, tmp_path: Path) -> Path:
    """A home with copies of the published files, which a test may replace."""
    return copy_published(home, tmp_path / "copy")


def republish(home: Path, org: str, sql: str = "") -> None:
    """Publish the next version of an org's file, changed by SQL."""
    path = home / "published" / "orgs" / f"{org}.duckdb"
    fresh = home / "published" / f"{org}.new"
    shutil.copyfile(path, fresh)
    with duckdb.connect(str(fresh)) as connection:
        connection.execute(f"update meta set version = version + 1; {sql}")
    publish_copy(home, org, fresh)


def test_answers_after_a_publish_are_of_the_new_version(copy: Path) -> None:
    api = client_of(app_on(service_on(copy, copy)))
    before = api.get("/api/waste?org=northwind&limit=2&dateRange=2026-01-01,2026-12-31")
    cursor = before.json()["next_cursor"]
    republish(copy, "northwind", "update waste_flags set waste_spend_micros = 1")
    after = api.get(before.request.url)
    assert int(after.headers["tributary-version"]) == int(before.headers["tributary-version"]) + 1
    assert after.json()["version"] == int(after.headers["tributary-version"])
    assert {row["waste_spend_micros"] for row in after.json()["rows"]} == {1}
    ended = problem(api.get(before.request.url.copy_merge_params({"cursor": cursor})), 410)
    assert "Start again" in ended
    assert api.get("/api/status").json()["orgs"][-1]["version"] == after.json()["version"]


def test_an_etag_is_valid_for_one_answer_of_one_version(copy: Path) -> None:
    api = client_of(app_on(service_on(copy, copy)))
    first = api.get("/api/kpis?org=northwind")
    tag = first.headers["etag"]

    def status(path: str, tag: str, **headers: str) -> int:
        response = api.get(path, headers={"If-None-Match": tag, **headers})
        assert response.status_code != 304 or response.content == b""
        return response.status_code

    assert re.fullmatch(r'(W/)?"[^"]+"', tag)
    assert status("/api/kpis?org=northwind", tag) == 304
    assert status("/api/kpis?org=northwind", f'"other", {tag}') == 304
    assert status("/api/kpis?org=northwind", "*") == 304
    assert status("/api/waste/nothing?org=northwind", "*") == 404
    assert status("/api/kpis?org=northwind&model=last_touch", tag) == 200
    assert status("/api/kpis?org=nordlicht", tag) == 200
    assert status("/api/kpis?org=northwind", tag, Accept=CSV) == 200
    assert status("/api/channels?org=northwind", tag) == 200
    republish(copy, "northwind")
    assert status("/api/kpis?org=northwind", tag) == 200


def test_a_removed_org_is_gone_and_its_file_is_closed(copy: Path) -> None:
    service = service_on(copy, copy)
    api = client_of(app_on(service))
    assert api.get("/api/kpis?org=northwind").status_code == 200
    (copy / "published" / "orgs" / "northwind.duckdb").unlink()
    problem(api.get("/api/kpis?org=northwind"), 404)
    with pytest.raises(Exception, match="northwind"), service.orgs.pinned("northwind"):
        pass
    assert list(service.orgs.versions) == []


def test_a_damaged_file_and_an_empty_home_are_problems(copy: Path, tmp_path: Path) -> None:
    (copy / "published" / "orgs" / "northwind.duckdb").write_bytes(b"damaged")
    api = client_of(app_on(service_on(copy, copy)))
    assert "tributary run" in problem(api.get("/api/kpis?org=northwind"), 503)
    assert api.get("/api/kpis?org=nordlicht").status_code == 200
    sentence = "The published file of northwind is damaged. Replace it: tributary run"
    for path in ("/api/meta", "/api/status"):
        *others, northwind = api.get(path).json()["orgs"]
        assert [(org["org"], org["problem"]) for org in others] == [("default", None), ("nordlicht", None)]
        assert northwind == {"org": "northwind", "version": None, "problem": sentence}
    page = api.get("/overview")  # of the largest org that is readable
    assert page.status_code == 200
    assert sentence in page.text
    assert re.search(r"<option selected>nordlicht</option>", page.text)
    page = api.get("/overview?org=northwind")
    assert page.status_code == 503
    assert sentence in page.text
    assert "/overview?org=nordlicht" in page.text
    token = re.search(r'name="csrf-token" content="([^"]+)"', api.get("/overview").text)[1]
    form = {"csrf_token": token, "org": "northwind", "status": "done"}
    assert sentence in api.post("/waste/w/mark", data=form).text
    (tmp_path / "empty").mkdir()
    empty = client_of(app_on(service_on(tmp_path / "empty", tmp_path / "empty")))
    assert "tributary run" in problem(empty.get("/api/kpis"), 503)


def test_a_replaced_file_ends_the_problem_of_its_org(built: Path, copy: Path) -> None:
    file = copy / "published" / "orgs" / "northwind.duckdb"
    service = service_on(copy, copy)
    api = client_of(app_on(service))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert service.orgs.problems(["northwind", "nordlicht"], most=0) == {}  # neither is open yet
    assert list(service.orgs.problems(["northwind", "nordlicht"])) == ["northwind"]
    problem(api.get("/api/kpis?org=northwind"), 503)
    repaired = copy / "repaired.duckdb"
    shutil.copyfile(built / "published" / "orgs" / "northwind.duckdb", repaired)
    publish_copy(copy, "northwind", repaired)
    assert api.get("/api/kpis?org=northwind").status_code == 200
    assert service.orgs.problems(["northwind"]) == {}


def test_a_page_lists_the_orgs_once(service: Service, api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agency has hundreds of orgs. A listing for each of them took longer than the page."""
    listings, names = [], orgs.OrgFiles.names
    monkeypatch.setattr(orgs.OrgFiles, "names", lambda files: listings.append(files) or names(files))
    assert api.get("/overview?org=northwind").status_code == 200
    assert len(listings) == 1


def test_a_damaged_block_is_a_problem_once_a_query_reads_it(copy: Path) -> None:
    """DuckDB checks a block when it reads it, so that some questions of the file have an answer and some have none."""
    file = copy / "published" / "orgs" / "northwind.duckdb"
    content = file.read_bytes()
    header, block = 3 * 4096, 262_144
    statuses = []
    for start in range(header, len(content), block):
        damaged = bytearray(content)
        damaged[start + 1000 : start + 1100] = b"x" * 100
        fresh = copy / "fresh.duckdb"
        fresh.write_bytes(damaged)
        publish_copy(copy, "northwind", fresh)
        api = client_of(app_on(service_on(copy, copy)))
        for path in ("kpis", "channels", "journeys", "paths", "waste"):
            response = api.get(f"/api/{path}?org=northwind")
            statuses.append(response.status_code)
            if response.status_code != 200:
                assert "The published file of northwind is damaged." in problem(response, 503)
    assert {*statuses} == {200, 503}


def test_a_broken_question_of_the_home_is_named(copy: Path) -> None:
    (copy / "questions").mkdir()
    (copy / "questions" / "mine.sql").write_text("/*\ntitle: Mine\n*/\nselect * from no_table")
    api = client_of(app_on(service_on(copy, copy)))
    assert "mine.sql: the SQL fails" in problem(api.get("/api/mine?org=northwind"), 500)
    page = api.get("/explain/mine?org=northwind")
    assert (page.status_code, "mine.sql: the SQL fails" in page.text) == (500, True)
    (copy / "pages").mkdir()
    for form in ("table", "chart", "tiles"):
        content = f"{{{{ parts.{form}('chanels') }}}}"
        (copy / "pages" / "typo.html").write_text(
            f"{{% extends 'base.html' %}}{{% block content %}}{content}{{% endblock %}}"
        )
        page = api.get("/typo?org=northwind")
        assert (page.status_code, "There is no question &#39;chanels&#39;" in page.text) == (500, True)


def test_an_answer_that_needs_too_much_memory_names_its_question(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orgs, "MEMORY_LIMIT", "50MB")
    (copy / "questions").mkdir()
    (copy / "questions" / "huge.sql").write_text(
        "/*\ntitle: Huge\n*/\nselect list(repeat('x', 1000) || i) as texts from range(200000) as r(i)"
    )
    api = client_of(app_on(service_on(copy, copy)))
    for form in ("json", "parquet"):
        assert "huge.sql: the answer needs more than" in problem(api.get(f"/api/huge?org=northwind&format={form}"), 500)


# --- Access.


def test_scopes_and_audit_rows_of_exports(built: Path, tmp_path: Path) -> None:
    service = service_on(built, tmp_path)
    app = app_on(service, needs_key=True)
    reader, text = service.state.create_key("northwind", {"read"}, "reader", "test")
    exporter, other_text = service.state.create_key("northwind", {"read", "export"}, "exporter", "test")
    may_read, may_export = client_of(app, text), client_of(app, other_text)
    assert may_read.get("/api/kpis").status_code == 200
    for name in ("csv", "parquet", "arrow"):
        assert "scope export" in problem(may_read.get(f"/api/kpis?format={name}"), 403)
        assert may_export.get(f"/api/kpis?format={name}").status_code == 200
    problem(may_export.get("/api/kpis?format=csv&sort=colour"), 400)
    assert may_export.head("/api/kpis?format=csv").status_code == 200  # no row leaves the server
    recorded = [row for row in service.state.audit() if row.action == "export"]
    assert [(row.principal, row.org, row.detail["question"]) for row in recorded] == [
        (f"key {exporter.id}", "northwind", "kpis")
    ] * 3
    assert {row.detail["format"] for row in recorded} == {CSV, PARQUET, ARROW}
    problem(client_of(app).get("/api/kpis"), 401)
    problem(client_of(app, text[:-1] + "~").get("/api/kpis"), 401)
    service.state.revoke_key(reader.id, "test")
    problem(may_read.get("/api/kpis"), 401)


def test_a_key_without_the_scope_read_reads_nothing(built: Path, tmp_path: Path) -> None:
    service = service_on(built, tmp_path)
    _, text = service.state.create_key("northwind", {"mark"}, "marker", "test")
    client = client_of(app_on(service, needs_key=True), text)
    for path in ("/api/kpis", "/api/waste/x"):
        assert "scope read" in problem(client.get(path), 403)
    for path in ("/api/meta", "/api/status"):
        assert client.get(path).json()["orgs"] == []
    assert "tiles" not in client.get("/overview").text


# --- Description.


def test_meta_lists_orgs_questions_and_parameters(api: TestClient, service: Service) -> None:
    meta = api.get("/api/meta").json()
    assert [org["org"] for org in meta["orgs"]] == ["default", "nordlicht", "northwind"]
    assert [question["name"] for question in meta["questions"]] == list(service.questions)
    known = {parameter["name"] for parameter in meta["parameters"]}
    assert {name for question in meta["questions"] for name in question["parameters"]} <= known


def test_every_path_of_the_document_answers(api: TestClient, service: Service) -> None:
    document = api.get("/api/openapi.json").json()
    expected = {f"/api/{name}" for name in service.questions} | {"/api/meta", "/api/status"}
    expected |= {path for path, (name, _) in PATHS.items() if name in service.questions}
    assert set(document["paths"]) == expected
    for path in expected - set(PATHS):
        assert api.get(path, params={"org": "northwind"}).status_code == 200, path


def test_the_page_to_try_it_has_each_question(api: TestClient, service: Service) -> None:
    page = api.get("/api/docs")
    assert page.status_code == 200
    assert all(f'action="/api/{name}"' in page.text for name in service.questions)
