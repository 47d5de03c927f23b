"""`tributary ask`: answer a question about the published marts. In: its name, filters. Out: a table, a file, or SQL."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from cli.console import WRONG_INPUT, console, fail, print_line, print_parts, readable_errors
from ingestion.home import Home

if TYPE_CHECKING:
    from serving.answers import Answer


def ask(
    name: Annotated[str | None, typer.Argument(metavar="QUESTION", help="Without it, list all questions.")] = None,
    *,
    org: Annotated[str | None, typer.Option(help="The org. Needed if there are several.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="The first day. Default: 30 days up to --to.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="The last day. Default: the last day with data.")] = None,
    model: Annotated[str | None, typer.Option(help="The attribution model. Default: the org's.")] = None,
    window: Annotated[str | None, typer.Option(help="Days of the lookback window. Default: the org's.")] = None,
    mode: Annotated[str | None, typer.Option(help="cash or accrual.")] = None,
    conversion_type: Annotated[str | None, typer.Option(help="Default: the org's main one.")] = None,
    customers: Annotated[str | None, typer.Option(help="all, new or returning.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Another parameter, such as platform=google. Repeatable."),
    ] = None,
    sort: Annotated[str, typer.Option(help="Columns, separated by commas; a minus descends.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most rows of the table.")] = 50,
    csv: Annotated[bool, typer.Option("--csv", help="Print all rows as CSV.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print all rows as JSON.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write all rows as Parquet to standard output.")] = False,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL, with its values.")] = False,
) -> None:
    """Answer a question about the published marts. The dashboard and the API answer the same questions.

    Your own questions are .sql files in the folder questions/ of the home folder: docs/add-a-question.md.

    [bold]Examples[/bold]

      tributary ask

      tributary ask revenue_by_channel --org northwind --from 2026-08-01 --to 2026-08-31 --model last_touch

      tributary ask channels --org northwind --sort=-roas --csv > channels.csv
    """
    with readable_errors():
        from serving.answers import CSV, PARQUET, ask, readable_sql, to_json
        from serving.exports import temporary_file, write_export
        from serving.filters import WrongFilter, parse
        from serving.orgs import OrgFiles
        from serving.questions import QuestionError, load_questions

        home = Home.from_environment()
        try:
            questions = load_questions(home.root / "questions")
        except QuestionError as error:
            fail(error, WRONG_INPUT)
        if name is None:
            print_parts(listed(questions.values()))
            return
        if name not in questions:
            fail(unknown_question(name, list(questions)), WRONG_INPUT)
        question = questions[name]
        given = {
            "from": from_, "to": to, "model": model, "window": window, "mode": mode,
            "conversion_type": conversion_type, "customers": customers,
        }  # fmt: skip
        if len([each for each in (csv, json, parquet, sql) if each]) > 1:
            fail("Choose one of --csv, --json, --parquet and --sql.", WRONG_INPUT)
        query = {key: value for key, value in given.items() if value is not None} | assignments(where or [])
        files = OrgFiles(home.published)
        with files.pinned(chosen(files.names(), org)) as version:
            try:
                filters = parse(query, version.facts, is_strict=True)
                if unused := [key for key in query if key not in question.parameters]:
                    known = ", ".join(question.parameters) or "no parameter"
                    raise WrongFilter(unused[0], f"{name} does not use it. It takes {known}.")
                if sql:
                    print_line(readable_sql(question, filters))
                    return
                if parquet and sys.stdout.isatty():
                    fail("Parquet is not for a terminal. Add > file.parquet", WRONG_INPUT)
                if csv or parquet:
                    with temporary_file(home.temporary) as file:
                        write_export(version, question, filters, CSV if csv else PARQUET, file, sort=sort)
                        file.seek(0)
                        copy(file)
                    return
                answer = ask(version, question, filters, sort=sort, limit=None if json else limit)
            except (WrongFilter, QuestionError) as error:
                fail(error, WRONG_INPUT)
        if json:
            write(to_json(answer, filters) + b"\n")
        else:
            print_parts(as_terminal_table(answer))


def copy(file: IO[bytes]) -> None:
    """Copy a file to standard output. A terminal must not get control characters of data."""
    if sys.stdout.isatty():
        for line in file:
            print_line(line.decode().removesuffix("\n"))
    else:
        shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.flush()


def write(content: bytes) -> None:
    """Write bytes to standard output. A terminal must not get control characters of data."""
    if sys.stdout.isatty():
        print_line(content.decode())
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()


def listed(questions: Any) -> Iterator[Any]:
    """Yield all questions with their titles."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("question", no_wrap=True)
    table.add_column("title")
    for question in questions:
        table.add_row(question.name, escape(question.title))
    yield table
    yield "Answer one: tributary ask QUESTION --org ORG"


def unknown_question(name: str, known: list[str]) -> str:
    """Return a sentence for a question that does not exist."""
    from ingestion.text import nearest

    close = nearest(name, known)
    return f"There is no question {name}. {f'Do you mean {close}? ' if close else ''}List all: tributary ask"


def assignments(texts: list[str]) -> dict[str, str]:
    """Return the parameters of --set NAME=VALUE."""
    pairs = [text.partition("=") for text in texts]
    if wrong := [text for text, (_, sign, _) in zip(texts, pairs, strict=True) if not sign]:
        fail(f"--set {wrong[0]!r} has no value. Write --set platform=google", WRONG_INPUT)
    return {name.strip(): value for name, _, value in pairs}


def chosen(orgs: list[str], org: str | None) -> str:
    """Return the org to ask."""
    from serving.published import NothingPublished

    if not orgs:
        raise NothingPublished("Nothing is published yet. Run: tributary run")
    if org is None and len(orgs) == 1:
        return orgs[0]
    if org not in orgs:
        problem = f"There is no published org {org}." if org else "There are several orgs."
        fail(f"{problem} Add --org, one of {', '.join(orgs)}", WRONG_INPUT)
    return org


def as_terminal_table(answer: Answer) -> Iterator[Any]:
    """Yield the answer as a table with its units. Rows that are too wide are listed value by value."""
    from rich.markup import escape

    from serving.formats import is_number, shown
    from serving.published import counted
    from serving.query import as_columns, as_records, fits

    columns = [column for column in answer.columns if column.title]
    places = [answer.names.index(column.name) for column in columns]
    texts = [
        [escape(shown(row[place], column.unit, answer.currency)) for column, place in zip(columns, places, strict=True)]
        for row in answer.rows
    ]
    titles = [column.title for column in columns]
    kinds = ["NUMBER" if is_number(column.unit) else "VARCHAR" for column in columns]
    yield as_columns(titles, kinds, texts) if fits(titles, texts, console.width) else as_records(titles, texts)
    rows = counted(len(texts), "row")
    more = f"the first {rows}; more with --limit, all with --csv" if answer.has_more else rows
    yield f"{escape(answer.question.title)}, org {answer.org}, version {answer.version}: {more}"
