"""`tributary explain`: the reasons for a figure. In: an id. Out: evidence from the published version."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import print_parts, readable_errors
from ingestion.home import Home

explain = typer.Typer(
    no_args_is_help=True,
    help="Explain a conversion's credit, a channel's credit or a waste flag.\n\n[bold]Examples[/bold]\n\n"
    '  tributary query "select waste_id, reason from waste_flags limit 5"\n\n'
    "  tributary explain waste 3f9c2a10",
)
Org = Annotated[str | None, typer.Option(help="The org, if several orgs have this id.")]


@explain.command()
def conversion(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="A conversion_id, or its first characters.")],
    org: Org = None,
    window: Annotated[
        int | None, typer.Option(min=1, help="Days of another window, such as 7. Default: the lookback window.")
    ] = None,
) -> None:
    """List the touches of a conversion: kept or dropped, the reason, and the weight under each model and window.

    [bold]Examples[/bold]

      tributary explain conversion northwind-shop:7f3a

      tributary explain conversion northwind-shop:7f3a --window 7
    """
    with readable_errors():
        from serving.explain.conversion import explain_conversion
        from serving.published import open_published

        with open_published(Home.from_environment().marts) as connection:
            print_parts(explain_conversion(connection, identifier, org, window))


@explain.command()
def channel(
    name: Annotated[str, typer.Argument(metavar="CHANNEL", help="The channel, such as Email.")],
    model: Annotated[
        tuple[str, str] | None,
        typer.Option("--models", help="Two models to compare. Default: last_touch and the org's own.", metavar="A B"),
    ] = None,
    conversion_type: Annotated[str | None, typer.Option(help="Default: the org's main conversion type.")] = None,
    org: Org = None,
) -> None:
    """Say why a channel's credit differs between two models, and list the journeys that differ most.

    [bold]Examples[/bold]

      tributary explain channel Email --org northwind

      tributary explain channel Email --org northwind --models first_touch data_driven
    """
    with readable_errors():
        from serving.explain.channel import explain_channel
        from serving.published import open_published

        with open_published(Home.from_environment().marts) as connection:
            print_parts(explain_channel(connection, name, org, model, conversion_type))


@explain.command()
def waste(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="A waste_id, or its first characters.")],
    org: Org = None,
) -> None:
    """Show the evidence for a waste flag, its threshold, and what to do.

    [bold]Example[/bold]

      tributary explain waste 3f9c2a10
    """
    with readable_errors():
        from serving.explain.waste import explain_waste
        from serving.published import open_published

        with open_published(Home.from_environment().marts) as connection:
            print_parts(explain_waste(connection, identifier, org))
