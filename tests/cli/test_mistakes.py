"""Typical mistakes of new users: the command line, its exit code, and words of the answer.

An answer says what is wrong, where, and what to do. It never shows a stack trace. Almost all run inside this process.
"""

from __future__ import annotations

import itertools
import os
import shlex
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app as cli
from ingestion.home import Home
from ingestion.warehouse import connect
from tests.support.home import COMMAND, copy_home

OK, FAILED, WRONG_INPUT = 0, 1, 2
EVENTS = "event_id,site_id,type,occurred_at,anon_id\n"
FILES = {
    "events.csv": EVENTS + "e1,shop,PAGE_VIEW,2026-07-01T00:00:00Z,v1\n",
    "typo.csv": EVENTS + "e2,shop,PAGEVIEW,2026-07-01T00:00:00Z,v1\n",
    "header.csv": EVENTS,
    "empty.csv": "",
    "other.csv": "a,b\n1,2\n",
    "no_id.csv": "id,site_id\n1,shop\n",
    "cut.json": '{"a":',
    "report.pdf": "%PDF-1.4",
    "book.xlsx": "PK\x03\x04 cut short",
    "zoneless.csv": EVENTS + "e3,shop,PAGE_VIEW,2026-07-01 09:30:00,v1\n",
    "spend.csv": "date,platform,account_id,campaign_id,spend,currency\n2026-07-01,meta,act_1,1,12.50,US\n",
    "marks.csv": 'date,platform,account_id,campaign_id,spend,currency\n2026-07-01,meta,1,1,"1,234.5",USD\n'
    '2026-07-02,meta,1,1,"1.234,5",USD\n',
}

