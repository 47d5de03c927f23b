"""The `tributary` command. A command imports what is heavy by itself, so that the others answer at once.

Exit codes: 0 all went well; 1 a run or a check failed; 2 wrong input or settings; 3 --strict met failed rows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from ingestion.home import Home

FAILED, WRONG_INPUT, STRICT = 1, 2, 3
console = Console(highlight=False)
complaints = Console(stderr=True, highlight=False)
state = {"debug": False}

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)
importing = typer.Typer(no_args_is_help=True, help="Import files: CSV, gzipped CSV, Parquet or NDJSON."
                          "\n\n[bold]Example[/bold]\n\n  tributary import spend google_ads.csv")  # fmt: skip
explain = typer.Typer(no_args_is_help=True, help="Why a number is what it is."
                        "\n\n[bold]Example[/bold]\n\n  tributary explain waste 3f9c2a10")  # fmt: skip
app.add_typer(importing, name="import")
app.add_typer(explain, name="explain")


def main() -> None:
    app()


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the stack trace of an error.")] = False,
) -> None:
    """Tributary: marketing attribution you can audit to the micro.

    Everything lives in the home folder: TRIBUTARY_HOME, default ./var.

    [bold]Examples[/bold]

      tributary import events visits.csv.gz --site shop

      tributary run

      tributary query "select * from daily_rollups where grain = 'PLATFORM' limit 5"
    """
    state["debug"] = debug


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Known errors as a sentence and an exit code; the trace only with --debug."""
    import duckdb

    from ingestion.contracts import ContractError
    from ingestion.settings import SettingsError
    from serving.publish import PublishError
    from serving.published import NotFound, NothingPublished

    try:
        yield
    except (ContractError, SettingsError, NotFound, NothingPublished, duckdb.Error, OSError) as error:
        fail(error, WRONG_INPUT)
    except PublishError as error:
        fail(error, FAILED)


def fail(error: object, code: int) -> None:
    if state["debug"] and isinstance(error, BaseException):
        raise error
    complaints.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True)
    raise typer.Exit(code)


def escape(text: str) -> str:
    from rich.markup import escape as escaped

    return escaped(text)


def say(message: str) -> None:
    console.print(escape(message), soft_wrap=True)


def show(parts: Iterator[Any]) -> None:
    for part in parts:
        # A word that is longer than the line, such as a path or an id, stays whole: it is there to be copied.
        has_long_word = isinstance(part, str) and any(len(word) > console.width for word in part.split())
        console.print(part, soft_wrap=has_long_word)


def importer(kind: str, what: str, example: str) -> None:
    """Register `tributary import <kind>`: the commands differ only in what they bring."""

    def command(
        files: Annotated[list[Path], typer.Argument(help="One or more files.", metavar="FILE...")],
        *,
        mapping: Annotated[
            list[str] | None, typer.Option("--map", help="column=source_column; as often as needed.")
        ] = None,
        where: Annotated[str | None, typer.Option(help="SQL condition on the file's own columns.")] = None,
        org: Annotated[str | None, typer.Option(help="The org that the rows belong to.")] = None,
        site: Annotated[str | None, typer.Option(help="The site of every row.")] = None,
        timezone: Annotated[str | None, typer.Option(help="IANA zone of times without one.")] = None,
        file_format: Annotated[
            str | None, typer.Option("--format", help="A known layout: snowplow, ga4 or segment.")
        ] = None,
        strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 when a row fails.")] = False,
    ) -> None:
        with errors_for_people():
            import_files(kind, files, pairs(mapping or []), where=where, org=org, site=site, timezone=timezone,
                         file_format=file_format, strict=strict)  # fmt: skip

    importing.command(kind, help=f"{what}\n\n[bold]Example[/bold]\n\n  {example}")(command)


importer(
    "events", "Web events.", "tributary import events visits.csv.gz --map anon_id=visitor --timezone Europe/Berlin"
)
importer("interactions", "Touches that are known as such: ad clicks and views, calls, e-mails, forms.",
         "tributary import interactions touches.parquet --map occurred_at=time")  # fmt: skip
importer("conversions", "Conversions from another system than the web events.",
         'tributary import conversions orders.csv --map value=total --where "status = \'paid\'"')  # fmt: skip
