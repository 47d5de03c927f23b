"""`tributary serve`: the API and the dashboard. In: options, settings. Out: a server, until a signal stops it."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from cli.console import WRONG_INPUT, fail, print_line, print_to_terminal, readable_errors
from cli.stop import release_signals
from ingestion.home import Home


def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8600,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    name: Annotated[
        list[str] | None, typer.Option(help="Host name under which people open it, such as a proxy's. Repeatable.")
    ] = None,
) -> None:
    """Start the dashboard and the API on the published marts. It reads published files only and never blocks a run.

    On 127.0.0.1 it needs no log-in and shows all orgs. Beyond, people log in (people, log_in in tributary.yaml) or use
    API keys (tributary keys create).

    [bold]Examples[/bold]

      tributary serve

      tributary serve --host 0.0.0.0 --name dashboard.example.com
    """
    with readable_errors():
        import uvicorn

        from cli.live_facts import live_facts
        from ingestion.listening import end_with_success, listen
        from ingestion.settings.load import load_settings
        from serving.access.authentication import SERVER_OPTIONS
        from serving.access.principals import AccessError, access_of
        from serving.access.state import State
        from serving.app import create_app
        from serving.orgs import OrgFiles
        from serving.questions import QuestionError
        from serving.service import Service

        home = Home.from_environment()
        settings = load_settings(home)
        state = State(home.root / "serving.sqlite")
        try:
            access = access_of(
                state,
                people=settings.people,
                log_in=settings.log_in,
                environment=os.environ,
                host=host,
                names=name or (),
            )
            service = Service(home.root, OrgFiles(home.published), state, live_facts(home))
            service.load()
        except (AccessError, QuestionError) as error:
            fail(error, WRONG_INPUT)
        sock = listen(host, port)
        print_line(f"The dashboard is at http://{host}:{port}, the API at http://{host}:{port}/api/docs. Ctrl-C stops.")
        options: dict[str, Any] = SERVER_OPTIONS
        config = uvicorn.Config(create_app(service, access), log_level="warning", **options)
        release_signals()
        end_with_success()
        uvicorn.Server(config).run(sockets=[sock])
        print_to_terminal("Stopped.")
