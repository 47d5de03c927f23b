"""Compare the documents with the project: the marts reference, quoted files, commands, names and links."""

from __future__ import annotations

import importlib
import itertools
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import duckdb
import pytest
import typer
from rich.console import Console
from sqlglot import exp, parse_one

from cli.app import app
from cli.run_summary import run_summary
from ingestion.home import Home
from tests.support.home import COMMAND, ROOT, published

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("clients/**/*.md")])
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
generator = runpy.run_path(str(ROOT / "docs" / "generate.py"))
MARTS = {mart.name: mart for mart in generator["read_marts"]()}
MODELS = sorted(path.stem for path in generator["MARTS"].glob("*/*.sql"))


def test_the_marts_reference_matches_the_yml() -> None:
    assert generator["REFERENCE"].read_text() == generator["rendered"](list(MARTS.values())), (
        "docs/marts.md differs from dbt's yml: run python docs/generate.py"
    )


@each_document
def test_quoted_files_are_current(document: Path) -> None:
    text = document.read_text()
    assert text == generator["with_quotes"](text), f"{document.name}: run python docs/generate.py"
    assert text.count("<!-- quoted:") == len(generator["QUOTE"].findall(text)), (
        f"{document.name}: a quote has no code block"
    )


def test_every_mart_is_described() -> None:
    assert sorted(MARTS) == MODELS


@pytest.mark.parametrize("name", MODELS)
def test_a_mart_states_its_grain_and_describes_its_columns(name: str) -> None:
    mart = MARTS[name]
    assert re.match(r"One .+[.]$", mart.grain), f"{name}: the first sentence states no grain: {mart.grain!r}"
    assert mart.columns, f"{name}: no columns"
    bare = [column.name for column in mart.columns if not column.description or not column.data_type]
    assert not bare, f"{name}: no description or type: {bare}"


def prose(text: str) -> str:
    """A Markdown text without its code blocks."""
    return re.sub(r"^ *```[^\n]*\n.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)


def blocks(text: str, language: str = "") -> list[str]:
    """The code blocks of a Markdown text, or those of one language."""
    return re.findall(rf"^ *```{language}[^\n]*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)


def quoted_commands(text: str) -> list[list[str]]:
    """The words of every `tributary ...` in a Markdown text, in code blocks and in running text."""
    pieces = [block.replace("\\\n", " ") for block in blocks(text)] + re.findall(r"`([^`\n]+)`", prose(text))
    command = re.compile(r"^\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\S*/)?tributary (?=\S)", re.MULTILINE)
    return [words_of(piece[found.end() :]) for piece in pieces for found in command.finditer(piece)]


def words_of(text: str) -> list[str]:
    """A shell's words up to the end of the command: a newline outside of quotes, a comment, a pipe, `;` or `&`."""
    reader = shlex.shlex(text, posix=True, punctuation_chars="|;&\n")
    reader.whitespace, reader.whitespace_split, reader.commenters = " \t", True, ""
    return list(itertools.takewhile(lambda word: not (set(word) <= set("|;&\n") or word.startswith("#")), reader))


def unknown_word(words: list[str]) -> str | None:
    """The first command or option of a command line that does not exist, if any. Values are not checked."""
    command = typer.main.get_command(app)
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--help":
            continue
        options = {name: param for param in command.params for name in (*param.opts, *param.secondary_opts)}
        if word.startswith("-"):
            name, has_value, _ = word.partition("=")
            if name not in options:
                return f"no option {name}"
            if not has_value and not options[name].is_flag and rest:
                rest.pop(0)
        elif hasattr(command, "commands"):
            if command.name == "import" and ("." in word or "/" in word or word == "FILE"):
                word = "any"  # a file without a kind
            if word not in command.commands:
                return f"no command {word}"
            command = command.commands[word]
    return None


@each_document
def test_quoted_commands_exist(document: Path) -> None:
    unknown = {" ".join(words): unknown_word(words) for words in quoted_commands(document.read_text())}
    assert not {line: reason for line, reason in unknown.items() if reason}


def queries_in(text: str) -> list[tuple[bool, str]]:
    """Each query of a Markdown text, in `tributary query` or in a block of SQL, and whether it reads the warehouse."""
    quoted = [words[1:] for words in quoted_commands(text) if words[0] == "query"]
    statements = [("--raw" in words, [word for word in words if not word.startswith("--")]) for words in quoted]
    queries = [(is_raw, sql[0]) for is_raw, sql in statements if sql]
    plain = re.compile(r"(select|from|with)\b(?!.*[{][{])", re.DOTALL)  # no layout and no template of dbt
    sql = [textwrap.dedent(block) for block in blocks(text, "sql")]
    return [*queries, *((True, block) for block in sql if plain.match(block))]


def printed_hints(home: Path) -> Iterator[tuple[str, str]]:
    """The help of each command and the end of a run, as Markdown."""
    for command in typer.main.get_command(app).commands.values():
        yield f"{command.name} --help", f"```\n{command.help}\n```"
    lines = "\n".join(part for part in run_summary(Home(home)) if isinstance(part, str))
    yield "the end of a run", f"```\n{lines}\n```"


def adds_currencies(sql: str) -> bool:
    """Whether a query sums money and neither filters nor groups it by org or currency."""
    for select in parse_one(sql, dialect="duckdb").find_all(exp.Select):
        summed = {column.name for each in select.find_all(exp.Sum) for column in each.find_all(exp.Column)}
        if not any(re.search("micros|spend|value|amount|revenue", name) for name in summed):
            continue
        group, where = select.args.get("group"), select.args.get("where")
        parts = [where, group, *(select.expressions if group and group.args.get("all") else [])]
        names = {column.name for part in parts if part for column in part.find_all(exp.Column)}
        if not names & {"org_id", "currency", "original_currency"}:
            return True
    return False


def test_quoted_and_printed_queries_run_and_add_no_currencies(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(COMMAND.parent), prepend=os.pathsep)  # so that hints begin with `tributary`
    texts = [*((path.name, path.read_text()) for path in DOCUMENTS), *printed_hints(built)]
    found = [(name, is_raw, sql) for name, text in texts for is_raw, sql in queries_in(text)]
    assert {"README.md", "the end of a run", "query --help"} <= {name for name, _, _ in found}
    with published(built) as marts, duckdb.connect(str(built / "warehouse.duckdb"), read_only=True) as warehouse:
        for name, is_raw, sql in found:
            assert (warehouse if is_raw else marts).execute(sql).description, f"{name}: {sql}"
            assert not adds_currencies(sql), f"{name}: this query adds currencies. Name an org or a currency: {sql}"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select sum(spend_micros) / 1e6 from daily_rollups where grain = 'PLATFORM' group by platform", True),
        ("select sum(spend) from campaign_daily where org_id = 'a'", False),
        ("select platform, currency, sum(spend) from platform_daily group by all", False),
        ("select currency, s from (select max(currency) as currency, sum(spend) as s from platform_daily)", True),
        ("select sum(conversions) from platform_daily", False),
    ],
)
def test_a_query_that_adds_currencies_is_found(sql: str, expected: bool) -> None:
    assert adds_currencies(sql) is expected