importer("spend", "Ad spend by day, campaign, ad set and ad.", "tributary import spend google_ads.csv --org northwind")
importer("exchange-rates", "Exchange rates by day.", "tributary import exchange-rates ecb.csv")


def pairs(mapping: list[str]) -> dict[str, str]:
    """--map column=source_column as a dict."""
    from ingestion.contracts import ContractError

    found = {}
    for pair in mapping:
        column, equals, source = pair.partition("=")
        if not (column and equals and source):
            raise ContractError(f"--map {pair!r} is not of the form column=source_column")
        if column in found:
            raise ContractError(f"--map {column}=… is given twice: a column has one source")
        found[column] = source
    return found


def import_files(kind: str, files: list[Path], mapping: dict[str, str], *, strict: bool, **how: Any) -> None:
    """Load the files one by one, each wholly or not at all, and say what became of their rows."""
    from ingestion.home import build_lock, connect
    from ingestion.load import load_file
    from ingestion.settings import load_settings

    home = Home.from_environment()
    settings = load_settings(home)
    failed = 0
    with build_lock(home, f"import {kind}", say), connect(home) as connection:
        for path in files:
            if path.exists() and path.stat().st_size > 50_000_000:
                say(f"{path.name}: reading {path.stat().st_size / 1e6:,.0f} MB")
            report = load_file(connection, kind, path, settings=settings, mapping=mapping, **how)
            failed += report.failed
            say(
                f"{report.source}: {report.received:,} received = {report.loaded:,} loaded + "
                f"{report.duplicate:,} duplicate + {report.failed:,} failed"
                + (f" ({report.replaced:,} of the loaded replaced an older row)" if report.replaced else "")
            )
            for reason, count in report.reasons.items():
                say(f"  {count:,} failed: {reason}")
    if failed:
        say("Failed rows are kept with their reason: tributary status")
        if strict:
            fail(f"--strict: {failed:,} rows failed", STRICT)
    say("Next: tributary run")


@app.command()
def run(
    select: Annotated[str | None, typer.Option(help="Assets, in Dagster's selection syntax.")] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Rebuild everything from the raw tables.")
    ] = False,
) -> None:
    """Build the whole graph, from files to published marts, and show what came out.

    [bold]Examples[/bold]

      tributary run

      tributary run --select 'group:raw'

      tributary run --select '+key:"marts/touchpoints"'
    """
    with errors_for_people():
        home = Home.from_environment()
        from ingestion.settings import load_settings

        load_settings(home)
        from orchestration.run import SelectionError, run_graph

        started = datetime.now()
        try:
            problems = run_graph(home, select=select, full_refresh=full_refresh, say=say)
        except SelectionError as error:
            fail(error, WRONG_INPUT)
        if problems:
            kept = "The last published version stays in place." if home.marts.exists() else "Nothing was published."
            fail("\n".join([*problems, kept]), FAILED)
        say(f"done in {(datetime.now() - started).total_seconds():.0f} s\n")
        if not select:
            show(closing(home))


def closing(home: Home) -> Iterator[Any]:
    """What a run ends with: loaded rows, the summary of the marts, where they are, what to do next."""
    from serving.published import open_published
    from serving.summary import summary

    yield from loaded(home)
    with open_published(home.marts) as connection:
        yield from summary(connection)
        flag = connection.execute(
            "select waste_id from waste_flags order by waste_spend_micros desc limit 1"
        ).fetchone()
        conversion = connection.execute(
            "select conversion_id from conversion_touches order by touchpoint_count desc, conversion_id limit 1"
        ).fetchone()
    yield ""
    yield f"Published: {home.marts}"
    yield "Next:"
    if conversion:
        yield f"  tributary explain conversion {conversion[0]}"
    if flag:
        yield f"  tributary explain waste {flag[0][:8]}"
    yield '  tributary query "select platform, sum(spend_micros) / 1e6 as spend, sum(conversions)'
    yield "    from daily_rollups where grain = 'PLATFORM' and accounting_mode = 'cash'"
    yield "    and attribution_model = 'linear' group by platform order by spend desc\""


