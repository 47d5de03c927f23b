"""`tributary import`: load files. In: files, options. Out: rows in raw tables, and counts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from cli.console import STRICT, WRONG_INPUT, fail, print_line, readable_errors
from cli.stop import when_stopped
from ingestion.home import Home
from ingestion.text import counted, nearest

if TYPE_CHECKING:
    from ingestion.files.column_mapping import ImportOptions
    from ingestion.loads import LoadReport
    from ingestion.settings.model import Settings

LARGE_FILE = 50_000_000  # bytes that take seconds to read
_ANY_KIND = "any"  # the command without a kind


class _KindOrFiles(TyperGroup):
    """A group of commands in which a file in place of a kind means: recognise the kind of each file."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            kind = nearest(args[0], COMMANDS)
            if kind and len(args) > 1 and not Path(args[0]).suffix and not Path(args[0]).exists():
                fail(f"{args[0]} is neither a file nor a kind of rows. Do you mean {kind}?", WRONG_INPUT)
            args = [_ANY_KIND, *args]
        return super().parse_args(ctx, args)


import_ = typer.Typer(
    cls=_KindOrFiles,
    no_args_is_help=True,
    help="Import files: exports of ad platforms, shops, CRMs and analytics tools, or files with the columns of a kind."
    "\n\nWithout a kind, Tributary recognises each file by its header. It reads CSV, Excel, OpenDocument, JSON, NDJSON"
    " and Parquet, plain, zipped or gzipped.\n\n[bold]Examples[/bold]\n\n"
    "  tributary import ~/Downloads/*\n\n"
    "  tributary import orders_export.csv --dry-run\n\n"
    "  tributary import spend report.csv --set platform=meta --set account_id=1234 --set currency=EUR",
)


def add_command(kind: str | None, rows: str, example: str) -> None:
    """Add `tributary import <kind>`. All kinds have the same options."""

    def command(
        files: Annotated[list[Path], typer.Argument(help="One or more files.", metavar="FILE...")],
        *,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Show the layout, the mapping and the first rows. Write nothing.")
        ] = False,
        constants: Annotated[
            list[str] | None, typer.Option("--set", help="column=value of every row. Repeatable.")
        ] = None,
        mapping: Annotated[list[str] | None, typer.Option("--map", help="column=source_column. Repeatable.")] = None,
        layout: Annotated[
            str | None, typer.Option("--layout", help="The layout, if the header does not decide it.")
        ] = None,
        where: Annotated[str | None, typer.Option(help="SQL condition on the file's columns.")] = None,
        org: Annotated[str | None, typer.Option(help="The org of every row.")] = None,
        site: Annotated[str | None, typer.Option(help="The site of every row.")] = None,
        timezone: Annotated[str | None, typer.Option(help="IANA zone of times without a zone.")] = None,
        decimal: Annotated[str | None, typer.Option(help="The decimal mark of all numbers: point or comma.")] = None,
        dayfirst: Annotated[
            bool | None, typer.Option("--dayfirst/--no-dayfirst", help="7/8/2026 is 7 August, or 8 July.")
        ] = None,
        save: Annotated[
            str | None, typer.Option(help="Remember these options in tributary.yaml under a name.", metavar="NAME")
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
                mapping=parse_pairs("--map", mapping or [], "source_column"),
                constants=parse_pairs("--set", constants or [], "value"),
                where=where,
                org=org,
                site=site,
                timezone=timezone,
                layout=layout,
                partial=partial,
                sum=sum_,
                spread=spread,
                decimal=decimal,
                dayfirst=dayfirst,
            )
            if dry_run:
                show_files(kind, files, options)
            else:
                import_files(kind, files, options, save=save, strict=strict)

    help_ = f"{rows}\n\n[bold]Example[/bold]\n\n  tributary import {example}"
    import_.command(kind or _ANY_KIND, help=help_, hidden=kind is None)(command)


def parse_pairs(option: str, pairs: list[str], right: str) -> dict[str, str]:
    """Return column -> text of pairs such as `column=text`. right: what the text is, for the message."""
    from ingestion.files.contracts import ContractError

    found: dict[str, str] = {}
    for pair in pairs:
        column, equals, text = pair.partition("=")
        if not (column and equals and text):
            raise ContractError(f"{option} {pair!r} is not of the form column={right}.")
        if column in found:
            raise ContractError(f"{option} {column}=… is given twice. Use it once for a column.")
        found[column] = text
    return found


