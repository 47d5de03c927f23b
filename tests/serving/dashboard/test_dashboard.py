"""The dashboard in a real browser: its pages, figures, filters, links, and its use without a mouse or on a phone."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from serving.answers import Answer
from serving.app import STATIC
from serving.dashboard.charts import specification
from serving.dashboard.pages import NAVIGATION
from serving.formats import shown
from serving.questions import load_questions
from tests.support.home import needs_chromium, published
from tests.support.serving import app_on, copy_published, plant_waste, running, service_on
from tests.support.waiting import wait_until

pytestmark = needs_chromium
VENDOR = STATIC / "vendor"
PHONE = {"width": 390, "height": 844}
SCREEN = {"width": 1280, "height": 900}
LOOKS = {  # look -> options of the browser, orgs; the org default has no data
    "light": ({"color_scheme": "light", "viewport": SCREEN}, ("northwind", "default")),
    "dark": ({"color_scheme": "dark", "viewport": SCREEN}, ("nordlicht",)),
    "phone": ({"color_scheme": "light", "viewport": PHONE}, ("northwind", "default")),
}


@contextmanager
def opened(browser: Browser, **options: Any) -> Iterator[tuple[Page, list[str]]]:
    """Yield a page, and the errors that it reports."""
    context = browser.new_context(**options)
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page, errors
    context.close()


def wait_for_charts(page: Page) -> None:
    expect(page.locator(".chart:not([data-drawn])")).to_have_count(0)


@pytest.mark.parametrize("name", [*NAVIGATION, "explain/channels"])
def test_every_page_opens_and_reads_well_in_every_look(dashboard, browser, name):
    """No console error, no chart without a picture, nothing wider than the screen, and nothing that axe finds."""
    problems: list[str] = []
    for look, (options, orgs) in LOOKS.items():
        with opened(browser, **options) as (page, errors):
            for org in orgs:
                response = page.goto(f"{dashboard.url}/{name}?org={org}")
                assert response
                assert response.status == 200
                wait_for_charts(page)
                problems += [f"{look} {org}: {problem}" for problem in reading_problems(page)]
            problems += [f"{look}: {error}" for error in errors]
    assert not problems, "\n".join(problems)


def test_the_closed_filters_of_a_phone_name_those_that_the_page_has(dashboard, browser):
    with opened(browser, viewport=PHONE) as (page, _):
        for name, text in (("settings", "Filters: northwind"), ("paths", "Filters: 2026-07-01 to 2026-07-14")):
            page.goto(f"{dashboard.url}/{name}?org=northwind&from=2026-07-01&to=2026-07-14")
            expect(page.locator("#filter-box summary")).to_have_text(text)


def test_long_advice_makes_no_tall_rows_on_a_phone(built, tmp_path, browser):
    home = copy_published(built, tmp_path)
    file = home / "published" / "orgs" / "northwind.duckdb"
    plant_waste(file, "northwind")
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "update waste_flags set recommendation = repeat('Pause it, and look at its landing page. ', 6)"
        )
    with running(app_on(service_on(home, tmp_path))) as url, opened(browser, viewport=PHONE) as (page, _):
        for name in ("overview", "waste"):
            page.goto(f"{url}/{name}?org=northwind")
            expect(page.get_by_text("Pause it, and look").first).to_be_attached()
            assert page.evaluate(TALL_ROWS) == []


@pytest.mark.parametrize(
    ("highest", "labels"),
    [
        (1_900, "0 200 400 600 800 1k 1.2k 1.4k 1.6k 1.8k 2k"),
        (1.9, "0 0.2 0.4 0.6 0.8 1 1.2 1.4 1.6 1.8 2"),
    ],
    ids=["thousands", "fractions"],
)
def test_each_label_of_an_axis_has_a_prefix_of_its_own(dashboard, browser, tmp_path, highest, labels):
    """Vega would label 500 as 0.5k beside 1.5k; d3's format alone would label 0.5 as 500m."""
    question = load_questions(tmp_path)["revenue_by_channel"]
    rows = [(date(2026, 7, 1), "Email", round(highest * 1e6))]
    answer = Answer(question, 1, "northwind", "USD", ("date", "channel", "revenue_micros"), ("DATE",) * 3, rows)
    with opened(browser, viewport=SCREEN) as (page, _):
        page.goto(f"{dashboard.url}/overview?org=northwind")
        wait_for_charts(page)
        page.evaluate("spec => { vegaEmbed('.chart', spec, {ast: true, renderer: 'svg'}) }", specification(answer))
        numbers = page.locator(".chart .role-axis-label text").filter(has_text=re.compile(r"^[\d.]+k?$"))
        expect(numbers).to_have_text(labels.split())