def loaded(home: Home) -> Iterator[Any]:
    """Rows of the raw tables, read under the lock."""
    from ingestion.home import build_lock, connect
    from ingestion.status import failures, raw_rows

    with build_lock(home, "status", say), connect(home) as connection:
        rows, failed = raw_rows(connection), failures(connection)
    yield "Loaded: " + ", ".join(f"{row['rows']:,} {row['table'].removeprefix('raw.')}" for row in rows)
    if failed:
        yield f"Failed: {sum(count for _, _, count, _ in failed):,} rows, kept with their reason (tributary status)"
    yield ""


@app.command()
def simulate(
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 7,
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day.")] = datetime(2026, 7, 1),
    days: Annotated[int, typer.Option(min=7, help="Days to simulate.")] = 92,
    events: Annotated[int, typer.Option(min=100, help="Web events, at least.")] = 240_000,
) -> None:
    """Put a simulated quarter of two shops' marketing into the inbox; `tributary run` imports it.

    [bold]Example[/bold]

      tributary simulate --days 30 --events 20000 && tributary run
    """
    with errors_for_people():
        from ingestion.settings import add_to_settings
        from ingestion.simulate import simulate as simulated

        home = Home.from_environment()
        entries = simulated(home.inbox, seed=seed, start=start.date(), days=days, events=events, say=say)
        add_to_settings(home, **entries)


@explain.command("conversion")
def explain_conversion(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="A conversion_id, or how it begins.")],
    org: Annotated[str | None, typer.Option(help="Where several orgs share the id.")] = None,
) -> None:
    """Every touch of a conversion, kept or dropped and why, with its weight under each model.

    [bold]Example[/bold]

      tributary explain conversion northwind-shop:7f3a
    """
    with errors_for_people():
        from serving.explain import explain_conversion as explained
        from serving.published import open_published

        with open_published(Home.from_environment().marts) as connection:
            show(explained(connection, identifier, org))


@explain.command("waste")
def explain_waste(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="A waste_id, or how it begins.")],
    org: Annotated[str | None, typer.Option(help="Where several orgs share the id.")] = None,
) -> None:
    """What a waste flag says, on what evidence, and what to do.

    [bold]Example[/bold]

      tributary explain waste 3f9c2a10
    """
    with errors_for_people():
        from serving.explain import explain_waste as explained
        from serving.published import open_published

        with open_published(Home.from_environment().marts) as connection:
            show(explained(connection, identifier, org))


@app.command()
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One statement; the file is read-only.")],
    csv: Annotated[bool, typer.Option("--csv", help="All rows as CSV instead of a table.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Rows of the table.")] = 50,
) -> None:
    """Ask the published marts in SQL. Money is in micros: divide by 1e6.

    [bold]Examples[/bold]

      tributary query "show tables"

      tributary query "from conversion_paths limit 10"
    """
    with errors_for_people():
        from serving.published import open_published
        from serving.query import as_csv, as_table

        with open_published(Home.from_environment().marts) as connection:
            result = connection.execute(sql)
            if csv:
                as_csv(result, sys.stdout)
            else:
                show(as_table(result, limit))


@app.command()
def status() -> None:
    """What is loaded, published, running and failed; what waits in the inbox.

    [bold]Example[/bold]

      tributary status
    """
    with errors_for_people():
        from orchestration.status import status as found

        show(found(Home.from_environment()))


@app.command()
def dev(
    port: Annotated[int, typer.Option(help="Port of the UI.")] = 3000,
    host: Annotated[str, typer.Option(help="Address of the UI.")] = "127.0.0.1",
) -> None:
    """Dagster's UI with the whole graph, schedules and the inbox sensor running, until Ctrl-C.

    [bold]Example[/bold]

      tributary dev --port 3001
    """
    with errors_for_people():
        import os

        from ingestion.settings import load_settings
        from orchestration.project import ROOT
        from orchestration.run import dagster_home

        home = Home.from_environment()
        load_settings(home)
        os.environ.update(dagster_home(home))
        dagster = Path(sys.executable).with_name("dagster")
        os.execv(dagster, ["dagster", "dev", "-w", str(ROOT / "workspace.yaml"), "-h", host, "-p", str(port)])
