"""`tributary publish`: publish the marts that dbt built by hand. In: the warehouse. Out: published files."""

from __future__ import annotations

from cli.console import WRONG_INPUT, fail, print_line, readable_errors
from cli.stop import when_stopped
from ingestion.home import Home


def publish() -> None:
    """Check the promises and publish the marts as they are in the warehouse. `tributary run` does this by itself.

    Use it after `dbt build`. It imports nothing and builds nothing.

    [bold]Example[/bold]

      tributary publish
    """
    when_stopped("Published files are those of a complete version. To publish, run: tributary publish")
    with readable_errors():
        from ingestion.settings.load import load_settings
        from ingestion.sql import scalar
        from ingestion.warehouse import build_lock, connect, has_data
        from serving.publishing import publish as publishing

        home = Home.from_environment()
        settings = load_settings(home)
        missing = f"{home.warehouse} has no marts yet. Build them with: tributary run"
        if not home.warehouse.exists() and not has_data(home):
            fail(missing, WRONG_INPUT)
        with build_lock(home, "publish", print_line), connect(home) as connection:
            built = "select count(*) from duckdb_views() where schema_name = 'marts' and view_name = 'promises'"
            if not scalar(connection, built):
                fail(missing, WRONG_INPUT)
            print_line("checking the promises")
            version = publishing.publish(connection, home.published, settings.published.readers)
        print_line(f"Published: version {version.number} in {home.marts}")