def test_the_key_figures_of_the_overview_share_a_row(dashboard, browser):
    with opened(browser, viewport=SCREEN) as (page, _):
        page.goto(f"{dashboard.url}/overview?org=northwind")
        tops = page.locator(".tiles").first.locator("> *").evaluate_all("all => all.map(one => one.offsetTop)")
    assert len(tops) == 7
    assert len(set(tops)) == 1


def test_an_unknown_page_leads_back_to_the_dashboard(dashboard, browser):
    with opened(browser) as (page, _):
        page.goto(f"{dashboard.url}/nothing")
        page.get_by_role("link", name="Open the dashboard").click()
        expect(page.locator("h1")).to_have_text("Overview")


def test_the_log_in_reads_well_in_every_look(dashboard, browser):
    problems: list[str] = []
    with running(app_on(dashboard.service, needs_key=True)) as url:
        for look, (options, _) in LOOKS.items():
            with opened(browser, **options) as (page, errors):
                page.goto(f"{url}/overview?from=2026-07-01")
                expect(page.get_by_label("API key")).to_be_visible()
                problems += [f"{look}: {problem}" for problem in [*reading_problems(page), *errors]]
    assert not problems, "\n".join(problems)


# Rows of which a phone shows a small part of the height, because a narrow column has all the text.
TALL_ROWS = """() => [...document.querySelectorAll('.scroll')].flatMap(box => {
  const right = box.getBoundingClientRect().right - 20, range = document.createRange();
  const textHeight = cell => { range.selectNodeContents(cell); return range.getBoundingClientRect().height; };
  return [...box.querySelectorAll('tbody tr')].filter(row => {
    const shown = [...row.children].filter(cell => cell.getBoundingClientRect().left < right);
    return row.getBoundingClientRect().height > 150 && Math.max(...shown.map(textHeight)) < 50;
  }).map(row => `a row is tall for nothing: ${row.textContent.trim().slice(0, 40)}`);
})"""
# Labels of an axis that touch each other. Rotated ones may: their boxes are larger than their text.
TOUCHING_LABELS = """() => [...document.querySelectorAll('.chart .role-axis-label')].flatMap(axis => {
  const labels = [...axis.querySelectorAll('text')].filter(
    text => text.getAttribute('opacity') !== '0' && !/rotate/.test(text.getAttribute('transform')));
  const boxes = labels.map(text => text.getBoundingClientRect());
  const meet = (one, other) => one.right > other.left - 2 && one.left < other.right
    && one.bottom > other.top && one.top < other.bottom;
  return labels.slice(1).filter((text, at) => meet(boxes[at], boxes[at + 1])).map(
    text => `axis labels touch: ${text.textContent}`);
})"""
# Words of code and of links that break in the middle.
BROKEN_WORDS = """() => [...document.querySelectorAll('td code, td.text-short a')]
  .filter(each => each.getClientRects().length > 1 && !/[ ,]/.test(each.textContent.trim()))
  .map(each => `a word breaks: ${each.textContent}`)"""


def reading_problems(page: Page) -> list[str]:
    """Return what is wrong with the shown page: wider than the screen, hard to read, or what axe finds."""
    expect(page.locator("h1")).to_have_count(1)
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    problems = [f"{width} px wider than the screen"] if width > 0 else []
    for script in (TALL_ROWS, TOUCHING_LABELS, BROKEN_WORDS):
        problems += page.evaluate(script)
    for violation in Axe().run(page).response["violations"]:
        places = [node["html"][:160] for node in violation["nodes"][:3]]
        problems.append(f"{violation['id']}: {places}")
    return problems


