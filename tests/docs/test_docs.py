"""Documents say what the project is: the marts reference follows dbt's yml, quoted commands are commands."""

from __future__ import annotations

import itertools
import re
import runpy
import shlex
from pathlib import Path

import pytest
import typer

from cli.app import app
from tests.support.home import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
generator = runpy.run_path(str(ROOT / "docs" / "generate.py"))
MARTS = {mart.name: mart for mart in generator["read_marts"]()}
MODELS = sorted(path.stem for path in generator["MARTS"].glob("*/*.sql"))


def test_the_reference_is_what_the_yml_says() -> None:
    assert generator["REFERENCE"].read_text() == generator["rendered"](list(MARTS.values())), (
        "docs/marts.md is not what dbt's yml says: run python docs/generate.py"
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_quoted_files_are_as_they_are(document: Path) -> None:
    text = document.read_text()
    assert text == generator["with_quotes"](text), f"{document.name}: run python docs/generate.py"
    assert text.count("<!-- quoted:") == len(generator["QUOTE"].findall(text)), f"{document.name}: no block behind it"


def test_every_mart_is_described() -> None:
    assert sorted(MARTS) == MODELS


@pytest.mark.parametrize("name", MODELS)
def test_a_mart_states_its_grain_and_describes_its_columns(name: str) -> None:
    mart = MARTS[name]
    assert re.match(r"One .+[.]$", mart.grain), f"{name}: the first sentence states no grain: {mart.grain!r}"
    assert mart.columns, f"{name}: no columns"
    bare = [column.name for column in mart.columns if not column.description or not column.data_type]
    assert not bare, f"{name}: no description or type: {bare}"


def quoted_commands(text: str) -> list[list[str]]:
    """The words of every `tributary ...` in a Markdown text, in code blocks and in running text."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```[^\n]*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    pieces = [block.replace("\\\n", " ") for block in blocks] + re.findall(r"`([^`\n]+)`", rest)
    command = re.compile(r"^\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\S*/)?tributary (?=\S)", re.MULTILINE)
    return [words_of(piece[found.end() :]) for piece in pieces for found in command.finditer(piece)]


def words_of(text: str) -> list[str]:
    """A shell's words up to the end of the command: a newline outside of quotes, a pipe, `;` or `&`."""
    reader = shlex.shlex(text, posix=True, punctuation_chars="|;&\n")
    reader.whitespace, reader.whitespace_split = " \t", True
    return list(itertools.takewhile(lambda word: not set(word) <= set("|;&\n"), reader))


def refusal(words: list[str]) -> str | None:
    """What of a command line the command does not have; None where it has all. Values are not judged."""
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
            if word not in command.commands:
                return f"no command {word}"
            command = command.commands[word]
    return None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_quoted_commands_exist(document: Path) -> None:
    refused = {" ".join(words): refusal(words) for words in quoted_commands(document.read_text())}
    assert not {line: why for line, why in refused.items() if why}


def test_the_judge_of_commands_knows_a_wrong_one() -> None:
    text = """
`tributary run --select x`, `tributary fly`, `tributary import events|spend FILE`
```sh
.venv/bin/tributary import spend a.csv \\
  --no 1
tributary query "select 1
  as one" --out csv | tributary run
```
"""
    said = {" ".join(words): refusal(words) for words in quoted_commands(text)}
    assert said == {
        "run --select x": None,
        "fly": "no command fly",
        "import events": None,
        "import spend a.csv --no 1": "no option --no",
        "query select 1\n  as one --out csv": "no option --out",
    }


def test_links_lead_somewhere() -> None:
    broken = [
        f"{document.name}: {target}"
        for document in DOCUMENTS
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", document.read_text())
        if not (document.parent / target).exists()
    ]
    assert not broken