# In a home with three orgs, published marts and ad accounts that nobody logged in to: (command, exit code, words).
MISTAKES = [
    # the command line itself
    ("quer 'select 1'", WRONG_INPUT, ["no command quer", "Do you mean query?", "tributary --help"]),
    ("explain conversions x", WRONG_INPUT, ["no command conversions", "Do you mean conversion?"]),
    ("replay faild", WRONG_INPUT, ["Do you mean failed?"]),
    ("run --ful-refresh", WRONG_INPUT, ["no option --ful-refresh", "Do you mean --full-refresh?"]),
    ("snippet shop --colector x", WRONG_INPUT, ["Do you mean --collector?", "tributary snippet --help"]),
    ("snippet", WRONG_INPUT, ["SITE", "tributary snippet --help"]),
    ("replay failed", WRONG_INPUT, ["'--reason'", "tributary replay failed --help"]),
    ("pull meta google", WRONG_INPUT, ["google", "tributary pull --help"]),
    ("query select 1", WRONG_INPUT, ["Write a value with spaces in quotes"]),
    # days and numbers
    ("pull meta --from 01.07.2026", WRONG_INPUT, ["'--from'", "'01.07.2026' is not a day", "2026-07-01"]),
    ("simulate --start 2026-02-30", WRONG_INPUT, ["'2026-02-30' is not a day"]),
    ("failed --since yesterday", WRONG_INPUT, ["'--since'", "'yesterday' is not a day"]),
    ("simulate --days 1", WRONG_INPUT, ["'--days'", "7"]),
    ("query 'select 1' --limit 0", WRONG_INPUT, ["'--limit'", "1"]),
    ("collect --port 99999", WRONG_INPUT, ["'--port'", "65535"]),
    ("pull meta --from 2026-07-10 --to 2026-07-01", WRONG_INPUT, ["2026-07-10, is after the last", "Swap"]),
    ("pull meta --from 2010-01-01", WRONG_INPUT, ["37 months of history", "or later"]),
    ("pull meta --to 2999-01-01", WRONG_INPUT, ["--to 2999-01-01 is in the future"]),
    # files
    ("import nowhere.csv", WRONG_INPUT, ["nowhere.csv: there is no such file in /", "Check the path"]),
    ("import empty.csv", WRONG_INPUT, ["empty.csv: the file is empty", "name the columns"]),
    ("import header.csv", OK, ["0 received", "the file has no rows"]),
    ("import .", WRONG_INPUT, ["a folder, not a file"]),
    ("import other.csv", WRONG_INPUT, ["other.csv: no layout has these columns", "--map", "a, b"]),
    ("import cut.json", WRONG_INPUT, ["cut.json", "cut short", "export it again"]),
    ("import report.pdf", WRONG_INPUT, ["a PDF document", "as CSV"]),
    ("import book.xlsx", WRONG_INPUT, ["book.xlsx", "damaged", "Export it again"]),
    ("import evnts events.csv", WRONG_INPUT, ["evnts is neither a file nor a kind", "Do you mean events?"]),
    ("import spend events.csv", WRONG_INPUT, ["required columns date, platform", "are missing", "--map date="]),
    ("import events no_id.csv", WRONG_INPUT, ["no_id.csv", "event_id", "--map event_id=id"]),
    ("import spend spend.csv", WRONG_INPUT, ["line 2: currency", "ISO 4217", "such as USD", "--partial"]),
    ("import spend marks.csv", WRONG_INPUT, ["column spend is contradictory", "one mark"]),
    ("import events typo.csv", OK, ["1 failed: unknown_type", "tributary failed"]),
    ("import events zoneless.csv", OK, ["1 failed: missing_timezone"]),
    ("import events zoneless.csv --timezone Berlin", WRONG_INPUT, ["Berlin", "Do you mean Europe/Berlin?"]),
    ("import events events.csv --site northwind-shpo", WRONG_INPUT, ["Do you mean northwind-shop?"]),
    ("import events events.csv --org nobody", WRONG_INPUT, ["--org nobody", "Use one of default, northwind"]),
    ("import events events.csv --map anon_id", WRONG_INPUT, ["--map 'anon_id'", "column=source_column"]),
    ("import events events.csv --map anon_id=a --map anon_id=b", WRONG_INPUT, ["anon_id", "twice"]),
    ("import events events.csv --map anonid=anon_id", WRONG_INPUT, ["no column anonid", "Do you mean anon_id?"]),
    ("import events events.csv --map anon_id=anonid", WRONG_INPUT, ["events.csv", "Do you mean anon_id?"]),
    ("import events events.csv --map anon_id=visitor", WRONG_INPUT, ["visitor", "The file's columns: event_id"]),
    ("import spend spend.csv --set curency=EUR", WRONG_INPUT, ["no column curency", "Do you mean currency?"]),
    ("import events events.csv --where 'type = PAGE_VIEW'", WRONG_INPUT, ["--where", "PAGE_VIEW", "columns: event_id"]),
    ("import events events.csv --layout shopfy_orders", WRONG_INPUT, ["Do you mean shopify_orders?"]),
    ("import events events.csv --decimal dot", WRONG_INPUT, ["--decimal dot", "point or comma"]),
    ("import events events.csv --save 'my export'", WRONG_INPUT, ["--save: 'my export' is not an id", "such as"]),
    # failed rows
    ("failed --kind event", WRONG_INPUT, ["--kind event is unknown", "Use one of events"]),
    ("failed --reason unknown_typ", WRONG_INPUT, ["unknown_typ", "Do you mean unknown_type?"]),
    ("failed --rows", WRONG_INPUT, ["--rows needs --reason"]),
    ("replay failed --reason unknwon_type", WRONG_INPUT, ["unknwon_type", "Do you mean unknown_type?"]),
    # queries and explanations
    ("query ''", WRONG_INPUT, ["no statement", "select"]),
    ("query 'selct 1'", WRONG_INPUT, ['syntax error at or near "selct"']),
    ("query 'from conversion'", WRONG_INPUT, ["conversion", 'Did you mean "conversions"?']),
    ("query 'select campain from campaigns'", WRONG_INPUT, ['"campain"', '"campaign"']),
    ("query \"insert into conversions values ('x')\"", WRONG_INPUT, ["INSERT", "read-only"]),
    ("query 'select 1; select 2'", WRONG_INPUT, ["several statements", "Write one"]),
    ("explain conversion nobody", WRONG_INPUT, ["No conversion begins with 'nobody'", "select conversion_id"]),
    ("explain conversion n", WRONG_INPUT, ["Several conversions begin with 'n'", "Give more of the id"]),
    ("explain waste nobody", WRONG_INPUT, ["No waste flag begins with 'nobody'", "select waste_id from waste_flags"]),
    # platforms
    ("connect facebok", WRONG_INPUT, ["no platform facebok", "Do you mean facebook?"]),
    ("pull gogle", WRONG_INPUT, ["no platform gogle", "Do you mean google?"]),
    ("connect google --org northwnd", WRONG_INPUT, ["northwnd", "Do you mean northwind?"]),
    ("TRIBUTARY_SECRET_KEY=k connect fb --org northwind --token", WRONG_INPUT, ["no terminal", "ACCESS_TOKEN"]),
    ("pull facebook", FAILED, ["Meta is not connected: tributary connect meta", "Every pull failed"]),
    ("pull fb --account act_7", WRONG_INPUT, ["no account 7 of Meta", "tributary connect meta"]),
    ("pull all --account 1", WRONG_INPUT, ["--account needs a platform"]),
    ("pull synced", WRONG_INPUT, ["no `synced`", "path: FOLDER"]),
    ("pull ecb --to 2026-07-01", WRONG_INPUT, ["Omit --to"]),
    (
        "TRIBUTARY_META_ACCESS_TOKEN=abcdefgh TRIBUTARY_META_URL=localhost pull meta",
        FAILED,
        ["TRIBUTARY_META_URL='localhost' is no whole address"],
    ),
    ("connections --chek", WRONG_INPUT, ["Do you mean --check?"]),
    # sites and servers
    ("snippet northwind", WRONG_INPUT, ["no site northwind", "Do you mean northwind-"]),
    ("snippet shop --collector t.example.com", WRONG_INPUT, ["no whole address", "https://t.example.com"]),
    ("snippet shop --auto outbound,form", WRONG_INPUT, ["no events 'form'", "Do you mean forms?"]),
    ("collect --port {taken}", WRONG_INPUT, ["uses port {taken}", "--port {next}"]),
    ("dev --port {taken} --collector-port {free}", WRONG_INPUT, ["uses port {taken}", ": --port {next}"]),
    ("dev --port {free} --collector-port {taken}", WRONG_INPUT, ["uses port {taken}", "--collector-port {next}"]),
    ("ui --port {taken}", WRONG_INPUT, ["uses port {taken}", "--port {next}"]),
    ("collect --host shop.invalid", WRONG_INPUT, ["--host shop.invalid", "127.0.0.1"]),
    ("collect --trusted-proxy proxy", WRONG_INPUT, ["--trusted-proxy proxy", "10.0.0.0/8"]),
    ("check shop.example", FAILED, ["'shop.example' is no whole address"]),
    (
        "TRIBUTARY_SERVER_KEY_NORTHWIND_SHPO=0123456789abcdef check",
        FAILED,
        ["Do you mean TRIBUTARY_SERVER_KEY_NORTHWIND_SHOP?"],
    ),
    # persons, runs
    ("erase", WRONG_INPUT, ["--email, --visitor and --customer"]),
    ("erase --email anna --yes", WRONG_INPUT, ["'anna' is not an e-mail address"]),
    ("erase --customer c-999999 --yes", WRONG_INPUT, ["No stored row has this customer id", "Nothing was changed"]),
    ("erase --visitor v-999999 --org northwind --dry-run", WRONG_INPUT, ["this visitor id", "Check the spelling"]),
    ("export-person --customer c-1 --org nobdy", WRONG_INPUT, ["--org nobdy", "Use one of"]),
    ("run --select touchpoints", WRONG_INPUT, ["--select 'touchpoints'", '"marts", "touchpoints"']),
    ("run --select key:nothing", WRONG_INPUT, ["names no asset", "group:raw"]),
    ("rebuild", WRONG_INPUT, ["is whole", "tributary run --full-refresh"]),
]

