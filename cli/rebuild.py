"""`tributary rebuild`: replace a lost warehouse. In: archive/, landing/, inbox/. Out: raw tables, compared counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cli.console import FAILED, WRONG_INPUT, fail, print_line, readable_errors
from cli.stop import when_stopped
from ingestion.home import Home
from ingestion.text import counted


def rebuild() -> None:
    """Load everything again from archive/, landing/ and inbox/, if the warehouse is missing or damaged.

    The archive lacks the rows of `tributary import` and of pulls. The command names tables that have fewer rows than
    the last published version, and then exits with 1.

    [bold]Example[/bold]

      tributary rebuild
    """
    when_stopped("The home is as it was, or complete. To continue, run: tributary rebuild")
    with readable_errors():
        from ingestion import rebuild as rebuilding
        from ingestion.settings.load import load_settings
        from ingestion.warehouse import build_lock, connect

        home = Home.from_environment()
        settings = load_settings(home)
        with build_lock(home, "rebuild", print_line):
            try:
                errors = rebuilding.rebuild(home, settings, print_line)
            except rebuilding.NothingToRebuild as error:
                fail(error, WRONG_INPUT)
            with connect(home) as connection:
                rows = rebuilding.row_counts(connection)
        for table, count in rows.items():
            if count:
                print_line(f"raw.{table}: {counted(count, 'row')}")
        if problems := [*errors, *missing_rows(home, rows)]:
            fail("\n".join(["The warehouse was rebuilt, but it is not complete.", *problems]), FAILED)
        print_line("Next: tributary run")


def missing_rows(home: Home, rows: Mapping[str, int]) -> Iterator[str]:
    """Yield a sentence for each raw table that has fewer rows than the last published version was built from."""
    from serving.published import NothingPublished, loaded_rows

    try:
        before = loaded_rows(home.marts)
    except NothingPublished:
        return
    for table, count in before.items():
        if rows[table] < count:
            source = "Pull it again, or import" if table == "ad_spend" else "Import"
            yield (
                f"raw.{table}: {rows[table]:,} of the {counted(count, 'row')} of the last published version."
                f" {source} the files of `tributary import` again. Then run: tributary run"
            )