def show_files(kind: str | None, files: list[Path], options: ImportOptions) -> None:
    """Print what an import of each file would do."""
    from cli.import_preview import print_preview
    from ingestion.files.contracts import ContractError
    from ingestion.files.load import import_file
    from ingestion.files.preview import Preview
    from ingestion.settings.load import load_settings
    from ingestion.warehouse import build_lock, connect

    home = Home.from_environment()
    settings = load_settings(home)
    refused = []
    with build_lock(home, "import", print_line), connect(home) as connection:
        for path in files:
            preview = Preview()
            try:
                import_file(connection, path, settings, options, kind=kind, preview=preview)
            except ContractError as error:
                refused.append(error)
            print_preview(path, preview)
    if refused:
        raise ContractError("\n".join(map(str, refused)))
    print_line("This was a dry run: nothing was written.")


def import_files(
    kind: str | None, files: list[Path], options: ImportOptions, *, save: str | None, strict: bool
) -> None:
    """Load each file in one transaction and print the counts of its rows. A file that cannot load stops no other.

    save: the name of an entry in tributary.yaml that is to remember the options.
    """
    from ingestion.files.contracts import ContractError
    from ingestion.files.load import import_file
    from ingestion.settings.load import load_settings
    from ingestion.user_agents import enrich
    from ingestion.warehouse import build_lock, connect

    if save:
        _check_name(save, files)
    when_stopped("Each file is loaded whole or not at all. To load the rest, run the same command again.")
    home = Home.from_environment()
    settings = load_settings(home)
    reports: list[LoadReport] = []
    refused: list[ContractError] = []
    with build_lock(home, f"import {kind or 'files'}", print_line), connect(home) as connection:
        for path in files:
            if path.exists() and path.stat().st_size > LARGE_FILE:
                print_line(f"{path.name}: reading {path.stat().st_size / 1e6:,.0f} MB")
            try:
                loaded = import_file(connection, path, settings, options, kind=kind)
            except ContractError as error:
                if len(files) == 1:
                    raise
                refused.append(error)
                continue
            for report in loaded:
                _print_report(report, kind)
            reports += loaded
        if any(report.kind == "events" for report in reports):
            enrich(connection, print_line)
    if save:
        _save(home, settings, save, options, file=files[0], report=reports[0])
    failed = sum(report.failed for report in reports)
    if failed:
        print_line("The warehouse keeps failed rows with their reasons. To see them, run: tributary failed")
    if refused:
        raise ContractError(
            "\n".join([f"{len(refused):,} of {counted(len(files), 'file')} not imported:", *map(str, refused)])
        )
    if failed and strict:
        fail(f"--strict: {counted(failed, 'row')} failed", STRICT)
    if any(report.loaded for report in reports):
        print_line("Next: tributary run")


def _check_name(name: str, files: list[Path]) -> None:
    """Raise ContractError if `--save name` cannot remember the import of these files."""
    from ingestion.files.contracts import ContractError
    from ingestion.settings.values import identifier

    if len(files) > 1:
        raise ContractError(f"--save {name}: the entry is for files like one. Name one file.")
    if problem := identifier(name):
        raise ContractError(f"--save: {problem}")


def _save(home: Home, settings: Settings, name: str, options: ImportOptions, *, file: Path, report: LoadReport) -> None:
    """Remember the options of an import."""
    from ingestion.files.input_file import readable_name
    from ingestion.files.remembered_imports import entry_to_save
    from ingestion.settings.load import add_to_settings

    entry = entry_to_save(settings, name, options, file=readable_name(file), kind=report.kind, layout=report.layout)
    add_to_settings(home, imports=[entry])
    files = f"files like {entry['files']}" if "files" in entry else f"files of the layout {report.layout}"
    print_line(f"Saved as {name} under imports in tributary.yaml: {files} need no options from now on.")


def _print_report(report: LoadReport, kind: str | None) -> None:
    """Print the counts of one kind of rows of a file. kind: the one that the user named."""
    what = "" if kind else f" ({report.layout}, {report.kind})" if report.layout else f" ({report.kind})"
    print_line(f"{report.source}{what}: {report.balance}")
    for note in report.notes():
        print_line(f"  {note}")


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
for name, (content, usage) in COMMANDS.items():
    add_command(name, content, f"{name} {usage}")
add_command(None, "Files whose kind Tributary recognises by their header.", "~/Downloads/*")
