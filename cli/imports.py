"""`tributary import`: load files of one kind. In: files, options. Out: rows in a raw table, and counts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import STRICT, fail, print_line, readable_errors
from ingestion.home import Home
from ingestion.text import counted

if TYPE_CHECKING:
    from ingestion.files.column_mapping import ImportOptions

LARGE_FILE = 50_000_000  # bytes that take seconds to read

import_ = typer.Typer(
    no_args_is_help=True,
    help="Import files: CSV, gzipped CSV, Parquet or NDJSON.\n\n[bold]Example[/bold]\n\n  "
    "tributary import spend google_ads.csv",
)


def add_command(kind: str, rows: str, example: str) -> None:
    """Add `tributary import <kind>`. All kinds have the same options."""

    def command(
        files: Annotated[list[Path], typer.Argument(help="One or more files.", metavar="FILE...")],
        *,
        mapping: Annotated[list[str] | None, typer.Option("--map", help="column=source_column. Repeatable.")] = None,
        where: Annotated[str | None, typer.Option(help="SQL condition on the file's columns.")] = None,
        org: Annotated[str | None, typer.Option(help="The org of every row.")] = None,
        site: Annotated[str | None, typer.Option(help="The site of every row.")] = None,
        timezone: Annotated[str | None, typer.Option(help="IANA zone of times without a zone.")] = None,
        file_format: Annotated[
            str | None, typer.Option("--format", help="A known layout: snowplow, ga4 or segment.")
        ] = None,
        strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 if a row fails.")] = False,
        partial: Annotated[
            bool, typer.Option("--partial", help="Spend: load the other rows of a file with failed rows.")
        ] = False,
        sum_: Annotated[bool, typer.Option("--sum", help="Spend: add up the rows of one key.")] = False,
        spread: Annotated[
            bool, typer.Option("--spread", help="Spend: divide a row of several days over its days.")
        ] = False,
    ) -> None:
        with readable_errors():
            from ingestion.files.column_mapping import ImportOptions

            options = ImportOptions(
                mapping=parse_mapping(mapping or []),
                where=where,
                org=org,
                site=site,
                timezone=timezone,
                file_format=file_format,
                partial=partial,
                sum=sum_,
                spread=spread,
            )
            import_files(kind, files, options, strict=strict)

    import_.command(kind, help=f"{rows}\n\n[bold]Example[/bold]\n\n  {example}")(command)


def parse_mapping(pairs: list[str]) -> dict[str, str]:
    """Return the source column of each mapped column."""
    from ingestion.files.contracts import ContractError

    found: dict[str, str] = {}
    for pair in pairs:
        column, equals, source = pair.partition("=")
        if not (column and equals and source):
            raise ContractError(f"--map {pair!r} is not of the form column=source_column.")
        if column in found:
            raise ContractError(f"--map {column}=… is given twice. Map a column once.")
        found[column] = source
    return found


def import_files(kind: str, files: list[Path], options: ImportOptions, *, strict: bool) -> None:
    """Load each file in one transaction and print the counts of its rows."""
    from ingestion.files.load import load_file
    from ingestion.settings.load import load_settings
    from ingestion.user_agents import enrich
    from ingestion.warehouse import build_lock, connect

    home = Home.from_environment()
    settings = load_settings(home)
    failed = 0
    with build_lock(home, f"import {kind}", print_line), connect(home) as connection:
        for path in files:
            if path.exists() and path.stat().st_size > LARGE_FILE:
                print_line(f"{path.name}: reading {path.stat().st_size / 1e6:,.0f} MB")
            report = load_file(connection, kind, path, settings, options)
            failed += report.failed
            print_line(
                f"{report.source}: {report.received:,} received = {report.loaded:,} loaded + "
                f"{report.duplicate:,} duplicate + {report.failed:,} failed"
                + (f" + {report.summary:,} summary" if report.summary else "")
                + (f" + {report.summed:,} added to another row" if report.summed else "")
                + (f" ({report.replaced:,} of the loaded replaced an older row)" if report.replaced else "")
            )
            if report.corrected:
                print_line(f"  {counted(report.corrected, 'earlier failed row')} corrected")
            for warning in report.warnings:
                print_line(f"  warning: {warning}")
            for reason, count in report.reasons.items():
                print_line(f"  {count:,} failed: {reason}")
        if kind == "events":
            enrich(connection, print_line)
    if failed:
        print_line("The warehouse keeps failed rows with their reasons. To see them, run: tributary failed")
        if strict:
            fail(f"--strict: {counted(failed, 'row')} failed", STRICT)
    print_line("Next: tributary run")


COMMANDS = {
    "events": ("Web events.", "visits.csv.gz --map anon_id=visitor --timezone Europe/Berlin"),
    "interactions": (
        "Touches that need no detection: ad clicks and views, calls, e-mails, forms.",
        "touches.parquet --map occurred_at=time",
    ),
    "conversions": (
        "Conversions of another system than the web events.",
        "orders.csv --map value=total --where \"status = 'paid'\"",
    ),
    "spend": ("Ad spend by day, campaign, ad set and ad.", "google_ads.csv --org northwind"),
    "fees": (
        "Agreed costs that no ad platform reports: fees of a period, commissions on conversions.",
        "influencers.csv --org northwind",
    ),
    "exchange-rates": ("Exchange rates by day.", "ecb.csv"),
    "refunds": ("Refunds and cancellations of orders.", "refunds.csv --site shop"),
    "postbacks": ("Transactions that affiliate networks report.", "network.csv --map payout=commission"),
    "survey-answers": ("Answers to surveys, such as how people heard about you.", "answers.csv"),
    "entities": ("States of assets, licences and the like, each from a time (valid_from) on.", "assets.csv"),
}
for kind, (rows, example) in COMMANDS.items():
    add_command(kind, rows, f"tributary import {kind} {example}")