def figures(page: Page, question: str) -> dict[str, str]:
    """Return the exact values of a question's tiles, by column."""
    places = page.locator(f'a.figure[data-question="{question}"]')
    return {place.get_attribute("data-column"): place.get_attribute("data-value") for place in places.all()}


def rows(page: Page, question: str) -> list[dict[str, str]]:
    """Return the exact values of a table's numbers, by column, and the text of its first column."""
    found = []
    for row in page.locator(f'table[data-question="{question}"] tbody tr').all():
        cells = row.locator("td").all()
        record = {"": cells[0].inner_text()}
        for cell in cells:
            if column := cell.get_attribute("data-column"):
                record[column] = cell.get_attribute("data-value")
        found.append(record)
    return found


@pytest.mark.parametrize("query", ["", "model=last_touch&window=7", "mode=accrual&customers=new"])
def test_the_figures_of_the_overview_are_those_of_the_marts(dashboard, browser, query):
    with opened(browser) as (page, _):
        page.goto(f"{dashboard.url}/overview?org=northwind&{query}")
        tiles, channels = figures(page, "kpis"), rows(page, "channels")
        texts = page.locator("a.figure").all_inner_texts()
    given = {name: values[0] for name, values in parse_qs(query).items()}
    model, window = given.get("model", "linear"), int(given.get("window", 30))
    is_new = given.get("customers") == "new"
    with published(dashboard.home, "northwind") as marts:
        (last,) = marts.execute("select max(date) from blended_daily").fetchone()
        first = max(marts.execute("select min(date), $1::date - 29 from blended_daily", [last]).fetchone())
        revenue, conversions, first_conversions = marts.execute(
            "select sum(value_micros), count(*), count(*) filter (where is_first_conversion) from conversions"
            " where date between $1 and $2 and (not $3 or is_first_conversion) and conversion_type = 'purchase'",
            [first, last, is_new],
        ).fetchone()
        (spend,) = marts.execute(
            "select sum(spend_micros) from rollup_spend where grain = 'ORGANIZATION' and date between $1 and $2",
            [first, last],
        ).fetchone()
        if given.get("mode"):  # day of the touch, new customers: from the single links
            expected = marts.execute(
                "select channel, sum(attributed_value_micros)::bigint from attribution_links as links"
                " join conversion_touches using (org_id, conversion_id, touchpoint_id)"
                " join conversions using (org_id, conversion_id)"
                " where links.attribution_model = $1 and touch_date between $2 and $3 and is_first_conversion"
                " and links.conversion_type = 'purchase'"
                " group by 1",
                [model, first, last],
            ).fetchall()
        else:
            expected = marts.execute(
                "select channel, sum(attributed_value_micros)::bigint from window_links"
                " join touchpoints using (org_id, touchpoint_id) join conversions using (org_id, conversion_id)"
                " where attribution_model = $1 and window_links.lookback_days = $2 and date between $3 and $4"
                " and conversion_type = 'purchase'"
                " group by 1",
                [model, window, first, last],
            ).fetchall()
    assert int(tiles["revenue_micros"]) == revenue
    assert int(tiles["conversions"]) == conversions
    assert int(tiles["spend_micros"]) == spend
    assert Decimal(tiles["mer"]) == pytest.approx(Decimal(revenue) / spend)
    assert Decimal(tiles["cac_micros"]) == pytest.approx(Decimal(spend) / first_conversions, abs=1)
    assert shown(revenue, "money", "USD", is_short=True) in texts
    credited = {name: value for name, value in expected if value}
    found = {row[""]: int(row["conversion_value_micros"]) for row in channels if int(row["conversion_value_micros"])}
    assert found.items() <= (credited | {"(unattributed)": found.get("(unattributed)")}).items()


