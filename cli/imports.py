"""`tributary import <kind> FILE...`: one command a kind of input, alike but for what they bring."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import STRICT, errors_for_people, fail, say
from ingestion.home import Home

if TYPE_CHECKING:
    from ingestion.files.column_mapping import ImportOptions

importing = typer.Typer(
    no_args_is_help=True,
    help="Import files: CSV, gzipped CSV, Parquet or NDJSON.\n\n[bold]Example[/bold]\n\n  "
    "tributary import spend google_ads.csv",
)


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
            from ingestion.files.column_mapping import ImportOptions

            options = ImportOptions(
                mapping=pairs(mapping or []),
                where=where,
                org=org,
                site=site,
                timezone=timezone,
                file_format=file_format,
            )
            import_files(kind, files, options, strict=strict)

    importing.command(kind, help=f"{what}\n\n[bold]Example[/bold]\n\n  {example}")(command)


def pairs(mapping: list[str]) -> dict[str, str]:
    """--map column=source_column as a dict."""
    from ingestion.files.contracts import ContractError

    found = {}
    for pair in mapping:
        column, equals, source = pair.partition("=")
        if not (column and equals and source):
            raise ContractError(f"--map {pair!r} is not of the form column=source_column")
        if column in found:
            raise ContractError(f"--map {column}=… is given twice: a column has one source")
        found[column] = source
    return found


def import_files(kind: str, files: list[Path], options: ImportOptions, *, strict: bool) -> None:
    """Load the files one by one, each wholly or not at all, and say what became of their rows."""
    from ingestion.files.load import load_file
    from ingestion.settings.load import load_settings
    from ingestion.user_agents import enrich
    from ingestion.warehouse import build_lock, connect

    home = Home.from_environment()
    settings = load_settings(home)
    failed = 0
    with build_lock(home, f"import {kind}", say), connect(home) as connection:
        for path in files:
            if path.exists() and path.stat().st_size > 50_000_000:
                say(f"{path.name}: reading {path.stat().st_size / 1e6:,.0f} MB")
            report = load_file(connection, kind, path, settings, options)
            failed += report.failed
            say(
                f"{report.source}: {report.received:,} received = {report.loaded:,} loaded + "
                f"{report.duplicate:,} duplicate + {report.failed:,} failed"
                + (f" ({report.replaced:,} of the loaded replaced an older row)" if report.replaced else "")
            )
            for reason, count in report.reasons.items():
                say(f"  {count:,} failed: {reason}")
        if kind == "events":
            enrich(connection, say)
    if failed:
        say("Failed rows are kept with their reason: tributary status")
        if strict:
            fail(f"--strict: {failed:,} rows failed", STRICT)
    say("Next: tributary run")


importer(
    "events", "Web events.", "tributary import events visits.csv.gz --map anon_id=visitor --timezone Europe/Berlin"
)
importer(
    "interactions",
    "Touches that are known as such: ad clicks and views, calls, e-mails, forms.",
    "tributary import interactions touches.parquet --map occurred_at=time",
)
importer(
    "conversions",
    "Conversions from another system than the web events.",
    "tributary import conversions orders.csv --map value=total --where \"status = 'paid'\"",
)
importer("spend", "Ad spend by day, campaign, ad set and ad.", "tributary import spend google_ads.csv --org northwind")
importer(
    "fees",
    "Agreed costs that no ad platform reports: fees of a period, commissions on conversions.",
    "tributary import fees influencers.csv --org northwind",
)
importer("exchange-rates", "Exchange rates by day.", "tributary import exchange-rates ecb.csv")
importer("refunds", "Refunds and cancellations of orders.", "tributary import refunds refunds.csv --site shop")
importer(
    "postbacks",
    "Transactions that affiliate networks report.",
    "tributary import postbacks network.csv --map payout=commission",
)
importer(
    "survey-answers",
    "Answers to surveys, such as how people heard about you.",
    "tributary import survey-answers answers.csv",
)
importer(
    "entities",
    "States of assets, licences and the like, each from a moment (valid_from) on.",
    "tributary import entities assets.csv",
)