def test_models_can_be_compared_with_the_simulated_truth(built: Path) -> None:
    """Run the script of docs/simulate.md."""
    [script] = re.findall(r"<<'END'\n(.*?)^END", (ROOT / "docs" / "simulate.md").read_text(), re.MULTILINE | re.DOTALL)
    assert script.count("var/") == 2
    done = subprocess.run(
        [sys.executable, "-c", script.replace("var/", f"{built}/")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {"Brand - Search", "creates demand", "claims demand"} <= set(
        re.findall(r"Brand - Search|creates demand|claims demand", done.stdout)
    )


STARTS = re.compile(r"Loaded:|Published:|Next:|Revenue of|Worst waste|[✓?!-] ")


def outline(output: str) -> list[str]:
    """Return the sentences of a run's summary, and titles with headings of its tables, without figures and paths.

    Rows of tables are omitted, because a campaign that wastes much in a quarter may not in a fortnight.
    """
    found: list[str] = []
    is_open = False
    for line in output.splitlines():
        is_row = re.match("Revenue|Worst", found[-1]) and re.search(r"\d", line) if found else False
        if STARTS.match(line):
            found.append(line)
            is_open = True
        elif is_row or not line.strip():
            is_open = False
        elif is_open and line != "...":
            found[-1] += f" {line}"
    without_figures = (re.sub(r"\d[\d,.]*", "#", re.sub(r"\S+/published/", "", line)) for line in found)
    return [" ".join(line.split()) for line in without_figures]


A_FLAG = """
insert into waste_flags by name
select 'w1' as waste_id, org_id, platform, campaign_id, 'CAMPAIGN' as grain, 'linear' as attribution_model,
    'high_cpa' as reason, 'high' as severity, 1000000 as waste_spend_micros
from campaigns limit 1
"""


def test_the_readme_shows_how_a_run_ends(built: Path, tmp_path: Path) -> None:
    """A fortnight ends as the quarter of the sample does, except that it wastes too little to flag."""
    (tmp_path / "published").mkdir()
    shutil.copy(built / "published" / "marts.duckdb", tmp_path / "published")
    with duckdb.connect(str(tmp_path / "published" / "marts.duckdb")) as marts:
        marts.execute(A_FLAG)
    console = Console(file=StringIO(), width=200, highlight=False)
    for part in run_summary(Home(tmp_path)):
        console.print(part)
    real = console.file.getvalue()
    readme = (ROOT / "README.md").read_text()
    sample = readme.split("ends like this (shortened):\n\n```\n", 1)[1].split("```", 1)[0]
    shown, found = outline(sample), outline(real)
    assert not [line for line in shown if line not in found], "\n".join(found)
    assert sorted(shown, key=found.index) == shown, "the order differs"
    # The number of checks follows from the orgs and models. Only the checks of waste flags need data.
    checks = re.compile(r"^✓ (.*): ([\d,]+) checks hold$", re.MULTILINE)
    counted, expected = dict(checks.findall(real)), dict(checks.findall(sample))
    explained = "Every number explains itself"
    assert int(counted.pop(explained)) <= int(expected.pop(explained))
    assert counted == expected


def test_an_unknown_command_or_option_is_found() -> None:
    text = """
`tributary run --select x`, `tributary fly`, `tributary import events|spend FILE`
```sh
.venv/bin/tributary import spend a.csv \\
  --no 1
tributary query "select 1
  as one" --out csv | tributary run
```
"""
    found = {" ".join(words): unknown_word(words) for words in quoted_commands(text)}
    assert found == {
        "run --select x": None,
        "fly": "no command fly",
        "import events": None,
        "import spend a.csv --no 1": "no option --no",
        "query select 1\n  as one --out csv": "no option --out",
    }


FOLDERS = "attribution|bench|cli|clients|connectors|dbt_project|docs|ingestion|orchestration|serving|tests|tracker"
NAMED_FILE = re.compile(rf"^(?:(?:{FOLDERS})/[^\s`:]*|[\w./<>*-]+\.(?:py|sql|yml|toml|md))$")
EXAMPLES = {
    "ingestion/files/formats/shoplog.sql",
    "linear_non_direct.sql",
    "dbt_project/models/marts/spend/weekly_spend.sql",
    "weekly_spend.yml",
    "dbt_project/tests/assert_roas_is_plausible.sql",
    "var/questions/revenue_by_weekday.sql",
}


def missing_files(text: str) -> list[str]:
    """The files and folders that a Markdown text names in running text and that the tree does not have.

    A name without a folder may be anywhere in the tree. `<name>` and `*` stand for anything.
    """
    names = {name for name in re.findall(r"`([^`\n]+)`", prose(text)) if NAMED_FILE.match(name)} - EXAMPLES
    return sorted(name for name in names if not is_in_tree(name))


def is_in_tree(name: str) -> bool:
    pattern = re.sub(r"<[^>]+>", "*", name.rstrip("/"))
    if any(ROOT.glob(pattern)):
        return True
    return not re.match(f"({FOLDERS})/", pattern) and any(
        any((ROOT / top).rglob(pattern)) for top in FOLDERS.split("|")
    )


@each_document
def test_named_files_exist(document: Path) -> None:
    assert not missing_files(document.read_text())


def test_a_file_that_does_not_exist_is_found() -> None:
    text = (
        "`cli/app.py`, `cli/none.py`, `channels.csv`, `dbt_project/seeds/<name>.csv`, `channel_summary.sql`, `no.sql`"
    )
    assert missing_files(text) == ["cli/none.py", "no.sql"]


@each_document
def test_named_make_targets_exist(document: Path) -> None:
    text = document.read_text()
    quoted = [*re.findall(r"`make ([a-z]+)", prose(text)), *re.findall(r"^make ([a-z]+)", "".join(blocks(text)), re.M)]
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    assert set(quoted) <= set(targets)


@each_document
def test_python_examples_import_names_that_exist(document: Path) -> None:
    for block in blocks(document.read_text(), "python"):
        for module, names in re.findall(
            r"^from ((?:tributary_client|connectors|ingestion)\S*) import (.+)$", block, re.M
        ):
            loaded = importlib.import_module(module)
            assert not [name for name in names.split(", ") if not hasattr(loaded, name)]


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", document.read_text())
    assert not [target for target in targets if not (document.parent / target).exists()]
