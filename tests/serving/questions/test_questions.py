"""Ask every question about the simulated orgs, and compare the answers with their headers and with plain SQL."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import shutil
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from cli.app import app
from serving.answers import ask, readable_sql, sql_value
from serving.dashboard.charts import specification
from serving.filters import Filters
from serving.orgs import OrgFiles, Version
from serving.parameters import PARAMETERS
from serving.questions import FOLDER, UNITS, QuestionError, load_questions
from tests.support.home import published
from tests.support.serving import all_days, filters_of

ORGS = ("default", "nordlicht", "northwind")  # default has no rows
QUESTIONS = load_questions()
INTEGERS = ("BIGINT", "INTEGER", "HUGEINT")
NUMBERS = re.compile(r"BIGINT|INTEGER|HUGEINT|DOUBLE|DECIMAL\(.*\)")
TYPES = {
    "money": re.compile("BIGINT"),
    "count": NUMBERS,
    "percent": re.compile(r"DOUBLE|DECIMAL\(.*\)"),
    "ratio": re.compile(r"DOUBLE|DECIMAL\(.*\)"),
    "number": NUMBERS,
    "days": NUMBERS,
    "date": re.compile("DATE"),
    "time": re.compile("TIMESTAMP"),
    "list": re.compile(r".*\[\]"),
}
TEXT = re.compile("VARCHAR|JSON|BOOLEAN")  # of all other units
each_question = pytest.mark.parametrize("name", QUESTIONS)


@pytest.fixture(scope="module")
def files(built: Path) -> Iterator[OrgFiles]:
    files = OrgFiles(built / "published")
    yield files
    files.close()


@pytest.fixture(params=ORGS[1:])
def shop(files: OrgFiles, request: pytest.FixtureRequest) -> Iterator[Version]:
    with files.pinned(request.param) as version:
        yield version


@pytest.fixture(params=ORGS)
def version(files: OrgFiles, request: pytest.FixtureRequest) -> Iterator[Version]:
    with files.pinned(request.param) as version:
        yield version


@pytest.fixture(scope="module")
def northwind(files: OrgFiles) -> Iterator[Version]:
    with files.pinned("northwind") as version:
        yield version


def varied(version: Version, name: str) -> Iterator[Filters]:
    """Yield filters that reach each choice of each parameter of a question, and accounting modes for all customers."""
    parameters, facts = QUESTIONS[name].parameters, version.facts
    yield filters_of(version, **all_days(version))
    for each in parameters:
        for value in PARAMETERS[each].choices_of(facts):
            yield filters_of(version, **{**all_days(version), each: value})
    if {"mode", "customers"} <= set(parameters):
        for customers in ("new", "returning"):
            yield filters_of(version, mode="accrual", customers=customers, **all_days(version))


@each_question
def test_an_answer_matches_the_header(version: Version, name: str) -> None:
    question = QUESTIONS[name]
    answer = ask(version, question, filters_of(version, **all_days(version)))
    assert list(question.columns) == list(answer.names), "the header and the SQL have other columns"
    for column, kind in zip(answer.columns, answer.types, strict=True):
        assert TYPES.get(column.unit, TEXT).fullmatch(kind), f"{column.name}: {column.unit} has the type {kind}"
        is_money = column.name.endswith("_micros") and not column.name.startswith("original_")  # in another currency
        assert (column.unit == "money") == is_money, f"{column.name} has the unit {column.unit}"
        placeholders = re.findall(r"\{(\w+)\}", column.link or "")
        assert set(placeholders) <= set(answer.names), f"{column.name}: its link names another column"
        assert column.better in ("higher", "lower", "neither"), column.name


@each_question
def test_a_question_has_a_title_and_a_description(name: str) -> None:
    question = QUESTIONS[name]
    assert question.title[:1].isupper(), question.title
    assert not question.title.endswith("."), question.title
    assert question.description.endswith("."), f"{name}: the description is no sentence"
    assert all(column.unit in UNITS for column in question.columns.values())


@each_question
def test_a_question_answers_under_every_choice(northwind: Version, name: str) -> None:
    expected = list(QUESTIONS[name].columns)
    for filters in varied(northwind, name):
        assert list(ask(northwind, QUESTIONS[name], filters, limit=1).names) == expected


@each_question
def test_pages_make_up_the_whole_answer(northwind: Version, name: str) -> None:
    question = QUESTIONS[name]
    filters = filters_of(northwind, **all_days(northwind))
    first_columns = [column for column in question.columns if column != "explanation"][:2]
    for sort in ("", f"-{first_columns[-1]}", ",".join(first_columns)):
        rows = ask(northwind, question, filters, sort=sort).rows
        pages, offsets = [], range(0, min(len(rows), 70), 7)
        for offset in offsets:
            page = ask(northwind, question, filters, sort=sort, limit=7, offset=offset)
            assert page.has_more == (offset + 7 < len(rows))
            pages += page.rows
        assert pages == rows[: len(pages)], f"the order of {name} by {sort or 'itself'} is not total"


@each_question
def test_an_order_is_total(northwind: Version, name: str) -> None:
    """Rows that the order does not tell apart come in any order: reading the tables backwards would show it."""
    question = QUESTIONS[name]
    filters = filters_of(northwind, **all_days(northwind))
    found = re.search(r"order by ([^()]+)$", question.sql, re.IGNORECASE)
    answer = ask(northwind, question, filters)
    if found is None:  # no order, or one by expressions, which the test of pages covers
        if "order by" in question.sql.lower():
            return
        assert len(answer.rows) <= 1, f"{name} has several rows and no order"
        return
    terms = [term.split()[0] for term in found[1].split(",")]
    places = [
        int(term) - 1 if term.isdigit() else answer.names.index(term.strip('"'))
        for term in terms
        if term.isdigit() or term.strip('"') in answer.names
    ]
    if len(places) == len(terms):
        keys = [tuple(str(row[place]) for place in places) for row in answer.rows]
        assert len(set(keys)) == len(keys), f"{name}: several rows have the same place: {terms}"


@each_question
def test_readable_sql_gives_the_same_rows(built: Path, northwind: Version, name: str) -> None:
    question = QUESTIONS[name]
    with published(built, northwind.org) as connection:
        for given in ({}, {"mode": "accrual", "customers": "new", "min_waste": "12.5", "platform": "it's \"o'clock\""}):
            filters = filters_of(northwind, **all_days(northwind), **given)
            sql = readable_sql(question, filters)
            assert connection.execute(sql).fetchall() == ask(northwind, question, filters).rows


@pytest.mark.parametrize("name", [name for name, question in QUESTIONS.items() if question.chart])
def test_a_chart_encodes_columns_of_its_answer(northwind: Version, name: str) -> None:
    answer = ask(northwind, QUESTIONS[name], filters_of(northwind, **all_days(northwind)))

    def fields(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            if isinstance(part.get("field"), str):
                yield part["field"]
            for value in part.values():
                yield from fields(value)
        elif isinstance(part, list):
            for value in part:
                yield from fields(value)

    chart = dict(QUESTIONS[name].chart)
    made: set[str] = set()
    for transform in chart.get("transform", []):
        names = transform.get("as", [])
        made |= {names} if isinstance(names, str) else set(names)
    named = set(fields({key: value for key, value in chart.items() if key != "transform"}))
    assert named <= set(answer.names) | made, f"{named - set(answer.names)} is no column"
    assert json.dumps(specification(answer), default=str)


# --- Figures against plain SQL over marts that the questions do not read.


def touch_level_credit(version: Version, filters: Filters) -> str:
    """Return SQL for the credit of each conversion's touches, from links, touchpoints and conversions.

    The cash view of all customers has every window; the others have the org's.
    """
    is_plain = filters["mode"] == "cash" and filters["customers"] == "all"
    links = "window_links" if is_plain else "attribution_links"
    window = filters["window"] if is_plain else version.facts.lookback_days
    day = (
        "c.date"
        if filters["mode"] == "cash"
        else "coalesce(timezone($zone, timezone('UTC', t.occurred_at))::date, c.date)"
    )
    customers = {"all": "true", "new": "c.is_first_conversion", "returning": "not c.is_first_conversion"}
    return f"""
        select
            {day} as date, coalesce(t.channel, '(unattributed)') as channel,
            coalesce(t.platform, '(unattributed)') as platform, coalesce(l.weight, 1) as weight,
            coalesce(l.attributed_value_micros, c.value_micros) as value_micros
        from conversions as c
        left join (
            from {links} where attribution_model = {sql_value(filters["model"])} and lookback_days = {window}
        ) as l using (conversion_id)
        left join touchpoints as t on t.touchpoint_id = l.touchpoint_id
        where c.conversion_type = {sql_value(filters["conversion_type"])} and {customers[filters["customers"]]}
    """.replace("$zone", sql_value(version.facts.timezone))


def views(version: Version) -> Iterator[dict[str, Any]]:
    """Yield each choice of model, window, accounting mode and customers, without combinations that give the same."""
    facts = version.facts
    for model in facts.models:
        for window in facts.windows:
            yield {"model": model, "window": window}
        for mode, customers in itertools.product(("cash", "accrual"), ("all", "new", "returning")):
            if (mode, customers) != ("cash", "all"):
                yield {"model": model, "mode": mode, "customers": customers}


def test_channels_and_platforms_add_up_to_booked_revenue_under_every_view(built: Path, shop: Version) -> None:
    """Credit of accrual falls on the days of touches, so the sums are equal over all days."""
    with published(built, shop.org) as connection:
        booked = {
            (kind, customers): connection.execute(
                "select coalesce(sum(value_micros), 0)::bigint, count(*) from conversions where conversion_type = ?"
                " and (? = 'all' or is_first_conversion = (? = 'new'))",
                [kind, customers, customers],
            ).fetchone()
            for kind, customers in itertools.product(shop.facts.conversion_types, ("all", "new", "returning"))
        }
    assert any(value for value, _ in booked.values())
    for view in views(shop):
        filters = filters_of(shop, **all_days(shop), **view)
        value, count = booked[filters["conversion_type"], filters["customers"]]
        others = ("revenue_by_channel", "kpis") if view["model"] == shop.facts.default_model else ()
        for name in ("channels", "platforms", *others):
            answer = ask(shop, QUESTIONS[name], filters)
            column = "revenue_micros" if "revenue_micros" in answer.names else "conversion_value_micros"
            assert sum(row[column] for row in answer.records()) == value, (name, view)
            if "conversions" in answer.names:
                assert sum(row["conversions"] for row in answer.records()) == count, (name, view)


@pytest.mark.parametrize("by", ["channel", "platform"])
def test_credit_equals_links_joined_to_touchpoints(built: Path, shop: Version, by: str) -> None:
    question = QUESTIONS[f"{by}s"]
    with published(built, shop.org) as connection:
        for view in views(shop):
            is_checked = view.get("window") in (None, 1, 365) if view["model"] == "linear" else view.get("window") == 7
            if not is_checked:
                continue
            filters = filters_of(shop, **view)
            expected = connection.execute(
                f"select {by}, sum(value_micros)::bigint, sum(weight) from ({touch_level_credit(shop, filters)})"
                " where date between $from and $to group by 1",
                filters.arguments(["from", "to"]),
            ).fetchall()
            rows = ask(shop, question, filters).records()
            found = [
                (row[by], row["conversion_value_micros"], row["conversions"])
                for row in rows
                if row["conversions"] or row["conversion_value_micros"]
            ]
            assert sorted(found) == sorted(each for each in expected if each[1] or each[2]), view


def test_spend_equals_the_rollups_of_the_organization(built: Path, shop: Version) -> None:
    filters = filters_of(shop)
    with published(built, shop.org) as connection:
        days = dict(
            connection.execute(
                "select date, sum(spend_micros)::bigint from rollup_spend where grain = 'ORGANIZATION'"
                " and date between $from and $to group by 1",
                filters.arguments(["from", "to"]),
            ).fetchall()
        )
    assert sum(days.values()) > 0
    for name in ("kpis", "channels", "platforms", "kpi_trend"):
        records = ask(shop, QUESTIONS[name], filters).records()
        assert sum(row["spend_micros"] for row in records) == sum(days.values()), name
    trend = ask(shop, QUESTIONS["kpi_trend"], filters).records()
    assert {row["date"]: row["spend_micros"] for row in trend if row["spend_micros"]} == {
        day: micros for day, micros in days.items() if micros
    }


def test_ratios_of_kpis_equal_plain_sql(built: Path, shop: Version) -> None:
    with published(built, shop.org) as connection:
        for view in views(shop):
            if view["model"] != shop.facts.default_model:
                continue
            filters = filters_of(shop, **view)
            period = filters.arguments(["from", "to"])
            value, weight = connection.execute(
                f"select sum(value_micros), sum(weight) from ({touch_level_credit(shop, filters)})"
                " where date between $from and $to and platform[1] <> '('",
                period,
            ).fetchone()
            (spend,) = connection.execute(
                "select sum(spend_micros) from channel_spend where date between $from and $to", period
            ).fetchone()
            first, revenue = connection.execute(
                "select count(*) filter (is_first_conversion), sum(value_micros) from conversions"
                " where date between $from and $to and conversion_type = $kind"
                " and ($customers = 'all' or is_first_conversion = ($customers = 'new'))",
                {**period, "kind": filters["conversion_type"], "customers": filters["customers"]},
            ).fetchone()
            (figures,) = ask(shop, QUESTIONS["kpis"], filters).records()
            assert figures["roas"] == pytest.approx(float(value or 0) / float(spend), abs=1e-12)
            assert figures["mer"] == pytest.approx(float(revenue or 0) / float(spend), abs=1e-12)
            assert figures["cpa_micros"] == (round(float(spend) / float(weight)) if weight else None)
            assert figures["cac_micros"] == (round(float(spend) / first) if first else None)


@pytest.mark.parametrize("grain", ["ORGANIZATION", "PLATFORM", "CAMPAIGN", "ADSET", "AD"])
def test_rollups_have_the_same_totals_at_every_grain(built: Path, shop: Version, grain: str) -> None:
    with published(built, shop.org) as connection:
        for view in views(shop):
            if view.get("window", shop.facts.lookback_days) != shop.facts.lookback_days:
                continue
            if view.get("customers", "all") != "all":
                continue
            filters = filters_of(
                shop,
                grain=grain,
                **all_days(shop),
                **{key: value for key, value in view.items() if key in ("model", "mode")},
            )
            rows = ask(shop, QUESTIONS["rollups"], filters).records()
            assert (
                sum(row["conversion_value_micros"] for row in rows)
                == connection.execute(
                    "select sum(value_micros)::bigint from conversions where conversion_type = $conversion_type",
                    filters.arguments(["conversion_type"]),
                ).fetchone()[0]
            )
            assert (
                sum(row["spend_micros"] for row in rows)
                == connection.execute("select sum(spend_micros)::bigint from channel_spend").fetchone()[0]
            )


@pytest.mark.parametrize("grain", ["ORGANIZATION", "CAMPAIGN", "AD"])
def test_rollups_equal_the_view(built: Path, shop: Version, grain: str) -> None:
    with published(built, shop.org) as connection:
        for model, mode in itertools.product(("linear", "last_touch", "shapley"), ("cash", "accrual")):
            filters = filters_of(shop, grain=grain, model=model, mode=mode, **all_days(shop))
            answer = ask(shop, QUESTIONS["rollups"], filters)
            computed = "round(spend_micros / nullif(conversions, 0))::bigint as cpa_micros"
            names = ", ".join(computed if name == "cpa_micros" else name for name in answer.names)
            expected = connection.execute(
                f"select {names} from daily_rollups where grain = $grain and attribution_model = $model"
                " and accounting_mode = $mode and conversion_type = $conversion_type"
                " order by date, platform, campaign_id, adset_id, ad_id",
                filters.arguments(["grain", "model", "mode", "conversion_type"]),
            ).fetchall()
            assert answer.rows == expected


def test_a_campaign_filter_keeps_the_rows_of_one_campaign(northwind: Version) -> None:
    everything = ask(northwind, QUESTIONS["rollups"], filters_of(northwind)).records()
    campaign = next(row["campaign_id"] for row in everything if row["campaign_id"] and row["spend_micros"])
    kept = ask(northwind, QUESTIONS["rollups"], filters_of(northwind, campaign_id=campaign)).records()
    assert kept == [row for row in everything if row["campaign_id"] == campaign]


# --- Files of questions.

FAULTS = {
    "Bad-Name.sql": ("/*\ntitle: A\n*/\nselect 1", 1, "the name 'Bad-Name'"),
    "no_header.sql": ("select 1", 1, "has no header"),
    "no_title.sql": ("/*\ndescription: A.\n*/\nselect 1", 1, "has no title"),
    "no_yaml.sql": ("/*\ntitle: A\ncolumns: {a: [\n*/\nselect 1", 4, "not YAML"),
    "unknown_key.sql": ("/*\ntitle: A\ntitel: B\n*/\nselect 1", 3, "'titel'"),
    "no_unit.sql": ("/*\ntitle: A\ncolumns:\n  a: {unit: euros}\n*/\nselect 1 as a", 4, "'euros'"),
    "column_key.sql": ("/*\ntitle: A\ncolumns:\n  a: {titel: B}\n*/\nselect 1 as a", 4, "column a"),
    "column_text.sql": ("/*\ntitle: A\ncolumns:\n  a: B\n*/\nselect 1 as a", 4, "column a"),
    "columns_list.sql": ("/*\ntitle: A\ncolumns: [a]\n*/\nselect 1 as a", 3, "columns"),
    "title_number.sql": ("/*\ntitle: A\ndescription: 3\n*/\nselect 1 as a", 3, "description"),
    "chart_text.sql": ("/*\ntitle: A\nchart: bar\n*/\nselect 1 as a", 3, "chart"),
    "no_cte.sql": ("/*\ntitle: A\nuses: [credits]\n*/\nselect 1", 3, "'credits'"),
    "uses_text.sql": ("/*\ntitle: A\nuses: credit\n*/\nselect 1", 3, "uses"),
    "no_parameter.sql": ("/*\ntitle: A\n*/\nselect 1\nwhere $form > 1", 5, "$form"),
    "no_sql.sql": ("/*\ntitle: A\n*/\nselect 1 frm x y", 4, "not valid"),
    "later_line.sql": ("/*\ntitle: A\n*/\nselect 1\nfrom a\nwhere (", 6, "not valid"),
    "two.sql": ("/*\ntitle: A\n*/\nselect 1; select 2", 4, "one select"),
    "writes.sql": ("/*\ntitle: A\n*/\ndelete from conversions", 4, "one select"),
    "empty.sql": ("/*\ntitle: A\n*/\n", 4, "one select"),
}


@pytest.mark.parametrize("file", FAULTS)
def test_a_mistake_in_a_file_names_file_and_line(tmp_path: Path, file: str) -> None:
    text, line, words = FAULTS[file]
    (tmp_path / file).write_text(text)
    with pytest.raises(QuestionError) as error:
        load_questions(tmp_path)
    assert f"{tmp_path / file}, line {line}: " in str(error.value)
    assert words in str(error.value)
    assert "docs/add-a-question.md" in str(error.value)


def test_a_file_that_is_no_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.sql").write_bytes("/*\ntitle: Umsätze\n*/\nselect 1".encode("latin-1"))
    with pytest.raises(QuestionError, match=r"latin\.sql, line 2: "):
        load_questions(tmp_path)


@pytest.mark.parametrize(
    "start", ["with total as (", "-- A comment.\n/* Another. */ WITH total as (", "with recursive total as ("]
)
def test_shared_ctes_precede_the_own_ones(tmp_path: Path, northwind: Version, start: str) -> None:
    sql = f"{start}select sum(conversions) as conversions from credit)\nselect conversions from total"
    columns = "columns:\n  conversions: {title: Conversions, unit: count}\n"
    (tmp_path / "own.sql").write_text(f"/*\ntitle: A\nuses: [credit]\n{columns}*/\n{sql}")
    assert ask(northwind, load_questions(tmp_path)["own"], filters_of(northwind)).rows[0][0] > 0


@pytest.mark.parametrize("sql", ["select * from no_table", "select no_column from orgs", "select 'a'::integer as a"])
def test_sql_that_fails_on_the_file_names_the_question(tmp_path: Path, northwind: Version, sql: str) -> None:
    (tmp_path / "broken.sql").write_text(f"/*\ntitle: A\n*/\n{sql}")
    question = load_questions(tmp_path)["broken"]
    for sort in ("", "a"):
        with pytest.raises(QuestionError) as error:
            ask(northwind, question, filters_of(northwind), sort=sort)
        assert str(error.value).startswith("broken.sql: the SQL fails on the published file of northwind: ")


def test_a_question_may_end_with_a_limit(tmp_path: Path, northwind: Version) -> None:
    (tmp_path / "top.sql").write_text("/*\ntitle: A\n*/\nselect i from range(100) as t(i) order by i desc limit 10")
    question = load_questions(tmp_path)["top"]
    pages = [ask(northwind, question, filters_of(northwind), limit=7, offset=offset).rows for offset in (0, 7, 14)]
    assert [i for page in pages for (i,) in page] == list(range(99, 89, -1))


def test_an_own_question_replaces_one_of_tributary(tmp_path: Path) -> None:
    (tmp_path / "kpis.sql").write_text("/*\ntitle: Ours\n*/\nselect 1 as one")
    assert load_questions(tmp_path)["kpis"].title == "Ours"
    assert list(load_questions(tmp_path)) == list(QUESTIONS)


def test_questions_reach_no_other_file(tmp_path: Path, built: Path, northwind: Version) -> None:
    other = built / "published" / "orgs" / "nordlicht.duckdb"
    (tmp_path / "secret.csv").write_text("a\n1\n")
    for sql in (
        f"from read_csv('{tmp_path}/secret.csv')",
        f"from read_blob('{other}')",
        f"select * from glob('{tmp_path}/*')",
        "select getenv('HOME')",
    ):
        path = tmp_path / "reader.sql"
        path.write_text(f"/*\ntitle: A\n*/\n{sql}")
        with pytest.raises(QuestionError):
            ask(northwind, load_questions(tmp_path)["reader"], filters_of(northwind))


def test_every_shared_cte_is_used() -> None:
    used = " ".join(path.read_text() for path in FOLDER.rglob("*.sql"))
    unused = [path.stem for path in (FOLDER / "shared").glob("*.sql") if len(re.findall(rf"\b{path.stem}\b", used)) < 3]
    assert not unused


# --- The command.


@pytest.fixture
def command(built: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """command(arguments…) runs `tributary ask` in this process."""
    monkeypatch.setenv("TRIBUTARY_HOME", str(built))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, ["ask", *arguments])


NORTHWIND = ("--org", "northwind")


def test_ask_lists_the_questions(command: Any) -> None:
    done = command()
    assert done.exit_code == 0, done.output
    assert all(f"{name} " in done.output and question.title in done.output for name, question in QUESTIONS.items())


def test_ask_prints_a_table(command: Any, northwind: Version) -> None:
    done = command("channels", *NORTHWIND)
    assert done.exit_code == 0, done.output
    rows = ask(northwind, QUESTIONS["channels"], filters_of(northwind)).records()
    assert all(row["channel"] in done.output for row in rows)
    assert f"{rows[0]['conversion_value_micros'] / 1e6:,.2f}" in done.output
    assert f"Channels, org northwind, version {northwind.number}: {len(rows)} rows" in " ".join(done.output.split())
    few = " ".join(command("channels", *NORTHWIND, "--limit", "2").output.split())
    assert "the first 2 rows; more with --limit, all with --csv" in few


def test_ask_writes_files_with_all_rows(command: Any, northwind: Version) -> None:
    rows = ask(northwind, QUESTIONS["rollups"], filters_of(northwind, grain="AD")).records()
    assert len(rows) > 50
    arguments = ("rollups", *NORTHWIND, "--set", "grain=AD")
    as_csv = list(csv.DictReader(io.StringIO(command(*arguments, "--csv").stdout)))
    assert [int(row["spend_micros"]) for row in as_csv] == [row["spend_micros"] for row in rows]
    assert [Decimal(row["conversions"]) for row in as_csv] == [row["conversions"] for row in rows]
    as_json = json.loads(command(*arguments, "--json").stdout, parse_float=Decimal)
    assert [row["conversions"] for row in as_json["rows"]] == [row["conversions"] for row in rows]
    assert (as_json["version"], as_json["next_cursor"]) == (northwind.number, None)
    frame = pl.read_parquet(io.BytesIO(command(*arguments, "--parquet").stdout_bytes))
    assert frame.rows(named=True) == rows


def test_ask_prints_sql_that_runs(command: Any, built: Path, northwind: Version) -> None:
    period = ("--from", str(northwind.facts.first_day), "--to", str(northwind.facts.last_day))
    done = command("kpis", *NORTHWIND, *period, "--model", "linear", "--sql")
    with published(built, "northwind") as connection:
        found = connection.execute(done.stdout).fetchall()
    filters = filters_of(northwind, **dict(zip(("from", "to"), period[1::2], strict=True)), model="linear")
    assert found == ask(northwind, QUESTIONS["kpis"], filters).rows


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("chanels", *NORTHWIND), "channels"),
        (("channels",), "Add --org"),
        (("channels", "--org", "acme"), "no published org acme"),
        (("channels", *NORTHWIND, "--model", "best"), "Use one of"),
        (("channels", *NORTHWIND, "--from", "tomorrow"), "2026-01-31"),
        (("channels", *NORTHWIND, "--from", "2026-02-02", "--to", "2026-02-01"), "Swap from and to"),
        (("channels", *NORTHWIND, "--set", "platform"), "has no value"),
        (("channels", *NORTHWIND, "--set", "severity=high"), "does not use it"),
        (("channels", *NORTHWIND, "--set", "org=nordlicht"), "does not use it"),
        (("channels", *NORTHWIND, "--set", "colour=red"), "does not use it"),
        (("channels", *NORTHWIND, "--sort", "colour"), "no column 'colour'"),
        (("channels", *NORTHWIND, "--csv", "--json"), "one of"),
        (("channels", *NORTHWIND, "--limit", "0"), "--limit"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_with_code_2(command: Any, arguments: tuple[str, ...], words: str) -> None:
    done = command(*arguments)
    assert done.exit_code == 2, done.output
    assert words in " ".join(done.output.split())
    assert "Traceback" not in done.output


def test_a_mistake_in_an_own_question_has_code_2(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(built / "published" / "orgs", tmp_path / "published" / "orgs")
    (tmp_path / "questions").mkdir()
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path))
    own = tmp_path / "questions" / "mine.sql"
    for text in ("/*\ntitle: A\n*/\nselect 1 frm x y", "/*\ntitle: A\n*/\nselect * from no_table"):
        own.write_text(text)
        done = CliRunner().invoke(app, ["ask", "mine", *NORTHWIND])
        assert done.exit_code == 2, done.output
        assert "mine.sql" in done.output
    own.write_text("/*\ntitle: A\n*/\nselect 'x' as a, true as b, {'n': 1} as c, date '2026-01-02' as d")
    done = CliRunner().invoke(app, ["ask", "mine", *NORTHWIND, "--parquet"])
    assert pl.read_parquet(io.BytesIO(done.stdout_bytes)).row(0) == ("x", True, "{'n': 1}", date(2026, 1, 2))
    assert duckdb.sql("select 1").fetchall() == [(1,)]