ORG = "orgs:\n  - {id: a, currency: USD}\n"
# A tributary.yaml, and words of the answer of every command that reads it.
WRONG_SETTINGS = [
    ("orgs: [\n", ["tributary.yaml:2: not YAML", "Correct this line"]),
    (f"{ORG}sites:\n\t- {{id: shop, org: a}}\n", ["tributary.yaml:4: not YAML", "Indent with spaces"]),
    ("orgs:\n  - {id: a, currency: EURO}\n", [":2: orgs[0].currency: 'EURO'", "Do you mean EUR?"]),
    ("orgs:\n  - {id: a, curency: USD}\n", [":2: orgs[0].curency: unknown name. Do you mean currency?"]),
    ("orgs:\n  - {id: a, currency: USD, timezone: Berlin}\n", ["'Berlin'", "Do you mean Europe/Berlin?"]),
    (f"{ORG}sitez: []\n", [":3: sitez: unknown name. Do you mean sites?"]),
    (f"{ORG}sites:\n  - {{id: shop, org: b}}\n", [":4: sites[0].org: there is no org b", "Use one of a"]),
    (f"{ORG}sites:\n  - {{id: s, org: a, domains: ['https://s.example/']}}\n", ["without https:// and path"]),
    (f"{ORG}ad_accounts:\n  - {{platform: meta, account_id: 7, org: a}}\n", [":4: ", "in quotes"]),
]


@pytest.fixture(scope="module")
def home(built, tmp_path_factory) -> Path:
    return copy_home(built, tmp_path_factory.mktemp("mistakes") / "home")


@pytest.fixture
def answer(monkeypatch, tmp_path) -> Callable[[Path, str], tuple[int, str]]:
    """answer(home, line) runs a command line among FILES and returns its exit code and output."""
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)

    def call(home: Path, line: str) -> tuple[int, str]:
        words = shlex.split(line)
        variables = dict(word.split("=", 1) for word in itertools.takewhile(lambda word: "=" in word, words))
        done = CliRunner().invoke(cli.app, words[len(variables) :], env={"TRIBUTARY_HOME": str(home), **variables})
        assert not done.exception or isinstance(done.exception, SystemExit), f"{line}: {done.exception!r}"
        assert "Traceback" not in done.output
        return done.exit_code, done.output

    return call