def test_each_filter_changes_the_page_and_its_link(dashboard, browser):
    """The link of a filtered page shows the same figures to somebody else, and back and forward work."""
    changes = {
        "f-model": ("model", "first_touch"),
        "f-window": ("window", "1"),
        "f-mode": ("mode", "accrual"),
        "f-customers": ("customers", "returning"),
    }
    with opened(browser) as (page, errors):
        page.goto(f"{dashboard.url}/overview?org=northwind&from=2026-07-08&to=2026-07-14")
        seen = [page.locator('table[data-question="channels"]').inner_text()]
        for control, (name, value) in changes.items():
            page.locator(f"#{control}").select_option(value)
            page.wait_for_url(re.compile(rf"[?&]{name}={value}(&|$)"))
            expect(page.locator('table[data-question="channels"]')).not_to_have_text(seen[-1])
            wait_for_charts(page)
            seen.append(page.locator('table[data-question="channels"]').inner_text())
        assert len(set(seen)) == len(seen)
        link = page.url
        with opened(browser) as (other, _):
            other.goto(link)
            assert other.locator('table[data-question="channels"]').inner_text() == seen[-1]
            assert other.locator("#f-model").input_value() == "first_touch"
        page.go_back()
        page.wait_for_url(lambda url: "customers=returning" not in url)
        expect(page.locator("#f-customers")).to_have_value("all")
        assert page.locator('table[data-question="channels"]').inner_text() == seen[-2]
        page.go_forward()
        page.wait_for_url(re.compile("customers=returning"))
        expect(page.locator("#f-customers")).to_have_value("returning")
        assert page.locator('table[data-question="channels"]').inner_text() == seen[-1]
        assert not errors


def test_who_goes_back_and_forward_before_the_scripts_run_sees_the_page_of_the_address(dashboard, browser):
    with opened(browser) as (page, errors):
        page.goto(f"{dashboard.url}/overview?org=northwind")
        wait_for_charts(page)
        page.locator("#f-model").select_option("first_touch")
        page.wait_for_url(re.compile("model=first_touch"))
        held: list[Route] = []
        page.route("**/htmx.min.js*", lambda route: held.append(route), times=1)  # noqa: PLW0108  it gets an attribute
        page.go_back(wait_until="commit")
        expect(page.locator("#f-model")).not_to_have_value("first_touch")
        wait_until(lambda: page.wait_for_timeout(10) or held, "the page waits for its scripts")
        page.evaluate("history.forward()")
        page.wait_for_url(re.compile("model=first_touch"), wait_until="commit")
        held.pop().continue_()
        expect(page.locator("#f-model")).to_have_value("first_touch")
        assert not errors


def test_dates_comparison_periods_and_orgs_change_the_page(dashboard, browser):
    with opened(browser) as (page, errors):
        page.goto(f"{dashboard.url}/overview?org=northwind")
        page.locator(".presets").get_by_role("link", name="7 days").click()
        wait_for_charts(page)
        query = parse_qs(urlsplit(page.url).query)
        expect(page.locator("#f-from")).to_have_value(query["from"][0])
        page.locator("#f-from").fill(query["to"][0])
        page.locator("#f-from").dispatch_event("change")
        page.wait_for_url(re.compile(f"from={query['to'][0]}"))
        assert page.locator(".change").count() > 0
        page.locator("#f-compare").select_option("none")
        page.wait_for_url(re.compile("compare=none"))
        expect(page.locator(".change")).to_have_count(0)
        page.locator("#f-org").select_option("nordlicht")
        page.wait_for_url(re.compile("org=nordlicht"))
        expect(page.locator("footer")).to_contain_text("EUR")
        assert not errors


def test_a_table_sorts_and_its_numbers_lead_to_their_explanation(dashboard, browser):
    with opened(browser) as (page, errors):
        page.goto(f"{dashboard.url}/overview?org=northwind")
        page.locator('table[data-question="channels"]').get_by_role("link", name="ROAS").click()
        expect(page.locator('table[data-question="channels"] th[aria-sort="descending"]')).to_have_text("ROAS")
        ratios = [float(row["roas"]) for row in rows(page, "channels") if row["roas"]]
        assert ratios == sorted(ratios, reverse=True)
        page.locator('a.figure[data-column="roas"]').click()
        page.wait_for_url(re.compile("/explain/kpis"))
        expect(page.locator("dt#roas")).to_be_visible()
        expect(page.locator("pre")).to_contain_text("channel_credit")
        assert not errors


