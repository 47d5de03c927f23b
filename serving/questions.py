"""Load questions: one SQL file each, with a YAML header that names its columns and its chart.

In: folders of .sql files. Out: Question by name; QuestionError names the file and the line.

    /*
    title: Revenue by channel
    description: One sentence.
    uses: [credit]                  # CTEs of the folder shared/
    columns:
      channel: {title: Channel}     # unit: one of UNITS; default: text
      revenue_micros: {title: Revenue, unit: money, link: "/channels?channel={channel}"}
    chart: {mark: bar, encoding: …} # Vega-Lite without data and theme
    */
    select …

A question gets the parameters that its SQL names, such as $from (parameters.py). It needs no org: access decides whose
published file answers it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from serving.parameters import PARAMETERS

FOLDER = Path(__file__).parent / "questions"
UNITS = (
    "text", "label", "sentence", "money", "count", "percent", "ratio", "number", "days", "date", "time", "list",
    "url", "code",
)  # fmt: skip
_HEADER = re.compile(r"\s*/\*(.*?)\*/\s*", re.DOTALL)
_WITH = re.compile(
    r"(?P<comments>(?:\s|--[^\n]*\n|/\*.*?\*/)*)with\b(?P<recursive>\s+recursive\b)?\s+", re.DOTALL | re.I
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_KEYS = ("title", "description", "uses", "columns", "chart")
_SHAPES = {
    "description": (str, "a text"),
    "uses": (list, "a list, such as [credit]"),
    "columns": (dict, "a mapping of names"),
    "chart": (dict, "a Vega-Lite specification"),
}


class QuestionError(Exception):
    """A question's file cannot be used."""


@dataclass(frozen=True)
class Column:
    """A column of an answer. link: a path in which {column} stands for the row's value of a column."""

    name: str
    title: str
    unit: str = "text"
    link: str | None = None
    description: str = ""
    better: str = "higher"  # of a change: higher, lower, neither
    optional: bool = False  # tables hide it where no row has a value


@dataclass(frozen=True)
class Question:
    """A question and the statement that answers it."""

    name: str
    title: str
    description: str
    columns: Mapping[str, Column]
    sql: str
    chart: Mapping[str, Any] | None = None
    path: Path = field(default=Path(), compare=False)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters of its SQL, in the order of PARAMETERS."""
        named = duckdb.extract_statements(self.sql)[0].named_parameters
        return tuple(name for name in PARAMETERS if name in named)

    @cached_property
    def pageable_sql(self) -> str:
        """Its SQL, to which a limit can be added: a question may end with a limit of its own."""
        try:
            duckdb.extract_statements(f"{self.sql}\nlimit 1")
        except duckdb.ParserException:
            return f"select * from (\n{self.sql}\n)"
        return self.sql


class Questions(dict[str, Question]):
    """Questions by name."""

    def __missing__(self, name: str) -> Question:
        """Raise QuestionError, which a page shows: its author has misspelt the name."""
        raise QuestionError(f"There is no question {name!r}. /api/docs lists all questions.")


def load_questions(*folders: Path) -> Questions:
    """Return the questions of the folders by name, in the order of their names. A later folder replaces a question.

    Raises QuestionError for a file that is no question.
    """
    questions = {}
    for folder in (FOLDER, *folders):
        for path in sorted(folder.glob("*.sql")):
            questions[path.stem] = read_question(path, read_text(path))
    return Questions(sorted(questions.items()))


def read_text(path: Path) -> str:
    """Return the text of a file. Raises QuestionError if it is not UTF-8."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise QuestionError(f"{path}, line {line}: the file is not UTF-8. Save it as UTF-8.") from None


def read_question(path: Path, text: str) -> Question:
    """Return the question of a file's text. Raises QuestionError."""

    def wrong(problem: str, place: int | str = 1) -> QuestionError:
        line = place if isinstance(place, int) else line_of(place, text)
        return QuestionError(f"{path}, line {line}: {problem} docs/add-a-question.md has an example.")

    if not _NAME.fullmatch(path.stem):
        raise wrong(f"the name {path.stem!r} cannot be used. Use lower-case letters, digits and underscores.")
    found = _HEADER.match(text)
    if not found:
        raise wrong("the file has no header. Begin it with /* and a title.")
    try:
        header = YAML(typ="safe", pure=True).load(found[1]) or {}
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        before = text[: found.start(1)].count("\n")
        raise wrong("the header is not YAML.", before + (mark.line + 1 if mark else 1)) from None
    if not isinstance(header, dict) or not isinstance(header.get("title"), str):
        raise wrong("the header has no title. Add `title: …`.")
    if unknown := [key for key in header if key not in _KEYS]:
        raise wrong(f"the header has an unknown key {unknown[0]!r}. Use {', '.join(_KEYS)}.", unknown[0])
    for key, (kind, shape) in _SHAPES.items():
        if not isinstance(header.get(key) or kind(), kind):
            raise wrong(f"{key} is not {shape}.", key)
    own, line = text[found.end() :].strip().rstrip(";"), text[: found.end()].count("\n") + 1
    try:
        duckdb.extract_statements(own)  # before shared CTEs precede it, so that the line of an error is the file's
    except duckdb.Error as error:
        below = re.search(r"LINE (\d+):", str(error))
        raise wrong(f"the SQL is not valid: {error}", line + (int(below[1]) - 1 if below else 0)) from None
    sql = compose(own, header.get("uses") or [], wrong)
    statements = duckdb.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise wrong("the SQL is not one select statement.", line)
    if unknown := sorted(statements[0].named_parameters - set(PARAMETERS)):
        known = ", ".join(f"${name}" for name in PARAMETERS)
        raise wrong(f"there is no parameter ${unknown[0]}. Use {known}.", f"${unknown[0]}")
    columns = {name: read_column(name, entry or {}, wrong) for name, entry in (header.get("columns") or {}).items()}
    return Question(
        path.stem, header["title"], header.get("description") or "", columns, sql, header.get("chart"), path
    )


def read_column(name: str, entry: Any, wrong: Any) -> Column:
    """Return a column of a header. Raises QuestionError for a key or a unit that does not exist."""
    if not isinstance(entry, dict) or set(entry) - {"title", "unit", "link", "description", "better", "optional"}:
        raise wrong(f"column {name}: write it as {{title: …, unit: …, link: …, description: …}}.", name)
    column = Column(name, **{"title": name.replace("_", " ").capitalize(), **entry})
    if column.unit not in UNITS:
        raise wrong(f"column {name}: there is no unit {column.unit!r}. Use one of {', '.join(UNITS)}.", name)
    return column


def line_of(name: str, text: str) -> int:
    """Return the first line of a file with a name: a key, a column or a parameter."""
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    return text[: found.start() if found else 0].count("\n") + 1


def compose(sql: str, uses: list[str], wrong: Any) -> str:
    """Return the statement with the shared CTEs that it uses in front. Each is `name as (…)` in shared/name.sql."""
    parts = []
    for name in uses:
        path = FOLDER / "shared" / f"{name}.sql"
        if not path.exists():
            known = ", ".join(sorted(other.stem for other in path.parent.glob("*.sql")))
            raise wrong(f"uses: there is no shared CTE {name!r}. Use one of {known}.", "uses")
        parts.append(path.read_text(encoding="utf-8").strip())
    if not parts:
        return sql
    own = _WITH.match(sql)
    shared = ",\n\n".join(parts)
    if not own:
        return f"with\n{shared}\n\n{sql}"
    return f"with{own['recursive'] or ''}\n{shared},\n\n{own['comments']}{sql[own.end() :]}"