@pytest.fixture(scope="module")
def ports():
    """A port that a server uses, the next one, and a free one."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        taken, free = server.getsockname()[1], other.getsockname()[1]
        other.close()
        yield {"taken": taken, "next": taken + 1, "free": free}


@pytest.mark.parametrize("mistake", MISTAKES, ids=[line for line, *_ in MISTAKES])
def test_a_mistake_has_a_good_answer(answer, home, ports, mistake: tuple[str, int, list[str]]) -> None:
    line, code, words = mistake
    settings = (home / "tributary.yaml").read_text()
    found, output = answer(home, line.format(**ports) if "{" in line else line)
    assert found == code, output
    text = " ".join(output.split())
    missing = [word for word in (word.format(**ports) for word in words) if word not in text]
    assert not missing, f"{missing} is not in: {output}"
    assert not [word for word in ("None", "Errno", "Collecting on") if word in text]
    assert (home / "tributary.yaml").read_text() == settings


@pytest.mark.parametrize(("settings", "words"), WRONG_SETTINGS, ids=[words[0] for _, words in WRONG_SETTINGS])
def test_wrong_settings_are_named_by_file_and_line(answer, tmp_path, settings: str, words: list[str]) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "tributary.yaml").write_text(settings)
    code, output = answer(home, "snippet shop")
    assert code == WRONG_INPUT, output
    assert not [word for word in words if word not in output], output


def test_status_and_check_go_on_with_wrong_settings(answer, tmp_path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "tributary.yaml").write_text(f"{ORG}sitez: []\n")
    for line, code, others in (("status", WRONG_INPUT, "Nothing is published"), ("check", FAILED, "disk: ")):
        found, output = answer(home, line)
        assert found == code, output
        assert "tributary.yaml:3: sitez: unknown name. Do you mean sites?" in output
        assert others in output


def test_an_unusable_home_is_named(answer, tmp_path) -> None:
    newer = tmp_path / "newer"
    assert answer(newer, "failed") == (OK, f"Nothing is loaded in {newer} yet.\n")
    with connect(Home(newer)) as connection:
        connection.execute("insert into migrations.applied values (999, 'later', timestamp '2030-01-01')")
    for home, line, words in [
        (newer, "status", ["schema version 999", "Upgrade Tributary"]),
        (tmp_path / "events.csv", "status", ["TRIBUTARY_HOME", "events.csv", "Use another folder"]),
        (tmp_path / "a#b", "run", ["TRIBUTARY_HOME", "'#'", "Use another folder"]),
        (tmp_path / "new", "query 'select 1'", ["Nothing is published", "tributary run"]),
        (tmp_path / "new", "rebuild", ["nothing to load again", "tributary run"]),
        (tmp_path / "new", "pull meta", ["no ad account of Meta", "tributary connect meta"]),
        (tmp_path / "new", "pull all", ["Nothing is connected yet", "tributary connect"]),
    ]:
        code, output = answer(home, line)
        assert code == WRONG_INPUT, output
        assert not [word for word in words if word not in output], output


def test_an_alias_of_a_platform_and_any_spelling_of_an_account_work_everywhere(answer, tmp_path, monkeypatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    account = "{platform: Facebook, account_id: act_123, org: a}"
    (home / "tributary.yaml").write_text(f"{ORG}ad_accounts:\n  - {account}\n")
    assert "meta 123: Meta is not connected" in answer(home, "pull fb --account ACT_123")[1]
    assert "meta 123" in " ".join(answer(home, "connections")[1].split())
    code, output = answer(home, "connections --check")
    assert (code, "no login" in output) == (FAILED, True)
    monkeypatch.setattr("connectors.http.retry.ATTEMPTS_TO_CONNECT", 1)
    variables = "TRIBUTARY_META_ACCESS_TOKEN=abcdefgh TRIBUTARY_META_URL=http://127.0.0.1:9"
    code, output = answer(home, f"{variables} connections --check")
    assert code == FAILED
    assert "no network" in output
    assert "no response from http://127.0.0.1:9" in output


def test_a_locale_of_another_encoding_reads_the_rules_as_they_are(tmp_path):
    file = tmp_path / "Käufe.csv"
    file.write_text(f"{EVENTS}e1,shop,PAGE_VIEW,2026-07-01T00:00:00Z,v-ü\n", encoding="utf-8")
    # C without Python's two ways around it: the encoding is ASCII, as it is Latin-1 in en_US.ISO-8859-1.
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    environment = {**os.environ, "TRIBUTARY_HOME": str(tmp_path / "home"), **locale}

    def output(*words: object) -> str:
        done = subprocess.run([COMMAND, *words], env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    assert output("import", "events", file).startswith("Käufe.csv: 1 received = 1 loaded")
    assert output("query", "--raw", "--csv", "select anon_id from raw.events").split() == ["anon_id", "v-ü"]