def test_the_page_works_by_keyboard_and_without_script(dashboard, browser):
    with opened(browser) as (page, _):
        page.goto(f"{dashboard.url}/overview?org=northwind")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        page.locator("#f-model").focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowDown")
        page.wait_for_url(re.compile("model=last_touch"))
        expect(page.locator("#f-model")).to_be_focused()
    with opened(browser, java_script_enabled=False) as (page, _):
        page.goto(f"{dashboard.url}/overview?org=northwind")
        before = page.locator('table[data-question="channels"]').inner_text()
        page.locator("#f-model").select_option("first_touch")
        page.locator(".apply").click()
        page.wait_for_url(re.compile("model=first_touch"))
        assert page.locator('table[data-question="channels"]').inner_text() != before


def test_a_page_of_the_home_folder_joins_the_navigation(dashboard, browser):
    """Custom dashboards are files: a question and a page of the user's own."""
    (dashboard.home / "questions").mkdir(exist_ok=True)
    (dashboard.home / "pages").mkdir(exist_ok=True)
    (dashboard.home / "questions" / "orders_by_weekday.sql").write_text(
        "/*\ntitle: Orders by weekday\ncolumns:\n  weekday: {title: Weekday}\n  orders: {title: Orders, unit: count}\n"
        "chart: {mark: bar, encoding: {x: {field: weekday, type: nominal}, y: {field: orders, type: quantitative}}}\n"
        "*/\nselect dayname(date) as weekday, count(*) as orders from conversions\n"
        "where date between $from and $to group by all order by weekday\n"
    )
    (dashboard.home / "pages" / "weekdays.html").write_text(
        '{# title: Weekdays #}\n{% extends "base.html" %}\n'
        '{% block content %}{{ parts.chart("orders_by_weekday") }}{{ parts.table("orders_by_weekday") }}\n'
        "{% endblock %}\n"
    )
    dashboard.service.load()
    with opened(browser) as (page, errors):
        page.goto(f"{dashboard.url}/overview?org=nordlicht&from=2026-07-01&to=2026-07-14")
        page.get_by_role("link", name="Weekdays").click()
        wait_for_charts(page)
        orders = sum(int(row["orders"]) for row in rows(page, "orders_by_weekday"))
        with published(dashboard.home, "nordlicht") as marts:
            sql = "select count(*) from conversions where date between '2026-07-01' and '2026-07-14'"
            assert orders == marts.execute(sql).fetchone()[0]
        expect(page.locator("#f-model")).to_be_disabled()  # no question of the page uses it
        assert not errors


def test_a_saved_view_opens_with_its_filters(dashboard, browser):
    (dashboard.home / "pages").mkdir(exist_ok=True)
    saved = "{# title: Email, last touch #}\n{# view: /channels?channel=Email&model=last_touch&window=7 #}\n"
    (dashboard.home / "pages" / "email.html").write_text(saved)
    (dashboard.home / "pages" / "away.html").write_text("{# title: Away #}\n{# view: //elsewhere.example/ #}\n")
    with opened(browser) as (page, errors):
        page.goto(f"{dashboard.url}/overview?org=nordlicht&model=linear")
        page.get_by_role("link", name="Email, last touch").click()
        page.wait_for_url(re.compile("/channels"))
        expect(page.locator("#f-model")).to_have_value("last_touch")
        expect(page.locator("#f-window")).to_have_value("7")
        expect(page.locator("#f-org")).to_have_value("nordlicht")
        expect(page.locator(".crumbs")).to_contain_text("Email")
        page.goto(f"{dashboard.url}/away?org=nordlicht")
        assert page.url.startswith(dashboard.url)
        assert not errors


def test_vendored_files_are_those_of_their_versions():
    """Nobody edits a vendored file: its checksum is that of the package's version."""
    with (VENDOR / "versions.csv").open() as lines:
        listed = {row["file"]: row["sha256"] for row in csv.DictReader(lines)}
    files = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.suffix in (".js", ".woff2")
    }
    assert files == listed
